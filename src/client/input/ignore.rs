//! Decisions about ignored accounts (`/ignore`, `/unignore`) on their way to the server, which tells the user's other
//! devices.
//!
//! Merge rule: what the user decides here counts from that moment, and wins over what the server reports until the server
//! has confirmed it. It is sent at once, or at the next login, also after a restart. From then on the server's value
//! counts, so the latest decision to arrive there is that of all devices. Where the server has no value, nobody has
//! decided, and what this device knows stands.

use std::collections::BTreeMap;

use crate::client::model::{Conversation, Model};
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
        if send(account, ignored, model) { IgnoreScope::AllDevices } else { IgnoreScope::AllDevicesLater }
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
        for (account, ignored) in &self.0 {
            send(account, *ignored, model);
        }
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

fn send(account: &Nick, ignored: bool, model: &mut Model) -> bool {
    let conversation = Conversation::Direct(account.clone());
    model.set_metadata(&conversation, BLOCKED_KEY, Some(value_of(ignored))).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::CapSet;

    fn sent(model: &mut Model) -> Vec<String> {
        let mut bytes = Vec::new();
        model.take_output(&mut bytes);
        let text = String::from_utf8(bytes).expect("UTF-8");
        text.lines().filter(|line| line.contains("METADATA")).map(str::to_owned).collect()
    }

    #[test]
    fn decisions_wait_for_the_login_and_win_until_they_are_confirmed() {
        let nick = |name: &str| Nick::parse(name).expect(name);
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
        // The values of before, which the server still had.
        assert!(!ignores.accepts(&bob, None) && !ignores.accepts(&zoe, Some("1")));
        // The connection breaks before the replies.
        model.disconnected();
        model.connected(nick("alice"), CapSet::from_caps(Cap::ALL));
        ignores.send_all(&mut model);
        assert_eq!(sent(&mut model), lines);
        assert!(ignores.accepts(&bob, Some("1")) && ignores.accepts(&zoe, Some("0")));
        assert_eq!(ignores, UnconfirmedIgnores::default());
        assert!(ignores.accepts(&bob, Some("0")), "another device decides later");
        assert_eq!(ignores.decide(&bob, true, &mut model), IgnoreScope::AllDevices);
    }

    #[test]
    fn a_server_without_metadata_is_told_nothing() {
        let bob = Nick::parse("bob").expect("a nick");
        let mut model = Model::new("run".into());
        let mut ignores = UnconfirmedIgnores::default();
        ignores.decide(&bob, true, &mut model);
        model.connected(Nick::parse("alice").expect("a nick"), CapSet::EMPTY);
        ignores.send_all(&mut model);
        assert_eq!((sent(&mut model).len(), ignores.iter().count()), (0, 0));
        assert_eq!(ignores.decide(&bob, true, &mut model), IgnoreScope::ThisDevice);
    }
}
