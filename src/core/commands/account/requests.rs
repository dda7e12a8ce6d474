//! PASSWD, CERT, OPER and REHASH, and the `NickServ` service, which offers account commands to people who expect it.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::invites;
use super::reply_form::{SERVICE, UNAVAILABLE, ask, notice, say};
use crate::core::commands::{Command, Spec};
use crate::core::effects::Output;
use crate::core::record::{AccountId, Actor, Preference, Record};
use crate::core::request::account::{DeviceKey, Outcome, PasswordHash, Request, Secret, Voice};
use crate::core::request::sasl::Credentials;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_NEEDMOREPARAMS, ERR_NOPRIVILEGES, ERR_PASSWDMISMATCH, RPL_REHASHING, RPL_YOUREOPER,
};
use crate::wire::{Message, Millis, Nick, Reply};

/// The PASSWD command: changes the account's password.
pub const PASSWD: Spec = Spec { name: "PASSWD", least: 2, parse: passwd };
/// The CERT command: adds, lists and removes devices.
pub const CERT: Spec =
    Spec { name: "CERT", least: 1, parse: |m| cert(m.params()).map(|what| on("CERT", what)) };
/// The OPER command: gives the session the admin role.
pub const OPER: Spec = Spec { name: "OPER", least: 2, parse: oper };
/// The REHASH command: reads the configuration file again.
pub const REHASH: Spec = Spec { name: "REHASH", least: 0, parse: |_| Ok(on("REHASH", Asked::Rehash)) };
/// The NICKSERV command: a message to the service.
pub const NICKSERV: Spec = Spec { name: "NICKSERV", least: 0, parse: nickserv };
/// The NS command, short for NICKSERV.
pub const NS: Spec = Spec { name: "NS", least: 0, parse: nickserv };

/// A parsed command about the account or the server, with the form of its reply.
#[derive(Debug)]
pub struct Manage {
    voice: Voice,
    asked: Asked,
}

#[derive(Debug)]
enum Asked {
    Password {
        old: Secret,
        new: Secret,
    },
    Cert(CertDo),
    Oper(Credentials),
    Rehash,
    /// A message to the service, not parsed yet.
    Service(Secret),
}

#[derive(Debug)]
enum CertDo {
    Add(Option<DeviceKey>),
    List,
    Remove(DeviceKey),
}

fn on(command: &'static str, asked: Asked) -> Command {
    Command::Manage(Manage { voice: Voice::Command(command), asked })
}

