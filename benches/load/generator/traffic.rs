//! Messages in one channel, as many as the server takes or at a fixed rate. Every member checks the messages of every
//! sender, and each message says when it was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::client::{BARRIER, Client, Reader, Writer};
use super::figures::{Latencies, Outcome, to_number};
use super::ledger::{Faults, Ledger};
use super::line::{Line, Message};
use super::process::CpuClock;
use super::sessions::{CAPABILITIES, log_in_all};
use super::target::{Dialer, Target};

/// Channel of all members.
const CHANNEL: &str = "#load";

/// Time before the measurement begins, as a share of its length.
pub const WARM_UP: f64 = 0.1;

/// Time limit for what is under way when the senders stop.
const DRAINING: Duration = Duration::from_secs(30);

/// Time after which a client that waits sends a PING: ngIRCd leaves lines unread that it has decrypted already, until the
/// client sends more.
const NUDGE: Duration = Duration::from_millis(50);

/// Most messages that a sender which is late writes at once.
const MAX_BURST: u64 = 10_000;

/// Delay of the timers, which is not the server's: a message that is late by more counts from when it was due.
const TIMER_DELAY_MICROS: u64 = 2000;

/// Messages of one channel.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    /// Members of the channel.
    pub members: usize,
    /// Those of them that write.
    pub senders: usize,
    /// The speed at which the senders write.
    pub pace: Pace,
    /// Bytes of each text.
    pub bytes: usize,
    /// Seconds that are measured.
    pub seconds: f64,
}

impl Default for Exchange {
    fn default() -> Self {
        Self { members: 50, senders: 5, pace: Pace::Window(32), bytes: 100, seconds: 5.0 }
    }
}

/// Pace of the senders.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Own messages that a sender has under way: as fast as the server delivers.
    Window(usize),
    /// Messages a second of all senders together, whatever the server does.
    Rate(f64),
}

/// State that the members and senders of a run share.
struct Run {
    exchange: Exchange,
    start: Instant,
    has_echo: bool,
    /// Free places in the window of each sender.
    windows: Vec<Semaphore>,
    deliveries: AtomicU64,
    is_measured: AtomicBool,
    /// Set when the senders are to stop.
    stop: watch::Sender<bool>,
    /// Count of messages of each sender, once they have stopped.
    sent: watch::Sender<Option<Arc<[u64]>>>,
}

/// The members of a channel, and the dialer that they logged in by.
pub struct Members {
    clients: Vec<Client>,
    tls: String,
}

/// Logs the members in, the senders first.
pub async fn log_in_members(target: &Target, exchange: &Exchange) -> Result<Members> {
    ensure!(
        (1..=exchange.members).contains(&exchange.senders) && exchange.members > 1,
        "senders are members, and there are two members at least"
    );
    let dialer = Arc::new(Dialer::new(target)?);
    let login = (target.proof, CAPABILITIES);
    let clients = log_in_all(&dialer, exchange.members, login, |_, mut client| async move {
        client.join(CHANNEL).await?;
        Ok(client)
    })
    .await?;
    let clients = read_joins(clients).await?;
    Ok(Members { clients, tls: dialer.negotiated().to_owned() })
}

/// Lets all members read who has joined after them. In a large channel that is more than what is measured.
async fn read_joins(clients: Vec<Client>) -> Result<Vec<Client>> {
    let mut reading = JoinSet::new();
    for (number, mut client) in clients.into_iter().enumerate() {
        reading.spawn(async move {
            client.request("", |_| None::<()>).await?;
            anyhow::Ok((number, client))
        });
    }
    let mut clients = Vec::new();
    while let Some(ended) = reading.join_next().await {
        clients.push(ended??);
    }
    clients.sort_unstable_by_key(|(number, _)| *number);
    Ok(clients.into_iter().map(|(_, client)| client).collect())
}

