//! Checks of the permissions of private files.

use std::fs;
use std::path::{Path, PathBuf};

use super::report::Finding;
use crate::platform::control;
use crate::platform::files::{self, OthersAccess, Restriction};

/// Checks private keys and the folder of the certificates.
pub fn check_certificates(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["root.key", "server.key", "web-root.key", "web.key"] {
        findings.extend(permission_problem(
            &folder.join(key),
            is_accessible,
            "others can read the private key",
            Restriction::PrivateFile,
        ));
    }
    findings.extend(permission_problem(
        folder,
        is_changeable,
        "others can exchange the certificates in",
        Restriction::OwnerWrites,
    ));
    findings_or_ok("permissions", findings, || {
        format!("the keys in {} are for their owner alone", folder.display())
    })
}

/// Checks the data folder with the database and the control socket.
pub fn check_data(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(permission_problem(
        folder,
        is_changeable,
        "others can exchange what is in",
        Restriction::PrivateFolder,
    ));
    for file in
        ["parlour.db", "parlour.db-wal", "parlour.db-shm", "search.db", "search.db-wal", "search.db-shm"]
    {
        findings.extend(permission_problem(
            &folder.join(file),
            is_accessible,
            "others can read what is said in",
            Restriction::PrivateFile,
        ));
    }
    findings.extend(permission_problem(
        &folder.join("parlour.position"),
        is_changeable,
        "others can change",
        Restriction::PrivateFile,
    ));
    findings.extend(permission_problem(
        &folder.join(control::FILE_NAME),
        is_accessible,
        "others can administer the server by",
        Restriction::PrivateFile,
    ));
    findings.extend(foreign_owner_problem(folder));
    findings_or_ok("permissions", findings, || {
        format!("what is in {} is for its owner alone", folder.display())
    })
}

/// Checks the configuration file.
pub fn check_config(file: &Path) -> Vec<Finding> {
    permission_problem(file, is_changeable, "others can change the configuration", Restriction::OwnerWrites)
        .into_iter()
        .collect()
}

/// Checks the files of a user: the known servers and the device keys.
pub fn check_user_files(servers: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(permission_problem(
        servers,
        is_changeable,
        "others can change whom you trust in",
        Restriction::PrivateFile,
    ));
    let devices = servers.parent().unwrap_or(Path::new(".")).join("devices");
    findings.extend(permission_problem(
        &devices,
        is_changeable,
        "others can exchange the keys in",
        Restriction::PrivateFolder,
    ));
    for key in entries(&devices) {
        findings.extend(permission_problem(
            &key,
            is_accessible,
            "others can log in as you with",
            Restriction::PrivateFile,
        ));
    }
    findings_or_ok("permissions", findings, || {
        format!("{} and your keys are for you alone", servers.display())
    })
}

fn findings_or_ok(
    check: &'static str,
    findings: Vec<Finding>,
    ok_text: impl FnOnce() -> String,
) -> Vec<Finding> {
    if findings.is_empty() { vec![Finding::ok(check, ok_text())] } else { findings }
}

/// Returns true if others have any permission.
fn is_accessible(access: &OthersAccess) -> bool {
    access.any
}

/// Returns true if others can change a file, or replace what is in a folder. In a sticky one such as /tmp they cannot
/// replace files that they don't own.
fn is_changeable(access: &OthersAccess) -> bool {
    access.write && !access.sticky
}

/// Returns a problem if the access of others is `bad`. A missing file is no problem.
fn permission_problem(
    path: &Path,
    bad: fn(&OthersAccess) -> bool,
    risk: &str,
    restriction: Restriction,
) -> Option<Finding> {
    let access = files::others_access(path).ok().filter(bad)?;
    Some(Finding::problem(
        "permissions",
        format!("{risk} {} ({})", path.display(), access.shown),
        files::restriction_command(restriction, path),
    ))
}

/// Checks for files of another owner in a folder, which a command run as another user leaves behind. The server cannot
/// write to them.
fn foreign_owner_problem(folder: &Path) -> Option<Finding> {
    let owner = files::owner(folder).ok()?;
    let strange = |path: &PathBuf| files::owner(path).is_ok_and(|found| found != owner);
    let all: Vec<PathBuf> = entries(folder).into_iter().filter(strange).collect();
    if all.is_empty() {
        return None;
    }
    let listed: Vec<String> = all.iter().map(|path| path.display().to_string()).collect();
    Some(Finding::problem(
        "permissions",
        format!("{} belong to another user than {}", listed.join(", "), folder.display()),
        format!(
            "{}, and run parlour as the user that the server runs as",
            files::ownership_command(owner, &all)
        ),
    ))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::report::Level;

    /// A folder with files, which are private but for the one that others may read, or change if `may_write`.
    fn folder_with(names: &[&str], shared: Option<(&str, bool)>) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, "").expect("written");
            files::make_private(&path).expect("set");
        }
        if let Some((name, may_write)) = shared {
            files::give_to_others(&folder.path().join(name), may_write);
        }
        folder
    }

    #[track_caller]
    fn assert_problem(all: &[Finding], path: &Path, restriction: Restriction) {
        let [one] = all else { panic!("{all:?}") };
        assert_eq!(one.level, Level::Problem);
        let shown = files::others_access(path).expect("is there").shown;
        assert!(one.summary.ends_with(&format!("{} ({shown})", path.display())), "{one:?}");
        assert_eq!(one.remedy, Some(files::restriction_command(restriction, path)));
    }

    fn all_ok(all: &[Finding]) -> bool {
        all.iter().all(|one| one.level == Level::Ok)
    }

    #[test]
    fn keys_readable_by_others_are_a_problem() {
        let names = ["root.key", "server.key", "root.pem"];
        let folder = folder_with(&names, Some(("root.pem", false)));
        assert!(all_ok(&check_certificates(folder.path())));
        let key = folder.path().join("server.key");
        files::give_to_others(&key, false);
        assert_problem(&check_certificates(folder.path()), &key, Restriction::PrivateFile);
        let folder = folder_with(&names, Some(("", true)));
        assert_problem(&check_certificates(folder.path()), folder.path(), Restriction::OwnerWrites);
    }

    #[test]
    fn data_readable_by_others_is_a_problem() {
        let names = ["parlour.db", control::FILE_NAME];
        assert!(all_ok(&check_data(folder_with(&names, None).path())));
        for file in names {
            let folder = folder_with(&names, Some((file, false)));
            assert_problem(&check_data(folder.path()), &folder.path().join(file), Restriction::PrivateFile);
        }
    }

    #[test]
    fn user_files_belong_to_the_user_alone() {
        let names = ["servers.toml", "devices/alice@x.pem"];
        let check = |shared| {
            let folder = folder_with(&names, shared);
            let found = check_user_files(&folder.path().join(names[0]));
            (folder, found)
        };
        assert!(all_ok(&check(None).1));
        for shared in [(names[0], true), (names[1], false)] {
            let (folder, found) = check(Some(shared));
            // With the separators of this system.
            let path =
                Path::new(shared.0).iter().fold(folder.path().to_owned(), |path, name| path.join(name));
            assert_problem(&found, &path, Restriction::PrivateFile);
        }
    }

    #[test]
    fn configuration_writable_by_others_is_a_problem() {
        let folder = folder_with(&["parlour.toml"], Some(("parlour.toml", false)));
        let file = folder.path().join("parlour.toml");
        assert_eq!(check_config(&file), []);
        files::give_to_others(&file, true);
        assert_problem(&check_config(&file), &file, Restriction::OwnerWrites);
    }
}
