//! Pictures on the screen: boxes of cells that the terminal fills.
//!
//! A component draws a box as placeholders, one in each cell, like text. What is drawn over it later, such as a window,
//! takes its cells away, and so a picture never covers anything else, whichever way the terminal shows it. Placeholders
//! are those of the [kitty graphics protocol](https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders):
//! a character of private use, with the row and the column of the cell in its box as combining marks.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier};

use super::draw_text::mark_of;
pub use crate::client::screen::picture_box::{Dimensions, MAX_BOX, PictureBox, PictureKey};

/// Character of a placeholder.
pub const PLACEHOLDER: char = '\u{10eeee}';

/// A picture that is on the screen, or is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedPicture {
    /// Key by which its content is found.
    pub key: PictureKey,
    /// Limit of its file, in bytes.
    pub max_bytes: u64,
}

/// A box whose cells are on the screen, or some of its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VisibleBox {
    /// Mark of its cells.
    pub mark: u32,
    /// The whole box.
    pub picture: PictureBox,
    /// Rows of the box of which every cell is on the screen. They follow each other.
    pub rows: Range<u16>,
    /// Cells of these rows.
    pub area: Rect,
}

/// Pictures of one frame.
#[derive(Debug, Default)]
pub struct Pictures {
    /// Boxes by the mark of their cells, which is kept as the colour of the underline, as that of a link is.
    boxes: HashMap<u32, PictureBox>,
    wanted: Vec<WantedPicture>,
}

impl Pictures {
    /// Notes that a picture is to be loaded.
    pub fn want(&mut self, key: &PictureKey, max_bytes: u64) {
        if !self.wanted.iter().any(|wanted| wanted.key == *key) {
            self.wanted.push(WantedPicture { key: key.clone(), max_bytes });
        }
    }

    /// Returns the pictures that are to be loaded, in the order in which they were drawn.
    pub fn wanted(&self) -> &[WantedPicture] {
        &self.wanted
    }

    /// Draws one row of a box, cut off at the right end of the area. The background of the cells stays.
    pub fn draw_row(&mut self, cells: &mut Buffer, area: Rect, at: Position, row: u16, picture: &PictureBox) {
        let mark = mark_of_box(picture);
        let known = self.boxes.entry(mark).or_insert_with(|| picture.clone());
        let Some(row_mark) = DIACRITICS.get(usize::from(row)).filter(|_| known == picture) else { return };
        if !(area.y..area.bottom()).contains(&at.y) {
            return;
        }
        for (column, column_mark) in (0..picture.size.width).zip(DIACRITICS) {
            let x = at.x.saturating_add(column);
            if let Some(cell) = cells.cell_mut((x, at.y)).filter(|_| (area.x..area.right()).contains(&x)) {
                cell.set_symbol(&String::from_iter([PLACEHOLDER, *row_mark, column_mark]));
                (cell.fg, cell.underline_color) = (Color::Reset, colour_of(mark));
                cell.modifier = Modifier::empty();
            }
        }
    }

    /// Returns the boxes that are on the screen, as far as whole rows of them are.
    pub fn visible(&self, cells: &Buffer) -> Vec<VisibleBox> {
        if self.boxes.is_empty() {
            return Vec::new();
        }
        // Cells in each row of a box, by its mark and the place of its first cell, which may be outside of the screen.
        let mut found: BTreeMap<(u32, i32, i32), BTreeMap<u16, u16>> = BTreeMap::new();
        for (index, cell) in cells.content.iter().enumerate() {
            let Some((mark, row, column)) =
                placeholder(cell).filter(|(mark, ..)| self.boxes.contains_key(mark))
            else {
                continue;
            };
            let (x, y) = cells.pos_of(index);
            let corner = (mark, i32::from(x) - i32::from(column), i32::from(y) - i32::from(row));
            *found.entry(corner).or_default().entry(row).or_default() += 1;
        }
        found.into_iter().filter_map(|((mark, x, y), rows)| self.visible_rows(mark, (x, y), &rows)).collect()
    }

    /// Returns the first whole rows that follow each other.
    fn visible_rows(&self, mark: u32, (x, y): (i32, i32), counts: &BTreeMap<u16, u16>) -> Option<VisibleBox> {
        let picture = self.boxes.get(&mark)?;
        let mut whole =
            counts.iter().filter(|(_, count)| **count == picture.size.width).map(|(row, _)| *row).peekable();
        let first = whole.peek().copied()?;
        let end = whole.zip(first..).take_while(|(row, expected)| row == expected).last()?.0 + 1;
        let origin = (u16::try_from(x).ok()?, u16::try_from(y + i32::from(first)).ok()?);
        let area = Rect::new(origin.0, origin.1, picture.size.width, end - first);
        Some(VisibleBox { mark, picture: picture.clone(), rows: first..end, area })
    }

