//! `PASS NAME:PASSWORD`, for clients without SASL. <https://modern.ircdocs.horse/#pass-message>

use crate::support::{Client, PASSWORD, commands, server};

#[test]
fn pass_logs_in_like_sasl_plain() {
    let server = server();
    let mut plain = Client::connect_without_alpn(&server);
    plain.send(&format!("PASS alice:{PASSWORD}"));
    plain.send_nick_and_user("alice");
    let mut plain = plain.finish_login();
    assert!(plain.welcome.iter().any(|line| line.starts_with("376 alice")), "{:?}", plain.welcome);
    assert!(commands(&plain.request("PING x")).contains(&"PONG"));
    server.wait_for_log(|line| line.contains("logged in") && line.contains("account=alice"));

    for (pass, why) in [
        ("PASS alice:not-her-password", "Wrong account name or password"),
        ("PASS nobody:not-her-password", "Wrong account name or password"),
        ("PASS not-her-password", "The server password is NAME:PASSWORD here"),
    ] {
        let mut client = Client::connect_without_alpn(&server);
        client.send(pass);
        client.send_nick_and_user("alice");
        let lines = client.read_until_closed();
        let told: Vec<&str> = lines.iter().map(|line| line.command.as_str()).collect();
        assert_eq!(told, ["464", "ERROR"], "{pass}: {lines:?}");
        assert!(lines.iter().all(|line| line.text().contains(why)), "{lines:?}");
    }
    // The same account and the same rate limit as with SASL.
    server.wait_for_log(|line| {
        assert!(!line.contains("not-her-password"), "{line}");
        line.contains("login failed") && line.contains("account=alice")
    });
}
