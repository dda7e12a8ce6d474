//! Composer: the field that a message is written in. The cursor moves by grapheme clusters.

use unicode_segmentation::UnicodeSegmentation as _;

/// Text with a cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Editor {
    text: String,
    /// Cursor as a byte offset, on a boundary of clusters.
    at: usize,
    /// Text of the last cut.
    kept: String,
}

impl Editor {
    /// Limit of the text, in bytes. A server takes less than half of it as one message.
    pub const MAX: usize = 64 * 1024;

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the cursor as a byte offset.
    pub fn at(&self) -> usize {
        self.at
    }

    /// Returns whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Replaces the text, and moves the cursor to its end.
    pub fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.at = self.text.len();
    }

    /// Empties the composer. Returns the text.
    pub fn take(&mut self) -> String {
        self.at = 0;
        std::mem::take(&mut self.text)
    }

    /// Replaces the bytes from `from` to the cursor.
    pub fn replace(&mut self, from: usize, with: &str) {
        let from = self.text.floor_char_boundary(from.min(self.at));
        self.text.replace_range(from..self.at, with);
        self.at = from + with.len();
    }

    /// Inserts text, such as a paste, at the cursor. Removes control characters except line ends, and what exceeds
    /// [`Editor::MAX`].
    pub fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut text: String = text
            .chars()
            .map(|c| if c == '\t' { ' ' } else { c })
            .filter(|&c| c == '\n' || !crate::client::clean::acts(c))
            .collect();
        text.truncate(text.floor_char_boundary(Self::MAX.saturating_sub(self.text.len())));
        self.text.insert_str(self.at, &text);
        self.at += text.len();
    }

    /// Moves one cluster to the left.
    pub fn left(&mut self) {
        self.at = self.text[..self.at].grapheme_indices(true).next_back().map_or(0, |(at, _)| at);
    }

    /// Moves one cluster to the right.
    pub fn right(&mut self) {
        self.at += self.text[self.at..].graphemes(true).next().map_or(0, str::len);
    }

    /// Moves to the start of the word, or of the word before.
    pub fn word_left(&mut self) {
        let before = self.text[..self.at].trim_end();
        self.at = before.rfind(char::is_whitespace).map_or(0, |at| self.text.ceil_char_boundary(at + 1));
    }

    /// Moves behind the word, or behind the next one.
    pub fn word_right(&mut self) {
        let rest = &self.text[self.at..];
        let word = rest.len() - rest.trim_start().len();
        let end = rest[word..].find(char::is_whitespace).map_or(rest.len(), |end| word + end);
        self.at += end;
    }

    /// Moves to the start of the line.
    pub fn home(&mut self) {
        self.at = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
    }

    /// Moves to the end of the line.
    pub fn end(&mut self) {
        self.at += self.text[self.at..].find('\n').unwrap_or(self.text.len() - self.at);
    }

    /// Moves one line up. Returns `false` on the first line.
    pub fn up(&mut self) -> bool {
        let start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        if start == 0 {
            return false;
        }
        let column = self.text[start..self.at].graphemes(true).count();
        let above = self.text[..start - 1].rfind('\n').map_or(0, |at| at + 1);
        self.at = above + nth(&self.text[above..start - 1], column);
        true
    }

    /// Moves one line down. Returns `false` on the last line.
    pub fn down(&mut self) -> bool {
        let Some(end) = self.text[self.at..].find('\n') else { return false };
        let start = self.text[..self.at].rfind('\n').map_or(0, |at| at + 1);
        let column = self.text[start..self.at].graphemes(true).count();
        let below = self.at + end + 1;
        let line = self.text[below..].split('\n').next().unwrap_or_default();
        self.at = below + nth(line, column);
        true
    }

    /// Removes the cluster before the cursor.
    pub fn backspace(&mut self) {
        let end = self.at;
        self.left();
        self.text.replace_range(self.at..end, "");
    }

    /// Removes the cluster behind the cursor.
    pub fn delete(&mut self) {
        let start = self.at;
        self.right();
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Cuts the word before the cursor.
    pub fn cut_word(&mut self) {
        let end = self.at;
        self.word_left();
        self.kept = self.text[self.at..end].to_owned();
        self.text.replace_range(self.at..end, "");
    }

    /// Cuts from the start of the line to the cursor.
    pub fn cut_to_start(&mut self) {
        let end = self.at;
        self.home();
        self.kept = self.text[self.at..end].to_owned();
        self.text.replace_range(self.at..end, "");
    }

    /// Cuts from the cursor to the end of the line.
    pub fn cut_to_end(&mut self) {
        let start = self.at;
        self.end();
        self.kept = self.text[start..self.at].to_owned();
        self.text.replace_range(start..self.at, "");
        self.at = start;
    }

    /// Inserts the text of the last cut.
    pub fn put_back(&mut self) {
        let kept = self.kept.clone();
        self.insert(&kept);
    }
}

/// Returns the byte offset of the cluster with that index, or the end where there are fewer.
fn nth(text: &str, number: usize) -> usize {
    text.grapheme_indices(true).nth(number).map_or(text.len(), |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn editor(text: &str) -> Editor {
        let mut editor = Editor::default();
        editor.insert(text);
        editor
    }

    #[test]
    fn edits_by_grapheme_cluster() {
        let mut e = editor("hello 👩‍👩‍👧");
        e.backspace();
        assert_eq!(e.text(), "hello ");
        e.cut_word();
        assert_eq!((e.text(), e.at()), ("", 0));
        e.put_back();
        e.put_back();
        assert_eq!(e.text(), "hello hello ");
        e.word_left();
        e.cut_to_end();
        assert_eq!(e.text(), "hello ");
        e.home();
        e.delete();
        e.right();
        e.insert("X");
        assert_eq!(e.text(), "eXllo ");
        e.replace(0, "Y");
        assert_eq!((e.take(), e.is_empty()), ("Yllo ".to_owned(), true));
    }

    #[test]
    fn moves_between_lines() {
        let mut e = editor("one\r\ntwo three\nx\u{1b}[2J");
        assert_eq!(e.text(), "one\ntwo three\nx[2J");
        assert!(e.up() && e.up() && !e.up());
        assert_eq!(e.at(), 3);
        assert!(e.down() && e.down() && !e.down());
    }

    proptest! {
        #[test]
        fn arbitrary_edits_never_panic(text in "[a é\n👍日\u{301}]{0,12}", keys in proptest::collection::vec(0u8..14, 0..40)) {
            let mut e = editor(&text);
            for key in keys {
                match key {
                    0 => e.left(), 1 => e.right(), 2 => e.word_left(), 3 => e.word_right(), 4 => e.home(), 5 => e.end(),
                    6 => { e.up(); } 7 => { e.down(); } 8 => e.backspace(), 9 => e.delete(), 10 => e.cut_word(),
                    11 => e.cut_to_start(), 12 => e.cut_to_end(), _ => e.put_back(),
                }
                prop_assert!(e.text().is_char_boundary(e.at()));
            }
        }
    }
}
