//! SIGKILL during labelled messages, reactions, redactions, changes of topics and modes, joins and parts: every command
//! with a reply is durable, and any other one is durable completely or not at all.
//!
//! <https://ircv3.net/specs/extensions/labeled-response>: the reply with the label confirms a command.

use std::collections::{BTreeSet, VecDeque};
use std::sync::mpsc;
use std::thread;

use crate::support::history::{msgid, playback_capabilities};
use crate::support::{Client, Home, Line, Server};

const KILLS: usize = 6;
const ACTORS: usize = 4;
/// Count of unanswered commands of one talker.
const MAX_UNANSWERED: usize = 12;
/// Count of replies to all talkers at which the server is killed.
const REPLIES_BEFORE_KILL: usize = 400;

/// A command that leaves one trace in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Action {
    Message(String),
    React(String),
    Redact(String),
    Topic(String),
    Limit(usize),
    Join,
    Part,
}

impl Action {
    fn line(&self, name: &str) -> String {
        match self {
            Self::Message(text) => format!("PRIVMSG #load :{text}"),
            Self::React(tag) => format!("TAGMSG #load\n{tag}"),
            Self::Redact(message) => format!("REDACT #load {message} :by {name}"),
            Self::Topic(text) => format!("TOPIC #{name} :{text}"),
            Self::Limit(limit) => format!("MODE #{name} +l {limit}"),
            Self::Join => "JOIN #hop".to_owned(),
            Self::Part => "PART #hop".to_owned(),
        }
    }

    /// Returns the line to send, with its label.
    fn labelled_line(&self, name: &str, label: usize) -> String {
        match self.line(name).split_once('\n') {
            Some((line, tag)) => format!("@label={label};{tag} {line}\r\n"),
            None => format!("@label={label} {}\r\n", self.line(name)),
        }
    }

    /// Returns true if this line is the reply to the command.
    fn is_confirmed_by(&self, line: &Line) -> bool {
        match self {
            Self::Message(text) => line.starts_with("PRIVMSG #load") && line.text() == text,
            Self::React(_) => line.starts_with("TAGMSG #load"),
            Self::Redact(message) => line.starts_with(&format!("REDACT #load {message}")),
            Self::Topic(text) => line.command == "TOPIC" && line.text() == text,
            Self::Limit(limit) => line.command == "MODE" && line.text() == limit.to_string(),
            Self::Join => line.command == "BATCH" && line.param(1) == "labeled-response",
            Self::Part => line.starts_with("PART #hop"),
        }
    }
}

/// One talker: the commands of this round, and the count of those with a reply.
struct Actor {
    name: String,
    client: Client,
    number: usize,
    is_member: bool,
    sent: Vec<Action>,
    confirmed: usize,
    /// Messages that were echoed and not redacted.
    own_messages: VecDeque<String>,
}

impl Actor {
    fn log_in(server: &Server, name: &str, number: usize) -> Self {
        let mut client = Client::login_with(server, name, &playback_capabilities());
        for channel in ["#load".to_owned(), format!("#{name}")] {
            client.request(&format!("JOIN {channel}"));
        }
        let is_member = client.welcome.iter().any(|l| l.starts_with("JOIN #hop"));
        let name = name.to_owned();
        Self {
            name,
            client,
            number,
            is_member,
            sent: Vec::new(),
            confirmed: 0,
            own_messages: VecDeque::new(),
        }
    }

    fn next_action(&mut self) -> Action {
        self.number += 1;
        let (name, n) = (&self.name, self.number);
        let say = Action::Message(format!("{name} {n}"));
        match n % 8 {
            1 => Action::React(format!("+draft/react={name}-{n}")),
            2 => self.own_messages.pop_front().map_or(say, Action::Redact),
            3 => Action::Topic(format!("{name} {n}")),
            4 => Action::Limit(n),
            5 | 6 => {
                self.is_member = !self.is_member;
                if self.is_member { Action::Join } else { Action::Part }
            }
            _ => say,
        }
    }

