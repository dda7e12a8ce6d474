//! Checks whether the server runs and is reachable at its addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use super::report::Finding;
use crate::client::connect::connection::{ConnectError, probe};
use crate::client::connect::dial::DialError;
use crate::server::admin::control::ControlClient;
use crate::server::admin::{AdminQuery, AdminReply};
use crate::server::config::Config;
use crate::trust::{Address, Pin};

/// Time limit for another program on this machine to accept a connection.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of a data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// A running server, with its own information.
    Server { addresses: Vec<Address>, pin: Pin, pid: Option<u32> },
    /// No server runs.
    NotRunning,
    /// A process that cannot be queried, with the error.
    Unknown(String),
}

impl ServerState {
    /// Queries the control socket.
    pub fn query(folder: &Path) -> Self {
        let mut client = match ControlClient::connect(folder) {
            Ok(client) => client,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                return Self::NotRunning;
            }
            Err(error) => return Self::Unknown(error.to_string()),
        };
        match client.send_request(&AdminQuery::Server.into()) {
            Ok(AdminReply::Server { addresses, pin }) => {
                let pid = std::fs::read_to_string(folder.join("lock")).ok();
                Self::Server { addresses, pin, pid: pid.and_then(|text| text.trim().parse().ok()) }
            }
            Ok(_) => Self::Unknown("an unexpected answer".to_owned()),
            Err(error) => Self::Unknown(error.to_string()),
        }
    }

    /// Returns the process id of the server.
    pub fn pid(&self) -> Option<u32> {
        if let Self::Server { pid, .. } = self { *pid } else { None }
    }

    /// Returns the ports that clients connect to.
    pub fn ports(&self, config: &Config) -> Vec<u16> {
        let mut ports: Vec<u16> = match self {
            Self::Server { addresses, .. } => addresses.iter().map(Address::port).collect(),
            _ => config.listen.iter().map(SocketAddr::port).collect(),
        };
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

/// Connects to every address of the server as a client does, without a login.
pub async fn check(folder: &Path, running: &ServerState, config: &Config, pin: Option<Pin>) -> Vec<Finding> {
    match running {
        ServerState::Server { addresses, pin: shown, .. } => {
            let mut findings = vec![pin_finding(*shown, pin)];
            let probes: Vec<_> = addresses
                .iter()
                .cloned()
                .map(|address| (address.clone(), tokio::spawn(probe_address(address, *shown))))
                .collect();
            for (address, probe) in probes {
                if let Ok(result) = probe.await {
                    findings.push(address_finding(&address, result, config));
                }
            }
            findings
        }
        ServerState::NotRunning => {
            let start = Finding::warning(
                "server",
                format!("no server runs on {}", folder.display()),
                "start it with `parlour serve`",
            );
            let mut findings = vec![start];
            for address in &config.listen {
                findings.extend(port_in_use_finding(*address).await);
            }
            findings
        }
        ServerState::Unknown(why) => vec![Finding::problem(
            "server",
            format!("the server on {} cannot be asked: {why}", folder.display()),
            "run this as the user that the server runs as",
        )],
    }
}

async fn probe_address(address: Address, pin: Pin) -> Result<(), ConnectError> {
    probe(&[address], pin).await
}

fn pin_finding(server_pin: Pin, folder_pin: Option<Pin>) -> Finding {
    match folder_pin {
        Some(here) if here != server_pin => Finding::problem(
            "pin",
            format!("the running server has the pin {server_pin}, and the certificates here have {here}"),
            "if the certificates were made anew, start the server again and invite everybody again; otherwise put the old \
             ones back from a backup",
        ),
        _ => Finding::ok("pin", format!("the running server has the pin {server_pin}")),
    }
}

fn address_finding(address: &Address, result: Result<(), ConnectError>, config: &Config) -> Finding {
    let is_ip = address.host().parse::<IpAddr>().is_ok();
    match result {
        Ok(()) => Finding::ok("reach", format!("{address} answers, and proves the pin")),
        Err(ConnectError::Dial(DialError::Untrusted { reason, .. })) => Finding::problem(
            "reach",
            format!("at {address} answers somebody else: {reason}"),
            "find out what listens there (`ss -ltnp`), or correct `advertise` in parlour.toml",
        ),
        Err(error) if !config.advertise.is_empty() || !is_ip => Finding::warning(
            "reach",
            format!("an invite says {address}, which does not lead here from this machine: {error}"),
            "see whether the name and the port lead to this machine from where your people are; a router that forwards the \
             port may do so from outside only. `advertise` in parlour.toml says what invites carry",
        ),
        Err(error) => Finding::problem(
            "reach",
            format!("{address} does not answer: {error}"),
            "a firewall on this machine may keep it closed, or the machine has another address now: start the server again",
        ),
    }
}

/// Reports another program on a port that the server would listen on.
async fn port_in_use_finding(address: SocketAddr) -> Option<Finding> {
    let local = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    if address.port() == 0 {
        return None;
    }
    timeout(LOCAL_TIMEOUT, TcpStream::connect((local, address.port()))).await.ok()?.ok()?;
    Some(Finding::problem(
        "server",
        format!("another program listens on {address}, where the server would"),
        "stop that (`ss -ltnp` names it), or choose another port with `listen` in parlour.toml",
    ))
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::cli::doctor::report::Level;

    #[tokio::test]
    async fn port_in_use_is_reported() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        assert_eq!(port_in_use_finding(address).await.expect("told").level, Level::Problem);
        drop(listener);
        assert_eq!(port_in_use_finding(address).await, None);
    }

    #[tokio::test]
    async fn closed_address_is_reported() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let pin = Pin::new([7; 32]);
        let addresses = vec![address.to_string().parse().expect("an address")];
        let running = ServerState::Server { addresses, pin, pid: None };
        let findings = check(Path::new("data"), &running, &Config::default(), Some(Pin::new([8; 32]))).await;
        assert_eq!(
            findings.iter().map(|one| (one.check, one.level)).collect::<Vec<_>>(),
            [("pin", Level::Problem), ("reach", Level::Problem)]
        );
        // The configured address may be reachable from elsewhere.
        let config =
            Config { advertise: vec!["chat.example".parse().expect("an address")], ..Config::default() };
        let findings = check(Path::new("data"), &running, &config, Some(pin)).await;
        assert_eq!(findings.iter().map(|one| one.level).collect::<Vec<_>>(), [Level::Ok, Level::Warning]);
    }

    #[test]
    fn empty_folder_has_no_running_server() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(ServerState::query(folder.path()), ServerState::NotRunning);
    }
}
