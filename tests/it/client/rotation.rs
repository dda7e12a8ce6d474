//! Rotation of the root for clients that know the old one, with the real client.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::rc::Rc;

use parlour::client::connect::connection::Endpoint;
use parlour::client::connect::login::Credentials;
use parlour::client::connect::password::Password;
use parlour::client::connect::session::{Session, SessionUpdate};
use parlour::client::files::servers::Servers;
use parlour::client::model::{Conversation, Event, MessageKind};
use parlour::trust::{Address, Pin, Pins};
use parlour::wire::{ChannelName, Nick};
use tokio::sync::Barrier;
use tokio::task::LocalSet;
use zeroize::Zeroizing;

use crate::support::{Client, Home, PASSWORD, Server, server};

/// Runs a client with `user`'s configuration, which must succeed. Returns its output.
#[track_caller]
fn run_ok(home: &Home, user: &str, args: &[&str], input: &str) -> String {
    let output = run_as(home, user, args, input);
    assert!(output.0, "{user} {args:?}: {}", output.1);
    output.1
}

fn run_as(home: &Home, user: &str, args: &[&str], input: &str) -> (bool, String) {
    let mut command = home.command(args);
    command.env("XDG_CONFIG_HOME", home.path(user)).stdin(Stdio::piped());
    let mut child = command.spawn().expect("parlour starts");
    drop(std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), input.as_bytes()));
    let output = child.wait_with_output().expect("parlour ends");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("text"))
}

#[track_caller]
fn join_as(home: &Home, user: &str) {
    let link = home.invite(&[]);
    let args = ["join", &link, "--name", user, "--password-stdin"];
    run_ok(home, user, &args, &format!("{PASSWORD}\n"));
}

/// Returns the pins that a client keeps, and the names of its device files.
fn known_pins_and_devices(home: &Home, user: &str) -> (Pins, Vec<String>) {
    let path = home.path(user).join("parlour/servers.toml");
    let known = Servers::load(&path).expect("known servers");
    let devices = fs::read_dir(path.with_file_name("devices")).expect("a folder");
    let names = devices.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    (known.find(None).expect("a server").pins, names.collect())
}

/// Sends a message with the client's own device, without a password. Returns true if that succeeds.
fn can_send(home: &Home, user: &str) -> bool {
    run_as(home, user, &["send", "echo", "hello"], "").0
}

#[test]
fn clients_learn_the_new_pin_and_drop_the_old() {
    let mut server = server();
    let home = server.home.clone();
    let address = server.address.to_string();
    for person in ["dora", "emil", "flora"] {
        join_as(&home, person);
    }
    let unused = home.invite(&[]);
    let old = server.pin();
    let one = |pin: Pin, person: &str| (Pins::from(pin), vec![format!("{person}@{pin}.pem")]);
    assert_eq!(known_pins_and_devices(&home, "dora"), one(old, "dora"));
    let mut alice = Client::login(&server, "alice");

    let told = home.run(&["certs", "rotate"]);
    let (told, shown) = (String::from_utf8_lossy(&told.stderr), String::from_utf8_lossy(&told.stdout));
    assert!(told.contains("nobody was disconnected") && told.contains("parlour certs retire"), "{told}");
    assert!(shown.contains(&format!("{:<27}{old}, until", "old pin")), "{shown}");
    let new = server.pin();
    assert_ne!(new, old);
    alice.barrier();

    // dora has both pins after the first connection, and the new one alone after the second, with the same device.
    assert!(can_send(&home, "dora"));
    assert_eq!(known_pins_and_devices(&home, "dora").0, Pins { current: old, next: Some(new) });
    assert!(can_send(&home, "dora"));
    assert_eq!(known_pins_and_devices(&home, "dora"), one(new, "dora"));
    // emil has both pins.
    assert!(can_send(&home, "emil"));
    assert_eq!(
        known_pins_and_devices(&home, "emil"),
        (Pins { current: old, next: Some(new) }, vec![format!("emil@{old}.pem")])
    );
    // Invites from before and after the rotation both work.
    assert!(home.invite(&[]).contains(&format!("pin={new}")));
    join_as(&home, "greta");
    assert_eq!(known_pins_and_devices(&home, "greta"), one(new, "greta"));
    let args = ["join", &unused, "--name", "hugo", "--password-stdin"];
    run_ok(&home, "hugo", &args, &format!("{PASSWORD}\n"));
    assert_eq!(known_pins_and_devices(&home, "hugo").0, Pins { current: old, next: Some(new) });
    // All of this holds over a restart.
    server.kill9();
    // Carol's invite was made before the rotation.
    home.database()
        .execute("UPDATE invites SET created = created - 86400000, sum = NULL WHERE spent = 0", [])
        .expect("older");
    server = home.serve_at(&address);
    for person in ["dora", "emil", "greta", "hugo"] {
        assert!(can_send(&home, person), "{person}");
    }

    // flora has never connected; carol's invite is still open.
    let late = home.invite(&[]);
    let error = refusal_text(&home, &["certs", "retire"]);
    assert!(error.contains("flora") && error.contains("--yes"), "{error}");
    assert_eq!(known_pins_and_devices(&home, "flora").0, old.into());
    let output = home.run(&["certs", "retire", "--yes"]);
    assert!(output.status.success(), "{output:?}");
    let (listed, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let names: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["flora"], "{listed}");
    assert!(listed.contains(" UTC  "), "when they were there: {listed}");
    assert!(told.contains("1 open invite of before") || told.contains("2 open invites of before"), "{told}");
    for person in ["dora", "emil", "greta", "hugo"] {
        assert!(can_send(&home, person), "{person}");
        assert_eq!(known_pins_and_devices(&home, person), one(new, person));
    }
    let (well, said) = run_as(&home, "flora", &["send", "echo", "hello"], "");
    assert!(!well && said.contains(&format!("its pin is {new}, not {old}")), "{said}");
    assert!(said.contains("ask its administrator for a new invite"), "{said}");
    assert!(late.contains(&new.to_string()));
    assert_disconnected(alice);
    let _ = server;
}

