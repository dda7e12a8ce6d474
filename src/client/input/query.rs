//! Parsing of search terms.

use crate::client::model::Conversation;

/// Words for the user about results that may lack messages, because the index is behind or the search took too long.
pub const INCOMPLETE_SEARCH: &str = "some messages were not searched yet; search again in a moment";

/// A typed search: words, and the filters `in:#channel` and `from:name` among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchQuery {
    /// The words, separated by single spaces.
    pub terms: String,
    /// The conversation to search; `None` for all.
    pub conversation: Option<Conversation>,
    /// The sender to search for; `None` for all.
    pub from: Option<String>,
}

impl SearchQuery {
    /// Parses a search. An invalid filter counts as a word.
    pub fn parse(text: &str) -> Self {
        let (mut terms, mut conversation, mut from) = (Vec::new(), None, None);
        for term in text.split_whitespace() {
            if let Some(name) = term.strip_prefix("in:")
                && let Ok(target) = Conversation::parse(name)
            {
                conversation = Some(target);
            } else if let Some(name) = term.strip_prefix("from:")
                && !name.is_empty()
            {
                from = Some(name.to_owned());
            } else {
                terms.push(term);
            }
        }
        Self { terms: terms.join(" "), conversation, from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_search_terms_and_filters() {
        let SearchQuery { terms, conversation, from } =
            SearchQuery::parse("big in:#lobby  fish from:bob in: x:y");
        assert_eq!(terms, "big fish in: x:y");
        assert_eq!((conversation, from.as_deref()), (Conversation::parse("#lobby").ok(), Some("bob")));
    }
}
