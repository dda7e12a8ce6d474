//! Behavior of other servers: the differences of InspIRCd 3, Ergo and soju, and features that older servers lack.

use super::*;

/// Returns a model that is connected as alice with these capabilities, with no output or events waiting.
fn online_model_with_caps(caps: CapSet) -> Model {
    let mut model = Model::new("run".into());
    model.connected(nick("alice"), caps);
    feed_lines(&mut model, &["PONG srv 1"]);
    output_lines(&mut model);
    take_events(&mut model);
    model
}

fn failed_messages(events: &[Event]) -> Vec<(Ticket, &str)> {
    events
        .iter()
        .filter_map(|event| match event {
            Event::Failed { ticket, reason, .. } => Some((*ticket, reason.as_str())),
            _ => None,
        })
        .collect()
}

#[test]
fn pong_confirms_without_echo_and_labels() {
    let mut model = online_model_with_caps(CapSet::EMPTY);
    model.send_message(&target("#lobby"), MessageKind::Text, "one");
    model.send_message(&target("bob"), MessageKind::Action, "waves");
    assert_eq!(
        output_lines(&mut model),
        ["PRIVMSG #lobby :one", "PING s2", "PRIVMSG bob :\u{1}ACTION waves\u{1}", "PING s3"]
    );
    feed_lines(&mut model, &[":srv PONG srv s2"]);
    assert_eq!(model.unconfirmed_count(), 1);
    let events = take_events(&mut model);
    assert!(
        matches!(&events[0], Event::Message(said) if said.mine && said.text == "one" && said.ticket == Some(Ticket(2)))
    );
    assert_eq!(events[1..], [Event::Confirmed(Ticket(2))]);
    // Bob is not online, and no other message to bob is pending.
    feed_lines(&mut model, &[":srv 401 alice bob :No such nick", ":srv PONG srv s3"]);
    let events = take_events(&mut model);
    assert_eq!(
        failed_messages(&events),
        [(Ticket(3), "there is nobody called bob; /who lists the people who are online")]
    );
    assert_eq!((events.len(), model.unconfirmed_count()), (1, 0));
}

#[test]
fn echo_with_same_text_confirms_without_labels() {
    let caps = CapSet::from_caps(&[Cap::EchoMessage, Cap::MessageTags, Cap::ServerTime, Cap::Chathistory]);
    let mut model = online_model_with_caps(caps);
    for text in ["one", "two", "three"] {
        model.send_message(&target("#lobby"), MessageKind::Text, text);
    }
    output_lines(&mut model);
    feed_lines(
        &mut model,
        &[
            ":alice!a@h PRIVMSG #lobby :from another client of hers",
            ":alice!a@h PRIVMSG #lobby :one",
            ":srv 404 alice #lobby :Cannot send to channel (+m)",
            ":alice!a@h PRIVMSG #lobby :t h r e e",
        ],
    );
    assert_eq!(model.unconfirmed_count(), 1);
    // The server changed the text and refused nothing, so it has the message.
    feed_lines(&mut model, &[":srv PONG srv s4"]);
    let events = take_events(&mut model);
    assert_eq!(message_texts(&events), ["from another client of hers", "one", "t h r e e"]);
    let [(ticket, reason)] = failed_messages(&events)[..] else { panic!("{events:?}") };
    assert!(ticket == Ticket(3) && reason.contains("needs voice"), "{reason}");
    let confirmed: Vec<_> = events.iter().filter(|event| matches!(event, Event::Confirmed(_))).collect();
    assert_eq!(confirmed, [&Event::Confirmed(Ticket(2)), &Event::Confirmed(Ticket(4))]);
    assert_eq!(model.unconfirmed_count(), 0);
    // Without labels no result can be matched to its query.
    assert!(!model.has_cap(Cap::Chathistory));
}

#[test]
fn ack_confirms_with_labels_without_echo() {
    let mut model = online_model_with_caps(CAPS.without(Cap::EchoMessage).without(Cap::SendId));
    model.send_message(&target("#lobby"), MessageKind::Notice, "one");
    model.send_message(&target("#lobby"), MessageKind::Text, "two");
    assert_eq!(output_lines(&mut model), ["@label=2 NOTICE #lobby :one", "@label=3 PRIVMSG #lobby :two"]);
    feed_lines(&mut model, &["@label=2 :srv ACK", "@label=3 :srv 404 alice #lobby :You are banned"]);
    let events = take_events(&mut model);
    assert_eq!(message_texts(&events), ["one"]);
    assert_eq!(
        failed_messages(&events),
        [(Ticket(3), "#lobby does not take it: You are banned; /mode #lobby shows what it takes")]
    );
    assert_eq!(model.unconfirmed_count(), 0);
}

