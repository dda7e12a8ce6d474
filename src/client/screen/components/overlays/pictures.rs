//! Viewer of the pictures of a message, each as large as the screen permits.

use std::fmt::Write as _;

use ratatui::layout::{Position, Rect, Size};
use ratatui::style::Style;

use super::step;
use super::window::fit_title;
use crate::client::keys::key::MouseAction;
use crate::client::keys::{Action, KeyMode};
use crate::client::screen::components::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{width, wrap_plain};
use crate::client::screen::view::clear_area;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::sending::pictures::{MessagePicture, PictureState};
use crate::client::screen::workspace::{Request, Workspace};
use crate::wire::file_name::file_size;

/// Limit of the file of a picture, in bytes, as the page has it.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Limit of a name, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Rows of the text in place of a picture.
const MAX_TEXT_ROWS: usize = 6;

/// Pictures of one message, of which one is shown.
#[derive(Debug)]
pub struct PictureViewer {
    /// Pictures, at least one.
    pictures: Vec<MessagePicture>,
    /// Index of the one that is shown.
    shown: usize,
}

impl PictureViewer {
    /// Shows the first of these pictures.
    pub fn open(pictures: Vec<MessagePicture>) -> Self {
        Self { pictures, shown: 0 }
    }

    /// Shows the picture that is so many further, or the last one there is.
    fn turn(&mut self, by: isize) {
        self.shown = self.shown.saturating_add_signed(by).min(self.pictures.len().saturating_sub(1));
    }

    fn title(&self, picture: &MessagePicture, workspace: &Workspace) -> String {
        let mut title = sanitize_line(&picture.address.name(), MAX_NAME_BYTES);
        if let Some(PictureState::Loaded(dimensions)) = workspace.pictures.get(&picture.key) {
            let _ = write!(title, " · {}×{}", dimensions.width, dimensions.height);
        }
        let mut keys = Vec::new();
        if self.pictures.len() > 1 {
            let _ = write!(title, " · {} of {}", self.shown + 1, self.pictures.len());
            keys.extend([(Action::Right, "next"), (Action::Left, "previous")]);
        }
        keys.push((Action::Save, "saves"));
        workspace.keys().title(&title, &keys)
    }

    fn save(&self, workspace: &mut Workspace) {
        let Some(picture) = self.pictures.get(self.shown) else { return };
        match workspace.save_file(&picture.address, picture.key.server) {
            Ok(()) => workspace.show_hint("saving in the folder of downloads"),
            Err(error) => workspace.show_error(&error),
        }
    }
}

impl Component for PictureViewer {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let selecting = context.workspace.keys().find_action(key.key, KeyMode::Selecting);
        match (key.action, selecting) {
            (Some(Action::Left), _) => self.turn(-1),
            (Some(Action::Right), _) => self.turn(1),
            (_, Some(Action::Save)) => self.save(context.workspace),
            (_, Some(Action::View)) => return EventResult::Request(Request::CloseOverlay),
            _ => {
                if let Some(by) = step(key, context) {
                    self.turn(by.signum());
                }
            }
        }
        EventResult::Consumed
    }

    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        _at: Position,
        _area: Rect,
        _context: &mut Context<'_, '_>,
    ) -> EventResult {
        match mouse {
            MouseAction::WheelUp => self.turn(-1),
            MouseAction::WheelDown => self.turn(1),
            MouseAction::Click => return EventResult::Request(Request::CloseOverlay),
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        clear_area(surface.cells, area, Style::new());
        surface.cursor = None;
        let Some(picture) = self.pictures.get(self.shown) else { return };
        let bar = Rect { height: area.height.min(1), ..area };
        clear_area(surface.cells, bar, theme.style(Role::Bar));
        let title = fit_title(&self.title(picture, workspace), usize::from(area.width).saturating_sub(2));
        surface.draw_text(bar, 1, 0, &title, theme.style(Role::Bar));
        // A terminal scrolls if a picture reaches into its last row.
        let room =
            Rect { y: area.y + bar.height, height: area.height.saturating_sub(bar.height + 1), ..area };
        if let Some(hint) = &workspace.hint {
            let role = if hint.is_error { Role::Error } else { Role::Accent };
            surface.draw_text(area, 1, area.height.saturating_sub(1), &hint.text, theme.style(role));
        }
        let text = match workspace.pictures.get(&picture.key) {
            Some(PictureState::Failed(why) | PictureState::Unreachable(why)) => {
                let name = sanitize_line(&picture.address.name(), MAX_NAME_BYTES);
                return draw_centered(
                    &format!("{name} cannot be shown: {why}"),
                    Role::Error,
                    room,
                    surface,
                    view,
                );
            }
            Some(PictureState::Loading(bytes, Some(size @ 1..))) => {
                format!("loading: {} % of {}", bytes.min(size) * 100 / size, file_size(*size))
            }
            Some(PictureState::Loaded(_)) => String::new(),
            Some(PictureState::Loading(..)) | None => "loading …".to_owned(),
        };
        surface.pictures.want(&picture.key, MAX_FILE_BYTES);
        draw_centered(&text, Role::Dim, room, surface, view);
        let Some(shown) = workspace.picture_box(&picture.key, Size::new(room.width, room.height)) else {
            return;
        };
        let (x, y) =
            (room.x + (room.width - shown.size.width) / 2, room.y + (room.height - shown.size.height) / 2);
        for row in 0..shown.size.height {
            surface.pictures.draw_row(surface.cells, room, Position::new(x, y + row), row, &shown);
        }
    }
}

