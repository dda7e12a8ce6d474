//! Modes of a channel and their changes, as sentences.

use super::card::{Block, Card};
use super::times::date_of_seconds;
use super::{Answer, AnswerContext, numerics};
use crate::client::model::event::ServerEvent;
use crate::client::text::count::counted;
use crate::wire::numeric;
use crate::wire::{ChannelName, Nick};

/// Texts about a mode without a value.
struct Flag {
    letter: char,
    /// Sentence about a channel that has the mode.
    set: &'static str,
    /// Sentence about a channel that does not have it; empty if there is nothing to say.
    unset: &'static str,
    /// Sentence about the change that sets it, without its author.
    on_set: &'static str,
    /// Sentence about the change that removes it, without its author.
    on_unset: &'static str,
}

const FLAGS: &[Flag] = &[
    Flag {
        letter: 'i',
        set: "Invite-only: joining needs an invitation.",
        unset: "Open: anybody on the server may join.",
        on_set: "made the channel invite-only",
        on_unset: "opened the channel to everybody",
    },
    Flag {
        letter: 'm',
        set: "Moderated: only members with voice, and operators, may write.",
        unset: "Not moderated: every member may write.",
        on_set: "made the channel moderated: writing needs voice",
        on_unset: "ended the moderation: every member may write",
    },
    Flag {
        letter: 's',
        set: "Secret: people outside do not see the channel.",
        unset: "Listed: everybody on the server sees the channel.",
        on_set: "made the channel secret",
        on_unset: "made the channel visible to everybody",
    },
    Flag {
        letter: 't',
        set: "The topic is set by half-operators and higher.",
        unset: "The topic is set by every member.",
        on_set: "kept the topic to half-operators and higher",
        on_unset: "let every member set the topic",
    },
    Flag {
        letter: 'n',
        set: "Only members may write.",
        unset: "People outside may write too.",
        on_set: "kept messages to members",
        on_unset: "let people outside write too",
    },
    Flag {
        letter: 'C',
        set: "Requests of programs (CTCP) are refused.",
        unset: "",
        on_set: "refused requests of programs (CTCP)",
        on_unset: "allowed requests of programs (CTCP)",
    },
];

/// Returns the sentences about the modes of a channel.
pub(super) fn answer(channel: &ChannelName, replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let Some(modes) = numerics(replies).find(|reply| reply.code == numeric::RPL_CHANNELMODEIS) else {
        return Answer::Failure(format!("the server did not say which modes {channel} has"));
    };
    let letters = modes.param(1);
    let is_set = |letter: char| letters.contains(letter);
    let mut lines: Vec<String> = FLAGS
        .iter()
        .map(|flag| if is_set(flag.letter) { flag.set } else { flag.unset })
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    lines.push(if is_set('k') { "Joining needs a key." } else { "Joining needs no key." }.to_owned());
    // The values follow in the order of the letters.
    let mut values = modes.params.iter().skip(2);
    let mut limit = None;
    for letter in letters.chars().filter(|letter| "kl".contains(*letter)) {
        let value = values.next();
        if letter == 'l' {
            limit = value;
        }
    }
    lines.push(limit.map_or_else(
        || "Any number of members.".to_owned(),
        |limit| format!("At most {}.", counted(limit, "member")),
    ));
    if let Some(created) = numerics(replies).find(|reply| reply.code == numeric::RPL_CREATIONTIME) {
        lines.push(format!("Created {}.", date_of_seconds(created.param(1), context.zone)));
    }
    let blocks = lines.into_iter().map(Block::Text).collect();
    Answer::Card(Card { title: format!("Modes of {channel}"), blocks, secret: None })
}

/// Describes a change of modes, such as `+o-b bob carol!*@*`, as a sentence: `alice made bob an operator; unbanned carol`.
/// The account that reads it, `me`, is `you`. Modes that this client does not know are named by their letters.
pub fn describe_change(by: &str, text: &str, me: Option<&Nick>) -> String {
    format!("{} {}", name_or_you(by, me), describe_letters(text, me))
}

