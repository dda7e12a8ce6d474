//! Many logins at one moment: with wrong passwords, with right ones, and by all accounts of a server after a break,
//! while another account logs in from elsewhere.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use parking_lot::Mutex;
use tokio::task::JoinSet;

use crate::client::{Dialer, PASSWORD};
use crate::millis_since;
use crate::server::{Host, resident_mib};

/// Count of accounts that reconnect.
const ACCOUNTS: usize = 2500;

/// Time limit of a login: that of a patient client.
const PATIENCE: Duration = Duration::from_mins(4);

/// The storms: name, count of logins, last byte of the first source address and count of addresses, and true for right
/// passwords. Each has addresses of its own, because one with many failed logins has to wait for minutes.
const STORMS: &[(&str, usize, (usize, usize), bool)] = &[
    ("wrong passwords from one address", 240, (2, 1), false),
    ("right logins from one address", 100, (3, 1), true),
    ("logins that come back, from 20 addresses", ACCOUNTS, (10, 20), true),
];

/// Runs the storms one after the other and prints a table.
pub async fn run(cgroup: Option<PathBuf>, rest: Duration, only: &[String]) -> Result<()> {
    let names: Vec<String> =
        (0..ACCOUNTS).map(|n| format!("back{n}")).chain(["visitor".to_owned()]).collect();
    eprintln!("soak: starting a server with {} accounts", names.len());
    let host = Host::start(&names)?;
    if let Some(cgroup) = &cgroup {
        std::fs::write(cgroup.join("cgroup.procs"), host.pid().to_string()).context("the cgroup")?;
    }
    let dialer = Dialer::new(host.address, &host.pin)?;
    println!(
        "| what | in | refused | all after, s | slowest, s | elsewhere: logins | failed | slowest, ms | RSS before, MiB | peak | {} s later, sessions gone |",
        rest.as_secs()
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    let chosen = |name: &str| only.is_empty() || only.iter().any(|word| name.contains(word.as_str()));
    for &(name, count, (first, addresses), is_right) in STORMS.iter().filter(|(name, ..)| chosen(name)) {
        let before = host.memory_mib();
        let peak = watch_memory(host.pid());
        let elsewhere = Arc::new(OtherLogins::default());
        let visitor = tokio::spawn(log_in_repeatedly(dialer.clone(), elsewhere.clone()));
        let began = Instant::now();
        let mut logins = JoinSet::new();
        for number in 0..count {
            let dialer = dialer.clone();
            logins.spawn(async move {
                let last = u8::try_from(first + number % addresses).unwrap_or(2);
                let (name, password) = if is_right {
                    (format!("back{number}"), PASSWORD)
                } else {
                    (format!("back{}", number % 20), "a wrong password")
                };
                let login = dialer.try_login(last, &name, password, "");
                let client = tokio::time::timeout(PATIENCE, login).await;
                client.ok().and_then(Result::ok).map(|client| (client, millis_since(began)))
            });
        }
        let mut sessions = Vec::new();
        let (mut refused, mut slowest) = (0, 0.0_f64);
        while let Some(login) = logins.join_next().await {
            match login? {
                Some((client, took)) => {
                    slowest = slowest.max(took);
                    sessions.push(client);
                }
                None => refused += 1,
            }
        }
        let all = began.elapsed();
        elsewhere.over.store(true, Ordering::Relaxed);
        visitor.await?;
        let sessions_in = sessions.len();
        drop(sessions);
        let peak = peak.into_mib();
        tokio::time::sleep(rest).await;
        let times = elsewhere.times.lock();
        println!(
            "| {count} {name} | {sessions_in} | {refused} | {:.1} | {:.1} | {} | {} | {:.0} | {before:.0} | {peak:.0} | {:.0} |",
            all.as_secs_f64(),
            slowest / 1000.0,
            times.len(),
            *elsewhere.failed.lock(),
            times.iter().copied().fold(0.0, f64::max),
            host.memory_mib()
        );
    }
    host.stop()
}

/// Logins from another address.
#[derive(Default)]
struct OtherLogins {
    times: Mutex<Vec<f64>>,
    failed: Mutex<usize>,
    over: AtomicBool,
}

/// Logs in again and again, at least twice.
async fn log_in_repeatedly(dialer: Dialer, elsewhere: Arc<OtherLogins>) {
    loop {
        let began = Instant::now();
        match dialer.login(250, "visitor", "").await {
            Ok(mut client) => {
                elsewhere.times.lock().push(millis_since(began));
                // The session ends in any case.
                let _ = client.send("QUIT\r\n").await;
                let _ = tokio::time::timeout(Duration::from_secs(1), client.discard_input()).await;
            }
            Err(_) => *elsewhere.failed.lock() += 1,
        }
        if elsewhere.over.load(Ordering::Relaxed) {
            return;
        }
        // Rarely enough that the server does not remember the password, so each login is checked.
        tokio::time::sleep(Duration::from_secs(7).saturating_sub(began.elapsed())).await;
    }
}

/// Peak memory of a process, in MiB, sampled by a thread of its own.
struct Peak(Arc<(AtomicBool, Mutex<f64>)>);

fn watch_memory(pid: u32) -> Peak {
    let shared = Arc::new((AtomicBool::new(false), Mutex::new(0.0_f64)));
    let watched = shared.clone();
    std::thread::spawn(move || {
        while !watched.0.load(Ordering::Relaxed) {
            if let Some(mib) = resident_mib(pid) {
                let mut peak = watched.1.lock();
                *peak = peak.max(mib);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    Peak(shared)
}

impl Peak {
    fn into_mib(self) -> f64 {
        self.0.0.store(true, Ordering::Relaxed);
        *self.0.1.lock()
    }
}
