//! Answers of a terminal to queries.

use crate::client::screen::view::pictures::Dimensions;

/// Number by which the answer to the query of the kitty graphics protocol is known.
pub const KITTY_QUERY_ID: &str = "31";

/// Limit of the name of a terminal, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Limit of the attributes that are taken from one answer.
const MAX_ATTRIBUTES: usize = 64;

/// Answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// Primary device attributes (DA1), which every terminal answers.
    Attributes(Vec<u32>),
    /// Name and version of the terminal (XTVERSION), in printable ASCII.
    Name(String),
    /// Size of a cell, in pixels.
    Cell(Dimensions),
    /// Size of the text area, in pixels.
    TextArea(Dimensions),
    /// Colours that a sixel picture may have.
    SixelColours(u32),
    /// Largest size of a sixel picture, in pixels.
    SixelLimit(Dimensions),
    /// Answer of the kitty graphics protocol: whether pictures can be sent as the query did it.
    KittyGraphics(bool),
}

/// Parses the answer to DA1 by its parameters: `?62;4;22`, where `4` stands for sixel.
pub fn parse_attributes(params: &str) -> Option<Report> {
    let numbers = params.strip_prefix('?')?.split(';').take(MAX_ATTRIBUTES);
    Some(Report::Attributes(numbers.filter_map(|number| number.parse().ok()).collect()))
}

/// Parses the parameters of `CSI … t`: `6;HEIGHT;WIDTH` for a cell, `4;HEIGHT;WIDTH` for the text area.
pub fn parse_size(params: &str) -> Option<Report> {
    let mut numbers = params.split(';').map(|number| number.parse::<u32>().ok().filter(|number| *number > 0));
    let (kind, height, width) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let size = Dimensions { width, height };
    match kind {
        6 => Some(Report::Cell(size)),
        4 => Some(Report::TextArea(size)),
        _ => None,
    }
}

/// Parses the parameters of `CSI … S` (XTSMGRAPHICS): `?1;0;COLOURS` and `?2;0;WIDTH;HEIGHT`, where 0 stands for success.
pub fn parse_graphics(params: &str) -> Option<Report> {
    let mut numbers = params.strip_prefix('?')?.split(';').map(|number| number.parse::<u32>().ok());
    let (kind, status, first) = (numbers.next()??, numbers.next()??, numbers.next()??);
    match (kind, status, numbers.next().flatten()) {
        (1, 0, _) if first > 1 => Some(Report::SixelColours(first)),
        (2, 0, Some(height @ 1..)) if first > 0 => {
            Some(Report::SixelLimit(Dimensions { width: first, height }))
        }
        _ => None,
    }
}

/// Parses a string with its introducer and without its end: `ESC P > | NAME`, `ESC _ G i=31 ; OK`.
pub fn parse_string(bytes: &[u8]) -> Option<Report> {
    if let Some(name) = bytes.strip_prefix(b"\x1bP>|") {
        let printable = name.iter().filter(|byte| (0x20..0x7f).contains(*byte)).take(MAX_NAME_BYTES);
        return Some(Report::Name(printable.map(|byte| char::from(*byte)).collect()));
    }
    let answer = std::str::from_utf8(bytes.strip_prefix(b"\x1b_G")?).ok()?;
    let (keys, message) = answer.split_once(';')?;
    let is_ours = keys.split(',').any(|key| key.strip_prefix("i=") == Some(KITTY_QUERY_ID));
    is_ours.then(|| Report::KittyGraphics(message == "OK"))
}
