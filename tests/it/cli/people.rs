//! Classes: people imported from a spreadsheet, groups of them, cards, and what is kept of one of them.

use std::fmt::Write as _;
use std::fs;

use parlour::trust::InviteLink;
use serde_json::Value;

use crate::support::history::history_capabilities;
use crate::support::invite::decode_inline_qr;
use crate::support::{Client, Home, PASSWORD, assert_failure, assert_success, server};

const FIRST_NAMES: [&str; 10] =
    ["Jürgen", "Ägidius", "Zoë", "Łukasz", "Seán", "Anne-Marie", "Юлия", "Mehmet", "Núria", "Björn"];
const LAST_NAMES: [&str; 15] = [
    "Müller",
    "Groß",
    "O’Brien",
    "von der Heydte",
    "Şahin",
    "Nguyễn",
    "D'Angelo",
    "Weiß",
    "Schäfer",
    "Öztürk",
    "Kowalski",
    "Smith",
    "Ångström",
    "Peña",
    "Иванова",
];

/// A class of 300 as German Excel writes it: semicolons, a byte order mark, CR LF. Each name is there twice.
fn class_csv() -> String {
    let mut csv = "\u{feff}Nachname;Vorname;Klasse;Geburtstag\r\n".to_owned();
    for number in 0..300 {
        let (first, last) = (FIRST_NAMES[number % 10], LAST_NAMES[number / 10 % 15]);
        let group = if number < 150 { "3a" } else { "3b" };
        write!(csv, "{last};{first};{group};01.02.2017\r\n").expect("a string");
    }
    csv
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn users(home: &Home) -> Vec<Value> {
    json_lines(&home.succeed(&["user", "list", "--json"]))
}

#[test]
fn class_is_imported_printed_on_cards_and_removed_by_group() {
    let server = server();
    let home = &server.home;
    fs::write(home.path("class.csv"), class_csv()).expect("written");
    home.succeed(&["group", "create", "3a", "--channel", "#class-3a"]);

    let shown = home.succeed(&["user", "import", "class.csv", "--cards", "cards.html", "--dry-run"]);
    assert!(shown.contains("juergen-mueller ") && shown.contains("juergen-mueller-2 "), "{shown}");
    assert!(shown.ends_with("300 would be added, 0 not\n"), "{shown}");
    assert!(!home.path("cards.html").exists() && users(home).len() == 3, "nothing is done");

    let done = home.run(&["user", "import", "class.csv", "--cards", "cards.html", "--language", "de"]);
    assert_eq!(assert_success(&done), "300 added, 0 not\n");
    let notes = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(notes.contains("class.csv: column 4 has no title that is known, and is not read"), "{notes}");
    assert!(notes.contains("Jürgen Müller is juergen-mueller\n"), "{notes}");
    let cards = fs::read_to_string(home.path("cards.html")).expect("the page");
    assert_eq!(cards.matches("<article>").count(), 300);
    assert_eq!(cards.matches("<svg").count(), 300);
    assert!(cards.contains("<h2>Seán O’Brien</h2>") && !cards.contains("token="), "the links are codes");
    // Each card leads to its account.
    let cards: Vec<&str> = cards.split("<article>").skip(1).collect();
    for card in [cards[0], cards[150], cards[299]] {
        let link = decode_inline_qr(card).parse::<InviteLink>().expect("a link");
        let name = link.account.expect("an account");
        assert!(card.contains(&format!("<dd>{name}</dd>")), "{card}");
    }
    let card = decode_inline_qr(cards[299]);
    let joined = home.run_as("last", &["join", &card, "--password-stdin"], "geheim-1234\n");
    assert!(joined.status.success(), "{joined:?}");
    let again = home.run_as("thief", &["join", &card, "--password-stdin"], "geheim-5678\n");
    assert!(!again.status.success(), "a card works once: {again:?}");

    // Again, it changes nothing.
    let again = home.succeed(&["user", "import", "class.csv", "--cards", "more.html"]);
    assert_eq!(again, "0 added, 300 there already, 0 not\n");
    assert!(!home.path("more.html").exists(), "no card without an account");
    let all = users(home);
    assert_eq!(all.len(), 303);
    let juergen = all.iter().find(|user| user["name"] == "juergen-mueller").expect("a pupil");
    assert!(juergen["display_name"] == "Jürgen Müller" && juergen["groups"][0] == "3a", "{juergen}");
    assert_eq!(
        home.count(
            "SELECT count(*) FROM members m JOIN channels c ON c.id = m.channel WHERE c.name = '#class-3a'"
        ),
        150
    );

    // A pupil opens the link of a card.
    let links = home.succeed(&["invite", "create", "--group", "3a"]);
    assert_eq!(links.lines().count(), 150);
    let (name, link) = links.lines().next().and_then(|line| line.split_once('\t')).expect("a link");
    assert_eq!(link.parse::<InviteLink>().expect("a link").account.as_deref(), Some(name));
    let joined = home.run_as("pupil", &["join", link, "--password-stdin"], "geheim-1234\n");
    assert!(joined.status.success(), "{joined:?}");
    let mut pupil = Client::connect(&server);
    pupil.begin_login(name, "batch");
    pupil.authenticate(name, "geheim-1234");
    let mut pupil = pupil.finish_login();

    // The year ends for half of them.
    let asked = assert_failure(&home.run(&["user", "remove", "--group", "3a"]), 1);
    assert!(asked.contains("run this with --yes"), "{asked}");
    let removed = home.succeed(&["user", "remove", "--group", "3a", "--yes"]);
    assert_eq!(removed.lines().count(), 150);
    assert!(pupil.read_until_closed().last().is_some_and(|line| line.command == "ERROR"));
    assert_eq!(users(home).len(), 153);
    let groups = json_lines(&home.succeed(&["group", "list", "--json"]));
    let sizes: Vec<_> = groups.iter().map(|group| group["members"].as_array().map(Vec::len)).collect();
    assert_eq!(sizes, [Some(0), Some(150)]);
}

#[test]
fn generated_passwords_are_printed_once_and_work() {
    let home = Home::new(&[]);
    fs::write(
        home.path("staff.csv"),
        "display name,role,group\nAda Lovelace,admin,staff\nGrace Hopper,,staff\n",
    )
    .expect("written");
    let refused = home.run(&["user", "import", "staff.csv"]);
    assert!(assert_failure(&refused, 1).contains("the file has no passwords: --cards "), "{refused:?}");
    let shown = home.succeed(&["user", "import", "staff.csv", "--dry-run"]);
    assert!(shown.ends_with("2 would be added, 0 not\n"), "{shown}");
    let printed = home.succeed(&["user", "import", "staff.csv", "--generate-passwords"]);
    let rows: Vec<Vec<&str>> = printed.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["name", "display name", "password"]);
    assert_eq!((rows[1][0], rows[1][1], rows[1][2].len()), ("ada-lovelace", "Ada Lovelace", 17));
    assert_eq!(rows.len(), 3);
    assert_eq!(
        home.succeed(&["user", "import", "staff.csv", "--generate-passwords"]),
        "name,display name,password\n"
    );

    // Whoever is there needs no password.
    assert_eq!(home.succeed(&["user", "import", "staff.csv"]), "0 added, 2 there already, 0 not\n");

    let server = home.serve();
    let log_in = |password: &str| Client::try_login(&server, "ada-lovelace", password);
    assert_eq!(log_in(rows[1][2]), "903");
    let several = assert_failure(&home.run(&["user", "passwd", "--group", "staff", "--password-stdin"]), 1);
    assert!(several.contains("--generate-passwords makes them"), "{several}");
    let reset = home.succeed(&["user", "passwd", "--group", "staff", "--generate-passwords", "--yes"]);
    let new = reset.lines().nth(1).and_then(|line| line.rsplit(',').next()).expect("a password");
    assert_ne!(new, rows[1][2]);
    assert_eq!((log_in(rows[1][2]).as_str(), log_in(new).as_str()), ("904", "903"));
    assert!(!server.log().contains(new), "no password is in the log");
}

