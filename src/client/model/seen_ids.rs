//! Detection of messages that were shown already.

use std::collections::{HashSet, VecDeque};

/// The ids of the latest messages. A message may arrive twice: as the delivered copy and as the confirming echo, or
/// before and after a broken connection.
#[derive(Debug, Default)]
pub(in crate::client) struct SeenIds {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl SeenIds {
    /// Limit of ids. Copies of one message arrive close together; this covers minutes on a busy server.
    const MAX_IDS: usize = 4096;

    /// Records an id. Returns whether it was new.
    pub fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > Self::MAX_IDS
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_latest_ids_within_limit() {
        let mut seen = SeenIds::default();
        for id in 0..10_000 {
            assert!(seen.insert(&id.to_string()));
        }
        assert!(!seen.insert("9999"));
        assert!(seen.insert("0"));
        assert_eq!(seen.ids.len(), SeenIds::MAX_IDS);
        assert_eq!(seen.order.len(), SeenIds::MAX_IDS);
    }
}