/// Lets the senders write and the members receive, and measures.
pub async fn exchange(target: &Target, exchange: &Exchange, members: Members) -> Result<Outcome> {
    let Exchange { senders, seconds, .. } = *exchange;
    let run = Arc::new(Run {
        exchange: *exchange,
        start: Instant::now(),
        has_echo: members.clients.iter().all(|client| client.has_echo),
        windows: (0..senders)
            .map(|_| match exchange.pace {
                Pace::Window(window) => Semaphore::new(window.max(1)),
                Pace::Rate(_) => Semaphore::new(0),
            })
            .collect(),
        deliveries: AtomicU64::new(0),
        is_measured: AtomicBool::new(false),
        stop: watch::channel(false).0,
        sent: watch::channel(None).0,
    });
    // To the last delivery, so that none is counted without its CPU time.
    let whole = CpuClock::start(target.pid);
    let (mut receiving, mut sending) = (JoinSet::new(), JoinSet::new());
    for (number, client) in members.clients.into_iter().enumerate() {
        let Client { reader, writer, .. } = client;
        if number < senders {
            let (run, writer) = (run.clone(), writer.clone());
            sending.spawn(async move { anyhow::Ok((number, send(&run, number, &writer).await?)) });
        }
        receiving.spawn(receive(run.clone(), number, reader, writer));
    }

    let measured = async {
        tokio::time::sleep(Duration::from_secs_f64(seconds * WARM_UP)).await;
        let (clock, before) = (CpuClock::start(target.pid), run.deliveries.load(Ordering::Relaxed));
        run.is_measured.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
        run.is_measured.store(false, Ordering::Relaxed);
        (clock.elapsed(), run.deliveries.load(Ordering::Relaxed) - before)
    };
    let (used, deliveries) = tokio::select! {
        measured = measured => measured,
        Some(ended) = receiving.join_next() => bail!("a member ended early: {:?}", ended?.err()),
        Some(ended) = sending.join_next() => bail!("a sender ended early: {:?}", ended?.err()),
    };
    run.stop.send_replace(true);
    let mut sent = vec![0; senders];
    while let Some(ended) = sending.join_next().await {
        let (number, count) = ended??;
        sent[number] = count;
    }
    let sent: Arc<[u64]> = sent.into();
    run.sent.send_replace(Some(sent.clone()));
    let (mut faults, mut latencies, mut received) = (Faults::default(), Latencies::new()?, 0);
    while let Some(ended) = receiving.join_next().await {
        let member = ended??;
        faults.add(member.faults);
        latencies.add(&member.latencies)?;
        received += member.count;
    }
    let whole = whole.elapsed();

    let deliveries = to_number(deliveries);
    let mut outcome = Outcome { faults, ..Outcome::default() };
    outcome.add("members", exchange.members);
    outcome.add("senders", senders);
    match exchange.pace {
        Pace::Window(window) => outcome.add("window", window),
        Pace::Rate(rate) => outcome.add("messages_per_s_asked", rate),
    }
    outcome.add("bytes", exchange.bytes);
    outcome.add("has_echo", run.has_echo);
    outcome.add("tls", members.tls);
    outcome.add("sent", sent.iter().sum::<u64>());
    outcome.add("received", received);
    let receivers = if run.has_echo { exchange.members } else { exchange.members - 1 };
    outcome.add_number("messages_per_s", deliveries / to_number(receivers as u64) / used.seconds, 1);
    outcome.add_number("deliveries_per_s", deliveries / used.seconds, 0);
    outcome.add_number("deliveries_per_cpu_s", to_number(received) / whole.server.max(0.01), 0);
    outcome.add_latency("delivery", &latencies);
    used.add_to(&mut outcome.figures);
    Ok(outcome)
}

impl Run {
    fn micros(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Returns the member whose receipt of a message makes room in its sender's window. It is another one for each
    /// message, so that no member can fall behind by more than some windows.
    fn acknowledging_member(&self, message: Message) -> usize {
        let members = self.exchange.members;
        let turn = usize::try_from(message.number % members as u64).unwrap_or(0);
        let member = (turn + message.sender) % members;
        if member == message.sender && !self.has_echo { (member + 1) % members } else { member }
    }
}

/// Writes until the run stops. Returns the count of messages.
async fn send(run: &Run, sender: usize, writer: &Writer) -> Result<u64> {
    let mut stop = run.stop.subscribe();
    let (mut number, mut lines) = (0, Vec::new());
    let share = |rate: f64| rate / to_number(run.exchange.senders as u64);
    let due_at = |rate: f64, number: u64| {
        // The senders take turns within the interval.
        (to_number(number) + to_number(sender as u64) / to_number(run.exchange.senders as u64)) / share(rate)
    };
    while !*stop.borrow_and_update() {
        let count = match run.exchange.pace {
            Pace::Window(_) => tokio::select! {
                place = run.windows[sender].acquire() => {
                    place.context("a window")?.forget();
                    // And all other free places, for one write.
                    1 + run.windows[sender].forget_permits(usize::MAX) as u64
                }
                () = tokio::time::sleep(NUDGE) => {
                    writer.send("PING nudge\r\n").await?;
                    continue;
                }
                _ = stop.changed() => break,
            },
            Pace::Rate(rate) => {
                let due = run.start + Duration::from_secs_f64(due_at(rate, number));
                tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    _ = stop.changed() => break,
                }
                let now = run.start.elapsed().as_secs_f64();
                (1..MAX_BURST).find(|more| due_at(rate, number + more) > now).unwrap_or(MAX_BURST)
            }
        };
        lines.clear();
        let now = run.micros();
        for number in number..number + count {
            let sent_at = match run.exchange.pace {
                Pace::Window(_) => now,
                Pace::Rate(rate) => {
                    let due = Duration::from_secs_f64(due_at(rate, number)).as_micros();
                    let due = u64::try_from(due).unwrap_or(now);
                    if now.saturating_sub(due) > TIMER_DELAY_MICROS { due } else { now }
                }
            };
            Message { sender, number, sent_at }.write(CHANNEL, run.exchange.bytes, &mut lines);
        }
        writer.send(&lines).await?;
        number += count;
    }
    Ok(number)
}

