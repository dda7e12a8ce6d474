//! Sanitizing of foreign text for a grid of cells: no control characters, no invisible ones, no piled-up marks.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::format::Format;
use crate::client::text::clean::{Part, visit_clean};
use crate::wire::chars;

/// Limit of the combining marks of one cluster. The languages with the most use two accents and a sign.
const MAX_MARKS: usize = 3;

/// Limit of the characters of one cluster: an emoji of a family of four, with a skin colour each.
const MAX_CLUSTER_CHARS: usize = 11;

/// Replacement for a tab, which indents code.
pub const TAB: &str = "    ";

/// Limit of the changes of the formatting of one text, beyond which it stays as it is.
const MAX_CHANGES: usize = 500;

/// Sanitizes a text to clusters of one or two cells. Keeps line ends, and cuts the text off behind `max` bytes.
pub fn sanitize(text: &str, max: usize) -> String {
    sanitize_with(text, max, |_, _| {})
}

/// Sanitizes a text like [`sanitize`], and returns its formatting by IRC codes as well: byte offsets in the sanitized
/// text, each with the format from there on.
pub fn sanitize_formatted(text: &str, max: usize) -> (String, Vec<(usize, Format)>) {
    let mut changes: Vec<(usize, Format)> = Vec::new();
    let text = sanitize_with(text, max, |at, format| {
        changes.pop_if(|(last, _)| *last == at);
        let current = changes.last().map_or(Format::default(), |(_, format)| *format);
        if format != current && changes.len() < MAX_CHANGES {
            changes.push((at, format));
        }
    });
    // The text may have been cut off before the last changes.
    changes.retain(|(at, _)| *at < text.len() && text.is_char_boundary(*at));
    (text, changes)
}

/// Sanitizes a text, and passes each change of its format to `change`. A format ends with its line, as it does where
/// each line is a message.
fn sanitize_with(text: &str, max: usize, mut change: impl FnMut(usize, Format)) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    let mut plain = String::new();
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
            change(out.len(), Format::default());
        }
        // The input is bounded as well, because escape sequences may take up most of it.
        let line = &line[..line.floor_char_boundary(max.saturating_mul(4))];
        let mut format = Format::default();
        visit_clean(line, |part| match part {
            Part::Text(text) => plain.push_str(text),
            Part::Tab => plain.push_str(TAB),
            Part::Code(code) => {
                push_clusters(&plain, &mut out);
                plain.clear();
                format.apply(code);
                change(out.len(), format);
            }
        });
        push_clusters(&plain, &mut out);
        plain.clear();
        if out.len() > max {
            out.truncate(out.floor_char_boundary(max));
            out.push('…');
            break;
        }
    }
    out
}

/// Sanitizes a text to one line; see [`sanitize`].
pub fn sanitize_line(text: &str, max: usize) -> String {
    let line = sanitize(text, max);
    if line.contains('\n') { line.replace('\n', " ") } else { line }
}

fn push_clusters(text: &str, out: &mut String) {
    let mut rest = text;
    // Two printable ASCII characters are never of one cluster, so that only the text around others is looked at.
    while let Some(other) = rest.bytes().position(|byte| !byte.is_ascii()) {
        let (plain, around) = rest.split_at(other.saturating_sub(1));
        out.push_str(plain);
        let bytes = around.as_bytes();
        let end = bytes.windows(2).skip(1).position(<[u8]>::is_ascii).map_or(around.len(), |at| at + 2);
        let (around, behind) = around.split_at(end);
        let visible: String = around.chars().filter(|&c| !is_removed(c)).collect();
        visible.graphemes(true).for_each(|cluster| push_cluster(cluster, out));
        rest = behind;
    }
    out.push_str(rest);
}

