//! A search in parsed form: as a query of the index, and as a condition that one message meets or not. Both find the same
//! messages.

use std::fmt::Write as _;

use super::tokenizer::{SearchToken, Tokens};
use crate::core::effects::history::Search;
use crate::core::record::{AccountId, ChannelId, Conversation};

/// Condition of a search: the conversations, the sender and the terms that a message must match.
#[derive(Debug)]
pub(super) struct Condition {
    scope: Scope,
    from: Option<AccountId>,
    /// All must match.
    terms: Vec<Term>,
}

/// The conversations that are searched.
#[derive(Debug)]
enum Scope {
    One(Conversation),
    /// Channels, and the direct conversations of an account.
    Several {
        channels: Vec<ChannelId>,
        direct: Option<AccountId>,
    },
}

/// A term of a search, which the text of a message must contain.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Term {
    /// A run of punctuation that begins like this.
    Mark(String),
    /// Neighbouring tokens. Of the last one its beginning is enough if `is_prefix` is set.
    Phrase { tokens: Vec<String>, is_prefix: bool },
}

impl Condition {
    /// Parses a search. `None` if nothing can match it: there are no conversations, or its text holds nothing that can be
    /// found.
    pub fn parse(search: &Search) -> Option<Self> {
        let scope = match search.conversation {
            Some(conversation) => Scope::One(conversation),
            None => Scope::Several {
                channels: search.channels.iter().map(|(id, _)| *id).collect(),
                direct: search.includes_direct.then_some(search.account),
            },
        };
        if matches!(&scope, Scope::Several { channels, direct: None } if channels.is_empty()) {
            return None;
        }
        let mut terms = Vec::new();
        if let Some(text) = &search.text {
            terms.extend(text.split_whitespace().flat_map(Term::of_word));
            terms.sort_unstable();
            terms.dedup();
            if terms.is_empty() {
                return None;
            }
        }
        Some(Self { scope, from: search.from, terms })
    }

    /// Returns the condition in the syntax of FTS5 (<https://www.sqlite.org/fts5.html#full_text_query_syntax>), for the
    /// words that [`scope_words`] makes.
    pub fn fts_query(&self) -> String {
        let conversations = match &self.scope {
            Scope::One(Conversation::Channel(id)) => vec![format!("p{}", id.0)],
            Scope::One(Conversation::Direct(a, b)) => vec![format!("t{}x{}", a.0, b.0)],
            Scope::Several { channels, direct } => {
                let channels = channels.iter().map(|id| format!("p{}", id.0));
                channels.chain(direct.map(|account| format!("d{}", account.0))).collect()
            }
        };
        let mut query = format!("scope : ({})", conversations.join(" OR "));
        if let Some(from) = self.from {
            let _ = write!(query, " AND scope : s{}", from.0);
        }
        for term in &self.terms {
            let _ = match term {
                Term::Mark(mark) => write!(query, " AND marks : {} *", quote(mark)),
                Term::Phrase { tokens, is_prefix } => {
                    let star = if *is_prefix { " *" } else { "" };
                    write!(query, " AND text : {}{star}", quote(&tokens.join(" ")))
                }
            };
        }
        query
    }

    /// Returns true if a message of this conversation and sender may match.
    pub fn includes(&self, conversation: Conversation, sender: AccountId) -> bool {
        let in_scope = match (&self.scope, conversation) {
            (Scope::One(one), conversation) => *one == conversation,
            (Scope::Several { channels, .. }, Conversation::Channel(id)) => channels.contains(&id),
            (Scope::Several { direct, .. }, Conversation::Direct(a, b)) => {
                direct.is_some_and(|account| account == a || account == b)
            }
        };
        in_scope && self.from.is_none_or(|from| from == sender)
    }

    /// Returns true if a text contains all terms.
    pub fn matches_text(&self, text: &str) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let tokens = Tokens::from_text(text);
        self.terms.iter().all(|term| term.matches(&tokens))
    }
}

/// Returns the conversation and the sender of a message as words of the index: `p` and a channel, `d` and each side of
/// a direct conversation, `t` and both, `s` and the sender.
pub(super) fn scope_words(conversation: Conversation, sender: AccountId) -> String {
    match conversation {
        Conversation::Channel(id) => format!("p{} s{}", id.0, sender.0),
        Conversation::Direct(a, b) => format!("d{} d{} t{}x{} s{}", a.0, b.0, a.0, b.0, sender.0),
    }
}

impl Term {
    /// Returns the terms that must all match for a word of a query: its tokens as neighbours, or, for punctuation alone,
    /// its marks.
    fn of_word(word: &str) -> Vec<Self> {
        let tokens = Tokens::from_text(word);
        let is_symbols = !tokens.tokens.iter().any(SearchToken::has_letters);
        if is_symbols && !tokens.marks.is_empty() {
            let longest = tokens.marks.iter().map(|mark| mark.chars().count()).max().unwrap_or_default();
            let longest = tokens.marks.into_iter().filter(|mark| mark.chars().count() == longest);
            return longest.map(Self::Mark).collect();
        }
        let Some(last) = tokens.tokens.last() else { return Vec::new() };
        let is_prefix = matches!(last, SearchToken::Word(_));
        vec![Self::Phrase { tokens: tokens.tokens.into_iter().map(String::from).collect(), is_prefix }]
    }

    fn matches(&self, text: &Tokens) -> bool {
        match self {
            Self::Mark(mark) => text.marks.iter().any(|run| run.starts_with(mark.as_str())),
            Self::Phrase { tokens, is_prefix } => {
                let Some((last, before)) = tokens.split_last() else { return false };
                text.tokens.windows(tokens.len()).any(|run| {
                    run.split_last().is_some_and(|(end, begin)| {
                        let (end, last) = (end.as_str(), last.as_str());
                        let ends = if *is_prefix { end.starts_with(last) } else { end == last };
                        ends && begin.iter().map(SearchToken::as_str).eq(before.iter().map(String::as_str))
                    })
                })
            }
        }
    }
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
