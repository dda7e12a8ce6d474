//! Connecting: from a list of addresses to an encrypted stream to the right server.
//!
//! All addresses are tried together, as [RFC 8305](https://www.rfc-editor.org/rfc/rfc8305) ("happy eyeballs")
//! specifies. Names are resolved in parallel, attempts start shortly after each other, alternating between IPv6 and
//! IPv4, and the first one that completes *a handshake with the pinned root* wins. So neither an unresponsive address
//! nor one with another server behind it keeps the client from the server at a third address.

mod candidates;
mod race;

use std::io;

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::trust::device::DeviceIdentity;
use crate::trust::tls::{self, ClientProtocol};
use crate::trust::verifier::{TrustError, trust_error};
use crate::trust::{Address, Pins};

/// The error of an attempt to connect.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// Another server answered, and the right one did not. Nothing was sent to the other server.
    #[error("{address}: {reason}{}", elsewhere.as_ref().map(|text| format!("; and {text}")).unwrap_or_default())]
    Untrusted {
        /// Address of the other server.
        address: Address,
        /// Problem with its certificate.
        reason: TrustError,
        /// Addresses that did not respond, with the reasons; the right server may be there and come back.
        elsewhere: Option<Box<str>>,
    },
    /// This device's own key is damaged.
    #[error("the key of this device is damaged: {0}")]
    Device(rustls::Error),
    /// No address responded; the text has the reason for each.
    #[error("cannot reach the server: {0}")]
    Unreachable(String),
}

/// Tries all addresses together. Before this returns, the server has proven to have the key of a pinned root. Other
/// servers get only the start of a handshake, which does not identify the client. Returns the address that responded too.
pub(in crate::client) async fn dial(
    addresses: &[Address],
    pins: Pins,
    device: Option<&DeviceIdentity>,
    protocol: ClientProtocol,
) -> Result<(TlsStream<TcpStream>, Address), DialError> {
    let config = tls::client_config_for(protocol, pins, device).map_err(DialError::Device)?;
    race::race(addresses, &config).await.map_err(|failed| dial_error(addresses, &failed))
}

/// Returns the error to report when all attempts failed. `failed` has the index of each attempt's address.
fn dial_error(addresses: &[Address], failed: &[(usize, io::Error)]) -> DialError {
    let mut silent = Vec::new();
    for (index, address) in addresses.iter().enumerate() {
        // For a name with several sockets, the error of the last one is reported.
        let last = failed.iter().rev().find(|(at, error)| *at == index && trust_error(error).is_none());
        silent.extend(last.map(|(_, error)| format!("{address}: {}", describe_io_error(error))));
    }
    let silent = silent.join("; ");
    let untrusted = failed.iter().filter_map(|(index, error)| Some((*index, trust_error(error)?)));
    // The right root with an invalid date is most likely the server itself, so it is reported first. Otherwise it is
    // the first address of the list.
    let dated =
        |reason: &TrustError| matches!(reason, TrustError::Expired { .. } | TrustError::NotYetValid { .. });
    match untrusted.min_by_key(|(index, reason)| (!dated(reason), *index)) {
        Some((index, reason)) if index < addresses.len() => DialError::Untrusted {
            address: addresses[index].clone(),
            reason: reason.clone(),
            elsewhere: (!silent.is_empty()).then(|| silent.into()),
        },
        _ if silent.is_empty() => DialError::Unreachable("no address of it is known".to_owned()),
        _ => DialError::Unreachable(silent),
    }
}

/// Describes an error without the operating system's number.
pub(in crate::client) fn describe_io_error(error: &io::Error) -> String {
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
