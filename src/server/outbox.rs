//! What waits to be written to one connection.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use parking_lot::Mutex;

/// The queue between the hub, which fills it and never waits, and the connection's task, which empties it.
///
/// Bounded in bytes: who does not read fast enough is closed and told so, never silently skipped.
#[derive(Debug, Default)]
pub(super) struct Outbox(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    blocks: Vec<Bytes>,
    /// Bytes that are queued or taken and not yet written.
    bytes: usize,
    /// Nothing more is taken in; when all is written the connection ends.
    closing: Option<Arc<str>>,
    waker: Option<Waker>,
    /// Of a task that is busy writing, and is woken only when the connection is to end.
    busy: Option<Waker>,
}

/// What the connection's task finds.
pub(super) enum Taken {
    /// Blocks to write.
    Blocks(Vec<Bytes>),
    /// Nothing now; the task is woken when there is.
    Nothing,
    /// Nothing any more: the connection is to end, and why.
    End(Arc<str>),
}

impl Outbox {
    /// Queues a block of whole lines. Past `bound` bytes the connection is told to end instead.
    pub fn push(&self, block: Bytes, bound: usize) {
        let mut queue = self.0.lock();
        if queue.closing.is_some() {
            return;
        }
        if queue.bytes + block.len() > bound {
            drop(queue);
            return self
                .close_now("Too much to send: you read more slowly than others write (SendQ exceeded)");
        }
        queue.bytes += block.len();
        queue.blocks.push(block);
        wake(queue);
    }

    /// Ends the connection after what is queued and an ERROR line with the reason.
    pub fn close(&self, reason: &Arc<str>) {
        let mut queue = self.0.lock();
        if queue.closing.is_none() {
            queue.blocks.push(error_line(reason));
            queue.closing = Some(reason.clone());
            wake(queue);
        }
    }

    /// Ends the connection; of what is queued only what is being written goes out.
    fn close_now(&self, reason: &str) {
        let mut queue = self.0.lock();
        queue.blocks.clear();
        queue.blocks.push(error_line(reason));
        queue.closing = Some(reason.into());
        wake(queue);
    }

    /// Takes all that is queued; `waker` is woken when more comes.
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

    /// Why the connection is to end, if it is; `waker` is woken when that comes.
    pub fn closing(&self, waker: &Waker) -> Option<Arc<str>> {
        let mut queue = self.0.lock();
        if queue.closing.is_none() && queue.busy.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            queue.busy = Some(waker.clone());
        }
        queue.closing.clone()
    }

    /// So many of the bytes that were taken are written.
    pub fn written(&self, bytes: usize) {
        let mut queue = self.0.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
    }
}

/// The last line of a connection (<https://modern.ircdocs.horse/#error-message>).
pub(super) fn error_line(reason: &str) -> Bytes {
    Bytes::from(format!("ERROR :{reason}\r\n"))
}

fn wake(mut queue: parking_lot::MutexGuard<'_, Queue>) {
    let waker = queue.waker.take();
    let busy = if queue.closing.is_some() { queue.busy.take() } else { None };
    drop(queue);
    for waker in [waker, busy].into_iter().flatten() {
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
    fn blocks_come_out_in_order() {
        let outbox = Outbox::default();
        assert_eq!(taken(&outbox), "nothing");
        outbox.push("a\r\n".into(), 100);
        outbox.push("b\r\n".into(), 100);
        assert_eq!(taken(&outbox), "a\r\nb\r\n");
        assert_eq!(taken(&outbox), "nothing");
    }

    #[test]
    fn what_is_queued_goes_out_before_the_end() {
        let outbox = Outbox::default();
        outbox.push("a\r\n".into(), 100);
        outbox.close(&"bye".into());
        outbox.push("late\r\n".into(), 100);
        assert_eq!(taken(&outbox), "a\r\nERROR :bye\r\n");
        assert_eq!(taken(&outbox), "end: bye");
    }

    #[test]
    fn the_bound_counts_what_is_taken_and_not_yet_written() {
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
