//! A running program whose output is read as it comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{self, Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{WAIT_TIMEOUT, until};

/// Returns the arguments by which this binary runs one ignored test alone, as the program of another test.
pub fn run_alone<F: Fn()>(_: F) -> [&'static str; 5] {
    let (_, name) = std::any::type_name::<F>().split_once("::").expect("a path");
    [name, "--exact", "--ignored", "--nocapture", "--test-threads=1"]
}

/// Runs a command to its end, with this on standard input.
#[track_caller]
pub fn run_to_end(command: &mut Command, input: &[u8]) -> process::Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    thread::scope(|scope| {
        // A program that fails early does not read: a broken pipe is expected.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().expect("it ends")
    })
}

/// A child process. Dropping it kills it.
pub struct Process {
    child: Child,
    leads_group: bool,
    stdin: Option<ChildStdin>,
    output: Arc<Output>,
}

/// Output of the process so far, of both streams.
#[derive(Default)]
struct Output {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: Vec<String>,
    streams_ended: usize,
}

impl Process {
    /// Starts a command. Reads those of its output streams that are pipes.
    #[track_caller]
    pub fn spawn(command: Command) -> Self {
        Self::start(command, false)
    }

    /// Starts a program that starts others, as a shell does, in a process group of its own. All of them end with it.
    #[track_caller]
    pub fn spawn_group(mut command: Command) -> Self {
        command.process_group(0);
        Self::start(command, true)
    }

    #[track_caller]
    fn start(mut command: Command, leads_group: bool) -> Self {
        let mut child = command.spawn().expect("parlour starts");
        let output = Arc::new(Output::default());
        match child.stdout.take() {
            Some(stdout) => output.collect_lines(stdout),
            None => output.lock().streams_ended += 1,
        }
        match child.stderr.take() {
            Some(stderr) => output.collect_lines(stderr),
            None => output.lock().streams_ended += 1,
        }
        Self { stdin: child.stdin.take(), child, leads_group, output }
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes a line to its standard input, which must be piped.
    #[track_caller]
    pub fn type_line(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("a piped standard input");
        writeln!(stdin, "{line}").expect("the program reads");
    }

    /// Closes its standard input.
    pub fn end_input(&mut self) {
        self.stdin = None;
    }

    /// Waits until a line of the output matches, and returns it.
    #[track_caller]
    pub fn wait_for_line(&self, matches: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + WAIT_TIMEOUT;
        let mut seen = 0;
        let mut state = self.output.lock();
        loop {
            if let Some(found) = state.lines[seen..].iter().find(|line| matches(line)) {
                return found.clone();
            }
            seen = state.lines.len();
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                state.streams_ended < 2 && !left.is_zero(),
                "the program did not print what was expected:\n{}",
                state.lines.join("\n")
            );
            (state, _) =
                self.output.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Returns everything printed so far.
    pub fn printed(&self) -> String {
        self.output.lock().lines.join("\n")
    }

    /// Kills it with SIGKILL.
    pub fn kill9(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("its status");
    }

    /// Sends it a signal by name.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(status.success(), "{kill}");
    }

    /// Waits for the process to end by itself, and for the end of its output.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        until(
            || {
                status = self.child.try_wait().expect("its status");
                status.is_some()
            },
            || "the program does not end".to_owned(),
        );
        let mut state = self.output.lock();
        while state.streams_ended < 2 {
            state = self.output.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        status.expect("it has ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- what process {} printed ---\n{}", self.pid(), self.printed());
        }
        if self.leads_group {
            let group = Pid::from_child(&self.child);
            let _ = kill_process_group(group, Signal::KILL);
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes lines from a stream until it ends.
    fn collect_lines(self: &Arc<Self>, stream: impl Read + Send + 'static) {
        let output = Arc::clone(self);
        thread::spawn(move || {
            for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                output.lock().lines.push(String::from_utf8_lossy(&line).into_owned());
                output.changed.notify_all();
            }
            output.lock().streams_ended += 1;
            output.changed.notify_all();
        });
    }
}
