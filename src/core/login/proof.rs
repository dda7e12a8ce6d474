//! Proof of a login, which the core compares with the state of the account.

use crate::core::record::device::CertificateFingerprint;
use crate::core::record::secret::PasswordHash;

/// The password or device that a connection was verified by. The verification is void if the account has another
/// password, or does not have the device, when the core decides on the login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The password with this hash.
    Password(PasswordHash),
    /// The key of the device with this fingerprint.
    Device(CertificateFingerprint),
}

impl Proof {
    /// Returns the fingerprint of the device, if it is one.
    pub fn device(&self) -> Option<CertificateFingerprint> {
        match self {
            Self::Password(_) => None,
            Self::Device(key) => Some(*key),
        }
    }
}
