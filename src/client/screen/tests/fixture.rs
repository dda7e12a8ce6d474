//! Workspace and cells for the tests of the components.

use jiff::tz::TimeZone;
use ratatui::buffer::Buffer as Cells;
use ratatui::layout::{Position, Rect, Size};

use crate::client::keys::KeyMode;
use crate::client::keys::key::{Code, Key, MouseAction};
use crate::client::model::{Conversation, Model};
use crate::client::screen::components::layout::Panels;
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::view::theme::{Background, Depth, Theme};
use crate::client::screen::workspace::{BufferKey, Workspace};
use crate::wire::{Cap, CapSet, Message, Nick, Timestamp};

/// 2023-11-14 22:13:20 UTC, in milliseconds.
const START: u64 = 1_700_000_000_000;

/// Workspace of alice, who is in #lobby with bob and carol, and its model.
pub struct Fixture {
    pub workspace: Workspace,
    pub model: Model,
    pub panels: Panels,
    /// Position of the cursor after the last rendering.
    pub cursor: Option<Position>,
}

impl Fixture {
    pub fn new() -> Self {
        let theme = Theme::new(Depth::NoColour, Background::Dark);
        let workspace = Workspace::new(["home".to_owned()], theme, TimeZone::UTC, Timestamp(START));
        let model = Model::new("run".into());
        let mut fixture = Self { workspace, model, panels: Panels::default(), cursor: None };
        fixture.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
        fixture.workspace.handle_connected(0);
        fixture.lines(&[
            ":alice!alice@parlour JOIN #lobby",
            ":srv 353 alice = #lobby :~bob @carol alice",
            ":srv 366 alice #lobby :End",
        ]);
        fixture.output();
        fixture
    }

    /// Handles lines of the server.
    pub fn lines(&mut self, lines: &[&str]) {
        for line in lines {
            self.model.handle(&Message::parse(line).expect(line), self.workspace.now);
            while let Some(event) = self.model.next_event() {
                self.workspace.handle_event(0, event, &mut [&mut self.model], true);
            }
        }
    }

    /// Takes the lines that the model has to send.
    pub fn output(&mut self) -> String {
        let mut bytes = Vec::new();
        self.model.take_output(&mut bytes);
        String::from_utf8(bytes).expect("UTF-8")
    }

    /// Returns the conversation with this name.
    pub fn key(name: &str) -> BufferKey {
        (0, Conversation::parse(name).expect(name))
    }

    /// Calls a handler with the context.
    pub fn with<T>(&mut self, handle: impl FnOnce(&mut Context<'_, '_>) -> T) -> T {
        let models = &mut [&mut self.model];
        handle(&mut Context { workspace: &mut self.workspace, models, panels: self.panels })
    }

    /// Presses keys, separated by spaces. Returns the result of the last one.
    pub fn keys(&mut self, component: &mut dyn Component, names: &str) -> EventResult {
        let mut result = EventResult::Ignored;
        for name in names.split(' ') {
            let mode =
                if self.workspace.selection().is_some() { KeyMode::Selecting } else { KeyMode::Composing };
            let press = KeyPress::new(name.parse().expect(name), mode, self.workspace.keys());
            result = self.with(|context| component.handle_key(press, context));
        }
        result
    }

    /// Types a text.
    pub fn type_text(&mut self, component: &mut dyn Component, text: &str) {
        for c in text.chars() {
            let press =
                KeyPress::new(Key::from_code(Code::Char(c)), KeyMode::Composing, self.workspace.keys());
            self.with(|context| component.handle_key(press, context));
        }
    }

    /// Clicks into a component that has the whole screen.
    pub fn click(&mut self, component: &mut dyn Component, column: u16, row: u16) -> EventResult {
        let area = Rect::from((Position::ORIGIN, self.workspace.display.size));
        self.with(|context| {
            component.handle_mouse(MouseAction::Click, Position::new(column, row), area, context)
        })
    }

    /// Draws a component over the whole screen. Returns the rows as text, without spaces at their ends.
    pub fn render(&mut self, component: &dyn Component, width: u16, height: u16) -> Vec<String> {
        self.workspace.display.size = Size::new(width, height);
        let area = Rect::new(0, 0, width, height);
        let mut cells = Cells::empty(area);
        let mut surface = Surface::new(&mut cells);
        let models: &[&mut Model] = &[&mut self.model];
        let view = View { workspace: &self.workspace, models, completion: None };
        component.render(area, &mut surface, &view);
        self.cursor = surface.cursor;
        let row = |y| {
            let symbols = (0..width).filter_map(|x| cells.cell((x, y))).map(ratatui::buffer::Cell::symbol);
            symbols.collect::<String>().trim_end().to_owned()
        };
        (0..height).map(row).collect()
    }
}
