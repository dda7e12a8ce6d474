//! Message in the list of a window: conversation and time, then sender and text.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::client::screen::components::{Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{pad_to_width, truncate_to_width, width};
use crate::client::screen::view::clock::to_zoned;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::lists::listed_message::ListedMessage;

/// Rows of one message.
pub const ROWS_EACH: u16 = 2;

/// Draws a message from this row of the list on, with a remark behind the time.
pub fn draw_message(
    message: &ListedMessage,
    list: Rect,
    y: u16,
    remark: &str,
    style: Style,
    surface: &mut Surface<'_>,
    view: &View<'_, '_>,
) {
    let (theme, zone) = (view.workspace.display.theme, &view.workspace.display.zone);
    let room = usize::from(list.width);
    let day = to_zoned(message.time, zone).date();
    let conversation = sanitize_line(message.conversation.as_str(), 64);
    let server = view.workspace.servers.get(message.server).filter(|_| view.workspace.servers.len() > 1);
    let behind: Vec<&str> = server.map(|server| server.name.as_str()).into_iter().chain([remark]).collect();
    let head = |time: String| {
        let parts = [conversation.as_str(), &time].into_iter().chain(behind.iter().copied());
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("  ")
    };
    let (full, short) = (day.strftime("%-d %b %Y").to_string(), day.strftime("%-d %b").to_string());
    let clock = view.workspace.format_time(message.time);
    // Where it is narrow the time is given up for what the message is.
    let times = [format!("{full} {clock}"), format!("{short} {clock}"), full, short];
    let heads = times.map(head);
    let fits = heads.iter().find(|head| width(head) <= room);
    let head = fits.or(heads.last()).map_or("", String::as_str);
    let head = pad_to_width(&truncate_to_width(head, room), room);
    surface.draw_text(list, 0, y, &head, theme.style(Role::Dim).patch(style));
    if y + 1 >= list.height {
        return;
    }
    let nick = theme.nick_style(message.from.as_str()).patch(style);
    let end = surface.draw_text(list, 2, y + 1, &format!("{} ", message.from), nick);
    let rest = room.saturating_sub(usize::from(end));
    let text = pad_to_width(&truncate_to_width(&message.text, rest), rest);
    surface.draw_text(list, end, y + 1, &text, style);
}
