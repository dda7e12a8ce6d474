use super::*;
use crate::client::screen::tests::fixture::Fixture;

fn switcher() -> (Fixture, Picker) {
    let mut fixture = Fixture::new();
    fixture.lines(&[":bob!u@parlour PRIVMSG alice :psst", ":carol!u@parlour PRIVMSG alice :hi"]);
    let picker = fixture.with(Picker::quick_switcher);
    (fixture, picker)
}

/// Answers the queries of the switcher: channels #dev and #far, accounts dave and zoe.
fn answer(fixture: &mut Fixture, picker: &mut Picker) {
    let sent = fixture.output();
    let label = |command: &str| {
        let line = sent.lines().find(|line| line.contains(command)).expect(command);
        line.split(['=', ' ']).nth(1).expect("a label").to_owned()
    };
    let (list, who) = (label(" LIST"), label(" WHO * a%"));
    fixture.lines(&[
        &format!("@label={list} :s BATCH +r labeled-response"),
        "@batch=r :s 322 alice #lobby 3 :Tea",
        "@batch=r :s 322 alice #dev 12 :Work",
        "@batch=r :s 322 alice #far 1 :",
        "@batch=r :s 323 alice :End",
        "BATCH -r",
        &format!("@label={who} :s 354 alice 1 dave H 0 :Dave D"),
        &format!("@label={who} :s 354 alice 1 zoe D 0 :zoe"),
        &format!("@label={who} :s 315 alice * :End"),
    ]);
    fixture.with(|context| picker.follow(context));
}

fn row<'a>(rows: &'a [String], part: &str) -> &'a str {
    rows.iter().find(|row| row.contains(part)).unwrap_or_else(|| panic!("no {part} in {rows:?}"))
}

#[test]
fn narrows_by_the_text_and_switches_on_enter() {
    let (mut fixture, mut picker) = switcher();
    let rows = fixture.render(&picker, 80, 12);
    assert!(row(&rows, "bob").contains("person"), "{rows:?}");
    let rows = fixture.render(&picker, 40, 12);
    assert!(row(&rows, "bob").contains("1 new  "), "no room for both: {rows:?}");
    fixture.type_text(&mut picker, "car");
    let rows = fixture.render(&picker, 40, 12);
    assert!(!rows.iter().any(|row| row.contains("bob")), "{rows:?}");
    assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::CloseOverlay));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("carol")));
}

#[test]
fn finds_channels_that_are_not_joined_and_joins_them() {
    let (mut fixture, mut picker) = switcher();
    answer(&mut fixture, &mut picker);
    fixture.type_text(&mut picker, "#de");
    let rows = fixture.render(&picker, 60, 12);
    let words: Vec<&str> = row(&rows, "#dev").split_whitespace().collect();
    assert_eq!(words[1..7], ["#dev", "not", "joined,", "12", "here", "channel"]);
    fixture.keys(&mut picker, "Enter");
    assert!(fixture.output().contains("JOIN #dev\r\n"));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("#dev")));
}

#[test]
fn finds_the_conversation_on_the_screen_below_the_others() {
    let (mut fixture, mut picker) = switcher();
    let current = fixture.workspace.current.clone();
    for text in ["#", "#lob"] {
        fixture.keys(&mut picker, "Ctrl-U");
        fixture.type_text(&mut picker, text);
        let rows = fixture.render(&picker, 60, 12);
        assert!(row(&rows, "#lobby").contains("open"), "{rows:?}");
    }
    fixture.keys(&mut picker, "Enter");
    assert_eq!(fixture.workspace.current, current);
}

#[test]
fn finds_accounts_that_are_offline_and_opens_a_conversation() {
    let (mut fixture, mut picker) = switcher();
    answer(&mut fixture, &mut picker);
    fixture.type_text(&mut picker, "@z");
    let rows = fixture.render(&picker, 60, 12);
    let words: Vec<&str> = row(&rows, "zoe").split_whitespace().collect();
    assert_eq!(words[1..4], ["zoe", "offline", "person"]);
    fixture.keys(&mut picker, "Enter");
    assert_eq!(fixture.workspace.current, Some(Fixture::key("zoe")));
}

#[test]
fn finds_people_by_nick_display_name_and_full_name() {
    let (mut fixture, mut picker) = switcher();
    fixture.lines(&[
        ":srv 761 * carol display-name * :Caroline Müller",
        ":srv 761 * zoe display-name * :Zed Example",
    ]);
    answer(&mut fixture, &mut picker);
    for (text, expected) in [
        ("@muller", "Caroline Müller (carol)"),
        ("@carol", "Caroline Müller (carol)"),
        ("zed ex", "Zed Example (zoe)"),
        ("@zoe", "Zed Example (zoe)"),
        ("dave d", "dave"),
    ] {
        fixture.keys(&mut picker, "Ctrl-U");
        fixture.type_text(&mut picker, text);
        let rows = fixture.render(&picker, 76, 12);
        assert!(rows.concat().contains(expected), "{text}: {rows:?}");
    }
    fixture.keys(&mut picker, "Ctrl-U");
    fixture.type_text(&mut picker, "muller");
    fixture.keys(&mut picker, "Enter");
    assert_eq!(fixture.workspace.current, Some(Fixture::key("carol")));
}

