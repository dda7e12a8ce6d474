//! Delivery: outputs are rendered and queued in the sessions' outboxes.

use std::ops::Range;

use bytes::Bytes;

use crate::core::model::audience::{Audience, Seat};
use crate::core::request::admin::{Done, RequestError, Ticket};
use crate::core::{Ask, Event, Origin, Output, Renderer, SessionId};
use crate::server::sessions::Sessions;
use crate::server::sessions::queues::Queues;
use crate::server::sessions::session::{Question, Session};
use crate::wire::{CapSet, ServerName};

/// Size from which a part of a block is shared instead of copied, in bytes: sharing costs a push of its own.
const SHARED: usize = 4096;

/// Maximum ratio of a block to a shared part of it, because the part keeps the whole block in memory.
const WASTE: usize = 8;

/// Renders outputs and queues them.
#[derive(Debug)]
pub(in crate::server) struct Deliverer {
    renderer: Renderer,
    queues: Queues,
    /// Consecutive outputs to one audience, which may grow meanwhile. Each session gets its part as one block.
    run: Vec<Item>,
    /// Buffer in which blocks are rendered before they are copied out at their size.
    scratch: Vec<u8>,
}

/// One item of a run.
#[derive(Debug)]
enum Item {
    /// An event for the first `audience` sessions of the audience: those that joined later do not get it.
    Event { event: Event, origin: Option<Origin>, audience: usize },
    /// A line for one session alone, and the size of the audience at that point.
    Line(SessionId, String, usize),
}

impl Deliverer {
    pub fn new(server: &ServerName, queues: Queues) -> Self {
        Self { renderer: Renderer::new(server), queues, run: Vec::new(), scratch: Vec::new() }
    }

    /// Queues a block for a session, or ends the session if its send queue is full.
    pub fn queue(&mut self, session: &Session, block: Bytes) {
        self.queues.push(session, block);
    }

