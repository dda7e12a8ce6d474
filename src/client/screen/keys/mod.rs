//! Key bindings: one table, which the help is made from as well.

pub mod key;

use crate::client::screen::keys::key::Key;

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
    bind("Ctrl-K", Always, Action::Switch, "quick switcher: channels and people by name"),
    bind("Ctrl-F", Always, Action::Search, "search the history"),
    bind("Ctrl-N Ctrl-Down", Always, Action::Next, "next conversation"),
    bind("Ctrl-P Ctrl-Up", Always, Action::Previous, "previous conversation"),
    bind("Alt-a", Always, Action::Unread, "next unread conversation, mentions first"),
    bind("Alt-b", Always, Action::Back, "back to the conversation before"),
    bind("Alt-1", Always, Action::Number(1), "first conversation in the list; up to Alt-9"),
    bind("Alt-2", Always, Action::Number(2), ""),
    bind("Alt-3", Always, Action::Number(3), ""),
    bind("Alt-4", Always, Action::Number(4), ""),
    bind("Alt-5", Always, Action::Number(5), ""),
    bind("Alt-6", Always, Action::Number(6), ""),
    bind("Alt-7", Always, Action::Number(7), ""),
    bind("Alt-8", Always, Action::Number(8), ""),
    bind("Alt-9", Always, Action::Number(9), ""),
    bind("PgUp", Always, Action::PageUp, "scroll up; loads older messages"),
    bind("PgDn", Always, Action::PageDown, "scroll down"),
    bind("Alt-u", Always, Action::New, "first new message"),
    bind("Alt-End Ctrl-End", Always, Action::Latest, "latest message; also Esc"),
    bind("Alt-Home Ctrl-Home", Always, Action::Oldest, "oldest loaded message"),
    bind("F2", Always, Action::Places, "show or hide the list of conversations"),
    bind("F3", Always, Action::Members, "show or hide the members"),
    bind("F4", Always, Action::Bare, "messages only, to select text with the mouse"),
    bind("Ctrl-L", Always, Action::Redraw, "redraw the screen"),
    bind("Ctrl-Z", Always, Action::Suspend, "suspend; fg in the shell resumes"),
    bind("Ctrl-Q", Always, Action::Quit, "quit"),
    bind("Alt-Up", Always, Action::Above, "select a message; again for the one above"),
    bind("Alt-Down", Always, Action::Below, "select the one below"),
    bind("Up", Choosing, Action::Above, ""),
    bind("Down", Choosing, Action::Below, ""),
    bind("r", Choosing, Action::Reply, "reply to the selected message; also Enter"),
    bind("Enter", Choosing, Action::Take, ""),
    bind(
        "Space",
        Choosing,
        Action::Fold,
        "expand (▸) or collapse (▾) joins and leaves; also Enter, or a click",
    ),
    bind("e +", Choosing, Action::React, "react to it"),
    bind("d Del", Choosing, Action::Redact, "take it back; drops a message that failed"),
    bind("y c", Choosing, Action::Copy, "copy it"),
    bind("s", Choosing, Action::Again, "send a failed message again"),
    bind("Esc Alt-Esc", Always, Action::Escape, "cancel or close"),
    bind("Enter", Writing, Action::Enter, "send"),
    bind("Alt-Enter Ctrl-J Shift-Enter", Writing, Action::Newline, "a new line in the message"),
    bind("Tab", Writing, Action::Complete, "complete a name, #channel, /command or :emoji:"),
    bind("Shift-Tab", Writing, Action::CompleteBack, ""),
    bind("Up", Writing, Action::Up, "previous sent line"),
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
    bind("Ctrl-Y", Writing, Action::PutBack, "paste what was cut"),
    bind("Ctrl-C", Always, Action::Clear, "clear the line; twice on an empty line quits"),
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
    fn every_binding_parses_and_is_unique() {
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
