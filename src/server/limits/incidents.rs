//! Log of failures before the login: at most one line a minute and subject, with a count of the rest, and at most
//! [`MAX_LINES_PER_MINUTE`] a minute of all subjects, with one line for those beyond.
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
pub enum IncidentKind {
    /// A connection was refused, or closed to make room.
    ConnectionRefused,
    /// The TLS handshake failed.
    HandshakeFailed,
    /// A connection was closed before its login.
    ClosedBeforeLogin,
    /// A password was wrong, or was not checked.
    LoginFailed,
    /// A certificate belongs to no device of an account.
    UnknownDevice,
    /// An invite was not redeemed.
    InviteRefused,
}

/// The recent incidents.
#[derive(Debug, Default)]
pub struct IncidentLog(Mutex<IncidentTable>);

/// Counts of the lines that were left out.
#[derive(Debug, PartialEq, Eq)]
pub struct SuppressedIncidents {
    /// `None` for all subjects that did not fit into the table.
    pub subject: Option<Subject>,
    counts: Counts,
}

type Counts = [u32; INCIDENT_NAMES.len()];

/// Names of the incidents, in the order of [`IncidentKind`].
const INCIDENT_NAMES: [&str; 6] = [
    "refused connections",
    "failed handshakes",
    "closed before the login",
    "failed logins",
    "unknown devices",
    "refused invites",
];

/// Time between two lines of one subject.
const LINE_INTERVAL: Duration = Duration::from_mins(1);

/// Maximum count of subjects in the table.
const MAX_SUBJECTS: usize = 4096;

/// Maximum count of lines a minute of all subjects together, so that many addresses cannot fill a disk. The sum of
/// the others is one more.
pub const MAX_LINES_PER_MINUTE: u32 = 60;

/// Interval at which due lines are logged.
pub const LOG_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct IncidentTable {
    subjects: HashMap<Subject, Entry>,
    /// Entry of all subjects that did not fit, into the table or into the lines of the minute.
    others: Option<Entry>,
    /// Begin of the current minute, and its lines.
    current_minute: Option<(Instant, u32)>,
}

#[derive(Debug)]
struct Entry {
    /// Time of the latest line.
    last_logged: Instant,
    suppressed: Counts,
}

impl IncidentLog {
    /// Logs an incident, unless the subject has had its line of this minute. The level `debug` logs them all.
    pub fn record(&self, subject: Subject, kind: IncidentKind, line: impl fmt::Display) {
        if self.count_incident(subject, kind, Instant::now()) {
            info!("{line}");
        } else {
            debug!("{line}");
        }
    }

    /// Logs the counts of what was left out, periodically. Never returns.
    pub async fn run(&self) {
        loop {
            tokio::time::sleep(LOG_INTERVAL).await;
            for left_out in self.take_due_lines(Instant::now()) {
                info!("{left_out}");
            }
        }
    }

