//! Patterns with `*` and `?`, and the `nick!user@host` masks made of them
//! ([wildcard expressions](https://modern.ircdocs.horse/#wildcard-expressions)).

use std::fmt;

use wildmatch::WildMatch;

use super::chars;

/// A pattern over any text: `*` matches any run of characters, also an empty one, `?` exactly one character, and
/// everything else itself without regard to case, as [`chars::fold_name`] defines it. There is no escape.
///
/// A match costs at most the length of the pattern times that of the text. Callers that take patterns from the network
/// must limit both.
#[derive(Clone, Debug)]
pub struct Glob {
    pattern: WildMatch,
    /// Length of the pattern in bytes.
    len: usize,
    /// Minimum length of a matching text, in characters.
    min_chars: usize,
}

/// Mask of a ban or an exception: a [`Glob`] over `nick!user@host`, at most [`Mask::MAX`] bytes.
///
/// It holds no spaces, commas, control characters or characters that no name may hold, and does not start with a colon,
/// so it is one word of a line and one item of a list. Masks that differ only in case are equal.
#[derive(Clone)]
pub struct Mask {
    text: Box<str>,
    glob: Glob,
}

/// Reason for which a text is not a mask. The text of the error may be shown to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The text is empty.
    #[error("it is empty")]
    Empty,
    /// The completed mask is longer than this number of bytes.
    #[error("it is longer than {0} bytes")]
    TooLong(usize),
    /// The mask starts with a colon and would be read as the last parameter of a line.
    #[error("it may not start with {0:?}")]
    Start(char),
    /// The text holds a character that no mask may hold.
    #[error("it may not contain {0:?}")]
    Character(char),
}

impl Glob {
    /// Compiles a pattern. Every text is a valid one.
    pub fn new(text: &str) -> Self {
        // The crate's own caseless comparison is not used, because names fold in one way everywhere.
        let text = chars::fold_name(text);
        let min_chars = text.chars().filter(|&c| c != '*').count();
        Self { pattern: WildMatch::new(&text), len: text.len(), min_chars }
    }

    /// Returns whether the pattern matches the whole text.
    pub fn matches(&self, text: &str) -> bool {
        let text = chars::fold_name(text);
        // Returns the cost of one match, in rows of work: the unit of the budget for scans.
        text.chars().count() >= self.min_chars && self.pattern.matches(&text)
    }

    /// Returns the cost of one match, in rows of the search's budget.
    pub fn match_cost(&self) -> usize {
        1 + self.len / 2
    }
}

impl Mask {
    /// Limit of a completed mask, in bytes. With it, the line that lists a ban, which also names two nicks and a
    /// channel, stays well under 512 bytes.
    pub const MAX: usize = 128;

    /// Parses a mask as people type it and completes it: `al` becomes `al!*@*`, `a@b` becomes `*!a@b`, `x!y` becomes
    /// `x!y@*`. An empty part becomes `*`, and so does a run of `*`.
    pub fn parse(text: &str) -> Result<Self, MaskError> {
        match text.chars().next() {
            None => return Err(MaskError::Empty),
            Some(':') => return Err(MaskError::Start(':')),
            Some(_) => {}
        }
        let separator = text.chars().find(|&c| c == ',' || c.is_whitespace());
        if let Some(bad) = separator.or_else(|| chars::find_refused_char(text)) {
            return Err(MaskError::Character(bad));
        }
        let (nick, rest) = match text.split_once('!') {
            Some((nick, rest)) => (nick, rest),
            None if text.contains('@') => ("", text),
            None => (text, ""),
        };
        let (user, host) = rest.split_once('@').unwrap_or((rest, ""));
        let part = |part| if str::is_empty(part) { "*" } else { part };
        let mut text = format!("{}!{}@{}", part(nick), part(user), part(host));
        let mut last = ' ';
        text.retain(|c| std::mem::replace(&mut last, c) != '*' || c != '*');
        if text.len() > Self::MAX {
            return Err(MaskError::TooLong(Self::MAX));
        }
        Ok(Self { glob: Glob::new(&text), text: text.into() })
    }

    /// Returns whether the mask matches the session or account known as `nick!user@host`.
    pub fn matches(&self, source: &str) -> bool {
        self.glob.matches(source)
    }

    /// Returns the completed mask, in the case in which it was typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Mask {
    fn eq(&self, other: &Self) -> bool {
        chars::fold_name(&self.text) == chars::fold_name(&other.text)
    }
}

