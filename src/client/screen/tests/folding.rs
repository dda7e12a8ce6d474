//! Folding and unfolding of joins and leaves.

use super::*;
use crate::client::keys::key::MouseAction;
use crate::client::screen::workspace::buffer::Scroll;

impl TestScreen {
    /// Sends a command from each of these nicks.
    fn send_membership_lines(&mut self, command: &str, names: &[String]) {
        for name in names {
            self.clock += 10;
            self.receive_lines(&[&format!("@time={} :{name}!u@parlour {command}", Timestamp(self.clock))]);
        }
    }

    /// Returns the row of the screen that contains a text.
    #[track_caller]
    fn row_containing(&mut self, part: &str) -> u16 {
        let screen = self.render(80, 24);
        let row = screen.lines().position(|row| row.contains(part));
        row.and_then(|row| u16::try_from(row).ok()).unwrap_or_else(|| panic!("no {part:?} in\n{screen}"))
    }
}

fn nicks(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("m{n}")).collect()
}

#[test]
fn joins_and_leaves_fold_into_one_row() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "one");
    let few = nicks(0, 5);
    rig.send_membership_lines("JOIN #lobby", &few[..1]);
    rig.send_membership_lines("PART #lobby :tea is ready", &few[..1]);
    rig.send_membership_lines("JOIN #lobby", &few);
    rig.send_membership_lines("QUIT :gone", &few[1..2]);
    let line = "→ m0, m2, m3, m4 joined  ↔ m1 joined and left";
    assert!(rig.render(100, 24).contains(line), "{}", rig.render(100, 24));
    rig.receive_message("bob", "#lobby", "a2", "two");
    rig.send_membership_lines("PART #lobby :tea is ready", &few[..1]);
    assert!(rig.render(100, 24).contains("← m0 left (tea is ready)"), "one keeps its words");
    rig.receive_message("bob", "#lobby", "a3", "three");
    rig.send_membership_lines("QUIT :gone", &nicks(2, 5));
    rig.send_membership_lines("JOIN #lobby", &nicks(2, 4));
    rig.send_membership_lines("PART #lobby :home", &nicks(3, 4));
    let line = "↔ m2 rejoined  ← m3 left  ← m4 quit";
    assert!(rig.render(100, 24).contains(line), "{}", rig.render(100, 24));
    rig.receive_message("bob", "#lobby", "a4", "four");
    let many: Vec<String> = (0..60).map(|n| format!("somebody{n}")).collect();
    rig.send_membership_lines("JOIN #lobby", &many);
    rig.send_membership_lines("PART #lobby", &many[..1]);
    let screen = rig.render(80, 24);
    assert!(screen.contains("→ 59 joined  ↔ somebody0 joined and left"), "{screen}");
    let rows = screen.lines().filter(|row| row.contains(" joined") || row.contains(" left")).count();
    assert_eq!(rows, 4, "{screen}");
}

#[test]
fn restored_member_status_is_not_shown() {
    let mut rig = TestScreen::new();
    rig.receive_lines(&[
        ":bob!u@parlour QUIT :gone",
        ":bob!u@parlour JOIN #lobby",
        ":chat.parlour MODE #lobby +q bob",
    ]);
    let screen = rig.render(140, 24);
    assert!(screen.contains("↔ bob rejoined") && screen.contains("~bob"), "{screen}");
    assert!(!screen.contains("founder"), "{screen}");
    rig.receive_lines(&[
        ":chat.parlour MODE #lobby +m",
        ":chat.parlour MODE #lobby -q bob",
        ":carol!u@p MODE #lobby +o bob",
    ]);
    let screen = rig.render(140, 24);
    for row in [
        "chat.parlour made the channel moderated",
        "chat.parlour took the status of founder from bob",
        "carol made bob an operator",
    ] {
        assert!(screen.contains(row), "{row} in\n{screen}");
    }
}

#[test]
fn scrolls_over_folded_run() {
    let mut rig = TestScreen::new();
    for n in 0..40 {
        rig.receive_message("bob", "#lobby", &format!("a{n}"), &format!("before {n}"));
    }
    for n in 0..600 {
        rig.clock += 10;
        rig.receive_lines(&[&format!("@time={} :m{n}!u@parlour JOIN #lobby", Timestamp(rig.clock))]);
    }
    assert!(rig.render(80, 12).contains("before 39"));
    rig.press_keys("PgUp PgUp");
    assert!(rig.render(80, 12).contains("before 30"), "{}", rig.render(80, 12));
    rig.press_keys("PgDn PgDn PgDn");
    assert_eq!(rig.app.workspace.current_buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
    // The last entry with a row counts as the last, though others are folded into it.
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::WheelUp,
        at: Position::new(30, 5),
    });
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::WheelDown,
        at: Position::new(30, 5),
    });
    assert_eq!(rig.app.workspace.current_buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
}

