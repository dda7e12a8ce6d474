//! Splitting of long texts into pieces that fit a line.

/// Splits `text` into pieces of at most `max` bytes, between characters, and after a space if one is close enough to
/// the end. The pieces joined are the text. A character longer than `max` is a piece by itself.
pub fn split_to_fit(text: &str, max: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, later) = rest.split_at(first_piece_len(rest, max));
        rest = later;
        Some(piece)
    })
}

/// Returns the length of the first piece, in bytes: more than 0, at a character boundary.
fn first_piece_len(text: &str, max: usize) -> usize {
    if text.len() <= max {
        return text.len();
    }
    let hard = text.floor_char_boundary(max);
    if hard == 0 {
        return text.chars().next().map_or(text.len(), char::len_utf8);
    }
    // A word longer than a third of the line is split, because a line that is nearly empty is worse.
    match text[..hard].rfind(' ') {
        Some(space) if space + 1 > max - max / 3 => space + 1,
        _ => hard,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all_pieces(text: &str, max: usize) -> Vec<&str> {
        split_to_fit(text, max).collect()
    }

    #[test]
    fn splits_at_spaces_if_possible() {
        assert_eq!(all_pieces("short", 10), ["short"]);
        assert_eq!(all_pieces("", 10), [""; 0]);
        assert_eq!(all_pieces("one two three", 9), ["one two ", "three"]);
        assert_eq!(all_pieces("abcdefghijkl", 5), ["abcde", "fghij", "kl"]);
        assert_eq!(all_pieces("äöü", 3), ["ä", "ö", "ü"]);
        assert_eq!(all_pieces("日本", 2), ["日", "本"]);
    }

    proptest! {
        #[test]
        fn pieces_fit_and_concatenate_to_input(text in any::<String>(), max in 1usize..60) {
            let parts = all_pieces(&text, max);
            prop_assert_eq!(parts.concat(), text.as_str());
            for part in parts {
                prop_assert!(!part.is_empty());
                prop_assert!(part.len() <= max || part.chars().count() == 1);
            }
        }
    }
}
