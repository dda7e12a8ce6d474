//! The full-screen client in a terminal, whose modes it restores in every case.

use std::borrow::BorrowMut;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use jiff::tz::TimeZone;
use parlour::client::terminal::{TerminalScreen, detect_setup};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, WaitOptions, waitpid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::support::script::server_with_joined_client;
use crate::support::{Client, Home, Server, WAIT_TIMEOUT, run_alone};

/// A terminal with a program on it.
pub(super) struct Terminal {
    master: File,
    /// Kept open, so that the terminal outlives the program.
    slave: OwnedFd,
    output: Receiver<Vec<u8>>,
    /// Output that was not waited for yet.
    screen_output: String,
    child: Child,
}

impl Terminal {
    pub(super) fn new(mut command: impl BorrowMut<Command>) -> Self {
        let command = command.borrow_mut();
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("a terminal of one's own");
        unlockpt(&master).expect("an open terminal");
        let name = ptsname(&master, Vec::new()).expect("its name");
        let slave = open(&*name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its other end");
        let size = Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&slave, size).expect("a size");
        let end = || Stdio::from(slave.try_clone().expect("another end"));
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm-256color");
        for name in [
            "TMUX",
            "STY",
            "TERM_PROGRAM",
            "LC_TERMINAL",
            "SSH_CONNECTION",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "DBUS_SESSION_BUS_ADDRESS",
        ] {
            command.env_remove(name);
        }
        // A process group of its own, as a shell makes it, so that a stop signal reaches nothing else.
        let child = command.process_group(0).spawn().expect("the program starts");
        let master = File::from(master);
        let mut reader = master.try_clone().expect("the terminal's other side");
        let (to, output) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if to.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { master, slave, output, screen_output: String::new(), child }
    }

    /// Waits until this text is written. Returns everything up to it, which is dropped.
    #[track_caller]
    pub(super) fn wait_for(&mut self, text: &str) -> String {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        loop {
            if let Some(at) = self.screen_output.find(text) {
                return self.screen_output.drain(..at + text.len()).collect();
            }
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.screen_output.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{text:?} was not written: {:?}", self.screen_output)
                }
            }
        }
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).expect("a terminal that takes keys");
    }

    fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().expect("a shell").success(), "{kill}");
    }

    /// Waits until the program is stopped.
    #[track_caller]
    fn assert_stopped(&self) {
        let (_, status) = waitpid(Pid::from_child(&self.child).into(), WaitOptions::UNTRACED)
            .expect("a child")
            .expect("a status");
        assert!(status.stopped(), "{status:?}");
    }

    /// Returns true if the terminal edits and echoes lines again, as a shell wants it.
    fn is_restored(&self) -> bool {
        tcgetattr(&self.slave).expect("its modes").local_modes.contains(LocalModes::ICANON | LocalModes::ECHO)
    }

    #[track_caller]
    pub(super) fn assert_ended(&mut self) {
        self.wait_for("\u{1b}[?1049l");
        self.child.wait().expect("an end");
        assert!(self.is_restored());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Waits until the terminal's client knows that the server has the messages that `other`, a client of the same account,
/// has seen: it shows a message that was sent after them. Until then `/quit` asks to be repeated.
#[track_caller]
fn wait_until_confirmed(terminal: &mut Terminal, other: &mut Client) {
    other.send("PRIVMSG #lobby :quux");
    terminal.wait_for("quux");
}

/// Starts dora's client in a terminal, at a joined server.
fn start_chat() -> (Server, Terminal) {
    let server = server_with_joined_client();
    let terminal = Terminal::new(chat_command(&server.home));
    (server, terminal)
}

pub(super) fn chat_command(home: &Home) -> Command {
    let mut command = home.command(&["chat"]);
    command.env("XDG_CONFIG_HOME", home.path("dora"));
    command
}

#[test]
fn chat_restores_the_terminal_on_exit() {
    let (server, mut terminal) = start_chat();
    let mut other = Client::login(&server, "dora");
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("write to #lobby");
    assert!(!terminal.is_restored());
    terminal.press("hello\r");
    other.wait_for_message("hello");
    wait_until_confirmed(&mut terminal, &mut other);
    // Another size at any time, down to almost nothing.
    for (ws_col, ws_row) in [(40, 12), (1, 1), (200, 50)] {
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal.slave, size).expect("a size");
        terminal.signal("WINCH");
    }
    terminal.wait_for("\u{1b}[50;1H");
    terminal.press("/quit\r");
    terminal.assert_ended();
}

#[test]
fn escape_sequences_are_not_typed_text() {
    let (_server, mut terminal) = start_chat();
    terminal.wait_for("write to #lobby");
    // F4, the arrow and the wheel, each after Esc in one write: if any letters were left over, `/quit` would be sent as
    // a message.
    terminal.press("\u{1b}\u{1b}OS\u{1b}\u{1b}[A\u{1b}\u{1b}[<64;1;1M");
    terminal.press("/quit\r");
    terminal.assert_ended();
}

