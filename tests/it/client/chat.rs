//! Parlour's client against Parlour's server: join, chat, echo, send and tail.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitStatus;

use crate::support::{Client, Home, PASSWORD, Process, server};

/// Starts a subcommand with `user`'s configuration, sends the password and this input, and leaves the input open.
fn start_chat(home: &Home, user: &str, args: &[&str], lines: &[&str]) -> Process {
    let mut process = home.start_as_user(user, &[args, &["--password-stdin"]].concat());
    process.type_line(PASSWORD);
    for line in lines {
        process.type_line(line);
    }
    process
}

/// Runs a subcommand to its end. Returns its status and its output.
fn run_chat(home: &Home, user: &str, args: &[&str], lines: &[&str]) -> (ExitStatus, String) {
    let mut process = start_chat(home, user, args, lines);
    process.end_input();
    let status = process.wait();
    (status, process.printed())
}

#[test]
fn join_creates_the_account_and_stores_the_server() {
    let server = server();
    let link = server.home.invite(&[]);
    let (status, printed) = run_chat(&server.home, "dora", &["join", &link, "--name", "dora"], &[]);
    assert!(status.success(), "{printed}");
    assert!(server.home.succeed(&["user", "list"]).contains("dora"));
    let file = server.home.path("dora/parlour/servers.toml");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    let remembered = fs::read_to_string(&file).expect("the file");
    assert!(remembered.contains(&server.pin().to_string()), "{remembered}");
    let token = link.split("token=").nth(1).expect("a token");
    assert!(!remembered.contains(token) && !remembered.contains(PASSWORD), "no secret is kept: {remembered}");
    // The link is spent.
    let (status, printed) = run_chat(&server.home, "eve", &["join", &link, "--name", "eve"], &[]);
    assert_eq!(status.code(), Some(1));
    assert!(printed.contains("used") && printed.contains("new invite"), "{printed}");
}