/// Returns the error of a command, which must fail.
#[track_caller]
fn refusal_text(home: &Home, args: &[&str]) -> String {
    let output = home.run(args);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8([output.stdout, output.stderr].concat()).expect("text")
}

/// Reads alice's session to its end, after the server was killed.
fn assert_disconnected(mut alice: Client) {
    alice.read_until_closed();
}

/// The owner of a retired root's key may get a user to open a link of theirs. That is another server, and does not
/// replace the real one.
#[test]
fn link_with_a_retired_root_does_not_replace_the_server() {
    let server = server();
    let home = &server.home;
    join_as(home, "dora");
    let stolen = Home::new(&[]);
    fs::create_dir(stolen.path("certs")).expect("a folder");
    for file in ["root.pem", "root.key", "server.pem", "server.key"] {
        fs::copy(home.path("certs").join(file), stolen.path("certs").join(file)).expect("copied");
    }
    home.succeed(&["certs", "rotate"]);
    assert!(can_send(home, "dora") && can_send(home, "dora"));
    home.succeed(&["certs", "retire", "--yes"]);
    let known = || Servers::load(&home.path("dora").join("parlour/servers.toml")).expect("known servers");
    let real = known().find(None).expect("a server").clone();

    let impostor = stolen.serve();
    let link = stolen.invite(&[]);
    let args = ["join", &link, "--name", "dora", "--password-stdin"];
    run_ok(home, "dora", &args, "another password\n");
    assert_eq!(known().find(Some(&real.name)).expect("known still"), &real);
    assert_eq!(known().iter().count(), 2);
    let visits = || impostor.connections();
    let before = visits();
    run_ok(home, "dora", &["send", "echo", "to the real one", "--server", &real.name], "");
    assert_eq!(visits(), before);
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text = 'to the real one'"), 1);
}

#[test]
fn open_chat_reconnects_after_rotation() {
    let mut server = server();
    let (home, address) = (server.home.clone(), server.address.to_string());
    join_as(&home, "dora");
    let chat = home.start_as_user("dora", &["chat", "--plain"]);
    server.wait_for_log(|line| line.contains("logged in") && line.contains("dora"));
    home.succeed(&["certs", "rotate"]);
    assert!(can_send(&home, "dora") && can_send(&home, "dora"));
    home.succeed(&["certs", "retire", "--yes"]);
    // The client knows the old root alone, and finds its successor in its file.
    server.kill9();
    let server = home.serve_at(&address);
    chat.wait_for_line(|line| line.ends_with("reconnected"));
    assert_eq!(known_pins_and_devices(&home, "dora").0, server.pin().into());
}

