//! The client's subcommands against a real server, over real TLS, with pipes for people.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use assert_cmd::cargo::cargo_bin;
use rusqlite::Connection;
use tempfile::TempDir;

const PASSWORD: &str = "secret12";

/// A server with its folders, and a home for each person.
struct House {
    folder: TempDir,
    address: String,
    server: Option<(Child, Receiver<String>)>,
    /// The first admin's invite.
    invite: String,
}

impl House {
    fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    fn at(address: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        // Cheap hashes, and nobody is slowed down.
        let config = "[passwords]\nmemory_kib = 8\niterations = 1\n[limits]\nflood = false\n";
        fs::write(folder.path().join("parlour.toml"), config).expect("writes");
        let mut house = Self { folder, address: address.to_owned(), server: None, invite: String::new() };
        house.start();
        house
    }

    /// Starts the server, again on the same port.
    fn start(&mut self) {
        let mut command = command(self.folder.path(), &["serve", "--listen", &self.address]);
        let mut child = command.env("RUST_LOG", "info").spawn().expect("it runs");
        // Read all the time: a server whose log nobody reads stands still.
        let (sender, log) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let line = log.iter().find(|line| line.contains("listening on ")).expect("it listens");
        line.rsplit(' ').next().expect("an address").clone_into(&mut self.address);
        if self.invite.is_empty() {
            let mut out = BufReader::new(child.stdout.take().expect("piped"));
            self.invite = find(&mut out, "parlour://");
        }
        self.server = Some((child, log));
    }

    /// Waits until the server's log has said it so many times more.
    fn wait_for(&self, what: &str, times: usize) {
        let (_, log) = self.server.as_ref().expect("running");
        assert_eq!(log.iter().filter(|line| line.contains(what)).take(times).count(), times, "{what}");
    }

    /// kill -9; gives what is left of the log.
    fn kill(&mut self) -> String {
        let Some((mut child, log)) = self.server.take() else { return String::new() };
        child.kill().expect("killed");
        child.wait().expect("ended");
        log.iter().collect::<Vec<_>>().join("\n")
    }

    /// A home of that name.
    fn home(&self, name: &str) -> std::path::PathBuf {
        let home = self.folder.path().join(name);
        fs::create_dir_all(&home).expect("a home");
        home
    }

