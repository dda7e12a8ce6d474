//! Search for a known server that has moved: announcements suggest addresses, and the server there has to prove its
//! pin.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use if_addrs::IfAddr;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::connection::{ConnectError, Connection, Endpoint, ServerStream, connect, open_stream, probe};
use super::dial::DialError;
use super::discover::{AnnouncementListener, DiscoverError};
use crate::client::files::servers::Servers;
use crate::trust::tls::ClientProtocol;
use crate::trust::{Address, Pins};

/// Limit of addresses to try.
const MAX_TRIES: usize = 16;

/// Time for listening to announcements, enough for a request and its repetition one second later.
const LISTEN_TIME: Duration = Duration::from_millis(2500);

/// Time limit for proofs of identity, from the start of the search.
const PROOF_TIMEOUT: Duration = Duration::from_secs(8);

/// Connects and logs in. If no address responds and `search` is set, it searches for the server on the local network.
/// Returns the connection and the addresses, a newly found one first.
pub(in crate::client) async fn connect_or_search(
    mut endpoint: Endpoint,
    search: bool,
) -> Result<(Connection, Vec<Address>), ConnectError> {
    let failed = match connect(endpoint.clone()).await {
        Ok(link) => return Ok((link, endpoint.addresses)),
        Err(error) => error,
    };
    if !search {
        return Err(failed);
    }
    add_found_address(&mut endpoint, failed).await?;
    let link = connect(endpoint.clone()).await?;
    store_found_address(&endpoint, link.pins);
    Ok((link, endpoint.addresses))
}

/// Connects to the server as [`open_stream`] does. If no address responds, it searches for the server on the local
/// network. Returns the stream, and the endpoint with the present addresses and pins.
pub(in crate::client) async fn open_stream_or_search(
    mut endpoint: Endpoint,
    protocol: ClientProtocol,
) -> Result<(ServerStream, Endpoint), ConnectError> {
    endpoint.refresh_pins();
    let opened = match open_stream(&endpoint, protocol).await {
        Ok(opened) => opened,
        Err(failed) => {
            add_found_address(&mut endpoint, failed).await?;
            let opened = open_stream(&endpoint, protocol).await?;
            store_found_address(&endpoint, opened.pins);
            opened
        }
    };
    endpoint.pins = opened.pins;
    Ok((opened, endpoint))
}

/// Searches for a server whose known addresses do not respond, and puts its new address before them.
async fn add_found_address(endpoint: &mut Endpoint, failed: ConnectError) -> Result<(), ConnectError> {
    if !endpoint.allows_discovery {
        return Err(failed);
    }
    let found = search_after_failure(failed, endpoint.pins, &endpoint.addresses).await?;
    endpoint.addresses.insert(0, found);
    Ok(())
}

/// Stores the addresses of a server that was found. If they cannot be stored, it is found again the same way.
fn store_found_address(endpoint: &Endpoint, pins: Pins) {
    if let Some(servers) = &endpoint.servers {
        let _ = Servers::store_server(servers, &endpoint.addresses, pins, &endpoint.account);
    }
}

/// Verifies the server as [`probe`] does. If no address responds and `search` is set, it searches for the server on
/// the local network. Returns the addresses to use.
pub async fn probe_or_search(
    addresses: &[Address],
    pins: Pins,
    search: bool,
) -> Result<Vec<Address>, ConnectError> {
    match probe(addresses, pins).await {
        Ok(()) => Ok(addresses.to_vec()),
        Err(error) if !search => Err(error),
        Err(error) => {
            let found = search_after_failure(error, pins, addresses).await?;
            Ok([&[found], addresses].concat())
        }
    }
}

