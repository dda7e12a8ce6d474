//! Pick list with fuzzy search, for conversations and emojis.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use super::{App, BufferKey};
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::text::text_field::TextField;

/// Choice of a pick list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PickerItem {
    /// Conversation to switch to.
    Conversation(BufferKey),
    /// Reaction to a message.
    Emoji {
        /// Emoji of the reaction.
        emoji: &'static str,
        /// Conversation of the message.
        key: BufferKey,
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
    pub query: TextField,
    /// Items: name, remark beside it, choice.
    items: Vec<(String, String, PickerItem)>,
    /// Indexes of the matching items, best match first.
    matches: Vec<usize>,
    /// Index of the selected match.
    pub selected: usize,
}

impl Picker {
    /// Limit of the matches.
    const MAX_MATCHES: usize = 200;

    fn new(title: &'static str, items: Vec<(String, String, PickerItem)>) -> Self {
        let mut picker = Self { title, items, ..Self::default() };
        picker.update_matches();
        picker
    }

    /// Matches the items against the search field anew.
    pub fn update_matches(&mut self) {
        self.selected = 0;
        let query = self.query.text().trim();
        if query.is_empty() {
            self.matches = (0..self.items.len().min(Self::MAX_MATCHES)).collect();
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
        self.matches = found.into_iter().take(Self::MAX_MATCHES).map(|(_, index)| index).collect();
    }

    /// Iterates over the matches, best first: name, and remark beside it.
    pub fn matching_items(&self) -> impl Iterator<Item = (&str, &str)> {
        let items = self.matches.iter().filter_map(|&index| self.items.get(index));
        items.map(|(name, beside, _)| (name.as_str(), beside.as_str()))
    }

    /// Returns the selected item.
    pub fn selected_item(&self) -> Option<&PickerItem> {
        self.items.get(*self.matches.get(self.selected)?).map(|(_, _, item)| item)
    }

    /// Moves the selection up or down.
    pub fn move_selection(&mut self, by: isize) {
        let last = self.matches.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}

impl App {
    /// Creates the list of all other conversations: mentions first, then unread ones, then the previous one, then the
    /// rest.
    pub(super) fn conversation_picker(&self) -> Picker {
        let several = self.servers.len() > 1;
        let mut items: Vec<(u8, String, String, PickerItem)> = self
            .buffers()
            .filter(|(key, _)| self.current.as_ref() != Some(key))
            .map(|(key, buffer)| {
                let rank = match () {
                    () if buffer.mentions > 0 => 0,
                    () if buffer.unread > 0 && !buffer.muted => 1,
                    () if self.previous.as_ref() == Some(&key) => 2,
                    () => 3,
                };
                let mut beside = if several { self.servers[key.0].name.clone() } else { String::new() };
                if buffer.unread > 0 {
                    beside = format!("{} new  {beside}", buffer.unread);
                }
                (rank, sanitize_line(key.1.as_str(), 64), beside, PickerItem::Conversation(key))
            })
            .collect();
        items.sort_by_key(|(rank, ..)| *rank);
        Picker::new("Go to", items.into_iter().map(|(_, name, beside, item)| (name, beside, item)).collect())
    }

    /// Creates the list of all emojis, the most usual reactions first.
    pub(super) fn reaction_picker(key: &BufferKey, msgid: &str) -> Picker {
        const USUAL: [&str; 8] = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👀"];
        let item = |emoji: &'static emojis::Emoji| {
            let codes: Vec<&str> = emoji.shortcodes().collect();
            let name = format!("{}  {}", emoji.as_str(), codes.first().copied().unwrap_or(emoji.name()));
            let item = PickerItem::Emoji { emoji: emoji.as_str(), key: key.clone(), msgid: msgid.to_owned() };
            (name, emoji.name().to_owned(), item)
        };
        let first = USUAL.iter().filter_map(|text| emojis::get(text));
        let rest = emojis::iter().filter(|emoji| !USUAL.contains(&emoji.as_str()));
        Picker::new("React with", first.chain(rest).map(item).collect())
    }
}