#[test]
fn group_is_in_its_channels_with_and_without_a_server() {
    let server = server();
    let home = &server.home;
    let mut bob = Client::login(&server, "bob");
    let created = home.succeed(&["group", "create", "Class 3b", "alice", "--channel", "#class"]);
    assert_eq!(created, "the group Class 3b is made, with 1 member\n");
    home.succeed(&["group", "add", "class 3B", "bob"]);
    bob.wait_for_line("the JOIN", |line| line.command == "JOIN");
    assert_eq!(home.succeed(&["group", "list", "class 3b"]), "alice\nbob\n");
    let unknown = home.fail(&["group", "add", "4a", "bob"]);
    assert!(unknown.contains("there is no group 4a; `parlour group list` prints the names"), "{unknown}");
    home.succeed(&["group", "remove", "class 3b", "bob"]);
    bob.wait_for_line("the PART", |line| line.command == "PART");
    let home = home.clone();
    drop(server);

    home.succeed(&["group", "join", "class 3b", "#school"]);
    let listed = home.succeed(&["group", "list"]);
    assert_eq!(listed, "NAME      MEMBERS  CHANNELS\nClass 3b  1        #class #school\n");
    home.succeed(&["group", "part", "class 3b", "#class"]);
    assert!(home.fail(&["group", "delete", "class 3b"]).contains("--yes"));
    assert_eq!(home.succeed(&["group", "delete", "class 3b", "--yes"]), "the group Class 3b is deleted\n");
    // They stay where they are.
    assert_eq!(home.count("SELECT count(*) FROM members"), 1);
}

