//! Metadata: keys with values that accounts and channels have, and what a key may be
//! ([metadata](https://ircv3.net/specs/extensions/metadata)). The command is in `commands/metadata`.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Most keys of one account or channel (`max-keys`).
pub const MAX_KEYS: usize = 32;

/// Most keys that a session follows (`max-subs`).
pub const MAX_SUBS: usize = 50;

/// Most bytes of a value (`max-value-bytes`): it fits a line of 512 bytes with all that stands before it.
pub const MAX_VALUE_BYTES: usize = 300;

/// Longest key, in bytes.
const MAX_KEY: usize = 64;

/// The keys of one account or channel with their values, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<Arc<str>, Arc<str>>);

/// Whom a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody sees it.
    Everybody,
    /// What an account notes about a channel or a person for itself.
    Owner,
}

impl Keys {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        self.0.get(key)
    }

    /// Sets or clears a key; was there a change?
    pub fn set(&mut self, key: Arc<str>, value: Option<Arc<str>>) -> bool {
        match value {
            Some(value) => self.0.insert(key, value.clone()).is_none_or(|old| old != value),
            None => self.0.remove(&key).is_some(),
        }
    }

    /// There is room for one more.
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX_KEYS
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter()
    }
}

/// May this be a key? `a-z`, `0-9` and `_./-`.
pub fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_KEY
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_./-".contains(&b))
}

/// May the key have this value? The text of the error is for people.
pub fn check_value(key: &str, value: &str) -> Result<(), &'static str> {
    if value.len() > MAX_VALUE_BYTES {
        return Err("The value is too long");
    }
    match key {
        "soju.im/pinned" | "soju.im/muted" | "soju.im/blocked" if !["0", "1"].contains(&value) => {
            Err("The value is 0 or 1")
        }
        "color" if !is_color(value) => Err("The value is a colour, #rrggbb"),
        _ => Ok(()),
    }
}

/// Whom a key is for.
pub fn visibility(key: &str) -> Visibility {
    match key {
        "soju.im/pinned" | "soju.im/muted" | "soju.im/blocked" => Visibility::Owner,
        _ => Visibility::Everybody,
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_are_checked() {
        assert!(is_key("display-name") && is_key("soju.im/pinned"));
        assert!(!is_key("") && !is_key("$x") && !is_key("A") && !is_key(&"a".repeat(65)));
        assert!(check_value("color", "#12ab9F").is_ok() && check_value("color", "red").is_err());
        assert!(check_value("soju.im/muted", "1").is_ok() && check_value("soju.im/muted", "x").is_err());
        assert!(check_value("status", &"x".repeat(301)).is_err());
    }

    #[test]
    fn a_change_is_told_from_none() {
        let mut keys = Keys::default();
        assert!(keys.set("a".into(), Some("1".into())) && !keys.set("a".into(), Some("1".into())));
        assert!(keys.set("a".into(), None) && !keys.set("a".into(), None) && keys.is_empty());
    }
}
