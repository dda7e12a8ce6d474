//! From outputs to the outboxes of sessions.

use std::sync::Arc;

use bytes::Bytes;

use super::session::{Question, Session};
use crate::chat::audience::{Audience, Seat};
use crate::chat::{Event, Origin, Output, Renderer, SessionId};
use crate::wire::CapSet;

/// All sessions, by slot.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    slots: Vec<Slot>,
    free: Vec<u32>,
}

#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    session: Option<Arc<Session>>,
    /// A PING was sent and nothing was heard since.
    pinged: bool,
}

impl Sessions {
    /// Gives a session a place.
    pub fn add(&mut self, session: Arc<Session>) -> SessionId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let mut generation = 0;
        if let Some(place) = self.slots.get_mut(slot as usize) {
            place.session = Some(session);
            place.pinged = false;
            generation = place.generation;
        }
        SessionId { slot, generation }
    }

    /// Takes a session away. What is still on its way to it goes nowhere.
    pub fn remove(&mut self, id: SessionId) {
        if let Some(place) = self.slots.get_mut(id.slot as usize)
            && place.generation == id.generation
            && place.session.take().is_some()
        {
            place.generation = place.generation.wrapping_add(1);
            self.free.push(id.slot);
        }
    }

    pub fn get(&self, id: SessionId) -> Option<&Arc<Session>> {
        self.slots.get(id.slot as usize).filter(|slot| slot.generation == id.generation)?.session.as_ref()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Session>> {
        self.slots.iter().filter_map(|slot| slot.session.as_ref())
    }

    /// Sessions with the mark that a PING waits for its answer.
    pub fn iter_pinged(&mut self) -> impl Iterator<Item = (&Arc<Session>, &mut bool)> {
        self.slots.iter_mut().filter_map(|slot| Some((slot.session.as_ref()?, &mut slot.pinged)))
    }
}

/// Renders outputs and queues them.
#[derive(Debug)]
pub(super) struct Deliverer {
    renderer: Renderer,
    /// Most bytes that wait for one session.
    bound: usize,
    /// What goes out in a row to one audience, and to it grown: each session gets its part as one block.
    run: Vec<Item>,
    /// Where blocks are rendered before they are copied out at their size.
    scratch: Vec<u8>,
}

/// A part of a run.
#[derive(Debug)]
enum Item {
    /// An event for the audience as long as it was then: those who came later do not get it.
    Event { event: Event, origin: Option<Origin>, audience: usize },
    /// A line for one session alone.
    Line(SessionId, String),
}

impl Deliverer {
    pub fn new(bound: usize) -> Self {
        Self { renderer: Renderer::default(), bound, run: Vec::new(), scratch: Vec::new() }
    }

    /// Most bytes that wait for one session.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Delivers outputs in order. What is asked for is handed to `ask`, in its place in that order.
    pub fn deliver(
        &mut self,
        outputs: Vec<Output>,
        sessions: &Sessions,
        mut ask: impl FnMut(SessionId, Question),
    ) {
        let mut audience = Audience::default();
        for output in outputs {
            match output {
                Output::Fan { audience: next, event, origin } => {
                    if !next.extends(&audience) {
                        self.end_run(&audience, sessions);
                    }
                    self.run.push(Item::Event { event, origin, audience: next.len() });
                    audience = next;
                }
                Output::Line(to, line) if !self.run.is_empty() => self.run.push(Item::Line(to, line)),
                Output::Ask { session, label, ask: what } => {
                    self.end_run(&audience, sessions);
                    ask(session, Question { label, ask: *what });
                }
                other => {
                    self.end_run(&audience, sessions);
                    self.single(other, sessions);
                }
            }
        }
        self.end_run(&audience, sessions);
    }

