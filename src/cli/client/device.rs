//! `parlour device`: lists and revokes the devices of an account.

use anyhow::{anyhow, bail};
use clap::Subcommand;
use serde::Serialize;

use crate::cli::access::{self, Access, describe_connect_error};
use crate::cli::output::{format_minute, format_table, print, print_objects};
use crate::client::connect::connection::ConnectError;
use crate::client::connect::session::{EnrolledDevice, Session};
use crate::client::files::devices::DeviceFile;
use crate::client::files::servers::Servers;
use crate::core::record::device::CertificateFingerprint;

/// List and revoke the devices that log in to your account without its password.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour device list
  parlour device revoke 3fb0c1…        the first digits are enough, where they say which")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print your devices, and the time of their last logins.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        at: ServerArgs,
    },
    /// Revoke a device. Its sessions end at once.
    Revoke {
        /// The device's fingerprint, or its beginning.
        #[arg(value_parser = parse_fingerprint)]
        fingerprint: String,
        #[command(flatten)]
        at: ServerArgs,
    },
}

#[derive(clap::Args)]
struct ServerArgs {
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(long, value_name = "SERVER")]
    server: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// A device as JSON.
#[derive(Serialize)]
struct JsonDevice<'a> {
    fingerprint: &'a str,
    added: Option<String>,
    /// Null for a device that never logged in.
    last_used: Option<String>,
    this_machine: bool,
}

impl<'a> JsonDevice<'a> {
    fn new(device: &'a EnrolledDevice, own: Option<&str>) -> Self {
        Self {
            fingerprint: &device.fingerprint,
            added: device.added_at.map(|at| at.to_string()),
            last_used: device.last_used.map(|at| at.to_string()),
            this_machine: Some(&*device.fingerprint) == own,
        }
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let (at, json, wanted) = match args.action {
        Action::List { json, at } => (at, json, None),
        Action::Revoke { fingerprint, at } => (at, false, Some(fingerprint)),
    };
    access::run_client(async {
        let mut session =
            at.access.open(at.server.as_deref(), Some(access::RECONNECT_TIMEOUT), false).await?;
        let devices = flatten_answer(session.list_devices().await)?;
        let own = own_fingerprint(&session);
        let Some(wanted) = wanted else {
            session.close("").await;
            if json {
                let devices = devices.iter().map(|device| JsonDevice::new(device, own.as_deref()));
                return print_objects(&devices.collect::<Vec<_>>());
            }
            return print(&format_list(&devices, own.as_deref()));
        };
        let device = find_device(&devices, &wanted)?;
        flatten_answer(session.revoke_device(device).await)?;
        session.close("").await;
        let mine = if Some(device) == own.as_deref() {
            "; it was this machine: the next login here asks for the password"
        } else {
            ""
        };
        print(&format!("{device} was revoked{mine}\n"))
    })
}

/// Flattens the outer error and the server's refusal to an error of one line.
pub(super) fn flatten_answer<T>(reply: Result<Result<T, String>, ConnectError>) -> anyhow::Result<T> {
    let reply = reply.map_err(|error| describe_connect_error(&error))?;
    reply.map_err(|why| anyhow!("the server refused it: {why}; try again in a moment"))
}

/// Returns the certificate fingerprint of this device for the account. During a rotation its file may have the next pin
/// in its name.
fn own_fingerprint(session: &Session) -> Option<String> {
    let (path, endpoint) = (Servers::default_path().ok()?, session.endpoint());
    let pins = [Some(endpoint.pins.current), endpoint.pins.next];
    let load = |pin| DeviceFile::for_account(&path, pin, &endpoint.account).load().ok()?;
    pins.into_iter()
        .flatten()
        .find_map(load)
        .map(|device| CertificateFingerprint(device.certificate_hash()).to_string())
}

fn format_list(devices: &[EnrolledDevice], own: Option<&str>) -> String {
    let mut rows = vec![["FINGERPRINT", "ADDED", "LAST USED", ""].map(ToOwned::to_owned)];
    for EnrolledDevice { fingerprint, added_at: added, last_used: used } in devices {
        let mine = if Some(&**fingerprint) == own { "this machine" } else { "" };
        let used = used.map_or_else(|| "never".to_owned(), format_minute);
        rows.push([fingerprint.clone(), added.map(format_minute).unwrap_or_default(), used, mine.to_owned()]);
    }
    format_table(&rows)
}

/// Returns the only device whose fingerprint begins with `start`.
fn find_device<'a>(devices: &'a [EnrolledDevice], start: &str) -> anyhow::Result<&'a str> {
    let mut found =
        devices.iter().map(|device| &*device.fingerprint).filter(|print| print.starts_with(start));
    match (found.next(), found.next()) {
        (Some(device), None) => Ok(device),
        (None, _) => {
            bail!("no device of yours has a fingerprint {start}…; `parlour device list` prints them")
        }
        _ => bail!("several devices have a fingerprint {start}…; give more digits of it"),
    }
}

/// Parses a fingerprint for clap: hexadecimal digits, with or without colons as other programs print them.
fn parse_fingerprint(text: &str) -> Result<String, String> {
    let digits: String = text.chars().filter(|&c| c != ':').collect::<String>().to_ascii_lowercase();
    if digits.len() < 4 || digits.len() > 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(
            "a fingerprint is 64 hexadecimal digits, with colons or without; at least 4 of them".to_owned()
        );
    }
    Ok(digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Timestamp;

    fn device(fingerprint: &str, used: Option<u64>) -> EnrolledDevice {
        let added = Some(Timestamp(1_700_000_000_000));
        EnrolledDevice {
            fingerprint: fingerprint.to_owned(),
            added_at: added,
            last_used: used.map(Timestamp),
        }
    }

    #[test]
    fn device_is_found_by_fingerprint_prefix() {
        let devices = [device("abcd00", None), device("abcd11", None), device("ef0123", None)];
        assert_eq!(find_device(&devices, "ef01").expect("one"), "ef0123");
        assert!(find_device(&devices, "abcd").expect_err("two").to_string().contains("more digits"));
        assert!(find_device(&devices, "ffff").expect_err("none").to_string().contains("device list"));
        assert_eq!(parse_fingerprint("AB:CD:ef").as_deref(), Ok("abcdef"));
        for bad in ["", "abc", "xyz1", &"a".repeat(65)] {
            assert!(parse_fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn list_marks_this_device() {
        let devices = [device("aa", Some(1_700_000_060_000)), device("bb", None)];
        let expected = "FINGERPRINT  ADDED                 LAST USED\n\
                        aa           2023-11-14 22:13 UTC  2023-11-14 22:14 UTC  this machine\n\
                        bb           2023-11-14 22:13 UTC  never\n";
        assert_eq!(format_list(&devices, Some("aa")), expected);
    }
}
