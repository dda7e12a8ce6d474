//! Audiences: the sessions that an event goes to.

use std::collections::HashMap;
use std::sync::Arc;

use crate::wire::CapSet;

/// Id of a session: its slot in the server's table, and a count of the slot's earlier uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// Index into the server's table of sessions.
    pub slot: u32,
    /// Number that tells apart the sessions that had the same slot one after the other.
    pub generation: u32,
}

/// A member of an audience: a session, and those of its capabilities that change an event's rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The session that gets the event.
    pub session: SessionId,
    /// Its capabilities, masked with [`crate::core::effects::event::RENDER_CAPS`].
    pub caps: CapSet,
}

/// The sessions that get an event, each once: a snapshot of a [`Roster`].
///
/// It travels with events through delivery. Taking and cloning one costs no more than a reference count.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<Seats>);

impl Audience {
    /// Iterates over the sessions. They are in the order in which they were added, unless one was removed.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.slices().flatten()
    }

    /// Iterates over [`Self::seats`] in a few slices: the fastest way to visit many.
    pub fn slices(&self) -> impl Iterator<Item = &[Seat]> {
        self.0.full.iter().map(|chunk| &**chunk).chain([self.0.last.as_slice()])
    }

    /// Returns the number of sessions.
    pub fn len(&self) -> usize {
        self.0.full.len() * CHUNK + self.0.last.len()
    }

    /// Returns whether it has no sessions.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether this is `earlier`, perhaps with sessions appended. Then the two agree session for session up to
    /// the length of `earlier`, and delivery can send the events of both as one block. Returns false for audiences that
    /// are merely equal.
    pub fn extends(&self, earlier: &Self) -> bool {
        Arc::ptr_eq(&self.0.era, &earlier.0.era) && self.len() >= earlier.len()
    }
}

impl FromIterator<Seat> for Audience {
    fn from_iter<I: IntoIterator<Item = Seat>>(seats: I) -> Self {
        let mut all = Seats::default();
        seats.into_iter().for_each(|seat| all.push(seat));
        Self(Arc::new(all))
    }
}

/// The sessions of a channel or an account, as they come and go.
///
/// A snapshot shares its memory with the roster. A change while a snapshot is in use copies only the chunk that changes
/// and, for a removal, the list of chunks, so its cost hardly depends on the number of sessions.
#[derive(Debug, Default)]
pub struct Roster {
    now: Audience,
    /// Index of each session.
    places: HashMap<SessionId, usize>,
}

impl Roster {
    /// Returns the present sessions as an audience.
    pub fn snapshot(&self) -> Audience {
        self.now.clone()
    }

    /// Iterates over the sessions.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.now.seats()
    }

    /// Returns the number of sessions.
    pub fn len(&self) -> usize {
        self.now.len()
    }

    /// Returns whether it has no sessions.
    pub fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    /// Returns whether it holds the session.
    pub fn has(&self, session: SessionId) -> bool {
        self.places.contains_key(&session)
    }

    /// Adds a session, which must not be in it yet.
    pub fn add(&mut self, seat: Seat) {
        let before = self.places.insert(seat.session, self.now.len());
        debug_assert!(before.is_none(), "each session once");
        Arc::make_mut(&mut self.now.0).push(seat);
    }

    /// Removes a session. The last one moves to its index.
    pub fn remove(&mut self, session: SessionId) {
        let Some(place) = self.places.remove(&session) else { return };
        let seats = Arc::make_mut(&mut self.now.0);
        seats.begin_era();
        if let Some(moved) = seats.pop().filter(|last| last.session != session) {
            seats.set(place, moved);
            self.places.insert(moved.session, place);
        }
    }

    /// Replaces the capabilities of a session.
    pub fn change(&mut self, seat: Seat) {
        if let Some(&place) = self.places.get(&seat.session) {
            let seats = Arc::make_mut(&mut self.now.0);
            seats.begin_era();
            seats.set(place, seat);
        }
    }
}

/// Sessions in a chunk: enough for iteration at the speed of memory, few enough to copy at each change.
const CHUNK: usize = 256;

