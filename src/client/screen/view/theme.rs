//! Colour themes, for dark and light backgrounds and for each colour depth.

use ratatui::style::{Color, Modifier, Style};

/// Colour depth of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// No colours (`NO_COLOR`): bold, dim, underlined and reversed only.
    NoColour,
    /// The 16 ANSI colours, in the shades of the user's palette.
    Sixteen,
    /// The 256 colours of xterm.
    Palette,
    /// 24-bit colours.
    True,
}

/// Background of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Background {
    /// Dark background, light text.
    Dark,
    /// Light background, dark text.
    Light,
}

/// Role of a text on the screen, which determines its style.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Colour theme of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colour depth of the terminal.
    pub depth: Depth,
    /// Background of the terminal.
    pub background: Background,
}

impl Theme {
    /// Returns the style of a role.
    pub fn style(self, role: Role) -> Style {
        let plain = Style::new();
        if self.depth == Depth::NoColour {
            return match role {
                Role::Text | Role::Bar | Role::Line => plain,
                Role::Dim | Role::Code => plain.add_modifier(Modifier::DIM),
                Role::Accent | Role::Alert | Role::Error | Role::Unread | Role::Success => {
                    plain.add_modifier(Modifier::BOLD)
                }
                Role::Link => plain.add_modifier(Modifier::UNDERLINED),
                Role::Selected | Role::Match => plain.add_modifier(Modifier::REVERSED),
            };
        }
        let dark = self.background == Background::Dark;
        let pick = |on_dark: (Color, u8, u32), on_light: (Color, u8, u32)| {
            let (sixteen, palette, rgb) = if dark { on_dark } else { on_light };
            match self.depth {
                Depth::True => from_hex(rgb),
                Depth::Palette => Color::Indexed(palette),
                _ => sixteen,
            }
        };
        let ink = |on_dark, on_light| plain.fg(pick(on_dark, on_light));
        match role {
            Role::Text => plain,
            Role::Dim => ink((Color::DarkGray, 244, 0x0080_8793), (Color::DarkGray, 243, 0x006f_7682)),
            Role::Line => ink((Color::DarkGray, 238, 0x003d_434f), (Color::Gray, 251, 0x00c9_ced6)),
            Role::Accent => ink((Color::Cyan, 80, 0x006c_c8d8), (Color::Blue, 25, 0x000b_62a8))
                .add_modifier(Modifier::BOLD),
            Role::Alert => ink((Color::LightMagenta, 213, 0x00f2_8fc6), (Color::Magenta, 162, 0x00b8_1f77))
                .add_modifier(Modifier::BOLD),
            Role::Success => ink((Color::Green, 114, 0x008c_cf7e), (Color::Green, 28, 0x002f_7d32)),
            Role::Error => ink((Color::LightRed, 203, 0x00f0_716b), (Color::Red, 160, 0x00c0_2b2b)),
            Role::Link => ink((Color::LightBlue, 111, 0x0082_b1ff), (Color::Blue, 26, 0x001b_5fc9))
                .add_modifier(Modifier::UNDERLINED),
            Role::Bar => match self.depth {
                // Reversed, because the user's palette is unknown.
                Depth::Sixteen => plain.add_modifier(Modifier::REVERSED),
                _ => plain
                    .bg(pick((Color::Black, 236, 0x0024_2831), (Color::Gray, 254, 0x00e8_ebf0)))
                    .fg(pick((Color::White, 252, 0x00d0_d4dc), (Color::Black, 236, 0x002a_2e36))),
            },
            Role::Selected => match self.depth {
                Depth::Sixteen => plain.add_modifier(Modifier::REVERSED),
                _ => plain.bg(pick((Color::Black, 238, 0x0034_3b49), (Color::Gray, 252, 0x00d5_ddea))),
            },
            Role::Unread => plain.add_modifier(Modifier::BOLD),
            Role::Code => match self.depth {
                Depth::Sixteen => ink((Color::Cyan, 0, 0), (Color::Blue, 0, 0)),
                _ => plain.bg(pick((Color::Black, 237, 0x002b_303b), (Color::Gray, 254, 0x00ec_eff3))),
            },
            Role::Match => plain
                .fg(Color::Black)
                .bg(pick((Color::Yellow, 221, 0x00e5_c05c), (Color::Yellow, 221, 0x00f3_d06a))),
        }
    }

