//! Colours of messages: the formats of their senders, made readable on the background of the theme.

use ratatui::style::{Color, Style};

use super::contrast::nearest_indexed;
use super::rgb::Rgb;
use super::theme::{Background, Depth, Role, Theme};
use crate::client::screen::text::format::{Format, FormatColour};

/// IRC's table of colours (<https://modern.ircdocs.horse/formatting#colors>): the 16 of mIRC, then 83 by hue and lightness.
const TABLE: [u32; 99] = [
    0x00ff_ffff,
    0x0000_0000,
    0x0000_007f,
    0x0000_9300,
    0x00ff_0000,
    0x007f_0000,
    0x009c_009c,
    0x00fc_7f00,
    0x00ff_ff00,
    0x0000_fc00,
    0x0000_9393,
    0x0000_ffff,
    0x0000_00fc,
    0x00ff_00ff,
    0x007f_7f7f,
    0x00d2_d2d2,
    0x0047_0000,
    0x0047_2100,
    0x0047_4700,
    0x0032_4700,
    0x0000_4700,
    0x0000_472c,
    0x0000_4747,
    0x0000_2747,
    0x0000_0047,
    0x002e_0047,
    0x0047_0047,
    0x0047_002a,
    0x0074_0000,
    0x0074_3a00,
    0x0074_7400,
    0x0051_7400,
    0x0000_7400,
    0x0000_7449,
    0x0000_7474,
    0x0000_4074,
    0x0000_0074,
    0x004b_0074,
    0x0074_0074,
    0x0074_0045,
    0x00b5_0000,
    0x00b5_6300,
    0x00b5_b500,
    0x007d_b500,
    0x0000_b500,
    0x0000_b571,
    0x0000_b5b5,
    0x0000_63b5,
    0x0000_00b5,
    0x0075_00b5,
    0x00b5_00b5,
    0x00b5_006b,
    0x00ff_0000,
    0x00ff_8c00,
    0x00ff_ff00,
    0x00b2_ff00,
    0x0000_ff00,
    0x0000_ffa0,
    0x0000_ffff,
    0x0000_8cff,
    0x0000_00ff,
    0x00a5_00ff,
    0x00ff_00ff,
    0x00ff_0098,
    0x00ff_5959,
    0x00ff_b459,
    0x00ff_ff71,
    0x00cf_ff60,
    0x006f_ff6f,
    0x0065_ffc9,
    0x006d_ffff,
    0x0059_b4ff,
    0x0059_59ff,
    0x00c4_59ff,
    0x00ff_66ff,
    0x00ff_59bc,
    0x00ff_9c9c,
    0x00ff_d39c,
    0x00ff_ff9c,
    0x00e2_ff9c,
    0x009c_ff9c,
    0x009c_ffdb,
    0x009c_ffff,
    0x009c_d3ff,
    0x009c_9cff,
    0x00dc_9cff,
    0x00ff_9cff,
    0x00ff_94d3,
    0x0000_0000,
    0x0013_1313,
    0x0028_2828,
    0x0036_3636,
    0x004d_4d4d,
    0x0065_6565,
    0x0081_8181,
    0x009f_9f9f,
    0x00bc_bcbc,
    0x00e2_e2e2,
    0x00ff_ffff,
];

/// Lowest luminance of a text on a dark background, in thousandths. It has a contrast of 4 to black, and of 3 to the
/// usual dark grey.
const LEAST_ON_DARK: u32 = 180;

/// Highest luminance of a text on a light background, in thousandths, with a contrast of 4 to white.
const MOST_ON_LIGHT: u32 = 200;

/// Returns the style of a part of a message, from the style of its other text. A text that its sender hides, by a colour
/// that is too close to the one behind it, is black or white.
pub fn format_style(theme: Theme, base: Style, format: Format) -> Style {
    let mut style = base.add_modifier(format.modifier);
    if format.code {
        style = style.patch(theme.style(Role::Code));
    }
    let (fg, bg) = (format.fg.map(to_rgb), format.bg.map(to_rgb));
    match (fg, bg) {
        (None, None) => style,
        (Some(fg), None) => style.fg(to_depth(make_readable(fg, theme.background), theme)),
        (fg, Some(bg)) => {
            let fg = fg.filter(|fg| contrast_tenths(*fg, bg) >= 30).unwrap_or_else(|| opposite(bg));
            if theme.depth == Depth::Sixteen {
                // The shades of the user's palette are unknown, and so is each contrast but the largest.
                let (fg, bg) = if luminance(bg) > 400 {
                    (Color::Black, Color::White)
                } else {
                    (Color::White, Color::Black)
                };
                return style.fg(fg).bg(bg);
            }
            style.fg(to_depth(fg, theme)).bg(to_depth(bg, theme))
        }
    }
}

fn to_rgb(colour: FormatColour) -> Rgb {
    match colour {
        FormatColour::Rgb(channels) => channels.into(),
        FormatColour::Number(number) => {
            Rgb::from_hex(TABLE.get(usize::from(number)).copied().unwrap_or_default())
        }
    }
}

