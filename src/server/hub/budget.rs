//! Cost of commands, which an account pays from its [token bucket](crate::server::limits::token_bucket).
//!
//! One unit is an ordinary line. The cost is computed from the effects of a command, so that no table of commands has
//! to be right: sessions reached, bytes for them, bytes of replies, rows looked at, records. A message to 2,000
//! sessions costs little more than one unit; a WHO of as many costs eleven.

use std::ops::AddAssign;

use crate::core::effects::EventTo;
use crate::core::{EffectCounts, Effects, Output, Query};
use crate::server::limits::token_bucket::RateLimit;

/// Deliveries of an event to a session, for one unit: each is a push and a share of a write.
const DELIVERIES_PER_UNIT: f32 = 2_500.0;

/// Bytes of events, times the sessions that get them, for one unit.
const FANOUT_BYTES_PER_UNIT: f32 = 1024.0 * 1024.0;

/// Bytes of lines made for one session, for one unit.
const REPLY_BYTES_PER_UNIT: f32 = 16.0 * 1024.0;

/// Bytes of a result that was read from the history concurrently with the hub, for one unit.
const READ_BYTES_PER_UNIT: f32 = 256.0 * 1024.0;

/// Members, accounts, channels and masks looked at, for one unit: about a millisecond.
const ROWS_PER_UNIT: f32 = 20_000.0;

/// Records to be stored, for one unit.
const RECORDS_PER_UNIT: f32 = 20.0;

/// Units for a change of an account, which may hash a password.
const UNITS_PER_ACCOUNT_CHANGE: f32 = 5.0;

/// Units for a command without effect or output, such as the JOIN of a channel that the account is in, or a PONG without
/// a label.
const NO_EFFECT_COST: f32 = 0.25;

/// Units for a PING or CAP, which clients send by the dozen, and for a PONG whose label gets an ACK.
const CHEAP_COMMAND_COST: f32 = 0.1;

/// Minimum that a command counts in its account's turn, so that a turn has an end when commands cause hardly any work.
const MIN_ESTIMATED_UNITS: f32 = 0.125;

/// Cost of a command, in units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::server) struct Cost {
    /// Units taken from the account's rate limit, at least one for an ordinary line.
    pub charged: f32,
    /// Units of work, without the minimum of a line. They limit the turn of the account, and so what others wait: to
    /// count each message as a whole unit would end turns after a few messages, and commit them in small transactions.
    pub estimated: f32,
}

impl Cost {
    fn new(charged: f32, units: f32) -> Self {
        Self { charged, estimated: units.max(MIN_ESTIMATED_UNITS) }
    }
}

/// Work that an input caused.
#[must_use = "whoever caused it pays for it"]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::server) struct Work {
    deliveries: usize,
    fanout_bytes: usize,
    reply_bytes: usize,
    read_bytes: usize,
    rows_examined: usize,
    records: usize,
    account_changes: u32,
    outputs: usize,
    /// Bytes that the outputs hold in memory until they are delivered.
    pub held_bytes: usize,
}

impl Work {
    /// Counts the effects appended after these counts of records and outputs; `rows` is the count of rows looked at.
    pub fn from_effects(before: EffectCounts, effects: &Effects, rows: usize) -> Self {
        /// Size of a queued event, which is a handle of shared text.
        const QUEUED_EVENT_BYTES: usize = 256;
        let mut work = Self {
            rows_examined: rows,
            records: effects.records.len() - before.records,
            outputs: effects.outputs.len() - before.outputs,
            ..Self::default()
        };
        for output in effects.outputs.iter().skip(before.outputs) {
            match output {
                Output::Reply(reply) => {
                    work.reply_bytes += reply.size();
                    work.held_bytes += reply.size();
                }
                Output::Long(long) => {
                    work.reply_bytes += long.size();
                    work.held_bytes += long.size();
                }
                Output::Event(EventTo { event, .. }) => {
                    work.reply_bytes += event.approximate_size();
                    work.held_bytes += QUEUED_EVENT_BYTES;
                }
                Output::Broadcast { audience, event, .. } => {
                    work.deliveries += audience.len();
                    work.fanout_bytes += audience.len() * event.approximate_size();
                    work.held_bytes += QUEUED_EVENT_BYTES;
                }
                Output::Query { query, .. } => match &**query {
                    Query::Oper(_)
                    | Query::Password(_)
                    | Query::InviteLink(_)
                    | Query::FileSecret(_)
                    | Query::Rehash(_) => {
                        work.account_changes += 1;
                    }
                    Query::History(_)
                    | Query::Targets(_)
                    | Query::Replay(_)
                    | Query::Search(_)
                    | Query::Redaction(_)
                    | Query::Audit(_) => work.held_bytes += QUEUED_EVENT_BYTES,
                },
                Output::RequestDone(..) | Output::RemoveFileContent(_) | Output::Close(..) => {}
            }
        }
        work
    }