#[test]
fn unconfirmed_bytes_are_limited_on_other_servers() {
    let mut model = online_model_with_caps(CAPS.without(Cap::SendId));
    let text = "x".repeat(300);
    for _ in 0..40 {
        model.send_message(&target("#lobby"), MessageKind::Text, &text);
    }
    let (mut sent, mut most) = (0, 0);
    while model.unconfirmed_count() > 0 {
        let out = output_lines(&mut model);
        most = most.max(out.iter().map(|line| line.len() + 2).sum());
        assert!(!out.is_empty(), "it goes on");
        for line in out {
            sent += 1;
            let label =
                Message::parse(&line).and_then(|line| line.tags.get("label").map(|label| label.to_string()));
            let label = label.expect("a label");
            feed_lines(
                &mut model,
                &[&format!("@label={label};msgid={label} :alice!a@h PRIVMSG #lobby :{text}")],
            );
        }
    }
    assert_eq!(sent, 40);
    assert!(most < 8192, "{most}");
}

#[test]
fn rejoins_channels_after_reconnect() {
    let caps = CAPS.without(Cap::SendId);
    let mut model = online_model_with_caps(caps);
    feed_lines(&mut model, &[":alice!a@h JOIN #lobby", ":alice!a@h JOIN #ops"]);
    take_events(&mut model);
    model.disconnected();
    model.connected(nick("alice"), caps);
    assert_eq!(output_lines(&mut model), ["JOIN #lobby", "JOIN #ops", "PING 2"]);
    feed_lines(
        &mut model,
        &[":alice!a@h JOIN #lobby", ":srv 473 alice #ops :Cannot join channel (+i)", "PONG srv 2"],
    );
    let ops = channel("#ops");
    assert_eq!(
        take_events(&mut model),
        [
            Event::JoinFailed {
                channel: ops.clone(),
                reason: "#ops is invite-only; ask one of its operators for an /invite, by /knock #ops unless the channel is secret".into()
            },
            Event::MembershipLost { channel: ops },
            Event::Ready { reconnected: true },
        ]
    );
    assert!(model.is_in(&channel("#lobby")));
}

#[test]
fn uses_isupport_prefix_and_chanmodes() {
    let mut model = online_model();
    feed_lines(
        &mut model,
        &[
            ":srv 005 alice CASEMAPPING=rfc1459 CHANMODES=Yb,k,HLfl,imnst PREFIX=(Yqaov)!~&@+ :are supported by this server",
            ":alice!a@h JOIN #lobby",
            ":srv 353 alice = #lobby :!@bob alice +carol[1]",
            ":srv 366 alice #lobby :End of /NAMES list.",
            // The first two parameters belong to modes that are no member status.
            ":srv MODE #lobby +fLov 5:10 #other alice carol[1]",
            ":bob!b@h MODE #lobby +fLv-v 5:10 #other alice carol[1]",
        ],
    );
    let (_, lobby) = model.channels().next().expect("one channel");
    let members: Vec<_> = lobby.members.iter().map(|(nick, ranks)| format!("{ranks}{nick}")).collect();
    assert_eq!(members, ["@+alice", "!@bob", "carol[1]"]);
}

#[test]
fn label_confirms_under_rfc1459_casemapping() {
    let mut model = online_model_with_caps(CAPS.without(Cap::SendId));
    feed_lines(&mut model, &[":srv 005 alice CASEMAPPING=rfc1459 :are supported by this server"]);
    model.send_message(&target("#a[1]"), MessageKind::Text, "hi");
    // The server spells the channel as its creator did.
    feed_lines(&mut model, &["@label=2;msgid=m :alice!a@h PRIVMSG #a{1} :hi"]);
    let events = take_events(&mut model);
    assert!(matches!(&events[0], Event::Message(said) if said.conversation == target("#a{1}")));
    assert_eq!(events[1], Event::Confirmed(Ticket(2)));
}

