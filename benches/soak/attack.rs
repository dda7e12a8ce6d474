//! Attacks: thousands of connections before their login, and hundreds of sessions of one account. Each attack runs in a
//! process of its own at the lowest priority, against loopback only, and ends after its time.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use crate::client::Dialer;
use crate::server::{ATTACKERS, Host, Priority, pinned_command};

/// Connections before their login in one attack.
const CONNECTIONS: usize = 4000;

/// Count of source addresses of the attackers, `127.0.0.2` and on.
const ADDRESSES: usize = 20;

/// Sessions that the one account tries to open.
const SESSIONS: usize = 200;

/// Connections that guess passwords from one address.
const GUESSERS: usize = 240;

/// Maximum count of connections of one attack, so that it ends whatever the server does.
const MAX_ATTACKERS: usize = 200_000;

/// Names of the attacks, each with its kind.
pub const ATTACKS: &[(&str, Attack)] = &[
    ("silent-strangers", Attack::BeforeLogin(Behaviour::Silent)),
    ("half-handshakes", Attack::BeforeLogin(Behaviour::HalfHandshake)),
    ("handshakes", Attack::BeforeLogin(Behaviour::Handshake)),
    ("isupport-strangers", Attack::BeforeLogin(Behaviour::Query { reads: true })),
    ("unread-strangers", Attack::BeforeLogin(Behaviour::Query { reads: false })),
    ("refused-lines", Attack::BeforeLogin(Behaviour::Garbage)),
    ("guesses-one-address", Attack::Guess { count: GUESSERS, addresses: 1 }),
    ("guesses-20-addresses", Attack::Guess { count: CONNECTIONS, addresses: ADDRESSES }),
    ("account-who", Attack::Account { lines: &["WHO #crowd"], reads: true }),
    ("account-join-part", Attack::Account { lines: &["PART #crowd", "JOIN #crowd"], reads: true }),
    ("account-mixed", Attack::Account { lines: MIXED_ATTACKS, reads: true }),
    ("account-history", Attack::Account { lines: &["CHATHISTORY LATEST #load * 1000"], reads: true }),
    ("account-search", Attack::Account { lines: &["SEARCH in=#load;text=%600"], reads: true }),
    ("account-unread", Attack::Account { lines: &["WHO #crowd", "NAMES #crowd", "LIST"], reads: false }),
    ("control-socket", Attack::Control),
];

/// Commands with long replies or large audiences.
const MIXED_ATTACKS: &[&str] = &[
    "NAMES #crowd",
    "LIST",
    "WHOIS crowd7",
    "MODE #crowd b",
    "METADATA #crowd LIST",
    "METADATA * SYNC",
    "MONITOR + crowd1,crowd2,crowd3",
    "MONITOR S",
    "@+draft/x=y TAGMSG #crowd",
    "AWAY :gone",
    "AWAY",
    "SETNAME :another name",
    "TOPIC #crowd",
    "CHATHISTORY TARGETS timestamp=2000-01-01T00:00:00.000Z timestamp=2100-01-01T00:00:00.000Z 1000",
    "ISUPPORT",
    "LUSERS",
    "HELP",
];

#[derive(Clone, Copy)]
pub enum Attack {
    BeforeLogin(Behaviour),
    Guess {
        count: usize,
        addresses: usize,
    },
    Account {
        lines: &'static [&'static str],
        reads: bool,
    },
    /// Held by the main process, which has the folder.
    Control,
}

/// Behaviour of an attacker on a connection before its login.
#[derive(Clone, Copy)]
pub enum Behaviour {
    Silent,
    HalfHandshake,
    Handshake,
    Query { reads: bool },
    Garbage,
}

/// Counts of the connections of an attack.
#[derive(Default)]
struct AttackCounts {
    opened: AtomicUsize,
    logged_in: AtomicUsize,
    ended: AtomicUsize,
}

