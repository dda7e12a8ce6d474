//! Output and exit codes of the client's commands, word for word: the interface for scripts.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::support::{Home, PASSWORD, Process, Server, assert_failure, assert_success, server};

/// Runs a client with `user`'s configuration to its end, with the password and this text on standard input.
fn run_as(home: &Home, user: &str, args: &[&str], input: &str) -> Output {
    run_with_password(home, user, args, &format!("{PASSWORD}\n{input}"))
}

fn run_with_password(home: &Home, user: &str, args: &[&str], input: &str) -> Output {
    home.run_as(user, &[args, &["--password-stdin"]].concat(), input)
}

/// Starts a client that keeps running, with its password.
fn start_as(server: &Server, user: &str, args: &[&str]) -> Process {
    let mut process = server.home.start_as_user(user, &[args, &["--password-stdin"]].concat());
    process.type_line(PASSWORD);
    process
}

/// Returns the lines without `[hh:mm] `.
fn strip_times(text: &str) -> Vec<&str> {
    let strip = |line| str::strip_prefix(line, "[").and_then(|line| line.split_once("] "));
    text.lines().map(|line| strip(line).map_or(line, |(_, rest)| rest)).collect()
}

#[test]
fn conversation_is_printed_as_expected() {
    let server = server();
    server.home.join("dora");
    let home = &server.home;
    let link = home.invite(&[]);
    let told = assert_success(&run_as(home, "Eve", &["join", &link, "--name", "Eve"], ""));
    assert_eq!(told, "Eve is a member of 127.0.0.1 now; `parlour chat` opens the chat\n");
    assert_eq!(
        assert_success(&run_as(home, "dora", &["echo"], "hi\n\nthere: äöü\n")),
        "Server: Server received your message: hi\nServer: Server received your message: there: äöü\n"
    );

    let tail = start_as(&server, "dora", &["tail", "#lobby", "eve"]);
    let json = start_as(&server, "dora", &["tail", "#lobby", "eve", "--json"]);
    tail.wait_for_line(|line| line.ends_with("#lobby -- you joined"));
    json.wait_for_line(|line| line.contains(r#""kind":"join""#));
    assert_eq!(assert_success(&run_as(home, "Eve", &["send", "#lobby", "The build is green"], "")), "");
    assert_eq!(assert_success(&run_as(home, "Eve", &["send", "dora", "--notice"], "one\n\n  two\n")), "");
    let typed = "//slash\n/me waves\n/topic Be kind\n/names\n/msg dora psst\n/part bye\n";
    let printed = assert_success(&run_as(home, "Eve", &["chat"], typed));
    assert_eq!(
        strip_times(&printed),
        [
            "#lobby -- you joined",
            "        #lobby -- 1 here: Eve",
            // Messages from eve's own scripts do not count as unread.
            "#lobby <Eve> /slash",
            "#lobby * Eve waves",
            "#lobby -- you set the topic: Be kind",
            "        #lobby -- 1 here: Eve",
            "dora <Eve> psst",
            "#lobby -- you left (bye)",
        ]
    );
    tail.wait_for_line(|line| line.contains("left"));
    let printed = tail.printed();
    let other = |line: &&str| !line.contains("joined") && !line.contains(" quit");
    assert_eq!(
        strip_times(&printed).into_iter().filter(other).collect::<Vec<_>>(),
        [
            "#lobby <Eve> The build is green",
            "Eve -Eve- one",
            "Eve -Eve-   two",
            "#lobby <Eve> /slash",
            "#lobby * Eve waves",
            "#lobby -- Eve set the topic: Be kind",
            "Eve <Eve> psst",
            "#lobby -- Eve left (bye)",
        ]
    );
    let green = json.wait_for_line(|line| line.contains("green"));
    let object: serde_json::Value = serde_json::from_str(&green).expect("JSON");
    for (key, value) in
        [("kind", "message"), ("target", "#lobby"), ("from", "Eve"), ("text", "The build is green")]
    {
        assert_eq!(object[key], value, "{green}");
    }
    assert!(object["time"].is_string() && object["msgid"].is_string(), "{green}");
}

#[test]
fn refusals_are_one_line_with_a_remedy() {
    let server = server();
    server.home.join("dora");
    let home = &server.home;
    let link = home.invite(&[]);
    let join = |link: &str, name: &str, password: &str| {
        assert_failure(
            &run_with_password(home, "eve", &["join", link, "--name", name], &format!("{password}\n")),
            1,
        )
    };
    assert_eq!(
        join(&link, "DORA", PASSWORD),
        "parlour: you cannot have that name: the name dora is taken; choose another with --name\n"
    );
    assert!(join(&link, "echo", PASSWORD).starts_with("parlour: you cannot have that name: "));
    assert!(join(&link, "eve", "x").starts_with("parlour: the password was not accepted: "));
    assert!(join(&link, "eve", "").contains("the password is empty"));
    // None of these attempts spent the invite.
    assert_success(&run_as(home, "eve", &["join", &link, "--name", "eve"], ""));
    assert_eq!(
        join(&link, "fay", PASSWORD),
        "parlour: the invite was not accepted: this invite was used already; ask for a new invite\n"
    );
    assert_eq!(
        assert_failure(&run_with_password(home, "eve", &["echo"], "wrong\nhi\n"), 5),
        "parlour: the server refused the login: Wrong account name or password; check the name and the password; \
         if they are right, the account may be disabled\n"
    );
    assert_eq!(
        assert_failure(&run_as(home, "eve", &["send", "nobody"], "hi\n\nho\n"), 3),
        "parlour: line 1 was not delivered to nobody: No such nick/channel\n\
         parlour: line 3 was not delivered to nobody: No such nick/channel\n\
         parlour: 2 of 2 messages not delivered, see above\n"
    );
    assert_eq!(
        assert_failure(&run_as(home, "eve", &["chat"], "/jion #a\n/msg nobody hi\n"), 1),
        "-- there is no /jion; did you mean /join?\n\
         -- not delivered to nobody: there is nobody called nobody; /who lists the people who are online\n\
         parlour: 2 lines of input failed, see above\n"
    );
    assert_eq!(
        assert_failure(&run_as(home, "eve", &["chat", "elsewhere"], ""), 1),
        "parlour: no server of that name, or of that address and port, is known, but 127.0.0.1; join it with an invite, or give its --pin\n"
    );
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").to_string();
    assert_eq!(
        join(&link.replace(&server.address.to_string(), &dead), "fay", PASSWORD),
        format!(
            "parlour: cannot reach the server: {dead}: nothing listens there; is the server running, and is this \
             the right address and network?\n"
        )
    );
}

#[test]
fn pin_is_needed_once_for_an_account_without_invite() {
    let server = server();
    let (address, pin) = (server.address.to_string(), server.pin().to_string());
    let chat = ["chat", &address, "--name", "carol", "--pin", &pin];
    assert_success(&run_as(&server.home, "carol", &chat, "/join #Ops\nhello\n"));
    assert_success(&run_as(&server.home, "carol", &["send", "#ops", "again"], ""));
    assert_eq!(server.home.count("SELECT count(*) FROM messages WHERE text IN ('hello', 'again')"), 2);
}

#[test]
fn repeated_server_kills_lose_and_duplicate_nothing() {
    const LINES: usize = 2000;
    let server = server();
    server.home.join("dora");
    let home = server.home.clone();
    let address = server.address.to_string();
    drop(server);
    let mut server = home.serve_verbosely_at(&address);
    let mut send = home.command(&["send", "#lobby", "--password-stdin"]);
    let mut send =
        send.env("XDG_CONFIG_HOME", home.path("dora")).stdin(Stdio::piped()).spawn().expect("parlour starts");
    let mut stdin = send.stdin.take().expect("a pipe");
    // As fast as they are taken, so that some are on their way whenever the server dies.
    let feed = thread::spawn(move || {
        writeln!(stdin, "{PASSWORD}")?;
        (0..LINES).try_for_each(|n| writeln!(stdin, "line {n}"))
    });
    for round in 1..=3 {
        let (mut count, least) = (0, round * 400);
        while count < least {
            server.wait_for_log(|line| line.contains("message from=dora"));
            count = home.count("SELECT count(*) FROM messages");
        }
        server.kill9();
        server = home.serve_verbosely_at(&address);
    }
    let output = send.wait_with_output().expect("parlour ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    feed.join().expect("no panic").expect("all was taken");
    let database = home.database();
    let mut rows = database.prepare("SELECT text FROM messages ORDER BY id").expect("the table");
    let kept: Vec<String> =
        rows.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("texts");
    let all: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
    assert!(kept == all, "{} of {LINES} messages were kept, or in another order", kept.len());
}

#[test]
fn received_text_cannot_control_the_terminal() {
    let server = server();
    server.home.join("dora");
    server.home.join("eve");
    let text = start_as(&server, "dora", &["tail", "#lobby"]);
    let json = start_as(&server, "dora", &["tail", "#lobby", "--json"]);
    text.wait_for_line(|line| line.ends_with("you joined"));
    json.wait_for_line(|line| line.contains(r#""kind":"join""#));
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}a\u{9b}31m\u{202e}b\u{8}\u{7f}\u{3}4c";
    assert_success(&run_as(&server.home, "eve", &["send", "#lobby", hostile], ""));
    let line = text.wait_for_line(|line| line.contains("<eve>"));
    assert_eq!(strip_times(&line), ["#lobby <eve> abc"]);
    let line = json.wait_for_line(|line| line.contains(r#""kind":"message""#));
    assert!(!line.contains(|c: char| c.is_control() || c == '\u{202e}'), "{line:?}");
    // A program gets the whole text.
    let object: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(object["text"], hostile);
}

#[test]
fn tail_ends_quietly_when_its_reader_is_gone() {
    let server = server();
    server.home.join("dora");
    let home = &server.home;
    let mut tail = Command::new("sh");
    let script =
        format!("{} tail '#lobby' --password-stdin | head -n 1; wait", env!("CARGO_BIN_EXE_parlour"));
    home.configure(&mut tail).args(["-c", &script]);
    let mut tail =
        tail.env("XDG_CONFIG_HOME", home.path("dora")).stdin(Stdio::piped()).spawn().expect("a shell");
    writeln!(tail.stdin.as_mut().expect("a pipe"), "{PASSWORD}").expect("taken");
    let mut out = BufReader::new(tail.stdout.take().expect("a pipe"));
    let mut line = String::new();
    out.read_line(&mut line).expect("text");
    assert!(line.ends_with("#lobby -- you joined\n"), "{line}");
    assert_success(&run_as(home, "dora", &["send", "#lobby"], "one\ntwo\nthree\n"));
    let output = tail.wait_with_output().expect("it ends");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn sending_script_does_not_mark_messages_as_read() {
    let server = server();
    server.home.join("dora");
    let home = &server.home;
    let link = home.invite(&[]);
    assert_success(&run_as(home, "Eve", &["join", &link, "--name", "Eve"], ""));
    assert_success(&run_as(home, "Eve", &["send", "dora", "read me"], ""));
    // A script of dora's sends meanwhile, and is not a reader.
    assert_success(&run_as(home, "dora", &["send", "echo", "from a script"], ""));
    let read = |user| assert_success(&run_as(home, user, &["chat"], ""));
    assert!(read("dora").contains("<Eve> read me"));
    assert!(!read("dora").contains("read me"), "once is enough");
}
