//! Files in scripts: `parlour send --file` and `parlour get`.

use std::fs;

use crate::support::script::{run_script, run_script_with_input};
use crate::support::{ALL_CAPABILITIES, Client, Home, PASSWORD, Server};

/// A server that takes files, dora's machine, and alice in the channel.
pub(super) fn server_with_files() -> (Server, Client) {
    let server = Home::with_accounts(&["files.enabled = true", "files.max_mib = 1"]).serve();
    server.home.join("dora");
    let mut alice = Client::login_with(&server, "alice", ALL_CAPABILITIES);
    alice.request("JOIN #lobby");
    (server, alice)
}

/// Waits for a message with the address of a file. Returns its text and the address.
#[track_caller]
fn shared(client: &mut Client) -> (String, String) {
    let text = client.wait_for_line("a file", |line| line.text().contains("/f/")).text().to_owned();
    let address = text.rsplit(' ').next().expect("an address").to_owned();
    (text, address)
}

#[test]
fn a_file_that_is_sent_is_saved_by_a_reader() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    let content: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n % 251).expect("small")).collect();
    let path = home.path("my photo.bin");
    fs::write(&path, &content).expect("written");
    let path = path.to_str().expect("UTF-8");
    run_script(home, &["send", "#lobby", "--file", path, "look", "at this"], "", 0);
    let (text, address) = shared(&mut alice);
    assert_eq!(text, format!("look at this {address}"));
    assert!(address.starts_with(&format!("https://{}/f/", server.address)), "{address}");
    assert!(address.ends_with("/my%20photo.bin"), "{address}");
    // By its name in the current folder, where nothing of this name may be.
    let (_, why) = run_script(home, &["get", &address], "", 1);
    assert!(why.contains("my photo.bin exists already") && why.contains("--force"), "{why}");
    fs::write(home.path("my photo.bin"), "another").expect("written");
    let (printed, _) = run_script(home, &["get", &address, "--force"], "", 0);
    assert_eq!(printed, "my photo.bin\n");
    assert!(fs::read(home.path("my photo.bin")).expect("read") == content);
    fs::create_dir(home.path("folder")).expect("a folder");
    let (printed, _) = run_script(home, &["get", &address, "-o", "folder"], "", 0);
    assert_eq!(printed, "folder/my photo.bin\n");
    assert_eq!(fs::read_dir(home.path("folder")).expect("a folder").count(), 1, "nothing temporary stays");
    let output = run_script_with_input(home, &["get", &address, "-o", "-"], b"");
    assert!(output.status.success() && output.stdout == content, "{:?}", output.status);
    // Without a file nothing is left behind.
    let unknown = format!("https://{}/f/AAAAAAAAAAAAAAAAAAAAAA/x.bin", server.address);
    let (_, why) = run_script(home, &["get", &unknown], "", 3);
    assert!(why.contains("There is no such file") && !home.path("x.bin").exists(), "{why}");
}

#[test]
fn standard_input_and_several_files_are_shared_in_one_message() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    fs::write(home.path("-rf"), "odd name").expect("written");
    fs::write(home.path("empty"), "").expect("written");
    run_script(
        home,
        &["send", "#lobby", "--file", "-", "--file-name", "../log.txt", "--file=./-rf"],
        "out",
        0,
    );
    let (text, address) = shared(&mut alice);
    let addresses: Vec<&str> = text.split(' ').collect();
    assert_eq!(addresses.len(), 2, "{text}");
    assert!(addresses[0].ends_with("/log.txt") && address.ends_with("/-rf"), "{text}");
    let (printed, _) = run_script(home, &["get", addresses[0], "-o", "-"], "", 0);
    assert_eq!(printed, "out");
    run_script(home, &["send", "alice", "--file", "empty"], "", 0);
    let (_, address) = shared(&mut alice);
    assert_eq!(run_script(home, &["get", &address, "-o", "-"], "", 0).0, "");
}

#[test]
fn several_lines_and_a_file_are_one_message() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    fs::write(home.path("a.txt"), "a").expect("written");
    let send = ["send", "#lobby", "--file", "a.txt"];
    run_script(home, &[&send[..], &["from\narguments"]].concat(), "", 0);
    assert!(shared(&mut alice).0.starts_with("arguments https://"));
    run_script(home, &[&send[..], &["--multiline"]].concat(), "from\n\nthe input\n", 0);
    assert!(shared(&mut alice).0.starts_with("the input https://"));
    // A message of a file alone, where there is no text.
    run_script(home, &[&send[..], &["--multiline"]].concat(), "", 0);
    assert!(shared(&mut alice).0.starts_with("https://"));
    assert_eq!(home.count("SELECT count(*) FROM messages WHERE text LIKE 'from%/f/%'"), 2);
    // Standard input that is not sent is not dropped without a word.
    let (_, notes) = run_script(home, &send, "l1\nl2\n", 0);
    assert!(notes.contains("standard input was not sent") && notes.contains("--multiline"), "{notes}");
    let (_, why) = run_script(home, &["send", "#lobby", "--multiline", "--file", "-"], "x", 1);
    assert!(why.contains("standard input cannot be the text and a file"), "{why}");
}

