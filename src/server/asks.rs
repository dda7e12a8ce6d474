//! Answering what the chat asks of the store, in order for each session and beside everything else.
//!
//! A session that asked is not heard until it has its answer, and what others say to it waits behind the answer: so
//! answers come in the order of the questions, one session reads one thing at a time, and it reads no faster than it
//! takes what it is sent.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Connection;
use tracing::warn;

use super::manage::{Asker, Manager};
use super::session::{Answered, Question, Ready, Session};
use crate::chat::history::{Kept, Kinds, Search, Window};
use crate::chat::playback::{ANSWER_BYTES, Reader};
use crate::chat::record::{ChannelId, Place};
use crate::chat::{Answer, Ask};
use crate::store::search::Index;
use crate::store::{Store, StoreError, history};
use crate::wire::{Cap, ChannelName, MessageId, Nick};

/// Who answers.
#[derive(Clone)]
pub(super) struct Asks {
    store: Store,
    ready: Arc<Ready>,
    manager: Arc<Manager>,
    /// `None` where the index could not be opened.
    index: Option<Arc<Index>>,
    /// Most bytes of one answer, and so many may be unread before the next is begun.
    bytes: usize,
}

/// Most bytes of what is replayed to one client, which is sent piece by piece.
const REPLAY_BYTES: usize = 16 * 1024 * 1024;

/// Messages, each with the place as the reader writes it.
type Page = Vec<(Kept, Arc<str>)>;

impl Asks {
    /// At most `send_queue` bytes wait for one session.
    pub fn new(
        store: Store,
        ready: Arc<Ready>,
        manager: Arc<Manager>,
        index: Option<Arc<Index>>,
        send_queue: usize,
    ) -> Self {
        Self { store, ready, manager, index, bytes: ANSWER_BYTES.min(send_queue / 4) }
    }

    /// Begins to answer a question of a session. What goes out to it from now on waits behind the answer.
    pub fn dispatch(&self, session: &Arc<Session>, question: Question) {
        session.outbox.hold();
        if session.ask(question) {
            tokio::spawn(self.clone().work(session.clone()));
        }
    }

    async fn work(self, session: Arc<Session>) {
        while let Some(Question { label, ask }) = session.next_question() {
            poll_fn(|cx| session.outbox.poll_drained(self.bytes, cx)).await;
            if let Ask::Lines(text) = ask {
                self.send(&session, &text).await;
                self.ready.answered(&session, None);
                continue;
            }
            let command = ask.command();
            let (block, answer) = match self.answer(&session, ask).await {
                Ok(Outcome::Block(block)) if block.len() > self.bytes => {
                    self.send(&session, &block).await;
                    self.ready.answered(&session, None);
                    continue;
                }
                Ok(Outcome::Block(block)) => (block, None),
                Ok(Outcome::Back(answer)) => (Bytes::new(), Some(Answered { label, answer })),
                Err(error) => {
                    warn!(command, "cannot read the history: {error}");
                    (Bytes::new(), Some(Answered { label, answer: Answer::Failed(command) }))
                }
            };
            session.outbox.answer(block);
            self.ready.answered(&session, answer);
        }
    }

    /// Something was kept: the index has something to learn.
    pub fn kept(&self) {
        if let Some(index) = &self.index {
            index.wake();
        }
    }

    /// Sends what is too long to be queued at once, as the client takes it.
    async fn send(&self, session: &Session, mut text: &[u8]) {
        while !text.is_empty() {
            // Whole lines, as many as fit; a longer one goes alone.
            let most = text.len().min(self.bytes);
            let (fits, rest) = text.split_at(most);
            let end = match (fits.iter().rposition(|&b| b == b'\n'), rest.iter().position(|&b| b == b'\n')) {
                (Some(at), _) => at + 1,
                (None, Some(at)) => most + at + 1,
                (None, None) => text.len(),
            };
            let (piece, rest) = text.split_at(end);
            poll_fn(|cx| session.outbox.poll_drained(self.bytes, cx)).await;
            session.outbox.piece(Bytes::copy_from_slice(piece));
            text = rest;
        }
        session.outbox.answer(Bytes::new());
    }

