use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::client::clean::acts;
use crate::client::model::{Heard, Past, Point, Target, Ticket};
use crate::wire::{ChannelName, Message, MessageId, Millis, Nick};

const NOW: Millis = Millis(1_700_000_000_007);

fn me() -> Nick {
    Nick::parse("al").expect("a nick")
}

fn room() -> Target {
    Target::parse("#c").expect("a channel")
}

fn heard(line: &str) -> Heard {
    Heard::new(&Message::parse(line).expect(line), NOW)
}

/// Returns the outcomes of lines in their order.
fn told(feed: &mut Feed, lines: &[&str]) -> Vec<Told> {
    lines.iter().filter_map(|line| feed.take(&heard(line), Some(&me()))).collect()
}

#[track_caller]
fn entry(line: &str) -> Entry {
    match &told(&mut Feed::default(), &[line])[..] {
        [Told::Now(entry)] => entry.clone(),
        other => panic!("{other:?}"),
    }
}

/// Returns the message with this number; the number is also its time stamp, in seconds.
fn said(number: u64) -> Entry {
    let id = MessageId::first_at(Millis(number * 1000));
    let time = id.time();
    Entry { history: true, ..entry(&format!("@msgid={id};time={time} :bo!b@h PRIVMSG #c :{number}")) }
}

fn numbers(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.text.parse().expect("a number")).collect()
}

#[test]
fn json_fields_are_in_documented_order() {
    let head = "@time=2023-11-14T22:13:20.007Z;msgid=0a;account=bo;label=3;batch=x";
    for (line, expected) in [
        (
            format!("{head};+draft/reply=09;bot :bo!b@h PRIVMSG #c :a\u{1b}[2J\"\u{202e}b"),
            r##"{"kind":"message","time":"2023-11-14T22:13:20.007Z","target":"#c","from":"bo","account":"bo","mine":false,"msgid":"0a","text":"a\u001b[2J\"\u202eb","refers_to":"09","object":null,"tags":{"+draft/reply":"09","bot":""},"history":false}"##,
        ),
        (
            ":al!a@h NOTICE bo :hi".to_owned(),
            r#"{"kind":"notice","time":"2023-11-14T22:13:20.007Z","target":"bo","from":"al","account":null,"mine":true,"msgid":null,"text":"hi","refers_to":null,"object":null,"tags":{},"history":false}"#,
        ),
    ] {
        assert_eq!(entry(&line).json(), expected);
    }
    let short = |line: &str| {
        let entry = entry(line);
        let object = entry.object.or(entry.refers_to).unwrap_or_default();
        [entry.kind.name(), entry.target.as_str(), &entry.text, &object].join("|")
    };
    for (line, expected) in [
        (":bo!b@h PRIVMSG al :\u{1}ACTION waves\u{1}", "action|bo|waves|"),
        (":bo!b@h PRIVMSG @#c :psst", "message|#c|psst|"),
        ("@+draft/react=x;+draft/reply=0a :bo!b@h TAGMSG #c", "react|#c|x|0a"),
        ("@+draft/unreact=x;+draft/reply=0a :bo!b@h TAGMSG al", "unreact|bo|x|0a"),
        ("@+note=y :bo!b@h TAGMSG #c", "tags|#c||"),
        (":bo!b@h REDACT #c 0a :oops", "redact|#c|oops|0a"),
        (":bo!b@h JOIN #c", "join|#c||"),
        (":bo!b@h PART #c :bye now", "part|#c|bye now|"),
        (":bo!b@h KICK #c al :out", "kick|#c|out|al"),
        (":bo!b@h TOPIC #c :tea", "topic|#c|tea|"),
        (":bo!b@h MODE #c +o al", "mode|#c|+o al|"),
        (":bo!b@h RENAME #c #d :why", "rename|#c|why|#d"),
    ] {
        assert_eq!(short(line), expected, "{line}");
    }
    for line in
        ["@+typing=active :bo!b@h TAGMSG #c", ":al!a@h MODE al +B", ":srv 001 al :hi", ":srv NOTICE al :x"]
    {
        assert_eq!(told(&mut Feed::default(), &[line]), [], "{line}");
    }
}

