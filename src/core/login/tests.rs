//! The login machine, driven without a socket.

use super::*;
use crate::core::record::secret::PasswordHash;
use crate::wire::Cap;

struct Driver {
    machine: LoginMachine,
    out: String,
}

impl Driver {
    fn new() -> Self {
        Self { machine: LoginMachine::default(), out: String::new() }
    }

    fn send_line(&mut self, line: &str) -> LoginStep {
        self.out.clear();
        self.machine.handle_line(&Message::parse(line).expect(line), &mut self.out)
    }

    fn send_lines(&mut self, lines: &[&str]) -> LoginStep {
        lines.iter().map(|line| self.send_line(line)).last().expect("a line")
    }

    fn accept_password(&mut self) -> LoginStep {
        self.out.clear();
        let name = Nick::parse("al").expect("a nick");
        self.machine.resume_with_verification(
            Verification::Verified(Verified { account: AccountId(7), name, proof: password() }),
            &mut self.out,
        )
    }
}

fn password() -> Proof {
    Proof::Password(PasswordHash::from_phc("$argon2id$test"))
}

// "\0al\0secret12"
const PLAIN: &str = "AUTHENTICATE AGFsAHNlY3JldDEy";

#[test]
fn sasl_plain_login_succeeds() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS 302", "NICK al", "USER al 0 * :Al"]);
    assert!(matches!(d.send_line("CAP REQ :sasl echo-message"), LoginStep::Continue));
    assert_eq!(d.out, ":chat.parlour CAP al ACK :sasl echo-message\r\n");
    d.send_line("AUTHENTICATE PLAIN");
    assert_eq!(d.out, "AUTHENTICATE +\r\n");
    let LoginStep::CheckPassword(credentials) = d.send_line(PLAIN) else { panic!("no check") };
    assert_eq!(credentials.password.as_str(), "secret12");
    assert!(matches!(d.accept_password(), LoginStep::Continue), "CAP END is still to come");
    assert!(d.out.contains(" 900 al al!al@parlour al :") && d.out.contains(" 903 al :"), "{}", d.out);
    let LoginStep::Done(login) = d.send_line("CAP END") else { panic!("not in") };
    assert_eq!((login.account, &*login.realname, login.requested_nick), (AccountId(7), "Al", None));
    assert!(login.caps.has(Cap::EchoMessage));
}

#[test]
fn login_requires_sasl() {
    let mut d = Driver::new();
    let LoginStep::Close(reason) = d.send_lines(&["NICK al", "USER al 0 * :Al"]) else { panic!("let in") };
    assert!(reason.contains("SASL"));
    let mut d = Driver::new();
    assert!(matches!(
        d.send_lines(&["CAP LS 302", "NICK al", "USER al 0 * :Al", "CAP END"]),
        LoginStep::Close(_)
    ));
}

#[test]
fn commands_before_login_are_refused() {
    let mut d = Driver::new();
    for command in ["JOIN #a", "PRIVMSG bob :x", "WHO *", "NAMES #a", "LIST", "WHOIS al", "NONSENSE"] {
        assert!(matches!(d.send_line(command), LoginStep::Continue));
        let word = command.split(' ').next().expect("a word");
        assert_eq!(d.out, format!(":chat.parlour 451 * {word} :You have not logged in\r\n"));
    }
}

#[test]
fn wrong_passwords_close_connection_after_limit() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS", "NICK al", "USER al 0 * :Al"]);
    for round in 1..=5 {
        d.send_line("AUTHENTICATE PLAIN");
        assert!(matches!(d.send_line(PLAIN), LoginStep::CheckPassword(_)));
        d.out.clear();
        let step = d.machine.resume_with_verification(Verification::WrongCredentials, &mut d.out);
        assert!(d.out.contains(" 904 al :"), "{}", d.out);
        assert_eq!(matches!(step, LoginStep::Close(_)), round == 5);
    }
}

#[test]
fn sasl_errors_are_distinguished() {
    let mut d = Driver::new();
    let mut answer = |lines: &[&str]| {
        d.send_lines(lines);
        d.out.split(' ').nth(1).expect("a numeric").to_owned()
    };
    assert_eq!(answer(&["AUTHENTICATE PLAIN", "AUTHENTICATE !!!"]), "904");
    assert_eq!(answer(&["AUTHENTICATE PLAIN", &format!("AUTHENTICATE {}", "a".repeat(401))]), "905");
    assert_eq!(answer(&["AUTHENTICATE PLAIN", "AUTHENTICATE *"]), "906");
    assert_eq!(answer(&["AUTHENTICATE *"]), "906");
    assert_eq!(answer(&["AUTHENTICATE SCRAM-SHA-256"]), "908");
    assert_eq!(answer(&["AUTHENTICATE"]), "461");
}

