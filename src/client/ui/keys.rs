//! Key bindings: one table, which the help is made from as well.

use super::key::Key;

/// Action that a key triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens the help.
    Help,
    /// Opens the quick switcher.
    Switch,
    /// Opens the search.
    Search,
    /// Switches to the next conversation in the list.
    Next,
    /// Switches to the previous conversation in the list.
    Previous,
    /// Switches to the next conversation with unread messages, mentions first.
    Unread,
    /// Switches to the conversation that was on the screen before.
    Back,
    /// Switches to the conversation with this number in the list, from 1.
    Number(u8),
    /// Scrolls up by half a screen.
    PageUp,
    /// Scrolls down by half a screen.
    PageDown,
    /// Scrolls to the first new message.
    New,
    /// Scrolls to the latest message.
    Latest,
    /// Scrolls to the oldest loaded message.
    Oldest,
    /// Shows or hides the list of conversations.
    Places,
    /// Shows or hides the members.
    Members,
    /// Hides or shows everything but the messages, so that the mouse can select their text.
    Bare,
    /// Redraws the screen.
    Redraw,
    /// Suspends the process until the shell resumes it.
    Suspend,
    /// Quits the client.
    Quit,
    /// Clears the composer, or the selection.
    Clear,
    /// Clears the selection, the pending reply or the scroll position, or closes a window.
    Escape,
    /// Selects a message, or the one above.
    Above,
    /// Selects the message below.
    Below,
    /// Sends the message.
    Enter,
    /// Inserts a line break.
    Newline,
    /// Completes the word.
    Complete,
    /// Goes back to the previous completion.
    CompleteBack,
    /// Moves a line up, or recalls an older sent line.
    Up,
    /// Moves a line down, or recalls a newer sent line.
    Down,
    /// Moves a character to the left.
    Left,
    /// Moves a character to the right.
    Right,
    /// Moves a word to the left.
    WordLeft,
    /// Moves a word to the right.
    WordRight,
    /// Moves to the start of the line.
    Home,
    /// Moves to the end of the line.
    End,
    /// Removes the character before the cursor.
    Backspace,
    /// Removes the character behind the cursor.
    Delete,
    /// Cuts the word before the cursor.
    CutWord,
    /// Cuts to the start of the line.
    CutToStart,
    /// Cuts to the end of the line.
    CutToEnd,
    /// Inserts the text of the last cut.
    PutBack,
    /// Replies to the selected message.
    Reply,
    /// Opens the list of reactions for the selected message.
    React,
    /// Redacts the selected message, or drops one that failed.
    Redact,
    /// Copies the selected message.
    Copy,
    /// Sends the selected message again, if it failed.
    Again,
    /// Replies to the selected message, or unfolds or folds the selected run of joins and leaves.
    Take,
    /// Unfolds or folds the selected run of joins and leaves.
    Fold,
}

/// Mode in which a binding applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Applies in all modes.
    Always,
    /// No message is selected.
    Writing,
    /// A message is selected.
    Choosing,
}

/// Entry of [`KEYS`].
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Names of the keys, separated by spaces. Any one of them triggers the action.
    pub keys: &'static str,
    /// Mode in which the keys apply.
    pub when: When,
    /// Action of the keys.
    pub action: Action,
    /// Description for the help; empty for an action that the help leaves out.
    pub does: &'static str,
}

const fn bind(keys: &'static str, when: When, action: Action, does: &'static str) -> Binding {
    Binding { keys, when, action, does }
}

use When::{Always, Choosing, Writing};

/// All key bindings.
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

/// Returns the action of a key in a mode.
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
