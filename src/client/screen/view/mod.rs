//! Drawing of the models and the [`App`], without any change to them.

mod bars;
mod clock;
mod draw_text;
pub mod escape;
mod folds;
mod layout;
mod messages;
mod overlays;
mod rows;
mod side_panels;
pub mod theme;

use ratatui::layout::{Position, Rect};
use ratatui::terminal::Frame;

pub use self::draw_text::{Links, draw_runs};
pub use self::folds::{find_run, is_folded, starts_run};
pub use self::layout::Layout;
pub use self::overlays::WindowClick;
pub use self::rows::entry_height;
use super::{App, BufferKey, Overlay, Selection};
use crate::client::model::{Model, Ticket};
use crate::wire::Nick;

/// Object under the mouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickTarget {
    /// Conversation in the list.
    Conversation(BufferKey),
    /// Entry of the buffer, by its number.
    Entry(i64),
    /// Message that the server has not confirmed yet.
    Outgoing(Ticket),
    /// Member of the channel.
    Member(Nick),
}

/// Draws the screen. Returns the targets of its links.
pub fn draw(app: &App, models: &[&mut Model], frame: &mut Frame<'_>) -> Links {
    let mut links = Links::default();
    let layout = Layout::for_screen(app, frame.area());
    let buffer = frame.buffer_mut();
    if let Some(area) = layout.conversations {
        side_panels::draw_conversations(app, area, buffer);
    }
    if let Some(area) = layout.members {
        side_panels::draw_members(app, models, area, buffer);
    }
    if let Some(area) = layout.topic {
        bars::draw_topic(app, models, area, buffer);
    }
    messages::draw_messages(app, &layout, buffer, &mut links);
    if let Some(area) = layout.hint {
        bars::draw_hint(app, area, buffer);
    }
    if let Some(area) = layout.status {
        bars::draw_status(app, models, area, buffer);
    }
    let mut cursor = bars::draw_composer(app, layout.composer, buffer);
    match &app.overlay {
        Overlay::None => {}
        Overlay::Help(row) => {
            overlays::draw_help(app, *row, frame.area(), frame.buffer_mut());
            cursor = None;
        }
        Overlay::Pick(picker) => {
            cursor = Some(overlays::draw_picker(app, picker, frame.area(), frame.buffer_mut()));
        }
        Overlay::Find(finder) => {
            cursor = Some(overlays::draw_search(app, finder, frame.area(), frame.buffer_mut()));
        }
    }
    if let Some((x, y)) = cursor.filter(|_| app.selection.is_none()) {
        frame.set_cursor_position(Position::new(x, y));
    }
    links
}

/// Returns the count of rows from the first row of an entry to the bottom of the messages; `None` where that row is not
/// visible.
pub fn rows_to_bottom(app: &App, number: i64) -> Option<usize> {
    let lines = messages::message_lines(app, &Layout::from_app(app));
    let at = lines.iter().position(|line| line.selection == Some(Selection::Entry(number)))?;
    // The first visible row of the entry may be a later one.
    let all = entry_height(app, app.current_buffer()?, number, Layout::from_app(app).messages.width);
    let visible_rows = lines.iter().filter(|line| line.selection == Some(Selection::Entry(number))).count();
    (at > 0 || visible_rows == all).then_some(lines.len() - at)
}

/// Formats a run of joins and leaves as text, one line for each entry.
pub fn run_text(app: &App, number: i64) -> Option<String> {
    let buffer = app.current_buffer()?;
    let run = find_run(app, buffer, number)?;
    Some(folds::changes(buffer, run).map(folds::format_change).collect::<Vec<_>>().join("\n"))
}

/// Returns the target of a click while a window is open.
pub fn window_click_target(app: &App, column: u16, row: u16) -> WindowClick {
    overlays::click_target(app, Rect::new(0, 0, app.size.0, app.size.1), Position::new(column, row))
}

/// Returns the object at a position of the screen.
pub fn click_target(app: &App, models: &[&mut Model], column: u16, row: u16) -> Option<ClickTarget> {
    let layout = Layout::from_app(app);
    let at = Position::new(column, row);
    if let Some(area) = layout.conversations.filter(|area| area.contains(at)) {
        return side_panels::conversation_at(app, area, row - area.y).map(ClickTarget::Conversation);
    }
    if let Some(area) = layout.members.filter(|area| area.contains(at)) {
        return side_panels::member_at(app, models, row - area.y).map(ClickTarget::Member);
    }
    if !layout.messages.contains(at) {
        return None;
    }
    let line = messages::message_lines(app, &layout).into_iter().nth(usize::from(row - layout.messages.y))?;
    Some(match line.selection? {
        Selection::Entry(number) => ClickTarget::Entry(number),
        Selection::Outgoing(ticket) => ClickTarget::Outgoing(ticket),
    })
}
