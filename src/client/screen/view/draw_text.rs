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
        let hash = address
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mark = (hash ^ (hash >> 24)) & 0xff_ffff;
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
        let text = replace_untrusted(&run.text);
        let (end, _) = cells.set_stringn(x, y, &text, usize::from(room), run.style.patch(patch));
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
    draw_runs(cells, &mut Links::default(), area, column, row, &[Run::new(text, style)], Style::new())
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
