//! INVITES: creation, listing and revocation of server invites by admins, also through `NickServ`. INVITE, in contrast,
//! invites to a channel.

use std::time::Duration;

use super::reply_form::{StandardReply, UNAVAILABLE, send_reply};
use crate::core::commands::{Command, Spec};
use crate::core::effects::query::{InviteLinkQuery, InviteLinkResult, Query};
use crate::core::record::{AccountId, Invite, InviteId, InviteState, Role};
use crate::core::request::admin::{AccountError, InviteSpec, NewInvite, Purpose, RequestError};
use crate::core::request::durations::lifetime;
use crate::core::request::reply_form::ReplyForm;
use crate::core::state::Core;
use crate::core::state::context::Context;
use crate::wire::numeric::ERR_NOPRIVILEGES;
use crate::wire::{ChannelName, Message, Nick, Reply, Timestamp};

/// The INVITES command: manages server invites.
pub const SPEC: Spec = Spec { name: "INVITES", min_params: 0, parse };

/// A parsed INVITES, or the error text for it.
#[derive(Debug)]
pub struct Invites(Result<InviteRequest, String>);

/// A parsed request.
#[derive(Debug, PartialEq, Eq)]
enum InviteRequest {
    /// Create an invite.
    Create(InviteSpec),
    /// List the open invites.
    List,
    /// Revoke the invite of this number.
    Revoke(i64),
}

/// Usage of the command.
pub const USAGE: &str = "CREATE [USES] [24h] [#CHANNEL] [admin], FOR NAME [24h], LIST, REVOKE NUMBER";

/// Default validity of an invite.
const DEFAULT_VALIDITY: Duration = Duration::from_hours(24);

/// Maximum number of listed invites.
const MAX_LISTED: usize = 100;

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    Ok(Command::Invites(Invites(parse_request(message.params()))))
}

/// Handles INVITE in a message to the service.
pub(in crate::core::commands) fn run_service_message(cx: &mut Context<'_>, words: &[&str]) {
    run_request(cx, parse_request(words), ReplyForm::Service);
}

impl Invites {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        run_request(cx, self.0, ReplyForm::Command(SPEC.name));
    }
}

fn run_request(cx: &mut Context<'_>, request: Result<InviteRequest, String>, reply_form: ReplyForm) {
    if cx.admin_account().is_none() {
        return reply_denied(cx, reply_form);
    }
    match request {
        Ok(InviteRequest::Create(spec)) => {
            cx.query(Query::InviteLink(InviteLinkQuery { spec, reply_form }));
        }
        Ok(InviteRequest::List) => reply_with_list(cx, reply_form),
        Ok(InviteRequest::Revoke(_)) if !cx.core.writable => {
            send_reply(cx, reply_form, StandardReply::Fail("TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
        }
        Ok(InviteRequest::Revoke(id)) => match cx.core.revoke_invite(id, cx.attribution(), cx.fx) {
            Ok(()) => {
                let text = format!("Invite {id} is revoked");
                send_reply(cx, reply_form, StandardReply::Note("INVITE_REVOKED"), &[&id.to_string()], &text);
            }
            Err(error) => reply_with_error(cx, reply_form, &error),
        },
        Err(error) => {
            send_reply(
                cx,
                reply_form,
                StandardReply::Fail("INVALID_PARAMS"),
                &[],
                &format!("{error}; there are {USAGE}"),
            );
        }
    }
}

fn reply_with_error(cx: &mut Context<'_>, reply_form: ReplyForm, error: &RequestError) {
    let code = match error {
        RequestError::Account(AccountError::Unknown(_)) => "NO_SUCH_ACCOUNT",
        RequestError::Account(AccountError::Removed(_)) => "ACCOUNT_REMOVED",
        RequestError::Account(AccountError::Disabled(_)) => "ACCOUNT_DISABLED",
        RequestError::UnknownInvite(_) => "NO_SUCH_INVITE",
        RequestError::NotAdmin => "ACCESS_DENIED",
        _ => "INVALID_PARAMS",
    };
    send_reply(cx, reply_form, StandardReply::Fail(code), &[], &error.to_string());
}

fn reply_denied(cx: &mut Context<'_>, reply_form: ReplyForm) {
    let text = "Permission Denied - You're not an admin";
    match reply_form {
        ReplyForm::Command(_) => cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text)),
        ReplyForm::Service => send_reply(cx, reply_form, StandardReply::Fail(""), &[], text),
    }
}

