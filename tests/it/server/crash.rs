//! SIGKILL under load, twenty times: whatever was echoed or delivered is in the database, nothing is there twice, and
//! unconfirmed messages can be sent again without a duplicate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc;
use std::thread;

use crate::support::{ALL_CAPABILITIES, Client, Home, Server};

const KILLS: usize = 20;
const SENDERS: usize = 4;
/// Count of unconfirmed messages of one talker.
const MAX_UNCONFIRMED: usize = 30;
/// Count of echoes to all talkers at which the server is killed.
const ECHOES_BEFORE_KILL: usize = 200;

/// Knowledge of one talker after its server was killed.
pub struct Outcome {
    /// Every message that it saw, by text: its own echoes and those of the others.
    pub seen: BTreeMap<String, String>,
    /// Numbers of its own messages that were echoed.
    pub confirmed: BTreeSet<usize>,
    /// First number that it never sent.
    next: usize,
}

/// Logs in a talker, who joins `#load`.
pub fn log_in(server: &Server, name: &str) -> Client {
    let mut client = Client::login_with(server, name, &format!("{ALL_CAPABILITIES} parlour/send-id"));
    client.request("JOIN #load");
    client
}

/// Sends messages until the connection dies: first the unconfirmed ones again, then from `next` on.
pub fn send_until_killed(
    mut client: Client,
    name: &str,
    unconfirmed: &BTreeSet<usize>,
    next: usize,
    echoes: &mpsc::Sender<()>,
) -> Outcome {
    let mut outcome = Outcome { seen: BTreeMap::new(), confirmed: BTreeSet::new(), next };
    let mut again = unconfirmed.iter().copied();
    let mut send = |client: &mut Client| {
        let number = again.next().unwrap_or_else(|| {
            outcome.next += 1;
            outcome.next - 1
        });
        // The next read notices a failed write.
        drop(client.send_bytes(
            format!("@parlour/send-id={name}-{number} PRIVMSG #load :{name} {number}\r\n").as_bytes(),
        ));
    };
    for _ in 0..MAX_UNCONFIRMED {
        send(&mut client);
    }
    while let Some(line) = client.next() {
        if line.command != "PRIVMSG" {
            continue;
        }
        let id = line.tag("msgid").expect("a msgid").to_owned();
        let known = outcome.seen.insert(line.text().to_owned(), id.clone());
        assert!(known.is_none_or(|k| k == id), "{} was said twice", line.text());
        if line.nick() == name {
            let number = line.text().rsplit(' ').next().and_then(|n| n.parse().ok()).expect("a number");
            outcome.confirmed.insert(number);
            let _ = echoes.send(());
            send(&mut client);
        }
    }
    outcome
}

/// Returns text and message id of all stored messages; no text occurs twice.
pub fn stored_messages(home: &Home) -> BTreeMap<String, String> {
    let database = home.database();
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a check");
    assert_eq!(check, "ok");
    let mut rows = database.prepare("SELECT text, id FROM messages WHERE kind < 2").expect("the table");
    let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).expect("rows");
    let mut kept = BTreeMap::new();
    for row in rows {
        let (text, id) = row.expect("a row");
        let before = kept.insert(text.clone(), format!("{id:016x}"));
        assert_eq!(before, None, "{text:?} is kept twice");
    }
    kept
}

#[test]
fn kill_loses_no_confirmed_message_and_duplicates_none() {
    let home = Home::new(&[]);
    let names: Vec<String> = (0..SENDERS).map(|n| format!("talker{n}")).collect();
    home.import(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut next = [0; SENDERS];
    let mut confirmed: [BTreeSet<usize>; SENDERS] = std::array::from_fn(|_| BTreeSet::new());
    let mut seen: BTreeMap<String, String> = BTreeMap::new();

    for round in 1..=KILLS {
        let mut server = home.serve();
        let outcomes: Vec<Outcome> = thread::scope(|scope| {
            let (echoes, heard) = mpsc::channel();
            // All are logged in before the first one sends, so that the kill comes while they send messages.
            let clients: Vec<Client> = names.iter().map(|name| log_in(&server, name)).collect();
            let talkers: Vec<_> = clients
                .into_iter()
                .enumerate()
                .map(|(n, client)| {
                    let unconfirmed = (0..next[n]).filter(|number| !confirmed[n].contains(number)).collect();
                    let (name, next, echoes) = (&names[n], next[n], echoes.clone());
                    scope.spawn(move || send_until_killed(client, name, &unconfirmed, next, &echoes))
                })
                .collect();
            drop(echoes);
            assert_eq!(
                heard.iter().take(ECHOES_BEFORE_KILL).count(),
                ECHOES_BEFORE_KILL,
                "the talkers ended early"
            );
            server.signal("KILL");
            talkers.into_iter().map(|t| t.join().expect("a talker")).collect()
        });
        server.wait();
        for (n, outcome) in outcomes.into_iter().enumerate() {
            next[n] = outcome.next;
            confirmed[n].extend(outcome.confirmed);
            seen.extend(outcome.seen);
        }
        let kept = stored_messages(&home);
        for (text, id) in &seen {
            assert_eq!(kept.get(text), Some(id), "kill {round}: {text:?} was seen and is not kept");
        }
    }
    let (said, kept) = (seen.len(), stored_messages(&home).len());
    assert!(said >= KILLS * ECHOES_BEFORE_KILL / 2 && kept >= said, "{said} seen, {kept} kept");
}
