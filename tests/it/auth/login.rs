//! The login: capability negotiation, SASL PLAIN, registration and the welcome.
//!
//! <https://ircv3.net/specs/extensions/capability-negotiation>, <https://ircv3.net/specs/extensions/sasl-3.2>,
//! <https://modern.ircdocs.horse/#connection-registration>

use crate::support::{
    ALL_CAPABILITIES, Client, Home, Line, PASSWORD, Server, sasl_plain, server, server_with,
};

/// Returns the words of a CAP LS or LIST reply, with its continuation lines joined.
fn listed_capabilities(lines: &[Line], subcommand: &str) -> Vec<String> {
    lines
        .iter()
        .filter(|l| l.command == "CAP" && l.param(1) == subcommand)
        .flat_map(|l| l.text().split_whitespace())
        .map(str::to_owned)
        .collect()
}

#[test]
fn cap_ls_302_shows_every_capability_with_its_value() {
    let server = server();
    let mut client = Client::connect(&server);
    let offered = listed_capabilities(&client.request("CAP LS 302"), "LS");
    for name in ALL_CAPABILITIES.split(' ').chain(["cap-notify", "parlour/send-id"]) {
        assert!(offered.iter().any(|o| o.split('=').next() == Some(name)), "{name} is not in {offered:?}");
    }
    assert!(offered.contains(&"sasl=PLAIN,EXTERNAL".to_owned()), "{offered:?}");
    let register = offered.iter().find_map(|o| o.strip_prefix("draft/account-registration="));
    assert!(register.is_some_and(|v| v.split(',').any(|v| v == "before-connect")), "{offered:?}");
    // There is no plaintext port from which sts could redirect, and no bouncer.
    assert!(!offered.iter().any(|o| o.starts_with("sts") || o.contains("bouncer")), "{offered:?}");
}

#[test]
fn cap_ls_301_lists_names_in_one_line() {
    let server = server();
    let mut client = Client::connect(&server);
    let lines = client.request("CAP LS");
    assert_eq!(lines.iter().filter(|l| l.command == "CAP").count(), 1, "{lines:?}");
    let offered = listed_capabilities(&lines, "LS");
    assert!(offered.contains(&"sasl".to_owned()), "{offered:?}");
    assert!(offered.iter().all(|o| !o.contains('=')), "{offered:?}");
}

#[test]
fn cap_req_is_all_or_nothing() {
    let server = server();
    let mut client = Client::connect(&server);
    let one = |client: &mut Client, request: &str| -> String {
        let lines = client.request(request);
        let [answer] = &lines[..] else { panic!("{request}: {lines:?}") };
        answer.to_string().trim_end().to_owned()
    };
    assert_eq!(one(&mut client, "CAP LIST"), "CAP * LIST");
    assert_eq!(one(&mut client, "CAP REQ :batch echo-message"), "CAP * ACK batch echo-message");
    // One unknown name rejects the whole request, both additions and removals.
    assert_eq!(one(&mut client, "CAP REQ :server-time no-such"), "CAP * NAK server-time no-such");
    assert_eq!(one(&mut client, "CAP REQ :-batch no-such"), "CAP * NAK -batch no-such");
    let listed = |client: &mut Client| {
        let mut names = listed_capabilities(&client.request("CAP LIST"), "LIST");
        names.sort();
        names
    };
    assert_eq!(listed(&mut client), ["batch", "echo-message"]);
    // Requesting an enabled capability and removing a disabled one is fine.
    assert_eq!(one(&mut client, "CAP REQ :batch -server-time"), "CAP * ACK batch -server-time");
    assert_eq!(one(&mut client, "CAP REQ -batch"), "CAP * ACK -batch");
    assert_eq!(listed(&mut client), ["echo-message"]);
    // Capability names are case-sensitive.
    assert_eq!(one(&mut client, "CAP REQ :BATCH"), "CAP * NAK BATCH");
}

#[test]
fn unknown_cap_subcommand_is_reported() {
    let server = server();
    let mut client = Client::connect(&server);
    assert!(client.request("CAP FOO")[0].starts_with("410 * FOO"));
    let mut alice = Client::login(&server, "alice");
    assert!(alice.request("CAP FOO")[0].starts_with("410 alice FOO"));
}

#[test]
fn cap_302_implies_permanent_cap_notify() {
    let server = server();
    let mut client = Client::connect(&server);
    client.request("CAP LS 302");
    assert!(client.request("CAP REQ :cap-notify")[0].starts_with("CAP * ACK cap-notify"));
    client.request("CAP REQ :-cap-notify");
    let listed = listed_capabilities(&client.request("CAP LIST"), "LIST");
    assert_eq!(listed, ["cap-notify"]);
}

