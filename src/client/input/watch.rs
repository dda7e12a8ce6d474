//! Accounts that the user is told about when they come online (`/watch`).

use std::collections::{BTreeMap, BTreeSet};

use crate::client::model::Model;
use crate::client::settings::IgnoredAccount;
use crate::wire::Nick;

/// Watched accounts of one server.
#[derive(Debug, Default)]
pub struct WatchedAccounts {
    /// Last known presence of each; `None` until the server has told it.
    online: BTreeMap<Nick, Option<bool>>,
    /// Accounts that the user has just begun to watch. Their first presence is no news, but a part of the answer.
    begun: BTreeSet<Nick>,
    /// Accounts that the server refused on this connection, because its list is full.
    refused: BTreeSet<Nick>,
    /// Set once this connection has sent the accounts to the server.
    is_sent: bool,
}

/// Line for the user about a watched account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresenceNote {
    /// Text of the line.
    pub text: String,
    /// Set if the account has come online, as opposed to an answer to the command that watches it.
    pub is_news: bool,
}

impl WatchedAccounts {
    /// Applies the list of watched accounts. Monitors the new ones, and ends the monitoring of those that were removed,
    /// unless the client needs their presence for something else. Each end makes room, so those that the server refused
    /// are tried again.
    pub fn update(
        &mut self,
        watched: &[IgnoredAccount],
        server: &str,
        model: &mut Model,
        is_used: impl Fn(&Nick) -> bool,
    ) {
        if !model.is_online() {
            return;
        }
        let is_new_connection = !std::mem::replace(&mut self.is_sent, true);
        if watched.is_empty() && self.online.is_empty() {
            return;
        }
        let mut has_room = false;
        let here = || watched.iter().filter(|account| account.is_on(server)).map(|account| &account.account);
        self.online.retain(|known, _| {
            let is_watched = here().any(|nick| nick == known);
            if !is_watched && !is_new_connection && !is_used(known) {
                // A refused one has no place in the server's list.
                has_room |= !self.refused.contains(known);
                model.unmonitor_nick(known.as_str());
            }
            is_watched
        });
        self.refused.retain(|nick| here().any(|watched| watched == nick));
        self.begun.retain(|nick| here().any(|watched| watched == nick));
        let retried = if has_room { std::mem::take(&mut self.refused) } else { BTreeSet::new() };
        for nick in here() {
            let is_new = !self.online.contains_key(nick);
            if is_new_connection || retried.contains(nick) || is_new {
                self.online.entry(nick.clone()).or_default();
                if is_new && !is_new_connection {
                    self.begun.insert(nick.clone());
                }
                model.monitor_nick(nick.as_str());
            }
        }
    }

    /// Takes note of the accounts that the server refused to monitor. Returns a line for the user about those that are
    /// watched.
    pub fn handle_refused(&mut self, nicks: &[Nick]) -> Option<String> {
        let watched = nicks.iter().filter(|nick| self.online.contains_key(*nick));
        let names: Vec<&str> = watched.clone().map(Nick::as_str).collect();
        self.refused.extend(watched.cloned());
        let names = names.join(", ");
        (!names.is_empty()).then(|| {
            format!("the server has no room to watch {names}; /unwatch NAME makes some, and they follow by themselves")
        })
    }

    /// Returns the watched accounts that the server refused to monitor.
    pub fn refused(&self) -> Vec<Nick> {
        self.refused.iter().cloned().collect()
    }

    /// Takes note of the presence of an account. Returns a line for the user if a watched one has come online, or is
    /// online when the watching begins.
    pub fn handle_presence(&mut self, nick: &Nick, online: bool) -> Option<PresenceNote> {
        self.refused.remove(nick);
        let begins = self.begun.remove(nick);
        let before = self.online.get_mut(nick)?.replace(online);
        (online && before != Some(true)).then(|| PresenceNote {
            text: if begins {
                format!(
                    "{nick} is online now, and you are told when they come online again; /unwatch {nick} ends it"
                )
            } else {
                format!("{nick} is online: /msg {nick} TEXT writes to them; /unwatch {nick} ends these notes")
            },
            is_news: !begins,
        })
    }

    /// Takes note of a broken connection. Presences are kept, so that nobody is announced twice.
    pub fn disconnected(&mut self) {
        self.is_sent = false;
        self.refused.clear();
        self.begun.clear();
    }
}

/// Returns the note that watching an account has begun.
pub(super) fn watch_note(nick: &Nick) -> String {
    format!("you are told when {nick} comes online; /unwatch {nick} ends it")
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
        let expected = "bob is online: /msg bob TEXT writes to them; /unwatch bob ends these notes";
        assert_eq!(text.map(|note| note.text).as_deref(), Some(expected));
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
    fn the_first_presence_says_that_watching_began_and_how_it_ends() {
        let nick = |name: &str| Nick::parse(name).expect(name);
        let watched = ["bob", "carol"].map(|text| text.parse::<IgnoredAccount>().expect(text));
        let mut model = Model::new("run".into());
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        let mut watch = WatchedAccounts::default();
        watch.update(&[], "home", &mut model, |_| false);
        watch.update(&watched[..1], "home", &mut model, |_| false);
        assert!(!watch.handle_presence(&nick("bob"), true).expect("a line").is_news, "the first one");
        watch.disconnected();
        watch.online.clear();
        watch.update(&watched[..1], "home", &mut model, |_| false);
        assert!(watch.handle_presence(&nick("bob"), true).expect("a line").is_news, "at a login");
        watch.update(&watched, "home", &mut model, |_| false);
        let expected =
            "carol is online now, and you are told when they come online again; /unwatch carol ends it";
        let note = watch.handle_presence(&nick("carol"), true);
        assert_eq!(note, Some(PresenceNote { text: expected.to_owned(), is_news: false }));
        watch.handle_presence(&nick("carol"), false);
        assert!(watch.handle_presence(&nick("carol"), true).expect("a line").is_news);
    }

    #[test]
    fn refused_accounts_are_tried_again_when_there_is_room() {
        let nick = |name: &str| Nick::parse(name).expect(name);
        let watched =
            ["bob", "carol", "dave", "erin"].map(|text| text.parse::<IgnoredAccount>().expect(text));
        let mut model = Model::new("run".into());
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        let mut watch = WatchedAccounts::default();
        watch.update(&watched, "home", &mut model, |_| false);
        sent(&mut model);
        let text = watch.handle_refused(&[nick("carol"), nick("dave"), nick("zoe")]).expect("a line");
        assert!(text.contains("no room to watch carol, dave;"), "{text}");
        assert_eq!(watch.handle_refused(&[nick("zoe")]), None, "not watched");
        assert_eq!(watch.refused(), [nick("carol"), nick("dave")]);
        // One that was refused makes no room.
        watch.update(&watched[..3], "home", &mut model, |_| false);
        assert_eq!(sent(&mut model).matches("MONITOR +").count(), 2, "erin made room");
        watch.handle_refused(&[nick("dave")]);
        watch.update(&watched[..2], "home", &mut model, |_| false);
        assert!(!sent(&mut model).contains("MONITOR +"), "dave had no place");
        assert_eq!(watch.refused(), []);
        watch.handle_refused(&[nick("carol")]);
        watch.disconnected();
        assert_eq!(watch.refused(), []);
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
