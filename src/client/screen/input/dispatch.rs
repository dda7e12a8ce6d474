//! Handling of keys, pastes and the mouse.

use crate::client::screen::keys::key::{Code, Key, MouseAction, TerminalEvent};
use crate::client::screen::keys::{Action, KeyMode, find_action};
use crate::client::screen::picker::PickerItem;
use crate::client::screen::view::{self, Layout, WindowClick};
use crate::client::screen::{App, Models, Overlay, ScreenEffect};

impl App {
    /// Handles an event of the terminal.
    pub fn handle_terminal_event(&mut self, happening: TerminalEvent, models: Models<'_, '_>) {
        match happening {
            TerminalEvent::Key(key) => {
                self.hint = None;
                self.measure_lag(models);
                self.handle_key(key, models);
            }
            TerminalEvent::Paste(text) => match &mut self.overlay {
                Overlay::None => {
                    self.selection = None;
                    self.composer_mut().insert(&text);
                    self.handle_composer_change(models);
                }
                Overlay::Pick(picker) => {
                    picker.query.insert(&text.replace(['\r', '\n'], " "));
                    picker.update_matches();
                }
                Overlay::Find(finder) => finder.query.insert(&text.replace(['\r', '\n'], " ")),
                Overlay::Help(_) => {}
            },
            TerminalEvent::MouseAction(mouse, column, row) => self.handle_mouse(mouse, column, row, models),
            TerminalEvent::Resize(columns, rows) => self.size = (columns, rows),
            TerminalEvent::Focus(focused) => self.set_focused(focused),
        }
    }

    fn handle_key(&mut self, key: Key, models: Models<'_, '_>) {
        let warned = std::mem::take(&mut self.ctrl_c_warned);
        if !matches!(self.overlay, Overlay::None) {
            return self.handle_overlay_key(key, models);
        }
        let mode = if self.selection.is_some() { KeyMode::Selecting } else { KeyMode::Composing };
        let action = find_action(key, mode);
        // Enter may be the second try of `/quit`, which stays in the composer after the first.
        if !matches!(action, Some(Action::Quit | Action::Clear | Action::Enter)) {
            self.quit_warned = false;
        }
        if !matches!(action, Some(Action::CompleteNext | Action::CompletePrevious)) {
            self.completion = None;
        }
        match action {
            Some(Action::Clear) if self.composer().is_empty() && self.selection.is_none() => {
                if warned {
                    self.request_quit_by_key();
                } else {
                    self.show_hint("press Ctrl-C again to quit");
                    self.ctrl_c_warned = true;
                }
            }
            Some(action) => self.perform(action, models),
            None => {
                let Key { code: Code::Char(c), ctrl: false, alt: false, .. } = key else { return };
                if c == '?' && self.composer().is_empty() {
                    self.overlay = Overlay::Help(0);
                    return;
                }
                // Typing clears the selection, so that the message goes to the composer and new messages stay in view.
                self.selection = None;
                self.composer_mut().insert(c.encode_utf8(&mut [0; 4]));
                if c == ':' {
                    self.replace_shortcode();
                }
                self.handle_composer_change(models);
            }
        }
    }

