//! Tests of the settings, notifications and ignored accounts on the whole screen.

use insta::assert_snapshot;

use super::*;

fn effects(rig: &mut TestScreen) -> Vec<ScreenEffect> {
    std::mem::take(&mut rig.app.workspace.effects)
}

/// Returns whether a message notified the user. Takes all effects.
fn has_notified(rig: &mut TestScreen) -> bool {
    effects(rig).iter().any(|effect| matches!(effect, ScreenEffect::Notify { .. }))
}

/// Sends `/set NAME VALUE`, and takes the effect that saves it.
#[track_caller]
fn set(rig: &mut TestScreen, name: &str, value: &str) {
    rig.type_and_enter(&format!("/set {name} {value}"));
    assert!(effects(rig).contains(&ScreenEffect::SaveSetting(name.to_owned())), "{name}: {:?}", hint(rig));
}

fn hint(rig: &TestScreen) -> String {
    rig.app.workspace.hint.as_ref().map(|hint| hint.text.clone()).unwrap_or_default()
}

#[test]
fn list_of_the_settings_in_each_theme() {
    let mut rig = populated_screen();
    set(&mut rig, "time_format", "12h");
    set(&mut rig, "highlights", "tea, biscuits");
    rig.type_and_enter("/set");
    for (columns, rows) in SIZES {
        assert_snapshot!(format!("settings_{columns}x{rows}"), rig.render(columns, rows));
    }
    for (name, theme) in
        [("settings_dark", "dark"), ("settings_light", "light"), ("settings_high_contrast", "high-contrast")]
    {
        rig.press_keys("Esc");
        rig.app.workspace.display.theme = Theme::new(Depth::True, Background::Dark);
        set(&mut rig, "theme", theme);
        rig.type_and_enter("/set");
        rig.press_keys("Down");
        assert_snapshot!(name, rig.render_escapes(80, 24));
    }
    rig.type_text("sidebar");
    assert_snapshot!("settings_narrowed_40x12", rig.render(40, 12));
}

#[test]
fn times_are_shown_in_the_chosen_format() {
    let mut rig = populated_screen();
    assert!(rig.render(80, 24).contains("22:13 "));
    set(&mut rig, "time_format", "12h");
    assert_snapshot!("times_12h_80x24", rig.render(80, 24));
    set(&mut rig, "time_format", "%H");
    assert!(rig.render(80, 24).lines().any(|row| row.contains("│22   ")), "{}", rig.render(80, 24));
}

#[test]
fn chosen_keys_act_and_are_shown() {
    let mut rig = populated_screen();
    set(&mut rig, "keys.next_unread", "F9");
    assert!(rig.render(100, 24).contains("1 mention: F9"));
    rig.press_keys("F9");
    assert_eq!(rig.app.workspace.current.as_ref().map(|(_, it)| it.as_str()), Some("bob"));
    rig.press_keys("F1");
    assert!(rig.render(100, 40).contains("F9"), "the help has it too");
    rig.press_keys("Esc");
    rig.type_and_enter("/set keys.search Ctrl-K");
    assert!(hint(&rig).starts_with("Ctrl-K is the key of both quick_switcher and search"));
    rig.press_keys("Up");
    assert_eq!(rig.app.workspace.draft().text(), "/set keys.search Ctrl-K", "to be corrected");
}

#[test]
fn greetings_and_windows_name_the_chosen_keys_or_commands() {
    let mut rig = TestScreen::offline();
    for (name, value) in [
        ("keys.channels", "\"\""),
        ("keys.quick_switcher", "F8"),
        ("keys.select_above", "F7"),
        ("keys.escape", "Ctrl-X"),
        ("keys.undo", "z"),
        ("keys.search", "\"\""),
    ] {
        set(&mut rig, name, value);
    }
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    rig.receive_lines(&["PONG srv 1"]);
    let screen = rig.render(80, 24);
    assert!(screen.contains("/list ") && screen.contains("F8 ") && !screen.contains("Alt-l"), "{screen}");
    rig.type_and_enter("/bookmarks");
    assert!(rig.render(80, 24).contains("select a message with F7, then b bookmarks it"));
    rig.press_keys("Ctrl-X F1");
    let help = rig.render(80, 24);
    assert!(help.contains("Help — Down scrolls, Ctrl-X closes") && help.contains("/search   "), "{help}");
    rig.press_keys("Ctrl-X");
    rig.receive_lines(&[":alice!alice@parlour JOIN #lobby"]);
    rig.receive_message("alice", "#lobby", "m1", "oops");
    rig.press_keys("F7 d");
    assert!(rig.render(80, 24).contains("— z undoes"), "{}", rig.render(80, 24));
}

