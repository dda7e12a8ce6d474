//! `parlour servers`: lists, renames and removes the known servers.

use clap::Subcommand;
use serde_json::json;

use super::chat::follow_renames;
use crate::cli::access;
use crate::cli::output::{format_table, print};
use crate::client::files::servers::{KnownServer, Servers};

/// List, rename and forget the servers you have joined.
///
/// Without a subcommand it lists them. They are in a file of yours, together with their pins.
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  parlour servers
  parlour servers rename 192.0.2.7 work      from then on: parlour chat work
  parlour servers forget work"
)]
pub struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    list: List,
}

#[derive(Subcommand)]
enum Action {
    /// Print names, accounts, addresses and pins. A star marks the server used last.
    List(List),
    /// Give a server another name on this machine.
    Rename {
        /// The server, by name or address.
        server: String,
        /// The new name: one word.
        #[arg(value_parser = parse_name)]
        name: String,
    },
    /// Forget a server and this machine's key for it. The account on the server stays.
    Forget {
        /// The server, by name or address.
        server: String,
    },
}

#[derive(clap::Args)]
struct List {
    /// Print one JSON object per line, with `name`, `account`, `addresses`, `pin` and `last` (the one used last).
    #[arg(long)]
    json: bool,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let path = Servers::default_path()?;
    match args.action.unwrap_or(Action::List(args.list)) {
        Action::List(List { json }) => {
            let servers = access::load_servers(&path)?;
            let last = servers.find(None)?.name.clone();
            print(&if json { json_lines(&servers, &last) } else { server_table(&servers, &last) })
        }
        Action::Rename { server, name } => {
            // Before, so that the present name is on record, and after it, so that the new one has everything.
            follow_renames().map_err(anyhow::Error::msg)?;
            let old = Servers::rename(&path, &server, &name)?;
            follow_renames().map_err(anyhow::Error::msg)?;
            print(&format!("{old} is {name} now: `parlour chat {name}`\n"))
        }
        Action::Forget { server } => print(&describe_forgotten(&Servers::remove(&path, &server)?)),
    }
}

fn address_list(server: &KnownServer) -> Vec<String> {
    server.addresses.iter().map(ToString::to_string).collect()
}

fn json_lines(servers: &Servers, last: &str) -> String {
    let object = |server: &KnownServer| {
        let object = json!({
            "name": server.name,
            "account": server.account.as_str(),
            "addresses": address_list(server),
            "pin": server.pins.current.to_string(),
            "last": server.name == last,
        });
        format!("{object}\n")
    };
    servers.iter().map(object).collect()
}

fn server_table(servers: &Servers, last: &str) -> String {
    let titles = ["", "NAME", "ACCOUNT", "ADDRESSES", "PIN"].map(ToOwned::to_owned);
    let rows = servers.iter().map(|server| {
        let star = if server.name == last { "*" } else { "" };
        let (account, pin) = (server.account.to_string(), server.pins.current.to_string());
        [star.to_owned(), server.name.clone(), account, address_list(server).join(" "), pin]
    });
    format_table(&std::iter::once(titles).chain(rows).collect::<Vec<_>>())
}

/// Describes the removal, and the command to log in again.
fn describe_forgotten(server: &KnownServer) -> String {
    let KnownServer { name, account, addresses, pins, .. } = server;
    let at = addresses.first().map(ToString::to_string).unwrap_or_default();
    format!(
        "{name} is forgotten, and this machine's key with it; the server still lists that key until another machine \
         revokes it (parlour device).\nTo come back, with {account}'s password: \
         parlour chat {at} --pin {} --name {account}\n",
        pins.current
    )
}

/// Parses a server's name for clap.
fn parse_name(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_alphanumeric() || "-._:@".contains(c);
    if text.is_empty() || text.chars().count() > 64 || text.starts_with('-') || !text.chars().all(plain) {
        return Err("a name is one word of at most 64 letters, digits and . _ - : @".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::{Pin, Pins};
    use crate::wire::Nick;

    #[test]
    fn forget_prints_how_to_join_again() {
        let server = KnownServer {
            name: "work".to_owned(),
            addresses: vec!["10.0.0.7".parse().expect("an address")],
            pins: Pins { current: Pin::new([7; 32]), next: None },
            former_pins: Vec::new(),
            account: Nick::parse("alice").expect("a nick"),
        };
        assert!(
            describe_forgotten(&server).ends_with(&format!(
                "parlour chat 10.0.0.7:6697 --pin {} --name alice\n",
                server.pins.current
            ))
        );
    }

    #[test]
    fn server_names_are_plain_words() {
        for good in ["work", "chat.example:7000", "alice@10.0.0.5-2", "küche"] {
            assert_eq!(parse_name(good).as_deref(), Ok(good));
        }
        for bad in ["", "-x", "two words", "a/b", "parlour://x", "\u{1b}[1m", &"a".repeat(65)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }
}
