//! Composer: the field at the bottom that messages and commands are written in.
//!
//! The text belongs to the conversation on the screen ([`Workspace::draft`]); the composer has what is about editing it.

mod completion;
mod dropped;
pub mod rows;

use ratatui::layout::{Position, Rect};

use self::completion::{Completion, replace_shortcode};
use self::dropped::Dropped;
use self::rows::{BrokenText, DisplayedText, PROMPT, break_rows, displayed_text, secret_start, text_columns};
use super::editing::{Edit, edit_composer};
use super::{Candidates, Component, Context, EventResult, KeyPress, Surface, View};
use crate::client::input::commands::find;
use crate::client::input::{self, Input};
use crate::client::keys::Action;
use crate::client::keys::key::{Code, Key};
use crate::client::model::TypingStatus;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::text::wrap::{truncate_to_width, width};
use crate::client::screen::view::theme::Role;
use crate::client::screen::workspace::lists::directory;
use crate::client::screen::workspace::unread::ACTIVE_LIFETIME;
use crate::client::screen::workspace::{BufferKey, Request, Workspace};
use crate::wire::Timestamp;

/// Shortest time between two typing notifications, in milliseconds
/// ([typing](https://ircv3.net/specs/client-tags/typing)).
const TYPING_INTERVAL: u64 = 3_000;

/// Limit of the sent lines that are kept for recall with the arrow keys.
const MAX_RECALLED: usize = 500;

/// Field that messages and commands are written in.
#[derive(Debug, Default)]
pub struct Composer {
    /// Conversation that the fields below belong to, except for the sent lines.
    conversation: Option<BufferKey>,
    /// Sent lines, oldest first, for recall with the arrow keys.
    sent_lines: Vec<String>,
    recalled: Option<Recalled>,
    completion: Option<Completion>,
    /// Time stamp of the last typing notification sent.
    typing_sent: Option<Timestamp>,
    dropped: Option<Dropped>,
}

/// Sent line that is in the composer again.
#[derive(Debug)]
struct Recalled {
    /// Index of the line.
    index: usize,
    /// Draft that it replaced.
    draft: String,
}

impl Composer {
    /// Starts anew if another conversation is on the screen. The last typing notification expires at the others by
    /// itself.
    pub fn follow(&mut self, workspace: &Workspace) {
        if self.conversation != workspace.current {
            self.conversation.clone_from(&workspace.current);
            (self.recalled, self.completion, self.typing_sent) = (None, None, None);
        }
    }

    /// Ends a completion, which keeps what it inserted.
    pub fn end_completion(&mut self) {
        self.completion = None;
    }

