//! Log of failures before the login: at most one line a minute and subject, with a count of the rest, and at most
//! [`LINES`] a minute of all subjects, with one line for those beyond.
//!
//! The table is bounded. Subjects that do not fit into it share one line a minute.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tracing::{debug, info};

use super::subject::Subject;

/// Kind of event that is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incident {
    /// A connection was refused, or closed to make room.
    Refused,
    /// The TLS handshake failed.
    Handshake,
    /// A connection was closed before its login.
    Closed,
    /// A password was wrong, or was not checked.
    Password,
    /// A certificate belongs to no device of an account.
    Device,
    /// An invite was not redeemed.
    Invite,
}

/// The recent incidents.
#[derive(Debug, Default)]
pub struct Incidents(Mutex<Table>);

/// Counts of the lines that were left out.
#[derive(Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// `None` for all subjects that did not fit into the table.
    pub subject: Option<Subject>,
    counts: Counts,
}

type Counts = [u32; NAMES.len()];

/// Names of the incidents, in the order of [`Incident`].
const NAMES: [&str; 6] = [
    "refused connections",
    "failed handshakes",
    "closed before the login",
    "failed logins",
    "unknown devices",
    "refused invites",
];

/// Time between two lines of one subject.
const MINUTE: Duration = Duration::from_mins(1);

/// Maximum count of subjects in the table.
const MOST: usize = 4096;

/// Maximum count of lines a minute of all subjects together, so that many addresses cannot fill a disk. The sum of
/// the others is one more.
pub const LINES: u32 = 60;

/// Interval at which due lines are logged.
pub const ROUND: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Table {
    subjects: HashMap<Subject, Entry>,
    /// Entry of all subjects that did not fit, into the table or into the lines of the minute.
    others: Option<Entry>,
    /// Begin of the current minute, and its lines.
    minute: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Entry {
    /// Time of the latest line.
    logged: Instant,
    left_out: Counts,
}

impl Incidents {
    /// Logs an incident, unless the subject has had its line of this minute. The level `debug` logs them all.
    pub fn note(&self, subject: Subject, incident: Incident, line: impl fmt::Display) {
        if self.count(subject, incident, Instant::now()) {
            info!("{line}");
        } else {
            debug!("{line}");
        }
    }

    /// Logs the counts of what was left out, periodically. Never returns.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(ROUND).await;
            for left_out in self.due(Instant::now()) {
                info!("{left_out}");
            }
        }
    }

    /// Counts an incident. Returns true if it is to be logged.
    fn count(&self, subject: Subject, incident: Incident, now: Instant) -> bool {
        let mut table = self.0.lock();
        let full = table.subjects.len() >= MOST && !table.subjects.contains_key(&subject);
        let table = &mut *table;
        let entry = if full { table.others.as_mut() } else { table.subjects.get_mut(&subject) };
        if let Some(entry) = entry {
            if let Some(count) = entry.left_out.get_mut(incident as usize) {
                *count = count.saturating_add(1);
            }
            return false;
        }
        let may_log = table.take_line(now);
        let mut entry = Entry { logged: now, left_out: Counts::default() };
        if let Some(count) = entry.left_out.get_mut(incident as usize).filter(|_| !may_log) {
            *count = 1;
        }
        if full {
            table.others = Some(entry);
        } else {
            table.subjects.insert(subject, entry);
        }
        may_log
    }

    /// Returns the lines that are due. Removes subjects without an incident for a minute.
    fn due(&self, now: Instant) -> Vec<LeftOut> {
        let mut due = Vec::new();
        let mut stays = |subject: Subject, entry: &mut Entry| {
            if now.saturating_duration_since(entry.logged) < MINUTE {
                return true;
            }
            let counts = std::mem::take(&mut entry.left_out);
            entry.logged = now;
            let any = counts != Counts::default();
            due.extend(any.then_some(LeftOut { subject: Some(subject), counts }));
            any
        };
        let mut table = self.0.lock();
        table.subjects.retain(|subject, entry| stays(*subject, entry));
        due.retain(|left_out| {
            let has_line = table.take_line(now);
            if !has_line {
                let new = || Entry { logged: now, left_out: Counts::default() };
                let sum = &mut table.others.get_or_insert_with(new).left_out;
                for (sum, count) in sum.iter_mut().zip(left_out.counts) {
                    *sum = sum.saturating_add(count);
                }
            }
            has_line
        });
        let others =
            table.others.as_mut().filter(|entry| now.saturating_duration_since(entry.logged) >= MINUTE);
        if let Some(entry) = others {
            let counts = std::mem::take(&mut entry.left_out);
            entry.logged = now;
            if counts == Counts::default() {
                table.others = None;
            } else {
                due.push(LeftOut { subject: None, counts });
            }
        }
        due
    }
}

impl Table {
    /// Returns whether this minute has room for a line, and counts it.
    fn take_line(&mut self, now: Instant) -> bool {
        let (begin, lines) = self.minute.filter(|(begin, _)| now < *begin + MINUTE).unwrap_or((now, 0));
        self.minute = Some((begin, (lines + 1).min(LINES)));
        lines < LINES
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            Some(subject) => write!(f, "left out in the last minute, of {subject}: ")?,
            None => f.write_str("left out in the last minute, of other addresses: ")?,
        }
        let mut comma = "";
        for (name, count) in NAMES.iter().zip(self.counts).filter(|(_, count)| *count > 0) {
            write!(f, "{comma}{count} {name}")?;
            comma = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn subject(n: u32) -> Subject {
        Subject::Address(Ipv4Addr::from(n).into())
    }

    #[test]
    fn each_subject_logs_one_line_per_minute() {
        let (incidents, start) = (Incidents::default(), Instant::now());
        assert!(incidents.count(subject(1), Incident::Password, start));
        for _ in 0..40 {
            assert!(!incidents.count(subject(1), Incident::Password, start));
        }
        assert!(!incidents.count(subject(1), Incident::Handshake, start));
        assert!(incidents.count(subject(2), Incident::Password, start), "another subject has its own");
        assert_eq!(incidents.due(start + MINUTE / 2), []);
        let due = incidents.due(start + MINUTE);
        let lines: Vec<_> = due.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["left out in the last minute, of 0.0.0.1: 1 failed handshakes, 40 failed logins"]);
        assert!(!incidents.count(subject(1), Incident::Password, start + MINUTE), "it just had its line");
        assert_eq!(incidents.due(start + 2 * MINUTE).len(), 1);
        assert_eq!(incidents.due(start + 3 * MINUTE), []);
        assert!(incidents.0.lock().subjects.is_empty());
    }

    #[test]
    fn table_size_is_bounded() {
        let (incidents, start) = (Incidents::default(), Instant::now());
        let many = u32::try_from(2 * MOST).expect("few");
        let logged = (0..many).filter(|&n| incidents.count(subject(n), Incident::Refused, start)).count();
        assert_eq!(u32::try_from(logged), Ok(LINES));
        assert_eq!(incidents.0.lock().subjects.len(), MOST);
        // Every incident is counted once, in at most a minute's lines and one for the sum.
        let mut counted = logged;
        for minute in 1..4 {
            let due = incidents.due(start + minute * MINUTE);
            assert!(due.len() <= usize::try_from(LINES + 1).expect("few"), "{}", due.len());
            counted +=
                due.iter().flat_map(|left_out| left_out.counts).map(|count| count as usize).sum::<usize>();
        }
        assert_eq!(counted, 2 * MOST);
        assert!(incidents.0.lock().subjects.is_empty() && incidents.due(start + 4 * MINUTE).is_empty());
    }
}