    fn send_action(&mut self) {
        let act = self.next_action();
        let line = act.labelled_line(&self.name, self.sent.len());
        self.sent.push(act);
        // The next read notices a failed write.
        drop(self.client.send_bytes(line.as_bytes()));
    }

    /// Sends commands until the connection dies.
    fn run_until_killed(mut self, answers: &mpsc::Sender<()>) -> Self {
        for _ in 0..MAX_UNANSWERED {
            self.send_action();
        }
        while let Some(line) = self.client.next() {
            let Some(label) = line.tag("label") else { continue };
            assert_eq!(label, self.confirmed.to_string(), "answers in the order of the commands: {line}");
            let act = &self.sent[self.confirmed];
            assert!(act.is_confirmed_by(&line), "{act:?} was answered with {line}");
            if let Action::Message(_) = act {
                self.own_messages.push_back(msgid(&line).to_owned());
            }
            self.confirmed += 1;
            let _ = answers.send(());
            self.send_action();
        }
        self
    }
}

/// Returns the database's records of an account since a message, as the commands that caused them. `None` stands for a
/// redacted message.
fn stored_actions(home: &Home, name: &str, since: i64) -> Vec<Option<Action>> {
    let database = home.database();
    let sql = "SELECT m.kind, m.text, m.tags, m.redacted FROM messages m JOIN accounts a ON a.id = m.sender
               WHERE a.name = ?1 AND m.id > ?2 ORDER BY m.id";
    let mut rows = database.prepare(sql).expect("the tables");
    let row = |row: &rusqlite::Row<'_>| {
        let (kind, text): (i64, String) = (row.get(0)?, row.get(1)?);
        let (tags, redacted): (Option<String>, Option<i64>) = (row.get(2)?, row.get(3)?);
        let act = match kind {
            0 if redacted.is_some() => {
                assert!(text.is_empty() && tags.is_none(), "redacted and not erased: {text:?} {tags:?}");
                return Ok(None);
            }
            0 => Action::Message(text),
            2 => Action::React(tags.unwrap_or_default()),
            3 => Action::Join,
            4 => Action::Part,
            6 => Action::Topic(text),
            7 => Action::Limit(text.trim_start_matches("+l ").parse().expect("a number")),
            9 => Action::Redact(text.split(' ').next().unwrap_or_default().to_owned()),
            other => panic!("a message of kind {other}: {text:?}"),
        };
        Ok(Some(act))
    };
    let rows = rows.query_map((name, since), row).expect("rows");
    rows.collect::<Result<_, _>>().expect("acts")
}

/// Returns the texts that a query selects.
fn select_column(home: &Home, query: &str) -> BTreeSet<String> {
    let database = home.database();
    let mut rows = database.prepare(query).expect(query);
    let texts = rows.query_map([], |row| row.get(0)).expect(query);
    texts.collect::<Result<_, _>>().expect(query)
}

/// Checks that the state of the channels matches their events, and that the redactions match the erased messages.
fn assert_consistent(home: &Home, names: &[String]) {
    assert_eq!(select_column(home, "PRAGMA integrity_check"), BTreeSet::from(["ok".to_owned()]));
    let erased = "SELECT printf('%016x', id) FROM messages WHERE redacted = 1";
    let told = "SELECT substr(text, 1, 16) FROM messages WHERE kind = 9";
    assert_eq!(
        select_column(home, erased),
        select_column(home, told),
        "a redaction for each erased message, and no other"
    );
    for name in names {
        // Kind 6 is TOPIC, 7 is MODE.
        let last = |kind: u8| {
            format!(
                "SELECT text FROM messages WHERE kind = {kind} AND place = c.id ORDER BY messages.id DESC LIMIT 1"
            )
        };
        let whole = format!(
            "SELECT ifnull(c.topic, '') = ifnull(({}), '') AND ifnull('+l ' || c.most, '') = ifnull(({}), '')
             FROM channels c WHERE c.name = '#{name}'",
            last(6),
            last(7)
        );
        assert_eq!(home.count(&whole), 1, "the topic and modes of #{name} are the last that were set");
        let inside = format!(
            "SELECT count(*) FROM members m JOIN channels c ON c.id = m.channel JOIN accounts a ON a.id = m.account
             WHERE c.name = '#hop' AND a.name = '{name}'"
        );
        let joined = format!(
            "SELECT ifnull((SELECT m.kind = 3 FROM messages m JOIN channels c ON c.id = m.place
             JOIN accounts a ON a.id = m.sender
             WHERE c.name = '#hop' AND a.name = '{name}' ORDER BY m.id DESC LIMIT 1), 0)"
        );
        assert_eq!(home.count(&inside), home.count(&joined), "{name} is in #hop if that was the last of it");
    }
}

