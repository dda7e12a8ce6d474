//! Outputs that cannot be written to: full, closed, unread, or a closed terminal.

use std::fs::OpenOptions;
use std::io::{BufRead as _, BufReader, pipe};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::support::script::{configure_for_dora, server_with_joined_client};
use crate::support::{Client, Home, NEW_PIDS, Process, Server, can_unshare, log_in_and_join};

/// Opens a device on which writes fail.
fn full_device() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// Opens an output without a reader.
fn closed_pipe() -> Stdio {
    pipe().expect("a pipe").1.into()
}

/// Runs one of dora's commands with these outputs.
fn run_with_outputs(home: &Home, args: &[&str], stdout: Stdio, stderr: Stdio) -> Output {
    let mut command = home.command(args);
    configure_for_dora(home, &mut command).stdout(stdout).stderr(stderr).output().expect("parlour starts")
}

/// Runs one of dora's commands with both outputs closed.
fn run_with_closed_outputs(home: &Home, args: &[&str]) -> Option<i32> {
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" >&- 2>&-", env!("CARGO_BIN_EXE_parlour")]).args(args);
    configure_for_dora(home, &mut command).status().expect("a shell").code()
}

#[test]
fn exit_code_does_not_depend_on_stderr() {
    let server = server_with_joined_client();
    let home = &server.home;
    std::fs::write(home.path("bad.csv"), "zoe,short\numa,long enough,member\n").expect("bad.csv");
    for (args, code) in [
        (&["send", "nobody", "x"][..], 3),
        (&["send", "#lobby", "x"], 0),
        (&["who"], 0),
        (&["who", "nobody"], 3),
        (&["tail", "nobody?"], 2),
        (&["history", "#nowhere"], 3),
        (&["echo"], 0),
        (&["join"], 1),
        (&["join", "x"], 2),
        (&["chat", "elsewhere"], 1),
        (&["chat", "--plain"], 0),
        (&["doctor", "elsewhere"], 2),
        (&["user", "import", "bad.csv"], 1),
        (&["user", "remove", "--yes", "nobody"], 1),
        (&["invite", "create", "--qr"], 0),
        (&["certs", "show", "--for", "irssi"], 0),
        (&["certs", "retire"], 1),
        (&["serve"], 1),
        (&["--nonsense"], 2),
        (&["--version"], 0),
        (&["--help"], 0),
    ] {
        let normal = run_with_outputs(home, args, Stdio::piped(), Stdio::piped());
        assert_eq!(normal.status.code(), Some(code), "{args:?}: {normal:?}");
        for stderr in [full_device(), closed_pipe()] {
            let output = run_with_outputs(home, args, Stdio::piped(), stderr);
            assert_eq!(output.status.code(), Some(code), "{args:?}");
        }
        assert_eq!(run_with_closed_outputs(home, args), Some(code), "{args:?}, closed");
    }
}

#[test]
fn write_error_fails_but_broken_pipe_does_not() {
    let server = server_with_joined_client();
    let home = &server.home;
    run_with_outputs(home, &["send", "#lobby", "x"], Stdio::piped(), Stdio::piped());
    for (args, code) in [
        (&["who"][..], 1),
        (&["who", "--json"], 1),
        (&["channels"], 1),
        (&["history", "#lobby"], 1),
        (&["search", "x"], 1),
        (&["tail", "#lobby", "--since", "1h", "--no-follow"], 1),
        (&["servers"], 1),
        (&["device", "list"], 1),
        (&["user", "list"], 1),
        (&["invite", "list"], 1),
        (&["invite", "create"], 1),
        (&["certs", "show"], 1),
        (&["metrics"], 1),
        (&["doctor"], 2),
        (&["--help"], 1),
        (&["--version"], 1),
        (&["help", "send"], 1),
    ] {
        let normal = run_with_outputs(home, args, Stdio::piped(), Stdio::piped());
        assert!(normal.status.code() != Some(2) || args[0] == "doctor", "{args:?}: {normal:?}");
        let output = run_with_outputs(home, args, full_device(), Stdio::piped());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(text.contains("cannot write to standard output"), "{args:?}: {text}");
        let output = run_with_outputs(home, args, closed_pipe(), Stdio::piped());
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), normal.status.code(), "{args:?}: {text}");
        assert!(!text.contains("parlour: "), "{args:?}: {text}");
    }
}

