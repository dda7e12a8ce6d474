//! `parlour certs retire`: ends the old root, after a report on the devices that still need it.

use anyhow::bail;
use rustls::pki_types::UnixTime;

use super::{describe_certificates, running_server};
use crate::cli::admin::Admin;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::Folders;
use crate::cli::output::{format_minute, format_table, note, print};
use crate::core::record::device::CertificateFingerprint;
use crate::server::admin::{AdminQuery, AdminReply, LeftBehindDevice};
use crate::trust::Pin;
use crate::trust::certs::{self, RotationInfo};
use crate::wire::Timestamp;

/// Runs the subcommand.
pub fn run(folders: &Folders, confirmation: Confirmation, now: UnixTime) -> anyhow::Result<()> {
    let folder = &folders.certs;
    let certificates = certs::inspect(folder)?;
    if let Some(RotationInfo { since, .. }) = certificates.rotation {
        report(folders, certificates.pin, Timestamp(since.as_secs().saturating_mul(1000)))?;
        confirmation.ask("End the old root?", "run it again when everybody has been back")?;
    }
    let made = certs::retire(folder, now)?;
    note!(
        "The old root is retired: who knows only its pin is refused from now on. Destroy the copies of its key."
    );
    running_server::reload_running_server(&folders.data, made.certificates())?;
    note(&describe_certificates(folder, made.certificates()));
    Ok(())
}

/// Reports the devices that have not been back: a table on standard output, notes on standard error.
fn report(folders: &Folders, pin: Pin, since: Timestamp) -> anyhow::Result<()> {
    let began = format_minute(since);
    let Ok(admin) = Admin::open(folders.data.clone()) else {
        note!("There is no database in {}, so it is not known who has been back.", folders.data.display());
        return Ok(());
    };
    let (devices, invites) = list_left_behind_devices(&admin, pin)?;
    if devices.is_empty() {
        note!("Every device has been back since the new root was made, {began}.");
    } else {
        note!(
            "These devices have not been back since the new root was made, {began}. They will refuse the server, and their \
             people need an invite again:\n"
        );
        let titles = ["ACCOUNT", "LAST HERE", "DEVICE"].map(ToOwned::to_owned);
        let row = |device: LeftBehindDevice| {
            [device.account.to_string(), format_minute(device.last), device.key.to_string()]
        };
        let rows: Vec<_> = [titles].into_iter().chain(devices.into_iter().map(row)).collect();
        print(&format_table(&rows))?;
        note!();
    }
    if invites > 0 {
        let s = if invites == 1 { "" } else { "s" };
        note!("{invites} open invite{s} of before then will not open any more: make new ones after this.");
    }
    note!(
        "Programs that log in by password are not counted. A chat of ours that stays connected sees the new root within two \
         hours, and is listed all the same."
    );
    Ok(())
}

/// Returns all devices that have not seen the root with this pin, by account, and the number of older open invites.
fn list_left_behind_devices(admin: &Admin, pin: Pin) -> anyhow::Result<(Vec<LeftBehindDevice>, u32)> {
    let mut all: Vec<LeftBehindDevice> = Vec::new();
    loop {
        let after: Option<CertificateFingerprint> = all.last().map(|device| device.key);
        let AdminReply::LeftBehindByRotation { devices, invites } =
            admin.request(AdminQuery::LeftBehindByRotation { pin, after })?
        else {
            bail!("an unexpected answer")
        };
        if devices.is_empty() {
            all.sort_by_key(|device| (device.account.to_string(), device.last));
            return Ok((all, invites));
        }
        all.extend(devices);
    }
}
