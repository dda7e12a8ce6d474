//! PASSWD, CERT, OPER and REHASH, and the `NickServ` service, which offers account commands to users who expect it.

use zeroize::Zeroizing;

use super::invites;
use super::reply_form::{SERVICE_NICK, StandardReply, UNAVAILABLE, send_reply, send_service_notice};
use crate::core::commands::{Command, Spec};
use crate::core::effects::query::{
    OperQuery, PasswordQuery, PasswordResult, Query, QueryRefusal, RehashQuery, RehashResult,
    VerifiedPassword,
};
use crate::core::record::Preference;
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::secret::Secret;
use crate::core::request::reply_form::ReplyForm;
use crate::core::request::sasl::Credentials;
use crate::core::state::context::Context;
use crate::wire::numeric::{
    ERR_NEEDMOREPARAMS, ERR_NOPRIVILEGES, ERR_PASSWDMISMATCH, RPL_REHASHING, RPL_YOUREOPER,
};
use crate::wire::{Message, Nick, Reply};

/// The PASSWD command: changes the account's password.
pub const PASSWD: Spec = Spec { name: "PASSWD", min_params: 2, parse: parse_passwd };
/// The CERT command: adds, lists and removes devices.
pub const CERT: Spec = Spec {
    name: "CERT",
    min_params: 1,
    parse: |m| parse_cert(m.params()).map(|action| account_command("CERT", action)),
};
/// The OPER command: gives the session the admin role.
pub const OPER: Spec = Spec { name: "OPER", min_params: 2, parse: parse_oper };
/// The REHASH command: reads the configuration file again.
pub const REHASH: Spec =
    Spec { name: "REHASH", min_params: 0, parse: |_| Ok(account_command("REHASH", AccountAction::Rehash)) };
/// The NICKSERV command: a message to the service.
pub const NICKSERV: Spec = Spec { name: "NICKSERV", min_params: 0, parse: parse_nickserv };
/// The NS command, short for NICKSERV.
pub const NS: Spec = Spec { name: "NS", min_params: 0, parse: parse_nickserv };

/// A parsed command about the account or the server, with the form of its reply.
#[derive(Debug)]
pub struct ServiceCommand {
    reply_form: ReplyForm,
    action: AccountAction,
}

#[derive(Debug)]
enum AccountAction {
    Password {
        old: Secret,
        new: Secret,
    },
    Cert(CertAction),
    Oper(Credentials),
    Rehash,
    /// A message to the service, not parsed yet.
    Service(Secret),
}

#[derive(Debug)]
enum CertAction {
    Add(Option<CertificateFingerprint>),
    List,
    Remove(CertificateFingerprint),
}

fn account_command(command: &'static str, action: AccountAction) -> Command {
    Command::ServiceCommand(ServiceCommand { reply_form: ReplyForm::Command(command), action })
}

