//! `parlour certs`: the files that it writes, checked with openssl.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use assert_cmd::cargo::cargo_bin;
use parlour::trust::Pin;
use tempfile::TempDir;

use crate::support::has_program;

fn run_parlour(folder: &Path, args: &[&str]) -> Output {
    Command::new(cargo_bin!("parlour")).current_dir(folder).args(args).output().expect("it runs")
}

/// Returns the standard output of a run, which must succeed.
fn stdout_text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Returns the error of a run, which must fail with one line and nothing on stdout.
fn error_text(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr.clone()).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

fn shown_value<'a>(shown: &'a str, label: &str) -> &'a str {
    let line = shown.lines().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("no {label} in {shown}")).trim()
}

fn generate_certificates() -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder");
    let shown =
        stdout_text(&run_parlour(folder.path(), &["certs", "generate", "--name", "chat.example.org"]));
    (folder, shown)
}

#[test]
fn keys_are_readable_by_the_owner_only() {
    let (folder, _) = generate_certificates();
    for (name, mode) in [("root.key", 0o600), ("server.key", 0o600)] {
        let metadata = fs::metadata(folder.path().join("certs").join(name)).expect(name);
        assert_eq!(metadata.permissions().mode() & 0o7777, mode, "{name}");
    }
}

#[test]
fn refused_generate_changes_nothing() {
    let (folder, shown) = generate_certificates();
    let files = || {
        let entries = fs::read_dir(folder.path().join("certs")).expect("a folder");
        let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files.into_iter().map(|path| (fs::read(&path).expect("a file"), path)).collect::<Vec<_>>()
    };
    let before = files();
    assert!(error_text(&run_parlour(folder.path(), &["certs", "generate"])).contains("exists already"));
    assert_eq!(files(), before);
    assert_eq!(stdout_text(&run_parlour(folder.path(), &["certs", "show"])), shown);
    let forced = stdout_text(&run_parlour(folder.path(), &["certs", "generate", "--force"]));
    assert_ne!(shown_value(&forced, "pin"), shown_value(&shown, "pin"));
    shown_value(&forced, "pin").parse::<Pin>().expect("a pin");
}

#[test]
fn loose_key_permissions_are_reported_with_a_remedy() {
    let (folder, shown) = generate_certificates();
    let key = folder.path().join("certs/server.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("chmod");
    let output = run_parlour(folder.path(), &["certs", "show"]);
    assert_eq!(stdout_text(&output), shown);
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "A server refuses to start with these certificates: others can read the private key certs/server.key (mode 0640). \
         Keep it to yourself: chmod 600 certs/server.key\n",
    );
}

#[test]
fn broken_pipe_is_no_panic() {
    let (folder, _) = generate_certificates();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = Command::new(cargo_bin!("parlour"))
        .current_dir(folder.path())
        .args(["certs", "show"])
        .stdout(writer)
        .output()
        .expect("it runs");
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "a reader that has seen enough is no error: {output:?}"
    );
}

/// Runs openssl, which must succeed. Returns its output.
#[track_caller]
fn openssl(folder: &Path, args: &[&str]) -> String {
    let run = Command::new("openssl").current_dir(folder.join("certs")).args(args).output().expect("openssl");
    assert!(run.status.success(), "{args:?}: {}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8(run.stdout).expect("text")
}

#[test]
fn openssl_verifies_the_chain() {
    if !has_program("openssl") {
        return;
    }
    let (folder, shown) = generate_certificates();
    let fingerprint =
        openssl(folder.path(), &["x509", "-in", "server.pem", "-noout", "-fingerprint", "-sha256"]);
    let (_, fingerprint) = fingerprint.trim().split_once('=').expect("name=value");
    assert_eq!(shown_value(&shown, "openssl x509 -sha256"), fingerprint);
    assert_eq!(shown_value(&shown, "irssi -tls_pinned_cert"), fingerprint);
    assert_eq!(shown_value(&shown, "WeeChat 4 tls_fingerprint"), fingerprint.replace(':', "").to_lowercase());

    for name in [["-verify_hostname", "chat.example.org"], ["-verify_ip", "127.0.0.1"], ["-verify_ip", "::1"]]
    {
        let chain = ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "root.pem"];
        openssl(folder.path(), &[&chain[..], &name, &["server.pem"]].concat());
    }

    // The hash of the key, computed from the key and not from the certificate.
    let spki = folder.path().join("certs/spki.der");
    openssl(folder.path(), &["pkey", "-in", "server.key", "-pubout", "-outform", "der", "-out", "spki.der"]);
    let hash = openssl(folder.path(), &["dgst", "-sha256", "-c", "spki.der"]);
    let (_, hash) = hash.trim().rsplit_once(' ').expect("file and hash");
    assert_eq!(shown_value(&shown, "irssi -tls_pinned_pubkey"), hash.to_uppercase());
    assert!(spki.exists());
}
