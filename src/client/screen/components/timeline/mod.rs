//! Timeline: the messages of the conversation on the screen, with the scroll position, the selection and the line above
//! new messages.
//!
//! These three belong to the conversation ([`Buffer`](crate::client::screen::workspace::buffer::Buffer)) and stay with
//! it; the timeline changes them by what is visible.

mod columns;
pub mod fold_actions;
mod greeting;
mod groups;
pub mod lines;
pub mod membership_runs;
mod names;
pub mod rows;
pub mod scroll;
pub mod selection;
mod separators;
mod sticky;

use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use self::columns::Columns;
use self::membership_runs::find_run;
use super::{Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::keys::Action;
use crate::client::keys::key::{Code, Key, MouseAction};
use crate::client::model::marks::Mark;
use crate::client::screen::view::draw_runs;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::Selection;

/// Rows that one step of the wheel scrolls.
const WHEEL_ROWS: isize = 3;

/// Messages of the conversation on the screen.
#[derive(Debug, Default)]
pub struct Timeline {
    /// Set while the screen shows nothing but the messages, so that the mouse can select their text.
    pub messages_only: bool,
    /// Cells by which times are wider than hours and minutes.
    extra_time_width: usize,
}

impl Timeline {
    /// Returns the columns for a width of the messages.
    fn columns(&self, width: u16) -> Columns {
        Columns::new(width, self.messages_only, self.extra_time_width)
    }

    /// Follows the settings.
    pub fn follow(&mut self, workspace: &Workspace) {
        self.extra_time_width = workspace.settings().time_format.width().saturating_sub(5);
    }

    /// Executes an action on the selected message or run.
    fn act_on_selection(&mut self, action: Action, context: &mut Context<'_, '_>) -> EventResult {
        let is_run = fold_actions::selected_run(context.workspace).is_some();
        let workspace = &mut *context.workspace;
        match action {
            Action::ToggleFold | Action::ReplyOrFold if is_run => self.fold_selected(context),
            Action::ToggleFold => workspace.show_hint("nothing to expand: this is one message"),
            Action::Reply
            | Action::React
            | Action::Redact
            | Action::Thread
            | Action::Pin
            | Action::Bookmark
            | Action::Save
            | Action::View
            | Action::Resend
            | Action::Undo
                if is_run =>
            {
                let does = [(Action::ReplyOrFold, "expands it"), (Action::Copy, "copies it")];
                let hint = format!("not a message: {}", workspace.keys().clauses(&does));
                workspace.show_hint(hint.trim_end_matches(": "));
            }
            Action::Reply | Action::ReplyOrFold => workspace.reply_to_selected(context.models),
            Action::React => return workspace.open_reaction_picker().into(),
            Action::Redact => workspace.redact_selected(context.models),
            Action::Undo => {
                if let Err(error) = workspace.undo_redaction(context.models) {
                    workspace.show_error(&error);
                }
            }
            Action::Thread => match workspace.open_thread() {
                Ok(request) => return request.into(),
                Err(why) => workspace.show_error(&why),
            },
            Action::Pin => workspace.toggle_mark(Mark::Pin, context.models),
            Action::Bookmark => workspace.toggle_mark(Mark::Bookmark, context.models),
            Action::Save => workspace.save_files(context.models),
            Action::View => match workspace.view_pictures(context.models) {
                Ok(request) => return request.into(),
                Err(why) => workspace.show_error(&why),
            },
            Action::Copy => selection::copy(workspace),
            Action::Resend => workspace.resend_selected(context.models),
            _ => return EventResult::Ignored,
        }
        EventResult::Consumed
    }

    /// Refuses a letter that is no key of a selection. It must not be typed: the next one may be a key that does something.
    fn refuse_letter(key: Key, workspace: &mut Workspace) -> EventResult {
        let Key { code: Code::Char(letter), ctrl: false, alt: false, .. } = key else {
            return EventResult::Ignored;
        };
        let opens_help = letter == '?' && workspace.draft().is_empty();
        if workspace.selection().is_none() || opens_help {
            return EventResult::Ignored;
        }
        let back = workspace.keys().clauses(&[(Action::Escape, "goes back to writing")]);
        let separator = if back.is_empty() { "" } else { "; " };
        workspace.show_hint(&format!("{letter} does nothing to what is selected{separator}{back}"));
        EventResult::Consumed
    }

    fn handle_click(&mut self, at: Position, area: Rect, context: &mut Context<'_, '_>) -> EventResult {
        let row = usize::from(at.y.saturating_sub(area.y));
        let clicked = lines::message_lines(context.workspace, area.height, self.columns(area.width))
            .into_iter()
            .nth(row);
        let workspace = &mut *context.workspace;
        match clicked.and_then(|line| line.selection) {
            Some(Selection::Entry(number))
                if workspace
                    .current_buffer()
                    .is_some_and(|buffer| find_run(workspace, buffer, number).is_some()) =>
            {
                workspace.deselect();
                self.toggle_run(number, context);
            }
            Some(clicked @ Selection::Entry(_)) if workspace.selection() == Some(clicked) => {
                workspace.deselect();
            }
            Some(clicked) => workspace.select(Some(clicked)),
            None => return EventResult::Ignored,
        }
        EventResult::Consumed
    }
}

impl Component for Timeline {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        let Some(action) = key.action else { return Self::refuse_letter(key.key, context.workspace) };
        if let Action::PageUp | Action::FirstNew | Action::Oldest | Action::SelectAbove = action
            && let Some(buffer) = context.workspace.current_buffer_mut()
        {
            buffer.cleared = None;
        }
        match action {
            Action::PageUp => self.scroll_rows(context.layout().half_page_rows(), context),
            Action::PageDown => self.scroll_rows(-context.layout().half_page_rows(), context),
            Action::FirstNew => context.workspace.scroll_to_new(),
            Action::Latest => context.workspace.scroll_to_latest(),
            Action::Oldest => self.scroll_to_oldest(context),
            Action::SelectAbove => self.move_selection(true, context),
            Action::SelectBelow => self.move_selection(false, context),
            Action::ToggleMessagesOnly => {
                self.messages_only = !self.messages_only;
                if self.messages_only {
                    let restores =
                        [Action::ToggleMessagesOnly, Action::Escape].into_iter().find_map(|action| {
                            let key = context.workspace.keys().key_name(action)?;
                            Some(format!("; {key} restores the rest"))
                        });
                    let hint = "messages only: select text with the mouse".to_owned();
                    context.workspace.show_hint(&(hint + &restores.unwrap_or_default()));
                }
            }
            Action::ToggleRawText => context.workspace.toggle_raw_text(),
            Action::Escape => {
                if !context.workspace.deselect() && !self.messages_only {
                    return EventResult::Ignored;
                }
                self.messages_only = false;
            }
            Action::Clear => {
                if !context.workspace.deselect() {
                    return EventResult::Ignored;
                }
            }
            action => return self.act_on_selection(action, context),
        }
        EventResult::Consumed
    }

    /// Handles the wheel, and a click, which selects a message, or unfolds or folds a run of joins and leaves.
    fn handle_mouse(
        &mut self,
        mouse: MouseAction,
        at: Position,
        area: Rect,
        context: &mut Context<'_, '_>,
    ) -> EventResult {
        match mouse {
            MouseAction::WheelUp => self.scroll_rows(WHEEL_ROWS, context),
            MouseAction::WheelDown => self.scroll_rows(-WHEEL_ROWS, context),
            MouseAction::Click => return self.handle_click(at, area, context),
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let selected = workspace.display.theme.style(Role::Selected);
        let selection = workspace.selection();
        let columns = self.columns(area.width);
        let lines = lines::message_lines(workspace, area.height, columns);
        for (index, line) in lines.iter().enumerate() {
            let row = u16::try_from(index).unwrap_or(u16::MAX);
            let patch =
                if selection.is_some() && line.selection == selection { selected } else { Style::new() };
            draw_runs(surface.cells, &mut surface.links, area, 0, row, &line.row, patch);
            if patch != Style::new() {
                surface.cells.set_style(Rect::new(area.x, area.y + row, area.width, 1), patch);
            }
            // A picture has none of the style of a selected row but the ground.
            rows::previews::draw_picture(workspace, &line.row, area, area.y + row, surface);
        }
        sticky::draw_sticky(workspace, &lines, columns, area, surface);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::client::screen::workspace::Request;
    use crate::client::screen::workspace::buffer::Scroll;

    fn messages() -> (Fixture, Timeline) {
        let mut fixture = Fixture::new();
        for n in 0..30 {
            fixture.lines(&[&format!("@msgid=a{n:02} :bob!u@parlour PRIVMSG #lobby :message {n}")]);
        }
        (fixture, Timeline::default())
    }

    fn scroll(fixture: &Fixture) -> Scroll {
        fixture.workspace.current_buffer().expect("a buffer").scroll
    }

    #[test]
    fn shows_the_latest_messages_and_scrolls_by_half_pages() {
        let (mut fixture, mut timeline) = messages();
        let rows = fixture.render(&timeline, 40, 10);
        assert!(rows[9].ends_with("message 29") && rows[0].contains("message 20 "), "{rows:?}");
        assert!(rows[0].ends_with(" bob"), "the sender of a group that starts above: {rows:?}");
        fixture.keys(&mut timeline, "PgUp");
        let rows = fixture.render(&timeline, 40, 10);
        assert!(!rows[9].ends_with("message 29"), "{rows:?}");
        fixture.keys(&mut timeline, "Alt-End");
        assert_eq!(scroll(&fixture), Scroll::Bottom);
    }

    #[test]
    fn selection_moves_by_messages_and_escape_ends_it() {
        let (mut fixture, mut timeline) = messages();
        fixture.render(&timeline, 40, 10);
        let last = fixture.workspace.current_buffer().expect("a buffer").numbers().end - 1;
        assert_eq!(fixture.keys(&mut timeline, "Alt-Up"), EventResult::Consumed);
        assert_eq!(fixture.workspace.selection(), Some(Selection::Entry(last)));
        fixture.keys(&mut timeline, "Up");
        assert_eq!(fixture.workspace.selection(), Some(Selection::Entry(last - 1)));
        assert_eq!(fixture.keys(&mut timeline, "Esc"), EventResult::Consumed);
        assert_eq!(fixture.workspace.selection(), None);
        assert_eq!(fixture.keys(&mut timeline, "Esc"), EventResult::Ignored, "another part may use it");
    }

    #[test]
    fn reaction_to_the_selected_message_is_requested() {
        let (mut fixture, mut timeline) = messages();
        let request = Request::OpenReactions { key: Fixture::key("#lobby"), msgid: "a29".into() };
        assert_eq!(fixture.keys(&mut timeline, "Alt-Up e"), EventResult::Request(request));
        assert_eq!(fixture.workspace.selection(), None);
    }

    #[test]
    fn click_selects_a_message_and_a_second_one_deselects_it() {
        let (mut fixture, mut timeline) = messages();
        fixture.render(&timeline, 40, 10);
        let last = fixture.workspace.current_buffer().expect("a buffer").numbers().end - 1;
        assert_eq!(fixture.click(&mut timeline, 20, 9), EventResult::Consumed);
        assert_eq!(fixture.workspace.selection(), Some(Selection::Entry(last)));
        fixture.click(&mut timeline, 20, 9);
        assert_eq!(fixture.workspace.selection(), None);
    }

    #[test]
    fn no_letter_is_typed_while_something_is_selected() {
        let mut fixture = Fixture::new();
        fixture.lines(&[
            "@time=2023-11-14T22:00:00.000Z;msgid=a1 :bob!u@parlour PRIVMSG #lobby :hello",
            ":dave!u@parlour JOIN #lobby",
            ":erin!u@parlour JOIN #lobby",
        ]);
        let mut timeline = Timeline::default();
        fixture.render(&timeline, 40, 10);
        let hint = |fixture: &Fixture| fixture.workspace.hint.as_ref().map(|hint| hint.text.clone());
        fixture.keys(&mut timeline, "Alt-Up");
        for key in ["x", "h", "/", "é"] {
            assert_eq!(fixture.keys(&mut timeline, key), EventResult::Consumed, "{key}");
            let expected = format!("{key} does nothing to what is selected; Esc goes back to writing");
            assert_eq!(hint(&fixture), Some(expected));
        }
        for key in ["r", "e", "d", "t", "p", "b", "s", "u"] {
            fixture.workspace.hint = None;
            assert_eq!(fixture.keys(&mut timeline, key), EventResult::Consumed, "{key}");
            let shown = hint(&fixture).unwrap_or_default();
            assert!(shown.contains("not a message: Enter expands it"), "{key}: {shown:?}");
        }
        fixture.keys(&mut timeline, "Up Space");
        assert!(hint(&fixture).is_some_and(|text| text.contains("nothing to expand")));
        assert!(fixture.workspace.selection().is_some());
        assert_eq!(fixture.keys(&mut timeline, "?"), EventResult::Ignored, "for the help");
        assert_eq!(fixture.workspace.draft().text(), "");
    }

    #[test]
    fn letters_belong_to_another_part() {
        let (mut fixture, mut timeline) = messages();
        assert_eq!(fixture.keys(&mut timeline, "x"), EventResult::Ignored);
        assert_eq!(fixture.keys(&mut timeline, "Enter"), EventResult::Ignored);
    }
}
