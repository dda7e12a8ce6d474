//! A server that a service manager runs: what it reports (`sd_notify(3)`), and sockets that it is passed
//! (`sd_listen_fds(3)`).

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use command_fds::{CommandFdExt as _, FdMapping};
use parlour::trust::tls;

use super::supervision::server_command;
use crate::support::{Client, Home, Process, Server, WAIT_TIMEOUT};

/// The service manager's end of the reports.
pub struct Reports(UnixDatagram);

impl Reports {
    /// Makes the socket and lets the command report to it.
    pub fn of(home: &Home, command: &mut Command) -> Self {
        let path = home.path("notify.sock");
        command.env("NOTIFY_SOCKET", &path);
        let socket = UnixDatagram::bind(path).expect("a socket");
        socket.set_read_timeout(Some(WAIT_TIMEOUT)).expect("a time-out");
        Self(socket)
    }

    /// Waits for the next report.
    #[track_caller]
    pub fn next(&self) -> String {
        let mut bytes = [0; 4096];
        let count = self.0.recv(&mut bytes).expect("a report");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    /// Waits for the next report that is not one of the watchdog.
    #[track_caller]
    pub fn next_but_alive(&self) -> String {
        loop {
            let report = self.next();
            if report != "WATCHDOG=1\n" {
                return report;
            }
        }
    }

    /// Returns true if nothing is reported for a time.
    fn are_silent_for(&self, time: Duration) -> bool {
        self.0.set_read_timeout(Some(time)).expect("a time-out");
        self.0.recv(&mut [0; 4096]).is_err()
    }
}

#[test]
fn start_reload_and_stop_are_reported() {
    let home = Home::with_accounts(&[]);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let reports = Reports::of(&home, &mut command);
    let mut server = Server::spawn(home.clone(), command);
    let ready = format!("READY=1\nSTATUS=Listening on {}\n", server.address);
    assert_eq!(reports.next(), ready);
    Client::login(&server, "alice");

    server.signal("HUP");
    let reloading = reports.next();
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").map(str::trim_end);
    assert!(time.is_some_and(|time| time.parse::<u64>().is_ok_and(|time| time > 0)), "{reloading}");
    assert_eq!(reports.next(), ready);

    let config = fs::read_to_string(home.path("parlour.toml")).expect("parlour.toml");
    fs::write(home.path("parlour.toml"), format!("{config}nonsense = 1\n")).expect("written");
    server.signal("HUP");
    assert!(reports.next().starts_with("RELOADING=1\n"));
    let failed = reports.next();
    assert!(failed.starts_with(ready.trim_end()) && failed.contains("nonsense"), "{failed}");
    assert_eq!(failed.lines().count(), 2, "{failed}");

    server.signal("TERM");
    assert!(reports.next().starts_with("STOPPING=1\nSTATUS="));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_service_prints_no_invite_but_says_how_to_make_one() {
    let home = Home::new(&[]);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    let reports = Reports::of(&home, &mut command);
    let server = Server::spawn(home.clone(), command);
    assert!(reports.next().starts_with("READY=1"));
    let log = server.log();
    assert!(log.contains("parlour invite create --role admin") && !log.contains("parlour://"), "{log}");
    assert!(home.invite(&["--role", "admin"]).starts_with("parlour://"));
}

/// Interval in which the service manager wants reports.
pub const WATCHDOG: Duration = Duration::from_millis(200);

#[test]
fn watchdog_is_told_while_the_hub_answers() {
    let home = Home::with_accounts(&[]);
    let mut command = server_command(&home);
    command.env("WATCHDOG_USEC", WATCHDOG.as_micros().to_string());
    let reports = Reports::of(&home, &mut command);
    let server = Server::spawn(home, command);
    let mut alice = Client::in_channel(&server, "alice", "#room");
    assert!(reports.next().starts_with("READY=1"));
    for _ in 0..3 {
        assert_eq!(reports.next(), "WATCHDOG=1\n");
    }
    // The hub stops at the line of the log for a message.
    fs::write(server.home.path("pause"), "parlour::server::messages: message").expect("written");
    alice.send("PRIVMSG #room :the last one");
    let silent = (0..50).any(|_| reports.are_silent_for(WATCHDOG * 5));
    assert!(silent, "a hub that does not answer is reported as alive");
}

/// Starts `parlour serve` with a passed socket of this name.
fn activated(home: &Home, socket: &TcpListener, name: &str) -> Command {
    // The id of the process is known only in it.
    let mut command = Command::new("sh");
    home.configure(&mut command).args(["-c", "LISTEN_PID=$$ exec \"$0\" serve"]);
    command.arg(env!("CARGO_BIN_EXE_parlour")).env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", name);
    let socket = socket.try_clone().expect("a copy").into();
    command.fd_mappings(vec![FdMapping { parent_fd: socket, child_fd: 3 }]).expect("one socket");
    command
}

/// Makes a socket as a service manager does, and a server's folder with its address.
fn socket_with_home() -> (TcpListener, SocketAddr, Home) {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let address = socket.local_addr().expect("its address");
    (socket, address, Home::with_accounts(&[&format!("listen = [\"{address}\"]")]))
}

#[test]
fn nobody_is_refused_while_a_server_with_a_passed_socket_restarts() {
    let (socket, address, home) = socket_with_home();
    let first = Server::spawn(home.clone(), activated(&home, &socket, "parlour.socket"));
    assert_eq!(first.address, address);
    Client::login(&first, "alice");
    let restarted = AtomicBool::new(false);
    thread::scope(|scope| {
        let connecting = scope.spawn(|| {
            let mut connections = 0;
            while !restarted.load(Ordering::Relaxed) {
                TcpStream::connect(address).expect("not refused");
                connections += 1;
                thread::sleep(Duration::from_millis(5));
            }
            connections
        });
        assert_eq!(first.terminate().0.code(), Some(0));
        // This one waits for the next server.
        let waiting = TcpStream::connect(address).expect("not refused");
        let second = Server::spawn(home.clone(), activated(&home, &socket, "chat"));
        let mut bob = Client::over_socket(waiting, &second, tls::client_config(second.pin()));
        bob.begin_login("bob", "");
        bob.authenticate_with_password("bob");
        bob.finish_login();
        restarted.store(true, Ordering::Relaxed);
        assert!(connecting.join().expect("nobody was refused") > 0);
    });
}

#[test]
fn a_passed_socket_that_does_not_fit_is_refused() {
    let (socket, address, home) = socket_with_home();
    let mut server = Process::spawn(activated(&home, &socket, "web"));
    assert_eq!(server.wait().code(), Some(1));
    let printed = server.printed();
    for part in [&address.to_string(), "(web)", "[web] has no address"] {
        assert!(printed.contains(part), "{part} is not in: {printed}");
    }
    let file = fs::File::open(home.path("parlour.toml")).expect("a file");
    let mut command = home.command(&["serve"]);
    command.env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "a-file");
    command.fd_mappings(vec![FdMapping { parent_fd: file.into(), child_fd: 3 }]).expect("one file");
    let mut server = Process::spawn(command);
    assert_eq!(server.wait().code(), Some(1));
    assert!(
        server.printed().contains("the socket 1 (a-file) is not one that listens"),
        "{}",
        server.printed()
    );
}

#[test]
fn sockets_for_another_process_are_not_taken() {
    let home = Home::with_accounts(&[]);
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("LISTEN_FDS", "1").env("LISTEN_PID", "1");
    Client::login(&Server::spawn(home, command), "alice");
}
