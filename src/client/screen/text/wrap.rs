//! Line breaking of styled text to a width in cells.

use std::borrow::Cow;
use std::rc::Rc;

use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::bidi::{BidiLine, mirror_bracket};
use super::clusters::cluster_width;
use crate::client::screen::picture_box::PictureBox;

/// Text in one style, with an optional link, or blanks in place of which a picture is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Text of the run.
    pub text: String,
    /// Style of the run.
    pub style: Style,
    /// Target of the link: the whole URL, also where `text` is a part of it.
    pub link: Option<Rc<str>>,
    /// Row of a picture.
    pub picture: Option<PictureRow>,
}

/// Row of a box with a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureRow {
    /// The whole box.
    pub picture: Rc<PictureBox>,
    /// Number of the row in it.
    pub row: u16,
}

/// Row on the screen.
pub type Row = Vec<Run>;

impl Run {
    /// Creates a run without a link.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, link: None, picture: None }
    }

    /// Creates a part of this run, without the picture.
    fn part(&self, text: &str) -> Self {
        Self { text: text.to_owned(), style: self.style, link: self.link.clone(), picture: None }
    }
}

/// Returns the width of a text on the screen, in cells. Each cluster counts by itself, also where fonts join two of them
/// (lam and alef).
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(cluster_width).sum() }
}

/// Returns a short text such as a name in the order in which it is drawn.
pub fn visual_text(text: &str) -> Cow<'_, str> {
    if BidiLine::from_text(text).is_none() {
        return Cow::Borrowed(text);
    }
    let rows = wrap(vec![Run::new(text, Style::new())], usize::MAX);
    Cow::Owned(rows.into_iter().flatten().map(|run| run.text).collect())
}

/// Returns the width of a row in cells.
pub fn row_width(row: &[Run]) -> usize {
    row.iter().map(|run| width(&run.text)).sum()
}

/// Cuts a text to at most `max` cells; a cut text ends in `…`.
pub fn truncate_to_width(text: &str, max: usize) -> String {
    if width(text) <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += width(cluster);
        if used >= max {
            break;
        }
        out.push_str(cluster);
    }
    if max > 0 {
        out.push('…');
    }
    out
}

/// Cuts or pads a text to exactly `size` cells, padded on the right.
pub fn pad_to_width(text: &str, size: usize) -> String {
    let mut out = truncate_to_width(text, size);
    out.extend(std::iter::repeat_n(' ', size.saturating_sub(width(&out))));
    out
}

/// Cluster: the index of its run, its byte range there, its width in cells.
#[derive(Clone, Copy)]
struct Cluster {
    run: usize,
    from: usize,
    to: usize,
    width: usize,
    space: bool,
}

/// Breaks text into rows of at most `max` cells, at spaces, and within words longer than a row. Keeps line ends, drops
/// a space at which a row is broken. Returns at least one row.
pub fn wrap(runs: Vec<Run>, max: usize) -> Vec<Row> {
    wrap_message(runs, 0, max, false)
}

/// Breaks a text without formats into at most `max_rows` rows of at most `columns` cells. The last one ends with `…` if it is
/// not all.
pub fn wrap_plain(text: &str, columns: usize, max_rows: usize) -> Vec<String> {
    let rows = wrap(vec![Run::new(text, Style::new())], columns);
    let rows = rows.into_iter().map(|row| row.into_iter().map(|run| run.text).collect::<String>());
    let mut rows: Vec<String> = rows.collect();
    if rows.len() > max_rows {
        let rest = rows.split_off(max_rows.saturating_sub(1)).join(" ");
        rows.push(truncate_to_width(&rest, columns));
    }
    rows
}

/// Breaks a message into rows like [`wrap`]. The first `lead` runs name the sender: they are not part of the text, and
/// stay on the left. With `align`, lines of right-to-left direction are aligned to the right.
pub fn wrap_message(runs: Vec<Run>, lead: usize, max: usize, align: bool) -> Vec<Row> {
    break_runs(runs, WrapOptions { lead, max: max.max(1), align, keep_blanks: false })
}

/// Breaks code into rows of at most `max` cells. Keeps all spaces, and breaks a line where the row ends.
pub fn wrap_code(runs: Vec<Run>, max: usize) -> Vec<Row> {
    break_runs(runs, WrapOptions { lead: 0, max: max.max(1), align: false, keep_blanks: true })
}

fn break_runs(runs: Vec<Run>, options: WrapOptions) -> Vec<Row> {
    // Most texts fit into one row as they are.
    let is_plain = |run: &Run| run.text.is_ascii() && !run.text.contains('\n');
    if runs.iter().all(is_plain) && row_width(&runs) <= options.max {
        return vec![runs];
    }
    let runs = &runs[..];
    let mut rows = Vec::new();
    let mut line: Vec<Cluster> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let mut cluster = |from: usize, text: &str| {
            if text == "\n" {
                break_line(runs, &std::mem::take(&mut line), options, &mut rows);
            } else {
                let size = cluster_width(text);
                let to = from + text.len();
                line.push(Cluster { run: index, from, to, width: size, space: text == " " });
            }
        };
        if run.text.is_ascii() {
            (0..run.text.len()).for_each(|at| cluster(at, &run.text[at..=at]));
        } else {
            run.text.grapheme_indices(true).for_each(|(at, text)| cluster(at, text));
        }
    }
    break_line(runs, &line, options, &mut rows);
    rows
}