#[test]
fn formats_entries_as_text() {
    let text = |entry: Entry| entry.text(&TimeZone::UTC);
    assert_eq!(text(entry(":bo!b@h PRIVMSG #c :hi\u{1b}[2J you")), "[22:13] #c <bo> hi you");
    assert_eq!(text(entry(":bo!b@h KICK #c al :out")), "[22:13] #c -- al was kicked by bo (out)");
    let long = Entry { text: "one\n\ntwo".into(), history: true, ..entry(":bo!b@h NOTICE #c :x") };
    let head = "[2023-11-14T22:13] #c -bo-";
    assert_eq!(text(long), format!("{head} one\n{head} \n{head} two"));
}

#[test]
fn collects_results_and_multiline_messages() {
    let mut feed = Feed::default();
    let long = [
        "@batch=h;msgid=0b;+draft/reply=01 :bo!b@h BATCH +0b draft/multiline #c",
        "@batch=0b :bo!b@h NOTICE #c :one",
        "@batch=0b :bo!b@h NOTICE #c :",
        "@batch=0b :bo!b@h NOTICE #c :tw",
        "@batch=0b;draft/multiline-concat :bo!b@h NOTICE #c :o",
        "@batch=h :bo!b@h BATCH -0b",
    ];
    assert_eq!(told(&mut feed, &["@label=7 :srv BATCH +h chathistory #c"]), []);
    assert_eq!(told(&mut feed, &["@batch=h;msgid=0a :bo!b@h JOIN #c"]), []);
    assert_eq!(told(&mut feed, &long), []);
    // A live message in between is not part of the result.
    assert!(matches!(&told(&mut feed, &[":bo!b@h PRIVMSG #c :now"])[..], [Told::Now(now)] if !now.history));
    let answer = told(&mut feed, &["@batch=h :srv PONG srv 1", ":srv BATCH -h"]);
    let [Told::Past(part)] = &answer[..] else { panic!("{answer:?}") };
    assert_eq!((part.ticket, part.empty, part.entries.len()), (Some(Ticket(7)), false, 2));
    let last = part.entries.last().expect("two");
    assert_eq!((last.kind, last.text.as_str(), last.history), (Kind::Notice, "one\n\ntwo", true));
    assert_eq!((last.refers_to.as_deref(), last.msgid.as_deref()), (Some("01"), Some("0b")));
    let told = told(&mut feed, &["@label=8 :srv BATCH +h chathistory #c", ":srv BATCH -h"]);
    assert!(matches!(&told[..], [Told::Past(Part { ticket: Some(Ticket(8)), empty: true, .. })]));
}

#[test]
fn unterminated_result_is_bounded() {
    let mut feed = Feed::default();
    told(&mut feed, &["@label=7 :srv BATCH +h chathistory #c"]);
    let line = "@batch=h;msgid=0a :bo!b@h PRIVMSG #c :x";
    let cut: Vec<Told> = (0..30_000).flat_map(|_| told(&mut feed, &[line])).collect();
    assert!(
        matches!(&cut[..], [Told::Past(part)] if part.cut && part.ticket == Some(Ticket(7)) && part.entries.len() <= 20_000)
    );
    assert_eq!(told(&mut feed, &[":srv BATCH -h"]), []);
}

#[test]
fn finds_query_of_each_result_line() {
    let mut feed = Feed::default();
    let mut is_one = |line: &str| {
        let ticket = feed.answers(&heard(line));
        told(&mut feed, &[line]);
        ticket == Some(Ticket(7))
    };
    for (line, expected) in [
        ("@label=7 :srv BATCH +r labeled-response", true),
        ("@batch=r :srv BATCH +h chathistory #c", true),
        ("@batch=h;msgid=0a :bo!b@h JOIN #c", true),
        ("@batch=h :bo!b@h BATCH +l draft/multiline #c", true),
        ("@batch=l :bo!b@h PRIVMSG #c :x", true),
        (":bo!b@h PRIVMSG #c :now", false),
        ("@label=8 :srv BATCH +o chathistory #c", false),
        ("@batch=o :bo!b@h JOIN #c", false),
        (":bo!b@h BATCH -l", true),
        (":srv BATCH -h", true),
        (":srv BATCH -o", false),
    ] {
        assert_eq!(is_one(line), expected, "{line}");
    }
}

