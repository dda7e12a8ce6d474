//! Text that runs from the right to the left, put into the order in which it is seen.
//!
//! Most terminals show cells in the order in which they are sent. Those that turn text by themselves are told not to.

use std::ops::Range;

use unicode_bidi::{BidiInfo, Level};

/// A line, before it is broken into rows, in which something runs to the left.
pub struct Line<'a>(BidiInfo<'a>);

impl<'a> Line<'a> {
    /// `None` where all of it runs to the right.
    pub fn of(text: &'a str) -> Option<Self> {
        // Nothing below the Hebrew block runs to the left.
        if !text.chars().any(|c| c >= '\u{590}') {
            return None;
        }
        let info = BidiInfo::new(text, None);
        (info.has_rtl() && info.paragraphs.len() == 1).then_some(Self(info))
    }

    /// Does the line begin on the right? Its first letter decides.
    pub fn begins_right(&self) -> bool {
        self.0.paragraphs.first().is_some_and(|paragraph| paragraph.level.is_rtl())
    }

    /// The clusters of one row by their places, from left to right as they are to be seen, and whether each is one of a text
    /// that runs to the left. The row is a part of the line, and `starts` says where its clusters begin, all in bytes.
    pub fn order(&self, row: Range<usize>, starts: &[usize]) -> Option<Vec<(usize, bool)>> {
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
        // A row that is no permutation would lose text.
        (order.len() == starts.len()).then_some(order)
    }
}

/// Brackets open to the other side in text that runs to the left.
pub fn mirrored(cluster: &str) -> &str {
    const PAIRS: &[(&str, &str)] = &[("(", ")"), ("[", "]"), ("{", "}"), ("<", ">"), ("«", "»"), ("‹", "›")];
    let other = PAIRS.iter().find_map(|&(open, close)| match cluster {
        _ if cluster == open => Some(close),
        _ if cluster == close => Some(open),
        _ => None,
    });
    other.unwrap_or(cluster)
}