/// Parameters of [`wrap_message`] and [`wrap_code`].
#[derive(Clone, Copy)]
struct WrapOptions {
    lead: usize,
    max: usize,
    align: bool,
    keep_blanks: bool,
}

fn break_line(runs: &[Run], line: &[Cluster], options: WrapOptions, rows: &mut Vec<Row>) {
    let WrapOptions { lead, max, align, keep_blanks } = options;
    let (before, line) = line.split_at(line.partition_point(|cluster| cluster.run < lead));
    let mut before = Some(before).filter(|before| !before.is_empty());
    let text = non_ascii_text(runs, line);
    let bidi = text.as_deref().and_then(BidiLine::from_text);
    let mut push_row = |before: Option<&[Cluster]>, clusters: &[Cluster], from: usize| {
        let mut whole = before.map_or_else(Row::new, |before| build_row(runs, before, None, 0));
        let mut row = build_row(runs, clusters, bidi.as_ref(), from);
        if align && bidi.as_ref().is_some_and(BidiLine::is_right_to_left) {
            let gap = max.saturating_sub(row_width(&whole) + row_width(&row));
            whole.push(Run::new(" ".repeat(gap), Style::new()));
        }
        whole.append(&mut row);
        rows.push(whole);
    };
    let (mut start, mut from) = (0, 0);
    loop {
        let rest = line.get(start..).unwrap_or_default();
        if start > 0 && rest.is_empty() {
            // The line ended with the space at which it was broken.
            return;
        }
        let mut used = before.map_or(0, |before| before.iter().map(|cluster| cluster.width).sum());
        let fits = rest.iter().take_while(|cluster| {
            used += cluster.width;
            used <= max
        });
        // A cluster wider than the row gets a row of its own, and the screen cuts it off.
        let count = fits.count().max(1);
        if count >= rest.len() {
            push_row(before, rest, from);
            return;
        }
        let space = rest[..count].iter().rposition(|cluster| cluster.space);
        let (end, next) = match space {
            _ if keep_blanks => (count, count),
            _ if rest[count].space => (count, count + 1),
            Some(space) if rest[..space].iter().any(|cluster| !cluster.space) => (space, space + 1),
            // The first word does not fit behind the sender, but fits into the next row.
            _ if before.is_some() && first_word(rest) <= max => (0, 0),
            _ => (count, count),
        };
        push_row(before.take(), &rest[..end], from);
        from += byte_len(&rest[..next]);
        start += next;
    }
}

/// Returns the width of the first word in cells.
fn first_word(clusters: &[Cluster]) -> usize {
    clusters.iter().take_while(|cluster| !cluster.space).map(|cluster| cluster.width).sum()
}

/// Returns the text of a line; `None` where all of it is ASCII and so left-to-right.
fn non_ascii_text(runs: &[Run], line: &[Cluster]) -> Option<String> {
    let is_ascii = line.iter().all(|cluster| cluster.to - cluster.from == 1);
    (!is_ascii)
        .then(|| line.iter().map(|cluster| &runs[cluster.run].text[cluster.from..cluster.to]).collect())
}

fn byte_len(clusters: &[Cluster]) -> usize {
    clusters.iter().map(|cluster| cluster.to - cluster.from).sum()
}

/// Joins clusters to a row, in visual order. `from` is the byte offset of the row in its line.
fn build_row(runs: &[Run], clusters: &[Cluster], bidi: Option<&BidiLine<'_>>, from: usize) -> Row {
    let order = bidi.and_then(|line| {
        let starts = clusters.iter().scan(from, |next, cluster| {
            let at = *next;
            *next += cluster.to - cluster.from;
            Some(at)
        });
        let starts = starts.collect::<Vec<_>>();
        line.visual_order(from..from + byte_len(clusters), &starts)
    });
    match order {
        None => join_clusters(runs, clusters),
        Some(order) => {
            let ordered = order.into_iter().filter_map(|(at, mirror)| Some((*clusters.get(at)?, mirror)));
            join_ordered_clusters(runs, ordered)
        }
    }
}

/// Joins clusters that follow one another to a row.
fn join_clusters(runs: &[Run], clusters: &[Cluster]) -> Row {
    let parts = clusters.chunk_by(|one, next| one.run == next.run);
    let joined = parts.filter_map(|part| {
        let (first, last) = (part.first()?, part.last()?);
        let run = &runs[first.run];
        Some(run.part(&run.text[first.from..last.to]))
    });
    joined.collect()
}