/// Returns the server's new address if none of the known ones responded. Returns the error of the failed attempt
/// otherwise, with a note on the search.
async fn search_after_failure(
    failed: ConnectError,
    pins: Pins,
    known: &[Address],
) -> Result<Address, ConnectError> {
    let ConnectError::Dial(DialError::Unreachable(tried)) = failed else { return Err(failed) };
    let note = match search_network(pins, known).await {
        Ok(SearchOutcome { address: Some(address), .. }) => return Ok(address),
        Ok(SearchOutcome { impostors: posers, .. }) if posers.is_empty() => {
            "nor is it announced on this network".to_owned()
        }
        Ok(SearchOutcome { impostors: posers, .. }) => {
            format!("{} on this network poses as it", join_addresses(&posers))
        }
        Err(error) => error.to_string(),
    };
    Err(DialError::Unreachable(format!("{tried}; {note}")).into())
}

fn join_addresses(addresses: &[Address]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The result of a search.
#[derive(Debug, Default, PartialEq, Eq)]
struct SearchOutcome {
    /// The address of the server, which has proven its identity.
    address: Option<Address>,
    /// Addresses of other servers that claimed its pin.
    impostors: Vec<Address>,
}

/// Searches the addresses of announcements for the server with these pins.
async fn search_network(pins: Pins, known: &[Address]) -> Result<SearchOutcome, DiscoverError> {
    let mut ear = AnnouncementListener::open()?;
    let (listening, deadline) = (Instant::now() + LISTEN_TIME, Instant::now() + PROOF_TIMEOUT);
    let near = local_networks();
    let mut tried: HashSet<Address> = known.iter().cloned().collect();
    let mut probes = JoinSet::new();
    let mut found = SearchOutcome::default();
    let mut listens = true;
    while listens || !probes.is_empty() {
        tokio::select! {
            announced = timeout_at(listening, ear.next_server()), if listens => match announced {
                Ok(Some(announced)) if announced.claims_pin(pins) => for address in announced.addresses {
                    let more = tried.len() < known.len() + MAX_TRIES;
                    if more && is_on_local_network(&address, &near) && tried.insert(address.clone()) {
                        probes.spawn(async move { (probe(std::slice::from_ref(&address), pins).await, address) });
                    }
                },
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => listens = false,
            },
            proof = timeout_at(deadline, probes.join_next()), if !probes.is_empty() => match proof {
                Ok(Some(Ok((Ok(()), address)))) => {
                    found.address = Some(address);
                    return Ok(found);
                }
                Ok(Some(Ok((Err(ConnectError::Dial(DialError::Untrusted { .. })), address)))) => {
                    found.impostors.push(address);
                }
                Ok(_) => {}
                Err(_) => return Ok(found),
            },
        }
    }
    Ok(found)
}

/// Returns the networks that this machine is on.
fn local_networks() -> Vec<IfAddr> {
    if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.addr).collect()
}

/// Returns whether the address is in a local network. An announcement must not send the client to a server on the
/// Internet.
fn is_on_local_network(address: &Address, networks: &[IfAddr]) -> bool {
    let Ok(ip) = address.host().parse::<IpAddr>() else { return false };
    let private = match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    private
        || networks.iter().any(|network| match (network, ip) {
            (IfAddr::V4(own), IpAddr::V4(ip)) => own.ip & own.netmask == ip & own.netmask,
            (IfAddr::V6(own), IpAddr::V6(ip)) => own.ip & own.netmask == ip & own.netmask,
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use if_addrs::Ifv4Addr;

    use super::*;

    #[test]
    fn ignores_addresses_outside_local_networks() {
        let own = IfAddr::V4(Ifv4Addr {
            ip: [198, 51, 100, 7].into(),
            netmask: [255, 255, 255, 0].into(),
            prefixlen: 24,
            broadcast: None,
        });
        for (address, expected) in [
            ("10.1.2.3:1", true),
            ("192.168.1.1:1", true),
            ("169.254.1.1:1", true),
            ("[fd00::1]:1", true),
            ("198.51.100.99:1", true),
            ("198.51.101.99:1", false),
            ("8.8.8.8:53", false),
            ("[2001:db8::1]:1", false),
            ("chat.example:1", false),
        ] {
            assert_eq!(
                is_on_local_network(&address.parse().expect(address), std::slice::from_ref(&own)),
                expected,
                "{address}"
            );
        }
    }
}