#[test]
fn key_toggles_folded_run() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "one");
    rig.send_membership_lines("JOIN #lobby", &nicks(0, 3));
    rig.send_membership_lines("PART #lobby :tea is ready", &nicks(1, 2));
    rig.send_membership_lines("QUIT :the train comes", &nicks(2, 3));
    rig.receive_message("bob", "#lobby", "a2", "two");
    let folded = rig.render(120, 24);
    assert!(folded.contains("▸  → m0 joined  ↔ m1, m2 joined and left") && !folded.contains("tea"));
    rig.press_keys("Alt-Up Alt-Up");
    assert!(rig.render(120, 24).contains("Enter expand/collapse"));
    rig.press_keys("Enter");
    let open = rig.render(120, 24);
    for row in ["▾  → m0 joined", "→ m1 joined", "← m1 left (tea is ready)", "← m2 quit (the train comes)"]
    {
        assert!(open.contains(row), "{row} in\n{open}");
    }
    rig.press_keys("y");
    let copied = rig.app.workspace.effects.pop();
    assert!(
        matches!(&copied, Some(ScreenEffect::Copy(text)) if text.lines().count() == 5 && text.contains("(tea is ready)")),
        "{copied:?}"
    );
    rig.press_keys("Alt-Up Alt-Up Space");
    assert!(!rig.render(120, 24).contains("tea is ready"));
    // A run of joins has nothing to reply to.
    rig.press_keys("r");
    assert!(rig.render(120, 24).contains("not a message"));
    rig.press_keys("Space Esc Esc");
    assert!(rig.render(120, 24).contains("tea is ready"));
    assert_eq!(rig.app.workspace.draft().text(), "");
    rig.press_keys("Alt-Up Space");
    assert_eq!(rig.app.workspace.draft().text(), "", "a message is nothing to unfold");
    rig.press_keys("Enter");
    assert_eq!(rig.app.workspace.current_buffer().and_then(|buffer| buffer.reply_to.as_deref()), Some("a2"));
    // Later joins of an unfolded run are shown too.
    rig.send_membership_lines("JOIN #lobby", &nicks(5, 7));
    rig.press_keys("Alt-Up Space");
    rig.send_membership_lines("PART #lobby :again", &nicks(5, 6));
    assert!(rig.render(120, 24).contains("← m5 left (again)"));
    rig.press_keys("Space");
    assert!(rig.render(120, 24).contains("▸  → m6 joined  ↔ m5 joined and left"));
}

#[test]
fn click_toggles_folded_run() {
    let mut rig = TestScreen::new();
    for n in 0..30 {
        rig.receive_message("bob", "#lobby", &format!("a{n}"), &format!("before {n}"));
    }
    rig.send_membership_lines("JOIN #lobby", &nicks(0, 200));
    rig.send_membership_lines("PART #lobby :tea is ready", &nicks(0, 1));
    for n in 0..12 {
        rig.receive_message("bob", "#lobby", &format!("b{n}"), &format!("after {n}"));
    }
    let row = rig.row_containing("▸  → 199 joined");
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::Click,
        at: Position::new(40, row),
    });
    assert_eq!(rig.row_containing("▾  → 199 joined"), row, "the line stays where it is");
    assert_eq!(rig.row_containing("→ m0 joined"), row + 1);
    assert!(!rig.render(80, 24).contains("after 0"), "what follows makes room");
    assert_eq!(rig.app.workspace.selection(), None);
    // A click on any row of the run folds it again.
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::Click,
        at: Position::new(40, row + 3),
    });
    assert_eq!(rig.row_containing("▸  → 199 joined"), row);
    assert!(rig.render(80, 24).contains("after 11"));
    // A short run fits the screen, and the scroll position stays at the latest.
    rig.send_membership_lines("JOIN #lobby", &nicks(300, 303));
    let row = rig.row_containing("▸  → m300, m301, m302 joined");
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::Click,
        at: Position::new(40, row),
    });
    assert!(rig.render(80, 24).contains("→ m302 joined"));
    assert_eq!(rig.app.workspace.current_buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
    rig.handle_terminal_event(TerminalEvent::Mouse {
        action: MouseAction::Click,
        at: Position::new(40, row),
    });
    assert!(rig.render(40, 12).contains("▸ → m300, m301, m302 joined"));
}

#[test]
fn scrolls_through_unfolded_run() {
    let mut rig = TestScreen::new();
    rig.receive_message("bob", "#lobby", "a1", "one");
    rig.send_membership_lines("JOIN #lobby", &nicks(0, 600));
    rig.render(80, 24);
    for _ in 0..3 {
        rig.press_keys("Alt-Up Enter Esc");
    }
    for _ in 0..80 {
        rig.press_keys("PgUp");
    }
    assert!(rig.render(80, 24).contains("one"), "{}", rig.render(80, 24));
    for _ in 0..80 {
        rig.press_keys("PgDn");
    }
    assert!(rig.render(80, 24).contains("→ m599 joined"));
    assert_eq!(rig.app.workspace.current_buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
}
