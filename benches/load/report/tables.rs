//! Tables in Markdown.

use std::fmt::Write as _;

use super::check::{END, START};
use super::results::{MEASURES, Measure, PARLOUR, Results};

/// Returns the table of the medians.
pub fn values(results: &Results) -> String {
    let servers = results.servers();
    let mut table = header("medians", servers.iter().copied());
    for (name, measure) in rows(results) {
        let cell = |server: &&str| match results.median(name, server, measure.key) {
            Some(value) => grouped(value, measure.decimals),
            None => "–".to_owned(),
        };
        push_row(&mut table, name, measure, servers.iter().map(cell));
    }
    table
}

/// Returns the table of how many times as good Parlour is as each other server, between two comments.
pub fn ratios(results: &Results) -> String {
    let others: Vec<&str> = results.servers().into_iter().filter(|server| *server != PARLOUR).collect();
    let mut table = format!("{START}\n");
    table.push_str(&header("Parlour, times as good as", others.iter().copied()));
    for (name, measure) in rows(results).filter(|(_, measure)| measure.comparison.is_some()) {
        let cell = |server: &&str| {
            let figure = |server| results.median(name, server, measure.key);
            let ratio =
                figure(PARLOUR).zip(figure(server)).and_then(|(ours, theirs)| measure.ratio(ours, theirs));
            ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))
        };
        push_row(&mut table, name, measure, others.iter().map(cell));
    }
    table.push_str(END);
    table
}

fn rows(results: &Results) -> impl Iterator<Item = (&str, &'static Measure)> {
    results.measurements().into_iter().flat_map(|(name, scenario)| {
        MEASURES
            .iter()
            .filter(move |measure| measure.scenario == scenario)
            .map(move |measure| (name, measure))
    })
}

fn header<'a>(title: &'a str, columns: impl Iterator<Item = &'a str> + Clone) -> String {
    let titles: Vec<&str> = [title].into_iter().chain(columns).collect();
    format!("| {} |\n|{}\n", titles.join(" | "), " --- |".repeat(titles.len()))
}

fn push_row(table: &mut String, name: &str, measure: &Measure, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    // Writing to a string cannot fail.
    let _ = writeln!(table, "| {name}: {} | {} |", measure.title, cells.join(" | "));
}

/// Prints a number with commas between groups of three digits.
fn grouped(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}
