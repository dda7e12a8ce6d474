//! Logins, and a whole server's sessions that come back at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use tokio::sync::Mutex;

use super::client::{Client, Login};
use super::devices::dialer_with_devices;
use super::figures::{Latencies, Outcome, to_number};
use super::process::CpuClock;
use super::sessions::{CAPABILITIES, log_in_all, run_all};
use super::target::{Dialer, Proof, Target};

/// Clients log in and leave.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Logins {
    /// Logins that are measured
    #[arg(long, default_value_t = 2000)]
    count: usize,
    /// Clients that log in in turn
    #[arg(long, default_value_t = 500)]
    clients: usize,
}

/// Sessions break off and come back at the same moment.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Herd {
    /// Sessions
    #[arg(long, default_value_t = 1000)]
    sessions: usize,
    /// Sessions in each channel
    #[arg(long, default_value_t = 50)]
    per_channel: usize,
}

/// Logs clients in and out as often as asked for, and returns the CPU of the server for one login.
pub async fn run(target: &Target, options: &Logins) -> Result<Outcome> {
    let clients = options.clients.clamp(1, options.count.max(1));
    let dialer = dialer_with_devices(target, clients).await?;
    if target.proof == Proof::Resumed {
        // The first login of each client brings the ticket for the next.
        log_in_all(&dialer, clients, (target.proof, ""), |_, client| async move {
            client.quit().await;
            Ok(())
        })
        .await?;
    }
    let shared = Arc::new(Mutex::new((Latencies::new()?, Latencies::new()?, 0_u64)));
    let next = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let clock = CpuClock::start(target.pid);
    // Each worker has clients of its own, so that a client logs in again only once it has left.
    let workers = target.concurrency.clamp(1, clients);
    run_all(workers, workers, |worker| {
        let (dialer, shared, next) = (dialer.clone(), shared.clone(), next.clone());
        let count = options.count;
        async move {
            for turn in 0_usize.. {
                if next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= count {
                    break;
                }
                let own = (clients - worker).div_ceil(workers);
                let client = worker + (turn % own) * workers;
                let (handshake, whole, resumed) = timed_login(&dialer, client).await?;
                let mut shared = shared.lock().await;
                shared.0.record(whole);
                shared.1.record(handshake);
                shared.2 += u64::from(resumed);
            }
            Ok(())
        }
    })
    .await?;
    let used = clock.elapsed();
    let (whole, handshakes, resumed) = &*shared.lock().await;
    ensure!(
        target.proof != Proof::Resumed || *resumed == options.count as u64,
        "only {resumed} handshakes were resumed"
    );
    let count = to_number(options.count as u64);
    let mut outcome = Outcome::default();
    outcome.add("logins", options.count);
    outcome.add("tls", dialer.negotiated());
    outcome.add_number("logins_per_s", count / used.seconds, 1);
    outcome.add_number("cpu_us_per_login", used.server * 1e6 / count, 1);
    outcome.add_latency("login", whole);
    outcome.add_latency("handshake", handshakes);
    used.add_to(&mut outcome.figures);
    Ok(outcome)
}

/// Logs a client in and out. Returns the times of the handshake and of the whole login, and whether it resumed a session.
async fn timed_login(dialer: &Dialer, client: usize) -> Result<(Duration, Duration, bool)> {
    let start = Instant::now();
    let target = &dialer.target;
    let work = async {
        let stream = dialer.connect(client).await?;
        let handshake = start.elapsed();
        let resumed = Client::is_resumed(&stream);
        let name = format!("{}{client}", target.prefix);
        let (password, proof) = (target.password.as_str(), target.proof);
        let session =
            Client::log_in(stream, Login { name: &name, password, proof, capabilities: CAPABILITIES })
                .await?;
        let whole = start.elapsed();
        session.quit().await;
        anyhow::Ok((handshake, whole, resumed))
    };
    let limit = Duration::from_secs(target.login_timeout);
    let result = tokio::time::timeout(limit, work).await.context("timed out").and_then(|done| done);
    result.with_context(|| format!("login of client {client}"))
}

/// Measures sessions that come back, and beside them as many handshakes without a login.
pub async fn run_herd(target: &Target, options: &Herd) -> Result<Outcome> {
    let dialer = dialer_with_devices(target, options.sessions).await?;
    let per_channel = options.per_channel.max(1);
    let channel = move |number: usize| format!("#herd{}", number / per_channel);
    let sessions = log_in_all(
        &dialer,
        options.sessions,
        (target.proof, CAPABILITIES),
        move |number, mut client| async move {
            client.join(&channel(number)).await?;
            Ok(client)
        },
    )
    .await?;

    let clock = CpuClock::start(target.pid);
    run_all(options.sessions, target.concurrency, |number| {
        let dialer = dialer.clone();
        async move { dialer.connect_without_device(number).await.map(drop) }
    })
    .await
    .context("handshakes")?;
    let handshakes = clock.elapsed();

    // Without a farewell, as when the network breaks.
    drop(sessions);
    let clock = CpuClock::start(target.pid);
    let start = Instant::now();
    let latencies = Arc::new(Mutex::new(Latencies::new()?));
    let recorded = latencies.clone();
    let back = run_all(options.sessions, target.concurrency, |number| {
        let (dialer, latencies) = (dialer.clone(), recorded.clone());
        async move {
            let mut client = log_in_again(&dialer, number, start).await?;
            client.join(&channel(number)).await?;
            latencies.lock().await.record(start.elapsed());
            Ok(client)
        }
    })
    .await?;
    let used = clock.elapsed();
    let count = to_number(options.sessions as u64);
    let mut outcome = Outcome::default();
    outcome.add("sessions", back.len());
    outcome.add("tls", dialer.negotiated());
    outcome.add_number("seconds", used.seconds, 3);
    outcome.add_number("cpu_us_per_return", used.server * 1e6 / count, 1);
    outcome.add_number("cpu_us_per_handshake", handshakes.server * 1e6 / count, 1);
    outcome.add_number("handshakes_per_return", used.server / handshakes.server.max(1e-9), 3);
    outcome.add_latency("return", &*latencies.lock().await);
    used.add_to(&mut outcome.figures);
    Ok(outcome)
}

/// Logs a client in again. A server may still hold its nick for the broken session, for a moment.
async fn log_in_again(dialer: &Dialer, number: usize, start: Instant) -> Result<Client> {
    loop {
        match dialer.log_in(number, dialer.target.proof, CAPABILITIES).await {
            Err(error)
                if start.elapsed() < Duration::from_secs(dialer.target.login_timeout)
                    && format!("{error:#}").contains("refused: 433") =>
            {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            result => return result,
        }
    }
}
