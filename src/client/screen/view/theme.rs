//! Colour themes, for dark and light backgrounds and for each colour depth.

use std::sync::LazyLock;

use ratatui::style::{Color, Modifier, Style};

use super::contrast::{nearest_indexed, readable_hue};
use super::rgb::Rgb;
pub use crate::client::settings::colors::Role;
use crate::client::settings::colors::{self, RoleColors};
use crate::client::settings::{Settings, ThemeChoice};

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

/// Count of the hues of nicks on a terminal with 24-bit colours.
const NICK_HUES: usize = 24;

/// Colour theme of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colour depth of the terminal.
    pub depth: Depth,
    /// Background of the terminal.
    pub background: Background,
    /// Uses the strongest colours.
    pub high_contrast: bool,
    /// Colours of the user in place of those of the theme, by role.
    overrides: [RoleColors; Role::ALL.len()],
}

impl Theme {
    /// Creates a theme without colours of the user.
    pub const fn new(depth: Depth, background: Background) -> Self {
        let none = RoleColors { text: None, background: None };
        Self { depth, background, high_contrast: false, overrides: [none; Role::ALL.len()] }
    }

    /// Creates the theme that the settings choose, on a terminal with this depth and background.
    pub fn from_settings(settings: &Settings, depth: Depth, detected: Background) -> Self {
        let mut theme = Self::new(depth, detected);
        match settings.theme {
            ThemeChoice::Auto => {}
            ThemeChoice::Dark => theme.background = Background::Dark,
            ThemeChoice::Light => theme.background = Background::Light,
            ThemeChoice::HighContrast => theme.high_contrast = true,
        }
        for (role, colors) in &settings.colors {
            theme.overrides[*role as usize] = *colors;
        }
        theme
    }

    /// Returns the style of a role.
    pub fn style(self, role: Role) -> Style {
        let RoleColors { text, background } = self.overrides[role as usize];
        let mut style = self.built_in_style(role);
        if let Some(color) = text.and_then(|color| self.convert(color)) {
            style = style.fg(color);
        }
        if let Some(color) = background.and_then(|color| self.convert(color)) {
            style = style.bg(color);
        }
        style
    }

    /// Converts a colour of the user to one that the terminal has; `None` if it has none like it.
    fn convert(self, color: colors::Color) -> Option<Color> {
        match (color, self.depth) {
            (_, Depth::NoColour) => None,
            (colors::Color::Default, _) => Some(Color::Reset),
            (colors::Color::Named(index) | colors::Color::Indexed(index @ 0..16), _) => {
                Some(NAMED[usize::from(index % 16)])
            }
            (_, Depth::Sixteen) => None,
            (colors::Color::Indexed(index), _) => Some(Color::Indexed(index)),
            (colors::Color::Rgb(r, g, b), Depth::True) => Some(Color::Rgb(r, g, b)),
            (colors::Color::Rgb(r, g, b), Depth::Palette) => {
                Some(Color::Indexed(nearest_indexed(Rgb::new(r, g, b))))
            }
        }
    }

