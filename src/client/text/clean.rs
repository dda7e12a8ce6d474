//! Removal of terminal control from received text.
//!
//! Text from others is hostile: an escape sequence could move the cursor, forge lines, change the window's title or
//! make some terminals type. All received text goes through [`clean`] before it is shown.

pub use crate::wire::chars::is_terminal_control;
use crate::wire::formatting::{self, Code};

/// Returns the text without escape sequences, control characters, IRC formatting codes and characters that reorder
/// their surroundings (such as bidirectional overrides). Tabs and line ends become spaces.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    visit_clean(text, |part| match part {
        Part::Text(text) => out.push_str(text),
        Part::Tab => out.push(' '),
        Part::Code(_) => {}
    });
    out
}

/// Part of a text without terminal control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Characters that [`clean`] keeps, or a space for a line end.
    Text(&'a str),
    /// Tab, whose width the caller decides.
    Tab,
    /// IRC formatting code.
    Code(Code),
}

/// Passes the text that [`clean`] keeps to `visit`, with the formatting codes between its parts.
pub fn visit_clean<'a>(text: &'a str, mut visit: impl FnMut(Part<'a>)) {
    let mut rest = text;
    loop {
        let (kept, behind) = rest.split_at(rest.find(|c| !is_kept(c)).unwrap_or(rest.len()));
        if !kept.is_empty() {
            visit(Part::Text(kept));
        }
        if let Some((code, behind)) = formatting::parse_code(behind) {
            visit(Part::Code(code));
            rest = behind;
            continue;
        }
        let mut chars = behind.chars();
        let Some(c) = chars.next() else { return };
        rest = chars.as_str();
        match c {
            '\u{1b}' => rest = skip_escape_sequence(rest),
            // The C1 forms of `ESC [`, and of strings that end with ST or BEL.
            '\u{9b}' => rest = skip_control_sequence(rest),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => rest = skip_string(rest),
            '\t' => visit(Part::Tab),
            '\r' | '\n' | '\u{2028}' | '\u{2029}' => visit(Part::Text(" ")),
            _ => {}
        }
    }
}

/// Returns whether the character is kept as it is.
fn is_kept(c: char) -> bool {
    matches!(c, ' '..='~')
        || !c.is_ascii() && !matches!(c, '\u{2028}' | '\u{2029}') && !is_terminal_control(c)
}

/// Skips what follows an ESC: a control sequence, a string, or intermediates and a final character (ECMA-48, section
/// 5).
fn skip_escape_sequence(rest: &str) -> &str {
    if let Some(rest) = rest.strip_prefix('[') {
        return skip_control_sequence(rest);
    }
    if let Some(rest) = rest.strip_prefix(['P', 'X', ']', '^', '_']) {
        return skip_string(rest);
    }
    let rest = rest.trim_start_matches(|c| (' '..='/').contains(&c));
    rest.strip_prefix(|c| ('0'..='~').contains(&c)).unwrap_or(rest)
}

/// Skips parameters, intermediates and the final character. Any other character ends the sequence and is kept.
fn skip_control_sequence(rest: &str) -> &str {
    let rest = rest.trim_start_matches(|c| (' '..='?').contains(&c));
    rest.strip_prefix(|c| ('@'..='~').contains(&c)).unwrap_or(rest)
}

/// Skips up to BEL, ST or `ESC \`. An unterminated string skips the rest of the text, as it would in a terminal.
fn skip_string(rest: &str) -> &str {
    let mut chars = rest.chars();
    match chars.find(|c| matches!(c, '\u{7}' | '\u{9c}' | '\u{1b}')) {
        Some('\u{1b}') => chars.as_str().strip_prefix('\\').unwrap_or(chars.as_str()),
        _ => chars.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn removes_whole_escape_sequences() {
        for (dirty, expected) in [
            ("plain äöü 日本 👩‍👩‍👧", "plain äöü 日本 👩‍👩‍👧"),
            ("a\u{1b}[31;1mred\u{1b}[0m b", "ared b"),
            ("a\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c", "abc"),
            ("a\u{1b}Pq#0\u{1b}\\b\u{1b}(Bc\u{1b}cd\u{1b}", "abcd"),
            ("a\u{9b}2Jb\u{9d}0;t\u{9c}c", "abc"),
            ("a\u{1b}]0;never ends", "a"),
            ("a\u{1b}[ä", "aä"),
            ("a\rb\nc\td\u{8}\u{7f}\u{0}", "a b c d"),
            ("\u{2}bold\u{f} \u{3}04,12col\u{3}our\u{3}1,x \u{4}ff0000hex", "bold colour,x hex"),
            ("safe\u{202e}gnp.exe\u{2066}x\u{2069}", "safegnp.exex"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
        }
    }

    proptest! {
        #[test]
        fn removes_all_terminal_control(text in any::<String>()) {
            prop_assert!(!clean(&text).chars().any(is_terminal_control));
        }

        #[test]
        fn removes_terminal_control_from_nested_sequences(text in "[\u{1b}\u{9b}\u{9d}\u{3}\u{4}\u{7}\\[\\]P;?0-9a,m\\\\ \u{202e}]{0,60}") {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(is_terminal_control));
            prop_assert_eq!(clean(&cleaned), cleaned.as_str());
        }
    }
}
