//! Drawing of the models and the [`App`], without any change to them.

mod bars;
mod clock;
pub mod escape;
mod folds;
mod layout;
mod overlays;
mod put;
mod rows;
mod sides;
mod talk;
pub mod theme;

use ratatui::layout::{Position, Rect};
use ratatui::terminal::Frame;

pub use self::folds::{begins, is_folded, run};
pub use self::layout::Layout;
pub use self::overlays::Hit;
pub use self::put::{Links, put};
pub use self::rows::height;
use super::{App, Chosen, Overlay, Spot};
use crate::client::model::{Model, Ticket};
use crate::wire::Nick;

/// Object under the mouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    /// Conversation in the list.
    Place(Spot),
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
    let layout = Layout::sized(app, frame.area());
    let buffer = frame.buffer_mut();
    if let Some(area) = layout.places {
        sides::places(app, area, buffer);
    }
    if let Some(area) = layout.members {
        sides::members(app, models, area, buffer);
    }
    if let Some(area) = layout.topic {
        bars::topic(app, models, area, buffer);
    }
    talk::draw(app, &layout, buffer, &mut links);
    if let Some(area) = layout.hint {
        bars::hint(app, area, buffer);
    }
    if let Some(area) = layout.status {
        bars::status(app, models, area, buffer);
    }
    let mut cursor = bars::input(app, layout.input, buffer);
    match &app.overlay {
        Overlay::None => {}
        Overlay::Help(row) => {
            overlays::help(app, *row, frame.area(), frame.buffer_mut());
            cursor = None;
        }
        Overlay::Pick(picker) => {
            cursor = Some(overlays::picker(app, picker, frame.area(), frame.buffer_mut()));
        }
        Overlay::Find(finder) => {
            cursor = Some(overlays::finder(app, finder, frame.area(), frame.buffer_mut()));
        }
    }
    if let Some((x, y)) = cursor.filter(|_| app.chosen.is_none()) {
        frame.set_cursor_position(Position::new(x, y));
    }
    links
}

/// Returns the count of rows from the first row of an entry to the bottom of the messages; `None` where that row is not
/// visible.
pub fn rows_from(app: &App, number: i64) -> Option<usize> {
    let lines = talk::lines(app, &Layout::of(app));
    let at = lines.iter().position(|line| line.of == Some(Chosen::Entry(number)))?;
    // The first visible row of the entry may be a later one.
    let all = height(app, app.buffer()?, number, Layout::of(app).talk.width);
    let seen = lines.iter().filter(|line| line.of == Some(Chosen::Entry(number))).count();
    (at > 0 || seen == all).then_some(lines.len() - at)
}

/// Formats a run of joins and leaves as text, one line for each entry.
pub fn copied(app: &App, number: i64) -> Option<String> {
    let buffer = app.buffer()?;
    let run = run(app, buffer, number)?;
    Some(folds::each(buffer, run).map(folds::one).collect::<Vec<_>>().join("\n"))
}

/// Returns the target of a click while a window is open.
pub fn hit(app: &App, column: u16, row: u16) -> Hit {
    overlays::hit(app, Rect::new(0, 0, app.size.0, app.size.1), Position::new(column, row))
}

/// Returns the object at a position of the screen.
pub fn what_is_at(app: &App, models: &[&mut Model], column: u16, row: u16) -> Option<Thing> {
    let layout = Layout::of(app);
    let at = Position::new(column, row);
    if let Some(area) = layout.places.filter(|area| area.contains(at)) {
        return sides::place_at(app, area, row - area.y).map(Thing::Place);
    }
    if let Some(area) = layout.members.filter(|area| area.contains(at)) {
        return sides::member_at(app, models, row - area.y).map(Thing::Member);
    }
    if !layout.talk.contains(at) {
        return None;
    }
    let line = talk::lines(app, &layout).into_iter().nth(usize::from(row - layout.talk.y))?;
    Some(match line.of? {
        Chosen::Entry(number) => Thing::Entry(number),
        Chosen::Outgoing(ticket) => Thing::Outgoing(ticket),
    })
}