    /// Counts an incident. Returns true if it is to be logged.
    fn count_incident(&self, subject: Subject, kind: IncidentKind, now: Instant) -> bool {
        let mut table = self.0.lock();
        let full = table.subjects.len() >= MAX_SUBJECTS && !table.subjects.contains_key(&subject);
        let table = &mut *table;
        let entry = if full { table.others.as_mut() } else { table.subjects.get_mut(&subject) };
        if let Some(entry) = entry {
            if let Some(count) = entry.suppressed.get_mut(kind as usize) {
                *count = count.saturating_add(1);
            }
            return false;
        }
        let may_log = table.take_line(now);
        let mut entry = Entry { last_logged: now, suppressed: Counts::default() };
        if let Some(count) = entry.suppressed.get_mut(kind as usize).filter(|_| !may_log) {
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
    fn take_due_lines(&self, now: Instant) -> Vec<SuppressedIncidents> {
        let mut due = Vec::new();
        let mut remains = |subject: Subject, entry: &mut Entry| {
            if now.saturating_duration_since(entry.last_logged) < LINE_INTERVAL {
                return true;
            }
            let counts = std::mem::take(&mut entry.suppressed);
            entry.last_logged = now;
            let has_counts = counts != Counts::default();
            due.extend(has_counts.then_some(SuppressedIncidents { subject: Some(subject), counts }));
            has_counts
        };
        let mut table = self.0.lock();
        table.subjects.retain(|subject, entry| remains(*subject, entry));
        due.retain(|left_out| {
            let has_line = table.take_line(now);
            if !has_line {
                let new = || Entry { last_logged: now, suppressed: Counts::default() };
                let sum = &mut table.others.get_or_insert_with(new).suppressed;
                for (sum, count) in sum.iter_mut().zip(left_out.counts) {
                    *sum = sum.saturating_add(count);
                }
            }
            has_line
        });
        let others = table
            .others
            .as_mut()
            .filter(|entry| now.saturating_duration_since(entry.last_logged) >= LINE_INTERVAL);
        if let Some(entry) = others {
            let counts = std::mem::take(&mut entry.suppressed);
            entry.last_logged = now;
            if counts == Counts::default() {
                table.others = None;
            } else {
                due.push(SuppressedIncidents { subject: None, counts });
            }
        }
        due
    }
}

impl IncidentTable {
    /// Returns whether this minute has room for a line, and counts it.
    fn take_line(&mut self, now: Instant) -> bool {
        let (begin, lines) =
            self.current_minute.filter(|(begin, _)| now < *begin + LINE_INTERVAL).unwrap_or((now, 0));
        self.current_minute = Some((begin, (lines + 1).min(MAX_LINES_PER_MINUTE)));
        lines < MAX_LINES_PER_MINUTE
    }
}

impl fmt::Display for SuppressedIncidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.subject {
            Some(subject) => write!(f, "left out in the last minute, of {subject}: ")?,
            None => f.write_str("left out in the last minute, of other addresses: ")?,
        }
        let mut comma = "";
        for (name, count) in INCIDENT_NAMES.iter().zip(self.counts).filter(|(_, count)| *count > 0) {
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
        let (incidents, start) = (IncidentLog::default(), Instant::now());
        assert!(incidents.count_incident(subject(1), IncidentKind::LoginFailed, start));
        for _ in 0..40 {
            assert!(!incidents.count_incident(subject(1), IncidentKind::LoginFailed, start));
        }
        assert!(!incidents.count_incident(subject(1), IncidentKind::HandshakeFailed, start));
        assert!(
            incidents.count_incident(subject(2), IncidentKind::LoginFailed, start),
            "another subject has its own"
        );
        assert_eq!(incidents.take_due_lines(start + LINE_INTERVAL / 2), []);
        let due = incidents.take_due_lines(start + LINE_INTERVAL);
        let lines: Vec<_> = due.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["left out in the last minute, of 0.0.0.1: 1 failed handshakes, 40 failed logins"]);
        assert!(
            !incidents.count_incident(subject(1), IncidentKind::LoginFailed, start + LINE_INTERVAL),
            "it just had its line"
        );
        assert_eq!(incidents.take_due_lines(start + 2 * LINE_INTERVAL).len(), 1);
        assert_eq!(incidents.take_due_lines(start + 3 * LINE_INTERVAL), []);
        assert!(incidents.0.lock().subjects.is_empty());
    }

    #[test]
    fn table_size_is_bounded() {
        let (incidents, start) = (IncidentLog::default(), Instant::now());
        let many = u32::try_from(2 * MAX_SUBJECTS).expect("few");
        let logged = (0..many)
            .filter(|&n| incidents.count_incident(subject(n), IncidentKind::ConnectionRefused, start))
            .count();
        assert_eq!(u32::try_from(logged), Ok(MAX_LINES_PER_MINUTE));
        assert_eq!(incidents.0.lock().subjects.len(), MAX_SUBJECTS);
        // Every incident is counted once, in at most a minute's lines and one for the sum.
        let mut counted = logged;
        for minute in 1..4 {
            let due = incidents.take_due_lines(start + minute * LINE_INTERVAL);
            assert!(due.len() <= usize::try_from(MAX_LINES_PER_MINUTE + 1).expect("few"), "{}", due.len());
            counted +=
                due.iter().flat_map(|left_out| left_out.counts).map(|count| count as usize).sum::<usize>();
        }
        assert_eq!(counted, 2 * MAX_SUBJECTS);
        assert!(
            incidents.0.lock().subjects.is_empty()
                && incidents.take_due_lines(start + 4 * LINE_INTERVAL).is_empty()
        );
    }
}
