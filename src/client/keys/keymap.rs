//! Key map: the keys of each action, which are those of [`BINDINGS`] unless the user chose others.

use std::fmt::Write as _;

use super::key::{Code, Key};
use super::{Action, BINDINGS, Binding, KeyMode};

/// Limit of the keys of one action.
const MAX_KEYS: usize = 8;

/// Keys of all actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyMap {
    /// Keys of each entry of [`BINDINGS`], in its order.
    keys: Vec<Vec<Key>>,
}

impl Default for KeyMap {
    fn default() -> Self {
        let keys = |binding: &Binding| binding.keys.split(' ').filter_map(|name| name.parse().ok()).collect();
        Self { keys: BINDINGS.iter().map(keys).collect() }
    }
}

impl KeyMap {
    /// Returns the action of a key in a mode.
    pub fn find_action(&self, key: Key, mode: KeyMode) -> Option<Action> {
        let applies = |binding: &Binding| binding.mode == mode || binding.mode == KeyMode::Always;
        let mut bindings = self.bindings();
        bindings.find(|(binding, keys)| applies(binding) && keys.contains(&key)).map(|(it, _)| it.action)
    }

    /// Iterates over the bindings with their keys.
    pub fn bindings(&self) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// Returns the name of the first key of an action, for a hint; `None` where it has none.
    pub fn key_name(&self, action: Action) -> Option<String> {
        let keys = self.bindings().filter(|(it, _)| it.action == action).flat_map(|(_, keys)| keys);
        keys.map(ToString::to_string).next()
    }

    /// Iterates over the names of the actions that keys can be chosen for, each with its binding. An action that is
    /// bound a second time, in another mode, has one name; the keys of the later binding stay as they are.
    pub fn action_names() -> impl Iterator<Item = (String, &'static Binding)> {
        let first = |&(at, binding): &(usize, &'static Binding)| {
            BINDINGS[..at].iter().all(|earlier| earlier.action != binding.action)
        };
        BINDINGS.iter().enumerate().filter(first).map(|(_, binding)| (action_name(binding.action), binding))
    }

    /// Returns the keys of an action as they are written in the settings, separated by spaces.
    pub fn get(&self, name: &str) -> Option<String> {
        let (_, keys) = self.bindings().find(|(binding, _)| action_name(binding.action) == name)?;
        Some(keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
    }

    /// Chooses the keys of an action. The error is a text for the user. Conflicts are found by [`Self::find_conflict`].
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
        let at = BINDINGS.iter().position(|binding| action_name(binding.action) == name);
        let at = at.ok_or_else(|| format!("there is no action {name}"))?;
        let parsed = text.split_whitespace().map(|name| parse_key(name, BINDINGS[at].mode));
        let mut keys: Vec<Key> = parsed.collect::<Result<_, _>>()?;
        keys.dedup();
        if keys.len() > MAX_KEYS {
            return Err(format!("at most {MAX_KEYS} keys for one action"));
        }
        if keys.is_empty() && BINDINGS[at].action == Action::Enter {
            return Err("a key must send the message".to_owned());
        }
        self.keys[at] = keys;
        Ok(())
    }

    /// Returns a description of a key that has two actions in one mode, if there is one.
    pub fn find_conflict(&self) -> Option<String> {
        let all: Vec<_> = self.bindings().collect();
        for (at, (one, keys)) in all.iter().enumerate() {
            for (other, others) in &all[at + 1..] {
                let meets = one.mode == other.mode || [one.mode, other.mode].contains(&KeyMode::Always);
                if let Some(key) = keys.iter().find(|key| meets && others.contains(key)) {
                    let [one, other] = [one.action, other.action].map(action_name);
                    return Some(format!(
                        "{key} is the key of both {one} and {other}: give one of them another key, or \"\" for none"
                    ));
                }
            }
        }
        None
    }
}

