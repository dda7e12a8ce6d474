//! Tests of the full-screen client without a terminal and a server: lines and keys in, the screen out.

/// Snapshots the screen as text in each size of [`SIZES`], and with its colours in the dark and the light theme.
macro_rules! assert_screens {
    ($rig:expr, $name:literal) => {
        for (suffix, screen) in $rig.render_each() {
            insta::assert_snapshot!(format!("{}_{suffix}", $name), screen);
        }
    };
}

mod answers;
mod behaviour;
mod finding;
pub mod fixture;
mod folding;
mod hostile;
mod names;
mod reading;
mod remembered;
mod screens;
mod secrets;
mod sending;
mod settings;

use jiff::tz::TimeZone;
use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use ratatui::terminal::Terminal;

use super::view;
use super::{App, ScreenEffect, Workspace};
use crate::client::keys::key::{Code, Key, TerminalEvent};
use crate::client::model::{Conversation, Model};
use crate::client::screen::view::escape::{self, TerminalFeatures};
use crate::client::screen::view::theme::{Background, Depth, Theme};
use crate::wire::{Cap, CapSet, Message, Nick, Timestamp};

/// 2023-11-14 22:13:20 UTC, in milliseconds.
const START: u64 = 1_700_000_000_000;

/// Columns and rows of a usual, a large and a small terminal.
const SIZES: [(u16, u16); 3] = [(80, 24), (200, 50), (40, 12)];

/// Client of alice, with a server that the test plays.
struct TestScreen {
    app: App,
    model: Model,
    /// Lines that the client sent and the test has not taken.
    sent: Vec<String>,
    /// Lines that the client sent at the second login.
    sent_before: Vec<String>,
    clock: u64,
}

impl TestScreen {
    /// Creates alice's client, logged in, in #lobby with bob and carol, without history.
    fn new() -> Self {
        let mut rig = Self::offline();
        rig.log_in();
        rig
    }

    fn offline() -> Self {
        let theme = Theme::new(Depth::NoColour, Background::Dark);
        let app = App::new(["home".to_owned()], theme, TimeZone::UTC, Timestamp(START));
        Self { app, model: Model::new("run".into()), sent: Vec::new(), sent_before: Vec::new(), clock: START }
    }

    /// Creates alice's client, logged in, in #lobby, with these messages of bob as the latest.
    fn with_history(from: u64, to: u64) -> Self {
        let mut rig = Self::offline();
        rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        rig.app.workspace.handle_connected(0);
        rig.receive_lines(&[":alice!alice@parlour JOIN #lobby", "PONG srv 1"]);
        rig.expect_history_query("LATEST #lobby", &history_page(from, to));
        rig
    }

    /// Logs in again after a broken connection.
    fn log_in_again(&mut self) {
        self.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        self.app.workspace.handle_connected(0);
        self.sent_before = self.take_output();
        let barrier =
            self.sent_before.iter().rev().find_map(|line| line.strip_prefix("PING ")).expect("a PING");
        let barrier = format!("PONG srv {barrier}");
        self.receive_lines(&[":alice!alice@parlour JOIN #lobby", &barrier]);
    }

    fn log_in(&mut self) {
        self.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        self.app.workspace.handle_connected(0);
        let barrier = self
            .take_output()
            .into_iter()
            .rev()
            .find_map(|line| line.strip_prefix("PING ").map(str::to_owned));
        let barrier = format!("PONG srv {}", barrier.expect("a PING"));
        self.receive_lines(&[
            ":alice!alice@parlour JOIN #lobby",
            ":srv 332 alice #lobby :Tea and talk",
            ":srv MARKREAD #lobby *",
            &barrier,
        ]);
        self.reply_to_command(
            "NAMES #lobby",
            &[":srv 353 alice = #lobby :~bob @carol alice", ":srv 366 alice #lobby :End"],
        );
        self.fail_history_query("LATEST #lobby");
    }

    /// Handles lines of the server.
    fn receive_lines(&mut self, lines: &[&str]) {
        for line in lines {
            self.model.handle(&Message::parse(line).expect(line), Timestamp(self.clock));
        }
        self.run_turn();
    }

    fn run_turn(&mut self) {
        self.app.workspace.now = Timestamp(self.clock);
        while let Some(event) = self.model.next_event() {
            self.app.handle_event(0, event, &mut [&mut self.model]);
        }
        self.app.update(&mut [&mut self.model]);
        let out = self.take_output();
        self.sent.extend(out);
    }

    /// Lets time pass, with the wake-ups that the screen asked for.
    fn pass_time(&mut self, ms: u64) {
        let end = self.clock + ms;
        while let Some(wake) = self.app.workspace.wake_time().filter(|wake| wake.0 <= end) {
            self.clock = self.clock.max(wake.0);
            self.run_turn();
        }
        self.clock = end;
        self.run_turn();
    }

