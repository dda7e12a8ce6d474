//! Messages and bytes that accounts have sent on the present day, for their quotas.

use rustc_hash::FxHashMap;

use crate::core::record::AccountId;
use crate::wire::Timestamp;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// Messages of an account on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of messages.
    pub messages: u64,
    /// Bytes of their texts and tags.
    pub bytes: u64,
}

/// Messages and bytes that accounts have sent since midnight, UTC. It has one entry for each account that sent something.
#[derive(Debug, Default)]
pub struct DailyUsage {
    /// The day, counted from the Unix epoch.
    day: u64,
    by_account: FxHashMap<AccountId, Usage>,
}

impl DailyUsage {
    /// Creates the usage of the day of a time stamp from what the history has of it.
    pub fn new(at: Timestamp, usage: impl IntoIterator<Item = (AccountId, Usage)>) -> Self {
        Self { day: day_of(at), by_account: usage.into_iter().collect() }
    }

    /// Returns what an account has sent on the day of a time stamp.
    pub fn of(&self, account: AccountId, at: Timestamp) -> Usage {
        if day_of(at) == self.day {
            self.by_account.get(&account).copied().unwrap_or_default()
        } else {
            Usage::default()
        }
    }

    /// Adds a message.
    pub fn add(&mut self, account: AccountId, bytes: usize, at: Timestamp) {
        let day = day_of(at);
        if day != self.day {
            self.day = day;
            self.by_account.clear();
        }
        let usage = self.by_account.entry(account).or_default();
        usage.messages += 1;
        usage.bytes += bytes as u64;
    }

    /// Takes back a message that could not be stored.
    pub fn take_back(&mut self, account: AccountId, bytes: usize) {
        if let Some(usage) = self.by_account.get_mut(&account) {
            usage.messages = usage.messages.saturating_sub(1);
            usage.bytes = usage.bytes.saturating_sub(bytes as u64);
        }
    }
}

/// Returns the start of the day of a time stamp.
pub fn start_of_day(at: Timestamp) -> Timestamp {
    Timestamp(at.0 - at.0 % DAY)
}

fn day_of(at: Timestamp) -> u64 {
    at.0 / DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_day_begins_with_nothing() {
        let (al, noon) = (AccountId(16), Timestamp(DAY / 2));
        let known = Usage { messages: 3, bytes: 30 };
        let mut usage = DailyUsage::new(noon, [(al, known)]);
        assert_eq!((usage.of(al, noon), usage.of(AccountId(17), noon)), (known, Usage::default()));
        usage.add(al, 5, Timestamp(DAY - 1));
        assert_eq!(usage.of(al, noon), Usage { messages: 4, bytes: 35 });
        assert_eq!(usage.of(al, Timestamp(DAY)), Usage::default());
        usage.add(al, 5, Timestamp(DAY));
        usage.take_back(al, 5);
        assert_eq!(usage.of(al, Timestamp(DAY)), Usage::default());
        assert_eq!(start_of_day(Timestamp(DAY + 7)), Timestamp(DAY));
    }
}
