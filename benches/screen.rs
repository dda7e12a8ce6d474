//! Cost of the full-screen client: `cargo bench --bench screen`.
//!
//! Scrolls through a channel with 100,000 messages and draws each frame as bytes for a terminal, and processes 1,000
//! messages a second for ten seconds, with a key pressed every ten milliseconds, as fast as it can. Does the same in a
//! channel without messages and with 100,000 joins and parts, folded and unfolded. Prints the time of a frame, the
//! share of a second spent on the messages, and the next wake-up of an idle client. Runs without a terminal and without
//! a server, so that only the client's own work is measured.

use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use parlour::client::keys::key::{Code, Key, TerminalEvent};
use parlour::client::model::Model;
use parlour::client::screen::App;
use parlour::client::screen::view::Links;
use parlour::client::screen::view::escape::{CellPainter, TerminalFeatures};
use parlour::client::screen::view::theme::{Background, Depth, Theme};
use parlour::wire::{Cap, CapSet, Message, Nick, Timestamp};
use ratatui::backend::{Backend, TestBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use ratatui::terminal::Terminal;

const START: u64 = 1_700_000_000_000;
const LOADED: u64 = 100_000;
const FRAMES: usize = 2_000;

fn main() {
    for (columns, rows) in [(80, 24), (200, 50)] {
        run_scenario("messages", columns, rows, false, Bench::message);
        run_scenario("comings and goings", columns, rows, false, Bench::push_join_or_part);
        run_scenario("comings and goings, unfolded,", columns, rows, true, Bench::push_join_or_part);
    }
}

fn run_scenario(scenario: &str, columns: u16, rows: u16, unfold: bool, add: fn(&mut Bench, u64)) {
    let mut bench = Bench::new(columns, rows);
    let started = Instant::now();
    bench.draw();
    let first = started.elapsed();
    let loading = Instant::now();
    for n in 0..LOADED {
        add(&mut bench, n);
    }
    println!(
        "{columns}x{rows}: {LOADED} {scenario} loaded in {:?}; the empty frame took {first:?}",
        loading.elapsed()
    );
    if unfold {
        let started = Instant::now();
        let count = bench.unfold_all();
        println!("  {count} runs unfolded, {:?} each", started.elapsed() / count.max(1));
    }
    let mut frames = Vec::with_capacity(FRAMES);
    for n in 0..FRAMES {
        // Two pages back for each page forward: far into the history, in both directions.
        let code = if n % 3 == 2 { Code::PageDown } else { Code::PageUp };
        let started = Instant::now();
        bench.key(Key::from_code(code));
        bench.draw();
        frames.push(started.elapsed());
    }
    print_times("  a frame while scrolling", frames);

    bench.key("Esc".parse().expect("a key"));
    let (mut frames, mut spent) = (Vec::new(), Duration::ZERO);
    for n in 0..10_000 {
        let started = Instant::now();
        add(&mut bench, LOADED + n);
        // Sixty frames and a hundred keys a second.
        if n % 10 == 0 {
            bench.key(Key::from_code(Code::Char('x')));
        }
        if n % 16 == 0 {
            let drawing = Instant::now();
            bench.draw();
            frames.push(drawing.elapsed());
        }
        spent += started.elapsed();
    }
    print_times("  a frame at 1,000 of them a second", frames);
    println!("  ten seconds of that took {:.1} % of one core", spent.as_secs_f64() * 10.0);
    bench.now += 60_000;
    bench.key("Ctrl-U".parse().expect("a key"));
    println!(
        "  without a change it is woken: {}",
        bench.app.workspace.wake_time().map_or("never".to_owned(), |due| format!("{due}"))
    );
}

fn print_times(scenario: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{scenario}: p50 {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
}

struct Bench {
    app: App,
    model: Model,
    terminal: Terminal<TestBackend>,
    before: Buffer,
    painter: CellPainter,
    out: String,
    now: u64,
}

impl Bench {
    fn new(columns: u16, rows: u16) -> Self {
        let theme = Theme::new(Depth::True, Background::Dark);
        let mut app = App::new(["home".to_owned()], theme, TimeZone::system(), Timestamp(START));
        app.workspace.display.size = Size::new(columns, rows);
        let mut model = Model::new("run".into());
        model.connected(
            Nick::parse("alice").expect("a nick"),
            CapSet::from_caps(&[Cap::Batch, Cap::ServerTime]),
        );
        app.workspace.handle_connected(0);
        let terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a backend that never fails");
        let before = Buffer::empty(Rect::new(0, 0, columns, rows));
        let painter = CellPainter::default();
        let mut bench = Self { app, model, terminal, before, painter, out: String::new(), now: START };
        bench.line(":alice!a@p JOIN #lobby");
        bench.line("PONG srv 1");
        bench
    }

    fn line(&mut self, line: &str) {
        self.app.workspace.now = Timestamp(self.now);
        self.model.handle(&Message::parse(line).expect(line), Timestamp(self.now));
        while let Some(event) = self.model.next_event() {
            self.app.handle_event(0, event, &mut [&mut self.model]);
        }
        self.app.update(&mut [&mut self.model]);
        let mut bytes = Vec::new();
        self.model.take_output(&mut bytes);
    }

    fn message(&mut self, n: u64) {
        self.now += 1;
        let words = [
            "short",
            "of the usual length, as people write it",
            "https://example.org/a/link with 日本語 and é",
            "a long one that goes on and on, over several lines of any screen, because somebody had a lot to say about something that matters to them",
        ];
        let text = words[usize::try_from(n % 4).unwrap_or(0)];
        let line = format!(
            "@time={};msgid=i{n:012} :user{}!u@p PRIVMSG #lobby :{n} {text}",
            Timestamp(self.now),
            n % 37
        );
        self.line(&line);
    }

    /// Adds a JOIN or a PART by turns.
    fn push_join_or_part(&mut self, n: u64) {
        self.now += 1;
        let time = Timestamp(self.now);
        let number = n / 2 % 5_000;
        let command = if n.is_multiple_of(2) { "JOIN #lobby" } else { "PART #lobby :until tomorrow" };
        self.line(&format!("@time={time} :user{number}!u@p {command}"));
    }

    /// Unfolds each run of joins and parts. Returns the count of runs.
    fn unfold_all(&mut self) -> u32 {
        let (above, open) = ("Alt-Up".parse().expect("a key"), "Enter".parse().expect("a key"));
        let mut count = 0;
        let mut last = None;
        loop {
            self.key(above);
            if self.app.workspace.selection().is_none() || self.app.workspace.selection() == last {
                return count;
            }
            self.key(open);
            last = self.app.workspace.selection();
            count += 1;
        }
    }

    fn key(&mut self, key: Key) {
        self.app.workspace.now = Timestamp(self.now);
        self.app.handle_terminal_event(TerminalEvent::Key(key), &mut [&mut self.model]);
        self.app.update(&mut [&mut self.model]);
    }

    /// Draws as the client does: the view, the changes, and the bytes for them.
    fn draw(&mut self) {
        let mut links = Links::default();
        let models = [&mut self.model];
        let app = &self.app;
        let frame = self.terminal.draw(|frame| links = app.draw(&models, frame).links).expect("it draws");
        let now = frame.buffer.clone();
        let able = TerminalFeatures { depth: Depth::True, links: true };
        self.out.clear();
        let changed = self.before.diff(&now).into_iter();
        self.painter.write_changes(changed, &links, able, &mut self.out);
        self.before = now;
        self.terminal.backend_mut().flush().expect("it never fails");
    }
}
