use super::*;

const LS: &str = ":srv CAP * LS :batch echo-message labeled-response message-tags sasl=PLAIN,EXTERNAL \
                  server-time parlour/send-id draft/account-registration=before-connect other";

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.into())).expect("a password")
}

fn by_password(text: &str) -> Login {
    Login::new(Nick::parse("alice").expect("nick"), Credentials::Password(password(text)), true)
}

fn by_invite() -> Login {
    let credentials =
        Credentials::Invite { token: Zeroizing::new("t0ken".into()), password: password("pass word") };
    Login::new(Nick::parse("alice").expect("nick"), credentials, true)
}

fn start(login: &Login) -> String {
    let mut out = Vec::new();
    login.start(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn tell(login: &mut Login, line: &str) -> Result<(Step, String), LoginError> {
    let mut out = Vec::new();
    let step = login.handle(&Message::parse(line).expect(line), &mut out)?;
    Ok((step, String::from_utf8(out).expect("UTF-8")))
}

fn answer(login: &mut Login, line: &str) -> String {
    let (step, out) = tell(login, line).expect(line);
    assert_eq!(step, Step::More);
    out
}

#[test]
fn logs_in_by_password() {
    let mut login = by_password("secret");
    assert_eq!(start(&login), "CAP LS 302\r\nNICK alice\r\nUSER alice 0 * :alice\r\n");
    assert_eq!(answer(&mut login, ":srv CAP * LS * :cap-notify multi-prefix"), "");
    assert_eq!(
        answer(&mut login, LS),
        "CAP REQ :sasl message-tags server-time batch cap-notify echo-message labeled-response multi-prefix \
         parlour/send-id\r\n"
    );
    assert_eq!(answer(&mut login, ":srv CAP * ACK :batch sasl parlour/send-id"), "AUTHENTICATE PLAIN\r\n");
    assert_eq!(answer(&mut login, "PING :cookie"), "PONG :cookie\r\n");
    assert_eq!(answer(&mut login, "AUTHENTICATE +"), "AUTHENTICATE AGFsaWNlAHNlY3JldA==\r\n");
    assert_eq!(answer(&mut login, ":srv 900 alice alice!a@h alice :You are now logged in"), "");
    assert_eq!(answer(&mut login, ":srv 903 alice :SASL authentication successful"), "CAP END\r\n");
    let caps = CapSet::of(&[Cap::Batch, Cap::Sasl, Cap::SendId]);
    let (step, _) = tell(&mut login, ":srv 001 Alice :Welcome").expect("welcome");
    assert_eq!(step, Step::Done(Nick::parse("alice").expect("nick"), caps));
}

#[test]
fn non_interactive_login_marks_nothing_read() {
    let caps = |reads| {
        let mut login =
            Login::new(Nick::parse("alice").expect("nick"), Credentials::Password(password("secret")), reads);
        answer(&mut login, &format!("{LS} draft/chathistory"))
    };
    assert!(!caps(true).contains("draft/chathistory") && caps(false).contains("draft/chathistory"));
}

#[test]
fn long_sasl_responses_are_chunked() {
    // Two NULs, "alice" and a password of 293 bytes are 300 bytes, which make 400 of base64.
    for (length, expected) in [(292, [400, 1]), (293, [400, 1]), (294, [400, 4])] {
        let mut login = by_password(&"x".repeat(length));
        let out = answer(&mut login, "AUTHENTICATE +");
        let got: Vec<usize> = out.lines().map(|line| line.len() - "AUTHENTICATE ".len()).collect();
        assert_eq!(got, expected, "{length}");
    }
}

#[test]
fn invite_is_redeemed_during_login() {
    let mut login = by_invite();
    assert!(start(&login).starts_with("PASS t0ken\r\nCAP LS 302\r\n"));
    assert!(answer(&mut login, LS).contains("draft/account-registration"));
    let out = answer(&mut login, ":srv CAP * ACK :batch sasl draft/account-registration");
    assert_eq!(out, "REGISTER alice * :pass word\r\n");
    assert_eq!(answer(&mut login, ":srv REGISTER SUCCESS alice :Welcome to the house"), "CAP END\r\n");
    assert_eq!(answer(&mut login, ":srv 900 alice alice!a@h alice :You are now logged in"), "");
    assert!(matches!(tell(&mut login, ":srv 001 alice :Welcome"), Ok((Step::Done(..), _))));
}

#[test]
fn other_servers_need_only_sasl() {
    let mut login = by_password("secret");
    assert_eq!(answer(&mut login, ":srv CAP * LS :multi-prefix sasl"), "CAP REQ :sasl multi-prefix\r\n");
    // The server still takes the previous connection for alive.
    assert_eq!(answer(&mut login, ":srv 433 * alice :Nickname is already in use."), "NICK alice_\r\n");
    assert_eq!(answer(&mut login, ":srv CAP * ACK :sasl multi-prefix"), "AUTHENTICATE PLAIN\r\n");
    assert_eq!(answer(&mut login, ":srv 903 alice_ :SASL authentication successful"), "CAP END\r\n");
    let (step, _) = tell(&mut login, ":srv 001 alice_ :Welcome").expect("welcome");
    assert!(matches!(step, Step::Done(nick, _) if nick.as_str() == "alice_"));

    let mut login = by_password("secret");
    for _ in 0..OTHER_NICKS {
        answer(&mut login, ":srv 433 * alice :Nickname is already in use.");
    }
    let taken = tell(&mut login, ":srv 433 * alice___ :Nickname is already in use.");
    assert!(matches!(taken, Err(LoginError::NameTaken(_))));
    // An account to be made gets the chosen name or fails.
    assert!(matches!(tell(&mut by_invite(), ":srv 433 * alice :Used"), Err(LoginError::NameTaken(_))));
}

#[test]
fn rejects_server_without_sasl() {
    for line in [
        ":srv CAP * LS :batch echo-message labeled-response message-tags",
        ":srv 421 * CAP :Unknown command",
        ":srv 001 alice :Welcome",
    ] {
        assert_eq!(tell(&mut by_password("secret"), line), Err(LoginError::NoLogin), "{line}");
    }
    let mut login = by_password("secret");
    answer(&mut login, LS);
    answer(&mut login, ":srv CAP * ACK :batch sasl");
    assert_eq!(tell(&mut login, ":srv 001 alice :Welcome"), Err(LoginError::NoLogin));
    assert!(LoginError::NoLogin.is_final());
}

#[test]
fn maps_refusals_to_errors() {
    use LoginError::{BadName, BadPassword, Closed, Invite, Lacks, NameTaken, Refused};
    let text = || "Text".to_owned();
    for (line, expected) in [
        (":srv 904 alice :Text", Refused(text())),
        (":srv FAIL REGISTER ACCOUNT_EXISTS alice :Text", NameTaken(text())),
        (":srv FAIL REGISTER BAD_ACCOUNT_NAME alice :Text", BadName(text())),
        (":srv FAIL REGISTER WEAK_PASSWORD alice :Text", BadPassword(text())),
        (":srv FAIL REGISTER TEMPORARILY_UNAVAILABLE alice :Text", Closed(text())),
        (":srv 464 * :Text", Invite(text())),
        (":srv FAIL REGISTER INVITE_SPENT alice :Text", Invite(text())),
        ("ERROR :Text", Closed(text())),
        (":srv CAP * NAK :Text", Lacks(text())),
        (":srv CAP * LS :batch sasl", Lacks("draft/account-registration".into())),
        (&LS.replace("draft/account-registration", ""), Lacks("draft/account-registration".into())),
    ] {
        let mut login = by_invite();
        assert_eq!(tell(&mut login, line), Err(expected), "{line}");
    }
    let mut login = by_password("x");
    assert_eq!(tell(&mut login, ":srv 464 * :Text"), Err(Closed(text())));
    let external = LS.replace("PLAIN,", "");
    assert!(matches!(tell(&mut login, &external), Err(Lacks(what)) if what.contains("PLAIN")));
    assert!(!Closed(text()).is_final() && Refused(text()).is_final());
}
