//! A folder for one server: its configuration, certificates and data.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::{PASSWORD, Process, Server, assert_success, run_to_end};

/// A working directory that `parlour` runs in. Clones share the folder; the last one removes it.
#[derive(Clone)]
pub struct Home(Arc<TempDir>);

impl Home {
    /// Makes an empty home. Its configuration has cheap password hashes, no flood limits, and these lines.
    pub fn new(config: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("parlour-test-").tempdir().expect("a temporary folder");
        let base = ["passwords.memory_kib = 8", "passwords.iterations = 1", "limits.flood = false"];
        let mut text = String::new();
        for line in base.iter().filter(|line| !config.iter().any(|c| is_same_key(c, line))).chain(config) {
            writeln!(text, "{line}").expect("a string");
        }
        fs::write(folder.path().join("parlour.toml"), text).expect("parlour.toml");
        Self(Arc::new(folder))
    }

    /// Makes a home with the accounts alice, bob and carol, who share [`PASSWORD`].
    pub fn with_accounts(config: &[&str]) -> Self {
        let home = Self::new(config);
        home.import(&["alice", "bob", "carol"]);
        home
    }

    /// Makes accounts, all with [`PASSWORD`].
    pub fn import(&self, names: &[&str]) {
        let rows: String = names.iter().flat_map(|name| [name, ",", PASSWORD, "\n"]).collect();
        fs::write(self.path("people.csv"), format!("name,password\n{rows}")).expect("people.csv");
        self.succeed(&["user", "import", "people.csv"]);
    }

    /// Returns a path in this home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Opens the database, which other processes may have open too.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("data/parlour.db")).expect("the database")
    }

    /// Returns the number that a query selects.
    pub fn count(&self, query: &str) -> i64 {
        self.database().query_row(query, [], |row| row.get(0)).expect(query)
    }

    /// Returns a command of the binary, to be run in this home with the home's own user configuration.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_parlour"));
        self.configure(&mut command).args(args);
        command
    }

    /// Makes any command run in this home.
    pub fn configure<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(self.0.path())
            .env("HOME", self.0.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("NO_COLOR", "1")
            // No test searches a real network; those in a network of their own enable it again.
            .env("PARLOUR_DISCOVERY", "off")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
    }

    /// Runs the binary to its end, with this text on standard input.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Output {
        run_to_end(&mut self.command(args), input.as_bytes())
    }

    /// Runs the binary to its end, with `person`'s own user configuration and this text on standard input.
    #[track_caller]
    pub fn run_as(&self, user: &str, args: &[&str], input: &str) -> Output {
        let mut command = self.command(args);
        command.env("XDG_CONFIG_HOME", self.path(user)).env("TZ", "UTC");
        run_to_end(&mut command, input.as_bytes())
    }

    /// Joins a new account on `person`'s machine, with [`PASSWORD`]. Returns the output.
    #[track_caller]
    pub fn join(&self, user: &str) -> String {
        let link = self.invite(&[]);
        let args = ["join", &link, "--name", user, "--password-stdin"];
        assert_success(&self.run_as(user, &args, &format!("{PASSWORD}\n")))
    }

    /// Runs the binary to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("parlour starts")
    }

    /// Runs the binary, which must succeed. Returns its standard output.
    #[track_caller]
    pub fn succeed(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "parlour {args:?}: {output:?}");
        String::from_utf8(output.stdout).expect("UTF-8 on stdout")
    }

    /// Runs the binary, which must fail. Returns its standard error.
    #[track_caller]
    pub fn fail(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "parlour {args:?}: {output:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "", "a failure prints no result");
        String::from_utf8(output.stderr).expect("UTF-8 on stderr")
    }

    /// Starts the server on a free port of the loopback.
    #[track_caller]
    pub fn serve(&self) -> Server {
        self.serve_at("127.0.0.1:0")
    }

    /// Starts the server on an address.
    #[track_caller]
    pub fn serve_at(&self, address: &str) -> Server {
        Server::spawn(self.clone(), self.command(&["serve", "--listen", address]))
    }

    /// Starts the server on an address, with a log of each message.
    #[track_caller]
    pub fn serve_verbosely_at(&self, address: &str) -> Server {
        let mut command = self.command(&["serve", "--listen", address]);
        command.env("RUST_LOG", "debug");
        Server::spawn(self.clone(), command)
    }

    /// Starts the binary with a piped standard input, and with `user`'s own user configuration.
    #[track_caller]
    pub fn start_as_user(&self, user: &str, args: &[&str]) -> Process {
        let mut command = self.command(args);
        command.env("XDG_CONFIG_HOME", self.path(user)).stdin(Stdio::piped());
        Process::spawn(command)
    }

    /// Makes an invite and returns its link.
    #[track_caller]
    pub fn invite(&self, args: &[&str]) -> String {
        let printed = self.succeed(&[&["invite", "create"], args].concat());
        printed.lines().last().expect("the link is the last line").to_owned()
    }
}

fn is_same_key(a: &str, b: &str) -> bool {
    let key = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
    key(a) == key(b)
}