    /// Marks the cells of the boxes for which `shown` returns true with the number of their box as a colour, by which the
    /// terminal fills them, and blanks the cells of the others.
    pub fn resolve(&self, cells: &mut Buffer, shown: impl Fn(u32) -> bool) {
        if self.boxes.is_empty() {
            return;
        }
        for cell in &mut cells.content {
            let Some((mark, ..)) = placeholder(cell) else { continue };
            let colour = cell.underline_color;
            cell.underline_color = Color::Reset;
            if self.boxes.contains_key(&mark) && shown(mark) {
                cell.fg = colour;
            } else {
                cell.set_symbol(" ");
            }
        }
    }
}

/// Returns the mark of the cells of a box.
fn mark_of_box(picture: &PictureBox) -> u32 {
    let size = [picture.size.width, picture.size.height];
    let server = (picture.key.server as u64).to_be_bytes();
    let numbers = server.into_iter().chain(size.map(u16::to_be_bytes).concat());
    // 0 is no number of a picture.
    mark_of(picture.key.path.bytes().chain(numbers)).max(1)
}

/// Returns whether a cell is one of a picture.
pub fn is_placeholder(symbol: &str) -> bool {
    symbol.starts_with(PLACEHOLDER)
}

fn colour_of(mark: u32) -> Color {
    let [_, r, g, b] = mark.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// Returns the mark of the box that a cell belongs to, and its row and column there.
fn placeholder(cell: &Cell) -> Option<(u32, u16, u16)> {
    let numbers = cell.symbol().strip_prefix(PLACEHOLDER)?;
    let Color::Rgb(r, g, b) = cell.underline_color else { return None };
    let mut numbers = numbers.chars().map(|c| u16::try_from(DIACRITICS.binary_search(&c).ok()?).ok());
    Some((u32::from_be_bytes([0, r, g, b]), numbers.next()??, numbers.next()??))
}

/// Combining marks for the numbers from 0, in the order of the protocol, which is that of their code points.
#[rustfmt::skip]
static DIACRITICS: [char; MAX_BOX as usize] = [
    '\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}', '\u{346}',
    '\u{34a}', '\u{34b}', '\u{34c}', '\u{350}', '\u{351}', '\u{352}', '\u{357}', '\u{35b}', '\u{363}',
    '\u{364}', '\u{365}', '\u{366}', '\u{367}', '\u{368}', '\u{369}', '\u{36a}', '\u{36b}', '\u{36c}',
    '\u{36d}', '\u{36e}', '\u{36f}', '\u{483}', '\u{484}', '\u{485}', '\u{486}', '\u{487}', '\u{592}',
    '\u{593}', '\u{594}', '\u{595}', '\u{597}', '\u{598}', '\u{599}', '\u{59c}', '\u{59d}', '\u{59e}',
    '\u{59f}', '\u{5a0}', '\u{5a1}', '\u{5a8}', '\u{5a9}', '\u{5ab}', '\u{5ac}', '\u{5af}', '\u{5c4}',
    '\u{610}', '\u{611}', '\u{612}', '\u{613}', '\u{614}', '\u{615}', '\u{616}', '\u{617}', '\u{657}',
    '\u{658}', '\u{659}', '\u{65a}', '\u{65b}', '\u{65d}', '\u{65e}', '\u{6d6}', '\u{6d7}', '\u{6d8}',
    '\u{6d9}', '\u{6da}', '\u{6db}', '\u{6dc}', '\u{6df}', '\u{6e0}', '\u{6e1}', '\u{6e2}', '\u{6e4}',
    '\u{6e7}', '\u{6e8}', '\u{6eb}', '\u{6ec}', '\u{730}', '\u{732}', '\u{733}', '\u{735}', '\u{736}',
    '\u{73a}', '\u{73d}', '\u{73f}', '\u{740}', '\u{741}', '\u{743}', '\u{745}', '\u{747}', '\u{749}',
    '\u{74a}', '\u{7eb}', '\u{7ec}', '\u{7ed}', '\u{7ee}', '\u{7ef}', '\u{7f0}', '\u{7f1}', '\u{7f3}',
    '\u{816}', '\u{817}', '\u{818}', '\u{819}', '\u{81b}', '\u{81c}', '\u{81d}', '\u{81e}', '\u{81f}',
    '\u{820}', '\u{821}', '\u{822}', '\u{823}', '\u{825}', '\u{826}', '\u{827}', '\u{829}', '\u{82a}',
    '\u{82b}', '\u{82c}', '\u{82d}', '\u{951}', '\u{953}', '\u{954}', '\u{f82}', '\u{f83}', '\u{f86}',
    '\u{f87}', '\u{135d}', '\u{135e}', '\u{135f}', '\u{17dd}', '\u{193a}', '\u{1a17}', '\u{1a75}', '\u{1a76}',
    '\u{1a77}', '\u{1a78}', '\u{1a79}', '\u{1a7a}', '\u{1a7b}', '\u{1a7c}', '\u{1b6b}', '\u{1b6d}',
    '\u{1b6e}', '\u{1b6f}', '\u{1b70}', '\u{1b71}', '\u{1b72}', '\u{1b73}', '\u{1cd0}', '\u{1cd1}',
    '\u{1cd2}', '\u{1cda}', '\u{1cdb}', '\u{1ce0}', '\u{1dc0}', '\u{1dc1}', '\u{1dc3}', '\u{1dc4}',
    '\u{1dc5}', '\u{1dc6}', '\u{1dc7}', '\u{1dc8}', '\u{1dc9}', '\u{1dcb}', '\u{1dcc}', '\u{1dd1}',
    '\u{1dd2}', '\u{1dd3}', '\u{1dd4}', '\u{1dd5}', '\u{1dd6}', '\u{1dd7}', '\u{1dd8}', '\u{1dd9}',
    '\u{1dda}', '\u{1ddb}', '\u{1ddc}', '\u{1ddd}', '\u{1dde}', '\u{1ddf}', '\u{1de0}', '\u{1de1}',
    '\u{1de2}', '\u{1de3}', '\u{1de4}', '\u{1de5}', '\u{1de6}', '\u{1dfe}', '\u{20d0}', '\u{20d1}',
    '\u{20d4}', '\u{20d5}', '\u{20d6}', '\u{20d7}', '\u{20db}', '\u{20dc}', '\u{20e1}', '\u{20e7}',
    '\u{20e9}', '\u{20f0}', '\u{2cef}', '\u{2cf0}', '\u{2cf1}', '\u{2de0}', '\u{2de1}', '\u{2de2}',
    '\u{2de3}', '\u{2de4}', '\u{2de5}', '\u{2de6}', '\u{2de7}', '\u{2de8}', '\u{2de9}', '\u{2dea}',
    '\u{2deb}', '\u{2dec}', '\u{2ded}', '\u{2dee}', '\u{2def}', '\u{2df0}', '\u{2df1}', '\u{2df2}',
    '\u{2df3}', '\u{2df4}', '\u{2df5}', '\u{2df6}', '\u{2df7}', '\u{2df8}', '\u{2df9}', '\u{2dfa}',
    '\u{2dfb}', '\u{2dfc}', '\u{2dfd}', '\u{2dfe}', '\u{2dff}', '\u{a66f}', '\u{a67c}', '\u{a67d}',
    '\u{a6f0}', '\u{a6f1}', '\u{a8e0}', '\u{a8e1}', '\u{a8e2}', '\u{a8e3}', '\u{a8e4}', '\u{a8e5}',
    '\u{a8e6}', '\u{a8e7}', '\u{a8e8}', '\u{a8e9}', '\u{a8ea}', '\u{a8eb}', '\u{a8ec}', '\u{a8ed}',
    '\u{a8ee}', '\u{a8ef}', '\u{a8f0}', '\u{a8f1}', '\u{aab0}', '\u{aab2}', '\u{aab3}', '\u{aab7}',
    '\u{aab8}', '\u{aabe}', '\u{aabf}', '\u{aac1}', '\u{fe20}', '\u{fe21}', '\u{fe22}', '\u{fe23}',
    '\u{fe24}', '\u{fe25}', '\u{fe26}', '\u{10a0f}', '\u{10a38}', '\u{1d185}', '\u{1d186}', '\u{1d187}',
    '\u{1d188}', '\u{1d189}', '\u{1d1aa}', '\u{1d1ab}', '\u{1d1ac}', '\u{1d1ad}', '\u{1d242}', '\u{1d243}',
    '\u{1d244}',
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Size;

    use super::*;
    use crate::client::screen::text::clusters::is_uncertain;
    use unicode_width::UnicodeWidthStr as _;

    fn key(path: &str) -> PictureKey {
        PictureKey { server: 0, path: path.into() }
    }

    #[test]
    fn placeholders_are_cells_of_one_column() {
        assert!(DIACRITICS.is_sorted(), "they are searched");
        for mark in DIACRITICS {
            let symbol = String::from_iter([PLACEHOLDER, DIACRITICS[0], mark]);
            assert!(symbol.width() == 1 && !is_uncertain(&symbol), "{mark:?}");
        }
    }

    /// Draws a box of 4×3 cells from a row, which may be above the screen.
    fn draw(cells: &mut Buffer, pictures: &mut Pictures, picture: &PictureBox, (x, y): (u16, i32)) {
        let area = cells.area;
        for row in 0..picture.size.height {
            if let Ok(y) = u16::try_from(y + i32::from(row)) {
                pictures.draw_row(cells, area, Position::new(x, y), row, picture);
            }
        }
    }

    fn small_box() -> PictureBox {
        PictureBox { key: key("/f/a"), size: Size::new(4, 3) }
    }

    #[test]
    fn only_whole_rows_are_filled() {
        let picture = small_box();
        for (at, covered, expected) in [
            ((2, 1), None, Some((0..3, Rect::new(2, 1, 4, 3)))),
            // Scrolled out at the top and at the bottom.
            ((2, -1), None, Some((1..3, Rect::new(2, 0, 4, 2)))),
            ((2, 6), None, Some((0..2, Rect::new(2, 6, 4, 2)))),
            ((2, -3), None, None),
            // Cut off on the right.
            ((7, 1), None, None),
            // Something was drawn over it.
            ((2, 1), Some((3, 1)), Some((1..3, Rect::new(2, 2, 4, 2)))),
            ((2, 1), Some((3, 2)), Some((0..1, Rect::new(2, 1, 4, 1)))),
            ((2, 1), Some((1, 1)), Some((0..3, Rect::new(2, 1, 4, 3)))),
        ] {
            let (mut cells, mut pictures) = (Buffer::empty(Rect::new(0, 0, 10, 8)), Pictures::default());
            draw(&mut cells, &mut pictures, &picture, at);
            if let Some(covered) = covered {
                cells[covered].set_symbol("x");
            }
            let found = pictures.visible(&cells).pop();
            assert_eq!(found.map(|found| (found.rows, found.area)), expected, "{at:?} {covered:?}");
        }
    }

    #[test]
    fn one_picture_may_be_in_two_places() {
        let (mut cells, mut pictures) = (Buffer::empty(Rect::new(0, 0, 10, 8)), Pictures::default());
        draw(&mut cells, &mut pictures, &small_box(), (0, 0));
        draw(&mut cells, &mut pictures, &small_box(), (5, 4));
        let mut areas: Vec<Rect> = pictures.visible(&cells).iter().map(|found| found.area).collect();
        areas.sort_by_key(|area| area.y);
        assert_eq!(areas, [Rect::new(0, 0, 4, 3), Rect::new(5, 4, 4, 3)]);
    }

    #[test]
    fn placeholders_become_the_number_or_blanks() {
        let (mut cells, mut pictures) = (Buffer::empty(Rect::new(0, 0, 10, 8)), Pictures::default());
        draw(&mut cells, &mut pictures, &small_box(), (0, 0));
        // A text of somebody's that has a placeholder is no picture.
        cells[(9, 7)].set_symbol("\u{10eeee}\u{305}\u{305}");
        let mark = pictures.visible(&cells)[0].mark;
        let mut shown = cells.clone();
        pictures.resolve(&mut shown, |it| it == mark);
        assert_eq!((shown[(3, 2)].fg, shown[(3, 2)].underline_color), (colour_of(mark), Color::Reset));
        assert_eq!(shown[(3, 2)].symbol(), "\u{10eeee}\u{30e}\u{310}");
        pictures.resolve(&mut cells, |_| false);
        assert!(cells.content.iter().all(|cell| !is_placeholder(cell.symbol()) || cell == &cells[(9, 7)]));
    }

    proptest! {
        /// Whatever is drawn over a box, no area has a cell of anything else.
        #[test]
        fn an_area_has_nothing_but_its_box(
            at in (0u16..10, -3i32..8),
            covered in proptest::collection::vec((0u16..10, 0u16..8), 0..12),
        ) {
            let (mut cells, mut pictures) = (Buffer::empty(Rect::new(0, 0, 10, 8)), Pictures::default());
            draw(&mut cells, &mut pictures, &small_box(), at);
            for at in covered {
                cells[at].set_symbol("x");
            }
            for found in pictures.visible(&cells) {
                prop_assert!(found.area.positions().all(|at| is_placeholder(cells[at].symbol())));
                prop_assert_eq!(usize::from(found.area.height), found.rows.len());
            }
        }
    }
}
