//! The server under test: `parlour serve` in a temporary folder, with the default limits and costs.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use parlour::trust::Pin;
use rustix::process::{Pid as ProcessId, Signal, kill_process};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tempfile::TempDir;

use crate::client::PASSWORD;

/// Members that send messages to `#load`.
pub const MEMBERS: usize = 20;
/// Silent members of `#crowd`.
pub const CROWD: usize = 300;
/// Accounts that measure the echo: with eight messages a second each, a phase of five seconds has 1,200.
pub const PROBES: usize = 30;
/// Accounts of attackers: one for each attack by an account, since what one has spent counts against it afterwards.
pub const ATTACKERS: usize = 8;

/// Accounts that the visitor logs in to in turn: a password that is typed again and again is remembered, and a login is
/// then no measure of a check.
pub const VISITORS: usize = 20;

/// Returns every account that a run needs.
pub fn accounts() -> Vec<String> {
    let numbered = |prefix: &'static str, count| (0..count).map(move |n| format!("{prefix}{n}"));
    numbered("member", MEMBERS)
        .chain(numbered("crowd", CROWD))
        .chain(numbered("probe", PROBES))
        .chain(numbered("mallory", ATTACKERS))
        .chain(numbered("visitor", VISITORS))
        .chain(["checker".to_owned()])
        .collect()
}

/// The server under test, where it is not the one that was built with this program.
pub static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// A server process and its folder.
pub struct Host {
    folder: TempDir,
    pub address: SocketAddr,
    pub pin: String,
    child: Child,
    /// While set, the server's log is not read.
    log_stalled: Arc<AtomicBool>,
    /// While set, the reading end of the server's log is closed.
    log_closed: Arc<AtomicBool>,
    unexpected_ends: usize,
}

impl Host {
    /// Makes the accounts and starts the server on a free port of the loopback.
    pub fn start(names: &[String]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("parlour-soak-").tempdir()?;
        let rows: String = names.iter().flat_map(|name| [name.as_str(), ",", PASSWORD, "\n"]).collect();
        std::fs::write(folder.path().join("people.csv"), rows)?;
        if !command(folder.path(), &["user", "import", "people.csv"], false)
            .stdout(Stdio::null())
            .status()?
            .success()
        {
            bail!("the accounts could not be imported");
        }
        let (stalled, deaf) = (Arc::default(), Arc::default());
        let (child, address) = spawn(folder.path(), "127.0.0.1:0", &stalled, &deaf)?;
        let root = CertificateDer::from_pem_file(folder.path().join("certs/root.pem")).context("the root")?;
        let pin = Pin::from_certificate(&root).context("the pin of the root")?.to_string();
        Ok(Self { folder, address, pin, child, log_stalled: stalled, log_closed: deaf, unexpected_ends: 0 })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns an administration command in the server's folder.
    pub fn admin(&self, args: &[&str]) -> Command {
        command(self.folder.path(), args, false)
    }

    /// Returns the resident memory in MiB.
    pub fn memory_mib(&self) -> f64 {
        resident_mib(self.pid()).unwrap_or(0.0)
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(ProcessId::from_raw).context("a process id")?;
        Ok(kill_process(pid, signal)?)
    }

    pub fn stall_log(&self, stalled: bool) {
        self.log_stalled.store(stalled, Ordering::Relaxed);
    }

    /// Closes the reading end of the server's log permanently.
    pub fn close_log(&self) {
        self.log_closed.store(true, Ordering::Relaxed);
    }

    /// Kills the server with SIGKILL, and starts it again at its address.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            self.unexpected_ends += 1;
            eprintln!("soak: the server had ended by itself: {status}");
        } else {
            self.signal(Signal::KILL)?;
            let status = self.child.wait()?;
            if status.signal() != Some(9) {
                self.unexpected_ends += 1;
            }
        }
        self.log_closed = Arc::default();
        self.log_stalled = Arc::default();
        let address = self.address.to_string();
        self.child = spawn(self.folder.path(), &address, &self.log_stalled, &self.log_closed)?.0;
        Ok(())
    }

    /// Restarts the server if it ended by itself, and counts that.
    pub fn restart_if_ended(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() { self.kill_and_restart() } else { Ok(()) }
    }

    /// Returns the count of unexpected ends.
    pub fn unexpected_ends(&mut self) -> usize {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            self.unexpected_ends += 1;
        }
        self.unexpected_ends
    }

    /// Stops the server with SIGTERM.
    pub fn stop(mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            self.signal(Signal::TERM)?;
            self.child.wait()?;
        }
        Ok(())
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // After an orderly stop it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the resident memory of a process in MiB.
pub fn resident_mib(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1024.0)
}

