//! Hooks: posts of programs, and what they may send.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread;

use serde_json::{Value, json};

use super::programs::{Response, send, try_send};
use crate::support::{Client, Home, Line, Server};

/// A server with hooks, with alice, bob and carol.
fn hook_home(config: &[&str]) -> Home {
    Home::with_accounts(&[&["hooks.enabled = true"], config].concat())
}

/// Makes a hook. Returns the path that programs post to.
#[track_caller]
fn create(home: &Home, channel: &str, name: &str) -> String {
    let printed = home.succeed(&["hook", "create", channel, "--name", name]);
    let at = printed.find("/hooks/").expect("an address");
    assert!(printed.starts_with("https://") && printed.ends_with('\n'), "{printed}");
    printed[at..].trim_end().to_owned()
}

#[track_caller]
fn post(server: &Server, path: &str, body: &Value, headers: &[&str]) -> Response {
    send(server, &format!("POST {path}"), headers, body.to_string().as_bytes())
}

#[track_caller]
fn msgid(response: &Response) -> String {
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.json()["msgid"].as_str().expect("a msgid").to_owned()
}

#[test]
fn what_is_wrong_with_a_new_hook_is_said() {
    let home = hook_home(&[]);
    let refused = |channel, name| {
        let output = home.run_as("nobody", &["hook", "create", channel, "--name", name], "");
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(refused("team", "ci").contains("a channel's name starts with #"));
    assert!(refused("#team", "bad name").contains("this cannot be a hook's name"));
}

#[test]
fn posts_are_messages_of_the_hook() {
    let home = hook_home(&[]);
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let path = create(&home, "#builds", "ci");
    alice.wait_for_line("the hook joins", |line| line.command == "JOIN" && line.nick() == "ci");
    let id = msgid(&post(&server, &path, &json!({ "text": "build 1 passed" }), &[]));
    let line = alice.wait_for_message("build 1 passed");
    assert_eq!((line.tag("msgid"), line.tag("account")), (Some(&*id), Some("ci")), "{line:?}");
    // The form of Slack, with another name, which does not pose as somebody.
    let form = b"payload=%7B%22text%22%3A%22hi+%26amp%3B+bye%22%2C%22username%22%3A%22alice%22%7D";
    msgid(&send(&server, &format!("POST {path}"), &[], form));
    let line = alice.wait_for_message("[alice] hi & bye");
    assert_eq!(line.tag("account"), Some("ci"));
    // Lines become one message.
    msgid(&post(&server, &path, &json!({ "text": "one\ntwo" }), &[]));
    let history = home.run_as("nobody", &["hook", "list"], "");
    assert!(
        String::from_utf8_lossy(&history.stdout).contains("ci    incoming   #builds  active"),
        "{history:?}"
    );
    let lines = alice.request("CHATHISTORY LATEST #builds * 1");
    let texts: Vec<_> = lines.iter().filter(|line| line.command == "PRIVMSG").map(Line::text).collect();
    assert_eq!(texts, ["one", "two"], "{lines:?}");
}

#[test]
fn each_wrong_request_is_told_what_is_wrong() {
    let home = hook_home(&[]);
    let server = home.serve();
    let mut alice = Client::in_channel(&server, "alice", "#builds");
    let path = create(&home, "#builds", "ci");
    let text = json!({ "text": "x" });
    for (body, status, part) in [
        ("{\"text\": ", 400, "EOF while parsing a value at line 1 column 9"),
        ("hello", 400, "expected value"),
        ("{\"message\": \"x\"}", 400, "missing field `text`"),
        ("{\"text\": [1]}", 400, "expected a string"),
        ("{\"text\": \"\\n\"}", 400, "The text is empty."),
        ("", 400, "EOF"),
        (&json!({ "text": "x\n".repeat(101) }).to_string(), 413, "at most 16384 bytes and 100 lines"),
        (&json!({ "text": "x".repeat(16_385) }).to_string(), 413, "at most 16384 bytes and 100 lines"),
        (&json!({ "text": "x".repeat(200_000) }).to_string(), 413, "more than 128 KiB"),
    ] {
        let response = send(&server, &format!("POST {path}"), &[], body.as_bytes());
        assert_eq!(response.status, status, "{response:?}");
        assert!(response.detail().contains(part), "{response:?}");
    }
    let key = |key: &str| post(&server, &path, &text, &[&format!("Idempotency-Key: {key}")]).status;
    assert_eq!([key(""), key(&"k".repeat(256)), key(&"k".repeat(255))], [400, 400, 200]);
    let got = send(&server, &format!("GET {path}"), &[], b"");
    assert_eq!((got.status, got.header("allow")), (405, Some("POST")));
    // What the channel decides.
    alice.request("MODE #builds +m-v ci");
    let response = post(&server, &path, &text, &[]);
    assert_eq!((response.status, &*response.detail()), (403, "Cannot send to channel (+m): voice required."));
    alice.request("KICK #builds ci");
    let response = post(&server, &path, &text, &[]);
    assert!(response.status == 403 && response.detail().contains("removed from #builds"), "{response:?}");
    let listed: Value = serde_json::from_str(&home.succeed(&["hook", "list", "--json"])).expect("JSON");
    assert_eq!((&listed["name"], &listed["state"]), (&json!("ci"), &json!("kicked")), "{listed}");
    home.succeed(&["hook", "revoke", "ci"]);
    assert_eq!(post(&server, &path, &text, &[]).status, 404);
    assert!(home.fail(&["hook", "revoke", "ci"]).contains("there is no hook ci"));
    assert!(home.fail(&["hook", "create", "#none", "--name", "x"]).contains("there is no channel #none"));
    assert!(home.fail(&["hook", "create", "#builds", "--name", "alice"]).contains("taken"));
    assert!(home.fail(&["user", "passwd", "ci", "--password-stdin"]).contains("ci"));
}

#[test]
fn guesses_and_floods_are_slowed() {
    let home = hook_home(&["limits.flood = true", "limits.messages_per_second = 1", "limits.burst = 3"]);
    let server = home.serve();
    let _alice = Client::in_channel(&server, "alice", "#builds");
    let path = create(&home, "#builds", "ci");
    let text = json!({ "text": "x" });
    let refused = (0..10).map(|_| post(&server, &path, &text, &[])).find(|response| response.status != 200);
    let refused = refused.expect("too many");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").expect("a time").parse::<u32>().expect("seconds") > 0);
    let wrong = format!("/hooks/{}", "A".repeat(43));
    let statuses: Vec<u16> = (0..10).map(|_| post(&server, &wrong, &text, &[]).status).collect();
    assert_eq!(statuses[..3], [404; 3]);
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    // A right address is not slowed by those who guess from the same network, only by its own posts.
    let right = post(&server, &path, &text, &[]);
    assert!(right.status == 200 || right.detail().starts_with("This hook posts too much"), "{right:?}");
}

#[test]
fn a_repeated_key_posts_once_also_after_a_restart() {
    let home = hook_home(&[]);
    let mut server = home.serve();
    let address = server.address.to_string();
    let _alice = Client::in_channel(&server, "alice", "#builds");
    let path = create(&home, "#builds", "ci");
    let key = ["Idempotency-Key: build-17"];
    let once = |server: &Server, text: &str| post(server, &path, &json!({ "text": text }), &key);
    let id = msgid(&once(&server, "passed"));
    assert_eq!(msgid(&once(&server, "passed")), id);
    let other = once(&server, "failed");
    assert!(other.status == 422 && other.detail().contains("another text"), "{other:?}");
    server.kill9();
    let server = home.serve_at(&address);
    assert_eq!(msgid(&once(&server, "passed")), id);
    assert_eq!(once(&server, "failed").status, 422);
}

/// Posts that are answered before the server is killed for the last time.
const POSTS: usize = 1000;

/// Times that the server is killed meanwhile.
const KILLS: usize = 5;

/// Programs post while the server is killed again and again: what was answered with 200 is there, once, and what was not
/// can be repeated.
#[test]
fn what_was_answered_survives_kills() {
    const PROGRAMS: usize = 8;
    let home = hook_home(&["history.replay = 0", "limits.flood = false"]);
    let mut server = home.serve();
    let address = server.address.to_string();
    drop(Client::in_channel(&server, "alice", "#builds"));
    let path = create(&home, "#builds", "ci");
    let post_as = |server: &Server, text: &str| {
        let body = json!({ "text": text }).to_string();
        let key = format!("Idempotency-Key: {text}");
        try_send(server, &format!("POST {path}"), &[&key], body.as_bytes())
    };
    let mut known: BTreeMap<String, Option<String>> = BTreeMap::new();
    for kill in 1..=KILLS {
        let unanswered: Vec<String> =
            known.iter().filter(|(_, id)| id.is_none()).map(|(text, _)| text.clone()).collect();
        let (answers, answered) = mpsc::channel();
        thread::scope(|scope| {
            for program in 0..PROGRAMS {
                let (server, answers, post_as) = (&server, answers.clone(), &post_as);
                // Before new ones, each repeats what it does not know to be posted.
                let again: Vec<String> = unanswered.iter().skip(program).step_by(PROGRAMS).cloned().collect();
                scope.spawn(move || {
                    let new = (0..).map(|n| format!("post {kill}-{program}-{n}"));
                    for text in again.into_iter().chain(new) {
                        let response = post_as(server, &text);
                        let id = response.as_ref().map(msgid);
                        let is_over = id.is_none();
                        answers.send((text, id)).expect("received");
                        if is_over {
                            return;
                        }
                    }
                });
            }
            drop(answers);
            for (text, id) in answered {
                known.insert(text, id);
                if known.values().flatten().count() == POSTS / KILLS * kill {
                    server.signal("KILL");
                }
            }
        });
        server.wait();
        server = home.serve_at(&address);
    }
    for (text, id) in &known {
        let again = msgid(&post_as(&server, text).expect("a response"));
        assert!(id.as_ref().is_none_or(|id| *id == again), "{text}");
    }
    let [stored, different] = ["count(*)", "count(DISTINCT text)"]
        .map(|count| home.count(&format!("SELECT {count} FROM messages WHERE text LIKE 'post %'")));
    assert_eq!([stored, different].map(|count| usize::try_from(count).expect("a count")), [known.len(); 2]);
}
