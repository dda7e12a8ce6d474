//! Foreign text made fit for a grid of cells: nothing that acts, nothing invisible, nothing that piles up.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::client::clean::clean;
use crate::wire::chars;

/// Most characters that may stand on one base character: two accents and a sign, as the languages with most have it.
const MARKS: usize = 3;

/// Most characters of one cluster: a family of four with a skin colour each.
const CLUSTER: usize = 11;

/// The text in clusters that each take one or two cells. Line ends stay; everything longer than `max` bytes is cut off.
pub fn tidy(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            out.push('\n');
        }
        // What is read on is bounded too: escape codes may take most of it away.
        let line = clean(&line[..line.floor_char_boundary(max.saturating_mul(4))]);
        if line.is_ascii() {
            out.push_str(&line);
        } else {
            let seen: String = line.chars().filter(|&c| !hides(c)).collect();
            seen.graphemes(true).for_each(|cluster| keep(cluster, &mut out));
        }
        if out.len() > max {
            out.truncate(out.floor_char_boundary(max));
            out.push('…');
            break;
        }
    }
    out
}

/// The same on one line.
pub fn tidy_line(text: &str, max: usize) -> String {
    let line = tidy(text, max);
    if line.contains('\n') { line.replace('\n', " ") } else { line }
}

fn keep(cluster: &str, out: &mut String) {
    if cluster.len() == 1 {
        return out.push_str(cluster);
    }
    let from = out.len();
    let mut marks = 0;
    for c in cluster.chars().take(CLUSTER) {
        // An emoji of several is joined by U+200D and is no pile.
        if is_mark(c) {
            marks += 1;
            if marks > MARKS {
                continue;
            }
        }
        out.push(c);
    }
    // What would have been joined was taken away.
    while out.len() > from && out.ends_with('\u{200d}') {
        out.pop();
    }
    let kept = &out[from..];
    match kept.width() {
        // Marks without a base, and what else nobody would see.
        0 => out.truncate(from),
        1 | 2 => {}
        // Some scripts have clusters of several letters: one each, so that no cell is wider than the terminal thinks.
        _ => {
            let letters: String =
                kept.chars().filter(|&c| unicode_width::UnicodeWidthChar::width(c) > Some(0)).collect();
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

/// Takes no room and joins nothing.
fn is_mark(c: char) -> bool {
    c != '\u{200d}'
        && !('\u{fe00}'..='\u{fe0f}').contains(&c)
        && unicode_width::UnicodeWidthChar::width(c) == Some(0)
}

/// Whether the character is kept off the screen: it shows nothing, a blank or a glyph of the font's owner, it gives a
/// direction (the lines have theirs), or it is the one letter that is three cells wide in one.
fn hides(c: char) -> bool {
    /// KHMER SIGN BEYYAL, which Unicode discourages.
    const THREE_CELLS: char = '\u{17d8}';
    chars::is_unseen(c) || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}') || c == THREE_CELLS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn piles_and_ghosts_are_taken_away() {
        for (dirty, expected) in [
            ("plain\ntext", "plain\ntext"),
            ("Zoë 日本 👩‍👩‍👧 🏳️‍🌈", "Zoë 日本 👩‍👩‍👧 🏳️‍🌈"),
            ("a\u{200b}\u{200b}\u{2060}b\u{ad}c", "abc"),
            ("\u{301}\u{301}x", "x"),
            ("\u{202e}evil\u{202c}", "evil"),
            ("a\u{1b}[31mb\r\nc", "ab \nc"),
            ("שלום \u{200f}\u{2067}עולם", "שלום עולם"),
            ("\u{3164}\u{3164}", ""),
        ] {
            assert_eq!(tidy(dirty, 1000), expected, "{dirty:?}");
        }
        let flood = format!("z{}!", "\u{336}".repeat(500));
        assert_eq!(tidy(&flood, 1000), "z\u{336}\u{336}\u{336}!");
        assert_eq!(tidy("0123456789", 4), "0123…");
    }

    proptest! {
        #[test]
        fn every_cluster_takes_one_or_two_cells(text in any::<String>(), odd in "[\u{300}-\u{310}\u{200b}-\u{200f}\u{fe0f}👩🏽\u{200d}क्षि가각한ا]{0,20}") {
            for text in [text, odd] {
                let tidied = tidy(&text, 4000);
                for line in tidied.split('\n') {
                    for cluster in line.graphemes(true) {
                        prop_assert!((1..=2).contains(&cluster.width()), "{cluster:?} in {text:?}");
                    }
                }
            }
        }
    }
}