    fn take_output(&mut self) -> Vec<String> {
        let mut bytes = Vec::new();
        self.model.take_output(&mut bytes);
        String::from_utf8(bytes).expect("UTF-8").lines().map(str::to_owned).collect()
    }

    /// Takes the first sent line that contains `part`.
    #[track_caller]
    fn expect_sent(&mut self, part: &str) -> String {
        let at = self.sent.iter().position(|line| line.contains(part));
        let at = at.unwrap_or_else(|| panic!("no {part:?} in {:?}", self.sent));
        self.sent.remove(at)
    }

    /// Takes the sent line that contains `part`, and sends these lines in reply.
    #[track_caller]
    fn reply_to_command(&mut self, part: &str, lines: &[&str]) {
        self.expect_sent(part);
        self.receive_lines(lines);
    }

    /// Answers a history query with messages, each `time id nick text`.
    #[track_caller]
    fn expect_history_query(&mut self, part: &str, messages: &[String]) {
        let target = "#lobby";
        let mut lines = Vec::new();
        for message in messages {
            let [time, id, nick, text] = message.splitn(4, ' ').collect::<Vec<_>>()[..] else {
                panic!("{message}")
            };
            let time = Timestamp(START - 1_000_000_000 + time.parse::<u64>().expect("a time") * 1000);
            lines.push(format!("@batch=h;time={time};msgid={id} :{nick}!u@parlour PRIVMSG {target} :{text}"));
        }
        self.answer_history_query(part, &lines);
    }

    /// Answers a history query with 200 reactions.
    #[track_caller]
    fn answer_with_reactions(&mut self, part: &str, first: u64) {
        let line = |n: u64| {
            let time = Timestamp(START - 1_000_000_000 + n * 1000);
            format!(
                "@batch=h;time={time};msgid=r{n};+draft/react=👍;+draft/reply=i0900 :bob!u@parlour TAGMSG #lobby"
            )
        };
        self.answer_history_query(part, &(first..first + 200).map(line).collect::<Vec<_>>());
    }

    /// Answers a history query with these lines, which name the batch `h`.
    #[track_caller]
    fn answer_history_query(&mut self, part: &str, messages: &[String]) {
        let asked = self.expect_sent(part);
        let label = asked.strip_prefix("@label=").and_then(|rest| rest.split(' ').next()).expect("a label");
        let target = asked.split(' ').nth(3).expect("a target");
        let mut lines = vec![format!("@label={label} :srv BATCH +h chathistory {target}")];
        lines.extend(messages.iter().cloned());
        lines.push("BATCH -h".to_owned());
        self.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    }

    #[track_caller]
    fn fail_history_query(&mut self, part: &str) {
        self.expect_history_query(part, &[]);
    }

    /// Sends a message to a target, one second later.
    fn receive_message(&mut self, nick: &str, target: &str, id: &str, text: &str) {
        self.clock += 1000;
        let line =
            format!("@time={};msgid={id} :{nick}!u@parlour PRIVMSG {target} :{text}", Timestamp(self.clock));
        self.receive_lines(&[&line]);
    }

    /// Echoes a sent line.
    fn receive_echo(&mut self, sent: &str, id: &str) {
        self.clock += 1000;
        let (tags, rest) = sent.strip_prefix('@').and_then(|rest| rest.split_once(' ')).expect("tags");
        let line = format!("@{tags};time={};msgid={id} :alice!alice@parlour {rest}", Timestamp(self.clock));
        self.receive_lines(&[&line]);
    }

    /// Presses keys, separated by spaces.
    fn press_keys(&mut self, names: &str) {
        for name in names.split(' ') {
            self.handle_terminal_event(TerminalEvent::Key(name.parse().expect(name)));
        }
    }

    /// Types a text.
    fn type_text(&mut self, text: &str) {
        for c in text.chars() {
            self.handle_terminal_event(TerminalEvent::Key(Key::from_code(Code::Char(c))));
        }
    }

    /// Types a line and presses Enter.
    fn type_and_enter(&mut self, text: &str) {
        self.type_text(text);
        self.press_keys("Enter");
    }

    fn handle_terminal_event(&mut self, event: TerminalEvent) {
        self.app.workspace.now = Timestamp(self.clock);
        self.app.handle_terminal_event(event, &mut [&mut self.model]);
        self.run_turn();
    }

    /// Breaks the connection.
    fn disconnect(&mut self) {
        self.model.disconnected();
        self.app.workspace.now = Timestamp(self.clock);
        self.app.handle_disconnected(0, "the server closed it", 3000, &mut [&mut self.model]);
        self.run_turn();
        self.sent.clear();
    }

