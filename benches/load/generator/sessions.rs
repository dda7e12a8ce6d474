//! Many sessions at a time.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::client::Client;
use super::target::{Dialer, Proof};

/// Capabilities of clients that are sent messages.
pub const CAPABILITIES: &str = "echo-message message-tags server-time";

/// Runs work for each of the numbers below `count`, at most `concurrency` at a time. Returns the results by number. The
/// first error ends all.
pub async fn run_all<T: Send + 'static, F>(
    count: usize,
    concurrency: usize,
    work: impl Fn(usize) -> F,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>> + Send + 'static,
{
    let turns = Arc::new(Semaphore::new(concurrency.max(1)));
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (turns, work) = (turns.clone(), work(number));
        tasks.spawn(async move {
            let _turn = turns.acquire().await;
            anyhow::Ok((number, work.await?))
        });
    }
    let mut results: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
    while let Some(done) = tasks.join_next().await {
        let (number, result) = done??;
        results[number] = Some(result);
    }
    results.into_iter().collect::<Option<_>>().context("a result of each")
}

/// Logs clients in, each with a proof and capabilities, and does something with each.
pub async fn log_in_all<T: Send + 'static, F>(
    dialer: &Arc<Dialer>,
    count: usize,
    (proof, capabilities): (Proof, &'static str),
    then: impl Fn(usize, Client) -> F + Clone + Send + Sync + 'static,
) -> Result<Vec<T>>
where
    F: Future<Output = Result<T>> + Send + 'static,
{
    run_all(count, dialer.target.concurrency, |number| {
        let (dialer, then) = (dialer.clone(), then.clone());
        async move { then(number, dialer.log_in(number, proof, capabilities).await?).await }
    })
    .await
}
