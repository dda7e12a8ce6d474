//! Tests of the thread window.

use super::*;
use crate::client::screen::tests::fixture::Fixture;

fn thread(fixture: &mut Fixture, msgid: &str) -> Thread {
    fixture.with(|context| Thread::open(Fixture::key("#lobby"), msgid, context))
}

#[test]
fn answers_go_to_the_root_and_appear() {
    let mut fixture = Fixture::new();
    fixture.lines(&[
        "@msgid=a1 :bob!u@p PRIVMSG #lobby :what is for lunch?",
        "@msgid=a2 :bob!u@p PRIVMSG #lobby :an aside",
        "@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :soup",
    ]);
    fixture.output();
    let mut thread = thread(&mut fixture, "a3");
    let rows = fixture.render(&thread, 60, 14);
    let has = |rows: &[String], part: &str| rows.iter().any(|row| row.contains(part));
    assert!(has(&rows, "lunch?") && has(&rows, "soup") && !has(&rows, "aside"), "{rows:?}");
    fixture.type_text(&mut thread, "again?");
    fixture.keys(&mut thread, "Enter");
    assert!(fixture.output().contains("+draft/reply=a1"));
    fixture.lines(&["@msgid=a4;+draft/reply=a1 :alice!alice@parlour PRIVMSG #lobby :again?"]);
    fixture.with(|context| thread.follow(context));
    assert!(has(&fixture.render(&thread, 60, 14), "2 answers"));
    // Without a text Enter goes to the selected message, the last one.
    assert_eq!(fixture.keys(&mut thread, "Enter"), EventResult::Request(Request::CloseOverlay));
}

#[test]
fn root_that_is_not_loaded_is_queried() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :soup"]);
    fixture.output();
    let mut thread = thread(&mut fixture, "a3");
    let sent = fixture.output();
    assert!(sent.contains("CHATHISTORY AROUND #lobby msgid=a1"), "{sent}");
    let label = sent.split(['=', ' ']).nth(1).expect("a label").to_owned();
    for line in [
        &*format!("@label={label} :s BATCH +h chathistory #lobby"),
        "@batch=h;msgid=a0 :bob!u@p PRIVMSG #lobby :before",
        "@batch=h;msgid=a1 :bob!u@p PRIVMSG #lobby :what is for lunch?",
        "BATCH -h",
    ] {
        fixture.model.handle(&crate::wire::Message::parse(line).expect(line), fixture.workspace.now);
    }
    while let Some(event) = fixture.model.next_event() {
        fixture.with(|context| thread.take_result(0, event, context));
    }
    let texts: Vec<&str> = thread.messages.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.contains(&"what is for lunch?") && texts.contains(&"soup"));
}

/// Handles a page of the history with these lines, in reply to the query that contains `part`.
fn answer(fixture: &mut Fixture, thread: &mut Thread, part: &str, lines: &[String]) {
    let sent = fixture.output();
    let line = sent.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}: {sent}"));
    let label = line.split(['=', ' ']).nth(1).expect("a label");
    let first = format!("@label={label} :s BATCH +h chathistory #lobby");
    for line in [first].iter().chain(lines).chain(&["BATCH -h".to_owned()]) {
        fixture.model.handle(&crate::wire::Message::parse(line).expect(line), fixture.workspace.now);
    }
    while let Some(event) = fixture.model.next_event() {
        fixture.with(|context| thread.take_result(0, event, context));
    }
}