/// A server's history, which also answers queries.
#[derive(Default)]
struct Memory {
    all: Vec<Entry>,
    asked: u64,
}

impl Memory {
    /// Answers a query as a server whose page limit is `most`.
    fn answer(&mut self, past: &Past, most: usize) -> Part {
        self.asked += 1;
        let before = |point: &Point| {
            self.all.partition_point(|entry| match point {
                Point::Id(id) => entry.msgid.as_ref().expect("an id") < id,
                Point::Time(time) => entry.time < *time,
            })
        };
        let after = |point: &Point| {
            self.all.partition_point(|entry| match point {
                Point::Id(id) => entry.msgid.as_ref().expect("an id") <= id,
                Point::Time(time) => entry.time <= *time,
            })
        };
        let range = match past {
            Past::Latest => self.all.len().saturating_sub(most)..self.all.len(),
            Past::Before(point) => before(point).saturating_sub(most)..before(point),
            Past::After(point) => after(point)..(after(point) + most).min(self.all.len()),
            Past::Around(_) => unreachable!("nobody asks for that"),
        };
        let entries = self.all[range].to_vec();
        Part { ticket: Some(Ticket(self.asked)), empty: entries.is_empty(), entries, cut: false }
    }
}

fn now(number: u64) -> Entry {
    Entry { history: false, ..said(number) }
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
        let mut server = Memory { all: (1..=before).map(said).collect(), asked: 0 };
        let mut follow = Follow::new([room()], since.map(|second| Millis(second * 1000)), false);
        let (mut told, mut out, mut online) = (Vec::new(), None, true);
        let mut number = before;
        follow.connected(true);
        // The starting point is known once the first result has arrived.
        let mut begun = since.is_some();
        let mut first = since.map_or(u64::MAX, |second| second.max(1));
        for action in moves.into_iter().chain(std::iter::repeat_n(9, 200)) {
            match action {
                0..3 => {
                    number += 1;
                    server.all.push(said(number));
                    if online {
                        if !begun {
                            first = first.min(number);
                        }
                        told.extend(follow.now(now(number)));
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
                        told.extend(follow.past(part));
                        begun = true;
                    } else if let Some((target, past, limit)) = follow.wants() {
                        prop_assert_eq!(target, room());
                        // The server answers at once. The result is under way while more messages are sent.
                        let part = server.answer(&past, limit.min(most));
                        follow.asked(part.ticket.expect("a ticket"));
                        out = Some(part);
                    }
                }
            }
        }
        let numbers = numbers(&told);
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
        let places = ["#a", "#b", "#c"].map(|name| Target::parse(name).expect("a channel"));
        let mut servers = [Memory::default(), Memory::default(), Memory::default()];
        let mut number = 0;
        let mut say = |servers: &mut [Memory; 3], at: usize| {
            number += 1;
            let entry = Entry { target: places[at].clone(), ..said(number) };
            servers[at].all.push(entry.clone());
            Entry { history: false, ..entry }
        };
        for at in &before {
            say(&mut servers, *at);
        }
        let since = since.min(before.len() as u64 + 1);
        let mut follow = Follow::new(places.clone(), Some(Millis(since * 1000)), false);
        let (mut told, mut out, mut online, mut tickets) = (Vec::new(), None, true, 0);
        follow.connected(true);
        for action in moves.into_iter().chain(std::iter::repeat_n(11, 400)) {
            match action {
                0..6 => {
                    let entry = say(&mut servers, usize::from(action) % 3);
                    if online {
                        told.extend(follow.now(entry));
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
                        told.extend(follow.past(part));
                    } else if let Some((target, past, limit)) = follow.wants() {
                        let at = places.iter().position(|place| *place == target).expect("one of them");
                        tickets += 1;
                        let part = servers[at].answer(&past, limit.min(most));
                        follow.asked(Ticket(tickets));
                        out = Some(Part { ticket: Some(Ticket(tickets)), ..part });
                    }
                }
            }
        }
        let all: Vec<u64> = (since..=number).collect();
        prop_assert_eq!(numbers(&told), all);
    }

    #[test]
    fn export_matches_selection(
        all in 0u64..60, since in prop::option::of(0u64..70), until in prop::option::of(0u64..70),
        last in prop::option::of(0usize..70), page in 1usize..9,
    ) {
        let mut server = Memory { all: (1..=all).map(said).collect(), asked: 0 };
        let time = |second| Millis(second * 1000);
        let wanted = Wanted { since: since.map(time), until: until.map(time), last, said: false };
        let mut export = Export::new(wanted);
        let mut got = Vec::new();
        while let Some((past, limit)) = export.wants() {
            got.extend(export.past(server.answer(&past, limit.min(page))));
        }
        let mut expected: Vec<u64> =
            (1..=all).filter(|n| since.is_none_or(|s| *n >= s) && until.is_none_or(|u| *n <= u)).collect();
        expected.drain(..expected.len().saturating_sub(last.unwrap_or(usize::MAX)));
        prop_assert_eq!(numbers(&got), expected);
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
            Entry { time: Millis(*time), msgid: Some(format!("{number:04}")), text: number.to_string(), ..said(1) }
        }).collect();
        let mut find = Find::new(Some(Millis(since)), last);
        while let Some((after, limit)) = find.wants() {
            let from = after.expect("a moment");
            let entries: Vec<Entry> =
                hits.iter().filter(|hit| hit.time >= from).take(limit.min(page)).cloned().collect();
            // The search does not support pages smaller than the messages of one time stamp.
            prop_assume!(entries.len() < page || entries.first().map(|e| e.time) != entries.last().map(|e| e.time));
            find.past(Part { ticket: None, empty: entries.is_empty(), entries, cut: false });
        }
        let expected: Vec<&Entry> = hits.iter().filter(|hit| hit.time >= Millis(since)).collect();
        let expected = expected[expected.len().saturating_sub(last)..].to_vec();
        prop_assert_eq!(find.found().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn output_has_no_terminal_control(foreign in "(\u{1b}[\\[\\]P]?|\u{9b}|[\0-\u{ff}]|\u{202e}|\\PC){0,40}") {
        for line in [":bo!b@h PRIVMSG #c :x", ":bo!b@h NOTICE #c :x", ":bo!b@h PART #c", ":bo!b@h KICK #c x",
            ":bo!b@h TOPIC #c :x", ":bo!b@h MODE #c x", "@+draft/react=x :bo!b@h TAGMSG #c", "@+x=y :bo!b@h TAGMSG #c"]
        {
            let mut entry = entry(line);
            entry.text.clone_from(&foreign);
            entry.object = Some(foreign.clone());
            entry.refers_to = Some(foreign.clone());
            entry.from.clone_from(&foreign);
            entry.tags.insert(foreign.clone(), foreign.clone());
            let json = entry.json();
            prop_assert!(!json.chars().any(acts), "{json:?}");
            let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            prop_assert_eq!(read["text"].as_str(), Some(foreign.as_str()));
            let text = entry.text(&TimeZone::UTC);
            prop_assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
            prop_assert!(text.lines().count() == 1 || entry.kind.is_said());
        }
    }
}

