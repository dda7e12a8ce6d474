//! Devices: client certificates that log in to an account without its password.

use crate::core::effects::{Effects, InputEffects};
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::{Account, AccountId, Record};
use crate::core::state::Core;
use crate::wire::Timestamp;

/// Maximum number of devices of an account, enough for every laptop, phone and bot of anybody.
pub const MAX_DEVICES: usize = 32;

/// Reason why a device cannot be added. The texts are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The certificate belongs to another account.
    #[error("this certificate logs in to another account")]
    Taken,
    /// The account has [`MAX_DEVICES`] devices.
    #[error("an account has at most {MAX_DEVICES} devices; remove one first")]
    TooMany,
}

impl Core {
    /// Returns the account that a device logs in to, unless it is disabled.
    pub fn device_owner(&self, fingerprint: CertificateFingerprint) -> Option<&Account> {
        self.accounts
            .device_owner(fingerprint)
            .map(|account_state| &account_state.account)
            .filter(|account| !account.disabled)
    }

    /// Lets a device log in to an account. A device that may already stays as it is; returns whether it is new.
    ///
    /// # Errors
    /// [`DeviceError`] if the certificate is another account's, or the account has no room for another device.
    pub(in crate::core) fn add_device(
        &mut self,
        account: AccountId,
        fingerprint: CertificateFingerprint,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<bool, DeviceError> {
        match self.accounts.device_owner(fingerprint) {
            Some(owner) if owner.account.id == account => return Ok(false),
            Some(_) => return Err(DeviceError::Taken),
            None => {}
        }
        if self.accounts.get(account).is_none_or(|account_state| account_state.devices.len() >= MAX_DEVICES) {
            return Err(DeviceError::TooMany);
        }
        self.accounts.add_device(account, Device { fingerprint, added_at: at, last_login: None });
        fx.records.push(Record::DeviceAdded { account, fingerprint, at });
        Ok(true)
    }

    /// Removes a device of the account, and ends the sessions that it began. Returns whether there was such a device.
    pub(in crate::core) fn remove_device(
        &mut self,
        account: AccountId,
        fingerprint: CertificateFingerprint,
        at: Timestamp,
        fx: &mut Effects,
    ) -> bool {
        if !self.accounts.remove_device(account, fingerprint) {
            return false;
        }
        fx.records.push(Record::DeviceRemoved(fingerprint));
        self.end_sessions_where(
            account,
            |_, known| known.device == Some(fingerprint),
            DEVICE_REVOKED,
            at,
            fx,
        );
        true
    }

    /// Lets none of the account's devices log in any more. Its sessions go on.
    pub(in crate::core) fn remove_all_devices(&mut self, account: AccountId, fx: &mut Effects) {
        let devices =
            self.accounts.get(account).map(|account_state| account_state.devices.clone()).unwrap_or_default();
        for Device { fingerprint, .. } in devices {
            self.accounts.remove_device(account, fingerprint);
            fx.records.push(Record::DeviceRemoved(fingerprint));
        }
    }

    /// Notes that a device logged in, as a step of its own: the login does not wait until that is stored.
    pub(in crate::core) fn record_device_login(
        &mut self,
        account: AccountId,
        fingerprint: CertificateFingerprint,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        let account_state = self.accounts.get_mut(account);
        let Some(device) = account_state.and_then(|account_state| {
            account_state.devices.iter_mut().find(|known| known.fingerprint == fingerprint)
        }) else {
            return;
        };
        device.last_login = Some(at);
        let (records, outputs) = (fx.records.len(), fx.outputs.len());
        fx.records.push(Record::DeviceUsed { fingerprint, at });
        fx.by_input.push(InputEffects {
            records: records..records + 1,
            outputs: outputs..outputs,
            session: None,
            from: None,
        });
    }
}

/// Reason for the end of a session, or of a login, with a device that was removed.
pub(in crate::core) const DEVICE_REVOKED: &str = "This device was revoked";
