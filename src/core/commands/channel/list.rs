//! LIST (<https://modern.ircdocs.horse/#list-message>), with the filters that `ELIST` announces.

use crate::core::commands::targets::too_many_targets;
use crate::core::commands::{Command, Spec};
use crate::core::model::channel::Channel;
use crate::core::state::context::Context;
use crate::wire::mask::Glob;
use crate::wire::numeric::{RPL_LIST, RPL_LISTEND, RPL_LISTSTART};
use crate::wire::{ChannelName, Message, Reply, Timestamp};

/// The LIST command: lists channels.
pub const SPEC: Spec = Spec { name: "LIST", min_params: 0, parse };

/// Maximum number of names and conditions of one LIST. With more it is refused, because a part of them would select
/// other channels.
const MAX_CONDITIONS: usize = 16;

/// A parsed LIST: it selects the channels that match one of `names`, or all if there are none, and that meet all
/// `conditions`.
#[derive(Debug)]
pub struct List {
    names: Vec<NameMask>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
enum Condition {
    /// `!mask`: the name does not match.
    NameDiffers(NameMask),
    /// `>n`: more than `n` members are online.
    MoreThan(usize),
    /// `<n`: fewer than `n` members are online.
    FewerThan(usize),
    /// `C<n`: created less than `n` minutes ago; `C>n`: `n` minutes ago or earlier.
    CreatedAge { within: bool, minutes: u64 },
    /// `T<n`: topic set less than `n` minutes ago; `T>n`: `n` minutes ago or earlier.
    TopicAge { within: bool, minutes: u64 },
}

fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    let mut list = List { names: Vec::new(), conditions: Vec::new() };
    let words = message.param(0).unwrap_or_default().split(',').filter(|word| !word.is_empty());
    for (count, word) in words.enumerate() {
        if count == MAX_CONDITIONS {
            return Err(too_many_targets(word));
        }
        match parse_condition(word) {
            Some(condition) => list.conditions.push(condition),
            None => list.names.push(NameMask::new(word)),
        }
    }
    Ok(Command::List(list))
}

fn parse_condition(word: &str) -> Option<Condition> {
    let mut chars = word.chars();
    let ages = |rest: &str| {
        let within = rest.starts_with('<');
        let minutes = rest.strip_prefix(['<', '>'])?.parse().ok()?;
        Some((within, minutes))
    };
    match chars.next()? {
        '!' => Some(Condition::NameDiffers(NameMask::new(chars.as_str()))),
        '>' => chars.as_str().parse().ok().map(Condition::MoreThan),
        '<' => chars.as_str().parse().ok().map(Condition::FewerThan),
        'C' | 'c' => ages(chars.as_str()).map(|(within, minutes)| Condition::CreatedAge { within, minutes }),
        'T' | 't' => ages(chars.as_str()).map(|(within, minutes)| Condition::TopicAge { within, minutes }),
        _ => None,
    }
}

impl List {
    fn masks(&self) -> impl Iterator<Item = &NameMask> {
        self.names.iter().chain(self.conditions.iter().filter_map(|condition| match condition {
            Condition::NameDiffers(mask) => Some(mask),
            _ => None,
        }))
    }

    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let masks: usize = self.masks().map(|mask| mask.0.match_cost()).sum();
        cx.core.count_scanned_rows(cx.core.channels.iter().len() * (1 + masks));
        let named =
            |channel: &Channel| self.names.is_empty() || self.names.iter().any(|glob| glob.matches(channel));
        let lines: Vec<Reply> = cx
            .core
            .channels
            .iter()
            .filter(|channel| named(channel) && cx.can_see(channel))
            .map(|channel| (channel, count_online(cx, channel)))
            .filter(|(channel, online)| self.conditions.iter().all(|c| c.matches(channel, *online, cx.at)))
            .map(|(channel, online)| list_reply(channel, online))
            .collect();
        cx.reply(Reply::numeric(RPL_LISTSTART).arg("Channel").text("Users  Name"));
        for reply in lines {
            cx.reply(reply);
        }
        cx.reply(Reply::numeric(RPL_LISTEND).text("End of /LIST"));
    }
}

/// A pattern for names and, if the pattern is itself a valid name, that name, which may be in another normal form.
#[derive(Debug)]
struct NameMask(Glob, Option<ChannelName>);

impl NameMask {
    fn new(text: &str) -> Self {
        Self(Glob::new(text), ChannelName::parse(text).ok())
    }

    fn matches(&self, channel: &Channel) -> bool {
        self.0.matches(channel.name.folded()) || self.1.as_ref() == Some(&channel.name)
    }
}

impl Condition {
    fn matches(&self, channel: &Channel, online: usize, now: Timestamp) -> bool {
        let age = |since: Timestamp| now.0.saturating_sub(since.0) / 60_000;
        match self {
            Self::NameDiffers(glob) => !glob.matches(channel),
            Self::MoreThan(n) => online > *n,
            Self::FewerThan(n) => online < *n,
            Self::CreatedAge { within, minutes } => (age(channel.created) < *minutes) == *within,
            Self::TopicAge { within, minutes } => {
                channel.topic.as_ref().is_some_and(|topic| (age(topic.at) < *minutes) == *within)
            }
        }
    }
}

fn count_online(cx: &Context<'_>, channel: &Channel) -> usize {
    cx.core.count_scanned_rows(channel.members.len());
    channel.members.iter().filter_map(|&id| cx.core.accounts.get(id)).filter(|p| p.is_online()).count()
}

fn list_reply(channel: &Channel, online: usize) -> Reply {
    Reply::numeric(RPL_LIST)
        .arg(channel.name.as_str())
        .arg(online.to_string())
        .text(channel.topic.as_ref().map_or("", |topic| &topic.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_with_too_many_conditions_is_refused() {
        let list = |count: usize| {
            let words: Vec<String> = (0..count).map(|n| format!("#c{n}")).collect();
            let line = format!("LIST {},", words.join(","));
            parse(&Message::parse(&line).expect("a line")).map(drop).map_err(|reply| reply.render("s", "al"))
        };
        assert_eq!(list(MAX_CONDITIONS), Ok(()));
        assert!(list(MAX_CONDITIONS + 1).expect_err("too many").starts_with(":s 407 al #c16 :"));
    }

    #[test]
    fn parses_elist_conditions() {
        assert!(matches!(parse_condition("!#a*"), Some(Condition::NameDiffers(_))));
        assert!(matches!(parse_condition(">5"), Some(Condition::MoreThan(5))));
        assert!(matches!(parse_condition("C<60"), Some(Condition::CreatedAge { within: true, minutes: 60 })));
        assert!(matches!(parse_condition("T>60"), Some(Condition::TopicAge { within: false, minutes: 60 })));
        for name in ["#a", "#C<5", "Chess", "<x", ""] {
            assert!(parse_condition(name).is_none(), "{name}");
        }
    }
}
