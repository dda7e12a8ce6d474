//! Counts of the commits of the last minute, second by second.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Seconds that are counted.
const SECONDS: usize = 60;

/// Counts of the last minute. Noting one takes a short lock, once for each commit.
#[derive(Debug)]
pub struct RecentCommits {
    started: Instant,
    slots: Mutex<[Slot; SECONDS]>,
}

/// Counts of one second.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// The second since the start.
    second: u64,
    commits: u64,
    messages: u64,
    total: Duration,
    slowest: Duration,
}

/// Sums over the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastMinute {
    /// Seconds that are counted: 60, or fewer after the start.
    pub seconds: u64,
    /// Count of transactions.
    pub commits: u64,
    /// Count of messages in them.
    pub messages: u64,
    /// Mean time from the hand-over of a transaction until it was on disk.
    pub mean: Duration,
    /// The longest of these times.
    pub slowest: Duration,
}

impl Default for RecentCommits {
    fn default() -> Self {
        Self { started: Instant::now(), slots: Mutex::new([Slot::default(); SECONDS]) }
    }
}

impl RecentCommits {
    /// Notes a commit of so many messages, which took this long.
    pub fn note(&self, messages: u64, took: Duration) {
        self.note_at(self.started.elapsed().as_secs(), messages, took);
    }

    /// Returns the sums.
    pub fn last_minute(&self) -> LastMinute {
        self.last_minute_at(self.started.elapsed().as_secs())
    }

    fn note_at(&self, second: u64, messages: u64, took: Duration) {
        let mut slots = self.slots.lock();
        let at = usize::try_from(second % SECONDS as u64).unwrap_or(0);
        let Some(slot) = slots.get_mut(at) else { return };
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        slot.commits += 1;
        slot.messages += messages;
        slot.total += took;
        slot.slowest = slot.slowest.max(took);
    }

    fn last_minute_at(&self, now: u64) -> LastMinute {
        let mut sums = LastMinute { seconds: (now + 1).min(SECONDS as u64), ..LastMinute::default() };
        let mut total = Duration::ZERO;
        for slot in self.slots.lock().iter().filter(|slot| slot.second + SECONDS as u64 > now) {
            sums.commits += slot.commits;
            sums.messages += slot.messages;
            sums.slowest = sums.slowest.max(slot.slowest);
            total += slot.total;
        }
        let count = u32::try_from(sums.commits).unwrap_or(u32::MAX);
        sums.mean = total.checked_div(count).unwrap_or_default();
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_minute_counts() {
        let recent = RecentCommits::default();
        let millis = Duration::from_millis;
        recent.note_at(0, 5, millis(100));
        recent.note_at(1, 1, millis(2));
        recent.note_at(1, 2, millis(4));
        let early =
            LastMinute { seconds: 2, commits: 3, messages: 8, mean: millis(106) / 3, slowest: millis(100) };
        assert_eq!(recent.last_minute_at(1), early);
        let late = LastMinute { seconds: 60, commits: 2, messages: 3, mean: millis(3), slowest: millis(4) };
        assert_eq!(recent.last_minute_at(60), late, "the first second is over");
        recent.note_at(61, 7, millis(1));
        assert_eq!(recent.last_minute_at(61).messages, 7, "its slot is used again");
        assert_eq!(recent.last_minute_at(500), LastMinute { seconds: 60, ..LastMinute::default() });
    }
}