/// Joins clusters to a row in a visual order, each with whether it is in a right-to-left run.
fn join_ordered_clusters(runs: &[Run], clusters: impl Iterator<Item = (Cluster, bool)>) -> Row {
    let mut row: Row = Vec::new();
    let mut last = None;
    for (cluster, mirror) in clusters {
        let run = &runs[cluster.run];
        let text = &run.text[cluster.from..cluster.to];
        let text = if mirror { mirror_bracket(text) } else { text };
        match row.last_mut() {
            Some(run) if last == Some(cluster.run) => run.text.push_str(text),
            _ => row.push(run.part(text)),
        }
        last = Some(cluster.run);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(text: &str, max: usize) -> Vec<String> {
        let rows = wrap(vec![Run::new(text, Style::new())], max);
        rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
    }

    #[test]
    fn breaks_lines_at_spaces_and_long_words() {
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two", 7), ["one two"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("  indented text", 10), ["  indented", "text"]);
        assert_eq!(wrapped("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(wrapped("one ", 3), ["one"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert_eq!(wrapped("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrapped("aé👩‍👩‍👧b", 3), ["aé", "👩‍👩‍👧b"]);
    }

    #[test]
    fn code_keeps_blanks_and_is_broken_where_the_row_ends() {
        let rows = wrap_code(vec![Run::new("  if a  {\n\n    b", Style::new())], 6);
        let texts: Vec<String> =
            rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect();
        assert_eq!(texts, ["  if a", "  {", "", "    b"]);
    }

    #[test]
    fn right_to_left_text_is_reordered() {
        for (text, seen) in [
            ("plain é 日本", "plain é 日本"),
            ("say אבג now", "say גבא now"),
            ("אבג 123", "123 גבא"),
            // Brackets are mirrored; left-to-right text in between is not reversed.
            ("אבג (דה) so [ו]", "[ו] so (הד) גבא"),
        ] {
            assert_eq!(wrapped(text, 40), [seen]);
        }
        // Each row has the base direction of its line, also a row without a right-to-left letter.
        assert_eq!(wrapped("אבג דהו, one", 8), [",והד גבא", "one"]);
        assert_eq!(wrapped("אבג one, two!", 8), ["one, גבא", "!two"]);
        assert_eq!(wrapped("one אבג, two!", 8), ["one גבא,", "two!"]);
    }

    #[test]
    fn right_to_left_lines_are_right_aligned() {
        let aligned = |text: &str, max| -> Vec<String> {
            let rows = wrap_message(vec![Run::new(text, Style::new())], 0, max, true);
            rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
        };
        assert_eq!(aligned("אבג", 8), ["     גבא"]);
        assert_eq!(aligned("אבג one, two!", 8), ["one, גבא", "    !two"]);
        // Letters that a font would join take one cell each.
        assert_eq!(aligned("السلام", 8), ["  مالسلا"]);
        // The sender precedes the text, and has a row of its own if the first word fits only into the next one.
        let rows = wrap_message(
            vec![Run::new("bob  ", Style::new()), Run::new("everybody!", Style::new())],
            1,
            12,
            true,
        );
        let texts = |rows: Vec<Row>| -> Vec<String> {
            rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
        };
        assert_eq!(texts(rows), ["bob  ", "everybody!"]);
        let rows = wrap_message(
            vec![Run::new("bob  ", Style::new()), Run::new("אבג one, דה", Style::new())],
            1,
            14,
            true,
        );
        assert_eq!(texts(rows), ["bob   ,one גבא", "            הד"]);
        // The first letter of each line decides its direction.
        assert_eq!(aligned("1. אבג\none אבג\n日本", 8), ["  גבא .1", "one גבא", "日本"]);
    }

    #[test]
    fn truncates_and_pads_to_width() {
        assert_eq!(
            (
                truncate_to_width("hello", 5),
                truncate_to_width("hello", 4),
                truncate_to_width("日本", 3),
                truncate_to_width("x", 0)
            ),
            ("hello".into(), "hel…".into(), "日…".into(), String::new())
        );
        assert_eq!(pad_to_width("日", 4), "日  ");
    }

    proptest! {
        #[test]
        fn bidi_rows_fit_and_keep_all_text(text in "[a-z 1(אבش,é日\n]{0,60}", max in 2usize..20) {
            let rows = wrap_message(vec![Run::new(text.as_str(), Style::new())], 0, max, true);
            prop_assert!(rows.iter().all(|row| row_width(row) <= max));
            let letters = |text: &str| {
                let mut all: Vec<char> = text.chars().filter(|c| !c.is_whitespace() && !"()".contains(*c)).collect();
                all.sort_unstable();
                all
            };
            let seen: String = rows.iter().flatten().map(|run| run.text.as_str()).collect();
            prop_assert_eq!(letters(&seen), letters(&text));
        }

        #[test]
        fn wrapped_rows_fit_and_lose_only_spaces(text in "[a-z 日é👍\n]{0,60}", max in 2usize..20) {
            let rows = wrapped(&text, max);
            prop_assert!(rows.iter().all(|row| width(row) <= max));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
        }
    }
}
