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

use super::requests::{Asker, Manager};
use crate::core::effects::ask::MissedTalks;
use crate::core::effects::history::{Kept, Kinds, Search, Window};
use crate::core::effects::playback::{ANSWER_BYTES, Reader};
use crate::core::record::seen::Missed;
use crate::core::record::{AccountId, ChannelId, Place};
use crate::core::{Answer, Ask, Failure};
use crate::server::sessions::blocks::Blocks;
use crate::server::sessions::outbox::Outbox;
use crate::server::sessions::session::{Answered, Question, Ready, Session};
use crate::server::turns::{Crowded, FairQueue, Limits};
use crate::store::search::{Index, Searching};
use crate::store::{READERS, Store, StoreError, history};
use crate::wire::{Cap, ChannelName, MessageId, Nick, Reply};

/// Limits of history reads. One connection of the store is left to logins, and one of the rest to other accounts.
const READS: Limits = Limits { at_once: READERS - 1, each: READERS - 2, waiting: WAITING };

/// Limits of searches, each of which takes some hundred milliseconds; one core is enough for them.
const SEARCHES: Limits = Limits { at_once: 1, each: 1, waiting: WAITING };

/// Limits of changes to accounts, devices and invites, which mostly wait for a password hash or a transaction.
const CHANGES: Limits = Limits { at_once: 32, each: 1, waiting: WAITING };

/// Maximum count of waiting requests of one account, each from another session: more sessions than an account usually
/// has.
const WAITING: usize = 64;

/// Time limit of a read. A page takes milliseconds; a long read would let the write-ahead log grow behind its snapshot.
const READ_TIME: Duration = Duration::from_secs(2);

/// Text of the note that accompanies a search result which may lack messages.
const INCOMPLETE: &str = "Not all messages were searched: the index is behind, or it took too long";

/// Runner of queries. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct Asks {
    store: Store,
    ready: Arc<Ready>,
    manager: Arc<Manager>,
    /// `None` if the search index could not be opened.
    index: Option<Arc<Index>>,
    /// Maximum size of one piece of a result, in bytes, and of unread bytes before the next piece is begun.
    bytes: usize,
    history: FairQueue<AccountId>,
    searches: FairQueue<AccountId>,
    changes: FairQueue<AccountId>,
    blocks: Blocks,
}

/// Maximum bytes of a replay to one client, which is read and sent one conversation at a time.
const REPLAY_BYTES: usize = 16 * 1024 * 1024;

/// Conversations with the message ids of their latest messages.
type Latest = Vec<(Arc<str>, MessageId)>;

/// Messages, each with the name of the conversation as the reader writes it.
type Page = Vec<(Kept, Arc<str>)>;

impl Asks {
    /// Makes the runner; `send_queue` is the send queue limit of a session, in bytes.
    pub fn new(
        store: Store,
        ready: Arc<Ready>,
        manager: Arc<Manager>,
        index: Option<Arc<Index>>,
        (send_queue, blocks): (usize, Blocks),
    ) -> Self {
        let bytes = ANSWER_BYTES.min(send_queue / 4);
        let [history, searches, changes] = [READS, SEARCHES, CHANGES].map(FairQueue::new);
        Self { store, ready, manager, index, bytes, history, searches, changes, blocks }
    }

    /// Starts to answer a query of a session. Later output to that session waits behind the result.
    pub fn dispatch(&self, session: &Arc<Session>, question: Question) {
        let long =
            if let Ask::Lines(lines) = &question.ask { Some(self.blocks.count(lines.len())) } else { None };
        session.outbox.hold(long);
        if session.ask(question) {
            tokio::spawn(self.clone().work(session.clone()));
        }
    }

    async fn work(self, session: Arc<Session>) {
        while let Some(Question { label, ask }) = session.next_question() {
            let command = ask.command();
            let (rest, answer) = match self.settle(&session, ask).await {
                Ok(Outcome::Block(block)) => (block, None),
                Ok(Outcome::Back(answer)) => (Bytes::new(), Some(answer)),
                Err(Unanswered::Gone) => (Bytes::new(), None),
                Err(Unanswered::Crowded(_)) => {
                    (Bytes::new(), Some(Answer::Failed(command, Failure::Crowded)))
                }
                Err(Unanswered::Store(StoreError::Interrupted)) => {
                    (Bytes::new(), Some(Answer::Failed(command, Failure::TooLong)))
                }
                Err(Unanswered::Store(error)) => {
                    warn!(command, "cannot read the history: {error}");
                    (Bytes::new(), Some(Answer::Failed(command, Failure::Unreadable)))
                }
            };
            session.outbox.answer(rest);
            self.ready.answered(&session, answer.map(|answer| Answered { label, answer }));
        }
    }

