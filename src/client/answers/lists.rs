//! Lists: bans of a channel, devices, invites, the audit.

use super::card::{Block, Card, Table};
use super::modes::{readable_mask, split_mute};
use super::rights::is_plain_member;
use super::times::{date_of_seconds, date_of_text};
use super::{Answer, AnswerContext, note_texts, notes, numerics};
use crate::client::model::event::{ServerEvent, StandardNote};
use crate::client::model::requests::SecretText;
use crate::wire::ChannelName;
use crate::wire::numeric::{self, Numeric};

/// Length of the part of a fingerprint that is shown.
const SHOWN_FINGERPRINT: usize = 16;

/// Returns the bans, mutes and exceptions of a channel.
pub(super) fn bans(channel: &ChannelName, replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let mut rows = Vec::new();
    let mut add = |code: Numeric, kind: &dyn Fn(&str) -> &'static str| {
        for reply in numerics(replies).filter(|reply| reply.code == code) {
            let mask = reply.param(1);
            let when = date_of_seconds(reply.param(3), context.zone);
            let by = reply.param(2).split('!').next().unwrap_or_default();
            rows.push(vec![readable_mask(mask).to_owned(), kind(mask).to_owned(), by.to_owned(), when]);
        }
    };
    add(numeric::RPL_BANLIST, &|mask| if split_mute(mask).0 { "muted" } else { "banned" });
    add(numeric::RPL_EXCEPTLIST, &|_| "never banned");
    add(numeric::RPL_INVITELIST, &|_| "needs no invitation");
    let is_plain = is_plain_member(channel, context.model);
    if rows.is_empty() {
        let bans = if is_plain { "" } else { "; /ban NAME bans" };
        return Answer::Sentence(format!("nobody is banned or muted in {channel}{bans}"));
    }
    let table = Table { headings: vec!["Who", "Effect", "By", "When"], rows };
    let hint = if is_plain {
        "The operators of the channel lift a ban and a mute."
    } else {
        "/unban NAME and /unmute-user NAME lift a ban and a mute."
    };
    let blocks = vec![Block::Table(table), Block::Text(String::new()), Block::Text(hint.to_owned())];
    Answer::Card(Card { title: format!("Bans of {channel}"), blocks, secret: None })
}

/// Returns the devices of this account.
pub(super) fn devices(replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let mut rows = Vec::new();
    // `<fingerprint> <added> <last used or *>`
    for note in notes(replies).filter(|note| note.code == "CERT") {
        let about = |index: usize| note.context.get(index).map_or("", String::as_str);
        let fingerprint: String = about(0).chars().take(SHOWN_FINGERPRINT).collect();
        let used = match about(2) {
            "*" => "never".to_owned(),
            time => date_of_text(time, context.zone),
        };
        let added = date_of_text(about(1), context.zone);
        rows.push(vec![(rows.len() + 1).to_string(), fingerprint, added, used]);
    }
    if rows.is_empty() {
        return Answer::Sentence("no device logs in to your account; `parlour join` makes one".to_owned());
    }
    let table = Table { headings: vec!["#", "Fingerprint", "Added", "Last used"], rows };
    let hint = "/devices revoke NUMBER ends the access of one.";
    let blocks = vec![Block::Table(table), Block::Text(String::new()), Block::Text(hint.to_owned())];
    Answer::Card(Card { title: "Devices of your account".to_owned(), blocks, secret: None })
}

/// Returns the open invites to the server.
pub(super) fn invites(replies: &[ServerEvent]) -> Answer {
    let mut blocks = Vec::new();
    for note in notes(replies) {
        match note.code.as_str() {
            "INVITE" => blocks.push(Block::Text(note.text.clone())),
            "INVITE_LIST" => {
                let text = note.text.split(';').next().unwrap_or_default();
                blocks.extend([Block::Text(String::new()), Block::Text(text.to_owned())]);
            }
            _ => {}
        }
    }
    let hint = "/invite-link makes one, /invites revoke NUMBER revokes one.";
    blocks.push(Block::Text(hint.to_owned()));
    Answer::Card(Card { title: "Invites to the server".to_owned(), blocks, secret: None })
}

/// Returns an invite link, which is shown once.
pub(super) fn invite_link(replies: &[ServerEvent]) -> Answer {
    let link = notes(replies).find(|note| note.code == "INVITE_LINK");
    let Some(link) = link else {
        return Answer::Sentence(note_texts(replies).join(" "));
    };
    let about =
        notes(replies).find(|note| note.code == "INVITE_CREATED").map_or("", |note| note.text.as_str());
    let about = about.trim_end_matches("Link:").trim_end();
    let blocks = vec![
        Block::Text(about.to_owned()),
        Block::Text(
            "The link is a secret. It is shown this once: give it only to the person it is for.".to_owned(),
        ),
        Block::Text(String::new()),
    ];
    let secret = Some(SecretText::new(&link.text));
    Answer::Card(Card { title: "Invite link".to_owned(), blocks, secret })
}

/// Returns the latest actions of admins and moderators, the newest first.
pub(super) fn audit(replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let row = |note: &StandardNote| {
        let about = |index: usize| note.context.get(index).map_or("", String::as_str);
        let by = if about(1) == "*" { "command line" } else { about(1) };
        vec![date_of_text(about(0), context.zone), by.to_owned(), note.text.clone()]
    };
    let rows: Vec<Vec<String>> = notes(replies).filter(|note| note.code == "ENTRY").map(row).collect();
    if rows.is_empty() {
        return Answer::Sentence("no admin or moderator has done anything yet".to_owned());
    }
    let table = Table { headings: vec!["When", "By", "Action"], rows };
    let title = "Latest actions of admins and moderators".to_owned();
    Answer::Card(Card { title, blocks: vec![Block::Table(table)], secret: None })
}
