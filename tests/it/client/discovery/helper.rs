//! Programs that a test runs on a machine of its network: this test binary again, with one of these ignored tests. They
//! do what `parlour` does not: impersonate a server, announce bad data, listen for goodbyes.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use mdns_sd::{DaemonEvent, IfKind, ServiceDaemon, ServiceEvent, ServiceInfo};
use parlour::trust::announcement::SERVICE_TYPE;
use parlour::trust::{certs, tls};
use rustls::{ServerConnection, Stream};
use rustls_pki_types::UnixTime;

use crate::support::{Home, Lan, Process, run_alone};

/// Starts a helper on a machine.
pub fn start(lan: &Lan, machine: usize, home: &Home, helper: impl Fn(), env: &[(&str, &str)]) -> Process {
    let program = std::env::current_exe().expect("this program");
    let program = program.to_str().expect("a path in UTF-8");
    let mut command = lan.command(machine, home, program, &run_alone(helper));
    command.env("HELPER", "1").envs(env.iter().copied());
    Process::spawn(command)
}

/// Returns a setting of a helper; `None` if it runs as an ordinary ignored test.
fn helper_variable(name: &str) -> Option<String> {
    std::env::var("HELPER").ok()?;
    std::env::var(name).ok()
}

fn mdns_daemon() -> ServiceDaemon {
    let daemon = ServiceDaemon::new().expect("mDNS");
    daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6]).expect("no loopback");
    daemon
}

fn announce(daemon: &ServiceDaemon, name: &str, host: &str, ip: &str, txt: &[(&str, String)]) {
    let events = daemon.monitor().expect("events");
    let service = ServiceInfo::new(SERVICE_TYPE, name, host, ip, 6697, txt).expect("a service");
    daemon.register(service).expect("registered");
    while !matches!(events.recv().expect("an event"), DaemonEvent::Announce(..)) {}
}

/// Poses as the server with the pin `PIN`, with keys of its own, and prints what clients send.
#[test]
#[ignore = "a program of the other tests"]
pub fn pose() {
    let (Some(pin), Some(ip)) = (helper_variable("PIN"), helper_variable("IP")) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let identity = certs::generate(folder.path(), &[], false, UnixTime::now()).expect("certificates");
    let config = tls::server_config(&identity);
    let listener = TcpListener::bind(format!("{ip}:6697")).expect("a port");
    let txt = [("txtvers", "1".to_owned()), ("name", "Den".to_owned()), ("pin", pin)];
    let daemon = mdns_daemon();
    announce(&daemon, "Den", "poser.local.", &ip, &txt);
    println!("\nposes");
    for stream in listener.incoming() {
        let (mut stream, config) = (stream.expect("a connection"), Arc::clone(&config));
        thread::spawn(move || {
            let mut tls = ServerConnection::new(config).expect("a TLS server");
            let mut said = Vec::new();
            let ended = Stream::new(&mut tls, &mut stream).read_to_end(&mut said);
            println!("it said {} bytes: {ended:?}", said.len());
        });
    }
}

/// Announces texts that would harm a program that prints them. Ends with its standard input.
#[test]
#[ignore = "a program of the other tests"]
pub fn lie() {
    let (Some(pin), Some(ip)) = (helper_variable("PIN"), helper_variable("IP")) else { return };
    let daemon = mdns_daemon();
    let record = |name: &str, pin: &str, version: &str| {
        [("txtvers", "1"), ("name", name), ("pin", pin), ("version", version)]
            .map(|(key, value)| (key, value.to_owned()))
    };
    for (index, txt) in [
        record("\u{1b}]0;owned\u{7}", &pin, "1"),
        record("two words", &pin, "1"),
        record("Pin", "not one\u{1b}[2J", "1"),
        record("gnp\u{202e}exe", &pin, "1\u{1b}[31m"),
    ]
    .iter()
    .enumerate()
    {
        announce(&daemon, &format!("\u{1b}[2J {index}"), &format!("liar-{index}.local."), &ip, txt);
    }
    println!("\nlies");
    thread::park();
}

/// Prints each announcement and each goodbye.
#[test]
#[ignore = "a program of the other tests"]
pub fn listen() {
    if helper_variable("HELPER").is_none() {
        return;
    }
    // After the output of the test harness.
    println!("\nlistens");
    let daemon = mdns_daemon();
    let events = daemon.browse(SERVICE_TYPE).expect("browsing");
    for event in events {
        match event {
            ServiceEvent::ServiceResolved(service) => {
                let old = service.get_property_val_str("old").unwrap_or("none");
                println!("here: {} old: {old}", service.fullname);
            }
            ServiceEvent::ServiceRemoved(_, name) => println!("gone: {name}"),
            _ => {}
        }
        std::io::stdout().flush().expect("written");
    }
}
