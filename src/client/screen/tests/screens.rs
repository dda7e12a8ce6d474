//! Snapshots of the screen.

use insta::assert_snapshot;

use super::*;

#[test]
fn renders_conversation_at_three_sizes() {
    let mut rig = populated_screen();
    assert_snapshot!("talk_80x24", rig.render(80, 24));
    assert_snapshot!("talk_200x50", rig.render(200, 50));
    assert_snapshot!("talk_40x12", rig.render(40, 12));
}

#[test]
fn renders_while_connecting() {
    assert_snapshot!("connecting_80x24", TestScreen::offline().render(80, 24));
}

#[test]
fn renders_lists_and_help() {
    let mut rig = populated_screen();
    rig.press_keys("Ctrl-K");
    assert_snapshot!("switcher_80x24", rig.render(80, 24));
    rig.press_keys("Esc F1");
    assert_screens!(rig, "help");
    rig.press_keys("Esc");
    rig.type_and_enter("/help invite-link");
    assert_screens!(rig, "help_command");
    rig.press_keys("Esc Alt-Up e");
    rig.type_text("party");
    assert_snapshot!("reactions_80x24", rig.render(80, 24));
}

#[test]
fn renders_unconfirmed_and_unread_messages() {
    let mut rig = populated_screen();
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.receive_message("carol", "#lobby", "b1", "while you were out");
    rig.disconnect();
    rig.type_and_enter("this waits");
    rig.press_keys("Alt-Up Up Up r");
    rig.type_text("two\u{20}lines");
    rig.press_keys("Alt-Enter");
    rig.type_text("here");
    assert_snapshot!("down_80x24", rig.render(80, 24));
}

#[test]
fn hostile_messages_keep_layout_intact() {
    let mut rig = TestScreen::new();
    for (id, text) in [
        ("h1", "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7} \u{9b}5A\u{1b}Pq\u{1b}\\end"),
        ("h2", "zero\u{200b}\u{200b}\u{200d}\u{2060}width\u{feff}\u{ad}s"),
        ("h3", &format!("z{}algo", "\u{336}\u{337}".repeat(200))),
        ("h4", "\u{202e}txt.exe\u{2066}\u{2067} right to left: שלום עולם 123"),
        ("h5", "wide 日本語 and 👩‍👩‍👧 🏳️‍🌈 flags 🇩🇪 text"),
        ("h6", "https://example.org/\u{1b}]8;;evil\u{1b}\\x"),
        ("h7", "\u{3}4,5colour\u{f} \u{2}bold\u{2} \u{11}mono"),
    ] {
        rig.receive_message("mallory", "#lobby", id, text);
    }
    rig.receive_lines(&[
        ":mallory!u@p TOPIC #lobby :\u{1b}[5mtopic\u{202e}\u{301}\u{301}\u{301}\u{301}\u{301}",
    ]);
    rig.receive_lines(&["@+draft/react=\u{1b}[2J\u{200b};+draft/reply=h1 :mallory!u@p TAGMSG #lobby"]);
    let screen = rig.render(80, 24);
    assert_snapshot!("hostile_80x24", screen);
    rig.receive_message("mallory", "#lobby", "h8", &"x".repeat(4000));
    let screen = rig.render(80, 24);
    assert!(screen.lines().all(|line| crate::client::screen::text::wrap::width(line) <= 80), "{screen}");
    assert_snapshot!("hostile_long_80x24", screen);
}

#[test]
fn renders_search_selection_and_switcher() {
    let mut rig = populated_screen();
    rig.press_keys("Ctrl-F");
    rig.type_text("tea from:bob");
    rig.press_keys("Enter");
    let asked = rig.expect_sent("SEARCH");
    assert_snapshot!("search_waits_80x24", rig.render(80, 24));
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    let mut lines = vec![format!("@label={label} :srv BATCH +s soju.im/search")];
    for n in 0..5 {
        let time = Timestamp(START - 9_000_000 * (5 - n));
        lines.push(format!("@batch=s;time={time};msgid=z{n} :bob!u@p PRIVMSG #lobby :tea, cup {n}"));
    }
    lines.push("BATCH -s".to_owned());
    rig.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    rig.press_keys("Down");
    assert_snapshot!("search_80x24", rig.render(80, 24));
    assert_snapshot!("search_40x12", rig.render(40, 12));
    rig.press_keys("Esc Alt-Up Up");
    assert_snapshot!("chosen_80x24", rig.render(80, 24));
    rig.press_keys("Esc F3");
    assert_snapshot!("members_80x24", rig.render(80, 24));
    rig.press_keys("F3 F4");
    assert_snapshot!("bare_80x24", rig.render(80, 24));
    rig.press_keys("F4");
    rig.handle_terminal_event(TerminalEvent::Paste("three\nlines\npasted".into()));
    assert_snapshot!("paste_40x12", rig.render(40, 12));
    rig.press_keys("Ctrl-C");
    rig.type_and_enter("/query bob");
    rig.receive_lines(&["AWAY :", ":bob!u@p AWAY :for tea"]);
    assert_snapshot!("person_80x24", rig.render(80, 24));
}