/// Draws a text into the middle of an area.
fn draw_centered(text: &str, role: Role, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
    let rows = wrap_plain(text, usize::from(area.width).saturating_sub(2), MAX_TEXT_ROWS);
    let top = area.height.saturating_sub(u16::try_from(rows.len()).unwrap_or(0)) / 2;
    for (row, text) in (top..).zip(&rows) {
        let column = usize::from(area.width).saturating_sub(width(text)) / 2;
        let style = view.workspace.display.theme.style(role);
        surface.draw_text(area, u16::try_from(column).unwrap_or(0), row, text, style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::components::timeline::Timeline;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::view::pictures::Dimensions;
    use crate::client::screen::workspace::sending::pictures::PictureScreen;

    const IDS: [&str; 2] = ["AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB"];

    /// A workspace with a message that has two pictures and a text, which is selected, on a terminal that shows pictures.
    fn selected_message() -> (Fixture, Timeline) {
        let (mut fixture, mut timeline) = (Fixture::new(), Timeline::default());
        let url = |id: &str, name: &str| format!("https://chat.example:6697/f/{id}/{name}");
        let tag = format!(
            "{}\\:image/png\\:2048\\:40x20,{}\\:image/webp\\:2048,CCCCCCCCCCCCCCCCCCCCCC\\:text/plain\\:5",
            IDS[0], IDS[1]
        );
        let text = [url(IDS[0], "one.png"), url(IDS[1], "two.webp"), url("CCCCCCCCCCCCCCCCCCCCCC", "a.txt")];
        fixture.lines(&[&format!(
            "@msgid=a1;parlour/files={tag} :bob!u@parlour PRIVMSG #lobby :{}",
            text.join(" ")
        )]);
        let cell = Dimensions { width: 10, height: 20 };
        fixture.workspace.pictures.screen = Some(PictureScreen { cell, limit: None });
        fixture.keys(&mut timeline, "Alt-Up");
        (fixture, timeline)
    }

    fn open_viewer() -> (Fixture, PictureViewer) {
        let (mut fixture, mut timeline) = selected_message();
        let EventResult::Request(Request::OpenPictures(pictures)) = fixture.keys(&mut timeline, "v") else {
            panic!("no request: {:?}", fixture.workspace.hint)
        };
        // Keys in a window are those of writing.
        fixture.workspace.deselect();
        (fixture, PictureViewer::open(pictures))
    }

    /// Sets the state of the first picture or the second.
    fn set(fixture: &mut Fixture, viewer: &PictureViewer, index: usize, state: PictureState) {
        fixture.workspace.pictures.set(viewer.pictures[index].key.clone(), state);
    }

    #[test]
    fn pictures_of_a_message_are_shown_one_by_one() {
        let (mut fixture, mut viewer) = open_viewer();
        let rows = fixture.render(&viewer, 80, 8);
        assert_eq!(rows[0], " one.png · 1 of 2 — Right next, Left previous, o saves, Esc closes");
        assert!(rows.concat().contains("loading …"), "{rows:?}");
        set(&mut fixture, &viewer, 0, PictureState::Loading(512, Some(2048)));
        assert!(fixture.render(&viewer, 80, 8).concat().contains("loading: 25 % of 2 KiB"));
        set(&mut fixture, &viewer, 0, PictureState::Loaded(Dimensions { width: 40, height: 20 }));
        let rows = fixture.render(&viewer, 80, 8);
        assert!(rows[0].starts_with(" one.png · 40×20 · 1 of 2"), "{rows:?}");
        assert_eq!(rows.concat().matches('\u{10eeee}').count(), 4, "one row of four cells: {rows:?}");
        fixture.keys(&mut viewer, "Right");
        assert!(fixture.render(&viewer, 80, 8)[0].starts_with(" two.webp · 2 of 2"));
        fixture.keys(&mut viewer, "Right");
        fixture.keys(&mut viewer, "Left");
        assert!(fixture.render(&viewer, 80, 8)[0].starts_with(" one.png"));
    }

    #[test]
    fn a_picture_takes_the_screen_but_not_its_last_row() {
        let (mut fixture, viewer) = open_viewer();
        set(&mut fixture, &viewer, 0, PictureState::Loaded(Dimensions { width: 4000, height: 3000 }));
        for (width, height) in [(80, 24), (30, 10), (200, 12), (20, 5)] {
            let rows = fixture.render(&viewer, width, height);
            let count = |row: &String| row.matches('\u{10eeee}').count();
            assert_eq!((count(&rows[0]), count(&rows[usize::from(height) - 1])), (0, 0), "{width}×{height}");
            let shown = rows.iter().filter(|row| count(row) > 0).count();
            let widest = rows.iter().map(count).max().expect("rows");
            assert!(
                shown == usize::from(height) - 2 || widest == usize::from(width),
                "{width}×{height}: {rows:?}"
            );
        }
        // A terminal that takes small pictures only.
        let limit = Some(Dimensions { width: 200, height: 200 });
        let cell = Dimensions { width: 10, height: 20 };
        fixture.workspace.pictures.screen = Some(PictureScreen { cell, limit });
        let rows = fixture.render(&viewer, 80, 24);
        assert!(rows.iter().all(|row| row.matches('\u{10eeee}').count() <= 20), "{rows:?}");
    }

    #[test]
    fn a_failure_is_a_sentence_and_the_next_look_tries_again() {
        let (mut fixture, viewer) = open_viewer();
        set(&mut fixture, &viewer, 0, PictureState::Failed("it is damaged".to_owned()));
        let rows = fixture.render(&viewer, 80, 8).concat();
        assert!(rows.contains("one.png cannot be shown: it is damaged"), "{rows}");
        fixture.keys(&mut Timeline::default(), "Alt-Up v");
        assert!(fixture.render(&viewer, 80, 8).concat().contains("loading …"));
    }

    #[test]
    fn without_pictures_the_key_says_why() {
        let (mut fixture, mut timeline) = selected_message();
        fixture.workspace.change_setting("images", "off").expect("a setting");
        fixture.keys(&mut timeline, "v");
        assert_eq!(
            fixture.workspace.hint.clone().expect("a hint").text,
            "pictures are off: /set images auto"
        );
        fixture.workspace.change_setting("images", "auto").expect("a setting");
        fixture.workspace.pictures.screen = None;
        fixture.keys(&mut timeline, "v");
        let hint = fixture.workspace.hint.clone().expect("a hint").text;
        assert_eq!(hint, "this terminal shows no pictures; o saves them");
        fixture.lines(&["@msgid=a2 :bob!u@parlour PRIVMSG #lobby :no picture"]);
        fixture.keys(&mut timeline, "Down v");
        assert_eq!(
            fixture.workspace.hint.clone().expect("a hint").text,
            "there is no picture in this message"
        );
    }

    #[test]
    fn the_picture_that_is_shown_is_saved() {
        use crate::client::screen::effects::TransferRequest;
        use crate::client::screen::workspace::ScreenEffect;

        let (mut fixture, mut viewer) = open_viewer();
        fixture.keys(&mut viewer, "Right o");
        let [ScreenEffect::Transfer(TransferRequest::Save { address, .. })] = &fixture.workspace.effects[..]
        else {
            panic!("{:?}", fixture.workspace.effects)
        };
        assert_eq!(address.name(), "two.webp");
        assert_eq!(fixture.keys(&mut viewer, "v"), EventResult::Request(Request::CloseOverlay));
    }
}
