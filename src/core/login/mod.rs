//! The login machine: everything that a connection can reach before it is logged in.
//!
//! It follows [connection registration](https://modern.ircdocs.horse/#connection-registration) with
//! [capability negotiation](https://ircv3.net/specs/extensions/capability-negotiation),
//! [SASL](https://ircv3.net/specs/extensions/sasl-3.2) and
//! [account registration](https://ircv3.net/specs/extensions/account-registration). It does no IO: where a password
//! must be checked it returns a [`LoginStep`] that says so, and continues when it gets the result.

mod pass;
mod proof;
mod reply_finishing;
mod verification;

use std::sync::Arc;

use zeroize::Zeroizing;

use self::reply_finishing::Replies;
use super::commands::account::away;
use super::commands::session::cap;
use super::effects::isupport;
use super::model::metadata::PreLoginMetadata;
use super::record::AccountId;
use super::record::device::CertificateFingerprint;
use super::request::sasl::{ChunkResult, Credentials, MECHANISMS, Mechanism, ResponseBuffer};
use super::settings::{Settings, truncate_str};
use crate::wire::numeric::{
    ERR_ERRONEUSNICKNAME, ERR_NEEDMOREPARAMS, ERR_NONICKNAMEGIVEN, ERR_NOTREGISTERED, ERR_SASLABORTED,
    ERR_SASLALREADY, ERR_SASLFAIL, ERR_SASLTOOLONG, RPL_LOGGEDIN, RPL_SASLMECHS, RPL_SASLSUCCESS,
};
use crate::wire::{Cap, CapSet, Label, Message, Nick, Reply, Tags, chars};

pub use proof::Proof;
pub use verification::{Registration, RegistrationError, Verification, Verified};

/// A completed login. Only the login machine makes one, and only after a password or a device was verified.
#[derive(Debug)]
#[expect(clippy::manual_non_exhaustive, reason = "the rest of this crate may not make one either")]
pub struct Login {
    /// The account that logged in.
    pub account: AccountId,
    /// Capabilities that the client negotiated.
    pub caps: CapSet,
    /// Nick that the client requested, if it differs from the account's name.
    pub requested_nick: Option<Box<str>>,
    /// Real name from USER.
    pub realname: Arc<str>,
    /// Away message from before the login ([pre-away](https://ircv3.net/specs/extensions/pre-away)).
    pub away: Option<Arc<str>>,
    /// Metadata and subscriptions from before the login.
    pub metadata: PreLoginMetadata,
    /// Fingerprint of the certificate that the connection presented, of a device or not.
    pub certificate: Option<CertificateFingerprint>,
    /// Copy of [`Verified::proof`].
    pub proof: Proof,
    _private: (),
}

/// Next action for the connection.
#[derive(Debug)]
pub enum LoginStep {
    /// Feed the next line.
    Continue,
    /// Check a password and call [`LoginMachine::resume_with_verification`]. Feed no further line before that.
    CheckPassword(Credentials),
    /// Look up the device of the connection's certificate and call [`LoginMachine::resume_with_verification`]. If a name is given, the
    /// device must belong to that account.
    LookUpDevice(Option<Nick>),
    /// Redeem an invite and call [`LoginMachine::resume_with_registration`]. Feed no further line before that.
    RedeemInvite(Registration),
    /// The login is complete: pass it to the core.
    Done(Login),
    /// End the connection with an ERROR that gives this reason.
    Close(String),
}

/// State of one connection before it is logged in.
#[derive(Debug, Default)]
pub struct LoginMachine {
    /// The server's settings, for ISUPPORT.
    settings: Arc<Settings>,
    /// Fingerprint of the certificate that the connection presented.
    certificate: Option<CertificateFingerprint>,
    caps: CapSet,
    away: Option<Arc<str>>,
    metadata: PreLoginMetadata,
    /// CAP LS or CAP REQ came without CAP END: the login waits (capability negotiation).
    negotiating: bool,
    nick: Option<Box<str>>,
    realname: Option<Arc<str>>,
    /// From PASS: the token of an invite for REGISTER, or `NAME:PASSWORD` of clients without SASL.
    pass: Option<Zeroizing<String>>,
    /// The check in progress is for PASS and not for SASL.
    checking_pass: bool,
    /// Label of the command in progress.
    label: Option<Label>,
    /// The chosen mechanism and its response so far.
    response: Option<(Mechanism, ResponseBuffer)>,
    registering_name: Option<Nick>,
    verified: Option<Verified>,
    failures: u32,
}

impl LoginMachine {
    /// Number of failed attempts that ends a connection.
    const MAX_FAILURES: u32 = 5;

