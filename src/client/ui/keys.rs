//! What the keys do: one table, from which the help is made too.

use super::key::Key;

/// Something that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens the help.
    Help,
    /// Opens the quick switcher.
    Switch,
    /// Opens the search.
    Search,
    /// The next place in the list.
    Next,
    /// The one before.
    Previous,
    /// The next place with something unread, mentions first.
    Unread,
    /// The place where one was before.
    Back,
    /// The place of this number.
    Number(u8),
    /// Half a screen up.
    PageUp,
    /// Half a screen down.
    PageDown,
    /// To what is new.
    New,
    /// To the latest.
    Latest,
    /// To the oldest that is loaded.
    Oldest,
    /// Shows or hides the list of places.
    Places,
    /// Shows or hides the members.
    Members,
    /// Nothing but what was said, for copying with the mouse.
    Bare,
    /// Draws everything anew.
    Redraw,
    /// Stops, until the shell lets it go on.
    Suspend,
    /// Ends the chat.
    Quit,
    /// Empties the line.
    Clear,
    /// Out of whatever one is in.
    Escape,
    /// Chooses a message, or the one above.
    Above,
    /// Chooses the message below.
    Below,
    /// Sends the line, or takes what is chosen.
    Enter,
    /// A new line in the text.
    Newline,
    /// Completes.
    Complete,
    /// The completion before.
    CompleteBack,
    /// A line up, or what was sent before.
    Up,
    /// A line down, or what was sent after.
    Down,
    /// Moves.
    Left,
    /// Moves.
    Right,
    /// Moves.
    WordLeft,
    /// Moves.
    WordRight,
    /// Moves.
    Home,
    /// Moves.
    End,
    /// Removes.
    Backspace,
    /// Removes.
    Delete,
    /// Cuts.
    CutWord,
    /// Cuts.
    CutToStart,
    /// Cuts.
    CutToEnd,
    /// Writes what was cut.
    PutBack,
    /// Answers the chosen message.
    Reply,
    /// Reacts to it.
    React,
    /// Takes it back.
    Redact,
    /// Copies it.
    Copy,
    /// Sends it again.
    Again,
    /// Answers it; comings and goings it unfolds or folds.
    Take,
    /// Shows each of the comings and goings, or folds them into a line.
    Fold,
}

/// Where keys mean this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Everywhere.
    Always,
    /// While one writes.
    Writing,
    /// While a message is chosen.
    Choosing,
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Any of these, with spaces between.
    pub keys: &'static str,
    /// Where.
    pub when: When,
    /// Does this.
    pub action: Action,
    /// In words; empty for what goes without saying.
    pub does: &'static str,
}

const fn bind(keys: &'static str, when: When, action: Action, does: &'static str) -> Binding {
    Binding { keys, when, action, does }
}

use When::{Always, Choosing, Writing};