/// A session that lasts for weeks sees the new root without a reconnect.
#[test]
fn long_session_learns_the_new_pin() {
    let mut server = server();
    let (home, address) = (server.home.clone(), server.address.to_string());
    let (old, file) = (server.pin(), home.path("dora/servers.toml"));
    let place: Address = address.parse().expect("an address");
    Servers::store_server(&file, &[place], old, &nick("alice")).expect("remembered");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut session = open_session(&file, "alice", &server).await;
        let hall = ChannelName::parse("#hall").expect("a name");
        session.model.join(&hall);
        let mut heard = Vec::new();
        run_until(&mut session, &mut heard, |session, _| session.model.is_in(&hall)).await;
        home.succeed(&["certs", "rotate"]);
        let new = server.pin();
        for pins in [Pins { current: old, next: Some(new) }, new.into()] {
            session.schedule_pin_check(std::time::Duration::ZERO);
            // The check happens inside of `next`, which does not report it and which messages keep going.
            while session.pins() != pins {
                assert!(heard.len() < 10_000, "the session does not look at the certificates");
                session.model.send_message(
                    &Conversation::Channel(hall.clone()),
                    MessageKind::Text,
                    "still here",
                );
                let before = heard.len();
                run_until(&mut session, &mut heard, |_, heard| heard.len() > before).await;
            }
            assert_eq!(Servers::load(&file).expect("known").find(None).expect("one").pins, pins);
        }
        home.succeed(&["certs", "retire", "--yes"]);
        server.kill9();
        server = home.serve_at(&address);
        while !matches!(session.next_update().await.expect("it comes back"), SessionUpdate::Connected) {}
        session.close("").await;
    });
    assert!(!server.log().contains("panicked"));
}

#[test]
fn fixed_old_pin_works_until_retirement() {
    let server = server();
    let (home, old, address) = (&server.home, server.pin().to_string(), server.address.to_string());
    let args =
        ["send", "echo", "hello", "--server", &address, "--pin", &old, "--name", "alice", "--password-stdin"];
    let sends = || run_as(home, "robot", &args, &format!("{PASSWORD}\n"));
    home.succeed(&["certs", "rotate"]);
    for _ in 0..3 {
        let (well, said) = sends();
        assert!(well, "{said}");
    }
    let known = Servers::load(&home.path("robot/parlour/servers.toml")).expect("known servers");
    assert_eq!(known.iter().count(), 1, "one server, whatever pin it goes by");
    home.succeed(&["certs", "retire", "--yes"]);
    assert!(!sends().0);
}

#[test]
fn unreadable_known_servers_are_kept_and_block_login() {
    let server = server();
    let home = &server.home;
    join_as(home, "dora");
    let file = home.path("dora/parlour/servers.toml");
    let good = fs::read_to_string(&file).expect("known servers");
    let link = home.invite(&[]);
    let connections = || server.connections();
    let before = connections();
    let send = (&["send", "echo", "hello"][..], "");
    let join = (&["join", &link, "--name", "other", "--password-stdin"][..], PASSWORD);
    for (text, expected, tries) in [
        (
            good.replace("version = 2", "version = 3"),
            "written by a newer parlour (format 3, this one knows 2): update parlour",
            &[send, join][..],
        ),
        // One damaged entry is skipped: it does not prevent joining another server.
        (good.replace("pin = \"", "pin = \"?"), "a pin is 43 letters", &[send]),
        (good.replace("pin = ", "next_pin = \"x\"\npin = "), "a pin is 43 letters", &[send]),
        (good[..good.len() / 2].to_owned(), "is damaged", &[send, join]),
        ("\u{0}".to_owned(), "is damaged", &[send, join]),
    ] {
        fs::write(&file, &text).expect("written");
        for &(args, input) in tries {
            let (well, said) = run_as(home, "dora", args, input);
            assert!(!well && said.contains(expected), "{args:?}: {said}");
        }
        assert_eq!(fs::read_to_string(&file).expect("the file"), text, "it is not touched");
    }
    assert_eq!(connections(), before, "and the server hears nothing");
    fs::write(&file, good).expect("written");
    assert!(can_send(home, "dora"));
}

const CLIENTS: usize = 100;
const MESSAGES_PER_CLIENT: usize = 5;