    /// Creates the state of a new connection to a server with these settings, which presented a certificate with this
    /// fingerprint, if any.
    pub fn new(settings: Arc<Settings>, certificate: Option<CertificateFingerprint>) -> Self {
        Self { settings, certificate, ..Self::default() }
    }

    /// Handles a line and appends its replies to `out`.
    pub fn handle_line(&mut self, message: &Message<'_>, out: &mut String) -> LoginStep {
        let mut replies = Replies::default();
        self.label = if self.caps.has(Cap::LabeledResponse) { Label::of(message) } else { None };
        let step = self.handle_command(message, &mut replies);
        // The reply that has the label comes after the check.
        let label = if step.awaits_verification() { None } else { self.label.take() };
        self.write(replies, label, out);
        step
    }

    fn handle_command(&mut self, message: &Message<'_>, out: &mut Replies) -> LoginStep {
        let params = message.params();
        match message.command.to_ascii_uppercase().as_str() {
            "CAP" => self.handle_cap(params, out),
            "PASS" => match params {
                [_, ..] => {
                    // Clients that put no colon before a password with spaces send it as several parameters.
                    self.pass = Some(Zeroizing::new(params.join(" ")));
                    LoginStep::Continue
                }
                [] => self.push_reply(out, need_more_params("PASS")),
            },
            "NICK" => self.handle_nick(params, out),
            "USER" => match params {
                [_, _, _, realname, ..] if !realname.is_empty() => {
                    let realname = chars::strip_refused(realname);
                    self.realname = Some(truncate_str(realname.trim(), Settings::MAX_REALNAME_BYTES).into());
                    self.try_complete(out)
                }
                _ => self.push_reply(out, need_more_params("USER")),
            },
            "AUTHENTICATE" => match params {
                [param, ..] => self.handle_authenticate(param, out),
                [] => self.push_reply(out, need_more_params("AUTHENTICATE")),
            },
            "REGISTER" => self.handle_register(params, out),
            "PING" => match params {
                [token, ..] => self.push_reply(
                    out,
                    Reply::command("PONG").arg(self.settings.server_name.as_str()).text(token),
                ),
                [] => self.push_reply(out, need_more_params("PING")),
            },
            "PONG" => LoginStep::Continue,
            "AWAY" if self.caps.has(Cap::PreAway) => {
                self.away = away::parse_away_message(params.first().copied());
                self.push_reply(out, away::away_reply(self.away.as_deref()))
            }
            "METADATA" if self.caps.has_any(&[Cap::Metadata, Cap::MetadataDraft]) => {
                for reply in self.metadata.handle_command(params, self.caps) {
                    self.push_reply(out, reply);
                }
                LoginStep::Continue
            }
            "ISUPPORT" if self.caps.has(Cap::ExtendedIsupport) => {
                for reply in isupport::replies(&self.settings, self.caps) {
                    self.push_reply(out, reply);
                }
                LoginStep::Continue
            }
            "QUIT" => LoginStep::Close("Client quit before it logged in".to_owned()),
            other => {
                let reply = Reply::numeric(ERR_NOTREGISTERED).arg(other).text("You have not logged in");
                self.push_reply(out, reply)
            }
        }
    }

    /// Replies to a line that did not parse, with the label in its tags if those are readable.
    pub fn reject_line(&mut self, tags: Option<Tags<'_>>, reply: Reply, out: &mut String) {
        let mut replies = Replies::default();
        let label = tags.filter(|_| self.caps.has(Cap::LabeledResponse)).and_then(Label::in_tags);
        self.push_reply(&mut replies, reply);
        self.write(replies, label, out);
    }

    /// Continues after [`LoginStep::CheckPassword`] and [`LoginStep::LookUpDevice`].
    pub fn resume_with_verification(&mut self, outcome: Verification, out: &mut String) -> LoginStep {
        let mut replies = Replies::default();
        let step = if std::mem::take(&mut self.checking_pass) {
            self.finish_pass(outcome, &mut replies)
        } else {
            self.finish_sasl(outcome, &mut replies)
        };
        self.write_checked(replies, out);
        step
    }

    fn finish_sasl(&mut self, outcome: Verification, out: &mut Replies) -> LoginStep {
        match outcome {
            Verification::Verified(verified) => {
                self.set_verified(verified, out);
                self.push_reply(out, Reply::numeric(RPL_SASLSUCCESS).text("SASL authentication successful"));
                self.try_complete(out)
            }
            Verification::WrongCredentials => self.fail_sasl(out, WRONG_CREDENTIALS),
            Verification::Unavailable(reason) => self.fail_sasl(out, &reason),
            // Clients try every mechanism in turn, so this is not counted as a failure.
            Verification::NoDevice(reason) => self.push_reply(
                out,
                Reply::numeric(ERR_SASLFAIL).text(format!("SASL authentication failed: {reason}")),
            ),
        }
    }