    fn perform(&mut self, action: Action, models: Models<'_, '_>) {
        match action {
            Action::Help => self.overlay = Overlay::Help(0),
            Action::QuickSwitcher => self.overlay = Overlay::Pick(self.conversation_picker()),
            Action::Search => self.open_search("", models),
            Action::NextConversation => self.switch_by(1),
            Action::PreviousConversation => self.switch_by(-1),
            Action::NextUnread => match self.next_unread() {
                Some(key) => self.switch_to(key),
                None => self.show_hint("no unread messages elsewhere"),
            },
            Action::LastShown => {
                if let Some(key) = self.previous.clone() {
                    self.switch_to(key);
                }
            }
            Action::Conversation(number) => {
                let key = self.buffers().nth(usize::from(number) - 1).map(|(spot, _)| spot);
                if let Some(key) = key {
                    self.switch_to(key);
                }
            }
            Action::PageUp => self.scroll_rows(isize::from(self.half_page_rows())),
            Action::PageDown => self.scroll_rows(-isize::from(self.half_page_rows())),
            Action::FirstNew => self.scroll_to_new(),
            Action::Latest => self.scroll_to_latest(),
            Action::Oldest => self.scroll_to_oldest(),
            Action::ToggleConversations => {
                self.panels.conversations = Some(!Layout::from_app(self).shows_conversations());
            }
            Action::ToggleMembers => self.panels.members = Some(!Layout::from_app(self).shows_members()),
            Action::ToggleMessagesOnly => {
                self.panels.messages_only = !self.panels.messages_only;
                if self.panels.messages_only {
                    self.show_hint("messages only: select text with the mouse; F4 restores the rest");
                }
            }
            Action::Redraw => self.effects.push(ScreenEffect::Redraw),
            Action::Suspend => self.effects.push(ScreenEffect::Suspend),
            Action::Quit => self.request_quit_by_key(),
            Action::Clear => {
                if self.selection.take().is_none() {
                    self.composer_mut().take();
                    self.handle_composer_change(models);
                }
            }
            Action::Escape => self.handle_escape(),
            Action::SelectAbove => self.move_selection(true),
            Action::SelectBelow => self.move_selection(false),
            Action::ToggleFold | Action::ReplyOrFold if self.selected_run().is_some() => {
                self.toggle_selected_run();
            }
            Action::ToggleFold => {}
            Action::Reply | Action::React | Action::Redact if self.selected_run().is_some() => {
                self.show_hint("not a message: Enter expands it, y copies it");
            }
            Action::Reply | Action::ReplyOrFold => self.reply_to_selected(models),
            Action::React => self.open_reaction_picker(),
            Action::Redact => self.redact_selected(models),
            Action::Copy => self.copy_selected(),
            Action::Resend => self.resend_selected(models),
            Action::Enter => self.handle_enter(models),
            Action::CompleteNext => self.complete(models, false),
            Action::CompletePrevious => self.complete(models, true),
            Action::Up => {
                if !self.composer_mut().move_up() {
                    self.recall_sent_line(true);
                }
            }
            Action::Down => {
                if !self.composer_mut().move_down() {
                    self.recall_sent_line(false);
                }
            }
            editing => self.edit_composer(editing, models),
        }
    }

    /// Executes an action that edits the text in the composer.
    fn edit_composer(&mut self, editing: Action, models: Models<'_, '_>) {
        let editor = self.composer_mut();
        match editing {
            Action::Newline => editor.insert("\n"),
            Action::Left => editor.move_left(),
            Action::Right => editor.move_right(),
            Action::WordLeft => editor.move_word_left(),
            Action::WordRight => editor.move_word_right(),
            Action::Home => editor.move_to_line_start(),
            Action::End => editor.move_to_line_end(),
            Action::Backspace => editor.backspace(),
            Action::Delete => editor.delete(),
            Action::CutWord => editor.cut_word(),
            Action::CutToStart => editor.cut_to_start(),
            Action::CutToEnd => editor.cut_to_end(),
            Action::Yank => editor.yank(),
            _ => {}
        }
        if !matches!(
            editing,
            Action::Left | Action::Right | Action::WordLeft | Action::WordRight | Action::Home | Action::End
        ) {
            self.handle_composer_change(models);
        }
    }

    /// Handles a change of the text in the composer.
    fn handle_composer_change(&mut self, models: Models<'_, '_>) {
        self.completion = None;
        self.notify_typing(models);
    }

    fn handle_escape(&mut self) {
        if self.selection.take().is_some() || self.panels.messages_only {
            self.panels.messages_only = false;
        } else if self.current_buffer_mut().is_some_and(|buffer| buffer.reply_to.take().is_some()) {
        } else {
            self.scroll_to_latest();
        }
    }

