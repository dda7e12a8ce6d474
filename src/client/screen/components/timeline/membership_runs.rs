//! Folding of runs of joins and leaves into one row, because in a busy channel they would hide the messages.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::client::screen::text::wrap::width;
use crate::client::screen::view::clock::is_same_day;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::buffer::Buffer;
use crate::client::screen::workspace::entry::{Entry, EntryContent, MembershipChange, MembershipKind};
use crate::client::text::count::counted;
use crate::wire::Nick;

/// Limit of the entries of one run, which bounds the cost of its row. Runs end at multiples of this number, so that an
/// entry stays in its run when others are loaded.
const MAX_RUN_ENTRIES: i64 = 256;

/// Rows that the names may take; a longer list becomes counts.
const MAX_NAME_ROWS: usize = 2;

/// Returns whether the entry is part of the row of an earlier one. The first entry of a run has the row, so that later
/// ones move nothing on the screen.
pub fn is_folded(workspace: &Workspace, buffer: &Buffer, number: i64) -> bool {
    continues_run(workspace, buffer, number) && buffer.entry(number).is_some_and(|entry| !entry.unfolded)
}

/// Returns whether the entry continues the run of the entry before.
pub fn continues_run(workspace: &Workspace, buffer: &Buffer, number: i64) -> bool {
    if number.rem_euclid(MAX_RUN_ENTRIES) == 0 {
        return false;
    }
    let (Some(entry), Some(before)) = (buffer.entry(number), buffer.entry(number - 1)) else { return false };
    let both_hidden = entry.hidden && before.hidden;
    if !(both_hidden || is_membership(entry) && is_membership(before)) {
        return false;
    }
    entry.unfolded == before.unfolded && is_same_day(before.time, entry.time, &workspace.display.zone)
}

/// Returns whether the entry is the first of a run: of at least two joins and leaves, or of hidden messages.
pub fn starts_run(workspace: &Workspace, buffer: &Buffer, number: i64) -> bool {
    !continues_run(workspace, buffer, number)
        && (continues_run(workspace, buffer, number + 1) || is_hidden(buffer, number))
}

/// Returns whether the entry is a message of an ignored account.
fn is_hidden(buffer: &Buffer, number: i64) -> bool {
    buffer.entry(number).is_some_and(|entry| entry.hidden)
}

fn is_membership(entry: &Entry) -> bool {
    matches!(entry.content, EntryContent::Membership(_))
}

/// Returns the run of the entry; `None` for a single join or leave, and for messages that are not hidden.
pub fn find_run(workspace: &Workspace, buffer: &Buffer, number: i64) -> Option<Range<i64>> {
    let (mut start, mut end) = (number, number + 1);
    while continues_run(workspace, buffer, start) {
        start -= 1;
    }
    while continues_run(workspace, buffer, end) {
        end += 1;
    }
    (end > start + 1 || is_hidden(buffer, number)).then_some(start..end)
}

/// Formats one entry of a run, with the part or quit message.
pub fn format_change(moved: &MembershipChange) -> String {
    // Default quit messages of clients are left out.
    let silent = matches!(&*moved.reason, "" | "Quit" | "Client Quit");
    let reason = if silent { String::new() } else { format!(" ({})", moved.reason) };
    format!("{} {} {}{reason}", kind_arrow(moved.kind), moved.nick, kind_verb(moved.kind))
}

/// Iterates over the entries of a run.
pub fn changes(buffer: &Buffer, run: Range<i64>) -> impl Iterator<Item = &MembershipChange> {
    run.filter_map(|number| match &buffer.entry(number)?.content {
        EntryContent::Membership(moved) => Some(moved),
        _ => None,
    })
}

/// Net change of one nick in a run, from its first and its last entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NetChange {
    Joined,
    /// Left and joined again.
    Rejoined,
    Left,
    Quit,
    /// Joined and left again.
    JoinedAndLeft,
}