    /// Continues after [`LoginStep::RedeemInvite`].
    pub fn resume_with_registration(
        &mut self,
        outcome: Result<Verified, RegistrationError>,
        out: &mut String,
    ) -> LoginStep {
        let mut replies = Replies::default();
        let step = self.finish_registration(outcome, &mut replies);
        self.write_checked(replies, out);
        step
    }

    fn finish_registration(
        &mut self,
        outcome: Result<Verified, RegistrationError>,
        out: &mut Replies,
    ) -> LoginStep {
        let name = self.registering_name.take();
        match outcome {
            Ok(verified) => {
                self.pass = None;
                let success = Reply::command("REGISTER").arg("SUCCESS").arg(verified.name.as_str());
                self.push_reply(out, success.text("Account created"));
                self.set_verified(verified, out);
                self.try_complete(out)
            }
            Err(RegistrationError { code, text }) => {
                self.failures += 1;
                let account = name.as_ref().map_or("*", Nick::as_str);
                self.push_reply(out, Reply::fail("REGISTER", code).arg(account).text(text));
                self.close_after_max_failures(LoginStep::Continue)
            }
        }
    }

    /// Returns the name of the account that logged in.
    pub fn into_name(self) -> Option<Nick> {
        self.verified.map(|verified| verified.name)
    }

    /// Returns the nick for replies: the account's name, the requested nick, or `*`.
    fn reply_nick(&self) -> &str {
        match (&self.verified, &self.nick) {
            (Some(verified), _) => verified.name.as_str(),
            (None, Some(nick)) => nick,
            (None, None) => "*",
        }
    }

    fn push_reply(&self, out: &mut Replies, reply: Reply) -> LoginStep {
        out.push(self.reply_nick(), reply);
        LoginStep::Continue
    }

    fn handle_cap(&mut self, params: &[&str], out: &mut Replies) -> LoginStep {
        let nick: Box<str> = self.reply_nick().into();
        let answer = cap::negotiate(params, (&self.settings.server_name, &nick), &mut self.caps);
        for reply in answer.replies {
            self.push_reply(out, reply);
        }
        match answer.registration {
            Some(cap::RegistrationEffect::Wait) => {
                self.negotiating = true;
                LoginStep::Continue
            }
            Some(cap::RegistrationEffect::Continue) => {
                self.negotiating = false;
                self.try_complete(out)
            }
            None => LoginStep::Continue,
        }
    }

    fn handle_nick(&mut self, params: &[&str], out: &mut Replies) -> LoginStep {
        let Some(&text) = params.first().filter(|text| !text.is_empty()) else {
            return self.push_reply(out, Reply::numeric(ERR_NONICKNAMEGIVEN).text("No nickname given"));
        };
        match Nick::parse(text) {
            Ok(nick) => {
                self.nick = Some(nick.as_str().into());
                self.try_complete(out)
            }
            Err(error) => {
                let reply = Reply::numeric(ERR_ERRONEUSNICKNAME).arg(text);
                self.push_reply(out, reply.text(format!("Erroneous nickname: {error}")))
            }
        }
    }

    fn handle_authenticate(&mut self, param: &str, out: &mut Replies) -> LoginStep {
        if self.verified.is_some() {
            let text = "You have already logged in";
            return self.push_reply(out, Reply::numeric(ERR_SASLALREADY).text(text));
        }
        let Some((mechanism, response)) = &mut self.response else {
            if param == "*" {
                return self.push_reply(out, sasl_aborted());
            }
            if let Some(mechanism) = Mechanism::parse(param) {
                self.response = Some((mechanism, ResponseBuffer::default()));
                return self.push_reply(out, Reply::bare("AUTHENTICATE").arg("+"));
            }
            let known = Reply::numeric(RPL_SASLMECHS).arg(MECHANISMS);
            self.push_reply(out, known.text("are available SASL mechanisms"));
            // Clients try every mechanism in turn. No secret was tried, so no failure is counted.
            return self.push_reply(out, Reply::numeric(ERR_SASLFAIL).text("SASL authentication failed"));
        };
        if param == "*" {
            self.response = None;
            return self.push_reply(out, sasl_aborted());
        }
        let mechanism = *mechanism;
        match response.push_chunk(param) {
            ChunkResult::Incomplete => LoginStep::Continue,
            ChunkResult::TooLong => {
                self.response = None;
                self.push_reply(out, Reply::numeric(ERR_SASLTOOLONG).text("SASL message too long"))
            }
            ChunkResult::InvalidBase64 => {
                self.response = None;
                self.fail_sasl(out, "The SASL response is not base64")
            }
            ChunkResult::Complete(name) if mechanism == Mechanism::External => {
                self.response = None;
                let name = std::str::from_utf8(&name).unwrap_or("?");
                match Some(name).filter(|name| !name.is_empty()).map(Nick::parse).transpose() {
                    Ok(name) => LoginStep::LookUpDevice(name),
                    Err(_) => self.fail_sasl(out, "The SASL response is not a valid account name"),
                }
            }
            ChunkResult::Complete(bytes) => {
                self.response = None;
                match Credentials::from_plain(&bytes) {
                    Some(credentials) => LoginStep::CheckPassword(credentials),
                    None => self.fail_sasl(out, "The SASL response is not valid PLAIN data"),
                }
            }
        }
    }