    fn single(&mut self, output: Output, sessions: &Sessions) {
        match output {
            Output::Line(to, line) => self.push(sessions, to, Bytes::from(line)),
            Output::Event { to, caps, event, tag } => {
                self.scratch.clear();
                self.renderer.render(&event, caps, tag.as_deref(), &mut self.scratch);
                self.push(sessions, to, Bytes::copy_from_slice(&self.scratch));
            }
            Output::Close(to, reason) => {
                if let Some(session) = sessions.get(to) {
                    session.outbox.close(&reason);
                }
            }
            Output::Fan { .. } | Output::Ask { .. } => {}
        }
    }

    fn push(&self, sessions: &Sessions, to: SessionId, block: Bytes) {
        if !block.is_empty()
            && let Some(session) = sessions.get(to)
        {
            session.outbox.push(block, self.bound);
        }
    }

    /// Renders the run once for each set of capabilities in the audience, and hands every session its block.
    fn end_run(&mut self, audience: &Audience, sessions: &Sessions) {
        if self.run.is_empty() {
            return;
        }
        let run = std::mem::take(&mut self.run);
        // Who gets something in the run that others do not get so. Few: mostly nobody or one.
        let mut special: Vec<SessionId> = run.iter().filter_map(Item::special).collect();
        special.sort_unstable();
        special.dedup();
        let mut in_audience = vec![false; special.len()];
        let mut blocks: Vec<(CapSet, usize, Bytes)> = Vec::new();
        for (place, &Seat { session, caps }) in audience.seats().enumerate() {
            if let Ok(index) = special.binary_search(&session) {
                in_audience.get_mut(index).into_iter().for_each(|known| *known = true);
                let block = self.own_block(&run, session, place, caps);
                self.push(sessions, session, block);
                continue;
            }
            // An audience only grows in a run: who is in it from some event on gets all that follow.
            let first = run.iter().position(|item| item.is_for_place(place)).unwrap_or(run.len());
            let known = blocks.iter().find(|(known, from, _)| *known == caps && *from == first);
            let block = if let Some((.., block)) = known {
                block.clone()
            } else {
                let block = self.common_block(run.get(first..).unwrap_or_default(), caps);
                blocks.push((caps, first, block.clone()));
                block
            };
            self.push(sessions, session, block);
        }
        for (session, _) in special.into_iter().zip(in_audience).filter(|(_, known)| !known) {
            let block = self.own_block(&run, session, usize::MAX, CapSet::EMPTY);
            self.push(sessions, session, block);
        }
        // Keeps the capacity for the next run.
        self.run = run;
        self.run.clear();
    }

    /// What everybody gets of the run.
    fn common_block(&mut self, run: &[Item], caps: CapSet) -> Bytes {
        self.scratch.clear();
        for item in run {
            if let Item::Event { event, .. } = item {
                self.renderer.render(event, caps, None, &mut self.scratch);
            }
        }
        Bytes::copy_from_slice(&self.scratch)
    }

    /// What one session at a place of the audience gets of the run.
    fn own_block(&mut self, run: &[Item], session: SessionId, place: usize, caps: CapSet) -> Bytes {
        self.scratch.clear();
        for item in run {
            match item {
                Item::Line(to, line) if *to == session => self.scratch.extend_from_slice(line.as_bytes()),
                Item::Event { event, origin, .. } if item.is_for_place(place) => {
                    let origin = origin.as_ref().filter(|origin| origin.session == session);
                    if origin.is_none_or(|origin| origin.echo) {
                        let tag = origin.and_then(|origin| origin.tag.as_deref());
                        self.renderer.render(event, caps, tag, &mut self.scratch);
                    }
                }
                Item::Line(..) | Item::Event { .. } => {}
            }
        }
        Bytes::copy_from_slice(&self.scratch)
    }
}

impl Item {
    /// The session that gets this, or gets it unlike the others.
    fn special(&self) -> Option<SessionId> {
        match self {
            Self::Line(to, _) => Some(*to),
            Self::Event { origin, .. } => origin.as_ref().filter(|o| o.is_special()).map(|o| o.session),
        }
    }

    /// Is it an event for the session at this place of the audience?
    fn is_for_place(&self, place: usize) -> bool {
        matches!(self, Self::Event { audience, .. } if *audience > place)
    }
}