    /// Returns the candidates of the completion in progress.
    pub fn candidates(&self) -> Option<Candidates<'_>> {
        self.completion.as_ref()?.candidates()
    }

    /// Inserts the next candidate, or the previous one.
    fn complete(&mut self, context: &mut Context<'_, '_>, back: bool) {
        let completion = match self.completion.take() {
            Some(mut completion) => {
                completion.step(back);
                Some(completion)
            }
            None => Completion::start(context.workspace, context.models),
        };
        if let Some(completion) = &completion {
            completion.insert(context.workspace.draft_mut());
        }
        self.completion = completion;
    }

    /// Recalls the sent line before or after the current one.
    fn recall_sent_line(&mut self, composer: &mut TextField, older: bool) {
        let index = match (&self.recalled, older) {
            (None, true) => self.sent_lines.len().checked_sub(1),
            (Some(recalled), true) => Some(recalled.index.saturating_sub(1)),
            (Some(recalled), false) => Some(recalled.index + 1),
            (None, false) => None,
        };
        let Some(index) = index else { return };
        let draft = match self.recalled.take() {
            Some(recalled) => recalled.draft,
            None => composer.text().to_owned(),
        };
        if let Some(text) = self.sent_lines.get(index) {
            composer.set(text.clone());
            self.recalled = Some(Recalled { index, draft });
        } else {
            composer.set(draft);
        }
    }

    /// Sends the text as a message, or executes it as a command.
    fn submit(&mut self, context: &mut Context<'_, '_>) -> EventResult {
        let text = context.workspace.draft().text().to_owned();
        if text.trim().is_empty() {
            context.workspace.perform_offer(context.models);
            return EventResult::Consumed;
        }
        let secret = secret_start(context.workspace).is_some();
        let input = input::parse_composed(&text);
        // Emptied first, because a command may switch to another conversation. None does so and then fails.
        let draft = context.workspace.draft().clone();
        context.workspace.draft_mut().take();
        let is_message = matches!(input, Ok(Input::Message(_)));
        let done = input.and_then(|input| context.workspace.execute(input, context.models));
        let request = match done {
            Ok(request) => request,
            Err(why) => {
                context.workspace.show_error(&why);
                // A message goes on being written. A command is done with: what is typed next is not a part of it, and
                // the arrow key brings it back to be corrected.
                if is_message {
                    *context.workspace.draft_mut() = draft;
                } else {
                    context.workspace.return_drafts();
                    self.recalled = None;
                    self.keep_sent_line(text, secret);
                }
                return EventResult::Consumed;
            }
        };
        context.workspace.return_drafts();
        (self.recalled, self.typing_sent) = (None, None);
        if let Some(command) = text.strip_prefix('/').and_then(|rest| find(rest.split_whitespace().next()?)) {
            context.workspace.uses.record(&format!("/{}", command.name), context.workspace.now);
        }
        self.keep_sent_line(text, secret);
        request.into()
    }

    /// Keeps a line for recall, unless it has a password.
    pub fn keep_sent_line(&mut self, text: String, secret: bool) {
        if !secret && self.sent_lines.last() != Some(&text) {
            self.sent_lines.push(text);
        }
        if self.sent_lines.len() > MAX_RECALLED {
            self.sent_lines.remove(0);
        }
    }

    /// Handles a change of the text.
    fn handle_composer_change(&mut self, context: &mut Context<'_, '_>) {
        self.completion = None;
        self.notify_typing(context);
        let workspace = &mut *context.workspace;
        // The completion of a channel that is not joined needs the list of the server.
        if let Some(server) = workspace.current.as_ref().map(|(server, _)| *server)
            && ["/join ", "/j "].iter().any(|command| workspace.draft().text().starts_with(command))
        {
            workspace.query_channels(server, directory::MAX_AGE, context.models);
        }
    }

    /// Sends a typing notification for a change of the text, if one is due. Commands send none.
    fn notify_typing(&mut self, context: &mut Context<'_, '_>) {
        let workspace = &*context.workspace;
        let (now, text) = (workspace.now.0, workspace.draft().text());
        let Some((server, conversation)) = &workspace.current else { return };
        let Some(model) = context.models.get_mut(*server) else { return };
        let command = text.starts_with('/') && !text.starts_with("//");
        if text.trim().is_empty() {
            if self.typing_sent.take().is_some_and(|sent| now < sent.0 + ACTIVE_LIFETIME) {
                model.send_typing(conversation, TypingStatus::Done);
            }
        } else if !command
            && !workspace.current_buffer().is_some_and(|buffer| buffer.left)
            && context.workspace.settings().send_typing
            && self.typing_sent.is_none_or(|sent| now >= sent.0 + TYPING_INTERVAL)
        {
            model.send_typing(conversation, TypingStatus::Active);
            self.typing_sent = Some(workspace.now);
        }
    }

    /// Handles a character that is no key binding. A question mark in an empty composer opens the help.
    fn type_char(&mut self, c: char, context: &mut Context<'_, '_>) -> EventResult {
        if c == '?' && context.workspace.draft().is_empty() {
            return EventResult::Request(Request::OpenHelp(None));
        }
        // Typing clears the selection, so that the message goes to the composer and new messages stay in view.
        context.workspace.deselect();
        context.workspace.draft_mut().insert(c.encode_utf8(&mut [0; 4]));
        if c == ':' {
            replace_shortcode(context.workspace.draft_mut());
        }
        self.handle_composer_change(context);
        EventResult::Consumed
    }
}

