//! Queue of bytes to be written to one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use super::blocks::MemoryShare;
use super::line_form::LineForm;
use crate::wire::LineWriter;

/// Send queue of a session, between the hub, which fills it and never waits, and the connection's task, which empties
/// it.
///
/// Bounded in bytes: the session of a slow reader is closed with a message, never silently skipped.
#[derive(Debug, Default)]
pub(in crate::server) struct Outbox {
    form: LineForm,
    queue: Mutex<SendQueue>,
}

#[derive(Debug, Default)]
struct SendQueue {
    blocks: Vec<Bytes>,
    /// Blocks that came after each query whose result is still due; they go out after that result.
    held_results: VecDeque<HeldResult>,
    /// True if queued blocks were dropped because there were too many.
    is_truncated: bool,
    /// Bytes that are queued, held, or taken and not yet written.
    queued_bytes: usize,
    /// Bytes of results, for the account's budget.
    result_bytes: usize,
    /// If set, nothing more is queued, and the connection ends when everything is written.
    close_reason: Option<Arc<str>>,
    idle_waker: Option<Waker>,
    /// Waker of a task that is busy writing, woken only when the connection is to end.
    write_waker: Option<Waker>,
    /// Waker of a task with a long result, which waits until the queue is read.
    drain_waker: Option<Waker>,
}

/// Blocks that came after a query.
#[derive(Debug)]
struct HeldResult {
    blocks: Vec<Bytes>,
    /// The result, if it exists already and goes out in pieces.
    existing_result: Option<MemoryShare>,
}

/// Outcome of queueing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum PushOutcome {
    /// Count of bytes that wait now.
    Queued(usize),
    /// The send queue limit is exceeded, so the connection is to end.
    LimitExceeded,
}

/// Content of the queue for the connection's task.
pub(in crate::server) enum QueueContent {
    /// Blocks to write.
    Blocks(Vec<Bytes>),
    /// Empty for now; the task is woken later.
    Empty,
    /// The connection is to end, for this reason.
    Close(Arc<str>),
}

impl Outbox {
    /// Creates an empty queue of blocks in this form.
    pub fn new(form: LineForm) -> Self {
        Self { form, queue: Mutex::default() }
    }

    /// Returns the form of the blocks that are queued.
    pub fn form(&self) -> LineForm {
        self.form
    }

    /// Queues a block of whole lines, in the queue's form. If that exceeds `max_bytes`, tells the connection to end instead.
    pub fn push(&self, block: Bytes, max_bytes: usize) -> PushOutcome {
        let mut queue = self.queue.lock();
        if queue.close_reason.is_some() {
            return PushOutcome::Queued(0);
        }
        if queue.queued_bytes + block.len() > max_bytes {
            drop(queue);
            self.close_slow_reader();
            return PushOutcome::LimitExceeded;
        }
        queue.queued_bytes += block.len();
        let waiting = queue.queued_bytes;
        if let Some(held) = queue.held_results.back_mut() {
            held.blocks.push(block);
        } else {
            queue.blocks.push(block);
            unlock_and_wake(queue);
        }
        PushOutcome::Queued(waiting)
    }

    /// Ends the connection of a slow reader. Of the queued blocks, only the one being written goes out.
    pub fn close_slow_reader(&self) {
        self.close_discarding_queue(
            "Too much to send: you read more slowly than others write (SendQ exceeded)",
        );
    }

    /// Returns the bytes that wait for the client, including those of a long result; 0 if the connection is to end.
    pub fn waiting_bytes(&self) -> usize {
        let queue = self.queue.lock();
        if queue.close_reason.is_some() {
            return 0;
        }
        queue.queued_bytes
            + queue
                .held_results
                .iter()
                .filter_map(|held| held.existing_result.as_ref())
                .map(MemoryShare::bytes)
                .sum::<usize>()
    }

    /// Returns true if queued blocks were dropped.
    pub fn is_truncated(&self) -> bool {
        self.queue.lock().is_truncated
    }

    /// Takes the count of bytes of results since the last call.
    pub fn take_result_bytes(&self) -> usize {
        std::mem::take(&mut self.queue.lock().result_bytes)
    }

    /// Holds later blocks back until the result of a query is there. Several results are due in the order of these
    /// calls. `existing_result` stands for a result that exists already.
    pub fn hold_for_result(&self, existing_result: Option<MemoryShare>) {
        self.queue.lock().held_results.push_back(HeldResult { blocks: Vec::new(), existing_result });
    }

