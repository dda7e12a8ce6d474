//! Queue of bytes to be written to one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;

use super::blocks::Counted;

/// Send queue of a session, between the hub, which fills it and never waits, and the connection's task, which empties
/// it.
///
/// Bounded in bytes: the session of a slow reader is closed with a message, never silently skipped.
#[derive(Debug, Default)]
pub(in crate::server) struct Outbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    blocks: Vec<Bytes>,
    /// Blocks that came after each query whose result is still due; they go out after that result.
    held: VecDeque<Held>,
    /// True if queued blocks were dropped because there were too many.
    is_cut: bool,
    /// Bytes that are queued, held, or taken and not yet written.
    bytes: usize,
    /// Bytes of results, for the account's budget.
    answered: usize,
    /// If set, nothing more is queued, and the connection ends when everything is written.
    closing: Option<Arc<str>>,
    waker: Option<Waker>,
    /// Waker of a task that is busy writing, woken only when the connection is to end.
    busy: Option<Waker>,
    /// Waker of a task with a long result, which waits until the queue is read.
    drained: Option<Waker>,
}

/// Blocks that came after a query.
#[derive(Debug)]
struct Held {
    blocks: Vec<Bytes>,
    /// The result, if it exists already and goes out in pieces.
    answer: Option<Counted>,
}

/// Outcome of queueing a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Pushed {
    /// Count of bytes that wait now.
    Waits(usize),
    /// The send queue limit is exceeded, so the connection is to end.
    TooMuch,
}

/// Content of the queue for the connection's task.
pub(in crate::server) enum Taken {
    /// Blocks to write.
    Blocks(Vec<Bytes>),
    /// Empty for now; the task is woken later.
    Nothing,
    /// The connection is to end, for this reason.
    End(Arc<str>),
}

impl Outbox {
    /// Queues a block of whole lines. If that exceeds `bound` bytes, tells the connection to end instead.
    pub fn push(&self, block: Bytes, bound: usize) -> Pushed {
        let mut queue = self.0.lock();
        if queue.closing.is_some() {
            return Pushed::Waits(0);
        }
        if queue.bytes + block.len() > bound {
            drop(queue);
            self.close_slow();
            return Pushed::TooMuch;
        }
        queue.bytes += block.len();
        let waiting = queue.bytes;
        if let Some(held) = queue.held.back_mut() {
            held.blocks.push(block);
        } else {
            queue.blocks.push(block);
            wake(queue);
        }
        Pushed::Waits(waiting)
    }

    /// Ends the connection of a slow reader. Of the queued blocks, only the one being written goes out.
    pub fn close_slow(&self) {
        self.close_now("Too much to send: you read more slowly than others write (SendQ exceeded)");
    }

    /// Returns the bytes that wait for the client, including those of a long result; 0 if the connection is to end.
    pub fn waiting(&self) -> usize {
        let queue = self.0.lock();
        if queue.closing.is_some() {
            return 0;
        }
        queue.bytes
            + queue.held.iter().filter_map(|held| held.answer.as_ref()).map(Counted::bytes).sum::<usize>()
    }

    /// Returns true if queued blocks were dropped.
    pub fn is_cut(&self) -> bool {
        self.0.lock().is_cut
    }

    /// Takes the count of bytes of results since the last call.
    pub fn take_answered(&self) -> usize {
        std::mem::take(&mut self.0.lock().answered)
    }

    /// Holds later blocks back until the result of a query is there. Several results are due in the order of these
    /// calls. `answer` stands for a result that exists already.
    pub fn hold(&self, answer: Option<Counted>) {
        self.0.lock().held.push_back(Held { blocks: Vec::new(), answer });
    }

    /// Queues the result that is due, which may be empty, and the blocks held behind it.
    pub fn answer(&self, block: Bytes) {
        let mut queue = self.0.lock();
        let Some(held) = queue.held.pop_front() else { return };
        if queue.closing.is_some() {
            return;
        }
        queue.bytes += block.len();
        queue.answered += block.len();
        queue.blocks.extend(Some(block).filter(|block| !block.is_empty()));
        queue.blocks.extend(held.blocks);
        wake(queue);
    }

    /// Queues a piece of the result that is due; it goes out at once.
    pub fn piece(&self, block: Bytes) {
        let mut queue = self.0.lock();
        if queue.closing.is_none() && !queue.held.is_empty() {
            queue.bytes += block.len();
            queue.answered += block.len();
            queue.blocks.push(block);
            wake(queue);
        }
    }

