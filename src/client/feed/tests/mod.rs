mod format;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::client::model::{Conversation, Event, HistoryRange, MessageRef, Model, Ticket};
use crate::client::text::clean::is_terminal_control;
use crate::wire::{Cap, CapSet, ChannelName, Message, MessageId, Nick, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_007);

fn own_nick() -> Nick {
    Nick::parse("al").expect("a nick")
}

fn channel() -> Conversation {
    Conversation::parse("#c").expect("a channel")
}

/// Returns the events that a script sees of lines from the server. Queries have the tickets from 2 on.
fn events(lines: &[&str]) -> Vec<Event> {
    let mut model = Model::new("run".to_owned());
    model.connected(own_nick(), CapSet::from_caps(&[Cap::LabeledResponse, Cap::Chathistory]));
    model.emit_received();
    for _ in 0..7 {
        model.query_history(&channel(), &HistoryRange::Latest, 1).expect("online");
    }
    for line in lines {
        model.handle(&Message::parse(line).expect(line), NOW);
    }
    std::iter::from_fn(|| model.next_event()).collect()
}

/// Returns the live entries of lines.
fn live(lines: &[&str]) -> Vec<Entry> {
    let entry = |event| match event {
        Event::Received { received, .. } => Entry::from_received(&received, false),
        _ => None,
    };
    events(lines).into_iter().filter_map(entry).collect()
}

/// Returns the results in lines.
fn results(lines: &[&str]) -> Vec<QueryResult> {
    let part = |event| match event {
        Event::Result(result) => Some(QueryResult::from_result(&result)),
        _ => None,
    };
    events(lines).into_iter().filter_map(part).collect()
}

#[track_caller]
fn parse_entry(line: &str) -> Entry {
    match &live(&[line])[..] {
        [entry] => entry.clone(),
        other => panic!("{other:?}"),
    }
}

/// Returns the message with this number; the number is also its time stamp, in seconds.
fn message_entry(number: u64) -> Entry {
    let id = MessageId::first_at(Timestamp(number * 1000));
    let time = id.time();
    Entry { history: true, ..parse_entry(&format!("@msgid={id};time={time} :bo!b@h PRIVMSG #c :{number}")) }
}

fn message_numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.text.parse().expect("a number")).collect()
}

#[test]
fn collects_results_and_multiline_messages() {
    let lines = [
        "@label=7 :srv BATCH +h chathistory #c",
        "@batch=h;msgid=0a :bo!b@h JOIN #c",
        "@batch=h;msgid=0b;+draft/reply=01 :bo!b@h BATCH +0b draft/multiline #c",
        "@batch=0b :bo!b@h NOTICE #c :one",
        "@batch=0b :bo!b@h NOTICE #c :",
        "@batch=0b :bo!b@h NOTICE #c :tw",
        "@batch=0b;draft/multiline-concat :bo!b@h NOTICE #c :o",
        "@batch=h :bo!b@h BATCH -0b",
        // A live message in between is not part of the result.
        ":bo!b@h PRIVMSG #c :now",
        "@batch=h :srv PONG srv 1",
        ":srv BATCH -h",
        "@label=8 :srv BATCH +h chathistory #c",
        ":srv BATCH -h",
    ];
    let [now] = &live(&lines)[..] else { panic!("one live entry") };
    assert_eq!((now.text.as_str(), now.history), ("now", false));
    let [part, empty] = &results(&lines)[..] else { panic!("two results") };
    assert_eq!((part.ticket, part.is_empty, part.entries.len()), (Some(Ticket(7)), false, 2));
    let last = part.entries.last().expect("two");
    assert_eq!((last.kind, last.text.as_str(), last.history), (EntryKind::Notice, "one\n\ntwo", true));
    assert_eq!((last.refers_to.as_deref(), last.msgid.as_deref()), (Some("01"), Some("0b")));
    assert_eq!((empty.ticket, empty.is_empty), (Some(Ticket(8)), true));
}

