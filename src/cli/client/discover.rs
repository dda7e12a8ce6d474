//! `parlour discover`: lists the servers that announce themselves on the local network.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::cli::access;
use crate::cli::output::{format_table, print};
use crate::client::connect::discover::{self, AnnouncedServer};
use crate::client::files::servers::Servers;

/// List the servers that announce themselves on the local network.
///
/// KNOWN AS is your name for a server that you have joined with the same pin. Announcements can be forged: a server is
/// never trusted for its announcement, and this command connects to none. With --json each line is an object with
/// `name`, `addresses`, `pin`, `version` and `known` (a list). Exits 0 if a server was found, and 1 if none was.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour discover
  parlour discover --wait 10 --json | jq -r '.addresses[0]'")]
pub struct Args {
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Time to listen, 1 to 60 seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    // An unreadable file is reported before the wait. A user without a home folder has no known servers.
    let known = Servers::default_path()
        .map_or_else(|_| Ok(Servers::default()), |path| access::load_servers(&path))?;
    let announced_servers = access::run_client(async {
        let listening = discover::collect_announcements(Duration::from_secs(args.wait));
        listening.await.context("check that this machine is on a network")
    })?;
    if announced_servers.is_empty() {
        bail!(
            "no server was heard within {} seconds; is this its network, and does it run with --announce?",
            args.wait
        );
    }
    let known = |announced: &AnnouncedServer| {
        let same = known.iter().filter(|server| announced.claims_pin(server.pins));
        same.map(|server| server.name.clone()).collect::<Vec<_>>()
    };
    if args.json {
        return print(
            &announced_servers
                .iter()
                .map(|announced| json_object(announced, &known(announced)))
                .collect::<String>(),
        );
    }
    let titles = ["NAME", "ADDRESSES", "KNOWN AS", "PIN"].map(ToOwned::to_owned);
    let rows = announced_servers.iter().map(|announced| {
        let known = known(announced);
        let known = if known.is_empty() { "-".to_owned() } else { known.join(" ") };
        [announced.name.clone(), address_list(announced).join(" "), known, announced.pin.to_string()]
    });
    print(&format_table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>()))
}

fn address_list(announced: &AnnouncedServer) -> Vec<String> {
    announced.addresses.iter().map(ToString::to_string).collect()
}

fn json_object(announced: &AnnouncedServer, known: &[String]) -> String {
    let object = json!({
        "name": announced.name,
        "addresses": address_list(announced),
        "pin": announced.pin.to_string(),
        "version": announced.version,
        "known": known,
    });
    format!("{object}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Pin;

    #[test]
    fn json_object_has_every_announced_field() {
        let announcement = AnnouncedServer {
            name: "Den".to_owned(),
            pin: Pin::new([7; 32]),
            old_pin: None,
            version: None,
            addresses: vec!["10.0.0.7".parse().expect("an address")],
        };
        assert_eq!(
            json_object(&announcement, &["den".to_owned()]),
            "{\"addresses\":[\"10.0.0.7:6697\"],\"known\":[\"den\"],\"name\":\"Den\",\
             \"pin\":\"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\",\"version\":null}\n"
        );
    }
}
