//! Faults around a server: a kill, a pause, a log without a reader, a locked database, an outside reader.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::process::Signal;

use crate::load::Load;
use crate::millis_since;
use crate::server::{Host, wait_until};

/// Names of the faults, in the order of the phases.
pub const FAULTS: &[&str] =
    &["log-unread", "database-locked", "outside-reader", "paused", "log-closed", "kill-9"];

/// Connections to the control socket that send nothing.
const SILENT_CALLERS: usize = 40;

/// Runs one fault for some length, and waits until the load continues.
pub async fn run(name: &str, host: &mut Host, load: &Load, length: Duration) -> Result<()> {
    eprintln!("soak: {name} for {:.0} s", length.as_secs_f64());
    match name {
        "log-unread" => {
            host.stall_log(true);
            crate::attack::spawn("refused-lines", host, length).await?;
            host.stall_log(false);
        }
        "database-locked" => {
            let lock = rusqlite::Connection::open(host.path("data/parlour.db"))?;
            lock.busy_timeout(Duration::from_secs(10))?;
            lock.execute_batch("BEGIN EXCLUSIVE")?;
            tokio::time::sleep(length / 2).await;
            lock.execute_batch("ROLLBACK")?;
            tokio::time::sleep(length / 2).await;
        }
        "outside-reader" => {
            let reader = rusqlite::Connection::open(host.path("data/parlour.db"))?;
            reader.execute_batch("BEGIN")?;
            reader.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            tokio::time::sleep(length).await;
        }
        "paused" => {
            host.signal(Signal::STOP)?;
            tokio::time::sleep((length / 2).min(Duration::from_secs(5))).await;
            host.signal(Signal::CONT)?;
            tokio::time::sleep(length / 2).await;
        }
        "log-closed" => {
            host.close_log();
            crate::attack::spawn("refused-lines", host, length).await?;
            host.restart_if_ended()?;
        }
        "kill-9" => {
            let began = Instant::now();
            while began.elapsed() < length {
                tokio::time::sleep(Duration::from_secs(2)).await;
                host.kill_and_restart()?;
                let before = load.confirmed.load(std::sync::atomic::Ordering::Relaxed);
                wait_until("a confirmed message after a restart", || {
                    load.confirmed.load(std::sync::atomic::Ordering::Relaxed) > before + 10
                })
                .await?;
            }
        }
        other => anyhow::bail!("there is no fault {other}"),
    }
    Ok(())
}

/// Holds silent connections to the control socket, while an admin sends requests again and again.
pub async fn silent_control_callers(host: &Host, length: Duration) -> Result<String> {
    let began = Instant::now();
    let mut worst = 0.0_f64;
    let mut requests = 0;
    while began.elapsed() < length {
        let callers: Vec<_> = (0..SILENT_CALLERS)
            .filter_map(|_| UnixStream::connect(host.path("data/control.sock")).ok())
            .collect();
        let start = Instant::now();
        let mut admin = host.admin(&["invite", "list"]);
        let status = tokio::task::spawn_blocking(move || {
            admin.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).status()
        })
        .await??;
        requests += 1;
        worst = worst.max(if status.success() { millis_since(start) } else { f64::INFINITY });
        drop(callers);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(format!("{requests} commands of an admin, the slowest {worst:.0} ms"))
}
