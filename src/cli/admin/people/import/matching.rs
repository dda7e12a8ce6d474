//! The account of each row: that of the same person from an earlier import, or a new one.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::columns::Entry;
use crate::cli::account_names::{PersonName, number_of, numbered};
use crate::core::request::admin::reserved_reason;
use crate::server::admin::User;
use crate::wire::Nick;

/// The largest number behind a name: more people than this have no account.
const MAX_NUMBER: u32 = 99_999;

/// Result of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Target {
    /// An account is made.
    New(Nick),
    /// An earlier import made the account of this person.
    Known {
        /// Name of the account.
        name: Nick,
        /// It and the row have groups, but none in common: it may be another person of that name.
        is_doubtful: bool,
    },
    /// Another account has the name.
    Taken,
    /// A removed account had the name.
    Removed,
}

/// Finds the account of each row: that of the same person from an earlier import, or a new one with a free name.
pub fn resolve(entries: &[Entry], users: &[User], removed: &HashSet<Nick>) -> Vec<Target> {
    let known: HashMap<&Nick, &User> = users.iter().map(|user| (&user.name, user)).collect();
    let mut listed: HashMap<&str, Vec<&User>> = HashMap::new();
    for user in users {
        if let Some(name) = &user.listed_name {
            listed.entry(name).or_default().push(user);
        }
    }
    let given = entries.iter().filter_map(|entry| match &entry.name {
        PersonName::Given(name) => Some(name.clone()),
        PersonName::Derived(_) => None,
    });
    let mut in_use: HashSet<Nick> = given.collect();
    let target = |entry: &Entry| match &entry.name {
        PersonName::Given(name) => match known.get(name) {
            Some(user) if user.listed_name.as_ref() == Some(&entry.listed_name) => known_target(user, entry),
            Some(_) => Target::Taken,
            None if removed.contains(name) => Target::Removed,
            None => Target::New(name.clone()),
        },
        PersonName::Derived(base) => {
            let same = listed.get_mut(&*entry.listed_name).and_then(|same| {
                same.retain(|user| !in_use.contains(&user.name));
                // The last is taken: one of the same group, then the one with the lowest number.
                same.sort_by_key(|user| {
                    (shares_group(user, entry), Reverse(number_of(base, &user.name).unwrap_or(u32::MAX)))
                });
                same.pop()
            });
            if let Some(user) = same {
                in_use.insert(user.name.clone());
                return known_target(user, entry);
            }
            let is_free = |name: &Nick| {
                !in_use.contains(name)
                    && !known.contains_key(name)
                    && !removed.contains(name)
                    && reserved_reason(name).is_none()
            };
            let free = (1..=MAX_NUMBER).filter_map(|number| numbered(base, number)).find(is_free);
            free.map_or(Target::Taken, |name| {
                in_use.insert(name.clone());
                Target::New(name)
            })
        }
    };
    entries.iter().map(target).collect()
}

fn known_target(user: &User, entry: &Entry) -> Target {
    let both_have_groups = !user.groups.is_empty() && !entry.groups.is_empty();
    Target::Known { name: user.name.clone(), is_doubtful: both_have_groups && !shares_group(user, entry) }
}

fn shares_group(user: &User, entry: &Entry) -> bool {
    entry.groups.iter().any(|group| user.groups.contains(group))
}
