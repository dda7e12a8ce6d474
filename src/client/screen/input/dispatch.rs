//! Handling of keys, pastes and the mouse.

use crate::client::screen::keys::key::{Code, Happening, Key, Mouse};
use crate::client::screen::keys::{Action, When, action};
use crate::client::screen::picker::Item;
use crate::client::screen::view::{self, Hit, Layout};
use crate::client::screen::{App, Effect, Models, Overlay};

impl App {
    /// Handles an event of the terminal.
    pub fn happening(&mut self, happening: Happening, models: Models<'_, '_>) {
        match happening {
            Happening::Key(key) => {
                self.hint = None;
                self.measure(models);
                self.key(key, models);
            }
            Happening::Paste(text) => match &mut self.overlay {
                Overlay::None => {
                    self.chosen = None;
                    self.editor_mut().insert(&text);
                    self.changed(models);
                }
                Overlay::Pick(picker) => {
                    picker.query.insert(&text.replace(['\r', '\n'], " "));
                    picker.narrow();
                }
                Overlay::Find(finder) => finder.query.insert(&text.replace(['\r', '\n'], " ")),
                Overlay::Help(_) => {}
            },
            Happening::Mouse(mouse, column, row) => self.mouse(mouse, column, row, models),
            Happening::Resize(columns, rows) => self.size = (columns, rows),
            Happening::Focus(focused) => self.focus(focused),
        }
    }

    fn key(&mut self, key: Key, models: Models<'_, '_>) {
        let warned = std::mem::take(&mut self.warned);
        if !matches!(self.overlay, Overlay::None) {
            return self.key_in_overlay(key, models);
        }
        let when = if self.chosen.is_some() { When::Choosing } else { When::Writing };
        let action = action(key, when);
        // Enter may be the second try of `/quit`, which stays in the composer after the first.
        if !matches!(action, Some(Action::Quit | Action::Clear | Action::Enter)) {
            self.insists = false;
        }
        if !matches!(action, Some(Action::Complete | Action::CompleteBack)) {
            self.completion = None;
        }
        match action {
            Some(Action::Clear) if self.editor().is_empty() && self.chosen.is_none() => {
                if warned {
                    self.leave_by_key();
                } else {
                    self.hint("press Ctrl-C again to quit");
                    self.warned = true;
                }
            }
            Some(action) => self.act(action, models),
            None => {
                let Key { code: Code::Char(c), ctrl: false, alt: false, .. } = key else { return };
                if c == '?' && self.editor().is_empty() {
                    self.overlay = Overlay::Help(0);
                    return;
                }
                // Typing clears the selection, so that the message goes to the composer and new messages stay in view.
                self.chosen = None;
                self.editor_mut().insert(c.encode_utf8(&mut [0; 4]));
                if c == ':' {
                    self.emoji_written();
                }
                self.changed(models);
            }
        }
    }

    fn act(&mut self, action: Action, models: Models<'_, '_>) {
        match action {
            Action::Help => self.overlay = Overlay::Help(0),
            Action::Switch => self.overlay = Overlay::Pick(self.switcher()),
            Action::Search => self.search("", models),
            Action::Next => self.step_place(1),
            Action::Previous => self.step_place(-1),
            Action::Unread => match self.unread_elsewhere() {
                Some(spot) => self.go(spot),
                None => self.hint("no unread messages elsewhere"),
            },
            Action::Back => {
                if let Some(spot) = self.before.clone() {
                    self.go(spot);
                }
            }
            Action::Number(number) => {
                let spot = self.spots().nth(usize::from(number) - 1).map(|(spot, _)| spot);
                if let Some(spot) = spot {
                    self.go(spot);
                }
            }
            Action::PageUp => self.scroll(isize::from(self.half_page())),
            Action::PageDown => self.scroll(-isize::from(self.half_page())),
            Action::New => self.go_to_new(),
            Action::Latest => self.go_to_latest(),
            Action::Oldest => self.go_to_oldest(),
            Action::Places => self.parts.places = Some(!Layout::of(self).has_places()),
            Action::Members => self.parts.members = Some(!Layout::of(self).has_members()),
            Action::Bare => {
                self.parts.bare = !self.parts.bare;
                if self.parts.bare {
                    self.hint("messages only: select text with the mouse; F4 restores the rest");
                }
            }
            Action::Redraw => self.effects.push(Effect::Redraw),
            Action::Suspend => self.effects.push(Effect::Suspend),
            Action::Quit => self.leave_by_key(),
            Action::Clear => {
                if self.chosen.take().is_none() {
                    self.editor_mut().take();
                    self.changed(models);
                }
            }
            Action::Escape => self.escape(),
            Action::Above => self.choose(true),
            Action::Below => self.choose(false),
            Action::Fold | Action::Take if self.chosen_run().is_some() => self.fold_chosen(),
            Action::Fold => {}
            Action::Reply | Action::React | Action::Redact if self.chosen_run().is_some() => {
                self.hint("not a message: Enter expands it, y copies it");
            }
            Action::Reply | Action::Take => self.reply(models),
            Action::React => self.react_to_chosen(),
            Action::Redact => self.redact_chosen(models),
            Action::Copy => self.copy_chosen(),
            Action::Again => self.send_again(models),
            Action::Enter => self.entered(models),
            Action::Complete => self.complete(models, false),
            Action::CompleteBack => self.complete(models, true),
            Action::Up => {
                if !self.editor_mut().up() {
                    self.recall(true);
                }
            }
            Action::Down => {
                if !self.editor_mut().down() {
                    self.recall(false);
                }
            }
            editing => self.edit(editing, models),
        }
    }

