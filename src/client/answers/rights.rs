//! Objections to a request before it is sent, as far as the client knows: rights that this account lacks, and
//! accounts that are not where the request needs them.

use crate::client::model::event::{needs_admin, needs_status};
use crate::client::model::requests::mode_changes::parse_mode_changes;
use crate::client::model::requests::{ChannelRequest, ServerRequest};
use crate::client::model::{Channel, Conversation, Model};
use crate::wire::{Cap, ChannelName, Nick};

/// Members of a channel up to which their list is surely whole.
const MAX_KNOWN_MEMBERS: usize = 10_000;

/// Prefixes of member status on Parlour, the highest first.
const STATUS: &str = "~@%+";

/// Objection to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// Sentence for the user, with the remedy.
    pub text: String,
    /// Set if it does not stop an admin of the server. An account may become one during a session.
    pub admins_pass: bool,
}

impl Obstacle {
    fn new(text: String) -> Self {
        Self { text, admins_pass: false }
    }

    fn except_for_admins(text: String) -> Self {
        Self { text, admins_pass: true }
    }
}

/// Returns what stands against a request of which the user would be asked. `None` where nothing does, or where the client
/// cannot know.
pub fn obstacle(request: &ServerRequest, model: &Model) -> Option<Obstacle> {
    let lacks_rights = || match request {
        ServerRequest::Kill { .. } | ServerRequest::RevokeInvite(_) => Some(needs_admin()),
        ServerRequest::Channel(channel, request) if needs_operator(request) => lacks_status(channel, model),
        ServerRequest::Redact { conversation: Conversation::Channel(channel), .. } => {
            lacks_status(channel, model)
        }
        _ => None,
    };
    if !model.is_operator()
        && let Some(text) = lacks_rights()
    {
        return Some(Obstacle::except_for_admins(text));
    }
    match request {
        ServerRequest::Channel(channel, ChannelRequest::Kick { name, .. }) => {
            kick_obstacle(name, channel, model)
        }
        ServerRequest::Redact { conversation: Conversation::Direct(other), .. } => Some(Obstacle::new(
            format!("only {other} can take that message back; /ignore {other} hides their messages"),
        )),
        _ => None,
    }
}

/// Returns whether this account is surely without the rights of an operator in a channel, so that commands that need them
/// are no advice for it.
pub fn is_plain_member(channel: &ChannelName, model: &Model) -> bool {
    !model.is_operator() && lacks_status(channel, model).is_some()
}

/// Returns whether a request needs a status in the channel on every server.
fn needs_operator(request: &ChannelRequest) -> bool {
    match request {
        ChannelRequest::Kick { .. } => true,
        ChannelRequest::Change(words) => {
            parse_mode_changes(words).iter().any(|change| change.letter == 'b' && change.value.is_some())
        }
        _ => false,
    }
}

/// Explains that this account has no status in a channel, or is not in it.
fn lacks_status(channel: &ChannelName, model: &Model) -> Option<String> {
    let Some(known) = model.channel(channel) else {
        return Some(format!("you are not in {channel}; /join {channel}"));
    };
    let own = model.me().and_then(|me| known.members.get(me))?;
    own.chars().all(|prefix| prefix == '+').then(|| needs_status(channel.as_str()))
}

/// Returns whether this account may take the status of a member with these prefixes, as far as the client knows.
pub(super) fn may_take_status(prefixes: &str, channel: &ChannelName, model: &Model) -> bool {
    let known = model.channel(channel);
    let own = model.me().and_then(|me| known?.members.get(me));
    let Some(own) = own.filter(|_| !model.is_operator()) else { return true };
    may_act_on(own, prefixes) && (prefixes.starts_with('+') || own.starts_with(['~', '@', '&']))
}

fn kick_obstacle(name: &str, channel: &ChannelName, model: &Model) -> Option<Obstacle> {
    let account = Nick::parse_foreign(name).ok()?;
    let known = model.channel(channel).filter(|known| is_list_known(known, model))?;
    let Some(status) = known.members.get(&account) else {
        return Some(Obstacle::new(format!(
            "{name} is not in {channel}; /names {channel} shows who is, and /ban {name} keeps them from joining"
        )));
    };
    let own = known.members.get(model.me()?)?;
    let is_own = model.me() == Some(&account);
    if is_own || model.is_operator() || !model.has_cap(Cap::SendId) || may_act_on(own, status) {
        return None;
    }
    let text = format!(
        "the status of {name} in {channel} is not below yours; ask somebody with a higher one (/names {channel})"
    );
    Some(Obstacle::except_for_admins(text))
}

/// Returns whether the list of members has arrived and is whole.
fn is_list_known(channel: &Channel, model: &Model) -> bool {
    channel.members.len() <= MAX_KNOWN_MEMBERS
        && model.me().is_some_and(|me| channel.members.contains_key(me))
}

