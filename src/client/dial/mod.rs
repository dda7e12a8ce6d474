//! From addresses to an encrypted stream to the right server.
//!
//! All addresses are tried together, as [RFC 8305](https://www.rfc-editor.org/rfc/rfc8305) ("happy eyeballs") has it:
//! names are looked up side by side, attempts begin one shortly after the other, alternating between IPv6 and IPv4, and
//! the first that ends in *a handshake with the pinned root* wins. So neither an address that is silent nor one where
//! somebody else answers keeps a client from the server at another.

mod candidates;
mod race;

use std::io;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::trust::device::DeviceIdentity;
use crate::trust::verifier::{TrustError, trust_error};
use crate::trust::{Address, Pins, tls};

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Somebody answered who is not the server, and the server answered nowhere. Nothing was sent to them.
    #[error("{address}: {reason}{}", elsewhere.as_ref().map(|text| format!("; and {text}")).unwrap_or_default())]
    Untrusted {
        /// Who answered.
        address: Address,
        /// What is wrong with them.
        reason: TrustError,
        /// The other addresses where nobody answered, and why; the server may be there, and come back.
        elsewhere: Option<Box<str>>,
    },
    /// This machine's own key is damaged.
    #[error("the key of this device is damaged: {0}")]
    Device(rustls::Error),
    /// Nobody answered, for each address why.
    #[error("cannot reach the server: {0}")]
    Unreachable(String),
}

/// Tries the addresses together. Whoever answers has proven to be the server with one of the pins before this
/// returns; others get
/// the start of a handshake, in which nothing is said of who asks.
pub(super) async fn dial(
    addresses: &[Address],
    pins: Pins,
    device: Option<&DeviceIdentity>,
) -> Result<TlsStream<TcpStream>, DialError> {
    let config: Arc<ClientConfig> = match device {
        Some(device) => tls::client_config_as(pins, device).map_err(DialError::Device)?,
        None => tls::client_config(pins),
    };
    race::race(addresses, &config).await.map_err(|failed| outcome(addresses, &failed))
}

/// What to tell when all attempts failed, each at the address of this place.
fn outcome(addresses: &[Address], failed: &[(usize, io::Error)]) -> DialError {
    let mut silent = Vec::new();
    for (place, address) in addresses.iter().enumerate() {
        // Of a name with several addresses, the last one's.
        let last = failed.iter().rev().find(|(at, error)| *at == place && trust_error(error).is_none());
        silent.extend(last.map(|(_, error)| format!("{address}: {}", plainly(error))));
    }
    let silent = silent.join("; ");
    let strangers = failed.iter().filter_map(|(place, error)| Some((*place, trust_error(error)?)));
    // The right root with a wrong date is the server itself, most likely; of others the first in the list.
    let dated =
        |reason: &TrustError| matches!(reason, TrustError::Expired { .. } | TrustError::NotYetValid { .. });
    match strangers.min_by_key(|(place, reason)| (!dated(reason), *place)) {
        Some((place, reason)) if place < addresses.len() => DialError::Untrusted {
            address: addresses[place].clone(),
            reason: reason.clone(),
            elsewhere: (!silent.is_empty()).then(|| silent.into()),
        },
        _ if silent.is_empty() => DialError::Unreachable("no address of it is known".to_owned()),
        _ => DialError::Unreachable(silent),
    }
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