    /// Renders the screen as text.
    fn render(&mut self, columns: u16, rows: u16) -> String {
        self.handle_terminal_event(TerminalEvent::Resize(Size::new(columns, rows)));
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("a backend that never fails");
        let models = [&mut self.model];
        terminal.draw(|frame| drop(self.app.draw(&models, frame))).expect("it draws");
        let text = terminal.backend().to_string();
        // The test backend appends a list of the cells that wide ones hide.
        let row = |line: &str| {
            line.split_once("\" Hidden").map_or(line, |(row, _)| row).trim_matches('"').trim_end().to_owned()
        };
        let lines = text.lines().map(row);
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Returns the column and row of the cursor.
    fn render_cursor(&mut self, columns: u16, rows: u16) -> Option<(u16, u16)> {
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("a backend that never fails");
        let models = [&mut self.model];
        terminal.draw(|frame| drop(self.app.draw(&models, frame))).expect("it draws");
        terminal.get_cursor_position().ok().map(|at| (at.x, at.y))
    }

    /// Renders the bytes for the terminal, one line for each row, with ESC as `␛`.
    fn render_escapes(&mut self, columns: u16, rows: u16) -> String {
        self.handle_terminal_event(TerminalEvent::Resize(Size::new(columns, rows)));
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("a backend that never fails");
        let models = [&mut self.model];
        let mut links = view::Links::default();
        terminal.draw(|frame| links = self.app.draw(&models, frame).links).expect("it draws");
        let full = terminal.backend().buffer();
        let able = TerminalFeatures { depth: self.app.workspace.display.theme.depth, links: true };
        let rows = (0..rows).map(|y| {
            let cells: Vec<_> = (0..columns).filter_map(|x| Some((x, y, full.cell((x, y))?))).collect();
            let end = cells.iter().rposition(|(_, _, cell)| **cell != Cell::EMPTY).map_or(0, |at| at + 1);
            let mut out = String::new();
            escape::write_cells(cells.into_iter().take(end), &links, able, &mut out);
            out.replace('\u{1b}', "␛")
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    /// Renders the screen for `assert_screens`, each with the suffix of its name.
    fn render_each(&mut self) -> Vec<(String, String)> {
        let mut screens: Vec<(String, String)> = Vec::new();
        for (columns, rows) in SIZES {
            screens.push((format!("{columns}x{rows}"), self.render(columns, rows)));
        }
        for (theme, background) in [("dark", Background::Dark), ("light", Background::Light)] {
            self.app.workspace.display.theme = Theme::new(Depth::Palette, background);
            screens.push((theme.to_owned(), self.render_escapes(72, 14)));
        }
        self.app.workspace.display.theme = Theme::new(Depth::NoColour, Background::Dark);
        screens
    }

    /// Returns the texts of the messages in the buffer on the screen.
    fn message_texts(&self) -> Vec<String> {
        let buffer = self.app.workspace.current_buffer().expect("a conversation");
        let messages = buffer.numbers().filter_map(|number| buffer.entry(number)?.message());
        messages.map(|message| message.text.to_string()).collect()
    }

    fn buffer_named(&self, name: &str) -> &crate::client::screen::workspace::buffer::Buffer {
        &self.app.workspace.servers[0].buffers[&Conversation::parse(name).expect(name)]
    }
}

/// Returns messages of bob for [`TestScreen::history`].
fn history_page(from: u64, to: u64) -> Vec<String> {
    (from..to).map(|n| format!("{n} i{n:04} bob m{n}")).collect()
}

/// Creates a client with messages, a reply, a reaction and a direct message.
fn populated_screen() -> TestScreen {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "Good morning! See https://example.org/tea for the list.");
    rig.receive_message(
        "bob",
        "#lobby",
        "a2",
        "It is long, and it is getting longer with every day on which nobody reads it to its end.",
    );
    rig.receive_message("carol", "#lobby", "a3", "alice: are you there?");
    rig.type_and_enter("Yes, I am.");
    let sent = rig.expect_sent("PRIVMSG #lobby");
    rig.receive_echo(&sent, "a4");
    rig.receive_lines(&["@+draft/react=👍;+draft/reply=a4;msgid=a5 :bob!u@parlour TAGMSG #lobby"]);
    rig.clock += 1000;
    let time = Timestamp(rig.clock);
    rig.receive_lines(&[
        &format!("@time={time};msgid=a6;+draft/reply=a1 :carol!u@parlour PRIVMSG #lobby :Thank you, bob"),
        &format!("@time={time} :dave!u@parlour JOIN #lobby"),
        ":bob!u@parlour PRIVMSG alice :psst",
    ]);
    rig.app.workspace.effects.clear();
    rig
}

#[test]
fn test_screen_renders() {
    let rig = populated_screen();
    assert_eq!(rig.message_texts().len(), 5);
    assert!(!rig.app.workspace.effects.contains(&ScreenEffect::Bell));
}
