//! Key bindings: one table of the default keys, and the map of the keys that the user chose.

pub mod key;
pub mod keymap;
mod texts;

/// Effect of the key that closes a window, at the end of the window's title.
pub const CLOSES: &str = "closes";

/// Action that a key triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens the help.
    Help,
    /// Opens the quick switcher, which finds conversations, channels, accounts and commands.
    QuickSwitcher,
    /// Opens the channel browser.
    Channels,
    /// Opens the list of mentions and answers.
    Mentions,
    /// Opens the search.
    Search,
    /// Switches to the next conversation in the list.
    NextConversation,
    /// Switches to the previous conversation in the list.
    PreviousConversation,
    /// Switches to the next conversation with unread messages, mentions first.
    NextUnread,
    /// Switches to the conversation that was on the screen before.
    LastShown,
    /// Switches to the conversation with this number in the list, from 1.
    Conversation(u8),
    /// Scrolls up by half a screen.
    PageUp,
    /// Scrolls down by half a screen.
    PageDown,
    /// Scrolls to the first new message.
    FirstNew,
    /// Scrolls to the latest message.
    Latest,
    /// Scrolls to the oldest loaded message.
    Oldest,
    /// Shows or hides the list of conversations.
    ToggleConversations,
    /// Shows or hides the members.
    ToggleMembers,
    /// Hides or shows everything but the messages, so that the mouse can select their text.
    ToggleMessagesOnly,
    /// Shows the text of messages as written, or formatted again.
    ToggleRawText,
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
    SelectAbove,
    /// Selects the message below.
    SelectBelow,
    /// Sends the message.
    Enter,
    /// Inserts a line break.
    Newline,
    /// Completes the word.
    CompleteNext,
    /// Goes back to the previous completion.
    CompletePrevious,
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
    Yank,
    /// Replies to the selected message.
    Reply,
    /// Opens the list of reactions for the selected message.
    React,
    /// Redacts the selected message, cancels one that waits, or drops one that failed.
    Redact,
    /// Undoes that the selected message is taken back, while its redaction is held back.
    Undo,
    /// Opens the thread of the selected message.
    Thread,
    /// Pins the selected message, or unpins it.
    Pin,
    /// Bookmarks the selected message, or takes the bookmark away.
    Bookmark,
    /// Saves the files of the selected message.
    Save,
    /// Shows the pictures of the selected message.
    View,
    /// Copies the selected message.
    Copy,
    /// Sends the selected message again, if it failed.
    Resend,
    /// Replies to the selected message, or unfolds or folds the selected run of joins and leaves.
    ReplyOrFold,
    /// Unfolds or folds the selected run of joins and leaves.
    ToggleFold,
}

/// Mode in which a binding applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMode {
    /// Applies in all modes.
    Always,
    /// No message is selected.
    Composing,
    /// A message is selected.
    Selecting,
}

/// Entry of [`BINDINGS`].
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Names of the keys, separated by spaces. Any one of them triggers the action.
    pub keys: &'static str,
    /// Mode in which the keys apply.
    pub mode: KeyMode,
    /// Action of the keys.
    pub action: Action,
    /// Description for the help; empty for an action that the help leaves out. The name of another action in braces
    /// stands for its key, and the clause of one without a key is left out.
    pub description: &'static str,
}

const fn bind(keys: &'static str, mode: KeyMode, action: Action, description: &'static str) -> Binding {
    Binding { keys, mode, action, description }
}

use KeyMode::{Always, Composing, Selecting};

