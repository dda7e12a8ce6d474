//! Check of the age of the last backup.

use std::path::Path;
use std::time::Duration;

use super::report::Finding;
use crate::cli::output::format_minute;
use crate::server::config::Backup;
use crate::server::maintenance::backups;
use crate::store::last_backup;
use crate::wire::Timestamp;

/// Age from which a backup is too old, if regular ones are not rarer.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// Checks that the server can make the regular backups that its configuration asks for.
pub fn check_configuration(config: &Backup) -> Option<Finding> {
    let error = backups::check(config).err()?;
    Some(Finding::from_error("backup", error, &["; ", ": "]))
}

/// Checks that there is a backup of this server, and a recent one. A server that exists `since` a shorter time than a
/// backup may be old needs none yet.
pub fn check(data: &Path, config: &Backup, since: Timestamp, now: Timestamp) -> Finding {
    let most = if config.is_enabled() { MAX_AGE.max(2 * config.every) } else { MAX_AGE };
    let is_old = |at: Timestamp| Duration::from_millis(now.0.saturating_sub(at.0)) > most;
    let remedy = if config.is_enabled() {
        format!(
            "look for `backup` in the server's log, and whether it can write to {}",
            config.folder.display()
        )
    } else {
        "run `parlour backup FILE`, or set `folder` in [backup] for regular ones".to_owned()
    };
    match last_backup::read(data) {
        Some(last) if is_old(last.at()) => {
            let summary = format!("the last one is of {}, to {}", format_minute(last.at()), last.to);
            Finding::warning("backup", summary, remedy)
        }
        Some(last) => {
            Finding::ok("backup", format!("the last one is of {}, to {}", format_minute(last.at()), last.to))
        }
        None if is_old(since) => Finding::warning("backup", "there is none of this server", remedy),
        None => Finding::ok("backup", "there is none yet: `parlour backup FILE` makes one"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::{Hidden, Places, Protection, write_to};
    use crate::cli::doctor::report::Level;
    use crate::store::Store;

    #[test]
    fn regular_backups_that_cannot_be_made_are_a_problem() {
        let home = tempfile::tempdir().expect("a folder");
        assert_eq!(check_configuration(&Backup::default()), None);
        let config = Backup {
            folder: home.path().join("backups"),
            passphrase_file: home.path().join("missing"),
            ..Backup::default()
        };
        let finding = check_configuration(&config).expect("a finding");
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.summary.contains("missing"), "{finding:?}");
    }

    #[test]
    fn age_of_the_last_backup_counts() {
        let home = tempfile::tempdir().expect("a folder");
        let data = home.path().join("data");
        drop(Store::open(&data).expect("a store"));
        let now = Timestamp(1_700_000_000_000);
        let days_ago = |days: u64| Timestamp(now.0 - days * 86_400_000);
        let level = |config: &Backup, since| check(&data, config, since, now).level;
        let mut config = Backup::default();
        assert_eq!(level(&config, days_ago(6)), Level::Ok, "a new server");
        assert_eq!(level(&config, days_ago(8)), Level::Warning);
        let places = Places {
            data: data.clone(),
            certs: home.path().join("certs"),
            config_file: home.path().join("x"),
        };
        let written = write_to(&places, "x", &Protection::NoSecrets, days_ago(8), std::io::sink(), &Hidden)
            .expect("written");
        written.note.write(&data).expect("noted");
        assert_eq!(level(&config, days_ago(9)), Level::Warning);
        config.folder = "backups".into();
        config.every = Duration::from_hours(7 * 24);
        assert_eq!(level(&config, days_ago(9)), Level::Ok, "twice a week has not passed");
    }
}
