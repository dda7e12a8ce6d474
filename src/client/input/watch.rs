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
    /// Takes over the accounts of the settings: monitors those that this connection does not monitor yet, and ends the
    /// monitoring of those that are watched no more, unless the client has another use of their presence.
    pub fn update(
        &mut self,
        watched: &[IgnoredAccount],
        server: &str,
        model: &mut Model,
        is_used: impl Fn(&Nick) -> bool,
    ) {
        if !model.is_online() || watched.is_empty() && self.online.is_empty() {
            return;
        }
        let is_new_connection = !std::mem::replace(&mut self.is_sent, true);
        let here = || watched.iter().filter(|account| account.is_on(server)).map(|account| &account.account);
        self.online.retain(|known, _| {
            let is_watched = here().any(|nick| nick == known);
            if !is_watched && !is_new_connection && !is_used(known) {
                model.unmonitor_nick(known.as_str());
            }
            is_watched
        });
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
        watch.update(&watched, "home", &mut model, |_| false);
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        sent(&mut model);
        watch.update(&watched, "home", &mut model, |_| false);
        watch.update(&watched, "home", &mut model, |_| false);
        let lines = sent(&mut model);
        assert!(lines.matches("MONITOR + bob").count() == 1 && !lines.contains("zoe"), "{lines}");
        let text = watch.handle_presence(&nick("bob"), true);
        assert_eq!(text.as_deref(), Some("bob is online: /msg bob TEXT writes to them"));
        assert_eq!(watch.handle_presence(&nick("carol"), true), None, "not watched");
        watch.disconnected();
        watch.update(&watched, "home", &mut model, |_| false);
        assert!(sent(&mut model).contains("MONITOR + bob"), "a new connection knows nothing");
        assert_eq!(watch.handle_presence(&nick("bob"), true), None, "known already");
        assert_eq!(watch.handle_presence(&nick("bob"), false), None);
        assert!(watch.handle_presence(&nick("bob"), true).is_some());
        sent(&mut model);
        watch.update(&[], "home", &mut model, |_| false);
        assert_eq!(sent(&mut model).matches("MONITOR - bob").count(), 1);
        assert_eq!(watch.handle_presence(&nick("bob"), true), None, "watched no more");
        watch.update(&[], "home", &mut model, |_| false);
        assert_eq!(sent(&mut model), "", "it was told once");
    }

    #[test]
    fn a_nick_stays_monitored_where_its_presence_is_used_or_the_connection_is_new() {
        let nick = |name: &str| Nick::parse(name).expect(name);
        let watched = ["bob", "carol"].map(|text| text.parse::<IgnoredAccount>().expect(text));
        let mut model = Model::new("run".into());
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        let mut watch = WatchedAccounts::default();
        watch.update(&watched, "home", &mut model, |_| false);
        sent(&mut model);
        watch.update(&watched[1..], "home", &mut model, |used| *used == nick("bob"));
        assert_eq!(sent(&mut model), "", "a conversation with bob shows whether they are online");
        watch.disconnected();
        watch.update(&[], "home", &mut model, |_| false);
        assert_eq!(sent(&mut model), "", "a new connection monitors nobody");
    }
}
