//! Bounds of what waits for clients: of a session, of all sessions of an account, and of everybody together.
//!
//! Where a bound is passed it is the worst reader whose connection ends, and not the one that gets the last block.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prometheus_client::metrics::counter::Counter;
use tokio::time::Instant;

use super::blocks::Blocks;
use super::outbox::Pushed;
use super::session::Session;
use super::sessions::Sessions;
use crate::chat::record::AccountId;

/// All sessions of an account may have so many full queues waiting.
const OF_ACCOUNT: usize = 4;

/// Everybody together may have so many.
const OF_ALL: usize = 32;

/// A session for which less waits is no slow reader.
const SLOW: usize = 64 * 1024;

/// Connections that were ended let go of their memory within moments; until then no others are ended for it.
const PAUSE: Duration = Duration::from_secs(1);

/// The bounds, and the count of what is held.
#[derive(Debug)]
pub(super) struct Queues {
    /// The blocks that wait, each counted once.
    pub blocks: Blocks,
    /// Most bytes that wait for one session.
    bound: usize,
    /// Sessions that were ended as they read too slowly.
    too_slow: Counter,
    /// Accounts for which much waits.
    suspects: Vec<AccountId>,
    relieved: Option<Instant>,
}

impl Queues {
    /// At most `bound` bytes wait for one session.
    pub fn new(bound: usize, blocks: Blocks, too_slow: Counter) -> Self {
        Self { blocks, bound, too_slow, suspects: Vec::new(), relieved: None }
    }

    /// Queues a block for a session, or ends it where too much waits for it.
    pub fn push(&mut self, session: &Session, block: Bytes) {
        match session.outbox.push(block, self.bound) {
            Pushed::TooMuch => {
                self.too_slow.inc();
            }
            Pushed::Waits(bytes) => self.suspect(session.account, bytes),
        }
    }

    /// So many bytes wait for a session of the account: where that is much, its others are looked at too.
    pub fn suspect(&mut self, account: AccountId, bytes: usize) {
        if bytes > self.bound / OF_ACCOUNT && self.suspects.last() != Some(&account) {
            self.suspects.push(account);
        }
    }

    /// Ends the worst readers of accounts, and of all, for which too much waits.
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

    /// Ends the worst readers of these until at most `most` bytes wait for the others. `held` is how much waits, where
    /// that is not the sum of the sessions.
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
