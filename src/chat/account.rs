//! Requests that change accounts or the server and that the core cannot carry out alone: passwords are checked and
//! hashed elsewhere, and the configuration is read elsewhere.

use super::invites::{InviteOutcome, InviteRequest};
use super::record::AccountId;
use super::sasl::Credentials;
use super::settings::Settings;

pub use super::certificate::{Device, DeviceKey, NoDeviceKey};
pub use super::secret::Secret;

/// A requested change.
#[derive(Debug)]
pub enum Request {
    /// Gain the admin role for the rest of the session, with an admin account's name and password.
    Oper(Credentials),
    /// Change the password. The present one comes first.
    Password(Credentials, Secret),
    /// Create, list or revoke invites, in the name of this admin.
    Invites(InviteRequest, AccountId),
    /// Read the configuration file again.
    Rehash,
}

/// Result of a [`Request`].
#[derive(Debug)]
pub enum Outcome {
    /// The name and password are those of this account. They were checked after so many password changes
    /// ([`Verified::since`](super::login::Verified::since)).
    Oper(AccountId, u64),
    /// The password was changed.
    PasswordChanged,
    /// Result of an invite request.
    Invites(InviteOutcome),
    /// The configuration that was read.
    Rehashed(Box<Settings>),
    /// The request was refused: code of a FAIL, and the reason.
    Refused(&'static str, String),
}

/// Channel of a request, which decides the form of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A command of this name.
    Command(&'static str),
    /// A message to `NickServ`.
    Service,
}
