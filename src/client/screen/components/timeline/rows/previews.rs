//! Pictures below the text of a message, in rows that are there before the picture is.

use std::rc::Rc;

use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;

use crate::client::screen::components::Surface;
use crate::client::screen::components::timeline::columns::Columns;
use crate::client::screen::text::markup::{FileLink, SegmentKind};
use crate::client::screen::text::wrap::{PictureRow, Row, Run, width};
use crate::client::screen::view::pictures::Dimensions;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::entry::Message;
use crate::client::screen::workspace::sending::pictures::picture_key;

/// Limit of the rows of one picture, and on a low screen half of its rows.
const MAX_ROWS: u16 = 12;

/// Limit of the file of a picture that is loaded without being asked for, in bytes.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Limit of the pixels of such a picture.
const MAX_PIXELS: u64 = 32 * 1024 * 1024;

/// Limit of the pictures of one message that are shown with it. The viewer shows all.
const MAX_PICTURES: usize = 4;

/// Returns the rows of the pictures of a message: of each a box that only the server's words about it determine, and the
/// screen.
pub fn picture_rows(workspace: &Workspace, message: &Message, columns: Columns) -> Vec<Row> {
    // Both views are for text.
    if columns.messages_only || workspace.display.raw_text {
        return Vec::new();
    }
    let files = message.markup.iter().filter_map(|segment| match &segment.kind {
        SegmentKind::File(file) => Some(file),
        _ => None,
    });
    files.filter_map(|file| rows_of(workspace, file, columns)).take(MAX_PICTURES).flatten().collect()
}

fn rows_of(workspace: &Workspace, file: &FileLink, columns: Columns) -> Option<Vec<Row>> {
    let (server, _) = workspace.current.as_ref()?;
    let (width, height) = file.shared.dimensions.filter(|_| file.shared.is_picture())?;
    if file.shared.size > MAX_FILE_BYTES || u64::from(width) * u64::from(height) > MAX_PIXELS {
        return None;
    }
    let room = Size::new(
        u16::try_from(columns.text_width()).unwrap_or(u16::MAX),
        (workspace.display.size.height / 2).clamp(1, MAX_ROWS),
    );
    let key = picture_key(*server, &file.address);
    let picture = Rc::new(workspace.preview_box(&key, Dimensions { width, height }, room)?);
    let blanks = " ".repeat(usize::from(picture.size.width));
    let row = |row| Run {
        picture: Some(PictureRow { picture: picture.clone(), row }),
        ..Run::new(blanks.as_str(), Style::new())
    };
    Some((0..picture.size.height).map(|number| vec![row(number)]).collect())
}

