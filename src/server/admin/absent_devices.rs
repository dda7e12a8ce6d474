//! Lists what a rotation would leave behind: devices that were not used since the present root was shown, and invites
//! that were made before.

use rusqlite::Connection;

use super::{AbsentDevice, Failure, PAGE_SIZE, Reply};
use crate::core::request::account::{CertificateFingerprint, Device};
use crate::store::tables::{audit, devices, invites};
use crate::trust::Pin;
use crate::wire::{Nick, Timestamp};

pub fn list_absent_devices(
    conn: &Connection,
    pin: Pin,
    after: Option<CertificateFingerprint>,
    now: Timestamp,
) -> Result<Reply, Failure> {
    // If the root was never shown, no client can have seen it.
    let root_shown_at = audit::root_shown_since(conn, &pin.to_string())?.unwrap_or(now);
    let page = devices::list_absent(
        conn,
        root_shown_at,
        after.unwrap_or(CertificateFingerprint([0; 32])),
        PAGE_SIZE,
    )?;
    let device = |(account, device): (Nick, Device)| AbsentDevice {
        account,
        key: device.fingerprint,
        last: device.last_login.unwrap_or(device.added_at),
    };
    let invites = invites::count_open_before(conn, root_shown_at, now)?;
    Ok(Reply::Absent { devices: page.into_iter().map(device).collect(), invites })
}
