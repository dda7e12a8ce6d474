//! Delivery: outputs are rendered and queued in the sessions' outboxes.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tracing::warn;

use crate::core::effects::ReplyTo;
use crate::core::model::audience::{Audience, Recipient};
use crate::core::record::file::FileHash;
use crate::core::request::admin::{RequestError, RequestId, RequestOutcome};
use crate::core::{Event, Origin, Output, Renderer, SessionId};
use crate::server::http::files::folder::FileFolder;
use crate::server::sessions::Sessions;
use crate::server::sessions::line_form::LineForm;
use crate::server::sessions::send_queue_limits::SendQueueLimits;
use crate::server::sessions::session::{Session, Task};
use crate::wire::{CapSet, ServerName, Tagging};

/// Size from which a part of a block is shared instead of copied, in bytes: sharing costs a push of its own.
const MIN_SHARED_BYTES: usize = 4096;

/// Maximum ratio of a block to a shared part of it, because the part keeps the whole block in memory.
const MAX_BLOCK_TO_PART_RATIO: usize = 8;

/// Renders outputs and queues them.
#[derive(Debug)]
pub(in crate::server) struct Delivery {
    renderer: Renderer,
    send_queues: SendQueueLimits,
    /// Consecutive outputs to one audience, which may grow meanwhile. Each session gets its part as one block.
    event_run: Vec<RunItem>,
    /// Buffer in which lines are rendered before they are copied out at their size.
    lines: String,
    /// Buffer in which a session's block is put together, in the form of that session.
    scratch: Vec<u8>,
    files: FileFolder,
}

/// One item of a run.
#[derive(Debug)]
enum RunItem {
    /// An event for the first `audience` sessions of the audience: those that joined later do not get it.
    Event { event: Event, origin: Option<Origin>, audience_size: usize },
    /// A reply to one session alone, and the size of the audience at that point.
    Reply(ReplyTo, usize),
}

impl Delivery {
    pub fn new(server: &ServerName, send_queues: SendQueueLimits, files: FileFolder) -> Self {
        Self {
            renderer: Renderer::new(server),
            send_queues,
            event_run: Vec::new(),
            lines: String::new(),
            scratch: Vec::new(),
            files,
        }
    }

    /// Queues a block in the session's form, or ends the session if its send queue is full.
    pub fn queue_block(&mut self, session: &Session, block: Bytes) {
        self.send_queues.push(session, block);
    }

    /// Delivers outputs in order. Passes queries and long replies to `start`, at their position in that order, and
    /// results of requests to `done`.
    pub fn deliver(
        &mut self,
        outputs: Vec<Output>,
        sessions: &Sessions,
        mut start: impl FnMut(SessionId, Task),
        mut finish_request: impl FnMut(RequestId, Result<RequestOutcome, RequestError>),
    ) {
        let mut audience = Audience::default();
        for output in outputs {
            match output {
                Output::Broadcast { audience: next, event, origin } => {
                    if !next.extends(&audience) {
                        self.flush_run(&audience, sessions);
                    }
                    self.event_run.push(RunItem::Event { event, origin, audience_size: next.len() });
                    audience = next;
                }
                Output::Reply(reply) if self.event_run.is_empty() => {
                    self.lines.clear();
                    reply.render(&self.renderer, &mut self.lines);
                    self.push_lines(sessions.get(reply.to));
                }
                Output::Reply(reply) => self.event_run.push(RunItem::Reply(reply, audience.len())),
                Output::Event(event) => {
                    self.flush_run(&audience, sessions);
                    self.lines.clear();
                    event.render(&mut self.renderer, &mut self.lines);
                    self.push_lines(sessions.get(event.to));
                }
                Output::Long(long) => {
                    self.flush_run(&audience, sessions);
                    let mut lines = String::with_capacity(long.size());
                    long.render(&mut self.renderer, &mut lines);
                    if let Some(session) = sessions.get(long.to) {
                        self.send_queues.note_waiting_bytes(session.account, lines.len());
                    }
                    start(long.to, Task::Send(lines.into()));
                }
                Output::Query { session, label, query } => {
                    self.flush_run(&audience, sessions);
                    start(session, Task::Query(label, *query));
                }
                Output::RequestDone(request_id, result) => finish_request(request_id, result),
                Output::RemoveFileContent(hash) => self.remove_content(&hash),
                Output::Close(to, reason) => {
                    self.flush_run(&audience, sessions);
                    if let Some(session) = sessions.get(to) {
                        session.outbox.close(&reason);
                    }
                }
            }
        }
        self.flush_run(&audience, sessions);
        self.send_queues.enforce_limits(sessions);
    }

