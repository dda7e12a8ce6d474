//! Reading by programs, with access tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::programs::{Response, send};
use crate::support::history::history_capabilities;
use crate::support::{Client, Home, PASSWORD, Server};

/// A server with the API, with alice, bob and carol.
fn api_home(config: &[&str]) -> Home {
    Home::with_accounts(&[&["api.enabled = true"], config].concat())
}

/// Makes a token that reads as alice.
#[track_caller]
fn create(home: &Home, name: &str, options: &[&str]) -> String {
    let printed =
        home.succeed(&[&["token", "create", name, "--as", "alice", "--scope", "read"], options].concat());
    assert_eq!(printed.trim_end().len(), 43, "{printed}");
    printed.trim_end().to_owned()
}

fn get(server: &Server, token: &str, path: &str) -> Response {
    send(server, &format!("GET /api/v1/{path}"), &[&format!("Authorization: Bearer {token}")], b"")
}

#[track_caller]
fn read(server: &Server, token: &str, path: &str) -> Value {
    let response = get(server, token, path);
    assert_eq!(response.status, 200, "{path}: {response:?}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("cache-control"), Some("no-store"));
    response.json()
}

/// Returns a field of each entry of a list.
#[track_caller]
fn each<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    list.as_array().expect("a list").iter().map(|entry| &entry[field]).collect()
}

#[test]
fn a_program_reads_what_its_account_may_read() {
    let home = api_home(&[]);
    let server = home.serve();
    let token = create(&home, "dashboard", &[]);
    let mut bob = Client::in_channel(&server, "bob", "#team");
    bob.request("TOPIC #team :All of it");
    bob.request("PRIVMSG #team :from before");
    let mut alice = Client::in_channel(&server, "alice", "#team");
    alice.request("PRIVMSG #team :\x01ACTION waves\x01");
    alice.request("PRIVMSG bob :between us, heron");
    bob.request("JOIN #open,#secret");
    bob.request("MODE #secret +s");
    bob.request("PRIVMSG #open :a heron for nobody");
    bob.request("PRIVMSG #team :the heron");
    let list = read(&server, &token, "channels");
    assert_eq!(each(&list["channels"], "name"), ["#open", "#team"]);
    assert_eq!(each(&list["channels"], "is_member"), [false, true]);
    assert_eq!((&list["channels"][1]["topic"]["text"], &list["next"]), (&json!("All of it"), &Value::Null));
    let team = read(&server, &token, "channels/%23TEAM");
    assert_eq!((&team["members"], &team["topic"]["by"]), (&json!(2), &json!("bob")));
    let messages = read(&server, &token, "channels/%23team/messages");
    assert_eq!(each(&messages["messages"], "text"), ["from before", "waves", "the heron"]);
    assert_eq!(each(&messages["messages"], "kind"), ["message", "action", "message"]);
    assert_eq!(each(&messages["messages"], "from"), ["bob", "alice", "bob"]);
    assert_eq!(messages["next"], Value::Null);
    let one = &messages["messages"][0];
    let id = one["msgid"].as_str().expect("an id");
    assert_eq!(&read(&server, &token, &format!("channels/%23team/messages/{id}")), one);
    // The index follows the messages.
    let found = std::iter::repeat_with(|| read(&server, &token, "search?text=heron"))
        .find(|found| found["messages"].as_array().is_some_and(|all| !all.is_empty()))
        .expect("found");
    assert_eq!(each(&found["messages"], "text"), ["the heron"], "not what alice wrote to bob");
    let members = read(&server, &token, "channels/%23team/members");
    assert_eq!(each(&members["people"], "name"), ["alice", "bob"]);
    let people = read(&server, &token, "people?limit=2");
    assert_eq!(each(&people["people"], "name"), ["alice", "bob"]);
    let next = people["next"].as_str().expect("a page").strip_prefix("/api/v1/").expect("the path");
    assert_eq!(each(&read(&server, &token, next)["people"], "name"), ["carol"]);
    let bob = read(&server, &token, "people/BOB");
    assert_eq!((&bob["is_online"], &bob["role"]), (&json!(true), &json!("member")), "{bob}");
    assert_eq!(read(&server, &token, "token")["account"], "alice");
    assert_eq!(read(&server, &token, "server")["version"], env!("CARGO_PKG_VERSION"));
    for (path, status) in [
        ("channels/%23open/messages", 403),
        ("channels/%23secret", 404),
        ("channels/%23secret/messages", 404),
        ("channels/%23secret/members", 404),
        ("channels/team", 404),
        ("channels/%FF", 404),
        ("channels/%23team/messages/ffff", 404),
        ("people/echo", 404),
        ("people/%20", 404),
        ("search?text=heron&channel=%23open", 403),
        ("search?text=heron&channel=%23nowhere", 404),
        ("search?text=heron&channel=%23secret", 404),
        ("search?text=%ff", 400),
        ("search?text=heron&from=%C3%28", 400),
        ("search?text=heron&from=nobody", 404),
        ("nothing", 404),
    ] {
        let response = get(&server, &token, path);
        assert_eq!(response.status, status, "{path}: {response:?}");
        assert!(response.detail().ends_with('.'), "{response:?}");
    }
}

