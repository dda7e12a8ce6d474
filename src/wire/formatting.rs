//! Formatting codes in texts: bold, colours and the like (<https://modern.ircdocs.horse/formatting>).

/// Returns the first character of a text after its leading formatting codes, and the text after it. `None` for a text without
/// any other character.
pub fn next_char(text: &str) -> Option<(char, &str)> {
    let mut rest = text;
    while let Some(behind) = strip_code(rest) {
        rest = behind;
    }
    let mut chars = rest.chars();
    Some((chars.next()?, chars.as_str()))
}

/// A formatting code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Bold on or off.
    Bold,
    /// Italic on or off.
    Italic,
    /// Underline on or off.
    Underline,
    /// Strikethrough on or off.
    Strikethrough,
    /// Monospace on or off.
    Monospace,
    /// Foreground and background exchanged, or back again.
    Reverse,
    /// End of all formatting.
    Reset,
    /// Foreground, and background, by their numbers in the table of colours; no foreground ends both.
    Colour(Option<(u8, Option<u8>)>),
    /// Foreground, and background, as red, green and blue; no foreground ends both.
    HexColour(Option<([u8; 3], Option<[u8; 3]>)>),
}

/// Removes the formatting code that a text begins with; see [`parse_code`].
pub fn strip_code(text: &str) -> Option<&str> {
    parse_code(text).map(|(_, rest)| rest)
}

/// Parses the formatting code that a text begins with: a control character, with its one or two numbers if it is that of
/// a colour. Returns the text behind it as well; `None` for a text that begins with anything else.
pub fn parse_code(text: &str) -> Option<(Code, &str)> {
    let mut chars = text.chars();
    let code = match chars.next()? {
        '\u{2}' => Code::Bold,
        '\u{f}' => Code::Reset,
        '\u{11}' => Code::Monospace,
        '\u{16}' => Code::Reverse,
        '\u{1d}' => Code::Italic,
        '\u{1e}' => Code::Strikethrough,
        '\u{1f}' => Code::Underline,
        '\u{3}' => {
            let (numbers, rest) = parse_numbers(chars.as_str(), 2, u8::is_ascii_digit);
            let number = |text: &str| text.parse().ok();
            let colour = numbers.and_then(|(fg, bg)| Some((number(fg)?, bg.and_then(number))));
            return Some((Code::Colour(colour), rest));
        }
        '\u{4}' => {
            let (numbers, rest) = parse_numbers(chars.as_str(), 6, u8::is_ascii_hexdigit);
            let colour = numbers.and_then(|(fg, bg)| Some((parse_rgb(fg)?, bg.and_then(parse_rgb))));
            return Some((Code::HexColour(colour), rest));
        }
        _ => return None,
    };
    Some((code, chars.as_str()))
}

/// One number, or two with a comma between them.
type Numbers<'a> = Option<(&'a str, Option<&'a str>)>;

/// Splits the numbers of a colour from the text behind them.
fn parse_numbers(text: &str, max_digits: usize, is_digit: fn(&u8) -> bool) -> (Numbers<'_>, &str) {
    let digits = |text: &str| text.bytes().take(max_digits).take_while(is_digit).count();
    let (first, rest) = text.split_at(digits(text));
    if first.is_empty() {
        return (None, rest);
    }
    // The comma belongs to the code only where a background follows it.
    match rest.strip_prefix(',').map(|behind| behind.split_at(digits(behind))) {
        Some((second, rest)) if !second.is_empty() => (Some((first, Some(second))), rest),
        _ => (Some((first, None)), rest),
    }
}

fn parse_rgb(digits: &str) -> Option<[u8; 3]> {
    let [_, rgb @ ..] = u32::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 6)?.to_be_bytes();
    Some(rgb)
}

#[cfg(test)]
mod tests {
    use super::super::vectors::vectors;
    use super::*;

    #[test]
    fn strips_a_code_with_its_digits() {
        for (text, rest) in vectors::<Vec<(String, String)>>("codes") {
            assert_eq!(strip_code(&text), Some(&*rest), "{text:?}");
        }
        for text in ["plain\u{2}", "\u{1b}[1m", ""] {
            assert_eq!(strip_code(text), None, "{text:?}");
        }
    }

    #[test]
    fn codes_have_their_colours() {
        for (text, code) in [
            ("\u{2}x", Code::Bold),
            ("\u{3}x", Code::Colour(None)),
            ("\u{3}4x", Code::Colour(Some((4, None)))),
            ("\u{3}04,12x", Code::Colour(Some((4, Some(12))))),
            ("\u{4}ff8000x", Code::HexColour(Some(([255, 128, 0], None)))),
            ("\u{4}FF8000,000001x", Code::HexColour(Some(([255, 128, 0], Some([0, 0, 1]))))),
            ("\u{4}ff80,x", Code::HexColour(None)),
        ] {
            assert_eq!(parse_code(text).map(|(code, _)| code), Some(code), "{text:?}");
        }
    }

    #[test]
    fn next_char_skips_codes() {
        assert_eq!(next_char("\u{2}\u{3}4,12a\u{f}b"), Some(('a', "\u{f}b")));
        assert_eq!(next_char("\u{f}\u{2}"), None);
        assert_eq!(next_char(""), None);
    }
}
