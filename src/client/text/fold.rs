//! Line breaks between words, for terminals that would break within them.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr;

/// Breaks a line before words that have no room, into rows of at most `columns` cells. All but the first begin with `indent`
/// spaces, or with none where the terminal is too narrow for them. A word longer than a row, such as a link, stays whole.
pub fn fold(line: &str, columns: usize, indent: usize) -> Vec<String> {
    let indent = if columns >= 4 * indent { indent } else { 0 };
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    // Each word comes with the spaces behind it.
    for word in line.split_inclusive(' ') {
        let shown = word.trim_end_matches(' ');
        let has_text = !row.trim_start().is_empty();
        if has_text && used + cells(shown) > columns {
            rows.push(row.trim_end().to_owned());
            row = " ".repeat(indent);
            used = indent;
        }
        row.push_str(word);
        used += cells(word);
    }
    rows.push(row.trim_end().to_owned());
    rows
}

fn cells(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_between_words() {
        for (line, columns, expected) in [
            ("[20:09] #lobby <bob> are you there", 24, "[20:09] #lobby <bob> are|  you there"),
            ("[20:09] #lobby <bob> are you there", 23, "[20:09] #lobby <bob>|  are you there"),
            ("short", 80, "short"),
            ("", 80, ""),
            ("  indented   text here", 16, "  indented|  text here"),
            ("see https://example.net/a-long-path now", 12, "see|  https://example.net/a-long-path|  now"),
            ("日本 日本 日本", 9, "日本 日本|  日本"),
            ("one two", 3, "one|two"),
        ] {
            let rows = fold(line, columns, 2);
            assert_eq!(rows.join("|"), expected, "{line} at {columns}");
        }
    }

    proptest! {
        #[test]
        fn words_stay_whole(line in "[a-z日 ]{0,60}", columns in 1..40_usize, indent in 0..9_usize) {
            let rows = fold(&line, columns, indent);
            let words: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
            let expected: Vec<&str> = line.split_whitespace().collect();
            prop_assert_eq!(words, expected);
            for row in &rows {
                prop_assert!(cells(row) <= columns || row.split_whitespace().count() <= 1, "{:?}", rows);
            }
        }
    }
}
