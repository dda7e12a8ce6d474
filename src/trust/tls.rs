//! TLS configurations of both sides: TLS 1.3 only, with no option to weaken them.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs::Ticketer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::version::TLS13;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::certs::Identity;
use super::client_certificates::AnyDeviceVerifier;
use super::device::DeviceIdentity;
use super::live_identity::LiveIdentity;
use super::pins::Pins;
use super::provider::crypto_provider;
use super::verifier::PinnedVerifier;
use super::web_identity::WebIdentity;

/// ALPN protocol id of IRC ([IANA's registry](https://www.iana.org/assignments/tls-extensiontype-values/)).
pub const ALPN: &[u8] = b"irc";

/// ALPN protocol id of HTTP/1.1, by which browsers open pages and WebSocket connections.
pub const ALPN_HTTP: &[u8] = b"http/1.1";

/// Offered beside [`ALPN_HTTP`] by a client that has the certificate of a device, and never chosen: the server requests
/// the certificate then. A browser, which would ask its user for one, does not offer it.
pub const ALPN_HTTP_DEVICE: &[u8] = b"parlour-device";

/// Returns the configuration for servers elsewhere that are not Parlour's, verified by the authorities of the system;
/// `None` if these cannot be read. It is for hooks alone: a client of Parlour's knows the pin of its server.
pub fn system_client_config() -> Option<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return None;
    }
    let config =
        ClientConfig::builder_with_provider(crypto_provider()).with_protocol_versions(&[&TLS13]).ok()?;
    Some(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// Returns the server's configuration, for an identity that stays.
pub fn server_config(identity: &Identity) -> Arc<ServerConfig> {
    live_server_config(Arc::new(LiveIdentity::new(identity)))
}

/// Returns the server's configuration, for an identity that may be replaced while the server runs.
///
/// A client may present a certificate, and then must prove that it has the key. The login looks up the device and its
/// account.
///
/// A client without ALPN is accepted; one that offers only other protocols (such as a misdirected browser) is refused
/// in the handshake. Each login gets one session ticket, and the server stores nothing for it. The ticket keys live for
/// at most twelve hours and in memory only, and a resumed connection exchanges keys anew. There is no early data.
#[allow(clippy::missing_panics_doc)] // The `expect` states an invariant of the crypto provider.
pub fn live_server_config(identity: Arc<LiveIdentity>) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&TLS13])
        .expect("aws-lc-rs has TLS 1.3 cipher suites")
        .with_client_cert_verifier(Arc::new(AnyDeviceVerifier::new()))
        .with_cert_resolver(identity.clone());
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.ticketer = identity;
    config.send_tls13_tickets = 1;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Arc::new(config)
}

/// Returns the server's configuration for browsers: HTTP/1.1 alone, and no certificate is requested, because a browser
/// would ask its user for one.
///
/// Its session tickets are sealed with a key of their own, so none of them is good for a session of IRC or the reverse.
pub fn web_server_config(identity: Arc<WebIdentity>) -> Arc<ServerConfig> {
    http_server_config(identity, WebPkiClientVerifier::no_client_auth())
}

/// Returns the server's configuration for HTTP/1.1 with a device's certificate, see [`ALPN_HTTP_DEVICE`].
pub fn device_web_server_config(identity: Arc<WebIdentity>) -> Arc<ServerConfig> {
    http_server_config(identity, Arc::new(AnyDeviceVerifier::new()))
}

#[allow(clippy::missing_panics_doc)] // As in `server_config`.
fn http_server_config(
    identity: Arc<WebIdentity>,
    client_verifier: Arc<dyn ClientCertVerifier>,
) -> Arc<ServerConfig> {
    let mut config = ServerConfig::builder_with_provider(crypto_provider())
        .with_protocol_versions(&[&TLS13])
        .expect("aws-lc-rs has TLS 1.3 cipher suites")
        .with_client_cert_verifier(client_verifier)
        .with_cert_resolver(identity);
    config.alpn_protocols = vec![ALPN_HTTP.to_vec()];
    match Ticketer::new() {
        Ok(ticketer) => config.ticketer = ticketer,
        // Without randomness for a key no session is resumed.
        Err(_) => config.send_tls13_tickets = 0,
    }
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Arc::new(config)
}

/// Protocol that a client speaks after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProtocol {
    /// Lines of IRC.
    Irc,
    /// HTTP/1.1, for files.
    Http,
}

/// Returns the configuration of a client that accepts only the server with these pins, speaks this protocol, and
/// presents the certificate of its device if it has one.
///
/// # Errors
/// When the device's key does not fit its certificate.
pub fn client_config_for(
    protocol: ClientProtocol,
    pins: impl Into<Pins>,
    device: Option<&DeviceIdentity>,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = match device {
        Some(device) => client_config_with_device(pins, device)?,
        None => client_config(pins),
    };
    if protocol == ClientProtocol::Irc {
        return Ok(config);
    }
    let mut config = ClientConfig::clone(&config);
    let offered = [ALPN_HTTP_DEVICE, ALPN_HTTP];
    config.alpn_protocols =
        offered.iter().skip(usize::from(device.is_none())).map(|protocol| protocol.to_vec()).collect();
    Ok(Arc::new(config))
}

/// Returns the configuration of a client that accepts only the server with these pins.
pub fn client_config(pins: impl Into<Pins>) -> Arc<ClientConfig> {
    client_config_with_clock(pins, Arc::new(DefaultTimeProvider))
}

/// Returns [`client_config`] for a client that presents the certificate of its device.
///
/// # Errors
/// When the key does not fit the certificate.
pub fn client_config_with_device(
    pins: impl Into<Pins>,
    device: &DeviceIdentity,
) -> Result<Arc<ClientConfig>, rustls::Error> {
    let mut config = ClientConfig::clone(&client_config(pins));
    let key = crypto_provider().key_provider.load_private_key(device.key())?;
    let shown = CertifiedKey::new(device.chain(), key);
    shown.keys_match()?;
    config.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(shown));
    Ok(Arc::new(config))
}

/// Returns [`client_config`] with the caller's clock.
#[allow(clippy::missing_panics_doc)] // As in `server_config`.
pub fn client_config_with_clock(pins: impl Into<Pins>, clock: Arc<dyn TimeProvider>) -> Arc<ClientConfig> {
    let provider = crypto_provider();
    let verifier = Arc::new(PinnedVerifier::new(pins, &provider));
    let mut config = ClientConfig::builder_with_details(provider, clock)
        .with_protocol_versions(&[&TLS13])
        .expect("aws-lc-rs has TLS 1.3 cipher suites")
        .dangerous() // rustls's word for any verifier other than the web's; this one is stricter.
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN.to_vec()];
    // Each connection sees the whole chain: a ticket never replaces the pin, and a new root is seen at once.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

/// Returns the pins that a client with `pins` knows after a handshake: the server's chain may have shown the next pin.
pub fn learn_pins(pins: Pins, chain: &[CertificateDer<'_>], now: UnixTime) -> Pins {
    let Some((server, others)) = chain.split_first() else { return pins };
    match PinnedVerifier::new(pins, &crypto_provider()).verify_chain(server, others, now) {
        Ok(proof) => pins.updated_with(proof),
        // The chain was valid in the handshake a moment ago, and has expired since.
        Err(_) => pins,
    }
}