#[test]
fn repeated_pages_end_queries() {
    let bare = Entry { msgid: None, ..said(1) };
    let part =
        |ticket| Part { ticket: Some(Ticket(ticket)), entries: vec![bare.clone()], empty: false, cut: false };
    let mut export = Export::new(Wanted::default());
    // A query by time stamp may make progress; the same query again does not.
    for ticket in 1..3 {
        assert!(export.wants().is_some());
        export.past(part(ticket));
    }
    assert!(export.wants().is_none());
    let mut follow = Follow::new([room()], Some(Millis(0)), true);
    follow.connected(true);
    for ticket in 1..3 {
        assert!(follow.wants().is_some());
        follow.asked(Ticket(ticket));
        follow.past(part(ticket));
    }
    assert!(follow.is_done());
}

#[test]
fn live_conversation_waits_within_bounds() {
    let places = ["#a", "#b"].map(|name| Target::parse(name).expect("a channel"));
    let mut servers = [Memory::default(), Memory::default()];
    let at = |place: &Target| places.iter().position(|other| other == place).expect("one of them");
    let entry = |place: usize, number| Entry { target: places[place].clone(), ..said(number) };
    servers[1].all.extend((1..=3000).map(|number| entry(1, number)));
    let mut follow = Follow::new(places.clone(), Some(Millis(0)), true);
    follow.connected(true);
    let (mut told, mut number, mut tickets) = (Vec::new(), 3000, 0);
    while let Some((place, past, limit)) = follow.wants() {
        tickets += 1;
        assert!(limit <= 500, "together no more than a page");
        let part = servers[at(&place)].answer(&past, limit);
        follow.asked(Ticket(tickets));
        told.extend(follow.past(Part { ticket: Some(Ticket(tickets)), ..part }));
        // More messages than its queue takes arrive while the history of the other is read.
        if tickets < 6 {
            for _ in 0..900 {
                number += 1;
                let entry = entry(0, number);
                servers[0].all.push(entry.clone());
                told.extend(follow.now(Entry { history: false, ..entry }));
            }
        }
        assert!(told.len() as u64 <= number && tickets < 100);
    }
    assert!(follow.is_done());
    assert!(numbers(&told) == (1..=number).collect::<Vec<_>>(), "something is missing, twice or out of turn");
    // The newest messages of the first conversation were read again from the history, because the queue was full.
    assert!(told.last().is_some_and(|last| last.history));
    // Entries that no history contains are printed in order too, and a refused query doesn't block the others.
    let mut follow = Follow::new(places.clone(), Some(Millis(0)), false);
    follow.connected(true);
    follow.asked(Ticket(1));
    let who = Nick::parse("bo").expect("a nick");
    let channels = ["#a", "#b"].map(|name| ChannelName::parse(name).expect("a channel"));
    assert_eq!(follow.quit(&who, &channels, "bye", NOW), []);
    assert_eq!(
        follow.past(Part { ticket: Some(Ticket(1)), entries: vec![entry(0, 1)], ..Part::default() }),
        []
    );
    follow.asked(Ticket(2));
    assert_eq!(follow.refused(Ticket(2)), Some(places[1].clone()));
    assert_eq!(follow.told().len(), 1);
    follow.asked(Ticket(3));
    let end = Part { ticket: Some(Ticket(3)), empty: true, ..Part::default() };
    assert_eq!(follow.past(end).iter().map(|entry| entry.kind).collect::<Vec<_>>(), [Kind::Quit; 2]);
}

