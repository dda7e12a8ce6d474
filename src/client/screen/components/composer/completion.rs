//! Completion of the word before the cursor: names, channels, commands, emojis.

use crate::client::input::commands::{Argument, commands, find};
use crate::client::input::settings::complete_value;
use crate::client::model::{Conversation, Model};
use crate::client::screen::components::Candidates;
use crate::client::screen::text::text_field::TextField;
use crate::client::screen::workspace::Workspace;
use crate::client::text::emoji::EmojiIndex;
use crate::client::text::paths::{quoted, unfinished_path};
use crate::wire::Nick;

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

impl Completion {
    /// Starts the completion of the word before the cursor; `None` without candidates.
    pub fn start(workspace: &Workspace, models: &[&mut Model]) -> Option<Self> {
        let field = workspace.draft();
        let before = &field.text()[..field.cursor()];
        if let Some((start, path)) = typed_path(before) {
            let paths = (workspace.file_access.complete)(&path);
            // A folder is completed further.
            let end = |path: &str| if path.ends_with('/') { "" } else { " " };
            let candidates: Vec<String> =
                paths.iter().map(|path| format!("{}{}", quoted(path), end(path))).collect();
            return (!candidates.is_empty()).then_some(Self { start, candidates, index: 0 });
        }
        let from = before.rfind(char::is_whitespace).map_or(0, |at| before.ceil_char_boundary(at + 1));
        let offers = find_candidates(workspace, &before[..from], &before[from..], models);
        (!offers.is_empty()).then_some(Self { start: from, candidates: offers, index: 0 })
    }

    /// Goes to the next candidate, or with `back` to the previous one.
    pub fn step(&mut self, back: bool) {
        let count = self.candidates.len();
        self.index = (self.index + if back { count - 1 } else { 1 }) % count;
    }

    /// Puts the current candidate into the field.
    pub fn insert(&self, field: &mut TextField) {
        field.replace_before_cursor(self.start, &self.candidates[self.index]);
    }

    /// Returns the candidates and the index of the current one, for the hint line. `None` for a single candidate.
    pub fn candidates(&self) -> Option<Candidates<'_>> {
        (self.candidates.len() > 1).then_some(Candidates { texts: &self.candidates, selected: self.index })
    }
}

/// Replaces a complete shortcode such as `:tada:` before the cursor with its emoji.
pub fn replace_shortcode(field: &mut TextField) {
    let before = &field.text()[..field.cursor()];
    let Some(rest) = before.strip_suffix(':') else { return };
    let Some(colon) = rest.rfind(':') else { return };
    let alone = rest[..colon].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
    if let (true, Some(emoji)) = (alone, emojis::get_by_shortcode(&rest[colon + 1..])) {
        field.replace_before_cursor(colon, emoji.as_str());
    }
}

/// Returns the path that is being typed as the first argument of a command, and the byte offset where it begins. It may
/// have blanks.
fn typed_path(before: &str) -> Option<(usize, String)> {
    let (name, args) = before.strip_prefix('/')?.split_once(' ')?;
    let path = args.trim_start();
    let is_meant = matches!(find(name)?.argument(0), Argument::Path);
    let path = is_meant.then(|| unfinished_path(path)).flatten();
    path.map(|path| (before.len() - args.trim_start().len(), path))
}

/// Returns the kind of the argument that begins behind this text, if the text is a command.
fn argument_kind(before: &str) -> Option<Argument> {
    let (name, args) = before.strip_prefix('/')?.split_once(' ')?;
    let channel_first = args.starts_with('#');
    let index = args.split_whitespace().count().saturating_sub(usize::from(channel_first));
    Some(find(name)?.argument(index))
}

