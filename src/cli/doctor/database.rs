//! The database.

use std::path::Path;

use super::report::Finding;
use crate::store::StoreError;
use crate::store::health::{self, Health};

/// Its integrity, and what it says of the time.
pub fn check(folder: &Path) -> (Finding, Health) {
    match health::check(folder) {
        Ok(health) if health.faults.is_empty() => {
            (Finding::ok("database", "its pages and references are sound"), health)
        }
        Ok(health) => {
            let what = format!("the database is damaged: {}", health.faults.join("; "));
            (Finding::problem("database", what, rescue(folder)), health)
        }
        Err(error @ StoreError::Newer { .. }) => {
            (Finding::of_error("database", error, &[": "]), Health::default())
        }
        Err(error @ (StoreError::Locked | StoreError::File { .. })) => {
            let finding = Finding::problem(
                "database",
                error.to_string(),
                "run this as the user that the server runs as",
            );
            (finding, Health::default())
        }
        Err(error) => (Finding::problem("database", error.to_string(), rescue(folder)), Health::default()),
    }
}

fn rescue(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "stop the server, keep a copy of {folder}, and put a backup back; without one, save what can be read: \
         `sqlite3 {folder}/parlour.db .recover | sqlite3 rescued.db`. Then look at the disk"
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt as _;

    use super::*;
    use crate::cli::doctor::report::Level;
    use crate::store::Store;

    #[test]
    fn a_damaged_page_is_a_problem() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Store::open(folder.path()).expect("a store"));
        assert_eq!(check(folder.path()).0.level, Level::Ok);
        let file = fs::OpenOptions::new().write(true).open(folder.path().join("parlour.db")).expect("a file");
        file.write_all_at(&[0xa5; 512], 3 * 4096).expect("written");
        let told = check(folder.path()).0;
        assert_eq!(told.level, Level::Problem);
        assert!(told.what.starts_with("the database is damaged: "), "{told:?}");
        assert!(told.remedy.is_some_and(|remedy| remedy.contains("put a backup back")));
    }
}
