//! Send ids: a message that is sent twice under one id.

use super::driver::Driver;

#[test]
fn send_id_applies_to_unstored_messages() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let bo = d.open("bo", "message-tags");
    for session in [al, bo] {
        d.send_line(session, "JOIN #s");
    }
    d.send_line(al, "MODE #s +o bo");
    for (n, line) in ["PRIVMSG @#s :ops", "TAGMSG #s", "TAGMSG bo"].into_iter().enumerate() {
        let line = format!("@+typing=active;parlour/send-id=u{n} {line}");
        d.take_output(bo);
        let first = d.send_line(al, &line);
        assert!(!d.take_output(bo).is_empty(), "{line}");
        assert_eq!((d.send_line(al, &line), d.take_output(bo)), (first, String::new()), "{line}");
    }
    assert!(d.send_line(al, "@parlour/send-id=u0 PRIVMSG %#s :ops").contains("INVALID_SEND_ID"));
}

#[test]
fn send_id_cannot_be_reused_for_another_message() {
    let mut d = Driver::new();
    let al = d.open("al", "echo-message message-tags parlour/send-id");
    let first = d.send_line(al, "@parlour/send-id=1 PRIVMSG bo :real");
    assert!(first.ends_with("PRIVMSG bo :real\r\n"));
    assert_eq!(d.send_line(al, "@parlour/send-id=1 PRIVMSG bo :real"), first, "sent again");
    for other in [" PRIVMSG cy :real", " PRIVMSG bo :other", " NOTICE bo :real", ";+a=b PRIVMSG bo :real"] {
        let answer = d.send_line(al, &format!("@parlour/send-id=1{other}"));
        assert!(answer.contains(" INVALID_SEND_ID :This send id was used"), "{answer}");
    }
    assert_eq!(d.records.len(), 1);
    let tags = d.send_line(al, "@+a=b;parlour/send-id=2;+c TAGMSG bo");
    assert_eq!(d.send_line(al, "@+c;parlour/send-id=2;+a=b TAGMSG bo").len(), tags.len(), "in another order");
    assert!(d.send_line(al, "@+a=c;parlour/send-id=2;+c TAGMSG bo").contains(" INVALID_SEND_ID "));
}