fn parse_request(words: &[&str]) -> Result<InviteRequest, String> {
    let (word, rest) = words.split_first().unwrap_or((&"LIST", &[]));
    match (word.to_ascii_uppercase().as_str(), rest) {
        ("CREATE", rest) => parse_create(rest).map(InviteRequest::Create),
        ("FOR", [name, rest @ ..]) => {
            let name =
                Nick::parse(name).map_err(|error| format!("{name:?} cannot be an account: {error}"))?;
            let validity = match rest {
                [] => DEFAULT_VALIDITY,
                [text] => lifetime(text).ok_or_else(|| invalid_duration(text))?,
                [_, other, ..] => return Err(format!("unexpected parameter {other:?}")),
            };
            Ok(InviteRequest::Create(InviteSpec { purpose: Purpose::Reset(name), validity }))
        }
        ("FOR", []) => Err("Missing account name: INVITES FOR NAME [24h]".to_owned()),
        ("LIST", _) => Ok(InviteRequest::List),
        ("REVOKE", [number]) => {
            number.parse().map(InviteRequest::Revoke).map_err(|_| format!("{number:?} is not a number"))
        }
        ("REVOKE", _) => Err("Missing invite number: INVITES REVOKE NUMBER".to_owned()),
        _ => Err(format!("unknown subcommand {word:?}")),
    }
}

/// Parses the parameters of CREATE, in any order: the form of each tells its meaning.
fn parse_create(words: &[&str]) -> Result<InviteSpec, String> {
    let (mut uses, mut validity, mut role) = (1, DEFAULT_VALIDITY, Role::Member);
    let mut channel = ChannelName::parse("#lobby").map_err(|error| error.to_string())?;
    for word in words {
        if word.starts_with('#') {
            channel = ChannelName::parse(word).map_err(|error| format!("{word:?}: {error}"))?;
        } else if word.bytes().all(|b| b.is_ascii_digit()) {
            uses = word
                .parse()
                .ok()
                .filter(|&n| n > 0)
                .ok_or_else(|| format!("invalid number of uses {word:?}"))?;
        } else {
            match word.to_ascii_lowercase().as_str() {
                "admin" => role = Role::Admin,
                "member" => role = Role::Member,
                other => validity = lifetime(other).ok_or_else(|| invalid_duration(word))?,
            }
        }
    }
    Ok(InviteSpec { purpose: Purpose::Accounts { role, channel, uses }, validity })
}

fn invalid_duration(word: &str) -> String {
    format!("{word:?} is not a duration of at most ten years, such as 30min, 24h or 7d")
}

