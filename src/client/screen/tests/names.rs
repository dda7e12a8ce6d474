//! Display names and avatars.

use insta::assert_snapshot;

use super::*;

/// Sets the display names of accounts, as the server announces them.
fn set_names(rig: &mut TestScreen, names: &[(&str, &str)]) {
    for (nick, name) in names {
        rig.receive_lines(&[&format!(":srv 761 * {nick} display-name * :{name}")]);
    }
}

fn named_screen() -> TestScreen {
    let mut rig = populated_screen();
    set_names(
        &mut rig,
        &[("bob", "Bob the Builder"), ("carol", "Carol Müller"), ("alice", "Alice"), ("dave", "bоb")],
    );
    rig.receive_message("dave", "#lobby", "d1", "it is I, bob");
    rig.receive_lines(&["@+typing=active :bob!u@p TAGMSG #lobby"]);
    rig
}

#[test]
fn renders_display_names_at_three_sizes() {
    let mut rig = named_screen();
    assert_snapshot!("names_80x24", rig.render(80, 24));
    assert_snapshot!("names_200x50", rig.render(200, 50));
    assert_snapshot!("names_40x12", rig.render(40, 12));
    rig.press_keys("F4");
    assert!(rig.render(80, 24).contains("<carol> Thank you, bob"), "nicks in the view for copying");
}

#[test]
fn renders_avatars_in_colour() {
    let mut rig = named_screen();
    for (name, background) in [("names_dark", Background::Dark), ("names_light", Background::Light)] {
        rig.app.workspace.display.theme = Theme::new(Depth::True, background);
        assert_snapshot!(name, rig.render_escapes(170, 16));
    }
}

#[test]
fn a_name_that_poses_as_another_has_the_nick() {
    let mut rig = named_screen();
    let screen = rig.render(80, 24);
    let row = screen.lines().find(|row| row.contains("it is I, bob")).expect("the message");
    assert!(row.contains(" dave  it is I") && !row.contains("bоb"), "{row}");
    assert!(rig.render(40, 24).contains(" dave  it is I, bob"));
    // Two of one name.
    set_names(&mut rig, &[("dave", "Carol Müller")]);
    let screen = rig.render(80, 24);
    assert!(screen.contains("dave  it is I") && !screen.contains("Müller"), "{screen}");
}

#[test]
fn names_are_asked_for_and_synchronized() {
    let mut rig = TestScreen::new();
    rig.expect_sent(
        "METADATA * SUB parlour/pinned-messages parlour/bookmarks soju.im/muted soju.im/blocked display-name",
    );
    rig.receive_lines(&[":srv 774 alice *ALL 0"]);
    rig.expect_sent("METADATA *ALL SYNC");
    rig.receive_lines(&[":srv 774 alice #lobby 30"]);
    assert!(!rig.sent.iter().any(|line| line.contains("SYNC")), "later is not now: {:?}", rig.sent);
}

#[test]
fn own_display_name_is_set_and_removed() {
    let mut rig = TestScreen::new();
    rig.type_and_enter("/display-name Alice Liddell");
    rig.answer("METADATA * SET display-name :Alice", &[":srv 761 alice * display-name * :Alice Liddell"]);
    assert!(rig.render(80, 24).contains("others see you as Alice Liddell"));
    rig.sent.clear();
    rig.type_and_enter("/display-name");
    assert!(rig.render(80, 24).contains("others see you as Alice Liddell; /display-name - removes"));
    assert!(rig.sent.iter().all(|line| !line.contains("METADATA * SET")), "{:?}", rig.sent);
    rig.type_and_enter("/display-name -");
    rig.answer("METADATA * SET display-name", &[":srv 766 alice * display-name :no matching key"]);
    assert!(rig.render(80, 24).contains("others see your nick alone"));
    rig.type_and_enter("/display-name");
    assert!(rig.render(80, 24).contains("you have no display name"));
}

#[test]
fn tab_finds_a_nick_by_its_display_name() {
    let mut rig = named_screen();
    for (typed, expected) in [("builder", "bob: "), ("Müll", "carol: "), ("hi @buil", "hi @bob ")] {
        rig.type_text(typed);
        rig.press_keys("Tab");
        assert_eq!(rig.app.workspace.draft().text(), expected);
        rig.press_keys("Ctrl-U");
    }
}

#[test]
fn names_stand_in_lists_and_in_the_status_line() {
    let mut rig = named_screen();
    let screen = rig.render(200, 50);
    assert!(screen.contains("Bob the Builder is typing"), "{screen}");
    rig.type_and_enter("/query bob");
    let screen = rig.render(80, 24);
    assert!(screen.lines().next().is_some_and(|row| row.contains("Bob the Builder (bob)")), "{screen}");
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.receive_message("bob", "#lobby", "x1", "alice!");
    let notify = ScreenEffect::Notify { title: "Bob the Builder in #lobby".into(), body: "alice!".into() };
    assert!(rig.app.workspace.effects.contains(&notify), "{:?}", rig.app.workspace.effects);
}

#[test]
fn names_follow_the_form_that_the_server_writes() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[
        ":srv 353 alice = #lobby :~bob carol alice",
        ":srv 366 alice #lobby :End",
        ":zoe!u@p JOIN #lobby",
    ]);
    rig.receive_message("bob", "alice", "d1", "psst");
    let names = |rig: &TestScreen| {
        let names = rig.app.workspace.buffers().map(|((_, name), buffer)| {
            assert_eq!(name.as_str(), buffer.conversation.as_str());
            name.to_string()
        });
        names.collect::<Vec<_>>().join(" ")
    };
    let members = |rig: &TestScreen| {
        let members = rig.model.channels().flat_map(|(_, channel)| channel.members.keys());
        members.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((names(&rig).as_str(), members(&rig).as_str()), ("#lobby bob", "alice bob carol zoe"));
    rig.receive_lines(&[":bob!u@p NICK Bob"]);
    assert_eq!((names(&rig).as_str(), members(&rig).as_str()), ("#lobby Bob", "alice Bob carol zoe"));
    // An account that was removed and made again, whose going the client has not seen.
    rig.receive_lines(&[":Zoe!u@p JOIN #lobby"]);
    rig.receive_message("BOB", "alice", "d2", "psst");
    assert_eq!((names(&rig).as_str(), members(&rig).as_str()), ("#lobby BOB", "alice Bob carol Zoe"));
    rig.receive_lines(&[":bob!u@p RENAME #lobby #LOBBY :"]);
    assert_eq!(names(&rig), "#LOBBY BOB");
    assert_eq!(
        rig.app.workspace.current.as_ref().map(|(_, name)| name.to_string()),
        Some("#LOBBY".to_owned())
    );
    // On other servers an account may take another nick; its conversation goes with it.
    rig.receive_lines(&[":bob!u@p NICK rob"]);
    assert_eq!(names(&rig), "#LOBBY rob");
    // The form changes while there is no connection.
    rig.disconnect();
    rig.model.connected(Nick::parse("alice").expect("a nick"), CapSet::from_caps(Cap::ALL));
    rig.app.workspace.handle_connected(0);
    let barrier =
        rig.take_output().into_iter().find_map(|line| line.strip_prefix("PING ").map(str::to_owned));
    rig.receive_lines(&[
        ":alice!alice@parlour JOIN #Lobby",
        &format!("PONG srv {}", barrier.expect("a PING")),
    ]);
    assert_eq!(names(&rig), "#Lobby rob");
    assert_eq!(rig.model.channels().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["#Lobby"]);
}
