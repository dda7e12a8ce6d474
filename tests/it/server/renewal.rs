//! Certificates that change under a running server.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parlour::trust::certs;
use parlour::trust::device::DeviceIdentity;
use rustls::client::Resumption;
use rustls::pki_types::UnixTime;
use rustls_pki_types::CertificateDer;

use crate::support::{
    Client, Device, Home, PASSWORD, Server, assert_refused, only_line, request_one_line, server_with_admin,
};

const DAY: u64 = 24 * 60 * 60;

/// Returns the time so many days from now.
fn days_from_now(from_now: i64) -> UnixTime {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("a clock").as_secs();
    UnixTime::since_unix_epoch(Duration::from_secs(now.saturating_add_signed(from_now * DAY.cast_signed())))
}

/// Returns the leaf that a new connection sees.
fn served_certificate(server: &Server) -> CertificateDer<'static> {
    Client::connect(server).chain()[0].clone()
}

/// Makes a home with an admin, and with certificates that were made so many days ago.
fn home_with_aged_certificates(days_ago: i64, with_root_key: bool) -> Home {
    let home = Home::with_accounts(&[]);
    let row = format!("name,password,role\nroot,{PASSWORD},admin\n");
    fs::write(home.path("admins.csv"), row).expect("admins.csv");
    home.succeed(&["user", "import", "admins.csv"]);
    certs::generate(home.path("certs").as_path(), &[], false, days_from_now(-days_ago))
        .expect("certificates");
    if !with_root_key {
        fs::rename(home.path("certs/root.key"), home.path("root.key")).expect("moved");
    }
    home
}

#[test]
fn server_renews_expiring_and_expired_certificates() {
    for days_ago in [380, 500] {
        let home = home_with_aged_certificates(days_ago, true);
        let before = certs::inspect(&home.path("certs")).expect("inspected");
        let server = home.serve();
        // At the start if it has ended, at the first check if it ends soon.
        server.wait_for_log(|line| {
            line.contains("shows other certificates") || line.contains("renewed the server's")
        });
        let after = certs::inspect(&home.path("certs")).expect("inspected");
        assert_eq!(
            (after.pin, after.leaf_fingerprints.public_key),
            (before.pin, before.leaf_fingerprints.public_key)
        );
        assert!(after.leaf_validity.until > days_from_now(390), "{after:?}");
        Client::login(&server, "alice");
    }
}

#[test]
fn without_root_key_admins_are_warned_and_can_renew() {
    let home = home_with_aged_certificates(380, false);
    let server = home.serve();
    let logged = server.wait_for_log(|line| line.contains("ends soon"));
    assert!(logged.contains("WARN") && logged.contains("--offline-root"), "{logged}");
    let notice = |client: &Client| {
        client.welcome.iter().find(|line| line.command == "NOTICE").map(|line| line.text().to_owned())
    };
    let mut root = Client::login(&server, "root");
    let warned = notice(&root).expect("a warning");
    assert!(warned.contains("days left). Renew it") && warned.contains("parlour certs renew"), "{warned}");
    assert_eq!(notice(&Client::login(&server, "alice")), None, "members are not bothered");
    let mut stats = |part: &str| root.request("STATS m").iter().any(|line| line.text().contains(part));
    assert!(stats("it must be renewed manually"));

    // The root's key is brought, used, and taken away again.
    fs::create_dir(home.path("stick")).expect("a folder");
    fs::rename(home.path("root.key"), home.path("stick/root.key")).expect("moved");
    let before = served_certificate(&server);
    let error = home.fail(&["certs", "renew"]);
    assert!(error.contains("say where: --offline-root DIR"), "{error}");
    let output = home.run(&["certs", "renew", "--offline-root", "stick"]);
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("nobody was disconnected"), "{output:?}");
    assert!(!home.path("certs/root.key").exists());
    assert_ne!(served_certificate(&server), before);
    assert!(!stats("parlour certs renew") && stats("396 days left"), "the chat knows of it");
    assert_eq!(notice(&Client::login(&server, "root")), None);
}

