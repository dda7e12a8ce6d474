//! Connections of the control socket: a bounded count, of which the newest is served at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Maximum count of connections at one time. There are few: people at a shell, and their scripts.
pub(super) const CALLERS: usize = 32;

/// All connections. If there are too many, a new one replaces the one that has been idle for longest, so that callers
/// that connect and stay silent delay nobody.
#[derive(Clone, Debug, Default)]
pub(super) struct Callers(Arc<Mutex<All>>);

#[derive(Debug, Default)]
struct All {
    next: u64,
    callers: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Rank in the order in which connections became idle; `None` while a request is carried out.
    idle: Option<u64>,
    /// Dropped with the entry, which ends the connection's task.
    _alive: oneshot::Sender<()>,
}

/// One connection, which is removed from the count when it is dropped.
#[derive(Debug)]
pub(super) struct Caller {
    all: Callers,
    id: u64,
}

impl Callers {
    /// Adds a connection. The receiver fails when a newer connection replaces it. Returns `None` if requests of all
    /// connections are being carried out.
    pub fn enter(&self) -> Option<(Caller, oneshot::Receiver<()>)> {
        let mut all = self.0.lock();
        if all.callers.len() >= CALLERS {
            let idle = all.callers.iter().filter_map(|(id, entry)| Some((entry.idle?, *id)));
            let (_, longest) = idle.min()?;
            all.callers.remove(&longest);
        }
        let id = all.next;
        all.next += 1;
        let (alive, ended) = oneshot::channel();
        all.callers.insert(id, Entry { idle: Some(id), _alive: alive });
        Some((Caller { all: self.clone(), id }, ended))
    }
}

impl Caller {
    /// Notes that a request begins. Returns false if the connection was replaced.
    pub fn begins(&self) -> bool {
        let mut all = self.all.0.lock();
        all.callers.get_mut(&self.id).map(|entry| entry.idle = None).is_some()
    }

    /// Notes that the request is carried out. From then on the caller counts as idle, even while it reads the reply.
    pub fn done(&self) {
        let mut all = self.all.0.lock();
        let now = all.next;
        all.next += 1;
        if let Some(entry) = all.callers.get_mut(&self.id) {
            entry.idle = Some(now);
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.all.0.lock().callers.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_caller_replaces_longest_idle_one() {
        let callers = Callers::default();
        let mut all: Vec<_> = (0..CALLERS).map(|_| callers.enter().expect("room")).collect();
        assert!(all[0].0.begins(), "at work");
        assert!(all[1].0.begins());
        all[1].0.done();
        let newest = callers.enter().expect("instead of an idle one");
        let is_ended = |caller: &mut (Caller, oneshot::Receiver<()>)| {
            caller.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
        };
        let ended: Vec<usize> = (0..CALLERS).filter(|&n| is_ended(&mut all[n])).collect();
        assert_eq!(ended, [2], "neither the one at work nor the one that was it last");
        assert!(!all[2].0.begins(), "its request is not carried out any more");
        drop(all.drain(3..));
        drop(newest);
        assert_eq!(callers.0.lock().callers.len(), 2);
    }

    #[test]
    fn busy_callers_are_not_replaced() {
        let callers = Callers::default();
        let all: Vec<_> = (0..CALLERS).map(|_| callers.enter().expect("room")).collect();
        assert!(all.iter().all(|(caller, _)| caller.begins()));
        assert!(callers.enter().is_none());
    }
}