#[test]
fn shift_enter_breaks_the_line_in_both_forms() {
    let (server, mut terminal) = start_chat();
    let mut other = Client::login_with(&server, "dora", "batch message-tags draft/multiline");
    // modifyOtherKeys, and the kitty keyboard protocol.
    terminal.wait_for("\u{1b}[>4;1m\u{1b}[>1u");
    terminal.wait_for("write to #lobby");
    terminal.press("one\u{1b}[27;2;13~two\u{1b}[13;2uthree\r");
    other.wait_for_command("BATCH");
    for line in ["one", "two", "three"] {
        assert!(!other.wait_for_message(line).tag("batch").is_none_or(str::is_empty), "{line}");
    }
    wait_until_confirmed(&mut terminal, &mut other);
    terminal.press("/quit\r");
    terminal.wait_for("\u{1b}[>4;0m");
    terminal.assert_ended();
}

#[test]
fn sending_in_the_plain_chat_marks_as_read() {
    let server = server_with_joined_client();
    let mut other = Client::login_with(&server, "dora", "message-tags server-time draft/read-marker");
    let mut command = chat_command(&server.home);
    command.arg("--plain");
    let mut terminal = Terminal::new(command);
    terminal.wait_for("now talking in #lobby");
    assert!(terminal.is_restored());
    terminal.press("hello\n");
    let said = other.wait_for_message("hello");
    let marker = other.wait_for_command("MARKREAD #lobby");
    assert_eq!(marker.param(1).strip_prefix("timestamp="), said.tag("time"));
    terminal.press("/quit\n");
    terminal.child.wait().expect("an end");
}

#[test]
fn plain_chat_says_what_is_unread() {
    let server = server_with_joined_client();
    let mut alice = Client::in_channel(&server, "alice", "#lobby");
    let mut phone = Client::login_with(&server, "dora", "message-tags server-time draft/read-marker");
    for line in ["PRIVMSG #lobby :read on the phone", "PRIVMSG #lobby :read there too"] {
        alice.request(line);
    }
    let read = phone.wait_for_message("read there too");
    phone.request(&format!("MARKREAD #lobby timestamp={}", read.tag("time").expect("a time")));
    phone.close();
    for line in
        ["PRIVMSG dora :psst", "PRIVMSG #lobby :one", "PRIVMSG dora :still there?", "PRIVMSG #lobby :two"]
    {
        alice.request(line);
    }
    let start = || {
        let mut command = chat_command(&server.home);
        Terminal::new(command.arg("--plain").env("TZ", "UTC"))
    };
    let mut terminal = start();
    let shown: String = [
        "-- alice: 2 unread messages since ",
        "alice <alice> psst",
        "alice <alice> still there?",
        "-- #lobby: 2 unread messages since ",
        "#lobby <alice> one",
        "#lobby <alice> two",
    ]
    .map(|text| terminal.wait_for(text))
    .concat();
    assert!(!shown.contains("read on the phone") && !shown.contains("read there too"), "{shown}");
    terminal.press("/quit\n");
    terminal.child.wait().expect("an end");
    let mut terminal = start();
    let shown = terminal.wait_for("-- no unread messages");
    assert!(!shown.contains("<alice>"), "{shown}");
    terminal.press("/quit\n");
    terminal.child.wait().expect("an end");
}

#[test]
fn signal_restores_the_terminal() {
    for name in ["TERM", "HUP", "INT"] {
        let (_server, mut terminal) = start_chat();
        terminal.wait_for("#lobby");
        terminal.signal(name);
        terminal.assert_ended();
    }
}

#[test]
fn suspended_chat_redraws_when_continued() {
    let (_server, mut terminal) = start_chat();
    terminal.wait_for("#lobby");
    terminal.signal("STOP");
    terminal.signal("CONT");
    terminal.wait_for("\u{1b}[?1049l");
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("#lobby");
    assert!(!terminal.is_restored());
    // Ctrl-Z, and fg.
    terminal.press("\u{1a}");
    terminal.wait_for("\u{1b}[?1049l");
    terminal.assert_stopped();
    assert!(terminal.is_restored());
    terminal.signal("CONT");
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("#lobby");
    terminal.press("/quit\r");
    terminal.assert_ended();
}

#[test]
fn panic_restores_the_terminal_before_its_message() {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(run_alone(panics_in_a_terminal));
    let mut terminal = Terminal::new(command);
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("\u{1b}[?1049l");
    terminal.wait_for("on purpose");
    terminal.child.wait().expect("an end");
    assert!(terminal.is_restored());
}

#[test]
#[ignore = "another test starts it, in a terminal of its own"]
fn panics_in_a_terminal() {
    let mut screen = TerminalScreen::enter(detect_setup(|_| None, TimeZone::UTC)).expect("a terminal");
    screen.draw(|_| parlour::client::screen::view::Drawn::default()).expect("it draws");
    panic!("on purpose");
}