impl Component for Composer {
    fn handle_key(&mut self, key: KeyPress, context: &mut Context<'_, '_>) -> EventResult {
        self.follow(context.workspace);
        let Some(action) = key.action else {
            return match key.key {
                Key { code: Code::Char(c), ctrl: false, alt: false, .. } => self.type_char(c, context),
                _ => EventResult::Ignored,
            };
        };
        match action {
            Action::Enter => return self.submit(context),
            Action::Newline => {
                context.workspace.draft_mut().insert("\n");
                self.handle_composer_change(context);
            }
            Action::CompleteNext => self.complete(context, false),
            Action::CompletePrevious => self.complete(context, true),
            Action::Up => {
                if !context.workspace.draft_mut().move_up() {
                    self.recall_sent_line(context.workspace.draft_mut(), true);
                }
            }
            Action::Down => {
                if !context.workspace.draft_mut().move_down() {
                    self.recall_sent_line(context.workspace.draft_mut(), false);
                }
            }
            Action::Clear if !context.workspace.draft().is_empty() => {
                context.workspace.draft_mut().take();
                self.handle_composer_change(context);
                context.workspace.return_drafts();
            }
            Action::Escape => {
                let replying =
                    context.workspace.current_buffer_mut().and_then(|buffer| buffer.reply_to.take());
                if replying.is_none() {
                    return EventResult::Ignored;
                }
            }
            editing => match edit_composer(context.workspace.draft_mut(), editing) {
                Edit::None => return EventResult::Ignored,
                Edit::Moved => {}
                Edit::Changed => self.handle_composer_change(context),
            },
        }
        EventResult::Consumed
    }

    fn handle_paste(&mut self, text: &str, context: &mut Context<'_, '_>) -> EventResult {
        self.follow(context.workspace);
        context.workspace.deselect();
        if !self.offer_upload(text, context) {
            context.workspace.draft_mut().insert(text);
            self.handle_composer_change(context);
        }
        EventResult::Consumed
    }

    fn render(&self, area: Rect, surface: &mut Surface<'_>, view: &View<'_, '_>) {
        let workspace = view.workspace;
        let theme = workspace.display.theme;
        let DisplayedText { text, cursor } = displayed_text(workspace);
        let broken = break_rows(&text, cursor, text_columns(area.width));
        let BrokenText { rows, cursor_row: row, cursor_column: column } = broken;
        let shown = usize::from(area.height);
        let skip = (row + 1).saturating_sub(shown);
        surface.draw_text(area, 0, 0, PROMPT, theme.style(Role::Accent));
        if workspace.draft().is_empty() && workspace.current_buffer().is_some() {
            let name = sanitize_line(
                workspace.current.as_ref().map_or("", |(_, conversation)| conversation.as_str()),
                64,
            );
            let room = usize::from(area.width).saturating_sub(width(PROMPT));
            surface.draw_text(
                area,
                2,
                0,
                &truncate_to_width(&format!("write to {name}"), room),
                theme.style(Role::Dim),
            );
        }
        for (index, line) in rows.iter().skip(skip).take(shown).enumerate() {
            surface.draw_text(area, 2, u16::try_from(index).unwrap_or(0), line, theme.style(Role::Text));
        }
        let x = u16::try_from(column + width(PROMPT)).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
        let y = u16::try_from(row - skip).unwrap_or(0);
        surface.cursor = (area.height > 0).then_some(Position::new(area.x + x, area.y + y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn enter_sends_the_text_and_empties_the_field() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        fixture.type_text(&mut composer, "hello");
        assert_eq!(fixture.render(&composer, 20, 2), ["› hello", ""]);
        assert_eq!(fixture.cursor, Some(Position::new(7, 0)));
        assert_eq!(fixture.keys(&mut composer, "Enter"), EventResult::Consumed);
        assert!(fixture.output().contains("PRIVMSG #lobby :hello"));
        assert_eq!(fixture.render(&composer, 20, 1), ["› write to #lobby"]);
        assert_eq!(fixture.workspace.unconfirmed_count(), 1);
    }

    #[test]
    fn arrow_keys_recall_sent_lines_and_the_draft() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        for line in ["one", "two"] {
            fixture.type_text(&mut composer, line);
            fixture.keys(&mut composer, "Enter");
        }
        fixture.type_text(&mut composer, "draft");
        for (key, text) in [("Up", "two"), ("Up", "one"), ("Up", "one"), ("Down", "two"), ("Down", "draft")] {
            fixture.keys(&mut composer, key);
            assert_eq!(fixture.workspace.draft().text(), text);
        }
    }

    #[test]
    fn refused_command_leaves_the_field_empty_and_is_recalled() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        for refused in ["/query #elsewhere", "/nosuch", "/join"] {
            fixture.type_text(&mut composer, refused);
            fixture.keys(&mut composer, "Enter");
            assert_eq!(fixture.workspace.draft().text(), "");
            assert!(fixture.workspace.hint.as_ref().is_some_and(|hint| hint.is_error));
            fixture.keys(&mut composer, "Up");
            assert_eq!(fixture.workspace.draft().text(), refused);
            fixture.keys(&mut composer, "Ctrl-U");
        }
    }