fn push_cluster(cluster: &str, out: &mut String) {
    if cluster.len() == 1 {
        return out.push_str(cluster);
    }
    let from = out.len();
    let mut marks = 0;
    for c in cluster.chars().take(MAX_CLUSTER_CHARS) {
        // U+200D joins the parts of an emoji, and does not count as a mark.
        if is_mark(c) {
            marks += 1;
            if marks > MAX_MARKS {
                continue;
            }
        }
        out.push(c);
    }
    // A joiner at the end has lost what it joined.
    while out.len() > from && out.ends_with('\u{200d}') {
        out.pop();
    }
    let appended = &out[from..];
    match appended.width() {
        // Marks without a base, and other characters without a width.
        0 => out.truncate(from),
        1 | 2 => {}
        // Some scripts have clusters of several letters. Each letter gets a cluster of its own, so that no cell is
        // wider than the terminal takes it to be.
        _ => {
            let letters: String =
                appended.chars().filter(|&c| unicode_width::UnicodeWidthChar::width(c) > Some(0)).collect();
            out.truncate(from);
            for cluster in letters.graphemes(true) {
                match cluster.width() {
                    1 | 2 => out.push_str(cluster),
                    _ => out.extend(cluster.chars().next()),
                }
            }
        }
    }
}

/// Returns whether the character has no width, and is neither a joiner nor a variation selector.
fn is_mark(c: char) -> bool {
    c != '\u{200d}'
        && !('\u{fe00}'..='\u{fe0f}').contains(&c)
        && unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

/// Returns whether the character is removed: it is invisible, blank or of private use, it is a direction mark (lines
/// have their own direction), or it is the one letter that takes three cells.
fn is_removed(c: char) -> bool {
    /// KHMER SIGN BEYYAL, whose use Unicode discourages.
    const THREE_CELLS: char = '\u{17d8}';
    chars::is_invisible(c) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}') || c == THREE_CELLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vectors::vectors;
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    #[test]
    fn removes_stacked_marks_and_invisible_characters() {
        let shared = vectors::<Vec<(String, String)>>("clean").into_iter();
        let marks = [("\u{301}\u{301}x", "x"), ("שלום \u{200f}\u{2067}עולם", "שלום עולם")]
            .map(|(dirty, expected)| (dirty.to_owned(), expected.to_owned()));
        for (dirty, expected) in shared.chain(marks) {
            assert_eq!(sanitize(&dirty, 1000), expected, "{dirty:?}");
        }
        assert_eq!(sanitize("0123456789", 4), "0123…");
    }

    #[test]
    fn formats_are_kept_beside_the_text() {
        let bold = Format { modifier: Modifier::BOLD, ..Format::default() };
        let plain = Format::default();
        assert_eq!(
            sanitize_formatted("a \u{2}b\u{1b}[31mc\u{2} \u{2}\u{2}d\n\u{2}e\nf\u{2}", 100),
            ("a bc d\ne\nf".to_owned(), vec![(2, bold), (4, plain), (7, bold), (9, plain)])
        );
        let (text, changes) = sanitize_formatted(&"\u{2}x".repeat(3000), 10_000);
        assert_eq!((text.len(), changes.len()), (3000, MAX_CHANGES));
        assert_eq!(sanitize_formatted("e\u{2}\u{301}x", 10), ("ex".to_owned(), vec![(1, bold)]));
        assert_eq!(sanitize_formatted("abcd\u{2}ef", 3), ("abc…".to_owned(), vec![]));
    }

    proptest! {
        #[test]
        fn sanitized_clusters_are_one_or_two_cells_wide(text in any::<String>(), odd in "[\u{300}-\u{310}\u{200b}-\u{200f}\u{fe0f}👩🏽\u{200d}क्षि가각한ا]{0,20}") {
            for text in [text, odd] {
                let tidied = sanitize(&text, 4000);
                for line in tidied.split('\n') {
                    for cluster in line.graphemes(true) {
                        prop_assert!((1..=2).contains(&cluster.width()), "{cluster:?} in {text:?}");
                    }
                }
            }
        }
    }
}