    /// Delivers outputs in order. Passes queries to `ask`, at their position in that order, and
    /// results of requests to `done`.
    pub fn deliver(
        &mut self,
        outputs: Vec<Output>,
        sessions: &Sessions,
        mut ask: impl FnMut(SessionId, Question),
        mut done: impl FnMut(Ticket, Result<Done, RequestError>),
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
                Output::Line(to, line) if !self.run.is_empty() => {
                    self.run.push(Item::Line(to, line, audience.len()));
                }
                Output::Ask { session, label, ask: what } => {
                    self.end_run(&audience, sessions);
                    if let (Ask::Lines(lines), Some(session)) = (&*what, sessions.get(session)) {
                        self.queues.suspect(session.account, lines.len());
                    }
                    ask(session, Question { label, ask: *what });
                }
                Output::Done(ticket, result) => done(ticket, result),
                other => {
                    self.end_run(&audience, sessions);
                    self.single(other, sessions);
                }
            }
        }
        self.end_run(&audience, sessions);
        self.queues.keep_bounds(sessions);
    }

    fn single(&mut self, output: Output, sessions: &Sessions) {
        match output {
            Output::Line(to, line) if !line.is_empty() => {
                let block = self.queues.blocks.block(line);
                self.push(sessions, to, block);
            }
            Output::Event { to, caps, event, tag } => {
                self.scratch.clear();
                self.renderer.render(&event, caps, tag.as_deref(), &mut self.scratch);
                self.push_scratch(sessions, to);
            }
            Output::Close(to, reason) => {
                if let Some(session) = sessions.get(to) {
                    session.outbox.close(&reason);
                }
            }
            Output::Line(..) | Output::Fan { .. } | Output::Ask { .. } | Output::Done(..) => {}
        }
    }

    fn push(&mut self, sessions: &Sessions, to: SessionId, block: Bytes) {
        if !block.is_empty()
            && let Some(session) = sessions.get(to)
        {
            self.queue(session, block);
        }
    }

    /// Renders the run once for each set of capabilities in the audience, and queues each session's part of it. So the
    /// work grows with the events plus the sessions, not with their product.
    fn end_run(&mut self, audience: &Audience, sessions: &Sessions) {
        if self.run.is_empty() {
            return;
        }
        let run = std::mem::take(&mut self.run);
        // Sessions whose part of the run is special, with the items concerned. They are few: mostly none or one.
        let mut special: Vec<(SessionId, usize)> =
            run.iter().enumerate().filter_map(|(index, item)| Some((item.special()?, index))).collect();
        special.sort_unstable();
        let groups: Vec<&[(SessionId, usize)]> = special.chunk_by(|a, b| a.0 == b.0).collect();
        let mut in_audience = vec![false; groups.len()];
        let mut blocks: Vec<Common> = Vec::new();
        for (place, &Seat { session, caps }) in audience.seats().enumerate() {
            let group = groups.binary_search_by_key(&Some(session), |group| group.first().map(|own| own.0));
            let own = group.ok().and_then(|index| groups.get(index)).copied().unwrap_or_default();
            if let Some(known) = group.ok().and_then(|index| in_audience.get_mut(index)) {
                *known = true;
            }
            // An audience only grows in a run: a session that gets one event gets all that follow.
            let first = run.partition_point(|item| item.audience() <= place);
            let index = blocks.iter().position(|block| block.caps == caps).unwrap_or_else(|| {
                blocks.push(self.common(&run, caps));
                blocks.len() - 1
            });
            if let Some(block) = blocks.get(index) {
                self.push_part(sessions, session, (&run, first), block, own);
            }
        }
        let nothing = Common::default();
        for (own, _) in groups.iter().zip(in_audience).filter(|(_, known)| !known) {
            if let Some(&(session, _)) = own.first() {
                self.push_part(sessions, session, (&run, run.len()), &nothing, own);
            }
        }
        // Keeps the capacity for the next run.
        self.run = run;
        self.run.clear();
    }

    /// Renders the part of the run that is the same for all sessions with these capabilities.
    fn common(&mut self, run: &[Item], caps: CapSet) -> Common {
        self.scratch.clear();
        let mut starts = Vec::with_capacity(run.len());
        for item in run {
            starts.push(self.scratch.len());
            if let Item::Event { event, .. } = item {
                self.renderer.render(event, caps, None, &mut self.scratch);
            }
        }
        Common { caps, bytes: self.queues.blocks.block(self.scratch.as_slice()), starts }
    }

    /// Queues a session's part of the run: the common part from the item `first` on, with the session's `own` items in
    /// between.
    fn push_part(
        &mut self,
        sessions: &Sessions,
        session: SessionId,
        (run, first): (&[Item], usize),
        common: &Common,
        own: &[(SessionId, usize)],
    ) {
        self.scratch.clear();
        let mut from = common.start(first);
        for &(_, index) in own {
            match run.get(index) {
                // A line also goes to a session that is not in the audience, or not yet.
                Some(Item::Line(_, line, _)) => {
                    self.add_common(sessions, session, common, from..common.start(index));
                    self.scratch.extend_from_slice(line.as_bytes());
                    from = from.max(common.start(index));
                }
                Some(Item::Event { event, origin, .. }) if index >= first => {
                    self.add_common(sessions, session, common, from..common.start(index));
                    if let Some(Origin { echo: true, tag, .. }) = origin {
                        self.renderer.render(event, common.caps, tag.as_deref(), &mut self.scratch);
                    }
                    from = common.start(index + 1);
                }
                Some(Item::Event { .. }) | None => {}
            }
        }
        self.add_common(sessions, session, common, from..common.bytes.len());
        self.push_scratch(sessions, session);
    }

    /// Adds a common part to the session's part: shares the bytes if they are many, else copies them.
    fn add_common(&mut self, sessions: &Sessions, session: SessionId, common: &Common, part: Range<usize>) {
        let bytes = common.bytes.get(part.clone()).unwrap_or_default();
        let whole = common.bytes.len();
        if bytes.len() == whole && self.scratch.is_empty() {
            self.push(sessions, session, common.bytes.clone());
        } else if bytes.len() >= SHARED && bytes.len() >= whole / WASTE {
            self.push_scratch(sessions, session);
            self.push(sessions, session, common.bytes.slice(part));
        } else {
            self.scratch.extend_from_slice(bytes);
        }
    }

    fn push_scratch(&mut self, sessions: &Sessions, session: SessionId) {
        if !self.scratch.is_empty() {
            let block = self.queues.blocks.block(self.scratch.as_slice());
            self.push(sessions, session, block);
            self.scratch.clear();
        }
    }
}

/// A run, rendered for all sessions with the same capabilities.
#[derive(Debug, Default)]
struct Common {
    caps: CapSet,
    bytes: Bytes,
    /// Offset of each item in `bytes`. The item of a line for one session is empty.
    starts: Vec<usize>,
}

impl Common {
    fn start(&self, item: usize) -> usize {
        self.starts.get(item).copied().unwrap_or(self.bytes.len())
    }
}

impl Item {
    /// Returns the session for which this item is special: the only one that gets it, or the one that gets it unlike
    /// the others.
    fn special(&self) -> Option<SessionId> {
        match self {
            Self::Line(to, ..) => Some(*to),
            Self::Event { origin, .. } => origin.as_ref().filter(|o| o.is_special()).map(|o| o.session),
        }
    }

    /// Returns the size of the audience at this item.
    fn audience(&self) -> usize {
        match self {
            Self::Line(.., audience) | Self::Event { audience, .. } => *audience,
        }
    }
}

#[cfg(test)]
mod tests;
