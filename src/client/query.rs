//! What a search looks for.

use super::model::Target;

/// What a typed search asks for: words, and what stands as `in:#place` and `from:name` among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The words, with a blank between them.
    pub words: String,
    /// The only place to look in.
    pub place: Option<Target>,
    /// The only one whose messages are meant.
    pub from: Option<String>,
}

impl Query {
    /// Reads it. What is no place and no name is a word.
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
    fn a_line_is_words_and_where() {
        let Query { words, place, from } = Query::parse("big in:#lobby  fish from:bob in: x:y");
        assert_eq!(words, "big fish in: x:y");
        assert_eq!((place, from.as_deref()), (Target::parse("#lobby").ok(), Some("bob")));
    }
}
