//! Events for scripts: lines with their tags, results, and progress.

use super::*;

/// Returns the events that a script sees of lines from the server. The queries have the tickets from 2 on.
fn script_events(lines: &[&str]) -> Vec<Event> {
    let mut model = online_model();
    model.emit_received();
    for _ in 0..7 {
        model.query_history(&target("#c"), &HistoryRange::Latest, 1).expect("online");
    }
    feed_lines(&mut model, lines);
    take_events(&mut model)
}

fn results(lines: &[&str]) -> Vec<Option<Ticket>> {
    let ticket = |event| match event {
        Event::Result(result) => Some(result.ticket),
        _ => None,
    };
    script_events(lines).into_iter().filter_map(ticket).collect()
}

#[test]
fn multiline_action_is_one_action() {
    let lines = [
        ":bob!b@h BATCH +l draft/multiline #c",
        "@batch=l :bob!b@h PRIVMSG #c :\u{1}ACTION waves",
        "@batch=l;draft/multiline-concat :bob!b@h PRIVMSG #c : twice\u{1}",
        ":bob!b@h BATCH -l",
    ];
    let events = script_events(&lines);
    let [Event::Received { .. }, Event::Message(message)] = &events[..] else { panic!("{events:?}") };
    assert_eq!((message.kind, message.text.as_str()), (MessageKind::Action, "waves twice"));
}

#[test]
fn result_without_an_end_is_refused_at_the_limit() {
    let mut lines = vec!["@label=7 :srv BATCH +h chathistory #c"];
    lines.extend(vec!["@batch=h;msgid=0a :bo!b@h PRIVMSG #c :x"; 30_000]);
    lines.push(":srv BATCH -h");
    let mut events = script_events(&lines);
    events.retain(|event| *event != Event::Progress(Ticket(7)));
    assert_eq!(events, [Event::Oversized(Ticket(7))]);
}

#[test]
fn each_line_of_a_result_is_progress_of_its_query() {
    let begun = ["@label=7 :srv BATCH +r labeled-response", "@batch=r :srv BATCH +h chathistory #c"];
    let line = ["@batch=h;msgid=0a :bo!b@h JOIN #c"];
    assert_eq!(script_events(&[&begun[..], &line].concat()), [Event::Progress(Ticket(7))]);
    assert_eq!(results(&[&begun[..], &line, &["BATCH -h"]].concat()), [Some(Ticket(7))]);
    let apart = ["@label=7 :srv BATCH +r labeled-response", "@batch=r :srv 315 alice * :End of WHO"];
    let events = script_events(&apart);
    assert!(
        matches!(&events[..], [Event::Progress(_), Event::Received { ticket: Some(Ticket(7)), .. }]),
        "{events:?}"
    );
    // A result that the script did not ask for is none.
    assert_eq!(results(&["@label=70 :srv BATCH +h chathistory #c", "BATCH -h"]), []);
}
