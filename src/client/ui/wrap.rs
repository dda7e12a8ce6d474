//! Styled text into lines of a width, measured in cells.

use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// A piece of text in one style, perhaps a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What.
    pub text: String,
    /// How.
    pub style: Style,
    /// The whole address that it leads to.
    pub link: Option<std::rc::Rc<str>>,
}

/// A line on the screen.
pub type Row = Vec<Run>;

impl Run {
    /// Text that leads nowhere.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, link: None }
    }
}

/// How many cells a text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// How many cells a row takes.
pub fn row_width(row: &[Run]) -> usize {
    row.iter().map(|run| width(&run.text)).sum()
}

/// The text in at most `max` cells; where it is longer it ends in `…`.
pub fn fit(text: &str, max: usize) -> String {
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

/// The text in exactly `size` cells, padded on the right.
pub fn pad(text: &str, size: usize) -> String {
    let mut out = fit(text, size);
    out.extend(std::iter::repeat_n(' ', size.saturating_sub(width(&out))));
    out
}

/// A cluster: of which run, from where to where, how wide.
#[derive(Clone, Copy)]
struct Cluster {
    run: usize,
    from: usize,
    to: usize,
    width: usize,
    space: bool,
}

/// Breaks at spaces, and inside words that are longer than a line. Line ends in the text are kept; spaces where a line is
/// broken are not. At least one row.
pub fn wrap(runs: &[Run], max: usize) -> Vec<Row> {
    let max = max.max(1);
    let mut rows = Vec::new();
    let mut line: Vec<Cluster> = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let mut cluster = |from: usize, text: &str| {
            if text == "\n" {
                break_line(runs, &std::mem::take(&mut line), max, &mut rows);
            } else {
                let size = if text.len() == 1 { 1 } else { text.width() };
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
    break_line(runs, &line, max, &mut rows);
    rows
}

fn break_line(runs: &[Run], line: &[Cluster], max: usize, rows: &mut Vec<Row>) {
    let mut start = 0;
    loop {
        let rest = line.get(start..).unwrap_or_default();
        let mut used = 0;
        let fits = rest.iter().take_while(|cluster| {
            used += cluster.width;
            used <= max
        });
        // A cluster wider than the line stands alone, and is cut by the screen.
        let count = fits.count().max(1);
        if count >= rest.len() {
            rows.push(row(runs, rest));
            return;
        }
        let space = rest[..count].iter().rposition(|cluster| cluster.space);
        let (end, next) = match space {
            _ if rest[count].space => (count, count + 1),
            Some(space) if rest[..space].iter().any(|cluster| !cluster.space) => (space, space + 1),
            _ => (count, count),
        };
        rows.push(row(runs, &rest[..end]));
        start += next;
    }
}

/// Puts clusters together again, in the order in which they are seen.
fn row(runs: &[Run], clusters: &[Cluster]) -> Row {
    let mut row: Row = Vec::new();
    let mut last = None;
    let mut push = |cluster: &Cluster| {
        let from = &runs[cluster.run];
        let text = &from.text[cluster.from..cluster.to];
        match row.last_mut() {
            Some(run) if last == Some(cluster.run) => run.text.push_str(text),
            _ => row.push(Run { text: text.to_owned(), style: from.style, link: from.link.clone() }),
        }
        last = Some(cluster.run);
    };
    if clusters.iter().all(|c| runs[c.run].text.is_ascii()) {
        clusters.iter().for_each(push);
        return row;
    }
    let text: String = clusters.iter().map(|c| &runs[c.run].text[c.from..c.to]).collect();
    match super::bidi::order(&text) {
        None => clusters.iter().for_each(push),
        Some(order) => order.into_iter().filter_map(|at| clusters.get(at)).for_each(&mut push),
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wrapped(text: &str, max: usize) -> Vec<String> {
        let rows = wrap(&[Run::new(text, Style::new())], max);
        rows.iter().map(|row| row.iter().map(|run| run.text.as_str()).collect()).collect()
    }

    #[test]
    fn lines_break_where_people_expect() {
        assert_eq!(wrapped("", 5), [""]);
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one two", 7), ["one two"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("  indented text", 10), ["  indented", "text"]);
        assert_eq!(wrapped("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(wrapped("日本語", 4), ["日本", "語"]);
        assert_eq!(wrapped("日本語", 1), ["日", "本", "語"]);
        assert_eq!(wrapped("aé👩‍👩‍👧b", 3), ["aé", "👩‍👩‍👧b"]);
    }

    #[test]
    fn texts_are_cut_to_fit() {
        assert_eq!(
            (fit("hello", 5), fit("hello", 4), fit("日本", 3), fit("x", 0)),
            ("hello".into(), "hel…".into(), "日…".into(), String::new())
        );
        assert_eq!(pad("日", 4), "日  ");
    }

    proptest! {
        #[test]
        fn rows_fit_and_lose_only_spaces(text in "[a-z 日é👍\n]{0,60}", max in 2usize..20) {
            let rows = wrapped(&text, max);
            prop_assert!(rows.iter().all(|row| width(row) <= max));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&rows.concat()), letters(&text));
        }
    }
}
