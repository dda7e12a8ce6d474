//! The TLS configurations of both sides: TLS 1.3 only, and nothing to turn off.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::server::NoServerSessionStorage;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::certs::Identity;
use super::device::DeviceIdentity;
use super::devices::AnyDevice;
use super::live::LiveIdentity;
use super::pins::Pins;
use super::provider::provider;
use super::verifier::PinnedVerifier;

/// The ALPN protocol id of IRC ([IANA's registry](https://www.iana.org/assignments/tls-extensiontype-values/)).
pub const ALPN: &[u8] = b"irc";

/// The server's side, for an identity that stays.
pub fn server_config(identity: &Identity) -> Arc<ServerConfig> {
    live_server_config(Arc::new(LiveIdentity::new(identity)))
}

/// The server's side, for an identity that may be exchanged while the server runs.
///
/// A client may show a certificate, and then proves that it has its key. Whose it is, the login finds out.
///
/// A client without ALPN is welcome; one that offers only other protocols (a browser that was led
/// here) is refused in the handshake. Each login gets one session ticket, and the server keeps nothing for it. The
/// keys of tickets live for at most twelve hours and in memory only, and a resumed connection exchanges keys anew.
/// There is no early data.
#[allow(clippy::missing_panics_doc)] // The `expect` states an invariant of the crypto provider.
pub fn live_server_config(identity: Arc<LiveIdentity>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .expect("aws-lc-rs has TLS 1.3 cipher suites")
        .with_client_cert_verifier(Arc::new(AnyDevice::new()))
        .with_cert_resolver(identity.clone());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.ticketer = identity;
    config.send_tls13_tickets = 1;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Arc::new(config)
}

/// The client's side: talks to the server with these pins and to no other.
pub fn client_config(pins: impl Into<Pins>) -> Arc<ClientConfig> {
    client_config_at(pins, Arc::new(DefaultTimeProvider))
}

/// [`client_config`] of a client that shows the certificate of its device.
///
/// # Errors
/// When the key does not fit the certificate.
pub fn client_config_as(
    pins: impl Into<Pins>,
    device: &DeviceIdentity,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::clone(&client_config(pins));
    let key = provider().key_provider.load_private_key(device.key())?;
    let shown = CertifiedKey::new(device.chain(), key);
    shown.keys_match()?;
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(shown));
    Ok(Arc::new(config))
}

/// [`client_config`] with a clock of the caller's.
#[allow(clippy::missing_panics_doc)] // As in `server_config`.
pub fn client_config_at(pins: impl Into<Pins>, clock: Arc<dyn TimeProvider>) -> Arc<ClientConfig> {
    let provider = provider();
    let verifier = Arc::new(PinnedVerifier::new(pins, &provider));
    let mut config = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[&TLS13])
        .expect("aws-lc-rs has TLS 1.3 cipher suites")
        .dangerous() // rustls's word for any verifier that is not the web's; ours is stricter.
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Every connection sees the chain, so no ticket stands in for the pin, and a new root is seen at once.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// What the client with these pins knows after a handshake: the server's chain may have shown what will follow the pin.
pub fn learned(pins: Pins, chain: &[CertificateDer<'_>], now: UnixTime) -> Pins {
    let Some((server, others)) = chain.split_first() else { return pins };
    match PinnedVerifier::new(pins, &provider()).check(server, others, now) {
        Ok(proof) => pins.after(proof),
        // It was right a moment ago, in the handshake; now it is over.
        Err(_) => pins,
    }
}
