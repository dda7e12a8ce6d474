//! Unicode rules for names and screens: characters that a name may hold, characters that are visible, and the case
//! folding that makes names equal.
//!
//! All of them come from the Unicode character database (`icu_properties`, `icu_casemap`). The only list of our own is
//! [`BLANK`], with U+FFFD, because Unicode has no property for a letter or symbol whose glyph is empty.

use std::borrow::Cow;

use icu_casemap::CaseMapper;
use icu_properties::props::{
    BidiControl, CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier,
    ExtendedPictographic, GeneralCategory, GeneralCategoryGroup, IndicSyllabicCategory, JoiningType,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;

/// Letters, marks and symbols with an empty glyph: BRAILLE PATTERN BLANK, MUSICAL SYMBOL NULL NOTEHEAD, the two EGYPTIAN
/// HIEROGLYPH BLANKs, KHITAN SMALL SCRIPT FILLER, TIFINAGH CONSONANT JOINER and BRAHMI NUMBER JOINER, which only join
/// their neighbours, and OBJECT REPLACEMENT CHARACTER, which stands for a picture that a line cannot hold.
pub const BLANK: [char; 8] =
    ['\u{2800}', '\u{1d159}', '\u{13441}', '\u{13442}', '\u{16fe4}', '\u{2d7f}', '\u{1107f}', '\u{fffc}'];

/// REPLACEMENT CHARACTER: stands for any bytes that were no text, so names with it are not what they seem.
const REPLACEMENT: char = '\u{fffd}';

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// VARIATION SELECTOR-16: selects the coloured form of the character before it.
const EMOJI_STYLE: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';

/// Returns the first character that a name may not hold.
///
/// Refused are `Default_Ignorable_Code_Point`, `Bidi_Control`, [`BLANK`], U+FFFD, white space other than U+0020, which the
/// caller decides on, and the general categories Control, Format, Private Use and Unassigned. An unassigned character
/// may fold to another one in a later version of Unicode, and then two different names would become one. Three
/// ignorable characters are allowed where they make a visible difference:
/// - U+200C ZERO WIDTH NON-JOINER between two letters that would join or after a virama, as in Persian and Indic words
///   ([UAX #31](https://www.unicode.org/reports/tr31/#Layout_and_Format_Control_Characters), A1 and A2);
/// - U+200D ZERO WIDTH JOINER after a virama (B), and between two emoji;
/// - U+FE0F after an emoji, and in a keycap.
pub fn find_refused_char(text: &str) -> Option<char> {
    if is_plain_ascii(text) {
        return None;
    }
    let chars: Vec<char> = text.chars().collect();
    let refused = |&(at, &c): &(usize, &char)| !is_allowed_anywhere(c) && !is_allowed_in_context(&chars, at);
    chars.iter().enumerate().find(refused).map(|(_, &c)| c)
}

/// Returns whether a screen shows the character as nothing, as a blank, or as a private glyph of one font. Joiners and
/// variation selectors are not among them: they change how their neighbours look.
pub fn is_invisible(c: char) -> bool {
    !c.is_ascii()
        && (is_ignorable(c) && !matches!(c, NON_JOINER | JOINER | '\u{fe00}'..=EMOJI_STYLE)
            || BLANK.contains(&c)
            || category(c) == GeneralCategory::PrivateUse)
}

/// Returns whether a terminal interprets the character instead of showing it, or if it reorders other text. The marks
/// that give only their own direction (U+200E, U+200F, U+061C) do not reorder other text.
pub fn is_terminal_control(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    let separates = || {
        matches!(
            category(c),
            GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator
        )
    };
    let reorders = || is_bidi_control(c) && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}');
    // The byte order mark and the interlinear annotation characters.
    matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}') || separates() || reorders()
}

/// Returns the form by which names are compared: full default case folding between canonical decomposition and
/// composition (Unicode, section 3.13, D145), without ignorable characters. Names with the same form look the same but
/// for case and for the joining of their letters.
pub fn fold_name(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            text.to_ascii_lowercase().into()
        } else {
            text.into()
        };
    }
    let seen: String = text.nfd().filter(|&c| !is_ignorable(c)).collect();
    CaseMapper::new().fold_string(&seen).nfc().collect::<String>().into()
}

