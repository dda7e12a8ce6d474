//! Queries of the core to the store, answered in order for each session, concurrently with the hub.
//!
//! A session with an open query is not read from, and events for it wait behind the result. So results come in the
//! order of the queries, a session runs one query at a time, and it reads no faster than it takes what it is sent.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rusqlite::Connection;
use tracing::warn;

use super::requests::{RequestOrigin, RequestRunner};
use crate::core::effects::ask::MissedTalks;
use crate::core::effects::history::{HistoryMessage, MessageFilter, Search, Window};
use crate::core::effects::playback::{HistoryReader, MAX_RESULT_BYTES};
use crate::core::record::received::MissedRanges;
use crate::core::record::{AccountId, ChannelId, Conversation};
use crate::core::{Answer, Ask, Failure};
use crate::server::fair_queue::{FairQueue, QueueFull, QueueLimits};
use crate::server::sessions::blocks::BlockMemory;
use crate::server::sessions::outbox::Outbox;
use crate::server::sessions::session::{LabeledQuery, LabeledResult, ReadySessions, Session};
use crate::store::search::{Index, SearchRun};
use crate::store::{READERS, Store, StoreError, history};
use crate::wire::{Cap, ChannelName, MessageId, Nick, Reply};

/// Limits of history reads. One connection of the store is left to logins, and one of the rest to other accounts.
const READ_LIMITS: QueueLimits =
    QueueLimits { total_turns: READERS - 1, turns_per_key: READERS - 2, waiting_per_key: MAX_WAITING };

/// Limits of searches, each of which takes some hundred milliseconds; one core is enough for them.
const SEARCH_LIMITS: QueueLimits =
    QueueLimits { total_turns: 1, turns_per_key: 1, waiting_per_key: MAX_WAITING };

/// Limits of changes to accounts, devices and invites, which mostly wait for a password hash or a transaction.
const CHANGE_LIMITS: QueueLimits =
    QueueLimits { total_turns: 32, turns_per_key: 1, waiting_per_key: MAX_WAITING };

/// Maximum count of waiting requests of one account, each from another session: more sessions than an account usually
/// has.
const MAX_WAITING: usize = 64;

/// Time limit of a read. A page takes milliseconds; a long read would let the write-ahead log grow behind its snapshot.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// Text of the note that accompanies a search result which may lack messages.
const INCOMPLETE_SEARCH_NOTE: &str =
    "Not all messages were searched: the index is behind, or it took too long";

/// Runner of queries. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct QueryRunner {
    store: Store,
    ready_sessions: Arc<ReadySessions>,
    request_runner: Arc<RequestRunner>,
    /// `None` if the search index could not be opened.
    index: Option<Arc<Index>>,
    /// Maximum size of one piece of a result, in bytes, and of unread bytes before the next piece is begun.
    piece_bytes: usize,
    read_queue: FairQueue<AccountId>,
    search_queue: FairQueue<AccountId>,
    change_queue: FairQueue<AccountId>,
    block_memory: BlockMemory,
}

/// Maximum bytes of a replay to one client, which is read and sent one conversation at a time.
const REPLAY_BYTES: usize = 16 * 1024 * 1024;

/// Conversations with the message ids of their latest messages.
type LatestMessages = Vec<(Arc<str>, MessageId)>;

/// Messages, each with the name of the conversation as the reader writes it.
type Page = Vec<(HistoryMessage, Arc<str>)>;

impl QueryRunner {
    /// Makes the runner; `send_queue` is the send queue limit of a session, in bytes.
    pub fn new(
        store: Store,
        ready_sessions: Arc<ReadySessions>,
        request_runner: Arc<RequestRunner>,
        index: Option<Arc<Index>>,
        (send_queue, block_memory): (usize, BlockMemory),
    ) -> Self {
        let piece_bytes = MAX_RESULT_BYTES.min(send_queue / 4);
        let [read_queue, search_queue, change_queue] =
            [READ_LIMITS, SEARCH_LIMITS, CHANGE_LIMITS].map(FairQueue::new);
        Self {
            store,
            ready_sessions,
            request_runner,
            index,
            piece_bytes,
            read_queue,
            search_queue,
            change_queue,
            block_memory,
        }
    }

