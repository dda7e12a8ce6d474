//! Regular backups, by `[backup]`, and the end of the copies that migrations have kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tracing::{error, info, warn};

use crate::backup::{self, BackupError, Places, Progress, Protection, Step, Written};
use crate::platform::{files, process};
use crate::server::config::Backup;
use crate::server::now;
use crate::server::telemetry::metrics::Metrics;
use crate::store::copy;
use crate::wire::Timestamp;

/// Longest sleep: clocks jump, and machines sleep.
const CHECK_INTERVAL: Duration = Duration::from_mins(10);

/// Delay after a backup that failed.
const RETRY_DELAY: Duration = Duration::from_mins(30);

/// Time for which the copy of a database from before its migration is kept. It still has what was removed since.
const MIGRATION_COPY_LIFETIME: Duration = Duration::from_hours(7 * 24);

/// Form of the names of backups. Names in their order are backups in their order.
const NAME_FORMAT: &str = "parlour-%Y%m%dT%H%M%SZ.backup";

/// The task that makes regular backups.
#[derive(Clone)]
pub struct BackupTask {
    /// The parts of the server.
    pub places: Places,
    /// Name of the network.
    pub network: String,
    /// Folder, interval and encryption.
    pub config: Backup,
    /// Metrics, which count the backups.
    pub metrics: Arc<Metrics>,
}

impl BackupTask {
    /// Makes a backup whenever one is due: at once if the folder has none, or the latest is older than the interval.
    /// Dropping the future ends one that is being made.
    pub async fn run(self) {
        loop {
            let data = self.places.data.clone();
            let _ = tokio::task::spawn_blocking(move || remove_migration_copies(&data)).await;
            let wait = if self.config.is_enabled() { self.make_if_due().await } else { CHECK_INTERVAL };
            tokio::time::sleep(wait.min(CHECK_INTERVAL)).await;
        }
    }

    /// Returns the time until the next backup.
    async fn make_if_due(&self) -> Duration {
        let every = self.config.every;
        let waits = time_until_due(&self.config.folder, every, now());
        if !waits.is_zero() {
            return waits;
        }
        match self.make().await {
            Ok(written) => {
                self.metrics.count_backup(true);
                info!(to = %written.note.to, bytes = written.bytes, "a backup was made");
                every
            }
            Err(error) => {
                self.metrics.count_backup(false);
                error!("no backup was made: {error}");
                // Shorter than the interval where that is shorter.
                tokio::time::sleep(RETRY_DELAY.min(every)).await;
                Duration::ZERO
            }
        }
    }

    async fn make(&self) -> Result<Written, BackupError> {
        let cancel = Cancel::default();
        let progress = cancel.0.clone();
        let (done, result) = oneshot::channel();
        let task = self.clone();
        // A thread of its own, so that it can have a lower priority than those of sessions.
        std::thread::spawn(move || {
            let _ = process::lower_thread_priority();
            let _ = done.send(task.make_blocking(&Cancellable(progress)));
        });
        result.await.unwrap_or(Err(BackupError::Cancelled))
    }

    fn make_blocking(&self, progress: &Cancellable) -> Result<Written, BackupError> {
        let Backup { folder, keep, .. } = &self.config;
        files::create_private_folder(folder).map_err(|error| unusable("write", folder, error))?;
        let protection = protection(&self.config)?;
        let at = now();
        let target = folder.join(name_of(at));
        let written = backup::write_file(&self.places, &self.network, &protection, at, &target, progress)?;
        if let Err(error) = written.note.write(&self.places.data) {
            warn!(%error, "the time of the backup cannot be noted");
        }
        remove_old(folder, usize::try_from(*keep).unwrap_or(usize::MAX));
        Ok(written)
    }
}

/// Returns who can open the backups.
fn protection(config: &Backup) -> Result<Protection, BackupError> {
    if !config.secrets {
        return Ok(Protection::NoSecrets);
    }
    if !config.recipients.is_empty() {
        return Ok(Protection::Recipients(config.recipients.clone()));
    }
    let path = &config.passphrase_file;
    let text = backup::read_passphrase_file(path)?;
    Protection::new_passphrase(&text, &format!("in {}", path.display()))
}

/// Checks that regular backups can be made: what opens them, and their folder, which is made if it is missing.
///
/// # Errors
/// What keeps the server from making one.
pub fn check(config: &Backup) -> Result<(), BackupError> {
    if !config.is_enabled() {
        if *config == Backup::default() {
            return Ok(());
        }
        return Err(BackupError::Key(
            "[backup] has no `folder`, so no backups are made: set it, or leave out the rest of [backup]"
                .to_owned(),
        ));
    }
    protection(config)?;
    // The first that exists, from the folder upwards.
    let there = config.folder.ancestors().find_map(|path| Some((path, fs::metadata(path).ok()?)));
    match there {
        Some((path, found)) if !found.is_dir() => Err(BackupError::Key(format!(
            "{} is not a folder, so no backups can be in {}: set another `folder` in [backup]",
            path.display(),
            config.folder.display()
        ))),
        _ => Ok(()),
    }
}

fn unusable(verb: &'static str, path: &Path, error: std::io::Error) -> BackupError {
    BackupError::File { verb, path: path.to_owned(), error }
}