/// Draws the part of a picture that a row has, and has the picture loaded.
pub fn draw_picture(workspace: &Workspace, row: &Row, area: Rect, y: u16, surface: &mut Surface<'_>) {
    let mut x = area.x;
    for run in row {
        if let Some(PictureRow { picture, row }) = &run.picture {
            if !workspace.pictures.is_unreachable(&picture.key) {
                surface.pictures.want(&picture.key, MAX_FILE_BYTES);
            }
            surface.pictures.draw_row(surface.cells, area, Position::new(x, y), *row, picture);
        }
        x = x.saturating_add(u16::try_from(width(&run.text)).unwrap_or(u16::MAX));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::client::screen::components::timeline::Timeline;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::view::pictures::PictureKey;
    use crate::client::screen::workspace::sending::pictures::{PictureScreen, PictureState};

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

    /// A terminal that shows pictures, with a message that shares what the tag describes, and another one.
    fn shared(tag: &str) -> (Fixture, Timeline, PictureKey) {
        let mut fixture = Fixture::new();
        let cell = Dimensions { width: 10, height: 20 };
        fixture.workspace.pictures.screen = Some(PictureScreen { cell, limit: None });
        let url = format!("https://chat.example:6697/f/{ID}/a.png");
        fixture.lines(&[
            &format!("@msgid=a1;parlour/files={ID}\\:{tag} :bob!u@parlour PRIVMSG #lobby :{url}"),
            "@msgid=a2 :bob!u@parlour PRIVMSG #lobby :behind",
        ]);
        (fixture, Timeline::default(), PictureKey { server: 0, path: format!("/f/{ID}/a.png").into() })
    }

    /// Returns the columns of the picture in each row, and the rows between the description and the message behind.
    fn picture(
        fixture: &mut Fixture,
        timeline: &Timeline,
        (width, height): (u16, u16),
    ) -> (Vec<usize>, usize) {
        let rows = fixture.render(timeline, width, height);
        let count = |row: &String| row.matches('\u{10eeee}').count();
        let at =
            |text: &str| rows.iter().position(|row| row.contains(text)).unwrap_or_else(|| panic!("{rows:?}"));
        let between = at("behind") - at("image/") - 1;
        (rows.iter().map(count).filter(|columns| *columns > 0).collect(), between)
    }

    #[test]
    fn rows_are_there_before_the_picture_and_stay() {
        let (mut fixture, timeline, key) = shared("image/png\\:2048\\:100x60");
        let expected = (vec![10; 3], 3);
        assert_eq!(picture(&mut fixture, &timeline, (80, 24)), expected);
        // Turned upright it is another size, for which the box stays as it is.
        let loaded = PictureState::Loaded(Dimensions { width: 60, height: 100 });
        let lost = PictureState::Unreachable("the connection broke".to_owned());
        for state in [PictureState::Loading(5, Some(9)), loaded, lost] {
            fixture.workspace.pictures.set(key.clone(), state);
            assert_eq!(picture(&mut fixture, &timeline, (80, 24)), expected);
        }
        fixture.workspace.pictures.set(key, PictureState::Failed("it is damaged".to_owned()));
        assert_eq!(picture(&mut fixture, &timeline, (80, 24)), (vec![], 0), "the name alone");
    }

    #[test]
    fn some_files_are_only_named() {
        for tag in [
            "image/png\\:2048",
            "image/avif\\:2048\\:100x60",
            "image/svg+xml\\:2048\\:100x60",
            "image/png\\:5000000\\:100x60",
            "image/png\\:2048\\:60000x60000",
        ] {
            let (mut fixture, timeline, _) = shared(tag);
            assert_eq!(picture(&mut fixture, &timeline, (80, 24)), (vec![], 0), "{tag}");
        }
        let (mut fixture, timeline, _) = shared("image/png\\:2048\\:100x60");
        fixture.workspace.change_setting("images", "off").expect("a setting");
        assert_eq!(picture(&mut fixture, &timeline, (80, 24)), (vec![], 0), "off");
        fixture.workspace.change_setting("images", "auto").expect("a setting");
        fixture.workspace.pictures.screen = None;
        assert_eq!(picture(&mut fixture, &timeline, (80, 24)), (vec![], 0), "a terminal without pictures");
        let (mut fixture, mut timeline, _) = shared("image/png\\:2048\\:100x60");
        fixture.workspace.display.raw_text = true;
        timeline.messages_only = true;
        assert!(!fixture.render(&timeline, 80, 24).concat().contains('\u{10eeee}'), "for copying");
        timeline.messages_only = false;
        assert!(!fixture.render(&timeline, 80, 24).concat().contains('\u{10eeee}'), "as written");
    }

    #[test]
    fn a_selected_picture_keeps_its_cells() {
        let (mut fixture, mut timeline, _) = shared("image/png\\:2048\\:100x60");
        fixture.keys(&mut timeline, "Alt-Up Alt-Up");
        assert_eq!(picture(&mut fixture, &timeline, (80, 24)), (vec![10; 3], 3));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        /// The rows depend on the server's words and the screen alone, and fit into the column of the text.
        #[test]
        fn a_picture_has_room_at_each_size(
            size in (30u16..200, 16u16..60),
            dimensions in (1u32..5000, 1u32..5000),
            loaded in (1u32..5000, 1u32..5000),
        ) {
            let (mut fixture, timeline, key) =
                shared(&format!("image/png\\:2048\\:{}x{}", dimensions.0, dimensions.1));
            let (columns, between) = picture(&mut fixture, &timeline, size);
            prop_assert!((1..=usize::from(MAX_ROWS.min(size.1 / 2))).contains(&columns.len()), "{columns:?}");
            prop_assert_eq!(columns.len(), between);
            prop_assert!(columns.iter().all(|one| *one == columns[0] && *one <= usize::from(size.0)));
            let state = PictureState::Loaded(Dimensions { width: loaded.0, height: loaded.1 });
            fixture.workspace.pictures.set(key, state);
            prop_assert_eq!(picture(&mut fixture, &timeline, size), (columns, between));
        }
    }
}
