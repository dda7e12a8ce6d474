//! From outputs to the outboxes of sessions.

use std::sync::Arc;

use bytes::Bytes;

use super::session::Session;
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
    /// Events in a row for the same audience: each session gets them as one block.
    run: Vec<(Event, Option<Origin>)>,
    /// Where blocks are rendered before they are copied out at their size.
    scratch: Vec<u8>,
}

impl Deliverer {
    pub fn new(bound: usize) -> Self {
        Self { renderer: Renderer::default(), bound, run: Vec::new(), scratch: Vec::new() }
    }

    /// Most bytes that wait for one session.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Delivers outputs in order.
    pub fn deliver(&mut self, outputs: Vec<Output>, sessions: &Sessions) {
        let mut audience = Audience::default();
        for output in outputs {
            match output {
                Output::Fan { audience: next, event, origin } => {
                    if !next.is_same(&audience) {
                        self.end_run(&audience, sessions);
                        audience = next;
                    }
                    self.run.push((event, origin));
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
            Output::Fan { .. } => {}
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
        // Who said something in the run and is treated unlike the others. Few: mostly nobody or one.
        let mut special: Vec<SessionId> = run
            .iter()
            .filter_map(|(_, origin)| origin.as_ref())
            .filter(|o| o.is_special())
            .map(|o| o.session)
            .collect();
        special.sort_unstable();
        special.dedup();
        let mut blocks: Vec<(CapSet, Bytes)> = Vec::new();
        for &Seat { session, caps } in audience.seats() {
            let block = if special.binary_search(&session).is_ok() {
                self.block(
                    run.iter()
                        .map(|(event, origin)| (event, origin.as_ref().filter(|o| o.session == session))),
                    caps,
                )
            } else if let Some((_, block)) = blocks.iter().find(|(known, _)| *known == caps) {
                block.clone()
            } else {
                let block = self.block(run.iter().map(|(event, _)| (event, None)), caps);
                blocks.push((caps, block.clone()));
                block
            };
            self.push(sessions, session, block);
        }
        // Keeps the capacity for the next run.
        self.run = run;
        self.run.clear();
    }

    fn block<'a>(
        &mut self,
        events: impl Iterator<Item = (&'a Event, Option<&'a Origin>)>,
        caps: CapSet,
    ) -> Bytes {
        self.scratch.clear();
        for (event, origin) in events {
            if origin.is_none_or(|origin| origin.echo) {
                let tag = origin.and_then(|origin| origin.tag.as_deref());
                self.renderer.render(event, caps, tag, &mut self.scratch);
            }
        }
        Bytes::copy_from_slice(&self.scratch)
    }
}
