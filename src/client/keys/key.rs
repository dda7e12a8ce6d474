//! Keys with their modifiers, and their names: `Ctrl-K`, `Alt-Up`, `PgUp`, `?`.

use std::fmt;
use std::str::FromStr;

use ratatui::layout::{Position, Size};

/// Key without its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// Character that the key produces.
    Char(char),
    /// Function key, by its number.
    F(u8),
    /// Enter or Return key.
    Enter,
    /// The Escape key.
    Esc,
    /// The Tab key.
    Tab,
    /// The Backspace key.
    Backspace,
    /// The Delete key.
    Delete,
    /// The left arrow key.
    Left,
    /// The right arrow key.
    Right,
    /// The up arrow key.
    Up,
    /// The down arrow key.
    Down,
    /// The Home key.
    Home,
    /// The End key.
    End,
    /// The Page Up key.
    PageUp,
    /// The Page Down key.
    PageDown,
}

/// Key with its modifiers. Shift is set only where it does not change the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Key without its modifiers.
    pub code: Code,
    /// Ctrl is held.
    pub ctrl: bool,
    /// Alt is held.
    pub alt: bool,
    /// Shift is held.
    pub shift: bool,
}

/// Event of the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// Press or repeat of a key.
    Key(Key),
    /// Pasted text (bracketed paste).
    Paste(String),
    /// Click or turn of the wheel.
    Mouse {
        /// Kind of the event.
        action: MouseAction,
        /// Cell on the screen, from 0.
        at: Position,
    },
    /// New size of the terminal.
    Resize(Size),
    /// Focus gained (`true`) or lost.
    Focus(bool),
}

/// Kind of a mouse event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MouseAction {
    /// Press of the left button.
    Click,
    /// Wheel turned up.
    WheelUp,
    /// Wheel turned down.
    WheelDown,
}

const NAMES: &[(&str, Code)] = &[
    ("Enter", Code::Enter),
    ("Esc", Code::Esc),
    ("Tab", Code::Tab),
    ("Backspace", Code::Backspace),
    ("Del", Code::Delete),
    ("Left", Code::Left),
    ("Right", Code::Right),
    ("Up", Code::Up),
    ("Down", Code::Down),
    ("Home", Code::Home),
    ("End", Code::End),
    ("PgUp", Code::PageUp),
    ("PgDn", Code::PageDown),
    ("Space", Code::Char(' ')),
];

/// Names that are understood besides those that are shown.
const OTHER_NAMES: &[(&str, Code)] = &[
    ("Return", Code::Enter),
    ("Escape", Code::Esc),
    ("Delete", Code::Delete),
    ("PageUp", Code::PageUp),
    ("PageDown", Code::PageDown),
];

impl Key {
    /// Creates a key without modifiers.
    pub const fn from_code(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }
}

/// Error for a text that names no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such key")]
pub struct ParseKeyError;

impl FromStr for Key {
    type Err = ParseKeyError;

    /// Parses a name in any case; `+` may stand for the hyphen behind a modifier.
    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let mut key = Self::from_code(Code::Esc);
        let mut rest = text;
        while let Some((held, more)) = split_modifier(rest) {
            match held {
                "ctrl" | "control" => key.ctrl = true,
                "alt" | "meta" => key.alt = true,
                _ => key.shift = true,
            }
            rest = more;
        }
        let is = |name: &str| name.eq_ignore_ascii_case(rest);
        let named = NAMES.iter().chain(OTHER_NAMES).find(|(name, _)| is(name)).map(|(_, code)| *code);
        let function =
            || rest.strip_prefix(['F', 'f'])?.parse().ok().filter(|n| (1..=24).contains(n)).map(Code::F);
        let mut chars = rest.chars();
        key.code = match (named.or_else(function), chars.next(), chars.next()) {
            (Some(code), ..) => code,
            (None, Some(c), None) if c.is_control() => return Err(ParseKeyError),
            // With Ctrl the case makes no difference; names have the upper case.
            (None, Some(c), None) if key.ctrl => Code::Char(c.to_ascii_lowercase()),
            (None, Some(c), None) if key.shift => Code::Char(c.to_ascii_uppercase()),
            (None, Some(c), None) => Code::Char(c),
            _ => return Err(ParseKeyError),
        };
        // Shift is part of the character.
        key.shift &= !matches!(key.code, Code::Char(_));
        Ok(key)
    }
}

/// Splits the first modifier from a name: its name in lower case, and the rest.
fn split_modifier(text: &str) -> Option<(&'static str, &str)> {
    ["ctrl", "control", "alt", "meta", "shift"].into_iter().find_map(|name| {
        let (head, rest) = text.split_at_checked(name.len())?;
        let rest = rest.strip_prefix(['-', '+']).filter(|rest| !rest.is_empty())?;
        head.eq_ignore_ascii_case(name).then_some((name, rest))
    })
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "Ctrl-"), (self.alt, "Alt-"), (self.shift, "Shift-")] {
            if held {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            Code::Char(c) if self.ctrl => write!(f, "{}", c.to_ascii_uppercase()),
            Code::Char(c) => write!(f, "{c}"),
            Code::F(n) => write!(f, "F{n}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_names_parse_back() {
        for name in ["Ctrl-K", "Alt-Up", "PgUp", "?", "F1", "Ctrl-Alt-x", "Shift-Tab", "Alt-.", "Space"] {
            if let Ok(key) = name.parse::<Key>() {
                assert_eq!(key.to_string().to_lowercase(), name.to_lowercase());
            } else {
                panic!("{name}");
            }
        }
        for name in ["Hyper-x", "", "Ctrl-", "F0", "F99", "xy", "\u{1b}"] {
            assert_eq!(name.parse::<Key>(), Err(ParseKeyError), "{name:?}");
        }
    }

    #[test]
    fn key_names_are_understood_in_any_case() {
        for (name, shown) in [
            ("ctrl-k", "Ctrl-K"),
            ("CTRL+ALT+x", "Ctrl-Alt-X"),
            ("alt-pageup", "Alt-PgUp"),
            ("return", "Enter"),
            ("shift-a", "A"),
            ("shift-tab", "Shift-Tab"),
            ("Alt--", "Alt--"),
            ("f5", "F5"),
        ] {
            assert_eq!(name.parse::<Key>().map(|key| key.to_string()), Ok(shown.to_owned()), "{name}");
        }
    }
}