impl NetChange {
    const ALL: [Self; 5] = [Self::Joined, Self::Rejoined, Self::Left, Self::Quit, Self::JoinedAndLeft];

    fn from_changes(first: MembershipKind, last: MembershipKind) -> Self {
        match (first, last) {
            (MembershipKind::Joined, MembershipKind::Joined) => Self::Joined,
            (MembershipKind::Joined, _) => Self::JoinedAndLeft,
            (_, MembershipKind::Joined) => Self::Rejoined,
            (_, MembershipKind::Left) => Self::Left,
            (_, MembershipKind::Quit) => Self::Quit,
        }
    }

    /// Returns the arrow before the names.
    fn arrow(self) -> &'static str {
        match self {
            Self::Joined => kind_arrow(MembershipKind::Joined),
            Self::Left => kind_arrow(MembershipKind::Left),
            Self::Quit => kind_arrow(MembershipKind::Quit),
            Self::Rejoined | Self::JoinedAndLeft => "↔",
        }
    }

    /// Returns the verb behind the names.
    fn verb(self) -> &'static str {
        match self {
            Self::Joined => kind_verb(MembershipKind::Joined),
            Self::Left => kind_verb(MembershipKind::Left),
            Self::Quit => kind_verb(MembershipKind::Quit),
            Self::Rejoined => "rejoined",
            Self::JoinedAndLeft => "joined and left",
        }
    }
}

/// First and last change of a nick in a run.
struct NickChanges<'a> {
    nick: &'a str,
    first: MembershipKind,
    last: MembershipKind,
}

/// Formats the row in place of hidden messages.
pub fn summarize_hidden(run: &Range<i64>) -> String {
    counted(run.end - run.start, "ignored message")
}

/// Formats the summary of a run, with names if they fit and counts if not. `room` is the width of a row in cells.
pub fn summarize_run(buffer: &Buffer, run: Range<i64>, room: usize) -> String {
    let mut changes_by_nick: Vec<NickChanges<'_>> = Vec::new();
    let mut indices: HashMap<&Nick, usize> = HashMap::with_capacity(run.clone().count());
    for moved in changes(buffer, run) {
        let at = *indices.entry(&moved.nick).or_insert(changes_by_nick.len());
        match changes_by_nick.get_mut(at) {
            Some(changes) => changes.last = moved.kind,
            None => changes_by_nick.push(NickChanges {
                nick: moved.nick.as_str(),
                first: moved.kind,
                last: moved.kind,
            }),
        }
    }
    let (mut names, mut counts) = (String::new(), String::new());
    let mut crowd = false;
    for became in NetChange::ALL {
        let is = |changes: &&NickChanges<'_>| NetChange::from_changes(changes.first, changes.last) == became;
        let nicks: Vec<&str> = changes_by_nick.iter().filter(is).map(|changes| changes.nick).collect();
        let (sign, verb) = (became.arrow(), became.verb());
        let count = match nicks[..] {
            [] => continue,
            [name] => name.to_owned(),
            _ => nicks.len().to_string(),
        };
        let gap = if counts.is_empty() { "" } else { "  " };
        // A name and its separator take at least three cells, so this many cannot fit.
        crowd |= nicks.len() * 3 > room * MAX_NAME_ROWS;
        if !crowd {
            let _ = write!(names, "{gap}{sign} {} {verb}", nicks.join(", "));
        }
        let _ = write!(counts, "{gap}{sign} {count} {verb}");
    }
    if !crowd && width(&names) <= room * MAX_NAME_ROWS { names } else { counts }
}

fn kind_arrow(kind: MembershipKind) -> &'static str {
    if kind == MembershipKind::Joined { "→" } else { "←" }
}

fn kind_verb(kind: MembershipKind) -> &'static str {
    match kind {
        MembershipKind::Joined => "joined",
        MembershipKind::Left => "left",
        MembershipKind::Quit => "quit",
    }
}