    /// Returns the style of a role in the theme itself.
    fn built_in_style(self, role: Role) -> Style {
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
        if self.high_contrast {
            return self.high_contrast_style(role);
        }
        let pick = |on_dark, on_light| self.pick(on_dark, on_light);
        let ink = |on_dark, on_light| plain.fg(pick(on_dark, on_light));
        match role {
            Role::Text => plain,
            Role::Dim => ink((Color::DarkGray, 245, 0x0080_8793), (Color::DarkGray, 243, 0x006f_7682)),
            Role::Line => ink((Color::DarkGray, 238, 0x003d_434f), (Color::Gray, 251, 0x00c9_ced6)),
            Role::Accent => ink((Color::Cyan, 80, 0x006c_c8d8), (Color::Blue, 25, 0x000b_62a8))
                .add_modifier(Modifier::BOLD),
            Role::Alert => ink((Color::LightMagenta, 213, 0x00f2_8fc6), (Color::Magenta, 125, 0x00b8_1f77))
                .add_modifier(Modifier::BOLD),
            Role::Success => ink((Color::Green, 114, 0x008c_cf7e), (Color::Green, 22, 0x002a_702d)),
            Role::Error => ink((Color::LightRed, 210, 0x00f0_716b), (Color::Red, 124, 0x00c0_2b2b)),
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

    /// Chooses a colour by the background and the depth of the terminal.
    fn pick(self, on_dark: (Color, u8, u32), on_light: (Color, u8, u32)) -> Color {
        let dark = self.background == Background::Dark;
        let (sixteen, palette, rgb) = if dark { on_dark } else { on_light };
        match self.depth {
            Depth::True => Rgb::from_hex(rgb).into(),
            Depth::Palette => Color::Indexed(palette),
            _ => sixteen,
        }
    }

    /// Returns the background that the theme is made for: the terminal's own is unknown.
    fn reference_background(self) -> Rgb {
        match (self.background, self.high_contrast) {
            (Background::Light, _) => Rgb::WHITE,
            (Background::Dark, false) => Rgb::grey(0x1c),
            (Background::Dark, true) => Rgb::BLACK,
        }
    }

    /// Returns the least contrast of a text with its background
    /// ([WCAG 2.2](https://www.w3.org/TR/WCAG22/#contrast-minimum), AA, or AAA for the high contrast).
    fn least_contrast(self) -> f64 {
        if self.high_contrast { 7.0 } else { 4.5 }
    }

    /// Returns the style of a role in the theme of high contrast.
    fn high_contrast_style(self, role: Role) -> Style {
        let plain = Style::new();
        let ink = |on_dark, on_light| plain.fg(self.pick(on_dark, on_light));
        let text = ink((Color::White, 231, 0x00ff_ffff), (Color::Black, 16, 0x0000_0000));
        match role {
            Role::Text => text,
            Role::Dim => ink((Color::Gray, 252, 0x00d0_d0d0), (Color::Black, 238, 0x0040_4040)),
            Role::Line => ink((Color::Gray, 250, 0x00bc_bcbc), (Color::Black, 239, 0x004a_4a4a)),
            Role::Accent => ink((Color::LightCyan, 87, 0x005f_ffff), (Color::Blue, 18, 0x0000_3a8c))
                .add_modifier(Modifier::BOLD),
            Role::Alert => ink((Color::LightMagenta, 219, 0x00ff_afff), (Color::Magenta, 53, 0x0080_0060))
                .add_modifier(Modifier::BOLD),
            Role::Success => ink((Color::LightGreen, 83, 0x005f_ff5f), (Color::Green, 22, 0x0000_5018)),
            Role::Error => ink((Color::LightRed, 217, 0x00ff_9f9f), (Color::Red, 88, 0x0087_0000)),
            Role::Link => ink((Color::LightBlue, 153, 0x00af_d7ff), (Color::Blue, 18, 0x0000_2f9c))
                .add_modifier(Modifier::UNDERLINED),
            Role::Bar | Role::Selected if self.depth == Depth::Sixteen => {
                plain.add_modifier(Modifier::REVERSED)
            }
            Role::Bar => {
                text.bg(self.pick((Color::Black, 234, 0x001c_1c1c), (Color::Gray, 231, 0x00e4_e4e4)))
            }
            Role::Selected => plain
                .fg(self.pick((Color::Black, 16, 0x0000_0000), (Color::White, 231, 0x00ff_ffff)))
                .bg(self.pick((Color::White, 226, 0x00ff_ff00), (Color::Black, 18, 0x0000_3080))),
            Role::Code if self.depth == Depth::Sixteen => ink((Color::LightCyan, 0, 0), (Color::Blue, 0, 0)),
            Role::Code => {
                text.bg(self.pick((Color::Black, 236, 0x0030_3030), (Color::Gray, 254, 0x00e4_e4e4)))
            }
            Role::Unread => text.add_modifier(Modifier::BOLD),
            Role::Match => plain
                .fg(self.pick((Color::Black, 16, 0), (Color::Black, 16, 0)))
                .bg(self.pick((Color::Yellow, 221, 0x00ff_d75f), (Color::Yellow, 221, 0x00ff_d75f))),
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
            // Names of the palette have no known contrast, and few indexed colours have a high one.
            Depth::Sixteen | Depth::Palette if self.high_contrast => {
                self.high_contrast_style(Role::Text).patch(style)
            }
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
                const LIGHT: [u8; 12] = [22, 24, 25, 28, 54, 61, 88, 90, 94, 96, 125, 130];
                style.fg(Color::Indexed(if dark {
                    DARK[hash % DARK.len()]
                } else {
                    LIGHT[hash % LIGHT.len()]
                }))
            }
            Depth::True => style.fg(self.nick_hues()[hash % NICK_HUES]),
        }
    }

    /// Returns the colours of nicks on a terminal with 24-bit colours.
    fn nick_hues(self) -> &'static [Color; NICK_HUES] {
        /// Colours for each theme, because a frame colours many nicks, and the search for a readable lightness is slow.
        static HUES: LazyLock<[[Color; NICK_HUES]; 4]> = LazyLock::new(|| {
            [(false, false), (false, true), (true, false), (true, true)].map(|(is_dark, high_contrast)| {
                let background = if is_dark { Background::Dark } else { Background::Light };
                let theme = Theme { high_contrast, ..Theme::new(Depth::True, background) };
                let (saturation, lightness) = if is_dark { (58, 70) } else { (70, 34) };
                let (ground, least) = (theme.reference_background(), theme.least_contrast());
                let step = 360 / NICK_HUES;
                std::array::from_fn(|hue| {
                    readable_hue(hue * step, saturation, lightness, ground, least).into()
                })
            })
        });
        let is_dark = self.background == Background::Dark;
        &HUES[2 * usize::from(is_dark) + usize::from(self.high_contrast)]
    }
}

