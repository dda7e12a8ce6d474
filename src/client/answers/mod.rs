//! Answers of the server to the requests of a user, in the words of both chats: a sentence, or a card.
//!
//! | module | content |
//! | --- | --- |
//! | [`answer`] here | choice of the form for each request |
//! | [`card`] | card: title, fields, tables, paragraphs |
//! | [`profile`] | WHOIS |
//! | [`people`] | WHO |
//! | [`modes`] | modes of a channel and their changes, as sentences |
//! | [`rights`] | what stands against a request before it is sent |
//! | [`named`] | accounts that a request names: what speaks against it, and whom it does not hold |
//! | [`lists`] | bans, devices, invites, the audit |
//! | [`files`] | files that messages share, the account's own, links to them |
//! | [`times`] | points in time and spans, in words |

pub mod card;
pub mod files;
pub mod lists;
pub mod modes;
pub mod named;
pub mod people;
pub mod profile;
pub mod rights;
pub mod times;

use jiff::tz::TimeZone;

use self::card::{Block, Card};
use self::named::{Existence, existence, missing_accounts, notes_on_change};
use crate::client::model::event::{Away, ErrorCode, ErrorReply, NumericReply, ServerEvent, StandardNote};
use crate::client::model::requests::{ChannelRequest, ServerRequest};
use crate::client::model::{Conversation, Model};
use crate::wire::numeric::{self, Numeric};
use crate::wire::{ChannelName, Nick, Timestamp};

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing to add: the change that was made shows itself.
    Nothing,
    /// Sentence that answers the whole request.
    Sentence(String),
    /// The request failed, for the reason that this sentence says.
    Failure(String),
    /// The user is to be asked whether to make this request.
    Question(ServerRequest),
    /// Doubts about a request that the user is asked about.
    Doubts {
        /// Request that is not sent yet.
        request: ServerRequest,
        /// Sentences without their full stops.
        doubts: Vec<String>,
    },
    /// Card for an answer of several fields or rows.
    Card(Card),
    /// The request failed, but this one would help. The sentence says why, the question asks for it.
    Offer {
        /// Reason of the failure.
        failure: String,
        /// Question whether to make the other request.
        question: String,
        /// The other request.
        request: ServerRequest,
    },
}

/// Circumstances of an answer.
#[derive(Clone, Copy)]
pub struct AnswerContext<'a> {
    /// Time zone of the displayed times.
    pub zone: &'a TimeZone,
    /// Current time, from which ages are reckoned.
    pub now: Timestamp,
    /// The model of the server.
    pub model: &'a Model,
}

