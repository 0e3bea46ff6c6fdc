use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::{CryptoRng, Error, RngCore};
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};

use super::super::{SecurityCredentialError, seal_password};

/// Made for these tests, and for nothing else.
const CERTIFICATE: &[u8] = include_bytes!("initiator_certificate.pem");
const KEY: &str = include_str!("initiator_key.pem");

#[test]
fn only_the_holder_of_the_certificates_key_reads_the_password() {
    let sealed = seal_password(&"Safaricom123!!*!".into(), CERTIFICATE, &mut Counting(1)).unwrap();
    let key = RsaPrivateKey::from_pkcs8_pem(KEY).unwrap();
    let bytes = STANDARD.decode(sealed.expose()).unwrap();
    let opened = key.decrypt(Pkcs1v15Encrypt, &bytes).unwrap();
    assert_eq!(opened, b"Safaricom123!!*!");
    let again = seal_password(&"Safaricom123!!*!".into(), CERTIFICATE, &mut Counting(2)).unwrap();
    assert_ne!(sealed.expose(), again.expose());
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    for wrong in [&b""[..], b"-----BEGIN CERTIFICATE-----", KEY.as_bytes()] {
        let sealed = seal_password(&"password".into(), wrong, &mut Counting(1));
        assert_eq!(sealed, Err(SecurityCredentialError::Certificate));
    }
    let long = "x".repeat(300);
    let sealed = seal_password(&long.as_str().into(), CERTIFICATE, &mut Counting(1));
    assert_eq!(sealed, Err(SecurityCredentialError::Password));
}

/// No randomness at all: the padding only has to differ, and to have no zeros.
struct Counting(u8);

impl RngCore for Counting {
    fn next_u32(&mut self) -> u32 {
        rsa::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rsa::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.checked_add(1).unwrap_or(1);
            *byte = self.0;
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Counting {}
