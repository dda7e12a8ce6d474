//! The change from a running server to a new one: what each of the two processes does about the other.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use parking_lot::Mutex;
use tokio::time::{Instant, interval, sleep};
use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use crate::platform::control;
use crate::platform::files::{self, FileId};
use crate::platform::service_manager::{self, PassedSocket};
use crate::platform::signals;
use crate::server::admin::control::{ControlError, Successor, Takeover};
use crate::server::wait_for_last_lines;
use crate::store::{Store, StoreError};

/// The option by which a server takes over.
const OPTION: &str = "--takeover";

/// Time limit for another program that uses the data folder when the former server has left it: a command of the
/// administration does for some milliseconds.
const UNLOCK_TIMEOUT: Duration = Duration::from_secs(10);
const UNLOCK_RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Time limit for a new server to answer. It may have to bring a large database up to date first.
const START_TIMEOUT: Duration = Duration::from_mins(15);

/// Interval at which a new program is looked at that may end before it asks for the sockets.
const CHILD_INTERVAL: Duration = Duration::from_millis(100);

/// Asks the running server for its listening sockets. Returns `None` if there is no such server.
pub fn begin(data: &Path) -> anyhow::Result<Option<(Takeover, Vec<PassedSocket>)>> {
    ensure!(
        control::PASSES_SOCKETS,
        "a running server cannot pass on its listening sockets on this system; stop it, then start this one"
    );
    match Takeover::begin(data) {
        Ok(None) => {
            info!("no server runs on {}: nothing to take over", data.display());
            Ok(None)
        }
        Ok(begun) => Ok(begun),
        Err(error @ ControlError::Failed(_)) => {
            Err(error).context("the running server is not taken over, and goes on")
        }
        Err(error @ ControlError::Io(_)) => bail!(
            "the server that runs on {} is not taken over: {error}; run this as the user that it runs as",
            data.display()
        ),
    }
}

/// Asks the running server to end, and opens the store after it has closed that.
pub fn release(mut takeover: Takeover, data: &Path) -> anyhow::Result<(Store, Takeover)> {
    takeover.release().context("the running server did not end in order; try again")?;
    let deadline = Instant::now() + UNLOCK_TIMEOUT;
    loop {
        match Store::open(data) {
            Err(StoreError::InUse { .. }) if Instant::now() < deadline => {
                std::thread::sleep(UNLOCK_RETRY_INTERVAL);
            }
            opened => return Ok((opened?, takeover)),
        }
    }
}

/// Tells the former server that this one answers.
pub fn complete(takeover: Takeover) {
    match takeover.complete() {
        Ok(()) => info!("this server has taken over"),
        Err(error) => warn!("this server has taken over, but the former one cannot be told: {error}"),
    }
}

/// A server that has left the data folder and its sockets to another one.
pub struct TakenOver {
    pub successor: Successor,
    /// The connections that still send their last lines.
    pub connections: TaskTracker,
}

/// Waits until the new server answers, while a service manager is told that all is well, and then until the connections
/// have ended. Returns false if the new server has ended, so that this one is to serve again.
pub async fn wait_for_successor(taken_over: TakenOver) -> anyhow::Result<bool> {
    let TakenOver { successor, connections } = taken_over;
    let pid = successor.pid;
    let change_process = move || {
        if let Some(pid) = pid
            && let Err(error) = service_manager::notify_main_process(pid)
        {
            warn!(%error, "cannot tell the service manager of the new process");
        }
    };
    let stop = signals::wait_for_stop()?;
    tokio::select! {
        answers = successor.hand_over(change_process) => {
            if answers {
                wait_for_last_lines(&connections).await;
            }
            Ok(answers)
        }
        // The new server is stopped by whoever stops this one.
        () = stop => Ok(true),
        () = sleep(START_TIMEOUT) => bail!(
            "the new server does not answer after {} minutes; stop it and start one",
            START_TIMEOUT.as_secs() / 60
        ),
        () = report_alive() => Ok(false),
    }
}

/// Reports to the service manager as a server does. Never returns.
async fn report_alive() {
    let Some(timeout) = service_manager::watchdog_timeout() else { return std::future::pending().await };
    let mut ticks = interval(timeout / 2);
    loop {
        ticks.tick().await;
        // The next report follows soon.
        let _ = service_manager::notify_alive();
    }
}

/// Servers that may take over from this one, and the one that it has started itself.
#[derive(Clone)]
pub struct Successors(Arc<SuccessorState>);

struct SuccessorState {
    /// The file of the program, if it is known.
    program: Option<Program>,
    /// The new program that was started last, until it has ended.
    started: Mutex<Option<Child>>,
}

/// The file of a program.
struct Program {
    path: PathBuf,
    id: FileId,
}

impl Successors {
    /// Remembers the file of this program. To be called at the start, before that is replaced.
    pub fn of_this_program() -> Self {
        let program = env::current_exe().and_then(|path| Ok(Program { id: files::identity(&path)?, path }));
        Self(Arc::new(SuccessorState { program: program.ok(), started: Mutex::new(None) }))
    }

    /// Decides whether the process with this id may take over. Where a service manager waits for the reports of this one,
    /// it would take the end of this process for that of the service, unless the new one belongs to the service.
    pub fn may_take_over(&self, pid: Option<u32>) -> Result<(), String> {
        if std::process::id() == 1 {
            return Err("the container ends with this server; start another container instead".to_owned());
        }
        let started = self.0.started.lock().as_ref().map(Child::id);
        if !service_manager::is_present() || (pid.is_some() && pid == started) {
            return Ok(());
        }
        Err("a service manager runs this server, and would not know the new one: have it reload the service \
             (`systemctl reload parlour`) once the file of the program is replaced"
            .to_owned())
    }

    /// Returns whether a reload is to start a new program: its file was replaced, and a service manager knows how the
    /// process of a service changes.
    pub fn program_was_replaced(&self) -> bool {
        let is_other = |program: &Program| files::identity(&program.path).is_ok_and(|id| id != program.id);
        service_manager::is_present() && self.0.program.as_ref().is_some_and(is_other)
    }

    /// Starts the new program in this one's place, as it was started. It takes over by itself.
    pub fn start(&self) -> io::Result<()> {
        let Some(program) = &self.0.program else { return Err(io::ErrorKind::NotFound.into()) };
        let arguments: Vec<_> = env::args_os().skip(1).collect();
        let mut command = Command::new(&program.path);
        command.args(&arguments).stdin(Stdio::null());
        if !arguments.iter().any(|argument| argument == OPTION) {
            command.arg(OPTION);
        }
        service_manager::watch_child(&mut command);
        let mut started = self.0.started.lock();
        if let Some(mut former) = started.take() {
            // It has not taken over, and this one is newer.
            let _ = former.kill();
            let _ = former.wait();
        }
        let child = command.spawn()?;
        info!(pid = child.id(), "the program was replaced: starting {}", program.path.display());
        *started = Some(child);
        Ok(())
    }

    /// Waits until the program that was started last ends although this server still runs. Cancel safe.
    pub async fn started_one_ended(&self) -> io::Result<ExitStatus> {
        loop {
            sleep(CHILD_INTERVAL).await;
            let mut started = self.0.started.lock();
            match started.as_mut().map(Child::try_wait) {
                None | Some(Ok(None)) => {}
                Some(Ok(Some(status))) => {
                    *started = None;
                    return Ok(status);
                }
                Some(Err(error)) => {
                    *started = None;
                    return Err(error);
                }
            }
        }
    }
}
