//! Hint line: a hint, the candidates of a completion, the keys for a selection, the pending reply or the count of lines.

use ratatui::layout::Rect;

use super::timeline::fold_actions::selected_run;
use super::{Candidates, Component, Surface, View};
use crate::client::keys::Action;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::wrap::truncate_to_width;
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::Selection;

/// Row above the status line, there when it has content.
#[derive(Clone, Copy, Debug, Default)]
pub struct HintLine;

impl Component for HintLine {
    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let dim = theme.style(Role::Dim);
        let room = usize::from(area.width).saturating_sub(2);
        if let Some(question) = &workspace.question {
            let style = theme.style(Role::Alert);
            surface.draw_text(
                area,
                1,
                0,
                &truncate_to_width(&sanitize_line(&question.text(), 400), room),
                style,
            );
        } else if let Some(hint) = &workspace.hint {
            let style = if hint.is_error { theme.style(Role::Error) } else { dim };
            surface.draw_text(area, 1, 0, &truncate_to_width(&hint.text, room), style);
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
                Selection::Entry(_) => &[
                    (Action::Reply, "reply"),
                    (Action::React, "react"),
                    (Action::Thread, "thread"),
                    (Action::Pin, "pin"),
                    (Action::Bookmark, "bookmark"),
                    (Action::Redact, "take back"),
                    (Action::Copy, "copy"),
                ],
                Selection::Outgoing(_) => {
                    &[(Action::Resend, "send again"), (Action::Redact, "drop"), (Action::Copy, "copy")]
                }
            };
            let name = |action| workspace.keys().key_name(action);
            let keys: Vec<String> = keys.iter().map(|(key, does)| format!("{} {does}", name(*key))).collect();
            let text = format!("{}  ↑↓ select  {}", keys.join("  "), name(Action::Escape));
            surface.draw_text(area, 1, 0, &truncate_to_width(&text, room), theme.style(Role::Accent));
        } else if let Some(buffer) = workspace.current_buffer()
            && let Some(id) = &buffer.reply_to
        {
            let about = match buffer.find_message(id) {
                Some((_, message)) => {
                    format!("↪ replying to {}: {}", message.from, message.text.replace('\n', " "))
                }
                None => "↪ replying to an earlier message".to_owned(),
            };
            surface.draw_text(area, 1, 0, &truncate_to_width(&about, room), dim);
        } else if composer_lines(workspace) > 1 {
            let [sends, clears] =
                [Action::Enter, Action::Clear].map(|action| workspace.keys().key_name(action));
            let lines = composer_lines(workspace);
            let about = format!("{lines} lines in one message: {sends} sends, {clears} clears");
            surface.draw_text(area, 1, 0, &truncate_to_width(&about, room), dim);
        }
    }
}

/// Returns whether the line is shown, apart from a completion.
pub fn has_content(workspace: &Workspace) -> bool {
    workspace.hint.is_some()
        || workspace.question.is_some()
        || !workspace.held.is_empty()
        || workspace.selection().is_some()
        || workspace.current_buffer().is_some_and(|buffer| buffer.reply_to.is_some())
        || composer_lines(workspace) > 1
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
        assert!(!has_content(&fixture.workspace));
        fixture.workspace.draft_mut().insert("one\ntwo");
        assert!(has_content(&fixture.workspace));
        assert!(fixture.render(&HintLine, 60, 1)[0].contains("2 lines in one message"));
        fixture.lines(&["@msgid=a1 :bob!u@parlour PRIVMSG #lobby :shall we?"]);
        fixture.workspace.current_buffer_mut().expect("a buffer").reply_to = Some("a1".into());
        assert_eq!(fixture.render(&HintLine, 60, 1), [" ↪ replying to bob: shall we?"]);
        let last = fixture.workspace.current_buffer().expect("a buffer").numbers().end - 1;
        fixture.workspace.select(Some(Selection::Entry(last)));
        assert!(fixture.render(&HintLine, 60, 1)[0].starts_with(" r reply  e react"));
        fixture.workspace.show_hint("copied");
        assert_eq!(fixture.render(&HintLine, 60, 1), [" copied"]);
    }
}