/// A server's history, which also answers queries.
#[derive(Default)]
struct FakeHistory {
    all: Vec<Entry>,
    asked: u64,
}

impl FakeHistory {
    /// Answers a query as a server whose page limit is `most`.
    fn answer_query(&mut self, past: &HistoryRange, most: usize) -> QueryResult {
        self.asked += 1;
        let before = |point: &MessageRef| {
            self.all.partition_point(|entry| match point {
                MessageRef::Id(id) => entry.msgid.as_ref().expect("an id") < id,
                MessageRef::Time(time) => entry.time < *time,
            })
        };
        let after = |point: &MessageRef| {
            self.all.partition_point(|entry| match point {
                MessageRef::Id(id) => entry.msgid.as_ref().expect("an id") <= id,
                MessageRef::Time(time) => entry.time <= *time,
            })
        };
        let range = match past {
            HistoryRange::Latest => self.all.len().saturating_sub(most)..self.all.len(),
            HistoryRange::Before(point) => before(point).saturating_sub(most)..before(point),
            HistoryRange::After(point) => after(point)..(after(point) + most).min(self.all.len()),
            HistoryRange::Around(_) => unreachable!("nobody asks for that"),
        };
        let entries = self.all[range].to_vec();
        QueryResult { ticket: Some(Ticket(self.asked)), is_empty: entries.is_empty(), entries }
    }
}

fn live_entry(number: u64) -> Entry {
    Entry { history: false, ..message_entry(number) }
}

