//! Boundaries of words beside text of any script, for mentions and links.
//!
//! # The rule
//!
//! A word ends beside a character that does not continue it. A character continues a word
//!
//! - if it is a letter or a number of the script of the word, or one that belongs to no script (Unicode's `Common` and
//!   `Inherited`, such as digits), or a combining mark;
//! - if it is an underscore or another connector (`Pc`);
//! - if it is a hyphen or a vertical bar with such a letter or number behind it, because `ann-marie` and `ann|work` are
//!   nicks of their own.
//!
//! So `annさん`, `ann님`, `[ann]`, `` `ann` ``, `@ann`, `ann:` and `ann's` have the word `ann`; `annex`, `ann2`, `joann`,
//! `ann_`, `ann-marie` and `anné` do not. It is the rule of [UAX #29](https://www.unicode.org/reports/tr29/) (`WB5` to
//! `WB13b`) with two differences: letters of different scripts are parts of different words, because a Korean or Russian
//! ending is written without a space behind a Latin name; and the punctuation within words (`:`, `.`, `'`) ends a word,
//! because `ann:hi` is how people are addressed.

use std::ops::Range;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup, Script};
use icu_properties::script::ScriptWithExtensions;

/// Returns whether a text has the nick, or another word; see [`find_word`].
pub fn mentions(text: &str, word: &str) -> bool {
    find_word(text, word).next().is_some()
}

/// Finds a nick, or another word, in a text as a word of its own, in any case (ASCII). Returns the byte range of each occurrence.
pub fn find_word<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = Range<usize>> + use<'a> {
    let script = script_of(word);
    // A word with a script has at least one character.
    let len = script.map_or(usize::MAX, |_| word.len());
    let places = text.as_bytes().windows(len).enumerate();
    let found = places.filter(|(_, bytes)| bytes.eq_ignore_ascii_case(word.as_bytes()));
    found.map(move |(at, _)| at..at + len).filter(move |range| {
        let script = script.unwrap_or(Script::Latin);
        !is_continued(text[..range.start].chars().rev(), script)
            && !is_continued(text[range.end..].chars(), script)
    })
}

/// Returns whether a Latin word that starts behind `before` is the end of a longer one.
pub fn starts_inside_latin_word(before: &str) -> bool {
    before.chars().next_back().is_some_and(|c| is_part_of_word(c, Script::Latin))
}

/// Returns whether a letter or number, or another part of a word, is next to another one of the same word. Letters of
/// scripts that are written without spaces stand beside each word and so belong to none.
pub fn are_in_one_word(one: char, other: char) -> bool {
    let script = |c: char| match ScriptWithExtensions::new().get_script_val(c) {
        Script::Common | Script::Inherited => None,
        script => Some(script),
    };
    if script(one).is_some_and(is_without_spaces) || script(other).is_some_and(is_without_spaces) {
        return false;
    }
    match (script(one), script(other)) {
        (Some(script), _) => is_part_of_word(one, script) && is_part_of_word(other, script),
        (None, Some(script)) => is_part_of_word(one, script),
        (None, None) => is_part_of_word(one, Script::Common) && is_part_of_word(other, Script::Common),
    }
}

/// Returns the scripts of the letters of a text, each once.
pub fn scripts_of(text: &str) -> Vec<Script> {
    let mut scripts = Vec::new();
    for c in text.chars() {
        let script = ScriptWithExtensions::new().get_script_val(c);
        if !matches!(script, Script::Common | Script::Inherited) && !scripts.contains(&script) {
            scripts.push(script);
        }
    }
    scripts
}

/// Returns whether the character is a letter, a number or a combining mark.
pub fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || !c.is_ascii() && GeneralCategoryGroup::Mark.contains(category(c))
}

/// Returns the script of a word: that of its last letter, Latin for one without letters. `None` for an empty word.
fn script_of(word: &str) -> Option<Script> {
    word.chars().next()?;
    Some(scripts_of(word).pop().unwrap_or(Script::Latin))
}

/// Returns whether a word of this script goes on with these characters, from the nearest on.
fn is_continued(mut next: impl Iterator<Item = char>, script: Script) -> bool {
    match next.next() {
        Some('-' | '|') => next.next().is_some_and(|c| is_word_char(c) && is_part_of_word(c, script)),
        Some(c) => is_part_of_word(c, script),
        None => false,
    }
}

fn is_part_of_word(c: char, script: Script) -> bool {
    if c == '_' || !c.is_ascii() && category(c) == GeneralCategory::ConnectorPunctuation {
        return true;
    }
    let common = || {
        let extensions = ScriptWithExtensions::new().get_script_extensions_val(c);
        extensions.contains(&Script::Common) || extensions.contains(&Script::Inherited)
    };
    is_word_char(c) && (ScriptWithExtensions::new().has_script(c, script) || common())
}

/// Returns whether a script is written without spaces between words.
fn is_without_spaces(script: Script) -> bool {
    matches!(
        script,
        Script::Han
            | Script::Hiragana
            | Script::Katakana
            | Script::Bopomofo
            | Script::Thai
            | Script::Lao
            | Script::Khmer
            | Script::Myanmar
            | Script::Tibetan
    )
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vectors::vectors;
    use proptest::prelude::*;

    #[test]
    fn words_are_found_beside_any_script_and_not_within_longer_ones() {
        for (word, text, expected) in vectors::<Vec<(String, String, bool)>>("mentions") {
            assert_eq!(mentions(&text, &word), expected, "{word} in {text}");
        }
    }

    #[test]
    fn every_occurrence_has_its_range() {
        let found: Vec<_> = find_word("Ann, annex, annさん", "ANN").collect();
        assert_eq!(found, [0..3, 12..15]);
    }

    #[test]
    fn letters_of_one_word_are_told_from_neighbours() {
        for (one, other, expected) in vectors::<Vec<(char, char, bool)>>("neighbours") {
            assert_eq!(are_in_one_word(one, other), expected, "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_found_word_is_that_word(text in "[annANNe さ님2_.|-]{0,20}", other in any::<String>()) {
            for text in [text, other] {
                for range in find_word(&text, "ann") {
                    prop_assert!(text[range].eq_ignore_ascii_case("ann"));
                }
            }
        }
    }
}