    /// Answers one query, or gives up when its session is to end. A change whose turn has come is carried out in any
    /// case, because a part of it may be done already.
    async fn settle(&self, session: &Session, ask: Ask) -> Result<Outcome, Unanswered> {
        let Ask::Manage { account, request, voice } = ask else {
            return unless_gone(&session.outbox, self.answer(session, ask)).await;
        };
        let turn = async { Ok(self.changes.take(session.account).await?) };
        let _turn = unless_gone(&session.outbox, turn).await?;
        let asker = Asker { account, peer: session.peer };
        let outcome = self.manager.run(asker, request).await;
        Ok(Outcome::Back(Answer::Managed(account, voice, outcome)))
    }

    /// Wakes the index after a commit, because it has new records to index.
    pub fn kept(&self) {
        if let Some(index) = &self.index {
            index.wake();
        }
    }

    /// Sends a result that is too long to be queued at once, as the client takes it. Returns the last piece.
    async fn send(&self, session: &Session, mut text: Bytes) -> Bytes {
        while text.len() > self.bytes {
            // Whole lines, as many as fit; a longer line goes alone.
            let (fits, rest) = text.split_at(self.bytes);
            let end = match (fits.iter().rposition(|&b| b == b'\n'), rest.iter().position(|&b| b == b'\n')) {
                (Some(at), _) => at + 1,
                (None, Some(at)) => self.bytes + at + 1,
                (None, None) => text.len(),
            };
            self.drained(session).await;
            // A copy, because a slice would keep the whole text in memory until its last byte is written.
            session.outbox.piece(self.blocks.block(text.split_to(end)));
        }
        self.drained(session).await;
        if text.is_empty() { text } else { self.blocks.block(text) }
    }

    /// Waits until the client has read most of its send queue.
    async fn drained(&self, session: &Session) {
        poll_fn(|cx| session.outbox.poll_drained(self.bytes, cx)).await;
    }

    async fn answer(&self, session: &Session, ask: Ask) -> Result<Outcome, Unanswered> {
        let bytes = self.bytes;
        self.drained(session).await;
        Ok(match ask {
            Ask::History { reader, place, target, windows, kinds } => {
                let read = self.read(session, move |conn| {
                    let (page, is_last) =
                        read_windows(conn, &reader, (place, &target.1), &windows, kinds, bytes)?;
                    Ok(reader.batch("chathistory", Some(&target.0), is_last, page))
                });
                Outcome::Block(self.send(session, read.await?.into()).await)
            }
            Ask::Targets { reader, channels, window } => {
                let read = self.read(session, move |conn| {
                    let (found, is_last) = targets(conn, &reader, &channels, &window)?;
                    Ok(reader.targets(&found, is_last))
                });
                Outcome::Block(self.send(session, read.await?.into()).await)
            }
            Ask::Replay { reader, channels, talks } => {
                self.replay(session, reader, channels, talks).await?;
                Outcome::Block(Bytes::new())
            }
            Ask::Redact(redact, place) => {
                let message = redact.message;
                let found = self.read(session, move |conn| history::find(conn, place, message)).await?;
                Outcome::Back(Answer::Redact(redact, place, found))
            }
            Ask::Search { reader, search, up_to } => {
                let block = self.search(session, &reader, search, up_to).await?;
                Outcome::Block(self.send(session, block.into()).await)
            }
            Ask::Lines(text) => Outcome::Block(self.send(session, text.into()).await),
            // `settle` handles it.
            Ask::Manage { .. } => Outcome::Block(Bytes::new()),
        })
    }

