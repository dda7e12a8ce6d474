//! A private local network for a test: two network namespaces with a cable between them, which end with the test.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::{Home, Server, skipped};

/// Two machines on a network of their own. Their processes belong to the test.
pub struct Lan {
    machines: [Machine; 2],
}

/// A network namespace, held by a process that waits for the end of its standard input.
struct Machine {
    namespace_holder: Child,
    pid: u32,
}

impl Lan {
    /// Prefix of the addresses: `10.77.0.1` is the first machine, `10.77.0.2` the second.
    pub const PREFIX: &str = "10.77.0.";

    /// Makes the network. Returns `None` and reports a skipped test where the machine does not allow that.
    #[track_caller]
    pub fn new() -> Option<Self> {
        let made = Self::try_new();
        if let Err(why) = &made {
            skipped(format_args!("no network namespaces: {why}"));
        }
        made.ok()
    }

    fn try_new() -> Result<Self, String> {
        let mut unshare = Command::new("unshare");
        let first = Machine::start(unshare.args(["--user", "--map-root-user", "--net"]))?;
        // In the same user namespace, so that both may configure the cable.
        let mut nsenter = Command::new("nsenter");
        let second =
            Machine::start(first.enter_namespaces(&mut nsenter, &["--user"]).args(["unshare", "--net"]))?;
        let lan = Self { machines: [first, second] };
        lan.ip(0, &format!("link add lan type veth peer name lan netns {}", lan.machines[1].pid))?;
        for (machine, host) in [(0, 1), (1, 2)] {
            lan.ip(machine, "link set lo up")?;
            lan.ip(machine, "link set lan up")?;
            lan.ip(machine, &format!("addr add {}{host}/24 dev lan", Self::PREFIX))?;
        }
        Ok(lan)
    }

    /// Runs `ip` on a machine.
    pub fn ip(&self, machine: usize, args: &str) -> Result<(), String> {
        let mut command = Command::new("nsenter");
        let output = self.machines[machine].enter_namespaces(&mut command, &["--user", "--net"]).arg("ip");
        let output = output.args(args.split(' ')).output().map_err(|error| format!("nsenter: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("ip {args}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    }

    /// Returns a command of a program on a machine, in a home, which may search this network.
    pub fn command(&self, machine: usize, home: &Home, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        home.configure(&mut command).env_remove("PARLOUR_DISCOVERY");
        self.machines[machine].enter_namespaces(&mut command, &["--user", "--net"]).arg(program).args(args);
        command
    }

    /// Returns a command of the binary on a machine.
    pub fn parlour(&self, machine: usize, home: &Home, args: &[&str]) -> Command {
        self.command(machine, home, env!("CARGO_BIN_EXE_parlour"), args)
    }

    /// Starts a server on a machine.
    #[track_caller]
    pub fn serve(&self, machine: usize, home: &Home, args: &[&str]) -> Server {
        Server::spawn(home.clone(), self.parlour(machine, home, &[&["serve"], args].concat()))
    }
}

impl Machine {
    fn start(command: &mut Command) -> Result<Self, String> {
        let command = command.args(["sh", "-c", "echo $$; exec cat"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut holder = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("text");
        if let Ok(pid) = line.trim().parse() {
            return Ok(Self { namespace_holder: holder, pid });
        }
        drop(holder.stdin.take());
        let output = holder.wait_with_output().expect("it ends");
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    /// Makes a command run in namespaces of this machine.
    fn enter_namespaces<'a>(&self, nsenter: &'a mut Command, namespaces: &[&str]) -> &'a mut Command {
        let target = format!("--target={}", self.pid);
        nsenter.arg(target).args(namespaces).args(["--preserve-credentials", "--"])
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.namespace_holder.kill());
        drop(self.namespace_holder.wait());
    }
}
