//! Queries of the core to the store, answered in order for each session, concurrently with the hub.
//!
//! A session with an open query is not read from, and events for it wait behind the result. So results come in the
//! order of the queries, a session runs one query at a time, and it reads no faster than it takes what it is sent.

mod read;

use std::future::poll_fn;
use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use rusqlite::Connection;
use tracing::warn;

use super::account_queries::AccountQueryRunner;
use crate::core::effects::history::HistoryMessage;
use crate::core::effects::playback::Batch;
use crate::core::effects::query::{
    AuditQuery, HistoryQuery, RedactionQuery, ReplayQuery, SearchQuery, TargetsQuery,
};
use crate::core::record::{AccountId, Conversation};
use crate::core::{Query, QueryFailure, QueryResult};
use crate::server::limits::fair_queue::{FairQueue, QueueFull, QueueLimits, QueueTurn};
use crate::server::reading::{AccountReader, MAX_WAITING, ReadError, SearchHits};
use crate::server::sessions::blocks::BlockMemory;
use crate::server::sessions::outbox::Outbox;
use crate::server::sessions::session::{LabeledResult, ReadySessions, Session, Task};
use crate::store::tables::audit;
use crate::store::{StoreError, history};
use crate::wire::{Cap, Label, Nick, Reply};

/// Limits of changes to accounts, devices and invites, which mostly wait for a password hash or a transaction.
const CHANGE_LIMITS: QueueLimits =
    QueueLimits { total_turns: 32, turns_per_key: 1, waiting_per_key: MAX_WAITING };

/// Text of the note that accompanies a search result which may lack messages.
const INCOMPLETE_SEARCH_NOTE: &str =
    "Not all messages were searched: the index is behind, or it took too long";

/// Runner of queries. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct QueryRunner {
    reader: AccountReader,
    ready_sessions: Arc<ReadySessions>,
    account_queries: Arc<AccountQueryRunner>,
    /// Maximum size of one piece of a result, in bytes, and of unread bytes before the next piece is begun.
    piece_bytes: usize,
    change_queue: FairQueue<AccountId>,
    block_memory: BlockMemory,
}

/// Maximum bytes of a replay to one client, which is read and sent one conversation at a time.
const REPLAY_BYTES: usize = 16 * 1024 * 1024;

impl QueryRunner {
    /// Makes the runner; `piece_bytes` is the maximum size of one piece of a result.
    pub fn new(
        reader: AccountReader,
        ready_sessions: Arc<ReadySessions>,
        account_queries: Arc<AccountQueryRunner>,
        piece_bytes: usize,
        block_memory: BlockMemory,
    ) -> Self {
        let change_queue = FairQueue::new(CHANGE_LIMITS);
        Self { reader, ready_sessions, account_queries, piece_bytes, change_queue, block_memory }
    }

    /// Starts a task of a session. Later output to that session waits behind it.
    pub fn dispatch(&self, session: &Arc<Session>, task: Task) {
        let existing_result = match &task {
            Task::Query(..) => None,
            Task::Send(lines) => Some(self.block_memory.count_bytes(lines.len())),
        };
        session.outbox.hold_for_result(existing_result);
        if session.enqueue_task(task) {
            tokio::spawn(self.clone().run_tasks(session.clone()));
        }
    }

    async fn run_tasks(self, session: Arc<Session>) {
        while let Some(task) = session.next_task() {
            let (rest, result) = match task {
                Task::Query(label, query) => self.run_query(&session, label, query).await,
                Task::Send(lines) => {
                    let send = async { Ok(self.send_in_pieces(&session, lines).await) };
                    // A session that is to end needs no further lines.
                    (unless_session_ends(&session.outbox, send).await.unwrap_or_default(), None)
                }
            };
            session.outbox.finish_result(rest);
            self.ready_sessions.complete_task(&session, result);
        }
    }

    /// Runs a query. Returns the last piece of a result for the client, or a result for the core.
    async fn run_query(
        &self,
        session: &Session,
        label: Option<Label>,
        query: Query,
    ) -> (Bytes, Option<LabeledResult>) {
        let command = query.command();
        let failure = match self.execute_query(session, label.clone(), query).await {
            Ok(QueryOutcome::ToClient(rest)) => return (rest, None),
            Ok(QueryOutcome::ToCore(result)) => {
                return (Bytes::new(), Some(LabeledResult { label, result }));
            }
            Err(QueryError::SessionEnded) => return (Bytes::new(), None),
            Err(QueryError::Read(ReadError::QueueFull(_))) => QueryFailure::Crowded,
            Err(QueryError::Read(ReadError::Store(StoreError::Interrupted))) => QueryFailure::TooLong,
            Err(QueryError::Read(ReadError::Store(error))) => {
                warn!(command, "cannot read the history: {error}");
                QueryFailure::Unreadable
            }
        };
        (Bytes::new(), Some(LabeledResult { label, result: QueryResult::Failed(command, failure) }))
    }

