//! Delays between attempts to connect.

use std::time::Duration;

/// Exponential back-off from half a second to half a minute. Each delay is shortened by a random part of up to a half,
/// so that the clients of a restarting server do not all come back at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    const MIN_DELAY: Duration = Duration::from_millis(500);
    const MAX_DELAY: Duration = Duration::from_secs(30);

    /// Returns the next delay. `random` is from 0 to 1.
    pub fn next_delay(&mut self, random: f64) -> Duration {
        // 2^6 half seconds exceed the limit already.
        let whole = Self::MAX_DELAY.min(Self::MIN_DELAY * 2u32.pow(self.attempts.min(6)));
        self.attempts = self.attempts.saturating_add(1);
        whole.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }

    /// Starts over with the shortest delay, after a success.
    pub fn reset(&mut self) {
        self.attempts = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_maximum_with_jitter() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9).map(|_| backoff.next_delay(0.0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
        assert_eq!(backoff.next_delay(1.0), Duration::from_secs(15));
        backoff.reset();
        assert_eq!(backoff.next_delay(0.5), Duration::from_millis(375));
    }
}
