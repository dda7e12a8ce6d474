//! Text field, such as the composer. Its cursor moves by grapheme clusters.

use unicode_segmentation::UnicodeSegmentation as _;

use super::sanitize::TAB;

/// Text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextField {
    text: String,
    /// Cursor as a byte offset, on a boundary of clusters.
    cursor: usize,
    /// Text of the last cut.
    cut_text: String,
}

impl TextField {
    /// Limit of the text, in bytes. A server takes less than half of it as one message.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the cursor as a byte offset.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text, and moves the cursor to its end.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
    }

    /// Empties the field. Returns the text.
    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Replaces the bytes from `from` to the cursor.
    pub fn replace_before_cursor(&mut self, from: usize, with: &str) {
        let from = self.text.floor_char_boundary(from.min(self.cursor));
        self.text.replace_range(from..self.cursor, with);
        self.cursor = from + with.len();
    }

    /// Inserts text into a field of one line: line ends become spaces.
    pub fn insert_in_line(&mut self, text: &str) {
        self.insert(&text.replace(['\r', '\n'], " "));
    }

    /// Inserts text, such as a paste, at the cursor. Tabs become spaces. Removes other control characters except line
    /// ends, and what exceeds [`TextField::MAX_BYTES`].
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', TAB);
        let mut text: String = text
            .chars()
            .filter(|&c| c == '\n' || !crate::client::text::clean::is_terminal_control(c))
            .collect();
        text.truncate(text.floor_char_boundary(Self::MAX_BYTES.saturating_sub(self.text.len())));
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
    }

    /// Moves one cluster to the left.
    pub fn move_left(&mut self) {
        self.cursor = self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
    }

    /// Moves one cluster to the right.
    pub fn move_right(&mut self) {
        self.cursor += self.text[self.cursor..].graphemes(true).next().map_or(0, str::len);
    }

    /// Moves to the start of the word, or of the word before.
    pub fn move_word_left(&mut self) {
        let before = self.text[..self.cursor].trim_end();
        self.cursor = before.rfind(char::is_whitespace).map_or(0, |at| self.text.ceil_char_boundary(at + 1));
    }

    /// Moves behind the word, or behind the next one.
    pub fn move_word_right(&mut self) {
        let rest = &self.text[self.cursor..];
        let word = rest.len() - rest.trim_start().len();
        let end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |end| word + end);
        self.cursor += end;
    }

    /// Moves to the start of the line.
    pub fn move_to_line_start(&mut self) {
        self.cursor = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
    }

    /// Moves to the end of the line.
    pub fn move_to_line_end(&mut self) {
        self.cursor += self.text[self.cursor..].find('\n').unwrap_or(self.text.len() - self.cursor);
    }

    /// Moves one line up. Returns `false` on the first line.
    pub fn move_up(&mut self) -> bool {
        let start = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
        if start == 0 {
            return false;
        }
        let column = self.text[start..self.cursor].graphemes(true).count();
        let above = self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        self.cursor = above + cluster_offset(&self.text[above..start - 1], column);
        true
    }

    /// Moves one line down. Returns `false` on the last line.
    pub fn move_down(&mut self) -> bool {
        let Some(end) = self.text[self.cursor..].find('\n') else { return false };
        let start = self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1);
        let column = self.text[start..self.cursor].graphemes(true).count();
        let below = self.cursor + end + 1;
        let line = self.text[below..].split('\n').next().unwrap_or_default();
        self.cursor = below + cluster_offset(line, column);
        true
    }

    /// Removes the cluster before the cursor.
    pub fn backspace(&mut self) {
        let end = self.cursor;
        self.move_left();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Removes the cluster behind the cursor.
    pub fn delete(&mut self) {
        let start = self.cursor;
        self.move_right();
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Cuts the word before the cursor.
    pub fn cut_word(&mut self) {
        let end = self.cursor;
        self.move_word_left();
        self.cut_text = self.text[self.cursor..end].to_owned();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Cuts from the start of the line to the cursor.
    pub fn cut_to_start(&mut self) {
        let end = self.cursor;
        self.move_to_line_start();
        self.cut_text = self.text[self.cursor..end].to_owned();
        self.text.replace_range(self.cursor..end, "");
    }

    /// Cuts from the cursor to the end of the line.
    pub fn cut_to_end(&mut self) {
        let start = self.cursor;
        self.move_to_line_end();
        self.cut_text = self.text[start..self.cursor].to_owned();
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    /// Inserts the text of the last cut.
    pub fn yank(&mut self) {
        let cut_text = self.cut_text.clone();
        self.insert(&cut_text);
    }
}

/// Returns the byte offset of the cluster with that index, or the end where there are fewer.
fn cluster_offset(text: &str, number: usize) -> usize {
    text.grapheme_indices(true).nth(number).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field(text: &str) -> TextField {
        let mut field = TextField::default();
        field.insert(text);
        field
    }

    #[test]
    fn edits_by_grapheme_cluster() {
        let mut e = field("hello 👩‍👩‍👧");
        e.backspace();
        assert_eq!(e.text(), "hello ");
        e.cut_word();
        assert_eq!((e.text(), e.cursor()), ("", 0));
        e.yank();
        e.yank();
        assert_eq!(e.text(), "hello hello ");
        e.move_word_left();
        e.cut_to_end();
        assert_eq!(e.text(), "hello ");
        e.move_to_line_start();
        e.delete();
        e.move_right();
        e.insert("X");
        assert_eq!(e.text(), "eXllo ");
        e.replace_before_cursor(0, "Y");
        assert_eq!((e.take(), e.is_empty()), ("Yllo ".to_owned(), true));
    }

    #[test]
    fn moves_between_lines() {
        assert_eq!(field("if:\n\tx").text(), "if:\n    x");
        let mut e = field("one\r\ntwo three\nx\u{1b}[2J");
        assert_eq!(e.text(), "one\ntwo three\nx[2J");
        assert!(e.move_up() && e.move_up() && !e.move_up());
        assert_eq!(e.cursor(), 3);
        assert!(e.move_down() && e.move_down() && !e.move_down());
    }

    proptest! {
        #[test]
        fn arbitrary_edits_never_panic(text in "[a é\n👍日\u{301}]{0,12}", keys in proptest::collection::vec(0u8..14, 0..40)) {
            let mut e = field(&text);
            for key in keys {
                match key {
                    0 => e.move_left(), 1 => e.move_right(), 2 => e.move_word_left(), 3 => e.move_word_right(), 4 => e.move_to_line_start(), 5 => e.move_to_line_end(),
                    6 => { e.move_up(); } 7 => { e.move_down(); } 8 => e.backspace(), 9 => e.delete(), 10 => e.cut_word(),
                    11 => e.cut_to_start(), 12 => e.cut_to_end(), _ => e.yank(),
                }
                prop_assert!(e.text().is_char_boundary(e.cursor()));
            }
        }
    }
}
