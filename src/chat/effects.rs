//! What the chat wants done: what to keep, what to deliver to whom, what to find out.

use std::ops::Range;
use std::sync::Arc;

use super::ask::Ask;
use super::audience::{Audience, SessionId};
use super::event::Event;
use super::record::Record;
use crate::wire::CapSet;

/// The effects of a batch of inputs, in order.
///
/// Nothing of `outputs` may reach anybody before all of `records` is durable.
#[derive(Debug, Default)]
pub struct Effects {
    /// What must last, in the order in which it happened.
    pub records: Vec<Record>,
    /// What goes out, in order.
    pub outputs: Vec<Output>,
    /// Which of these belong to which input.
    pub steps: Vec<Step>,
}

/// The effects of one input: ranges into the vectors of [`Effects`].
#[derive(Debug)]
pub struct Step {
    /// What it keeps.
    pub records: Range<usize>,
    /// What it sends.
    pub outputs: Range<usize>,
    /// Who said it, with the label of its answer. None for what nobody said.
    pub from: Option<(SessionId, Option<Box<str>>)>,
    /// The session that it is about: the one that said something, began or ended.
    pub session: Option<SessionId>,
}

/// Something that goes out.
#[derive(Debug)]
pub enum Output {
    /// A line to one session, rendered, with its end.
    Line(SessionId, String),
    /// An event to one session alone.
    Event {
        /// To whom.
        to: SessionId,
        /// Its capabilities, masked with [`super::event::RENDER_CAPS`].
        caps: CapSet,
        /// What.
        event: Event,
        /// `label=…` or `batch=…` for its tags.
        tag: Option<Box<str>>,
    },
    /// An event to many.
    Fan {
        /// To whom.
        audience: Audience,
        /// What.
        event: Event,
        /// The session that caused it, where that is treated unlike the others.
        origin: Option<Origin>,
    },
    /// Something is to be found out or done that takes its time. Until that is answered, nothing more that the session
    /// says may be applied and nothing else may reach it, so that answers come in the order of the questions.
    Ask {
        /// Who waits for it.
        session: SessionId,
        /// The label of the answer.
        label: Option<Box<str>>,
        /// What.
        ask: Box<Ask>,
    },
    /// The session ends: what is queued for it is written, then an ERROR line with the reason.
    Close(SessionId, Arc<str>),
}

/// The session that caused an event.
#[derive(Debug)]
pub struct Origin {
    /// Which.
    pub session: SessionId,
    /// Does it get the event too? Without echo-message it does not get what it said itself.
    pub echo: bool,
    /// `label=…` or `batch=…` for the tags of its copy.
    pub tag: Option<Box<str>>,
}

impl Origin {
    /// Is its copy unlike the others', or does it get none?
    pub fn is_special(&self) -> bool {
        !self.echo || self.tag.is_some()
    }
}

impl Effects {
    /// Nothing to keep, nothing to send.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.outputs.is_empty()
    }
}