    /// Queues the result that is due, which may be empty, and the blocks held behind it.
    pub fn finish_result(&self, block: Bytes) {
        let mut queue = self.queue.lock();
        // A connection that is ending holds nothing back.
        let Some(held) = queue.held_results.pop_front() else { return };
        if queue.close_reason.is_some() {
            return;
        }
        queue.queued_bytes += block.len();
        queue.result_bytes += block.len();
        queue.blocks.extend(Some(block).filter(|block| !block.is_empty()));
        queue.blocks.extend(held.blocks);
        unlock_and_wake(queue);
    }

    /// Queues a piece of the result that is due; it goes out at once.
    pub fn push_result_piece(&self, block: Bytes) {
        let mut queue = self.queue.lock();
        if queue.close_reason.is_none() && !queue.held_results.is_empty() {
            queue.queued_bytes += block.len();
            queue.result_bytes += block.len();
            queue.blocks.push(block);
            unlock_and_wake(queue);
        }
    }

    /// Ready when the client has read its queue except for `threshold` bytes, or never will.
    pub fn poll_drained(&self, threshold: usize, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue.lock();
        let held: usize = queue.held_results.iter().flat_map(|held| &held.blocks).map(Bytes::len).sum();
        if queue.queued_bytes - held <= threshold || queue.close_reason.is_some() {
            return Poll::Ready(());
        }
        queue.drain_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when the connection is to end. Only for the task that also calls [`poll_drained`](Self::poll_drained),
    /// because both share one waker.
    pub fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue.lock();
        if queue.close_reason.is_some() {
            return Poll::Ready(());
        }
        queue.drain_waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Drops the waker of [`Self::poll_drained`] and [`Self::poll_closing`], whose task ends.
    pub fn forget_drain_waker(&self) {
        self.queue.lock().drain_waker = None;
    }

    /// Ends the connection after the queued blocks and an ERROR line with the reason.
    pub fn close(&self, reason: &Arc<str>) {
        let mut queue = self.queue.lock();
        if queue.close_reason.is_none() {
            let held: Vec<Bytes> = queue.held_results.drain(..).flat_map(|held| held.blocks).collect();
            queue.blocks.extend(held);
            queue.blocks.push(self.closing_block(reason));
            queue.close_reason = Some(reason.clone());
            unlock_and_wake(queue);
        }
    }

    /// Ends the connection. Of the queued blocks, only the one being written goes out.
    fn close_discarding_queue(&self, reason: &str) {
        let mut queue = self.queue.lock();
        // If the connection is ending already, the first reason stays.
        if queue.close_reason.is_some() {
            return;
        }
        queue.blocks.clear();
        queue.held_results.clear();
        queue.is_truncated = true;
        queue.blocks.push(self.closing_block(reason));
        queue.close_reason = Some(reason.into());
        unlock_and_wake(queue);
    }

    /// Returns the ERROR line in the queue's form.
    fn closing_block(&self, reason: &str) -> Bytes {
        let line = error_line(reason);
        match self.form {
            LineForm::Lines => line,
            LineForm::Frames(_) => self.form.encode(&line).into_owned().into(),
        }
    }

    /// Notes that the connection has ended: nothing that is queued will be written.
    pub fn discard_queue(&self, reason: &Arc<str>) {
        let mut queue = self.queue.lock();
        queue.blocks.clear();
        queue.held_results.clear();
        queue.close_reason.get_or_insert_with(|| reason.clone());
        unlock_and_wake(queue);
    }

    /// Takes all queued blocks; `waker` is woken when more come.
    pub fn take_blocks(&self, waker: &Waker) -> QueueContent {
        let mut queue = self.queue.lock();
        if !queue.blocks.is_empty() {
            return QueueContent::Blocks(std::mem::take(&mut queue.blocks));
        }
        if let Some(reason) = &queue.close_reason {
            return QueueContent::Close(reason.clone());
        }
        if queue.idle_waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            queue.idle_waker = Some(waker.clone());
        }
        QueueContent::Empty
    }

    /// Returns the reason if the connection is to end; else `waker` is woken when it is.
    pub fn poll_close_reason(&self, waker: &Waker) -> Option<Arc<str>> {
        let mut queue = self.queue.lock();
        if queue.close_reason.is_none()
            && queue.write_waker.as_ref().is_none_or(|known| !known.will_wake(waker))
        {
            queue.write_waker = Some(waker.clone());
        }
        queue.close_reason.clone()
    }

    /// Notes that so many of the taken bytes are written.
    pub fn note_written(&self, bytes: usize) {
        let mut queue = self.queue.lock();
        queue.queued_bytes = queue.queued_bytes.saturating_sub(bytes);
        if let Some(waker) = queue.drain_waker.take() {
            drop(queue);
            waker.wake();
        }
    }
}