    /// Returns the work of a result of so many bytes, read concurrently with the hub.
    pub fn from_read_bytes(bytes: usize) -> Self {
        Self { read_bytes: bytes, ..Self::default() }
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn units(self) -> f32 {
        self.deliveries as f32 / DELIVERIES_PER_UNIT
            + self.fanout_bytes as f32 / FANOUT_BYTES_PER_UNIT
            + self.reply_bytes as f32 / REPLY_BYTES_PER_UNIT
            + self.read_bytes as f32 / READ_BYTES_PER_UNIT
            + self.rows_examined as f32 / ROWS_PER_UNIT
            + self.records as f32 / RECORDS_PER_UNIT
            + self.account_changes as f32 * UNITS_PER_ACCOUNT_CHANGE
    }

    /// Returns the cost of a command that caused this work. `is_cheap` lowers the minimum, for commands that clients
    /// send often by themselves, such as PING.
    pub fn command_cost(self, is_cheap: bool) -> Cost {
        let min_cost = match self {
            Self { outputs: 0, records: 0, .. } => NO_EFFECT_COST,
            _ if is_cheap => CHEAP_COMMAND_COST,
            _ => 1.0,
        };
        Cost::new(self.units().max(min_cost), self.units())
    }

    /// Returns the cost of a line that does nothing by itself, such as one of a multiline message.
    pub fn line_cost() -> Cost {
        Cost::new(NO_EFFECT_COST, 0.0)
    }

    /// Returns the cost of a login. It brings all channels of the account, but is capped at half the burst so that the
    /// client can begin.
    pub fn login_cost(self, rate_limit: Option<RateLimit>) -> Cost {
        let max_cost = rate_limit.map_or(f32::MAX, |rate| (rate.burst / 2.0).max(1.0));
        Cost::new(self.units().clamp(1.0, max_cost), self.units())
    }

    /// Returns the cost of work outside of commands.
    pub fn uncapped_cost(self) -> Cost {
        Cost { charged: self.units(), estimated: self.units() }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.deliveries += other.deliveries;
        self.fanout_bytes += other.fanout_bytes;
        self.reply_bytes += other.reply_bytes;
        self.read_bytes += other.read_bytes;
        self.rows_examined += other.rows_examined;
        self.records += other.records;
        self.account_changes += other.account_changes;
        self.outputs += other.outputs;
        self.held_bytes += other.held_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<RateLimit> = Some(RateLimit { per_second: 10.0, burst: 60.0 });

    #[test]
    fn cost_grows_with_recipients_and_bytes() {
        let work =
            |deliveries, answered| Work { deliveries, reply_bytes: answered, outputs: 1, ..Work::default() };
        let chat = Work { fanout_bytes: 2_000 * 200, ..work(2_000, 0) }.command_cost(false).charged;
        assert!((1.0..1.3).contains(&chat), "{chat}");
        let who = work(0, 300 * 90).command_cost(false).charged;
        assert!((1.5..2.0).contains(&who), "{who}");
        let all =
            Work { fanout_bytes: 16 * 2_000 * 2_000, ..work(16 * 2_000, 0) }.command_cost(false).charged;
        assert!(all > 60.0, "{all}");
        assert!(
            Work::default().command_cost(true).charged < 0.5 && work(0, 40).command_cost(true).charged < 0.2
        );
        let login = work(0, 1 << 30).login_cost(RATE).charged;
        assert!(login < 31.0, "{login}");
        let small = work(2, 0).command_cost(false);
        assert_eq!(small, Cost { charged: 1.0, estimated: MIN_ESTIMATED_UNITS });
        let who = work(0, 300 * 90).command_cost(false);
        assert!((1.5..2.0).contains(&who.estimated), "{who:?}");
    }
}