#[test]
fn new_certificate_files_are_loaded_and_broken_ones_refused() {
    let server = server_with_admin(&[]);
    let home = &server.home;
    let (mut alice, mut root) = (Client::login(&server, "alice"), Client::login(&server, "root"));
    let (files, made) = (home.path("certs"), served_certificate(&server));
    let reload = |server: &Server, what: &str| {
        server.signal("HUP");
        server.wait_for_log(|line| line.contains(what));
    };

    // Outside of the command, as by copying files.
    certs::renew(files.as_path(), &[], UnixTime::now()).expect("renewed");
    assert_eq!(served_certificate(&server), made, "not before it is told");
    reload(&server, "were read again");
    let renewed = served_certificate(&server);
    assert_ne!(renewed, made);

    let good = fs::read(files.join("server.key")).expect("a key");
    fs::copy(files.join("root.key"), files.join("server.key")).expect("copied");
    reload(&server, "nothing was changed");
    assert!(server.log().contains("server.key is not the key of"), "{}", server.log());
    let said = request_one_line(&mut root, "REHASH");
    assert!(
        said.starts_with("FAIL REHASH INVALID_CERTIFICATE ") && said.contains("server.key is not the key of"),
        "{said}"
    );
    assert_eq!(served_certificate(&server), renewed);
    fs::write(files.join("server.key"), good).expect("written");
    certs::renew(files.as_path(), &[], UnixTime::now()).expect("renewed");
    assert!(request_one_line(&mut root, "REHASH").starts_with("382 root"));
    assert_ne!(served_certificate(&server), renewed);

    // For certificates in another folder the command does not claim that the running server uses them.
    let error = String::from_utf8(home.run(&["certs", "generate", "--certs", "other"]).stderr).expect("text");
    assert_eq!(error, "");
    let output = home.run(&["certs", "renew", "--certs", "other"]);
    assert!(
        !output.status.success() && String::from_utf8_lossy(&output.stderr).contains("in another folder")
    );
    // No session ended by any of this.
    alice.barrier();
    root.barrier();
}

#[test]
fn locked_certificate_folder_does_not_block() {
    let server = server_with_admin(&[]);
    let (mut alice, mut bob) = (Client::login(&server, "alice"), Client::login(&server, "bob"));
    let made = served_certificate(&server);
    certs::renew(server.home.path("certs").as_path(), &[], UnixTime::now()).expect("renewed");
    let folder = fs::File::open(server.home.path("certs")).expect("the folder");
    folder.lock().expect("held");
    // More than the server has threads for sessions.
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(16);
    let mut admins: Vec<Client> = (0..=threads).map(|_| Client::login(&server, "root")).collect();
    for admin in &mut admins {
        admin.send("REHASH");
    }
    server.signal("HUP");
    alice.deliver_message(&mut bob, "bob", "still here");
    Client::login(&server, "carol").barrier();
    assert_eq!(served_certificate(&server), made);
    drop(folder);
    for admin in &mut admins {
        admin.wait_for_command("382");
    }
    server.wait_for_log(|line| line.contains("were read again"));
    assert_ne!(served_certificate(&server), made);

    // The lock does not keep the server from ending either.
    let folder = fs::File::open(server.home.path("certs")).expect("the folder");
    folder.lock().expect("held");
    admins[0].send("REHASH");
    alice.deliver_message(&mut bob, "bob", "the last");
    server.signal("TERM");
    alice.read_until_closed();
    server.wait_for_log(|line| line.contains("stopped"));
    let mut server = server;
    assert!(server.wait().success());
}