    async fn answer(&self, session: &Session, ask: Ask) -> Result<Outcome, StoreError> {
        let bytes = self.bytes;
        let ask = match ask {
            Ask::Search { reader, search, up_to } => return self.search(&reader, search, up_to).await,
            Ask::Manage { account, request, voice, since } => {
                let asker = Asker { account, peer: session.peer, device: session.device, since };
                let outcome = self.manager.run(asker, request).await?;
                return Ok(Outcome::Back(Answer::Managed(account, voice, outcome)));
            }
            other => other,
        };
        self.store
            .read(move |conn| {
                // One moment for all of it.
                let conn = conn.unchecked_transaction()?;
                Ok(match ask {
                    Ask::History { reader, place, target, windows, kinds } => {
                        let page = read_windows(&conn, &reader, (place, &target), &windows, kinds, bytes)?;
                        Outcome::block(reader.batch("chathistory", Some(&target), page))
                    }
                    Ask::Targets { reader, channels, window } => {
                        Outcome::block(reader.targets(&targets(&conn, &reader, &channels, &window)?))
                    }
                    Ask::Replay { reader, channels, talks } => {
                        Outcome::block(reader.replay(missed(&conn, &reader, &channels, talks)?))
                    }
                    Ask::Redact(redact, place) => {
                        let found = history::find(&conn, place, redact.message)?;
                        Outcome::Back(Answer::Redact(redact, place, found))
                    }
                    Ask::Search { .. } | Ask::Manage { .. } | Ask::Lines(_) => Outcome::Block(Bytes::new()),
                })
            })
            .await
    }
}

impl Asks {
    async fn search(&self, reader: &Reader, search: Search, up_to: MessageId) -> Result<Outcome, StoreError> {
        let index = self.index.as_ref().ok_or(StoreError::Closed)?;
        let channels = search.channels.clone();
        let newest = search.window.newest;
        let mut hits = index.search(search, up_to).await?;
        // What is too much is cut off at the end that is farther from where the search began.
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
        Ok(Outcome::block(reader.batch("soju.im/search", None, hits.into_iter().filter_map(named))))
    }
}

/// What becomes of a question.
enum Outcome {
    /// It goes to the client.
    Block(Bytes),
    /// The chat goes on with it.
    Back(Answer),
}

impl Outcome {
    fn block(bytes: Vec<u8>) -> Self {
        Self::Block(bytes.into())
    }
}

fn read_windows(
    conn: &Connection,
    reader: &Reader,
    (place, target): (Place, &Arc<str>),
    windows: &[Window],
    kinds: Kinds,
    bytes: usize,
) -> rusqlite::Result<Page> {
    let mut page = Vec::new();
    for window in windows {
        let part = history::read(conn, place, window, kinds, bytes / windows.len())?;
        page.extend(part.into_iter().map(|kept| addressed(kept, reader, target)));
    }
    Ok(page)
}

/// A message with its target: of a talk, each side's goes to the other.
fn addressed(kept: Kept, reader: &Reader, target: &Arc<str>) -> (Kept, Arc<str>) {
    let incoming = matches!(kept.message.place, Place::Direct(..)) && kept.message.from != reader.account;
    let target = if incoming { reader.nick.shared() } else { target.clone() };
    (kept, target)
}

/// The channels and talks whose latest message is in the window, in order.
fn targets(
    conn: &Connection,
    reader: &Reader,
    channels: &[(ChannelId, ChannelName)],
    window: &Window,
) -> rusqlite::Result<Vec<(Arc<str>, MessageId)>> {
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
    if window.newest {
        found.drain(..found.len().saturating_sub(window.limit));
    }
    found.truncate(window.limit);
    Ok(found)
}

/// What was said in channels, one after the other, and then in talks.
fn missed(
    conn: &Connection,
    reader: &Reader,
    channels: &[(ChannelId, ChannelName, Window)],
    talks: Option<Window>,
) -> rusqlite::Result<Page> {
    let kinds = Kinds { events: false, redactions: false };
    let mut page = Vec::new();
    // Most channels are silent most of the time: what they do not need is for the others.
    let mut spoken = Vec::new();
    for channel in channels {
        let latest = history::latest(conn, Place::Channel(channel.0))?;
        spoken.extend(latest.filter(|latest| *latest > channel.2.after).map(|_| channel));
    }
    let share = REPLAY_BYTES / (spoken.len() + 1);
    for (id, name, window) in spoken {
        let part = history::read(conn, Place::Channel(*id), window, kinds, share)?;
        let name = name.shared();
        page.extend(part.into_iter().map(|kept| (kept, name.clone())));
    }
    let Some(window) = talks else { return Ok(page) };
    let mut talks = history::talks(conn, reader.account, window.after)?;
    talks.sort_unstable_by_key(|talk| std::cmp::Reverse(talk.latest));
    talks.truncate(window.limit);
    let mut said = Vec::new();
    let each = share / talks.len().max(1);
    for talk in talks {
        let part = history::read(conn, talk.place, &window, kinds, each)?;
        let peer = talk.peer.shared();
        said.extend(part.into_iter().map(|kept| addressed(kept, reader, &peer)));
    }
    // A client that does not know echo-message takes what its own account said elsewhere for somebody else's.
    if !reader.caps.has(Cap::EchoMessage) {
        said.retain(|(kept, _)| kept.message.from != reader.account);
    }
    said.sort_unstable_by_key(|(kept, _)| kept.message.id);
    said.drain(..said.len().saturating_sub(window.limit));
    page.append(&mut said);
    Ok(page)
}