    /// Runs the program as somebody, to its end.
    fn run(&self, home: &str, args: &[&str], stdin: &str) -> Output {
        let mut child = command(&self.home(home), args).spawn().expect("it runs");
        // Whoever does not read it refused before.
        let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    /// What a client prints when it succeeds; its password comes first.
    fn ok(&self, home: &str, args: &[&str], stdin: &str) -> String {
        let args = [args, &["--password-stdin"]].concat();
        let output = self.run(home, &args, &format!("{PASSWORD}\n{stdin}"));
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// What a client complains when it fails.
    fn fails(&self, home: &str, args: &[&str], stdin: &str) -> String {
        let output = self.run(home, &[args, &["--password-stdin"]].concat(), stdin);
        let text = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        text
    }

    fn new_invite(&self) -> String {
        let output = command(self.folder.path(), &["invite", "create"]).output().expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        text.lines().last().expect("a link").to_owned()
    }

    /// Lets somebody join, in a home of their own name.
    fn join(&self, name: &str) {
        self.ok(name, &["join", &self.new_invite(), "--name", name], "");
    }

    /// Starts a client that goes on; its password is given.
    fn spawn(&self, home: &str, args: &[&str]) -> Client {
        let args = [args, &["--password-stdin"]].concat();
        let mut child = command(&self.home(home), &args).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        writeln!(stdin, "{PASSWORD}").expect("writes");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        Client { child, stdin: Some(stdin), stdout }
    }

    fn texts(&self) -> Vec<String> {
        let database = Connection::open(self.folder.path().join("data/parlour.db")).expect("opens");
        let mut query = database.prepare("SELECT text FROM messages ORDER BY id").expect("SQL");
        let rows = query.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("texts")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Client {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("text");
        line.trim_end().to_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("parlour"));
    command.current_dir(folder).args(args).env("HOME", folder).env("TZ", "UTC").env_remove("XDG_CONFIG_HOME");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The first line with `what` in it.
fn find(lines: &mut impl std::io::BufRead, what: &str) -> String {
    let mut seen = String::new();
    let mut line = String::new();
    while lines.read_line(&mut line).expect("text") > 0 {
        if line.contains(what) {
            return line.trim_end().to_owned();
        }
        seen.push_str(&line);
        line.clear();
    }
    panic!("no {what} in: {seen}");
}

/// What follows `[hh:mm] `.
fn without_times(text: &str) -> Vec<&str> {
    text.lines()
        .map(|line| {
            line.strip_prefix('[').and_then(|line| line.split_once("] ")).map_or(line, |(_, rest)| rest)
        })
        .collect()
}

#[test]
fn from_an_invite_to_a_conversation() {
    let house = House::new();
    let told = house.ok("alice", &["join", &house.invite, "--name", "Alice"], "");
    assert_eq!(told, "Alice is a member of 127.0.0.1 now; `parlour chat` opens the chat\n");
    house.join("bob");
    let file = house.home("alice").join(".config/parlour/servers.toml");
    assert!(!fs::read_to_string(&file).expect("the known servers").contains(PASSWORD));

    // The tutorial's client.
    assert_eq!(
        house.ok("bob", &["echo"], "hi\n\nthere: äöü\n"),
        "Server: Server received your message: hi\nServer: Server received your message: there: äöü\n"
    );

    let mut tail = house.spawn("bob", &["tail", "#lobby", "alice"]);
    let mut json = house.spawn("bob", &["tail", "#lobby", "alice", "--json"]);
    for client in [&mut tail, &mut json] {
        let line = client.line();
        assert!(line.ends_with("you joined") || line.contains(r#""type":"join""#), "{line}");
    }
    house.ok("alice", &["send", "#lobby", "The build is green"], "");
    house.ok("alice", &["send", "bob", "--notice"], "one\n\n  two\n");
    let said = house.ok(
        "alice",
        &["chat"],
        "//slash\n/me waves\n/topic Be kind\n/names\n/msg bob psst\n/part bye\n",
    );
    assert_eq!(
        without_times(&said),
        [
            "#lobby -- you joined",
            "        #lobby -- 2 here: @Alice bob",
            "#lobby <Alice> /slash",
            "#lobby * Alice waves",
            "#lobby -- Alice set the topic: Be kind",
            "        #lobby -- 2 here: @Alice bob",
            "bob <Alice> psst",
            "#lobby -- you left (bye)",
        ]
    );
    let mut followed = Vec::new();
    while followed.last().is_none_or(|line: &String| !line.contains("left")) {
        followed.push(tail.line());
    }
    let followed = followed.join("\n");
    let followed: Vec<&str> = without_times(&followed)
        .into_iter()
        .filter(|line| !line.contains("joined") && !line.contains("offline"))
        .collect();
    assert_eq!(
        followed,
        [
            "#lobby <Alice> The build is green",
            "Alice -Alice- one",
            "Alice -Alice-   two",
            "#lobby <Alice> /slash",
            "#lobby * Alice waves",
            "#lobby -- Alice set the topic: Be kind",
            "Alice <Alice> psst",
            "#lobby -- Alice left (bye)",
        ]
    );
    let green = find(&mut json.stdout, "green");
    let object: serde_json::Value = serde_json::from_str(&green).expect("JSON");
    for (key, value) in
        [("type", "message"), ("target", "#lobby"), ("from", "Alice"), ("text", "The build is green")]
    {
        assert_eq!(object[key], value, "{green}");
    }
    assert!(object["time"].is_string() && object["msgid"].is_string(), "{green}");
}

#[test]
fn refusals_are_a_line_that_says_what_to_do() {
    let house = House::new();
    house.ok("alice", &["join", &house.invite, "--name", "alice"], "");
    let password = format!("{PASSWORD}\n");
    let join = |link: &str, name: &str, password: &str| {
        house.fails("bob", &["join", link, "--name", name], password)
    };
    assert_eq!(
        join(&house.invite, "bob", &password),
        "parlour: the invite was not accepted: this invite was used already; ask for a new invite\n"
    );
    let link = house.new_invite();
    assert_eq!(
        join(&link, "ALICE", &password),
        "parlour: you cannot have that name: the name alice is taken; choose another with --name\n"
    );
    assert!(join(&link, "echo", &password).starts_with("parlour: you cannot have that name: "));
    assert!(join(&link, "bob", "x\n").starts_with("parlour: the password was not accepted: "));
    assert!(join(&link, "bob", "").contains("the password is empty"));
    // None of these spent it.
    house.ok("bob", &["join", &link, "--name", "bob"], "");

    assert_eq!(
        house.fails("bob", &["echo"], "wrong\nhi\n"),
        "parlour: the server refused the login: Wrong account name or password; check the name and the password; \
         if they are right, the account may be disabled\n"
    );
    assert_eq!(
        house.fails("bob", &["send", "nobody"], &format!("{PASSWORD}\nhi\n\nho\n")),
        "parlour: line 1 was not delivered to nobody: No such nick/channel\n\
         parlour: line 3 was not delivered to nobody: No such nick/channel\n\
         parlour: 2 of 2 messages were not delivered, see above\n"
    );
    assert_eq!(
        house.fails("bob", &["chat"], &format!("{PASSWORD}\n/jion #a\n/msg nobody hi\n")),
        "-- there is no /jion; did you mean /join?\n\
         -- not delivered to nobody: No such nick/channel\n\
         parlour: 2 of the lines could not be done, see above\n"
    );
    assert!(
        house
            .fails("bob", &["chat", "elsewhere"], "")
            .contains("no server \"elsewhere\" is known, but 127.0.0.1")
    );

    let dead = TcpListener::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound").to_string();
    let gone = link.replace(&house.address, &dead);
    assert_eq!(
        join(&gone, "carol", &password),
        format!(
            "parlour: cannot reach the server: {dead}: nothing listens there; is the server running, and is this \
             the right address and network?\n"
        )
    );
}

#[test]
fn an_account_made_on_the_server_needs_the_pin_once() {
    let house = House::new();
    let mut add =
        command(house.folder.path(), &["user", "add", "carol", "--password-stdin"]).spawn().expect("it runs");
    writeln!(add.stdin.take().expect("piped"), "{PASSWORD}").expect("writes");
    assert!(add.wait().expect("ended").success());
    let pin = house.invite.split(['=', '&']).nth(1).expect("a pin").to_owned();
    let chat = ["chat", &house.address, "--name", "carol", "--pin", &pin];
    house.ok("carol", &chat, "/join #Ops\nhello\n");
    house.ok("carol", &["send", "#ops", "again"], "");
    assert_eq!(house.texts(), ["hello", "again"]);
}

#[test]
fn an_impostor_gets_not_even_a_password_attempt() {
    let mut house = House::new();
    house.ok("alice", &["join", &house.invite, "--name", "alice"], "");
    let link = house.new_invite();
    house.kill();
    let mut impostor = House::at(&house.address);
    let pin = |link: &str| link.split(['=', '&']).nth(1).expect("a pin").to_owned();
    for error in [
        house.fails("alice", &["send", "#lobby"], &format!("{PASSWORD}\nhi\n")),
        house.fails("bob", &["join", &link, "--name", "bob"], &format!("{PASSWORD}\n")),
    ] {
        assert!(error.contains(&pin(&house.invite)) && error.contains(&pin(&impostor.invite)), "{error}");
        assert!(error.contains("nothing was sent to it") && error.lines().count() == 1, "{error}");
    }
    let log = impostor.kill();
    assert!(log.contains("Accepted connection"), "{log}");
    assert!(!log.contains("login") && !log.contains("logged in") && !log.contains("alice"), "{log}");
}

#[test]
fn a_server_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    const LINES: usize = 2000;
    let mut house = House::new();
    house.ok("alice", &["join", &house.invite, "--name", "alice"], "");
    let mut send = house.spawn("alice", &["send", "#lobby"]);
    let mut stdin = send.stdin.take().expect("piped");
    // As fast as they are taken, so that some are on their way whenever the server dies.
    let feed = thread::spawn(move || (0..LINES).try_for_each(|n| writeln!(stdin, "line {n}")));
    for _ in 0..3 {
        house.wait_for("message from=alice", 500);
        house.kill();
        house.start();
    }
    let status = send.child.wait().expect("ended");
    let mut notes = String::new();
    send.child.stderr.take().expect("piped").read_to_string(&mut notes).expect("text");
    assert!(status.success(), "{notes}");
    feed.join().expect("no panic").expect("all was taken");
    let expected: Vec<String> = (0..LINES).map(|n| format!("line {n}")).collect();
    assert!(house.texts() == expected, "{} of {LINES} messages, or another order", house.texts().len());
}

#[test]
fn a_server_that_others_have_written_through_acts_on_no_terminal() {
    let house = House::new();
    house.ok("alice", &["join", &house.invite, "--name", "alice"], "");
    let mut clients =
        [house.spawn("alice", &["tail", "#lobby"]), house.spawn("alice", &["tail", "#lobby", "--json"])];
    for client in &mut clients {
        client.line();
    }
    let hostile = "\u{1b}[2J\u{1b}]0;owned\u{7}a\u{9b}31m\u{202e}b\u{8}\u{7f}\u{3}4c";
    house.join("bob");
    house.ok("bob", &["send", "#lobby", hostile], "");
    for (client, what) in clients.iter_mut().zip(["<bob>", r#""type":"message""#]) {
        let line = find(&mut client.stdout, what);
        let shown = |c: char| !c.is_control() && c != '\u{202e}';
        assert!(line.chars().all(shown), "{line:?}");
        match serde_json::from_str::<serde_json::Value>(&line) {
            Ok(object) => assert_eq!(object["text"], hostile),
            Err(_) => assert_eq!(without_times(&line), ["#lobby <bob> abc"]),
        }
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_tail_quietly() {
    let house = House::new();
    house.ok("alice", &["join", &house.invite, "--name", "alice"], "");
    let mut tail = house.spawn("alice", &["tail", "#lobby"]);
    tail.line();
    let mut child = Command::new("true").stdout(Stdio::piped()).spawn().expect("it runs");
    tail.stdout = BufReader::new(child.stdout.take().expect("piped"));
    child.wait().expect("ended");
    house.ok("alice", &["send", "#lobby", "hi"], "");
    assert!(tail.child.wait().expect("ended").success());
    let mut notes = String::new();
    tail.child.stderr.take().expect("piped").read_to_string(&mut notes).expect("text");
    assert_eq!(notes, "");
}