    fn handle_register(&mut self, params: &[&str], out: &mut Replies) -> LoginStep {
        let fail =
            |code: &str, context: &str, text: &str| Reply::fail("REGISTER", code).arg(context).text(text);
        let [account, _email, password, ..] = params else {
            return self.push_reply(out, need_more_params("REGISTER"));
        };
        if let Some(verified) = &self.verified {
            let reply = fail("ALREADY_AUTHENTICATED", verified.name.as_str(), "You have already logged in");
            return self.push_reply(out, reply);
        }
        let account = if *account == "*" { self.nick.as_deref().unwrap_or("*") } else { account };
        if account == "*" {
            return self.push_reply(out, fail("NEED_NICK", "*", "Choose a nick first, or name the account"));
        }
        match Nick::parse(account) {
            Ok(name) => {
                self.registering_name = Some(name.clone());
                LoginStep::RedeemInvite(Registration {
                    name,
                    password: Zeroizing::new((*password).to_owned()),
                    token: self.pass.clone(),
                })
            }
            Err(error) => {
                let text = format!("Invalid account name: {error}");
                self.push_reply(out, fail("BAD_ACCOUNT_NAME", account, &text))
            }
        }
    }

    fn set_verified(&mut self, verified: Verified, out: &mut Replies) {
        let name = verified.name.clone();
        let mask = format!("{name}!{name}@{}", super::settings::USER_HOST);
        self.verified = Some(verified);
        let reply = Reply::numeric(RPL_LOGGEDIN).arg(mask).arg(name.as_str());
        self.push_reply(out, reply.text(format!("You are now logged in as {name}")));
    }

    fn fail_sasl(&mut self, out: &mut Replies, reason: &str) -> LoginStep {
        self.failures += 1;
        self.push_reply(
            out,
            Reply::numeric(ERR_SASLFAIL).text(format!("SASL authentication failed: {reason}")),
        );
        self.close_after_max_failures(LoginStep::Continue)
    }

    fn close_after_max_failures(&self, step: LoginStep) -> LoginStep {
        if self.failures >= Self::MAX_FAILURES {
            return LoginStep::Close("Too many failed logins".to_owned());
        }
        step
    }

    /// Completes the login once the client has sent everything that it needs.
    fn try_complete(&mut self, out: &mut Replies) -> LoginStep {
        if self.negotiating {
            return LoginStep::Continue;
        }
        let (Some(nick), Some(realname)) = (&self.nick, &self.realname) else { return LoginStep::Continue };
        let Some(verified) = &self.verified else {
            if let Some(text) = self.pass.take() {
                return self.login_with_pass(&text, out);
            }
            let text = "You must log in: set up SASL PLAIN in your client with the name and password of your account; \
                        without an account, ask for an invite and use `parlour join`";
            if self.caps.has(Cap::StandardReplies) || self.caps.has(Cap::AccountRegistration) {
                self.push_reply(out, Reply::fail("*", "ACCOUNT_REQUIRED").text(text));
            }
            return LoginStep::Close(text.to_owned());
        };
        LoginStep::Done(Login {
            account: verified.account,
            caps: self.caps,
            requested_nick: (!nick.eq_ignore_ascii_case(verified.name.as_str())).then(|| nick.clone()),
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
const WRONG_CREDENTIALS: &str = "Wrong account name or password";

fn need_more_params(command: &str) -> Reply {
    Reply::numeric(ERR_NEEDMOREPARAMS).arg(command).text("Not enough parameters")
}

fn sasl_aborted() -> Reply {
    Reply::numeric(ERR_SASLABORTED).text("SASL authentication aborted")
}

#[cfg(test)]
mod tests;
