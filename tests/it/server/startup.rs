//! `serve` that cannot start: one clear line, the remedy, exit code 1.

use std::fs;
use std::net::TcpListener;

use crate::support::{Client, Home, server};

/// Checks that the message is one line and contains these words.
#[track_caller]
fn assert_contains_words(stderr: &str, words: &[&str]) {
    let told: Vec<&str> = stderr.lines().filter(|l| !l.contains(" INFO ") && !l.contains(" WARN ")).collect();
    assert!(told.len() <= 2 && !told.is_empty(), "not one clear line and a hint:\n{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word:?} is not in:\n{stderr}");
    }
    assert!(!stderr.contains("panicked"), "{stderr}");
}

const SERVE_ARGS: &[&str] = &["serve", "--listen", "127.0.0.1:0"];

#[test]
fn second_server_on_the_same_data_is_refused() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let stderr = server.home.fail(SERVE_ARGS);
    assert_contains_words(&stderr, &["data", "in use", &format!("to stop that: kill {}\n", server.pid())]);
    alice.barrier();
    // Once the first server has ended, another one can start, even after a crash.
    let home = server.home.clone();
    let mut server = server;
    server.kill9();
    home.serve();
}

#[test]
fn port_in_use_is_reported() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let home = Home::new(&[]);
    let stderr = home.fail(&["serve", "--listen", &address]);
    assert_contains_words(&stderr, &[&address, "in use"]);
}

#[test]
fn foreign_address_is_reported() {
    let home = Home::new(&[]);
    // TEST-NET-1 (RFC 5737): no machine has this address.
    let stderr = home.fail(&["serve", "--listen", "192.0.2.1:6697"]);
    assert_contains_words(&stderr, &["192.0.2.1:6697"]);
}

#[test]
fn misspelt_configuration_key_suggests_the_nearest() {
    for (line, wrong, meant) in [
        ("lissten = [\"127.0.0.1:0\"]", "lissten", "listen"),
        ("limits.login_timout_s = 5", "login_timout_s", "login_timeout_s"),
        ("passwords.memory_kb = 8", "memory_kb", "memory_kib"),
        ("[limit]\nflood = false", "limit", "limits"),
    ] {
        let home = Home::new(&[line]);
        let stderr = home.fail(SERVE_ARGS);
        assert_contains_words(&stderr, &["parlour.toml", wrong, meant]);
    }
}

#[test]
fn invalid_configuration_is_refused_with_its_position() {
    for (line, words) in [
        ("limits.login_timeout_s = \"soon\"", &["parlour.toml", "login_timeout_s"][..]),
        ("limits.login_timeout_s = -1", &["parlour.toml", "login_timeout_s"]),
        ("this is not toml", &["parlour.toml"]),
    ] {
        assert_contains_words(&Home::new(&[line]).fail(SERVE_ARGS), words);
    }
}

#[test]
fn named_configuration_file_must_exist() {
    let home = Home::new(&[]);
    fs::remove_file(home.path("parlour.toml")).expect("removed");
    let server = home.serve();
    drop(server);
    let stderr = home.fail(&[SERVE_ARGS, &["--config", "elsewhere.toml"]].concat());
    assert_contains_words(&stderr, &["elsewhere.toml"]);
}

#[test]
fn data_and_certificate_folders_are_configurable() {
    let home = Home::new(&[]);
    let config = home.path("parlour.toml");
    fs::rename(&config, home.path("other.toml")).expect("renamed");
    let elsewhere = ["--data", "d/data", "--certs", "c/certs", "--config", "other.toml"];
    let server =
        crate::support::Server::spawn(home.clone(), home.command(&[SERVE_ARGS, &elsewhere].concat()));
    assert!(home.path("d/data/parlour.db").exists() && home.path("c/certs/root.pem").exists());
    assert!(!home.path("data").exists() && !home.path("certs").exists());
    drop(server);
}

#[cfg(unix)]
mod certificates {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn home_with_certificates() -> Home {
        let home = Home::new(&[]);
        home.succeed(&["certs", "generate"]);
        home
    }

    #[test]
    fn keys_and_data_are_private() {
        let server = server();
        let mode = |name: &str| {
            let metadata = fs::metadata(server.home.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
            metadata.permissions().mode() & 0o777
        };
        for key in ["certs/root.key", "certs/server.key", "data/control.sock"] {
            assert_eq!(mode(key), 0o600, "{key}");
        }
        assert_eq!(mode("data"), 0o700);
    }

    #[test]
    fn key_readable_by_others_is_refused() {
        let home = home_with_certificates();
        let key = home.path("certs/server.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("permissions");
        assert_contains_words(&home.fail(SERVE_ARGS), &["server.key", "chmod 600"]);
    }

    #[test]
    fn mismatched_key_is_refused() {
        let (home, other) = (home_with_certificates(), self::home_with_certificates());
        fs::copy(other.path("certs/server.key"), home.path("certs/server.key")).expect("copied");
        assert_contains_words(&home.fail(SERVE_ARGS), &["server.key", "parlour certs"]);
    }

    #[test]
    fn unreadable_certificate_is_refused() {
        let home = home_with_certificates();
        fs::write(home.path("certs/server.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n").expect("written");
        assert_contains_words(&home.fail(SERVE_ARGS), &["server.pem"]);
        fs::remove_file(home.path("certs/server.pem")).expect("removed");
        assert_contains_words(&home.fail(SERVE_ARGS), &["server.pem"]);
    }

    #[test]
    fn certificates_are_not_overwritten_without_force() {
        let home = home_with_certificates();
        let before = fs::read(home.path("certs/root.pem")).expect("root.pem");
        assert_contains_words(&home.fail(&["certs", "generate"]), &["--force"]);
        assert_eq!(fs::read(home.path("certs/root.pem")).expect("root.pem"), before);
        home.succeed(&["certs", "generate", "--force"]);
        assert_ne!(fs::read(home.path("certs/root.pem")).expect("root.pem"), before);
    }
}
