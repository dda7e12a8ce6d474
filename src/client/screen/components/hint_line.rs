//! Hint line: a question, a hint, the candidates of a completion, the keys for a selection, the pending reply, the count
//! of lines, the progress of a file or the cause of a broken connection.

use ratatui::layout::Rect;

use super::timeline::fold_actions::selected_run;
use super::{Candidates, Component, Surface, View};
use crate::client::keys::Action;
use crate::client::screen::text::markup::strip_marks;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::{truncate_to_width, width, wrap_plain};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::buffer::Selection;
use crate::client::screen::workspace::{ConnectionState, Workspace};

/// Maximum rows of a hint, and on a narrow screen, where the same text takes more of them.
const MAX_ROWS: usize = 3;
const MAX_NARROW_ROWS: usize = 6;

/// Width of the line, in cells, below which it is narrow.
const NARROW: usize = 60;

/// Maximum rows of a question, whose end says how to answer.
const MAX_QUESTION_ROWS: usize = 6;

/// Row above the status line, there when it has content. A question or a hint may have several rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct HintLine;

impl Component for HintLine {
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let dim = theme.style(Role::Dim);
        let room = usize::from(area.width).saturating_sub(2);
        if let Some((text, role)) = notice(workspace) {
            let rows = wrap_plain(&text, room, usize::from(area.height));
            for (row, text) in (0..area.height).zip(&rows) {
                surface.draw_text(area, 1, row, text, theme.style(role));
            }
        } else if let Some(Candidates { texts, selected }) = view.completion {
            let mut column = 1;
            for (index, text) in texts.iter().enumerate().skip(selected.saturating_sub(3)) {
                let style = if index == selected { theme.style(Role::Selected) } else { dim };
                let text = format!(" {} ", sanitize_line(text.trim_end(), 64));
                column = surface.draw_text(area, column, 0, &text, style);
            }
        } else if let Some(notice) = workspace.held_notice() {
            surface.draw_text(area, 1, 0, &truncate_to_width(&notice, room), theme.style(Role::Accent));
        } else if let Some(selection) = workspace.selection() {
            let keys = match selection {
                Selection::Entry(_) if selected_run(workspace).is_some() => {
                    &[(Action::ReplyOrFold, "expand/collapse"), (Action::Copy, "copy")][..]
                }
                Selection::Entry(_) if workspace.has_pictures(view.models) => &[
                    (Action::View, "view the picture"),
                    (Action::Save, "save"),
                    (Action::Reply, "reply"),
                    (Action::React, "react"),
                    (Action::Thread, "thread"),
                    (Action::Redact, "take back"),
                    (Action::Copy, "copy"),
                ],
                Selection::Entry(_) if workspace.can_save(view.models) => &[
                    (Action::Save, "save the file"),
                    (Action::Reply, "reply"),
                    (Action::React, "react"),
                    (Action::Thread, "thread"),
                    (Action::Redact, "take back"),
                    (Action::Copy, "copy"),
                ],
                Selection::Entry(_) => &[
                    (Action::Reply, "reply"),
                    (Action::React, "react"),
                    (Action::Thread, "thread"),
                    (Action::Redact, "take back"),
                    (Action::Copy, "copy"),
                    (Action::Pin, "pin"),
                    (Action::Bookmark, "bookmark"),
                ],
                Selection::Outgoing(ticket) if workspace.has_failed(ticket) => {
                    &[(Action::Resend, "send again"), (Action::Redact, "drop"), (Action::Copy, "copy")]
                }
                Selection::Outgoing(_) => &[(Action::Redact, "do not send"), (Action::Copy, "copy")],
            };
            let name = |action| workspace.keys().key_or_command(action);
            let does = |(action, does): &(Action, &str)| Some(format!("{} {does}", name(*action)?));
            let mut texts: Vec<String> = keys.iter().filter_map(does).collect();
            texts.push("↑↓ select".to_owned());
            let back = name(Action::Escape).map(|key| format!("{key} back"));
            surface.draw_text(area, 1, 0, &fit_keys(texts, back.as_deref(), room), theme.style(Role::Accent));
        } else if let Some(buffer) = workspace.current_buffer()
            && let Some(id) = &buffer.reply_to
        {
            let about = match buffer.find_message(id) {
                Some((_, message)) => {
                    let text = strip_marks(&message.text, &message.markup);
                    format!("↪ replying to {}: {}", message.from, text.replace('\n', " "))
                }
                None => "↪ replying to an earlier message".to_owned(),
            };
            let cancel = workspace.keys().clauses(&[(Action::Escape, "cancels")]);
            let left = room.saturating_sub(width(&cancel) + 2);
            let end = surface.draw_text(area, 1, 0, &truncate_to_width(&about, left), dim);
            surface.draw_text(area, end + 2, 0, &cancel, theme.style(Role::Accent));
        } else if composer_lines(workspace) > 1 {
            let keys = workspace.keys().clauses(&[(Action::Enter, "sends"), (Action::Clear, "clears")]);
            let about = format!("{} lines: {keys}", composer_lines(workspace));
            surface.draw_text(area, 1, 0, &truncate_to_width(&about, room), dim);
        } else if let Some(notice) = workspace.transfer_notice() {
            surface.draw_text(area, 1, 0, &truncate_to_width(&notice, room), theme.style(Role::Accent));
        } else if let Some(cause) = offline_cause(workspace) {
            let rows = wrap_plain(&format!("offline: {cause}"), room, usize::from(area.height));
            for (row, text) in (0..area.height).zip(&rows) {
                surface.draw_text(area, 1, row, text, theme.style(Role::Alert));
            }
        }
    }
}