/// All keys.
pub const KEYS: &[Binding] = &[
    bind("F1", Always, Action::Help, "this help; also ? on an empty line"),
    bind("Ctrl-K", Always, Action::Switch, "go to a channel or a person by a few letters of the name"),
    bind("Ctrl-F", Always, Action::Search, "search in what was said"),
    bind("Ctrl-N Ctrl-Down", Always, Action::Next, "next place"),
    bind("Ctrl-P Ctrl-Up", Always, Action::Previous, "previous place"),
    bind("Alt-a", Always, Action::Unread, "next place with something unread, mentions first"),
    bind("Alt-b", Always, Action::Back, "back to where you were"),
    bind("Alt-1", Always, Action::Number(1), "to the first place in the list; up to Alt-9"),
    bind("Alt-2", Always, Action::Number(2), ""),
    bind("Alt-3", Always, Action::Number(3), ""),
    bind("Alt-4", Always, Action::Number(4), ""),
    bind("Alt-5", Always, Action::Number(5), ""),
    bind("Alt-6", Always, Action::Number(6), ""),
    bind("Alt-7", Always, Action::Number(7), ""),
    bind("Alt-8", Always, Action::Number(8), ""),
    bind("Alt-9", Always, Action::Number(9), ""),
    bind("PgUp", Always, Action::PageUp, "back in time; more is fetched as you go"),
    bind("PgDn", Always, Action::PageDown, "forward again"),
    bind("Alt-u", Always, Action::New, "to the first message that is new"),
    bind("Alt-End Ctrl-End", Always, Action::Latest, "to the latest; also Esc"),
    bind("Alt-Home Ctrl-Home", Always, Action::Oldest, "to the oldest that is loaded"),
    bind("F2", Always, Action::Places, "show or hide the list of places"),
    bind("F3", Always, Action::Members, "show or hide the members"),
    bind("F4", Always, Action::Bare, "nothing but the text, for copying with the mouse"),
    bind("Ctrl-L", Always, Action::Redraw, "draw the screen anew"),
    bind("Ctrl-Z", Always, Action::Suspend, "back to the shell for a while; fg there goes on"),
    bind("Ctrl-Q", Always, Action::Quit, "end the chat"),
    bind("Alt-Up", Always, Action::Above, "choose a message; again for the one above"),
    bind("Alt-Down", Always, Action::Below, "choose the one below"),
    bind("Up", Choosing, Action::Above, ""),
    bind("Down", Choosing, Action::Below, ""),
    bind("r", Choosing, Action::Reply, "answer the chosen message; also Enter"),
    bind("Enter", Choosing, Action::Take, ""),
    bind(
        "Space",
        Choosing,
        Action::Fold,
        "▸ shows each who came and went, ▾ folds them; also Enter, or a click",
    ),
    bind("e +", Choosing, Action::React, "react to it"),
    bind("d Del", Choosing, Action::Redact, "take it back; where it was not sent, drop it"),
    bind("y c", Choosing, Action::Copy, "copy it"),
    bind("s", Choosing, Action::Again, "send it again, where that failed"),
    bind("Esc Alt-Esc", Always, Action::Escape, "out of whatever you are in"),
    bind("Enter", Writing, Action::Enter, "send"),
    bind("Alt-Enter Ctrl-J Shift-Enter", Writing, Action::Newline, "a new line in the message"),
    bind("Tab", Writing, Action::Complete, "complete a name, #channel, /command or :emoji:"),
    bind("Shift-Tab", Writing, Action::CompleteBack, ""),
    bind("Up", Writing, Action::Up, "what you wrote before"),
    bind("Down", Writing, Action::Down, ""),
    bind("Left Ctrl-B", Writing, Action::Left, ""),
    bind("Right", Writing, Action::Right, ""),
    bind("Ctrl-Left Alt-Left", Writing, Action::WordLeft, "a word to the left"),
    bind("Ctrl-Right Alt-Right Alt-f", Writing, Action::WordRight, "a word to the right"),
    bind("Home Ctrl-A", Writing, Action::Home, "to the start of the line"),
    bind("End Ctrl-E", Writing, Action::End, "to its end"),
    bind("Backspace Ctrl-H", Writing, Action::Backspace, ""),
    bind("Del Ctrl-D", Writing, Action::Delete, ""),
    bind("Ctrl-W Alt-Backspace", Writing, Action::CutWord, "cut a word"),
    bind("Ctrl-U", Writing, Action::CutToStart, "cut to the start of the line"),
    bind("Alt-k", Writing, Action::CutToEnd, "cut to its end"),
    bind("Ctrl-Y", Writing, Action::PutBack, "put back what was cut"),
    bind("Ctrl-C", Always, Action::Clear, "empty the line"),
];

/// What a key does here.
pub fn action(key: Key, when: When) -> Option<Action> {
    let means = |binding: &&Binding| {
        (binding.when == when || binding.when == Always)
            && binding.keys.split(' ').any(|name| name.parse() == Ok(key))
    };
    KEYS.iter().find(means).map(|binding| binding.action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_name_and_one_meaning() {
        let mut seen = Vec::new();
        for binding in KEYS {
            for name in binding.keys.split(' ') {
                let key: Key = name.parse().expect(name);
                for when in
                    [Writing, Choosing].into_iter().filter(|w| binding.when == Always || binding.when == *w)
                {
                    assert!(!seen.contains(&(key, when)), "{name} means two things");
                    seen.push((key, when));
                }
            }
        }
        assert_eq!(action("Ctrl-K".parse().expect("a key"), Writing), Some(Action::Switch));
        assert_eq!(action("r".parse().expect("a key"), Writing), None);
    }
}
