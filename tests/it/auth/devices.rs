//! Devices: client certificates that log in to an account, the command CERT, and SASL EXTERNAL.

use crate::support::{
    Client, Device, PASSWORD, Server, assert_refused, only_line, server, server_with_admin, without_tags,
};

/// Connects with a device's certificate, up to the point where it can authenticate.
#[track_caller]
fn begin_login(server: &Server, device: Option<&Device>, name: &str) -> Client {
    let mut client = match device {
        Some(device) => Client::connect_with_device(server, device),
        None => Client::connect(server),
    };
    client.begin_login(name, "batch echo-message message-tags");
    client
}

/// Logs in with a device.
#[track_caller]
fn log_in_with_device(server: &Server, device: &Device, name: &str) -> Client {
    let mut client = begin_login(server, Some(device), name);
    assert_eq!(client.authenticate_external("").command, "903", "{}", client.format_transcript());
    client.finish_login()
}

/// Makes a device and adds it to the client's account.
fn add_device(client: &mut Client) -> Device {
    let device = Device::new();
    let answer = client.request(&format!("CERT ADD {}", device.fingerprint()));
    assert!(answer[0].starts_with("NOTE CERT CERT_ADDED"), "{answer:?}");
    device
}

/// <https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command>, RFC 4422 appendix A (EXTERNAL)
#[test]
fn added_certificate_logs_in_without_a_password() {
    let server = server();
    let device = Device::new();
    let mut laptop = begin_login(&server, Some(&device), "alice");
    laptop.authenticate_with_password("alice");
    let mut laptop = laptop.finish_login();
    let print = device.fingerprint();
    let lines = laptop.request("CERT LIST");
    assert!(lines.len() == 1 && lines[0].text().starts_with("No certificate"), "{lines:?}");
    let added = laptop.request("CERT ADD");
    assert!(added.len() == 1 && added[0].starts_with("NOTE CERT CERT_ADDED"), "{added:?}");
    assert!(added[0].text().contains(&print), "the one that the connection shows: {added:?}");
    assert!(laptop.request("CERT LIST")[0].text().contains("last used never"));

    // The certificate determines the account; the response may name it too, in any case.
    for response in ["", "alice", "ALICE"] {
        let mut phone = begin_login(&server, Some(&device), "whoever");
        assert_eq!(phone.authenticate_external(response).command, "903", "{response}");
        assert!(phone.finish_login().welcome.iter().any(|line| line.starts_with("376 alice")), "{response}");
    }
    let lines = laptop.request("CERT LIST");
    assert!(lines[0].text().starts_with(&print) && !lines[0].text().contains("never"), "{lines:?}");
    assert!(lines[1].text().starts_with("1 certificate"), "{lines:?}");
    // The password still works with the certificate, for the same account.
    let mut phone = log_in_with_device(&server, &device, "alice");
    phone.request("PRIVMSG alice :to myself");
    laptop.wait_for_message("to myself");
    assert!(!server.log().contains(PASSWORD));
}

#[test]
fn cert_accepts_only_valid_unused_fingerprints() {
    let server = server();
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let device = Device::new();
    let print = device.fingerprint();
    let pairs: Vec<&str> =
        print.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).expect("hex")).collect();
    let colons = pairs.join(":").to_uppercase();
    // In the spelling of other programs; adding it again changes nothing.
    for spelling in [&colons, &print] {
        assert!(
            alice.request(&format!("CERT ADD {spelling}"))[0].starts_with("NOTE CERT CERT_ADDED"),
            "{spelling}"
        );
    }
    assert_eq!(alice.request("CERT LIST").len(), 2);
    assert_refused(&mut alice, "CERT", "461 alice CERT");
    assert_refused(&mut alice, "CERT DEL", "461 alice CERT");
    assert_refused(&mut alice, "CERT EAT", "FAIL CERT INVALID_PARAMS EAT");
    assert_refused(&mut alice, "CERT ADD", "FAIL CERT NO_CERTIFICATE");
    assert_refused(&mut alice, &format!("CERT ADD {}", &print[1..]), "FAIL CERT INVALID_FINGERPRINT");
    assert_refused(&mut bob, &format!("CERT ADD {print}"), "FAIL CERT CERT_REFUSED");
    assert_refused(&mut bob, &format!("CERT DEL {print}"), "FAIL CERT NO_SUCH_CERT");
    // Nor a certificate of which bob has the key.
    let mut shows = begin_login(&server, Some(&device), "bob");
    shows.authenticate_with_password("bob");
    assert_refused(&mut shows.finish_login(), "CERT ADD", "FAIL CERT CERT_REFUSED");
    assert_eq!(
        log_in_with_device(&server, &device, "alice").request("CERT LIST").len(),
        2,
        "it is alice's still"
    );
    for n in 1..32 {
        assert!(alice.request(&format!("CERT ADD {n:064x}"))[0].starts_with("NOTE CERT CERT_ADDED"), "{n}");
    }
    assert_refused(&mut alice, &format!("CERT ADD {:064x}", 32), "FAIL CERT CERT_REFUSED");
    let labelled = alice.request("@label=it CERT LIST");
    assert_eq!(labelled.iter().filter(|line| line.tag("label") == Some("it")).count(), 1, "{labelled:?}");
}

