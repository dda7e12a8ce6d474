//! Commands before the login that do not belong to it: away status (`draft/pre-away`), and the server's features
//! (`draft/extended-isupport`).

use crate::support::{
    Client, Line, Server, commands, log_in_and_join, only_line, server, server_with, without_tags,
};

const AWAY_CAPABILITIES: &str = "away-notify draft/pre-away";

/// Logs in and sets this away status before.
#[track_caller]
fn log_in_with_away(server: &Server, name: &str, away: &str) -> Client {
    let mut client = Client::connect(server);
    client.begin_login(name, AWAY_CAPABILITIES);
    let answer = client.request(away);
    let wanted = if away == "AWAY" { "305" } else { "306" };
    assert_eq!(commands(&answer), [wanted], "{away}");
    client.authenticate_with_password(name);
    client.finish_login()
}

/// Returns the away message that others see; `None` for an account that is present.
fn whois_away(client: &mut Client, name: &str) -> Option<String> {
    let whois = client.request(&format!("WHOIS {name}"));
    whois.iter().find(|line| line.command == "301").map(|line| line.text().to_owned())
}

/// <https://ircv3.net/specs/extensions/pre-away>, "Implementation", "Implementation considerations"
#[test]
fn pre_away_marks_an_automatic_client_as_absent() {
    let server = server_with(&["sessions.grace_s = 0"]);
    let mut bob = Client::login_with(&server, "bob", "away-notify extended-monitor");
    bob.request("JOIN #room");
    let mut phone = log_in_with_away(&server, "alice", "AWAY *");
    phone.request("JOIN #room");
    bob.request("MONITOR + alice");
    assert!(whois_away(&mut bob, "alice").is_some(), "its only session is there for nobody");
    bob.drain();
    // A session that is present, or has an away message, takes precedence.
    let mut laptop = Client::login(&server, "alice");
    assert_eq!(without_tags(&bob.drain()), ["AWAY"]);
    laptop.request("AWAY :Gone to lunch. Back in 5");
    assert_eq!(without_tags(&bob.drain()), ["AWAY Gone to lunch. Back in 5"]);
    phone.request("AWAY *");
    assert_eq!(bob.drain(), [], "it does not replace what a person said");
    let tablet = log_in_with_away(&server, "alice", "AWAY *");
    assert_eq!(whois_away(&mut bob, "alice").as_deref(), Some("Gone to lunch. Back in 5"));
    assert_eq!(without_tags(&bob.drain()), [] as [&str; 0]);
    let desk = log_in_with_away(&server, "alice", "AWAY");
    assert_eq!(without_tags(&bob.drain()), ["AWAY"], "AWAY alone says that somebody is there");
    for client in [laptop, desk, tablet] {
        client.close();
    }
    assert_eq!(bob.wait_for_command("AWAY").text(), "Not here right now", "people read it");
    // Monitoring accounts see it come and go all the same.
    phone.send("QUIT");
    bob.wait_for_command("731");
    let phone = log_in_with_away(&server, "alice", "AWAY :in a pocket");
    bob.wait_for_command("730");
    assert_eq!(whois_away(&mut bob, "alice").as_deref(), Some("in a pocket"));
    drop(phone);

    // Only for clients that requested the capability.
    let mut client = Client::connect(&server);
    client.begin_login("alice", "away-notify");
    assert_eq!(commands(&client.request("AWAY *")), ["451"]);
}

/// Returns the tokens of lines that are one batch.
#[track_caller]
fn batch_lines(lines: &[Line]) -> Vec<String> {
    let [open, inner @ .., end] = lines else { panic!("no batch: {lines:?}") };
    let reference = open.param(0).trim_start_matches('+');
    assert_eq!(open.to_string(), format!("BATCH +{reference} draft/isupport"));
    assert!(end.starts_with(&format!("BATCH -{reference}")), "{lines:?}");
    assert!(!inner.is_empty() && inner.iter().all(|line| line.command == "005"), "{lines:?}");
    assert!(inner.iter().all(|line| line.tag("batch") == Some(reference)), "{lines:?}");
    isupport_tokens(inner)
}

fn isupport_tokens(lines: &[Line]) -> Vec<String> {
    let lines = lines.iter().filter(|line| line.command == "005");
    lines.flat_map(|line| line.params[1..line.params.len() - 1].to_vec()).collect()
}

/// <https://ircv3.net/specs/extensions/extended-isupport>, "`ISUPPORT` command", "`draft/isupport` batch"
#[test]
fn isupport_is_sent_before_and_after_login() {
    let server = server();
    let [mut alice] = log_in_and_join(&server, ["alice"], "#room");
    let known = isupport_tokens(&alice.welcome);
    assert!(known.contains(&"NETWORK=Parlour".to_owned()), "{known:?}");
    let lines = alice.request("ISUPPORT");
    assert!(lines.iter().all(|line| line.command == "005" && line.tag("batch").is_none()), "{lines:?}");
    assert_eq!(isupport_tokens(&lines), known);

    let mut client = Client::connect(&server);
    assert_eq!(client.request("ISUPPORT")[0].command, "451", "only with the capability");
    client.send("CAP LS 302");
    client.request_capabilities("draft/extended-isupport");
    let bare = client.request("ISUPPORT");
    assert!(
        bare.iter().all(|line| line.starts_with("005 *")),
        "it has no nick yet, and knows no batch: {bare:?}"
    );
    assert_eq!(isupport_tokens(&bare), known);
    client.begin_login("bob", "batch message-tags draft/extended-isupport");
    assert_eq!(batch_lines(&client.request("ISUPPORT")), known);
    client.authenticate_with_password("bob");
    let mut bob = client.finish_login();
    let burst = &bob.welcome;
    let first = burst.iter().position(|line| line.starts_with("BATCH +i")).expect("a batch");
    let last = burst.iter().position(|line| line.starts_with("BATCH -i")).expect("its end");
    assert_eq!(batch_lines(&burst[first..=last]), known);
    assert_eq!(burst.iter().filter(|line| line.command == "005").count(), last - first - 1, "none outside");
    assert_eq!(batch_lines(&bob.request("ISUPPORT")), known);
    let version = bob.request("VERSION");
    assert_eq!(only_line(&version, "351").command, "351");
    assert_eq!(batch_lines(&version[1..]), known, "nor when it is asked for in the old way");
}