/// Continues CREATE and FOR when the link is made. The rights are those of this moment: an account that lost the admin
/// role in the meantime makes no invite.
pub(in crate::core) fn create_with_link(
    cx: &mut Context<'_>,
    InviteLinkResult { spec, reply_form, token, link }: InviteLinkResult,
) {
    let Some(admin) = cx.admin_account() else { return reply_denied(cx, reply_form) };
    if !cx.core.writable {
        return send_reply(cx, reply_form, StandardReply::Fail("TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
    }
    let InviteSpec { purpose, validity } = spec;
    let new_invite = NewInvite {
        token,
        purpose: purpose.clone(),
        lasts_ms: u64::try_from(validity.as_millis()).unwrap_or(u64::MAX),
    };
    let admin_account = Some(admin).filter(|&admin| admin != cx.sender.account);
    let number = match cx.core.create_invite(&new_invite, cx.attribution(), admin_account, cx.fx) {
        Ok(id) => id,
        Err(error) => return reply_with_error(cx, reply_form, &error),
    };
    let (id, until) = (number.to_string(), format_minute(cx.at + validity));
    let text = match &purpose {
        Purpose::Accounts { role, channel, uses } => {
            let accounts = describe_accounts(*uses, *role);
            format!("Invite {number} creates {accounts} in {channel}, valid until {until}. Link:")
        }
        Purpose::Reset(name) => format!(
            "Invite {number} lets {name} set a new password once, until {until}; it revokes all devices and closes all \
             sessions of that account. Link:"
        ),
    };
    send_reply(cx, reply_form, StandardReply::Note("INVITE_CREATED"), &[&id], &text);
    // The link is the only text of its line, so that it can be copied whole.
    send_reply(cx, reply_form, StandardReply::Note("INVITE_LINK"), &[&id], &link.0);
}

fn reply_with_list(cx: &mut Context<'_>, reply_form: ReplyForm) {
    let (at, core) = (cx.at, &*cx.core);
    let is_open = |invite: &&Invite| invite.state(at) == InviteState::Open;
    let open = core.invites.iter().filter(is_open).take(MAX_LISTED);
    let open: Vec<(InviteId, String)> =
        open.map(|invite| (invite.id, describe_invite(invite, core))).collect();
    let count = core.invites.iter().filter(is_open).count();
    let closed = core.invites.iter().len() - count;
    core.count_scanned_rows(closed + count);
    for (id, text) in open {
        send_reply(cx, reply_form, StandardReply::Note("INVITE"), &[&id.to_string()], &text);
    }
    let more = match count.saturating_sub(MAX_LISTED) {
        0 => String::new(),
        more => format!(" ({more} of them not shown)"),
    };
    let text = format!(
        "{} open{more}, {closed} spent, expired or revoked; `parlour invite list` on the server shows all",
        if count == 1 { "1 invite is".to_owned() } else { format!("{count} invites are") }
    );
    send_reply(cx, reply_form, StandardReply::Note("INVITE_LIST"), &[], &text);
}

fn describe_invite(invite: &Invite, core: &Core) -> String {
    let Invite { id, uses, spent, expires, role, channel, resets, created_by, .. } = invite;
    let name =
        |account: AccountId| core.account_name(account).map_or_else(|| "?".to_owned(), ToString::to_string);
    let effect = match (resets, channel) {
        (Some(account), _) => format!("resets the password and devices of {}", name(*account)),
        (None, Some(channel)) => format!("{}, landing in {channel}", describe_accounts(*uses, *role)),
        (None, None) => describe_accounts(*uses, *role),
    };
    let by = created_by.map_or_else(|| "on the command line".to_owned(), |by| format!("by {}", name(by)));
    format!("Invite {id}: {effect}; used {spent} of {uses}, until {}, made {by}", format_minute(*expires))
}

fn describe_accounts(uses: u32, role: Role) -> String {
    if uses == 1 { format!("one {role} account") } else { format!("{uses} {role} accounts") }
}

/// Formats a time stamp to the minute, in UTC.
fn format_minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " ") + " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create_request(uses: u32, hours: u64, channel: &str, role: Role) -> InviteRequest {
        let channel = ChannelName::parse(channel).expect("a channel");
        let purpose = Purpose::Accounts { role, channel, uses };
        InviteRequest::Create(InviteSpec { purpose, validity: Duration::from_hours(hours) })
    }

    fn parse_text(text: &str) -> Result<InviteRequest, String> {
        parse_request(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn parses_invite_parameters_in_any_order() {
        assert_eq!(parse_text("create"), Ok(create_request(1, 24, "#lobby", Role::Member)));
        let all = create_request(30, 7 * 24, "#class", Role::Admin);
        for text in ["CREATE 30 7d #class admin", "create Admin #class 1w 30", "CREATE 30 168H #class ADMIN"]
        {
            assert_eq!(parse_text(text).as_ref(), Ok(&all), "{text}");
        }
        let alice = Nick::parse("alice").expect("a nick");
        let reset = |lasts| {
            Ok(InviteRequest::Create(InviteSpec { purpose: Purpose::Reset(alice.clone()), validity: lasts }))
        };
        assert_eq!(parse_text("for alice"), reset(DEFAULT_VALIDITY));
        assert_eq!(parse_text("FOR alice 30min"), reset(Duration::from_mins(30)));
        assert_eq!(parse_text(""), Ok(InviteRequest::List));
        assert_eq!(parse_text("list"), Ok(InviteRequest::List));
        assert_eq!(parse_text("revoke 3"), Ok(InviteRequest::Revoke(3)));
    }

    #[test]
    fn invalid_invite_parameters_are_refused() {
        for bad in [
            "create 0",
            "create 99999999999",
            "create #",
            "create king",
            "create 0h",
            "create 11y",
            "create 4000d",
            "create 99999999999999999999d",
            "create d",
            "create ä",
            "for",
            "for 1st",
            "for alice soon",
            "for alice 1h 2h",
            "revoke",
            "revoke x",
            "revoke 1 2",
            "eat",
        ] {
            assert!(parse_text(bad).is_err(), "{bad}");
        }
    }
}