/// <https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command>: after `ERR_SASLFAIL` a client may try again.
#[test]
fn unproven_external_login_is_refused_without_lockout() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let (of_alice, of_nobody) = (add_device(&mut alice), Device::new());

    let mut none = begin_login(&server, None, "alice");
    let mut strange = begin_login(&server, Some(&of_nobody), "alice");
    for client in [&mut none, &mut strange] {
        // As clients do that try every mechanism, over and over.
        for _ in 0..12 {
            for response in ["", "alice", "nobody-of-this-name"] {
                assert_eq!(client.authenticate_external(response).command, "904");
            }
            client.send("AUTHENTICATE SCRAM-SHA-256");
            assert!(client.wait_for_command("908").starts_with("908 alice PLAIN,EXTERNAL"));
            client.wait_for_command("904");
            client.send("AUTHENTICATE EXTERNAL");
            client.wait_for_command("AUTHENTICATE");
            client.send("AUTHENTICATE *");
            client.wait_for_command("906");
        }
        client.authenticate_with_password("alice");
    }
    none.finish_login().barrier();
    strange.finish_login().barrier();

    // A certificate proves its own account and no other.
    let mut wrong = begin_login(&server, Some(&of_alice), "bob");
    for _ in 0..12 {
        assert_eq!(wrong.authenticate_external("bob").command, "904");
    }
    assert_eq!(wrong.authenticate_external("").command, "903");
    assert!(
        wrong.finish_login().request("WHOIS alice").iter().any(|line| line.starts_with("311 alice alice"))
    );
    // No password was tried, so no login is delayed.
    for name in ["alice", "bob"] {
        Client::login(&server, name).barrier();
    }
}

/// Account states apply to devices as they do to passwords.
#[test]
fn device_of_a_disabled_or_removed_account_is_refused() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let device = add_device(&mut alice);
    let outcome = || begin_login(&server, Some(&device), "alice").authenticate_external("").command;
    assert_eq!(outcome(), "903");
    server.home.succeed(&["user", "disable", "alice"]);
    assert_eq!(outcome(), "904");
    server.home.succeed(&["user", "enable", "alice"]);
    assert_eq!(outcome(), "903");
    server.home.succeed(&["user", "remove", "--yes", "alice"]);
    assert_eq!(outcome(), "904");
    assert_eq!(server.home.count("SELECT count(*) FROM devices"), 0);
}

#[test]
fn removed_device_is_disconnected_at_once() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    let (lost, kept) = (add_device(&mut alice), add_device(&mut alice));
    let (mut thief, mut second) =
        (log_in_with_device(&server, &lost, "alice"), log_in_with_device(&server, &lost, "alice"));
    let mut tablet = log_in_with_device(&server, &kept, "alice");
    // A connection that has authenticated and not finished its login.
    let mut waiting = begin_login(&server, Some(&lost), "alice");
    assert_eq!(waiting.authenticate_external("").command, "903");

    let answer = alice.request(&format!("CERT DEL {}", lost.fingerprint()));
    assert!(only_line(&answer, "NOTE").starts_with("NOTE CERT CERT_REMOVED"), "{answer:?}");
    for client in [&mut thief, &mut second] {
        let lines = client.read_until_closed();
        assert!(lines.last().is_some_and(|line| line.command == "ERROR"), "{lines:?}");
    }
    waiting.send("CAP END");
    let lines = waiting.read_until_closed();
    assert!(lines.iter().all(|line| line.command != "001"), "{lines:?}");
    assert_eq!(lines.last().map(|line| line.command.as_str()), Some("ERROR"));
    assert_eq!(begin_login(&server, Some(&lost), "alice").authenticate_external("").command, "904");
    tablet.barrier();

    // A session that removes its own device gets the reply before it ends.
    tablet.send(&format!("CERT DEL {}", kept.fingerprint()));
    let lines = tablet.read_until_closed();
    assert!(
        lines[0].starts_with("NOTE CERT CERT_REMOVED") && lines[1].command == "ERROR",
        "{:?}",
        without_tags(&lines)
    );
    // The device can be added again.
    alice.request(&format!("CERT ADD {}", kept.fingerprint()));
    log_in_with_device(&server, &kept, "alice").barrier();
}

/// RFC 8446 section 4.4.3 (CertificateVerify): a client that presents a certificate must have its key.
#[test]
fn certificate_without_its_key_is_refused() {
    let server = server_with_admin(&[]);
    let mut root = Client::login(&server, "root");
    let device = add_device(&mut root);
    assert_eq!(begin_login(&server, Some(&device), "root").authenticate_external("").command, "903");
    let mut thief = Client::connect_with_device(&server, &device.with_stolen_certificate());
    server.wait_for_log(|line| line.contains("no TLS 1.3 handshake"));
    assert_eq!(thief.read_until_closed(), []);
}

/// OpenSSL and others make such certificates by default.
#[test]
fn x509_v1_certificate_is_refused_with_a_reason() {
    let server = server();
    let old = Device::new().with_version_1();
    let mut alice = begin_login(&server, Some(&old), "alice");
    let refusal = alice.authenticate_external("");
    assert!(refusal.command == "904" && refusal.text().contains("X.509 version 1"), "{refusal}");
    // The connection continues, and no such certificate becomes a device.
    alice.authenticate_with_password("alice");
    let mut alice = alice.finish_login();
    let answer = alice.request("CERT ADD");
    assert!(answer.len() == 1 && answer[0].command == "FAIL", "{answer:?}");
}
