//! Passwords in messages to services, and redaction of own messages.

use super::*;

#[test]
fn password_is_sent_but_never_shown() {
    let mut rig = TestScreen::new();
    rig.type_text("/msg NickServ PASSWD hunter2 hunter33");
    let screen = rig.render(80, 24);
    assert!(screen.contains("› /msg NickServ PASSWD ••••••• ••••••••"), "{screen}");
    // Editing goes on at the cursor.
    rig.press_keys("Left Left Backspace");
    assert!(rig.render(80, 24).contains("PASSWD ••••••• •••••••"));
    assert_eq!(
        rig.app.workspace.draft().text(),
        "/msg NickServ PASSWD hunter2 hunter3".replace("hunter3", "hunte33")
    );
    assert!(
        rig.app.workspace.unsent_texts()[0].text.ends_with("PASSWD •••• ••••"),
        "{:?}",
        rig.app.workspace.unsent_texts()
    );
    rig.press_keys("Enter");
    let sent = rig.expect_sent("PRIVMSG NickServ :PASSWD hunter2 hunte33");
    let on_its_way = rig.render(80, 24);
    assert!(on_its_way.contains("PASSWD •••• ••••") && !on_its_way.contains("hunte"), "{on_its_way}");
    // The line is not recalled with the arrow keys.
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "");
    rig.receive_echo(&sent, "n1");
    let rendered = rig.render(80, 24);
    assert!(rendered.contains("PASSWD •••• ••••") && !rendered.contains("hunte"), "{rendered}");
    assert_eq!(rig.message_texts(), ["PASSWD •••• ••••"]);
    rig.press_keys("Alt-Up y");
    assert_eq!(rig.app.workspace.effects.pop(), Some(ScreenEffect::Copy("PASSWD •••• ••••".into())));
    // The same holds in the direct conversation with the service. A failed message is not sent again with dots for the
    // password.
    rig.type_and_enter("identify hunter2");
    let sent = rig.expect_sent("PRIVMSG NickServ :identify hunter2");
    let label = sent.split(['=', ';']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[&format!("@label={label} :srv 401 alice NickServ :No such nick")]);
    rig.press_keys("Alt-Up s");
    assert!(rig.render(80, 24).contains("the password was not kept"));
    assert!(!rig.sent.iter().any(|line| line.contains("PRIVMSG")), "{:?}", rig.sent);
}

#[test]
fn ordinary_messages_are_not_masked() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/ns CERT LIST");
    rig.expect_sent("PRIVMSG NickServ :CERT LIST");
    assert!(rig.render(80, 24).contains("CERT LIST"));
    // A service is shown as one, not as offline.
    rig.receive_lines(&[":srv 731 alice :NickServ"]);
    assert!(rig.render(80, 24).lines().next().is_some_and(|row| row.contains("a service")));
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "/ns CERT LIST");
}

#[test]
fn delete_redacts_last_message_and_edit_is_refused() {
    let mut rig = populated_screen();
    rig.type_and_enter("/edit No, I am not.");
    assert!(rig.render(120, 24).contains("sent messages cannot be edited: /delete takes your last one back"));
    rig.press_keys("Ctrl-U");
    rig.type_and_enter("/delete it was not so");
    rig.pass_time(10_000);
    assert!(rig.expect_sent("REDACT").ends_with(" REDACT #lobby a4 :it was not so"));
    rig.receive_lines(&[":alice!alice@parlour REDACT #lobby a4 :it was not so"]);
    rig.type_and_enter("/delete");
    assert!(rig.render(80, 24).contains("no message of yours"));
}