#[test]
fn session_tickets_survive_renewal_without_replacing_checks() {
    let server = server_with_admin(&[]);
    let home = &server.home;
    let (laptop, phone) = (Device::new(), Device::new());
    for (device, name) in [(&laptop, "alice"), (&phone, "bob")] {
        let mut client = Client::connect_with_device(&server, device);
        client.begin_login(name, "");
        client.authenticate_with_password(name);
        let mut client = client.finish_login();
        only_line(&client.request("CERT ADD"), "NOTE");
    }
    let resuming = |device: &Device| {
        let mut config = rustls::ClientConfig::clone(&device.config(&server));
        config.resumption = Resumption::in_memory_sessions(8);
        Arc::new(config)
    };
    let (alices, bobs) = (resuming(&laptop), resuming(&phone));
    let login = |config: &Arc<rustls::ClientConfig>, name: &str| {
        let mut client = Client::connect_with_config(&server, config.clone());
        client.begin_login(name, "");
        let outcome = client.authenticate_external("");
        (client.is_resumed(), outcome, client)
    };
    for (config, name) in [(&alices, "alice"), (&bobs, "bob")] {
        let (resumed, outcome, client) = login(config, name);
        assert!(!resumed && outcome.command == "903");
        client.finish_login().close();
    }
    home.succeed(&["certs", "renew"]);
    for (config, name) in [(&alices, "alice"), (&bobs, "bob")] {
        let (resumed, outcome, client) = login(config, name);
        assert!(resumed, "{name}'s ticket is good after the renewal");
        assert_eq!(outcome.command, "903", "and says which device it is");
        let mut client = client.finish_login();
        assert_eq!(client.welcome[0].params[0], name);
        client.barrier();
    }
    // As after a full handshake, a device logs in to its own account only.
    let mut client = Client::connect_with_config(&server, bobs.clone());
    client.begin_login("alice", "");
    assert!(client.is_resumed() && client.authenticate_external("alice").command == "904");
    // A revoked device is refused with a ticket too.
    let mut alice = Client::login(&server, "alice");
    only_line(&alice.request(&format!("CERT DEL {}", laptop.fingerprint())), "NOTE");
    let (resumed, outcome, _client) = login(&alices, "alice");
    assert_eq!((resumed, outcome.command.as_str()), (true, "904"));

    // A client that resumes does not see the chain, so a new root ends all tickets.
    home.succeed(&["certs", "rotate"]);
    let (resumed, outcome, client) = login(&bobs, "bob");
    assert_eq!((resumed, outcome.command.as_str()), (false, "903"));
    assert_eq!(client.chain().len(), 4);
    assert_refused(&mut alice, "REHASH", "481 alice");
}

#[test]
fn client_verifies_the_chain_on_every_connection() {
    let server = server_with_admin(&[]);
    let device = DeviceIdentity::generate().expect("a device").0;
    let config =
        parlour::trust::tls::client_config_with_device(server.pin(), &device).expect("a configuration");
    for _ in 0..2 {
        let mut client = Client::connect_with_config(&server, config.clone());
        client.begin_login("alice", "");
        client.authenticate_with_password("alice");
        let mut client = client.finish_login();
        client.barrier();
        assert!(!client.is_resumed() && !client.chain().is_empty());
    }
}

#[test]
fn clock_that_is_years_off_is_reported() {
    // The server's clock is slow: its root is not valid yet.
    let home = Home::with_accounts(&[]);
    let make_certificates = |offset_days| {
        drop(fs::remove_dir_all(home.path("certs")));
        certs::generate(home.path("certs").as_path(), &[], false, days_from_now(offset_days))
            .expect("certificates");
    };
    make_certificates(3650);
    let today = days_from_now(0);
    let year = |time: UnixTime| 1970 + time.as_secs() / (365 * DAY + DAY / 4);
    let error = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    let says = format!("this machine's clock says {}-", year(today));
    assert!(error.contains(&says) && error.contains("Check the clock"), "{error}");
    // The clock is fast, and the root's key is missing: the leaf has ended.
    make_certificates(-3650);
    fs::remove_file(home.path("certs/root.key")).expect("removed");
    let error = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(error.contains(&says) && error.contains("Check the clock, or make a new one"), "{error}");

    // The client's clock is fast: the leaf has ended for it. The server does not check its own.
    let identity = certs::load(&home.path("certs"), days_from_now(-3649)).expect("loaded");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("its address").to_string();
    let config = parlour::trust::tls::server_config(&identity);
    let server = std::thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a connection");
        let connection = rustls::ServerConnection::new(config).expect("a TLS server");
        let mut stream = rustls::StreamOwned::new(connection, socket);
        let mut heard = Vec::new();
        let ended = std::io::Read::read_to_end(&mut stream, &mut heard);
        (ended.is_err(), heard)
    });
    let pin = identity.pin().to_string();
    let args = ["echo", &address, "--pin", &pin, "--name", "alice", "--password-stdin"];
    let output = home.run_with_input(&args, &format!("{PASSWORD}\n"));
    let error = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(6));
    assert!(error.contains(&says) && error.contains("check this machine's clock"), "{error}");
    assert_eq!(server.join().expect("the server"), (true, Vec::new()), "nothing was sent to it");
}