proptest! {
    /// Messages arrive, connections break and results come late. The output is complete, ordered and free of
    /// duplicates.
    #[test]
    fn history_joins_live_without_gap_or_duplicate(
        before in 0u64..30, moves in prop::collection::vec(0u8..10, 1..200), since in prop::option::of(0u64..30), most in 1usize..7,
    ) {
        // A start in the future is the same as the time of the next message.
        let since = since.map(|second| second.min(before + 1));
        let mut server = FakeHistory { all: (1..=before).map(message_entry).collect(), asked: 0 };
        let mut follow = Follow::new([channel()], since.map(|second| Timestamp(second * 1000)), false);
        let (mut printed, mut out, mut online) = (Vec::new(), None, true);
        let mut number = before;
        follow.connected(true);
        // The starting point is known once the first result has arrived.
        let mut begun = since.is_some();
        let mut first = since.map_or(u64::MAX, |second| second.max(1));
        for action in moves.into_iter().chain(std::iter::repeat_n(9, 200)) {
            match action {
                0..3 => {
                    number += 1;
                    server.all.push(message_entry(number));
                    if online {
                        if !begun {
                            first = first.min(number);
                        }
                        printed.extend(follow.handle_live(live_entry(number)));
                    }
                }
                3 => {
                    online = false;
                    out = None;
                    follow.disconnected();
                }
                4 => {
                    online = true;
                    follow.connected(true);
                }
                _ => {
                    if !online {
                        online = true;
                        follow.connected(true);
                    }
                    if let Some(part) = out.take() {
                        printed.extend(follow.handle_result(part));
                        begun = true;
                    } else if let Some((target, past, limit)) = follow.next_query() {
                        prop_assert_eq!(target, channel());
                        // The server answers at once. The result is under way while more messages are sent.
                        let part = server.answer_query(&past, limit.min(most));
                        follow.query_sent(part.ticket.expect("a ticket"));
                        out = Some(part);
                    }
                }
            }
        }
        let numbers = message_numbers(&printed);
        if since.is_some() {
            let all: Vec<u64> = (first..=number).collect();
            prop_assert_eq!(numbers, all);
        } else if let Some(first) = numbers.first() {
            let all: Vec<u64> = (*first..=number).collect();
            prop_assert!(numbers == all || !begun, "{numbers:?}");
        }
    }

    /// The output of several conversations is in the order of time over all of them.
    #[test]
    fn conversations_merge_in_time_order(
        before in prop::collection::vec(0usize..3, 0..40), moves in prop::collection::vec(0u8..12, 1..200),
        since in 1u64..40, most in 1usize..7,
    ) {
        let conversations = ["#a", "#b", "#c"].map(|name| Conversation::parse(name).expect("a channel"));
        let mut servers = [FakeHistory::default(), FakeHistory::default(), FakeHistory::default()];
        let mut number = 0;
        let mut say = |servers: &mut [FakeHistory; 3], at: usize| {
            number += 1;
            let entry = Entry { target: conversations[at].clone(), ..message_entry(number) };
            servers[at].all.push(entry.clone());
            Entry { history: false, ..entry }
        };
        for at in &before {
            say(&mut servers, *at);
        }
        let since = since.min(before.len() as u64 + 1);
        let mut follow = Follow::new(conversations.clone(), Some(Timestamp(since * 1000)), false);
        let (mut printed, mut out, mut online, mut tickets) = (Vec::new(), None, true, 0);
        follow.connected(true);
        for action in moves.into_iter().chain(std::iter::repeat_n(11, 400)) {
            match action {
                0..6 => {
                    let entry = say(&mut servers, usize::from(action) % 3);
                    if online {
                        printed.extend(follow.handle_live(entry));
                    }
                }
                6 => {
                    online = false;
                    out = None;
                    follow.disconnected();
                }
                _ => {
                    if !online {
                        online = true;
                        follow.connected(true);
                    }
                    if let Some(part) = out.take() {
                        printed.extend(follow.handle_result(part));
                    } else if let Some((target, past, limit)) = follow.next_query() {
                        let at = conversations.iter().position(|conversation| *conversation == target).expect("one of them");
                        tickets += 1;
                        let part = servers[at].answer_query(&past, limit.min(most));
                        follow.query_sent(Ticket(tickets));
                        out = Some(QueryResult { ticket: Some(Ticket(tickets)), ..part });
                    }
                }
            }
        }
        let all: Vec<u64> = (since..=number).collect();
        prop_assert_eq!(message_numbers(&printed), all);
    }

    #[test]
    fn export_matches_selection(
        all in 0u64..60, since in prop::option::of(0u64..70), until in prop::option::of(0u64..70),
        last in prop::option::of(0usize..70), page in 1usize..9,
    ) {
        let mut server = FakeHistory { all: (1..=all).map(message_entry).collect(), asked: 0 };
        let time = |second| Timestamp(second * 1000);
        let wanted = ExportSelection { since: since.map(time), until: until.map(time), last, messages_only: false };
        let mut export = Export::new(wanted);
        let mut got = Vec::new();
        while let Some((past, limit)) = export.next_query() {
            got.extend(export.handle_result(server.answer_query(&past, limit.min(page))));
        }
        let mut expected: Vec<u64> =
            (1..=all).filter(|n| since.is_none_or(|s| *n >= s) && until.is_none_or(|u| *n <= u)).collect();
        expected.drain(..expected.len().saturating_sub(last.unwrap_or(usize::MAX)));
        prop_assert_eq!(message_numbers(&got), expected);
    }

    /// Several messages may have the same time stamp, and results start at one and are cut anywhere. Each message is
    /// found exactly once.
    #[test]
    fn search_finds_each_result_once(
        times in prop::collection::vec(1u64..30, 0..80), since in 0u64..30, last in 0usize..100, page in 30usize..90,
    ) {
        let mut times = times;
        times.sort_unstable();
        let hits: Vec<Entry> = times.iter().enumerate().map(|(number, time)| {
            Entry { time: Timestamp(*time), msgid: Some(format!("{number:04}")), text: number.to_string(), ..message_entry(1) }
        }).collect();
        let mut find = HistorySearch::new(Some(Timestamp(since)), last);
        while let Some((after, limit)) = find.next_query() {
            let from = after.expect("a moment");
            let entries: Vec<Entry> =
                hits.iter().filter(|hit| hit.time >= from).take(limit.min(page)).cloned().collect();
            // The search does not support pages smaller than the messages of one time stamp.
            prop_assume!(entries.len() < page || entries.first().map(|e| e.time) != entries.last().map(|e| e.time));
            find.handle_result(QueryResult { ticket: None, is_empty: entries.is_empty(), entries });
        }
        let expected: Vec<&Entry> = hits.iter().filter(|hit| hit.time >= Timestamp(since)).collect();
        let expected = expected[expected.len().saturating_sub(last)..].to_vec();
        prop_assert_eq!(find.results().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn output_has_no_terminal_control(foreign in "(\u{1b}[\\[\\]P]?|\u{9b}|[\0-\u{ff}]|\u{202e}|\\PC){0,40}") {
        for line in [":bo!b@h PRIVMSG #c :x", ":bo!b@h NOTICE #c :x", ":bo!b@h PART #c", ":bo!b@h KICK #c x",
            ":bo!b@h TOPIC #c :x", ":bo!b@h MODE #c x", "@+draft/react=x :bo!b@h TAGMSG #c", "@+x=y :bo!b@h TAGMSG #c"]
        {
            let mut entry = parse_entry(line);
            entry.text.clone_from(&foreign);
            entry.object = Some(foreign.clone());
            entry.refers_to = Some(foreign.clone());
            entry.from.clone_from(&foreign);
            entry.tags.insert(foreign.clone(), foreign.clone());
            let json = entry.to_json();
            prop_assert!(!json.chars().any(is_terminal_control), "{json:?}");
            let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            prop_assert_eq!(read["text"].as_str(), Some(foreign.as_str()));
            let text = entry.to_text(&TimeZone::UTC);
            prop_assert!(!text.chars().any(|c| is_terminal_control(c) && c != '\n'), "{text:?}");
            prop_assert!(text.lines().count() == 1 || entry.kind.is_message());
        }
    }
}

#[test]
fn repeated_pages_end_queries() {
    let bare = Entry { msgid: None, ..message_entry(1) };
    let part =
        |ticket| QueryResult { ticket: Some(Ticket(ticket)), entries: vec![bare.clone()], is_empty: false };
    let mut export = Export::new(ExportSelection::default());
    // A query by time stamp may make progress; the same query again does not.
    for ticket in 1..3 {
        assert!(export.next_query().is_some());
        export.handle_result(part(ticket));
    }
    assert!(export.next_query().is_none());
    let mut follow = Follow::new([channel()], Some(Timestamp(0)), true);
    follow.connected(true);
    for ticket in 1..3 {
        assert!(follow.next_query().is_some());
        follow.query_sent(Ticket(ticket));
        follow.handle_result(part(ticket));
    }
    assert!(follow.is_done());
}

#[test]
fn live_conversation_waits_within_bounds() {
    let conversations = ["#a", "#b"].map(|name| Conversation::parse(name).expect("a channel"));
    let mut servers = [FakeHistory::default(), FakeHistory::default()];
    let at = |conversation: &Conversation| {
        conversations.iter().position(|other| other == conversation).expect("one of them")
    };
    let entry =
        |index: usize, number| Entry { target: conversations[index].clone(), ..message_entry(number) };
    servers[1].all.extend((1..=3000).map(|number| entry(1, number)));
    let mut follow = Follow::new(conversations.clone(), Some(Timestamp(0)), true);
    follow.connected(true);
    let (mut printed, mut number, mut tickets) = (Vec::new(), 3000, 0);
    while let Some((conversation, past, limit)) = follow.next_query() {
        tickets += 1;
        assert!(limit <= 500, "together no more than a page");
        let part = servers[at(&conversation)].answer_query(&past, limit);
        follow.query_sent(Ticket(tickets));
        printed.extend(follow.handle_result(QueryResult { ticket: Some(Ticket(tickets)), ..part }));
        // More messages than its queue takes arrive while the history of the other is read.
        if tickets < 6 {
            for _ in 0..900 {
                number += 1;
                let entry = entry(0, number);
                servers[0].all.push(entry.clone());
                printed.extend(follow.handle_live(Entry { history: false, ..entry }));
            }
        }
        assert!(printed.len() as u64 <= number && tickets < 100);
    }
    assert!(follow.is_done());
    assert!(
        message_numbers(&printed) == (1..=number).collect::<Vec<_>>(),
        "something is missing, twice or out of turn"
    );
    // The newest messages of the first conversation were read again from the history, because the queue was full.
    assert!(printed.last().is_some_and(|last| last.history));
    // Entries that no history contains are printed in order too, and a refused query doesn't block the others.
    let mut follow = Follow::new(conversations.clone(), Some(Timestamp(0)), false);
    follow.connected(true);
    follow.query_sent(Ticket(1));
    let nick = Nick::parse("bo").expect("a nick");
    let channels = ["#a", "#b"].map(|name| ChannelName::parse(name).expect("a channel"));
    assert_eq!(follow.handle_quit(&nick, &channels, "bye", NOW), []);
    assert_eq!(
        follow.handle_result(QueryResult {
            ticket: Some(Ticket(1)),
            entries: vec![entry(0, 1)],
            ..QueryResult::default()
        }),
        []
    );
    follow.query_sent(Ticket(2));
    assert_eq!(follow.query_refused(Ticket(2)), Some(conversations[1].clone()));
    assert_eq!(follow.take_ready().len(), 1);
    follow.query_sent(Ticket(3));
    let end = QueryResult { ticket: Some(Ticket(3)), is_empty: true, ..QueryResult::default() };
    assert_eq!(
        follow.handle_result(end).iter().map(|entry| entry.kind).collect::<Vec<_>>(),
        [EntryKind::Quit; 2]
    );
}

#[test]
fn own_join_is_printed_once_and_rename_is_followed() {
    let mut follow = Follow::new([channel()], None, false);
    follow.connected(true);
    let printed = |follow: &mut Follow, line: &str| follow.handle_live(parse_entry(line)).len();
    assert_eq!(printed(&mut follow, ":al!a@h JOIN #c"), 1);
    assert_eq!(printed(&mut follow, ":al!a@h JOIN #c"), 0);
    assert_eq!(printed(&mut follow, ":bo!a@h JOIN #d"), 0);
    assert_eq!(printed(&mut follow, ":bo!b@h RENAME #c #d :why"), 1);
    assert_eq!(printed(&mut follow, ":bo!b@h PRIVMSG #d :here"), 1);
    assert_eq!(printed(&mut follow, ":bo!b@h PRIVMSG #c :gone"), 0);
    let channel = ChannelName::parse("#d").expect("a channel");
    let nick = Nick::parse("bo").expect("a nick");
    assert_eq!(follow.handle_quit(&nick, &[channel], "bye", NOW).len(), 1);
    assert_eq!(follow.handle_quit(&nick, &[], "bye", NOW).len(), 0);
}

#[test]
fn pages_by_time_stamp_without_message_ids() {
    let page = |number| {
        let entry = Entry { msgid: None, history: true, ..message_entry(number) };
        QueryResult { ticket: Some(Ticket(number)), entries: vec![entry], ..QueryResult::default() }
    };
    let mut export = Export::new(ExportSelection::default());
    assert_eq!(export.handle_result(page(5)).len(), 1);
    let time = message_entry(5).time;
    assert!(
        matches!(export.next_query(), Some((HistoryRange::After(MessageRef::Time(at)), _)) if at == time)
    );
    let mut follow = Follow::new([channel()], Some(Timestamp(0)), true);
    follow.connected(true);
    follow.query_sent(Ticket(5));
    assert_eq!(follow.handle_result(page(5)).len(), 1);
    assert!(
        matches!(follow.next_query(), Some((_, HistoryRange::After(MessageRef::Time(at)), _)) if at == time)
    );
}