/// Returns the name of an action in the settings, such as `quick_switcher`.
pub fn action_name(action: Action) -> String {
    // The variants are the names, so that there is no second list of them.
    let mut name = String::new();
    for c in format!("{action:?}").chars() {
        match c {
            'A'..='Z' if !name.is_empty() => drop(write!(name, "_{}", c.to_ascii_lowercase())),
            '(' => name.push('_'),
            ')' => {}
            c => name.push(c.to_ascii_lowercase()),
        }
    }
    name
}

fn parse_key(name: &str, mode: KeyMode) -> Result<Key, String> {
    let shown: String = name.chars().take(20).collect();
    let key: Key = name
        .parse()
        .map_err(|_| format!("{shown} is no key; keys are written as Ctrl-K, Alt-Up, F5 or PgUp"))?;
    let plain = !key.ctrl && !key.alt && matches!(key.code, Code::Char(_));
    if plain && mode != KeyMode::Selecting {
        return Err(format!("{key} alone would be typed into the message: add Ctrl- or Alt-"));
    }
    match (key.ctrl && !key.alt, key.code) {
        (true, Code::Char('i')) => Err("terminals send Ctrl-I as Tab: choose another key".to_owned()),
        (true, Code::Char('m')) => Err("terminals send Ctrl-M as Enter: choose another key".to_owned()),
        (true, Code::Char('[')) => Err("terminals send Ctrl-[ as Esc: choose another key".to_owned()),
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use KeyMode::{Composing, Selecting};

    fn key(name: &str) -> Key {
        name.parse().expect(name)
    }

    #[test]
    fn action_names_are_unique_and_their_keys_parse_back() {
        let names: Vec<String> = KeyMap::action_names().map(|(name, _)| name).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
        assert!(names.contains(&"quick_switcher".to_owned()) && names.contains(&"conversation_9".to_owned()));
        let mut map = KeyMap::default();
        for name in &names {
            let keys = map.get(name).expect(name);
            map.set(name, &keys).expect(name);
        }
        assert_eq!(map, KeyMap::default());
        assert_eq!(map.find_conflict(), None);
    }

    #[test]
    fn chosen_keys_replace_the_default_ones() {
        let mut map = KeyMap::default();
        map.set("search", "ctrl-s alt+/").expect("keys");
        assert_eq!(map.find_action(key("Ctrl-F"), Composing), None);
        assert_eq!(map.find_action(key("Ctrl-S"), Composing), Some(Action::Search));
        assert_eq!(map.key_name(Action::Search).as_deref(), Some("Ctrl-S"));
        assert_eq!(map.get("search").as_deref(), Some("Ctrl-S Alt-/"));
        map.set("reply", "a").expect("a letter is free while a message is selected");
        assert_eq!(map.find_action(key("a"), Selecting), Some(Action::Reply));
        map.set("search", "").expect("no key");
        assert_eq!(map.key_name(Action::Search), None);
        assert_eq!(map.find_conflict(), None);
    }

    #[test]
    fn keys_that_cannot_work_are_refused_with_the_reason() {
        let mut map = KeyMap::default();
        for (name, text, expected) in [
            ("serch", "F5", "there is no action serch"),
            ("search", "hyper-x", "hyper-x is no key; keys are written as Ctrl-K, Alt-Up, F5 or PgUp"),
            ("search", "f", "f alone would be typed into the message: add Ctrl- or Alt-"),
            ("search", "Ctrl-I", "terminals send Ctrl-I as Tab: choose another key"),
            ("enter", "", "a key must send the message"),
        ] {
            assert_eq!(map.set(name, text), Err(expected.to_owned()));
        }
        assert_eq!(map, KeyMap::default());
        map.set("search", "Ctrl-K").expect("a key");
        let conflict = map.find_conflict().expect("a conflict");
        assert!(conflict.starts_with("Ctrl-K is the key of both quick_switcher and search"), "{conflict}");
        map.set("quick_switcher", "").expect("none");
        assert_eq!(map.find_conflict(), None);
    }
}
