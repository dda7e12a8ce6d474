//! Requests that the login machine makes of its driver, such as a registration, and their results.

use zeroize::Zeroizing;

use super::Proof;
use crate::core::record::AccountId;
use crate::wire::Nick;

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
pub enum Verification {
    /// The password or the device is right.
    Verified(Verified),
    /// The account does not exist or is disabled, or the password is wrong. The reply does not tell these apart.
    WrongCredentials,
    /// No check was made, for this reason.
    Unavailable(String),
    /// The connection has no certificate of a known device, for this reason. No secret was tried.
    NoDevice(String),
}

/// Failure of a registration.
#[derive(Debug)]
pub struct RegistrationError {
    /// Code of the FAIL (standard replies).
    pub code: &'static str,
    /// Text for the user: what happened and what to do.
    pub text: String,
}
