//! A server that takes over from the running one: its connections, its messages, and what happens if it cannot start.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::crash::{log_in, send_until_killed, stored_messages};
use super::service_manager::{Reports, WATCHDOG};
use super::supervision::{PAUSE, server_command_with};
use crate::support::{Client, Home, Server, until};

const TALKERS: [&str; 2] = ["alice", "bob"];

/// Count of echoes to all talkers at which the next server takes over.
const ECHOES: usize = 200;

fn take_over(home: &Home, address: SocketAddr) -> Server {
    let address = address.to_string();
    Server::spawn(home.clone(), home.command(&["serve", "--takeover", "--listen", &address]))
}

/// Reads until the connection ends, and returns the text of the last line.
fn farewell(client: &mut Client) -> String {
    client.read_until_closed().last().expect("a last line").text().to_owned()
}

#[test]
fn nobody_is_refused_and_nothing_confirmed_is_lost() {
    let home = Home::with_accounts(&[]);
    let mut first = home.serve();
    let address = first.address;
    let mut carol = Client::login(&first, "carol");
    let (echoes, confirmed) = mpsc::channel();
    let is_over = AtomicBool::new(false);
    let outcomes = thread::scope(|scope| {
        let talkers = TALKERS.map(|name| {
            let (client, echoes) = (log_in(&first, name), echoes.clone());
            scope.spawn(move || send_until_killed(client, name, &BTreeSet::new(), 0, &echoes))
        });
        let connecting = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                TcpStream::connect(address).expect("not refused");
                thread::sleep(Duration::from_millis(20));
            }
        });
        for _ in 0..ECHOES {
            confirmed.recv().expect("an echo");
        }
        let second = take_over(&home, address);
        assert_eq!(second.address, address);
        let outcomes = talkers.map(|talker| talker.join().expect("it talked"));
        assert_eq!(farewell(&mut carol), "Server is restarting");
        Client::login(&second, "carol");
        is_over.store(true, Ordering::Relaxed);
        connecting.join().expect("nobody was refused");
        outcomes
    });
    assert_eq!(first.wait().code(), Some(0), "{}", first.log());
    let stored = stored_messages(&home);
    for outcome in outcomes {
        assert!(outcome.confirmed.len() >= ECHOES / 10, "{}", outcome.confirmed.len());
        for (text, id) in outcome.seen {
            assert_eq!(stored.get(&text), Some(&id), "{text}");
        }
    }
}

#[test]
fn a_server_that_cannot_start_leaves_the_running_one_as_it_is() {
    let server = Home::with_accounts(&[]).serve();
    let mut alice = Client::login(&server, "alice");
    fs::write(server.home.path("wrong.toml"), "nonsense = 1\n").expect("written");
    for (option, value, why) in
        [("--config", "wrong.toml", "nonsense"), ("--listen", "192.0.2.1:6697", "cannot listen on 192.0.2.1")]
    {
        let error = server.home.fail(&["serve", "--takeover", option, value]);
        assert!(error.contains(why), "{error}");
    }
    alice.barrier();
}

#[test]
fn the_former_server_goes_on_if_the_next_one_ends_before_it_answers() {
    let home = Home::with_accounts(&[]);
    let first = home.serve();
    let mut alice = Client::in_channel(&first, "alice", "#room");
    alice.send("PRIVMSG #room :before");
    alice.wait_for_message("before");
    fs::write(home.path(PAUSE), "parlour::cli::serve: listening on").expect("written");
    let command = server_command_with(&home, &format!("--takeover --listen {}", first.address));
    let mut second = Server::spawn(home.clone(), command);
    assert_eq!(farewell(&mut alice), "Server is restarting");
    // Waits for whichever server answers.
    let waiting = TcpStream::connect(first.address).expect("not refused");
    second.kill9();
    first.wait_for_log(|line| line.contains("this one goes on"));
    let mut bob = Client::over_socket(waiting, &first, parlour::trust::tls::client_config(first.pin()));
    bob.begin_login("bob", "");
    bob.authenticate_with_password("bob");
    bob.finish_login();
    fs::remove_file(home.path(PAUSE)).expect("removed");
    // It can still be taken over.
    let third = take_over(&home, first.address);
    Client::login(&third, "alice");
    assert!(stored_messages(&home).contains_key("before"));
    assert_eq!(third.terminate().0.code(), Some(0));
}

#[test]
fn without_a_server_to_take_over_it_starts_as_always() {
    let home = Home::with_accounts(&[]);
    let server = take_over(&home, "127.0.0.1:0".parse().expect("an address"));
    assert!(server.log().contains("nothing to take over"), "{}", server.log());
    Client::login(&server, "alice");
}

/// A server that runs as a service, from a copy of the binary.
struct Service {
    server: Server,
    reports: Reports,
}

impl Service {
    fn start() -> Self {
        let home = Home::with_accounts(&[]);
        let program = home.path("parlour");
        let binary = Path::new(env!("CARGO_BIN_EXE_parlour"));
        if fs::hard_link(binary, &program).is_err() {
            fs::copy(binary, &program).expect("a copy of the program");
        }
        let mut command = std::process::Command::new(program);
        home.configure(&mut command).args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
        let reports = Reports::of(&home, &mut command);
        // The new server is a child of the first one.
        let server = Server::spawn_group(home, command);
        assert!(reports.next_but_alive().starts_with("READY=1"));
        Self { server, reports }
    }

    /// Replaces the file of the program, as a package manager does.
    fn replace_program(&self, script: &str) {
        let draft = self.server.home.path("parlour.new");
        fs::copy("/bin/sh", &draft).expect("a program, for its permissions");
        fs::write(&draft, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::rename(draft, self.server.home.path("parlour")).expect("renamed");
    }
}

#[test]
fn a_reload_of_a_service_starts_the_new_program_in_its_place() {
    let service = Service::start();
    let (server, reports) = (&service.server, &service.reports);
    let mut alice = Client::login(server, "alice");
    // Whoever is no part of the service may not take over.
    let refused = server.home.fail(&["serve", "--takeover"]);
    assert!(refused.contains("systemctl reload parlour"), "{refused}");
    service.replace_program(&format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_parlour")));
    server.signal("HUP");
    assert!(reports.next_but_alive().starts_with("RELOADING=1"));
    let main = reports.next_but_alive();
    let pid: u32 = main.trim_end().strip_prefix("MAINPID=").and_then(|pid| pid.parse().ok()).expect(&main);
    assert_ne!(pid, server.pid());
    assert_eq!(reports.next_but_alive(), format!("READY=1\nSTATUS=Listening on {}\n", server.address));
    assert_eq!(farewell(&mut alice), "Server is restarting");
    Client::login(server, "alice");
    // The new one is watched, too.
    until(|| Path::new(&format!("/proc/{pid}/exe")).exists(), || "it runs".to_owned());
    assert_eq!(reports.next(), "WATCHDOG=1\n");
}

#[test]
fn a_reload_of_a_service_whose_new_program_fails_changes_nothing() {
    let service = Service::start();
    let (server, reports) = (&service.server, &service.reports);
    let mut alice = Client::login(server, "alice");
    service.replace_program("exit 3");
    server.signal("HUP");
    assert!(reports.next_but_alive().starts_with("RELOADING=1"));
    let ready = reports.next_but_alive();
    assert!(
        ready.starts_with("READY=1\n") && ready.contains("the new program has ended (exit status: 3)"),
        "{ready}"
    );
    alice.barrier();
}
