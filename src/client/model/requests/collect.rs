//! Collection of the replies to open requests.

use std::collections::VecDeque;

use super::ServerRequest;
use crate::client::model::event::{Away, Event, Received, ServerEvent, Ticket};

/// The requests that have no complete answer yet, oldest first.
#[derive(Debug, Default)]
pub(in crate::client::model) struct OpenRequests(VecDeque<OpenRequest>);

#[derive(Debug)]
struct OpenRequest {
    request: ServerRequest,
    /// Tickets of the lines that are not answered yet, or of the PING behind them.
    waiting: Vec<Ticket>,
    /// Set if the replies carry the label of their line.
    labels: bool,
    replies: Vec<ServerEvent>,
    bytes: usize,
}

/// Role of a line in the answers to open requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::client::model) enum LineRole {
    /// Part of no answer.
    Other,
    /// Part of an answer, and a change that others see too.
    Change,
    /// Part of an answer and nothing else.
    Part,
}

impl OpenRequests {
    /// Limit of requests without an answer. A user who types waits for one or two.
    const MAX_OPEN: usize = 32;
    /// Limit of one answer, in bytes. A list of all members is the longest.
    const MAX_BYTES: usize = 4 * 1024 * 1024;

    /// Adds a request. Returns the oldest one if there are too many; its answer is not waited for any more.
    pub fn open(
        &mut self,
        request: ServerRequest,
        waiting: Vec<Ticket>,
        labels: bool,
    ) -> Option<ServerRequest> {
        self.0.push_back(OpenRequest { request, waiting, labels, replies: Vec::new(), bytes: 0 });
        if self.0.len() > Self::MAX_OPEN { self.0.pop_front().map(|open| open.request) } else { None }
    }

    /// Removes all requests, when the connection is lost.
    pub fn clear(&mut self) -> impl Iterator<Item = ServerRequest> {
        std::mem::take(&mut self.0).into_iter().map(|open| open.request)
    }

    /// Takes a line, which is outside of batches other than those of labels, as a part of an answer.
    pub fn collect(&mut self, received: &Received, ticket: Option<Ticket>) -> LineRole {
        let open = self.0.iter_mut().find(|open| match ticket {
            Some(ticket) => open.labels && open.waiting.contains(&ticket),
            None => !open.labels && is_reply(&received.event),
        });
        let Some(open) = open else { return LineRole::Other };
        let bytes = received.origin.bytes + 64;
        // ACK stands for the absence of replies.
        if received.event != ServerEvent::Ack && open.bytes + bytes <= Self::MAX_BYTES {
            open.bytes += bytes;
            open.replies.push(received.event.clone());
        }
        if is_reply(&received.event) { LineRole::Part } else { LineRole::Change }
    }

    /// Returns whether a request waits for the line with this ticket.
    pub fn is_waiting_for(&self, ticket: Ticket) -> bool {
        self.0.iter().any(|open| open.waiting.contains(&ticket))
    }

    /// Completes the line with this ticket. Returns the answer if it was the last one of its request.
    pub fn finish(&mut self, ticket: Ticket) -> Option<Event> {
        let at = self.0.iter().position(|open| open.waiting.contains(&ticket))?;
        let open = self.0.get_mut(at)?;
        open.waiting.retain(|waiting| *waiting != ticket);
        if !open.waiting.is_empty() {
            return None;
        }
        let OpenRequest { request, replies, .. } = self.0.remove(at)?;
        Some(Event::Answered { request: Box::new(request), replies })
    }
}

/// Returns whether a line is a reply to a command, as opposed to a change that others see too.
fn is_reply(event: &ServerEvent) -> bool {
    matches!(
        event,
        ServerEvent::Reply(_)
            | ServerEvent::Note(_)
            | ServerEvent::Error(_)
            | ServerEvent::WhoReply(_)
            | ServerEvent::WhoxReply(_)
            | ServerEvent::WhoEnd
            | ServerEvent::Away(Away { is_reply: true, .. })
    )
}
