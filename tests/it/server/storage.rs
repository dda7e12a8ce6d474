//! A full disk and a locked database: a message that cannot be stored is neither echoed nor delivered, the sender is
//! told why, and the server recovers.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use crate::support::history::{history_capabilities, message_texts};
use crate::support::{
    Client, Home, Line, NEW_MOUNTS, Server, WAIT_TIMEOUT, can_mount, log_in_and_join, server,
};
use crate::web::browser::status;
use crate::web::files::{basic, send};

/// Sends a message. Returns its echo or its refusal.
fn send_result(client: &mut Client, text: &str) -> Line {
    client.send(&format!("PRIVMSG #room :{text}"));
    client.wait_for_line("an echo or a FAIL", |l| {
        l.command == "FAIL" || (l.command == "PRIVMSG" && l.text() == text)
    })
}

/// Sends a message again until the server, which notices by itself that it can store again, accepts it.
fn wait_until_stored(client: &mut Client, text: &str) {
    while send_result(client, text).command == "FAIL" {}
}

/// Returns the messages in the database, in order.
fn stored_texts(home: &Home) -> Vec<String> {
    let database = home.database();
    let mut rows =
        database.prepare("SELECT text FROM messages WHERE kind < 2 ORDER BY id").expect("the table");
    let texts = rows.query_map([], |row| row.get(0)).expect("rows");
    texts.collect::<Result<_, _>>().expect("texts")
}

#[test]
fn locked_database_refuses_messages_and_recovers() {
    let server = server();
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    assert_eq!(send_result(&mut alice, "before").command, "PRIVMSG");

    let intruder = server.home.database();
    intruder.busy_timeout(WAIT_TIMEOUT).expect("a time-out");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let refused = send_result(&mut alice, "into the locked database");
    assert!(refused.starts_with("FAIL PRIVMSG"), "{refused}");
    assert!(refused.text().contains("not"), "it says that it was not sent: {refused}");
    // Reads and queries continue.
    alice.barrier();
    assert!(bob.request("NAMES #room").iter().any(|l| l.command == "353"));
    intruder.execute_batch("ROLLBACK").expect("the end of the lock");

    wait_until_stored(&mut alice, "after");
    bob.wait_for_message("after");
    assert_eq!(stored_texts(&server.home), ["before", "after"]);
}

#[test]
fn locked_database_does_not_block_reads() {
    let server = server();
    let (mut alice, mut bob) = (
        Client::login_with(&server, "alice", &history_capabilities()),
        Client::login_with(&server, "bob", &history_capabilities()),
    );
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    assert_eq!(send_result(&mut alice, "before").command, "PRIVMSG");
    bob.wait_for_message("before");

    let intruder = server.home.database();
    intruder.busy_timeout(WAIT_TIMEOUT).expect("a time-out");
    intruder.execute_batch("BEGIN EXCLUSIVE").expect("the lock");
    // A change that needs the store, sent before the store is known to fail, gets a reply as well.
    alice.send("TOPIC #room :held");
    bob.send("PRIVMSG #room :into the locked database");
    let answer = alice.wait_for_line("an answer to TOPIC", |l| l.command == "FAIL" || l.command == "TOPIC");
    assert!(answer.starts_with("FAIL TOPIC TEMPORARILY_UNAVAILABLE"), "{answer}");
    bob.wait_for_line("a FAIL", |l| l.starts_with("FAIL PRIVMSG"));
    bob.barrier();
    assert_eq!(message_texts(&bob.query_history("LATEST #room * 10")), ["before"]);
    let mut carol = Client::login(&server, "carol");
    carol.barrier();
    let refused = carol.request("JOIN #room");
    assert!(refused.iter().any(|l| l.starts_with("FAIL JOIN TEMPORARILY_UNAVAILABLE")), "{refused:?}");
    intruder.execute_batch("ROLLBACK").expect("the end of the lock");

    // The change that was in force is stored and announced.
    for client in [&mut alice, &mut bob] {
        client.wait_for_line("the topic", |l| l.command == "TOPIC" && l.text() == "held");
    }
    wait_until_stored(&mut alice, "after");
    assert_eq!(stored_texts(&server.home), ["before", "after"]);
    let log = server.log();
    assert_eq!(log.lines().filter(|line| line.contains("cannot store")).count(), 1, "{log}");
}

#[test]
fn moved_data_folder_is_detected_and_nothing_is_confirmed() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    assert_eq!(send_result(&mut alice, "before").command, "PRIVMSG");
    fs::rename(server.home.path("data"), server.home.path("moved")).expect("moved");
    assert_eq!(send_result(&mut alice, "lost").command, "FAIL");
    server.wait_for_log(|line| line.contains("is no longer the file that the server has open"));
    alice.barrier();
    fs::rename(server.home.path("moved"), server.home.path("data")).expect("moved back");
    wait_until_stored(&mut alice, "after");
    assert_eq!(stored_texts(&server.home), ["before", "after"]);
}