    /// Removes a content that no file has. In the order of the outputs it is out of the way of another file with the
    /// same content; the rest takes its time elsewhere.
    fn remove_content(&self, hash: &FileHash) {
        match self.files.take_out(hash) {
            Ok(None) => {}
            Ok(Some(path)) => {
                tokio::task::spawn_blocking(move || {
                    if let Err(error) = std::fs::remove_file(&path) {
                        warn!(%error, "cannot remove the content of a file");
                    }
                });
            }
            Err(error) => warn!(%error, "cannot remove the content of a file"),
        }
    }

    fn push_block(&mut self, to: &Session, block: Bytes) {
        if !block.is_empty() {
            self.queue_block(to, block);
        }
    }

    /// Renders the run once for each set of capabilities and each form in the audience, and queues each session's part
    /// of it. So the work grows with the events plus the sessions, not with their product.
    fn flush_run(&mut self, audience: &Audience, sessions: &Sessions) {
        if self.event_run.is_empty() {
            return;
        }
        let run = std::mem::take(&mut self.event_run);
        // Sessions whose part of the run is special, with the items concerned. They are few: mostly none or one.
        let mut session_items: Vec<(SessionId, usize)> = run
            .iter()
            .enumerate()
            .filter_map(|(index, item)| Some((item.special_session()?, index)))
            .collect();
        session_items.sort_unstable();
        let groups: Vec<&[(SessionId, usize)]> = session_items.chunk_by(|a, b| a.0 == b.0).collect();
        let mut in_audience = vec![false; groups.len()];
        let mut blocks: Vec<SharedRun> = Vec::new();
        for (position, &Recipient { session, caps }) in audience.recipients().enumerate() {
            let group_index =
                groups.binary_search_by_key(&Some(session), |group| group.first().map(|own| own.0));
            let own_items = group_index.ok().and_then(|index| groups.get(index)).copied().unwrap_or_default();
            if let Some(known) = group_index.ok().and_then(|index| in_audience.get_mut(index)) {
                *known = true;
            }
            let Some(session) = sessions.get(session) else { continue };
            let form = session.outbox.form();
            // An audience only grows in a run: a session that gets one event gets all that follow.
            let first = run.partition_point(|item| item.audience_size() <= position);
            let known = blocks.iter().position(|block| block.caps == caps && block.form == form);
            let index = known.unwrap_or_else(|| {
                blocks.push(self.render_shared(&run, caps, form));
                blocks.len() - 1
            });
            if let Some(block) = blocks.get(index) {
                self.push_part(session, (&run, first), block, own_items);
            }
        }
        for (own, _) in groups.iter().zip(in_audience).filter(|(_, known)| !known) {
            if let Some(session) = own.first().and_then(|&(session, _)| sessions.get(session)) {
                let nothing = SharedRun { form: session.outbox.form(), ..SharedRun::default() };
                self.push_part(session, (&run, run.len()), &nothing, own);
            }
        }
        // Keeps the capacity for the next run.
        self.event_run = run;
        self.event_run.clear();
    }

    /// Renders the part of the run that is the same for all sessions with these capabilities and this form.
    fn render_shared(&mut self, run: &[RunItem], caps: CapSet, form: LineForm) -> SharedRun {
        self.scratch.clear();
        let mut starts = Vec::with_capacity(run.len());
        for item in run {
            starts.push(self.scratch.len());
            if let RunItem::Event { event, .. } = item {
                self.lines.clear();
                self.renderer.render(event, caps, &Tagging::None, &mut self.lines);
                form.append(self.lines.as_bytes(), &mut self.scratch);
            }
        }
        let bytes = self.send_queues.block_memory.make_block(self.scratch.as_slice());
        self.scratch.clear();
        SharedRun { caps, form, bytes, item_offsets: starts }
    }

