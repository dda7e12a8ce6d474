//! Constant load: members that send messages to `#load`, silent members of `#crowd`, and a visitor that logs in.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::client::{Client, Dialer, Line, REPLY_TIMEOUT};
use crate::server::{CROWD, MEMBERS, VISITORS};
use crate::{Shared, millis_since};

/// Time between two messages of a member; the default limit is ten a second.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(500);

/// Time between two logins of the visitor.
const LOGIN_INTERVAL: Duration = Duration::from_secs(1);

/// Time before a member or a probe connects again.
pub const BACKOFF: Duration = Duration::from_millis(200);

/// Capabilities of a member's client.
pub const CAPS: &str = "batch draft/chathistory echo-message labeled-response message-tags server-time standard-replies parlour/send-id";

/// A member's own record of its messages.
#[derive(Default)]
pub struct MemberLog {
    /// Message id of each confirmed message, by the member's own number.
    pub confirmed: BTreeMap<usize, String>,
    /// Numbers of the messages that the server refused.
    pub refused: Vec<usize>,
    /// Count of messages sent so far.
    pub sent: usize,
    /// Message ids received live in `#load`, a list for each connection.
    pub received: Vec<Vec<String>>,
    /// Ids of messages that were sent again after a broken connection. The server may echo an earlier copy of them to
    /// their sender alone, so they are no part of the live order.
    pub resent: HashSet<String>,
}

/// Numbers of a member's messages without a reply.
#[derive(Default)]
struct Unconfirmed {
    numbers: BTreeSet<usize>,
    /// Those that were sent again on the present connection.
    resent: BTreeSet<usize>,
}

/// Measurements of the load since they were last taken.
#[derive(Default)]
pub struct Samples {
    /// Echo times in milliseconds.
    pub echo: Vec<f64>,
    /// Delays of the measuring process itself, in milliseconds.
    pub late: Vec<f64>,
    /// Login times in milliseconds.
    pub logins: Vec<f64>,
    pub failed_logins: usize,
}

pub struct Load {
    pub journals: Vec<Shared<MemberLog>>,
    pub samples: Mutex<Samples>,
    pub confirmed: AtomicUsize,
    /// Connections of members, probes and the crowd that ended unexpectedly.
    pub disconnects: AtomicUsize,
    stop: watch::Sender<bool>,
    tasks: Mutex<JoinSet<()>>,
}

impl Load {
    /// Logs all accounts in and starts the load.
    pub async fn start(dialer: Dialer) -> Result<Arc<Self>> {
        let load = Arc::new(Self {
            journals: (0..MEMBERS).map(|_| Shared::default()).collect(),
            samples: Mutex::default(),
            confirmed: AtomicUsize::new(0),
            disconnects: AtomicUsize::new(0),
            stop: watch::channel(false).0,
            tasks: Mutex::default(),
        });
        load.connect_crowd(&dialer).await?;
        let mut tasks = load.tasks.lock();
        for number in 0..MEMBERS {
            let (load, dialer) = (load.clone(), dialer.clone());
            tasks.spawn(async move {
                load.clone().run_until_stopped(load.run_member(&dialer, number)).await;
            });
        }
        let (visitor, dialer) = (load.clone(), dialer.clone());
        tasks.spawn(async move { visitor.clone().run_until_stopped(visitor.run_visitor(&dialer)).await });
        drop(tasks);
        Ok(load)
    }

    /// Takes the measurements since the last call.
    pub fn take_samples(&self) -> Samples {
        std::mem::take(&mut *self.samples.lock())
    }

    /// Lets every member wait for its open replies, then ends all connections.
    pub async fn stop(&self) {
        self.stop.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(REPLY_TIMEOUT, all).await.is_err() {
            eprintln!("soak: some clients did not end in time");
        }
    }