/// Priority of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    Low,
    Usual,
    /// For root only; for other users the usual one.
    High,
}

/// Returns a command that runs on one processor, if the machine has two, with a priority.
pub fn pinned_command(program: &Path, cpu: &str, priority: Priority) -> Command {
    let is_root = rustix::process::getuid().is_root();
    let nice: &[&str] = match priority {
        Priority::Low => &["nice", "-n", "19"],
        Priority::High if is_root => &["nice", "-n", "-10"],
        Priority::High | Priority::Usual => &[],
    };
    let taskset: &[&str] = match std::thread::available_parallelism().map_or(1, Into::into) {
        0 | 1 => &[],
        _ => &["taskset", "-c", cpu],
    };
    let program = program.as_os_str();
    let mut words = taskset.iter().chain(nice).map(std::ffi::OsStr::new).chain([program]);
    let mut command = Command::new(words.next().unwrap_or(program));
    command.args(words);
    command
}

fn command(folder: &Path, args: &[&str], server: bool) -> Command {
    let program = PROGRAM.get().map_or(Path::new(env!("CARGO_BIN_EXE_parlour")), PathBuf::as_path);
    let mut command =
        if server { pinned_command(program, "0", Priority::Usual) } else { Command::new(program) };
    command
        .args(args)
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("NO_COLOR", "1")
        .env("PARLOUR_DISCOVERY", "off")
        .env_remove("RUST_LOG")
        .stdin(Stdio::null());
    command
}

fn spawn(
    folder: &Path,
    address: &str,
    stalled: &Arc<AtomicBool>,
    deaf: &Arc<AtomicBool>,
) -> Result<(Child, SocketAddr)> {
    let mut command = command(folder, &["serve", "--listen", address], true);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let stderr = child.stderr.take().context("a pipe")?;
    let (listening, listens) = mpsc::channel();
    let (stalled, deaf) = (stalled.clone(), deaf.clone());
    std::thread::spawn(move || read_log(stderr, &listening, &stalled, &deaf));
    let address = listens.recv_timeout(Duration::from_mins(2)).context("the server does not listen")?;
    Ok((child, address))
}

fn read_log(
    stderr: ChildStderr,
    listening: &mpsc::Sender<SocketAddr>,
    stalled: &AtomicBool,
    deaf: &AtomicBool,
) {
    let mut log = BufReader::new(stderr);
    let mut line = String::new();
    loop {
        while stalled.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
        line.clear();
        if deaf.load(Ordering::Relaxed) || !matches!(log.read_line(&mut line), Ok(1..)) {
            return;
        }
        if line.contains("WARN") || line.contains("ERROR") || line.contains("panicked") {
            eprint!("  server: {line}");
        }
        if let Some(address) =
            line.split_whitespace().find_map(|word| word.trim_matches(|c| "=\",".contains(c)).parse().ok())
            && line.contains("listening")
        {
            // Only the first address is waited for.
            let _ = listening.send(address);
        }
    }
}

/// Waits until a condition holds, for at most two minutes.
pub async fn wait_until(description: &str, mut condition: impl FnMut() -> bool) -> Result<()> {
    let began = Instant::now();
    while !condition() {
        if began.elapsed() > Duration::from_mins(2) {
            bail!("{description} did not happen within two minutes");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
