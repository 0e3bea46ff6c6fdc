//! The password of whoever may move a store's money, as only Safaricom can read it.

use rsa::pkcs8::DecodePublicKey;
use rsa::rand_core::CryptoRngCore;
use rsa::{Pkcs1v15Encrypt, RsaPublicKey};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::ParsedCertificate;

use super::super::{Secret, crypto};

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecurityCredentialError {
    #[error("it is no certificate in PEM with an RSA key")]
    Certificate,
    #[error("the password is too long for the certificate's key")]
    Password,
}

/// The `SecurityCredential` of an initiator: their password, encrypted to Safaricom's certificate, of
/// which there is one for their sandbox and another for live. It differs each time it is made, and
/// each is good for as long as the password is: it is made once, and the password forgotten.
///
/// # Errors
/// The certificate cannot be used, or not for such a password.
pub fn seal_password(
    password: &Secret,
    certificate_pem: &[u8],
    random: &mut impl CryptoRngCore,
) -> Result<Secret, SecurityCredentialError> {
    let key = public_key(certificate_pem).ok_or(SecurityCredentialError::Certificate)?;
    let sealed = key
        .encrypt(random, Pkcs1v15Encrypt, password.expose().as_bytes())
        .map_err(|_| SecurityCredentialError::Password)?;
    Ok(crypto::base64(sealed).into())
}

fn public_key(certificate_pem: &[u8]) -> Option<RsaPublicKey> {
    let certificate = CertificateDer::from_pem_slice(certificate_pem).ok()?;
    let parsed = ParsedCertificate::try_from(&certificate).ok()?;
    RsaPublicKey::from_public_key_der(&parsed.subject_public_key_info()).ok()
}