/// The messages that one member has received: their count, delays and faults.
struct Received {
    faults: Faults,
    latencies: Latencies,
    count: u64,
}

/// A member that receives.
struct Member {
    run: Arc<Run>,
    number: usize,
    ledger: Ledger,
    latencies: Latencies,
    writer: Writer,
    /// True once the server has handled everything that this member has sent.
    has_passed_barrier: bool,
}

/// Receives until everything that was sent is there, then once more all that the server has for this member.
async fn receive(run: Arc<Run>, number: usize, mut reader: Reader, writer: Writer) -> Result<Received> {
    let (senders, mut sent) = (run.exchange.senders, run.sent.subscribe());
    let mut member = Member {
        ledger: Ledger::new(senders),
        latencies: Latencies::new()?,
        run,
        number,
        writer,
        has_passed_barrier: false,
    };
    let expected = loop {
        member.take_lines(&mut reader).await?;
        tokio::select! {
            filled = reader.fill() => filled?,
            changed = sent.changed() => {
                changed?;
                let sent = sent.borrow().clone();
                break member.expected(&sent.context("the counts")?);
            }
        }
    };
    let draining = async {
        while !member.ledger.is_complete(&expected) {
            tokio::select! {
                filled = reader.fill() => filled?,
                () = tokio::time::sleep(NUDGE) => member.writer.send("PING nudge\r\n").await?,
            }
            member.take_lines(&mut reader).await?;
        }
        anyhow::Ok(())
    };
    // What is missing then is lost.
    if let Ok(drained) = tokio::time::timeout(DRAINING, draining).await {
        drained?;
    }
    member.writer.send(format!("PING {BARRIER}\r\n")).await?;
    while !member.has_passed_barrier {
        reader.fill().await?;
        member.take_lines(&mut reader).await?;
    }
    let (faults, count) = (member.ledger.faults(&expected), member.ledger.count());
    Ok(Received { faults, latencies: member.latencies, count })
}

impl Member {
    /// Returns the counts that this member has to receive. Without echo a sender gets none of its own.
    fn expected(&self, sent: &[u64]) -> Vec<u64> {
        let mut expected = sent.to_vec();
        if !self.run.has_echo
            && let Some(own) = expected.get_mut(self.number)
        {
            *own = 0;
        }
        expected
    }

    /// Takes the lines that were read.
    async fn take_lines(&mut self, reader: &mut Reader) -> Result<()> {
        let (now, is_measured) = (self.run.micros(), self.run.is_measured.load(Ordering::Relaxed));
        let before = self.ledger.count();
        while let Some(line) = reader.take() {
            match line.command {
                b"PRIVMSG" => self.take_message(line, is_measured.then_some(now))?,
                b"PING" => self.writer.answer(line).await?,
                b"PONG" if line.text() == BARRIER.as_bytes() => self.has_passed_barrier = true,
                b"ERROR" | b"FAIL" | b"404" => bail!("refused: {}", line.to_text()),
                _ => {}
            }
        }
        self.run.deliveries.fetch_add(self.ledger.count() - before, Ordering::Relaxed);
        Ok(())
    }

    fn take_message(&mut self, line: Line<'_>, now: Option<u64>) -> Result<()> {
        let message = Message::parse(line.text()).with_context(|| format!("not sent: {}", line.to_text()))?;
        self.ledger.receive(message.sender, message.number);
        if let Some(now) = now {
            self.latencies.record_micros(now.saturating_sub(message.sent_at));
        }
        if matches!(self.run.exchange.pace, Pace::Window(_))
            && self.run.acknowledging_member(message) == self.number
            && let Some(window) = self.run.windows.get(message.sender)
        {
            window.add_permits(1);
        }
        Ok(())
    }
}
