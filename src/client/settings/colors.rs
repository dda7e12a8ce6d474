//! Roles of the texts on the screen, and the colours that the user may give to each.

use std::fmt;
use std::str::FromStr;

/// Role of a text on the screen, which determines its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Text of a message.
    Text,
    /// Secondary text: times, events, hints.
    Dim,
    /// Border between panels, frame of a window.
    Line,
    /// Title, prompt, server name, own reaction.
    Accent,
    /// Call for attention: a mention, the line above new messages, a lost connection.
    Alert,
    /// Success, such as a working connection.
    Success,
    /// Failure, such as an unsent message.
    Error,
    /// URL in a message.
    Link,
    /// Topic bar and status bar.
    Bar,
    /// Selected message or item.
    Selected,
    /// Conversation with unread messages, and other emphasis.
    Unread,
    /// Match of a search.
    Match,
    /// Code in a message.
    Code,
}

/// Role with its texts in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleInfo {
    /// Role with the colour.
    pub role: Role,
    /// Name in the settings, behind `colors.`.
    pub name: &'static str,
    /// Texts that have the role.
    pub about: &'static str,
}

impl RoleInfo {
    const fn new(role: Role, name: &'static str, about: &'static str) -> Self {
        Self { role, name, about }
    }
}

impl Role {
    /// All roles, in their order.
    pub const ALL: [RoleInfo; 13] = [
        RoleInfo::new(Self::Text, "text", "text of messages"),
        RoleInfo::new(Self::Dim, "dim", "times, events, hints"),
        RoleInfo::new(Self::Line, "line", "borders and frames"),
        RoleInfo::new(Self::Accent, "accent", "titles, prompt, server names"),
        RoleInfo::new(Self::Alert, "alert", "mentions, the line above new messages, a lost connection"),
        RoleInfo::new(Self::Success, "success", "a working connection"),
        RoleInfo::new(Self::Error, "error", "failures"),
        RoleInfo::new(Self::Link, "link", "links in messages"),
        RoleInfo::new(Self::Bar, "bar", "topic bar and status bar"),
        RoleInfo::new(Self::Selected, "selected", "the selected message or item"),
        RoleInfo::new(Self::Unread, "unread", "conversations with unread messages"),
        RoleInfo::new(Self::Match, "match", "matches of a search"),
        RoleInfo::new(Self::Code, "code", "code in messages"),
    ];

    /// Returns the role with a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|info| info.name == name).map(|info| info.role)
    }
}

/// Names of the 16 colours of the terminal's palette, in their order.
pub const COLOR_NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "white",
    "bright-black",
    "bright-red",
    "bright-green",
    "bright-yellow",
    "bright-blue",
    "bright-magenta",
    "bright-cyan",
    "bright-white",
];

/// Colour that the user chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// The terminal's own text or background colour.
    Default,
    /// One of [`COLOR_NAMES`], by its index.
    Named(u8),
    /// One of the 256 colours of xterm.
    Indexed(u8),
    /// Red, green and blue.
    Rgb(u8, u8, u8),
}

/// Colours of a role: `COLOUR`, `on COLOUR` or `COLOUR on COLOUR`, or `theme` for those of the theme.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleColors {
    /// Colour of the text; `None` for that of the theme.
    pub text: Option<Color>,
    /// Colour of the background; `None` for that of the theme.
    pub background: Option<Color>,
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        if lower == "default" {
            return Ok(Self::Default);
        }
        if let Some(at) = COLOR_NAMES.iter().position(|name| *name == lower) {
            return Ok(Self::Named(u8::try_from(at).unwrap_or(0)));
        }
        if let Some(hex) = lower.strip_prefix('#')
            && hex.len() == 6
            && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
            && let Ok(rgb) = u32::from_str_radix(hex, 16)
        {
            let [_, red, green, blue] = rgb.to_be_bytes();
            return Ok(Self::Rgb(red, green, blue));
        }
        lower.parse().map(Self::Indexed).map_err(|_| {
            let shown: String = text.chars().take(20).collect();
            format!(
                "{shown} is no colour: write a name such as bright-blue, a number from 0 to 255, or #rrggbb"
            )
        })
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Named(at) => f.write_str(COLOR_NAMES[usize::from(*at) % COLOR_NAMES.len()]),
            Self::Indexed(at) => write!(f, "{at}"),
            Self::Rgb(red, green, blue) => write!(f, "#{red:02x}{green:02x}{blue:02x}"),
        }
    }
}

impl FromStr for RoleColors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        Ok(match words[..] {
            ["theme"] => Self::default(),
            ["on", background] => Self { text: None, background: Some(background.parse()?) },
            [text] => Self { text: Some(text.parse()?), background: None },
            [text, "on", background] => {
                Self { text: Some(text.parse()?), background: Some(background.parse()?) }
            }
            _ => return Err("write COLOUR, on COLOUR, COLOUR on COLOUR, or theme".to_owned()),
        })
    }
}

impl fmt::Display for RoleColors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.text, self.background) {
            (None, None) => f.write_str("theme"),
            (Some(text), None) => write!(f, "{text}"),
            (None, Some(background)) => write!(f, "on {background}"),
            (Some(text), Some(background)) => write!(f, "{text} on {background}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_parse_and_print() {
        for (text, printed) in [
            ("theme", "theme"),
            ("bright-blue", "bright-blue"),
            ("Default", "default"),
            ("208", "208"),
            ("#12aBff", "#12abff"),
            ("on 7", "on 7"),
            ("black on #ffff00", "black on #ffff00"),
        ] {
            let colors: RoleColors = text.parse().expect(text);
            assert_eq!(colors.to_string(), printed);
        }
        for text in ["256", "-1", "#12345", "#gggggg", "rot", "on", "red on", "red blue", "", "#+12345"] {
            assert!(text.parse::<RoleColors>().is_err(), "{text}");
        }
    }

    #[test]
    fn role_names_are_complete_and_unique() {
        for (at, RoleInfo { role, name, .. }) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role as usize, at, "in the order of the enumeration");
            assert_eq!(Role::named(name), Some(role));
        }
        assert_eq!(Role::named("nothing"), None);
    }
}
