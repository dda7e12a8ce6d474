//! Devices: client certificates, one for each account, that clients log in with by SASL EXTERNAL.

use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use rustls::ClientConfig;
use rustls::client::ResolvesClientCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha2::{Digest as _, Sha256};

use super::line::Line;
use super::sessions::log_in_all;
use super::target::{Dialer, Proof, Target};

/// A certificate with its key.
pub struct Device {
    certificate: CertificateDer<'static>,
    key: PrivatePkcs8KeyDer<'static>,
}

impl Device {
    fn generate() -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(["load".to_owned()])?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Ok(Self { certificate: made.cert.der().clone(), key })
    }

    /// Returns what presents the certificate.
    pub fn resolver(&self, config: &ClientConfig) -> Result<Arc<dyn ResolvesClientCert>> {
        let key = PrivateKeyDer::from(self.key.clone_key());
        let key = config.crypto_provider().key_provider.load_private_key(key)?;
        Ok(Arc::new(SingleCertAndKey::from(CertifiedKey::new(vec![self.certificate.clone()], key))))
    }

    fn fingerprint(&self) -> String {
        Sha256::digest(&self.certificate).iter().fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// Returns a dialer whose first clients have devices, which their accounts know, if the target's proof needs them.
pub async fn dialer_with_devices(target: &Target, count: usize) -> Result<Arc<Dialer>> {
    let mut dialer = Dialer::new(target)?;
    if matches!(target.proof, Proof::None | Proof::Password) {
        return Ok(Arc::new(dialer));
    }
    let devices: Arc<[Device]> = (0..count).map(|_| Device::generate()).collect::<Result<_>>()?;
    let owners = Arc::new(Dialer::new(target)?);
    let known = devices.clone();
    log_in_all(&owners, count, (Proof::Password, ""), move |number, mut client| {
        let print = known[number].fingerprint();
        async move {
            let is_answer = |line: Line<'_>| line.command == b"NOTE" || line.command == b"FAIL";
            let added = client
                .request(&format!("CERT ADD {print}\r\n"), |line| is_answer(line).then(|| line.to_text()))
                .await?
                .context("no answer to CERT ADD")?;
            ensure!(added.starts_with("NOTE"), "the device was refused: {added}");
            client.quit().await;
            Ok(())
        }
    })
    .await
    .context("adding devices to the accounts")?;
    dialer.set_devices(&devices, target.proof == Proof::Resumed)?;
    Ok(Arc::new(dialer))
}
