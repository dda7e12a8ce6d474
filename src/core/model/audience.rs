//! Audiences: the sessions that an event goes to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::wire::CapSet;

/// Id of a session: its slot in the server's table, and a count of the slot's earlier uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// Index into the server's table of sessions.
    pub slot: u32,
    /// Number that tells apart the sessions that had the same slot one after the other.
    pub generation: u32,
}

/// The text is not the id of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the number of a session, such as 3.0")]
pub struct NotASessionId;

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.slot, self.generation)
    }
}

impl FromStr for SessionId {
    type Err = NotASessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (slot, generation) = text.split_once('.').ok_or(NotASessionId)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| NotASessionId);
        Ok(Self { slot: number(slot)?, generation: number(generation)? })
    }
}

/// A member of an audience: a session, and those of its capabilities that change an event's rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The session that gets the event.
    pub session: SessionId,
    /// Its capabilities, masked with [`crate::core::effects::event::RENDER_CAPS`].
    pub caps: CapSet,
}

/// The sessions that get an event, each once: a snapshot of a [`Roster`].
///
/// It travels with events through delivery. Taking and cloning one costs no more than a reference count.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<RecipientChunks>);

impl Audience {
    /// Iterates over the sessions. They are in the order in which they were added, unless one was removed.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.slices().flatten()
    }

    /// Iterates over [`Self::recipients`] in a few slices: the fastest way to visit many.
    pub fn slices(&self) -> impl Iterator<Item = &[Recipient]> {
        self.0.full_chunks.iter().map(|chunk| &**chunk).chain([self.0.last_chunk.as_slice()])
    }

    /// Returns the number of sessions.
    pub fn len(&self) -> usize {
        self.0.full_chunks.len() * CHUNK + self.0.last_chunk.len()
    }

    /// Returns whether it has no sessions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether this is `earlier`, perhaps with sessions appended. Then the two agree session for session up to
    /// the length of `earlier`, and delivery can send the events of both as one block. Returns false for audiences that
    /// are merely equal.
    pub fn extends(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.0.epoch, &earlier.0.epoch) && self.len() >= earlier.len()
    }
}

impl FromIterator<Recipient> for Audience {
    fn from_iter<I: IntoIterator<Item = Recipient>>(recipients: I) -> Self {
        let mut all = RecipientChunks::default();
        recipients.into_iter().for_each(|recipient| all.push(recipient));
        Self(Arc::new(all))
    }
}

/// The sessions of a channel or an account, as they come and go.
///
/// A snapshot shares its memory with the roster. A change while a snapshot is in use copies only the chunk that changes
/// and, for a removal, the list of chunks, so its cost hardly depends on the number of sessions.
#[derive(Debug, Default)]
pub struct Roster {
    current: Audience,
    /// Index of each session; empty while the roster is small. Most are: those of accounts, and of many channels.
    indices: FxHashMap<SessionId, usize>,
}

/// Number of sessions up to which a roster is searched through.
const MAX_SEARCHED: usize = 16;

impl Roster {
    /// Returns the present sessions as an audience.
    pub fn snapshot(&self) -> Audience {
        self.current.clone()
    }

    /// Iterates over the sessions.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.current.recipients()
    }

    /// Returns the number of sessions.
    pub fn len(&self) -> usize {
        self.current.len()
    }

    /// Returns whether it has no sessions.
    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
    }

    /// Returns whether it holds the session.
    pub fn has(&self, session: SessionId) -> bool {
        self.index_of(session).is_some()
    }

    /// Adds a session, which must not be in it yet.
    pub fn add(&mut self, recipient: Recipient) {
        debug_assert!(!self.has(recipient.session), "each session once");
        let index = self.current.len();
        if index == MAX_SEARCHED {
            let sessions = self.current.recipients().map(|recipient| recipient.session);
            self.indices = sessions.enumerate().map(|(index, session)| (session, index)).collect();
        }
        if index >= MAX_SEARCHED {
            self.indices.insert(recipient.session, index);
        }
        Arc::make_mut(&mut self.current.0).push(recipient);
    }

    /// Removes a session, if it is in it. The last one moves to its index.
    pub fn remove(&mut self, session: SessionId) {
        let Some(index) = self.index_of(session) else { return };
        self.indices.remove(&session);
        let recipients = Arc::make_mut(&mut self.current.0);
        recipients.begin_epoch();
        if let Some(moved) = recipients.pop().filter(|last| last.session != session) {
            recipients.set(index, moved);
            if let Some(known) = self.indices.get_mut(&moved.session) {
                *known = index;
            }
        }
        if self.current.len() <= MAX_SEARCHED {
            self.indices = FxHashMap::default();
        }
    }

    /// Replaces the capabilities of a session.
    pub fn update(&mut self, recipient: Recipient) {
        if let Some(index) = self.index_of(recipient.session) {
            let recipients = Arc::make_mut(&mut self.current.0);
            recipients.begin_epoch();
            recipients.set(index, recipient);
        }
    }

    fn index_of(&self, session: SessionId) -> Option<usize> {
        if self.current.len() <= MAX_SEARCHED {
            return self.recipients().position(|recipient| recipient.session == session);
        }
        self.indices.get(&session).copied()
    }
}

