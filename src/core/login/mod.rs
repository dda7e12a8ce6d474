//! The login machine: everything that a connection can reach before it is logged in.
//!
//! It follows [connection registration](https://modern.ircdocs.horse/#connection-registration) with
//! [capability negotiation](https://ircv3.net/specs/extensions/capability-negotiation),
//! [SASL](https://ircv3.net/specs/extensions/sasl-3.2) and
//! [account registration](https://ircv3.net/specs/extensions/account-registration). It does no IO: where a password
//! must be checked it returns a [`Step`] that says so, and continues when it gets the result.

mod answers;
mod pass;
mod proof;

use std::sync::Arc;

use zeroize::Zeroizing;

use super::commands::account::away;
use super::commands::session::cap;
use super::effects::isupport;
use super::effects::label;
use super::model::metadata::Early;
use super::record::AccountId;
use super::request::account::DeviceKey;
use super::request::sasl::{Collected, Credentials, MECHANISMS, Mechanism, Response};
use super::request::settings::{Settings, clip};
use crate::wire::numeric::{
    ERR_ERRONEUSNICKNAME, ERR_NEEDMOREPARAMS, ERR_NONICKNAMEGIVEN, ERR_NOTREGISTERED, ERR_SASLABORTED,
    ERR_SASLALREADY, ERR_SASLFAIL, ERR_SASLTOOLONG, RPL_LOGGEDIN, RPL_SASLMECHS, RPL_SASLSUCCESS,
};
use crate::wire::{Cap, CapSet, Message, Nick, Reply, Tags, chars};

pub use proof::Proof;

/// A completed login. Only the login machine makes one, and only after a password or a device was verified.
#[derive(Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "the rest of this crate may not make one either")]
pub struct Login {
    /// The account that logged in.
    pub account: AccountId,
    /// Capabilities that the client negotiated.
    pub caps: CapSet,
    /// Nick that the client asked for, if it differs from the account's name.
    pub asked_nick: Option<Box<str>>,
    /// Real name from USER.
    pub realname: Arc<str>,
    /// Away message from before the login ([pre-away](https://ircv3.net/specs/extensions/pre-away)).
    pub away: Option<Arc<str>>,
    /// Metadata and subscriptions from before the login.
    pub metadata: Early,
    /// Fingerprint of the certificate that the connection presented, of a device or not.
    pub certificate: Option<DeviceKey>,
    /// Copy of [`Verified::proof`].
    pub proof: Proof,
    _private: (),
}

/// Next action for the connection.
#[derive(Debug)]
pub enum Step {
    /// Feed the next line.
    Continue,
    /// Check a password and call [`LoginMachine::checked`]. Feed no further line before that.
    Check(Credentials),
    /// Look up the device of the connection's certificate and call [`LoginMachine::checked`]. If a name is given, the
    /// device must belong to that account.
    Prove(Option<Nick>),
    /// Redeem an invite and call [`LoginMachine::registered`]. Feed no further line before that.
    Register(Registration),
    /// The login is complete: pass it to the core.
    Done(Login),
    /// End the connection with an ERROR that gives this reason.
    Close(String),
}

/// A parsed REGISTER.
pub struct Registration {
    /// Name of the new account.
    pub name: Nick,
    /// Password of the new account, wiped from memory when it is dropped.
    pub password: Zeroizing<String>,
    /// Token of the invite, as given with PASS.
    pub token: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An account whose password or device was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Id of the account.
    pub account: AccountId,
    /// Name of the account.
    pub name: Nick,
    /// The password or device that was verified.
    pub proof: Proof,
}

/// Result of checking a password or a device.
#[derive(Debug)]
pub enum Checked {
    /// The password or the device is right.
    Right(Verified),
    /// The account does not exist or is disabled, or the password is wrong. The reply does not tell these apart.
    Wrong,
    /// The check did not take place, for this reason.
    Later(String),
    /// The connection has no certificate of a known device, for this reason. No secret was tried.
    Unproven(String),
}

/// Failure of a registration.
#[derive(Debug)]
pub struct Refused {
    /// Code of the FAIL (standard replies).
    pub code: &'static str,
    /// Text for the user: what happened and what to do.
    pub text: String,
}

