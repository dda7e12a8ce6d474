//! Who gets to see an event.

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

/// Sessions that get the same event, each once.
///
/// Shared with the events that are on their way: taking a snapshot is free, and a change copies the list
/// only while a snapshot of it is in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience(Arc<Vec<Seat>>);

impl Audience {
    /// The sessions in it.
    pub fn seats(&self) -> &[Seat] {
        &self.0
    }

    /// Is it the same list, and not merely an equal one? Then what goes to both can go as one block.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Does it hold the session?
    pub fn has(&self, session: SessionId) -> bool {
        self.0.iter().any(|seat| seat.session == session)
    }

    /// Adds a session that is not in it.
    pub fn add(&mut self, seat: Seat) {
        Arc::make_mut(&mut self.0).push(seat);
    }

    /// Takes a session out. The order of the others may change.
    pub fn remove(&mut self, session: SessionId) {
        if let Some(at) = self.0.iter().position(|seat| seat.session == session) {
            Arc::make_mut(&mut self.0).swap_remove(at);
        }
    }

    /// Gives a session other capabilities.
    pub fn change(&mut self, seat: Seat) {
        if let Some(at) = self.0.iter().position(|old| old.session == seat.session)
            && let Some(old) = Arc::make_mut(&mut self.0).get_mut(at)
        {
            *old = seat;
        }
    }
}

impl FromIterator<Seat> for Audience {
    fn from_iter<I: IntoIterator<Item = Seat>>(seats: I) -> Self {
        Self(Arc::new(seats.into_iter().collect()))
    }
}
