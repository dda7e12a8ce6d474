//! Parsing of search terms.

use crate::client::model::Target;

/// A typed search: words, and the filters `in:#channel` and `from:name` among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The words, separated by single spaces.
    pub words: String,
    /// The conversation to search; `None` for all.
    pub place: Option<Target>,
    /// The sender to search for; `None` for all.
    pub from: Option<String>,
}

impl Query {
    /// Parses a search. An invalid filter counts as a word.
    pub fn parse(text: &str) -> Self {
        let (mut words, mut place, mut from) = (Vec::new(), None, None);
        for word in text.split_whitespace() {
            if let Some(name) = word.strip_prefix("in:")
                && let Ok(target) = Target::parse(name)
            {
                place = Some(target);
            } else if let Some(name) = word.strip_prefix("from:")
                && !name.is_empty()
            {
                from = Some(name.to_owned());
            } else {
                words.push(word);
            }
        }
        Self { words: words.join(" "), place, from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_search_terms_and_filters() {
        let Query { words, place, from } = Query::parse("big in:#lobby  fish from:bob in: x:y");
        assert_eq!(words, "big fish in: x:y");
        assert_eq!((place, from.as_deref()), (Target::parse("#lobby").ok(), Some("bob")));
    }
}
