//! Words of the user that count as a mention, found in any case.

use icu_casemap::CaseMapper;
use unicode_segmentation::UnicodeSegmentation as _;

/// Words to find, in the form in which case makes no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Highlights {
    folded: Vec<String>,
}

impl Highlights {
    /// Prepares words for the search.
    pub fn new(words: &[String]) -> Self {
        let folded = words.iter().map(|word| fold(word)).filter(|word| !word.is_empty());
        Self { folded: folded.collect() }
    }

    /// Returns whether a text has one of the words, whole and in any case
    /// ([word boundaries](https://www.unicode.org/reports/tr29/#Word_Boundaries)).
    pub fn matches(&self, text: &str) -> bool {
        if self.folded.is_empty() {
            return false;
        }
        let text = fold(text);
        let bounds: Vec<usize> =
            text.split_word_bound_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let is_bound = |at: usize| bounds.binary_search(&at).is_ok();
        self.folded.iter().any(|word| {
            text.match_indices(word.as_str()).any(|(at, _)| is_bound(at) && is_bound(at + word.len()))
        })
    }
}

fn fold(text: &str) -> String {
    CaseMapper::new().fold_string(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_found_in_any_case_and_script() {
        for (word, text, found) in [
            ("tea", "Tea, please", true),
            ("tea", "a teapot", false),
            ("tea", "steam", false),
            ("tea time", "it is TEA TIME!", true),
            ("STRASSE", "in der Straße", true),
            ("ΌΔΟΣ", "η όδος", true),
            ("ann", "annさん", true),
            ("c++", "I like C++.", true),
            ("#42", "see #42", true),
            ("", "anything", false),
        ] {
            assert_eq!(Highlights::new(&[word.to_owned()]).matches(text), found, "{word} in {text}");
        }
        assert!(!Highlights::default().matches("tea"));
    }
}