/// Returns the answer that these replies make.
pub fn answer(request: &ServerRequest, replies: &[ServerEvent], context: AnswerContext<'_>) -> Answer {
    let texts = || note_texts(replies).join(" ");
    let done = |text: String| failure(replies).unwrap_or(Answer::Sentence(text));
    match request {
        ServerRequest::Channel(channel, request) => channel_answer(channel, request, replies, context),
        ServerRequest::Profile(name) => profile::answer(name, replies, context),
        ServerRequest::People(mask) => failure(replies).unwrap_or_else(|| people::answer(mask, replies)),
        ServerRequest::Existence { account, then } => match existence(account, replies) {
            Existence::Missing => Answer::Sentence(format!("no such account: {account}; {then}")),
            Existence::Known | Existence::Unknown => Answer::Nothing,
        },
        ServerRequest::LookUp(request) => Answer::Doubts {
            doubts: named::doubts(request, replies, context.model),
            request: (**request).clone(),
        },
        ServerRequest::Role(request) => match rights::obstacle(request, context.model) {
            Some(obstacle) => Answer::Failure(obstacle.text),
            None => Answer::Question((**request).clone()),
        },
        ServerRequest::Mute(conversation, on) => done(mute_note(conversation, *on)),
        ServerRequest::DisplayName(name) => done(display_name_note(name)),
        ServerRequest::SetName(name) => done(format!("your full name is now {name}")),
        ServerRequest::Motd => failure(replies).unwrap_or_else(|| motd(replies)),
        ServerRequest::Statistics => failure(replies).unwrap_or_else(|| statistics(replies)),
        ServerRequest::Oper(..) => done("you have the rights of an admin until this session ends".to_owned()),
        ServerRequest::Rehash => done(reread(replies)),
        ServerRequest::Kill { name, .. } => done(format!("{name} was disconnected; they may log in again")),
        ServerRequest::Wallops(_) => done("sent to everybody who is online".to_owned()),
        ServerRequest::Devices => failure(replies).unwrap_or_else(|| lists::devices(replies, context)),
        ServerRequest::RevokeDevice(number, _) => {
            done(format!("device {number} can no longer log in to your account"))
        }
        ServerRequest::SharedFiles(conversation) => {
            failure(replies).unwrap_or_else(|| files::shared(conversation, replies, context))
        }
        ServerRequest::OwnFiles => failure(replies).unwrap_or_else(|| files::own(replies, context)),
        ServerRequest::LinkFile(_) => failure(replies).unwrap_or_else(|| files::link(replies)),
        ServerRequest::UnlinkFile(_) => done("the link leads nowhere from now on".to_owned()),
        ServerRequest::Invites => failure(replies).unwrap_or_else(|| lists::invites(replies)),
        ServerRequest::RevokeInvite(id) => done(format!("invite {id} is revoked")),
        ServerRequest::CreateInvite(_) => failure(replies).unwrap_or_else(|| lists::invite_link(replies)),
        ServerRequest::Audit(_) => failure(replies).unwrap_or_else(|| lists::audit(replies, context)),
        ServerRequest::Redact { .. } => failure(replies).unwrap_or(Answer::Nothing),
        // The decision that it tells the server of has its own notice.
        ServerRequest::SetMetadata { .. } => Answer::Nothing,
        ServerRequest::Raw(_) => raw(replies, &texts()),
    }
}

fn channel_answer(
    channel: &ChannelName,
    request: &ChannelRequest,
    replies: &[ServerEvent],
    context: AnswerContext<'_>,
) -> Answer {
    if let (ChannelRequest::Invite(name), Some(error)) = (request, find_error(replies)) {
        return refused_invite(name, channel, error, replies);
    }
    let is_unknown = |error: &ErrorReply| error.code == ErrorCode::Numeric(numeric::ERR_NOSUCHCHANNEL);
    if let ChannelRequest::Knock(_) = request
        && find_error(replies).is_some_and(is_unknown)
    {
        // One that is secret cannot be told from one that does not exist.
        return Answer::Failure(format!(
            "/knock does not reach {channel}: it is secret, or there is no such channel; ask somebody who is in it for an \
             /invite"
        ));
    }
    if let Some(failure) = failure(replies) {
        return failure;
    }
    let missing = match request {
        ChannelRequest::Change(words) => missing_accounts(words, replies),
        _ => Vec::new(),
    };
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(Nick::as_str).collect();
        return Answer::Sentence(format!(
            "no such account: {}; check the name (/bans lists what is set in {channel}, /unban and /unmute-user lift \
             it). It holds for whoever gets that name",
            names.join(", ")
        ));
    }
    // Replies about the existence of accounts, and the exceptions from bans, are no sign of a change.
    let is_change = |reply: &&ServerEvent| match reply {
        ServerEvent::WhoxReply(_) | ServerEvent::WhoEnd => false,
        ServerEvent::Reply(reply) => {
            ![numeric::RPL_EXCEPTLIST, numeric::RPL_ENDOFEXCEPTLIST].contains(&reply.code)
        }
        _ => true,
    };
    let unchanged = !replies.iter().any(|reply| is_change(&reply));
    let done = |text: &str| match (unchanged, context.model.is_in(channel)) {
        // A channel that the account is not in shows no change.
        (_, false) => Answer::Sentence(format!("done in {channel}")),
        (true, true) => Answer::Sentence(text.to_owned()),
        (false, true) => Answer::Nothing,
    };
    match request {
        ChannelRequest::Modes => modes::answer(channel, replies, context),
        ChannelRequest::Bans => lists::bans(channel, replies, context),
        ChannelRequest::OwnBan => Answer::Sentence(match named::own_ban(channel, replies, context.model) {
            Some(ban) => ban,
            None => format!("you are in {channel} already"),
        }),
        ChannelRequest::Change(words) => {
            let notes = notes_on_change(words, channel, replies, context.model).join("; ");
            match done(&modes::describe_unchanged(words, channel)) {
                answer if notes.is_empty() => answer,
                Answer::Sentence(text) => Answer::Sentence(format!("{text}; {notes}")),
                _ => Answer::Sentence(notes),
            }
        }
        ChannelRequest::Key(_) => done("nothing changed: it is so already"),
        ChannelRequest::Kick { .. } | ChannelRequest::Topic(_) => done("done"),
        // The channel shows its new name itself.
        ChannelRequest::Rename(name) if context.model.is_in(name) && !unchanged => Answer::Nothing,
        ChannelRequest::Rename(name) => Answer::Sentence(format!("{channel} is called {name} now")),
        ChannelRequest::Invite(name) => {
            let away = replies.iter().find_map(|reply| match reply {
                ServerEvent::Away(Away { message: Some(message), .. }) => {
                    Some(format!("; they are away: {message}"))
                }
                _ => None,
            });
            Answer::Sentence(format!("{name} is invited to {channel}{}", away.unwrap_or_default()))
        }
        ChannelRequest::Knock(_) => {
            Answer::Sentence(format!("the operators of {channel} were asked to invite you"))
        }
    }
}

