//! Effects of the core: records to store, outputs to deliver, queries to run.

pub mod ask;
pub mod event;
pub mod history;
pub mod isupport;
pub mod label;
pub(super) mod line_splitting;
pub(super) mod long;
pub(super) mod monitors;
pub mod playback;

use std::ops::Range;
use std::sync::Arc;

use super::effects::ask::Ask;
use super::effects::event::Event;
use super::model::audience::{Audience, SessionId};
use super::record::Record;
use super::request::admin::{RequestError, RequestId, RequestOutcome};
use crate::wire::CapSet;

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
    pub from: Option<(SessionId, Option<Box<str>>)>,
    /// The session that the input concerned: the one that sent a command, began or ended.
    pub session: Option<SessionId>,
}

/// One output, typed.
#[derive(Debug)]
pub enum Output {
    /// A rendered line to one session, with its line end.
    Line(SessionId, String),
    /// An event to a single session.
    Event {
        /// The session that gets it.
        to: SessionId,
        /// Its capabilities, masked with [`super::effects::event::RENDER_CAPS`].
        caps: CapSet,
        /// The event to render.
        event: Event,
        /// `label=…` or `batch=…`, the first of its tags.
        tag: Option<Box<str>>,
    },
    /// An event to an audience.
    Fan {
        /// The sessions that get it.
        audience: Audience,
        /// The event to render.
        event: Event,
        /// The session that caused it, if its copy differs from the others.
        origin: Option<Origin>,
    },
    /// A query that takes time. Until its result arrives, no further command of the session may be applied and nothing
    /// else may reach it, so that replies come in the order of the commands.
    Ask {
        /// The session that waits for the result.
        session: SessionId,
        /// Label of the reply.
        label: Option<Box<str>>,
        /// The query to run.
        ask: Box<Ask>,
    },
    /// The result of a request from outside of sessions.
    Done(RequestId, Result<RequestOutcome, RequestError>),
    /// The session ends: its queued output is written first, then an ERROR line with the reason.
    Close(SessionId, Arc<str>),
}

/// The session that caused an event, and the treatment of its own copy.
#[derive(Debug)]
pub struct Origin {
    /// The session that caused the event.
    pub session: SessionId,
    /// False if the session gets no copy: without echo-message a client does not get its own messages back.
    pub echo: bool,
    /// `label=…` or `batch=…`, the first tag of its copy.
    pub tag: Option<Box<str>>,
}

impl Origin {
    /// Returns whether the session's copy differs from the others' or is not sent.
    pub fn is_special(&self) -> bool {
        !self.echo || self.tag.is_some()
    }
}

impl Effects {
    /// Returns whether there is nothing to store and nothing to send.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outputs.is_empty()
    }
}