/// Runs an attack in a process of its own. Returns the last line of its output as the note.
pub async fn spawn(name: &str, host: &Host, length: Duration) -> Result<String> {
    let program = std::env::current_exe()?;
    let mut command = pinned_command(&program, "1", Priority::Low);
    command
        .args(["attack", name, "--address", &host.address.to_string(), "--pin", &host.pin])
        .args(["--seconds", &length.as_secs_f64().to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    // The process ends by itself after its time.
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().last().unwrap_or("the attack failed").to_owned())
}

/// Runs an attack in this process.
pub async fn run(name: &str, dialer: Dialer, length: Duration) -> Result<()> {
    let Some((_, kind)) = ATTACKS.iter().find(|(known, _)| *known == name) else {
        bail!("there is no attack {name}")
    };
    // What one attack has spent counts against its account for half a minute: the next one has another.
    let mut by_accounts = ATTACKS.iter().filter(|(_, kind)| matches!(kind, Attack::Account { .. }));
    let index = by_accounts.position(|(known, _)| *known == name).unwrap_or(0);
    let account: Arc<str> = format!("mallory{}", index % ATTACKERS).into();
    let count = Arc::new(AttackCounts::default());
    let deadline = Instant::now() + length;
    let connections = match *kind {
        Attack::BeforeLogin(_) => CONNECTIONS,
        Attack::Guess { count, .. } => count,
        Attack::Account { .. } => SESSIONS,
        Attack::Control => 0,
    };
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let (kind, account, dialer, count) = (*kind, account.clone(), dialer.clone(), count.clone());
        tasks.spawn(async move {
            let work = async {
                while count.opened.fetch_add(1, Ordering::Relaxed) < MAX_ATTACKERS {
                    // Refused, closed or timed out: connects again.
                    let _ = attack_once(kind, &account, &dialer, number, &count).await;
                    count.ended.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            };
            let _ = tokio::time::timeout_at(deadline.into(), work).await;
        });
    }
    while tasks.join_next().await.is_some() {}
    let load = |number: &AtomicUsize| number.load(Ordering::Relaxed);
    println!(
        "{} connections, {} logged in, {} ended",
        load(&count.opened),
        load(&count.logged_in),
        load(&count.ended)
    );
    Ok(())
}

async fn attack_once(
    kind: Attack,
    name: &str,
    dialer: &Dialer,
    number: usize,
    count: &AttackCounts,
) -> Result<()> {
    match kind {
        Attack::BeforeLogin(habit) => {
            attack_before_login(habit, dialer, source_address(number, ADDRESSES)).await
        }
        Attack::Guess { addresses, .. } => {
            let name = format!("member{}", number % 20);
            dialer.try_login(source_address(number, addresses), &name, "a wrong password", "").await.map(drop)
        }
        Attack::Account { lines, reads } => {
            attack_as_account(dialer, source_address(number, ADDRESSES), (name, lines), reads, count).await
        }
        Attack::Control => Ok(()),
    }
}

async fn attack_before_login(habit: Behaviour, dialer: &Dialer, last: u8) -> Result<()> {
    let mut sink = vec![0; 4096];
    match habit {
        Behaviour::Silent => {
            let mut tcp = dialer.tcp(last).await?;
            while tcp.read(&mut sink).await? > 0 {}
        }
        Behaviour::HalfHandshake => {
            let mut tcp = dialer.tcp(last).await?;
            // The head of a handshake record of 512 bytes, and nothing after it.
            tcp.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await?;
            while tcp.read(&mut sink).await? > 0 {}
        }
        Behaviour::Handshake => drop(dialer.connect(last).await?),
        Behaviour::Query { reads } => {
            let mut client = dialer.connect(last).await?;
            client.send("CAP REQ :draft/extended-isupport batch\r\n").await?;
            let lines = "ISUPPORT\r\n".repeat(100);
            loop {
                client.send(&lines).await?;
                if reads {
                    client.next_line().await?;
                }
            }
        }
        Behaviour::Garbage => {
            let mut client = dialer.connect(last).await?;
            client.send("JOIN #load\r\nAUTHENTICATE nonsense\r\n\u{1}\u{2}\u{3}\r\nQUIT\r\n").await?;
            client.discard_input().await?;
        }
    }
    Ok(())
}

async fn attack_as_account(
    dialer: &Dialer,
    last: u8,
    (name, lines): (&str, &[&str]),
    reads: bool,
    count: &AttackCounts,
) -> Result<()> {
    let caps = "batch draft/chathistory draft/metadata-2 message-tags soju.im/search";
    let mut client = dialer.login(last, name, caps).await?;
    count.logged_in.fetch_add(1, Ordering::Relaxed);
    client.send("JOIN #crowd,#load\r\n").await?;
    let words = "searching ".repeat(60);
    let mut round = String::new();
    for line in lines.iter().cycle().take(64) {
        round.push_str(&line.replace("%600", &words));
        round.push_str("\r\n");
    }
    let (mut from, mut to) = client.split();
    let write = async {
        loop {
            to.write_all(round.as_bytes()).await?;
            to.flush().await?;
        }
    };
    let read = async {
        let mut sink = vec![0; 64 * 1024];
        loop {
            if !reads {
                tokio::time::sleep(Duration::from_secs(1)).await;
            } else if from.read(&mut sink).await? == 0 {
                bail!("closed");
            }
        }
    };
    let (write, read): (Result<()>, Result<()>) = tokio::select! {
        result = write => (result, Ok(())),
        result = read => (Ok(()), result),
    };
    write.and(read)
}

/// Returns the last octet of an attacker's loopback address.
fn source_address(number: usize, addresses: usize) -> u8 {
    u8::try_from(2 + number % addresses).unwrap_or(2)
}