#[test]
fn pages_lead_through_a_whole_history_in_both_directions() {
    let home = api_home(&[]);
    let server = home.serve();
    let token = create(&home, "backup", &[]);
    let mut alice = Client::in_channel(&server, "alice", "#team");
    let texts: Vec<String> = (0..25).map(|n| format!("message {n}")).collect();
    for text in &texts {
        alice.request(&format!("PRIVMSG #team :{text}"));
    }
    let walk = |first: &str, from_the_end: bool| {
        let (mut all, mut next): (Vec<String>, _) = (Vec::new(), Some(first.to_owned()));
        while let Some(path) = next {
            let page = read(&server, &token, path.strip_prefix("/api/v1/").unwrap_or(&path));
            let texts = each(&page["messages"], "text")
                .into_iter()
                .map(|text| text.as_str().expect("text").to_owned());
            let texts: Vec<_> = texts.collect();
            all = if from_the_end { [texts, all].concat() } else { [all, texts].concat() };
            next = page["next"].as_str().map(ToOwned::to_owned);
        }
        all
    };
    assert_eq!(walk("channels/%23team/messages?limit=7", true), texts);
    assert_eq!(walk("channels/%23team/messages?limit=7&after=0000000000000000", false), texts);
    let all = read(&server, &token, "channels/%23team/messages");
    let [first, last] =
        [3, 9].map(|n: usize| all["messages"][n]["msgid"].as_str().expect("an id").to_owned());
    assert_eq!(
        walk(&format!("channels/%23team/messages?limit=2&after={first}&before={last}"), false),
        texts[4..9]
    );
    // Until the index has them all.
    while walk("search?text=message&limit=6", true).len() < texts.len() {}
    assert_eq!(walk("search?text=message&limit=6&channel=%23team&from=alice", true), texts);
}

#[test]
fn messages_have_their_replies_and_files_and_none_that_was_taken_back() {
    let home = api_home(&["files.enabled = true"]);
    let server = home.serve();
    let token = create(&home, "archive", &[]);
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    alice.request("JOIN #team");
    let basic = format!("Authorization: Basic {}", STANDARD.encode(format!("alice:{PASSWORD}")));
    let uploaded = send(
        &server,
        "POST /upload",
        &[&basic, "Content-Disposition: attachment; filename=\"ü.txt\""],
        b"hello",
    );
    let address = uploaded.header("location").expect("an address").to_owned();
    alice.request(&format!("PRIVMSG #team :see {address}"));
    let first = read(&server, &token, "channels/%23team/messages")["messages"][0].clone();
    assert_eq!(first["files"][0]["url"], address);
    assert_eq!((&first["files"][0]["name"], &first["files"][0]["bytes"]), (&json!("ü.txt"), &json!(5)));
    let id = first["msgid"].as_str().expect("an id");
    alice.request(&format!("@+draft/reply={id} PRIVMSG #team :I see"));
    let both = read(&server, &token, "channels/%23team/messages");
    assert_eq!(each(&both["messages"], "reply_to"), [&Value::Null, &json!(id)]);
    alice.request(&format!("REDACT #team {id}"));
    let left = read(&server, &token, "channels/%23team/messages");
    assert_eq!(each(&left["messages"], "text"), ["I see"]);
    assert_eq!(get(&server, &token, &format!("channels/%23team/messages/{id}")).status, 404);
}

