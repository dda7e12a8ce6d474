//! INVITES: creation, listing and revocation of server invites by admins, also through `NickServ`. INVITE, in contrast,
//! invites to a channel.

use super::reply_form::{UNAVAILABLE, ask, say};
use crate::core::commands::{Command, Spec};
use crate::core::record::{AccountId, Invite, InviteId, Role, State, TokenHash};
use crate::core::request::account::{Request, Secret, Voice};
use crate::core::request::admin::{AccountError, InviteOrder, Purpose, RequestError, Wish};
use crate::core::request::durations::invite_lifetime;
use crate::core::state::Chat;
use crate::core::state::context::Context;
use crate::wire::numeric::ERR_NOPRIVILEGES;
use crate::wire::{ChannelName, Message, Millis, Nick, Reply};

/// The INVITES command: manages server invites.
pub const SPEC: Spec = Spec { name: "INVITES", least: 0, parse };

/// A parsed INVITES, or the error text for it.
#[derive(Debug)]
pub struct Invites(Result<InviteRequest, String>);

/// A parsed request.
#[derive(Debug, PartialEq, Eq)]
enum InviteRequest {
    /// Create an invite.
    Create(Wish),
    /// List the open invites.
    List,
    /// Revoke the invite of this number.
    Revoke(i64),
}

/// Usage of the command.
pub const USAGE: &str = "CREATE [USES] [24h] [#CHANNEL] [admin], FOR NAME [24h], LIST, REVOKE NUMBER";

const HOUR: u64 = 60 * 60 * 1000;

/// Default validity of an invite.
const LASTS: Millis = Millis(24 * HOUR);

/// Maximum number of listed invites.
const SHOWN: usize = 100;

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse(message: &Message<'_>) -> Result<Command, Reply> {
    Ok(Command::Invites(Invites(request(message.params()))))
}

/// Handles INVITE in a message to the service.
pub(in crate::core::commands) fn told(cx: &mut Context<'_>, words: &[&str]) {
    asked(cx, request(words), Voice::Service);
}

impl Invites {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        asked(cx, self.0, Voice::Command(SPEC.name));
    }
}

fn asked(cx: &mut Context<'_>, request: Result<InviteRequest, String>, voice: Voice) {
    if cx.admin_as().is_none() {
        return denied(cx, voice);
    }
    match request {
        Ok(InviteRequest::Create(wish)) => ask(cx, Request::InviteLink(wish), voice),
        Ok(InviteRequest::List) => list(cx, voice),
        Ok(InviteRequest::Revoke(_)) if !cx.chat.writable => {
            say(cx, voice, ("FAIL", "TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
        }
        Ok(InviteRequest::Revoke(id)) => match cx.chat.revoke_invite(id, cx.by(), cx.fx) {
            Ok(()) => {
                let text = format!("Invite {id} is revoked");
                say(cx, voice, ("NOTE", "INVITE_REVOKED"), &[&id.to_string()], &text);
            }
            Err(error) => refused(cx, voice, &error),
        },
        Err(why) => {
            say(cx, voice, ("FAIL", "INVALID_PARAMS"), &[], &format!("{why}; there are {USAGE}"));
        }
    }
}

fn refused(cx: &mut Context<'_>, voice: Voice, error: &RequestError) {
    let code = match error {
        RequestError::Account(AccountError::Unknown(_)) => "NO_SUCH_ACCOUNT",
        RequestError::Account(AccountError::Removed(_)) => "ACCOUNT_REMOVED",
        RequestError::Account(AccountError::Disabled(_)) => "ACCOUNT_DISABLED",
        RequestError::UnknownInvite(_) => "NO_SUCH_INVITE",
        RequestError::NotAdmin => "ACCESS_DENIED",
        _ => "INVALID_PARAMS",
    };
    say(cx, voice, ("FAIL", code), &[], &error.to_string());
}

fn denied(cx: &mut Context<'_>, voice: Voice) {
    let text = "Permission Denied - You're not an admin";
    match voice {
        Voice::Command(_) => cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text)),
        Voice::Service => say(cx, voice, ("FAIL", ""), &[], text),
    }
}