/// Returns `you` for the name of the account that reads it, or the name.
pub fn name_or_you<'a>(name: &'a str, me: Option<&Nick>) -> &'a str {
    if me.is_some_and(|me| Nick::parse_foreign(name).is_ok_and(|nick| nick == *me)) { "you" } else { name }
}

fn describe_letters(text: &str, me: Option<&Nick>) -> String {
    let mut words = text.split_whitespace();
    let letters = words.next().unwrap_or_default();
    let values: Vec<&str> = words.collect();
    let (mut on, mut rest, mut parts) = (true, values.iter(), Vec::new());
    for letter in letters.chars() {
        match letter {
            '+' | '-' => on = letter == '+',
            _ => match describe_letter(on, letter, &mut rest, me) {
                Some(part) => parts.push(part),
                None => return format!("set mode {text}"),
            },
        }
    }
    // Of an unknown mode it is unknown whether it takes a value.
    if rest.next().is_some() || parts.is_empty() {
        return format!("set mode {text}");
    }
    parts.join("; ")
}

/// Describes one change. `None` for an unknown mode, or where the value is missing.
fn describe_letter<'a>(
    on: bool,
    letter: char,
    values: &mut impl Iterator<Item = &'a &'a str>,
    me: Option<&Nick>,
) -> Option<String> {
    if let Some(flag) = FLAGS.iter().find(|flag| flag.letter == letter) {
        return Some((if on { flag.on_set } else { flag.on_unset }).to_owned());
    }
    if letter == 'k' {
        values.next();
        return Some(if on { "set a channel key" } else { "removed the channel key" }.to_owned());
    }
    if letter == 'l' {
        return Some(if on {
            format!("limited the channel to {}", counted(values.next()?, "member"))
        } else {
            "removed the limit of members".to_owned()
        });
    }
    let value = if "qaohvbeI".contains(letter) { *values.next()? } else { return None };
    let name = name_or_you(readable_mask(value), me);
    let status = |status: &str| {
        if on { format!("made {name} {status}") } else { format!("took the status of {status} from {name}") }
            .replace("status of a ", "status of ")
            .replace("status of an ", "status of ")
    };
    Some(match (letter, on) {
        ('q', _) => status("a founder"),
        ('a', _) => status("a protected member"),
        ('o', _) => status("an operator"),
        ('h', _) => status("a half-operator"),
        ('v', true) => format!("gave {name} voice"),
        ('v', false) => format!("took voice from {name}"),
        ('b', _) => {
            let (muted, _) = split_mute(value);
            let verb = match (muted, on) {
                (true, true) => "muted",
                (true, false) => "unmuted",
                (false, true) => "banned",
                (false, false) => "unbanned",
            };
            format!("{verb} {name}")
        }
        ('e', true) => format!("excepted {name} from bans"),
        ('e', false) => format!("ended the exception of {name} from bans"),
        (_, true) => format!("let {name} join without an invitation"),
        (_, false) => format!("ended the standing invitation of {name}"),
    })
}

/// Describes a change of modes that changed nothing, such as `-b bob!*@*`: `bob was not banned in #lobby`. Of several
/// changes none is named.
pub(super) fn describe_unchanged(words: &[String], channel: &ChannelName) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let specific = match words.as_slice() {
        [letters, value] => {
            let name = readable_mask(value);
            let (muted, _) = split_mute(value);
            let word = match letters.get(1..) {
                Some("b") if muted => Some("muted"),
                Some("b") => Some("banned"),
                Some("q") => Some("a founder"),
                Some("o") => Some("an operator"),
                Some("h") => Some("a half-operator"),
                _ => None,
            };
            match (letters.get(..1), word, letters.get(1..)) {
                (Some("+"), Some(word), _) => Some(format!("{name} is {word} in {channel} already")),
                (Some("-"), Some(word), _) => Some(format!("{name} was not {word} in {channel}")),
                (Some("+"), None, Some("v")) => Some(format!("{name} has voice in {channel} already")),
                (Some("-"), None, Some("v")) => Some(format!("{name} had no voice in {channel}")),
                _ => None,
            }
        }
        _ => None,
    };
    specific.unwrap_or_else(|| "nothing changed: it is so already".to_owned())
}