    /// Runs a query, or gives up when its session is to end.
    async fn execute_query(
        &self,
        session: &Session,
        label: Option<Label>,
        query: Query,
    ) -> Result<QueryOutcome, QueryError> {
        let outbox = &session.outbox;
        match query {
            Query::History(query) => unless_session_ends(outbox, self.history(session, label, query)).await,
            Query::Targets(query) => unless_session_ends(outbox, self.targets(session, label, query)).await,
            Query::Search(query) => unless_session_ends(outbox, self.search(session, label, query)).await,
            Query::Replay(query) => unless_session_ends(outbox, self.replay(session, query)).await,
            Query::Redaction(query) => unless_session_ends(outbox, self.redaction(session, query)).await,
            Query::Audit(query) => unless_session_ends(outbox, self.audit(session, query)).await,
            Query::Oper(query) => {
                let _turn = self.change_turn(session).await?;
                let outcome = self.account_queries.verify_oper(session, query).await;
                Ok(QueryOutcome::ToCore(QueryResult::Oper(outcome)))
            }
            Query::Password(query) => {
                let _turn = self.change_turn(session).await?;
                let result = self.account_queries.hash_password(session, query).await;
                Ok(QueryOutcome::ToCore(QueryResult::Password(result)))
            }
            Query::InviteLink(query) => {
                let _turn = self.change_turn(session).await?;
                let link = self.account_queries.make_link(query).await;
                Ok(QueryOutcome::ToCore(QueryResult::InviteLink(link)))
            }
            Query::FileSecret(query) => {
                let _turn = self.change_turn(session).await?;
                let result = self.account_queries.make_file_secret(&query);
                Ok(QueryOutcome::ToCore(QueryResult::FileSecret(result)))
            }
            Query::Rehash(query) => {
                let _turn = self.change_turn(session).await?;
                Ok(QueryOutcome::ToCore(QueryResult::Rehash(self.account_queries.rehash(query).await)))
            }
        }
    }

    /// Waits for the account's turn to change something. A query whose turn has come is carried out although its session
    /// ends, because a part of it may be done already.
    async fn change_turn(&self, session: &Session) -> Result<QueueTurn<AccountId>, QueryError> {
        let turn = async { Ok(self.change_queue.acquire_turn(session.account).await?) };
        unless_session_ends(&session.outbox, turn).await
    }

    /// Wakes the index after a commit, because it has new records to index.
    pub fn wake_index(&self) {
        self.reader.wake_index();
    }

    /// Sends a result that is too long to be queued at once, as the client takes it. Returns the last piece.
    async fn send_in_pieces(&self, session: &Session, mut text: Bytes) -> Bytes {
        let form = session.outbox.form();
        while text.len() > self.piece_bytes {
            // Whole lines, as many as fit; a longer line goes alone.
            let (fits, rest) = text.split_at(self.piece_bytes);
            let piece_end =
                match (fits.iter().rposition(|&b| b == b'\n'), rest.iter().position(|&b| b == b'\n')) {
                    (Some(at), _) => at + 1,
                    (None, Some(at)) => self.piece_bytes + at + 1,
                    (None, None) => text.len(),
                };
            self.wait_until_drained(session).await;
            // A copy, because a slice would keep the whole text in memory until its last byte is written.
            let piece = form.encode(text.get(..piece_end).unwrap_or_default());
            session.outbox.push_result_piece(self.block_memory.make_block(piece));
            text.advance(piece_end);
        }
        self.wait_until_drained(session).await;
        if text.is_empty() { text } else { self.block_memory.make_block(form.encode(&text)) }
    }

    /// Waits until the client has read most of its send queue.
    async fn wait_until_drained(&self, session: &Session) {
        poll_fn(|cx| session.outbox.poll_drained(self.piece_bytes, cx)).await;
    }