#[test]
fn unknown_mechanisms_do_not_count_as_failures() {
    let mut d = Driver::new();
    for _ in 0..20 {
        assert!(matches!(d.send_line("AUTHENTICATE SCRAM-SHA-256"), LoginStep::Continue));
        assert!(matches!(d.send_line("AUTHENTICATE EXTERNAL"), LoginStep::Continue));
        assert!(matches!(d.send_line("AUTHENTICATE +"), LoginStep::LookUpDevice(None)));
        d.out.clear();
        assert!(matches!(
            d.machine.resume_with_verification(Verification::NoDevice("none".into()), &mut d.out),
            LoginStep::Continue
        ));
        assert!(d.out.contains(" 904 "));
    }
    d.send_line("AUTHENTICATE PLAIN");
    assert_eq!(d.out, "AUTHENTICATE +\r\n");
}

#[test]
fn register_creates_account_and_logs_in() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS 302", "PASS token", "NICK al", "USER al 0 * :Al"]);
    let LoginStep::RedeemInvite(wanted) = d.send_line("REGISTER * * secret12") else {
        panic!("no registration")
    };
    assert_eq!((wanted.name.as_str(), wanted.password.as_str()), ("al", "secret12"));
    assert_eq!(wanted.token.as_deref().map(String::as_str), Some("token"));
    d.out.clear();
    let refused = RegistrationError { code: "TOKEN_SPENT", text: "That invite was used up".to_owned() };
    assert!(matches!(d.machine.resume_with_registration(Err(refused), &mut d.out), LoginStep::Continue));
    assert_eq!(d.out, ":chat.parlour FAIL REGISTER TOKEN_SPENT al :That invite was used up\r\n");
    assert!(matches!(d.send_line("REGISTER al * secret12"), LoginStep::RedeemInvite(_)));
    d.out.clear();
    let name = Nick::parse("al").expect("a nick");
    let verified = Verified { account: AccountId(1), name, proof: password() };
    d.machine.resume_with_registration(Ok(verified), &mut d.out);
    assert!(d.out.starts_with(":chat.parlour REGISTER SUCCESS al :"), "{}", d.out);
    assert!(matches!(d.send_line("CAP END"), LoginStep::Done(_)));
}

#[test]
fn login_keeps_requested_nick_if_it_differs() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS 302", "NICK somebody", "USER x 0 * :X", "AUTHENTICATE PLAIN", PLAIN]);
    d.accept_password();
    let LoginStep::Done(login) = d.send_line("CAP END") else { panic!("not in") };
    assert_eq!(login.requested_nick.as_deref(), Some("somebody"));
}

#[test]
fn debug_output_hides_secrets() {
    let mut d = Driver::new();
    d.send_lines(&["PASS token", "AUTHENTICATE PLAIN"]);
    let step = d.send_line(PLAIN);
    let shown = format!("{step:?} {:?}", d.machine);
    assert!(!shown.contains("secret12"), "{shown}");
}

#[test]
fn away_metadata_and_isupport_work_before_login() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS 302", "NICK al", "USER al 0 * :Al"]);
    d.send_line("AWAY *");
    assert!(d.out.contains(" 451 "), "not without the capability: {}", d.out);
    d.send_line("CAP REQ :batch sasl draft/pre-away draft/extended-isupport draft/metadata-3");
    d.send_line("AWAY *");
    assert_eq!(d.out, ":chat.parlour 306 al :You have been marked as being away\r\n");
    d.send_line("ISUPPORT");
    assert!(
        d.out.starts_with(":chat.parlour BATCH +i draft/isupport\r\n@batch=i :chat.parlour 005 al "),
        "{}",
        d.out
    );
    d.send_line("METADATA * SET status early");
    assert_eq!(d.out, ":chat.parlour 761 al * status * :early\r\n");
    d.send_line("METADATA * SUB status");
    d.send_line("AUTHENTICATE PLAIN");
    d.send_line(PLAIN);
    d.accept_password();
    let LoginStep::Done(login) = d.send_line("CAP END") else { panic!("not in") };
    assert_eq!(login.away.as_deref(), Some("*"));
    assert!(login.metadata.subscriptions.contains("status"));
    assert_eq!(login.metadata.values.get("status").cloned().flatten().as_deref(), Some("early"));
}

