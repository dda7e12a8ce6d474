//! Profile of an account: the replies to WHOIS, and to WHOWAS where it is offline.

use super::card::{Block, Card};
use super::named::find_who;
use super::people::status_word;
use super::times::{date_of_seconds, date_of_text, span};
use super::{Answer, AnswerContext, find_error, numerics};
use crate::client::model::event::{Away, ErrorCode, ErrorReply, NumericReply, ServerEvent, WhoxReply};
use crate::wire::numeric;
use crate::wire::{ChannelName, Nick};

/// Keys of metadata with their labels, in the order of the card. Those that start with `parlour/` are made by the
/// server.
const METADATA_LABELS: &[(&str, &str)] = &[
    ("display-name", "Display name"),
    ("pronouns", "Pronouns"),
    ("status", "Status"),
    ("homepage", "Homepage"),
    ("parlour/created", "Account since"),
    ("parlour/devices", "Devices"),
];

/// Returns the profile of the account with this name.
pub(super) fn answer(name: &str, replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let find = |code| numerics(replies).find(|reply| reply.code == code);
    match (find(numeric::RPL_WHOISUSER), find(numeric::RPL_WHOWASUSER)) {
        (Some(user), _) => Answer::Card(online_profile(user, replies, context)),
        (None, Some(user)) => Answer::Card(offline_profile(user, replies, context)),
        (None, None) => match (
            find_error(replies),
            Nick::parse_foreign(name).ok().and_then(|account| find_who(&account, replies)),
        ) {
            (Some(error), _) if !is_unknown_name(error) => Answer::Failure(error.explain()),
            (_, Some(account)) => Answer::Card(unused_profile(account)),
            _ if replies.contains(&ServerEvent::WhoEnd) => {
                let link = if context.model.is_admin() {
                    "/invite-link makes a link that creates an account"
                } else {
                    "an admin can make a link that creates an account"
                };
                Answer::Failure(format!("no account is called {name}; /who lists who is online, and {link}"))
            }
            // Other servers than Parlour list nobody who is offline.
            _ => Answer::Failure(format!(
                "no account is called {name}, or it was never online; /who lists who is online"
            )),
        },
    }
}

/// Returns the profile of an account that was never online.
fn unused_profile(account: &WhoxReply) -> Card {
    let mut fields = Fields::default();
    fields.add("Name", &account.nick);
    fields.add(
        "Full name",
        Some(account.realname.as_str()).filter(|name| *name != account.nick).unwrap_or_default(),
    );
    fields.add("Online", "no, and not seen so far");
    Card { title: format!("Profile of {}", account.nick), blocks: fields.0, secret: None }
}

fn is_unknown_name(error: &ErrorReply) -> bool {
    let unknown = [numeric::ERR_NOSUCHNICK, numeric::ERR_WASNOSUCHNICK].map(ErrorCode::Numeric);
    unknown.contains(&error.code)
}

fn online_profile(user: &NumericReply, replies: &[ServerEvent], context: AnswerContext<'_>) -> Card {
    let nick = user.param(0);
    let mut fields = Fields::default();
    fields.add("Name", nick);
    fields.add("Full name", Some(user.param(4)).filter(|name| *name != nick).unwrap_or_default());
    let has = |code| numerics(replies).any(|reply| reply.code == code);
    let role = match (has(numeric::RPL_WHOISOPERATOR), has(numeric::RPL_WHOISBOT)) {
        (true, true) => "admin, bot",
        (true, false) => "admin of the server",
        (false, true) => numerics(replies).find_map(hook_role).unwrap_or("bot"),
        (false, false) => "member",
    };
    fields.add("Role", role);
    let away = replies.iter().find_map(|reply| match reply {
        ServerEvent::Away(Away { message, .. }) => Some(message.as_deref().unwrap_or("away")),
        _ => None,
    });
    if let Some(idle) = numerics(replies).find(|reply| reply.code == numeric::RPL_WHOISIDLE) {
        fields.add("Online since", &date_of_seconds(idle.param(2), context.zone));
        let seconds = idle.param(1).parse().ok().filter(|seconds| *seconds >= 60);
        fields.add("Silent for", &seconds.map(span).unwrap_or_default());
    }
    fields.add("Away", away.unwrap_or_default());
    add_metadata(&mut fields, replies, context);
    let channels = Channels::from_replies(replies, context);
    fields.add("Shared channels", &channels.shared.join(", "));
    fields.add("Other channels", &channels.others.join(", "));
    Card { title: format!("Profile of {nick}"), blocks: fields.0, secret: None }
}

/// Returns what Parlour says about a hook, such as whose messages it is sent.
fn hook_role(reply: &NumericReply) -> Option<&str> {
    let text = (reply.code == numeric::RPL_WHOISBOT).then(|| reply.param(1))?;
    text.strip_prefix("is a ").filter(|role| role.starts_with("hook: "))
}

fn offline_profile(user: &NumericReply, replies: &[ServerEvent], context: AnswerContext<'_>) -> Card {
    let nick = user.param(0);
    let mut fields = Fields::default();
    fields.add("Name", nick);
    fields.add("Full name", Some(user.param(4)).filter(|name| *name != nick).unwrap_or_default());
    fields.add("Online", "no");
    let last = numerics(replies).find(|reply| reply.code == numeric::RPL_WHOISSERVER);
    fields
        .add("Last seen", &last.map(|reply| date_of_text(reply.param(2), context.zone)).unwrap_or_default());
    Card { title: format!("Profile of {nick}"), blocks: fields.0, secret: None }
}

fn add_metadata(fields: &mut Fields, replies: &[ServerEvent], context: AnswerContext<'_>) {
    for (key, label) in METADATA_LABELS {
        // `<nick> <key> <visibility> :<value>`
        let found = numerics(replies)
            .find(|reply| reply.code == numeric::RPL_WHOISKEYVALUE && reply.param(1) == *key);
        if let Some(found) = found {
            fields.add(label, &date_of_text(found.param(3), context.zone));
        }
    }
}

/// Channels of an account, each with its status there.
#[derive(Default)]
struct Channels {
    /// Channels that this account is in too.
    shared: Vec<String>,
    /// Other channels that this account can see.
    others: Vec<String>,
}

impl Channels {
    fn from_replies(replies: &[ServerEvent], context: AnswerContext<'_>) -> Self {
        let listed = numerics(replies).filter(|reply| reply.code == numeric::RPL_WHOISCHANNELS);
        let mut channels = Self::default();
        for listed in listed.flat_map(|reply| reply.param(1).split_whitespace()) {
            let name = listed.trim_start_matches(['~', '&', '@', '%', '+']);
            let channel = ChannelName::parse_foreign(name);
            let is_shared = channel.is_ok_and(|channel| context.model.is_in(&channel));
            let text = match status_word(&listed[..listed.len() - name.len()]) {
                Some(status) => format!("{name} ({status})"),
                None => name.to_owned(),
            };
            if is_shared { channels.shared.push(text) } else { channels.others.push(text) }
        }
        channels
    }
}

/// The fields of a card.
#[derive(Default)]
struct Fields(Vec<Block>);

impl Fields {
    /// Adds a field, unless it is empty.
    fn add(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.0.push(Block::Field { name: name.to_owned(), value: value.to_owned() });
        }
    }
}
