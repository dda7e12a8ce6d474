//! Several accounts on one server: each has an entry of its own, which is named after the account.

use std::path::Path;

use super::{KnownServer, Servers, ServersError};
use crate::trust::{Address, Pins};
use crate::wire::Nick;

impl Servers {
    /// Returns the server with this name, `ACCOUNT@NAME` or address, whichever account it is known for.
    pub fn find_for_any_account(&self, wanted: &str) -> Result<&KnownServer, ServersError> {
        match self.find(Some(wanted)) {
            Err(ServersError::Ambiguous(names)) => {
                let found = self.matching(wanted);
                let first = found.first().filter(|first| found.iter().all(|it| shares_pin(it, first.pins)));
                first.copied().ok_or(ServersError::Ambiguous(names))
            }
            found => found,
        }
    }

    /// Returns the entry of an account on the server with this name or address.
    pub fn find_account(&self, wanted: &str, account: &Nick) -> Result<&KnownServer, ServersError> {
        match self.find(Some(wanted)) {
            Ok(server) if server.account == *account => Ok(server),
            _ => self
                .find_sibling(wanted, account)
                .map_or_else(|| self.find(Some(&format!("{account}@{wanted}"))), Ok),
        }
    }

    /// Returns the entry of another account on the server that `wanted` names.
    fn find_sibling(&self, wanted: &str, account: &Nick) -> Option<&KnownServer> {
        let server = self.find_for_any_account(wanted).ok()?;
        self.known.iter().find(|it| it.account == *account && shares_pin(it, server.pins))
    }

    /// Stores a server as [`store_server`](Self::store_server) does, but leaves the one that was used last as it is,
    /// if there is one: what a script uses does not change what the chat opens.
    pub fn store_for_script(
        path: &Path,
        addresses: &[Address],
        pins: impl Into<Pins>,
        account: &Nick,
    ) -> Result<String, ServersError> {
        let pins = pins.into();
        let change = |servers: &mut Self| {
            let last = servers.find(None).ok().map(|last| last.name.clone());
            let name = servers.insert_or_update(addresses, pins, account);
            servers.last_used = last.or_else(|| Some(name.clone()));
            name
        };
        // The file need not be writable if nothing changes.
        let mut servers = Self::load(path)?;
        let previous = servers.clone();
        let name = change(&mut servers);
        if servers == previous { Ok(name) } else { Self::modify(path, change) }
    }

    /// Returns an unused name. Of the first account on a server it is the host, or the whole address for another
    /// server on the same host; of a further account it is `ACCOUNT@NAME`, with the name of the first.
    pub(super) fn unused_name(&self, addresses: &[Address], pins: Pins, account: &Nick) -> String {
        let host = addresses.first().map_or("server", Address::host);
        // A pin alone is no proof of the same place: the key of a retired root may be in other hands.
        let is_same = |it: &&KnownServer| {
            shares_pin(it, pins) && addresses.iter().any(|address| it.addresses.contains(address))
        };
        let first = self.known.iter().find(is_same);
        let place = first.map_or(host, |first| first.name.rsplit('@').next().unwrap_or(host));
        let address =
            addresses.first().filter(|address| self.known.iter().all(|it| !it.addresses.contains(address)));
        let by_place = |place: &str| format!("{account}@{place}");
        let numbered = (2..).map(|n| format!("{}-{n}", by_place(host)));
        (first.is_none().then(|| host.to_owned()).into_iter())
            .chain(address.filter(|_| first.is_none()).map(ToString::to_string))
            .chain([by_place(place), by_place(host)])
            .chain(numbered)
            .find(|name| self.known.iter().all(|server| server.name != *name))
            .unwrap_or_else(|| by_place(host))
    }
}

/// Returns whether this is a server with one of these pins. During a rotation its entries may differ in the other one.
fn shares_pin(server: &KnownServer, pins: Pins) -> bool {
    pins.newest_first().any(|pin| server.pins.contains(pin))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::Pin;

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn addresses() -> Vec<Address> {
        vec!["10.0.0.5:6697".parse().expect("an address")]
    }

    #[test]
    fn further_account_is_named_after_its_server_and_changes_no_default() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servers.toml");
        let pin = Pin::new([1; 32]);
        let store =
            |name: &str| Servers::store_for_script(&path, &addresses(), pin, &nick(name)).expect("stored");
        assert_eq!(store("alice"), "10.0.0.5");
        Servers::rename(&path, "10.0.0.5", "work").expect("renamed");
        assert_eq!([store("bot"), store("bot"), store("alice")], ["bot@work", "bot@work", "work"]);
        let servers = Servers::load(&path).expect("reads");
        assert_eq!(servers.find(None).expect("the last").name, "work");
        for wanted in ["work", "bot@work", "10.0.0.5", "10.0.0.5:6697"] {
            assert_eq!(servers.find_for_any_account(wanted).expect(wanted).pins.current, pin);
            for account in ["alice", "bot"] {
                assert_eq!(
                    servers.find_account(wanted, &nick(account)).expect(wanted).account,
                    nick(account)
                );
            }
        }
        assert!(servers.find_account("work", &nick("carol")).is_err());
        assert!(servers.find_for_any_account("elsewhere").is_err());
    }

    #[test]
    fn address_of_two_servers_stays_ambiguous() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("servers.toml");
        for pin in [1, 2] {
            Servers::store_server(&path, &addresses(), Pin::new([pin; 32]), &nick("alice")).expect("stored");
        }
        Servers::rename(&path, "10.0.0.5", "old").expect("renamed");
        let servers = Servers::load(&path).expect("reads");
        assert!(matches!(servers.find_for_any_account("10.0.0.5"), Err(ServersError::Ambiguous(_))));
    }
}
