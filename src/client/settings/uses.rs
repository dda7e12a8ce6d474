//! Counts of uses of conversations and commands, by which choices are ranked.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::wire::Timestamp;

/// Time after which a use counts half, in milliseconds (a week).
const HALF_LIFE: f64 = 7.0 * 24.0 * 3_600_000.0;

/// Limit of the names that are kept. Those with the lowest score are dropped first.
const MAX_NAMES: usize = 1_000;

/// Limit of a name, in bytes. Longer ones are not counted.
const MAX_NAME_BYTES: usize = 1_024;

/// Uses by name: a conversation as `SERVER/CONVERSATION`, or a command as `/NAME`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uses(BTreeMap<String, Use>);

/// Uses of one name. The weight of earlier ones shrinks, so that what is used today outranks what was used last year.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Use {
    /// Sum of the uses, each weighted by its age at the time of the last one.
    weight: f64,
    /// Time stamp of the last use, in milliseconds.
    last: u64,
}

impl Use {
    fn score(&self, now: Timestamp) -> f64 {
        // A clock that was set back makes no use count more than a present one.
        let age = now.0.saturating_sub(self.last);
        #[allow(clippy::cast_precision_loss)] // A score needs no more precision.
        let half_lives = age as f64 / HALF_LIFE;
        let weight = if self.weight.is_finite() { self.weight.max(0.0) } else { 0.0 };
        weight * (-half_lives).exp2()
    }
}

impl Uses {
    /// Counts a use.
    pub fn record(&mut self, name: &str, now: Timestamp) {
        if name.len() > MAX_NAME_BYTES {
            return;
        }
        let weight = 1.0 + self.score(name, now);
        self.0.insert(name.to_owned(), Use { weight, last: now.0 });
        self.limit(now);
    }

    /// Returns how much a name is used: about the number of uses of the last days; 0 for one that was never used.
    pub fn score(&self, name: &str, now: Timestamp) -> f64 {
        self.0.get(name).map_or(0.0, |uses| uses.score(now))
    }

    /// Adds the names of another set. Of a name in both, the later use stands.
    pub fn merge(&mut self, other: Self, now: Timestamp) {
        for (name, theirs) in other.0.into_iter().filter(|(name, _)| name.len() <= MAX_NAME_BYTES) {
            let ours = self.0.entry(name).or_insert(theirs);
            if ours.last < theirs.last {
                *ours = theirs;
            }
        }
        self.limit(now);
    }

    /// Gives names for which `new_name` has another one that. Of two uses with one name then, the later stands.
    pub fn rename(&mut self, new_name: impl Fn(&str) -> Option<String>, now: Timestamp) {
        let mut renamed = BTreeMap::new();
        self.0.retain(|name, uses| match new_name(name) {
            Some(new) => {
                renamed.insert(new, *uses);
                false
            }
            None => true,
        });
        self.merge(Self(renamed), now);
    }

    fn limit(&mut self, now: Timestamp) {
        while self.0.len() > MAX_NAMES {
            let least = self.0.iter().min_by(|(_, a), (_, b)| a.score(now).total_cmp(&b.score(now)));
            let Some(name) = least.map(|(name, _)| name.clone()) else { return };
            self.0.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600_000;

    #[test]
    fn recent_uses_outrank_many_old_ones() {
        let mut uses = Uses::default();
        for day in 0..10 {
            uses.record("home/#old", Timestamp(day * DAY));
        }
        let now = Timestamp(100 * DAY);
        uses.record("home/#new", now);
        assert!(uses.score("home/#new", now) > uses.score("home/#old", now));
        uses.record("home/#new", now);
        assert!(uses.score("home/#new", now) > 1.9);
        assert!(uses.score("home/#never", now) < f64::EPSILON);
    }

    #[test]
    fn names_are_limited_and_the_least_used_go_first() {
        let mut uses = Uses::default();
        uses.record("often", Timestamp(DAY));
        uses.record("often", Timestamp(DAY));
        for n in 0..MAX_NAMES + 10 {
            uses.record(&format!("once {n}"), Timestamp(DAY));
        }
        uses.record(&"x".repeat(MAX_NAME_BYTES + 1), Timestamp(DAY));
        assert_eq!(uses.0.len(), MAX_NAMES);
        assert!(uses.score("often", Timestamp(DAY)) > 1.0);
    }

    #[test]
    fn the_later_use_stands_after_a_merge() {
        let (mut ours, mut theirs) = (Uses::default(), Uses::default());
        ours.record("a", Timestamp(DAY));
        theirs.record("a", Timestamp(2 * DAY));
        theirs.record("b", Timestamp(DAY));
        ours.merge(theirs.clone(), Timestamp(2 * DAY));
        assert_eq!(ours, theirs);
    }
}