    /// Executes an action that edits the text in the composer.
    fn edit(&mut self, editing: Action, models: Models<'_, '_>) {
        let editor = self.editor_mut();
        match editing {
            Action::Newline => editor.insert("\n"),
            Action::Left => editor.left(),
            Action::Right => editor.right(),
            Action::WordLeft => editor.word_left(),
            Action::WordRight => editor.word_right(),
            Action::Home => editor.home(),
            Action::End => editor.end(),
            Action::Backspace => editor.backspace(),
            Action::Delete => editor.delete(),
            Action::CutWord => editor.cut_word(),
            Action::CutToStart => editor.cut_to_start(),
            Action::CutToEnd => editor.cut_to_end(),
            Action::PutBack => editor.put_back(),
            _ => {}
        }
        if !matches!(
            editing,
            Action::Left | Action::Right | Action::WordLeft | Action::WordRight | Action::Home | Action::End
        ) {
            self.changed(models);
        }
    }

    /// Handles a change of the text in the composer.
    fn changed(&mut self, models: Models<'_, '_>) {
        self.completion = None;
        self.writes(models);
    }

    fn escape(&mut self) {
        if self.chosen.take().is_some() || self.parts.bare {
            self.parts.bare = false;
        } else if self.buffer_mut().is_some_and(|buffer| buffer.reply.take().is_some()) {
        } else {
            self.go_to_latest();
        }
    }

    fn key_in_overlay(&mut self, key: Key, models: Models<'_, '_>) {
        let lines = isize::from(self.half_page());
        let action = action(key, When::Writing);
        if let Some(Action::Suspend | Action::Redraw) = action {
            return action.into_iter().for_each(|action| self.act(action, models));
        }
        if action == Some(Action::Escape)
            || action == Some(Action::Clear)
            || matches!((&self.overlay, action), (Overlay::Help(_), Some(Action::Help | Action::Enter)))
        {
            self.overlay = Overlay::None;
            return;
        }
        let step = match action {
            Some(Action::Up | Action::Previous | Action::CompleteBack) => Some(-1),
            Some(Action::Down | Action::Next | Action::Complete) => Some(1),
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
                (Some(step), _) => picker.step(step),
                (None, Some(Action::Enter)) => self.picked(models),
                _ => {
                    if edit(&mut picker.query, key, action) {
                        picker.narrow();
                    }
                }
            },
            Overlay::Find(finder) => match (step, action) {
                (Some(step), _) => finder.step(step),
                (None, Some(Action::Enter)) => self.search_entered(models),
                _ => drop(edit(&mut finder.query, key, action)),
            },
            Overlay::None => {}
        }
    }

    /// Carries out the selected choice of a pick list.
    fn picked(&mut self, models: Models<'_, '_>) {
        let Overlay::Pick(picker) = std::mem::take(&mut self.overlay) else { return };
        match picker.choice().cloned() {
            Some(Item::Place(spot)) => self.go(spot),
            Some(Item::Emoji { emoji, spot, msgid }) => {
                if let Err(why) = self.react(&spot, &msgid, emoji, models) {
                    self.complain(&why);
                }
            }
            None => {}
        }
    }

    /// Handles a click while a window is open: chooses the item under the mouse, or closes the window on a click beside
    /// it.
    fn click_over(&mut self, column: u16, row: u16, models: Models<'_, '_>) {
        match (view::hit(self, column, row), &mut self.overlay) {
            (Hit::Outside, _) => self.overlay = Overlay::None,
            (Hit::Item(item), Overlay::Pick(picker)) => {
                picker.at = item;
                self.picked(models);
            }
            (Hit::Item(item), Overlay::Find(finder)) => {
                finder.at = item;
                self.search_entered(models);
            }
            _ => {}
        }
    }

    fn mouse(&mut self, mouse: Mouse, column: u16, row: u16, models: Models<'_, '_>) {
        if !matches!(self.overlay, Overlay::None) {
            let step = match mouse {
                Mouse::WheelUp => -3,
                Mouse::WheelDown => 3,
                Mouse::Click => return self.click_over(column, row, models),
            };
            match &mut self.overlay {
                Overlay::Help(at) => *at = at.saturating_add_signed(step),
                Overlay::Pick(picker) => picker.step(step.signum()),
                Overlay::Find(finder) => finder.step(step.signum()),
                Overlay::None => {}
            }
            return;
        }
        match mouse {
            Mouse::WheelUp => self.scroll(3),
            Mouse::WheelDown => self.scroll(-3),
            Mouse::Click => self.click(column, row, models),
        }
    }
}

/// Handles an editing key in a field of one row. Returns `true` if the text has changed.
fn edit(
    editor: &mut crate::client::screen::text::composer::Editor,
    key: Key,
    action: Option<Action>,
) -> bool {
    match action {
        Some(Action::Left) => editor.left(),
        Some(Action::Right) => editor.right(),
        Some(Action::WordLeft) => editor.word_left(),
        Some(Action::WordRight) => editor.word_right(),
        Some(Action::Home) => editor.home(),
        Some(Action::End) => editor.end(),
        Some(Action::Backspace) => editor.backspace(),
        Some(Action::Delete) => editor.delete(),
        Some(Action::CutWord) => editor.cut_word(),
        Some(Action::CutToStart) => editor.cut_to_start(),
        Some(Action::CutToEnd) => editor.cut_to_end(),
        Some(Action::PutBack) => editor.put_back(),
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
