//! Passwords in messages to services, and redaction of own messages.

use super::*;

#[test]
fn password_is_sent_but_never_shown() {
    let mut rig = Rig::new();
    rig.type_text("/msg NickServ PASSWD hunter2 hunter33");
    let screen = rig.screen(80, 24);
    assert!(screen.contains("› /msg NickServ PASSWD ••••••• ••••••••"), "{screen}");
    // Editing goes on at the cursor.
    rig.keys("Left Left Backspace");
    assert!(rig.screen(80, 24).contains("PASSWD ••••••• •••••••"));
    assert_eq!(rig.app.editor().text(), "/msg NickServ PASSWD hunter2 hunter3".replace("hunter3", "hunte33"));
    assert!(rig.app.unsent()[0].1.ends_with("PASSWD •••• ••••"), "{:?}", rig.app.unsent());
    rig.keys("Enter");
    let sent = rig.sent("PRIVMSG NickServ :PASSWD hunter2 hunte33");
    let on_its_way = rig.screen(80, 24);
    assert!(on_its_way.contains("PASSWD •••• ••••") && !on_its_way.contains("hunte"), "{on_its_way}");
    // The line is not recalled with the arrow keys.
    rig.keys("Up");
    assert_eq!(rig.app.editor().text(), "");
    rig.echo(&sent, "n1");
    let said = rig.screen(80, 24);
    assert!(said.contains("PASSWD •••• ••••") && !said.contains("hunte"), "{said}");
    assert_eq!(rig.texts(), ["PASSWD •••• ••••"]);
    rig.keys("Alt-Up y");
    assert_eq!(rig.app.effects.pop(), Some(Effect::Copy("PASSWD •••• ••••".into())));
    // The same holds in the direct conversation with the service. A failed message is not sent again with dots for the
    // password.
    rig.enter("identify hunter2");
    let sent = rig.sent("PRIVMSG NickServ :identify hunter2");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.lines(&[&format!("@label={label} :srv 401 alice NickServ :No such nick")]);
    rig.keys("Alt-Up s");
    assert!(rig.screen(80, 24).contains("the password was not kept"));
    assert!(!rig.sent.iter().any(|line| line.contains("PRIVMSG")), "{:?}", rig.sent);
}

#[test]
fn ordinary_messages_are_not_masked() {
    let mut rig = Rig::new();
    rig.enter("/ns CERT LIST");
    rig.sent("PRIVMSG NickServ :CERT LIST");
    assert!(rig.screen(80, 24).contains("CERT LIST"));
    // A service is shown as one, not as offline.
    rig.lines(&[":srv 731 alice :NickServ"]);
    assert!(rig.screen(80, 24).lines().next().is_some_and(|row| row.contains("a service")));
    rig.keys("Up");
    assert_eq!(rig.app.editor().text(), "/ns CERT LIST");
}

#[test]
fn delete_redacts_last_message_and_edit_is_refused() {
    let mut rig = lively();
    rig.enter("/edit No, I am not.");
    assert!(
        rig.screen(120, 24).contains("what was sent cannot be edited: /delete takes your last message back")
    );
    rig.keys("Ctrl-U");
    rig.enter("/delete it was not so");
    assert_eq!(rig.sent("REDACT"), "REDACT #lobby a4 :it was not so");
    rig.lines(&[":alice!alice@parlour REDACT #lobby a4 :it was not so"]);
    rig.enter("/delete");
    assert!(rig.screen(80, 24).contains("no message of yours"));
}
