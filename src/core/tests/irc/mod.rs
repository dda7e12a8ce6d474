//! Commands and their replies, line by line, as clients see them. `Client` has the methods of the client in `tests/it`,
//! so a test can move between a core and a real server.

mod audit;
mod bots;
mod channels;
mod labels;
#[path = "../../../../tests/it/support/line.rs"]
mod line;
mod member_status;
mod messages;
mod moderation;
mod modes;
mod monitor;
mod queries;
mod renaming;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use line::{
    Line, Requests, assert_refused, commands, names_reply, only_line, request_one_line, with_nicks,
    without_tags,
};

use super::driver::Driver;
use crate::core::record::Role;
use crate::core::{InputKind, SessionId, Settings};

/// Every capability that changes what a session sees.
const ALL_CAPABILITIES: &str =
    "account-tag batch echo-message labeled-response message-tags multi-prefix server-time standard-replies";

/// A core, shared by its clients.
#[derive(Clone)]
struct Server(Rc<RefCell<Driver>>);

/// Session of the simulated server.
struct Client {
    server: Server,
    session: SessionId,
    received: VecDeque<Line>,
    /// Lines of the login.
    welcome: Vec<Line>,
}

/// Starts a core with the accounts alice, bob and carol, without a grace period.
fn server() -> Server {
    server_of(&["alice", "bob", "carol"].map(|name| (name, Role::Member)))
}

/// Starts a core with the accounts alice, bob, carol and the admin root.
fn server_with_admin() -> Server {
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| (name, Role::Member));
    server_of(&[alice, bob, carol, ("root", Role::Admin)])
}

/// Starts a core with the accounts alice, bob and carol, and these settings.
fn server_with(settings: Settings) -> Server {
    let server = server();
    server.0.borrow_mut().input(InputKind::Settings(Box::new(settings)));
    server
}

fn server_of(accounts: &[(&str, Role)]) -> Server {
    Server(Rc::new(RefCell::new(Driver::with_accounts(accounts))))
}

/// Logs several accounts in, and makes them join a channel that the first of them creates.
fn log_in_and_join<const N: usize>(server: &Server, names: [&str; N], channel: &str) -> [Client; N] {
    let mut clients = names.map(|name| Client::login(server, name));
    for client in &mut clients {
        client.request(&format!("JOIN {channel}"));
    }
    for client in &mut clients {
        client.drain();
    }
    clients
}

impl Client {
    /// Logs in with every capability of [`ALL_CAPABILITIES`].
    fn login(server: &Server, name: &str) -> Self {
        Self::login_with(server, name, ALL_CAPABILITIES)
    }

    /// Logs in with these capabilities.
    fn login_with(server: &Server, name: &str, capabilities: &str) -> Self {
        let session = server.0.borrow_mut().open_with_burst(name, capabilities);
        let mut client =
            Self { server: server.clone(), session, received: VecDeque::new(), welcome: Vec::new() };
        client.welcome = client.drain();
        client
    }

    /// Logs in and joins a channel.
    fn in_channel(server: &Server, name: &str, channel: &str) -> Self {
        let mut client = Self::login(server, name);
        client.request(&format!("JOIN {channel}"));
        client
    }

    /// Sends one line.
    fn send(&mut self, line: &str) {
        let got = self.server.0.borrow_mut().send_line(self.session, line);
        self.receive(&got);
    }

    /// Sends a line and returns everything that has come up to its replies.
    fn request(&mut self, line: &str) -> Vec<Line> {
        self.send(line);
        self.drain()
    }

    /// Returns everything that has come up to now.
    fn drain(&mut self) -> Vec<Line> {
        let got = self.server.0.borrow_mut().take_output(self.session);
        self.receive(&got);
        self.received.drain(..).collect()
    }

    fn receive(&mut self, got: &str) {
        self.received.extend(got.split_terminator("\r\n").map(Line::parse));
    }

    /// Takes lines up to the first that matches, and returns that.
    #[track_caller]
    fn wait_for_line(&mut self, what: &str, matches: impl Fn(&Line) -> bool) -> Line {
        let lines = self.drain();
        let Some(at) = lines.iter().position(matches) else { panic!("no {what} in {lines:?}") };
        let mut lines = lines.into_iter().skip(at);
        let found = lines.next().expect("it is there");
        self.received.extend(lines);
        found
    }

    /// Takes lines up to one of this command and these first parameters.
    #[track_caller]
    fn wait_for_command(&mut self, start: &str) -> Line {
        self.wait_for_line(start, |line| line.starts_with(start))
    }

    /// Takes lines up to a message with this text.
    #[track_caller]
    fn wait_for_message(&mut self, text: &str) -> Line {
        self.wait_for_line(text, |line| {
            matches!(line.command.as_str(), "PRIVMSG" | "NOTICE") && line.text() == text
        })
    }

    /// Sends a message, which must arrive as an echo and at the other client.
    #[track_caller]
    fn deliver_message(&mut self, other: &mut Self, target: &str, text: &str) -> (Line, Line) {
        self.send(&format!("PRIVMSG {target} :{text}"));
        (self.wait_for_message(text), other.wait_for_message(text))
    }

    /// Breaks the connection.
    fn close(self) {
        drop(self);
    }

    /// Sends QUIT and ends the connection.
    fn quit(mut self) {
        self.send("QUIT");
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.server.0.borrow_mut().input(InputKind::SessionClosed(self.session, "Connection closed".into()));
    }
}

impl Requests for Client {
    fn request(&mut self, line: &str) -> Vec<Line> {
        Self::request(self, line)
    }

    fn drain(&mut self) -> Vec<Line> {
        Self::drain(self)
    }
}
