//! Folding of runs of joins and leaves into one row, because in a busy channel they would hide the messages.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::clock::zoned;
use crate::client::screen::App;
use crate::client::screen::buffer::Buffer;
use crate::client::screen::entry::{How, Moved, What};
use crate::client::screen::text::wrap::width;
use crate::wire::Nick;

/// Limit of the entries of one run, which bounds the cost of its row. Runs end at multiples of this number, so that an
/// entry stays in its run when others are loaded.
const MOST: i64 = 256;

/// A quarter of an hour, in milliseconds.
const QUARTER: u64 = 15 * 60_000;

/// Rows that the names may take; a longer list becomes counts.
const ROWS: usize = 2;

/// Returns whether the entry is part of the row of an earlier one. The first entry of a run has the row, so that later
/// ones move nothing on the screen.
pub fn is_folded(app: &App, buffer: &Buffer, number: i64) -> bool {
    goes_on(app, buffer, number) && buffer.entry(number).is_some_and(|entry| !entry.open)
}

/// Returns whether the entry continues the run of the entry before.
pub fn goes_on(app: &App, buffer: &Buffer, number: i64) -> bool {
    if number.rem_euclid(MOST) == 0 {
        return false;
    }
    let (Some(entry), Some(before)) = (buffer.entry(number), buffer.entry(number - 1)) else { return false };
    let (What::Moved(_), What::Moved(_)) = (&entry.what, &before.what) else { return false };
    let new = buffer.divider.is_some_and(|divider| before.time <= divider && entry.time > divider);
    let day = |time| zoned(time, &app.zone).date();
    // Time zones change the date at full quarters of an hour only, so two time stamps in the same one need no
    // conversion.
    entry.open == before.open
        && !new
        && (before.time.0 / QUARTER == entry.time.0 / QUARTER || day(before.time) == day(entry.time))
}

/// Returns whether the entry is the first of a run of at least two.
pub fn begins(app: &App, buffer: &Buffer, number: i64) -> bool {
    !goes_on(app, buffer, number) && goes_on(app, buffer, number + 1)
}

/// Returns the run of the entry; `None` for a run of one.
pub fn run(app: &App, buffer: &Buffer, number: i64) -> Option<Range<i64>> {
    let (mut start, mut end) = (number, number + 1);
    while goes_on(app, buffer, start) {
        start -= 1;
    }
    while goes_on(app, buffer, end) {
        end += 1;
    }
    (end > start + 1).then_some(start..end)
}

/// Formats one entry of a run, with the part or quit message.
pub fn one(moved: &Moved) -> String {
    // Default quit messages of clients are left out.
    let silent = matches!(&*moved.words, "" | "Quit" | "Client Quit");
    let words = if silent { String::new() } else { format!(" ({})", moved.words) };
    format!("{} {} {}{words}", arrow(moved.how), moved.who, did(moved.how))
}

/// Iterates over the entries of a run.
pub fn each(buffer: &Buffer, run: Range<i64>) -> impl Iterator<Item = &Moved> {
    run.filter_map(|number| match &buffer.entry(number)?.what {
        What::Moved(moved) => Some(moved),
        _ => None,
    })
}

/// Net change of one nick in a run, from its first and its last entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Became {
    Joined,
    /// Left and joined again.
    Back,
    Left,
    Offline,
    /// Joined and left again.
    Passed,
}

impl Became {
    const ALL: [Self; 5] = [Self::Joined, Self::Back, Self::Left, Self::Offline, Self::Passed];

    fn of(first: How, last: How) -> Self {
        match (first, last) {
            (How::Joined, How::Joined) => Self::Joined,
            (How::Joined, _) => Self::Passed,
            (_, How::Joined) => Self::Back,
            (_, How::Left) => Self::Left,
            (_, How::Offline) => Self::Offline,
        }
    }

    /// Returns the arrow before the names, and the verb behind them.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Joined => (arrow(How::Joined), did(How::Joined)),
            Self::Left => (arrow(How::Left), did(How::Left)),
            Self::Offline => (arrow(How::Offline), did(How::Offline)),
            Self::Back => ("↔", "rejoined"),
            Self::Passed => ("↔", "joined and left"),
        }
    }
}

/// Formats the summary of a run, with names if they fit and counts if not. `room` is the width of a row in cells.
pub fn sum(buffer: &Buffer, run: Range<i64>, room: usize) -> String {
    let mut people: Vec<(&str, How, How)> = Vec::new();
    let mut places: HashMap<&Nick, usize> = HashMap::new();
    for moved in each(buffer, run) {
        let at = *places.entry(&moved.who).or_insert(people.len());
        match people.get_mut(at) {
            Some((_, _, last)) => *last = moved.how,
            None => people.push((moved.who.as_str(), moved.how, moved.how)),
        }
    }
    let (mut names, mut counts) = (String::new(), String::new());
    let mut crowd = false;
    for became in Became::ALL {
        let is = |(_, first, last): &&(&str, How, How)| Became::of(*first, *last) == became;
        let who: Vec<&str> = people.iter().filter(is).map(|(name, ..)| *name).collect();
        let (sign, words) = became.words();
        let count = match who[..] {
            [] => continue,
            [name] => name.to_owned(),
            _ => who.len().to_string(),
        };
        let gap = if counts.is_empty() { "" } else { "  " };
        // A name and its separator take at least three cells, so this many cannot fit.
        crowd |= who.len() * 3 > room * ROWS;
        if !crowd {
            let _ = write!(names, "{gap}{sign} {} {words}", who.join(", "));
        }
        let _ = write!(counts, "{gap}{sign} {count} {words}");
    }
    if !crowd && width(&names) <= room * ROWS { names } else { counts }
}

fn arrow(how: How) -> &'static str {
    if how == How::Joined { "→" } else { "←" }
}

fn did(how: How) -> &'static str {
    match how {
        How::Joined => "joined",
        How::Left => "left",
        How::Offline => "quit",
    }
}