#[test]
fn typing_and_read_marks_are_kept_to_oneself_if_so_set() {
    let mut rig = populated_screen();
    set(&mut rig, "send_typing", "off");
    set(&mut rig, "send_read_marks", "off");
    rig.sent.clear();
    rig.type_text("hello");
    rig.receive_message("bob", "#lobby", "b1", "hi");
    rig.pass_time(10_000);
    assert!(
        rig.sent.iter().all(|line| !line.contains("TAGMSG") && !line.contains("MARKREAD")),
        "{:?}",
        rig.sent
    );
    assert_eq!(rig.buffer_named("#lobby").unread, 0, "it is read here");
    rig.press_keys("Ctrl-U");
    set(&mut rig, "send_typing", "on");
    set(&mut rig, "send_read_marks", "on");
    rig.type_text("hello");
    rig.expect_sent("+typing=active");
    rig.receive_message("bob", "#lobby", "b2", "hi again");
    rig.pass_time(10_000);
    rig.expect_sent("MARKREAD #lobby timestamp=");
}

#[test]
fn watched_account_is_announced_when_it_comes_online() {
    let mut rig = populated_screen();
    rig.type_and_enter("/notify zoe");
    assert!(hint(&rig).contains("/watch zoe tells you when zoe comes online"), "{}", hint(&rig));
    rig.press_keys("Ctrl-U");
    rig.type_and_enter("/watch zoe");
    rig.expect_sent("MONITOR + zoe");
    assert_eq!(hint(&rig), "you are told when zoe comes online; /unwatch zoe ends it");
    assert!(effects(&mut rig).contains(&ScreenEffect::SaveSetting("watched".to_owned())));
    rig.receive_lines(&[":srv 731 alice :zoe"]);
    assert!(!has_notified(&mut rig));
    rig.receive_lines(&[":srv 730 alice :zoe!zoe@parlour"]);
    assert!(has_notified(&mut rig));
    let screen = rig.render(120, 24);
    assert_eq!(screen.matches("zoe is online: /msg zoe TEXT").count(), 1, "{screen}");
    rig.type_and_enter("/watch");
    assert_eq!(hint(&rig), "you watch zoe; /unwatch NAME ends it");
    rig.type_and_enter("/watch bob");
    rig.receive_lines(&[":srv 730 alice :bob!bob@parlour"]);
    assert!(!has_notified(&mut rig), "the answer to the command");
    assert!(hint(&rig).starts_with("bob is online now, and you are told"), "{}", hint(&rig));
    rig.type_and_enter("/unwatch bob");
    rig.disconnect();
    rig.log_in_again();
    rig.expect_sent("MONITOR + zoe");
    rig.receive_lines(&[":srv 730 alice :zoe!zoe@parlour"]);
    assert!(!has_notified(&mut rig), "known before");
    rig.type_and_enter("/unwatch zoe");
    rig.expect_sent("MONITOR - zoe");
    rig.receive_lines(&[":srv 731 alice :zoe", ":srv 730 alice :zoe!zoe@parlour"]);
    assert!(!has_notified(&mut rig));
    rig.type_and_enter("/notify mention");
    assert!(hint(&rig).starts_with("choose one of all, mentions, nothing"), "{}", hint(&rig));
}

#[test]
fn accounts_are_monitored_no_more_when_the_setting_is_edited_or_reset() {
    let mut rig = populated_screen();
    set(&mut rig, "watched", "zoe, yan, bob");
    rig.expect_sent("MONITOR + zoe");
    set(&mut rig, "watched", "yan, bob");
    rig.expect_sent("MONITOR - zoe");
    rig.type_and_enter("/query bob");
    set(&mut rig, "watched", "default");
    rig.expect_sent("MONITOR - yan");
    assert!(
        !rig.sent.iter().any(|line| line.contains("MONITOR -")),
        "bob has a conversation: {:?}",
        rig.sent
    );
}

