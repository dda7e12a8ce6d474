//! Check of the files that people share.

use std::collections::HashSet;
use std::path::Path;
use std::time::SystemTime;

use super::report::Finding;
use crate::client::text::count::counted;
use crate::core::record::file::FileHash;
use crate::server::http::files::folder::FileFolder;

/// Paths that are named of more that were found.
const MAX_NAMED: usize = 5;

/// Checks that the contents of all files are in the file folder of a data folder, and nothing else. `used` are the hashes of
/// the contents that the database knows.
pub fn check(data: &Path, used: &HashSet<FileHash>) -> Vec<Finding> {
    let folder = FileFolder::of_data_folder(data);
    let orphans = match folder.old_orphans(used, SystemTime::now()) {
        Ok(orphans) => orphans,
        Err(error) => {
            let summary = format!("the files in {} cannot be listed: {error}", data.display());
            return vec![Finding::problem("files", summary, "run this as the user that the server runs as")];
        }
    };
    let mut findings = Vec::new();
    let missing = folder.missing(used).len();
    if missing > 0 {
        let (lack, have) = if missing == 1 { ("lacks", "its content") } else { ("lack", "their contents") };
        let summary = format!("{} {lack} {have}", counted(missing, "shared file"));
        let remedy = format!(
            "put the folder {}/files of a backup back; without one, take back the messages with the files that cannot be read",
            data.display()
        );
        findings.push(Finding::problem("files", summary, remedy));
    }
    if !orphans.is_empty() {
        let named: Vec<String> =
            orphans.iter().take(MAX_NAMED).map(|path| path.display().to_string()).collect();
        let more = if orphans.len() > MAX_NAMED { ", …" } else { "" };
        let summary = format!(
            "{} of no file, left by a crash or a backup: {}{more}",
            counted(orphans.len(), "content"),
            named.join(", ")
        );
        let remedy = "nothing to do: a running server removes them within an hour";
        findings.push(Finding::warning("files", summary, remedy));
    }
    if findings.is_empty() && !used.is_empty() {
        findings.push(Finding::ok(
            "files",
            format!("{} of shared files are there", counted(used.len(), "content")),
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;
    use crate::cli::doctor::report::Level;

    #[test]
    fn what_is_missing_and_what_is_left_over_is_named() {
        let data = tempfile::tempdir().expect("a folder");
        let levels = |used: &HashSet<FileHash>| {
            check(data.path(), used).iter().map(|finding| finding.level).collect::<Vec<_>>()
        };
        assert_eq!(levels(&HashSet::new()), []);
        let folder = data.path().join("files/01");
        fs::create_dir_all(&folder).expect("a folder");
        let content = folder.join("01".repeat(32));
        fs::write(&content, "x").expect("written");
        let used = HashSet::from([[1; 32]]);
        assert_eq!(levels(&used), [Level::Ok]);
        // An upload may be adding it.
        assert_eq!(levels(&HashSet::new()), []);
        let file = fs::File::options().write(true).open(&content).expect("a file");
        file.set_modified(SystemTime::now() - Duration::from_hours(2)).expect("an older time");
        let findings = check(data.path(), &HashSet::from([[2; 32]]));
        assert_eq!(
            findings.iter().map(|finding| finding.level).collect::<Vec<_>>(),
            [Level::Problem, Level::Warning]
        );
        assert!(findings[0].summary.contains("1 shared file lacks its content"), "{findings:?}");
        assert!(findings[1].summary.contains(&"01".repeat(32)), "{findings:?}");
    }
}