    /// Reads when it is the account's turn, in one transaction, so that `work` sees one state.
    async fn read<T: Send + 'static>(
        &self,
        session: &Session,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let _turn = self.history.take(session.account).await?;
        let read = self.store.read_within(READ_TIME, move |conn| {
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
        reader: Reader,
        channels: Vec<(ChannelId, ChannelName, Missed)>,
        talks: Option<MissedTalks>,
    ) -> Result<(), Unanswered> {
        let spoken = self.read(session, move |conn| spoken(conn, channels)).await?;
        let share = (REPLAY_BYTES / (spoken.len() + 1)).min(self.bytes);
        for channel in spoken {
            let reader = reader.clone();
            let read = self.read(session, move |conn| Ok(reader.replay(missed(conn, channel, share)?)));
            let rest = self.send(session, read.await?.into()).await;
            session.outbox.piece(rest);
        }
        if let Some(talks) = talks {
            let read =
                self.read(session, move |conn| Ok(reader.replay(missed_talks(conn, &reader, talks, share)?)));
            let rest = self.send(session, read.await?.into()).await;
            session.outbox.piece(rest);
        }
        Ok(())
    }

    async fn search(
        &self,
        session: &Session,
        reader: &Reader,
        search: Search,
        up_to: MessageId,
    ) -> Result<Vec<u8>, Unanswered> {
        let index = self.index.as_ref().ok_or(StoreError::Closed)?;
        let channels = search.channels.clone();
        let newest = search.window.newest;
        let caught_up = index.catch_up(up_to).await;
        let mut searching = Searching::new(search);
        while !searching.is_done() {
            let _turn = self.searches.take(session.account).await?;
            searching = index.go_on(searching).await?;
        }
        let mut answer = Vec::new();
        if !(caught_up && searching.is_whole()) && reader.caps.has(Cap::StandardReplies) {
            // Beside the result and not in it, because clients expect only messages there.
            let note = Reply::command("NOTE").arg("SEARCH").arg("INCOMPLETE").text(INCOMPLETE);
            answer = reader.clone().with_caps(reader.caps).line(&note);
        }
        let mut hits = searching.into_hits();
        // A result that is too large is cut at the end that is farther from where the search began.
        if newest {
            hits.reverse();
        }
        let mut left = self.bytes;
        hits.retain(|(kept, _)| {
            left = left.saturating_sub(256 + kept.message.text.len() + kept.message.tags.len());
            left > 0
        });
        if newest {
            hits.reverse();
        }
        let named = |(kept, peer): (Kept, Option<Nick>)| {
            let target = match kept.message.place {
                Place::Channel(id) => channels.iter().find(|(known, _)| *known == id)?.1.shared(),
                Place::Direct(..) => peer?.shared(),
            };
            Some(addressed(kept, reader, &target))
        };
        // Each form of the specification has its own batch type.
        let kind = if reader.caps.has(Cap::SearchDraft) { "search" } else { "soju.im/search" };
        answer.append(&mut reader.batch(kind, None, false, hits.into_iter().filter_map(named)));
        Ok(answer)
    }
}

/// Runs `work`, unless the session is to end before it is done.
async fn unless_gone<T>(
    outbox: &Outbox,
    work: impl Future<Output = Result<T, Unanswered>>,
) -> Result<T, Unanswered> {
    tokio::select! {
        biased;
        () = poll_fn(|cx| outbox.poll_closing(cx)) => Err(Unanswered::Gone),
        result = work => result,
    }
}

/// Reason why a query has no result.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the session ended")]
    Gone,
    #[error(transparent)]
    Crowded(#[from] Crowded),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Result of a query.
enum Outcome {
    /// Last piece of the result, for the client.
    Block(Bytes),
    /// Result that the core continues with.
    Back(Answer),
}

/// Reads the messages of all windows. The flag is true if none of these has more.
fn read_windows(
    conn: &Connection,
    reader: &Reader,
    (place, target): (Place, &Arc<str>),
    windows: &[Window],
    kinds: Kinds,
    bytes: usize,
) -> rusqlite::Result<(Page, bool)> {
    let read = |window: &Window| history::read_page(conn, place, window, kinds, bytes / windows.len());
    let mut parts = windows.iter().map(read).collect::<rusqlite::Result<Vec<_>>>()?;
    // Around a message near an end of the history, the other side gets the room that is left.
    if let ([older, newer], [before, after]) = (windows, parts.as_mut_slice()) {
        let [left_before, left_after] =
            [(older, &*before), (newer, &*after)].map(|(window, (part, ends))| {
                let count = part.iter().filter(|kept| kept.counts()).count();
                if *ends { window.limit.saturating_sub(count) } else { 0 }
            });
        if left_before > 0 && !after.1 {
            *after = read(&Window { limit: newer.limit + left_before, ..*newer })?;
        } else if left_after > 0 && !before.1 {
            *before = read(&Window { limit: older.limit + left_after, ..*older })?;
        }
    }
    let is_last = parts.iter().all(|(_, ends)| *ends);
    let page = parts.into_iter().flat_map(|(part, _)| part).map(|kept| addressed(kept, reader, target));
    Ok((page.collect(), is_last))
}

/// Adds the target to a message. In a direct conversation each side's messages go to the other.
fn addressed(kept: Kept, reader: &Reader, target: &Arc<str>) -> (Kept, Arc<str>) {
    let incoming = matches!(kept.message.place, Place::Direct(..)) && kept.message.from != reader.account;
    let target = if incoming { reader.nick.shared() } else { target.clone() };
    (kept, target)
}

/// Returns the channels and direct conversations whose latest message is in the window, in order. The flag is true if
/// these are all.
fn targets(
    conn: &Connection,
    reader: &Reader,
    channels: &[(ChannelId, ChannelName)],
    window: &Window,
) -> rusqlite::Result<(Latest, bool)> {
    let mut found = Vec::new();
    for (id, name) in channels {
        if let Some(latest) = history::latest(conn, Place::Channel(*id))? {
            found.push((name.shared(), latest));
        }
    }
    let talks = history::talks(conn, reader.account, window.after)?;
    found.extend(talks.into_iter().map(|talk| (talk.peer.shared(), talk.latest)));
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
fn spoken(
    conn: &Connection,
    channels: Vec<(ChannelId, ChannelName, Missed)>,
) -> rusqlite::Result<Vec<(ChannelId, ChannelName, Missed)>> {
    let mut spoken = Vec::new();
    for channel in channels {
        let Some(start) = channel.2.start() else { continue };
        let latest = history::latest(conn, Place::Channel(channel.0))?;
        spoken.extend(latest.filter(|latest| *latest > start).map(|_| channel));
    }
    Ok(spoken)
}

/// Messages only, because clients without a history capability understand nothing else from the past.
const REPLAYED: Kinds = Kinds { events: false, redactions: false };

/// Reads the messages of a channel to be replayed.
fn missed(
    conn: &Connection,
    (id, name, missed): (ChannelId, ChannelName, Missed),
    bytes: usize,
) -> rusqlite::Result<Page> {
    let part = read_gaps(conn, Place::Channel(id), &missed, bytes)?;
    let name = name.shared();
    Ok(part.into_iter().map(|kept| (kept, name.clone())).collect())
}

/// Reads the messages of direct conversations to be replayed, in the order of time.
fn missed_talks(
    conn: &Connection,
    reader: &Reader,
    MissedTalks { missed, read }: MissedTalks,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let Some(start) = missed.start() else { return Ok(Vec::new()) };
    let mut talks = history::talks(conn, reader.account, start)?;
    talks.sort_unstable_by_key(|talk| std::cmp::Reverse(talk.latest));
    talks.truncate(missed.limit);
    let mut said = Vec::new();
    let each = bytes / talks.len().max(1);
    for talk in talks {
        let missed = missed.after(read.get(&talk.place).copied().unwrap_or_default());
        let part = read_gaps(conn, talk.place, &missed, each)?;
        let peer = talk.peer.shared();
        said.extend(part.into_iter().map(|kept| addressed(kept, reader, &peer)));
    }
    // A client without echo-message attributes its own account's messages from other sessions to the other account.
    if !reader.caps.has(Cap::EchoMessage) {
        said.retain(|(kept, _)| kept.message.from != reader.account);
    }
    said.sort_unstable_by_key(|(kept, _)| kept.message.id);
    said.drain(..said.len().saturating_sub(missed.limit));
    Ok(said)
}

/// Reads the latest missed messages of a conversation, the earliest first.
fn read_gaps(conn: &Connection, place: Place, missed: &Missed, bytes: usize) -> rusqlite::Result<Vec<Kept>> {
    let mut all = Vec::new();
    for &(after, before) in missed.gaps.iter().rev() {
        let limit = missed.limit.saturating_sub(all.len());
        if limit == 0 {
            break;
        }
        let window = Window { after, before, newest: true, limit };
        let mut part = history::read(conn, place, &window, REPLAYED, bytes)?;
        part.append(&mut all);
        all = part;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn queued_query_is_dropped_when_its_session_ends() {
        let outbox = Outbox::default();
        let turns = FairQueue::new(SEARCHES);
        let held = turns.take(AccountId(17)).await.expect("free");
        let mut waits = Box::pin(unless_gone(&outbox, async { Ok(turns.take(AccountId(16)).await?) }));
        tokio::select! {
            biased;
            _ = &mut waits => panic!("it is somebody else's turn"),
            () = std::future::ready(()) => {}
        }
        outbox.abandon(&"gone".into());
        assert!(matches!(waits.await, Err(Unanswered::Gone)));
        drop(held);
        turns.take(AccountId(18)).await.expect("no turn went to the one that is gone");
    }
}
