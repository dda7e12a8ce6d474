//! Which messages were shown already.

use std::collections::{HashSet, VecDeque};

/// The ids of the last messages. A message may come twice: as the copy that is delivered and the echo
/// that confirms, or once before a connection broke and once more after.
#[derive(Debug, Default)]
pub(in crate::client) struct Seen {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Copies of one message come close together; this is minutes of a busy server.
    const MAX: usize = 4096;

    /// Notes the id. Was it new?
    pub fn first_time(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > Self::MAX
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
    fn remembers_the_latest_and_stays_bounded() {
        let mut seen = Seen::default();
        for id in 0..10_000 {
            assert!(seen.first_time(&id.to_string()));
        }
        assert!(!seen.first_time("9999"));
        assert!(seen.first_time("0"));
        assert_eq!(seen.ids.len(), Seen::MAX);
        assert_eq!(seen.order.len(), Seen::MAX);
    }
}