/// Sessions in a chunk: enough for iteration at the speed of memory, few enough to copy at each change.
const CHUNK: usize = 256;

#[derive(Clone, Debug, Default)]
struct RecipientChunks {
    /// Full chunks of [`CHUNK`] sessions.
    full_chunks: Arc<[Arc<[Recipient]>]>,
    /// The sessions after those, fewer than a chunk.
    last_chunk: Vec<Recipient>,
    /// Identity that stays the same as long as sessions are only appended.
    epoch: Arc<()>,
}

impl RecipientChunks {
    fn push(&mut self, recipient: Recipient) {
        if self.last_chunk.is_empty() {
            // Most audiences have one session.
            self.last_chunk.reserve_exact(1);
        }
        self.last_chunk.push(recipient);
        if self.last_chunk.len() == CHUNK {
            let full = Arc::from(self.last_chunk.as_slice());
            self.full_chunks = self.full_chunks.iter().cloned().chain([full]).collect();
            self.last_chunk.clear();
        }
    }

    fn pop(&mut self) -> Option<Recipient> {
        if self.last_chunk.is_empty()
            && let Some((chunk, others)) = self.full_chunks.split_last()
        {
            self.last_chunk.extend_from_slice(chunk);
            self.full_chunks = others.into();
        }
        self.last_chunk.pop()
    }

    fn set(&mut self, index: usize, recipient: Recipient) {
        let chunk = if index / CHUNK < self.full_chunks.len() {
            Arc::make_mut(&mut self.full_chunks).get_mut(index / CHUNK).map(Arc::make_mut)
        } else {
            Some(self.last_chunk.as_mut_slice())
        };
        if let Some(old) = chunk.and_then(|recipients| recipients.get_mut(index % CHUNK)) {
            *old = recipient;
        }
    }

    /// Marks that existing entries are about to change: later snapshots no longer extend earlier ones.
    fn begin_epoch(&mut self) {
        if Arc::get_mut(&mut self.epoch).is_none() {
            self.epoch = Arc::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use crate::core::tests::simulation::seed::Seed;

    use super::*;
    use crate::wire::Cap;

    fn recipient(slot: u32) -> Recipient {
        Recipient { session: SessionId { slot, generation: 0 }, caps: CapSet::EMPTY }
    }

    fn sessions_of(audience: &Audience) -> Vec<Recipient> {
        audience.recipients().copied().collect()
    }

    #[test]
    fn roster_snapshots_stay_unchanged() {
        let seed = Seed(0x5ea7);
        let mut rng = seed.rng();
        let (mut roster, mut plain) = (Roster::default(), Vec::new());
        let mut snapshots: Vec<(Audience, Vec<Recipient>)> = Vec::new();
        for slot in 0..20_000 {
            // The roster grows past several chunks, then shrinks to nothing, again and again.
            let growing = slot / 1_500 % 2 == 0;
            if plain.is_empty() || rng.random_bool(if growing { 0.9 } else { 0.1 }) {
                plain.push(recipient(slot));
                roster.add(recipient(slot));
            } else {
                let index = rng.random_range(0..plain.len());
                if rng.random_bool(0.2) {
                    plain[index].caps = CapSet::from_caps(&[Cap::ServerTime]);
                    roster.update(plain[index]);
                } else {
                    let gone = plain.swap_remove(index);
                    roster.remove(gone.session);
                    roster.remove(gone.session);
                    assert!(!roster.has(gone.session));
                }
            }
            assert_eq!((roster.len(), roster.is_empty()), (plain.len(), plain.is_empty()));
            if rng.random_bool(0.05) {
                let now = roster.snapshot();
                for (earlier, recipients) in &snapshots {
                    assert_eq!(sessions_of(earlier), *recipients);
                    assert!(!now.extends(earlier) || plain.starts_with(recipients));
                }
                assert!(plain.iter().all(|recipient| roster.has(recipient.session)));
                snapshots.push((now, plain.clone()));
                if snapshots.len() > 20 {
                    snapshots.swap_remove(rng.random_range(0..20));
                }
            }
        }
    }

    #[test]
    fn only_appended_audience_extends_earlier_one() {
        let mut roster = Roster::default();
        (0..600).for_each(|slot| roster.add(recipient(slot)));
        let before = roster.snapshot();
        roster.add(recipient(600));
        let after = roster.snapshot();
        assert!(after.extends(&before) && before.extends(&before) && !before.extends(&after));
        roster.update(recipient(3));
        assert!(!roster.snapshot().extends(&after), "it may look different now");
        let changed = roster.snapshot();
        roster.remove(recipient(600).session);
        roster.add(recipient(600));
        assert!(!roster.snapshot().extends(&changed), "it went and came back");
        let twin: Audience = before.recipients().copied().collect();
        assert!(!twin.extends(&before), "merely alike");
    }
}
