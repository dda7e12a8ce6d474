//! `parlour user` and `parlour invite`, without a server and beside a running one.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use parlour::store::Store;
use parlour::trust::InviteLink;
use tempfile::TempDir;

/// Makes a folder with a configuration for cheap hashes.
fn folder() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let config = "[passwords]\nmemory_kib = 8\niterations = 1\n";
    fs::write(folder.path().join("parlour.toml"), config).expect("writes");
    folder
}

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(cargo_bin!("parlour"));
    command.current_dir(folder).args(args).env("HOME", folder).env_remove("XDG_CONFIG_HOME");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run_parlour(folder: &Path, args: &[&str], stdin: &str) -> Output {
    let mut child = command(folder, args).spawn().expect("it runs");
    // A run that fails early does not read its input.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
    child.wait_with_output().expect("it ends")
}

/// Runs the program, which must succeed. Returns its standard output.
fn run_ok(folder: &Path, args: &[&str]) -> String {
    let output = run_parlour(folder, args, "secret12\n");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Runs the program, which must fail. Returns its last line on standard error.
fn run_failing(folder: &Path, args: &[&str]) -> String {
    error_text(&run_parlour(folder, args, "secret12\n"), 1)
}

fn error_text(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text.lines().last().unwrap_or_default().to_owned()
}

fn add_user(folder: &Path, name: &str) -> String {
    run_ok(folder, &["user", "add", name, "--password-stdin"])
}

/// Returns the first three columns of `user list`.
fn list_users(folder: &Path) -> Vec<String> {
    let list = run_ok(folder, &["user", "list"]);
    let columns = |line: &str| line.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    list.lines().skip(1).map(columns).collect()
}

#[test]
fn account_lifecycle() {
    let folder = folder();
    let folder = folder.path();
    assert!(run_failing(folder, &["user", "list"]).contains("there is no database in data"));
    assert_eq!(add_user(folder, "Alice"), "Alice is added, as a member\n");
    assert_eq!(
        run_ok(folder, &["user", "add", "bob", "--admin", "--password-stdin"]),
        "bob is added, as an admin\n"
    );
    assert_eq!(list_users(folder), ["Alice member enabled", "bob admin enabled"]);

    let taken = run_failing(folder, &["user", "add", "aLICE", "--password-stdin"]);
    assert_eq!(taken, "parlour: the name aLICE is taken; choose another name");
    for reserved in ["echo", "NICKSERV"] {
        assert!(run_failing(folder, &["user", "add", reserved, "--password-stdin"]).contains("is reserved"));
    }
    for bad in ["1st", "a b", "zoë", "", &"x".repeat(25)] {
        let output = run_parlour(folder, &["user", "add", bad, "--password-stdin"], "secret12\n");
        assert_eq!(output.status.code(), Some(2), "{bad}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cannot be an account's name"), "{bad}");
    }
    let weak = run_parlour(folder, &["user", "add", "carol", "--password-stdin"], "short\n");
    assert_eq!(error_text(&weak, 1), "parlour: a password needs at least 8 characters; choose another");

    run_ok(folder, &["user", "passwd", "alice", "--password-stdin"]);
    run_ok(folder, &["user", "role", "alice", "admin"]);
    run_ok(folder, &["user", "disable", "alice"]);
    assert_eq!(list_users(folder), ["Alice admin disabled", "bob admin enabled"]);
    run_ok(folder, &["user", "enable", "alice"]);
    run_ok(folder, &["user", "role", "alice", "member"]);
    assert_eq!(run_ok(folder, &["user", "remove", "alice"]), "alice is removed\n");
    assert_eq!(list_users(folder), ["bob admin enabled"]);
    assert!(run_failing(folder, &["user", "disable", "alice"]).contains("there is no account alice"));
    assert!(run_failing(folder, &["user", "add", "Alice", "--password-stdin"]).contains("removed"));
    run_ok(folder, &["user", "add", "Alice", "--again", "--password-stdin"]);
    assert_eq!(list_users(folder), ["Alice member enabled", "bob admin enabled"]);
}

