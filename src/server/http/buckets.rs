//! Rate limits of HTTP requests, by hook, token or address.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::server::limits::token_bucket::{RateLimit, TokenBucket};

/// Limit of the keys that are remembered. Those whose bucket is full again are forgotten first.
const MAX_KEYS: usize = 10_000;

/// Token buckets by key. Clones share them.
#[derive(Clone, Debug)]
pub(in crate::server) struct Buckets<K> {
    rate: Option<RateLimit>,
    buckets: Arc<Mutex<HashMap<K, TokenBucket>>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Makes buckets of a rate; `None` for no limit.
    pub fn new(rate: Option<RateLimit>) -> Self {
        Self { rate, buckets: Arc::default() }
    }

    /// Takes the cost of a request.
    ///
    /// # Errors
    /// The time after which the next request is allowed. Nothing was taken.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        if self.rate.is_none() {
            return Ok(());
        }
        let now = Instant::now();
        let mut buckets = self.buckets.lock();
        if buckets.len() >= MAX_KEYS && !buckets.contains_key(&key) {
            buckets.retain(|_, bucket| !bucket.is_full(self.rate, now));
        }
        let bucket = buckets.entry(key).or_insert_with(|| TokenBucket::new_full(self.rate, now));
        if let Some(due) = bucket.due(self.rate, now) {
            return Err(due - now);
        }
        bucket.spend(1.0, self.rate);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_key_has_its_burst_and_then_its_rate() {
        let buckets = Buckets::new(Some(RateLimit::new(2, 3)));
        for _ in 0..3 {
            assert_eq!(buckets.take("a"), Ok(()));
        }
        let wait = buckets.take("a").expect_err("the burst is spent");
        assert_eq!(buckets.take("b"), Ok(()));
        tokio::time::advance(wait).await;
        assert_eq!(buckets.take("a"), Ok(()));
        assert_eq!(Buckets::new(None).take("a"), Ok(()));
    }
}
