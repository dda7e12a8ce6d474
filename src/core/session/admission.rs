//! The decision on a login: the one place where it is made, against the state of the account.
//!
//! The password or the device was verified outside, some time before. What has changed since then shows here.

use super::devices::REMOVED;
use crate::core::effects::{Effects, Output};
use crate::core::login::{Login, Proof};
use crate::core::model::audience::SessionId;
use crate::core::state::Chat;
use crate::wire::{Cap, Reply};

/// Reason why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Refusal {
    /// The account was removed or disabled.
    NoAccount,
    /// The password was changed.
    Password,
    /// The device was removed.
    Device,
    /// The account has its maximum number of sessions, which is this.
    Sessions(usize),
}

impl Chat {
    /// Decides on a login.
    pub(in crate::core) fn admit(&self, login: &Login) -> Result<(), Refusal> {
        let person = self.people.get(login.account).filter(|person| !person.account.disabled);
        let Some(person) = person else { return Err(Refusal::NoAccount) };
        match &login.proof {
            Proof::Password(hash) if !person.has_password(hash) => return Err(Refusal::Password),
            Proof::Device(key) if person.devices.iter().all(|device| device.key != *key) => {
                return Err(Refusal::Device);
            }
            _ => {}
        }
        let most = self.settings.sessions_per_account;
        if most > 0 && person.seats.len() >= most {
            return Err(Refusal::Sessions(most));
        }
        Ok(())
    }

    /// Ends a session whose login is refused, and tells its client why.
    pub(in crate::core) fn refuse(
        &mut self,
        session: SessionId,
        login: &Login,
        refusal: Refusal,
        fx: &mut Effects,
    ) {
        let reason = refusal.reason();
        if let Refusal::Sessions(_) = refusal {
            self.sessions_refused += 1;
            if let Some(person) = self.people.get(login.account)
                && login.caps.has(Cap::StandardReplies)
            {
                let fail = Reply::fail("*", "TOO_MANY_SESSIONS").text(&reason);
                let line = fail.render(self.settings.server_name.as_str(), person.nick().as_str());
                fx.outputs.push(Output::Line(session, line));
            }
        }
        fx.outputs.push(Output::Close(session, reason.into()));
    }
}

impl Refusal {
    /// Returns the text for the ERROR that ends the connection.
    fn reason(self) -> String {
        match self {
            Self::NoAccount => "This account cannot log in".to_owned(),
            Self::Password => "The password was changed; log in with the new one".to_owned(),
            Self::Device => REMOVED.to_owned(),
            Self::Sessions(most) => {
                let sessions = if most == 1 { "session" } else { "sessions" };
                format!("Your account has {most} {sessions}, the maximum; end one of them first")
            }
        }
    }
}
