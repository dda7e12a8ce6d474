//! Tests of the look of messages: formats, groups, separators, the header over the first row.

use insta::assert_snapshot;

use super::*;

/// Creates a client with messages in each format.
fn formatted_screen() -> TestScreen {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "f1", "so *bold*, _italic_, ~gone~ and `let x_y = 1;`");
    rig.receive_message("bob", "#lobby", "f2", "snake_case_name and 2*3*4 stay, *https://a.b/c_d_* too");
    rig.receive_message(
        "carol",
        "#lobby",
        "f3",
        "\u{2}bold\u{2} \u{1d}italic\u{1d} \u{1f}under\u{1f} \u{1e}struck\u{1e} \u{11}mono\u{11} \u{16}reverse\u{16} \
         \u{3}4red\u{3} \u{3}1,1hidden\u{3} \u{3}8,2both\u{3} \u{4}00ff00hex\u{4} \u{2}*both*",
    );
    rig.clock += 1000;
    let time = Timestamp(rig.clock);
    let mut lines = vec![format!("@time={time};msgid=f4 :carol!u@parlour BATCH +m draft/multiline #lobby")];
    for line in [
        "see:",
        "```rust",
        "fn main() {",
        "    log_line(\"a long line of code, which is broken where the row ends\");",
        "}",
        "```",
        "*done*",
    ] {
        lines.push(format!("@batch=m :carol!u@parlour PRIVMSG #lobby :{line}"));
    }
    lines.push("BATCH -m".to_owned());
    rig.receive_lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    rig
}

#[test]
fn renders_formats_at_three_sizes() {
    let mut rig = formatted_screen();
    assert_snapshot!("formats_80x24", rig.render(80, 24));
    assert_snapshot!("formats_200x50", rig.render(200, 50));
    assert_snapshot!("formats_40x12", rig.render(40, 12));
    rig.press_keys("Alt-r");
    assert_snapshot!("formats_raw_80x24", rig.render(80, 24));
    rig.type_and_enter("/raw-text");
    assert!(rig.render(80, 24).contains("so bold, italic, gone and let x_y = 1;"));
}

#[test]
fn unconfirmed_message_is_formatted_as_a_confirmed_one() {
    let mut rig = populated_screen();
    rig.type_and_enter("so *bold* and `code`");
    let screen = rig.render(80, 24);
    assert!(screen.contains("…  ") && screen.contains("so bold and code"), "{screen}");
    let sent = rig.expect_sent("PRIVMSG #lobby");
    assert!(sent.ends_with(":so *bold* and `code`"), "{sent}");
    rig.receive_echo(&sent, "b1");
    assert!(rig.render(80, 24).contains("so bold and code"));
    rig.type_and_enter("/me is *here*");
    assert!(rig.render(80, 24).contains("* is here"));
}

#[test]
fn cleared_screen_shows_new_messages_alone_until_one_scrolls_up() {
    let mut rig = populated_screen();
    rig.type_and_enter("/clear");
    assert_snapshot!("cleared_80x24", rig.render(80, 24));
    rig.receive_message("bob", "#lobby", "b1", "anybody there?");
    let screen = rig.render(80, 24);
    assert!(screen.contains("anybody there?") && !screen.contains("Good morning!"), "{screen}");
    rig.press_keys("PgUp");
    assert!(rig.render(80, 24).contains("Good morning!"));
    rig.press_keys("Esc");
    assert!(rig.render(80, 24).contains("Good morning!"), "it stays");
}

#[test]
fn renders_formats_in_each_theme() {
    let mut rig = formatted_screen();
    for (name, depth, background) in [
        ("formats_true_dark", Depth::True, Background::Dark),
        ("formats_256_light", Depth::Palette, Background::Light),
        ("formats_16_dark", Depth::Sixteen, Background::Dark),
        ("formats_none", Depth::NoColour, Background::Dark),
    ] {
        rig.app.workspace.display.theme = Theme::new(depth, background);
        assert_snapshot!(name, rig.render_escapes(60, 20));
    }
}

