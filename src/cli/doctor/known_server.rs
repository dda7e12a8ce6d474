//! Checks of the known servers, as this user's client sees them. Nothing is sent but the handshake.

use std::path::Path;

use super::report::Finding;
use crate::client::connect::connection::{ConnectError, probe};
use crate::client::connect::dial::DialError;
use crate::client::connect::discover;
use crate::client::connect::search::probe_or_search;
use crate::client::files::devices::DeviceFile;
use crate::client::files::servers::KnownServer;
use crate::trust::Address;
use crate::trust::verifier::TrustError;

/// Checks whether the server is reachable and has its pin, and whether this device's key for it is usable.
pub async fn check(file: &Path, server: &KnownServer) -> Vec<Finding> {
    let mut findings = vec![check_reachability(server).await];
    findings.extend(check_device_key(file, server));
    findings
}

async fn check_reachability(server: &KnownServer) -> Finding {
    let KnownServer { name, pins, .. } = server;
    let pins = *pins;
    let probes: Vec<_> = server
        .addresses
        .iter()
        .cloned()
        .map(|address| {
            tokio::spawn(async move { (probe(std::slice::from_ref(&address), pins).await, address) })
        })
        .collect();
    let mut failed: Option<ConnectError> = None;
    for probe in probes {
        match probe.await {
            Ok((Ok(()), address)) => {
                return Finding::ok("known", format!("{name}: {address} answers, and proves the pin"));
            }
            // A server with another pin is reported rather than one that does not respond.
            Ok((Err(error), _))
                if failed.is_none() || matches!(error, ConnectError::Dial(DialError::Untrusted { .. })) =>
            {
                failed = Some(error);
            }
            _ => {}
        }
    }
    match failed {
        Some(error @ ConnectError::Dial(DialError::Unreachable(_))) => find_moved_server(server, error).await,
        Some(error) => untrusted_finding(name, &error),
        None => Finding::problem("known", format!("{name} has no address"), "join it again with an invite"),
    }
}

/// Searches the local network for a server that responds at none of its addresses.
async fn find_moved_server(server: &KnownServer, error: ConnectError) -> Finding {
    let name = &server.name;
    if !discover::is_allowed() {
        return unreachable_finding(name, &error);
    }
    match probe_or_search(&server.addresses, server.pins, true).await {
        Ok(addresses) => Finding::warning(
            "known",
            format!(
                "{name} has moved to {}, and proves the pin there",
                addresses.first().map_or_else(String::new, Address::to_string)
            ),
            "`parlour chat` finds and remembers it",
        ),
        Err(error) => unreachable_finding(name, &error),
    }
}

fn unreachable_finding(name: &str, error: &ConnectError) -> Finding {
    let text = error.to_string();
    let remedy = if text.contains("too long") || text.contains("timed out") {
        "a firewall may swallow it, there or on the way, or the server is on another network: let the port's TCP through there, \
         and see `parlour doctor` on the server"
    } else {
        "see whether the server runs and is on this network: `parlour doctor` on its machine says where it can be reached"
    };
    Finding::problem("known", format!("{name}: {text}"), remedy)
}

fn untrusted_finding(name: &str, error: &ConnectError) -> Finding {
    let dates = matches!(
        error,
        ConnectError::Dial(DialError::Untrusted {
            reason: TrustError::Expired { .. } | TrustError::NotYetValid { .. },
            ..
        })
    );
    if dates {
        let remedy = "set this machine's clock; if it is right, the server needs `parlour certs renew`";
        return Finding::problem("clock", format!("{name}: {error}"), remedy);
    }
    Finding::problem(
        "pin",
        format!("{name}: {error}"),
        "nothing was sent to it. If the server was set up anew, or its old root was retired while you were away, ask its administrator for a new invite and compare the pin with \
         what `parlour certs show` prints there; otherwise somebody poses as it",
    )
}

fn check_device_key(file: &Path, server: &KnownServer) -> Option<Finding> {
    let error = DeviceFile::for_account(file, server.pins.current, &server.account).load().err()?;
    // The check of permissions reports a readable file.
    if matches!(error, crate::client::files::devices::DeviceFileError::ReadableByOthers(_)) {
        return None;
    }
    Some(Finding::from_error("device", error, &["; ", ": "]))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::doctor::report::Level;
    use crate::platform::files;
    use crate::trust::Pin;
    use crate::wire::Nick;

    #[test]
    fn damaged_key_is_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("servers.toml");
        let (pin, account) = (Pin::new([7; 32]), Nick::parse("alice").expect("a nick"));
        let server = KnownServer {
            name: "den".to_owned(),
            addresses: Vec::new(),
            pins: pin.into(),
            former_pins: Vec::new(),
            account: account.clone(),
        };
        assert_eq!(check_device_key(&file, &server), None);
        DeviceFile::for_account(&file, pin, &account).load_or_generate().expect("made");
        assert_eq!(check_device_key(&file, &server), None);
        let key = folder.path().join("devices").join(format!("alice@{pin}.pem"));
        fs::write(&key, "x").expect("written");
        let finding = check_device_key(&file, &server).expect("told");
        assert_eq!(
            (finding.level, finding.remedy.as_deref()),
            (Level::Problem, Some("remove it, and log in with your password"))
        );
        files::give_to_others(&key, false);
        assert_eq!(check_device_key(&file, &server), None);
    }
}