/// Returns whether a member with these prefixes may take status from, or kick, one with others: on Parlour a higher
/// status protects, and below op an equal one too.
fn may_act_on(own: &str, other: &str) -> bool {
    let rank = |prefixes: &str| prefixes.chars().filter_map(|prefix| STATUS.find(prefix)).min();
    let (own, other) = (rank(own).unwrap_or(STATUS.len()), rank(other).unwrap_or(STATUS.len()));
    own < other || own == other && own <= 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CapSet, Message, Timestamp};

    fn lobby() -> ChannelName {
        ChannelName::parse("#lobby").expect("a channel")
    }

    /// Returns the model of alice, who is in #lobby with these members.
    fn model(names: &str, more: &[&str]) -> Model {
        let mut model = Model::new("run".to_owned());
        model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        let names = format!(":srv 353 alice = #lobby :{names}");
        let lines = [":alice!u@p JOIN #lobby", &names, ":srv 366 alice #lobby :End"];
        for line in lines.iter().chain(more) {
            model.handle(&Message::parse(line).expect(line), Timestamp(1));
        }
        model
    }

    fn kick(name: &str) -> ServerRequest {
        let request = ChannelRequest::Kick { name: name.to_owned(), reason: String::new() };
        ServerRequest::Channel(lobby(), request)
    }

    fn change(channel: &str, words: &str) -> ServerRequest {
        let words = words.split(' ').map(str::to_owned).collect();
        ServerRequest::Channel(ChannelName::parse(channel).expect(channel), ChannelRequest::Change(words))
    }

    fn redact(conversation: &str) -> ServerRequest {
        let conversation = Conversation::parse(conversation).expect(conversation);
        ServerRequest::Redact { conversation, msgid: "a1".to_owned(), reason: String::new() }
    }

    fn kill() -> ServerRequest {
        ServerRequest::Kill { name: "bob".to_owned(), reason: String::new() }
    }

    #[test]
    fn a_member_is_told_what_they_may_not_do() {
        let model = model("alice bob @carol", &[]);
        for (request, expected) in [
            (kill(), "only an admin of the server"),
            (ServerRequest::RevokeInvite(1), "only an admin of the server"),
            (kick("bob"), "only operators and half-operators of #lobby"),
            (kick("nosuch"), "only operators and half-operators of #lobby"),
            (change("#lobby", "+b bob!*@*"), "only operators and half-operators of #lobby"),
            (change("#other", "+b bob!*@*"), "you are not in #other; /join #other"),
            (redact("#lobby"), "only operators and half-operators of #lobby"),
        ] {
            let found = obstacle(&request, &model).expect("an obstacle");
            assert!(found.text.starts_with(expected) && found.admins_pass, "{request:?}: {found:?}");
        }
        let found = obstacle(&redact("bob"), &model).expect("an obstacle");
        assert!(found.text.starts_with("only bob can") && !found.admins_pass, "{found:?}");
        // These ask the server for nothing that needs a status, or the client does not know what it needs.
        for request in [change("#lobby", "+b"), change("#lobby", "+o bob"), ServerRequest::Motd] {
            assert_eq!(obstacle(&request, &model), None, "{request:?}");
        }
    }

    #[test]
    fn who_has_the_rights_meets_no_obstacle() {
        let admin = model("alice bob @carol", &[":srv 221 alice +o"]);
        for request in [kill(), kick("bob"), kick("carol"), change("#other", "+b bob!*@*"), redact("#lobby")]
        {
            assert_eq!(obstacle(&request, &admin), None, "{request:?}");
        }
        for own in ["~", "@", "%", "%+"] {
            let names = format!("{own}alice bob +dave");
            for request in [kick("bob"), kick("dave"), change("#lobby", "+b bob!*@*"), redact("#lobby")] {
                assert_eq!(obstacle(&request, &model(&names, &[])), None, "{own}: {request:?}");
            }
        }
    }

    #[test]
    fn who_is_not_there_or_not_below_cannot_be_kicked() {
        for (names, name, expected, admins_pass) in [
            ("@alice bob", "carol", "carol is not in #lobby", false),
            ("%alice %bob", "bob", "the status of bob in #lobby is not below yours", true),
            ("%alice @bob", "bob", "the status of bob in #lobby is not below yours", true),
            ("@alice ~bob", "bob", "the status of bob in #lobby is not below yours", true),
        ] {
            let found = obstacle(&kick(name), &model(names, &[])).expect(names);
            assert!(found.text.starts_with(expected), "{found:?}");
            assert_eq!(found.admins_pass, admins_pass, "{found:?}");
        }
        for (names, name) in [("@alice @bob", "bob"), ("~alice ~bob", "bob"), ("%alice", "alice")] {
            assert_eq!(obstacle(&kick(name), &model(names, &[])), None, "{names}");
        }
    }

    #[test]
    fn a_plain_member_has_no_status_in_the_channel() {
        for (names, more, expected) in [
            ("alice", &[][..], true),
            ("+alice", &[], true),
            ("%alice", &[], false),
            ("@alice", &[], false),
            ("alice", &[":srv 221 alice +o"], false),
            ("bob", &[], false),
        ] {
            assert_eq!(is_plain_member(&lobby(), &model(names, more)), expected, "{names}");
        }
    }

    #[test]
    fn where_the_members_are_not_known_nothing_is_said() {
        let mut unknown = Model::new("run".to_owned());
        unknown.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        unknown.handle(&Message::parse(":alice!u@p JOIN #lobby").expect("a line"), Timestamp(1));
        for request in [kick("bob"), change("#lobby", "+b bob!*@*"), redact("#lobby")] {
            assert_eq!(obstacle(&request, &unknown), None, "{request:?}");
        }
    }
}