#[test]
fn a_changed_layout_counts_more_than_an_earlier_key() {
    let mut rig = populated_screen();
    rig.press_keys("F2");
    assert!(!rig.render(80, 24).contains("│"), "hidden by the key");
    set(&mut rig, "layout.sidebar", "shown");
    set(&mut rig, "layout.sidebar_width", "12");
    assert!(rig.render(80, 24).lines().nth(3).expect("a row").chars().nth(11) == Some('│'));
    set(&mut rig, "layout.sidebar", "hidden");
    assert!(!rig.render(80, 24).contains("│"));
    rig.press_keys("F2");
    assert!(rig.render(80, 24).contains("│"), "the key still works");
}

#[test]
fn levels_decide_what_is_notified() {
    let mut rig = TestScreen::new();
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    let receive = |rig: &mut TestScreen, id: &str, target: &str, text: &str| {
        rig.receive_message("bob", target, id, text);
        has_notified(rig)
    };
    assert!(!receive(&mut rig, "a1", "#lobby", "hello"));
    assert!(receive(&mut rig, "a2", "#lobby", "alice: hello"));
    assert!(receive(&mut rig, "a3", "alice", "psst"));
    rig.type_and_enter("/notify all");
    assert!(hint(&rig).starts_with("all messages notify you in #lobby"));
    assert!(
        effects(&mut rig)
            .iter()
            .any(|it| matches!(it, ScreenEffect::SaveSetting(name) if name.ends_with("home/#lobby")))
    );
    assert!(receive(&mut rig, "a4", "#lobby", "hello"));
    rig.type_and_enter("/notify nothing");
    effects(&mut rig);
    assert!(!receive(&mut rig, "a5", "#lobby", "alice: hello"));
    rig.type_and_enter("/notify default");
    set(&mut rig, "notify.direct", "mentions");
    assert!(!receive(&mut rig, "a6", "alice", "psst"));
    assert!(receive(&mut rig, "a7", "alice", "alice, psst"));
}

#[test]
fn words_of_the_user_count_as_mentions() {
    let mut rig = TestScreen::new();
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    set(&mut rig, "highlights", "Straße, tea time");
    rig.receive_message("bob", "#lobby", "a1", "meet me in der STRASSE");
    assert!(has_notified(&mut rig));
    rig.receive_message("bob", "#lobby", "a2", "teatime");
    assert!(!has_notified(&mut rig));
    assert_eq!(rig.buffer_named("#lobby").mentions, 1);
}

#[test]
fn do_not_disturb_silences_bell_and_notifications_until_its_end() {
    let mut rig = TestScreen::new();
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.type_and_enter("/dnd 1h");
    assert!(rig.render(100, 24).contains("do not disturb until 23:13"));
    rig.receive_message("bob", "alice", "a1", "psst");
    assert!(effects(&mut rig).is_empty());
    let text = rig.app.state().to_text().expect("text");
    let state = crate::client::settings::state::State::parse(&text, Timestamp(rig.clock)).expect("a state");
    let mut next = TestScreen::offline();
    next.app.restore(state);
    assert!(next.app.workspace.do_not_disturb().is_some(), "it outlasts a restart");
    rig.press_keys("Esc");
    assert!(rig.render(100, 24).contains("do not disturb until"), "in the status line");
    rig.clock += 3_600_000;
    rig.receive_message("bob", "alice", "a2", "psst");
    assert!(has_notified(&mut rig));
    assert!(!rig.render(100, 24).contains("do not disturb"));
    rig.type_and_enter("/dnd");
    rig.receive_message("bob", "alice", "a3", "psst");
    assert!(effects(&mut rig).is_empty());
    rig.type_and_enter("/dnd off");
    rig.receive_message("bob", "alice", "a4", "psst");
    assert!(has_notified(&mut rig));
    set(&mut rig, "bell", "false");
    rig.receive_message("bob", "alice", "a5", "psst");
    assert!(!effects(&mut rig).contains(&ScreenEffect::Bell));
}

