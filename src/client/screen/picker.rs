//! Pick list with fuzzy search, for conversations and emojis.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{App, Spot};
use crate::client::screen::text::composer::Editor;
use crate::client::screen::text::sanitize::tidy_line;

/// Choice of a pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Conversation to switch to.
    Place(Spot),
    /// Reaction to a message.
    Emoji {
        /// Emoji of the reaction.
        emoji: &'static str,
        /// Conversation of the message.
        spot: Spot,
        /// Id of the message.
        msgid: String,
    },
}

/// Pick list with a search field.
#[derive(Debug, Default)]
pub struct Picker {
    /// Title of the window.
    pub title: &'static str,
    /// Field that narrows the list.
    pub query: Editor,
    /// Items: name, remark beside it, choice.
    items: Vec<(String, String, Item)>,
    /// Indexes of the matching items, best match first.
    matches: Vec<usize>,
    /// Index of the selected match.
    pub at: usize,
}

impl Picker {
    /// Limit of the matches.
    const MOST: usize = 200;

    fn new(title: &'static str, items: Vec<(String, String, Item)>) -> Self {
        let mut picker = Self { title, items, ..Self::default() };
        picker.narrow();
        picker
    }

    /// Matches the items against the search field anew.
    pub fn narrow(&mut self) {
        self.at = 0;
        let query = self.query.text().trim();
        if query.is_empty() {
            self.matches = (0..self.items.len().min(Self::MOST)).collect();
            return;
        }
        let pattern = Pattern::parse(query, CaseMatching::Ignore, Normalization::Smart);
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut chars = Vec::new();
        let mut found: Vec<(u32, usize)> = Vec::new();
        for (index, (name, _, _)) in self.items.iter().enumerate() {
            if let Some(score) = pattern.score(Utf32Str::new(name, &mut chars), &mut matcher) {
                found.push((score, index));
            }
        }
        // Equal matches keep the order of the items, which has the most likely ones first.
        found.sort_by_key(|(score, index)| (std::cmp::Reverse(*score), *index));
        self.matches = found.into_iter().take(Self::MOST).map(|(_, index)| index).collect();
    }

    /// Iterates over the matches, best first: name, and remark beside it.
    pub fn shown(&self) -> impl Iterator<Item = (&str, &str)> {
        let items = self.matches.iter().filter_map(|&index| self.items.get(index));
        items.map(|(name, beside, _)| (name.as_str(), beside.as_str()))
    }

    /// Returns the selected item.
    pub fn choice(&self) -> Option<&Item> {
        self.items.get(*self.matches.get(self.at)?).map(|(_, _, item)| item)
    }

    /// Moves the selection up or down.
    pub fn step(&mut self, by: isize) {
        let last = self.matches.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }
}

impl App {
    /// Creates the list of all other conversations: mentions first, then unread ones, then the previous one, then the
    /// rest.
    pub(super) fn switcher(&self) -> Picker {
        let several = self.servers.len() > 1;
        let mut items: Vec<(u8, String, String, Item)> = self
            .spots()
            .filter(|(spot, _)| self.here.as_ref() != Some(spot))
            .map(|(spot, buffer)| {
                let rank = match () {
                    () if buffer.mentions > 0 => 0,
                    () if buffer.unread > 0 && !buffer.muted => 1,
                    () if self.before.as_ref() == Some(&spot) => 2,
                    () => 3,
                };
                let mut beside = if several { self.servers[spot.0].name.clone() } else { String::new() };
                if buffer.unread > 0 {
                    beside = format!("{} new  {beside}", buffer.unread);
                }
                (rank, tidy_line(spot.1.as_str(), 64), beside, Item::Place(spot))
            })
            .collect();
        items.sort_by_key(|(rank, ..)| *rank);
        Picker::new("Go to", items.into_iter().map(|(_, name, beside, item)| (name, beside, item)).collect())
    }

    /// Creates the list of all emojis, the most usual reactions first.
    pub(super) fn reactions(spot: &Spot, msgid: &str) -> Picker {
        const FIRST: [&str; 8] = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
        let item = |emoji: &'static emojis::Emoji| {
            let codes: Vec<&str> = emoji.shortcodes().collect();
            let name = format!("{}  {}", emoji.as_str(), codes.first().copied().unwrap_or(emoji.name()));
            let item = Item::Emoji { emoji: emoji.as_str(), spot: spot.clone(), msgid: msgid.to_owned() };
            (name, emoji.name().to_owned(), item)
        };
        let first = FIRST.iter().filter_map(|text| emojis::get(text));
        let rest = emojis::iter().filter(|emoji| !FIRST.contains(&emoji.as_str()));
        Picker::new("React with", first.chain(rest).map(item).collect())
    }
}