fn find_candidates(workspace: &Workspace, before: &str, word: &str, models: &[&mut Model]) -> Vec<String> {
    const MOST: usize = 50;
    let first = before.is_empty();
    if let Some(start) = word.strip_prefix('/').filter(|_| first) {
        let names = commands().map(|command| command.name).filter(|name| name.starts_with(start));
        return names.map(|name| format!("/{name} ")).collect();
    }
    match argument_kind(before) {
        Some(Argument::OneOf(words)) => {
            let words = words.iter().filter(|known| known.starts_with(word));
            return words.map(|known| format!("{known} ")).collect();
        }
        Some(Argument::Command) => {
            let start = word.trim_start_matches('/');
            let names = commands().map(|command| command.name).filter(|name| name.starts_with(start));
            return names.map(|name| format!("{name} ")).collect();
        }
        Some(Argument::Setting) => {
            let names =
                workspace.settings().all().map(|setting| setting.name).filter(|name| name.starts_with(word));
            return names.take(MOST).map(|name| format!("{name} ")).collect();
        }
        Some(kind @ (Argument::SettingValue | Argument::ValueOf(_))) => {
            let setting = match kind {
                Argument::ValueOf(setting) => setting,
                _ => before.split_whitespace().nth(1).unwrap_or_default(),
            };
            let values = complete_value(workspace.settings(), setting).into_iter();
            let values = values.filter(|value| value.to_lowercase().starts_with(&word.to_lowercase()));
            return values.map(|value| format!("{value} ")).collect();
        }
        Some(Argument::Text | Argument::Channel | Argument::Nick | Argument::Path) | None => {}
    }
    if let Some(start) = word.strip_prefix(':').filter(|start| start.len() > 1) {
        let index = EmojiIndex::new();
        return index.complete(start).take(MOST).map(|emoji| format!("{} ", emoji.as_str())).collect();
    }
    let Some((server, conversation)) = &workspace.current else { return Vec::new() };
    let lower = word.to_lowercase();
    if word.starts_with('#') {
        let state = &workspace.servers[*server];
        let open =
            state.buffers.keys().filter(|conversation| matches!(conversation, Conversation::Channel(_)));
        let listed = state.directory.channels.items.iter().map(|channel| channel.name.as_str());
        let mut names: Vec<&str> = Vec::new();
        for name in open.map(Conversation::as_str).chain(listed) {
            if names.len() < MOST && name.to_lowercase().starts_with(&lower) && !names.contains(&name) {
                names.push(name);
            }
        }
        return names.into_iter().map(|name| format!("{name} ")).collect();
    }
    let at = word.starts_with('@');
    let lower = lower.trim_start_matches('@');
    let behind = if first && !at { ": " } else { " " };
    let (Some(model), Some(buffer)) = (models.get(*server), workspace.current_buffer()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = Vec::new();
    let mut offer = |nick: &Nick| {
        let name = nick.as_str();
        let me = model.me() == Some(nick);
        // A nick is also found by the words of its display name.
        let display_name = workspace.display_names().and_then(|names| names.display_name(nick));
        let starts = |word: &str| word.to_lowercase().starts_with(lower);
        if !me
            && (starts(name) || display_name.is_some_and(|name| name.split(' ').any(starts)))
            && !names.iter().any(|known| known == name)
            && names.len() < MOST
        {
            names.push(name.to_owned());
        }
    };
    // Nicks that spoke lately come first.
    buffer.newest_first().take(500).filter_map(|(_, entry)| entry.message()).for_each(|m| offer(&m.from));
    match conversation {
        Conversation::Channel(channel) => {
            let members = model.channel(channel).map(|channel| channel.members.keys());
            members.into_iter().flatten().for_each(&mut offer);
        }
        Conversation::Direct(nick) => offer(nick),
    }
    names.into_iter().map(|name| format!("{}{name}{behind}", if at { "@" } else { "" })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn paths_are_completed_with_blanks_and_quotes() {
        let mut fixture = Fixture::new();
        fixture.workspace.file_access.complete = |start| {
            let known = ["my photos/", "my photos/it's.png", "my plan.txt", "say \"x\"", "zoo/"];
            known.into_iter().filter(|path| path.starts_with(start)).map(str::to_owned).collect()
        };
        for (typed, expected) in [
            ("/upload z", "/upload zoo/"),
            ("/upload  \"my pl", "/upload  \"my plan.txt\" "),
            ("/upload my\\ pl", "/upload \"my plan.txt\" "),
            ("/upload 'my pl", "/upload \"my plan.txt\" "),
            ("/upload \"my photos/\"i", "/upload \"my photos/it's.png\" "),
            ("/upload s", "/upload 'say \"x\"' "),
            ("/upload \"my plan.txt\" :tad", "/upload \"my plan.txt\" 🎉 "),
        ] {
            fixture.workspace.draft_mut().set(typed.to_owned());
            let completion = Completion::start(&fixture.workspace, &[&mut fixture.model]).expect(typed);
            completion.insert(fixture.workspace.draft_mut());
            assert_eq!(fixture.workspace.draft().text(), expected, "{typed}");
        }
    }

    #[test]
    fn arguments_are_completed_by_their_kind() {
        let mut fixture = Fixture::new();
        for (typed, expected) in [
            ("/the", &["/theme "][..]),
            ("/theme ", &["auto ", "dark ", "light ", "high-contrast ", "default "]),
            ("/set layout.sidebar_", &["layout.sidebar_width "]),
            ("/set bell ", &["true ", "false ", "default "]),
            ("/set keys.search ", &["Ctrl-F ", "default "]),
            ("/theme l", &["light "]),
            ("/help joi", &["join "]),
            ("/kick bo", &["bob "]),
            ("/kick #lobby bo", &["bob "]),
            ("/msg #lo", &["#lobby "]),
            ("bo", &["bob: "]),
            (":tad", &["🎉 "]),
            (":thumbs", &["👍 ", "👎 "]),
        ] {
            fixture.workspace.draft_mut().set(typed.to_owned());
            let completion = Completion::start(&fixture.workspace, &[&mut fixture.model]);
            assert_eq!(completion.map(|found| found.candidates).unwrap_or_default(), expected, "{typed}");
        }
    }
}
