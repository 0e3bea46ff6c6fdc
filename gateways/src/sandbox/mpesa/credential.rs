//! The `SecurityCredential`: the initiator's password, sealed to Safaricom's certificate.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};

use crate::sandbox::merchants::MpesaMerchant;

/// What RSA makes of a password under a key of 2048 bits.
const SEALED_BYTES: usize = 256;

/// Whether it holds the merchant's password, as far as there is a key to look.
pub(super) fn opens(merchant: &MpesaMerchant, credential: &str) -> bool {
    let Ok(sealed) = STANDARD.decode(credential) else {
        return false;
    };
    let Some(expected) = &merchant.sealed else {
        return sealed.len() == SEALED_BYTES;
    };
    RsaPrivateKey::from_pkcs8_pem(&expected.private_key)
        .ok()
        .and_then(|key| key.decrypt(Pkcs1v15Encrypt, &sealed).ok())
        .is_some_and(|password| password == expected.password.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::opens;
    use crate::sandbox::{Merchants, MpesaMerchant, SealedPassword};

    /// Made for this test with `openssl genpkey`; it guards nothing.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBANlPOKe8X1hiG00A\n\
        3Z/pqRsNk2IsOZmtrhJaIatT70K3VVAdHGU2PpwPrsD+Ehm/1vbocP4YIuSgBkjq\n\
        o2FLBeArW4uvcqzG/D/0vHZbh5KmBbFseLC6dWE6gW1Cr0TwhxxOZnuZPQazH3EN\n\
        7QrNxd1pdUGpv2lTGO7WR8OX9ZNFAgMBAAECgYB2yiCNSKLSHKcR2+RKkx82w6AK\n\
        bWR7Rn6+V3jKQBKtZKyFI7Su+w0UoFoF850PaFfpFr0VmToRwgxNdb4j5C/sDVWt\n\
        FId8ELoAYQkdN+k1161r47NgtepfZd1dw/f4WrytBlgJn4/DJW9vmY1L+Frb2NOT\n\
        X1XZBpQS/W7hXO6QLQJBAPpCATO9U5You/Qo567Ib1oveuWeW8NZmnfwCqu2zBBn\n\
        7esrvI1T4UkdU9DUSmfS0DrNs1LUI65s56jvYhDy2ccCQQDeS64us2EJDU2oZncX\n\
        427zO8evyEkjBOZ6j5ZF8+6nynY0B9xluzUkBIWpOKPGQytXCF3VirjPUVQxAxFx\n\
        +UqTAkBTFaLMiKi9i5yK/SGeF5FQgb7tiNuySYdNFnaUd8XcFIUatJSO3zBGU+RF\n\
        ypVBTu4u96f3cdK+0A1BOuh19Ap1AkBKE3Ac0dvBF3TMbDC9fiWH2mDlm9l7WPOw\n\
        3c5Wyz25HkebeQ8hu2uu7+7WgDBbLiDwJLKYKV0CgPiMSJh0oX0PAkBhWkYbGLG/\n\
        TO8ZNbBXToqSvtUQxB4ADL10dP6DCjtc0vDNMbovPsK4ZXLTHB3QN2RmZbFVLGXr\n\
        1YxuJL66VlIK\n\
        -----END PRIVATE KEY-----";
    /// Made with `openssl pkeyutl -encrypt`.
    const SEALED: &str = "RAgmcU/CC+P+y9sl+imCo+mI0RUZ0AEp0Q685ii/iUIwBqk6K3wtP5Ru4aio9xyvUK3/RJvJckIUWw99pP92mPWq6+T3OoOWOMpGNOuWWCQwWz6mZEf7U7jg/1xsraX8tjclKBEJHM1TWTpE7lI8Yluz2Gpf+ze70lWw7tI+kqg=";

    fn merchant(password: Option<&str>) -> MpesaMerchant {
        let sealed = password.map(|password| SealedPassword {
            password: password.to_owned(),
            private_key: KEY.to_owned(),
        });
        MpesaMerchant {
            sealed,
            ..Merchants::demo().mpesa.remove(0)
        }
    }

    #[test]
    fn a_sealed_password_is_opened_and_compared() {
        assert!(opens(&merchant(Some("Safaricom999!*!")), SEALED));
        assert!(!opens(&merchant(Some("Safaricom998!*!")), SEALED));
        assert!(!opens(&merchant(Some("Safaricom999!*!")), "c2VhbGVk"));
    }

    #[test]
    fn without_a_key_only_the_length_is_looked_at() {
        assert!(opens(&merchant(None), &format!("{}==", "A".repeat(342))));
        assert!(!opens(&merchant(None), "c2VhbGVk"));
        assert!(!opens(&merchant(None), "no base64"));
    }
}