/// Returns the text without the characters that no name may hold. Serves real names, which are shown beside a nick:
/// refusing the whole name would refuse a login.
pub fn strip_refused(text: &str) -> Cow<'_, str> {
    let mut text = Cow::from(text);
    // Removing a character may leave a joiner without its neighbours.
    while !is_plain_ascii(&text) && find_refused_char(&text).is_some() {
        let chars: Vec<char> = text.chars().collect();
        let kept = |&(at, &c): &(usize, &char)| is_allowed_anywhere(c) || is_allowed_in_context(&chars, at);
        text = chars.iter().enumerate().filter(kept).map(|(_, &c)| c).collect::<String>().into();
    }
    text
}

fn is_plain_ascii(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b' '..=b'~'))
}

/// Returns whether a name may hold the character in any position.
fn is_allowed_anywhere(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    let category = category(c);
    !matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::PrivateUse
            | GeneralCategory::Unassigned
            | GeneralCategory::Surrogate
    ) && !GeneralCategoryGroup::Separator.contains(category)
        && !c.is_whitespace()
        && !is_ignorable(c)
        && !is_bidi_control(c)
        && !BLANK.contains(&c)
        && c != REPLACEMENT
}

/// Returns whether the character at `at` is a joiner or an emoji selector in a position that allows it.
fn is_allowed_in_context(chars: &[char], at: usize) -> bool {
    let (before, after) = (chars.get(..at).unwrap_or_default(), chars.get(at + 1..).unwrap_or_default());
    match chars.get(at) {
        Some(&NON_JOINER) => joins_letters(before, after) || follows_virama(before) && follows_letter(after),
        Some(&JOINER) => {
            let vowel = after.first().is_some_and(|&c| indic(c) == IndicSyllabicCategory::VowelDependent);
            follows_virama(before) && !vowel
                || ends_in_emoji(before) && after.first().is_some_and(|&c| is_pictographic(c))
        }
        Some(&EMOJI_STYLE) => match (before.last(), after.first()) {
            (Some('0'..='9' | '#' | '*'), Some(&KEYCAP)) => true,
            (Some(&c), _) => is_pictographic(c) && CodePointSetData::new::<Emoji>().contains(c),
            _ => false,
        },
        _ => false,
    }
}

/// Implements UAX #31, A1: a letter that joins to the left, one that joins to the right, and transparent marks between.
fn joins_letters(before: &[char], after: &[char]) -> bool {
    let joining = |&c: &char| CodePointMapData::<JoiningType>::new().get(c);
    let opaque = |kind: &JoiningType| *kind != JoiningType::Transparent;
    let left = before.iter().rev().map(joining).find(opaque);
    let right = after.iter().map(joining).find(opaque);
    matches!(left, Some(JoiningType::DualJoining | JoiningType::LeftJoining))
        && matches!(right, Some(JoiningType::DualJoining | JoiningType::RightJoining))
}

/// Implements the left side of A2 and B in UAX #31: a letter, marks, a virama, marks that reorder.
fn follows_virama(before: &[char]) -> bool {
    let class = |c: char| CodePointMapData::<CanonicalCombiningClass>::new().get(c);
    let mark = |c: char| category(c) == GeneralCategory::NonspacingMark;
    let mut rest = before.iter().rev().copied().skip_while(|&c| {
        mark(c)
            && !matches!(class(c), CanonicalCombiningClass::NotReordered | CanonicalCombiningClass::Virama)
    });
    rest.next().is_some_and(|c| class(c) == CanonicalCombiningClass::Virama)
        && rest.find(|&c| !mark(c)).is_some_and(is_letter)
}

/// Implements the right side of A2 in UAX #31: marks that reorder, and a letter.
fn follows_letter(after: &[char]) -> bool {
    after.iter().copied().find(|&c| category(c) != GeneralCategory::NonspacingMark).is_some_and(is_letter)
}