/// Returns the account that this answer says does not exist.
pub fn missing_account<'a>(request: &'a ServerRequest, replies: &[ServerEvent]) -> Option<&'a Nick> {
    match request {
        ServerRequest::Existence { account, .. } => {
            Some(account).filter(|account| existence(account, replies) == Existence::Missing)
        }
        _ => None,
    }
}

/// Explains a refused invitation. Of somebody without an account it says how to make an invite link; this account's
/// modes tell whether it is an admin's.
fn refused_invite(name: &str, channel: &ChannelName, error: &ErrorReply, replies: &[ServerEvent]) -> Answer {
    if error.code != ErrorCode::Numeric(numeric::ERR_NOSUCHNICK) {
        return Answer::Failure(error.explain());
    }
    let is_admin =
        replies.iter().any(|reply| matches!(reply, ServerEvent::UserModes(modes) if modes.contains('o')));
    let failure = format!("no account is called {name}");
    if is_admin {
        let words = vec!["CREATE".to_owned(), channel.as_str().to_owned()];
        let question = format!("{failure}. Make an invite link for them, which creates one in {channel}?");
        return Answer::Offer { failure, question, request: ServerRequest::CreateInvite(words) };
    }
    Answer::Failure(format!("{failure}; ask an admin for an invite link, which /invite-link makes"))
}

/// Returns the note about a new display name.
pub fn display_name_note(name: &str) -> String {
    if name.is_empty() {
        "others see your nick alone".to_owned()
    } else {
        format!("others see you as {name}")
    }
}

/// Returns the note about a conversation that is muted, or no longer.
fn mute_note(conversation: &Conversation, on: bool) -> String {
    if on {
        format!("{conversation} is muted on all your devices: nothing in it notifies you; /unmute ends it")
    } else {
        format!("{conversation} is no longer muted, on all your devices; /mute mutes it again")
    }
}

/// Explains a refused JOIN. A reason that names the channel is a sentence of its own.
pub fn format_failed_join(channel: &ChannelName, reason: &str) -> String {
    if reason.contains(channel.as_str()) {
        return reason.to_owned();
    }
    format!("cannot join {channel}: {reason}")
}

fn motd(replies: &[ServerEvent]) -> Answer {
    let lines: Vec<&str> = numerics(replies)
        .filter(|reply| reply.code == numeric::RPL_MOTD)
        .map(|reply| motd_line(reply.param(0)))
        .collect();
    if lines.is_empty() {
        return Answer::Sentence("the server has no message of the day".to_owned());
    }
    let blocks = lines.into_iter().map(|line| Block::Text(line.to_owned())).collect();
    Answer::Card(Card { title: "Message of the day".to_owned(), blocks, secret: None })
}