    #[test]
    fn refused_message_stays() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        fixture.workspace.current_buffer_mut().expect("a buffer").left = true;
        fixture.type_text(&mut composer, "hello");
        fixture.keys(&mut composer, "Enter");
        assert_eq!(fixture.workspace.draft().text(), "hello");
        assert!(fixture.workspace.hint.as_ref().is_some_and(|hint| hint.is_error));
    }

    #[test]
    fn commands_for_other_parts_of_the_screen_become_requests() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        assert_eq!(fixture.keys(&mut composer, "?"), EventResult::Request(Request::OpenHelp(None)));
        for (line, request) in [
            ("/search tea", Request::OpenSearch("tea".into())),
            ("/names", Request::ShowMembers),
            ("/names #LOBBY", Request::ShowMembers),
            ("/members", Request::ToggleMembers),
            ("/help", Request::OpenHelp(None)),
            ("/help join", Request::OpenHelp(Some("join"))),
        ] {
            fixture.type_text(&mut composer, line);
            assert_eq!(fixture.keys(&mut composer, "Enter"), EventResult::Request(request));
        }
    }

    #[test]
    fn tab_goes_through_the_candidates_and_another_conversation_ends_it() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        fixture.lines(&[":bobby!u@p JOIN #lobby"]);
        fixture.type_text(&mut composer, "bo");
        let texts = ["bob: ".to_owned(), "bobby: ".to_owned()];
        for (key, selected) in [("Tab", 0), ("Tab", 1), ("Tab", 0), ("Shift-Tab", 1)] {
            fixture.keys(&mut composer, key);
            assert_eq!(composer.candidates(), Some(Candidates { texts: &texts, selected }));
            assert_eq!(fixture.workspace.draft().text(), texts[selected]);
        }
        fixture.workspace.switch_to(Fixture::key("bob"));
        composer.follow(&fixture.workspace);
        assert_eq!(composer.candidates(), None);
    }

    #[test]
    fn tab_completes_channels_that_are_not_joined() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        fixture.type_text(&mut composer, "/join #de");
        let sent = fixture.output();
        let label = sent.split(['=', ' ']).nth(1).expect("a label");
        assert_eq!(sent, format!("@label={label} LIST\r\n"), "one query for the command");
        fixture.lines(&[
            &format!("@label={label} :s BATCH +r labeled-response"),
            "@batch=r :s 322 alice #lobby 3 :Tea",
            "@batch=r :s 322 alice #dev 12 :Work",
            "@batch=r :s 323 alice :End",
            "BATCH -r",
        ]);
        fixture.keys(&mut composer, "Tab");
        assert_eq!(fixture.workspace.draft().text(), "/join #dev ");
    }

    #[test]
    fn keys_without_a_use_here_are_ignored() {
        let (mut fixture, mut composer) = (Fixture::new(), Composer::default());
        for key in ["F1", "Ctrl-K", "Esc", "Ctrl-C", "PgUp", "Ctrl-Q"] {
            assert_eq!(fixture.keys(&mut composer, key), EventResult::Ignored, "{key}");
        }
        fixture.type_text(&mut composer, "x");
        assert_eq!(fixture.keys(&mut composer, "Ctrl-C"), EventResult::Consumed);
        assert!(fixture.workspace.draft().is_empty());
    }
}