#[test]
fn login_sends_the_standard_welcome() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("CAP LS 302");
    client.send_nick_and_user("alice");
    client.send("CAP REQ :sasl");
    client.wait_for_command("CAP");
    let mut lines = client.request("AUTHENTICATE PLAIN");
    assert!(lines.pop().is_some_and(|l| l.starts_with("AUTHENTICATE +")));
    let lines = client.request(&format!("AUTHENTICATE {}", sasl_plain("alice", PASSWORD)));
    let [in_900, in_903] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((in_900.command.as_str(), in_900.param(2)), ("900", "alice"));
    assert!(in_900.param(1).contains("alice!") || in_900.param(1).starts_with("*!"), "{in_900}");
    assert_eq!(in_903.command, "903");

    let lines = client.request("CAP END");
    let order: Vec<&str> = lines.iter().map(|l| l.command.as_str()).collect();
    assert_eq!(order[..5], ["001", "002", "003", "004", "005"], "{order:?}");
    for needed in ["251", "255"] {
        assert!(order.contains(&needed), "{needed} (LUSERS) is not in {order:?}");
    }
    assert!(order.contains(&"422") || order.contains(&"376"), "no end of the MOTD in {order:?}");
    assert!(lines.iter().all(|l| l.param(0) == "alice" && !l.source.is_empty()), "{lines:?}");
}

#[test]
fn isupport_has_the_expected_tokens() {
    let server = server();
    let mut client = Client::login(&server, "alice");
    let lines = client.request("VERSION");
    assert!(lines.iter().any(|l| l.command == "351"), "{lines:?}");
    let tokens: Vec<&str> = lines
        .iter()
        .filter(|l| l.command == "005")
        .inspect(|l| assert!(l.params.len() <= 15, "at most 13 tokens a line: {l}"))
        .flat_map(|l| l.params[1..l.params.len() - 1].iter().map(String::as_str))
        .collect();
    for needed in ["CASEMAPPING=ascii", "CHANTYPES=#", "NICKLEN=24", "UTF8ONLY"] {
        assert!(tokens.contains(&needed), "{needed} is not in {tokens:?}");
    }
    for needed in ["CHANMODES=", "NETWORK=", "TOPICLEN=", "CHANNELLEN=", "PREFIX="] {
        assert!(tokens.iter().any(|t| t.starts_with(needed)), "{needed} is not in {tokens:?}");
    }
}

#[test]
fn nick_keeps_the_case_of_the_account() {
    let home = Home::new(&[]);
    home.import(&["McAllister"]);
    let server = home.serve();
    let mut client = Client::connect(&server);
    client.send("CAP REQ :sasl");
    client.send_nick_and_user("somebody");
    assert_eq!(client.authenticate("mcALLISTER", PASSWORD).command, "903");
    client.send("CAP END");
    let welcome = client.wait_for_command("001");
    assert_eq!(welcome.param(0), "McAllister", "welcomed under the account's name");
    client.drain();
    let lines = client.request("JOIN #room");
    assert_eq!(lines[0].nick(), "McAllister");
}

#[test]
fn registration_may_be_fully_pipelined() {
    let server = server();
    let mut client = Client::connect(&server);
    let login = sasl_plain("alice", PASSWORD);
    // As senpai, gamja and Goguma do: single requests without waiting, then everything else at once.
    let lines = format!(
        "CAP LS 302\r\nPASS\r\nNICK alice\r\nUSER alice 0 * :Alice\r\nCAP REQ echo-message\r\nCAP REQ no-such/cap\r\n\
         CAP REQ server-time\r\nCAP REQ sasl\r\nAUTHENTICATE PLAIN\r\nAUTHENTICATE {login}\r\nCAP END\r\nJOIN #room\r\n\
         PRIVMSG #room :here\r\n"
    );
    client.send_bytes(lines.replace("PASS\r\n", "").as_bytes()).expect("the server reads");
    client.wait_for_command("CAP alice ACK echo-message");
    client.wait_for_command("CAP alice NAK no-such/cap");
    client.wait_for_command("903");
    client.wait_for_command("001");
    client.wait_for_command("JOIN #room");
    let echo = client.wait_for_message("here");
    assert!(echo.tag("time").is_some(), "{echo:?}");
}