    /// Queues a session's part of the run: the common part from the item `first` on, with the session's `own` items in
    /// between.
    fn push_part(
        &mut self,
        session: &Session,
        (run, first_item): (&[RunItem], usize),
        shared: &SharedRun,
        own_items: &[(SessionId, usize)],
    ) {
        self.scratch.clear();
        let mut shared_from = shared.item_offset(first_item);
        for &(_, index) in own_items {
            match run.get(index) {
                // A reply also goes to a session that is not in the audience, or not yet.
                Some(RunItem::Reply(reply, _)) => {
                    self.append_shared(session, shared, shared_from..shared.item_offset(index));
                    self.lines.clear();
                    reply.render(&self.renderer, &mut self.lines);
                    shared.form.append(self.lines.as_bytes(), &mut self.scratch);
                    shared_from = shared_from.max(shared.item_offset(index));
                }
                Some(RunItem::Event { event, origin, .. }) if index >= first_item => {
                    self.append_shared(session, shared, shared_from..shared.item_offset(index));
                    if let Some(Origin { gets_copy: true, tagging, .. }) = origin {
                        self.lines.clear();
                        self.renderer.render(event, shared.caps, tagging, &mut self.lines);
                        shared.form.append(self.lines.as_bytes(), &mut self.scratch);
                    }
                    shared_from = shared.item_offset(index + 1);
                }
                Some(RunItem::Event { .. }) | None => {}
            }
        }
        self.append_shared(session, shared, shared_from..shared.bytes.len());
        self.push_scratch(session);
    }

    /// Adds a common part to the session's part: shares the bytes if they are many, else copies them.
    fn append_shared(&mut self, session: &Session, shared: &SharedRun, part: Range<usize>) {
        // The part of a reply from before the session was in the audience ends before it begins, and is empty.
        let bytes = shared.bytes.get(part.clone()).unwrap_or_default();
        let whole = shared.bytes.len();
        if bytes.len() == whole && self.scratch.is_empty() {
            self.push_block(session, shared.bytes.clone());
        } else if bytes.len() >= MIN_SHARED_BYTES && bytes.len() >= whole / MAX_BLOCK_TO_PART_RATIO {
            self.push_scratch(session);
            self.push_block(session, shared.bytes.slice(part));
        } else {
            self.scratch.extend_from_slice(bytes);
        }
    }

    fn push_lines(&mut self, to: Option<&Arc<Session>>) {
        if let Some(session) = to
            && !self.lines.is_empty()
        {
            let bytes = session.outbox.form().encode(self.lines.as_bytes());
            let block = self.send_queues.block_memory.make_block(bytes);
            self.push_block(session, block);
        }
    }

    fn push_scratch(&mut self, session: &Session) {
        if !self.scratch.is_empty() {
            let block = self.send_queues.block_memory.make_block(self.scratch.as_slice());
            self.push_block(session, block);
            self.scratch.clear();
        }
    }
}

/// A run, rendered for all sessions with the same capabilities and the same form.
#[derive(Debug, Default)]
struct SharedRun {
    caps: CapSet,
    form: LineForm,
    bytes: Bytes,
    /// Offset of each item in `bytes`. The item of a reply is empty.
    item_offsets: Vec<usize>,
}

impl SharedRun {
    fn item_offset(&self, item: usize) -> usize {
        self.item_offsets.get(item).copied().unwrap_or(self.bytes.len())
    }
}

impl RunItem {
    /// Returns the session for which this item is special: the only one that gets it, or the one that gets it unlike
    /// the others.
    fn special_session(&self) -> Option<SessionId> {
        match self {
            Self::Reply(reply, _) => Some(reply.to),
            Self::Event { origin, .. } => origin.as_ref().filter(|o| o.is_special()).map(|o| o.session),
        }
    }

    /// Returns the size of the audience at this item.
    fn audience_size(&self) -> usize {
        match self {
            Self::Reply(_, audience) | Self::Event { audience_size: audience, .. } => *audience,
        }
    }
}

#[cfg(test)]
mod tests;
