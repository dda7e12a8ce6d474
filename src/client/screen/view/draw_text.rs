//! Drawing of text into cells.

use std::collections::HashMap;
use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::client::screen::text::clusters::replace_untrusted;
use crate::client::screen::text::wrap::Run;

/// Targets of the links on the screen, by the mark of their cells.
///
/// A cell cannot hold a URL. The mark is a hash of the URL, kept as the colour of the cell's underline, which nothing
/// else here uses. A change of the URL is so a change of the cell, and the cell is drawn again.
#[derive(Debug, Default)]
pub struct Links(HashMap<u32, Rc<str>>);

impl Links {
    /// Returns the mark of a URL; `None` where another URL on the screen has the same mark.
    fn insert(&mut self, address: &Rc<str>) -> Option<Color> {
        let mark = mark_of(address.bytes());
        let known = self.0.entry(mark).or_insert_with(|| address.clone());
        let [_, r, g, b] = mark.to_be_bytes();
        (known == address).then_some(Color::Rgb(r, g, b))
    }

    /// Returns the URL of the cells with this underline colour.
    pub fn find_url(&self, mark: Color) -> Option<&str> {
        let Color::Rgb(r, g, b) = mark else { return None };
        self.0.get(&u32::from_be_bytes([0, r, g, b])).map(|address| &**address)
    }
}

/// Returns a hash of 24 bits (FNV-1a), which fits into a colour.
pub(super) fn mark_of(bytes: impl Iterator<Item = u8>) -> u32 {
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 24)) & 0xff_ffff
}

/// Draws runs on one row, cut off at the end of the area. Returns the column behind them.
pub fn draw_runs(
    cells: &mut Buffer,
    links: &mut Links,
    area: Rect,
    column: u16,
    row: u16,
    runs: &[Run],
    patch: Style,
) -> u16 {
    let (mut x, y) = (area.x + column, area.y + row);
    if row >= area.height {
        return column;
    }
    for run in runs {
        let room = (area.x + area.width).saturating_sub(x);
        if room == 0 {
            break;
        }
        let end = draw_clusters(cells, (x, y), &run.text, room, run.style.patch(patch));
        if let Some(mark) = run.link.as_ref().and_then(|address| links.insert(address)) {
            for x in x..end {
                if let Some(cell) = cells.cell_mut((x, y)) {
                    cell.underline_color = mark;
                }
            }
        }
        x = end;
    }
    x - area.x
}

/// Draws a text without links, like [`draw_runs`].
pub fn draw_text(cells: &mut Buffer, area: Rect, column: u16, row: u16, text: &str, style: Style) -> u16 {
    if row >= area.height {
        return column;
    }
    let (x, y) = (area.x + column, area.y + row);
    let room = (area.x + area.width).saturating_sub(x);
    draw_clusters(cells, (x, y), text, room, style) - area.x
}

/// Draws the clusters of a text that fit into `room` cells. Returns the column behind them.
fn draw_clusters(cells: &mut Buffer, (x, y): (u16, u16), text: &str, room: u16, style: Style) -> u16 {
    let room = room.min(cells.area.right().saturating_sub(x));
    if !text.is_ascii() {
        return cells.set_stringn(x, y, replace_untrusted(text), usize::from(room), style).0;
    }
    // Of ASCII each character is a cluster of one cell, which needs no look-up.
    let mut x = x;
    for c in text.chars().filter(|c| !c.is_ascii_control()).take(usize::from(room)) {
        if let Some(cell) = cells.cell_mut((x, y)) {
            cell.set_char(c).set_style(style);
        }
        x += 1;
    }
    x
}

/// Clears an area and sets its style.
pub fn clear_area(cells: &mut Buffer, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            if let Some(cell) = cells.cell_mut((x, y)) {
                cell.reset();
                cell.set_style(style);
            }
        }
    }
}

/// Draws a vertical line in the column `x`.
pub fn draw_border(cells: &mut Buffer, x: u16, area: Rect, style: Style) {
    for y in area.y..area.y + area.height {
        cells.set_string(x, y, "│", style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_off_at_the_area_and_control_characters_are_left_out() {
        let area = Rect::new(1, 0, 4, 1);
        for (text, row, end) in
            [("ab", " ab   ", 2), ("abcdef", " abcd ", 4), ("a\u{1b}b\t\u{7f}", " ab   ", 2)]
        {
            for text in [text.to_owned(), text.replace('a', "é")] {
                let mut cells = Buffer::empty(Rect::new(0, 0, 6, 1));
                assert_eq!(draw_text(&mut cells, area, 0, 0, &text, Style::new()), end, "{text:?}");
                let drawn: String =
                    cells.content.iter().map(|cell| cell.symbol().replace('é', "a")).collect();
                assert_eq!(drawn, row, "{text:?}");
            }
        }
    }
}
