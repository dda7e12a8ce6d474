use super::*;

const LS: &str = ":srv CAP * LS :batch echo-message labeled-response message-tags sasl=PLAIN,EXTERNAL \
                  server-time parlour/send-id draft/account-registration=before-connect other";

fn password(text: &str) -> Password {
    Password::new(Zeroizing::new(text.into())).expect("a password")
}

fn password_login(text: &str) -> Login {
    Login::new(Nick::parse("alice").expect("nick"), Credentials::Password(password(text)), true)
}

fn invite_login() -> Login {
    let credentials =
        Credentials::Invite { token: Zeroizing::new("t0ken".into()), password: password("pass word") };
    Login::new(Nick::parse("alice").expect("nick"), credentials, true)
}

fn start_login(login: &Login) -> String {
    let mut out = Vec::new();
    login.write_first_lines(&mut out);
    String::from_utf8(out).expect("UTF-8")
}

fn handle_line(login: &mut Login, line: &str) -> Result<(LoginStep, String), LoginError> {
    let mut out = Vec::new();
    let step = login.handle_line(&Message::parse(line).expect(line), &mut out)?;
    Ok((step, String::from_utf8(out).expect("UTF-8")))
}

fn handle_and_get_output(login: &mut Login, line: &str) -> String {
    let (step, out) = handle_line(login, line).expect(line);
    assert_eq!(step, LoginStep::NeedsMore);
    out
}

#[test]
fn logs_in_by_password() {
    let mut login = password_login("secret");
    assert_eq!(start_login(&login), "CAP LS 302\r\nNICK alice\r\nUSER alice 0 * :alice\r\n");
    assert_eq!(handle_and_get_output(&mut login, ":srv CAP * LS * :cap-notify multi-prefix"), "");
    assert_eq!(
        handle_and_get_output(&mut login, LS),
        "CAP REQ :sasl message-tags server-time batch cap-notify echo-message labeled-response multi-prefix \
         parlour/send-id\r\n"
    );
    assert_eq!(
        handle_and_get_output(&mut login, ":srv CAP * ACK :batch sasl parlour/send-id"),
        "AUTHENTICATE PLAIN\r\n"
    );
    assert_eq!(handle_and_get_output(&mut login, "PING :cookie"), "PONG :cookie\r\n");
    assert_eq!(handle_and_get_output(&mut login, "AUTHENTICATE +"), "AUTHENTICATE AGFsaWNlAHNlY3JldA==\r\n");
    assert_eq!(
        handle_and_get_output(&mut login, ":srv 900 alice alice!a@h alice :You are now logged in"),
        ""
    );
    assert_eq!(
        handle_and_get_output(&mut login, ":srv 903 alice :SASL authentication successful"),
        "CAP END\r\n"
    );
    let caps = CapSet::from_caps(&[Cap::Batch, Cap::Sasl, Cap::SendId]);
    let (step, _) = handle_line(&mut login, ":srv 001 Alice :Welcome").expect("welcome");
    assert_eq!(step, LoginStep::Done(Nick::parse("alice").expect("nick"), caps));
}

#[test]
fn non_interactive_login_marks_nothing_read() {
    let caps = |reads| {
        let mut login =
            Login::new(Nick::parse("alice").expect("nick"), Credentials::Password(password("secret")), reads);
        handle_and_get_output(&mut login, &format!("{LS} draft/chathistory"))
    };
    assert!(!caps(true).contains("draft/chathistory") && caps(false).contains("draft/chathistory"));
}

#[test]
fn long_sasl_responses_are_chunked() {
    // Two NULs, "alice" and a password of 293 bytes are 300 bytes, which make 400 of base64.
    for (length, expected) in [(292, [400, 1]), (293, [400, 1]), (294, [400, 4])] {
        let mut login = password_login(&"x".repeat(length));
        let out = handle_and_get_output(&mut login, "AUTHENTICATE +");
        let got: Vec<usize> = out.lines().map(|line| line.len() - "AUTHENTICATE ".len()).collect();
        assert_eq!(got, expected, "{length}");
    }
}

#[test]
fn invite_is_redeemed_during_login() {
    let mut login = invite_login();
    assert!(start_login(&login).starts_with("PASS t0ken\r\nCAP LS 302\r\n"));
    assert!(handle_and_get_output(&mut login, LS).contains("draft/account-registration"));
    let out = handle_and_get_output(&mut login, ":srv CAP * ACK :batch sasl draft/account-registration");
    assert_eq!(out, "REGISTER alice * :pass word\r\n");
    assert_eq!(
        handle_and_get_output(&mut login, ":srv REGISTER SUCCESS alice :Welcome to the house"),
        "CAP END\r\n"
    );
    assert_eq!(
        handle_and_get_output(&mut login, ":srv 900 alice alice!a@h alice :You are now logged in"),
        ""
    );
    assert!(matches!(handle_line(&mut login, ":srv 001 alice :Welcome"), Ok((LoginStep::Done(..), _))));
}

