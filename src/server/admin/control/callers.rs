//! Connections of the control socket: a bounded count, of which the newest is served at once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Maximum count of connections at one time. There are few: people at a shell, and their scripts.
pub(super) const MAX_CALLERS: usize = 32;

/// All connections. If there are too many, a new one replaces the one that has been idle for longest, so that callers
/// that connect and stay silent delay nobody.
#[derive(Clone, Debug, Default)]
pub(super) struct CallerRegistry(Arc<Mutex<CallerTable>>);

#[derive(Debug, Default)]
struct CallerTable {
    next: u64,
    callers: HashMap<u64, CallerEntry>,
}

#[derive(Debug)]
struct CallerEntry {
    /// Rank in the order in which connections became idle; `None` while a request is carried out.
    idle_since: Option<u64>,
    /// Dropped with the entry, which ends the connection's task.
    _alive: oneshot::Sender<()>,
}

/// One connection, which is removed from the count when it is dropped.
#[derive(Debug)]
pub(super) struct Caller {
    registry: CallerRegistry,
    id: u64,
}

impl CallerRegistry {
    /// Adds a connection. The receiver fails when a newer connection replaces it. Returns `None` if requests of all
    /// connections are being carried out.
    pub fn register(&self) -> Option<(Caller, oneshot::Receiver<()>)> {
        let mut all = self.0.lock();
        if all.callers.len() >= MAX_CALLERS {
            let idle_callers = all.callers.iter().filter_map(|(id, entry)| Some((entry.idle_since?, *id)));
            let (_, longest) = idle_callers.min()?;
            all.callers.remove(&longest);
        }
        let id = all.next;
        all.next += 1;
        let (alive, ended) = oneshot::channel();
        all.callers.insert(id, CallerEntry { idle_since: Some(id), _alive: alive });
        Some((Caller { registry: self.clone(), id }, ended))
    }
}

impl Caller {
    /// Notes that a request begins. Returns false if the connection was replaced.
    pub fn begin_request(&self) -> bool {
        let mut all = self.registry.0.lock();
        all.callers.get_mut(&self.id).map(|entry| entry.idle_since = None).is_some()
    }

    /// Notes that the request is carried out. From then on the caller counts as idle, even while it reads the reply.
    pub fn end_request(&self) {
        let mut all = self.registry.0.lock();
        let now = all.next;
        all.next += 1;
        if let Some(entry) = all.callers.get_mut(&self.id) {
            entry.idle_since = Some(now);
        }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.registry.0.lock().callers.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_caller_replaces_longest_idle_one() {
        let callers = CallerRegistry::default();
        let mut all: Vec<_> = (0..MAX_CALLERS).map(|_| callers.register().expect("room")).collect();
        assert!(all[0].0.begin_request(), "at work");
        assert!(all[1].0.begin_request());
        all[1].0.end_request();
        let newest = callers.register().expect("instead of an idle one");
        let is_ended = |caller: &mut (Caller, oneshot::Receiver<()>)| {
            caller.1.try_recv() == Err(oneshot::error::TryRecvError::Closed)
        };
        let ended: Vec<usize> = (0..MAX_CALLERS).filter(|&n| is_ended(&mut all[n])).collect();
        assert_eq!(ended, [2], "neither the one at work nor the one that was it last");
        assert!(!all[2].0.begin_request(), "its request is not carried out any more");
        drop(all.drain(3..));
        drop(newest);
        assert_eq!(callers.0.lock().callers.len(), 2);
    }

    #[test]
    fn busy_callers_are_not_replaced() {
        let callers = CallerRegistry::default();
        let all: Vec<_> = (0..MAX_CALLERS).map(|_| callers.register().expect("room")).collect();
        assert!(all.iter().all(|(caller, _)| caller.begin_request()));
        assert!(callers.register().is_none());
    }
}
