//! `parlour user` and `parlour invite`, without a server and beside a running one.

use std::fs;
use std::process::Output;

use parlour::store::Store;
use parlour::trust::InviteLink;

use crate::support::{Home, Process, assert_failure};

const SECRET: &str = "secret12\n";

/// Runs the program, which must succeed. Returns its standard output.
#[track_caller]
fn run_ok(home: &Home, args: &[&str]) -> String {
    crate::support::assert_success(&home.run_with_input(args, SECRET))
}

/// Runs the program, which must fail. Returns its last line on standard error.
#[track_caller]
fn run_failing(home: &Home, args: &[&str]) -> String {
    error_text(&home.run_with_input(args, SECRET))
}

#[track_caller]
fn error_text(output: &Output) -> String {
    assert_failure(output, 1).lines().last().unwrap_or_default().to_owned()
}

fn add_user(home: &Home, name: &str) -> String {
    run_ok(home, &["user", "add", name, "--password-stdin"])
}

/// Returns the first three columns of `user list`.
fn list_users(home: &Home) -> Vec<String> {
    let list = run_ok(home, &["user", "list"]);
    let columns = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    list.lines().skip(1).map(columns).collect()
}

#[test]
fn account_lifecycle() {
    let home = &Home::new(&[]);
    assert!(run_failing(home, &["user", "list"]).contains("there is no database in data"));
    assert_eq!(add_user(home, "Alice"), "Alice is added, as a member\n");
    assert_eq!(
        run_ok(home, &["user", "add", "bob", "--admin", "--password-stdin"]),
        "bob is added, as an admin\n"
    );
    assert_eq!(list_users(home), ["Alice member enabled", "bob admin enabled"]);

    let taken = run_failing(home, &["user", "add", "aLICE", "--password-stdin"]);
    assert_eq!(taken, "parlour: the name aLICE is taken; choose another name");
    for reserved in ["echo", "NICKSERV"] {
        assert!(run_failing(home, &["user", "add", reserved, "--password-stdin"]).contains("is reserved"));
    }
    for bad in ["1st", "a b", "zoë", "", &"x".repeat(25)] {
        let output = home.run_with_input(&["user", "add", bad, "--password-stdin"], "secret12\n");
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be an account's name"), "{bad}");
    }
    let weak = home.run_with_input(&["user", "add", "carol", "--password-stdin"], "short\n");
    assert_eq!(error_text(&weak), "parlour: a password needs at least 8 characters; choose another");

    run_ok(home, &["user", "passwd", "alice", "--password-stdin"]);
    run_ok(home, &["user", "role", "alice", "admin"]);
    run_ok(home, &["user", "disable", "alice"]);
    assert_eq!(list_users(home), ["Alice admin disabled", "bob admin enabled"]);
    run_ok(home, &["user", "enable", "alice"]);
    run_ok(home, &["user", "role", "alice", "member"]);
    assert_eq!(run_ok(home, &["user", "remove", "--yes", "alice"]), "Alice is removed\n");
    assert_eq!(list_users(home), ["bob admin enabled"]);
    assert!(run_failing(home, &["user", "disable", "alice"]).contains("there is no account alice"));
    assert!(run_failing(home, &["user", "add", "Alice", "--password-stdin"]).contains("removed"));
    run_ok(home, &["user", "add", "Alice", "--again", "--password-stdin"]);
    assert_eq!(list_users(home), ["Alice member enabled", "bob admin enabled"]);
}

#[test]
fn several_accounts_are_changed_together_or_not_at_all() {
    let home = &Home::new(&[]);
    home.import(&["alice", "bob", "carol", "dora"]);
    assert_eq!(
        run_ok(home, &["user", "role", "alice", "BOB", "alice", "admin"]),
        "alice is an admin\nbob is an admin\n"
    );
    let unknown = run_failing(home, &["user", "disable", "carol", "erin", "fred"]);
    assert!(unknown.contains("there are no accounts erin, fred"), "{unknown}");
    run_ok(home, &["user", "disable", "carol", "dora"]);
    run_ok(home, &["user", "set", "alice", "bob", "bot", "on"]);
    let users = home.succeed(&["user", "list", "--json"]);
    let users: Vec<serde_json::Value> =
        users.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let shown = |user: &serde_json::Value| {
        format!("{} {} {} {}", user["name"], user["role"], user["disabled"], user["bot"])
    };
    assert_eq!(
        users.iter().map(shown).collect::<Vec<_>>(),
        [
            r#""alice" "admin" false true"#,
            r#""bob" "admin" false true"#,
            r#""carol" "member" true false"#,
            r#""dora" "member" true false"#
        ]
    );
}

