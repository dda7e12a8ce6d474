//! A running `parlour serve`.

use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitStatus};

use parlour::trust::Pin;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::{Home, Process, until};

/// A server process. Dropping it kills it.
pub struct Server {
    /// Folder that it runs in; can start another server once this one has ended.
    pub home: Home,
    /// Address that it listens on.
    pub address: SocketAddr,
    process: Process,
}

impl Server {
    /// Starts a command that becomes a server, and waits until it listens.
    #[track_caller]
    pub fn spawn(home: Home, command: Command) -> Self {
        Self::of_process(home, Process::spawn(command))
    }

    /// Starts a command that becomes a server and starts others, all of which are killed with it.
    #[track_caller]
    pub fn spawn_group(home: Home, command: Command) -> Self {
        Self::of_process(home, Process::spawn_group(command))
    }

    #[track_caller]
    fn of_process(home: Home, process: Process) -> Self {
        let line = process.wait_for_line(|line| line.contains("listening"));
        let address = address_in(&line).unwrap_or_else(|| panic!("no address in {line:?}"));
        Self { home, address, process }
    }

    /// Starts a command that becomes a server at this address and whose output cannot be read, and waits until it
    /// listens.
    #[track_caller]
    pub fn spawn_with_hidden_output(home: Home, command: Command, address: SocketAddr) -> Self {
        let process = Process::spawn(command);
        until(|| TcpStream::connect(address).is_ok(), || format!("nobody listens at {address}"));
        Self { home, address, process }
    }

    /// Returns the pin of the server's root, read from the file.
    pub fn pin(&self) -> Pin {
        let root = CertificateDer::from_pem_file(self.home.path("certs/root.pem")).expect("the root");
        Pin::from_certificate(&root).expect("the pin of the root")
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Waits until a line of the log matches, and returns it.
    #[track_caller]
    pub fn wait_for_log(&self, matches: impl Fn(&str) -> bool) -> String {
        self.process.wait_for_line(matches)
    }

    /// Returns everything logged so far.
    pub fn log(&self) -> String {
        self.process.printed()
    }

    /// Kills it with SIGKILL.
    pub fn kill9(&mut self) {
        self.process.kill9();
    }

    /// Ends it, changes one row of its database, and starts it again at the same address.
    #[track_caller]
    pub fn with_changed_row(self, sql: &str) -> Self {
        let (home, address) = (self.home.clone(), self.address.to_string());
        self.terminate();
        assert_eq!(home.database().execute(sql, []), Ok(1), "{sql}");
        home.serve_at(&address)
    }

    /// Ends it as a service manager does (SIGTERM). Returns its status and its log.
    #[track_caller]
    pub fn terminate(mut self) -> (ExitStatus, String) {
        self.signal("TERM");
        (self.wait(), self.log())
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Waits for the process to end by itself.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// Returns the metric of this name and these labels; 0 if it was never counted.
    pub fn metric(&self, name: &str) -> u64 {
        let counted = self.home.succeed(&["metrics"]);
        let line = counted.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |number| number.parse().expect("a number"))
    }

    /// Waits until the value of a metric matches.
    #[track_caller]
    pub fn wait_for_metric(&self, name: &str, is: impl Fn(u64) -> bool) {
        until(|| is(self.metric(name)), || format!("{name} is {}", self.metric(name)));
    }

    /// Returns the count of connections that it has accepted.
    pub fn connections(&self) -> u64 {
        self.metric("parlour_connections_total")
    }

    /// Returns its resident memory in KiB.
    pub fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc");
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("VmRSS");
        line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).expect("a number")
    }
}

/// Returns the first socket address in a line of text.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split(|c: char| c.is_whitespace() || "=\",;()".contains(c)).find_map(|word| word.parse().ok())
}
