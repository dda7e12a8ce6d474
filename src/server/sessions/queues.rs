//! Bounds of the send queues: of a session, of all sessions of an account, and in total.
//!
//! When a bound is exceeded, the connection of the slowest reader ends, not the one that gets the next block.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::Sessions;
use super::blocks::Blocks;
use super::outbox::Pushed;
use super::session::Session;
use crate::core::record::AccountId;

/// Bound of all sessions of an account, in full send queues.
const OF_ACCOUNT: usize = 4;

/// Bound of all sessions together, in full send queues.
const OF_ALL: usize = 32;

/// Bytes that must wait for a session to count as a slow reader.
const SLOW: usize = 64 * 1024;

/// Pause before further connections are ended for the total bound, because ended ones free their memory only within
/// moments.
const PAUSE: Duration = Duration::from_secs(1);

/// The bounds, and the count of the bytes that are held.
#[derive(Debug)]
pub(in crate::server) struct Queues {
    /// The blocks that wait, each counted once.
    pub blocks: Blocks,
    /// Send queue limit of one session, in bytes.
    bound: usize,
    /// Count of sessions that were ended because they read too slowly.
    too_slow: Counter,
    /// Accounts with much waiting output.
    suspects: Vec<AccountId>,
    relieved: Option<Instant>,
}

impl Queues {
    /// Sets the send queue limit to `bound` bytes.
    pub fn new(bound: usize, blocks: Blocks, too_slow: Counter) -> Self {
        Self { blocks, bound, too_slow, suspects: Vec::new(), relieved: None }
    }

    /// Queues a block for a session, or ends the session if its send queue is full.
    pub fn push(&mut self, session: &Session, block: Bytes) {
        match session.outbox.push(block, self.bound) {
            Pushed::TooMuch => {
                self.too_slow.inc();
            }
            Pushed::Waits(bytes) => self.suspect(session.account, bytes),
        }
    }

    /// Notes the bytes that wait for a session. If they are many, the account's other sessions are checked too.
    pub fn suspect(&mut self, account: AccountId, bytes: usize) {
        if bytes > self.bound / OF_ACCOUNT && self.suspects.last() != Some(&account) {
            self.suspects.push(account);
        }
    }

    /// Ends the slowest readers of the accounts that exceed their bound, and of all if the total does.
    pub fn keep_bounds(&mut self, sessions: &Sessions) {
        let mut suspects = std::mem::take(&mut self.suspects);
        suspects.sort_unstable();
        suspects.dedup();
        for account in suspects.drain(..) {
            self.relieve(sessions.of(account).iter(), OF_ACCOUNT * self.bound, None);
        }
        // Keeps the capacity.
        self.suspects = suspects;
        let (held, most) = (self.blocks.held(), OF_ALL * self.bound);
        if held > most && self.relieved.is_none_or(|at| at.elapsed() > PAUSE) {
            self.relieved = Some(Instant::now());
            self.relieve(sessions.iter(), most, Some(held));
        }
    }

    /// Ends the slowest readers of these sessions until at most `most` bytes wait for the others. `held` is the count
    /// of waiting bytes, if that is not the sum over the sessions.
    fn relieve<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Arc<Session>>,
        most: usize,
        held: Option<usize>,
    ) {
        let mut waiting: Vec<_> = sessions.map(|session| (session.outbox.waiting(), session)).collect();
        let mut left = held.unwrap_or_else(|| waiting.iter().map(|(bytes, _)| bytes).sum());
        if left <= most {
            return;
        }
        waiting.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        for (bytes, session) in waiting.into_iter().take_while(|(bytes, _)| *bytes > SLOW) {
            if left <= most {
                return;
            }
            session.outbox.close_slow();
            self.too_slow.inc();
            left = left.saturating_sub(bytes);
        }
    }
}
