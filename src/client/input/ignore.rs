//! Decisions about ignored accounts (`/ignore`, `/unignore`) on their way to the server, which tells the user's other
//! devices.
//!
//! Merge rule: what the user decides here counts from that moment, and wins over what the server reports until the server
//! has confirmed it. It is sent at once, or at the next login, also after a restart. From then on the server's value
//! counts, so the latest decision to arrive there is that of all devices. Where the server has no value, nobody has
//! decided, and what this device knows stands. A decision that the server refuses ends: about an account that does not
//! exist there is nothing to decide, and any other holds on this device alone.

use std::collections::BTreeMap;

use crate::client::model::Model;
use crate::client::model::event::{ErrorReply, ServerEvent};
use crate::client::model::requests::ServerRequest;
use crate::client::settings::BLOCKED_KEY;
use crate::wire::{Cap, Nick};

/// Limit of the decisions that wait for the server. The user makes them one by one.
const MAX_UNSENT: usize = 1_000;

/// Devices for which a decision counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IgnoreScope {
    /// All devices of the user.
    AllDevices,
    /// This device, and the others from the next login on.
    AllDevicesLater,
    /// This device alone, because the server keeps no such list.
    ThisDevice,
}

/// Decision that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedIgnore {
    /// Account that it was about.
    pub account: Nick,
    /// Set if the account does not exist, so that there is nobody to ignore.
    pub is_missing: bool,
    /// Sentence for the user.
    pub notice: String,
}

/// Decisions that the server has not confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnconfirmedIgnores(BTreeMap<Nick, bool>);

impl UnconfirmedIgnores {
    /// Takes note of a decision, and sends it if there is a connection.
    pub fn decide(&mut self, account: &Nick, ignored: bool, model: &mut Model) -> IgnoreScope {
        if model.is_online() && !model.has_cap(Cap::Metadata) {
            return IgnoreScope::ThisDevice;
        }
        self.resume(account.clone(), ignored);
        if send(&[(account, ignored)], model) {
            IgnoreScope::AllDevices
        } else {
            IgnoreScope::AllDevicesLater
        }
    }

    /// Takes over a decision of an earlier run.
    pub fn resume(&mut self, account: Nick, ignored: bool) {
        if self.0.len() < MAX_UNSENT || self.0.contains_key(&account) {
            self.0.insert(account, ignored);
        }
    }

    /// Sends all decisions after a login. It has to happen before the server is asked for its values.
    pub fn send_all(&mut self, model: &mut Model) {
        if model.is_online() && !model.has_cap(Cap::Metadata) {
            self.0.clear();
        }
        let all: Vec<(&Nick, bool)> = self.iter().collect();
        if !all.is_empty() {
            send(&all, model);
        }
    }

    /// Ends the decisions that the server refused in its answer to a request. Returns them.
    pub fn take_refused(&mut self, request: &ServerRequest, replies: &[ServerEvent]) -> Vec<RefusedIgnore> {
        if !matches!(request, ServerRequest::SetMetadata { key: BLOCKED_KEY, .. }) {
            return Vec::new();
        }
        let errors = replies.iter().filter_map(|reply| match reply {
            ServerEvent::Error(error) => Some(error),
            _ => None,
        });
        errors.filter_map(|error| self.take_refused_by(error)).collect()
    }

    fn take_refused_by(&mut self, error: &ErrorReply) -> Option<RefusedIgnore> {
        let account = Nick::parse_foreign(error.subject()).ok()?;
        let ignored = self.0.remove(&account)?;
        let is_missing = error.names_no_target();
        let reason = error.explain();
        let notice = match (ignored, is_missing) {
            (true, true) => format!("nobody is ignored: {reason}"),
            (true, false) => format!("messages of {account} are hidden on this device alone: {reason}"),
            (false, true) => reason,
            (false, false) => format!("messages of {account} are shown again on this device alone: {reason}"),
        };
        Some(RefusedIgnore { account, is_missing, notice })
    }

    /// Takes note of the value that the server reports. Returns whether it counts.
    pub fn accepts(&mut self, account: &Nick, value: Option<&str>) -> bool {
        let Some(ignored) = self.0.get(account) else { return true };
        let is_confirmed = value == Some(value_of(*ignored));
        if is_confirmed {
            self.0.remove(account);
        }
        is_confirmed
    }

    /// Iterates over the decisions.
    pub fn iter(&self) -> impl Iterator<Item = (&Nick, bool)> {
        self.0.iter().map(|(account, ignored)| (account, *ignored))
    }
}

fn value_of(ignored: bool) -> &'static str {
    if ignored { "1" } else { "0" }
}