    /// Starts to run a query of a session. Later output to that session waits behind the result.
    pub fn dispatch(&self, session: &Arc<Session>, query: LabeledQuery) {
        let existing_result = if let Ask::Lines(lines) = &query.query {
            Some(self.block_memory.count_bytes(lines.len()))
        } else {
            None
        };
        session.outbox.hold_for_result(existing_result);
        if session.enqueue_query(query) {
            tokio::spawn(self.clone().run_queries(session.clone()));
        }
    }

    async fn run_queries(self, session: Arc<Session>) {
        while let Some(LabeledQuery { label, query: ask }) = session.next_query() {
            let command = ask.command();
            let (rest, answer) = match self.run_query(&session, ask).await {
                Ok(QueryOutcome::ToClient(block)) => (block, None),
                Ok(QueryOutcome::ToCore(answer)) => (Bytes::new(), Some(answer)),
                Err(QueryError::SessionEnded) => (Bytes::new(), None),
                Err(QueryError::QueueFull(_)) => {
                    (Bytes::new(), Some(Answer::Failed(command, Failure::Crowded)))
                }
                Err(QueryError::Store(StoreError::Interrupted)) => {
                    (Bytes::new(), Some(Answer::Failed(command, Failure::TooLong)))
                }
                Err(QueryError::Store(error)) => {
                    warn!(command, "cannot read the history: {error}");
                    (Bytes::new(), Some(Answer::Failed(command, Failure::Unreadable)))
                }
            };
            session.outbox.finish_result(rest);
            self.ready_sessions
                .complete_query(&session, answer.map(|answer| LabeledResult { label, result: answer }));
        }
    }

    /// Runs one query, or gives up when its session is to end. A change whose turn has come is carried out in any
    /// case, because a part of it may be done already.
    async fn run_query(&self, session: &Session, ask: Ask) -> Result<QueryOutcome, QueryError> {
        let Ask::Manage { account, request, voice } = ask else {
            return unless_session_ends(&session.outbox, self.execute_query(session, ask)).await;
        };
        let turn = async { Ok(self.change_queue.acquire_turn(session.account).await?) };
        let _turn = unless_session_ends(&session.outbox, turn).await?;
        let origin = RequestOrigin { account, peer: session.peer };
        let outcome = self.request_runner.run(origin, request).await;
        Ok(QueryOutcome::ToCore(Answer::Managed(account, voice, outcome)))
    }

    /// Wakes the index after a commit, because it has new records to index.
    pub fn wake_index(&self) {
        if let Some(index) = &self.index {
            index.wake();
        }
    }

