//! What people do to their own accounts and admins to the server, that the chat cannot do alone: passwords are checked
//! and hashed elsewhere, devices and the configuration are kept elsewhere.

use std::fmt;
use std::str::FromStr;

use super::invites::{InviteOutcome, InviteRequest};
use super::record::AccountId;
use super::sasl::Credentials;
use super::settings::Settings;
use crate::wire::Millis;

pub use super::secret::Secret;

/// SHA-256 over the certificate (DER) with which a device logs in: what clients call its fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceKey(pub [u8; 32]);

/// What is asked for.
#[derive(Debug)]
pub enum Request {
    /// To be an admin for the rest of the session, with an admin account's name and password.
    Oper(Credentials),
    /// Another password, given the present one.
    Password(Credentials, Secret),
    /// A device may log in: the one with this key, or the one that asks.
    DeviceAdd(Option<DeviceKey>),
    /// Which devices may log in.
    DeviceList,
    /// A device may log in no more.
    DeviceRemove(DeviceKey),
    /// Something about invites to the server, by the power of this admin.
    Invites(InviteRequest, AccountId),
    /// The configuration is to be read again.
    Rehash,
}

/// A device that may log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub key: DeviceKey,
    /// Since when.
    pub added: Millis,
    /// When it last did.
    pub used: Option<Millis>,
}

/// What came of it.
#[derive(Debug)]
pub enum Outcome {
    /// The name and password are those of this account, or were after so many changes
    /// ([`Verified::since`](super::login::Verified::since)).
    Oper(AccountId, u64),
    /// The password is another now.
    PasswordChanged,
    /// The device may log in.
    DeviceAdded(DeviceKey),
    /// These may.
    Devices(Vec<Device>),
    /// It may no more.
    DeviceRemoved(DeviceKey),
    /// Something about invites was done.
    Invites(InviteOutcome),
    /// The configuration that was read.
    Rehashed(Box<Settings>),
    /// It was not done: the code of a FAIL, and why.
    Refused(&'static str, String),
}

/// Through what the asker speaks, and is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// A command of this name.
    Command(&'static str),
    /// A message to `NickServ`.
    Service,
}

impl fmt::Display for DeviceKey {
    /// 64 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// That is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is the SHA-256 of a certificate: 64 hexadecimal digits, with colons or without")]
pub struct NoDeviceKey;

impl FromStr for DeviceKey {
    type Err = NoDeviceKey;

    fn from_str(text: &str) -> Result<Self, NoDeviceKey> {
        let digits: Vec<u8> = text.bytes().filter(|&b| b != b':').collect();
        let mut key = [0; 32];
        if digits.len() != 2 * key.len() {
            return Err(NoDeviceKey);
        }
        for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| NoDeviceKey)?;
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(NoDeviceKey);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NoDeviceKey)?;
        }
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    #[test]
    fn fingerprints_are_read_as_programs_write_them() {
        let plain = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let key: DeviceKey = plain.parse().expect("a key");
        assert_eq!(key.to_string(), plain);
        let colons: Vec<String> =
            plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).to_uppercase()).collect();
        assert_eq!(colons.join(":").parse(), Ok(key));
        for bad in ["", "00", &plain[1..], &plain.replace('0', "x"), &plain.replace("00", "+0")] {
            assert_eq!(bad.parse::<DeviceKey>(), Err(NoDeviceKey), "{bad}");
        }
        assert_eq!(format!("{:?}", Secret(Zeroizing::new("hush".to_owned()))), "Secret(…)");
    }
}