#[test]
fn passwords_are_never_arguments() {
    let folder = folder();
    let output = run_parlour(folder.path(), &["user", "add", "alice", "secret12"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn import_adds_valid_rows_and_reports_invalid_ones() {
    let folder = folder();
    let folder = folder.path();
    add_user(folder, "Taken");
    let csv = "name,password,role\nalice,secret12\nbob,secret12,admin\ntaken,secret12\nALICE,secret12\necho,secret12\n\
        carol,short\n1st,secret12\ndave,secret12,king\nerin,\"quoted, with comma\"\n";
    fs::write(folder.join("people.csv"), csv).expect("writes");
    let output = run_parlour(folder, &["user", "import", "people.csv"], "");
    assert_eq!(
        error_text(&output, 1),
        "parlour: 6 of 9 lines were not taken; correct them and import those alone, the others are kept"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), "3 added, 6 not\n");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("people.csv:")).collect();
    let starts = [
        "4: column 1: the name",
        "5: column 1: the name",
        "6: column 1: ",
        "7: column 2: ",
        "8: column 1: ",
        "9: column 3: ",
    ];
    assert_eq!(lines.len(), starts.len(), "{errors}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(
        list_users(folder),
        ["alice member enabled", "bob admin enabled", "erin member enabled", "Taken member enabled"]
    );

    assert!(!errors.contains("secret12") && !errors.contains("short"), "{errors}");
    fs::write(folder.join("more.csv"), "frank,secret12\n").expect("writes");
    assert_eq!(run_ok(folder, &["user", "import", "more.csv"]), "1 added, 0 not\n");
    assert!(run_failing(folder, &["user", "import", "absent.csv"]).contains("cannot read absent.csv"));
}

#[test]
fn invite_lifecycle() {
    let folder = folder();
    let folder = folder.path();
    let without = run_failing(folder, &["invite", "create"]);
    assert!(without.contains("certs"), "{without}");
    run_ok(folder, &["certs", "generate"]);
    fs::write(folder.join("parlour.toml"), "advertise = ['chat.example.org']\n").expect("writes");

    let output = run_parlour(folder, &["invite", "create"], "");
    let stdout = String::from_utf8(output.stdout).expect("text");
    let link: InviteLink = stdout.lines().last().expect("a line").parse().expect("a link");
    assert_eq!(link.addresses, ["chat.example.org:6697".parse().expect("an address")]);
    assert!(run_ok(folder, &["certs", "show"]).contains(&link.pin.to_string()));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("Invite 1 makes one member account until "), "{said}");
    assert!(!said.contains(&link.token.to_string()));

    run_ok(
        folder,
        &["invite", "create", "--uses", "30", "--expires", "7d", "--role", "admin", "--channel", "#class"],
    );
    assert_eq!(run_ok(folder, &["invite", "revoke", "1"]), "invite 1 is revoked\n");
    assert!(run_failing(folder, &["invite", "revoke", "9"]).contains("there is no invite 9"));
    let list = run_ok(folder, &["invite", "list"]);
    let lines: Vec<Vec<&str>> =
        list.lines().skip(1).map(|l| l.split_whitespace().take(5).collect()).collect();
    assert_eq!(
        lines,
        [["1", "revoked", "0/1", "member", "#lobby"], ["2", "open", "0/30", "admin", "#class"]]
    );
    // The list does not show the tokens.
    assert!(!list.contains(&link.token.to_string()));
    for bad in [["--uses", "0"], ["--expires", "soon"], ["--expires", "0s"], ["--channel", "class"]] {
        let output = run_parlour(folder, &["invite", "create", bad[0], bad[1]], "");
        assert_eq!(output.status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn waits_for_a_folder_that_is_in_use() {
    let folder = folder();
    add_user(folder.path(), "alice");
    let held = Store::open(&folder.path().join("data")).expect("opens");
    let list = command(folder.path(), &["user", "list"]).spawn().expect("it runs");
    drop(held);
    assert!(list.wait_with_output().expect("it ends").status.success());
}

/// `parlour serve` on a free port, killed when dropped.
struct Server {
    child: Child,
    log: BufReader<std::process::ChildStderr>,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let args = ["serve", "--listen", "127.0.0.1:0"];
        let mut child = command(folder, &args).env("RUST_LOG", "info").spawn().expect("it runs");
        let log = BufReader::new(child.stderr.take().expect("piped"));
        let mut server = Self { child, log };
        server.wait_for("listening");
        server
    }

    fn wait_for(&mut self, text: &str) -> String {
        let mut line = String::new();
        while self.log.read_line(&mut line).expect("text") > 0 {
            if line.contains(text) {
                return line;
            }
            line.clear();
        }
        panic!("the server ended without {text}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits, with a limit, until the program has ended; keeps its standard input open meanwhile.
fn has_ended(child: &mut Child, _stdin: &ChildStdin) -> bool {
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if child.try_wait().expect("waits").is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    false
}

#[test]
fn changes_beside_a_running_server_apply_at_once() {
    let folder = folder();
    let folder = folder.path();
    let mut server = Server::start(folder);
    add_user(folder, "alice");
    assert!(run_failing(folder, &["user", "add", "ALICE", "--password-stdin"]).contains("is taken"));
    assert_eq!(list_users(folder), ["alice member enabled"]);
    fs::write(folder.join("people.csv"), "bob,secret12\ncarol,secret12\n").expect("writes");
    assert_eq!(run_ok(folder, &["user", "import", "people.csv"]), "2 added, 0 not\n");

    // The link has the port that the server really listens on.
    let link: InviteLink = run_ok(folder, &["invite", "create"]).trim().parse().expect("a link");
    let [address] = &link.addresses[..] else { panic!("{link:?}") };
    assert!(run_ok(folder, &["certs", "show"]).contains(&link.pin.to_string()));

    let chat = ["chat", &address.to_string(), "--plain", "--name", "alice", "--password-stdin"];
    let pin = link.pin.to_string();
    let login = |password: &str| {
        let mut child = command(folder, &[&chat[..], &["--pin", &pin]].concat()).spawn().expect("it runs");
        let mut stdin = child.stdin.take().expect("piped");
        writeln!(stdin, "{password}").expect("writes");
        (child, stdin)
    };
    let (mut session, stdin) = login("secret12");
    server.wait_for("logged in");
    run_ok(folder, &["user", "disable", "alice"]);
    assert!(has_ended(&mut session, &stdin), "a disabled account's session ends");
    assert!(!session.wait().expect("ended").success());
    let (mut refused, stdin) = login("secret12");
    assert!(has_ended(&mut refused, &stdin), "and it cannot log in again");

    run_ok(folder, &["user", "enable", "alice"]);
    let (mut session, stdin) = login("secret12");
    server.wait_for("logged in");
    run_ok(folder, &["user", "remove", "alice"]);
    assert!(has_ended(&mut session, &stdin), "a removed account's session ends");

    // A second server on the folder refuses to start and says why.
    let second = run_parlour(folder, &["serve", "--listen", "127.0.0.1:0"], "");
    assert!(error_text(&second, 1).contains("is in use by the parlour process"));
}
