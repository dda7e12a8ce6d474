//! Comings and goings in a row, folded into one line: in a busy channel they would hide what is said.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::clock::zoned;
use crate::client::ui::App;
use crate::client::ui::buffer::Buffer;
use crate::client::ui::entry::{How, Moved, What};
use crate::client::ui::wrap::width;
use crate::wire::Nick;

/// At most so many are one line, so that what a row costs is bounded. Entries keep their numbers, and so each its line.
const MOST: i64 = 256;

/// A quarter of an hour.
const QUARTER: u64 = 15 * 60_000;

/// Rows that the names may take; where they would take more there are numbers.
const ROWS: usize = 2;

/// Is this told in the line of an earlier one? The first of a run has the line, so that those that follow move nothing.
pub fn is_folded(app: &App, buffer: &Buffer, number: i64) -> bool {
    goes_on(app, buffer, number) && buffer.entry(number).is_some_and(|entry| !entry.open)
}

/// Does this go on with the run of the one before?
pub fn goes_on(app: &App, buffer: &Buffer, number: i64) -> bool {
    if number.rem_euclid(MOST) == 0 {
        return false;
    }
    let (Some(entry), Some(before)) = (buffer.entry(number), buffer.entry(number - 1)) else { return false };
    let (What::Moved(_), What::Moved(_)) = (&entry.what, &before.what) else { return false };
    let new = buffer.divider.is_some_and(|divider| before.time <= divider && entry.time > divider);
    let day = |time| zoned(time, &app.zone).date();
    // Days begin at full quarters of an hour; in one of these the calendar need not be asked.
    entry.open == before.open
        && !new
        && (before.time.0 / QUARTER == entry.time.0 / QUARTER || day(before.time) == day(entry.time))
}

/// Does a run begin here that can be folded, or is?
pub fn begins(app: &App, buffer: &Buffer, number: i64) -> bool {
    !goes_on(app, buffer, number) && goes_on(app, buffer, number + 1)
}

/// The run that this is a part of; none where it stands alone.
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

/// One of them, with the words.
pub fn one(moved: &Moved) -> String {
    // What programs say for want of words says nothing.
    let silent = matches!(&*moved.words, "" | "Quit" | "Client Quit");
    let words = if silent { String::new() } else { format!(" ({})", moved.words) };
    format!("{} {} {}{words}", arrow(moved.how), moved.who, did(moved.how))
}

/// All of a run, one by one.
pub fn each(buffer: &Buffer, run: Range<i64>) -> impl Iterator<Item = &Moved> {
    run.filter_map(|number| match &buffer.entry(number)?.what {
        What::Moved(moved) => Some(moved),
        _ => None,
    })
}

/// All of a run in a line.
pub fn sum(buffer: &Buffer, run: Range<i64>, room: usize) -> String {
    let all: Vec<&Moved> = each(buffer, run).collect();
    let mut names = String::new();
    let mut counts = String::new();
    for how in [How::Joined, How::Left, How::Offline] {
        let mut who: Vec<(&str, usize)> = Vec::new();
        let mut places: HashMap<&Nick, usize> = HashMap::new();
        for moved in all.iter().filter(|moved| moved.how == how) {
            let at = *places.entry(&moved.who).or_insert(who.len());
            match who.get_mut(at) {
                Some((_, times)) => *times += 1,
                None => who.push((moved.who.as_str(), 1)),
            }
        }
        if who.is_empty() {
            continue;
        }
        let gap = if names.is_empty() { "" } else { "  " };
        let each = |(name, times): &(&str, usize)| match times {
            1 => (*name).to_owned(),
            _ => format!("{name} ({times}×)"),
        };
        let list: Vec<String> = who.iter().map(each).collect();
        let _ = write!(names, "{gap}{} {} {}", arrow(how), list.join(", "), did(how));
        let one = if let [(name, _)] = who[..] { name.to_owned() } else { who.len().to_string() };
        let _ = write!(counts, "{gap}{} {one} {}", arrow(how), did(how));
    }
    if width(&names) <= room * ROWS { names } else { counts }
}

fn arrow(how: How) -> &'static str {
    if how == How::Joined { "→" } else { "←" }
}

fn did(how: How) -> &'static str {
    match how {
        How::Joined => "joined",
        How::Left => "left",
        How::Offline => "went offline",
    }
}