#[test]
fn send_succeeds_once_everything_is_confirmed() {
    let server = server();
    server.home.join("dora");
    let mut alice = Client::in_channel(&server, "alice", "#lobby");
    let (status, printed) = run_chat(&server.home, "dora", &["send", "#lobby", "hello there"], &[]);
    assert!(status.success(), "{printed}");
    assert_eq!(alice.wait_for_message("hello there").nick(), "dora");
    let lines: Vec<String> = (0..100).map(|n| format!("line {n}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (status, printed) = run_chat(&server.home, "dora", &["send", "alice"], &lines);
    assert!(status.success(), "{printed}");
    for line in lines {
        assert_eq!(alice.wait_for_command("PRIVMSG alice").text(), line);
    }
    let (status, printed) = run_chat(&server.home, "dora", &["send", "nobody", "hello"], &[]);
    assert_eq!(status.code(), Some(3));
    assert!(printed.contains("nobody"), "{printed}");
}

#[test]
fn wrong_password_ends_the_client() {
    let server = server();
    server.home.join("dora");
    let mut process = server.home.start_as_user("dora", &["send", "#lobby", "hello", "--password-stdin"]);
    process.type_line("not the password");
    process.end_input();
    assert_eq!(process.wait().code(), Some(5));
    assert!(process.printed().contains("password"), "{}", process.printed());
    assert!(!process.printed().contains("not the password"), "{}", process.printed());
}

#[test]
fn tutorial_echo_works() {
    let server = server();
    server.home.join("dora");
    let (status, printed) = run_chat(&server.home, "dora", &["echo"], &["hello", "two words"]);
    assert!(status.success(), "{printed}");
    let answers =
        "Server: Server received your message: hello\nServer: Server received your message: two words";
    assert!(printed.contains(answers), "{printed}");
}

#[test]
fn tail_follows_new_messages() {
    let server = server();
    server.home.join("dora");
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #lobby,#more");
    let tail = start_chat(&server.home, "dora", &["tail", "#lobby", "#more"], &[]);
    tail.wait_for_line(|line| line.contains("#more -- you joined"));
    alice.send("PRIVMSG #lobby :first");
    alice.send("PRIVMSG #more :second \u{1b}[31mred");
    let line = tail.wait_for_line(|line| line.contains("second"));
    assert!(tail.printed().contains("first"), "{}", tail.printed());
    assert!(!line.contains('\u{1b}'), "nothing that another sends reaches the terminal's ear: {line:?}");
}

#[test]
fn plain_chat_runs_typed_commands() {
    let server = server();
    server.home.join("dora");
    let mut alice = Client::login(&server, "alice");
    alice.request("JOIN #room,#lobby");
    let mut chat = start_chat(&server.home, "dora", &["chat", "--plain"], &["/join #room", "hello room"]);
    assert_eq!(alice.wait_for_message("hello room").nick(), "dora");
    alice.send("PRIVMSG #room :hello dora");
    chat.wait_for_line(|line| line.contains("#room <alice> hello dora"));
    chat.type_line("/msg alice psst");
    assert_eq!(alice.wait_for_message("psst").param(0), "alice");
    chat.type_line("/topic Of this and that");
    assert_eq!(alice.wait_for_command("TOPIC #room").text(), "Of this and that");
    chat.type_line("/names");
    chat.wait_for_line(|line| line.contains("alice") && line.contains("dora") && line.contains("here"));
    chat.type_line("/help channels");
    chat.wait_for_line(|line| line.contains("/topic"));
    chat.type_line("/nonsense");
    chat.wait_for_line(|line| line.contains("/help"));
    chat.type_line("/part");
    alice.wait_for_command("PART #room");
    chat.type_line("/quit good night");
    assert_eq!(alice.wait_for_command("QUIT").text(), "Quit: good night");
    // One of the lines could not be sent.
    assert_eq!(chat.wait().code(), Some(1), "{}", chat.printed());
}

#[test]
fn plain_chat_answers_in_words_and_asks_before_it_bans() {
    let server = server();
    server.home.join("dora");
    let mut alice = Client::login(&server, "alice");
    let mut chat = start_chat(&server.home, "dora", &["chat", "--plain"], &["/join #den", "/whois alice"]);
    chat.wait_for_line(|line| line.ends_with("Profile of alice:"));
    chat.wait_for_line(|line| line.contains("Role: member"));
    chat.wait_for_line(|line| line.contains("Account since: 20"));
    alice.request("JOIN #den");
    chat.type_line("/mode");
    chat.wait_for_line(|line| line.contains("Only members may write."));
    chat.type_line("/ban alice");
    chat.wait_for_line(|line| line.contains("ban alice from #den?"));
    chat.type_line("no");
    chat.wait_for_line(|line| line.contains("cancelled"));
    chat.type_line("/ban alice");
    chat.type_line("y");
    assert_eq!(alice.wait_for_command("MODE #den").param(2), "alice!*@*");
    chat.wait_for_line(|line| line.ends_with("#den -- you banned alice"));
    chat.type_line("/bans");
    chat.wait_for_line(|line| line.contains("alice: effect banned, by dora"));
    chat.type_line("/unban alice");
    alice.wait_for_command("MODE #den -b");
    chat.type_line("/invite nobody");
    chat.wait_for_line(|line| line.contains("no account is called nobody") && line.contains("/invite-link"));
    chat.type_line("/devices");
    chat.wait_for_line(|line| line.contains("fingerprint") && line.contains("added"));
    chat.type_line("/rehash");
    chat.wait_for_line(|line| line.contains("only an admin") && line.contains("ask one of them"));
    chat.type_line("/raw VERSION");
    chat.wait_for_line(|line| line.contains("351"));
}

#[test]
fn plain_chat_replies_reacts_redacts_and_searches() {
    let server = server();
    server.home.join("dora");
    let mut alice = Client::login_with(&server, "alice", "message-tags echo-message draft/message-redaction");
    alice.request("JOIN #room");
    let mut chat =
        start_chat(&server.home, "dora", &["chat", "--plain"], &["/join #room", "/reply to whom?"]);
    chat.wait_for_line(|line| line.contains("no recent message of others here"));
    alice.send("PRIVMSG #room :shall we go?");
    let asked = alice.wait_for_message("shall we go?").tag("msgid").expect("an id").to_owned();
    chat.wait_for_line(|line| line.contains("#room <alice> shall we go?"));

    chat.type_line("/reply yes, at noon");
    let answer = alice.wait_for_message("yes, at noon");
    let id = answer.tag("msgid").expect("an id");
    assert_eq!(answer.tag("+draft/reply"), Some(&*asked));
    chat.wait_for_line(|line| line.ends_with("#room <dora> (to alice: “shall we go?”) yes, at noon"));
    chat.type_line("/react :tada:");
    let reaction = alice.wait_for_command("TAGMSG #room");
    assert_eq!((reaction.tag("+draft/react"), reaction.tag("+draft/reply")), (Some("🎉"), Some(&*asked)));
    chat.wait_for_line(|line| line.ends_with("#room -- dora reacts with 🎉 to alice: “shall we go?”"));
    alice.send(&format!("@+draft/react=👍;+draft/reply={id} TAGMSG #room"));
    chat.wait_for_line(|line| line.ends_with("#room -- alice reacts with 👍 to dora: “yes, at noon”"));

    chat.type_line("/search noon in:#room");
    chat.wait_for_line(|line| line.starts_with("[2") && line.ends_with("#room <dora> yes, at noon"));
    chat.wait_for_line(|line| line.contains("1 result"));
    chat.type_line("/delete");
    assert_eq!(alice.wait_for_command("REDACT #room").param(1), id);
    chat.wait_for_line(|line| line.ends_with("#room -- dora took back dora: “yes, at noon”"));
    chat.type_line("/delete");
    chat.wait_for_line(|line| line.contains("no recent message of yours"));
    chat.type_line("/search noon");
    chat.wait_for_line(|line| line.contains("no results"));
}

#[test]
fn impostor_receives_no_login() {
    let mut server = server();
    server.home.join("dora");
    let expected = server.pin().to_string();
    server.kill9();
    let impostor = Home::with_accounts(&[]).serve_at(&server.address.to_string());
    let seen = impostor.pin().to_string();
    for args in [&["send", "#lobby", "hello"][..], &["chat", "--plain"], &["echo"], &["tail", "#lobby"]] {
        let (status, printed) = run_chat(&server.home, "dora", args, &["hello"]);
        assert_eq!(status.code(), Some(if args[0] == "chat" { 1 } else { 6 }), "{args:?}");
        assert!(printed.contains(&expected) && printed.contains(&seen), "both pins: {printed}");
    }
    // An invite of the real server is not sent to the impostor either.
    let link = server.home.invite(&[]);
    let (_, token) = link.split_once("token=").expect("a token");
    let link = format!("parlour://{}/?pin={expected}&token={token}", server.address);
    let (status, printed) = run_chat(&server.home, "eve", &["join", &link, "--name", "eve"], &[]);
    assert_eq!(status.code(), Some(1));
    assert!(printed.contains(&seen), "{printed}");
    let log = impostor.log();
    assert!(
        !log.contains("login failed") && !log.contains("logged in") && !log.contains("not redeemed"),
        "{log}"
    );
}

#[test]
fn message_sent_on_a_dying_connection_arrives_once() {
    let mut server = server();
    let home = server.home.clone();
    let address = server.address.to_string();
    server.home.join("dora");
    let mut chat = start_chat(&home, "dora", &["chat", "--plain"], &["/query #lobby"]);
    chat.wait_for_line(|line| line.contains("#lobby -- you joined"));
    let mut typed = Vec::new();
    let say = |chat: &mut Process, typed: &mut Vec<String>| {
        typed.push(format!("message {}", typed.len()));
        chat.type_line(typed.last().expect("one"));
    };
    for round in 0..3 {
        for _ in 0..5 {
            say(&mut chat, &mut typed);
        }
        // The server is killed with some lines on their way, and some committed but not yet echoed.
        if round > 0 {
            let last = format!("<dora> {}", typed[typed.len() - 3]);
            chat.wait_for_line(|line| line.ends_with(&last));
        }
        server.kill9();
        say(&mut chat, &mut typed);
        server = home.serve_at(&address);
        say(&mut chat, &mut typed);
        let last = format!("<dora> {}", typed[typed.len() - 1]);
        chat.wait_for_line(|line| line.ends_with(&last));
    }
    chat.end_input();
    assert!(chat.wait().success(), "{}", chat.printed());
    let database = home.database();
    let mut rows = database.prepare("SELECT text FROM messages ORDER BY id").expect("the table");
    let kept: Vec<String> =
        rows.query_map([], |r| r.get(0)).expect("rows").collect::<Result<_, _>>().expect("text");
    assert_eq!(kept, typed);
    for text in &typed {
        let shown = chat.printed().lines().filter(|line| line.ends_with(&format!("<dora> {text}"))).count();
        assert_eq!(shown, 1, "{text} was shown {shown} times:\n{}", chat.printed());
    }
}