#[test]
fn answers_are_queried_up_to_the_loaded_part_and_further_on_request() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=z9;+draft/reply=b1 :carol!u@p PRIVMSG #lobby :the last one"]);
    fixture.output();
    let mut thread = thread(&mut fixture, "z9");
    let line = |id: &str, reply: &str, text: &str| {
        format!("@batch=h;msgid={id};+draft/reply={reply} :bob!u@p PRIVMSG #lobby :{text}")
    };
    // What it answers is an answer itself.
    answer(&mut fixture, &mut thread, "AROUND #lobby msgid=b1 1", &[line("b1", "a1", "yes")]);
    let root = "@batch=h;msgid=a1 :alice!u@p PRIVMSG #lobby :shall we?".to_owned();
    answer(&mut fixture, &mut thread, "AROUND #lobby msgid=a1 1", &[root]);
    let page = |first: usize| -> Vec<String> {
        let other = |n| format!("@batch=h;msgid=p{n:04} :bob!u@p PRIVMSG #lobby :something else {n}");
        (first..first + 199).map(other).chain([line(&format!("q{first}"), "a1", "me too")]).collect()
    };
    assert!(fixture.render(&thread, 70, 14).concat().contains("loading …"));
    for (index, part) in
        ["msgid=a1 200", "msgid=q0", "msgid=q1000", "msgid=q2000", "msgid=q3000"].into_iter().enumerate()
    {
        answer(&mut fixture, &mut thread, &format!("AFTER #lobby {part}"), &page(index * 1000));
    }
    assert!(fixture.output().is_empty(), "it is bounded");
    let screen = fixture.render(&thread, 78, 20).concat();
    assert!(screen.contains("7 answers; there may be more: PgDn looks for more"), "{screen}");
    fixture.keys(&mut thread, "PgDn");
    // The page meets what is loaded, which reaches the latest message.
    answer(&mut fixture, &mut thread, "AFTER #lobby msgid=q4000", &[line("z9", "b1", "the last one")]);
    assert!(fixture.output().is_empty());
    let screen = fixture.render(&thread, 78, 20).concat();
    assert!(screen.contains("7 answers ") && !screen.contains("more"), "{screen}");
}

#[test]
fn an_answer_that_was_not_sent_is_there_again() {
    let mut fixture = Fixture::new();
    fixture.lines(&[
        "@msgid=a1 :bob!u@p PRIVMSG #lobby :what is for lunch?",
        "@msgid=a2 :bob!u@p PRIVMSG #lobby :and for dinner?",
        "@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :soup",
    ]);
    let mut first = thread(&mut fixture, "a3");
    assert_eq!(first.closing_note(), None);
    fixture.type_text(&mut first, "not ");
    fixture.with(|context| first.handle_paste("again", context));
    assert!(first.closing_note().is_some_and(|note| note.contains("kept")));
    assert!(thread(&mut fixture, "a2").field.is_empty(), "another thread");
    // Any message of the thread opens it.
    let mut again = thread(&mut fixture, "a1");
    assert!(fixture.render(&again, 60, 14).iter().any(|row| row.contains("not again")));
    fixture.output();
    fixture.keys(&mut again, "Enter");
    assert!(fixture.output().contains("+draft/reply=a1"));
    assert!(thread(&mut fixture, "a1").field.is_empty(), "it is sent");
}

#[test]
fn an_answer_follows_the_root_of_the_thread() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :soup"]);
    fixture.output();
    let mut first = thread(&mut fixture, "a3");
    let sent = fixture.output();
    fixture.type_text(&mut first, "later");
    fixture.with(|context| context.workspace.keep_thread_draft(&first.key, "a0", "earlier"));
    let label = sent.split(['=', ' ']).nth(1).expect("a label").to_owned();
    for line in [
        &*format!("@label={label} :s BATCH +h chathistory #lobby"),
        "@batch=h;msgid=a1;+draft/reply=a0 :bob!u@p PRIVMSG #lobby :what is for lunch?",
        "BATCH -h",
    ] {
        fixture.model.handle(&crate::wire::Message::parse(line).expect(line), fixture.workspace.now);
    }
    while let Some(event) = fixture.model.next_event() {
        fixture.with(|context| first.take_result(0, event, context));
    }
    assert_eq!((first.query.root(), first.field.text()), ("a0", "earlier later"));
    let kept = |fixture: &Fixture, root| fixture.workspace.thread_draft(&first.key, root).map(str::to_owned);
    assert_eq!(kept(&fixture, "a0").as_deref(), Some("earlier later"));
    assert_eq!(kept(&fixture, "a1"), None);
}

#[test]
fn failed_query_says_why() {
    let mut fixture = Fixture::new();
    fixture.lines(&["@msgid=a3;+draft/reply=a1 :carol!u@p PRIVMSG #lobby :soup"]);
    fixture.output();
    let mut thread = thread(&mut fixture, "a3");
    let sent = fixture.output();
    let label = sent.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let line = format!("@label={label} FAIL CHATHISTORY INVALID_TARGET AROUND #lobby :No such target");
    fixture.model.handle(&crate::wire::Message::parse(&line).expect("a line"), fixture.workspace.now);
    while let Some(event) = fixture.model.next_event() {
        fixture.with(|context| thread.take_result(0, event, context));
    }
    let screen = fixture.render(&thread, 100, 14).concat();
    assert!(screen.contains("the rest did not arrive:") && screen.contains("soup"), "{screen}");
}