/// Returns the rows that the line needs on a screen of this width, apart from a completion.
pub fn rows_needed(workspace: &Workspace, columns: u16) -> usize {
    if let Some((text, _)) = notice(workspace) {
        let room = usize::from(columns).saturating_sub(2);
        return wrap_plain(&text, room, max_rows(workspace, room)).len();
    }
    match offline_cause(workspace) {
        Some(cause) => {
            let room = usize::from(columns).saturating_sub(2);
            wrap_plain(&format!("offline: {cause}"), room, max_rows(workspace, room)).len()
        }
        None => usize::from(has_keys(workspace)),
    }
}

/// Returns the cause for which the server on the screen has no connection. `None` with a connection, and where the line has
/// other content; the status line shows it then.
pub fn offline_cause(workspace: &Workspace) -> Option<&str> {
    let at = workspace.current.as_ref().map_or(0, |(server, _)| *server);
    let cause = match &workspace.servers.get(at)?.state {
        ConnectionState::Disconnected { reason, .. } | ConnectionState::Ended(reason) => reason,
        ConnectionState::Online | ConnectionState::Connecting => return None,
    };
    (notice(workspace).is_none() && !has_keys(workspace)).then_some(cause)
}

/// Returns whether the line has keys, for a selection or what is being written.
fn has_keys(workspace: &Workspace) -> bool {
    workspace.held_notice().is_some()
        || workspace.selection().is_some()
        || workspace.current_buffer().is_some_and(|buffer| buffer.reply_to.is_some())
        || composer_lines(workspace) > 1
        || workspace.transfer_notice().is_some()
}

/// Joins the keys of a bar, the most important first. Without room for all, the last are left out, but not `back`, which is
/// the way out.
fn fit_keys(mut keys: Vec<String>, back: Option<&str>, room: usize) -> String {
    loop {
        let text = keys.iter().map(String::as_str).chain(back).collect::<Vec<_>>().join("  ");
        if width(&text) <= room || keys.pop().is_none() {
            return truncate_to_width(&text, room);
        }
    }
}

/// Returns the question or the hint, with its colour.
fn notice(workspace: &Workspace) -> Option<(String, Role)> {
    if let Some(question) = &workspace.question {
        return Some((sanitize_line(&question.text(), 400), Role::Alert));
    }
    let hint = workspace.hint.as_ref()?;
    Some((hint.text.clone(), if hint.is_error { Role::Error } else { Role::Dim }))
}