/// State of one connection before it is logged in.
#[derive(Debug, Default)]
pub struct LoginMachine {
    /// The server's settings, for ISUPPORT.
    settings: Arc<Settings>,
    /// Fingerprint of the certificate that the connection presented.
    certificate: Option<DeviceKey>,
    caps: CapSet,
    away: Option<Arc<str>>,
    metadata: Early,
    /// CAP LS or CAP REQ came without CAP END: the login waits (capability negotiation).
    negotiating: bool,
    nick: Option<Box<str>>,
    realname: Option<Arc<str>>,
    /// From PASS: the token of an invite for REGISTER, or `NAME:PASSWORD` of clients without SASL.
    pass: Option<Zeroizing<String>>,
    /// The check in progress is for PASS and not for SASL.
    checks_pass: bool,
    /// Label of the command in progress.
    label: Option<Box<str>>,
    /// The chosen mechanism and its response so far.
    response: Option<(Mechanism, Response)>,
    registering: Option<Nick>,
    verified: Option<Verified>,
    failures: u32,
}

impl LoginMachine {
    /// Number of failed attempts that ends a connection.
    const FAILURES: u32 = 5;

    /// Creates the state of a new connection to a server with these settings, which presented a certificate with this
    /// fingerprint, if any.
    pub fn new(settings: Arc<Settings>, certificate: Option<DeviceKey>) -> Self {
        Self { settings, certificate, ..Self::default() }
    }

    /// Handles a line and appends its replies to `out`.
    pub fn line(&mut self, message: &Message<'_>, out: &mut String) -> Step {
        let start = out.len();
        self.label = if self.caps.has(Cap::LabeledResponse) { label::of(message) } else { None };
        let step = self.command(message, out);
        if !step.is_check() {
            self.answer_label(start, out);
        }
        step
    }

