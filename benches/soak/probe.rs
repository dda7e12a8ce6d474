//! Probes of the echo, in a process of their own, so that the load does not slow down the measurement.
//!
//! The process prints a line for each echo, and for each time that it was itself woken late: that is the time for which
//! the measurement waited for the processor, which is no delay of the server.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::task::JoinSet;

use crate::client::{Client, Dialer, REPLY_TIMEOUT};
use crate::load::{BACKOFF, CAPS, Load};
use crate::millis_since;
use crate::server::{Host, PROBES, Priority, pinned_command};

/// Time between two messages of a probe; the default limit of an account is ten a second.
const ECHO_INTERVAL: Duration = Duration::from_millis(125);

/// Interval at which a timer's delay is measured.
const TICK_INTERVAL: Duration = Duration::from_millis(20);

/// The probe process, which ends when this is dropped.
pub struct Probes(Child);

impl Drop for Probes {
    fn drop(&mut self) {
        // The process may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the process, and adds its measurements to those of the load.
pub fn spawn(host: &Host, load: &Arc<Load>) -> Result<Probes> {
    let program = std::env::current_exe()?;
    let mut command = pinned_command(&program, "1", Priority::High);
    command
        .args(["probe", "--address", &host.address.to_string(), "--pin", &host.pin])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().context("the probes")?;
    let stdout = child.stdout.take().context("a pipe")?;
    let load = load.clone();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let Some((kind, value)) = line.split_once(' ') else { continue };
            let Ok(value) = value.parse::<f64>() else { continue };
            match kind {
                "echo" => load.samples.lock().echo.push(value),
                "late" => load.samples.lock().late.push(value),
                _ => drop(load.disconnects.fetch_add(1, Ordering::Relaxed)),
            }
        }
    });
    Ok(Probes(child))
}

/// Runs the probes in this process, until it is killed or its output is closed.
pub async fn run(dialer: Dialer) -> Result<()> {
    let mut tasks = JoinSet::new();
    for number in 0..PROBES {
        let dialer = dialer.clone();
        tasks.spawn(async move {
            let name = format!("probe{number}");
            let last = u8::try_from(100 + number % 100).unwrap_or(100);
            // At different moments.
            tokio::time::sleep(
                ECHO_INTERVAL / u32::try_from(PROBES).unwrap_or(1) * u32::try_from(number).unwrap_or(0),
            )
            .await;
            loop {
                if let Ok(mut client) = dialer.login(last, &name, CAPS).await {
                    let _ = measure_echo(&mut client, &name).await;
                    print_sample("lost", 0.0);
                }
                tokio::time::sleep(BACKOFF).await;
            }
        });
    }
    loop {
        let began = Instant::now();
        tokio::time::sleep(TICK_INTERVAL).await;
        print_sample("late", millis_since(began) - TICK_INTERVAL.as_secs_f64() * 1000.0);
    }
}

fn print_sample(kind: &str, value: f64) {
    if writeln!(std::io::stdout(), "{kind} {value:.3}").is_err() {
        std::process::exit(0);
    }
}

/// Sends messages to itself and waits for each echo.
async fn measure_echo(client: &mut Client, name: &str) -> Result<()> {
    for count in 1_usize.. {
        let (sent, label) = (Instant::now(), count.to_string());
        client.send(&format!("@label={label} PRIVMSG {name} :echo {count}\r\n")).await?;
        let answer = async {
            loop {
                let line = client.next_line().await?;
                match line.command.as_str() {
                    "PING" => client.answer_ping(&line).await?,
                    "ERROR" => bail!("closed: {}", line.text()),
                    _ if line.tag("label") == Some(&label) => return Ok(()),
                    _ => {}
                }
            }
        };
        let answered = tokio::time::timeout(REPLY_TIMEOUT, answer).await;
        print_sample("echo", millis_since(sent));
        answered??;
        tokio::time::sleep(ECHO_INTERVAL.saturating_sub(sent.elapsed())).await;
    }
    Ok(())
}