fn max_rows(workspace: &Workspace, room: usize) -> usize {
    match workspace.question {
        Some(_) => MAX_QUESTION_ROWS,
        None if room < NARROW => MAX_NARROW_ROWS,
        None => MAX_ROWS,
    }
}

/// Returns the count of lines in the composer.
fn composer_lines(workspace: &Workspace) -> usize {
    workspace.draft().text().trim_end_matches('\n').split('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn hint_precedes_selection_reply_and_count_of_lines() {
        let mut fixture = Fixture::new();
        assert_eq!(rows_needed(&fixture.workspace, 60), 0);
        fixture.workspace.draft_mut().insert("one\ntwo");
        assert_eq!(rows_needed(&fixture.workspace, 60), 1);
        assert!(fixture.render(&HintLine, 60, 1)[0].contains("2 lines: Enter sends"));
        fixture.lines(&["@msgid=a1 :bob!u@parlour PRIVMSG #lobby :shall we?"]);
        fixture.workspace.current_buffer_mut().expect("a buffer").reply_to = Some("a1".into());
        assert_eq!(fixture.render(&HintLine, 60, 1), [" ↪ replying to bob: shall we?  Esc cancels"]);
        assert_eq!(fixture.render(&HintLine, 36, 1), [" ↪ replying to bob: s…  Esc cancels"]);
        let last = fixture.workspace.current_buffer().expect("a buffer").numbers().end - 1;
        fixture.workspace.select(Some(Selection::Entry(last)));
        assert!(fixture.render(&HintLine, 60, 1)[0].starts_with(" r reply  e react"));
        fixture.workspace.show_hint("copied");
        assert_eq!(fixture.render(&HintLine, 60, 1), [" copied"]);
    }

    #[test]
    fn the_cause_of_a_broken_connection_is_whole() {
        let mut fixture = Fixture::new();
        let cause = "cannot reach the server: 127.0.0.1:6697: nothing listens there";
        fixture.workspace.handle_disconnected(0, cause, 3000);
        assert_eq!(rows_needed(&fixture.workspace, 80), 1);
        assert_eq!(fixture.render(&HintLine, 80, 1), [format!(" offline: {cause}")]);
        assert_eq!(rows_needed(&fixture.workspace, 40), 2);
        let rows = fixture.render(&HintLine, 40, 2).concat();
        assert!(rows.contains("listens there"), "{rows}");
        fixture.workspace.draft_mut().insert("one\ntwo");
        assert_eq!(offline_cause(&fixture.workspace), None);
        assert!(fixture.render(&HintLine, 80, 1)[0].starts_with(" 2 lines"));
    }

    #[test]
    fn the_way_out_stays_where_the_other_keys_have_no_room() {
        let mut fixture = Fixture::new();
        fixture.lines(&["@msgid=a1 :bob!u@parlour PRIVMSG #lobby :shall we?"]);
        let last = fixture.workspace.current_buffer().expect("a buffer").numbers().end - 1;
        fixture.workspace.select(Some(Selection::Entry(last)));
        for columns in [20, 40, 60, 80, 100] {
            let row = fixture.render(&HintLine, columns, 1).remove(0);
            assert!(row.ends_with("  Esc back") && !row.contains('…'), "{columns}: {row}");
        }
        assert!(fixture.render(&HintLine, 100, 1)[0].ends_with("↑↓ select  Esc back"));
    }

    #[test]
    fn long_hints_have_several_rows() {
        let mut fixture = Fixture::new();
        fixture.workspace.show_hint("one two three four five six seven");
        assert_eq!(rows_needed(&fixture.workspace, 80), 1);
        assert_eq!(rows_needed(&fixture.workspace, 20), 2);
        assert_eq!(fixture.render(&HintLine, 20, 2), [" one two three four", " five six seven"]);
        assert_eq!(rows_needed(&fixture.workspace, 10), 5);
        assert_eq!(fixture.render(&HintLine, 10, 3), [" one two", " three", " four fi…"]);
        assert_eq!(fixture.render(&HintLine, 20, 1), [" one two three fou…"]);
    }
}
