//! Catalog of the settings: their names, what they are for, and how their values are read and written.
//!
//! A name has the form `key` or `section.key`, as in `client.toml`. A value is a text here, as `/set` takes and shows it.

use std::borrow::Cow;

use super::colors::{COLOR_NAMES, Role, RoleColors};
use super::server_name::{decode_server_name, encode_server_name};
use super::state::ConversationKey;
use super::time_format::TimeFormat;
use super::{IgnoredAccount, NotifyLevel, Settings, ThemeChoice};
use crate::client::keys::keymap::KeyMap;
use crate::wire::Nick;
use crate::wire::chars::is_terminal_control;

/// Widths that a panel may have, in cells.
const PANEL_WIDTHS: std::ops::RangeInclusive<u16> = 8..=80;

/// Limit of the words, accounts and conversations in one setting.
const MAX_ITEMS: usize = 500;

/// Limit of one word, in bytes.
const MAX_WORD_BYTES: usize = 200;

/// Beginning of the names of the levels of single conversations.
const CONVERSATION_PREFIX: &str = "notify.conversations.";

/// Form of a value in `client.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// String, checked by the setting.
    Text,
    /// `true` or `false`.
    Switch,
    /// A number, or the string `auto`.
    Width,
    /// An array of strings. As a text, they are separated by commas.
    List,
}

/// Setting that always exists. Those of colours, keys and conversations have names of their own.
struct Entry {
    name: &'static str,
    about: &'static str,
    form: Form,
    /// Values to choose from, as far as there is a list of them.
    values: &'static [&'static str],
    get: fn(&Settings) -> String,
    set: fn(&mut Settings, &str) -> Result<(), String>,
}

const SWITCH: &[&str] = &["true", "false"];
const LEVELS: &[&str] = &["all", "mentions", "nothing"];
const PANEL: &[&str] = &["auto", "shown", "hidden"];