#[test]
fn history_queries_use_supported_msgreftypes() {
    let caps = CAPS.without(Cap::SendId).with(Cap::Chathistory);
    let mut model = online_model_with_caps(caps);
    feed_lines(
        &mut model,
        &[":srv 005 alice CHATHISTORY=50 MSGREFTYPES=timestamp :are supported by this server"],
    );
    assert_eq!(model.page_size(200), 50);
    assert_eq!(model.message_ref(Some("abc"), Timestamp(7)), MessageRef::Time(Timestamp(7)));
    let lobby = target("#lobby");
    model.query_history(&lobby, &HistoryRange::Before(MessageRef::Time(Timestamp(7))), 200).expect("online");
    assert_eq!(
        output_lines(&mut model),
        ["@label=2 CHATHISTORY BEFORE #lobby timestamp=1970-01-01T00:00:00.007Z 50"]
    );
    let ticket =
        model.query_history(&lobby, &HistoryRange::After(MessageRef::Id("abc".into())), 200).expect("online");
    let events = take_events(&mut model);
    assert!(
        matches!(&events[..], [Event::QueryFailed { ticket: other, .. }] if *other == ticket),
        "{events:?}"
    );
    assert_eq!(output_lines(&mut model), [""; 0]);
    feed_lines(
        &mut model,
        &[
            "@label=2 :srv BATCH +1 chathistory #lobby",
            "@batch=1;time=1970-01-01T00:00:00.005Z;msgid=abc :bob!b@h PRIVMSG #lobby :hi",
            ":srv BATCH -1",
        ],
    );
    let events = take_events(&mut model);
    let [Event::History(page)] = &events[..] else { panic!("{events:?}") };
    let point = MessageRef::Time(Timestamp(5));
    assert_eq!(page.bounds, Some(ResultBounds { first: point.clone(), last: point }));
}

#[test]
fn netsplit_batch_yields_quits_and_joins() {
    let mut model = online_model();
    feed_lines(
        &mut model,
        &[
            ":alice!a@h JOIN #lobby",
            ":srv 353 alice = #lobby :alice @bob carol",
            ":srv 366 alice #lobby :End of /NAMES list.",
        ],
    );
    take_events(&mut model);
    feed_lines(
        &mut model,
        &[
            ":srv BATCH +n netsplit srv other.example.org",
            "@batch=n :bob!b@h QUIT :srv other.example.org",
            "@batch=n :carol!c@h QUIT :srv other.example.org",
            ":srv BATCH -n",
            ":srv BATCH +j netjoin srv other.example.org",
            "@batch=j :bob!b@h JOIN #lobby",
            ":srv BATCH -j",
        ],
    );
    let events = take_events(&mut model);
    assert!(
        matches!(&events[..], [Event::Quit { .. }, Event::Quit { .. }, Event::Joined { .. }]),
        "{events:?}"
    );
    let (_, lobby) = model.channels().next().expect("one channel");
    assert_eq!(lobby.members.keys().map(Nick::as_str).collect::<Vec<_>>(), ["alice", "bob"]);
}

#[test]
fn away_numerics_set_own_away_status() {
    let mut model = online_model();
    let me = nick("alice");
    model.set_away("at lunch").expect("online");
    feed_lines(&mut model, &[":srv 306 alice :You have been marked as being away"]);
    assert_eq!(model.away_message(&me), Some("at lunch"));
    feed_lines(&mut model, &[":srv 305 alice :You are no longer marked as being away"]);
    let away = |words: Option<&str>| Event::Away { nick: me.clone(), message: words.map(str::to_owned) };
    assert_eq!(take_events(&mut model), [away(Some("at lunch")), away(None)]);
}

#[test]
fn forced_nick_change_updates_own_nick() {
    let mut model = online_model_with_caps(CAPS.without(Cap::SendId));
    feed_lines(&mut model, &[":alice!a@h JOIN #lobby", ":alice!a@h NICK Guest-12"]);
    assert_eq!(model.me(), Some(&nick("Guest-12")));
    model.send_message(&target("#lobby"), MessageKind::Text, "hi");
    feed_lines(&mut model, &["@label=2;msgid=m :Guest-12!a@h PRIVMSG #lobby :hi"]);
    assert_eq!(model.unconfirmed_count(), 0);
    let events = take_events(&mut model);
    assert!(events.iter().any(|event| matches!(event, Event::Message(said) if said.mine)));
}