    async fn run_until_stopped(&self, work: impl Future<Output = ()>) {
        let mut stop = self.stop.subscribe();
        tokio::select! {
            () = work => {}
            // A member notices the stop by itself, between two messages.
            () = async { let _ = stop.wait_for(|stop| *stop).await; tokio::time::sleep(REPLY_TIMEOUT / 2).await; } => {}
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    fn count_disconnect(&self) {
        if !self.is_stopped() {
            self.disconnects.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Fills `#crowd`; each session reconnects when it is lost.
    async fn connect_crowd(self: &Arc<Self>, dialer: &Dialer) -> Result<()> {
        let turns = Arc::new(Semaphore::new(8));
        let mut seats = JoinSet::new();
        for number in 0..CROWD {
            let (dialer, turns) = (dialer.clone(), turns.clone());
            seats.spawn(async move {
                let _turn = turns.acquire().await;
                let mut client = dialer.login(member_address(number), &format!("crowd{number}"), "").await?;
                client.send("JOIN #crowd\r\n").await?;
                anyhow::Ok((number, client))
            });
        }
        while let Some(seated) = seats.join_next().await {
            let (number, mut client) = seated??;
            let (load, dialer) = (self.clone(), dialer.clone());
            self.tasks.lock().spawn(async move {
                let load = load.as_ref();
                load.run_until_stopped(async {
                    while !load.is_stopped() {
                        let _ = client.discard_input().await;
                        load.count_disconnect();
                        client =
                            reconnect(load, &dialer, member_address(number), &format!("crowd{number}"), "")
                                .await;
                    }
                })
                .await;
            });
        }
        Ok(())
    }

    async fn run_member(&self, dialer: &Dialer, number: usize) {
        let journal = &self.journals[number];
        let name = format!("member{number}");
        let mut unconfirmed = Unconfirmed::default();
        while !self.is_stopped() || !unconfirmed.numbers.is_empty() {
            let client = reconnect(self, dialer, member_address(number), &name, CAPS).await;
            journal.lock().received.push(Vec::new());
            if self.send_messages(client, journal, number, &mut unconfirmed).await.is_err() {
                self.count_disconnect();
                tokio::time::sleep(BACKOFF).await;
            }
        }
    }

    /// Runs one connection of a member: sends the unconfirmed messages again, then new ones.
    async fn send_messages(
        &self,
        mut client: Client,
        journal: &Shared<MemberLog>,
        number: usize,
        unconfirmed: &mut Unconfirmed,
    ) -> Result<()> {
        client.send("JOIN #load\r\n").await?;
        unconfirmed.resent.clone_from(&unconfirmed.numbers);
        for n in &unconfirmed.resent {
            client.send(&message(number, *n)).await?;
        }
        let mut pace = tokio::time::interval(MESSAGE_INTERVAL);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                line = client.next_line() => self.handle_line(&line?, &mut client, journal, number, unconfirmed).await?,
                _ = pace.tick() => {
                    if self.is_stopped() {
                        if unconfirmed.numbers.is_empty() {
                            return Ok(());
                        }
                        continue;
                    }
                    let n = {
                        let mut journal = journal.lock();
                        journal.sent += 1;
                        journal.sent
                    };
                    unconfirmed.numbers.insert(n);
                    client.send(&message(number, n)).await?;
                }
            }
        }
    }

    async fn handle_line(
        &self,
        line: &Line,
        client: &mut Client,
        journal: &Shared<MemberLog>,
        number: usize,
        unconfirmed: &mut Unconfirmed,
    ) -> Result<()> {
        let label = line.tag("label").and_then(|label| label.parse::<usize>().ok());
        match line.command.as_str() {
            "PING" => client.answer_ping(line).await?,
            "ERROR" => bail!("closed: {}", line.text()),
            "FAIL" | "404" | "403" => {
                if let Some(n) = label {
                    unconfirmed.numbers.remove(&n);
                    journal.lock().refused.push(n);
                }
            }
            "PRIVMSG" if line.param(0) == "#load" => {
                let id = line.tag("msgid").unwrap_or_default().to_owned();
                let mut journal = journal.lock();
                if line.source == format!("member{number}")
                    && let Some(n) = label
                {
                    if unconfirmed.numbers.remove(&n) {
                        self.confirmed.fetch_add(1, Ordering::Relaxed);
                    }
                    journal.confirmed.insert(n, id.clone());
                    if unconfirmed.resent.contains(&n) {
                        journal.resent.insert(id);
                        return Ok(());
                    }
                }
                if let Some(ids) = journal.received.last_mut() {
                    ids.push(id);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Logs in again and again by password, from an address of its own.
    async fn run_visitor(&self, dialer: &Dialer) {
        for turn in 0_usize.. {
            if self.is_stopped() {
                return;
            }
            let began = Instant::now();
            let result = dialer.login(250, &format!("visitor{}", turn % VISITORS), "").await;
            match &result {
                Ok(_) => self.samples.lock().logins.push(millis_since(began)),
                Err(_) => self.samples.lock().failed_logins += 1,
            }
            if let Ok(mut client) = result {
                // The session ends in any case.
                let _ = client.send("QUIT\r\n").await;
                let _ = tokio::time::timeout(Duration::from_secs(1), client.discard_input()).await;
            }
            tokio::time::sleep(LOGIN_INTERVAL.saturating_sub(began.elapsed())).await;
        }
    }
}

/// Logs in as soon as the server allows it.
async fn reconnect(load: &Load, dialer: &Dialer, last: u8, name: &str, caps: &str) -> Client {
    loop {
        match dialer.login(last, name, caps).await {
            Ok(client) => return client,
            Err(_) if load.is_stopped() => std::future::pending::<()>().await,
            Err(_) => tokio::time::sleep(BACKOFF).await,
        }
    }
}

/// Returns the last octet of a loopback address for the load, apart from those of the attackers.
fn member_address(number: usize) -> u8 {
    u8::try_from(100 + number % 100).unwrap_or(100)
}

fn message(number: usize, n: usize) -> String {
    format!("@label={n};parlour/send-id=s{n} PRIVMSG #load :member{number} {n} {}\r\n", "x".repeat(n % 120))
}