fn send(decisions: &[(&Nick, bool)], model: &mut Model) -> bool {
    let values = decisions.iter().map(|&(account, ignored)| (account.clone(), value_of(ignored))).collect();
    model.send_request(ServerRequest::SetMetadata { key: BLOCKED_KEY, values }).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::Event;
    use crate::wire::{CapSet, Message, Timestamp};

    fn sent(model: &mut Model) -> Vec<String> {
        let mut bytes = Vec::new();
        model.take_output(&mut bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        let lines = text.lines().filter(|line| line.contains("METADATA"));
        lines.map(|line| line[line.find("METADATA").expect("it has")..].to_owned()).collect()
    }

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    #[test]
    fn decisions_wait_for_the_login_and_win_until_they_are_confirmed() {
        let (bob, zoe) = (nick("bob"), nick("zoe"));
        let mut model = Model::new("run".into());
        let mut ignores = UnconfirmedIgnores::default();
        assert_eq!(ignores.decide(&bob, true, &mut model), IgnoreScope::AllDevicesLater);
        assert_eq!(ignores.decide(&zoe, true, &mut model), IgnoreScope::AllDevicesLater);
        assert_eq!(ignores.decide(&zoe, false, &mut model), IgnoreScope::AllDevicesLater);
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        ignores.send_all(&mut model);
        let lines =
            ["METADATA bob SET soju.im/blocked :1", "METADATA zoe SET soju.im/blocked :0"].map(str::to_owned);
        assert_eq!(sent(&mut model), lines);
        // The earlier values, which the server still had.
        assert!(!ignores.accepts(&bob, None) && !ignores.accepts(&zoe, Some("1")));
        // The connection breaks before the replies.
        model.disconnected();
        assert_eq!(model.next_event(), None, "they are sent again");
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        ignores.send_all(&mut model);
        assert_eq!(sent(&mut model), lines);
        assert!(ignores.accepts(&bob, Some("1")) && ignores.accepts(&zoe, Some("0")));
        assert_eq!(ignores, UnconfirmedIgnores::default());
        assert!(ignores.accepts(&bob, Some("0")), "another device decides later");
        assert_eq!(ignores.decide(&bob, true, &mut model), IgnoreScope::AllDevices);
    }

    /// Returns what the server's refusals of the decisions about bob and zoe come to, and what is left to send.
    fn refuse(caps: CapSet) -> (Vec<RefusedIgnore>, UnconfirmedIgnores) {
        let mut model = Model::new("run".into());
        model.connected(nick("alice"), caps);
        let mut ignores = UnconfirmedIgnores::default();
        for name in ["bob", "carol", "zoe"] {
            ignores.resume(nick(name), true);
        }
        ignores.send_all(&mut model);
        let mut bytes = Vec::new();
        model.take_output(&mut bytes);
        let written = String::from_utf8(bytes).expect("UTF-8");
        let tag = |name: &str| {
            if !caps.has(Cap::LabeledResponse) {
                return String::new();
            }
            let line = written.lines().find(|line| line.contains(name)).expect(name);
            line.split_once(' ').filter(|(tag, _)| tag.starts_with('@')).map_or("", |(tag, _)| tag).to_owned()
        };
        let ping = written.lines().rev().find_map(|line| line.strip_prefix("PING ")).expect("a PING");
        for line in [
            format!("{} FAIL METADATA INVALID_TARGET bob :No such account or channel", tag("bob")),
            format!("{} :s 761 alice carol soju.im/blocked * :1", tag("carol")),
            format!("{} FAIL METADATA LIMIT_REACHED zoe 100 :Too many", tag("zoe")),
            format!("PONG s {ping}"),
        ] {
            model.handle(&Message::parse(line.trim()).expect("a line"), Timestamp(0));
        }
        let mut refused = Vec::new();
        while let Some(event) = model.next_event() {
            match event {
                Event::Answered { request, replies } => refused = ignores.take_refused(&request, &replies),
                Event::Metadata { target, value, .. } => {
                    assert!(ignores.accepts(&nick(&target), value.as_deref()));
                }
                Event::Ready { .. } | Event::Barrier(_) => {}
                other => panic!("{other:?}"),
            }
        }
        (refused, ignores)
    }

    #[test]
    fn a_refused_decision_ends_and_one_sentence_says_why() {
        let without_labels = CapSet::from_caps(Cap::ALL).without(Cap::LabeledResponse);
        for caps in [CapSet::from_caps(Cap::ALL), without_labels] {
            let (refused, ignores) = refuse(caps);
            assert_eq!(ignores, UnconfirmedIgnores::default(), "nothing is sent at the next login");
            let notices: Vec<(&str, bool)> =
                refused.iter().map(|refused| (refused.notice.as_str(), refused.is_missing)).collect();
            let missing = "nobody is ignored: there is no account bob; check the name (/who lists the people who are \
                           online)";
            let full = "messages of zoe are hidden on this device alone: the limit is reached: Too many; remove one \
                        first (/unpin, /unbookmark, /unmute)";
            assert_eq!(notices, [(missing, true), (full, false)]);
        }
    }

    #[test]
    fn a_server_without_metadata_is_told_nothing() {
        let bob = nick("bob");
        let mut model = Model::new("run".into());
        let mut ignores = UnconfirmedIgnores::default();
        ignores.decide(&bob, true, &mut model);
        model.connected(nick("alice"), CapSet::EMPTY);
        ignores.send_all(&mut model);
        assert_eq!((sent(&mut model).len(), ignores.iter().count()), (0, 0));
        assert_eq!(ignores.decide(&bob, true, &mut model), IgnoreScope::ThisDevice);
    }
}
