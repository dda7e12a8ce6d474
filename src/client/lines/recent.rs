//! Recent messages, to reply to and to quote when others reply or react to them.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::client::model::{Said, Target};
use crate::client::secret::shown;

/// The newest messages that have an id.
#[derive(Debug, Default)]
pub struct Recent(VecDeque<Brief>);

/// A message and its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// The id of the message.
    pub id: String,
    /// The conversation that it is in.
    place: Target,
    mine: bool,
    /// The sender and the first words. They must be cleaned before they go to a terminal.
    pub words: String,
}

impl Recent {
    /// Limit of messages kept.
    const KEPT: usize = 500;
    /// Limit of graphemes kept of each.
    const LETTERS: usize = 40;

    /// Adds a message, if it has an id.
    pub fn add(&mut self, said: &Said) {
        let Some(id) = said.msgid.clone() else { return };
        let text = shown(said);
        let letters: Vec<&str> = text.graphemes(true).take(Self::LETTERS + 1).collect();
        let more = if letters.len() > Self::LETTERS { "…" } else { "" };
        // A grapheme has no limit of combining marks, so it is cut too.
        let start = letters.iter().take(Self::LETTERS).flat_map(|letter| letter.chars().take(8));
        let words = format!("{}: “{}{more}”", said.from, start.collect::<String>().replace('\n', " "));
        let (place, mine) = (said.place.clone(), said.mine);
        self.0.push_back(Brief { id, place, mine, words });
        if self.0.len() > Self::KEPT {
            self.0.pop_front();
        }
    }

    /// Returns the last message in a conversation, from this account (`mine`) or from another.
    pub fn last(&self, place: &Target, mine: bool) -> Option<&Brief> {
        self.0.iter().rev().find(|brief| brief.place == *place && brief.mine == mine)
    }

    /// Returns the sender and the first words of a message.
    pub fn words(&self, place: &Target, id: &str) -> &str {
        let known = self.0.iter().rev().find(|brief| brief.place == *place && brief.id == id);
        known.map_or("an earlier message", |brief| &brief.words)
    }

    /// Removes a message.
    pub fn remove(&mut self, place: &Target, id: &str) {
        self.0.retain(|brief| !(brief.place == *place && brief.id == id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::model::Kind;
    use crate::wire::{Millis, Nick};

    fn say(recent: &mut Recent, id: &str, mine: bool, text: &str) {
        let place = Target::parse("#lobby").expect("a channel");
        let from = Nick::parse(if mine { "alice" } else { "bob" }).expect("a nick");
        let (time, kind, msgid) = (Millis(0), Kind::Text, Some(id.to_owned()));
        let (text, reply, ticket) = (text.to_owned(), None, None);
        recent.add(&Said { place, from, mine, kind, text, time, msgid, reply, ticket });
    }

    #[test]
    fn recent_messages_are_found_and_bounded() {
        let mut recent = Recent::default();
        let (lobby, bob) = (Target::parse("#lobby").expect("it"), Target::parse("bob").expect("it"));
        say(&mut recent, "1", false, "short");
        say(&mut recent, "2", true, &"a\u{301}".repeat(10_000));
        say(&mut recent, "3", false, &format!("x{}", "\u{301}".repeat(10_000)));
        assert_eq!(recent.last(&lobby, true).map(|it| &*it.id), Some("2"));
        assert_eq!(recent.last(&lobby, false).map(|it| &*it.id), Some("3"));
        assert_eq!(recent.last(&bob, false), None);
        assert_eq!(recent.words(&lobby, "1"), "bob: “short”");
        assert_eq!(recent.words(&bob, "1"), "an earlier message");
        assert!(recent.words(&lobby, "2").ends_with("a\u{301}…”"));
        assert!(recent.words(&lobby, "3").chars().count() < 20);
        recent.remove(&lobby, "3");
        assert_eq!(recent.last(&lobby, false).map(|it| &*it.id), Some("1"));
        for _ in 0..600 {
            say(&mut recent, "9", false, "more");
        }
        assert_eq!(recent.words(&lobby, "1"), "an earlier message");
        assert_eq!(recent.0.len(), Recent::KEPT);
    }
}