#[test]
fn registration_waits_for_cap_end() {
    let server = server();
    let mut client = Client::connect(&server);
    client.send("CAP REQ :sasl");
    client.send_nick_and_user("alice");
    assert_eq!(client.authenticate("alice", PASSWORD).command, "903");
    assert!(client.drain().iter().all(|l| l.command != "001"), "{}", client.format_transcript());
    client.send("CAP END");
    client.wait_for_command("001");
    client.drain();
    // CAP END after registration is ignored.
    assert_eq!(client.request("CAP END"), []);
}

#[test]
fn long_password_is_sent_in_chunks_of_400() {
    let home = Home::new(&[]);
    // Responses of exactly 400 bytes of base64, and of more.
    for (name, length) in [("exact", 300 - 7), ("longer", 300)] {
        let password = "p".repeat(length);
        let output =
            home.run_with_input(&["user", "add", name, "--password-stdin"], &format!("{password}\n"));
        assert!(output.status.success(), "{output:?}");
    }
    let server = home.serve();
    for (name, length) in [("exact", 300 - 7), ("longer", 300)] {
        let mut client = Client::connect(&server);
        client.send("CAP REQ :sasl");
        client.send_nick_and_user(name);
        client.send("AUTHENTICATE PLAIN");
        let response = sasl_plain(name, &"p".repeat(length));
        assert!(response.len() >= 400, "{}", response.len());
        for chunk in response.as_bytes().chunks(400) {
            client.send(&format!("AUTHENTICATE {}", str::from_utf8(chunk).expect("base64")));
        }
        if response.len().is_multiple_of(400) {
            client.send("AUTHENTICATE +");
        }
        client.wait_for_command("903");
    }
}

#[test]
fn authorization_identity_must_be_the_account() {
    use base64::Engine as _;
    let server = server();
    for (authzid, result) in [("alice", "903"), ("ALICE", "903"), ("bob", "904")] {
        let mut client = Client::connect(&server);
        client.send("CAP REQ :sasl");
        client.send_nick_and_user("alice");
        client.send("AUTHENTICATE PLAIN");
        let response = format!("{authzid}\0alice\0{PASSWORD}");
        let response = base64::engine::general_purpose::STANDARD.encode(response);
        client.send(&format!("AUTHENTICATE {response}"));
        client.wait_for_line(result, |l| {
            assert!(!matches!(l.command.as_str(), "903" | "904") || l.command == result, "{authzid}: {l}");
            l.command == result
        });
    }
}

#[test]
fn second_login_is_refused() {
    let server = server();
    let mut alice = Client::login(&server, "alice");
    assert!(alice.request("AUTHENTICATE PLAIN")[0].starts_with("907 alice"));
    assert!(alice.request("USER x 0 * :x")[0].starts_with("462 alice"));
    assert!(alice.request("PASS x")[0].starts_with("462 alice"));
}

#[test]
fn alpn_irc_is_negotiated_and_optional() {
    let server = server();
    let alice = Client::login(&server, "alice");
    assert_eq!(alice.alpn(), Some(&b"irc"[..]));
    let mut plain = Client::connect_without_alpn(&server);
    assert_eq!(plain.alpn(), None);
    plain.request("CAP LS 302");
}

#[test]
fn many_clients_log_in_concurrently() {
    let home = Home::new(&[]);
    let names: Vec<String> = (0..24).map(|n| format!("pupil{n}")).collect();
    home.import(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let server = home.serve();
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| Client::login(&server, name));
        }
    });
}

#[test]
fn slow_password_check_does_not_delay_sessions() {
    // One check takes the better part of a second here, and there are more checks than cores.
    let server = server_with(&["passwords.memory_kib = 65536", "passwords.iterations = 4"]);
    let mut bob = Client::login(&server, "bob");
    // Three failures of an account cost no waiting.
    let names = ["alice", "bob", "carol", "nobody"].repeat(3);
    let mut waiting: Vec<Client> = names.iter().map(|name| waiting_for_a_check(&server, name)).collect();
    for (client, name) in waiting.iter_mut().zip(&names) {
        client.send(&format!("AUTHENTICATE {}", sasl_plain(name, "not the password")));
    }
    let refused = r#"parlour_logins_total{result="refused"}"#;
    server.wait_for_metric(refused, |count| count > 0);
    for n in 0..20 {
        bob.send(&format!("PRIVMSG bob :{n}"));
        bob.wait_for_message(&n.to_string());
    }
    assert!(server.metric(refused) < 12, "the messages waited for the checks");
}

/// Connects up to the point where the password comes next.
fn waiting_for_a_check(server: &Server, name: &str) -> Client {
    let mut client = Client::connect(server);
    client.send("CAP REQ :sasl");
    client.send_nick_and_user(name);
    client.send("AUTHENTICATE PLAIN");
    client.wait_for_command("AUTHENTICATE");
    client
}