#[test]
fn sasl_external_works_with_and_without_name() {
    let mut d = Driver::new();
    d.send_lines(&["CAP REQ sasl", "NICK al", "USER al 0 * :Al", "AUTHENTICATE EXTERNAL"]);
    let LoginStep::LookUpDevice(Some(name)) = d.send_line("AUTHENTICATE QWw=") else { panic!("no proof") };
    assert_eq!(name.as_str(), "Al");
    d.send_lines(&["AUTHENTICATE external"]);
    assert!(matches!(d.send_line("AUTHENTICATE +"), LoginStep::LookUpDevice(None)));
    let proof = Proof::Device(CertificateFingerprint([7; 32]));
    let name = Nick::parse("al").expect("a nick");
    let verified = Verified { account: AccountId(7), name, proof: proof.clone() };
    d.machine.resume_with_verification(Verification::Verified(verified), &mut d.out);
    let LoginStep::Done(login) = d.send_line("CAP END") else { panic!("not in") };
    assert_eq!(login.proof, proof);
    let mut d = Driver::new();
    d.send_lines(&["AUTHENTICATE EXTERNAL"]);
    assert!(matches!(d.send_line("AUTHENTICATE ISE="), LoginStep::Continue), "no name");
    assert!(d.out.contains(" 904 "));
}

/// <https://ircv3.net/specs/extensions/labeled-response>
#[test]
fn labeled_response_works_before_login() {
    let mut d = Driver::new();
    d.send_lines(&["CAP LS 302", "NICK al", "USER al 0 * :Al", "CAP REQ :labeled-response batch sasl"]);
    d.send_line("@label=1 AUTHENTICATE PLAIN");
    assert_eq!(d.out, "@label=1 AUTHENTICATE +\r\n");
    assert!(matches!(d.send_line(&format!("@label=2 {PLAIN}")), LoginStep::CheckPassword(_)));
    assert_eq!(d.out, "", "the answer comes with the outcome");
    d.accept_password();
    let lines: Vec<&str> = d.out.lines().collect();
    assert_eq!(lines[0], "@label=2 :chat.parlour BATCH +r labeled-response");
    assert!(
        lines[1].starts_with("@batch=r :chat.parlour 900 ")
            && lines[2].starts_with("@batch=r :chat.parlour 903 ")
    );
    assert_eq!(lines[3..], [":chat.parlour BATCH -r"]);
    d.send_line("PING x");
    assert_eq!(d.out, ":chat.parlour PONG chat.parlour :x\r\n", "a label is for one command");
    assert!(matches!(d.send_line("@label=3 CAP END"), LoginStep::Done(_)));
    assert_eq!(d.out, "@label=3 :chat.parlour ACK\r\n");
}

/// A client without SASL sends this from its field for a server password.
#[test]
fn pass_with_name_and_password_logs_in() {
    for (pass, password) in
        [("PASS al:secret12", "secret12"), ("PASS :al:a b: c", "a b: c"), ("PASS al:a b", "a b")]
    {
        let mut d = Driver::new();
        d.send_lines(&[pass, "NICK al"]);
        let LoginStep::CheckPassword(credentials) = d.send_line("USER al 0 * :Al") else {
            panic!("no check")
        };
        assert_eq!(
            (credentials.name.expect("a nick").as_str(), credentials.password.as_str()),
            ("al", password)
        );
        let LoginStep::Done(login) = d.accept_password() else { panic!("not in") };
        assert_eq!(login.account, AccountId(7));
    }
    // With CAP, the check starts at CAP END.
    let mut d = Driver::new();
    d.send_lines(&["CAP LS", "PASS al:secret12", "NICK al", "USER al 0 * :Al"]);
    assert!(matches!(d.send_line("CAP END"), LoginStep::CheckPassword(_)));
    // After SASL has succeeded, PASS is not looked at.
    let mut d = Driver::new();
    d.send_lines(&[
        "CAP REQ sasl",
        "PASS al:other",
        "NICK al",
        "USER al 0 * :Al",
        "AUTHENTICATE PLAIN",
        PLAIN,
    ]);
    d.accept_password();
    assert!(matches!(d.send_line("CAP END"), LoginStep::Done(_)));
}

#[test]
fn wrong_pass_gets_err_passwdmismatch() {
    let mut d = Driver::new();
    d.send_lines(&["PASS al:wrong", "NICK al", "USER al 0 * :Al"]);
    let step = d.machine.resume_with_verification(Verification::WrongCredentials, &mut d.out);
    assert!(matches!(step, LoginStep::Close(why) if why == "Wrong account name or password"));
    assert!(d.out.ends_with(" 464 al :Wrong account name or password\r\n"), "{}", d.out);
    // A value without a colon is not NAME:PASSWORD, and is not echoed.
    for pass in ["PASS secret12", "PASS :secret12", "PASS :", "PASS al:", "PASS :x"] {
        let mut d = Driver::new();
        d.send_lines(&[pass, "NICK al"]);
        let LoginStep::Close(reason) = d.send_line("USER al 0 * :Al") else { panic!("{pass}") };
        assert!(reason.contains("NAME:PASSWORD") && d.out.contains(" 464 al :"), "{pass}: {reason}");
        assert!(!d.out.contains("secret12") && !reason.contains("secret12"));
    }
}
