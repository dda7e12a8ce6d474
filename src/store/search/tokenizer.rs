//! Tokens of a text for the index: of its visible part, in one normal form.
//!
//! - Case, compatibility forms (full-width, ligatures) and accents are folded away, in texts and in queries alike.
//! - Letters and digits in a row are one token, a *word*. It is found by its beginning.
//! - In scripts without spaces (Han, kana, Hangul, Thai, Khmer …) each character is a token, and so is each symbol and
//!   emoji. A run of them is found anywhere, as a phrase of neighbouring tokens.
//! - Punctuation separates and is no token: `it's` finds `it’s`, and `(this)` finds `this`. So that a query of
//!   punctuation alone works too, runs with punctuation are listed apart, as [`Tokens::marks`].
//!
//! All of this follows the properties of Unicode, and none of it a list of scripts.

use std::collections::BTreeSet;

use icu_casemap::CaseMapper;
use icu_properties::props::{
    DefaultIgnorableCodePoint, Diacritic, GeneralCategory as Category, GeneralCategoryGroup as Group,
    LineBreak, QuotationMark, RegionalIndicator, Script, TerminalPunctuation,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use crate::wire::formatting;

/// Length of a run of punctuation in the index, in characters. A longer query finds what begins like it.
const MAX_MARK_LENGTH: usize = 4;

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SearchToken {
    /// Letters and digits, found by their beginning.
    Word(String),
    /// A single character: of a script without spaces, a symbol, a flag.
    Symbol(String),
}

/// The tokens of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens {
    /// Tokens in the order of the text.
    pub tokens: Vec<SearchToken>,
    /// Every suffix of each run of symbols with punctuation, up to [`MAX_MARK_LENGTH`] characters.
    pub marks: BTreeSet<String>,
}

/// Kind of a character.
#[derive(Debug, PartialEq, Eq)]
enum CharKind {
    Letter,
    /// Character of a script without spaces.
    Ideograph,
    Symbol,
    Flag,
    Punctuation,
    Mark,
    Space,
    /// Neither visible nor a boundary.
    Ignored,
}

impl SearchToken {
    /// Returns true for a token with letters or digits.
    pub fn has_letters(&self) -> bool {
        self.as_str().chars().any(char::is_alphanumeric)
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Word(text) | Self::Symbol(text) => text,
        }
    }
}

impl From<SearchToken> for String {
    fn from(token: SearchToken) -> Self {
        match token {
            SearchToken::Word(text) | SearchToken::Symbol(text) => text,
        }
    }
}

impl Tokens {
    /// Splits a text, as it was sent, into tokens.
    pub fn from_text(text: &str) -> Self {
        let mut tokens = Self::default();
        let mut word = String::new();
        let mut run = PunctuationRun::default();
        let mut half_flag = None;
        for c in fold(&visible_text(text)).chars() {
            let kind = char_kind(c);
            if matches!(kind, CharKind::Ignored) {
                continue;
            }
            let in_word =
                matches!(kind, CharKind::Letter) || matches!(kind, CharKind::Mark) && !word.is_empty();
            if in_word {
                word.push(c);
            } else if !word.is_empty() {
                tokens.tokens.push(SearchToken::Word(std::mem::take(&mut word)));
            }
            // A flag is a pair of regional letters: a half of it belongs to no other flag.
            let first = half_flag.take();
            if matches!(kind, CharKind::Symbol | CharKind::Flag | CharKind::Punctuation) {
                run.add(c, matches!(kind, CharKind::Punctuation));
            } else {
                run.finish(&mut tokens.marks);
            }
            match (kind, first) {
                (CharKind::Flag, Some(first)) => {
                    tokens.tokens.pop();
                    tokens.tokens.push(SearchToken::Symbol(String::from_iter([first, c])));
                }
                (CharKind::Flag, None) => {
                    half_flag = Some(c);
                    tokens.tokens.push(SearchToken::Symbol(c.into()));
                }
                (CharKind::Ideograph | CharKind::Symbol, _) => {
                    tokens.tokens.push(SearchToken::Symbol(c.into()));
                }
                (CharKind::Mark, _) if !in_word => tokens.tokens.push(SearchToken::Symbol(c.into())),
                _ => {}
            }
        }
        if !word.is_empty() {
            tokens.tokens.push(SearchToken::Word(word));
        }
        run.finish(&mut tokens.marks);
        tokens
    }
}