/// Returns whether the text ends in an emoji, with or without its style or skin tone modifier.
fn ends_in_emoji(before: &[char]) -> bool {
    let modifies = |c: char| c == EMOJI_STYLE || CodePointSetData::new::<EmojiModifier>().contains(c);
    match before {
        [.., emoji, last] if modifies(*last) => is_pictographic(*emoji),
        [.., last] => is_pictographic(*last),
        [] => false,
    }
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

fn indic(c: char) -> IndicSyllabicCategory {
    CodePointMapData::<IndicSyllabicCategory>::new().get(c)
}

fn is_letter(c: char) -> bool {
    GeneralCategoryGroup::Letter.contains(category(c))
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

fn is_bidi_control(c: char) -> bool {
    CodePointSetData::new::<BidiControl>().contains(c)
}

fn is_pictographic(c: char) -> bool {
    CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

#[cfg(test)]
mod tests {
    use super::super::vectors::vectors;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn invisible_characters_are_refused_in_names() {
        for c in "\u{3164}\u{fe0f}\u{180e}\u{34f}\u{115f}\u{1160}\u{ffa0}\u{2800}\u{61c}\u{e0041}\u{e000}\u{f0000}\u{ad}\
                  \u{200b}\u{200c}\u{200d}\u{200e}\u{202e}\u{2066}\u{feff}\u{fff9}\u{17b4}\u{180b}\u{e0100}\u{1d173}\
                  \u{1d159}\u{13441}\u{16fe4}\u{2d7f}\u{1107f}\u{fffc}\u{fffd}\u{a0}\u{3000}\u{2028}\u{85}\u{7}\u{378}\u{ffff}"
            .chars()
        {
            for text in [format!("lobby{c}"), format!("{c}lobby"), format!("lob{c}by"), c.to_string()] {
                assert_eq!(find_refused_char(&text), Some(c), "{text:?}");
            }
            assert!(!is_allowed_anywhere(c) && (c == '\u{fe0f}' || strip_refused(&format!("a{c}b")) == "ab"), "{c:?}");
        }
    }

    #[test]
    fn words_and_emoji_of_every_script_are_valid_names() {
        for name in [
            "lobby",
            "Zoë",
            "日本語",
            "한국어",
            "עברית",
            "العربية",
            "ภาษาไทย",
            "क्षत्रिय",
            "தமிழ்",
            "Ελληνικά",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "क्\u{200c}ष",
            "👩\u{200d}👩\u{200d}👧",
            "👩🏽\u{200d}💻",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "🇩🇪",
        ] {
            assert_eq!(find_refused_char(name), None, "{name:?}");
            assert_eq!(strip_refused(name), name);
        }
    }

    #[test]
    fn joiners_without_context_are_refused() {
        for (name, c) in [
            ("a\u{200c}b", '\u{200c}'),
            ("ا\u{200c}ب", '\u{200c}'),
            ("می\u{200c}", '\u{200c}'),
            ("a\u{200d}b", '\u{200d}'),
            ("👩\u{200d}", '\u{200d}'),
            ("👩\u{200d}\u{200d}👩", '\u{200d}'),
            ("a\u{200d}👩", '\u{200d}'),
            ("1\u{fe0f}", '\u{fe0f}'),
            ("❤\u{fe0f}\u{fe0f}", '\u{fe0f}'),
        ] {
            assert_eq!(find_refused_char(name), Some(c), "{name:?}");
        }
    }

    #[test]
    fn blank_list_repeats_no_unicode_property() {
        for c in BLANK {
            assert!(!is_ignorable(c) && !is_bidi_control(c) && !c.is_whitespace(), "{c:?}");
        }
    }

    #[test]
    fn case_and_invisible_differences_fold_to_one_name() {
        for (a, b, are_equal) in vectors::<Vec<(String, String, bool)>>("folds") {
            assert_eq!(fold_name(&a) == fold_name(&b), are_equal, "{a} {b}");
        }
    }

    #[test]
    fn folding_is_idempotent() {
        for c in ('\0'..=char::MAX)
            .filter(|&c| !matches!(category(c), GeneralCategory::Unassigned | GeneralCategory::PrivateUse))
            // The hundred thousand ideographs have no case, and testing them takes long.
            .filter(|&c| !matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..='\u{3ffff}')) {
            let text = format!("#{c}\u{345}\u{301}");
            let folded = fold_name(&text).into_owned();
            assert_eq!(fold_name(&folded), folded, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn stripped_text_is_a_valid_name(text in "[a-z\u{200c}\u{200d}\u{fe0f}\u{3164}\u{e0041}👩🏽❤ب्क1]{0,12}") {
            prop_assert_eq!(find_refused_char(&strip_refused(&text)), None);
        }

        #[test]
        fn folding_ignores_case(text in "\\PC{0,20}") {
            let folded = fold_name(&text).into_owned();
            prop_assert_eq!(fold_name(&folded), folded.as_str());
            let composed = text.nfc().collect::<String>();
            prop_assert_eq!(fold_name(&composed), folded.as_str());
        }
    }
}