#[test]
fn messages_of_ignored_accounts_are_folded_and_count_nowhere() {
    let mut rig = TestScreen::new();
    rig.receive_message("mallory", "#lobby", "a1", "alice: buy this");
    rig.receive_message("bob", "#lobby", "a2", "please don't");
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    effects(&mut rig);
    rig.type_and_enter("/ignore Mallory");
    assert!(effects(&mut rig).contains(&ScreenEffect::SaveSetting("ignored".into())));
    assert!(hint(&rig).starts_with("messages of Mallory are hidden on all your devices"), "{}", hint(&rig));
    rig.expect_sent("METADATA Mallory SET soju.im/blocked :1");
    rig.receive_message("mallory", "#lobby", "a3", "alice: buy that");
    rig.receive_message("mallory", "#lobby", "a4", "alice: buy it");
    rig.receive_message("mallory", "alice", "a5", "a secret offer");
    rig.receive_lines(&["@+typing=active :mallory!u@p TAGMSG #lobby", ":mallory!u@p INVITE alice #scam"]);
    assert!(effects(&mut rig).is_empty());
    assert_eq!((rig.buffer_named("#lobby").unread, rig.app.workspace.servers[0].buffers.len()), (0, 1));
    assert_snapshot!("ignored_80x24", rig.render(80, 24));
    // The row can be expanded, as a row of joins and leaves can.
    rig.press_keys("Alt-Up Enter");
    assert!(rig.render(80, 24).contains("buy it"));
    rig.press_keys("Enter Esc");
    assert!(!rig.render(80, 24).contains("buy"));
    rig.type_and_enter("/ignore");
    assert!(hint(&rig).starts_with("you ignore mallory") || hint(&rig).starts_with("you ignore Mallory"));
    rig.type_and_enter("/unignore mallory");
    rig.expect_sent("SET soju.im/blocked :0");
    let screen = rig.render(80, 24);
    assert!(screen.contains("buy this") && screen.contains("buy it"), "{screen}");
    assert_eq!(rig.buffer_named("#lobby").mentions, 2);
}

#[test]
fn other_devices_tell_whom_the_user_ignores() {
    let mut rig = TestScreen::new();
    rig.expect_sent(
        "METADATA * SUB parlour/pinned-messages parlour/bookmarks soju.im/muted soju.im/blocked display-name",
    );
    rig.receive_lines(&[":srv 761 * mallory soju.im/blocked private :1"]);
    rig.receive_message("mallory", "alice", "a1", "psst");
    assert!(effects(&mut rig).is_empty());
    rig.type_and_enter("/ignore");
    assert!(hint(&rig).starts_with("you ignore mallory"));
    rig.receive_lines(&[":srv 761 * mallory soju.im/blocked private :0"]);
    rig.receive_message("mallory", "alice", "a2", "psst");
    assert!(has_notified(&mut rig));
    // What this device has in its settings ends as well, once another device shows the messages again.
    rig.type_and_enter("/ignore mallory");
    effects(&mut rig);
    rig.receive_lines(&[
        ":srv 761 * mallory soju.im/blocked private :1",
        ":srv 761 * mallory soju.im/blocked private :0",
    ]);
    assert_eq!(effects(&mut rig), [ScreenEffect::SaveSetting("ignored".into())]);
}

#[test]
fn what_is_decided_without_a_connection_follows_at_the_login() {
    let mut rig = TestScreen::new();
    rig.disconnect();
    rig.type_and_enter("/ignore mallory");
    assert!(
        hint(&rig).contains("on this device, and on the others once you are connected"),
        "{}",
        hint(&rig)
    );
    let state = rig.app.workspace.state();
    assert_eq!(state.ignores.values().collect::<Vec<_>>(), [&true]);
    // The client is started again before there is a connection.
    let mut rig = TestScreen::new();
    rig.app.workspace.restore(state);
    rig.disconnect();
    rig.log_in_again();
    let lines: Vec<&String> = rig.sent.iter().filter(|line| line.contains("METADATA")).collect();
    assert!(
        lines[0].ends_with("METADATA mallory SET soju.im/blocked :1"),
        "before the subscription: {lines:?}"
    );
    rig.receive_lines(&[":srv 761 * mallory soju.im/blocked private :1"]);
    assert!(rig.app.workspace.state().ignores.is_empty());
}

#[test]
fn a_refused_decision_about_an_ignored_account_ends() {
    let mut rig = TestScreen::new();
    rig.disconnect();
    rig.type_and_enter("/ignore nosuch");
    rig.log_in_again();
    let sent = rig.expect_sent("METADATA nosuch SET soju.im/blocked :1");
    let label = sent.split(' ').next().expect("a label").to_owned();
    effects(&mut rig);
    rig.receive_lines(&[&format!("{label} FAIL METADATA INVALID_TARGET nosuch :No such account or channel")]);
    let expected = "nobody is ignored: there is no account nosuch; check the name (/who lists the people who are online)";
    assert_eq!(hint(&rig), expected);
    assert_eq!(effects(&mut rig), [ScreenEffect::SaveSetting("ignored".into())]);
    assert!(rig.app.workspace.state().ignores.is_empty() && rig.app.workspace.ignored_accounts(0).is_empty());
}
