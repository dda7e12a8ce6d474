//! Devices: client certificates that log in to an account without its password.

use crate::core::effects::{Effects, Step};
use crate::core::record::{Account, AccountId, Record};
use crate::core::request::account::{Device, DeviceKey};
use crate::core::state::Chat;
use crate::wire::Millis;

/// Maximum number of devices of an account, enough for every laptop, phone and bot of anybody.
pub const MOST: usize = 32;

/// Reason why a device cannot be added. The texts are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// The certificate belongs to another account.
    #[error("this certificate logs in to another account")]
    Taken,
    /// The account has [`MOST`] devices.
    #[error("an account has at most {MOST} devices; remove one first")]
    TooMany,
}

impl Chat {
    /// Returns the account that a device logs in to, unless it is disabled.
    pub fn owner(&self, key: DeviceKey) -> Option<&Account> {
        self.people.owner(key).map(|person| &person.account).filter(|account| !account.disabled)
    }

    /// Lets a device log in to an account. A device that may already stays as it is; returns whether it is new.
    ///
    /// # Errors
    /// [`DeviceError`] if the certificate is another account's, or the account has no room for another device.
    pub(in crate::core) fn add_device(
        &mut self,
        account: AccountId,
        key: DeviceKey,
        at: Millis,
        fx: &mut Effects,
    ) -> Result<bool, DeviceError> {
        match self.people.owner(key) {
            Some(owner) if owner.account.id == account => return Ok(false),
            Some(_) => return Err(DeviceError::Taken),
            None => {}
        }
        if self.people.get(account).is_none_or(|person| person.devices.len() >= MOST) {
            return Err(DeviceError::TooMany);
        }
        self.people.add_device(account, Device { key, added: at, used: None });
        fx.records.push(Record::DeviceAdded { account, key, at });
        Ok(true)
    }

    /// Removes a device of the account, and ends the sessions that it began. Returns whether there was such a device.
    pub(in crate::core) fn remove_device(
        &mut self,
        account: AccountId,
        key: DeviceKey,
        at: Millis,
        fx: &mut Effects,
    ) -> bool {
        if !self.people.remove_device(account, key) {
            return false;
        }
        fx.records.push(Record::DeviceRemoved(key));
        self.end_sessions_where(account, |_, known| known.device == Some(key), REMOVED, at, fx);
        true
    }

    /// Lets none of the account's devices log in any more. Its sessions go on.
    pub(in crate::core) fn forget_devices(&mut self, account: AccountId, fx: &mut Effects) {
        let devices = self.people.get(account).map(|person| person.devices.clone()).unwrap_or_default();
        for Device { key, .. } in devices {
            self.people.remove_device(account, key);
            fx.records.push(Record::DeviceRemoved(key));
        }
    }

    /// Notes that a device logged in, as a step of its own: the login does not wait until that is stored.
    pub(in crate::core) fn note_use(
        &mut self,
        account: AccountId,
        key: DeviceKey,
        at: Millis,
        fx: &mut Effects,
    ) {
        let person = self.people.get_mut(account);
        let Some(device) = person.and_then(|person| person.devices.iter_mut().find(|known| known.key == key))
        else {
            return;
        };
        device.used = Some(at);
        let (records, outputs) = (fx.records.len(), fx.outputs.len());
        fx.records.push(Record::DeviceUsed { key, at });
        fx.steps.push(Step {
            records: records..records + 1,
            outputs: outputs..outputs,
            session: None,
            from: None,
        });
    }
}

/// Reason for the end of a session, or of a login, with a device that was removed.
pub(in crate::core) const REMOVED: &str = "This device was revoked";
