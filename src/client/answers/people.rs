//! People who are online: the replies to WHO.

use super::Answer;
use super::card::{Block, Card, Table};
use super::times::span;
use crate::client::model::event::ServerEvent;

/// An account in the replies.
struct Person<'a> {
    nick: &'a str,
    /// `H` or `G` for here or away, `*` for an admin, `B` for a bot, and prefixes of member status.
    flags: &'a str,
    idle: Option<u64>,
    full_name: &'a str,
}

/// Returns the table of the accounts that match a mask, or are in a channel.
pub(super) fn answer(mask: &str, replies: &[ServerEvent]) -> Answer {
    let people: Vec<Person<'_>> = replies.iter().filter_map(person).collect();
    if people.is_empty() {
        return Answer::Sentence(if mask.starts_with('#') {
            format!("nobody is in {mask}, or you cannot see it")
        } else {
            format!("nobody who is online matches {mask}; * stands for any letters")
        });
    }
    let count = match people.len() {
        1 => "1 person".to_owned(),
        count => format!("{count} people"),
    };
    let title = match mask {
        "*" => format!("{count} online"),
        channel if channel.starts_with('#') => format!("{count} online in {channel}"),
        mask => format!("{count} online, matching {mask}"),
    };
    let rows = people.iter().map(row).collect();
    let table = Table { headings: vec!["Name", "Role", "Presence", "Full name"], rows };
    Answer::Card(Card { title, blocks: vec![Block::Table(table)], secret: None })
}

fn person(reply: &ServerEvent) -> Option<Person<'_>> {
    Some(match reply {
        ServerEvent::WhoxReply(who) => {
            Person { nick: &who.nick, flags: &who.flags, idle: who.idle, full_name: &who.realname }
        }
        ServerEvent::WhoReply(who) => {
            Person { nick: who.nick.as_str(), flags: &who.flags, idle: None, full_name: &who.realname }
        }
        _ => return None,
    })
}

fn row(person: &Person<'_>) -> Vec<String> {
    let mut shown: Vec<&str> = [('*', "admin"), ('B', "bot")]
        .iter()
        .filter(|(sign, _)| person.flags.contains(*sign))
        .map(|(_, word)| *word)
        .collect();
    shown.extend(status_word(person.flags));
    let presence = match (person.flags.starts_with('G'), person.idle) {
        (true, _) => "away".to_owned(),
        (false, Some(idle)) if idle >= 300 => format!("silent for {}", span(idle)),
        (false, _) => "here".to_owned(),
    };
    let full_name = if person.full_name == person.nick { "" } else { person.full_name };
    vec![person.nick.to_owned(), shown.join(", "), presence, full_name.to_owned()]
}

/// Returns the word for the highest member status among these prefixes; other characters are skipped.
pub(super) fn status_word(prefixes: &str) -> Option<&'static str> {
    let words =
        [('~', "founder"), ('&', "protected"), ('@', "operator"), ('%', "half-operator"), ('+', "voice")];
    words.iter().find(|(prefix, _)| prefixes.contains(*prefix)).map(|(_, word)| *word)
}