/// The 16 colours of the terminal's palette, in their order.
const NAMED: [Color; 16] = [
    Color::Black,
    Color::Red,
    Color::Green,
    Color::Yellow,
    Color::Blue,
    Color::Magenta,
    Color::Cyan,
    Color::Gray,
    Color::DarkGray,
    Color::LightRed,
    Color::LightGreen,
    Color::LightYellow,
    Color::LightBlue,
    Color::LightMagenta,
    Color::LightCyan,
    Color::White,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::view::contrast::{contrast, indexed_rgb};
    use crate::client::settings::colors::RoleInfo;

    #[test]
    fn nick_colour_is_stable() {
        for depth in [Depth::Sixteen, Depth::Palette, Depth::True] {
            for ground in [Background::Dark, Background::Light] {
                let theme = Theme::new(depth, ground);
                assert_eq!(theme.nick_style("Alice"), theme.nick_style("alice"));
                let names = ["alice", "bob", "carol", "dave", "eve", "frank", "grace", "heidi"];
                let mut colours: Vec<_> =
                    names.iter().map(|name| format!("{:?}", theme.nick_style(name).fg)).collect();
                colours.sort();
                colours.dedup();
                assert!(colours.len() >= 4, "{depth:?} {ground:?}: {colours:?}");
            }
        }
        let plain = Theme::new(Depth::NoColour, Background::Dark);
        assert_eq!(plain.nick_style("alice").fg, None);
        for role in [Role::Text, Role::Dim, Role::Accent, Role::Alert, Role::Link, Role::Selected, Role::Bar]
        {
            let style = plain.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
    }

    /// Returns a colour whose value is known.
    fn rgb(color: Option<Color>) -> Option<Rgb> {
        match color? {
            Color::Rgb(r, g, b) => Some(Rgb::new(r, g, b)),
            Color::Indexed(index) => indexed_rgb(index),
            Color::Black => Some(Rgb::BLACK),
            _ => None,
        }
    }

    fn built_in_themes() -> impl Iterator<Item = Theme> {
        let grounds = [Background::Dark, Background::Light].into_iter();
        grounds.flat_map(|ground| {
            [Depth::True, Depth::Palette].into_iter().flat_map(move |depth| {
                [false, true].map(|high_contrast| Theme { high_contrast, ..Theme::new(depth, ground) })
            })
        })
    }

    #[test]
    fn each_role_has_the_contrast_of_its_theme() {
        let mut low = Vec::new();
        for theme in built_in_themes() {
            let (ground, least) = (theme.reference_background(), theme.least_contrast());
            let of = format!("{:?} {:?} {least}", theme.depth, theme.background);
            let own_text = if theme.background == Background::Dark { Rgb::WHITE } else { Rgb::BLACK };
            let bar = rgb(theme.style(Role::Bar).bg).expect("a background");
            for RoleInfo { role, name, .. } in Role::ALL {
                let style = theme.style(role);
                let (ink, under) = (rgb(style.fg).unwrap_or(own_text), rgb(style.bg).unwrap_or(ground));
                // Borders are no text (WCAG 2.2, 1.4.11), and decoration unless the contrast is to be high.
                let least = if role == Role::Line && !theme.high_contrast { 1.3 } else { least };
                let ratio = contrast(ink, under);
                if ratio < least {
                    low.push(format!("{of}: {name} has {ratio:.2}"));
                }
                if matches!(role, Role::Alert | Role::Error | Role::Success | Role::Accent) {
                    let ratio = contrast(ink, bar);
                    if ratio < least {
                        low.push(format!("{of}: {name} has {ratio:.2} on the bar"));
                    }
                }
            }
            for n in 0..500 {
                let style = theme.nick_style(&format!("nick{n}"));
                let ratio = contrast(rgb(style.fg).unwrap_or(own_text), ground);
                if ratio < least {
                    low.push(format!("{of}: the nick nick{n} has {ratio:.2}"));
                }
            }
        }
        low.dedup();
        assert!(low.is_empty(), "{}", low.join("\n"));
    }

    #[test]
    fn colours_of_the_user_replace_those_of_the_theme() {
        let mut settings = Settings::default();
        settings.set("colors.alert", "#ff8700 on black").expect("colours");
        settings.set("colors.dim", "208").expect("a colour");
        settings.set("colors.error", "red").expect("a colour");
        let theme = |depth| Theme::from_settings(&settings, depth, Background::Dark);
        let alert = theme(Depth::True).style(Role::Alert);
        assert_eq!((alert.fg, alert.bg), (Some(Color::Rgb(0xff, 0x87, 0)), Some(Color::Black)));
        assert!(alert.add_modifier.contains(Modifier::BOLD));
        assert_eq!(theme(Depth::Palette).style(Role::Alert).fg, Some(Color::Indexed(208)));
        assert_eq!(theme(Depth::Sixteen).style(Role::Error).fg, Some(Color::Red));
        let own = Theme::new(Depth::Sixteen, Background::Dark).style(Role::Dim);
        assert_eq!(theme(Depth::Sixteen).style(Role::Dim), own, "it has no such colour");
        assert_eq!(theme(Depth::NoColour).style(Role::Error).fg, None);
        settings.set("theme", "light").expect("a theme");
        let light = Theme::from_settings(&settings, Depth::True, Background::Dark);
        assert_eq!(light.background, Background::Light);
    }
}
