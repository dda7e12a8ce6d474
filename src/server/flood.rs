//! A client that speaks faster than it may is read more slowly: nothing it said is lost, and nobody else waits.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep};

/// A token bucket: so many lines at once, then so many a second.
#[derive(Debug)]
pub(super) struct Flood {
    /// Lines a second; 0 for no limit.
    rate: f32,
    burst: f32,
    /// Lines that may still be said at once; negative when more was said.
    tokens: f32,
    since: Instant,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Flood {
    /// `rate` lines a second after the first `burst`; no limit where `rate` is `None`.
    #[expect(clippy::cast_precision_loss, reason = "limits are far below 2^24")]
    pub fn new(rate: Option<u32>, burst: u32) -> Self {
        let (rate, burst) = (rate.unwrap_or(0) as f32, burst as f32);
        Self { rate, burst, tokens: burst, since: Instant::now(), waiting: None }
    }

    /// A line was said.
    pub fn spoke(&mut self) {
        if self.rate > 0.0 {
            self.tokens -= 1.0;
        }
    }

    /// Ready when the next line may be read.
    pub fn poll_may_speak(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.rate <= 0.0 {
            return Poll::Ready(());
        }
        loop {
            if let Some(wait) = &mut self.waiting {
                if wait.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.waiting = None;
            }
            if self.tokens > 0.0 {
                return Poll::Ready(());
            }
            let now = Instant::now();
            let earned = (now - self.since).as_secs_f32() * self.rate;
            self.since = now;
            self.tokens = (self.tokens + earned).min(self.burst);
            if self.tokens > 0.0 {
                return Poll::Ready(());
            }
            let wait = (1.0 - self.tokens) / self.rate;
            self.waiting = Some(Box::pin(tokio::time::sleep(Duration::from_secs_f32(wait.min(60.0)))));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_free_and_then_the_rate_holds() {
        let mut flood = Flood::new(Some(10), 5);
        let started = Instant::now();
        for _ in 0..25 {
            poll_fn(|cx| flood.poll_may_speak(cx)).await;
            flood.spoke();
        }
        let took = started.elapsed().as_secs_f32();
        assert!((1.5..3.0).contains(&took), "{took}");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_rate_nobody_waits() {
        let mut flood = Flood::new(None, 0);
        let started = Instant::now();
        for _ in 0..10_000 {
            poll_fn(|cx| flood.poll_may_speak(cx)).await;
            flood.spoke();
        }
        assert!(started.elapsed().is_zero());
    }
}
