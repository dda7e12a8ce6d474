//! Editing keys of text fields.

use super::KeyPress;
use crate::client::keys::Action;
use crate::client::keys::key::{Code, Key};
use crate::client::screen::text::text_field::TextField;

/// Effect of an action on a text field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// The action is not about text.
    None,
    /// The cursor was moved.
    Moved,
    /// The text was changed.
    Changed,
}

/// Executes an action that edits the text of a field.
pub fn edit_composer(editor: &mut TextField, action: Action) -> Edit {
    match action {
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
        _ => return Edit::None,
    }
    match action {
        Action::Left | Action::Right | Action::WordLeft | Action::WordRight | Action::Home | Action::End => {
            Edit::Moved
        }
        _ => Edit::Changed,
    }
}

/// Handles an editing key in a field of one row.
pub fn edit_field(field: &mut TextField, key: KeyPress) -> Edit {
    match (key.action, key.key) {
        (Some(action), _) => edit_composer(field, action),
        (None, Key { code: Code::Char(c), ctrl: false, alt: false, .. }) => {
            field.insert(c.encode_utf8(&mut [0; 4]));
            Edit::Changed
        }
        (None, _) => Edit::None,
    }
}
