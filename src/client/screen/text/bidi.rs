//! Reordering of right-to-left text for display (Unicode Bidirectional Algorithm, UAX #9).
//!
//! Most terminals show cells in the order in which they are sent. Terminals that reorder text themselves are told not
//! to (see `ENTER` in the terminal).

use std::ops::Range;

use unicode_bidi::{BidiInfo, Level};

/// Line with right-to-left text, before it is broken into rows.
pub struct BidiLine<'a>(BidiInfo<'a>);

impl<'a> BidiLine<'a> {
    /// Analyses a line. `None` where all of it runs to the right, or it is several paragraphs.
    pub fn from_text(text: &'a str) -> Option<Self> {
        if !text.chars().any(may_be_right_to_left) {
            return None;
        }
        let info = BidiInfo::new(text, None);
        (info.has_rtl() && info.paragraphs.len() == 1).then_some(Self(info))
    }

    /// Returns whether the line's base direction is right to left. Its first letter with a direction decides.
    pub fn is_right_to_left(&self) -> bool {
        self.0.paragraphs.first().is_some_and(|paragraph| paragraph.level.is_rtl())
    }

    /// Returns the clusters of one row in visual order from left to right: the index of each in `starts`, and whether
    /// it is part of a right-to-left run. `row` is the byte range of the row in the line; `starts` has the byte offset
    /// of each of its clusters. `None` for an empty row, or where the order would lose a cluster.
    pub fn visual_order(&self, row: Range<usize>, starts: &[usize]) -> Option<Vec<(usize, bool)>> {
        if row.is_empty() {
            return None;
        }
        let (levels, runs) = self.0.visual_runs(self.0.paragraphs.first()?, row);
        let mut order = Vec::with_capacity(starts.len());
        for run in runs {
            let inside =
                starts.partition_point(|&at| at < run.start)..starts.partition_point(|&at| at < run.end);
            if levels.get(run.start).is_some_and(Level::is_rtl) {
                order.extend(inside.rev().map(|at| (at, true)));
            } else {
                order.extend(inside.map(|at| (at, false)));
            }
        }
        // An order that is no permutation would lose text.
        (order.len() == starts.len()).then_some(order)
    }
}

/// Returns whether the character may set text right to left: it is a direction mark, or in one of the blocks that Unicode
/// keeps for right-to-left scripts. Spares most lines, also in East Asian scripts, the look-up of each character.
fn may_be_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

/// Returns the mirrored form of a bracket in a right-to-left run (UAX #9, L4), and anything else unchanged.
pub fn mirror_bracket(cluster: &str) -> &str {
    const PAIRS: &[(&str, &str)] = &[("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»"), ("‹", "›")];
    let other = PAIRS.iter().find_map(|&(open, close)| match cluster {
        _ if cluster == open => Some(close),
        _ if cluster == close => Some(open),
        _ => None,
    });
    other.unwrap_or(cluster)
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_bidi::BidiClass::{AL, AN, R, RLE, RLI, RLO};

    #[test]
    fn characters_of_other_blocks_are_never_right_to_left() {
        let missed: Vec<char> = ('\0'..=char::MAX)
            .filter(|&c| matches!(unicode_bidi::bidi_class(c), R | AL | AN | RLE | RLO | RLI))
            .filter(|&c| !may_be_right_to_left(c))
            .collect();
        assert!(missed.is_empty(), "{missed:?}");
    }
}
