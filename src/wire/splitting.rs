//! Cutting of text into pieces that fit lines of at most [`MAX_LINE_BYTES`] bytes, for clients that did not negotiate longer
//! ones.

use unicode_segmentation::GraphemeCursor;

use super::formatting;

/// Maximum length of a line without tags, in bytes, CR LF included (<https://modern.ircdocs.horse/#message-format>).
pub const MAX_LINE_BYTES: usize = 512;

/// Length of the longest formatting code with its arguments, in bytes: a byte and two colours of six digits
/// (<https://modern.ircdocs.horse/formatting>).
const MAX_CODE_BYTES: usize = "\x04rrggbb,rrggbb".len();

/// Cuts the text into pieces of at most `max_bytes`; joined, they are the text again. A piece ends between grapheme
/// clusters and outside of formatting codes, and after a space where one is near. A cluster over `max_bytes` is cut
/// between characters.
pub fn split_text(text: &str, max_bytes: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, more) = rest.split_at(split_point(rest, max_bytes));
        rest = more;
        Some(piece)
    })
}

/// Returns the byte offset at which the first piece of a text ends. It is at least one character, so that cutting
/// terminates.
pub fn split_point(text: &str, max_bytes: usize) -> usize {
    if text.len() <= max_bytes {
        return text.len();
    }
    let end = text.floor_char_boundary(max_bytes);
    let last = match cluster_boundary(text, end) {
        0 => return end.max(text.chars().next().map_or(0, char::len_utf8)),
        last => code_start(text, last).filter(|&start| start > 0).unwrap_or(last),
    };
    let near = text.floor_char_boundary(last - last / 4);
    let space = text.get(near..last).and_then(|tail| tail.rfind(' ')).map(|at| near + at + 1);
    space.filter(|&at| cluster_boundary(text, at) == at).unwrap_or(last)
}

/// Returns the last boundary between grapheme clusters at or before `end`, which is a boundary between characters.
fn cluster_boundary(text: &str, end: usize) -> usize {
    let mut cursor = GraphemeCursor::new(end, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) | Err(_) => end,
        Ok(false) => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
    }
}

/// Returns the byte offset of the formatting code that a cut at `at` would tear.
fn code_start(text: &str, at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let from = at.saturating_sub(MAX_CODE_BYTES);
    let start = from + bytes.get(from..at)?.iter().rposition(|byte| matches!(byte, 3 | 4))?;
    let end = text.len() - formatting::strip_code(text.get(start..)?)?.len();
    (at < end).then_some(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation as _;

    use super::*;

    fn collect_pieces(text: &str, room: usize) -> Vec<&str> {
        split_text(text, room).collect()
    }

    #[test]
    fn pieces_end_between_clusters_and_after_spaces() {
        assert_eq!(collect_pieces("", 8), [""; 0]);
        assert_eq!(collect_pieces("12345678", 8), ["12345678"]);
        assert_eq!(collect_pieces("123456789", 8), ["12345678", "9"]);
        assert_eq!(collect_pieces("one two three", 8), ["one two ", "three"]);
        assert_eq!(collect_pieces("a bcdefghijk", 8), ["a bcdefg", "hijk"], "a space that is far is none");
        assert_eq!(collect_pieces("üüüüü", 5), ["üü", "üü", "ü"]);
        // A family of four is one cluster of 25 bytes.
        let family = "👨‍👩‍👧‍👦";
        assert_eq!(collect_pieces(&format!("abc{family}d"), 26), ["abc", &format!("{family}d")]);
        assert_eq!(
            collect_pieces(&format!("a{}", "\u{301}".repeat(9)), 8).concat(),
            format!("a{}", "\u{301}".repeat(9))
        );
        assert_eq!(collect_pieces("👍", 1), ["👍"], "no endless loop");
    }

    #[test]
    fn pieces_never_end_inside_a_formatting_code() {
        assert_eq!(collect_pieces("12345\u{3}04,12red", 8), ["12345", "\u{3}04,12re", "d"]);
        assert_eq!(collect_pieces("1234\u{3}4,12red", 8), ["1234", "\u{3}4,12red"]);
        assert_eq!(collect_pieces("12345\u{3}4red", 8), ["12345\u{3}4r", "ed"]);
        assert_eq!(collect_pieces("123\u{4}ff8800red", 8), ["123", "\u{4}ff8800r", "ed"]);
        assert_eq!(collect_pieces("123456\u{2}bold", 8), ["123456\u{2}b", "old"]);
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_text_and_keep_clusters_whole(text in "([a-c ]|\u{3}[0-9]{0,3},?|\u{301}|👍🏽|🇦|\\PC){0,60}", room in 24usize..40) {
            let found = collect_pieces(&text, room);
            prop_assert_eq!(found.concat(), text.as_str());
            let whole: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            let longest = text.graphemes(true).map(str::len).max().unwrap_or(0);
            let mut at = 0;
            for piece in found {
                prop_assert!(!piece.is_empty() && piece.len() <= room);
                prop_assert!(longest > room || whole.contains(&at), "{:?} at {at}", text);
                at += piece.len();
            }
        }
    }
}
