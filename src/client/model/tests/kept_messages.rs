//! Messages that are held back, and those that outlast a run of the client.

use super::*;

#[test]
fn a_held_message_is_not_sent_until_the_user_goes_on_with_it() {
    let mut model = model_with_backlog(3);
    assert!(model.hold_message(Ticket(3), true).is_some());
    assert_eq!((model.waiting_count(), model.messages_to_keep().len()), (2, 2));
    model.connected(nick("alice"), CAPS);
    feed_lines(&mut model, &["PONG srv 5"]);
    let sent = output_lines(&mut model);
    assert!(sent.iter().any(|line| line.contains("send-id=run-4")), "{sent:?}");
    assert!(!sent.iter().any(|line| line.contains("send-id=run-3")), "{sent:?}");
    assert!(model.hold_message(Ticket(4), true).is_none(), "it was sent");
    model.hold_message(Ticket(3), false);
    assert!(output_lines(&mut model).iter().any(|line| line.contains("send-id=run-3")));
}

#[test]
fn messages_of_the_last_run_keep_their_send_ids() {
    let mut model = online_model();
    model.send_text(&target("#lobby"), "in flight", Some("a1"));
    let first = output_lines(&mut model);
    model.disconnected();
    model.send_message(&target("bob"), MessageKind::Action, "waves");
    let kept = model.messages_to_keep();
    assert_eq!(kept.iter().map(|message| message.was_sent).collect::<Vec<_>>(), [true, false]);
    // The next run has another prefix and other tickets, and the server stores the message once.
    let mut next = Model::new("other".into());
    for message in kept.clone() {
        next.resume_message(message);
    }
    assert_eq!(next.messages_to_keep(), kept);
    next.connected(nick("alice"), CAPS);
    let barrier = output_lines(&mut next).pop().expect("a PING").replace("PING", "PONG srv");
    feed_lines(&mut next, &[&barrier]);
    let sent = output_lines(&mut next);
    let without_label = |line: &str| line.split_once(';').expect("tags").1.to_owned();
    assert_eq!(without_label(&sent[0]), without_label(&first[0]));
    assert!(sent[1].contains("send-id=run-3") && sent[1].contains("ACTION waves"), "{sent:?}");
    // Where a second copy would be a second message, the user decides.
    let mut other = Model::new("other".into());
    for message in kept {
        other.resume_message(message);
    }
    other.connected(nick("alice"), CAPS.without(Cap::SendId));
    let events = take_events(&mut other);
    assert!(
        matches!(&events[..], [Event::Failed { text, reason, .. }] if text == "in flight" && reason.contains("may have arrived")),
        "{events:?}"
    );
    assert_eq!(other.unconfirmed_count(), 1);
}
