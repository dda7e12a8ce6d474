//! Folding and unfolding of joins and leaves.

use super::super::buffer::Scroll;
use super::*;
use crate::client::screen::keys::key::Mouse;

impl Rig {
    /// Sends a command from each of these nicks.
    fn moves(&mut self, what: &str, names: &[String]) {
        for name in names {
            self.clock += 10;
            self.lines(&[&format!("@time={} :{name}!u@parlour {what}", Millis(self.clock))]);
        }
    }

    /// Returns the row of the screen that contains a text.
    #[track_caller]
    fn row_of(&mut self, part: &str) -> u16 {
        let screen = self.screen(80, 24);
        let row = screen.lines().position(|row| row.contains(part));
        row.and_then(|row| u16::try_from(row).ok()).unwrap_or_else(|| panic!("no {part:?} in\n{screen}"))
    }
}

fn people(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!("m{n}")).collect()
}

#[test]
fn joins_and_leaves_fold_into_one_row() {
    let mut rig = Rig::new();
    rig.says("bob", "#lobby", "a1", "one");
    let few = people(0, 5);
    rig.moves("JOIN #lobby", &few[..1]);
    rig.moves("PART #lobby :tea is ready", &few[..1]);
    rig.moves("JOIN #lobby", &few);
    rig.moves("QUIT :gone", &few[1..2]);
    let line = "→ m0, m2, m3, m4 joined  ↔ m1 joined and left";
    assert!(rig.screen(100, 24).contains(line), "{}", rig.screen(100, 24));
    rig.says("bob", "#lobby", "a2", "two");
    rig.moves("PART #lobby :tea is ready", &few[..1]);
    assert!(rig.screen(100, 24).contains("← m0 left (tea is ready)"), "one keeps its words");
    rig.says("bob", "#lobby", "a3", "three");
    rig.moves("QUIT :gone", &people(2, 5));
    rig.moves("JOIN #lobby", &people(2, 4));
    rig.moves("PART #lobby :home", &people(3, 4));
    let line = "↔ m2 rejoined  ← m3 left  ← m4 quit";
    assert!(rig.screen(100, 24).contains(line), "{}", rig.screen(100, 24));
    rig.says("bob", "#lobby", "a4", "four");
    let many: Vec<String> = (0..60).map(|n| format!("somebody{n}")).collect();
    rig.moves("JOIN #lobby", &many);
    rig.moves("PART #lobby", &many[..1]);
    let screen = rig.screen(80, 24);
    assert!(screen.contains("→ 59 joined  ↔ somebody0 joined and left"), "{screen}");
    let rows = screen.lines().filter(|row| row.contains(" joined") || row.contains(" left")).count();
    assert_eq!(rows, 4, "{screen}");
}

#[test]
fn restored_member_status_is_not_shown() {
    let mut rig = Rig::new();
    rig.lines(&[
        ":bob!u@parlour QUIT :gone",
        ":bob!u@parlour JOIN #lobby",
        ":chat.parlour MODE #lobby +q bob",
    ]);
    let screen = rig.screen(140, 24);
    assert!(screen.contains("↔ bob rejoined") && screen.contains("~bob"), "{screen}");
    assert!(!screen.contains("set mode"), "{screen}");
    rig.lines(&[
        ":chat.parlour MODE #lobby +m",
        ":chat.parlour MODE #lobby -q bob",
        ":carol!u@p MODE #lobby +o bob",
    ]);
    let screen = rig.screen(140, 24);
    for row in ["chat.parlour set mode +m", "chat.parlour set mode -q bob", "carol set mode +o bob"] {
        assert!(screen.contains(row), "{row} in\n{screen}");
    }
}