#[test]
fn last_admin_stays() {
    let home = &Home::new(&[]);
    home.import(&["alice", "bob", "carol"]);
    run_ok(home, &["user", "role", "alice", "bob", "admin"]);
    // A disabled admin is none who could help.
    run_ok(home, &["user", "disable", "bob"]);
    for line in
        [&["remove", "--yes", "carol", "alice"][..], &["disable", "alice"], &["role", "alice", "member"]]
    {
        let error = run_failing(home, &[&["user"], line].concat());
        assert_eq!(
            error,
            "parlour: alice is the last admin; make another one first: `parlour user role NAME admin`"
        );
    }
    assert_eq!(list_users(home), ["alice admin enabled", "bob admin disabled", "carol member enabled"]);
    run_ok(home, &["user", "enable", "bob"]);
    run_ok(home, &["user", "remove", "--yes", "carol", "alice"]);
}

#[test]
fn removal_needs_an_answer() {
    let home = &Home::new(&[]);
    add_user(home, "alice");
    let error = run_failing(home, &["user", "remove", "alice"]);
    assert_eq!(error, "parlour: nothing was changed, as nobody can be asked here: run this with --yes");
    assert_eq!(list_users(home), ["alice member enabled"]);
}

#[test]
fn passwords_are_never_arguments() {
    let home = &Home::new(&[]);
    let output = home.run_with_input(&["user", "add", "alice", "secret12"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(!home.path("data").exists());
}

#[test]
fn import_adds_valid_rows_and_reports_invalid_ones() {
    let home = &Home::new(&[]);
    add_user(home, "Taken");
    let csv = "name,password,role\nalice,secret12\nbob,secret12,admin\ntaken,secret12\nALICE,secret12\necho,secret12\n\
        carol,short\n1st,secret12\ndave,secret12,king\nerin,\"quoted, with comma\"\n";
    fs::write(home.path("people.csv"), csv).expect("writes");
    let output = home.run_with_input(&["user", "import", "people.csv"], "");
    assert_eq!(
        error_text(&output),
        "parlour: 5 of 9 lines not taken; correct them and import the file again, the others are kept"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4 added, 5 not\n");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("people.csv:")).collect();
    let starts =
        ["4: column 1: the name", "5: column 1: the name", "6: column 1: ", "7: column 2: ", "9: column 3: "];
    assert_eq!(lines.len(), starts.len(), "{errors}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(
        list_users(home),
        [
            "_1st member enabled",
            "alice member enabled",
            "bob admin enabled",
            "erin member enabled",
            "Taken member enabled"
        ]
    );
    // A name that no account can have is a person's.
    assert!(errors.contains("1st is _1st\n"), "{errors}");

    assert!(!errors.contains("secret12") && !errors.contains("short"), "{errors}");
    fs::write(home.path("more.csv"), "frank,secret12\n").expect("writes");
    assert_eq!(run_ok(home, &["user", "import", "more.csv"]), "1 added, 0 not\n");
    assert!(run_failing(home, &["user", "import", "absent.csv"]).contains("cannot read absent.csv"));
}

#[test]
fn invite_lifecycle() {
    let home = &Home::new(&[]);
    let without = run_failing(home, &["invite", "create"]);
    assert!(without.contains("certs"), "{without}");
    run_ok(home, &["certs", "generate"]);
    fs::write(home.path("parlour.toml"), "advertise = ['chat.example.org']\n").expect("writes");

    let output = home.run_with_input(&["invite", "create"], "");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let link: InviteLink = stdout.lines().last().expect("a line").parse().expect("a link");
    // Those of the machine follow.
    assert_eq!(link.addresses.first(), Some(&"chat.example.org:6697".parse().expect("an address")));
    assert!(run_ok(home, &["certs", "show"]).contains(&link.pin.to_string()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("Invite 1 makes one member account until "), "{said}");
    assert!(!said.contains(&link.token.to_string()));

    run_ok(
        home,
        &["invite", "create", "--uses", "30", "--expires", "7d", "--role", "admin", "--channel", "#class"],
    );
    assert_eq!(run_ok(home, &["invite", "revoke", "1"]), "invite 1 is revoked\n");
    assert!(run_failing(home, &["invite", "revoke", "9"]).contains("there is no invite 9"));
    let list = run_ok(home, &["invite", "list"]);
    let lines: Vec<Vec<&str>> =
        list.lines().skip(1).map(|l| l.split_whitespace().take(5).collect()).collect();
    assert_eq!(
        lines,
        [["1", "revoked", "0/1", "member", "#lobby"], ["2", "open", "0/30", "admin", "#class"]]
    );
    // The list does not show the tokens.
    assert!(!list.contains(&link.token.to_string()));
    for bad in [["--uses", "0"], ["--expires", "soon"], ["--expires", "0s"], ["--channel", "class"]] {
        let output = home.run_with_input(&["invite", "create", bad[0], bad[1]], "");
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn waits_for_a_folder_that_is_in_use() {
    let home = &Home::new(&[]);
    add_user(home, "alice");
    let held = Store::open(&home.path("data")).expect("opens");
    let mut list = home.command(&["user", "list"]).spawn().expect("it runs");
    // A server, which does not wait, has time to start, look and end.
    assert!(home.fail(&["serve", "--listen", "127.0.0.1:0"]).contains("is in use by the parlour process"));
    assert_eq!(list.try_wait().expect("its status"), None, "it waits");
    drop(held);
    assert!(list.wait_with_output().expect("it ends").status.success());
}

#[test]
fn changes_beside_a_running_server_apply_at_once() {
    let home = &Home::new(&[]);
    let server = home.serve();
    add_user(home, "alice");
    assert!(run_failing(home, &["user", "add", "ALICE", "--password-stdin"]).contains("is taken"));
    assert_eq!(list_users(home), ["alice member enabled"]);
    fs::write(home.path("people.csv"), "bob,secret12\ncarol,secret12\n").expect("writes");
    assert_eq!(run_ok(home, &["user", "import", "people.csv"]), "2 added, 0 not\n");

    // The link has the port that the server really listens on.
    let link: InviteLink = run_ok(home, &["invite", "create"]).trim().parse().expect("a link");
    let [address] = &link.addresses[..] else { panic!("{link:?}") };
    assert!(run_ok(home, &["certs", "show"]).contains(&link.pin.to_string()));

    let chat = ["chat", &address.to_string(), "--plain", "--name", "alice", "--password-stdin"];
    let pin = link.pin.to_string();
    let log_in = || -> Process {
        let mut session = home.start_as_user("alice", &[&chat[..], &["--pin", &pin]].concat());
        session.type_line("secret12");
        session
    };
    let log_in_for_good = || {
        let session = log_in();
        server.wait_for_metric("parlour_sessions", |sessions| sessions == 1);
        session
    };
    let mut session = log_in_for_good();
    run_ok(home, &["user", "disable", "alice"]);
    assert!(!session.wait().success(), "a disabled account's session ends");
    assert!(!log_in().wait().success(), "and it cannot log in again");

    run_ok(home, &["user", "enable", "alice"]);
    let mut session = log_in_for_good();
    run_ok(home, &["user", "remove", "--yes", "alice"]);
    assert!(!session.wait().success(), "a removed account's session ends");

    // A second server on the folder refuses to start and says why.
    let second = home.run_with_input(&["serve", "--listen", "127.0.0.1:0"], "");
    assert!(error_text(&second).contains("is in use by the parlour process"));
}
