//! `[backup]`: regular backups (docs/backup.md).

use std::path::PathBuf;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use toml::de::DeTable;

use super::error::LocatedError;
use super::keys::key_offset;
use super::values;
use crate::backup::Recipient;
use crate::core::request::durations;

/// The shortest and the longest interval.
const INTERVALS: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(366 * 24));

/// `[backup]`: regular backups. None are made without a folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, expecting = "a table")]
pub struct Backup {
    /// Folder of the backups, if possible on another disk. Default: none.
    pub folder: PathBuf,
    /// Time between two backups, such as `24h` or `7d`, from a minute to a year. Default: `24h`.
    #[serde(deserialize_with = "interval", serialize_with = "interval_text")]
    pub every: Duration,
    /// Count of backups that are kept in the folder, 1 to 10,000. Default: 7.
    #[serde(deserialize_with = "values::between::<1, 10_000, _, _>")]
    pub keep: u32,
    /// Public keys of age that the backups are encrypted to, `age1…`. Default: none.
    #[serde(deserialize_with = "values::recipients", serialize_with = "values::texts")]
    pub recipients: Vec<Recipient>,
    /// File whose first line is the passphrase that the backups are encrypted with. Default: none.
    pub passphrase_file: PathBuf,
    /// False leaves out password hashes, keys and tokens, and does not encrypt. Default: true.
    pub secrets: bool,
}

impl Default for Backup {
    fn default() -> Self {
        Self {
            folder: PathBuf::new(),
            every: Duration::from_hours(24),
            keep: 7,
            recipients: Vec::new(),
            passphrase_file: PathBuf::new(),
            secrets: true,
        }
    }
}

impl Backup {
    /// Returns whether there are regular backups.
    pub fn is_enabled(&self) -> bool {
        !self.folder.as_os_str().is_empty()
    }

    /// Checks that there is a folder where anything else is set for backups, and that then exactly one key says who can
    /// open them.
    pub(super) fn check(&self, table: &DeTable<'_>) -> Result<(), LocatedError> {
        let choices =
            [!self.recipients.is_empty(), !self.passphrase_file.as_os_str().is_empty(), !self.secrets];
        let chosen = choices.iter().filter(|chosen| **chosen).count();
        let message = match (self.is_enabled(), chosen) {
            (false, 0) | (true, 1) => return Ok(()),
            (false, _) => "where the backups go is missing: add `folder`",
            (true, 0) => {
                "who can open the backups is missing: add `recipients`, `passphrase_file`, or `secrets = false`"
            }
            (true, _) => "of `recipients`, `passphrase_file` and `secrets = false` there can be one only",
        };
        let offset = key_offset(table, "backup", &["recipients", "passphrase_file", "secrets", "folder"]);
        Err(LocatedError { offset, message: message.to_owned() })
    }
}

fn interval<'de, D: Deserializer<'de>>(value: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(value)?;
    let (shortest, longest) = INTERVALS;
    durations::duration(&text).filter(|every| (shortest..=longest).contains(every)).ok_or_else(|| {
        D::Error::custom(format!("`{text}` is not a time such as `24h` or `7d`, from a minute to a year"))
    })
}

fn interval_text<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    match (value.as_secs() / 3600, value.as_secs() % 3600) {
        (hours, 0) => serializer.collect_str(&format_args!("{hours}h")),
        _ => serializer.collect_str(&humantime::format_duration(*value)),
    }
}