fn secret(text: &str) -> Secret {
    Secret(Zeroizing::new(text.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn passwd(message: &Message<'_>) -> Result<Command, Reply> {
    let [old, new] = [0, 1].map(|at| secret(message.param(at).unwrap_or_default()));
    Ok(on("PASSWD", Asked::Password { old, new }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn oper(message: &Message<'_>) -> Result<Command, Reply> {
    let name = Nick::parse(message.param(0).unwrap_or_default()).ok();
    let password = Zeroizing::new(message.param(1).unwrap_or_default().to_owned());
    Ok(on("OPER", Asked::Oper(Credentials { name, password })))
}

/// Parses `ADD [FINGERPRINT]`, `LIST` or `DEL FINGERPRINT`.
fn cert(words: &[&str]) -> Result<Asked, Reply> {
    let key = |text: &str| {
        text.parse::<DeviceKey>()
            .map_err(|error| Reply::fail("CERT", "INVALID_FINGERPRINT").arg(text).text(error.to_string()))
    };
    let (word, rest) = words.split_first().unwrap_or((&"", &[]));
    Ok(Asked::Cert(match (word.to_ascii_uppercase().as_str(), rest) {
        ("ADD", []) => CertDo::Add(None),
        ("ADD", [text, ..]) => CertDo::Add(Some(key(text)?)),
        ("LIST", _) => CertDo::List,
        ("DEL", [text, ..]) => CertDo::Remove(key(text)?),
        ("DEL", []) => {
            return Err(Reply::numeric(ERR_NEEDMOREPARAMS)
                .arg("CERT")
                .text("Missing fingerprint: CERT DEL FINGERPRINT"));
        }
        _ => {
            let reply = Reply::fail("CERT", "INVALID_PARAMS").arg(word);
            return Err(reply.text("Unknown subcommand; use ADD [FINGERPRINT], LIST or DEL FINGERPRINT"));
        }
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn nickserv(message: &Message<'_>) -> Result<Command, Reply> {
    let line = secret(&message.params().join(" "));
    Ok(Command::Manage(Manage { voice: Voice::Service, asked: Asked::Service(line) }))
}

/// Returns whether a nick is that of the service. Messages to it are neither stored nor shown to others.
pub(in crate::core::commands) fn is_service(nick: &Nick) -> bool {
    nick.as_str().eq_ignore_ascii_case(SERVICE)
}

/// Handles a message to the service.
pub(in crate::core::commands) fn told(cx: &mut Context<'_>, text: &str) {
    Manage { voice: Voice::Service, asked: Asked::Service(secret(text)) }.run(cx);
}

impl Manage {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let voice = self.voice;
        match self.asked {
            Asked::Service(line) => service(cx, &line.0),
            Asked::Password { old, new } => ask_password(cx, old, new, voice),
            Asked::Cert(what) => run_cert(cx, &what, voice),
            Asked::Oper(credentials) => {
                if cx.is_admin() {
                    return cx.reply(Reply::numeric(RPL_YOUREOPER).text("You are already an admin"));
                }
                ask(cx, Request::Oper(credentials), voice);
            }
            Asked::Rehash => {
                if !cx.is_admin() {
                    let text = "Permission Denied - You're not an admin";
                    return cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text));
                }
                ask(cx, Request::Rehash, voice);
            }
        }
    }
}

fn ask_password(cx: &mut Context<'_>, old: Secret, new: Secret, voice: Voice) {
    let credentials = Credentials { name: Some(cx.member.nick.clone()), password: old.0 };
    ask(cx, Request::Password(credentials, new), voice);
}

fn run_cert(cx: &mut Context<'_>, what: &CertDo, voice: Voice) {
    if !cx.chat.writable && !matches!(what, CertDo::List) {
        return say(cx, voice, ("FAIL", "TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
    }
    match *what {
        CertDo::Add(key) => add_device(cx, key, voice),
        CertDo::List => list_devices(cx, voice),
        CertDo::Remove(key) => remove_device(cx, key, voice),
    }
}

/// Adds the device with this fingerprint, or the one that sends the request.
fn add_device(cx: &mut Context<'_>, key: Option<DeviceKey>, voice: Voice) {
    let shown = cx.chat.sessions.get(&cx.member.session).and_then(|session| session.certificate);
    let Some(key) = key.or(shown) else {
        let text =
            "This connection shows no client certificate; name a fingerprint, or set one up in your client";
        return say(cx, voice, ("FAIL", "NO_CERTIFICATE"), &[], text);
    };
    match cx.chat.add_device(cx.member.account, key, cx.at, cx.fx) {
        Ok(is_new) => {
            if is_new {
                cx.audit("device add", &key.to_string(), "");
            }
            let text = format!("Certificate {key} was added to your account");
            say(cx, voice, ("NOTE", "CERT_ADDED"), &[&key.to_string()], &text);
        }
        Err(why) => say(cx, voice, ("FAIL", "CERT_REFUSED"), &[], &why.to_string()),
    }
}

fn list_devices(cx: &mut Context<'_>, voice: Voice) {
    let devices = cx.me().map(|me| me.devices.clone()).unwrap_or_default();
    for device in &devices {
        let (key, added) = (device.key.to_string(), device.added.to_string());
        let used = device.used.map(|used| used.to_string());
        let text = format!("{key} added {added}, last used {}", used.as_deref().unwrap_or("never"));
        let about = [&*key, &*added, used.as_deref().unwrap_or("*")];
        say(cx, voice, ("NOTE", "CERT"), &about, &text);
    }
    let text = format!("{} may log in to your account", count(devices.len()));
    say(cx, voice, ("NOTE", "CERT_LIST"), &[], &text);
}

/// Removes a device. The session that asks is told before it ends, if it is that device's.
fn remove_device(cx: &mut Context<'_>, key: DeviceKey, voice: Voice) {
    if cx.me().is_none_or(|me| me.devices.iter().all(|device| device.key != key)) {
        let text = "No device of yours has this certificate";
        return say(cx, voice, ("FAIL", "NO_SUCH_CERT"), &[], text);
    }
    let text = format!("Certificate {key} was removed from your account");
    say(cx, voice, ("NOTE", "CERT_REMOVED"), &[&key.to_string()], &text);
    cx.audit("device remove", &key.to_string(), "");
    cx.chat.remove_device(cx.member.account, key, cx.at, cx.fx);
}

/// Parses and runs a message to the service.
fn service(cx: &mut Context<'_>, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (word, rest) = words.split_first().unwrap_or((&"HELP", &[]));
    match (word.to_ascii_uppercase().as_str(), rest) {
        ("HELP", _) => help(cx),
        ("IDENTIFY" | "LOGIN" | "AUTH", _) => notice(
            cx,
            "You are already logged in; IDENTIFY is not needed here. Your nick is always your account's name.",
        ),
        ("PASSWD" | "PASSWORD", [old, new]) => ask_password(cx, secret(old), secret(new), Voice::Service),
        ("PASSWD" | "PASSWORD", _) => {
            notice(cx, "Usage: PASSWD OLD NEW. For a password with spaces: /quote PASSWD OLD :NEW");
        }
        ("CERT", rest) => match cert(rest) {
            Ok(Asked::Cert(what)) => run_cert(cx, &what, Voice::Service),
            _ => notice(cx, "Usage: CERT ADD [FINGERPRINT], CERT LIST, CERT DEL FINGERPRINT"),
        },
        ("SET", rest) => set(cx, rest),
        ("INVITE" | "INVITES", rest) => invites::told(cx, rest),
        _ => notice(
            cx,
            "Unknown command. Available: HELP, IDENTIFY, PASSWD, CERT, SET; for admins also INVITE",
        ),
    }
}

/// Handles `SET REPLAY 50` and `SET BOT ON`: changes a preference of the account.
fn set(cx: &mut Context<'_>, words: &[&str]) {
    let Ok(preference) = words.join(" ").parse::<Preference>() else {
        return notice(cx, "Usage: SET REPLAY 0..100|DEFAULT, SET BOT ON|OFF");
    };
    if !cx.chat.writable {
        return notice(cx, UNAVAILABLE);
    }
    let (account, session) = (cx.member.account, cx.member.session);
    cx.chat.set_preference(account, preference, (cx.at, Some(session)), cx.fx);
    let text = match preference {
        Preference::Replay(None) => {
            "The number of replayed messages is the server's default again".to_owned()
        }
        Preference::Replay(Some(0)) => "Missed messages are no longer replayed to your clients".to_owned(),
        Preference::Replay(Some(most)) => {
            format!("Up to {most} missed messages per channel are replayed to clients without chathistory")
        }
        Preference::Bot(true) => {
            "Your account is marked as a bot (+B); missed messages are not replayed to it".to_owned()
        }
        Preference::Bot(false) => "Your account is no longer marked as a bot (-B)".to_owned(),
    };
    notice(cx, &text);
}

fn help(cx: &mut Context<'_>) {
    for line in [
        "PASSWD OLD NEW: changes your password and closes your other sessions.",
        "CERT ADD [FINGERPRINT]: a client certificate logs in to your account without a password (SASL EXTERNAL); \
         without a fingerprint, the one that this connection shows.",
        "CERT LIST: lists your certificates. CERT DEL FINGERPRINT: removes one.",
        "SET REPLAY 0..100: the number of messages of each channel that come by themselves when you log in or join with a \
         client that cannot ask for history. SET REPLAY DEFAULT: as many as the server is set to.",
        "SET BOT ON or OFF, or the mode +B: this account is a program; nothing is replayed to it.",
        "IDENTIFY: not needed, you are logged in.",
    ] {
        notice(cx, line);
    }
    if cx.is_admin() {
        notice(cx, &format!("INVITE {}: invites to the server.", invites::USAGE));
    }
}

/// Continues a command when the result of its request arrives.
pub(in crate::core) fn done(cx: &mut Context<'_>, voice: Voice, outcome: Outcome) {
    match outcome {
        Outcome::Oper(account, proven) => oper_found(cx, account, &proven),
        Outcome::Refused("WRONG_PASSWORD", _) if voice == Voice::Command("OPER") => {
            cx.reply(Reply::numeric(ERR_PASSWDMISMATCH).text("Not an admin account, or a wrong password"));
        }
        Outcome::Refused(code, why) => say(cx, voice, ("FAIL", code), &[], &why),
        Outcome::InviteLink { wish, token, link } => invites::linked(cx, voice, (wish, token), &link),
        Outcome::Password { .. } if !cx.chat.writable => {
            say(cx, voice, ("FAIL", "TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
        }
        Outcome::Password { proven, new } => {
            let (account, me) = (cx.member.account, cx.member.session);
            if cx.chat.change_password(account, (&proven, new), Some(me), cx.at, cx.fx) {
                let text = "Your password was changed; your other sessions were closed";
                say(cx, voice, ("NOTE", "PASSWORD_CHANGED"), &[], text);
            } else {
                let text = "The password was changed meanwhile, try again";
                say(cx, voice, ("FAIL", "TEMPORARILY_UNAVAILABLE"), &[], text);
            }
        }
        Outcome::Rehashed(settings) => {
            cx.reply(
                Reply::numeric(RPL_REHASHING).arg("parlour.toml").text("Rehashing: configuration reloaded"),
            );
            cx.fx.records.push(rehashed(cx.at, cx.member.account));
            cx.chat.settings = *settings;
        }
    }
}

/// Returns the audit record of a REHASH.
pub(in crate::core) fn rehashed(at: Millis, actor: AccountId) -> Record {
    let (target, detail) = ("".into(), "".into());
    Record::Audit { at, actor: Actor::Account(actor), action: "server rehash".into(), target, detail }
}

fn count(certificates: usize) -> String {
    match certificates {
        0 => "No certificate".to_owned(),
        1 => "1 certificate".to_owned(),
        n => format!("{n} certificates"),
    }
}

/// Continues OPER after the password with the hash `proven` was found right: gives the session the admin role if the
/// account is an admin's, is not disabled and still has that password.
fn oper_found(cx: &mut Context<'_>, account: AccountId, proven: &PasswordHash) {
    let admin = cx
        .chat
        .people
        .get(account)
        .filter(|person| person.is_admin() && !person.account.disabled && person.has_password(proven));
    let Some(name) = admin.map(|person| person.nick().to_string()) else {
        return cx
            .reply(Reply::numeric(ERR_PASSWDMISMATCH).text("Not an admin account, or a wrong password"));
    };
    if let Some(session) = cx.chat.sessions.get_mut(&cx.member.session) {
        session.admin_by = Some(account);
    }
    cx.audit("server oper", &name, "");
    cx.reply(Reply::numeric(RPL_YOUREOPER).text("You are now an IRC operator (admin) for this session"));
    let nick: Arc<str> = cx.member.nick.shared();
    let line = format!(":{} MODE {nick} :+o\r\n", cx.chat.settings.server_name);
    cx.fx.outputs.push(Output::Line(cx.member.session, line));
}
