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
pub fn edit_composer(field: &mut TextField, action: Action) -> Edit {
    match action {
        Action::Left => field.move_left(),
        Action::Right => field.move_right(),
        Action::WordLeft => field.move_word_left(),
        Action::WordRight => field.move_word_right(),
        Action::Home => field.move_to_line_start(),
        Action::End => field.move_to_line_end(),
        Action::Backspace => field.backspace(),
        Action::Delete => field.delete(),
        Action::CutWord => field.cut_word(),
        Action::CutToStart => field.cut_to_start(),
        Action::CutToEnd => field.cut_to_end(),
        Action::Yank => field.yank(),
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