impl Eq for Mask {}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mask(text: &str) -> Mask {
        Mask::parse(text).expect(text)
    }

    #[test]
    fn globs_match_the_whole_text_without_case() {
        for (glob, text) in [
            ("", ""),
            ("*", ""),
            ("*", "anything at all"),
            ("a?c", "aBC"),
            ("A*C*", "abcd"),
            ("?", "é"),
            ("é", "É"),
            ("k", "\u{212a}"),
            ("[a-z]*\\", "[A-Z]x\\"),
            ("*aab", "aaaaab"),
        ] {
            assert!(Glob::new(glob).matches(text), "{glob:?} {text:?}");
        }
        for (glob, text) in [("", "a"), ("?", ""), ("ab", "abc"), ("bc", "abc"), ("é", "E"), ("[ab]", "a")] {
            assert!(!Glob::new(glob).matches(text), "{glob:?} {text:?}");
        }
    }

    #[test]
    fn malicious_glob_is_not_exponential() {
        assert!(!Glob::new(&format!("{}b", "a*".repeat(60))).matches(&"a".repeat(500)));
    }

    #[test]
    fn partial_masks_are_completed() {
        for (typed, whole) in [
            ("al", "al!*@*"),
            ("a@b", "*!a@b"),
            ("x!y", "x!y@*"),
            ("*!*@*", "*!*@*"),
            ("*", "*!*@*"),
            ("@host", "*!*@host"),
            ("al!", "al!*@*"),
            ("!u@", "*!u@*"),
            ("**a***!?*?@**", "*a*!?*?@*"),
            ("a!b!c@d@e", "a!b!c@d@e"),
            ("Zoë", "Zoë!*@*"),
        ] {
            assert_eq!(mask(typed).as_str(), whole);
            assert_eq!(mask(whole).as_str(), whole);
        }
    }

    #[test]
    fn bad_masks_return_the_reason() {
        let error = |s: &str| Mask::parse(s).expect_err(s);
        assert_eq!(error(""), MaskError::Empty);
        assert_eq!(error("a b"), MaskError::Character(' '));
        assert_eq!(error("a,b"), MaskError::Character(','));
        assert_eq!(error("a\u{3}"), MaskError::Character('\u{3}'));
        assert_eq!(error("a\u{a0}"), MaskError::Character('\u{a0}'));
        assert_eq!(error("al\u{3164}"), MaskError::Character('\u{3164}'));
        assert_eq!(error(":a"), MaskError::Start(':'));
        assert!(Mask::parse(&"x".repeat(124)).is_ok());
        assert_eq!(error(&"x".repeat(125)), MaskError::TooLong(128));
        assert!(Mask::parse(&"*".repeat(1000)).is_ok());
    }

    #[test]
    fn masks_match_and_compare_without_case() {
        assert!(mask("AL").matches("al!al@parlour") && mask("*@PAR*").matches("al!al@parlour"));
        assert!(!mask("al").matches("alice!al@parlour") && !mask("al").matches("al"));
        assert_eq!(mask("Al!*@*"), mask("aL"));
        assert_eq!(mask("ZOË"), mask("zoë"));
        assert_ne!(mask("al"), mask("bo"));
        assert_eq!(format!("{:?}", mask("Al")), "Al!*@*");
    }

    proptest! {
        #[test]
        fn parsing_any_mask_never_panics(text in ".*", source in ".*") {
            let _ = Glob::new(&text).matches(&source);
            if let Ok(mask) = Mask::parse(&text) {
                let _ = mask.matches(&source);
                prop_assert!(mask.as_str().len() <= Mask::MAX && !mask.as_str().contains("**"));
                prop_assert_eq!(&Mask::parse(mask.as_str()), &Ok(mask.clone()));
            }
        }

        #[test]
        fn mask_made_of_a_source_matches_it(
            source in "[a-zA-Z\\[\\]\\\\`_^{|}][a-zA-Z0-9\\[\\]{}^-]{0,23}!~?[a-zé0-9.]{1,12}@[a-zA-Z0-9:.-]{1,40}",
        ) {
            prop_assert!(mask(&source).matches(&source));
            prop_assert!(mask(&source.to_ascii_uppercase()).matches(&source));
            let nick = source.split('!').next().expect(&source);
            prop_assert!(mask(nick).matches(&source));
        }

        #[test]
        fn globs_agree_with_a_naive_matcher(glob in "[ab*?]{0,7}", text in "[abAB]{0,7}") {
            fn naive_match(glob: &[u8], text: &[u8]) -> bool {
                match (glob, text) {
                    ([b'*', rest @ ..], _) => (0..=text.len()).any(|n| naive_match(rest, &text[n..])),
                    ([b'?', glob @ ..], [_, text @ ..]) => naive_match(glob, text),
                    ([a, glob @ ..], [b, text @ ..]) => a.eq_ignore_ascii_case(b) && naive_match(glob, text),
                    _ => glob.is_empty() && text.is_empty(),
                }
            }
            prop_assert_eq!(Glob::new(&glob).matches(&text), naive_match(glob.as_bytes(), text.as_bytes()));
        }
    }
}
