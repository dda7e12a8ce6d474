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
    break_rows(&displayed_text(workspace).0, 0, text_columns(columns)).0.len()
}

/// Returns the byte offset of a password in the text, if it has one.
pub fn secret_start(workspace: &Workspace) -> Option<usize> {
    let here = workspace.current.as_ref().map_or("", |(_, conversation)| conversation.as_str());
    secret_start_in_line(workspace.draft().text(), here)
}

/// Returns the text for display and its cursor as a byte offset. A password is replaced by dots.
pub fn displayed_text(workspace: &Workspace) -> (Cow<'_, str>, usize) {
    let field = workspace.draft();
    let Some(from) = secret_start(workspace) else { return (Cow::Borrowed(field.text()), field.cursor()) };
    let (open, secret) = field.text().split_at(from);
    let (mut shown, mut at) = (open.to_owned(), field.cursor().min(from));
    for (index, cluster) in secret.grapheme_indices(true) {
        let space = cluster.chars().all(char::is_whitespace);
        shown.push_str(if space { cluster } else { "•" });
        if from + index < field.cursor() {
            at = shown.len();
        }
    }
    (Cow::Owned(shown), at)
}

/// Returns the columns of the text, behind the prompt.
pub fn text_columns(columns: u16) -> usize {
    usize::from(columns).saturating_sub(width(PROMPT) + 1).max(1)
}

/// Breaks a text into rows, and returns the row and column of the byte offset `at`. Breaks within words, so that words
/// don't jump while they are typed.
pub fn break_rows(text: &str, at: usize, room: usize) -> (Vec<&str>, (usize, usize)) {
    let mut rows = Vec::new();
    let mut cursor = (0, 0);
    let (mut start, mut used) = (0, 0);
    for (index, cluster) in text.grapheme_indices(true) {
        let size = width(cluster);
        if cluster != "\n" && used + size > room {
            rows.push(&text[start..index]);
            (start, used) = (index, 0);
        }
        if index <= at {
            cursor = (rows.len(), used);
        }
        if cluster == "\n" {
            rows.push(&text[start..index]);
            (start, used) = (index + 1, 0);
        } else {
            used += size;
        }
    }
    if at >= text.len() {
        cursor = (rows.len(), used);
    }
    rows.push(&text[start..]);
    (rows, cursor)
}