/// Returns a line of the message of the day without the dash that servers put before it.
pub fn motd_line(text: &str) -> &str {
    text.strip_prefix("- ").or_else(|| text.strip_prefix('-')).unwrap_or(text)
}

/// Describes what the server has read again. Parlour's own says behind a semicolon what has changed.
fn reread(replies: &[ServerEvent]) -> String {
    let mut numerics = numerics(replies);
    let text = numerics.find(|reply| reply.code == numeric::RPL_REHASHING).map(|reply| reply.param(1));
    let changes = text.and_then(|text| text.split_once("; ")).map_or("", |(_, changes)| changes);
    let separator = if changes.is_empty() { "" } else { "; " };
    format!("the server has read its configuration and its certificates again{separator}{changes}")
}

fn statistics(replies: &[ServerEvent]) -> Answer {
    let lines = numerics(replies).filter_map(|reply| match reply.code {
        numeric::RPL_STATSUPTIME => Some(reply.text().replacen("Server Up", "The server is up for", 1)),
        numeric::RPL_STATSOTHER => Some(reply.text()),
        _ => None,
    });
    let blocks = lines.map(Block::Text).collect();
    Answer::Card(Card { title: "Statistics of the server".to_owned(), blocks, secret: None })
}

/// Shows the replies to a line that the user wrote themselves: the only place with numerics.
fn raw(replies: &[ServerEvent], notes: &str) -> Answer {
    let line = |reply: &ServerEvent| match reply {
        ServerEvent::Reply(reply) => Some(format!("{:03} {}", reply.code.0, reply.params.join(" "))),
        ServerEvent::Error(error) => Some(match &error.code {
            ErrorCode::Numeric(Numeric(code)) => format!("{code} {}", error.text()),
            ErrorCode::Fail { command, code } => format!("FAIL {command} {code} {}", error.text()),
        }),
        ServerEvent::WhoReply(who) => Some(format!("352 {} {} {}", who.nick, who.flags, who.realname)),
        ServerEvent::WhoxReply(who) => Some(format!("354 {} {} {}", who.nick, who.flags, who.realname)),
        ServerEvent::Note(note) => Some(format!("NOTE {} {} {}", note.command, note.code, note.sentence())),
        ServerEvent::Away(away) => {
            Some(format!("301 {} {}", away.nick, away.message.as_deref().unwrap_or_default()))
        }
        _ => None,
    };
    let blocks: Vec<Block> = replies.iter().filter_map(line).map(Block::Text).collect();
    if blocks.is_empty() {
        let text = if notes.is_empty() { "sent; the server had nothing to reply" } else { notes };
        return Answer::Sentence(text.to_owned());
    }
    Answer::Card(Card { title: "Replies of the server".to_owned(), blocks, secret: None })
}

fn find_error(replies: &[ServerEvent]) -> Option<&ErrorReply> {
    replies.iter().find_map(|reply| match reply {
        ServerEvent::Error(error) => Some(error),
        _ => None,
    })
}

/// Returns the failure that the first error among the replies makes.
fn failure(replies: &[ServerEvent]) -> Option<Answer> {
    find_error(replies).map(|error| Answer::Failure(error.explain()))
}

/// Iterates over the numeric replies.
fn numerics(replies: &[ServerEvent]) -> impl Iterator<Item = &NumericReply> {
    replies.iter().filter_map(|reply| match reply {
        ServerEvent::Reply(reply) => Some(reply),
        _ => None,
    })
}

/// Iterates over the replies of the type NOTE.
fn notes(replies: &[ServerEvent]) -> impl Iterator<Item = &StandardNote> {
    replies.iter().filter_map(|reply| match reply {
        ServerEvent::Note(note) => Some(note),
        _ => None,
    })
}

fn note_texts(replies: &[ServerEvent]) -> Vec<&str> {
    notes(replies).map(|note| note.text.as_str()).collect()
}

#[cfg(test)]
mod tests;