#[test]
fn own_join_is_printed_once_and_rename_is_followed() {
    let mut follow = Follow::new([room()], None, false);
    follow.connected(true);
    let told = |follow: &mut Follow, line: &str| follow.now(entry(line)).len();
    assert_eq!(told(&mut follow, ":al!a@h JOIN #c"), 1);
    assert_eq!(told(&mut follow, ":al!a@h JOIN #c"), 0);
    assert_eq!(told(&mut follow, ":bo!a@h JOIN #d"), 0);
    assert_eq!(told(&mut follow, ":bo!b@h RENAME #c #d :why"), 1);
    assert_eq!(told(&mut follow, ":bo!b@h PRIVMSG #d :here"), 1);
    assert_eq!(told(&mut follow, ":bo!b@h PRIVMSG #c :gone"), 0);
    let channel = ChannelName::parse("#d").expect("a channel");
    let who = Nick::parse("bo").expect("a nick");
    assert_eq!(follow.quit(&who, &[channel], "bye", NOW).len(), 1);
    assert_eq!(follow.quit(&who, &[], "bye", NOW).len(), 0);
}

#[test]
fn pages_by_time_stamp_without_message_ids() {
    let page = |number| {
        let entry = Entry { msgid: None, history: true, ..said(number) };
        Part { ticket: Some(Ticket(number)), entries: vec![entry], ..Part::default() }
    };
    let mut export = Export::new(Wanted::default());
    assert_eq!(export.past(page(5)).len(), 1);
    let time = said(5).time;
    assert!(matches!(export.wants(), Some((Past::After(Point::Time(at)), _)) if at == time));
    let mut follow = Follow::new([room()], Some(Millis(0)), true);
    follow.connected(true);
    follow.asked(Ticket(5));
    assert_eq!(follow.past(page(5)).len(), 1);
    assert!(matches!(follow.wants(), Some((_, Past::After(Point::Time(at)), _)) if at == time));
}
