//! A server that loses a task or a thread without which it cannot continue.
//!
//! These are whole server processes: this test binary, which runs `parlour serve` with a subscriber of its own for the
//! log. The subscriber panics at one line of the log, which ends the task or thread that logs it. The product needs no
//! code for this, because a process that has a subscriber already keeps it.

use std::io;
use std::net::TcpStream;
use std::process::{Command, ExitCode};
use std::{fmt, fs, thread};

use clap::{Args as _, FromArgMatches as _};
use parlour::cli::serve;
use rusqlite::Connection;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::support::{Client, Home, Server, run_alone};

/// Environment variable of the server processes.
const SERVER: &str = "PARLOUR_TEST_SERVER";

/// Environment variable with the options of such a process.
const OPTIONS: &str = "PARLOUR_TEST_OPTIONS";

/// File in the working directory with the start of the line to fail at: module, colon, message.
const FAULT: &str = "fault";

/// File in the working directory with the start of a line whose thread is to go no further.
pub const PAUSE: &str = "pause";

/// Log layer that panics in the thread that logs the line of [`FAULT`], and stops the one that logs the line of [`PAUSE`].
struct FaultLayer;

/// Text of an event.
struct MessageVisitor(String);

impl<S: Subscriber> Layer<S> for FaultLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = MessageVisitor(String::new());
        event.record(&mut line);
        let line = format!("{}: {}", event.metadata().target(), line.0);
        let is_line_of = |file| fs::read_to_string(file).is_ok_and(|start| line.starts_with(&start));
        assert!(!is_line_of(FAULT), "a fault of the test");
        while is_line_of(PAUSE) {
            thread::park();
        }
    }
}

impl Visit for MessageVisitor {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// The server process of the other tests. Does nothing as a test of its own.
#[test]
#[ignore = "a program of the other tests"]
fn server_with_a_fault() {
    if std::env::var_os(SERVER).is_none() {
        return;
    }
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_filter(LevelFilter::DEBUG);
    tracing_subscriber::registry().with(lines).with(FaultLayer).init();
    let command = serve::Args::augment_args(clap::Command::new("serve"));
    let options = std::env::var(OPTIONS).expect("options");
    let matches = command.get_matches_from(["serve"].into_iter().chain(options.split(' ')));
    let ended = serve::run(&serve::Args::from_arg_matches(&matches).expect("arguments"));
    std::process::exit(i32::from(ended != ExitCode::SUCCESS));
}

/// Returns the command of a server of this binary.
pub fn server_command(home: &Home) -> Command {
    server_command_with(home, "--listen 127.0.0.1:0")
}

/// Returns the command of a server of this binary with these options.
pub fn server_command_with(home: &Home, options: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    home.configure(&mut command).args(run_alone(server_with_a_fault));
    command.env(SERVER, "1").env(OPTIONS, options);
    command
}

/// Starts a server of this binary with alice in `#room`, where one message is confirmed.
fn start_faulty_server(config: &[&str]) -> (Server, Client) {
    let home = Home::with_accounts(config);
    let command = server_command(&home);
    let server = Server::spawn(home, command);
    let mut alice = Client::in_channel(&server, "alice", "#room");
    alice.send("PRIVMSG #room :confirmed");
    alice.wait_for_message("confirmed");
    (server, alice)
}

fn trigger_fault(server: &Server, line: &str) {
    fs::write(server.home.path(FAULT), line).expect("the fault");
}

/// Checks that alice gets an ERROR, that the process ends with status 1 and says why, and that the next server has
/// everything that was confirmed.
#[track_caller]
fn assert_server_ends(mut server: Server, mut alice: Client, name: &str) {
    let last = alice.read_until_closed().pop().expect("a last line");
    assert!(last.starts_with("ERROR"), "{last:?}");
    assert_eq!(server.wait().code(), Some(1), "{}", server.log());
    let log = server.log();
    let ended = [format!("parlour: {name} has ended"), format!("parlour: {name} has failed (see above)")];
    assert!(log.contains("a fault of the test"), "{log}");
    assert!(log.lines().any(|line| ended.iter().any(|ended| line.starts_with(ended))), "{log}");
    let home = server.home.clone();
    let server = home.serve();
    let mut alice = Client::login_with(&server, "alice", "draft/chathistory batch");
    let history = alice.request("CHATHISTORY LATEST #room * 10");
    assert!(history.iter().any(|line| line.text() == "confirmed"), "{history:?}");
}

#[test]
fn server_ends_when_its_hub_fails() {
    let (server, mut alice) = start_faulty_server(&[]);
    trigger_fault(&server, "parlour::server::messages: message");
    alice.send("PRIVMSG #room :the last one");
    assert_server_ends(server, alice, "the chat");
}

#[test]
fn server_ends_when_its_store_fails() {
    let (server, alice) = start_faulty_server(&[]);
    // The thread that changes a damaged row logs it.
    let damage = "UPDATE accounts SET created = created + 1 WHERE name = 'bob'";
    assert_eq!(server.home.database().execute(damage, []), Ok(1));
    trigger_fault(&server, "parlour::store::tables::accounts: the account's row is damaged");
    assert!(!server.home.run(&["user", "enable", "bob"]).status.success());
    assert_server_ends(server, alice, "the writer of the database");
}

#[test]
fn server_ends_when_its_checkpoints_fail() {
    let (server, alice) = start_faulty_server(&[]);
    trigger_fault(&server, "parlour::store::journal::checkpoint: the write-ahead log was copied");
    // What a removed account leaves in the log is erased at once.
    server.home.run(&["user", "remove", "--yes", "bob"]);
    assert_server_ends(server, alice, "the thread that copies the write-ahead log");
}

#[test]
fn server_ends_when_its_search_fails() {
    let (server, mut alice) = start_faulty_server(&[]);
    trigger_fault(&server, "parlour::store::search::indexer: the search index cannot follow");
    let index = Connection::open(server.home.path("data/search.db")).expect("the index");
    index.execute_batch("DROP TABLE entries").expect("an index without its table");
    alice.send("PRIVMSG #room :not to be found");
    assert_server_ends(server, alice, "the search index");
}

#[test]
fn server_ends_when_its_listener_fails() {
    let (server, alice) = start_faulty_server(&["limits.connections_per_address = 1"]);
    trigger_fault(&server, "parlour::server::limits::incidents: refused: too many connections");
    // Sessions do not count; of these two connections the second is refused.
    let connections = [(); 2].map(|()| TcpStream::connect(server.address));
    assert_server_ends(server, alice, "the task that accepts connections");
    drop(connections);
}
