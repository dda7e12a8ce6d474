//! Keys in texts for the user: the ones that they chose, or the command with the same effect.

use super::keymap::{KeyMap, action_name};
use super::{Action, BINDINGS, Binding};

impl Action {
    /// Returns the command with the effect of this action, if there is one.
    pub fn command(self) -> Option<&'static str> {
        Some(match self {
            Self::Help => "/help",
            Self::Channels => "/list",
            Self::Mentions => "/mentions",
            Self::Search => "/search",
            Self::ToggleMembers => "/members",
            Self::ToggleRawText => "/raw-text",
            Self::Quit => "/quit",
            Self::Reply | Self::ReplyOrFold => "/reply",
            Self::React => "/react",
            Self::Redact => "/delete",
            Self::Undo => "/undo",
            Self::Thread => "/thread",
            Self::Pin => "/pin",
            Self::Bookmark => "/bookmark",
            _ => return None,
        })
    }
}

impl Binding {
    /// Returns the description without the clauses that name other keys.
    pub fn summary(&self) -> String {
        self.describe(|_| None)
    }

    /// Replaces the names of actions in the description. A clause with an action that has no key is left out.
    fn describe(&self, key_name: impl Fn(Action) -> Option<String>) -> String {
        let clause = |text: &str| {
            let Some((before, rest)) = text.split_once('{') else { return Some(text.to_owned()) };
            let (name, after) = rest.split_once('}')?;
            let action = BINDINGS.iter().map(|it| it.action).find(|action| action_name(*action) == name)?;
            Some(format!("{before}{}{after}", key_name(action)?))
        };
        self.description.split("; ").filter_map(clause).collect::<Vec<_>>().join("; ")
    }
}

impl KeyMap {
    /// Returns the first key of an action, or else the command with the same effect; `None` where there is neither.
    pub fn key_or_command(&self, action: Action) -> Option<String> {
        self.key_name(action).or_else(|| action.command().map(str::to_owned))
    }

    /// Returns what keys do, such as `Enter opens, Esc closes`. An action without a key is left out.
    pub fn clauses(&self, actions: &[(Action, &str)]) -> String {
        let clause =
            |(action, effect): &(Action, &str)| Some(format!("{} {effect}", self.key_name(*action)?));
        actions.iter().filter_map(clause).collect::<Vec<_>>().join(", ")
    }

    /// Returns the title of a window with what keys do there, the one that closes it last.
    pub fn title(&self, title: &str, actions: &[(Action, &str)]) -> String {
        let closes = (Action::Escape, super::CLOSES);
        match self.clauses(&[actions, &[closes]].concat()) {
            clauses if clauses.is_empty() => title.to_owned(),
            clauses => format!("{title} — {clauses}"),
        }
    }

    /// Returns the description of a binding with the keys of the other actions that it names.
    pub fn describe(&self, binding: &Binding) -> String {
        binding.describe(|action| self.key_name(action))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::client::input::commands::find;

    /// Texts with a key that nobody can choose: the file, and a part of the text.
    const FIXED_KEYS: &[(&str, &str)] = &[
        ("keys/keymap.rs", "keys are written as Ctrl-K, Alt-Up, F5 or PgUp"),
        ("keys/keymap.rs", "add Ctrl- or Alt-"),
        ("keys/keymap.rs", "terminals send Ctrl-"),
        ("settings/file.rs", "# Keys, separated by spaces: Ctrl-K, Alt-Up, F5, PgUp."),
        // The plain chat has no keys of its own.
        ("plain/chat/ending.rs", "Ctrl-C leaves now"),
        ("plain/consent.rs", "Enter"),
        // Keys of one window or question, which the code beside the text handles.
        ("screen/workspace/consent.rs", "Enter"),
        ("screen/components/overlays/channel_browser.rs", "Ctrl-S sorts by"),
        ("screen/components/overlays/channel_browser.rs", "Ctrl-R"),
    ];

    #[test]
    fn commands_of_actions_exist_and_described_actions_have_names() {
        let map = KeyMap::default();
        for binding in BINDINGS {
            if let Some(command) = binding.action.command() {
                assert!(find(command.trim_start_matches('/')).is_some(), "{command}");
            }
            let clauses = |text: &str| text.split("; ").count();
            assert_eq!(clauses(&map.describe(binding)), clauses(binding.description), "{binding:?}");
            assert!(!map.describe(binding).contains('{') && !binding.summary().contains('{'));
        }
    }

    #[test]
    fn texts_have_the_chosen_key_the_command_or_nothing() {
        let mut map = KeyMap::default();
        let latest = BINDINGS.iter().find(|it| it.action == Action::Latest).expect("a binding");
        assert_eq!(map.describe(latest), "latest message; also Esc");
        map.set("escape", "Ctrl-X").expect("a key");
        map.set("channels", "").expect("no key");
        map.set("next_unread", "").expect("no key");
        assert_eq!(map.describe(latest), "latest message; also Ctrl-X");
        assert_eq!(latest.summary(), "latest message");
        assert_eq!(map.key_or_command(Action::Channels).as_deref(), Some("/list"));
        assert_eq!(map.key_or_command(Action::NextUnread), None);
        let keys = [(Action::Enter, "opens"), (Action::Channels, "lists")];
        assert_eq!(map.title("List", &keys), "List — Enter opens, Ctrl-X closes");
        map.set("escape", "").expect("no key");
        assert_eq!(map.describe(latest), "latest message");
        assert_eq!(map.title("List", &[]), "List");
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && name != "tests" {
                sources(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "rs") && !name.starts_with("tests") {
                found.push(path);
            }
        }
    }

    /// Returns whether a text names a key.
    fn names_key(text: &str) -> bool {
        let is_function_key =
            |word: &str| word.strip_prefix('F').is_some_and(|digits| digits.parse::<u8>().is_ok());
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        words.any(|word| {
            ["Ctrl-", "Alt-", "Shift-"].iter().any(|prefix| word.starts_with(prefix))
                || ["Tab", "Esc", "Enter", "PgUp", "PgDn", "Del"].contains(&word)
                || is_function_key(word)
        })
    }

    #[test]
    fn no_text_names_a_key_that_the_user_may_have_changed() {
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/client");
        let mut paths = Vec::new();
        sources(&client, &mut paths);
        assert!(paths.len() > 100, "the sources were found");
        let mut wrong = Vec::new();
        for path in paths {
            let name = path.strip_prefix(&client).expect("a path below").to_str().expect("UTF-8");
            let name = name.replace('\\', "/");
            // Both are tables of keys.
            if name == "keys/mod.rs" || name == "keys/key.rs" || name.starts_with("terminal/sequences") {
                continue;
            }
            let source = fs::read_to_string(&path).expect("a source");
            let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            let texts = lines.flat_map(|line| line.split('"').skip(1).step_by(2));
            for text in texts.filter(|text| names_key(text)) {
                if !FIXED_KEYS.iter().any(|(file, part)| name.ends_with(file) && text.contains(part)) {
                    wrong.push(format!("{name}: {text}"));
                }
            }
        }
        assert!(wrong.is_empty(), "use KeyMap::key_or_command, clauses or title:\n{}", wrong.join("\n"));
    }
}
