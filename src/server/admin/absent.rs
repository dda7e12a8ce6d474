//! Lists what a rotation would leave behind: devices that were not used since the present root was shown, and invites
//! that were made before.

use rusqlite::Connection;

use super::{AbsentDevice, Failure, PAGE, Reply};
use crate::core::request::account::{Device, DeviceKey};
use crate::store::tables::{audit, devices, invites};
use crate::trust::Pin;
use crate::wire::{Millis, Nick};

pub fn list(conn: &Connection, pin: Pin, after: Option<DeviceKey>, now: Millis) -> Result<Reply, Failure> {
    // If the root was never shown, no client can have seen it.
    let since = audit::root_shown(conn, &pin.to_string())?.unwrap_or(now);
    let page = devices::absent(conn, since, after.unwrap_or(DeviceKey([0; 32])), PAGE)?;
    let device = |(account, device): (Nick, Device)| AbsentDevice {
        account,
        key: device.key,
        last: device.used.unwrap_or(device.added),
    };
    let invites = invites::open_of_before(conn, since, now)?;
    Ok(Reply::Absent { devices: page.into_iter().map(device).collect(), invites })
}