#[test]
fn hundred_clients_keep_sending_during_rotation() {
    // On a busy machine a hundred handshakes at once take longer than the default time-out.
    let home = Home::new(&["limits.handshake_timeout_s = 60"]);
    let names: Vec<String> = (0..CLIENTS).map(|n| format!("p{n}")).collect();
    home.import(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let server = home.serve();
    let (old, file) = (server.pin(), home.path("crowd/servers.toml"));
    let address: Address = server.address.to_string().parse().expect("an address");
    for name in &names {
        Servers::store_server(&file, std::slice::from_ref(&address), old, &nick(name)).expect("remembered");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let together = Rc::new(Barrier::new(CLIENTS + 1));
        let talkers: Vec<_> = names
            .iter()
            .map(|name| {
                let (session, together) = (open_session(&file, name, &server), together.clone());
                let name = name.clone();
                tokio::task::spawn_local(
                    async move { send_all_messages(session.await, &name, &together).await },
                )
            })
            .collect();
        // All are connected; the root changes while they send messages.
        together.wait().await;
        let rotating = home.clone();
        let rotated =
            tokio::task::spawn_blocking(move || rotating.run(&["certs", "rotate"])).await.expect("it ran");
        assert!(rotated.status.success(), "{rotated:?}");
        together.wait().await;
        let everything: BTreeSet<String> = names
            .iter()
            .flat_map(|name| (0..MESSAGES_PER_CLIENT).map(move |n| format!("{name} says {n}")))
            .collect();
        for talker in talkers {
            assert_eq!(talker.await.expect("a talker"), everything);
        }
        // After two reconnects all have the new pin alone.
        let new = server.pin();
        assert_ne!(new, old);
        for pins in [Pins { current: old, next: Some(new) }, new.into()] {
            let back: Vec<_> = names
                .iter()
                .map(|name| {
                    let session = open_session(&file, name, &server);
                    tokio::task::spawn_local(async { session.await.close("").await })
                })
                .collect();
            for session in back {
                session.await.expect("back");
            }
            let known = Servers::load(&file).expect("known servers");
            assert_eq!(known.iter().filter(|server| server.pins == pins).count(), CLIENTS);
        }
        home.succeed(&["certs", "retire", "--yes"]);
        open_session(&file, "p0", &server).await.close("").await;
    });
}

fn nick(name: &str) -> Nick {
    Nick::parse(name).expect(name)
}

/// Logs in as the client does: with the pins in its file.
fn open_session(file: &Path, name: &str, server: &Server) -> impl Future<Output = Session> + use<> {
    let known = Servers::load(file).expect("known servers");
    let known = known.iter().find(|known| known.account == nick(name)).expect("known").clone();
    let endpoint = Endpoint {
        addresses: vec![server.address.to_string().parse().expect("an address")],
        pins: known.pins,
        servers: Some(file.to_owned()),
        account: known.account,
        credentials: Credentials::Password(
            Password::new(Zeroizing::new(PASSWORD.to_owned())).expect("a password"),
        ),
        device: None,
        enrols_device: false,
        read_by_user: true,
        extra_caps: parlour::wire::CapSet::EMPTY,
        allows_discovery: false,
    };
    async { Session::open(endpoint, None).await.expect("logged in") }
}

/// Sends messages before and after the rotation. Returns all messages received in `#hall`.
async fn send_all_messages(mut session: Session, name: &str, barrier: &Barrier) -> BTreeSet<String> {
    let hall = ChannelName::parse("#hall").expect("a name");
    let target = Conversation::Channel(hall.clone());
    let mut heard = Vec::new();
    session.model.join(&hall);
    run_until(&mut session, &mut heard, |session, _| session.model.is_in(&hall)).await;
    barrier.wait().await;
    for n in 0..2 {
        session.model.send_message(&target, MessageKind::Text, &format!("{name} says {n}"));
    }
    run_until(&mut session, &mut heard, |_, heard| heard.len() == 2 * CLIENTS).await;
    barrier.wait().await;
    for n in 2..MESSAGES_PER_CLIENT {
        session.model.send_message(&target, MessageKind::Text, &format!("{name} says {n}"));
    }
    run_until(&mut session, &mut heard, |_, heard| heard.len() == MESSAGES_PER_CLIENT * CLIENTS).await;
    session.close("").await;
    heard.into_iter().collect()
}

async fn run_until(
    session: &mut Session,
    received: &mut Vec<String>,
    done: impl Fn(&Session, &[String]) -> bool,
) {
    while !done(session, received) {
        match session.next_update().await.expect("connected") {
            SessionUpdate::Event(Event::Message(said)) => received.push(said.text),
            SessionUpdate::Event(_) => {}
            update => panic!("{update:?}"),
        }
    }
}
