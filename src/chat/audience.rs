//! Who gets to see an event.

use std::collections::HashMap;
use std::sync::Arc;

use crate::wire::CapSet;

/// One logged-in connection. The number of its place with the server, and how often that place was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId {
    /// Index into the server's table of sessions.
    pub slot: u32,
    /// Distinguishes the sessions that had the same slot one after the other.
    pub generation: u32,
}

/// A session and the capabilities of it that change how an event looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Whose.
    pub session: SessionId,
    /// Its capabilities, masked with [`super::event::RENDER_CAPS`].
    pub caps: CapSet,
}

/// Sessions that get the same event, each once: a [`Roster`] as it was at one time.
///
/// It travels with the events that are on their way. Taking and copying one is free.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<Seats>);

impl Audience {
    /// The sessions in it, in the order in which they were added, as far as none was removed.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.slices().flatten()
    }

    /// [`Self::seats`] in a few pieces: the fastest way through many.
    pub fn slices(&self) -> impl Iterator<Item = &[Seat]> {
        self.0.full.iter().map(|chunk| &**chunk).chain([self.0.last.as_slice()])
    }

    /// How many sessions.
    pub fn len(&self) -> usize {
        self.0.full.len() * CHUNK + self.0.last.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Is it `earlier`, with or without seats added behind it? Then the two agree seat for seat as far as
    /// `earlier` goes, and what goes to both can go as one block. False for lists that are merely alike.
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

/// The sessions of a channel or a person, as they come and go.
///
/// A snapshot shares its seats, and a change while one is in use copies only the chunk that changes and, for
/// a removal, the list of the chunks. So the cost of a change hardly depends on how many seats there are.
#[derive(Debug, Default)]
pub struct Roster {
    now: Audience,
    /// Where in it each session is.
    places: HashMap<SessionId, usize>,
}

impl Roster {
    /// The sessions in it now.
    pub fn snapshot(&self) -> Audience {
        self.now.clone()
    }

    /// The sessions in it.
    pub fn seats(&self) -> impl Iterator<Item = &Seat> {
        self.now.seats()
    }

    /// How many sessions.
    pub fn len(&self) -> usize {
        self.now.len()
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.now.is_empty()
    }

    /// Does it hold the session?
    pub fn has(&self, session: SessionId) -> bool {
        self.places.contains_key(&session)
    }

    /// Adds a session that is not in it.
    pub fn add(&mut self, seat: Seat) {
        let before = self.places.insert(seat.session, self.now.len());
        debug_assert!(before.is_none(), "each session once");
        Arc::make_mut(&mut self.now.0).push(seat);
    }

    /// Takes a session out; the last one gets its place.
    pub fn remove(&mut self, session: SessionId) {
        let Some(place) = self.places.remove(&session) else { return };
        let seats = Arc::make_mut(&mut self.now.0);
        seats.begin_era();
        if let Some(moved) = seats.pop().filter(|last| last.session != session) {
            seats.set(place, moved);
            self.places.insert(moved.session, place);
        }
    }

    /// Gives a session other capabilities.
    pub fn change(&mut self, seat: Seat) {
        if let Some(&place) = self.places.get(&seat.session) {
            let seats = Arc::make_mut(&mut self.now.0);
            seats.begin_era();
            seats.set(place, seat);
        }
    }
}

/// Seats in a chunk: enough that going through them is going through memory, few enough to copy at each change.
const CHUNK: usize = 256;

#[derive(Clone, Debug, Default)]
struct Seats {
    /// Chunks of [`CHUNK`] seats.
    full: Arc<Vec<Arc<[Seat]>>>,
    /// The seats behind those, fewer than a chunk.
    last: Vec<Seat>,
    /// The same one as long as seats are only added.
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

    /// What was there is about to change: snapshots of before are no beginnings of those of later.
    fn begin_era(&mut self) {
        if Arc::get_mut(&mut self.era).is_none() {
            self.era = Arc::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::SmallRng;
    use rand::{RngExt as _, SeedableRng as _};

    use super::*;
    use crate::wire::Cap;

    fn seat(slot: u32) -> Seat {
        Seat { session: SessionId { slot, generation: 0 }, caps: CapSet::EMPTY }
    }

    fn list(audience: &Audience) -> Vec<Seat> {
        audience.seats().copied().collect()
    }

    #[test]
    fn a_roster_is_a_list_and_its_snapshots_stay() {
        let seed = 0x5ea7;
        println!("seed {seed}");
        let mut rng = SmallRng::seed_from_u64(seed);
        let (mut roster, mut plain) = (Roster::default(), Vec::new());
        let mut snapshots: Vec<(Audience, Vec<Seat>)> = Vec::new();
        for slot in 0..20_000 {
            // Grows past several chunks, then shrinks to nothing, again and again.
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
    fn an_audience_extends_what_only_grew_into_it() {
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