#[test]
fn other_servers_need_only_sasl() {
    let mut login = password_login("secret");
    assert_eq!(
        handle_and_get_output(&mut login, ":srv CAP * LS :multi-prefix sasl"),
        "CAP REQ :sasl multi-prefix\r\n"
    );
    // The server still takes the previous connection for alive.
    assert_eq!(
        handle_and_get_output(&mut login, ":srv 433 * alice :Nickname is already in use."),
        "NICK alice_\r\n"
    );
    assert_eq!(
        handle_and_get_output(&mut login, ":srv CAP * ACK :sasl multi-prefix"),
        "AUTHENTICATE PLAIN\r\n"
    );
    assert_eq!(
        handle_and_get_output(&mut login, ":srv 903 alice_ :SASL authentication successful"),
        "CAP END\r\n"
    );
    let (step, _) = handle_line(&mut login, ":srv 001 alice_ :Welcome").expect("welcome");
    assert!(matches!(step, LoginStep::Done(nick, _) if nick.as_str() == "alice_"));

    let mut login = password_login("secret");
    for _ in 0..MAX_ALTERNATIVE_NICKS {
        handle_and_get_output(&mut login, ":srv 433 * alice :Nickname is already in use.");
    }
    let taken = handle_line(&mut login, ":srv 433 * alice___ :Nickname is already in use.");
    assert!(matches!(taken, Err(LoginError::NameTaken(_))));
    // An account to be made gets the chosen name or fails.
    assert!(matches!(
        handle_line(&mut invite_login(), ":srv 433 * alice :Used"),
        Err(LoginError::NameTaken(_))
    ));
}

#[test]
fn rejects_server_without_sasl() {
    for line in [
        ":srv CAP * LS :batch echo-message labeled-response message-tags",
        ":srv 421 * CAP :Unknown command",
        ":srv 001 alice :Welcome",
    ] {
        assert_eq!(handle_line(&mut password_login("secret"), line), Err(LoginError::NoSasl), "{line}");
    }
    let mut login = password_login("secret");
    handle_and_get_output(&mut login, LS);
    handle_and_get_output(&mut login, ":srv CAP * ACK :batch sasl");
    assert_eq!(handle_line(&mut login, ":srv 001 alice :Welcome"), Err(LoginError::NoSasl));
    assert!(LoginError::NoSasl.is_final());
}

#[test]
fn maps_refusals_to_errors() {
    use LoginError::{BadName, BadPassword, ClosedByServer, Invite, MissingCap, NameTaken, Refused};
    let text = || "Text".to_owned();
    for (line, expected) in [
        (":srv 904 alice :Text", Refused(text())),
        (":srv FAIL REGISTER ACCOUNT_EXISTS alice :Text", NameTaken(text())),
        (":srv FAIL REGISTER BAD_ACCOUNT_NAME alice :Text", BadName(text())),
        (":srv FAIL REGISTER WEAK_PASSWORD alice :Text", BadPassword(text())),
        (":srv FAIL REGISTER TEMPORARILY_UNAVAILABLE alice :Text", ClosedByServer(text())),
        (":srv 464 * :Text", Invite(text())),
        (":srv FAIL REGISTER INVITE_SPENT alice :Text", Invite(text())),
        ("ERROR :Text", ClosedByServer(text())),
        (":srv CAP * NAK :Text", MissingCap(text())),
        (":srv CAP * LS :batch sasl", MissingCap("draft/account-registration".into())),
        (&LS.replace("draft/account-registration", ""), MissingCap("draft/account-registration".into())),
    ] {
        let mut login = invite_login();
        assert_eq!(handle_line(&mut login, line), Err(expected), "{line}");
    }
    let mut login = password_login("x");
    assert_eq!(handle_line(&mut login, ":srv 464 * :Text"), Err(ClosedByServer(text())));
    let external = LS.replace("PLAIN,", "");
    assert!(matches!(handle_line(&mut login, &external), Err(MissingCap(what)) if what.contains("PLAIN")));
    assert!(!ClosedByServer(text()).is_final() && Refused(text()).is_final());
}