/// Returns the relative luminance in thousandths, with a gamma of 2.
fn luminance(Rgb { red, green, blue }: Rgb) -> u32 {
    let square = |part: u8| u32::from(part) * u32::from(part);
    (213 * square(red) + 715 * square(green) + 72 * square(blue)) / (255 * 255)
}

/// Returns the contrast of two colours ([WCAG 2](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)), in tenths.
fn contrast_tenths(one: Rgb, other: Rgb) -> u32 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 50) * 10 / (one.min(other) + 50)
}

/// Returns black or white, whichever differs more.
fn opposite(colour: Rgb) -> Rgb {
    if luminance(colour) > 180 { Rgb::BLACK } else { Rgb::WHITE }
}

/// Mixes a colour with white or black until it is readable on the background.
fn make_readable(colour: Rgb, background: Background) -> Rgb {
    let (towards, is_readable): (u8, fn(u32) -> bool) = match background {
        Background::Dark => (255, |luminance| luminance >= LEAST_ON_DARK),
        Background::Light => (0, |luminance| luminance <= MOST_ON_LIGHT),
    };
    let mix = |sixteenths: u16| {
        Rgb::from(colour.channels().map(|part| {
            let mixed = u16::from(part) * (16 - sixteenths) + u16::from(towards) * sixteenths;
            u8::try_from(mixed / 16).unwrap_or(u8::MAX)
        }))
    };
    (0..=16).map(mix).find(|mixed| is_readable(luminance(*mixed))).unwrap_or(Rgb::grey(towards))
}

/// Converts a colour to the depth of the terminal.
fn to_depth(colour: Rgb, theme: Theme) -> Color {
    match theme.depth {
        Depth::NoColour => Color::Reset,
        Depth::True => colour.into(),
        Depth::Palette => Color::Indexed(nearest_indexed(colour)),
        Depth::Sixteen => nearest_of_sixteen(colour, theme.background),
    }
}

/// Returns the colour of the 16 with the nearest hue that is readable in most palettes; the default for greys.
fn nearest_of_sixteen(colour: Rgb, background: Background) -> Color {
    let [r, g, b] = colour.channels();
    let (most, least) = (r.max(g).max(b), r.min(g).min(b));
    if most - least < 48 {
        return Color::Reset;
    }
    // A part counts if it is above the middle of the highest and the lowest one.
    let is_high = |part: u8| part - least > (most - least) / 2;
    let dark = background == Background::Dark;
    match (is_high(r), is_high(g), is_high(b)) {
        (true, false, false) if dark => Color::LightRed,
        (true, false, false) => Color::Red,
        (true, true, false) if dark => Color::Yellow,
        (false, true, false) => Color::Green,
        (false, true, true) => Color::Cyan,
        (false, false, true) if dark => Color::LightBlue,
        (false, false, true) => Color::Blue,
        (true, false, true) if dark => Color::LightMagenta,
        (true, false, true) => Color::Magenta,
        // Yellow on white is not readable.
        _ => Color::Reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(
        depth: Depth,
        background: Background,
        fg: Option<FormatColour>,
        bg: Option<FormatColour>,
    ) -> Style {
        format_style(Theme::new(depth, background), Style::new(), Format { fg, bg, ..Format::default() })
    }

    fn rgb(colour: Option<Color>) -> Rgb {
        match colour {
            Some(Color::Rgb(r, g, b)) => Rgb::new(r, g, b),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_colour_is_readable_on_each_background() {
        for number in 0..99 {
            let colour = Some(FormatColour::Number(number));
            for (background, behind) in [(Background::Dark, Rgb::grey(24)), (Background::Light, Rgb::WHITE)] {
                let fg = rgb(style(Depth::True, background, colour, None).fg);
                assert!(contrast_tenths(fg, behind) >= 30, "{number} on {background:?}: {fg:?}");
            }
            for other in 0..99 {
                let both = style(Depth::True, Background::Dark, colour, Some(FormatColour::Number(other)));
                assert!(contrast_tenths(rgb(both.fg), rgb(both.bg)) >= 30, "{number} on {other}");
            }
        }
    }

    #[test]
    fn colours_follow_the_depth() {
        let red = Some(FormatColour::Number(4));
        assert_eq!(style(Depth::Palette, Background::Dark, red, None).fg, Some(Color::Indexed(196)));
        assert_eq!(style(Depth::Sixteen, Background::Dark, red, None).fg, Some(Color::LightRed));
        assert_eq!(style(Depth::Sixteen, Background::Light, red, None).fg, Some(Color::Red));
        assert_eq!(
            style(Depth::Sixteen, Background::Light, Some(FormatColour::Number(8)), None).fg,
            Some(Color::Reset)
        );
        let hidden = style(
            Depth::Sixteen,
            Background::Dark,
            Some(FormatColour::Number(1)),
            Some(FormatColour::Number(1)),
        );
        assert_eq!((hidden.fg, hidden.bg), (Some(Color::White), Some(Color::Black)));
    }
}
