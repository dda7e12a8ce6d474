//! Bounds of the send queues: of a session, of all sessions of an account, and in total.
//!
//! When a bound is exceeded, the connection of the slowest reader ends, not the one that gets the next block.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::Sessions;
use super::blocks::BlockMemory;
use super::outbox::PushOutcome;
use super::session::Session;
use crate::core::record::AccountId;

/// Bound of all sessions of an account, in full send queues.
const QUEUES_PER_ACCOUNT: usize = 4;

/// Bound of all sessions together, in full send queues.
const QUEUES_IN_TOTAL: usize = 32;

/// Bytes that must wait for a session to count as a slow reader.
const SLOW_READER_BYTES: usize = 64 * 1024;

/// Pause before further connections are ended for the total bound, because ended ones free their memory only within
/// moments.
const TOTAL_LIMIT_PAUSE: Duration = Duration::from_secs(1);

/// The bounds, and the count of the bytes that are held.
#[derive(Debug)]
pub(in crate::server) struct SendQueueLimits {
    /// The blocks that wait, each counted once.
    pub block_memory: BlockMemory,
    /// Send queue limit of one session, in bytes.
    session_limit: usize,
    /// Count of sessions that were ended because they read too slowly.
    slow_clients_closed: Counter,
    /// Accounts with much waiting output.
    accounts_to_check: Vec<AccountId>,
    last_total_enforcement: Option<Instant>,
}

impl SendQueueLimits {
    /// Sets the send queue limit of a session to `session_limit` bytes.
    pub fn new(session_limit: usize, block_memory: BlockMemory, slow_clients_closed: Counter) -> Self {
        Self {
            block_memory,
            session_limit,
            slow_clients_closed,
            accounts_to_check: Vec::new(),
            last_total_enforcement: None,
        }
    }

    /// Queues a block for a session, or ends the session if its send queue is full.
    pub fn push(&mut self, session: &Session, block: Bytes) {
        match session.outbox.push(block, self.session_limit) {
            PushOutcome::LimitExceeded => {
                self.slow_clients_closed.inc();
            }
            PushOutcome::Queued(bytes) => self.note_waiting_bytes(session.account, bytes),
        }
    }

    /// Notes the bytes that wait for a session. If they are many, the account's other sessions are checked too.
    pub fn note_waiting_bytes(&mut self, account: AccountId, bytes: usize) {
        if bytes > self.session_limit / QUEUES_PER_ACCOUNT && self.accounts_to_check.last() != Some(&account)
        {
            self.accounts_to_check.push(account);
        }
    }

    /// Ends the slowest readers of the accounts that exceed their bound, and of all if the total does.
    pub fn enforce_limits(&mut self, sessions: &Sessions) {
        let mut suspects = std::mem::take(&mut self.accounts_to_check);
        suspects.sort_unstable();
        suspects.dedup();
        for account in suspects.drain(..) {
            self.close_slowest_readers(
                sessions.sessions_of_account(account).iter(),
                QUEUES_PER_ACCOUNT * self.session_limit,
                None,
            );
        }
        // Keeps the capacity.
        self.accounts_to_check = suspects;
        let (held, most) = (self.block_memory.used_bytes(), QUEUES_IN_TOTAL * self.session_limit);
        if held > most && self.last_total_enforcement.is_none_or(|at| at.elapsed() > TOTAL_LIMIT_PAUSE) {
            self.last_total_enforcement = Some(Instant::now());
            self.close_slowest_readers(sessions.iter(), most, Some(held));
        }
    }

    /// Ends the slowest readers of these sessions until `max_bytes` wait for the others. `waiting_bytes` is the count
    /// of waiting bytes, if that is not the sum over the sessions.
    fn close_slowest_readers<'a>(
        &self,
        sessions: impl Iterator<Item = &'a Arc<Session>>,
        max_bytes: usize,
        waiting_bytes: Option<usize>,
    ) {
        let mut readers: Vec<_> = sessions.map(|session| (session.outbox.waiting_bytes(), session)).collect();
        let mut bytes_left = waiting_bytes.unwrap_or_else(|| readers.iter().map(|(bytes, _)| bytes).sum());
        if bytes_left <= max_bytes {
            return;
        }
        readers.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        for (bytes, session) in readers.into_iter().take_while(|(bytes, _)| *bytes > SLOW_READER_BYTES) {
            if bytes_left <= max_bytes {
                return;
            }
            session.outbox.close_slow_reader();
            self.slow_clients_closed.inc();
            bytes_left = bytes_left.saturating_sub(bytes);
        }
    }
}
