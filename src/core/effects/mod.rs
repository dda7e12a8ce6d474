//! Effects of the core: records to store, outputs to deliver, queries to run.

pub mod event;
pub mod history;
pub mod isupport;
pub(super) mod monitors;
pub mod playback;
pub mod query;
pub(super) mod scope;
pub mod tags;

use std::ops::Range;
use std::sync::Arc;

use super::effects::event::{Event, Renderer};
use super::effects::query::Query;
use super::effects::scope::Scope;
use super::model::audience::{Audience, SessionId};
use super::record::Record;
use super::record::file::FileHash;
use super::request::admin::{RequestError, RequestId, RequestOutcome};
use crate::wire::{CapSet, Label, Reply, Tagging};

/// The effects of a batch of inputs, in order.
///
/// No output may reach any session before all of `records` is durable.
#[derive(Debug, Default)]
pub struct Effects {
    /// Changes to store, in the order in which they happened.
    pub records: Vec<Record>,
    /// Outputs, in the order in which they are sent.
    pub outputs: Vec<Output>,
    /// The parts of both that belong to each input.
    pub by_input: Vec<InputEffects>,
    /// The command that is being replied to.
    scope: Option<Scope>,
}

/// Counts of effects, for those that an input adds.
#[derive(Clone, Copy, Debug, Default)]
pub struct EffectCounts {
    /// Count of records.
    pub records: usize,
    /// Count of outputs.
    pub outputs: usize,
}

/// The effects of one input: ranges into the vectors of [`Effects`].
#[derive(Debug)]
pub struct InputEffects {
    /// Range in `records`.
    pub records: Range<usize>,
    /// Range in `outputs`.
    pub outputs: Range<usize>,
    /// The session whose command or query result this was, with the label of its reply. `None` for inputs that no
    /// session caused, such as ticks.
    pub from: Option<(SessionId, Option<Label>)>,
    /// The session that the input concerned: the one that sent a command, began or ended.
    pub session: Option<SessionId>,
}

/// One output, typed. Delivery renders it.
#[derive(Debug)]
pub enum Output {
    /// A reply to one session.
    Reply(ReplyTo),
    /// An event to one session.
    Event(EventTo),
    /// A reply that is too long for the send queue. It is sent in parts as the client reads them. Until its end no
    /// further command of the session is applied, and later output to the session waits.
    Long(LongReply),
    /// An event to an audience.
    Broadcast {
        /// The sessions that get it.
        audience: Audience,
        /// The event to render.
        event: Event,
        /// The session that caused it, if its copy differs from the others.
        origin: Option<Origin>,
    },
    /// A query that takes time. Until its result arrives, no further command of the session may be applied and nothing
    /// else may reach it, so that replies come in the order of the commands.
    Query {
        /// The session that waits for the result.
        session: SessionId,
        /// Label of the reply.
        label: Option<Label>,
        /// The query to run.
        query: Box<Query>,
    },
    /// The result of a request from outside of sessions.
    RequestDone(RequestId, Result<RequestOutcome, RequestError>),
    /// No file has this content any more.
    RemoveFileContent(FileHash),
    /// The session ends: its queued output is written first, then an ERROR line with the reason.
    Close(SessionId, Arc<str>),
}

/// A reply with its addressee.
#[derive(Clone, Debug)]
pub struct ReplyTo {
    /// The session that gets it.
    pub to: SessionId,
    /// The nick by which numerics address the session's account.
    pub nick: Arc<str>,
    /// The reply to render.
    pub reply: Reply,
}

/// An event to a single session.
#[derive(Debug)]
pub struct EventTo {
    /// The session that gets it.
    pub to: SessionId,
    /// Its capabilities, masked with [`super::effects::event::RENDER_CAPS`].
    pub caps: CapSet,
    /// The event to render.
    pub event: Event,
    /// The first of its tags.
    pub tagging: Tagging,
}

/// Replies and events to one session that together are too long for the send queue.
#[derive(Debug)]
pub struct LongReply {
    /// The session that gets them.
    pub to: SessionId,
    /// The replies and events, in order.
    pub parts: Vec<LongPart>,
}

/// A part of a [`LongReply`].
#[derive(Debug)]
pub enum LongPart {
    /// A reply to the session's command.
    Reply(ReplyTo),
    /// An event that is sent to this session only.
    Event(EventTo),
}

/// The session that caused an event, and the treatment of its own copy.
#[derive(Debug)]
pub struct Origin {
    /// The session that caused the event.
    pub session: SessionId,
    /// True if the session is in the audience and gets its copy. False also without echo-message, because such a client
    /// does not get its own messages back.
    pub gets_copy: bool,
    /// The first tag of its copy.
    pub tagging: Tagging,
}

impl Origin {
    /// Returns the session as an origin that gets a copy, or none.
    pub fn new(session: SessionId, gets_copy: bool) -> Self {
        Self { session, gets_copy, tagging: Tagging::None }
    }

    /// Returns whether the session's copy differs from the others' or is not sent.
    pub fn is_special(&self) -> bool {
        !self.gets_copy || !self.tagging.is_none()
    }
}

impl Effects {
    /// Returns whether there is nothing to store and nothing to send.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outputs.is_empty()
    }

    /// Returns the counts of records and outputs.
    pub fn counts(&self) -> EffectCounts {
        EffectCounts { records: self.records.len(), outputs: self.outputs.len() }
    }

    /// Adds an output. The core adds all of them here, so that it knows which reply to the command in progress.
    pub(super) fn push(&mut self, output: Output) {
        if let Some(scope) = &mut self.scope {
            scope.note(self.outputs.len(), &output);
        }
        self.outputs.push(output);
    }
}

impl ReplyTo {
    /// Appends the line.
    pub fn render(&self, renderer: &Renderer, out: &mut String) {
        renderer.reply(&self.reply, &self.nick, out);
    }

    /// Returns the approximate length of the line, in bytes.
    pub fn size(&self) -> usize {
        self.reply.size()
    }
}

impl EventTo {
    /// Appends the event's lines, if the session gets it.
    pub fn render(&self, renderer: &mut Renderer, out: &mut String) {
        renderer.render(&self.event, self.caps, &self.tagging, out);
    }
}

impl LongReply {
    /// Appends the lines.
    pub fn render(&self, renderer: &mut Renderer, out: &mut String) {
        for part in &self.parts {
            match part {
                LongPart::Reply(reply) => reply.render(renderer, out),
                LongPart::Event(event) => event.render(renderer, out),
            }
        }
    }

    /// Returns the approximate length of the lines, in bytes.
    pub fn size(&self) -> usize {
        let size = |part: &LongPart| match part {
            LongPart::Reply(reply) => reply.size(),
            LongPart::Event(event) => event.event.approximate_size(),
        };
        self.parts.iter().map(size).sum()
    }
}
