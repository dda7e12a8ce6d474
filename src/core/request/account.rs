//! Requests that change accounts or the server and that the core cannot carry out alone: passwords are checked and
//! hashed elsewhere, and the configuration is read elsewhere.

use super::admin::InviteSpec;
use super::sasl::Credentials;
use super::settings::Settings;
use crate::core::record::{AccountId, TokenHash};

pub use crate::core::record::device::{CertificateFingerprint, Device, InvalidFingerprint};
pub use crate::core::record::secret::{PasswordHash, Secret};

/// A requested change.
#[derive(Debug)]
pub enum AccountRequest {
    /// Gain the admin role for the rest of the session, with an admin account's name and password.
    Oper(Credentials),
    /// Change the password. The present one comes first.
    Password(Credentials, Secret),
    /// Make a token and the link for an invite.
    InviteLink(InviteSpec),
    /// Read the configuration file again.
    Rehash,
}

/// Result of a [`AccountRequest`].
#[derive(Debug)]
pub enum AccountRequestOutcome {
    /// The name and password are those of this account, whose password has this hash.
    Oper(AccountId, PasswordHash),
    /// The present password is right.
    Password {
        /// Hash of the present password, which was verified.
        proven: PasswordHash,
        /// Hash of the new password.
        new: PasswordHash,
    },
    /// A token and a link were made. The invite does not exist yet.
    InviteLink {
        /// The requested invite.
        spec: InviteSpec,
        /// Hash of its token.
        token: TokenHash,
        /// The link, which only the session that requested it gets.
        link: Secret,
    },
    /// The configuration that was read.
    Rehashed(Box<Settings>),
    /// The request was refused: code of a FAIL, and the reason.
    Refused(&'static str, String),
}

/// Channel of a request, which decides the form of its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyForm {
    /// A command of this name.
    Command(&'static str),
    /// A message to `NickServ`.
    Service,
}
