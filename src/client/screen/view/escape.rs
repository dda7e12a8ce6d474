//! Conversion of cells to escape sequences.

use std::fmt::Write as _;
use std::iter;

use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::pictures::is_placeholder;
use super::theme::Depth;
use crate::client::screen::text::clusters::is_uncertain;
use crate::client::screen::view::Links;

/// Capabilities of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalFeatures {
    /// Colour depth of the output.
    pub depth: Depth,
    /// Support for links (OSC 8). Other terminals might show them as text.
    pub links: bool,
}

/// Style that is set in the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct PenState {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const RESET: PenState = PenState { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Writer of changed cells, with a copy of the cells on the screen.
///
/// Terminals differ in the width of some clusters, such as emojis, which may cover more cells than planned. The rest of
/// the row behind such a cluster is drawn again from the copy.
#[derive(Debug, Default)]
pub struct CellPainter {
    rows: Vec<Vec<Cell>>,
}

impl CellPainter {
    /// Writes changed cells, which come row by row, like [`write_cells`]. Where a cluster of uncertain width appears or
    /// disappears, writes the rest of the row too. Returns the positions of all cells that it has written.
    pub fn write_changes<'a>(
        &mut self,
        changed: impl Iterator<Item = (u16, u16, &'a Cell)>,
        links: &Links,
        features: TerminalFeatures,
        out: &mut String,
    ) -> Vec<Position> {
        // Positions of the changes, each with whether the width of what is or was there is uncertain.
        let mut written: Vec<(Position, bool)> = Vec::new();
        for (x, y, cell) in changed {
            let previous = std::mem::replace(self.cell(x, y), cell.clone());
            // The cells that a wide cluster covers are not among the changes. They are blank once it is gone.
            for covered in 1..columns(cell) {
                self.cell(x.saturating_add(covered), y).reset();
            }
            let uncertain = is_uncertain(previous.symbol()) || is_uncertain(cell.symbol());
            written.push((Position::new(x, y), uncertain));
        }
        let cells = written.chunk_by(|(one, _), (next, _)| one.y == next.y).flat_map(|written| {
            let y = written.first().map_or(0, |(at, _)| at.y);
            let row = self.rows.get(usize::from(y)).map_or(&[][..], Vec::as_slice);
            let certain = written.iter().map_while(|(at, uncertain)| (!uncertain).then_some(at.x));
            let first_uncertain = written.iter().find(|(_, uncertain)| *uncertain).map(|(at, _)| at.x);
            // The second cell of a wide cluster is not drawn.
            let rest =
                iter::successors(first_uncertain, |&x| x.checked_add(columns(row.get(usize::from(x))?)));
            certain.chain(rest).filter_map(move |x| Some((x, y, row.get(usize::from(x))?)))
        });
        let mut all = Vec::with_capacity(written.len());
        write_cells(cells.inspect(|(x, y, _)| all.push(Position::new(*x, *y))), links, features, out);
        all
    }

    /// Writes all cells of an area again, as they are on the screen.
    pub fn write_area(&self, area: Rect, links: &Links, features: TerminalFeatures, out: &mut String) {
        let cells = area.positions().map(|Position { x, y }| {
            let cell = self.rows.get(usize::from(y)).and_then(|row| row.get(usize::from(x)));
            (x, y, cell.unwrap_or(&Cell::EMPTY))
        });
        write_cells(cells, links, features, out);
    }

    /// Clears the kept cells along with the terminal.
    pub fn clear(&mut self) {
        self.rows.clear();
    }

    fn cell(&mut self, x: u16, y: u16) -> &mut Cell {
        let (x, y) = (usize::from(x), usize::from(y));
        if self.rows.len() <= y {
            self.rows.resize_with(y + 1, Vec::new);
        }
        let row = &mut self.rows[y];
        if row.len() <= x {
            row.resize(x + 1, Cell::EMPTY);
        }
        &mut row[x]
    }
}

/// Returns the count of the columns that a cell takes up.
fn columns(cell: &Cell) -> u16 {
    let symbol = cell.symbol();
    if symbol.len() == 1 { 1 } else { u16::try_from(symbol.width()).unwrap_or(1).max(1) }
}

