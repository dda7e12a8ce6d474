//! From addresses to an encrypted stream to the right server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::trust::device::DeviceIdentity;
use crate::trust::verifier::{TrustError, trust_error};
use crate::trust::{Address, Pins, tls};

/// How long each of looking up, connecting and shaking hands may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Somebody answered who is not the server. Nothing was sent to them.
    #[error("{address}: {reason}")]
    Untrusted {
        /// Who answered.
        address: Address,
        /// What is wrong with them.
        reason: TrustError,
    },
    /// This machine's own key is damaged.
    #[error("the key of this device is damaged: {0}")]
    Device(rustls::Error),
    /// Nobody answered, for each address why.
    #[error("cannot reach the server: {0}")]
    Unreachable(String),
}

/// Tries the addresses in turn until one answers. Whoever answers has proven to be the server with one of the
/// pins before this returns; if somebody else answers that ends it, whatever other addresses there are.
pub(super) async fn dial(
    addresses: &[Address],
    pins: Pins,
    device: Option<&DeviceIdentity>,
) -> Result<TlsStream<TcpStream>, DialError> {
    let config = match device {
        Some(device) => tls::client_config_as(pins, device).map_err(DialError::Device)?,
        None => tls::client_config(pins),
    };
    let mut tried = Vec::new();
    for address in addresses {
        match reach(address, &config).await {
            Ok(stream) => return Ok(stream),
            Err(error) => match trust_error(&error) {
                Some(reason) => {
                    return Err(DialError::Untrusted { address: address.clone(), reason: reason.clone() });
                }
                None => tried.push(format!("{address}: {}", plainly(&error))),
            },
        }
    }
    Err(DialError::Unreachable(tried.join("; ")))
}

async fn reach(address: &Address, config: &Arc<ClientConfig>) -> io::Result<TlsStream<TcpStream>> {
    let late = |what: &str| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"));
    let name = ServerName::try_from(address.host().to_owned()).map_err(io::Error::other)?;
    let lookup = tokio::net::lookup_host((address.host(), address.port()));
    let found: Vec<SocketAddr> =
        timeout(PATIENCE, lookup).await.map_err(|_| late("the name's look-up"))??.collect();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for socket in found {
        match timeout(PATIENCE, TcpStream::connect(socket)).await {
            Ok(Ok(stream)) => {
                // Lines are small and each is waited for.
                stream.set_nodelay(true)?;
                let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
                return timeout(PATIENCE, handshake).await.map_err(|_| late("the TLS handshake"))?;
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = late("connecting"),
        }
    }
    Err(last)
}

/// What happened, without the operating system's number for it.
pub(super) fn plainly(error: &io::Error) -> String {
    if error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).is_some() {
        return format!("not a Parlour server's TLS ({error})");
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
            "the connection was cut".to_owned()
        }
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
    }
}