/// All key bindings.
pub const BINDINGS: &[Binding] = &[
    bind("F1", Always, Action::Help, "this help; also ? on an empty line"),
    bind("Ctrl-K", Always, Action::QuickSwitcher, "go anywhere: conversations, channels, people, commands"),
    bind("Alt-l", Always, Action::Channels, "all channels; Enter joins one"),
    bind("Alt-m", Always, Action::Mentions, "mentions of you and answers to you, on all servers"),
    bind("Ctrl-F", Always, Action::Search, "search the history"),
    bind("Ctrl-N Ctrl-Down", Always, Action::NextConversation, "next conversation"),
    bind("Ctrl-P Ctrl-Up", Always, Action::PreviousConversation, "previous conversation"),
    bind("Alt-a", Always, Action::NextUnread, "next unread conversation, mentions first"),
    bind("Alt-b", Always, Action::LastShown, "back to the conversation before"),
    bind("Alt-1", Always, Action::Conversation(1), "first conversation in the list; up to {conversation_9}"),
    bind("Alt-2", Always, Action::Conversation(2), ""),
    bind("Alt-3", Always, Action::Conversation(3), ""),
    bind("Alt-4", Always, Action::Conversation(4), ""),
    bind("Alt-5", Always, Action::Conversation(5), ""),
    bind("Alt-6", Always, Action::Conversation(6), ""),
    bind("Alt-7", Always, Action::Conversation(7), ""),
    bind("Alt-8", Always, Action::Conversation(8), ""),
    bind("Alt-9", Always, Action::Conversation(9), ""),
    bind("PgUp", Always, Action::PageUp, "scroll up; loads older messages"),
    bind("PgDn", Always, Action::PageDown, "scroll down"),
    bind("Alt-u", Always, Action::FirstNew, "first new message"),
    bind("Alt-End Ctrl-End", Always, Action::Latest, "latest message; also {escape}"),
    bind("Alt-Home Ctrl-Home", Always, Action::Oldest, "oldest loaded message"),
    bind("F2", Always, Action::ToggleConversations, "show or hide the list of conversations"),
    bind("F3", Always, Action::ToggleMembers, "show or hide the members"),
    bind("F4", Always, Action::ToggleMessagesOnly, "messages only, to select text with the mouse"),
    bind("Alt-r", Always, Action::ToggleRawText, "messages as written, or formatted"),
    bind("Ctrl-L", Always, Action::Redraw, "redraw the screen"),
    bind("Ctrl-Z", Always, Action::Suspend, "suspend; fg in the shell resumes"),
    bind("Ctrl-Q", Always, Action::Quit, "quit"),
    bind("Alt-Up", Always, Action::SelectAbove, "select a message; again for the one above"),
    bind("Alt-Down", Always, Action::SelectBelow, "select the one below"),
    bind("Up", Selecting, Action::SelectAbove, ""),
    bind("Down", Selecting, Action::SelectBelow, ""),
    bind("r", Selecting, Action::Reply, "reply to the selected message; also {reply_or_fold}"),
    bind("Enter", Selecting, Action::ReplyOrFold, ""),
    bind(
        "Space",
        Selecting,
        Action::ToggleFold,
        "expand (▸) or collapse (▾) joins and leaves; also a click; also {reply_or_fold}",
    ),
    bind("e +", Selecting, Action::React, "react to it"),
    bind("d Del", Selecting, Action::Redact, "take it back; a message that waits or failed is not sent"),
    bind("u", Selecting, Action::Undo, "undo that, for ten seconds"),
    bind("t", Selecting, Action::Thread, "open its thread: the message and its answers"),
    bind("p", Selecting, Action::Pin, "pin it for everybody in the channel, or unpin it"),
    bind("b", Selecting, Action::Bookmark, "bookmark it for yourself, or not any more"),
    bind("o", Selecting, Action::Save, "save its files in the folder of downloads"),
    bind("v", Selecting, Action::View, "view its pictures, where the terminal can show them"),
    bind("y c", Selecting, Action::Copy, "copy it"),
    bind("s", Selecting, Action::Resend, "send a failed message again"),
    bind("Esc Alt-Esc", Always, Action::Escape, "cancel or close"),
    bind("Enter", Composing, Action::Enter, "send"),
    bind("Alt-Enter Ctrl-J Shift-Enter", Composing, Action::Newline, "a new line in the message"),
    bind("Tab", Composing, Action::CompleteNext, "complete a name, #channel, /command or :emoji:"),
    bind("Shift-Tab", Composing, Action::CompletePrevious, ""),
    bind("Up", Composing, Action::Up, "previous sent line"),
    bind("Down", Composing, Action::Down, ""),
    bind("Left Ctrl-B", Composing, Action::Left, ""),
    bind("Right", Composing, Action::Right, ""),
    bind("Ctrl-Left Alt-Left", Composing, Action::WordLeft, "a word to the left"),
    bind("Ctrl-Right Alt-Right Alt-f", Composing, Action::WordRight, "a word to the right"),
    bind("Home Ctrl-A", Composing, Action::Home, "to the start of the line"),
    bind("End Ctrl-E", Composing, Action::End, "to its end"),
    bind("Backspace Ctrl-H", Composing, Action::Backspace, ""),
    bind("Del Ctrl-D", Composing, Action::Delete, ""),
    bind("Ctrl-W Alt-Backspace", Composing, Action::CutWord, "cut a word"),
    bind("Ctrl-U", Composing, Action::CutToStart, "cut to the start of the line"),
    bind("Alt-k", Composing, Action::CutToEnd, "cut to its end"),
    bind("Ctrl-Y", Composing, Action::Yank, "paste what was cut"),
    bind("Ctrl-C", Always, Action::Clear, "clear the line; twice on an empty line quits"),
];

#[cfg(test)]
mod tests {
    use super::key::Key;
    use super::keymap::KeyMap;
    use super::*;

    #[test]
    fn every_binding_parses_and_is_unique() {
        let mut seen = Vec::new();
        for binding in BINDINGS {
            for name in binding.keys.split(' ') {
                let key: Key = name.parse().expect(name);
                for when in [Composing, Selecting]
                    .into_iter()
                    .filter(|w| binding.mode == Always || binding.mode == *w)
                {
                    assert!(!seen.contains(&(key, when)), "{name} means two things");
                    seen.push((key, when));
                }
            }
        }
        let map = KeyMap::default();
        assert_eq!(map.find_action("Ctrl-K".parse().expect("a key"), Composing), Some(Action::QuickSwitcher));
        assert_eq!(map.find_action("r".parse().expect("a key"), Composing), None);
    }
}