/// Writes changed cells. The style is reset and no link is open before and after.
pub fn write_cells<'a>(
    changed: impl Iterator<Item = (u16, u16, &'a Cell)>,
    links: &Links,
    features: TerminalFeatures,
    out: &mut String,
) {
    let mut pen = RESET;
    let mut link: Option<&str> = None;
    // Position of the terminal's cursor, where it is certain.
    let mut next: Option<Position> = None;
    for (x, y, cell) in changed {
        let symbol = cell.symbol();
        if next != Some(Position::new(x, y)) {
            let _ = write!(out, "\u{1b}[{};{}H", y + 1, x + 1);
        }
        let leads = if features.links { links.find_url(cell.underline_color) } else { None };
        if leads != link {
            write_link(leads, out);
            link = leads;
        }
        let wanted = PenState { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if wanted != pen {
            // The colour of a placeholder is the number of its picture.
            let depth = if is_placeholder(symbol) { Depth::True } else { features.depth };
            write_style(wanted, depth, out);
            pen = wanted;
        }
        if symbol.len() > 1 && symbol.width() > 1 && is_uncertain(symbol) {
            // A terminal that takes it for one cell wide must not show the rest of what stood there.
            let _ = write!(out, "  \u{1b}[{};{}H", y + 1, x + 1);
        }
        out.push_str(symbol);
        // Terminals differ in the width of emojis, so the cursor is positioned anew after anything but a single ASCII
        // character.
        next = (symbol.len() == 1).then_some(Position::new(x + 1, y));
    }
    if link.is_some() {
        write_link(None, out);
    }
    if pen != RESET {
        out.push_str("\u{1b}[0m");
    }
}

/// Opens a link, or closes the open one ([OSC 8](https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda)).
fn write_link(address: Option<&str>, out: &mut String) {
    // The address was checked when it was found. A second check guards against escape sequences at little cost.
    let address =
        address.filter(|address| address.bytes().all(|byte| byte.is_ascii_graphic())).unwrap_or_default();
    // The id joins the parts of a link that is broken over rows.
    let id = address.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    if address.is_empty() {
        out.push_str("\u{1b}]8;;\u{1b}\\");
    } else {
        let _ = write!(out, "\u{1b}]8;id={id:x};{address}\u{1b}\\");
    }
}

fn write_style(pen: PenState, depth: Depth, out: &mut String) {
    const MODIFIERS: [(Modifier, u8); 6] = [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
        (Modifier::CROSSED_OUT, 9),
    ];
    out.push_str("\u{1b}[0");
    for (modifier, code) in MODIFIERS {
        if pen.modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    if depth != Depth::NoColour {
        write_colour(pen.fg, 30, out);
        write_colour(pen.bg, 40, out);
    }
    out.push('m');
}

fn write_colour(colour: Color, base: u8, out: &mut String) {
    let plain = match colour {
        Color::Reset => return,
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 60,
        Color::LightRed => 61,
        Color::LightGreen => 62,
        Color::LightYellow => 63,
        Color::LightBlue => 64,
        Color::LightMagenta => 65,
        Color::LightCyan => 66,
        Color::White => 67,
        Color::Indexed(index) => {
            let _ = write!(out, ";{};5;{index}", base + 8);
            return;
        }
        Color::Rgb(r, g, b) => {
            let _ = write!(out, ";{};2;{r};{g};{b}", base + 8);
            return;
        }
    };
    let _ = write!(out, ";{}", base + plain);
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::style::Style;

    use super::*;
    use crate::client::screen::text::wrap::Run;
    use crate::client::screen::view::draw_text::draw_runs;

    fn escape_sequences_of(runs: &[Run], able: TerminalFeatures) -> String {
        let area = Rect::new(0, 0, 12, 1);
        let (empty, mut full) = (Buffer::empty(area), Buffer::empty(area));
        let mut links = Links::default();
        draw_runs(&mut full, &mut links, area, 0, 0, runs, Style::new());
        let mut out = String::new();
        write_cells(empty.diff(&full).into_iter(), &links, able, &mut out);
        out
    }

    const ALL: TerminalFeatures = TerminalFeatures { depth: Depth::True, links: true };

    #[test]
    fn emits_osc8_links_around_their_cells() {
        let link = Run { link: Some("http://a.b".into()), ..Run::new("http://a.b", Style::new()) };
        let out = escape_sequences_of(&[Run::new("x", Style::new()), link.clone()], ALL);
        let start = out.find("\u{1b}]8;id=").expect("it is opened");
        assert!(out[start..].contains(";http://a.b\u{1b}\\http://a.b\u{1b}]8;;\u{1b}\\"), "{out:?}");
        let out = escape_sequences_of(&[link], TerminalFeatures { links: false, ..ALL });
        assert!(!out.contains("]8;") && out.contains("http://a.b"), "{out:?}");
        // Such an address is never made. If it were, it would open nothing.
        let forged = Run { link: Some("http://a\u{1b}\\\u{7}".into()), ..Run::new("x", Style::new()) };
        assert!(!escape_sequences_of(&[forged], ALL).contains("http://a"));
    }

    #[test]
    fn colours_follow_the_colour_depth() {
        let red = Run::new("r", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD));
        assert_eq!(
            escape_sequences_of(std::slice::from_ref(&red), ALL),
            "\u{1b}[1;1H\u{1b}[0;1;38;2;1;2;3mr\u{1b}[0m"
        );
        assert_eq!(
            escape_sequences_of(&[red], TerminalFeatures { depth: Depth::NoColour, ..ALL }),
            "\u{1b}[1;1H\u{1b}[0;1mr\u{1b}[0m"
        );
    }

    #[test]
    fn repositions_cursor_after_wide_cell() {
        assert_eq!(escape_sequences_of(&[Run::new("日b", Style::new())], ALL), "\u{1b}[1;1H日\u{1b}[1;3Hb");
    }

    #[test]
    fn cells_that_were_covered_are_blank() {
        let area = Rect::new(0, 0, 8, 1);
        let row = |text: &str| {
            let mut cells = Buffer::empty(area);
            cells.set_string(0, 0, text, Style::new());
            cells
        };
        let frames = ["a://xyz", "line👍 z", "lin👍 🏳", "li👍 🏳", "l👍", "plain"].map(row);
        let mut painter = CellPainter::default();
        let mut before = Buffer::empty(area);
        for frame in frames {
            let mut out = String::new();
            painter.write_changes(before.diff(&frame).into_iter(), &Links::default(), ALL, &mut out);
            let mut x = 0;
            while x < 8 {
                let (kept, wanted) = (painter.cell(x, 0).symbol().to_owned(), frame[(x, 0)].symbol());
                assert_eq!(kept, wanted, "column {x} after {out:?}");
                x += u16::try_from(wanted.width()).expect("a width").max(1);
            }
            before = frame;
        }
    }

    #[test]
    fn redraws_row_after_emoji_of_uncertain_width() {
        let area = Rect::new(0, 0, 8, 2);
        let row = |first: &str| {
            let mut cells = Buffer::empty(area);
            cells.set_string(0, 0, format!("a{first}ef"), Style::new());
            cells.set_string(0, 1, "below", Style::new());
            cells
        };
        let (empty, family, plain) = (Buffer::empty(area), row("👩\u{200d}👧"), row("bc"));
        let mut painter = CellPainter::default();
        let mut paint = |before: &Buffer, after: &Buffer| {
            let mut out = String::new();
            painter.write_changes(before.diff(after).into_iter(), &Links::default(), ALL, &mut out);
            out
        };
        let drawn = paint(&empty, &family);
        assert!(drawn.contains("a  \u{1b}[1;2H👩\u{200d}👧\u{1b}[1;4Hef"), "{drawn:?}");
        // The cells behind have not changed, but the emoji may have covered them.
        assert_eq!(paint(&family, &plain), "\u{1b}[1;2Hbcef");
        assert_eq!(paint(&plain, &family), "\u{1b}[1;2H  \u{1b}[1;2H👩\u{200d}👧\u{1b}[1;4Hef");
        assert_eq!(paint(&family, &family), "");
    }
}
