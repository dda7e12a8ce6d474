//! Components of the screen: each owns its state, handles its keys and the mouse, and draws itself.
//!
//! A component changes the [`Workspace`] through the [`Context`] that it is given, and returns a [`Request`] for what
//! another part of the screen must do. It knows no other component; [`App`](crate::client::screen::App) routes between
//! them.

pub mod composer;
pub mod editing;
pub mod hint_line;
pub mod layout;
pub mod member_list;
pub mod overlays;
pub mod sidebar;
pub mod status_line;
pub mod timeline;
pub mod topic_bar;

use ratatui::buffer::Buffer as Cells;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use self::layout::{Layout, Panels};
use crate::client::keys::key::{Key, MouseAction};
use crate::client::keys::keymap::KeyMap;
use crate::client::keys::{Action, KeyMode};
use crate::client::model::Model;
use crate::client::screen::view::Links;
use crate::client::screen::view::pictures::Pictures;
use crate::client::screen::workspace::{Models, Request, Workspace};

/// Part of the screen.
pub trait Component {
    /// Handles a key.
    fn handle_key(&mut self, _key: KeyPress, _context: &mut Context<'_, '_>) -> EventResult {
        EventResult::Ignored
    }

    /// Handles pasted text.
    fn handle_paste(&mut self, _text: &str, _context: &mut Context<'_, '_>) -> EventResult {
        EventResult::Ignored
    }

    /// Handles a mouse event at a position within the component's area.
    fn handle_mouse(
        &mut self,
        _mouse: MouseAction,
        _at: Position,
        _area: Rect,
        _context: &mut Context<'_, '_>,
    ) -> EventResult {
        EventResult::Ignored
    }

    /// Draws the component.
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>);
}

/// Result of an event for a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventResult {
    /// The component has no use for the event; another one may.
    Ignored,
    /// The event is handled.
    Consumed,
    /// The event is handled, except for what another part of the screen must do.
    Request(Request),
}

impl From<Option<Request>> for EventResult {
    fn from(request: Option<Request>) -> Self {
        request.map_or(Self::Consumed, Self::Request)
    }
}

impl From<Request> for EventResult {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

/// Pressed key with its action in the current mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPress {
    /// Key that was pressed, with its modifiers.
    pub key: Key,
    /// Action that the key triggers; `None` for a key without one, such as a letter in the composer.
    pub action: Option<Action>,
}

impl KeyPress {
    /// Looks up the action of a key in a mode.
    pub fn new(key: Key, mode: KeyMode, keys: &KeyMap) -> Self {
        Self { key, action: keys.find_action(key, mode) }
    }
}

/// State that components read and change while they handle an event.
pub struct Context<'a, 'b> {
    /// Servers, conversations, hint, effects.
    pub workspace: &'a mut Workspace,
    /// Models of the servers.
    pub models: Models<'a, 'b>,
    /// Panels that are switched on or off.
    pub panels: Panels,
}

impl Context<'_, '_> {
    /// Returns the layout of the screen, as it is after the changes so far.
    pub fn layout(&self) -> Layout {
        Layout::from_app(self.workspace, self.panels)
    }
}

/// State that components draw.
pub struct View<'a, 'b> {
    /// Servers, conversations, hint.
    pub workspace: &'a Workspace,
    /// Models of the servers.
    pub models: &'a [&'b mut Model],
    /// Completion in progress, for the hint line.
    pub completion: Option<Candidates<'a>>,
}

impl View<'_, '_> {
    /// Returns the model of the server of the conversation on the screen.
    pub fn model(&self) -> Option<&Model> {
        let (server, _) = self.workspace.current.as_ref()?;
        self.models.get(*server).map(|model| &**model)
    }
}

/// Candidates of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidates<'a> {
    /// Texts of the candidates.
    pub texts: &'a [String],
    /// Index of the one in the composer.
    pub selected: usize,
}

/// Cells that components draw to, with the targets of links, the pictures and the cursor.
pub struct Surface<'a> {
    /// Cells of the whole screen.
    pub cells: &'a mut Cells,
    /// Targets of the links.
    pub links: Links,
    /// Boxes for pictures.
    pub pictures: Pictures,
    /// Position of the cursor; `None` hides it.
    pub cursor: Option<Position>,
}

impl<'a> Surface<'a> {
    /// Creates a surface without links, pictures and cursor.
    pub fn new(cells: &'a mut Cells) -> Self {
        Self { cells, links: Links::default(), pictures: Pictures::default(), cursor: None }
    }

    /// Draws a text on one row, cut off at the end of the area. Returns the column behind it.
    pub fn draw_text(&mut self, area: Rect, column: u16, row: u16, text: &str, style: Style) -> u16 {
        crate::client::screen::view::draw_text(self.cells, area, column, row, text, style)
    }
}
