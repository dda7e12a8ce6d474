//! Errors of requests of the administration.

use serde::{Deserialize, Serialize};

use crate::core::request::access_tokens::AccessTokenError;
use crate::core::request::admin::{AccountError, RequestError};
use crate::core::request::channels::ChannelError;
use crate::core::request::hooks::HookError;
use crate::core::request::people::groups::GroupError;
use crate::store::StoreError;

/// Error of an [`AdminRequest`](super::AdminRequest).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// Kind of the failure, for programs.
    pub kind: FailureKind,
    /// Message for people, one line.
    pub text: String,
}

/// Kind of a [`Failure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureKind {
    /// The name is taken.
    Taken,
    /// The name belonged to a removed account.
    Removed,
    /// The name is reserved.
    Reserved,
    /// No account has this name.
    UnknownUser,
    /// The account may not log in.
    Disabled,
    /// The account is the only admin who can log in.
    LastAdmin,
    /// The account is not a removed one.
    NotRemoved,
    /// No invite has this id.
    UnknownInvite,
    /// No hook has this name.
    UnknownHook,
    /// No group has this name.
    UnknownGroup,
    /// No access token has this name.
    UnknownToken,
    /// No channel has this name.
    UnknownChannel,
    /// No session has this id.
    UnknownSession,
    /// The request makes no sense.
    Invalid,
    /// Only a running server could answer.
    NoServer,
    /// The running server cannot use the certificates.
    Certificates,
    /// The running server cannot use the configuration or the certificates.
    Reload,
    /// The account is not an admin, or not any more.
    NotAdmin,
    /// The store failed. Nothing was changed.
    Store,
    /// The store failed at a change that is in force in the running server, and is tried again.
    Deferred,
}

impl Failure {
    /// Makes a failure for a request that makes no sense.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self { kind: FailureKind::Invalid, text: text.into() }
    }
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        let kind = match &error {
            RequestError::Account(AccountError::Taken(_) | AccountError::Hook(_))
            | RequestError::AccessToken(AccessTokenError::Taken(_))
            | RequestError::Group(GroupError::Taken(_))
            | RequestError::Channel(ChannelError::Exists(_)) => FailureKind::Taken,
            RequestError::Account(AccountError::Removed(_)) => FailureKind::Removed,
            RequestError::Account(AccountError::Reserved(..)) => FailureKind::Reserved,
            RequestError::Account(AccountError::Unknown(_)) => FailureKind::UnknownUser,
            RequestError::Account(AccountError::Disabled(_)) => FailureKind::Disabled,
            RequestError::Account(AccountError::NotRemoved(_)) => FailureKind::NotRemoved,
            RequestError::Account(AccountError::LastAdmin(_)) => FailureKind::LastAdmin,
            RequestError::UnknownInvite(_) => FailureKind::UnknownInvite,
            RequestError::UnknownSession(_) => FailureKind::UnknownSession,
            RequestError::Group(GroupError::Unknown(_)) => FailureKind::UnknownGroup,
            RequestError::Hook(HookError::Unknown(_)) => FailureKind::UnknownHook,
            RequestError::AccessToken(AccessTokenError::Unknown(_)) => FailureKind::UnknownToken,
            RequestError::Hook(HookError::UnknownChannel(_))
            | RequestError::Channel(ChannelError::Unknown(_)) => FailureKind::UnknownChannel,
            RequestError::NotAdmin => FailureKind::NotAdmin,
            RequestError::Account(AccountError::NoPseudonym)
            | RequestError::Redeem(_)
            | RequestError::File(_)
            | RequestError::Hook(_)
            | RequestError::Group(_)
            | RequestError::AccessToken(_)
            | RequestError::Channel(_)
            | RequestError::Import(_)
            | RequestError::UselessInvite
            | RequestError::HasAdmin
            | RequestError::TokenTaken => FailureKind::Invalid,
            RequestError::Deferred => FailureKind::Deferred,
            RequestError::Unavailable | RequestError::ShuttingDown => FailureKind::Store,
        };
        Self { kind, text: error.to_string() }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self { kind: FailureKind::Store, text: error.to_string() }
    }
}