/// Settings outside of `[colors]`, `[keys]` and `[notify.conversations]`, in the order of the file.
const ENTRIES: &[Entry] = &[
    Entry {
        name: "theme",
        about: "colours: dark, light, high-contrast, or auto as the terminal reports",
        form: Form::Text,
        values: &["auto", "dark", "light", "high-contrast"],
        get: |settings| name_of(settings.theme, &THEMES),
        set: |settings, text| choose(&mut settings.theme, text, &THEMES),
    },
    Entry {
        name: "time_format",
        about: "times: 24h, 12h, seconds, or a pattern of strftime such as %H:%M:%S",
        form: Form::Text,
        values: &TimeFormat::NAMES,
        get: |settings| settings.time_format.to_string(),
        set: |settings, text| text.parse().map(|format| settings.time_format = format),
    },
    Entry {
        name: "bell",
        about: "ring the terminal's bell for a notification",
        form: Form::Switch,
        values: SWITCH,
        get: |settings| settings.bell.to_string(),
        set: |settings, text| switch(&mut settings.bell, text),
    },
    Entry {
        name: "mouse",
        about: "take clicks and the wheel; without it the terminal selects text as usual",
        form: Form::Switch,
        values: SWITCH,
        get: |settings| settings.mouse.to_string(),
        set: |settings, text| switch(&mut settings.mouse, text),
    },
    Entry {
        name: "images",
        about: "pictures: auto for where the terminal can show them, or off",
        form: Form::Text,
        values: &["auto", "off"],
        get: |settings| name_of(settings.images, &IMAGES),
        set: |settings, text| choose(&mut settings.images, text, &IMAGES),
    },
    Entry {
        name: "highlights",
        about: "words that count as a mention, whole words in any case",
        form: Form::List,
        values: &[],
        get: |settings| settings.highlights.join(", "),
        set: |settings, text| parse_list(text, parse_word).map(|words| settings.highlights = words),
    },
    Entry {
        name: "ignored",
        about: "hidden accounts: NAME, or SERVER/NAME; /ignore adds one",
        form: Form::List,
        values: &[],
        get: |settings| settings.ignored.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        set: |settings, text| parse_list(text, str::parse).map(|accounts| settings.ignored = accounts),
    },
    Entry {
        name: "watched",
        about: "accounts that you are told about when they come online; /watch adds one",
        form: Form::List,
        values: &[],
        get: |settings| settings.watched.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        set: |settings, text| parse_list(text, str::parse).map(|accounts| settings.watched = accounts),
    },
    Entry {
        name: "send_typing",
        about: "show others that you are typing",
        form: Form::Switch,
        values: SWITCH,
        get: |settings| settings.send_typing.to_string(),
        set: |settings, text| switch(&mut settings.send_typing, text),
    },
    Entry {
        name: "send_read_marks",
        about: "tell the server what you have read, so that your other devices know it",
        form: Form::Switch,
        values: SWITCH,
        get: |settings| settings.send_read_marks.to_string(),
        set: |settings, text| switch(&mut settings.send_read_marks, text),
    },
    Entry {
        name: "layout.sidebar",
        about: "list of conversations: shown, hidden, or auto for where there is room",
        form: Form::Text,
        values: PANEL,
        get: |settings| name_of(settings.layout.sidebar, &PANELS),
        set: |settings, text| choose(&mut settings.layout.sidebar, text, &PANELS),
    },
    Entry {
        name: "layout.sidebar_width",
        about: "its width in cells, or auto",
        form: Form::Width,
        values: &["auto"],
        get: |settings| format_width(settings.layout.sidebar_width),
        set: |settings, text| parse_width(text).map(|width| settings.layout.sidebar_width = width),
    },
    Entry {
        name: "layout.members",
        about: "list of members: shown, hidden, or auto for where there is room",
        form: Form::Text,
        values: PANEL,
        get: |settings| name_of(settings.layout.members, &PANELS),
        set: |settings, text| choose(&mut settings.layout.members, text, &PANELS),
    },
    Entry {
        name: "layout.members_width",
        about: "its width in cells, or auto",
        form: Form::Width,
        values: &["auto"],
        get: |settings| format_width(settings.layout.members_width),
        set: |settings, text| parse_width(text).map(|width| settings.layout.members_width = width),
    },
    Entry {
        name: "notify.channels",
        about: "messages in channels that ring and notify: all, mentions or nothing",
        form: Form::Text,
        values: LEVELS,
        get: |settings| name_of(settings.notify.channels, &NOTIFY_LEVELS),
        set: |settings, text| choose(&mut settings.notify.channels, text, &NOTIFY_LEVELS),
    },
    Entry {
        name: "notify.direct",
        about: "messages to you alone that ring and notify: all, mentions or nothing",
        form: Form::Text,
        values: LEVELS,
        get: |settings| name_of(settings.notify.direct, &NOTIFY_LEVELS),
        set: |settings, text| choose(&mut settings.notify.direct, text, &NOTIFY_LEVELS),
    },
];

const THEMES: [(ThemeChoice, &str); 4] = [
    (ThemeChoice::Auto, "auto"),
    (ThemeChoice::Dark, "dark"),
    (ThemeChoice::Light, "light"),
    (ThemeChoice::HighContrast, "high-contrast"),
];
const IMAGES: [(bool, &str); 2] = [(true, "auto"), (false, "off")];
const PANELS: [(Option<bool>, &str); 3] = [(None, "auto"), (Some(true), "shown"), (Some(false), "hidden")];
const NOTIFY_LEVELS: [(NotifyLevel, &str); 3] =
    [(NotifyLevel::All, "all"), (NotifyLevel::Mentions, "mentions"), (NotifyLevel::Nothing, "nothing")];

/// Setting with its value, as `/set` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingValue {
    /// Name of the setting.
    pub name: String,
    /// Value of the setting.
    pub value: String,
}

impl Settings {
    /// Returns the names of all settings that always exist, in the order of the file.
    pub fn names() -> Vec<String> {
        let fixed = ENTRIES.iter().map(|entry| entry.name.to_owned());
        let colors = Role::ALL.iter().map(|info| format!("colors.{}", info.name));
        let keys = KeyMap::action_names().map(|(name, _)| format!("keys.{name}"));
        fixed.chain(colors).chain(keys).collect()
    }

    /// Iterates over all settings that have a value.
    pub fn all(&self) -> impl Iterator<Item = SettingValue> {
        let levels = self.notify.conversations.iter().map(|(key, level)| SettingValue {
            name: conversation_setting(key),
            value: name_of(*level, &NOTIFY_LEVELS),
        });
        let value = |name: String| SettingValue { value: self.get(&name).unwrap_or_default(), name };
        Self::names().into_iter().map(value).chain(levels)
    }