#[test]
fn person_is_exported_and_erased() {
    let server = server();
    let home = &server.home;
    let mut alice = Client::login_with(&server, "alice", &history_capabilities());
    let mut bob = Client::login_with(&server, "bob", &history_capabilities());
    alice.request("JOIN #room");
    bob.request("JOIN #room");
    alice.deliver_message(&mut bob, "#room", "my secret plan");
    alice.request("PRIVMSG bob :between us");
    bob.deliver_message(&mut alice, "#room", "alice has a plan");
    alice.request("TOPIC #room :by me");
    home.succeed(&["user", "set", "alice", "replay", "5"]);

    let exported = home.succeed(&["user", "export", "alice"]);
    let data: Value = serde_json::from_str(&exported).expect("JSON");
    assert!(data["account"]["name"] == "alice" && data["account"]["replay"] == 5, "{exported}");
    let texts: Vec<&str> = data["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|message| message["text"].as_str())
        .collect();
    assert!(texts.contains(&"my secret plan") && texts.contains(&"between us"), "{texts:?}");
    assert!(!exported.contains("alice has a plan"), "others' messages are theirs");
    assert!(data["audit"].as_array().expect("a list").iter().any(|entry| entry["action"] == "user set"));
    let saved = home.succeed(&["user", "export", "alice", "--to", "alice-data"]);
    assert!(saved.starts_with("alice-data: person.json, messages.jsonl with "), "{saved}");
    let lines = fs::read_to_string(home.path("alice-data/messages.jsonl")).expect("written");
    assert_eq!(json_lines(&lines).len(), texts.len());

    assert!(home.fail(&["user", "erase", "alice"]).contains("--yes"));
    let erased = home.run(&["user", "erase", "alice", "--yes"]);
    let said = assert_success(&erased);
    assert!(said.starts_with("alice is erased, with ") && said.contains("; erased-"), "{said}");
    assert!(String::from_utf8_lossy(&erased.stderr).contains("What remains:"), "{erased:?}");
    assert!(alice.read_until_closed().last().is_some_and(|line| line.command == "ERROR"));

    let history = bob.request("CHATHISTORY LATEST #room * 50");
    let text = format!("{history:?}");
    assert!(text.contains("alice has a plan") && !text.contains("my secret plan"), "{text}");
    let pseudonym = said.split(' ').find(|word| word.starts_with("erased-")).expect("a pseudonym");
    let topic = bob.request("TOPIC #room");
    assert!(
        topic.iter().any(|line| line.command == "333" && line.params.contains(&pseudonym.to_owned())),
        "{topic:?}"
    );
    assert_eq!(
        home.count(
            "SELECT count(*) FROM messages WHERE text LIKE '%secret plan%' OR text LIKE '%between us%'"
        ),
        0
    );
    assert_eq!(home.count("SELECT count(*) FROM audit WHERE target = 'alice' OR detail LIKE '%alice%'"), 0);
    // The name is free, and means somebody else.
    let added = home.run_with_input(&["user", "add", "alice", "--password-stdin"], &format!("{PASSWORD}\n"));
    assert!(added.status.success(), "{added:?}");
    let stranger: Value = serde_json::from_str(&home.succeed(&["user", "export", "alice"])).expect("JSON");
    assert_eq!(stranger["messages"], Value::Array(vec![]));
}
