//! The decision on a login, which is made here only, by the present state of the account.
//!
//! The password or the device was verified outside of the core, some time before. A change of the account since then
//! counts.

use super::devices::DEVICE_REVOKED;
use crate::core::effects::{Effects, Output};
use crate::core::login::{Login, Proof};
use crate::core::model::audience::SessionId;
use crate::core::state::{Addressee, Core};
use crate::wire::{Cap, Reply};

/// Reason why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core) enum Refusal {
    /// The account was removed or disabled.
    AccountUnavailable,
    /// The password was changed.
    PasswordChanged,
    /// The device was removed.
    DeviceRevoked,
    /// The account has the given number of sessions, its maximum.
    TooManySessions(usize),
}

impl Core {
    /// Decides on a login.
    pub(in crate::core) fn admit(&self, login: &Login) -> Result<(), Refusal> {
        let account_state =
            self.accounts.get(login.account).filter(|account_state| !account_state.account.disabled);
        let Some(account_state) = account_state else { return Err(Refusal::AccountUnavailable) };
        match &login.proof {
            Proof::Password(hash) if !account_state.has_password(hash) => {
                return Err(Refusal::PasswordChanged);
            }
            Proof::Device(key) if account_state.devices.iter().all(|device| device.fingerprint != *key) => {
                return Err(Refusal::DeviceRevoked);
            }
            _ => {}
        }
        let most = self.settings.sessions_per_account;
        if most > 0 && account_state.sessions.len() >= most {
            return Err(Refusal::TooManySessions(most));
        }
        Ok(())
    }

    /// Ends a session whose login is refused, and sends its client the reason.
    pub(in crate::core) fn refuse_login(
        &mut self,
        session: SessionId,
        login: &Login,
        refusal: Refusal,
        fx: &mut Effects,
    ) {
        let reason = refusal.error_text();
        if let Refusal::TooManySessions(_) = refusal {
            self.sessions_refused += 1;
            if let Some(account_state) = self.accounts.get(login.account)
                && login.caps.has(Cap::StandardReplies)
            {
                let fail = Reply::fail("*", "TOO_MANY_SESSIONS").text(&reason);
                let to = Addressee { session, nick: account_state.nick().shared(), caps: login.caps };
                self.send(&to, fail, fx);
            }
        }
        fx.push(Output::Close(session, reason.into()));
    }
}

impl Refusal {
    /// Returns the text for the ERROR that ends the connection.
    fn error_text(self) -> String {
        match self {
            Self::AccountUnavailable => "This account cannot log in".to_owned(),
            Self::PasswordChanged => "The password was changed; log in with the new one".to_owned(),
            Self::DeviceRevoked => DEVICE_REVOKED.to_owned(),
            Self::TooManySessions(most) => {
                let sessions = if most == 1 { "session" } else { "sessions" };
                format!("Your account has {most} {sessions}, the maximum; end one of them first")
            }
        }
    }
}
