//! Cost of commands, and the rate at which an account may spend.
//!
//! One unit is an ordinary line. The cost is computed from the effects of a command, so that no table of commands has
//! to be right: sessions reached, bytes for them, bytes of replies, rows looked at, records. A message to 2,000
//! sessions costs little more than one unit; a WHO of as many costs eleven.

use std::ops::AddAssign;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::{Ask, Effects, Output};

/// Deliveries of an event to a session, for one unit: each is a push and a share of a write.
const DELIVERIES: f32 = 2_500.0;

/// Bytes of events, times the sessions that get them, for one unit.
const FANNED: f32 = 1024.0 * 1024.0;

/// Bytes of lines made for one session, for one unit.
const ANSWERED: f32 = 16.0 * 1024.0;

/// Bytes of a result that was read from the history concurrently with the hub, for one unit.
const READ: f32 = 256.0 * 1024.0;

/// Members, accounts, channels and masks looked at, for one unit: about a millisecond.
const ROWS: f32 = 20_000.0;

/// Records to be stored, for one unit.
const RECORDS: f32 = 20.0;

/// Units for a change of an account, which may hash a password.
const CHANGE: f32 = 5.0;

/// Units for a command without effect or output, such as the JOIN of a channel that the account is in.
const NOTHING: f32 = 0.25;

/// Units for PING, PONG and CAP, which clients send by the dozen.
const TRIFLE: f32 = 0.1;

/// Maximum debt, in seconds of the account's rate. This bounds the wait, whatever was spent.
const DEBT: f32 = 30.0;

/// Work that an input caused.
#[must_use = "whoever caused it pays for it"]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::server) struct Work {
    deliveries: usize,
    fanned: usize,
    answered: usize,
    read: usize,
    rows: usize,
    records: usize,
    changes: u32,
    outputs: usize,
    /// Bytes that the outputs hold in memory until they are delivered.
    pub held: usize,
}

impl Work {
    /// Counts the effects appended after these counts of records and outputs; `rows` is the count of rows looked at.
    pub fn behind((records, outputs): (usize, usize), effects: &Effects, rows: usize) -> Self {
        /// Size of a queued event, which is a handle of shared text.
        const EVENT: usize = 256;
        let mut work = Self {
            rows,
            records: effects.records.len() - records,
            outputs: effects.outputs.len() - outputs,
            ..Self::default()
        };
        for output in effects.outputs.iter().skip(outputs) {
            match output {
                Output::Line(_, line) => {
                    work.answered += line.len();
                    work.held += line.len();
                }
                Output::Event { event, .. } => {
                    work.answered += event.size();
                    work.held += EVENT;
                }
                Output::Fan { audience, event, .. } => {
                    work.deliveries += audience.len();
                    work.fanned += audience.len() * event.size();
                    work.held += EVENT;
                }
                Output::Ask { ask, .. } => match &**ask {
                    Ask::Lines(lines) => {
                        work.answered += lines.len();
                        work.held += lines.len();
                    }
                    Ask::Manage { .. } => work.changes += 1,
                    _ => work.held += EVENT,
                },
                Output::Done(..) | Output::Close(..) => {}
            }
        }
        work
    }

    /// Returns the work of a result of so many bytes, read concurrently with the hub.
    pub fn of_read(bytes: usize) -> Self {
        Self { read: bytes, ..Self::default() }
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn units(self) -> f32 {
        self.deliveries as f32 / DELIVERIES
            + self.fanned as f32 / FANNED
            + self.answered as f32 / ANSWERED
            + self.read as f32 / READ
            + self.rows as f32 / ROWS
            + self.records as f32 / RECORDS
            + self.changes as f32 * CHANGE
    }

    /// Returns the cost of a command that caused this work. A trifle is a command that clients send by the dozen.
    pub fn cost(self, is_trifle: bool) -> f32 {
        let least = match self {
            Self { outputs: 0, records: 0, .. } => NOTHING,
            _ if is_trifle => TRIFLE,
            _ => 1.0,
        };
        self.units().max(least)
    }

    /// Returns the cost of a line that does nothing by itself, such as one of a multiline message.
    pub fn of_line() -> f32 {
        NOTHING
    }

    /// Returns the cost of a login. It brings all channels of the account, but is capped at half the burst so that the
    /// client can begin.
    pub fn of_login(self, rate: Option<Rate>) -> f32 {
        let most = rate.map_or(f32::MAX, |rate| (rate.burst / 2.0).max(1.0));
        self.units().clamp(1.0, most)
    }

    /// Returns the cost of work outside of commands.
    pub fn of_rest(self) -> f32 {
        self.units()
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.fanned += other.fanned;
        self.answered += other.answered;
        self.read += other.read;
        self.rows += other.rows;
        self.records += other.records;
        self.changes += other.changes;
        self.outputs += other.outputs;
        self.held += other.held;
    }
}

/// Rate limit of an account, in units.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct Rate {
    /// Units a second in the long run.
    pub per_second: f32,
    /// Units at once.
    pub burst: f32,
}

