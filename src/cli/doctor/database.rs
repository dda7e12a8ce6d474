//! Check of the database.

use std::path::Path;

use super::report::Finding;
use crate::store::StoreError;
use crate::store::health::{self, Health};

/// Size of the write-ahead log to warn from, in bytes. It grows so large if another program keeps a read transaction
/// open.
const LARGE_LOG_BYTES: u64 = 256 << 20;

/// Checks the integrity of the database and pending erasing. Returns the findings and the state, which includes the
/// recorded time.
pub fn check(folder: &Path) -> (Vec<Finding>, Health) {
    let health = match health::check(folder) {
        Ok(health) => health,
        Err(error) => return (vec![unusable_finding(folder, &error)], Health::default()),
    };
    let mut findings = Vec::new();
    if health.faults.is_empty() {
        findings.push(Finding::ok("database", "its pages, checksums and references are sound"));
    } else {
        let summary = format!("the database is damaged: {}", health.faults.join("; "));
        findings.push(Finding::problem("database", summary, rescue_instructions(folder)));
    }
    let reader = format!(
        "end the other program that has {}/parlour.db or search.db open (`fuser` names it); a server that runs tries again \
         until it is done",
        folder.display()
    );
    if health.to_erase > 0 || health.index_to_erase {
        let summary =
            "text that was redacted or removed is not erased yet from the database's log or the search index";
        findings.push(Finding::warning("database", summary, &*reader));
    }
    if health.log_bytes >= LARGE_LOG_BYTES {
        let summary =
            format!("the log of the database has {} MiB and cannot be copied", health.log_bytes >> 20);
        findings.push(Finding::warning("database", summary, &*reader));
    }
    (findings, health)
}

fn unusable_finding(folder: &Path, error: &StoreError) -> Finding {
    match error {
        StoreError::Unusable(why) => {
            let remedy = why.remedy();
            let mut start = remedy.chars();
            let first = start.next().map(|first| first.to_ascii_lowercase());
            Finding::problem(
                "database",
                why.description(),
                first.into_iter().chain(start).collect::<String>(),
            )
        }
        StoreError::Newer { .. } => Finding::from_error("database", error, &[": "]),
        StoreError::Locked | StoreError::File { .. } => {
            Finding::problem("database", error.to_string(), "run this as the user that the server runs as")
        }
        _ => Finding::problem("database", error.to_string(), rescue_instructions(folder)),
    }
}

fn rescue_instructions(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "stop the server, keep a copy of {folder}, and put a backup back; without one, save what can be read: \
         `sqlite3 {folder}/parlour.db .recover | sqlite3 rescued.db`. Then look at the disk"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::cli::doctor::report::Level;
    use crate::platform::files;
    use crate::store::Store;

    #[test]
    fn damaged_page_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path()).expect("a store"));
        assert!(check(folder.path()).0.iter().all(|one| one.level == Level::Ok));
        let file = fs::OpenOptions::new().write(true).open(folder.path().join("parlour.db")).expect("a file");
        files::write_all_at(&file, &[0xa5; 512], 3 * 4096).expect("written");
        let finding = check(folder.path()).0.swap_remove(0);
        assert_eq!(finding.level, Level::Problem);
        assert!(finding.summary.starts_with("the database is damaged: "), "{finding:?}");
        assert!(finding.remedy.is_some_and(|remedy| remedy.contains("put a backup back")));
    }
}