/// Splits the mark of a mute, `m:`, from a mask.
pub(super) fn split_mute(mask: &str) -> (bool, &str) {
    match mask.split_at_checked(2) {
        Some((kind, rest)) if kind.eq_ignore_ascii_case("m:") => (true, rest),
        _ => (false, mask),
    }
}

/// Returns the name in a mask that stands for one name, or the whole mask.
pub fn readable_mask(mask: &str) -> &str {
    let (_, mask) = split_mute(mask);
    mask.strip_prefix("a:").or_else(|| mask.strip_suffix("!*@*")).unwrap_or(mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_sentences() {
        for (change, expected) in [
            ("+o bob", "made bob an operator"),
            ("+o Alice", "made you an operator"),
            ("-h+b alice alice!*@*", "took the status of half-operator from you; banned you"),
            ("+b m:a:alice", "muted you"),
            ("+b alice!*@elsewhere", "banned alice!*@elsewhere"),
            ("-o bob", "took the status of operator from bob"),
            ("+v-v bob carol", "gave bob voice; took voice from carol"),
            ("+b carol!*@*", "banned carol"),
            ("-b *!*@evil", "unbanned *!*@evil"),
            ("+b m:carol!*@*", "muted carol"),
            ("-b m:a:carol", "unmuted carol"),
            ("+l 1", "limited the channel to 1 member"),
            ("+kl secret 20", "set a channel key; limited the channel to 20 members"),
            ("-kl *", "removed the channel key; removed the limit of members"),
            (
                "+im-s",
                "made the channel invite-only; made the channel moderated: writing needs voice; made the channel visible to everybody",
            ),
            ("+Z", "set mode +Z"),
            ("+Zo x bob", "set mode +Zo x bob"),
            ("+i x", "set mode +i x"),
            ("+o", "set mode +o"),
            ("", "set mode "),
        ] {
            let me = Nick::parse("alice").expect("a nick");
            let text = describe_change("bob", change, Some(&me));
            assert_eq!(text, format!("bob {expected}"), "{change}");
        }
        let me = Nick::parse("bob").expect("a nick");
        assert_eq!(describe_change("bob", "+v carol", Some(&me)), "you gave carol voice");
        assert_eq!(describe_change("bob", "+v bob", None), "bob gave bob voice");
    }

    #[test]
    fn a_change_of_nothing_says_what_is_so() {
        let channel = ChannelName::parse("#lobby").expect("a channel");
        for (change, expected) in [
            ("-b nosuch!*@*", "nosuch was not banned in #lobby"),
            ("+b nosuch!*@*", "nosuch is banned in #lobby already"),
            ("-b m:bob!*@*", "bob was not muted in #lobby"),
            ("+o bob", "bob is an operator in #lobby already"),
            ("-h bob", "bob was not a half-operator in #lobby"),
            ("+v bob", "bob has voice in #lobby already"),
            ("-v bob", "bob had no voice in #lobby"),
            ("+oo bob carol", "nothing changed: it is so already"),
            ("+k x", "nothing changed: it is so already"),
            ("+i", "nothing changed: it is so already"),
        ] {
            let words: Vec<String> = change.split(' ').map(str::to_owned).collect();
            assert_eq!(describe_unchanged(&words, &channel), expected, "{change}");
        }
    }

    proptest::proptest! {
        #[test]
        fn describe_change_never_panics(text in "[-+a-zA-Z]{0,8}( \\PC{0,9}){0,4}") {
            describe_change("bob", &text, None);
        }
    }
}