    /// Sends a result that is too long to be queued at once, as the client takes it. Returns the last piece.
    async fn send_in_pieces(&self, session: &Session, mut text: Bytes) -> Bytes {
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
            session.outbox.push_result_piece(self.block_memory.make_block(text.split_to(piece_end)));
        }
        self.wait_until_drained(session).await;
        if text.is_empty() { text } else { self.block_memory.make_block(text) }
    }

    /// Waits until the client has read most of its send queue.
    async fn wait_until_drained(&self, session: &Session) {
        poll_fn(|cx| session.outbox.poll_drained(self.piece_bytes, cx)).await;
    }

    async fn execute_query(&self, session: &Session, ask: Ask) -> Result<QueryOutcome, QueryError> {
        let bytes = self.piece_bytes;
        self.wait_until_drained(session).await;
        Ok(match ask {
            Ask::History { reader, place, target, windows, kinds } => {
                let read = self.read(session, move |conn| {
                    let (page, is_last) =
                        read_windows(conn, &reader, (place, &target.1), &windows, kinds, bytes)?;
                    Ok(reader.render_batch("chathistory", Some(&target.0), is_last, page))
                });
                QueryOutcome::ToClient(self.send_in_pieces(session, read.await?.into()).await)
            }
            Ask::Targets { reader, channels, window } => {
                let read = self.read(session, move |conn| {
                    let (found, is_last) = read_targets(conn, &reader, &channels, &window)?;
                    Ok(reader.render_targets(&found, is_last))
                });
                QueryOutcome::ToClient(self.send_in_pieces(session, read.await?.into()).await)
            }
            Ask::Replay { reader, channels, talks } => {
                self.replay(session, reader, channels, talks).await?;
                QueryOutcome::ToClient(Bytes::new())
            }
            Ask::Redact(redact, place) => {
                let message = redact.message;
                let found =
                    self.read(session, move |conn| history::find_message(conn, place, message)).await?;
                QueryOutcome::ToCore(Answer::Redact(redact, place, found))
            }
            Ask::Search { reader, search, up_to } => {
                let block = self.search(session, &reader, search, up_to).await?;
                QueryOutcome::ToClient(self.send_in_pieces(session, block.into()).await)
            }
            Ask::Lines(text) => QueryOutcome::ToClient(self.send_in_pieces(session, text.into()).await),
            // `run_query` handles it.
            Ask::Manage { .. } => QueryOutcome::ToClient(Bytes::new()),
        })
    }

    /// Reads when it is the account's turn, in one transaction, so that `work` sees one state.
    async fn read<T: Send + 'static>(
        &self,
        session: &Session,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, QueryError> {
        let _turn = self.read_queue.acquire_turn(session.account).await?;
        let read = self.store.read_with_time_limit(READ_TIMEOUT, move |conn| {
            let conn = conn.unchecked_transaction()?;
            Ok::<_, StoreError>(work(&conn)?)
        });
        Ok(read.await?)
    }

    /// Replays one conversation after the other, each in a turn of its own and after the client has read those before.
    /// So neither a long absence nor a client that does not read costs more memory than one conversation.
    async fn replay(
        &self,
        session: &Session,
        reader: HistoryReader,
        missed_channels: Vec<(ChannelId, ChannelName, MissedRanges)>,
        missed_direct: Option<MissedTalks>,
    ) -> Result<(), QueryError> {
        let active_channels =
            self.read(session, move |conn| channels_with_missed_messages(conn, missed_channels)).await?;
        let bytes_per_conversation = (REPLAY_BYTES / (active_channels.len() + 1)).min(self.piece_bytes);
        for channel in active_channels {
            let reader = reader.clone();
            let read = self.read(session, move |conn| {
                Ok(reader.render_replay(read_missed_channel(conn, channel, bytes_per_conversation)?))
            });
            let rest = self.send_in_pieces(session, read.await?.into()).await;
            session.outbox.push_result_piece(rest);
        }
        if let Some(talks) = missed_direct {
            let read = self.read(session, move |conn| {
                Ok(reader.render_replay(read_missed_direct(conn, &reader, talks, bytes_per_conversation)?))
            });
            let rest = self.send_in_pieces(session, read.await?.into()).await;
            session.outbox.push_result_piece(rest);
        }
        Ok(())
    }

    async fn search(
        &self,
        session: &Session,
        reader: &HistoryReader,
        search: Search,
        indexed_up_to: MessageId,
    ) -> Result<Vec<u8>, QueryError> {
        let index = self.index.as_ref().ok_or(StoreError::Closed)?;
        let channels = search.channels.clone();
        let newest = search.window.newest;
        let caught_up = index.wait_until_indexed(indexed_up_to).await;
        let mut searching = SearchRun::new(search);
        while !searching.is_done() {
            let _turn = self.search_queue.acquire_turn(session.account).await?;
            searching = index.continue_search(searching).await?;
        }
        let mut rendered = Vec::new();
        if !(caught_up && searching.is_complete()) && reader.caps.has(Cap::StandardReplies) {
            // Beside the result and not in it, because clients expect only messages there.
            let note = Reply::command("NOTE").arg("SEARCH").arg("INCOMPLETE").text(INCOMPLETE_SEARCH_NOTE);
            rendered = reader.clone().with_caps(reader.caps).render_reply(&note);
        }
        let mut results = searching.into_hits();
        // A result that is too large is cut at the end that is farther from where the search began.
        if newest {
            results.reverse();
        }
        let mut bytes_left = self.piece_bytes;
        results.retain(|(kept, _)| {
            bytes_left = bytes_left.saturating_sub(256 + kept.message.text.len() + kept.message.tags.len());
            bytes_left > 0
        });
        if newest {
            results.reverse();
        }
        let with_conversation_name = |(kept, peer): (HistoryMessage, Option<Nick>)| {
            let target = match kept.message.conversation {
                Conversation::Channel(id) => channels.iter().find(|(known, _)| *known == id)?.1.shared(),
                Conversation::Direct(..) => peer?.shared(),
            };
            Some(with_target(kept, reader, &target))
        };
        // Each form of the specification has its own batch type.
        let kind = if reader.caps.has(Cap::SearchDraft) { "search" } else { "soju.im/search" };
        rendered.append(&mut reader.render_batch(
            kind,
            None,
            false,
            results.into_iter().filter_map(with_conversation_name),
        ));
        Ok(rendered)
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
    QueueFull(#[from] QueueFull),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Result of a query.
enum QueryOutcome {
    /// Last piece of the result, for the client.
    ToClient(Bytes),
    /// Result that the core continues with.
    ToCore(Answer),
}

/// Reads the messages of all windows. The flag is true if none of these has more.
fn read_windows(
    conn: &Connection,
    reader: &HistoryReader,
    (conversation, target): (Conversation, &Arc<str>),
    windows: &[Window],
    kinds: MessageFilter,
    max_bytes: usize,
) -> rusqlite::Result<(Page, bool)> {
    let read =
        |window: &Window| history::read_page(conn, conversation, window, kinds, max_bytes / windows.len());
    let mut parts = windows.iter().map(read).collect::<rusqlite::Result<Vec<_>>>()?;
    // Around a message near an end of the history, the other side gets the room that is left.
    if let ([older, newer], [before, after]) = (windows, parts.as_mut_slice()) {
        let [left_before, left_after] =
            [(older, &*before), (newer, &*after)].map(|(window, (part, ends))| {
                let count = part.iter().filter(|kept| kept.counts_towards_limit()).count();
                if *ends { window.limit.saturating_sub(count) } else { 0 }
            });
        if left_before > 0 && !after.1 {
            *after = read(&Window { limit: newer.limit + left_before, ..*newer })?;
        } else if left_after > 0 && !before.1 {
            *before = read(&Window { limit: older.limit + left_after, ..*older })?;
        }
    }
    let is_last = parts.iter().all(|(_, ends)| *ends);
    let page = parts.into_iter().flat_map(|(part, _)| part).map(|kept| with_target(kept, reader, target));
    Ok((page.collect(), is_last))
}

/// Adds the target to a message. In a direct conversation each side's messages go to the other.
fn with_target(
    kept: HistoryMessage,
    reader: &HistoryReader,
    target: &Arc<str>,
) -> (HistoryMessage, Arc<str>) {
    let incoming =
        matches!(kept.message.conversation, Conversation::Direct(..)) && kept.message.from != reader.account;
    let target = if incoming { reader.nick.shared() } else { target.clone() };
    (kept, target)
}

/// Returns the channels and direct conversations whose latest message is in the window, in order. The flag is true if
/// these are all.
fn read_targets(
    conn: &Connection,
    reader: &HistoryReader,
    channels: &[(ChannelId, ChannelName)],
    window: &Window,
) -> rusqlite::Result<(LatestMessages, bool)> {
    let mut found = Vec::new();
    for (id, name) in channels {
        if let Some(latest) = history::latest_message_id(conn, Conversation::Channel(*id))? {
            found.push((name.shared(), latest));
        }
    }
    let direct_conversations = history::direct_conversations(conn, reader.account, window.after)?;
    found.extend(direct_conversations.into_iter().map(|talk| (talk.peer.shared(), talk.latest)));
    found.retain(|(_, latest)| *latest > window.after && *latest < window.before);
    found.sort_unstable_by_key(|(_, latest)| *latest);
    let is_last = found.len() <= window.limit;
    if window.newest {
        found.drain(..found.len().saturating_sub(window.limit));
    }
    found.truncate(window.limit);
    Ok((found, is_last))
}

/// Returns the channels with messages since the start of the gap. Most channels are silent most of the time, so the
/// others can have their share of the bytes.
fn channels_with_missed_messages(
    conn: &Connection,
    channels: Vec<(ChannelId, ChannelName, MissedRanges)>,
) -> rusqlite::Result<Vec<(ChannelId, ChannelName, MissedRanges)>> {
    let mut active_channels = Vec::new();
    for channel in channels {
        let Some(start) = channel.2.first_bound() else { continue };
        let latest = history::latest_message_id(conn, Conversation::Channel(channel.0))?;
        active_channels.extend(latest.filter(|latest| *latest > start).map(|_| channel));
    }
    Ok(active_channels)
}

/// Messages only, because clients without a history capability understand nothing else from the history.
const REPLAYED_KINDS: MessageFilter = MessageFilter { events: false, redactions: false };

/// Reads the messages of a channel to be replayed.
fn read_missed_channel(
    conn: &Connection,
    (id, name, missed): (ChannelId, ChannelName, MissedRanges),
    bytes: usize,
) -> rusqlite::Result<Page> {
    let part = read_missed(conn, Conversation::Channel(id), &missed, bytes)?;
    let name = name.shared();
    Ok(part.into_iter().map(|kept| (kept, name.clone())).collect())
}

/// Reads the messages of direct conversations to be replayed, in the order of time.
fn read_missed_direct(
    conn: &Connection,
    reader: &HistoryReader,
    MissedTalks { missed, read }: MissedTalks,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let Some(start) = missed.first_bound() else { return Ok(Vec::new()) };
    let mut direct_conversations = history::direct_conversations(conn, reader.account, start)?;
    direct_conversations.sort_unstable_by_key(|talk| std::cmp::Reverse(talk.latest));
    direct_conversations.truncate(missed.limit);
    let mut messages = Vec::new();
    let bytes_each = bytes / direct_conversations.len().max(1);
    for talk in direct_conversations {
        let missed = missed.after(read.get(&talk.conversation).copied().unwrap_or_default());
        let part = read_missed(conn, talk.conversation, &missed, bytes_each)?;
        let peer = talk.peer.shared();
        messages.extend(part.into_iter().map(|kept| with_target(kept, reader, &peer)));
    }
    // A client without echo-message attributes its own account's messages from other sessions to the other account.
    if !reader.caps.has(Cap::EchoMessage) {
        messages.retain(|(kept, _)| kept.message.from != reader.account);
    }
    messages.sort_unstable_by_key(|(kept, _)| kept.message.id);
    messages.drain(..messages.len().saturating_sub(missed.limit));
    Ok(messages)
}

/// Reads the latest missed messages of a conversation, the earliest first.
fn read_missed(
    conn: &Connection,
    conversation: Conversation,
    missed: &MissedRanges,
    bytes: usize,
) -> rusqlite::Result<Vec<HistoryMessage>> {
    let mut messages = Vec::new();
    for &(after, before) in missed.gaps.iter().rev() {
        let limit = missed.limit.saturating_sub(messages.len());
        if limit == 0 {
            break;
        }
        let window = Window { after, before, newest: true, limit };
        let mut part = history::read(conn, conversation, &window, REPLAYED_KINDS, bytes)?;
        part.append(&mut messages);
        messages = part;
    }
    Ok(messages)
}

#[cfg(test)]
mod tests;
