//! Detection of unknown keys, with suggestions.

use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::error::LocatedError;

/// Returns the first key in the file that `known` does not have. `known` is the whole configuration with its defaults,
/// so it has all keys.
pub(super) fn unknown_key(table: &DeTable<'_>, known: &Table) -> Option<LocatedError> {
    let mut found: Vec<LocatedError> = Vec::new();
    for (key, value) in table {
        match (value.get_ref(), known.get(key.get_ref().as_ref())) {
            (_, None) => {
                found.push(LocatedError {
                    offset: key.span().start,
                    message: unknown_key_message(key.get_ref(), None, known, known),
                });
            }
            (DeValue::Table(inner), Some(Value::Table(known_inner))) => {
                let section = key.get_ref().as_ref();
                let unknown = inner.keys().filter(|key| !known_inner.contains_key(key.get_ref().as_ref()));
                found.extend(unknown.map(|key| LocatedError {
                    offset: key.span().start,
                    message: unknown_key_message(key.get_ref(), Some(section), known_inner, known),
                }));
            }
            // A value instead of a table, or the reverse, is found by deserialization.
            _ => {}
        }
    }
    found.into_iter().min_by_key(|mistake| mistake.offset)
}

/// Returns the byte offset of the first of `keys` that occurs in a section; 0 if none does.
pub(super) fn key_offset(table: &DeTable<'_>, section: &str, keys: &[&str]) -> usize {
    let Some(DeValue::Table(inner)) = table.get(section).map(toml::Spanned::get_ref) else { return 0 };
    keys.iter().find_map(|key| Some(inner.get(*key)?.span().start)).unwrap_or(0)
}

/// Returns the message about an unknown key in a section of the file (or outside all of them).
fn unknown_key_message(key: &str, section: Option<&str>, section_keys: &Table, all_keys: &Table) -> String {
    let unknown = match section {
        Some(section) => format!("unknown key `{key}` in [{section}]"),
        None => format!("unknown key `{key}`"),
    };
    if let Some(near) = nearest_key(key, section_keys) {
        return format!("{unknown}, did you mean `{near}`?");
    }
    if all_keys.contains_key(key) {
        return format!("{unknown}, did you mean `{key}` above all sections?");
    }
    // A right key in the wrong section.
    let elsewhere = all_keys.iter().find_map(|(name, value)| {
        let nearest = nearest_key(key, value.as_table()?)?;
        Some(format!("{unknown}, did you mean `{nearest}` in [{name}]?"))
    });
    let top = || {
        nearest_key(key, all_keys).map(|near| format!("{unknown}, did you mean `{near}` above all sections?"))
    };
    let all = || {
        let keys: Vec<String> = section_keys.keys().map(|key| format!("`{key}`")).collect();
        if keys.is_empty() {
            format!("{unknown}: it has no keys")
        } else {
            format!("{unknown}; there are {}", keys.join(", "))
        }
    };
    elsewhere.or_else(top).unwrap_or_else(all)
}

/// Returns the most similar key, if at most every third letter differs.
fn nearest_key<'a>(key: &str, keys: &'a Table) -> Option<&'a str> {
    let distance = |known: &str| strsim::damerau_levenshtein(&key.to_lowercase(), known);
    let (distance, near) = keys.keys().map(|known| (distance(known), known)).min()?;
    (distance <= near.len().div_ceil(3)).then_some(near)
}
