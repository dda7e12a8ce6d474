//! Completion of the word before the cursor: names, channels, commands, emojis.

use crate::client::input;
use crate::client::model::Conversation;
use crate::client::screen::{App, Models};

/// Completion in progress, which Tab continues.
#[derive(Debug)]
pub struct Completion {
    /// Byte offset of the completed word.
    start: usize,
    /// Candidates, each with the text that follows it.
    candidates: Vec<String>,
    /// Index of the candidate in the composer.
    index: usize,
}

impl App {
    /// Inserts the first candidate, the next one, or with `back` the previous one.
    pub(in crate::client::screen) fn complete(&mut self, models: Models<'_, '_>, back: bool) {
        if let Some(completion) = &mut self.completion {
            let count = completion.candidates.len();
            completion.index = (completion.index + if back { count - 1 } else { 1 }) % count;
        } else {
            let text = self.composer().text();
            let before = &text[..self.composer().cursor()];
            let from = before.rfind(char::is_whitespace).map_or(0, |at| before.ceil_char_boundary(at + 1));
            let offers = self.find_candidates(&before[from..], from == 0, models);
            if offers.is_empty() {
                return;
            }
            self.completion = Some(Completion { start: from, candidates: offers, index: 0 });
        }
        if let Some(Completion { start: from, candidates: offers, index: at }) = &self.completion {
            let (from, text) = (*from, offers[*at].clone());
            self.composer_mut().replace_before_cursor(from, &text);
        }
    }

    /// Returns the candidates and the index of the current one, for the hint row. `None` for a single candidate.
    pub fn completion_candidates(&self) -> Option<(&[String], usize)> {
        let completion = self.completion.as_ref().filter(|completion| completion.candidates.len() > 1)?;
        Some((&completion.candidates, completion.index))
    }

    /// Replaces a complete shortcode such as `:tada:` before the cursor with its emoji.
    pub(in crate::client::screen) fn replace_shortcode(&mut self) {
        let before = &self.composer().text()[..self.composer().cursor()];
        let Some(rest) = before.strip_suffix(':') else { return };
        let Some(colon) = rest.rfind(':') else { return };
        let alone = rest[..colon].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        if let (true, Some(emoji)) = (alone, emojis::get_by_shortcode(&rest[colon + 1..])) {
            self.composer_mut().replace_before_cursor(colon, emoji.as_str());
        }
    }

    fn find_candidates(&self, word: &str, first: bool, models: Models<'_, '_>) -> Vec<String> {
        const MAX_CANDIDATES: usize = 50;
        if let Some(start) = word.strip_prefix('/').filter(|_| first) {
            let names = input::command_names().filter(|name| name.starts_with(start));
            return names.map(|name| format!("/{name} ")).collect();
        }
        if let Some(start) = word.strip_prefix(':').filter(|start| start.len() > 1) {
            let mut found: Vec<(&str, &str)> = emojis::iter()
                .flat_map(|emoji| emoji.shortcodes().map(move |code| (code, emoji.as_str())))
                .filter(|(code, _)| code.starts_with(start))
                .collect();
            found.sort_by_key(|(code, _)| code.len());
            return found.into_iter().take(MAX_CANDIDATES).map(|(_, emoji)| format!("{emoji} ")).collect();
        }
        let Some((server, conversation)) = &self.current else { return Vec::new() };
        let lower = word.to_lowercase();
        if word.starts_with('#') {
            let channels = self.servers[*server]
                .buffers
                .keys()
                .filter(|conversation| matches!(conversation, Conversation::Channel(_)));
            let names =
                channels.map(Conversation::as_str).filter(|name| name.to_lowercase().starts_with(&lower));
            return names.take(MAX_CANDIDATES).map(|name| format!("{name} ")).collect();
        }
        let at = word.starts_with('@');
        let lower = lower.trim_start_matches('@');
        let suffix = if first && !at { ": " } else { " " };
        let (Some(model), Some(buffer)) = (models.get(*server), self.current_buffer()) else {
            return Vec::new();
        };
        let mut names: Vec<String> = Vec::new();
        let mut offer = |name: &str| {
            let me = model.me().is_some_and(|me| me.as_str() == name);
            if !me
                && name.to_lowercase().starts_with(lower)
                && !names.iter().any(|known| known == name)
                && names.len() < MAX_CANDIDATES
            {
                names.push(name.to_owned());
            }
        };
        // Nicks that spoke lately come first.
        buffer
            .newest_first()
            .take(500)
            .filter_map(|(_, entry)| entry.message())
            .for_each(|m| offer(m.from.as_str()));
        match conversation {
            Conversation::Channel(channel) => {
                let members =
                    model.channels().find(|(name, _)| *name == channel).map(|(_, c)| c.members.keys());
                members.into_iter().flatten().for_each(|nick| offer(nick.as_str()));
            }
            Conversation::Direct(nick) => offer(nick.as_str()),
        }
        names.into_iter().map(|name| format!("{}{name}{suffix}", if at { "@" } else { "" })).collect()
    }
}
