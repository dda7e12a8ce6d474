//! Behavior of the core when the clock jumps.

use std::time::Duration;

use super::driver::{Driver, password};
use crate::core::effects::query::HistoryQuery;
use crate::core::record::{Record, Snapshot};
use crate::core::{InputKind, Query, Settings};
use crate::wire::{MessageId, Timestamp};

const YEAR: u64 = 365 * 24 * 60 * 60 * 1000;

fn ids(d: &Driver) -> Vec<MessageId> {
    let id = |record: &Record| match record {
        Record::Message(message) => Some(message.id),
        _ => None,
    };
    d.records.iter().filter_map(id).collect()
}

#[test]
fn grace_period_ends_on_time_after_clock_jump_back() {
    let mut d = Driver::new();
    let settings = Settings { grace: Duration::from_secs(10), ..Settings::default() };
    d.input(InputKind::Settings(Box::new(settings)));
    let [al, bo] = ["al", "bo"].map(|name| d.open(name, ""));
    for session in [al, bo] {
        d.send_line(session, "JOIN #a");
    }
    d.take_output(al);
    d.input(InputKind::SessionClosed(bo, "lost".into()));
    let due = d.core.next_deadline().expect("a grace");
    d.now.0 -= 10 * YEAR;
    d.monotonic = due;
    d.input(InputKind::Tick);
    assert!(d.take_output(al).contains("QUIT :lost"));
    assert_eq!(d.core.next_deadline(), None);
}

#[test]
fn ids_grow_and_times_are_true_after_clock_jump_back() {
    let mut d = Driver::new();
    let al = d.open("al", "message-tags server-time echo-message");
    d.send_line(al, "JOIN #a");
    d.now.0 += 25 * YEAR;
    d.send_line(al, "PRIVMSG #a :from the future");
    d.now.0 -= 25 * YEAR;
    let now = Timestamp(d.now.0 + 1);
    let got = d.send_line(al, "PRIVMSG #a :from now");
    assert!(got.contains(&format!("time={now}")), "{got}");
    let all = ids(&d);
    assert!(all.is_sorted() && all.last().is_some_and(|last| last.time().0 > now.0 + 24 * YEAR), "{all:?}");
    // After a small step back, ids and times stay at their latest values until the clock catches up.
    d.now.0 -= 30_000;
    let got = d.send_line(al, "PRIVMSG #a :a moment ago");
    assert!(got.contains(&format!("time={now}")), "{got}");
    let stretches = d.records.iter().filter(|record| matches!(record, Record::IdsAhead(_))).count();
    assert_eq!(stretches, 1);
}

#[test]
fn timestamps_select_messages_after_clock_jump_back() {
    let mut d = Driver::new();
    let al = d.open("al", "draft/chathistory batch");
    d.send_line(al, "JOIN #a");
    d.now.0 += 25 * YEAR;
    d.send_line(al, "PRIVMSG #a :from the future");
    d.now.0 -= 25 * YEAR;
    d.send_line(al, "PRIVMSG #a :one");
    let before = d.now;
    d.now.0 += 60_000;
    d.send_line(al, "PRIVMSG #a :two");
    let [.., one, two] = ids(&d)[..] else { panic!("messages") };
    d.pending_queries.clear();
    d.send_line(al, &format!("CHATHISTORY AFTER #a timestamp={before} 10"));
    let Some((_, Query::History(HistoryQuery { windows, reader, .. }))) = d.pending_queries.pop() else {
        panic!("a query")
    };
    assert!(windows[0].after >= one && windows[0].after < two && windows[0].before > two);
    assert_eq!(reader.times.time_of(one), before);
    // The same holds after a restart.
    let record = d.records.iter().find_map(|record| match record {
        Record::IdsAhead(ahead) => Some(*ahead),
        _ => None,
    });
    let times = crate::wire::ids::MessageTimes::new(record.into_iter().collect());
    let al =
        d.core.accounts.get_enabled_by_name(&crate::wire::Nick::parse("al").expect("a nick")).expect("al");
    let (accounts, passwords) = (vec![al.account.clone()], vec![(al.account.id, password())]);
    let mut again = Driver::from_snapshot(Snapshot {
        accounts,
        passwords,
        last_message: two,
        times,
        ..Snapshot::default()
    });
    again.now = d.now;
    let al = again.open("al", "server-time echo-message");
    let got = again.send_line(al, "PRIVMSG al :three");
    assert!(got.contains(&format!("time={}", again.now)), "{got}");
    assert!(ids(&again)[0] > two);
}