    /// Returns the value of a setting; `None` for an unknown one, and for a conversation without a level of its own.
    pub fn get(&self, name: &str) -> Option<String> {
        if let Some(key) = name.strip_prefix(CONVERSATION_PREFIX) {
            let level = self.notify.conversations.get(&key.parse().ok()?)?;
            return Some(name_of(*level, &NOTIFY_LEVELS));
        }
        if let Some(action) = name.strip_prefix("keys.") {
            return self.keys.get(action);
        }
        if let Some(role) = name.strip_prefix("colors.") {
            let role = Role::named(role)?;
            return Some(self.colors.get(&role).copied().unwrap_or_default().to_string());
        }
        entry(name).map(|entry| (entry.get)(self))
    }

    /// Sets a setting. With the value `default` it gets its default. The error is a text for the user.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        if text.trim() == "default" {
            return self.reset(name);
        }
        let mut changed = self.clone();
        changed.set_unchecked(name, text.trim())?;
        if let Some(conflict) = changed.keys.find_conflict() {
            return Err(conflict);
        }
        *self = changed;
        Ok(())
    }

    /// Sets a setting as [`Self::set`] does, except that a key may be in conflict with another.
    pub(super) fn set_unchecked(&mut self, name: &str, text: &str) -> Result<(), String> {
        if let Some(key) = name.strip_prefix(CONVERSATION_PREFIX) {
            let key: ConversationKey =
                key.parse().map_err(|error: super::state::ParseKeyError| error.to_string())?;
            let mut level = self.notify.level(&key);
            choose(&mut level, text, &NOTIFY_LEVELS)?;
            let levels = &mut self.notify.conversations;
            if levels.len() >= MAX_ITEMS && !levels.contains_key(&key) {
                return Err(format!("at most {MAX_ITEMS} conversations have a level of their own"));
            }
            levels.insert(key, level);
            return Ok(());
        }
        let unknown = || describe_unknown(name);
        if let Some(action) = name.strip_prefix("keys.") {
            return match self.keys.get(action) {
                Some(_) => self.keys.set(action, text),
                None => Err(unknown()),
            };
        }
        if let Some(role) = name.strip_prefix("colors.") {
            let role = Role::named(role).ok_or_else(unknown)?;
            let colors: RoleColors = text.parse()?;
            if colors == RoleColors::default() {
                self.colors.remove(&role);
            } else {
                self.colors.insert(role, colors);
            }
            return Ok(());
        }
        let entry = entry(name).ok_or_else(unknown)?;
        (entry.set)(self, text)
    }

    fn reset(&mut self, name: &str) -> Result<(), String> {
        if let Some(key) = name.strip_prefix(CONVERSATION_PREFIX) {
            let key: ConversationKey =
                key.parse().map_err(|error: super::state::ParseKeyError| error.to_string())?;
            self.notify.conversations.remove(&key);
            return Ok(());
        }
        let default = Self::default().get(name).ok_or_else(|| describe_unknown(name))?;
        self.set(name, &default)
    }

    /// Returns whether a setting has its default value.
    pub fn is_default(&self, name: &str) -> bool {
        self.get(name) == Self::default().get(name)
    }

    /// Returns the values of a setting to choose from, as far as there is a list of them.
    pub fn values(name: &str) -> Vec<&'static str> {
        if name.starts_with(CONVERSATION_PREFIX) {
            return LEVELS.to_vec();
        }
        if name.starts_with("colors.") {
            return ["theme", "default"].into_iter().chain(COLOR_NAMES).collect();
        }
        entry(name).map(|entry| entry.values.to_vec()).unwrap_or_default()
    }

    /// Returns what a setting is for.
    pub fn about(name: &str) -> Cow<'static, str> {
        if let Some(role) = name.strip_prefix("colors.") {
            return Role::ALL.iter().find(|info| info.name == role).map_or("", |info| info.about).into();
        }
        if let Some(action) = name.strip_prefix("keys.") {
            let binding = KeyMap::action_names().find(|(known, _)| known == action);
            return binding.map(|(_, binding)| binding.summary()).unwrap_or_default().into();
        }
        if let Some(key) = name.strip_prefix(CONVERSATION_PREFIX) {
            return format!("messages in {key} that ring and notify").into();
        }
        entry(name).map_or("", |entry| entry.about).into()
    }

    /// Returns the form of a setting in the file.
    pub fn form(name: &str) -> Form {
        entry(name).map_or(Form::Text, |entry| entry.form)
    }
}

