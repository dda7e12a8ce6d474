//! Checks of the permissions of private files.

use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::report::Finding;

/// Checks private keys and the folder of the certificates.
pub fn check_certificates(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for key in ["root.key", "server.key"] {
        findings.extend(permission_problem(
            &folder.join(key),
            0o077,
            "others can read the private key",
            "600",
        ));
    }
    findings.extend(permission_problem(folder, 0o022, "others can exchange the certificates in", "go-w"));
    findings_or_ok("permissions", findings, || {
        format!("the keys in {} are for their owner alone", folder.display())
    })
}

/// Checks the data folder with the database and the control socket.
pub fn check_data(folder: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(permission_problem(folder, 0o022, "others can exchange what is in", "700"));
    for file in
        ["parlour.db", "parlour.db-wal", "parlour.db-shm", "search.db", "search.db-wal", "search.db-shm"]
    {
        findings.extend(permission_problem(
            &folder.join(file),
            0o077,
            "others can read what is said in",
            "600",
        ));
    }
    findings.extend(permission_problem(&folder.join("parlour.position"), 0o022, "others can change", "600"));
    findings.extend(permission_problem(
        &folder.join("control.sock"),
        0o077,
        "others can administer the server by",
        "600",
    ));
    findings.extend(foreign_owner_problem(folder));
    findings_or_ok("permissions", findings, || {
        format!("what is in {} is for its owner alone", folder.display())
    })
}

/// Checks the configuration file.
pub fn check_config(file: &Path) -> Vec<Finding> {
    permission_problem(file, 0o022, "others can change the configuration", "go-w").into_iter().collect()
}

/// Checks the files of a user: the known servers and the device keys.
pub fn check_user_files(servers: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(permission_problem(servers, 0o022, "others can change whom you trust in", "600"));
    let devices = servers.parent().unwrap_or(Path::new(".")).join("devices");
    findings.extend(permission_problem(&devices, 0o022, "others can exchange the keys in", "700"));
    for key in entries(&devices) {
        findings.extend(permission_problem(&key, 0o077, "others can log in as you with", "600"));
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

/// Returns a problem if others have one of the permissions `bits`. A missing file is no problem.
fn permission_problem(path: &Path, bits: u32, risk: &str, mode: &str) -> Option<Finding> {
    let metadata = fs::metadata(path).ok()?;
    let found = metadata.permissions().mode() & 0o7777;
    // In a sticky folder such as /tmp, others cannot replace files that they don't own.
    let sticky = metadata.is_dir() && found & 0o1000 != 0;
    if found & bits == 0 || (sticky && bits == 0o022) {
        return None;
    }
    let path = path.display();
    Some(Finding::problem(
        "permissions",
        format!("{risk} {path} (mode {found:04o})"),
        format!("chmod {mode} {path}"),
    ))
}

/// Checks for files of another owner in a folder, which a command run as root leaves behind. The server cannot write to
/// them.
fn foreign_owner_problem(folder: &Path) -> Option<Finding> {
    let owner = fs::metadata(folder).ok()?.uid();
    let strange = |path: &PathBuf| fs::metadata(path).is_ok_and(|file: Metadata| file.uid() != owner);
    let all: Vec<String> =
        entries(folder).into_iter().filter(strange).map(|path| path.display().to_string()).collect();
    if all.is_empty() {
        return None;
    }
    Some(Finding::problem(
        "permissions",
        format!("{} belong to another user than {}", all.join(", "), folder.display()),
        format!("chown {owner} {}, and run parlour as the user that the server runs as", all.join(" ")),
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

    fn folder_with(files: &[(&str, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, mode) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(&path, "").expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).expect("set");
        }
        folder
    }

    #[track_caller]
    fn assert_problem(all: &[Finding], what: &str, remedy: &str) {
        let [one] = all else { panic!("{all:?}") };
        assert_eq!(one.level, Level::Problem);
        assert!(one.summary.contains(what), "{one:?}");
        assert!(one.remedy.as_ref().is_some_and(|text| text.contains(remedy)), "{one:?}");
    }

    fn all_ok(all: &[Finding]) -> bool {
        all.iter().all(|one| one.level == Level::Ok)
    }

    #[test]
    fn keys_readable_by_others_are_a_problem() {
        let folder = folder_with(&[("root.key", 0o600), ("server.key", 0o600), ("root.pem", 0o644)]);
        assert!(all_ok(&check_certificates(folder.path())));
        fs::set_permissions(folder.path().join("server.key"), fs::Permissions::from_mode(0o644))
            .expect("set");
        assert_problem(&check_certificates(folder.path()), "server.key (mode 0644)", "chmod 600 ");
        let folder = folder_with(&[("server.key", 0o600)]);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("set");
        assert_problem(&check_certificates(folder.path()), "(mode 0777)", "chmod go-w ");
    }

    #[test]
    fn data_readable_by_others_is_a_problem() {
        let folder = folder_with(&[("parlour.db", 0o600), ("control.sock", 0o600)]);
        assert!(all_ok(&check_data(folder.path())));
        for file in ["parlour.db", "control.sock"] {
            let folder = folder_with(&[(file, 0o660)]);
            assert_problem(&check_data(folder.path()), file, "chmod 600 ");
        }
    }

    #[test]
    fn user_files_belong_to_the_user_alone() {
        let folder = folder_with(&[("servers.toml", 0o600), ("devices/alice@x.pem", 0o600)]);
        let servers = folder.path().join("servers.toml");
        assert!(all_ok(&check_user_files(&servers)));
        fs::set_permissions(&servers, fs::Permissions::from_mode(0o666)).expect("set");
        assert_problem(&check_user_files(&servers), "servers.toml (mode 0666)", "chmod 600 ");
        let folder = folder_with(&[("devices/alice@x.pem", 0o640)]);
        assert_problem(
            &check_user_files(&folder.path().join("servers.toml")),
            "alice@x.pem (mode 0640)",
            "chmod 600 ",
        );
    }

    #[test]
    fn configuration_writable_by_others_is_a_problem() {
        let folder = folder_with(&[("parlour.toml", 0o644)]);
        let file = folder.path().join("parlour.toml");
        assert_eq!(check_config(&file), []);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o664)).expect("set");
        assert_problem(&check_config(&file), "parlour.toml (mode 0664)", "chmod go-w ");
    }
}