#[test]
fn a_link_without_a_name_is_saved_under_the_name_of_the_file() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    fs::write(home.path("my report.txt"), "a").expect("written");
    run_script(home, &["send", "#lobby", "--file", "my report.txt"], "", 0);
    let (_, address) = shared(&mut alice);
    let (without_name, _) = address.rsplit_once('/').expect("a name");
    let (_, why) = run_script(home, &["get", without_name], "", 1);
    assert!(why.contains("my report.txt exists already"), "{why}");
    fs::create_dir(home.path("out")).expect("a folder");
    let (printed, _) = run_script(home, &["get", without_name, "-o", "out"], "", 0);
    assert_eq!(printed, "out/my report.txt\n");
    let (_, why) = run_script(home, &["get", &address, "-o", "nosuchdir/"], "", 1);
    assert!(why.contains("there is no folder nosuchdir/"), "{why}");
}

#[test]
fn nothing_is_sent_when_a_file_cannot_be() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    fs::write(home.path("large"), vec![1; (1 << 20) + 1]).expect("written");
    fs::create_dir(home.path("folder")).expect("a folder");
    for (args, code, reason) in [
        (&["send", "#lobby", "--file", "large", "text"][..], 3, "A file may have at most 1 MiB"),
        (&["send", "#lobby", "--file", "missing", "text"], 1, "cannot read missing"),
        (&["send", "#lobby", "--file", "folder", "text"], 1, "folder is not a file"),
        (&["send", "#nowhere", "--file", "large"], 3, "there is no channel #nowhere"),
    ] {
        let (_, why) = run_script(home, args, "", code);
        assert!(why.contains(reason), "{args:?}: {why}");
    }
    alice.request("PING done");
    assert!(alice.drain().iter().all(|line| line.command != "PRIVMSG"));
    let plain = crate::support::script::server_with_joined_client();
    fs::write(plain.home.path("a.txt"), "a").expect("written");
    let (_, why) = run_script(&plain.home, &["send", "alice", "--file", "a.txt"], "", 3);
    assert!(why.contains("this server takes no files"), "{why}");
}

#[test]
fn only_files_of_known_servers_are_asked_for() {
    let (server, _) = server_with_files();
    let home = &server.home;
    let connections = server.connections();
    for url in [
        "https://evil.example:6697/f/AAAAAAAAAAAAAAAAAAAAAA/x.bin",
        "http://127.0.0.1/f/AAAAAAAAAAAAAAAAAAAAAA/x.bin",
        "https://127.0.0.1:1/f/AAAAAAAAAAAAAAAAAAAAAA/x.bin",
        "x.bin",
    ] {
        let (_, why) = run_script(home, &["get", url], "", 1);
        assert!(why.contains("evil.example") == url.contains("evil"), "{url}: {why}");
        assert!(!why.contains("AAAA"), "{why}");
    }
    assert_eq!(server.connections(), connections);
}

#[test]
fn a_password_is_a_proof_where_there_is_no_key() {
    let (server, mut alice) = server_with_files();
    // New members are in #lobby.
    alice.request("JOIN #den");
    let home = &server.home;
    fs::write(home.path("a.txt"), "hello").expect("written");
    let (pin, address) = (server.pin().to_string(), server.address.to_string());
    let login = ["--server", &*address, "--pin", &*pin, "--name", "alice", "--password-stdin"];
    let password = format!("{PASSWORD}\n");
    run_script(home, &[&["send", "#den", "--file", "a.txt"], &login[..]].concat(), &password, 0);
    let (_, url) = shared(&mut alice);
    let get = ["get", &url, "-o", "-"];
    let (printed, _) = run_script(home, &[&get[..], &login].concat(), &password, 0);
    assert_eq!(printed, "hello");
    let (_, why) = run_script(home, &[&get[..], &login].concat(), "wrong password\n", 5);
    assert!(why.contains("the server refused the login"), "{why}");
    // Dora is not in the channel.
    let (_, why) = run_script(home, &[&get[..], &["--server", "127.0.0.1"]].concat(), "", 3);
    assert!(why.contains("There is no such file"), "{why}");
}

#[test]
fn the_plain_chat_uploads_and_ends_behind_its_uploads() {
    let (server, mut alice) = server_with_files();
    let home = &server.home;
    fs::write(home.path("my photo.bin"), vec![7; 500_000]).expect("written");
    let input = "/join #lobby\n/upload 'my photo.bin' look at this\n";
    let (_, notes) = run_script(home, &["chat", "--plain"], input, 0);
    assert!(notes.contains("uploading my photo.bin (488 KiB)"), "{notes}");
    let (text, address) = shared(&mut alice);
    assert_eq!(text, format!("look at this {address}"));
    let output = run_script_with_input(home, &["get", &address, "-o", "-"], b"");
    assert!(output.status.success() && output.stdout == vec![7; 500_000]);
    let (_, notes) = run_script(home, &["chat", "--plain"], "/join #lobby\n/upload missing\n", 1);
    assert!(notes.contains("there is no file missing"), "{notes}");
    fs::write(home.path("large"), vec![1; (1 << 20) + 1]).expect("written");
    let (_, notes) = run_script(home, &["chat", "--plain"], "/join #lobby\n/upload large\n", 1);
    assert!(notes.contains("large was not sent") && notes.contains("at most 1 MiB"), "{notes}");
}