fn request(words: &[&str]) -> Result<InviteRequest, String> {
    let (word, rest) = words.split_first().unwrap_or((&"LIST", &[]));
    match (word.to_ascii_uppercase().as_str(), rest) {
        ("CREATE", rest) => create(rest).map(InviteRequest::Create),
        ("FOR", [name, rest @ ..]) => {
            let name = Nick::parse(name).map_err(|why| format!("{name:?} cannot be an account: {why}"))?;
            let lasts = match rest {
                [] => LASTS,
                [text] => lasting(text).ok_or_else(|| not_lasting(text))?,
                [_, other, ..] => return Err(format!("unexpected parameter {other:?}")),
            };
            Ok(InviteRequest::Create(Wish { purpose: Purpose::Reset(name), lasts }))
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
fn create(words: &[&str]) -> Result<Wish, String> {
    let (mut uses, mut lasts, mut role) = (1, LASTS, Role::Member);
    let mut channel = ChannelName::parse("#lobby").map_err(|why| why.to_string())?;
    for word in words {
        if word.starts_with('#') {
            channel = ChannelName::parse(word).map_err(|why| format!("{word:?}: {why}"))?;
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
                other => lasts = lasting(other).ok_or_else(|| not_lasting(word))?,
            }
        }
    }
    Ok(Wish { purpose: Purpose::Accounts { role, channel, uses }, lasts })
}

fn not_lasting(word: &str) -> String {
    format!("{word:?} is not a duration of at most ten years, such as 30min, 24h or 7d")
}

fn lasting(text: &str) -> Option<Millis> {
    invite_lifetime(text).map(|lifetime| Millis(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX)))
}

/// Continues CREATE and FOR when the link is made. The rights are those of this moment: an account that lost the admin
/// role in the meantime makes no invite.
pub(in crate::core::commands) fn linked(
    cx: &mut Context<'_>,
    voice: Voice,
    (wish, token): (Wish, TokenHash),
    link: &Secret,
) {
    let Some(admin) = cx.admin_as() else { return denied(cx, voice) };
    if !cx.chat.writable {
        return say(cx, voice, ("FAIL", "TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
    }
    let Wish { purpose, lasts } = wish;
    let order = InviteOrder { token, purpose: purpose.clone(), lasts_ms: lasts.0 };
    let power = Some(admin).filter(|&admin| admin != cx.member.account);
    let number = match cx.chat.create_invite(&order, cx.by(), power, cx.fx) {
        Ok(id) => id,
        Err(error) => return refused(cx, voice, &error),
    };
    let (id, until) = (number.to_string(), minute(Millis(cx.at.0.saturating_add(lasts.0))));
    let text = match &purpose {
        Purpose::Accounts { role, channel, uses } => {
            let accounts = accounts(*uses, *role);
            format!("Invite {number} creates {accounts} in {channel}, valid until {until}. Link:")
        }
        Purpose::Reset(name) => format!(
            "Invite {number} lets {name} set a new password once, until {until}; it revokes all devices and closes all \
             sessions of that account. Link:"
        ),
    };
    say(cx, voice, ("NOTE", "INVITE_CREATED"), &[&id], &text);
    // The link is the only text of its line, so that it can be copied whole.
    say(cx, voice, ("NOTE", "INVITE_LINK"), &[&id], &link.0);
}

fn list(cx: &mut Context<'_>, voice: Voice) {
    let (at, chat) = (cx.at, &*cx.chat);
    let is_open = |invite: &&Invite| invite.state(at) == State::Open;
    let open = chat.invites.iter().filter(is_open).take(SHOWN);
    let open: Vec<(InviteId, String)> = open.map(|invite| (invite.id, shown(invite, chat))).collect();
    let count = chat.invites.iter().filter(is_open).count();
    let closed = chat.invites.iter().len() - count;
    chat.look_at(closed + count);
    for (id, text) in open {
        say(cx, voice, ("NOTE", "INVITE"), &[&id.to_string()], &text);
    }
    let more = match count.saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" ({more} of them not shown)"),
    };
    let text = format!(
        "{} open{more}, {closed} spent, expired or revoked; `parlour invite list` on the server shows all",
        if count == 1 { "1 invite is".to_owned() } else { format!("{count} invites are") }
    );
    say(cx, voice, ("NOTE", "INVITE_LIST"), &[], &text);
}

fn shown(invite: &Invite, chat: &Chat) -> String {
    let Invite { id, uses, spent, expires, role, channel, resets, created_by, .. } = invite;
    let name = |account: AccountId| chat.name_of(account).map_or_else(|| "?".to_owned(), ToString::to_string);
    let what = match (resets, channel) {
        (Some(account), _) => format!("resets the password and devices of {}", name(*account)),
        (None, Some(channel)) => format!("{}, landing in {channel}", accounts(*uses, *role)),
        (None, None) => accounts(*uses, *role),
    };
    let by = created_by.map_or_else(|| "on the command line".to_owned(), |by| format!("by {}", name(by)));
    format!("Invite {id}: {what}; used {spent} of {uses}, until {}, made {by}", minute(*expires))
}

fn accounts(uses: u32, role: Role) -> String {
    if uses == 1 { format!("one {role} account") } else { format!("{uses} {role} accounts") }
}

/// Formats a time stamp to the minute, in UTC.
fn minute(time: Millis) -> String {
    let text = time.to_string();
    text.get(..16).map_or(text.clone(), |minute| minute.replace('T', " ") + " UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts_of(uses: u32, hours: u64, channel: &str, role: Role) -> InviteRequest {
        let channel = ChannelName::parse(channel).expect("a channel");
        let purpose = Purpose::Accounts { role, channel, uses };
        InviteRequest::Create(Wish { purpose, lasts: Millis(hours * HOUR) })
    }

    fn asked(text: &str) -> Result<InviteRequest, String> {
        request(&text.split_whitespace().collect::<Vec<_>>())
    }

    #[test]
    fn parses_invite_parameters_in_any_order() {
        assert_eq!(asked("create"), Ok(accounts_of(1, 24, "#lobby", Role::Member)));
        let all = accounts_of(30, 7 * 24, "#class", Role::Admin);
        for text in ["CREATE 30 7d #class admin", "create Admin #class 1w 30", "CREATE 30 168H #class ADMIN"]
        {
            assert_eq!(asked(text).as_ref(), Ok(&all), "{text}");
        }
        let alice = Nick::parse("alice").expect("a nick");
        let reset = |lasts| Ok(InviteRequest::Create(Wish { purpose: Purpose::Reset(alice.clone()), lasts }));
        assert_eq!(asked("for alice"), reset(LASTS));
        assert_eq!(asked("FOR alice 30min"), reset(Millis(HOUR / 2)));
        assert_eq!(asked(""), Ok(InviteRequest::List));
        assert_eq!(asked("list"), Ok(InviteRequest::List));
        assert_eq!(asked("revoke 3"), Ok(InviteRequest::Revoke(3)));
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
            assert!(asked(bad).is_err(), "{bad}");
        }
    }
}