/// Starts a server whose output goes elsewhere than to this test.
fn serve_with_stderr(home: Home, stderr: Stdio, debug: bool) -> Server {
    let address = free_address();
    let mut command = home.command(&["serve", "--listen", &address.to_string()]);
    command.stdout(Stdio::null()).stderr(stderr);
    if debug {
        command.env("RUST_LOG", "debug");
    }
    Server::spawn_with_hidden_output(home, command, address)
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// Returns the count of log lines that a server has dropped.
fn dropped_log_lines(server: &Server) -> u64 {
    let text = server.home.succeed(&["metrics"]);
    let line = text.lines().find_map(|line| line.strip_prefix("parlour_log_lines_dropped_total "));
    line.and_then(|number| number.parse().ok()).expect("a number of lines")
}

fn exchange_messages(server: &Server) {
    let [mut alice, mut bob] = log_in_and_join(server, ["alice", "bob"], "#room");
    alice.deliver_message(&mut bob, "#room", "hello");
}

#[test]
fn unwritable_log_does_not_block_logins() {
    for stderr in [full_device(), closed_pipe()] {
        let mut server = serve_with_stderr(Home::with_accounts(&[]), stderr, false);
        for _ in 0..3 {
            exchange_messages(&server);
        }
        assert!(dropped_log_lines(&server) > 10);
        server.signal("TERM");
        assert_eq!(server.wait().code(), Some(0));
    }
}

#[test]
fn recovered_log_reports_dropped_lines() {
    let (reader, writer) = pipe().expect("a pipe");
    let mut server = serve_with_stderr(Home::with_accounts(&[]), writer.into(), true);
    // Without a reader the pipe and the queue of lines fill, and lines are dropped.
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let mut said = 0;
    while dropped_log_lines(&server) == 0 {
        alice.send_all((0..1000).map(|n| format!("PRIVMSG #room :{said} {n}")));
        alice.wait_for_message(&format!("{said} 999"));
        said += 1;
        assert!(said < 100, "nothing is dropped");
    }
    exchange_messages(&server);
    let mut lines = BufReader::new(reader).lines().map(|line| line.expect("a line"));
    assert!(lines.by_ref().take(200_000).any(|line| line.contains("lines of the log were lost")));
    // From here on the log is read to its end.
    server.signal("TERM");
    assert!(lines.any(|line| line.contains("stopped")));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn server_with_unread_log_stops_on_sigterm() {
    let (_reader, writer) = pipe().expect("a pipe");
    let mut server = serve_with_stderr(Home::with_accounts(&[]), writer.into(), true);
    let mut alice = Client::in_channel(&server, "alice", "#room");
    for said in 0..20 {
        alice.send_all((0..1000).map(|n| format!("PRIVMSG #room :{said} {n}")));
        alice.wait_for_message(&format!("{said} 999"));
    }
    server.signal("TERM");
    assert!(alice.read_until_closed().last().is_some_and(|line| line.command == "ERROR"));
    assert_eq!(server.wait().code(), Some(0));
}

/// Way in which a server on a terminal is started.
#[derive(Clone, Copy, PartialEq)]
enum StartMode {
    /// By a shell of that terminal.
    ControllingTerminal,
    /// By such a shell, with all standard streams led elsewhere.
    Redirected,
    /// The same, to outlive the terminal.
    Nohup,
    /// By a program whose controlling terminal is another one, or none.
    OtherTerminal,
    /// As the first process of a container: the leader of its session and group is in another PID namespace.
    Container,
}

/// Starts a server in the foreground of a terminal. Returns it with that terminal.
fn serve_on_terminal(home: &Home, started: StartMode) -> (Process, std::os::fd::OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
    grantpt(&master).expect("a terminal of one's own");
    unlockpt(&master).expect("an open terminal");
    let name = ptsname(&master, Vec::new()).expect("its name");
    // Without NOCTTY it would become the controlling terminal of this process, if that leads a session without one.
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = || Stdio::from(open(&*name, flags, Mode::empty()).expect("its other end"));
    let mut command = match started {
        StartMode::ControllingTerminal | StartMode::Redirected | StartMode::Nohup => Command::new("setsid"),
        StartMode::OtherTerminal => home.command(&[]),
        StartMode::Container => Command::new("unshare"),
    };
    match started {
        StartMode::ControllingTerminal => {
            home.configure(&mut command).args(["--ctty", env!("CARGO_BIN_EXE_parlour")]);
        }
        StartMode::Redirected | StartMode::Nohup => {
            let prefix = if started == StartMode::Nohup { "nohup" } else { "" };
            let script = format!("exec {prefix} \"$0\" \"$@\" </dev/null");
            let parlour = env!("CARGO_BIN_EXE_parlour");
            home.configure(&mut command).args(["--ctty", "sh", "-c", &script, parlour]);
        }
        StartMode::OtherTerminal => {}
        StartMode::Container => {
            home.configure(&mut command).args(NEW_PIDS).arg(env!("CARGO_BIN_EXE_parlour"));
        }
    }
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .stdin(slave())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    (Process::spawn(command), master)
}

#[test]
fn foreground_server_ends_with_its_terminal() {
    let modes = [
        StartMode::ControllingTerminal,
        StartMode::Redirected,
        StartMode::OtherTerminal,
        StartMode::Container,
    ];
    for started in modes {
        if started == StartMode::Container && !can_unshare(&NEW_PIDS, &["true"]) {
            continue;
        }
        let home = Home::with_accounts(&[]);
        let (mut server, terminal) = serve_on_terminal(&home, started);
        server.wait_for_line(|line| line.contains("listening"));
        drop(terminal);
        assert_eq!(server.wait().code(), Some(0), "{}", server.printed());
        assert!(server.printed().contains("the terminal was closed"), "{}", server.printed());
        assert!(server.printed().contains("stopped"), "{}", server.printed());
        assert!(!home.path("data/control.sock").exists(), "in good order");
    }
}

#[test]
fn sighup_without_terminal_close_reloads() {
    let home = Home::with_accounts(&[]);
    let (mut server, _terminal) = serve_on_terminal(&home, StartMode::ControllingTerminal);
    server.wait_for_line(|line| line.contains("listening"));
    server.signal("HUP");
    server.wait_for_line(|line| line.contains("were read again"));
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn server_of_nohup_outlives_its_terminal() {
    let home = Home::with_accounts(&[]);
    let (mut server, terminal) = serve_on_terminal(&home, StartMode::Nohup);
    server.wait_for_line(|line| line.contains("listening"));
    drop(terminal);
    // The signal of the closing is one to reload.
    server.wait_for_line(|line| line.contains("were read again"));
    server.signal("TERM");
    assert_eq!(server.wait().code(), Some(0));
}