/// Consecutive symbols and punctuation.
#[derive(Default)]
struct PunctuationRun {
    chars: Vec<char>,
    punctuation: bool,
}

impl PunctuationRun {
    fn add(&mut self, c: char, punctuation: bool) {
        self.chars.push(c);
        self.punctuation |= punctuation;
    }

    fn finish(&mut self, marks: &mut BTreeSet<String>) {
        if self.punctuation {
            let ends = (0..self.chars.len()).filter_map(|from| self.chars.get(from..));
            marks.extend(ends.map(|end| end.iter().take(MAX_MARK_LENGTH).collect::<String>()));
        }
        *self = Self::default();
    }
}

/// Removes formatting codes (<https://modern.ircdocs.horse/formatting>) and the frame of a CTCP ACTION
/// (<https://modern.ircdocs.horse/ctcp>) from a text.
fn visible_text(text: &str) -> String {
    let text = text.strip_prefix("\u{1}ACTION ").unwrap_or(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((c, behind)) = formatting::next_char(rest) {
        rest = behind;
        match c {
            // Lines of one message, which clients show together.
            '\r' => {}
            c if c.is_whitespace() => out.push(' '),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Returns one spelling for texts that differ in form only: compatibility forms decomposed, case folded (full folding,
/// so that `ß` is `ss`), accents removed, and characters of a script (Hangul, kana with their marks) composed again.
fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed: String = text.nfkd().collect();
    let folded = CaseMapper::new().fold_string(&decomposed);
    folded.nfkd().filter(|c| !is_accent(*c)).nfc().collect()
}

/// Returns true for a mark that texts may leave out: one that belongs to no script; a point of Hebrew, Arabic or Syriac,
/// which have combining classes of their own; and a diacritic above or below a letter. The marks of other classes
/// distinguish words and stay: viramas, nuktas, the tone marks of Thai, and the voicing marks of kana, although these
/// belong to no script.
fn is_accent(c: char) -> bool {
    /// Combining classes of the points of Hebrew (10 to 26), Arabic and Syriac (to 36).
    const POINTS: std::ops::RangeInclusive<u8> = 10..=36;
    /// First class of the marks whose position alone counts.
    const AROUND: u8 = 200;
    if c.is_ascii()
        || matches!(c, '\u{3099}' | '\u{309a}')
        || CodePointMapData::<Category>::new().get(c) != Category::NonspacingMark
    {
        return false;
    }
    let class = canonical_combining_class(c);
    CodePointMapData::<Script>::new().get(c) == Script::Inherited
        || POINTS.contains(&class)
        || class >= AROUND && CodePointSetData::new::<Diacritic>().contains(c)
}

fn char_kind(c: char) -> CharKind {
    match c {
        // Most texts have only these characters; the tables give the same result.
        'a'..='z' | 'A'..='Z' | '0'..='9' => CharKind::Letter,
        ' ' => CharKind::Space,
        _ => char_kind_by_tables(c),
    }
}

fn char_kind_by_tables(c: char) -> CharKind {
    let category = CodePointMapData::<Category>::new().get(c);
    let is_mark = Group::Mark.contains(category);
    if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        || matches!(category, Category::Format | Category::Control)
    {
        CharKind::Ignored
    } else if is_mark || Group::Letter.contains(category) || Group::Number.contains(category) {
        match CodePointMapData::<LineBreak>::new().get(c) {
            // Lines of these may be broken between any two characters, or by a dictionary (UAX 14): they have no spaces
            // between words, or, like Korean, more than a word between spaces.
            LineBreak::Ideographic
            | LineBreak::ComplexContext
            | LineBreak::ConditionalJapaneseStarter
            | LineBreak::Nonstarter
            | LineBreak::H2
            | LineBreak::H3
            | LineBreak::JL
            | LineBreak::JV
            | LineBreak::JT => CharKind::Ideograph,
            _ if is_mark => CharKind::Mark,
            _ => CharKind::Letter,
        }
    } else if Group::Separator.contains(category) {
        CharKind::Space
    } else if Group::Punctuation.contains(category) && is_separator(c, category) {
        CharKind::Punctuation
    } else if CodePointSetData::new::<RegionalIndicator>().contains(c) {
        CharKind::Flag
    } else {
        CharKind::Symbol
    }
}

/// Returns true for punctuation of sentences: brackets, dashes, quotes, and ends of clauses. Other punctuation (`#`,
/// `@`, `_`, `/`) has a meaning of its own.
fn is_separator(c: char, category: Category) -> bool {
    match category {
        Category::ConnectorPunctuation => false,
        Category::OtherPunctuation => {
            CodePointSetData::new::<TerminalPunctuation>().contains(c)
                || CodePointSetData::new::<QuotationMark>().contains(c)
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the tokens with a bar between them, and the marks.
    fn tokens(text: &str) -> (String, String) {
        let tokens = Tokens::from_text(text);
        let text: Vec<&str> = tokens.tokens.iter().map(SearchToken::as_str).collect();
        (text.join("|"), tokens.marks.into_iter().collect::<Vec<_>>().join(" "))
    }

    fn text(text: &str) -> String {
        tokens(text).0
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        assert_eq!(text("It's well-known: h2o, e.g. (this)"), "it|s|well|known|h2o|e|g|this");
        assert_eq!(text("C++ C# #lobby a_b x@y.z and/or 3$"), "c|+|+|c|#|#|lobby|a|_|b|x|@|y|z|and|/|or|3|$");
        assert_eq!(text("https://example.org/a?b=c"), "https|/|/|example|org|/|a|b|=|c");
        assert_eq!(text(""), "");
    }

    #[test]
    fn scripts_without_spaces_yield_single_characters() {
        assert_eq!(text("明天下午3点开会议"), "明|天|下|午|3|点|开|会|议");
        assert_eq!(text("お誕生日パーティー！"), "お|誕|生|日|パ|ー|テ|ィ|ー");
        assert_eq!(text("iPhone手机"), "iphone|手|机");
        assert_eq!(text("회의에서"), "회|의|에|서");
        assert_eq!(text("ที่นี่"), "ท|ี|่|น|ี|่");
        assert_eq!(text("ក្មែរ"), "ក|្|ម|ែ|រ");
    }

    #[test]
    fn equivalent_spellings_yield_equal_tokens() {
        for (one, other) in [
            ("Zoë", "ZOE\u{308}"),
            ("Straße", "STRASSE"),
            ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
            ("İstanbul", "istanbul"),
            ("ＡＢＣ１２３", "abc123"),
            ("ﾊﾞﾝ", "バン"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("ﬁnd", "find"),
            ("it’s", "it's"),
            ("か\u{3099}", "が"),
            ("naïve", "naive"),
            ("مُحَمَّد", "محمد"),
            ("עִבְרִית", "עברית"),
            ("בְּרֵאשִׁ֖ית", "בראשית"),
            ("ܡܰܠܟܳܐ", "ܡܠܟܐ"),
            ("й", "и"),
            ("می\u{200c}خواهم", "میخواهم"),
            ("co\u{ad}op", "coop"),
            ("❤\u{fe0f}", "❤"),
        ] {
            assert_eq!(text(one), text(other), "{one} {other}");
        }
        for (one, other) in [("か", "が"), ("ก่า", "กา"), ("क्ष", "कष"), ("ड़", "ड")]
        {
            assert_ne!(text(one), text(other), "{one} {other}");
        }
    }

    #[test]
    fn emoji_and_flags_are_single_tokens() {
        assert_eq!(text("ok👍🏽!"), "ok|👍|🏽");
        assert_eq!(text("👩\u{200d}💻"), "👩|💻");
        assert_eq!(text("🇫🇷🇪🇸"), "🇫🇷|🇪🇸");
        assert_eq!(text("1\u{fe0f}\u{20e3}"), "1\u{20e3}");
    }

    #[test]
    fn punctuation_runs_are_indexed_by_every_suffix() {
        assert_eq!(tokens("wow!!! :) 1, 2"), ("wow|1|2".into(), "! !! !!! ) , :)".into()));
        assert_eq!(tokens("<-----").1, "- -- --- ---- <---");
        assert_eq!(tokens("C++ 👍").1, "", "symbols alone are in the text");
    }

    #[test]
    fn fast_path_agrees_with_unicode_tables() {
        assert!(('\0'..='\u{7f}').all(|c| char_kind(c) == char_kind_by_tables(c)));
    }

    #[test]
    fn formatting_codes_are_not_indexed() {
        assert_eq!(text("\u{1}ACTION waves\u{1}"), "waves");
        assert_eq!(text("\u{3}04,12red\u{3} \u{2}bo\u{2}ld \u{3}1,x \u{4}ff0000hex\u{f}"), "red|bold|x|hex");
        assert_eq!(text("one\ntwo\tthree"), "one|two|three");
        assert_eq!(text("jo\rined"), "joined", "lines that are one");
    }
}