    async fn history(
        &self,
        session: &Session,
        label: Option<Label>,
        query: HistoryQuery,
    ) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let bytes = self.piece_bytes;
        let read = self.read(session, move |conn| {
            let (page, is_last) = read::read_windows(conn, &query, bytes)?;
            let batch = Batch { kind: "chathistory", param: Some(&query.requested), is_last };
            Ok(query.reader.render_batch(batch, label.as_ref(), page))
        });
        Ok(QueryOutcome::ToClient(self.send_in_pieces(session, read.await?.into()).await))
    }

    async fn targets(
        &self,
        session: &Session,
        label: Option<Label>,
        query: TargetsQuery,
    ) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let read = self.read(session, move |conn| {
            let (found, is_last) = read::read_targets(conn, &query)?;
            Ok(query.reader.render_targets(&found, label.as_ref(), is_last))
        });
        Ok(QueryOutcome::ToClient(self.send_in_pieces(session, read.await?.into()).await))
    }

    async fn redaction(&self, session: &Session, query: RedactionQuery) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let (conversation, message) = (query.conversation, query.message);
        let found =
            self.read(session, move |conn| history::find_message(conn, conversation, message)).await?;
        Ok(QueryOutcome::ToCore(QueryResult::Redaction(query, found)))
    }

    async fn audit(&self, session: &Session, query: AuditQuery) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let entries = self.read(session, move |conn| audit::latest(conn, query.limit)).await?;
        Ok(QueryOutcome::ToCore(QueryResult::Audit(entries)))
    }

    /// Reads when it is the account's turn, in one transaction, so that `work` sees one state.
    async fn read<T: Send + 'static>(
        &self,
        session: &Session,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        Ok(self.reader.read(session.account, work).await?)
    }

    /// Replays one conversation after the other, each in a turn of its own and after the client has read those before.
    /// So neither a long absence nor a client that does not read costs more memory than one conversation.
    async fn replay(&self, session: &Session, query: ReplayQuery) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let ReplayQuery { reader, channels, direct } = query;
        let active_channels =
            self.read(session, move |conn| read::channels_with_missed_messages(conn, channels)).await?;
        let bytes_per_conversation = (REPLAY_BYTES / (active_channels.len() + 1)).min(self.piece_bytes);
        for channel in active_channels {
            let reader = reader.clone();
            let read = self.read(session, move |conn| {
                Ok(reader.render_replay(read::read_missed_channel(conn, &channel, bytes_per_conversation)?))
            });
            let rest = self.send_in_pieces(session, read.await?.into()).await;
            session.outbox.push_result_piece(rest);
        }
        if let Some(direct) = direct {
            let read = self.read(session, move |conn| {
                let page = read::read_missed_direct(conn, &reader, &direct, bytes_per_conversation)?;
                Ok(reader.render_replay(page))
            });
            let rest = self.send_in_pieces(session, read.await?.into()).await;
            session.outbox.push_result_piece(rest);
        }
        Ok(QueryOutcome::ToClient(Bytes::new()))
    }

    async fn search(
        &self,
        session: &Session,
        label: Option<Label>,
        SearchQuery { reader, search }: SearchQuery,
    ) -> Result<QueryOutcome, QueryError> {
        self.wait_until_drained(session).await;
        let channels = search.channels.clone();
        let SearchHits { hits, is_complete } = self.reader.search(search).await?;
        let mut rendered = String::new();
        if !is_complete && reader.caps.has(Cap::StandardReplies) {
            // Beside the result and not in it, because clients expect only messages there.
            let note = Reply::command("NOTE").arg("SEARCH").arg("INCOMPLETE").text(INCOMPLETE_SEARCH_NOTE);
            rendered = reader.render_reply(&note);
        }
        let with_conversation_name = |(kept, peer): (HistoryMessage, Option<Nick>)| {
            let target = match kept.message.conversation {
                Conversation::Channel(id) => channels.iter().find(|(known, _)| *known == id)?.1.shared(),
                Conversation::Direct(..) => peer?.shared(),
            };
            Some(read::with_target(kept, &reader, &target))
        };
        // Each form of the specification has its own batch type.
        let kind = if reader.caps.has(Cap::SearchDraft) { "search" } else { "soju.im/search" };
        let batch = Batch { kind, param: None, is_last: false };
        let results = hits.into_iter().filter_map(with_conversation_name);
        rendered.push_str(&reader.render_batch(batch, label.as_ref(), results));
        Ok(QueryOutcome::ToClient(self.send_in_pieces(session, rendered.into()).await))
    }
}

/// Runs `work`, unless the session is to end before it is done.
async fn unless_session_ends<T>(
    outbox: &Outbox,
    work: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    tokio::select! {
        biased;
        () = poll_fn(|cx| outbox.poll_closing(cx)) => Err(QueryError::SessionEnded),
        result = work => result,
    }
}

/// Reason why a query has no result.
#[derive(Debug, thiserror::Error)]
enum QueryError {
    #[error("the session ended")]
    SessionEnded,
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl From<QueueFull> for QueryError {
    fn from(full: QueueFull) -> Self {
        Self::Read(full.into())
    }
}

/// Result of a query.
enum QueryOutcome {
    /// Last piece of the result, for the client.
    ToClient(Bytes),
    /// Result that the core continues with.
    ToCore(QueryResult),
}

#[cfg(test)]
mod tests;