/// Returns the last line of a connection (<https://modern.ircdocs.horse/#error-message>).
pub(in crate::server) fn error_line(reason: &str) -> Bytes {
    let mut line = String::with_capacity(reason.len() + "ERROR :\r\n".len());
    LineWriter::new(&mut line).command("ERROR").text(reason).end();
    Bytes::from(line)
}

fn unlock_and_wake(mut queue: parking_lot::MutexGuard<'_, SendQueue>) {
    let waker = queue.idle_waker.take();
    let is_closing = queue.close_reason.is_some();
    let busy = if is_closing { queue.write_waker.take() } else { None };
    let drained = if is_closing { queue.drain_waker.take() } else { None };
    drop(queue);
    for waker in [waker, busy, drained].into_iter().flatten() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take_text(outbox: &Outbox) -> String {
        match outbox.take_blocks(Waker::noop()) {
            QueueContent::Blocks(blocks) => String::from_utf8(blocks.concat()).expect("utf-8"),
            QueueContent::Empty => "nothing".into(),
            QueueContent::Close(reason) => format!("end: {reason}"),
        }
    }

    #[test]
    fn blocks_are_taken_in_order() {
        let outbox = Outbox::default();
        assert_eq!(take_text(&outbox), "nothing");
        outbox.push("a\r\n".into(), 100);
        outbox.push("b\r\n".into(), 100);
        assert_eq!(take_text(&outbox), "a\r\nb\r\n");
        assert_eq!(take_text(&outbox), "nothing");
    }

    #[test]
    fn queued_blocks_are_sent_before_close() {
        let outbox = Outbox::default();
        outbox.push("a\r\n".into(), 100);
        outbox.close(&"bye".into());
        outbox.push("late\r\n".into(), 100);
        assert_eq!(take_text(&outbox), "a\r\nERROR :bye\r\n");
        assert_eq!(take_text(&outbox), "end: bye");
    }

    #[test]
    fn blocks_after_query_wait_for_its_result() {
        let outbox = Outbox::default();
        outbox.push("a ".into(), 100);
        outbox.hold_for_result(None);
        outbox.push("b ".into(), 100);
        outbox.hold_for_result(None);
        outbox.push("c ".into(), 100);
        assert_eq!(take_text(&outbox), "a ");
        outbox.push_result_piece("begins ".into());
        assert_eq!(take_text(&outbox), "begins ");
        outbox.finish_result("first ".into());
        assert_eq!(take_text(&outbox), "first b ");
        outbox.finish_result(Bytes::new());
        assert_eq!(take_text(&outbox), "c ");
        outbox.hold_for_result(None);
        outbox.push("d ".into(), 100);
        outbox.close(&"bye".into());
        outbox.finish_result("late ".into());
        assert_eq!(take_text(&outbox), "d ERROR :bye\r\n");
    }

    #[test]
    fn drained_once_writable_blocks_are_written() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.push("12345".into(), 10);
        outbox.hold_for_result(None);
        outbox.push("6".into(), 10);
        assert!(outbox.poll_drained(4, &mut cx).is_pending());
        outbox.note_written(1);
        assert!(outbox.poll_drained(4, &mut cx).is_ready());
        assert!(outbox.poll_drained(3, &mut cx).is_pending());
        outbox.close(&"bye".into());
        assert!(outbox.poll_drained(3, &mut cx).is_ready());
    }

    #[test]
    fn task_that_ends_leaves_no_waker() {
        struct Task;
        impl std::task::Wake for Task {
            fn wake(self: Arc<Self>) {}
        }
        let (outbox, task) = (Outbox::default(), Arc::new(Task));
        let waker = Waker::from(task.clone());
        assert!(outbox.poll_closing(&mut Context::from_waker(&waker)).is_pending());
        drop(waker);
        outbox.forget_drain_waker();
        assert_eq!(Arc::strong_count(&task), 1);
    }

    #[test]
    fn closed_connection_never_blocks_drain() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.push("12345".into(), 10);
        assert!(outbox.poll_drained(4, &mut cx).is_pending());
        outbox.discard_queue(&"lost".into());
        assert!(outbox.poll_drained(4, &mut cx).is_ready());
        assert_eq!(take_text(&outbox), "end: lost");
    }

    #[test]
    fn limit_counts_taken_but_unwritten_bytes() {
        let outbox = Outbox::default();
        outbox.push("12345".into(), 10);
        assert_eq!(take_text(&outbox), "12345");
        outbox.push("67890".into(), 10);
        outbox.note_written(5);
        outbox.push("abcde".into(), 10);
        outbox.push("!".into(), 10);
        assert!(take_text(&outbox).starts_with("ERROR :Too much to send"));
        assert!(take_text(&outbox).starts_with("end: "));
    }
}
