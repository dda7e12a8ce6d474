//! Keys as a terminal tells of them, and as people write them: `Ctrl-K`, `Alt-Up`, `PgUp`, `?`.

use std::fmt;
use std::str::FromStr;

/// A key without what is held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// A character, as typed.
    Char(char),
    /// A function key.
    F(u8),
    /// Named as on the keyboard.
    Enter,
    /// Named as on the keyboard.
    Esc,
    /// Named as on the keyboard.
    Tab,
    /// Named as on the keyboard.
    Backspace,
    /// Named as on the keyboard.
    Delete,
    /// Named as on the keyboard.
    Left,
    /// Named as on the keyboard.
    Right,
    /// Named as on the keyboard.
    Up,
    /// Named as on the keyboard.
    Down,
    /// Named as on the keyboard.
    Home,
    /// Named as on the keyboard.
    End,
    /// Named as on the keyboard.
    PageUp,
    /// Named as on the keyboard.
    PageDown,
}

/// A key with what is held with it. Shift counts only where it does not make another character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Which.
    pub code: Code,
    /// Ctrl is held.
    pub ctrl: bool,
    /// Alt is held.
    pub alt: bool,
    /// Shift is held.
    pub shift: bool,
}

/// What the terminal tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// The mouse did something at a column and a row.
    Mouse(Mouse, u16, u16),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Somebody looks at the terminal, or at something else.
    Focus(bool),
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button.
    Click,
    /// The wheel.
    WheelUp,
    /// The wheel.
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

impl Key {
    /// A key with nothing held.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }
}

/// Nothing that is a key's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such key")]
pub struct NoKey;

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut key = Self::plain(Code::Esc);
        let mut rest = text;
        loop {
            if let Some(more) = rest.strip_prefix("Ctrl-") {
                (key.ctrl, rest) = (true, more);
            } else if let Some(more) = rest.strip_prefix("Alt-") {
                (key.alt, rest) = (true, more);
            } else if let Some(more) = rest.strip_prefix("Shift-") {
                (key.shift, rest) = (true, more);
            } else {
                break;
            }
        }
        let named = NAMES.iter().find(|(name, _)| *name == rest).map(|(_, code)| *code);
        let function = || rest.strip_prefix('F')?.parse().ok().map(Code::F);
        let mut chars = rest.chars();
        key.code = match (named.or_else(function), chars.next(), chars.next()) {
            (Some(code), ..) => code,
            // With Ctrl the case does not matter, and is written large.
            (None, Some(c), None) if key.ctrl => Code::Char(c.to_ascii_lowercase()),
            (None, Some(c), None) => Code::Char(c),
            _ => return Err(NoKey),
        };
        Ok(key)
    }
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
    fn names_read_back() {
        for name in ["Ctrl-K", "Alt-Up", "PgUp", "?", "F1", "Ctrl-Alt-x", "Shift-Tab", "Alt-.", "Space"] {
            if let Ok(key) = name.parse::<Key>() {
                assert_eq!(key.to_string().to_lowercase(), name.to_lowercase());
            } else {
                panic!("{name}");
            }
        }
        assert_eq!("Hyper-x".parse::<Key>(), Err(NoKey));
    }
}
