//! Rows of the composer: the text as it is displayed, with passwords hidden, broken to the width.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::message_secrets::secret_start_in_line;
use crate::client::screen::text::wrap::width;
use crate::client::screen::workspace::Workspace;

/// Sign before the text.
pub const PROMPT: &str = "› ";

/// Returns the count of rows that the text needs.
pub fn rows_needed(workspace: &Workspace, columns: u16) -> usize {
    break_rows(&displayed_text(workspace).text, 0, text_columns(columns)).rows.len()
}

/// Returns the byte offset of a password in the text, if it has one.
pub fn secret_start(workspace: &Workspace) -> Option<usize> {
    let here = workspace.current.as_ref().map_or("", |(_, conversation)| conversation.as_str());
    secret_start_in_line(workspace.draft().text(), here)
}

/// Text of the composer for display.
pub struct DisplayedText<'a> {
    /// Text, with dots in place of a password.
    pub text: Cow<'a, str>,
    /// Cursor as a byte offset.
    pub cursor: usize,
}

/// Text that is broken into rows.
pub struct BrokenText<'a> {
    /// Rows of the text.
    pub rows: Vec<&'a str>,
    /// Row of the cursor.
    pub cursor_row: usize,
    /// Column of the cursor, in cells.
    pub cursor_column: usize,
}

/// Returns the text for display. A password is replaced by dots.
pub fn displayed_text(workspace: &Workspace) -> DisplayedText<'_> {
    let field = workspace.draft();
    let Some(from) = secret_start(workspace) else {
        return DisplayedText { text: Cow::Borrowed(field.text()), cursor: field.cursor() };
    };
    let (open, secret) = field.text().split_at(from);
    let (mut shown, mut cursor) = (open.to_owned(), field.cursor().min(from));
    for (index, cluster) in secret.grapheme_indices(true) {
        let space = cluster.chars().all(char::is_whitespace);
        shown.push_str(if space { cluster } else { "•" });
        if from + index < field.cursor() {
            cursor = shown.len();
        }
    }
    DisplayedText { text: Cow::Owned(shown), cursor }
}

/// Returns the columns of the text, behind the prompt.
pub fn text_columns(columns: u16) -> usize {
    usize::from(columns).saturating_sub(width(PROMPT) + 1).max(1)
}

/// Breaks a text with the cursor at this byte offset into rows. Breaks within words, so that words don't jump while they
/// are typed.
pub fn break_rows(text: &str, cursor: usize, room: usize) -> BrokenText<'_> {
    let mut rows = Vec::new();
    let (mut cursor_row, mut cursor_column) = (0, 0);
    let (mut start, mut used) = (0, 0);
    for (index, cluster) in text.grapheme_indices(true) {
        let size = width(cluster);
        if cluster != "\n" && used + size > room {
            rows.push(&text[start..index]);
            (start, used) = (index, 0);
        }
        if index <= cursor {
            (cursor_row, cursor_column) = (rows.len(), used);
        }
        if cluster == "\n" {
            rows.push(&text[start..index]);
            (start, used) = (index + 1, 0);
        } else {
            used += size;
        }
    }
    if cursor >= text.len() {
        (cursor_row, cursor_column) = (rows.len(), used);
    }
    rows.push(&text[start..]);
    BrokenText { rows, cursor_row, cursor_column }
}
