//! Token buckets: the rate at which an account, a program or an address may spend.

use std::time::Duration;

use tokio::time::Instant;

/// Maximum debt, in seconds of the account's rate. This bounds the wait, whatever was spent.
pub(in crate::server) const MAX_DEBT_SECONDS: f32 = 30.0;

/// Rate limit of an account, in units.
#[derive(Clone, Copy, Debug)]
pub(in crate::server) struct RateLimit {
    /// Units a second in the long run.
    pub per_second: f32,
    /// Units at once.
    pub burst: f32,
}

impl RateLimit {
    /// Makes a limit of so many ordinary lines a second, and at once.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^24")]
    pub fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: per_second as f32, burst: burst as f32 }
    }
}

/// Token bucket of an account. It may be overdrawn, because a cost is known only afterwards.
#[derive(Debug)]
pub(in crate::server) struct TokenBucket {
    units: f32,
    since: Instant,
}

impl TokenBucket {
    pub fn new_full(rate: Option<RateLimit>, now: Instant) -> Self {
        Self { units: rate.map_or(1.0, |rate| rate.burst), since: now }
    }

    fn refill(&mut self, rate: RateLimit, now: Instant) {
        let earned = now.saturating_duration_since(self.since).as_secs_f32() * rate.per_second;
        self.since = self.since.max(now);
        self.units = (self.units + earned).min(rate.burst);
    }

    /// Takes a cost.
    pub fn spend(&mut self, cost: f32, rate: Option<RateLimit>) {
        if let Some(rate) = rate {
            self.units = (self.units - cost).max(-MAX_DEBT_SECONDS * rate.per_second);
        }
    }

    /// Returns true if nothing is owed, as of the last [`due`](Self::due).
    pub fn may_spend(&self) -> bool {
        self.units > 0.0
    }

    /// Returns the time at which the next command may be carried out; `None` for now.
    pub fn due(&mut self, rate: Option<RateLimit>, now: Instant) -> Option<Instant> {
        let rate = rate?;
        self.refill(rate, now);
        if self.units > 0.0 {
            return None;
        }
        // A whole unit, so that not each command needs a wake-up of its own.
        let wait = (1.0f32.min(rate.burst) - self.units) / rate.per_second;
        Some(now + Duration::from_secs_f32(wait.clamp(0.001, 2.0 * MAX_DEBT_SECONDS)))
    }

    /// Returns true if the whole burst is available again.
    pub fn is_full(&mut self, rate: Option<RateLimit>, now: Instant) -> bool {
        let Some(rate) = rate else { return true };
        self.refill(rate, now);
        self.units >= rate.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Option<RateLimit> = Some(RateLimit { per_second: 10.0, burst: 60.0 });

    #[test]
    fn burst_is_free_then_rate_applies() {
        let begin = Instant::now();
        let mut bucket = TokenBucket::new_full(RATE, begin);
        let (mut now, mut said) = (begin, 0);
        while now < begin + Duration::from_secs(10) {
            match bucket.due(RATE, now) {
                None => {
                    bucket.spend(1.0, RATE);
                    said += 1;
                }
                Some(due) => now = due,
            }
        }
        assert!((158..=161).contains(&said), "{said}");
        assert!(bucket.is_full(RATE, now + Duration::from_secs(7)));
    }

    #[test]
    fn debt_is_bounded() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new_full(RATE, now);
        bucket.spend(1e9, RATE);
        let due = bucket.due(RATE, now).expect("it owes");
        assert!(due < now + Duration::from_secs(31));
        assert!(bucket.due(RATE, due).is_none());
    }

    #[test]
    fn no_rate_limit_means_no_wait() {
        let now = Instant::now();
        let mut bucket = TokenBucket::new_full(None, now);
        bucket.spend(1e9, None);
        assert!(bucket.may_spend() && bucket.due(None, now).is_none());
    }
}