#[test]
fn each_wrong_request_is_told_what_is_wrong() {
    let home = api_home(&[]);
    let server = home.serve();
    let token = create(&home, "dashboard", &[]);
    let _alice = Client::in_channel(&server, "alice", "#team");
    for (path, part) in [
        ("channels?limit=0", "limit: it is a number from 1 to 1000"),
        ("channels?limit=1001", "limit: it is a number from 1 to 1000"),
        ("channels?limit=+5", "limit: it is a number"),
        ("channels?limit=1&limit=2", "duplicate field `limit`"),
        ("channels?colour=red", "unknown field `colour`"),
        ("channels/%23team/messages?before=5", "before: it is no id"),
        ("channels/%23team/messages?after=00000000000000AB", "after: it is no id"),
        ("search", "missing field `text`"),
        ("search?text=%20", "text: there are no words in it"),
    ] {
        let response = get(&server, &token, path);
        assert_eq!(response.status, 400, "{path}: {response:?}");
        assert!(response.detail().contains(part), "{response:?}");
    }
    let long = get(&server, &token, &format!("search?text={}", "x".repeat(301)));
    assert!(long.status == 400 && long.detail().contains("300 characters"), "{long:?}");
    let bearer = format!("Authorization: Bearer {token}");
    let posted = send(&server, "POST /api/v1/channels", &[&bearer], b"");
    assert_eq!((posted.status, posted.header("allow")), (405, Some("GET,HEAD")), "{posted:?}");
    assert!(posted.detail().contains("POST is not for this address"));
    let body = send(&server, "GET /api/v1/channels", &[&bearer], b"{}");
    assert_eq!(body.status, 413);
    let head = send(&server, "HEAD /api/v1/channels", &[&bearer], b"");
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[test]
fn a_token_is_valid_until_it_is_revoked_expires_or_loses_its_account() {
    let home = api_home(&[]);
    let mut server = home.serve();
    let (token, short) = (create(&home, "dashboard", &[]), create(&home, "short", &["--expires", "1ms"]));
    let asked = |server: &Server, token: &str| {
        let response = get(server, token, "token");
        (response.status, if response.status == 200 { String::new() } else { response.detail() })
    };
    let expired = asked(&server, &short);
    assert!(expired.0 == 401 && expired.1.starts_with("The token expired on 20"), "{expired:?}");
    server.kill9();
    server = home.serve();
    assert_eq!(asked(&server, &token).0, 200);
    home.succeed(&["user", "disable", "alice"]);
    assert_eq!(asked(&server, &token), (401, "The account alice of this token is disabled.".to_owned()));
    let listed = home.succeed(&["token", "list"]);
    assert!(listed.contains("dashboard  alice    read   its account is disabled"), "{listed}");
    home.succeed(&["user", "enable", "alice"]);
    assert_eq!(asked(&server, &token).0, 200);
    assert_eq!(home.succeed(&["token", "revoke", "Dashboard"]), "the token Dashboard is revoked\n");
    let wrong = (401, "The token is wrong, or was revoked.".to_owned());
    assert_eq!(asked(&server, &token), wrong);
    let token = create(&home, "dashboard", &[]);
    home.succeed(&["user", "remove", "--yes", "alice"]);
    assert_eq!(asked(&server, &token), wrong);
    assert_eq!(home.succeed(&["token", "list", "--json"]), "");
    assert!(home.fail(&["token", "revoke", "dashboard"]).contains("there is no token dashboard"));
    let unknown = home.fail(&["token", "create", "x", "--as", "nobody", "--scope", "read"]);
    assert!(unknown.contains("there is no account nobody"), "{unknown}");
}

#[test]
fn a_request_without_a_token_is_told_how_and_guesses_are_slowed() {
    let home = api_home(&[]);
    let server = home.serve();
    for headers in [&[][..], &["Authorization: Basic YTpi"], &["Authorization: Bearer"]] {
        let response = send(&server, "GET /api/v1/channels", headers, b"");
        assert_eq!(
            (response.status, response.header("www-authenticate")),
            (401, Some("Bearer realm=\"Parlour\""))
        );
        assert!(response.detail().contains("Authorization: Bearer TOKEN"), "{response:?}");
    }
    let token = create(&home, "dashboard", &[]);
    let wrong = |_| get(&server, &"A".repeat(43), "channels").status;
    let first = wrong(0);
    let refused = (0..2000).map(wrong).find(|&status| status != 401);
    assert_eq!((first, refused), (401, Some(429)));
    // A right token is not slowed by those who guess from the same network.
    assert_eq!(get(&server, &token, "channels").status, 200);
}

#[test]
fn a_token_that_is_used_too_much_waits() {
    let home = api_home(&["limits.flood = true", "limits.messages_per_second = 1", "limits.burst = 3"]);
    let server = home.serve();
    let (token, other) = (create(&home, "one", &[]), create(&home, "two", &[]));
    let refused = (0..10).map(|_| get(&server, &token, "token")).find(|response| response.status != 200);
    let refused = refused.expect("too many");
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.header("retry-after").expect("a time").parse::<u32>().expect("seconds") > 0);
    assert_eq!(get(&server, &other, "token").status, 200);
}

#[test]
fn the_description_names_each_address() {
    let home = api_home(&[]);
    let server = home.serve();
    let described = send(&server, "GET /api/v1/openapi.json", &[], b"").json();
    let paths: Vec<&String> = described["paths"].as_object().expect("paths").keys().collect();
    assert_eq!(paths.len(), 10, "{paths:?}");
    assert_eq!(described["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    // What it says of parameters.
    let parameters = &described["paths"]["/api/v1/search"]["get"]["parameters"];
    assert_eq!(each(parameters, "name"), ["text", "channel", "from", "before", "limit"]);
    assert_eq!(each(parameters, "required"), [true, false, false, false, false]);
}

#[test]
fn without_the_api_there_is_nothing_at_its_address() {
    let home = Home::with_accounts(&["hooks.enabled = true"]);
    let server = home.serve();
    let token = create(&home, "early", &[]);
    assert_eq!(get(&server, &token, "channels").status, 404);
}
