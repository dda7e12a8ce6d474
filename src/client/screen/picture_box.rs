//! Size of a picture on the screen.

use std::sync::Arc;

use ratatui::layout::Size;

/// Limit of the columns and rows of a box, in cells: the numbers for which there are combining marks.
pub const MAX_BOX: u16 = 297;

/// A picture that a server has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PictureKey {
    /// Index of the server.
    pub server: usize,
    /// Path of the file there.
    pub path: Arc<str>,
}

/// Width and height in pixels: of a picture, or of a cell of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Width, at least 1.
    pub width: u32,
    /// Height, at least 1.
    pub height: u32,
}

/// A picture in a box of cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureBox {
    /// Key by which its content is found.
    pub key: PictureKey,
    /// Size of the whole box, in cells.
    pub size: Size,
}

impl Dimensions {
    /// Returns these dimensions, scaled down to those of a room where they are larger. The proportions stay.
    #[must_use]
    pub fn fit_within(self, room: Self) -> Self {
        let [width, height, room_width, room_height] =
            [self.width, self.height, room.width, room.height].map(|pixels| u64::from(pixels.max(1)));
        let (width, height) = if width <= room_width && height <= room_height {
            (width, height)
        } else if width * room_height >= height * room_width {
            (room_width, height * room_width / width)
        } else {
            (width * room_height / height, room_height)
        };
        let pixels = |count: u64| u32::try_from(count.max(1)).unwrap_or(u32::MAX);
        Self { width: pixels(width), height: pixels(height) }
    }

    /// Returns the dimensions of so many cells of this size.
    #[must_use]
    pub fn of_cells(self, cells: Size) -> Self {
        let pixels = |one: u32, count: u16| one.max(1).saturating_mul(u32::from(count.max(1)));
        Self { width: pixels(self.width, cells.width), height: pixels(self.height, cells.height) }
    }
}

impl PictureBox {
    /// Makes the smallest box for a picture of these dimensions in a room, on a terminal with cells of this size.
    pub fn new(key: PictureKey, picture: Dimensions, cell: Dimensions, room: Size) -> Self {
        let room = Size::new(room.width.clamp(1, MAX_BOX), room.height.clamp(1, MAX_BOX));
        let shown = picture.fit_within(cell.of_cells(room));
        let cells = |pixels: u32, one: u32, most: u16| {
            u16::try_from(pixels.div_ceil(one.max(1))).unwrap_or(u16::MAX).clamp(1, most)
        };
        let width = cells(shown.width, cell.width, room.width);
        let height = cells(shown.height, cell.height, room.height);
        Self { key, size: Size::new(width, height) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(path: &str) -> PictureKey {
        PictureKey { server: 0, path: path.into() }
    }

    fn dimensions(width: u32, height: u32) -> Dimensions {
        Dimensions { width, height }
    }

    fn boxed(picture: (u32, u32), room: (u16, u16)) -> Size {
        let (picture, cell) = (dimensions(picture.0, picture.1), dimensions(10, 20));
        PictureBox::new(key("/f/a"), picture, cell, room.into()).size
    }

    #[test]
    fn a_box_has_the_proportions_of_its_picture() {
        assert_eq!(boxed((100, 100), (80, 24)), Size::new(10, 5));
        assert_eq!(boxed((101, 101), (80, 24)), Size::new(11, 6));
        assert_eq!(boxed((4000, 3000), (80, 12)), Size::new(32, 12));
        assert_eq!(boxed((4000, 1000), (80, 12)), Size::new(80, 10));
        assert_eq!(boxed((1, 1), (80, 24)), Size::new(1, 1));
        assert_eq!(boxed((100_000, 1), (80, 24)), Size::new(80, 1));
        assert_eq!(boxed((1, 100_000), (80, 24)), Size::new(1, 24));
        assert_eq!(boxed((100, 100), (0, 0)), Size::new(1, 1));
    }

    proptest! {
        #[test]
        fn a_box_fits_and_nothing_is_enlarged(
            picture in (1u32..200_000, 1u32..200_000),
            cell in (1u32..100, 1u32..200),
            room in (0u16..400, 0u16..400),
        ) {
            let (picture, cell) = (dimensions(picture.0, picture.1), dimensions(cell.0, cell.1));
            let size = PictureBox::new(key("/f/a"), picture, cell, room.into()).size;
            prop_assert!((1..=room.0.clamp(1, MAX_BOX)).contains(&size.width));
            prop_assert!((1..=room.1.clamp(1, MAX_BOX)).contains(&size.height));
            let ground = cell.of_cells(size);
            let shown = picture.fit_within(ground);
            prop_assert!(shown.width <= picture.width && shown.height <= picture.height);
            prop_assert!(shown.width <= ground.width && shown.height <= ground.height);
            // No smaller box would do: less than a cell is left in each direction, but for what rounding takes.
            prop_assert!(shown.width + cell.width >= ground.width || shown.height + cell.height >= ground.height);
        }
    }
}