impl Rate {
    /// Makes a limit of so many ordinary lines a second, and at once.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^24")]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second as f32, burst: burst as f32 }
    }
}

/// Token bucket of an account. It may be overdrawn, because a cost is known only afterwards.
#[derive(Debug)]
pub(in crate::server) struct Bucket {
    units: f32,
    since: Instant,
}

impl Bucket {
    pub fn full(rate: Option<Rate>, now: Instant) -> Self {
        Self { units: rate.map_or(1.0, |rate| rate.burst), since: now }
    }

    fn refill(&mut self, rate: Rate, now: Instant) {
        let earned = now.saturating_duration_since(self.since).as_secs_f32() * rate.per_second;
        self.since = self.since.max(now);
        self.units = (self.units + earned).min(rate.burst);
    }

    /// Takes a cost.
    pub fn spend(&mut self, cost: f32, rate: Option<Rate>) {
        if let Some(rate) = rate {
            self.units = (self.units - cost).max(-DEBT * rate.per_second);
        }
    }

    /// Returns true if nothing is owed, as of the last [`due`](Self::due).
    pub fn may_spend(&self) -> bool {
        self.units > 0.0
    }

    /// Returns the time at which the next command may be carried out; `None` for now.
    pub fn due(&mut self, rate: Option<Rate>, now: Instant) -> Option<Instant> {
        let rate = rate?;
        self.refill(rate, now);
        if self.units > 0.0 {
            return None;
        }
        // A whole unit, so that not each command needs a wake-up of its own.
        let wait = (1.0f32.min(rate.burst) - self.units) / rate.per_second;
        Some(now + Duration::from_secs_f32(wait.clamp(0.001, 2.0 * DEBT)))
    }

    /// Returns true if the whole burst is available again.
    pub fn is_full(&mut self, rate: Option<Rate>, now: Instant) -> bool {
        let Some(rate) = rate else { return true };
        self.refill(rate, now);
        self.units >= rate.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<Rate> = Some(Rate { per_second: 10.0, burst: 60.0 });

    #[test]
    fn burst_is_free_then_rate_applies() {
        let begin = Instant::now();
        let mut bucket = Bucket::full(RATE, begin);
        let (mut now, mut said) = (begin, 0);
        while now < begin + Duration::from_secs(10) {
            match bucket.due(RATE, now) {
                None => {
                    bucket.spend(1.0, RATE);
                    said += 1;
                }
                Some(due) => now = due,
            }
        }
        assert!((158..=161).contains(&said), "{said}");
        assert!(bucket.is_full(RATE, now + Duration::from_secs(7)));
    }

    #[test]
    fn debt_is_bounded() {
        let now = Instant::now();
        let mut bucket = Bucket::full(RATE, now);
        bucket.spend(1e9, RATE);
        let due = bucket.due(RATE, now).expect("it owes");
        assert!(due < now + Duration::from_secs(31));
        assert!(bucket.due(RATE, due).is_none());
    }

    #[test]
    fn no_rate_limit_means_no_wait() {
        let now = Instant::now();
        let mut bucket = Bucket::full(None, now);
        bucket.spend(1e9, None);
        assert!(bucket.may_spend() && bucket.due(None, now).is_none());
    }

    #[test]
    fn cost_grows_with_recipients_and_bytes() {
        let work = |deliveries, answered| Work { deliveries, answered, outputs: 1, ..Work::default() };
        let chat = Work { fanned: 2_000 * 200, ..work(2_000, 0) }.cost(false);
        assert!((1.0..1.3).contains(&chat), "{chat}");
        let who = work(0, 300 * 90).cost(false);
        assert!((1.5..2.0).contains(&who), "{who}");
        let all = Work { fanned: 16 * 2_000 * 2_000, ..work(16 * 2_000, 0) }.cost(false);
        assert!(all > 60.0, "{all}");
        assert!(Work::default().cost(true) < 0.5 && work(0, 40).cost(true) < 0.2);
        let login = work(0, 1 << 30).of_login(RATE);
        assert!(login < 31.0, "{login}");
    }
}
