//! Formatting of a part of a message, without its colours' look, which depends on the theme.

use ratatui::style::Modifier;

use crate::wire::formatting::Code;

/// Colour of a formatting code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatColour {
    /// Number in IRC's table of colours, below 99.
    Number(u8),
    /// Red, green and blue.
    Rgb([u8; 3]),
}

/// Formatting of a part of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// Bold, italic, underlined, crossed out, reversed.
    pub modifier: Modifier,
    /// Monospace text, such as code.
    pub code: bool,
    /// Colour of the text.
    pub fg: Option<FormatColour>,
    /// Colour behind the text.
    pub bg: Option<FormatColour>,
}

impl Format {
    /// Applies a formatting code.
    pub fn apply(&mut self, code: Code) {
        /// Number of the default colour.
        const DEFAULT: u8 = 99;
        let colour = |number: u8| (number < DEFAULT).then_some(FormatColour::Number(number));
        match code {
            Code::Bold => self.modifier.toggle(Modifier::BOLD),
            Code::Italic => self.modifier.toggle(Modifier::ITALIC),
            Code::Underline => self.modifier.toggle(Modifier::UNDERLINED),
            Code::Strikethrough => self.modifier.toggle(Modifier::CROSSED_OUT),
            Code::Reverse => self.modifier.toggle(Modifier::REVERSED),
            Code::Monospace => self.code = !self.code,
            Code::Reset => *self = Self::default(),
            Code::Colour(None) | Code::HexColour(None) => (self.fg, self.bg) = (None, None),
            Code::Colour(Some((fg, bg))) => {
                self.fg = colour(fg);
                self.bg = bg.map_or(self.bg, colour);
            }
            Code::HexColour(Some((fg, bg))) => {
                self.fg = Some(FormatColour::Rgb(fg));
                self.bg = bg.map(FormatColour::Rgb).or(self.bg);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_toggle_and_reset() {
        let mut format = Format::default();
        format.apply(Code::Bold);
        format.apply(Code::Italic);
        format.apply(Code::Bold);
        assert_eq!(format.modifier, Modifier::ITALIC);
        format.apply(Code::Colour(Some((4, Some(1)))));
        format.apply(Code::Colour(Some((99, None))));
        assert_eq!((format.fg, format.bg), (None, Some(FormatColour::Number(1))));
        format.apply(Code::HexColour(Some(([1, 2, 3], None))));
        format.apply(Code::Colour(None));
        assert_eq!((format.fg, format.bg), (None, None));
        format.apply(Code::Monospace);
        format.apply(Code::Reset);
        assert_eq!(format, Format::default());
    }
}
