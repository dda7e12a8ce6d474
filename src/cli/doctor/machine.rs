//! Checks of the machine's resources: disk space and open files.

use std::path::Path;

use super::report::Finding;
use crate::client::text::count::counted;
use crate::platform::{files, process};

const MIB: u64 = 1 << 20;

/// Minimum of free space, in bytes. The database is first written to a log of up to 64 MiB.
const MIN_FREE_BYTES: u64 = 128 * MIB;
/// Free space below which to warn, in bytes: some months of a busy server.
const WARN_FREE_BYTES: u64 = 1024 * MIB;
/// Minimum of free inodes, for the database, its log, the index and temporary files of SQLite.
const MIN_FREE_INODES: u64 = 64;

/// Minimum of open files: 250 connections and 128 other files, with room for two at once of each of the temporary ones.
const MIN_OPEN_FILES: u64 = 250 + 128;

/// Checks the free space on the data folder's file system.
pub fn check_disk(folder: &Path) -> Finding {
    match files::disk_space(folder) {
        Ok(space) => free_space_finding(folder, space.free, space.free_files),
        Err(error) => Finding::problem(
            "disk",
            format!("cannot ask for the room in {}: {error}", folder.display()),
            "run this as the user that the server runs as",
        ),
    }
}

/// Checks the free space. `files` is the number of free inodes, if the file system has such a limit.
fn free_space_finding(folder: &Path, bytes: u64, files: Option<u64>) -> Finding {
    let says = format!("{} MiB are free for {}", bytes / MIB, folder.display());
    let remedy = "make room there, or forget old messages with `[history] keep_days`; a server on a full disk refuses what \
                  it cannot keep";
    if let Some(files) = files.filter(|&files| files < MIN_FREE_INODES) {
        return Finding::problem(
            "disk",
            format!("{} can be made where {} is", counted(files, "more file"), folder.display()),
            remedy,
        );
    }
    match bytes {
        0..MIN_FREE_BYTES => Finding::problem("disk", says, remedy),
        MIN_FREE_BYTES..WARN_FREE_BYTES => Finding::warning("disk", says, remedy),
        _ => Finding::ok("disk", says),
    }
}

/// Checks the server's limit of open files. Connections before their login use at most half of it.
pub fn check_open_files(pid: Option<u32>) -> Finding {
    // The server has raised its own to the maximum.
    open_files_finding(process::open_files_limit_of(pid).unwrap_or(u64::MAX))
}

fn open_files_finding(limit: u64) -> Finding {
    let says = format!("the server may have {limit} files open, which is how many connections it can take");
    let remedy = process::RAISE_OPEN_FILES;
    if limit < MIN_OPEN_FILES {
        return Finding::problem("open-files", says, remedy);
    }
    if limit < 1024 {
        return Finding::warning("open-files", says, remedy);
    }
    let says =
        if limit == u64::MAX { "the server may have any number of files open".to_owned() } else { says };
    Finding::ok("open-files", says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Level;

    #[test]
    fn low_disk_space_is_reported() {
        let level = |bytes, files| free_space_finding(Path::new("data"), bytes, files).level;
        assert_eq!(level(2 * WARN_FREE_BYTES, Some(1000)), Level::Ok);
        assert_eq!(level(2 * WARN_FREE_BYTES, None), Level::Ok);
        assert_eq!(level(WARN_FREE_BYTES - 1, None), Level::Warning);
        assert_eq!(level(MIN_FREE_BYTES - 1, None), Level::Problem);
        assert_eq!(level(2 * WARN_FREE_BYTES, Some(3)), Level::Problem);
        assert_eq!(check_disk(Path::new("/nowhere/at/all")).level, Level::Problem);
    }

    #[test]
    fn low_open_files_limit_is_reported() {
        let level = |limit| open_files_finding(limit).level;
        assert_eq!(level(u64::MAX), Level::Ok);
        assert_eq!(level(1024), Level::Ok);
        assert_eq!(level(1000), Level::Warning);
        assert_eq!(level(256), Level::Problem);
    }
}