#[test]
fn copy_without_log_is_refused_until_loss_is_accepted() {
    let server = server();
    let mut alice = Client::in_channel(&server, "alice", "#room");
    assert_eq!(send_result(&mut alice, "before").command, "PRIVMSG");
    let home = Home::new(&[]);
    fs::create_dir(home.path("data")).expect("a folder");
    fs::set_permissions(home.path("data"), fs::Permissions::from_mode(0o700)).expect("set");
    fs::copy(server.home.path("data/parlour.db"), home.path("data/parlour.db")).expect("copied");
    let refused = home.fail(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(refused.contains("parlour.db-wal is not here") && refused.contains("--accept-loss"), "{refused}");
    let told = home.run(&["doctor", "--json"]);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("parlour.db-wal is not here"), "{told}");
    home.succeed(&["doctor", "--accept-loss"]);
    home.serve();
}

#[test]
fn short_lock_is_waited_for() {
    let server = Home::with_accounts(&[]).serve_verbosely_at("127.0.0.1:0");
    let mut alice = Client::in_channel(&server, "alice", "#room");
    let intruder = server.home.database();
    intruder.busy_timeout(WAIT_TIMEOUT).expect("a time-out");
    intruder.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    alice.send("PRIVMSG #room :patience");
    // From here on the message is on its way to the store.
    server.wait_for_log(|line| line.contains("from=alice to=#room bytes=8"));
    intruder.execute_batch("ROLLBACK").expect("the end of the lock");
    assert_eq!(
        alice.wait_for_line("an answer", |l| matches!(l.command.as_str(), "FAIL" | "PRIVMSG")).text(),
        "patience"
    );
}

/// Starts a server whose data folder is a file system of its own, of a few MiB, mounted in a mount namespace that ends
/// with the process.
fn server_on_a_small_disk(config: &[&str]) -> Server {
    let home = Home::with_accounts(config);
    fs::rename(home.path("data"), home.path("prepared")).expect("renamed");
    fs::create_dir(home.path("data")).expect("a mount point");
    let mut unshare = Command::new("unshare");
    home.configure(&mut unshare).args(NEW_MOUNTS).args(["sh", "-c"]);
    unshare.arg(format!(
        "mount -t tmpfs -o size=6m,mode=0700 none data && cp -a prepared/. data/ && exec {} serve --listen 127.0.0.1:0",
        env!("CARGO_BIN_EXE_parlour")
    ));
    Server::spawn(home, unshare)
}

/// Returns a path on the small disk as seen from outside.
fn path_in_server_folder(server: &Server, name: &str) -> PathBuf {
    let path = server.home.path("data").join(name);
    PathBuf::from(format!("/proc/{}/root{}", server.pid(), path.display()))
}

#[test]
fn full_disk_refuses_messages_and_recovers() {
    if !can_mount() {
        return;
    }
    let server = server_on_a_small_disk(&[]);
    let [mut alice, mut bob] = log_in_and_join(&server, ["alice", "bob"], "#room");
    assert_eq!(send_result(&mut alice, "before").command, "PRIVMSG");

    let ballast = path_in_server_folder(&server, "ballast");
    let mut file = File::create(&ballast).expect("a file on the small disk");
    while file.write_all(&[0; 4096]).is_ok() {}
    // Space that the database has already taken from the disk may hold a few more messages.
    let mut echoed = vec!["before".to_owned()];
    let refused = loop {
        let text = format!("{} {}", echoed.len(), "x".repeat(400));
        let answer = send_result(&mut alice, &text);
        if answer.command == "FAIL" {
            break answer;
        }
        echoed.push(text);
        assert!(echoed.len() < 50_000, "the disk is never full");
    };
    assert!(refused.starts_with("FAIL PRIVMSG"), "{refused}");
    assert!(refused.text().contains("store"), "it says why: {refused}");
    bob.barrier();
    server.wait_for_log(|line| line.contains("full"));

    drop(file);
    fs::remove_file(&ballast).expect("room again");
    wait_until_stored(&mut alice, "after");
    echoed.push("after".into());
    bob.send("PRIVMSG #room :the end");
    bob.wait_for_message("the end");
    alice.wait_for_message("the end");
    echoed.push("the end".into());
    let mut third = Client::login(&server, "carol");
    third.barrier();

    // SQLite does not open files through another process's root, so they are copied out.
    for file in ["parlour.db", "parlour.db-wal"] {
        fs::copy(path_in_server_folder(&server, file), server.home.path("data").join(file)).expect("copied");
    }
    let kept = stored_texts(&server.home);
    assert!(kept == echoed, "{} kept, {} echoed", kept.len(), echoed.len());
}

#[test]
fn upload_on_a_full_disk_is_refused_and_leaves_nothing() {
    if !can_mount() {
        return;
    }
    let server = server_on_a_small_disk(&["files.enabled = true"]);
    let ballast = path_in_server_folder(&server, "ballast");
    File::create(&ballast).and_then(|mut file| file.write_all(&vec![0; 2 << 20])).expect("room for two MiB");
    let body = vec![b'x'; 6 << 20];
    let post = |body: &[u8]| send(&server, "POST /upload HTTP/1.1", &[&basic("alice")], body);
    let refused = post(&body);
    assert_eq!(status(&refused), 507, "{refused}");
    assert!(refused.ends_with("The server's disk is full; tell who runs the server.\n"), "{refused}");
    let incoming = path_in_server_folder(&server, "files/incoming");
    assert_eq!(fs::read_dir(incoming).expect("a folder").count(), 0);
    assert_eq!(fs::read_dir(path_in_server_folder(&server, "files")).expect("a folder").count(), 1);
    fs::remove_file(&ballast).expect("room again");
    assert_eq!(status(&post(&body[..1 << 20])), 201);
}