#[test]
fn copying_gives_the_text_as_written() {
    let mut rig = formatted_screen();
    rig.press_keys("Alt-Up y");
    let written = "see:\n```rust\nfn main() {\n    log_line(\"a long line of code, which is broken where the row \
                   ends\");\n}\n```\n*done*";
    assert_eq!(rig.app.workspace.effects.pop(), Some(ScreenEffect::Copy(written.into())));
    // In the view for copying with the mouse, the marks stand there as well.
    rig.press_keys("F4");
    assert!(rig.render(80, 24).contains("<bob> so *bold*, _italic_, ~gone~ and `let x_y = 1;`"));
}

#[test]
fn the_sender_and_the_day_stay_at_the_top() {
    let mut rig = TestScreen::new();
    rig.clock -= 3 * 24 * 3_600_000;
    for n in 0..40 {
        rig.receive_message("bob", "#lobby", &format!("d{n:02}"), &format!("an older message, number {n}"));
    }
    rig.clock = START + 10_000;
    rig.receive_message("carol", "#lobby", "e1", "today's");
    rig.press_keys("PgUp PgUp");
    assert_screens!(rig, "sticky");
    // The day line itself needs no second one.
    rig.press_keys("Alt-Home");
    let screen = rig.render(80, 24);
    assert!(screen.contains("Saturday, 11 November") && !screen.contains("Sat, 11 Nov"), "{screen}");
    // At the bottom, the name stays alone.
    rig.press_keys("Esc");
    let screen = rig.render(80, 12);
    assert!(screen.lines().nth(1).is_some_and(|row| row.contains("bob") && !row.contains("Nov")), "{screen}");
}

/// Returns the row below the line "new", if there is one.
fn row_below_new(rig: &mut TestScreen) -> Option<String> {
    let screen = rig.render(80, 24);
    let mut rows = screen.lines().skip_while(|row| !row.contains("─ new ─"));
    rows.next()?;
    rows.next().map(str::to_owned)
}

#[test]
fn the_new_line_stands_before_the_first_unread_message_of_a_person() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "n1", "seen");
    rig.handle_terminal_event(TerminalEvent::Focus(false));
    rig.clock += 1000;
    let time = Timestamp(rig.clock);
    rig.receive_lines(&[
        &format!("@time={time} :dave!u@parlour JOIN #lobby"),
        &format!("@time={time};msgid=n2 :alice!alice@parlour PRIVMSG #lobby :from my other device"),
        &format!("@time={time};msgid=n3 :ChanServ!u@parlour NOTICE #lobby :a notice of a service"),
        ":srv NOTICE alice :a notice of the server",
        &format!("@time={time} :bob!u@parlour TOPIC #lobby :tea"),
    ]);
    assert_eq!(row_below_new(&mut rig), None);
    rig.receive_message("carol", "#lobby", "n4", "hello");
    rig.receive_message("bob", "#lobby", "n5", "hi");
    assert!(row_below_new(&mut rig).is_some_and(|row| row.contains("carol  hello")));
    assert_snapshot!("new_line_80x24", rig.render(80, 24));
    // A message that is taken back is no longer the first.
    rig.receive_lines(&[":carol!u@parlour REDACT #lobby n4 :"]);
    assert!(row_below_new(&mut rig).is_some_and(|row| row.contains("bob  hi")));
}

#[test]
fn mentions_ring_beside_any_script() {
    for (text, rings) in
        [("aliceさん、", true), ("[alice]", true), ("`alice`", true), ("malice", false), ("alice2", false)]
    {
        let mut rig = TestScreen::new();
        rig.handle_terminal_event(TerminalEvent::Focus(false));
        rig.receive_message("bob", "#lobby", "m1", text);
        assert_eq!(rig.app.workspace.effects.contains(&ScreenEffect::Bell), rings, "{text}");
    }
}

#[test]
fn reaction_is_withdrawn_in_the_form_in_which_it_was_given() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "r1", "tea?");
    rig.receive_lines(&["@+draft/react=❤\u{fe0f};+draft/reply=r1 :carol!u@p TAGMSG #lobby"]);
    rig.type_and_enter("/react ❤");
    rig.expect_sent("+draft/react=❤\u{fe0f}");
    rig.receive_lines(&["@+draft/react=❤;+draft/reply=r1 :alice!u@p TAGMSG #lobby"]);
    assert!(rig.render(80, 24).contains("❤ carol, alice"));
    rig.type_and_enter("/react ❤\u{fe0f}");
    assert!(rig.expect_sent("+draft/unreact=❤").contains("unreact=❤;"));
}