#[test]
fn scrolls_over_folded_run() {
    let mut rig = Rig::new();
    for n in 0..40 {
        rig.says("bob", "#lobby", &format!("a{n}"), &format!("before {n}"));
    }
    for n in 0..600 {
        rig.clock += 10;
        rig.lines(&[&format!("@time={} :m{n}!u@parlour JOIN #lobby", Millis(rig.clock))]);
    }
    assert!(rig.screen(80, 12).contains("before 39"));
    rig.keys("PgUp PgUp");
    assert!(rig.screen(80, 12).contains("before 30"), "{}", rig.screen(80, 12));
    rig.keys("PgDn PgDn PgDn");
    assert_eq!(rig.app.buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
    // The last entry with a row counts as the last, though others are folded into it.
    rig.happens(Happening::Mouse(Mouse::WheelUp, 30, 5));
    rig.happens(Happening::Mouse(Mouse::WheelDown, 30, 5));
    assert_eq!(rig.app.buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
}

#[test]
fn key_toggles_folded_run() {
    let mut rig = Rig::new();
    rig.says("bob", "#lobby", "a1", "one");
    rig.moves("JOIN #lobby", &people(0, 3));
    rig.moves("PART #lobby :tea is ready", &people(1, 2));
    rig.moves("QUIT :the train comes", &people(2, 3));
    rig.says("bob", "#lobby", "a2", "two");
    let folded = rig.screen(120, 24);
    assert!(folded.contains("▸  → m0 joined  ↔ m1, m2 joined and left") && !folded.contains("tea"));
    rig.keys("Alt-Up Alt-Up");
    assert!(rig.screen(120, 24).contains("Enter expand/collapse"));
    rig.keys("Enter");
    let open = rig.screen(120, 24);
    for row in ["▾  → m0 joined", "→ m1 joined", "← m1 left (tea is ready)", "← m2 quit (the train comes)"]
    {
        assert!(open.contains(row), "{row} in\n{open}");
    }
    rig.keys("y");
    let copied = rig.app.effects.pop();
    assert!(
        matches!(&copied, Some(Effect::Copy(text)) if text.lines().count() == 5 && text.contains("(tea is ready)")),
        "{copied:?}"
    );
    rig.keys("Alt-Up Alt-Up Space");
    assert!(!rig.screen(120, 24).contains("tea is ready"));
    // A run of joins has nothing to reply to.
    rig.keys("r");
    assert!(rig.screen(120, 24).contains("not a message"));
    rig.keys("Space Esc Esc");
    assert!(rig.screen(120, 24).contains("tea is ready"));
    assert_eq!(rig.app.editor().text(), "");
    rig.keys("Alt-Up Space");
    assert_eq!(rig.app.editor().text(), "", "a message is nothing to unfold");
    rig.keys("Enter");
    assert_eq!(rig.app.buffer().and_then(|buffer| buffer.reply.as_deref()), Some("a2"));
    // Later joins of an unfolded run are shown too.
    rig.moves("JOIN #lobby", &people(5, 7));
    rig.keys("Alt-Up Space");
    rig.moves("PART #lobby :again", &people(5, 6));
    assert!(rig.screen(120, 24).contains("← m5 left (again)"));
    rig.keys("Space");
    assert!(rig.screen(120, 24).contains("▸  → m6 joined  ↔ m5 joined and left"));
}

#[test]
fn click_toggles_folded_run() {
    let mut rig = Rig::new();
    for n in 0..30 {
        rig.says("bob", "#lobby", &format!("a{n}"), &format!("before {n}"));
    }
    rig.moves("JOIN #lobby", &people(0, 200));
    rig.moves("PART #lobby :tea is ready", &people(0, 1));
    for n in 0..12 {
        rig.says("bob", "#lobby", &format!("b{n}"), &format!("after {n}"));
    }
    let row = rig.row_of("▸  → 199 joined");
    rig.happens(Happening::Mouse(Mouse::Click, 40, row));
    assert_eq!(rig.row_of("▾  → 199 joined"), row, "the line stays where it is");
    assert_eq!(rig.row_of("→ m0 joined"), row + 1);
    assert!(!rig.screen(80, 24).contains("after 0"), "what follows makes room");
    assert_eq!(rig.app.chosen, None);
    // A click on any row of the run folds it again.
    rig.happens(Happening::Mouse(Mouse::Click, 40, row + 3));
    assert_eq!(rig.row_of("▸  → 199 joined"), row);
    assert!(rig.screen(80, 24).contains("after 11"));
    // A short run fits the screen, and the scroll position stays at the latest.
    rig.moves("JOIN #lobby", &people(300, 303));
    let row = rig.row_of("▸  → m300, m301, m302 joined");
    rig.happens(Happening::Mouse(Mouse::Click, 40, row));
    assert!(rig.screen(80, 24).contains("→ m302 joined"));
    assert_eq!(rig.app.buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
    rig.happens(Happening::Mouse(Mouse::Click, 40, row));
    assert!(rig.screen(40, 12).contains("▸ → m300, m301, m302 joined"));
}

#[test]
fn scrolls_through_unfolded_run() {
    let mut rig = Rig::new();
    rig.says("bob", "#lobby", "a1", "one");
    rig.moves("JOIN #lobby", &people(0, 600));
    rig.screen(80, 24);
    for _ in 0..3 {
        rig.keys("Alt-Up Enter Esc");
    }
    for _ in 0..80 {
        rig.keys("PgUp");
    }
    assert!(rig.screen(80, 24).contains("one"), "{}", rig.screen(80, 24));
    for _ in 0..80 {
        rig.keys("PgDn");
    }
    assert!(rig.screen(80, 24).contains("→ m599 joined"));
    assert_eq!(rig.app.buffer().map(|buffer| buffer.scroll), Some(Scroll::Bottom));
}