#[test]
fn kill_keeps_confirmed_commands_and_no_partial_ones() {
    let home = Home::new(&[]);
    let names: Vec<String> = (0..ACTORS).map(|n| format!("talker{n}")).collect();
    home.import(&names.iter().map(String::as_str).collect::<Vec<_>>());
    home.import(&["keeper"]);
    let mut numbers = [0; ACTORS];
    let mut unanswered = 0;

    for round in 1..=KILLS {
        let mut server = home.serve();
        // A channel with a member is not removed, and neither is its history.
        let mut keeper = Client::login(&server, "keeper");
        keeper.request("JOIN #hop");
        let talkers = names.iter().zip(numbers).map(|(name, number)| Actor::log_in(&server, name, number));
        let talkers: Vec<Actor> = talkers.collect();
        let since = home.count("SELECT max(id) FROM messages");
        let talkers: Vec<Actor> = thread::scope(|scope| {
            let (answers, heard) = mpsc::channel();
            let talking: Vec<_> = talkers
                .into_iter()
                .map(|talker| {
                    let answers = answers.clone();
                    scope.spawn(move || talker.run_until_killed(&answers))
                })
                .collect();
            drop(answers);
            assert_eq!(
                heard.iter().take(REPLIES_BEFORE_KILL).count(),
                REPLIES_BEFORE_KILL,
                "the talkers ended early"
            );
            server.signal("KILL");
            talking.into_iter().map(|t| t.join().expect("a talker")).collect()
        });
        server.wait();
        assert_consistent(&home, &names);
        for (talker, number) in talkers.iter().zip(&mut numbers) {
            let Actor { name, sent, confirmed: answered, .. } = talker;
            *number = talker.number;
            let kept = stored_actions(&home, name, since);
            let range = *answered..=sent.len();
            assert!(
                range.contains(&kept.len()),
                "kill {round}: {name} has {} kept, of {range:?}",
                kept.len()
            );
            unanswered += sent.len() - answered;
            for (kept, sent) in kept.iter().zip(sent) {
                let same = kept.as_ref().map_or(matches!(sent, Action::Message(_)), |kept| kept == sent);
                assert!(same, "kill {round}: {name} sent {sent:?} and {kept:?} is kept");
            }
        }
    }
    assert!(unanswered > KILLS, "the kills came while something was under way");

    // The server reports the same as the database.
    let server = home.serve();
    for (name, number) in names.iter().zip(numbers) {
        let talker = Actor::log_in(&server, name, number);
        let topic = format!("SELECT topic FROM channels WHERE name = '#{name}'");
        let shown = talker
            .client
            .welcome
            .iter()
            .find(|l| l.starts_with(&format!("332 {name} #{name}")))
            .map(Line::text);
        assert_eq!(shown, select_column(&home, &topic).first().map(String::as_str));
        let mut client = talker.client;
        let modes = client.request(&format!("MODE #{name}"));
        let limit = home.count(&format!("SELECT most FROM channels WHERE name = '#{name}'"));
        assert!(modes[0].command == "324" && modes[0].text() == limit.to_string(), "{modes:?}");
        let history = client.query_history("LATEST #load * 1000");
        let gone: BTreeSet<&str> =
            history.iter().filter(|l| l.command == "REDACT").map(|l| l.param(1)).collect();
        assert!(!gone.is_empty());
        assert!(
            history.iter().all(|l| !gone.contains(msgid(l)) && !l.text().is_empty()),
            "what is gone is not shown"
        );
    }
}
