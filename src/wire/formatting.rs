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

/// Removes the formatting code that a text begins with: a control character, with its one or two numbers if it is that of a
/// colour. `None` for a text that begins with anything else.
pub fn strip_code(text: &str) -> Option<&str> {
    let mut chars = text.chars();
    let (max_digits, is_digit): (usize, fn(&u8) -> bool) = match chars.next()? {
        '\u{3}' => (2, u8::is_ascii_digit),
        '\u{4}' => (6, u8::is_ascii_hexdigit),
        // Bold, reset, monospace, reverse, italics, strikethrough, underline.
        '\u{2}' | '\u{f}' | '\u{11}' | '\u{16}' | '\u{1d}' | '\u{1e}' | '\u{1f}' => {
            return Some(chars.as_str());
        }
        _ => return None,
    };
    let rest = chars.as_str();
    let digits = |text: &str| text.bytes().take(max_digits).take_while(is_digit).count();
    let first = digits(rest);
    if first == 0 {
        return Some(rest);
    }
    let rest = rest.get(first..)?;
    // The comma belongs to the code only where a background follows it.
    match rest.strip_prefix(',').map(|behind| (behind, digits(behind))) {
        Some((behind, second @ 1..)) => behind.get(second..),
        _ => Some(rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_a_code_with_its_digits() {
        for (text, rest) in [
            ("\u{2}bold", Some("bold")),
            ("\u{3}red", Some("red")),
            ("\u{3}4red", Some("red")),
            ("\u{3}04,12red", Some("red")),
            ("\u{3}123", Some("3")),
            ("\u{3}4,red", Some(",red")),
            ("\u{3},4", Some(",4")),
            ("\u{4}ff8800,00FF00x", Some("x")),
            ("\u{4}ff8800,x", Some(",x")),
            ("\u{3}", Some("")),
            ("plain\u{2}", None),
            ("\u{1b}[1m", None),
            ("", None),
        ] {
            assert_eq!(strip_code(text), rest, "{text:?}");
        }
    }

    #[test]
    fn next_char_skips_codes() {
        assert_eq!(next_char("\u{2}\u{3}4,12a\u{f}b"), Some(('a', "\u{f}b")));
        assert_eq!(next_char("\u{f}\u{2}"), None);
        assert_eq!(next_char(""), None);
    }
}