    fn command(&mut self, message: &Message<'_>, out: &mut String) -> Step {
        let params = message.params();
        match message.command.to_ascii_uppercase().as_str() {
            "CAP" => self.cap(params, out),
            "PASS" => match params {
                [_, ..] => {
                    // Clients that put no colon before a password with spaces send it as several parameters.
                    self.pass = Some(Zeroizing::new(params.join(" ")));
                    Step::Continue
                }
                [] => self.say(out, &need_more("PASS")),
            },
            "NICK" => self.nick(params, out),
            "USER" => match params {
                [_, _, _, realname, ..] if !realname.is_empty() => {
                    let realname = chars::without_refused(realname);
                    self.realname = Some(clip(realname.trim(), Settings::REALNAME_BYTES).into());
                    self.finish(out)
                }
                _ => self.say(out, &need_more("USER")),
            },
            "AUTHENTICATE" => match params {
                [param, ..] => self.authenticate(param, out),
                [] => self.say(out, &need_more("AUTHENTICATE")),
            },
            "REGISTER" => self.register(params, out),
            "PING" => match params {
                [token, ..] => {
                    self.say(out, &Reply::command("PONG").arg(self.settings.server_name.as_str()).text(token))
                }
                [] => self.say(out, &need_more("PING")),
            },
            "PONG" => Step::Continue,
            "AWAY" if self.caps.has(Cap::PreAway) => {
                self.away = away::message(params.first().copied());
                self.say(out, &away::answer(self.away.as_deref()))
            }
            "METADATA" if self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) => {
                let nick: Box<str> = self.known_as().into();
                out.extend(self.metadata.take(params, self.caps, (&self.settings.server_name, &nick)));
                Step::Continue
            }
            "ISUPPORT" if self.caps.has(Cap::ExtendedIsupport) => {
                let lines = isupport::lines(&self.settings, self.caps, self.known_as());
                out.extend(lines);
                Step::Continue
            }
            "QUIT" => Step::Close("Client quit before it logged in".to_owned()),
            other => {
                let reply = Reply::numeric(ERR_NOTREGISTERED).arg(other).text("You have not logged in");
                self.say(out, &reply)
            }
        }
    }

    /// Replies to a line that did not parse, with the label in its tags if those are readable.
    pub fn refuse(&mut self, tags: Option<Tags<'_>>, reply: &Reply, out: &mut String) {
        let start = out.len();
        self.label = tags.filter(|_| self.caps.has(Cap::LabeledResponse)).and_then(label::in_tags);
        self.say(out, reply);
        self.answer_label(start, out);
    }

    /// Continues after [`Step::Check`] and [`Step::Prove`].
    pub fn checked(&mut self, outcome: Checked, out: &mut String) -> Step {
        let start = out.len();
        let step = if std::mem::take(&mut self.checks_pass) {
            self.pass_checked(outcome, out)
        } else {
            self.sasl_checked(outcome, out)
        };
        self.answer_label(start, out);
        step
    }

    fn sasl_checked(&mut self, outcome: Checked, out: &mut String) -> Step {
        match outcome {
            Checked::Right(verified) => {
                self.logged_in(verified, out);
                self.say(out, &Reply::numeric(RPL_SASLSUCCESS).text("SASL authentication successful"));
                self.finish(out)
            }
            Checked::Wrong => self.failed(out, WRONG),
            Checked::Later(why) => self.failed(out, &why),
            // Clients try every mechanism in turn, so this is not counted as a failure.
            Checked::Unproven(why) => self
                .say(out, &Reply::numeric(ERR_SASLFAIL).text(format!("SASL authentication failed: {why}"))),
        }
    }

    /// Continues after [`Step::Register`].
    pub fn registered(&mut self, outcome: Result<Verified, Refused>, out: &mut String) -> Step {
        let start = out.len();
        let step = self.register_answered(outcome, out);
        self.answer_label(start, out);
        step
    }

    fn register_answered(&mut self, outcome: Result<Verified, Refused>, out: &mut String) -> Step {
        let name = self.registering.take();
        match outcome {
            Ok(verified) => {
                self.pass = None;
                let success = Reply::command("REGISTER").arg("SUCCESS").arg(verified.name.as_str());
                self.say(out, &success.text("Account created"));
                self.logged_in(verified, out);
                self.finish(out)
            }
            Err(Refused { code, text }) => {
                self.failures += 1;
                let account = name.as_ref().map_or("*", Nick::as_str);
                self.say(out, &Reply::fail("REGISTER", code).arg(account).text(text));
                self.give_up_or(Step::Continue)
            }
        }
    }

    /// Returns the name of the account that logged in.
    pub fn into_name(self) -> Option<Nick> {
        self.verified.map(|verified| verified.name)
    }

    /// Returns the nick for replies: the account's name, the nick it asked for, or `*`.
    fn known_as(&self) -> &str {
        match (&self.verified, &self.nick) {
            (Some(verified), _) => verified.name.as_str(),
            (None, Some(nick)) => nick,
            (None, None) => "*",
        }
    }

    fn say(&self, out: &mut String, reply: &Reply) -> Step {
        out.push_str(&reply.render(self.settings.server_name.as_str(), self.known_as()));
        Step::Continue
    }

    fn cap(&mut self, params: &[&str], out: &mut String) -> Step {
        let nick: Box<str> = self.known_as().into();
        let answer = cap::negotiate(params, (&self.settings.server_name, &nick), &mut self.caps);
        for reply in &answer.replies {
            self.say(out, reply);
        }
        match answer.negotiation {
            Some(cap::Negotiation::Holds) => {
                self.negotiating = true;
                Step::Continue
            }
            Some(cap::Negotiation::Ends) => {
                self.negotiating = false;
                self.finish(out)
            }
            None => Step::Continue,
        }
    }

    fn nick(&mut self, params: &[&str], out: &mut String) -> Step {
        let Some(&text) = params.first().filter(|text| !text.is_empty()) else {
            return self.say(out, &Reply::numeric(ERR_NONICKNAMEGIVEN).text("No nickname given"));
        };
        match Nick::parse(text) {
            Ok(nick) => {
                self.nick = Some(nick.as_str().into());
                self.finish(out)
            }
            Err(why) => {
                let reply = Reply::numeric(ERR_ERRONEUSNICKNAME).arg(text);
                self.say(out, &reply.text(format!("Erroneous nickname: {why}")))
            }
        }
    }

    fn authenticate(&mut self, param: &str, out: &mut String) -> Step {
        if self.verified.is_some() {
            let text = "You have already logged in";
            return self.say(out, &Reply::numeric(ERR_SASLALREADY).text(text));
        }
        let Some((mechanism, response)) = &mut self.response else {
            if param == "*" {
                return self.say(out, &aborted());
            }
            if let Some(mechanism) = Mechanism::parse(param) {
                self.response = Some((mechanism, Response::default()));
                return self.say(out, &Reply::bare("AUTHENTICATE").arg("+"));
            }
            let known = Reply::numeric(RPL_SASLMECHS).arg(MECHANISMS);
            self.say(out, &known.text("are available SASL mechanisms"));
            // Clients try every mechanism in turn. No secret was tried, so no failure is counted.
            return self.say(out, &Reply::numeric(ERR_SASLFAIL).text("SASL authentication failed"));
        };
        if param == "*" {
            self.response = None;
            return self.say(out, &aborted());
        }
        let mechanism = *mechanism;
        match response.push(param) {
            Collected::More => Step::Continue,
            Collected::TooLong => {
                self.response = None;
                self.say(out, &Reply::numeric(ERR_SASLTOOLONG).text("SASL message too long"))
            }
            Collected::Garbled => {
                self.response = None;
                self.failed(out, "The SASL response is not base64")
            }
            Collected::All(name) if mechanism == Mechanism::External => {
                self.response = None;
                let name = std::str::from_utf8(&name).unwrap_or("?");
                match Some(name).filter(|name| !name.is_empty()).map(Nick::parse).transpose() {
                    Ok(name) => Step::Prove(name),
                    Err(_) => self.failed(out, "The SASL response is not a valid account name"),
                }
            }
            Collected::All(bytes) => {
                self.response = None;
                match Credentials::from_plain(&bytes) {
                    Some(credentials) => Step::Check(credentials),
                    None => self.failed(out, "The SASL response is not valid PLAIN data"),
                }
            }
        }
    }

    fn register(&mut self, params: &[&str], out: &mut String) -> Step {
        let fail =
            |code: &str, context: &str, text: &str| Reply::fail("REGISTER", code).arg(context).text(text);
        let [account, _email, password, ..] = params else {
            return self.say(out, &need_more("REGISTER"));
        };
        if let Some(verified) = &self.verified {
            let reply = fail("ALREADY_AUTHENTICATED", verified.name.as_str(), "You have already logged in");
            return self.say(out, &reply);
        }
        let account = if *account == "*" { self.nick.as_deref().unwrap_or("*") } else { account };
        if account == "*" {
            return self.say(out, &fail("NEED_NICK", "*", "Choose a nick first, or name the account"));
        }
        match Nick::parse(account) {
            Ok(name) => {
                self.registering = Some(name.clone());
                Step::Register(Registration {
                    name,
                    password: Zeroizing::new((*password).to_owned()),
                    token: self.pass.clone(),
                })
            }
            Err(why) => {
                let text = format!("Invalid account name: {why}");
                self.say(out, &fail("BAD_ACCOUNT_NAME", account, &text))
            }
        }
    }

    fn logged_in(&mut self, verified: Verified, out: &mut String) {
        let name = verified.name.clone();
        let mask = format!("{name}!{name}@{}", super::request::settings::USER_HOST);
        self.verified = Some(verified);
        let reply = Reply::numeric(RPL_LOGGEDIN).arg(mask).arg(name.as_str());
        self.say(out, &reply.text(format!("You are now logged in as {name}")));
    }

    fn failed(&mut self, out: &mut String, why: &str) -> Step {
        self.failures += 1;
        self.say(out, &Reply::numeric(ERR_SASLFAIL).text(format!("SASL authentication failed: {why}")));
        self.give_up_or(Step::Continue)
    }

    fn give_up_or(&self, step: Step) -> Step {
        if self.failures >= Self::FAILURES {
            return Step::Close("Too many failed logins".to_owned());
        }
        step
    }

    /// Completes the login once the client has sent everything that it needs.
    fn finish(&mut self, out: &mut String) -> Step {
        if self.negotiating {
            return Step::Continue;
        }
        let (Some(nick), Some(realname)) = (&self.nick, &self.realname) else { return Step::Continue };
        let Some(verified) = &self.verified else {
            if let Some(text) = self.pass.take() {
                return self.pass(&text, out);
            }
            let text = "You must log in: set up SASL PLAIN in your client with the name and password of your account; \
                        without an account, ask for an invite and use `parlour join`";
            if self.caps.has(Cap::StandardReplies) || self.caps.has(Cap::AccountRegistration) {
                self.say(out, &Reply::fail("*", "ACCOUNT_REQUIRED").text(text));
            }
            return Step::Close(text.to_owned());
        };
        Step::Done(Login {
            account: verified.account,
            caps: self.caps,
            asked_nick: (!nick.eq_ignore_ascii_case(verified.name.as_str())).then(|| nick.clone()),
            // The real name may be empty after characters that can't be shown were removed.
            realname: if realname.is_empty() { verified.name.shared() } else { realname.clone() },
            away: self.away.clone(),
            metadata: self.metadata.clone(),
            certificate: self.certificate,
            proof: verified.proof.clone(),
            _private: (),
        })
    }
}

/// Reply for an unknown account, a disabled account and a wrong password alike, so that clients can't tell which.
const WRONG: &str = "Wrong account name or password";

fn need_more(command: &str) -> Reply {
    Reply::numeric(ERR_NEEDMOREPARAMS).arg(command).text("Not enough parameters")
}

fn aborted() -> Reply {
    Reply::numeric(ERR_SASLABORTED).text("SASL authentication aborted")
}

#[cfg(test)]
mod tests;