    fn handle_overlay_key(&mut self, key: Key, models: Models<'_, '_>) {
        let lines = isize::from(self.half_page_rows());
        let action = find_action(key, KeyMode::Composing);
        if let Some(Action::Suspend | Action::Redraw) = action {
            return action.into_iter().for_each(|action| self.perform(action, models));
        }
        if action == Some(Action::Escape)
            || action == Some(Action::Clear)
            || matches!((&self.overlay, action), (Overlay::Help(_), Some(Action::Help | Action::Enter)))
        {
            self.overlay = Overlay::None;
            return;
        }
        let step = match action {
            Some(Action::Up | Action::PreviousConversation | Action::CompletePrevious) => Some(-1),
            Some(Action::Down | Action::NextConversation | Action::CompleteNext) => Some(1),
            Some(Action::PageUp) => Some(-lines),
            Some(Action::PageDown) => Some(lines),
            _ => None,
        };
        match &mut self.overlay {
            Overlay::Help(row) => {
                if let Some(step) = step {
                    *row = row.saturating_add_signed(step);
                } else if matches!(key.code, Code::Char('q' | '?')) {
                    self.overlay = Overlay::None;
                }
            }
            Overlay::Pick(picker) => match (step, action) {
                (Some(step), _) => picker.move_selection(step),
                (None, Some(Action::Enter)) => self.apply_pick(models),
                _ => {
                    if edit_field(&mut picker.query, key, action) {
                        picker.update_matches();
                    }
                }
            },
            Overlay::Find(finder) => match (step, action) {
                (Some(step), _) => finder.move_selection(step),
                (None, Some(Action::Enter)) => self.submit_search(models),
                _ => drop(edit_field(&mut finder.query, key, action)),
            },
            Overlay::None => {}
        }
    }

    /// Carries out the selected choice of a pick list.
    fn apply_pick(&mut self, models: Models<'_, '_>) {
        let Overlay::Pick(picker) = std::mem::take(&mut self.overlay) else { return };
        match picker.selected_item().cloned() {
            Some(PickerItem::Conversation(key)) => self.switch_to(key),
            Some(PickerItem::Emoji { emoji, key, msgid }) => {
                if let Err(error) = self.toggle_reaction(&key, &msgid, emoji, models) {
                    self.show_error(&error);
                }
            }
            None => {}
        }
    }

    /// Handles a click while a window is open: chooses the item under the mouse, or closes the window on a click beside
    /// it.
    fn handle_overlay_click(&mut self, column: u16, row: u16, models: Models<'_, '_>) {
        match (view::window_click_target(self, column, row), &mut self.overlay) {
            (WindowClick::Outside, _) => self.overlay = Overlay::None,
            (WindowClick::Item(item), Overlay::Pick(picker)) => {
                picker.selected = item;
                self.apply_pick(models);
            }
            (WindowClick::Item(item), Overlay::Find(finder)) => {
                finder.selected = item;
                self.submit_search(models);
            }
            _ => {}
        }
    }

    fn handle_mouse(&mut self, mouse: MouseAction, column: u16, row: u16, models: Models<'_, '_>) {
        if !matches!(self.overlay, Overlay::None) {
            let step = match mouse {
                MouseAction::WheelUp => -3,
                MouseAction::WheelDown => 3,
                MouseAction::Click => return self.handle_overlay_click(column, row, models),
            };
            match &mut self.overlay {
                Overlay::Help(at) => *at = at.saturating_add_signed(step),
                Overlay::Pick(picker) => picker.move_selection(step.signum()),
                Overlay::Find(finder) => finder.move_selection(step.signum()),
                Overlay::None => {}
            }
            return;
        }
        match mouse {
            MouseAction::WheelUp => self.scroll_rows(3),
            MouseAction::WheelDown => self.scroll_rows(-3),
            MouseAction::Click => self.handle_click(column, row, models),
        }
    }
}

/// Handles an editing key in a field of one row. Returns `true` if the text has changed.
fn edit_field(
    editor: &mut crate::client::screen::text::text_field::TextField,
    key: Key,
    action: Option<Action>,
) -> bool {
    match action {
        Some(Action::Left) => editor.move_left(),
        Some(Action::Right) => editor.move_right(),
        Some(Action::WordLeft) => editor.move_word_left(),
        Some(Action::WordRight) => editor.move_word_right(),
        Some(Action::Home) => editor.move_to_line_start(),
        Some(Action::End) => editor.move_to_line_end(),
        Some(Action::Backspace) => editor.backspace(),
        Some(Action::Delete) => editor.delete(),
        Some(Action::CutWord) => editor.cut_word(),
        Some(Action::CutToStart) => editor.cut_to_start(),
        Some(Action::CutToEnd) => editor.cut_to_end(),
        Some(Action::Yank) => editor.yank(),
        Some(_) => return false,
        None => match key {
            Key { code: Code::Char(c), ctrl: false, alt: false, .. } => {
                editor.insert(c.encode_utf8(&mut [0; 4]));
            }
            _ => return false,
        },
    }
    !matches!(
        action,
        Some(
            Action::Left | Action::Right | Action::WordLeft | Action::WordRight | Action::Home | Action::End
        )
    )
}