    /// Returns the style of a nick. It depends on the nick only, in any case (ASCII).
    pub fn nick_style(self, nick: &str) -> Style {
        let hash = nick.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3)
        });
        // The lower bits of the hash (FNV-1a) follow the last letters. The shift mixes them, so that similar nicks
        // differ.
        let hash = usize::try_from((hash ^ (hash >> 29)) % 9973).unwrap_or(0);
        let style = Style::new().add_modifier(Modifier::BOLD);
        let dark = self.background == Background::Dark;
        match self.depth {
            Depth::NoColour => style,
            Depth::Sixteen => {
                const DARK: [Color; 10] = [
                    Color::Red,
                    Color::Green,
                    Color::Yellow,
                    Color::Blue,
                    Color::Cyan,
                    Color::LightRed,
                    Color::LightGreen,
                    Color::LightYellow,
                    Color::LightBlue,
                    Color::LightCyan,
                ];
                const LIGHT: [Color; 5] =
                    [Color::Red, Color::Green, Color::Blue, Color::Magenta, Color::Cyan];
                style.fg(if dark { DARK[hash % DARK.len()] } else { LIGHT[hash % LIGHT.len()] })
            }
            Depth::Palette => {
                const DARK: [u8; 16] =
                    [39, 43, 76, 79, 104, 110, 114, 141, 149, 167, 173, 174, 179, 180, 205, 208];
                const LIGHT: [u8; 12] = [22, 24, 25, 28, 54, 61, 88, 90, 94, 125, 130, 132];
                style.fg(Color::Indexed(if dark {
                    DARK[hash % DARK.len()]
                } else {
                    LIGHT[hash % LIGHT.len()]
                }))
            }
            Depth::True => {
                let hue = (hash % 24) * 15;
                style.fg(if dark { from_hsl(hue, 58, 70) } else { from_hsl(hue, 70, 34) })
            }
        }
    }
}

fn from_hex(rgb: u32) -> Color {
    let [_, r, g, b] = rgb.to_be_bytes();
    Color::Rgb(r, g, b)
}

/// Converts a hue in degrees, and saturation and lightness in percent, to a colour.
fn from_hsl(hue: usize, saturation: usize, lightness: usize) -> Color {
    // Thousandths instead of fractions give the same result on every machine.
    let light = lightness * 10;
    let chroma = (1000 - (2 * light).abs_diff(1000)) * saturation / 100;
    let middle = chroma * (60 - (hue % 120).abs_diff(60)) / 60;
    let base = light - chroma / 2;
    let (red, green, blue) = match hue / 60 {
        0 => (chroma, middle, 0),
        1 => (middle, chroma, 0),
        2 => (0, chroma, middle),
        3 => (0, middle, chroma),
        4 => (middle, 0, chroma),
        _ => (chroma, 0, middle),
    };
    let byte = |part: usize| u8::try_from((part + base) * 255 / 1000).unwrap_or(u8::MAX);
    Color::Rgb(byte(red), byte(green), byte(blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nick_colour_is_stable() {
        for depth in [Depth::Sixteen, Depth::Palette, Depth::True] {
            for ground in [Background::Dark, Background::Light] {
                let theme = Theme { depth, background: ground };
                assert_eq!(theme.nick_style("Alice"), theme.nick_style("alice"));
                let names = ["alice", "bob", "carol", "dave", "eve", "frank", "grace", "heidi"];
                let mut colours: Vec<_> =
                    names.iter().map(|name| format!("{:?}", theme.nick_style(name).fg)).collect();
                colours.sort();
                colours.dedup();
                assert!(colours.len() >= 4, "{depth:?} {ground:?}: {colours:?}");
            }
        }
        let plain = Theme { depth: Depth::NoColour, background: Background::Dark };
        assert_eq!(plain.nick_style("alice").fg, None);
        for role in [Role::Text, Role::Dim, Role::Accent, Role::Alert, Role::Link, Role::Selected, Role::Bar]
        {
            let style = plain.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }
}
