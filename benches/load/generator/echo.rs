//! Clients that each send messages to themselves, or in channels where they are alone, the next one when the last has come
//! back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use tokio::task::JoinSet;

use super::client::{BARRIER, Client};
use super::figures::{Latencies, Outcome, to_number};
use super::ledger::{Faults, Ledger};
use super::line::Message;
use super::process::CpuClock;
use super::sessions::{CAPABILITIES, log_in_all};
use super::target::{Dialer, Target};
use super::traffic::WARM_UP;

/// Messages that only their sender gets.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub struct Echo {
    /// Clients
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Channels of all clients together, each with one client as its only member, which sends to its channels in turn;
    /// with 0 the clients send to themselves
    #[arg(long, default_value_t = 0)]
    channels: usize,
    /// Bytes of each text
    #[arg(long, default_value_t = 100)]
    bytes: usize,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
}

/// What the clients of a run share.
#[derive(Default)]
struct Run {
    bytes: usize,
    count: AtomicU64,
    is_measured: AtomicBool,
    is_over: AtomicBool,
}

/// Measures echoes.
pub async fn run(target: &Target, options: &Echo) -> Result<Outcome> {
    let dialer = Arc::new(Dialer::new(target)?);
    let Echo { clients, channels, .. } = *options;
    // By echo-message some servers would send a message to oneself twice.
    let capabilities = if channels == 0 { "message-tags server-time" } else { CAPABILITIES };
    let clients =
        log_in_all(&dialer, clients, (target.proof, capabilities), move |number, mut client| async move {
            let mut targets = vec![client.nick.clone()];
            if channels > 0 {
                ensure!(client.has_echo, "a channel's message comes back only with echo-message");
                targets =
                    (number..channels).step_by(clients).map(|channel| format!("#echo{channel}")).collect();
                ensure!(!targets.is_empty(), "there are fewer channels than clients");
            }
            for channel in targets.iter().filter(|target| target.starts_with('#')) {
                client.join(channel).await?;
            }
            Ok((client, targets))
        })
        .await?;
    let run = Arc::new(Run { bytes: options.bytes, ..Run::default() });
    let mut tasks = JoinSet::new();
    for (client, targets) in clients {
        tasks.spawn(ping_pong(run.clone(), client, targets));
    }
    let measured = async {
        tokio::time::sleep(Duration::from_secs_f64(options.seconds * WARM_UP)).await;
        let (clock, before) = (CpuClock::start(target.pid), run.count.load(Ordering::Relaxed));
        run.is_measured.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs_f64(options.seconds)).await;
        run.is_measured.store(false, Ordering::Relaxed);
        (clock.elapsed(), run.count.load(Ordering::Relaxed) - before)
    };
    let (used, count) = tokio::select! {
        measured = measured => measured,
        Some(ended) = tasks.join_next() => bail!("a client ended early: {:?}", ended?.err()),
    };
    run.is_over.store(true, Ordering::Relaxed);
    let (mut faults, mut latencies) = (Faults::default(), Latencies::new()?);
    while let Some(ended) = tasks.join_next().await {
        let (own, of_client) = ended??;
        faults.add(own);
        latencies.add(&of_client)?;
    }
    let count = to_number(count);
    let mut outcome = Outcome { faults, ..Outcome::default() };
    outcome.add("clients", options.clients);
    outcome.add("channels", channels);
    outcome.add("bytes", options.bytes);
    outcome.add("tls", dialer.negotiated());
    outcome.add_number("echoes_per_s", count / used.seconds, 1);
    outcome.add_number("cpu_us_per_echo", used.server * 1e6 / count.max(1.0), 2);
    outcome.add_latency("echo", &latencies);
    used.add_to(&mut outcome.figures);
    Ok(outcome)
}

/// Sends to its targets in turn until the run is over.
async fn ping_pong(run: Arc<Run>, mut client: Client, targets: Vec<String>) -> Result<(Faults, Latencies)> {
    let mut target = targets.iter().cycle();
    let (mut ledger, mut latencies) = (Ledger::new(1), Latencies::new()?);
    let (mut number, mut line) = (0, Vec::new());
    let take =
        |line: super::line::Line<'_>| Message::parse(line.text()).context("a message that nobody sent");
    while !run.is_over.load(Ordering::Relaxed) {
        let sent = Instant::now();
        line.clear();
        let target = target.next().context("a target")?;
        Message { sender: 0, number, sent_at: 0 }.write(target, run.bytes, &mut line);
        client.writer.send(&line).await?;
        number += 1;
        while !ledger.is_complete(&[number]) {
            let line = client.reader.next().await?;
            match line.command {
                b"PRIVMSG" => ledger.receive(0, take(line)?.number),
                b"PING" => client.writer.answer(line).await?,
                b"ERROR" | b"FAIL" | b"401" => bail!("refused: {}", line.to_text()),
                _ => {}
            }
        }
        run.count.fetch_add(1, Ordering::Relaxed);
        if run.is_measured.load(Ordering::Relaxed) {
            latencies.record(sent.elapsed());
        }
    }
    client.writer.send(format!("PING {BARRIER}\r\n")).await?;
    loop {
        let line = client.reader.next().await?;
        match line.command {
            b"PRIVMSG" => ledger.receive(0, take(line)?.number),
            b"PONG" if line.text() == BARRIER.as_bytes() => return Ok((ledger.faults(&[number]), latencies)),
            _ => {}
        }
    }
}