#[test]
fn runs_commands_and_begins_those_with_arguments() {
    let (mut fixture, mut picker) = switcher();
    fixture.type_text(&mut picker, "/memb");
    assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::ToggleMembers));
    fixture.keys(&mut picker, "Ctrl-U");
    fixture.type_text(&mut picker, "/topi");
    assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::CloseOverlay));
    assert_eq!(fixture.workspace.draft().text(), "/topic ");
    fixture.workspace.draft_mut().set("half a thought");
    fixture.keys(&mut picker, "Enter");
    assert_eq!(fixture.workspace.draft().text(), "/topic ");
    assert!(fixture.workspace.hint.as_ref().is_some_and(|hint| hint.text.contains("comes back")));
    fixture.workspace.draft_mut().take();
    fixture.workspace.return_drafts();
    assert_eq!(fixture.workspace.draft().text(), "half a thought");
}

#[test]
fn quits_with_a_draft_which_is_kept() {
    let (mut fixture, mut picker) = switcher();
    fixture.workspace.draft_mut().set("half a thought");
    fixture.type_text(&mut picker, "/quit");
    fixture.keys(&mut picker, "Enter");
    assert_eq!(fixture.workspace.quit.message.as_deref(), Some(""));
    let drafts = fixture.workspace.state().drafts;
    assert_eq!(drafts.values().map(|draft| &*draft.text).collect::<Vec<_>>(), ["half a thought"]);
}

#[test]
fn frequent_choices_come_first_among_equal_matches() {
    let (mut fixture, mut picker) = switcher();
    answer(&mut fixture, &mut picker);
    for _ in 0..8 {
        let now = fixture.workspace.now;
        fixture.workspace.uses.record("home/#far", now);
    }
    picker = fixture.with(Picker::quick_switcher);
    fixture.type_text(&mut picker, "#");
    let rows = fixture.render(&picker, 60, 12);
    let at = |name: &str| rows.iter().position(|row| row.contains(name)).expect(name);
    assert!(at("#far") < at("#dev"), "{rows:?}");
}

#[test]
fn lists_that_arrive_keep_the_selected_item() {
    let (mut fixture, mut picker) = switcher();
    fixture.keys(&mut picker, "Down");
    let selected = picker.selected_item().expect("an item").name.clone();
    answer(&mut fixture, &mut picker);
    assert_eq!(picker.selected_item().map(|item| &item.name), Some(&selected));
}

#[test]
fn reactions_are_found_by_the_words_that_people_use() {
    let mut fixture = Fixture::new();
    let mut picker = Picker::reaction_picker(&Fixture::key("#lobby"), "a1");
    for (text, first) in [("", "👍"), ("thumb", "👍"), ("love", "❤"), ("laugh", "😂")] {
        fixture.keys(&mut picker, "Ctrl-U");
        fixture.type_text(&mut picker, text);
        let rows = fixture.render(&picker, 80, 12);
        let list = rows.iter().skip_while(|row| !row.contains("›")).nth(1).expect("a match");
        assert!(list.contains(first), "{text}: {rows:?}");
    }
}

#[test]
fn without_a_match_enter_closes_and_switches_nowhere() {
    let (mut fixture, mut picker) = switcher();
    fixture.type_text(&mut picker, "@zzz");
    assert!(fixture.render(&picker, 40, 10).iter().any(|row| row.contains("no matches")));
    assert_eq!(fixture.keys(&mut picker, "Enter"), EventResult::Request(Request::CloseOverlay));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("#lobby")));
}

#[test]
fn click_beside_the_window_closes_it() {
    let (mut fixture, mut picker) = switcher();
    fixture.render(&picker, 80, 24);
    assert_eq!(fixture.click(&mut picker, 0, 0), EventResult::Request(Request::CloseOverlay));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("#lobby")));
}

#[test]
fn offers_to_join_or_make_the_channel_that_nothing_matches() {
    let (mut fixture, mut picker) = switcher();
    answer(&mut fixture, &mut picker);
    // Another name that begins so is the first choice, and the exact one needs no offer.
    fixture.type_text(&mut picker, "#dev");
    assert!(!fixture.render(&picker, 60, 12).iter().any(|row| row.contains("join it, or make it")));
    fixture.keys(&mut picker, "Backspace");
    let rows = fixture.render(&picker, 60, 12);
    assert!(row(&rows, "#dev").contains("not joined"), "{rows:?}");
    assert!(row(&rows, "join it, or make it").contains("#de "), "{rows:?}");
    fixture.keys(&mut picker, "Ctrl-U");
    fixture.type_text(&mut picker, "Kitchen-7");
    let rows = fixture.render(&picker, 60, 12);
    assert!(row(&rows, "#Kitchen-7").contains("join it, or make it"), "{rows:?}");
    fixture.keys(&mut picker, "Enter");
    assert!(fixture.output().contains("JOIN #Kitchen-7\r\n"));
    assert_eq!(fixture.workspace.current, Some(Fixture::key("#Kitchen-7")));
}

#[test]
fn lists_are_queried_anew_when_nothing_matches() {
    let (mut fixture, mut picker) = switcher();
    answer(&mut fixture, &mut picker);
    fixture.workspace.now.0 += 5_000;
    fixture.type_text(&mut picker, "qqq");
    let sent = fixture.output();
    assert_eq!(sent.matches(" LIST").count(), 1, "one is on its way: {sent}");
    // And whoever opens the window again sees the channels of now.
    fixture.workspace.now.0 += 5_000;
    let mut other = Fixture::new();
    other.with(Picker::quick_switcher);
    assert!(other.output().contains(" LIST"));
}
