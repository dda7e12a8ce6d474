//! A running `parlour serve`.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use parlour::trust::Pin;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::{Home, PATIENCE};

/// A server process. Dropping it kills it.
pub struct Server {
    /// Where it runs; can start another server once this one is gone.
    pub home: Home,
    /// The address that it listens on.
    pub address: SocketAddr,
    child: Child,
    log: Arc<Log>,
}

/// What the server has printed so far, on both streams.
#[derive(Default)]
struct Log {
    state: Mutex<LogState>,
    changed: Condvar,
}

#[derive(Default)]
struct LogState {
    lines: Vec<String>,
    streams_ended: usize,
}

impl Server {
    /// Starts a command that becomes a server and waits until it listens.
    #[track_caller]
    pub fn spawn(home: Home, mut command: Command) -> Self {
        let mut child = command.spawn().expect("parlour starts");
        let log = Arc::new(Log::default());
        log.follow(child.stdout.take().expect("a pipe"));
        log.follow(child.stderr.take().expect("a pipe"));
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut server = Self { home, address: unknown, child, log };
        let line = server.wait_for_log(|line| line.contains("listening"));
        server.address = address_in(&line).unwrap_or_else(|| panic!("no address in {line:?}"));
        server
    }

    /// The pin of the server's root, read from the file as an outsider would.
    pub fn pin(&self) -> Pin {
        let root = CertificateDer::from_pem_file(self.home.path("certs/root.pem")).expect("the root");
        Pin::of_certificate(&root).expect("the pin of the root")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a line of the log matches, and returns it.
    #[track_caller]
    pub fn wait_for_log(&self, matches: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = 0;
        let mut state = self.log.lock();
        loop {
            if let Some(found) = state.lines[seen..].iter().find(|line| matches(line)) {
                return found.clone();
            }
            seen = state.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                state.streams_ended < 2 && !left.is_zero(),
                "the server did not log what was expected:\n{}",
                state.lines.join("\n")
            );
            (state, _) = self.log.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        self.log.lock().lines.join("\n")
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("its status");
    }

    /// Ends it as a service manager would (SIGTERM); how it ended, and all that it logged.
    #[track_caller]
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        let status = self.wait();
        (status, self.log.ended())
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(status.success(), "{kill}");
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not end:\n{}", self.log());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Its resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("/proc");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server's log ---\n{}", self.log());
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Log {
    fn lock(&self) -> std::sync::MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes lines from a stream until it ends.
    fn follow(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        let log = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                log.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                log.changed.notify_all();
            }
            log.lock().streams_ended += 1;
            log.changed.notify_all();
        });
    }

    /// The whole log of a process that has ended.
    fn ended(&self) -> String {
        let mut state = self.lock();
        while state.streams_ended < 2 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.lines.join("\n")
    }
}

/// The first socket address in a line of text.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split(|c: char| c.is_whitespace() || "=\",;()".contains(c)).find_map(|word| word.parse().ok())
}
