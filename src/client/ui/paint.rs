//! Conversion of cells to escape sequences.

use std::fmt::Write as _;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use super::theme::Depth;
use super::view::Links;

/// Capabilities of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Able {
    /// Colour depth of the output.
    pub depth: Depth,
    /// Support for links (OSC 8). Other terminals might show them as text.
    pub links: bool,
}

/// Style that is set in the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Pen = Pen { fg: Color::Reset, bg: Color::Reset, modifier: Modifier::empty() };

/// Writes changed cells. The style is reset and no link is open before and after.
pub fn cells<'a>(
    changed: impl Iterator<Item = (u16, u16, &'a Cell)>,
    links: &Links,
    able: Able,
    out: &mut String,
) {
    let mut pen = PLAIN;
    let mut link: Option<&str> = None;
    // Position of the terminal's cursor, where it is certain.
    let mut next: Option<(u16, u16)> = None;
    for (x, y, cell) in changed {
        let symbol = cell.symbol();
        if next != Some((x, y)) {
            let _ = write!(out, "\u{1b}[{};{}H", y + 1, x + 1);
        }
        let leads = if able.links { links.of(cell.underline_color) } else { None };
        if leads != link {
            open(leads, out);
            link = leads;
        }
        let wanted = Pen { fg: cell.fg, bg: cell.bg, modifier: cell.modifier };
        if wanted != pen {
            set(wanted, able.depth, out);
            pen = wanted;
        }
        out.push_str(symbol);
        // Terminals differ in the width of emojis, so the cursor is positioned anew after anything but a single ASCII
        // character.
        next = (symbol.len() == 1).then_some((x + 1, y));
    }
    if link.is_some() {
        open(None, out);
    }
    if pen != PLAIN {
        out.push_str("\u{1b}[0m");
    }
}

/// Opens a link, or closes the open one ([OSC 8](https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda)).
fn open(address: Option<&str>, out: &mut String) {
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

fn set(pen: Pen, depth: Depth, out: &mut String) {
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
    if depth != Depth::None {
        colour(pen.fg, 30, out);
        colour(pen.bg, 40, out);
    }
    out.push('m');
}

fn colour(colour: Color, base: u8, out: &mut String) {
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
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;
    use crate::client::ui::view::put;
    use crate::client::ui::wrap::Run;

    fn painted(runs: &[Run], able: Able) -> String {
        let area = Rect::new(0, 0, 12, 1);
        let (empty, mut full) = (Buffer::empty(area), Buffer::empty(area));
        let mut links = Links::default();
        put(&mut full, &mut links, area, 0, 0, runs, Style::new());
        let mut out = String::new();
        cells(empty.diff(&full).into_iter(), &links, able, &mut out);
        out
    }

    const ALL: Able = Able { depth: Depth::True, links: true };

    #[test]
    fn links_are_opened_and_closed_around_their_cells() {
        let link = Run { text: "http://a.b".into(), style: Style::new(), link: Some("http://a.b".into()) };
        let out = painted(&[Run::new("x", Style::new()), link.clone()], ALL);
        let start = out.find("\u{1b}]8;id=").expect("it is opened");
        assert!(out[start..].contains(";http://a.b\u{1b}\\http://a.b\u{1b}]8;;\u{1b}\\"), "{out:?}");
        let out = painted(&[link], Able { links: false, ..ALL });
        assert!(!out.contains("]8;") && out.contains("http://a.b"), "{out:?}");
        // Such an address is never made. If it were, it would open nothing.
        let forged =
            Run { text: "x".into(), style: Style::new(), link: Some("http://a\u{1b}\\\u{7}".into()) };
        assert!(!painted(&[forged], ALL).contains("http://a"));
    }

    #[test]
    fn colours_are_those_that_there_are() {
        let red = Run::new("r", Style::new().fg(Color::Rgb(1, 2, 3)).add_modifier(Modifier::BOLD));
        assert_eq!(painted(std::slice::from_ref(&red), ALL), "\u{1b}[1;1H\u{1b}[0;1;38;2;1;2;3mr\u{1b}[0m");
        assert_eq!(painted(&[red], Able { depth: Depth::None, ..ALL }), "\u{1b}[1;1H\u{1b}[0;1mr\u{1b}[0m");
    }

    #[test]
    fn behind_a_wide_cell_the_place_is_said_anew() {
        assert_eq!(painted(&[Run::new("日b", Style::new())], ALL), "\u{1b}[1;1H日\u{1b}[1;3Hb");
    }
}
