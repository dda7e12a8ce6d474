//! Reads of the history for accounts, in turns, so that none waits for all that another reads.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::limits::fair_queue::{FairQueue, QueueFull, QueueLimits};
use crate::core::effects::history::Search;
use crate::core::record::AccountId;
use crate::store::search::{Hit, Index, SearchRun};
use crate::store::{READERS, Store, StoreError};

/// Limits of history reads. One connection of the store is left to logins, and one of the rest to other accounts.
const READ_LIMITS: QueueLimits =
    QueueLimits { total_turns: READERS - 1, turns_per_key: READERS - 2, waiting_per_key: MAX_WAITING };

/// Limits of searches, each of which takes some hundred milliseconds; one core is enough for them.
pub(in crate::server) const SEARCH_LIMITS: QueueLimits =
    QueueLimits { total_turns: 1, turns_per_key: 1, waiting_per_key: MAX_WAITING };

/// Maximum count of waiting requests of one account, each from another session: more sessions than an account usually
/// has.
pub(in crate::server) const MAX_WAITING: usize = 64;

/// Time limit of a read. A page takes milliseconds; a long read would let the write-ahead log grow behind its snapshot.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Reader of the store for accounts. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct AccountReader {
    store: Store,
    /// `None` if the search index could not be opened.
    index: Option<Arc<Index>>,
    /// Maximum size of the messages that a search returns, in bytes.
    result_bytes: usize,
    read_queue: FairQueue<AccountId>,
    search_queue: FairQueue<AccountId>,
}

/// Result of a search.
pub(in crate::server) struct SearchHits {
    /// The messages, the earliest first.
    pub hits: Vec<Hit>,
    /// All relevant messages were searched.
    pub is_complete: bool,
}

/// Reason why nothing was read.
#[derive(Debug, thiserror::Error)]
pub(in crate::server) enum ReadError {
    #[error(transparent)]
    QueueFull(#[from] QueueFull),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AccountReader {
    /// Makes the reader of a store and its index; a search returns about `result_bytes` bytes.
    pub fn new(store: Store, index: Option<Arc<Index>>, result_bytes: usize) -> Self {
        let [read_queue, search_queue] = [READ_LIMITS, SEARCH_LIMITS].map(FairQueue::new);
        Self { store, index, result_bytes, read_queue, search_queue }
    }

    /// Wakes the index after a commit, because it has new records to index.
    pub fn wake_index(&self) {
        if let Some(index) = &self.index {
            index.wake();
        }
    }

    /// Reads when it is the account's turn, in one transaction, so that `work` sees one state.
    ///
    /// # Errors
    /// Too many reads of the account wait, or the store fails or takes too long.
    pub async fn read<T: Send + 'static>(
        &self,
        account: AccountId,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, ReadError> {
        let _turn = self.read_queue.acquire_turn(account).await?;
        let read = self.store.read_with_time_limit(READ_TIMEOUT, move |conn| {
            let conn = conn.unchecked_transaction()?;
            Ok::<_, StoreError>(work(&conn)?)
        });
        Ok(read.await?)
    }

    /// Searches, a slice whenever it is the account's turn. Finds all messages that are stored when it begins.
    ///
    /// # Errors
    /// Too many searches of the account wait, or the store fails.
    pub async fn search(&self, search: Search) -> Result<SearchHits, ReadError> {
        let index = self.index.as_ref().ok_or(StoreError::Closed)?;
        let (account, newest) = (search.account, search.window.newest);
        let mut searching = SearchRun::new(search);
        while !searching.is_done() {
            let _turn = self.search_queue.acquire_turn(account).await?;
            searching = index.continue_search(searching).await?;
        }
        let is_complete = searching.is_complete();
        let mut hits = searching.into_hits();
        // A result that is too large is cut at the end that is farther from where the search began.
        if newest {
            hits.reverse();
        }
        let mut bytes_left = self.result_bytes;
        hits.retain(|(kept, _)| {
            bytes_left = bytes_left.saturating_sub(256 + kept.message.text.len() + kept.message.tags.len());
            bytes_left > 0
        });
        if newest {
            hits.reverse();
        }
        Ok(SearchHits { hits, is_complete })
    }
}
