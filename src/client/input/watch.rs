//! Accounts that the user is told about when they come online (`/watch`).

use std::collections::BTreeMap;

use crate::client::model::Model;
use crate::client::settings::IgnoredAccount;
use crate::wire::Nick;

/// Watched accounts of one server.
#[derive(Debug, Default)]
pub struct WatchedAccounts {
    /// Last known presence of each; `None` until the server has told it.
    online: BTreeMap<Nick, Option<bool>>,
    /// Set once this connection has sent the accounts to the server.
    is_sent: bool,
}

impl WatchedAccounts {
    /// Takes over the accounts of the settings, and monitors those that this connection does not monitor yet.
    pub fn update(&mut self, watched: &[IgnoredAccount], server: &str, model: &mut Model) {
        if !model.is_online() || watched.is_empty() && self.online.is_empty() {
            return;
        }
        let is_new_connection = !std::mem::replace(&mut self.is_sent, true);
        let here = || watched.iter().filter(|account| account.is_on(server)).map(|account| &account.account);
        self.online.retain(|known, _| here().any(|nick| nick == known));
        for nick in here() {
            if is_new_connection || !self.online.contains_key(nick) {
                self.online.entry(nick.clone()).or_default();
                model.monitor_nick(nick.as_str());
            }
        }
    }

    /// Takes note of the presence of an account. Returns a line for the user if a watched one has come online.
    pub fn handle_presence(&mut self, nick: &Nick, online: bool) -> Option<String> {
        let before = self.online.get_mut(nick)?.replace(online);
        (online && before != Some(true)).then(|| format!("{nick} is online: /msg {nick} TEXT writes to them"))
    }

    /// Takes note of a broken connection. Presences are kept, so that nobody is announced twice.
    pub fn disconnected(&mut self) {
        self.is_sent = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Cap, CapSet};

    fn sent(model: &mut Model) -> String {
        let mut bytes = Vec::new();
        model.take_output(&mut bytes);
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn watched_accounts_are_monitored_and_announced_once() {
        let nick = |name: &str| Nick::parse(name).expect(name);
        let account = |text: &str| text.parse::<IgnoredAccount>().expect(text);
        let mut model = Model::new("run".into());
        let mut watch = WatchedAccounts::default();
        let watched = [account("bob"), account("work/zoe")];
        watch.update(&watched, "home", &mut model);
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        sent(&mut model);
        watch.update(&watched, "home", &mut model);
        watch.update(&watched, "home", &mut model);
        let lines = sent(&mut model);
        assert!(lines.matches("MONITOR + bob").count() == 1 && !lines.contains("zoe"), "{lines}");
        let text = watch.handle_presence(&nick("bob"), true);
        assert_eq!(text.as_deref(), Some("bob is online: /msg bob TEXT writes to them"));
        assert_eq!(watch.handle_presence(&nick("carol"), true), None, "not watched");
        watch.disconnected();
        watch.update(&watched, "home", &mut model);
        assert!(sent(&mut model).contains("MONITOR + bob"), "a new connection knows nothing");
        assert_eq!(watch.handle_presence(&nick("bob"), true), None, "known already");
        assert_eq!(watch.handle_presence(&nick("bob"), false), None);
        assert!(watch.handle_presence(&nick("bob"), true).is_some());
        watch.update(&[], "home", &mut model);
        assert_eq!(watch.handle_presence(&nick("bob"), true), None, "watched no more");
    }
}