fn to_secret(text: &str) -> Secret {
    Secret(Zeroizing::new(text.to_owned()))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_passwd(message: &Message<'_>) -> Result<Command, Reply> {
    let [old, new] = [0, 1].map(|at| to_secret(message.param(at).unwrap_or_default()));
    Ok(account_command("PASSWD", AccountAction::Password { old, new }))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of every parser")]
fn parse_oper(message: &Message<'_>) -> Result<Command, Reply> {
    let name = Nick::parse(message.param(0).unwrap_or_default()).ok();
    let password = Zeroizing::new(message.param(1).unwrap_or_default().to_owned());
    Ok(account_command("OPER", AccountAction::Oper(Credentials { name, password })))
}

/// Parses `ADD [FINGERPRINT]`, `LIST` or `DEL FINGERPRINT`.
fn parse_cert(words: &[&str]) -> Result<AccountAction, Reply> {
    let parse_fingerprint = |text: &str| {
        text.parse::<CertificateFingerprint>()
            .map_err(|error| Reply::fail("CERT", "INVALID_FINGERPRINT").arg(text).text(error.to_string()))
    };
    let (word, rest) = words.split_first().unwrap_or((&"", &[]));
    Ok(AccountAction::Cert(match (word.to_ascii_uppercase().as_str(), rest) {
        ("ADD", []) => CertAction::Add(None),
        ("ADD", [text, ..]) => CertAction::Add(Some(parse_fingerprint(text)?)),
        ("LIST", _) => CertAction::List,
        ("DEL", [text, ..]) => CertAction::Remove(parse_fingerprint(text)?),
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
fn parse_nickserv(message: &Message<'_>) -> Result<Command, Reply> {
    let line = to_secret(&message.params().join(" "));
    Ok(Command::ServiceCommand(ServiceCommand {
        reply_form: ReplyForm::Service,
        action: AccountAction::Service(line),
    }))
}

/// Returns whether a nick is that of the service. Messages to it are neither stored nor shown to others.
pub(in crate::core::commands) fn is_service(nick: &Nick) -> bool {
    nick.as_str().eq_ignore_ascii_case(SERVICE_NICK)
}

/// Handles a message to the service.
pub(in crate::core::commands) fn run_service_message(cx: &mut Context<'_>, text: &str) {
    ServiceCommand { reply_form: ReplyForm::Service, action: AccountAction::Service(to_secret(text)) }
        .run(cx);
}

impl ServiceCommand {
    pub(in crate::core::commands) fn run(self, cx: &mut Context<'_>) {
        let reply_form = self.reply_form;
        match self.action {
            AccountAction::Service(line) => run_service_line(cx, &line.0),
            AccountAction::Password { old, new } => request_password_change(cx, old, new, reply_form),
            AccountAction::Cert(action) => run_cert_action(cx, &action, reply_form),
            // An admin's password is checked as well: the reply must not say that a wrong one is right.
            AccountAction::Oper(credentials) => cx.query(Query::Oper(OperQuery { credentials })),
            AccountAction::Rehash => {
                if !cx.is_admin() {
                    let text = "Permission Denied - You're not an admin";
                    return cx.reply(Reply::numeric(ERR_NOPRIVILEGES).text(text));
                }
                cx.query(Query::Rehash(RehashQuery { account: cx.sender.account }));
            }
        }
    }
}

fn request_password_change(cx: &mut Context<'_>, old: Secret, new: Secret, reply_form: ReplyForm) {
    let present = Credentials { name: Some(cx.sender.nick.clone()), password: old.0 };
    cx.query(Query::Password(PasswordQuery { account: cx.sender.account, present, new, reply_form }));
}

fn run_cert_action(cx: &mut Context<'_>, action: &CertAction, reply_form: ReplyForm) {
    if !cx.core.writable && !matches!(action, CertAction::List) {
        return send_reply(cx, reply_form, StandardReply::Fail("TEMPORARILY_UNAVAILABLE"), &[], UNAVAILABLE);
    }
    match *action {
        CertAction::Add(key) => add_device(cx, key, reply_form),
        CertAction::List => list_devices(cx, reply_form),
        CertAction::Remove(key) => remove_device(cx, key, reply_form),
    }
}

/// Adds the device with this fingerprint, or the one that sends the request.
fn add_device(cx: &mut Context<'_>, fingerprint: Option<CertificateFingerprint>, reply_form: ReplyForm) {
    let presented = cx.core.sessions.get(&cx.sender.session).and_then(|session| session.certificate);
    let Some(fingerprint) = fingerprint.or(presented) else {
        let text =
            "This connection shows no client certificate; name a fingerprint, or set one up in your client";
        return send_reply(cx, reply_form, StandardReply::Fail("NO_CERTIFICATE"), &[], text);
    };
    match cx.core.add_device(cx.sender.account, fingerprint, cx.at, cx.fx) {
        Ok(is_new) => {
            if is_new {
                cx.audit("device add", &fingerprint.to_string(), "");
            }
            let text = format!("Certificate {fingerprint} was added to your account");
            send_reply(cx, reply_form, StandardReply::Note("CERT_ADDED"), &[&fingerprint.to_string()], &text);
        }
        Err(error) => {
            send_reply(cx, reply_form, StandardReply::Fail("CERT_REFUSED"), &[], &error.to_string());
        }
    }
}

fn list_devices(cx: &mut Context<'_>, reply_form: ReplyForm) {
    let devices = cx.sender_account().map(|me| me.devices.clone()).unwrap_or_default();
    for device in &devices {
        let (key, added) = (device.fingerprint.to_string(), device.added_at.to_string());
        let used = device.last_login.map(|used| used.to_string());
        let text = format!("{key} added {added}, last used {}", used.as_deref().unwrap_or("never"));
        let context = [&*key, &*added, used.as_deref().unwrap_or("*")];
        send_reply(cx, reply_form, StandardReply::Note("CERT"), &context, &text);
    }
    let text = format!("{} may log in to your account", describe_count(devices.len()));
    send_reply(cx, reply_form, StandardReply::Note("CERT_LIST"), &[], &text);
}

/// Removes a device. The session that requested it gets the reply before it ends, if it is that device's.
fn remove_device(cx: &mut Context<'_>, fingerprint: CertificateFingerprint, reply_form: ReplyForm) {
    if cx.sender_account().is_none_or(|me| me.devices.iter().all(|device| device.fingerprint != fingerprint))
    {
        let text = "No device of yours has this certificate";
        return send_reply(cx, reply_form, StandardReply::Fail("NO_SUCH_CERT"), &[], text);
    }
    let text = format!("Certificate {fingerprint} was removed from your account");
    send_reply(cx, reply_form, StandardReply::Note("CERT_REMOVED"), &[&fingerprint.to_string()], &text);
    cx.audit("device remove", &fingerprint.to_string(), "");
    cx.core.remove_device(cx.sender.account, fingerprint, cx.at, cx.fx);
}

/// Parses and runs a message to the service.
fn run_service_line(cx: &mut Context<'_>, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (word, rest) = words.split_first().unwrap_or((&"HELP", &[]));
    match (word.to_ascii_uppercase().as_str(), rest) {
        ("HELP", _) => send_help(cx),
        ("IDENTIFY" | "LOGIN" | "AUTH", _) => send_service_notice(
            cx,
            "You are already logged in; IDENTIFY is not needed here. Your nick is always your account's name.",
        ),
        ("PASSWD" | "PASSWORD", [old, new]) => {
            request_password_change(cx, to_secret(old), to_secret(new), ReplyForm::Service);
        }
        ("PASSWD" | "PASSWORD", _) => {
            send_service_notice(
                cx,
                "Usage: PASSWD OLD NEW. For a password with spaces: /quote PASSWD OLD :NEW",
            );
        }
        ("CERT", rest) => match parse_cert(rest) {
            Ok(AccountAction::Cert(action)) => run_cert_action(cx, &action, ReplyForm::Service),
            _ => send_service_notice(cx, "Usage: CERT ADD [FINGERPRINT], CERT LIST, CERT DEL FINGERPRINT"),
        },
        ("SET", rest) => set_preference(cx, rest),
        ("INVITE" | "INVITES", rest) => invites::run_service_message(cx, rest),
        _ => send_service_notice(
            cx,
            "Unknown command. Available: HELP, IDENTIFY, PASSWD, CERT, SET; for admins also INVITE",
        ),
    }
}

/// Handles `SET REPLAY 50` and `SET BOT ON`: changes a preference of the account.
fn set_preference(cx: &mut Context<'_>, words: &[&str]) {
    let Ok(preference) = words.join(" ").parse::<Preference>() else {
        return send_service_notice(cx, "Usage: SET REPLAY 0..100|DEFAULT, SET BOT ON|OFF");
    };
    if !cx.core.writable {
        return send_service_notice(cx, UNAVAILABLE);
    }
    let (account, session) = (cx.sender.account, cx.sender.session);
    cx.core.set_preference(account, preference, Some(session), cx.at, cx.fx);
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
    send_service_notice(cx, &text);
}

fn send_help(cx: &mut Context<'_>) {
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
        send_service_notice(cx, line);
    }
    if cx.is_admin() {
        send_service_notice(cx, &format!("INVITE {}: invites to the server.", invites::USAGE));
    }
}

/// Continues PASSWD when the new password is hashed.
pub(in crate::core) fn complete_password_change(cx: &mut Context<'_>, result: PasswordResult) {
    let PasswordResult { reply_form, outcome, .. } = result;
    let password = match outcome {
        Ok(_) if !cx.core.writable => {
            return send_reply(
                cx,
                reply_form,
                StandardReply::Fail("TEMPORARILY_UNAVAILABLE"),
                &[],
                UNAVAILABLE,
            );
        }
        Ok(password) => password,
        Err(refusal) => return reply_refusal(cx, reply_form, &refusal),
    };
    let (account, me) = (cx.sender.account, cx.sender.session);
    if cx.core.change_password(account, password, Some(me), cx.at, cx.fx) {
        let text = "Your password was changed; your other sessions were closed";
        send_reply(cx, reply_form, StandardReply::Note("PASSWORD_CHANGED"), &[], text);
    } else {
        let text = "The password was changed meanwhile, try again";
        send_reply(cx, reply_form, StandardReply::Fail("TEMPORARILY_UNAVAILABLE"), &[], text);
    }
}

/// Continues REHASH when the configuration is read.
pub(in crate::core) fn complete_rehash(cx: &mut Context<'_>, result: RehashResult) {
    match result.outcome {
        Ok(reread) => {
            let text = format!("Rehashing: configuration reloaded; {}", reread.changes);
            cx.reply(Reply::numeric(RPL_REHASHING).arg("parlour.toml").text(text));
            cx.core.apply_rehash(result.account, *reread, cx.at, cx.fx);
        }
        Err(refusal) => reply_refusal(cx, ReplyForm::Command(REHASH.name), &refusal),
    }
}

fn reply_refusal(cx: &mut Context<'_>, reply_form: ReplyForm, refusal: &QueryRefusal) {
    send_reply(cx, reply_form, StandardReply::Fail(refusal.code), &[], &refusal.text);
}

fn describe_count(certificates: usize) -> String {
    match certificates {
        0 => "No certificate".to_owned(),
        1 => "1 certificate".to_owned(),
        n => format!("{n} certificates"),
    }
}

/// Continues OPER when the password is checked: gives the session the admin role if the account is an admin's, is not
/// disabled and still has that password.
pub(in crate::core) fn complete_oper(cx: &mut Context<'_>, result: Result<VerifiedPassword, QueryRefusal>) {
    let verified = match result {
        Ok(verified) => Some(verified),
        Err(refusal) if refusal.code == QueryRefusal::WRONG_PASSWORD => None,
        Err(refusal) => return reply_refusal(cx, ReplyForm::Command(OPER.name), &refusal),
    };
    let admin = verified.as_ref().and_then(|VerifiedPassword { account, proven }| {
        let admin = cx.core.accounts.get(*account)?;
        let may = admin.is_admin() && !admin.account.disabled && admin.has_password(proven);
        may.then(|| (*account, admin.nick().clone()))
    });
    let Some((account, name)) = admin else {
        let text = "Not an admin account, or a wrong password";
        return cx.reply(Reply::numeric(ERR_PASSWDMISMATCH).text(text));
    };
    if cx.is_admin() {
        return cx.reply(Reply::numeric(RPL_YOUREOPER).text("You are already an admin"));
    }
    if let Some(session) = cx.sender_session_mut() {
        session.oper_account = Some(account);
    }
    cx.audit("server oper", name.as_str(), "");
    cx.reply(Reply::numeric(RPL_YOUREOPER).text("You are now an IRC operator (admin) for this session"));
    cx.reply(Reply::command("MODE").arg(cx.sender.nick.as_str()).text("+o"));
}