/// Returns the name of a backup of this time.
fn name_of(at: Timestamp) -> String {
    let time = i64::try_from(at.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.unwrap_or(jiff::Timestamp::MAX).to_zoned(TimeZone::UTC).strftime(NAME_FORMAT).to_string()
}

/// Returns the time in the name of a backup.
fn time_of(name: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(NAME_FORMAT, name).ok()?.to_zoned(TimeZone::UTC).ok()?;
    u64::try_from(time.timestamp().as_millisecond()).ok().map(Timestamp)
}

/// Returns the backups in a folder, the oldest first.
fn list(folder: &Path) -> Vec<(Timestamp, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.filter_map(|entry| Some((time_of(entry.file_name().to_str()?)?, entry.path()))).collect();
    found.sort();
    found
}

/// Returns the time until the next backup is due. One from the future, of a clock that was set back, does not count.
fn time_until_due(folder: &Path, every: Duration, now: Timestamp) -> Duration {
    let last = list(folder).into_iter().map(|(at, _)| at).rfind(|at| *at <= now);
    let age = last.map(|at| Duration::from_millis(now.0.saturating_sub(at.0)));
    age.map_or(Duration::ZERO, |age| every.saturating_sub(age))
}

/// Removes all but the latest backups.
fn remove_old(folder: &Path, keep: usize) {
    let all = list(folder);
    for (_, path) in all.iter().take(all.len().saturating_sub(keep)) {
        if let Err(error) = fs::remove_file(path) {
            warn!(%error, "an old backup cannot be removed: {}", path.display());
        }
    }
    backup::remove_partial(folder);
}

/// Removes the copies of the database that are older than a week.
fn remove_migration_copies(data: &Path) {
    for path in copy::migration_copies(data) {
        let made = fs::metadata(&path).and_then(|metadata| metadata.modified());
        let age = made.ok().and_then(|made| made.elapsed().ok());
        if age.is_some_and(|age| age >= MIGRATION_COPY_LIFETIME) && fs::remove_file(&path).is_ok() {
            info!("the database of before the last update is removed: {}", path.display());
        }
    }
}

/// Cancels a backup when it is dropped.
#[derive(Default)]
struct Cancel(Arc<AtomicBool>);

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Cancellable(Arc<AtomicBool>);

impl Progress for Cancellable {
    fn begin(&self, _: Step, _: u64) {}

    fn set(&self, _: u64) {}

    fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn folder(times: &[u64]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for at in times {
            fs::write(folder.path().join(name_of(Timestamp(*at))), "").expect("written");
        }
        folder
    }

    #[test]
    fn names_have_their_time_and_are_in_its_order() {
        assert_eq!(name_of(NOW), "parlour-20231114T221320Z.backup");
        assert_eq!(time_of("parlour-20231114T221320Z.backup"), Some(NOW));
        for other in ["parlour.backup", "parlour-20231114T221320Z.backup.old", ".parlour-backup-x.partial"] {
            assert_eq!(time_of(other), None);
        }
    }

    #[test]
    fn backup_is_due_after_the_interval() {
        let (hour, every) = (3_600_000, Duration::from_hours(24));
        let due = |times: &[u64]| time_until_due(folder(times).path(), every, NOW);
        assert_eq!(due(&[]), Duration::ZERO);
        assert_eq!(due(&[NOW.0 - 25 * hour]), Duration::ZERO);
        assert_eq!(due(&[NOW.0 - 30 * hour, NOW.0 - 23 * hour]), Duration::from_hours(1));
        assert_eq!(due(&[NOW.0 - 25 * hour, NOW.0 + 5 * hour]), Duration::ZERO, "the clock was set back");
        assert_eq!(time_until_due(Path::new("/no/such/folder"), every, NOW), Duration::ZERO);
    }

    #[test]
    fn configuration_by_which_no_backup_can_be_made_is_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let (secret, file) = (home.path().join("secret"), home.path().join("file"));
        fs::write(&file, "").expect("written");
        let set = |folder: &Path, passphrase_file: &Path| Backup {
            folder: folder.to_owned(),
            passphrase_file: passphrase_file.to_owned(),
            ..Backup::default()
        };
        let error = |config: &Backup| check(config).expect_err("refused").to_string();
        assert!(check(&Backup::default()).is_ok());
        assert!(error(&set(Path::new(""), &secret)).contains("no `folder`"));
        let config = set(&home.path().join("a/b"), &secret);
        assert!(error(&config).contains("secret"), "it does not exist");
        fs::write(&secret, "seven77\nand more\n").expect("written");
        files::give_to_others(&secret, false);
        assert!(error(&config).contains("others can read"), "{}", error(&config));
        files::make_private(&secret).expect("made");
        assert!(error(&config).contains("too short"), "{}", error(&config));
        fs::write(&secret, "eight888\n").expect("written");
        assert!(check(&config).is_ok());
        assert!(error(&set(&file, &secret)).contains("is not a folder"));
        assert!(error(&set(&file.join("below"), &secret)).contains("is not a folder"));
    }

    #[test]
    fn only_old_backups_are_removed() {
        let times = [1, 2, 3, 4].map(|day| NOW.0 + day * 86_400_000);
        let folder = folder(&times);
        fs::write(folder.path().join("other.backup"), "").expect("written");
        remove_old(folder.path(), 2);
        let left: Vec<u64> = list(folder.path()).iter().map(|(at, _)| at.0).collect();
        assert_eq!(left, times[2..]);
        assert!(folder.path().join("other.backup").exists());
    }

    #[test]
    fn copies_of_migrations_end_after_a_week() {
        let data = tempfile::tempdir().expect("a folder");
        let all =
            ["parlour-schema3.db", "parlour-schema4.db", "parlour.db"].map(|name| data.path().join(name));
        for path in &all {
            fs::write(path, "").expect("written");
        }
        for old in [&all[0], &all[2]] {
            let file = fs::File::options().write(true).open(old).expect("a file");
            file.set_modified(std::time::SystemTime::now() - MIGRATION_COPY_LIFETIME).expect("an older time");
        }
        remove_migration_copies(data.path());
        assert_eq!(all.map(|path| path.exists()), [false, true, true]);
    }
}
