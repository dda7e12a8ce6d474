//! Text that runs from the right to the left, put into the order in which it is seen.
//!
//! Most terminals show cells in the order in which they are sent. Those that turn text by themselves are told not to.

use unicode_bidi::{BidiInfo, Level};
use unicode_segmentation::UnicodeSegmentation as _;

/// The clusters of one line by their places, from left to right as they are to be seen. `None` where that is the order
/// in which they stand.
pub fn order(text: &str) -> Option<Vec<usize>> {
    // Nothing below the Hebrew block runs to the left.
    if !text.chars().any(|c| c >= '\u{590}') {
        return None;
    }
    let info = BidiInfo::new(text, None);
    if !info.has_rtl() {
        return None;
    }
    let paragraph = info.paragraphs.first()?;
    let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
    let starts: Vec<usize> = text.grapheme_indices(true).map(|(at, _)| at).collect();
    let mut order = Vec::with_capacity(starts.len());
    for run in runs {
        let inside = starts.partition_point(|&at| at < run.start)..starts.partition_point(|&at| at < run.end);
        if levels.get(run.start).is_some_and(Level::is_rtl) {
            order.extend(inside.rev());
        } else {
            order.extend(inside);
        }
    }
    // A line that is no permutation would lose text.
    (order.len() == starts.len()).then_some(order)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> String {
        let clusters: Vec<&str> = text.graphemes(true).collect();
        match order(text) {
            None => text.to_owned(),
            Some(order) => order.into_iter().map(|at| clusters[at]).collect(),
        }
    }

    #[test]
    fn hebrew_is_turned_and_numbers_in_it_are_not() {
        assert_eq!(seen("plain é 日本"), "plain é 日本");
        assert_eq!(seen("say אבג now"), "say גבא now");
        assert_eq!(seen("אבג 123"), "123 גבא");
    }
}
