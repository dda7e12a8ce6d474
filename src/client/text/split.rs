//! Splitting of long texts into pieces that fit a line.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

/// Splits `text` into pieces of at most `max` bytes, between grapheme clusters, and after a space if one is close
/// enough to the end. The pieces joined are the text. A cluster longer than `max` is split between characters, and a
/// character longer than that is a piece by itself.
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
    let hard = match floor_cluster_boundary(text, text.floor_char_boundary(max)) {
        // The first cluster is too long.
        0 => text.floor_char_boundary(max),
        hard => hard,
    };
    if hard == 0 {
        return text.chars().next().map_or(text.len(), char::len_utf8);
    }
    // A word longer than a third of the line is split, because a line that is nearly empty is worse. A mark on a space
    // belongs to its cluster.
    match text[..hard].grapheme_indices(true).rfind(|(_, cluster)| *cluster == " ") {
        Some((space, _)) if space + 1 > max - max / 3 => space + 1,
        _ => hard,
    }
}

/// Returns the last boundary of clusters at or before `at`, which must be a character boundary.
fn floor_cluster_boundary(text: &str, at: usize) -> usize {
    let mut cursor = GraphemeCursor::new(at, text.len(), true);
    match cursor.is_boundary(text, 0) {
        Ok(true) => at,
        // The errors are about texts in chunks.
        Ok(false) | Err(_) => cursor.prev_boundary(text, 0).ok().flatten().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vectors::vectors;
    use proptest::prelude::*;

    fn all_pieces(text: &str, max: usize) -> Vec<&str> {
        split_to_fit(text, max).collect()
    }

    #[test]
    fn splits_between_clusters_and_at_spaces_if_possible() {
        for (text, max, expected) in vectors::<Vec<(String, usize, Vec<String>)>>("splits") {
            assert_eq!(all_pieces(&text, max), expected, "{text}");
        }
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

        #[test]
        fn no_cluster_is_cut_that_fits(text in "(👩\u{200d}👧|👍🏽|🇩🇪|e\u{301}|क्षि|각| |[a-z]|\r\n|\\PC){0,30}", max in 1usize..60) {
            let bounds: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
            let mut at = 0;
            for part in all_pieces(&text, max) {
                let inside = bounds.binary_search(&at).is_err();
                let cluster = bounds.partition_point(|&bound| bound <= at) - 1;
                let end = bounds.get(cluster + 1).copied().unwrap_or(text.len());
                prop_assert!(!inside || end - bounds[cluster] > max, "cut at {at} in {text:?}");
                at += part.len();
            }
        }
    }
}