    /// Ready when the client has read its queue except for `left` bytes, or never will.
    pub fn poll_drained(&self, left: usize, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.0.lock();
        let held: usize = queue.held.iter().flat_map(|held| &held.blocks).map(Bytes::len).sum();
        if queue.bytes - held <= left || queue.closing.is_some() {
            return Poll::Ready(());
        }
        queue.drained = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when the connection is to end. Only for the task that also calls [`poll_drained`](Self::poll_drained),
    /// because both share one waker.
    pub fn poll_closing(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.0.lock();
        if queue.closing.is_some() {
            return Poll::Ready(());
        }
        queue.drained = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ends the connection after the queued blocks and an ERROR line with the reason.
    pub fn close(&self, reason: &Arc<str>) {
        let mut queue = self.0.lock();
        if queue.closing.is_none() {
            let held: Vec<Bytes> = queue.held.drain(..).flat_map(|held| held.blocks).collect();
            queue.blocks.extend(held);
            queue.blocks.push(error_line(reason));
            queue.closing = Some(reason.clone());
            wake(queue);
        }
    }

    /// Ends the connection. Of the queued blocks, only the one being written goes out.
    fn close_now(&self, reason: &str) {
        let mut queue = self.0.lock();
        // If the connection is ending already, the first reason stays.
        if queue.closing.is_some() {
            return;
        }
        queue.blocks.clear();
        queue.held.clear();
        queue.is_cut = true;
        queue.blocks.push(error_line(reason));
        queue.closing = Some(reason.into());
        wake(queue);
    }

    /// Notes that the connection has ended: nothing that is queued will be written.
    pub fn abandon(&self, reason: &Arc<str>) {
        let mut queue = self.0.lock();
        queue.blocks.clear();
        queue.held.clear();
        queue.closing.get_or_insert_with(|| reason.clone());
        wake(queue);
    }

    /// Takes all queued blocks; `waker` is woken when more come.
    pub fn take(&self, waker: &Waker) -> Taken {
        let mut queue = self.0.lock();
        if !queue.blocks.is_empty() {
            return Taken::Blocks(std::mem::take(&mut queue.blocks));
        }
        if let Some(reason) = &queue.closing {
            return Taken::End(reason.clone());
        }
        if queue.waker.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            queue.waker = Some(waker.clone());
        }
        Taken::Nothing
    }

    /// Returns the reason if the connection is to end; else `waker` is woken when it is.
    pub fn closing(&self, waker: &Waker) -> Option<Arc<str>> {
        let mut queue = self.0.lock();
        if queue.closing.is_none() && queue.busy.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            queue.busy = Some(waker.clone());
        }
        queue.closing.clone()
    }

    /// Notes that so many of the taken bytes are written.
    pub fn written(&self, bytes: usize) {
        let mut queue = self.0.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
        if let Some(waker) = queue.drained.take() {
            drop(queue);
            waker.wake();
        }
    }
}

/// Returns the last line of a connection (<https://modern.ircdocs.horse/#error-message>).
pub(in crate::server) fn error_line(reason: &str) -> Bytes {
    Bytes::from(format!("ERROR :{reason}\r\n"))
}

fn wake(mut queue: parking_lot::MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    let ends = queue.closing.is_some();
    let busy = if ends { queue.busy.take() } else { None };
    let drained = if ends { queue.drained.take() } else { None };
    drop(queue);
    for waker in [waker, busy, drained].into_iter().flatten() {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(outbox: &Outbox) -> String {
        match outbox.take(Waker::noop()) {
            Taken::Blocks(blocks) => String::from_utf8(blocks.concat()).expect("utf-8"),
            Taken::Nothing => "nothing".into(),
            Taken::End(reason) => format!("end: {reason}"),
        }
    }

    #[test]
    fn blocks_are_taken_in_order() {
        let outbox = Outbox::default();
        assert_eq!(taken(&outbox), "nothing");
        outbox.push("a\r\n".into(), 100);
        outbox.push("b\r\n".into(), 100);
        assert_eq!(taken(&outbox), "a\r\nb\r\n");
        assert_eq!(taken(&outbox), "nothing");
    }

    #[test]
    fn queued_blocks_are_sent_before_close() {
        let outbox = Outbox::default();
        outbox.push("a\r\n".into(), 100);
        outbox.close(&"bye".into());
        outbox.push("late\r\n".into(), 100);
        assert_eq!(taken(&outbox), "a\r\nERROR :bye\r\n");
        assert_eq!(taken(&outbox), "end: bye");
    }

    #[test]
    fn blocks_after_query_wait_for_its_result() {
        let outbox = Outbox::default();
        outbox.push("a ".into(), 100);
        outbox.hold(None);
        outbox.push("b ".into(), 100);
        outbox.hold(None);
        outbox.push("c ".into(), 100);
        assert_eq!(taken(&outbox), "a ");
        outbox.piece("begins ".into());
        assert_eq!(taken(&outbox), "begins ");
        outbox.answer("first ".into());
        assert_eq!(taken(&outbox), "first b ");
        outbox.answer(Bytes::new());
        assert_eq!(taken(&outbox), "c ");
        outbox.hold(None);
        outbox.push("d ".into(), 100);
        outbox.close(&"bye".into());
        outbox.answer("late ".into());
        assert_eq!(taken(&outbox), "d ERROR :bye\r\n");
    }

    #[test]
    fn drained_once_writable_blocks_are_written() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.push("12345".into(), 10);
        outbox.hold(None);
        outbox.push("6".into(), 10);
        assert!(outbox.poll_drained(4, &mut cx).is_pending());
        outbox.written(1);
        assert!(outbox.poll_drained(4, &mut cx).is_ready());
        assert!(outbox.poll_drained(3, &mut cx).is_pending());
        outbox.close(&"bye".into());
        assert!(outbox.poll_drained(3, &mut cx).is_ready());
    }

    #[test]
    fn closed_connection_never_blocks_drain() {
        let outbox = Outbox::default();
        let mut cx = Context::from_waker(Waker::noop());
        outbox.push("12345".into(), 10);
        assert!(outbox.poll_drained(4, &mut cx).is_pending());
        outbox.abandon(&"lost".into());
        assert!(outbox.poll_drained(4, &mut cx).is_ready());
        assert_eq!(taken(&outbox), "end: lost");
    }

    #[test]
    fn limit_counts_taken_but_unwritten_bytes() {
        let outbox = Outbox::default();
        outbox.push("12345".into(), 10);
        assert_eq!(taken(&outbox), "12345");
        outbox.push("67890".into(), 10);
        outbox.written(5);
        outbox.push("abcde".into(), 10);
        outbox.push("!".into(), 10);
        assert!(taken(&outbox).starts_with("ERROR :Too much to send"));
        assert!(taken(&outbox).starts_with("end: "));
    }
}