#[derive(Clone, Debug, Default)]
struct Seats {
    /// Full chunks of [`CHUNK`] sessions.
    full: Arc<Vec<Arc<[Seat]>>>,
    /// The sessions after those, fewer than a chunk.
    last: Vec<Seat>,
    /// Identity that stays the same as long as sessions are only appended.
    era: Arc<()>,
}

impl Seats {
    fn push(&mut self, seat: Seat) {
        self.last.push(seat);
        if self.last.len() == CHUNK {
            Arc::make_mut(&mut self.full).push(Arc::from(self.last.as_slice()));
            self.last.clear();
        }
    }

    fn pop(&mut self) -> Option<Seat> {
        if self.last.is_empty()
            && let Some(chunk) = Arc::make_mut(&mut self.full).pop()
        {
            self.last.extend_from_slice(&chunk);
        }
        self.last.pop()
    }

    fn set(&mut self, place: usize, seat: Seat) {
        let chunk = if place / CHUNK < self.full.len() {
            Arc::make_mut(&mut self.full).get_mut(place / CHUNK).map(Arc::make_mut)
        } else {
            Some(self.last.as_mut_slice())
        };
        if let Some(old) = chunk.and_then(|seats| seats.get_mut(place % CHUNK)) {
            *old = seat;
        }
    }

    /// Marks that existing entries are about to change: later snapshots no longer extend earlier ones.
    fn begin_era(&mut self) {
        if Arc::get_mut(&mut self.era).is_none() {
            self.era = Arc::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use crate::core::tests::seed::Seed;

    use super::*;
    use crate::wire::Cap;

    fn seat(slot: u32) -> Seat {
        Seat { session: SessionId { slot, generation: 0 }, caps: CapSet::EMPTY }
    }

    fn list(audience: &Audience) -> Vec<Seat> {
        audience.seats().copied().collect()
    }

    #[test]
    fn roster_snapshots_stay_unchanged() {
        let seed = Seed(0x5ea7);
        let mut rng = seed.rng();
        let (mut roster, mut plain) = (Roster::default(), Vec::new());
        let mut snapshots: Vec<(Audience, Vec<Seat>)> = Vec::new();
        for slot in 0..20_000 {
            // The roster grows past several chunks, then shrinks to nothing, again and again.
            let growing = slot / 1_500 % 2 == 0;
            if plain.is_empty() || rng.random_bool(if growing { 0.9 } else { 0.1 }) {
                plain.push(seat(slot));
                roster.add(seat(slot));
            } else {
                let place = rng.random_range(0..plain.len());
                if rng.random_bool(0.2) {
                    plain[place].caps = CapSet::of(&[Cap::ServerTime]);
                    roster.change(plain[place]);
                } else {
                    let gone = plain.swap_remove(place);
                    roster.remove(gone.session);
                    roster.remove(gone.session);
                    assert!(!roster.has(gone.session));
                }
            }
            assert_eq!((roster.len(), roster.is_empty()), (plain.len(), plain.is_empty()));
            if rng.random_bool(0.05) {
                let now = roster.snapshot();
                for (earlier, seats) in &snapshots {
                    assert_eq!(list(earlier), *seats);
                    assert!(!now.extends(earlier) || plain.starts_with(seats));
                }
                assert!(plain.iter().all(|seat| roster.has(seat.session)));
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
        (0..600).for_each(|slot| roster.add(seat(slot)));
        let before = roster.snapshot();
        roster.add(seat(600));
        let after = roster.snapshot();
        assert!(after.extends(&before) && before.extends(&before) && !before.extends(&after));
        roster.change(seat(3));
        assert!(!roster.snapshot().extends(&after), "it may look different now");
        let changed = roster.snapshot();
        roster.remove(seat(600).session);
        roster.add(seat(600));
        assert!(!roster.snapshot().extends(&changed), "it went and came back");
        let twin: Audience = before.seats().copied().collect();
        assert!(!twin.extends(&before), "merely alike");
    }
}