/// Returns the name of the setting for the level of one conversation.
pub fn conversation_setting(key: &ConversationKey) -> String {
    format!("{CONVERSATION_PREFIX}{key}")
}

/// Parses a level of notification.
pub fn parse_level(text: &str) -> Result<NotifyLevel, String> {
    let mut level = NotifyLevel::All;
    choose(&mut level, text, &NOTIFY_LEVELS)?;
    Ok(level)
}

/// Returns the name of a level of notification.
pub fn level_name(level: NotifyLevel) -> &'static str {
    NOTIFY_LEVELS.iter().find(|(known, _)| *known == level).map_or("", |(_, name)| name)
}

/// Describes a name that no setting has, with the most similar one.
pub fn describe_unknown(name: &str) -> String {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |known: &String| {
        // A right key in the wrong section is as near as one with another letter.
        let within = strsim::osa_distance(&last(known), &last(name))
            + usize::from(known.contains('.') != name.contains('.'));
        strsim::osa_distance(known, name).min(within)
    };
    let nearest = Settings::names().into_iter().map(|known| (distance(&known), known)).min();
    match nearest {
        Some((distance, near)) if distance <= last(&near).len().div_ceil(3) => {
            format!("there is no setting {shown}; did you mean {near}?")
        }
        _ => format!("there is no setting {shown}; /set lists them"),
    }
}

fn entry(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

fn name_of<T: PartialEq + Copy>(value: T, names: &[(T, &str)]) -> String {
    names.iter().find(|(known, _)| *known == value).map(|(_, name)| (*name).to_owned()).unwrap_or_default()
}

fn choose<T: Copy>(value: &mut T, text: &str, names: &[(T, &str)]) -> Result<(), String> {
    let found = names.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
    let (chosen, _) = found.ok_or_else(|| {
        let names: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        format!("choose one of {}", names.join(", "))
    })?;
    *value = *chosen;
    Ok(())
}

fn switch(value: &mut bool, text: &str) -> Result<(), String> {
    *value = match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" => true,
        "false" | "off" | "no" => false,
        _ => return Err("write true or false".to_owned()),
    };
    Ok(())
}

fn format_width(width: Option<u16>) -> String {
    width.map_or_else(|| "auto".to_owned(), |width| width.to_string())
}

fn parse_width(text: &str) -> Result<Option<u16>, String> {
    if text == "auto" {
        return Ok(None);
    }
    let width = text.parse().ok().filter(|width| PANEL_WIDTHS.contains(width));
    width.map(Some).ok_or_else(|| {
        format!("write auto, or a number of cells from {} to {}", PANEL_WIDTHS.start(), PANEL_WIDTHS.end())
    })
}

/// Parses items that are separated by commas. Each is taken once.
fn parse_list<T: PartialEq>(text: &str, parse: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    let mut items = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let item = parse(item)?;
        if !items.contains(&item) {
            items.push(item);
        }
    }
    if items.len() > MAX_ITEMS { Err(format!("at most {MAX_ITEMS} are allowed")) } else { Ok(items) }
}

fn parse_word(word: &str) -> Result<String, String> {
    if word.len() > MAX_WORD_BYTES || word.chars().any(is_terminal_control) {
        return Err(format!("a word has at most {MAX_WORD_BYTES} bytes, none of them control characters"));
    }
    Ok(word.to_owned())
}

impl std::str::FromStr for IgnoredAccount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (server, account) = match text.rsplit_once('/') {
            Some((server, account)) => (Some(decode_server_name(server)), account),
            None => (None, text),
        };
        let account = Nick::parse_foreign(account).map_err(|error| {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
            format!("{shown} is no account: {error}")
        })?;
        Ok(Self { server, account })
    }
}

impl std::fmt::Display for IgnoredAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.server {
            Some(server) => write!(f, "{}/{}", encode_server_name(server), self.account),
            None => write!(f, "{}", self.account),
        }
    }
}

#[cfg(test)]
mod tests;