#[test]
fn renders_each_colour_depth() {
    let mut rig = populated_screen();
    rig.press_keys("Alt-Up");
    for (name, depth, ground) in [
        ("colours_true_dark", Depth::True, Background::Dark),
        ("colours_256_light", Depth::Palette, Background::Light),
        ("colours_16_dark", Depth::Sixteen, Background::Dark),
        ("colours_none", Depth::NoColour, Background::Dark),
    ] {
        rig.app.workspace.display.theme = Theme::new(depth, ground);
        assert_snapshot!(name, rig.render_escapes(72, 14));
    }
}

#[test]
fn rendering_never_panics_at_any_size() {
    let mut rig = populated_screen();
    rig.press_keys("Alt-Up");
    for (columns, rows) in [(1, 1), (2, 3), (5, 2), (8, 40), (20, 4), (36, 6), (300, 100), (3, 1), (72, 3)] {
        for overlay in ["Esc", "Ctrl-K", "Esc", "F1", "Esc", "Ctrl-F", "Esc", "F4", "F4"] {
            rig.press_keys(overlay);
            rig.render(columns, rows);
            rig.handle_terminal_event(TerminalEvent::Mouse {
                action: crate::client::keys::key::MouseAction::Click,
                at: Position::new(columns / 2, rows / 2),
            });
            rig.handle_terminal_event(TerminalEvent::Mouse {
                action: crate::client::keys::key::MouseAction::WheelUp,
                at: Position::new(0, 0),
            });
        }
    }
}

#[test]
fn search_field_cursor_follows_text() {
    let mut rig = TestScreen::new();
    rig.press_keys("Ctrl-K");
    for text in ["👩‍👩‍👧".repeat(40), "日本".repeat(30), "x".repeat(70)] {
        rig.handle_terminal_event(TerminalEvent::Paste(text));
        let screen = rig.render(80, 24);
        let row = screen.lines().find(|row| row.contains('›')).expect("a field");
        let shown = row.split('›').nth(1).expect("a field").trim_end_matches(['│', ' ']);
        let behind = crate::client::screen::text::wrap::width(&row[..row.find('›').expect("a field")])
            + 1
            + crate::client::screen::text::wrap::width(shown);
        assert_eq!(usize::from(rig.render_cursor(80, 24).expect("a cursor").0), behind, "{screen}");
        rig.press_keys("Ctrl-U");
    }
}

#[test]
fn sanitizes_names_in_results_and_completions() {
    let mut rig = TestScreen::new();
    let channel = format!("#a{}", "\u{336}".repeat(20));
    rig.receive_lines(&[&format!(":alice!alice@parlour JOIN {channel}")]);
    rig.press_keys("Ctrl-F");
    rig.type_text("tea");
    rig.press_keys("Enter");
    let asked = rig.expect_sent("SEARCH");
    let label = asked.split(['=', ' ']).nth(1).expect("a label").to_owned();
    rig.receive_lines(&[
        &format!("@label={label} :srv BATCH +s soju.im/search"),
        &format!("@batch=s;msgid=z1 :bob!u@p PRIVMSG {channel} :tea"),
        "BATCH -s",
    ]);
    let marks = |screen: String| screen.matches('\u{336}').count();
    assert_eq!(marks(rig.render(80, 24)), 3, "the result; its window covers the list");
}

#[test]
fn flag_emojis_render_as_letters() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "f1", "from 🇩🇪 to 🇫🇷 ok");
    let screen = rig.render(80, 24);
    assert!(screen.contains("from DE to FR ok"), "{screen}");
    rig.press_keys("Alt-Up y");
    assert!(rig.app.workspace.effects.contains(&ScreenEffect::Copy("from 🇩🇪 to 🇫🇷 ok".into())));
    rig.press_keys("Alt-Up e");
    rig.type_text("flag");
    assert!(!rig.render(80, 24).chars().any(|c| ('\u{1f1e6}'..='\u{1f1ff}').contains(&c)));
}
