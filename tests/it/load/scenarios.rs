//! The scenarios in miniature, against a real server.

use clap::{FromArgMatches as _, Subcommand as _};
use serde_json::Value;

use super::generator::{self, Outcome, Scenario};
use crate::support::{Home, Server};

/// Accounts of the generator's clients.
const NAMES: [&str; 4] = ["load0", "load1", "load2", "load3"];

fn server() -> Server {
    let home = Home::new(&[]);
    home.import(&NAMES);
    home.serve()
}

/// Runs a scenario with these words and the server's address.
#[track_caller]
fn run(server: &Server, words: &str) -> Outcome {
    let (address, pid) = (server.address.to_string(), server.pid().to_string());
    let words = ["load"].into_iter().chain(words.split(' ')).chain(["--address", &address, "--pid", &pid]);
    let matches = Scenario::augment_subcommands(clap::Command::new("load")).get_matches_from(words);
    let scenario = Scenario::from_arg_matches(&matches).expect("a scenario");
    let outcome = generator::run(&scenario).expect("a result");
    assert!(outcome.faults.is_clean(), "{:?}", outcome.faults);
    outcome
}

#[track_caller]
fn number(outcome: &Outcome, key: &str) -> f64 {
    outcome.figures.get(key).and_then(Value::as_f64).unwrap_or_else(|| panic!("no {key} in {outcome:?}"))
}

#[test]
fn every_member_receives_what_was_sent() {
    let server = server();
    for words in [
        "fan-out --members 4 --senders 2 --window 4 --seconds 0.2",
        "rate --members 4 --senders 3 --rate 300 --seconds 0.2",
    ] {
        let outcome = run(&server, words);
        let (sent, received) = (number(&outcome, "sent"), number(&outcome, "received"));
        assert!(sent > 0.0 && received > 3.5 * sent, "{outcome:?}");
        assert_eq!(outcome.figures["has_echo"], true);
    }
}

#[test]
fn clients_log_in_by_each_proof() {
    let server = server();
    for proof in ["password", "device", "resumed"] {
        let outcome = run(&server, &format!("login --count 6 --clients 3 --concurrency 2 --proof {proof}"));
        assert!(number(&outcome, "login_p50_ms") > 0.0 && number(&outcome, "logins_per_s") > 0.0);
    }
    let outcome = run(&server, "herd --sessions 4 --per-channel 2 --proof device");
    assert!(number(&outcome, "return_p99_ms") > 0.0);
}

#[test]
fn echoes_and_memory_are_measured() {
    let server = server();
    assert!(number(&run(&server, "echo --clients 3 --seconds 0.2"), "echoes_per_s") > 0.0);
    assert!(number(&run(&server, "idle --sessions 4 --per-channel 2 --seconds 0.1"), "rss_mib") > 1.0);
    let outcome = run(&server, "memory --sessions 3 --senders 1 --seconds 0.2 --rest 0");
    assert!(number(&outcome, "rss_peak_mib") >= number(&outcome, "rss_with_sessions_mib"));
}
