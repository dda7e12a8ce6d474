//! Queries for the parts of account and server commands that the core cannot carry out: passwords are checked and hashed
//! by the password pool, tokens are random, and the configuration is a file. The core makes the change when the result
//! arrives.

use crate::core::model::audience::SessionId;
use crate::core::record::file::FileId;
use crate::core::record::secret::{PasswordHash, Secret};
use crate::core::record::{AccountId, TokenHash};
use crate::core::request::admin::InviteSpec;
use crate::core::request::reply_form::ReplyForm;
use crate::core::request::sasl::Credentials;
use crate::core::settings::Settings;

/// A query for the account that a name and a password belong to, for OPER. The result is a [`VerifiedPassword`].
#[derive(Debug)]
pub struct OperQuery {
    /// The name and the password that were given.
    pub credentials: Credentials,
}

/// An account, and the hash of its password that the given one was verified by.
#[derive(Debug)]
pub struct VerifiedPassword {
    /// Account of the given name.
    pub account: AccountId,
    /// Hash that the password was verified by.
    pub proven: PasswordHash,
}

/// A query for the hash of a new password, after a check of the present one.
#[derive(Debug)]
pub struct PasswordQuery {
    /// The account whose password changes.
    pub account: AccountId,
    /// Name and present password of the account.
    pub present: Credentials,
    /// The new password.
    pub new: Secret,
    /// The form of the reply.
    pub reply_form: ReplyForm,
}

/// Result of a [`PasswordQuery`].
#[derive(Debug)]
pub struct PasswordResult {
    /// The account whose password changes.
    pub account: AccountId,
    /// The form of the reply.
    pub reply_form: ReplyForm,
    /// The hashes, or the refusal.
    pub outcome: Result<NewPassword, QueryRefusal>,
}

/// The hash of a new password, requested with the right present one.
#[derive(Debug)]
pub struct NewPassword {
    /// Hash that the present password was verified by.
    pub proven: PasswordHash,
    /// Hash of the new password.
    pub new: PasswordHash,
}

/// A query for a token and the link of an invite.
#[derive(Debug)]
pub struct InviteLinkQuery {
    /// The requested invite.
    pub spec: InviteSpec,
    /// The form of the reply.
    pub reply_form: ReplyForm,
}

/// Result of an [`InviteLinkQuery`]. The invite does not exist yet.
#[derive(Debug)]
pub struct InviteLinkResult {
    /// The requested invite.
    pub spec: InviteSpec,
    /// The form of the reply.
    pub reply_form: ReplyForm,
    /// Hash of the token.
    pub token: TokenHash,
    /// The link, which only the session that requested it gets.
    pub link: Secret,
}

/// A query for a secret about files.
#[derive(Debug)]
pub enum FileSecretQuery {
    /// A token of a session, by which requests over HTTP prove its account.
    Token {
        /// Session that gets the token.
        session: SessionId,
        /// Account that the token proves.
        account: AccountId,
    },
    /// A link by which everybody can read a file.
    Link(FileId),
}

/// Result of a [`FileSecretQuery`].
#[derive(Debug)]
pub enum FileSecretResult {
    /// The token, which is in force.
    Token {
        /// The token, which only the session gets.
        token: Secret,
        /// Time for which it is valid, in seconds.
        seconds: u64,
    },
    /// The link, which the file does not have yet.
    Link {
        /// File that the link leads to.
        file: FileId,
        /// Hash of the token in the link.
        hash: TokenHash,
        /// The link, which only the session that requested it gets.
        url: Secret,
    },
}

/// A query for the configuration file.
#[derive(Debug)]
pub struct RehashQuery {
    /// The admin's account, for the audit log.
    pub account: AccountId,
}

/// Result of a [`RehashQuery`].
#[derive(Debug)]
pub struct RehashResult {
    /// The admin's account, for the audit log.
    pub account: AccountId,
    /// The configuration, or the refusal.
    pub outcome: Result<Box<Reread>, QueryRefusal>,
}

/// A configuration that was read again.
#[derive(Debug, Default)]
pub struct Reread {
    /// Settings of the core.
    pub settings: Settings,
    /// Names of the keys that have changed and of those that need a restart, as a short text.
    pub changes: String,
}

/// Refusal of a query of this module.
#[derive(Debug)]
pub struct QueryRefusal {
    /// Code of the FAIL (standard replies).
    pub code: &'static str,
    /// Text for the user: what happened and what to do.
    pub text: String,
}

impl QueryRefusal {
    /// Code of a refusal because of a wrong password.
    pub const WRONG_PASSWORD: &str = "WRONG_PASSWORD";

    /// Creates a refusal.
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}
