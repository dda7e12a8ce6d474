use super::*;
use crate::client::model::event::{NumericReply, ServerEvent};
use crate::wire::numeric::Numeric;
use crate::wire::{Cap, CapSet, Message, Nick, Timestamp};

fn model(caps: CapSet) -> Model {
    let mut model = Model::new("run".to_owned());
    model.connected(Nick::parse("alice").expect("a nick"), caps);
    feed(&mut model, &[":alice!u@h JOIN #lobby", "PONG srv 1"]);
    sent(&mut model);
    events(&mut model);
    model
}

fn feed(model: &mut Model, lines: &[&str]) {
    for line in lines {
        model.handle(&Message::parse(line).expect(line), Timestamp(1));
    }
}

fn sent(model: &mut Model) -> Vec<String> {
    let mut out = Vec::new();
    model.take_output(&mut out);
    String::from_utf8(out).expect("UTF-8").lines().map(str::to_owned).collect()
}

fn events(model: &mut Model) -> Vec<Event> {
    std::iter::from_fn(|| model.next_event()).collect()
}

fn reply(code: u16, params: &[&str]) -> ServerEvent {
    let params = params.iter().map(|&param| param.to_owned()).collect();
    ServerEvent::Reply(NumericReply { code: Numeric(code), params })
}

fn lobby() -> ChannelName {
    ChannelName::parse("#lobby").expect("a channel")
}

#[test]
fn labelled_replies_of_all_lines_become_one_answer() {
    let mut model = model(CapSet::from_caps(Cap::ALL));
    model.send_request(ServerRequest::Profile("bob".into())).expect("connected");
    assert_eq!(
        sent(&mut model),
        ["@label=2 WHOIS bob", "@label=3 WHOWAS bob", "@label=4 WHO bob a%tcnflr,7"]
    );
    feed(
        &mut model,
        &[
            "@label=2 :srv BATCH +r labeled-response",
            "@batch=r :srv 311 alice bob bob parlour * :Bob",
            // Not a part of the answer, but in between.
            ":carol!u@h JOIN #lobby",
            "@batch=r :srv 318 alice bob :End",
            ":srv BATCH -r",
        ],
    );
    assert_eq!(events(&mut model).len(), 1, "the JOIN alone");
    feed(&mut model, &["@label=4 :srv 315 alice bob :End"]);
    feed(&mut model, &["@label=3 :srv 406 alice bob :There was no such nickname"]);
    let answers = events(&mut model);
    let [Event::Answered { request, replies }] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!(**request, ServerRequest::Profile("bob".into()));
    assert_eq!(replies[0], reply(311, &["bob", "bob", "parlour", "*", "Bob"]));
    assert_eq!(replies.len(), 4);
}

#[test]
fn a_change_is_part_of_the_answer_and_applied() {
    let mut model = model(CapSet::from_caps(Cap::ALL));
    feed(&mut model, &[":bob!u@h JOIN #lobby"]);
    events(&mut model);
    let change = ChannelRequest::Change(vec!["+o".into(), "bob".into()]);
    model.send_request(ServerRequest::Channel(lobby(), change)).expect("connected");
    assert_eq!(sent(&mut model), ["@label=2 MODE #lobby +o bob"]);
    feed(&mut model, &["@label=2 :alice!u@h MODE #lobby +o bob"]);
    let seen = events(&mut model);
    assert!(matches!(&seen[..], [Event::Mode { .. }, Event::Answered { .. }]), "{seen:?}");
}

#[test]
fn an_acknowledgement_and_a_refusal_complete_an_answer() {
    let mut model = model(CapSet::from_caps(Cap::ALL));
    model.send_request(ServerRequest::Rehash).expect("connected");
    model.send_request(ServerRequest::Rehash).expect("connected");
    feed(&mut model, &["@label=3 :srv 481 alice :Permission Denied", "@label=2 :srv ACK"]);
    let seen = events(&mut model);
    let counts = seen.iter().map(|event| match event {
        Event::Answered { replies, .. } => replies.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(counts.collect::<Vec<_>>(), [1, 0], "no other event, and an ACK is no reply");
}

#[test]
fn without_labels_a_ping_ends_the_answer() {
    let mut model = model(CapSet::EMPTY);
    model.send_request(ServerRequest::Motd).expect("connected");
    assert_eq!(sent(&mut model), ["MOTD", "PING 3"]);
    feed(
        &mut model,
        &[
            ":srv 375 alice :- srv Message of the day -",
            ":bob!u@h PRIVMSG alice :hi",
            ":srv 372 alice :- hello",
            "PONG srv 3",
            ":srv 372 alice :- later",
        ],
    );
    let seen = events(&mut model);
    let [Event::Message(_), Event::Answered { replies, .. }, Event::Info(_)] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!(replies.len(), 2);
}

#[test]
fn a_broken_connection_is_the_answer_to_open_requests() {
    let mut model = model(CapSet::from_caps(Cap::ALL));
    model.send_request(ServerRequest::Motd).expect("connected");
    model.disconnected();
    assert!(matches!(&events(&mut model)[..], [Event::Error(text)] if text.contains("/motd")));
    assert_eq!(model.send_request(ServerRequest::Motd), Err(NotConnected));
}

#[test]
fn raw_lines_keep_their_parameters_and_hide_from_debug() {
    for (typed, expected) in
        [("WHO #lobby", "WHO #lobby"), ("privmsg  bob :a  b :c", "privmsg bob :a  b :c"), ("QUIT", "QUIT")]
    {
        assert_eq!(raw_line(typed).into_wire().trim_end(), expected);
    }
    let request = ServerRequest::Raw(SecretText::new("PASS hunter2"));
    assert!(!format!("{request:?}").contains("hunter2"));
}

#[test]
fn numbers_name_the_devices_that_were_listed_last() {
    let mut model = model(CapSet::from_caps(Cap::ALL));
    assert_eq!(model.listed_device(1), None);
    model.send_request(ServerRequest::Devices).expect("connected");
    feed(
        &mut model,
        &[
            "@label=2 :srv BATCH +r labeled-response",
            "@batch=r :srv NOTE CERT CERT aa 2026-01-01T00:00:00.000Z * :aa added",
            "@batch=r :srv NOTE CERT CERT bb 2026-01-01T00:00:00.000Z * :bb added",
            "@batch=r :srv NOTE CERT CERT_LIST :2 certificates",
            ":srv BATCH -r",
        ],
    );
    assert_eq!(
        (model.listed_device(0), model.listed_device(2), model.listed_device(3)),
        (None, Some("bb"), None)
    );
}
