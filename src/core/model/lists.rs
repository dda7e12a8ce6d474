//! Mask lists of a channel: bans, ban exceptions and invite exceptions, parsed when they are set.

use std::sync::Arc;

use super::people::Person;
use crate::core::record::modes::{ListEntry, ListKind};
use crate::wire::mask::Mask;
use crate::wire::{Nick, chars};

/// A parsed mask: the accounts it matches, and its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    who: Who,
    /// It prevents only sending messages (`m:`), not joining.
    mute: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Mask(Mask),
    Account(Nick),
}

impl Rule {
    /// Parses a mask with the extended bans of `EXTBAN`: `a:account`, `m:mask` and `m:a:account`. Returns `None` for an
    /// invalid mask.
    pub fn parse(text: &str) -> Option<Self> {
        let (mute, rest) = match text.split_once(':') {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("m") => (true, rest),
            _ => (false, text),
        };
        let who = match rest.split_once(':') {
            Some((kind, name)) if kind.eq_ignore_ascii_case("a") => Who::Account(Nick::parse(name).ok()?),
            Some(_) => return None,
            None => Who::Mask(Mask::parse(rest).ok()?),
        };
        Some(Self { who, mute })
    }

    /// Returns the canonical form, which is stored and shown.
    pub fn text(&self) -> Arc<str> {
        let mute = if self.mute { "m:" } else { "" };
        match &self.who {
            Who::Mask(mask) => format!("{mute}{}", mask.as_str()).into(),
            Who::Account(nick) => format!("{mute}a:{nick}").into(),
        }
    }

    fn names(&self, name: &Nick) -> bool {
        matches!(&self.who, Who::Account(nick) if nick == name)
    }

    fn concerns(&self, person: &Person) -> bool {
        match &self.who {
            Who::Mask(mask) => mask.matches(&person.source),
            Who::Account(nick) => nick == person.nick(),
        }
    }
}

/// The mask lists of one channel.
#[derive(Debug, Default)]
pub struct Lists(Vec<(ListKind, ListEntry, Rule)>);

impl Lists {
    /// Maximum number of entries in all lists of a channel together (`MAXLIST`).
    pub const MOST: usize = 250;

    /// Iterates over the entries of a list, in the order in which they were set.
    pub fn of(&self, list: ListKind) -> impl Iterator<Item = &ListEntry> {
        self.0.iter().filter(move |(kind, ..)| *kind == list).map(|(_, entry, _)| entry)
    }

    /// Adds an entry. Returns false if the list has an equal mask.
    pub fn add(&mut self, list: ListKind, entry: ListEntry, rule: Rule) -> bool {
        let folded = chars::fold(&entry.mask);
        if self.of(list).any(|known| chars::fold(&known.mask) == folded) {
            return false;
        }
        self.0.push((list, entry, rule));
        true
    }

    /// Removes and returns the entry of a mask.
    pub fn remove(&mut self, list: ListKind, mask: &str) -> Option<ListEntry> {
        let folded = chars::fold(mask);
        let at =
            self.0.iter().position(|(kind, known, _)| *kind == list && chars::fold(&known.mask) == folded)?;
        Some(self.0.remove(at).1)
    }

    /// Removes and returns the exceptions that name an account, which would let it in should it be restored. Bans stay,
    /// and so do masks, because they may be meant for others.
    pub fn forget_account(&mut self, name: &Nick) -> Vec<(ListKind, ListEntry)> {
        let names_it =
            |(kind, _, rule): &mut (ListKind, ListEntry, Rule)| *kind != ListKind::Ban && rule.names(name);
        self.0.extract_if(.., names_it).map(|(kind, entry, _)| (kind, entry)).collect()
    }

    /// Returns whether the lists have reached [`Lists::MOST`] entries.
    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// Returns the cost of matching an account against all entries, in scanned rows: a mask costs its length times that
    /// of the text.
    pub(in crate::core) fn weight(&self) -> usize {
        80 * self.0.len()
    }

    /// Returns whether all lists are empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a ban keeps the account from joining.
    pub(in crate::core) fn bans(&self, person: &Person) -> bool {
        self.strikes(person, |rule| !rule.mute)
    }

    /// Returns whether a ban or a mute keeps the account from sending messages.
    pub(in crate::core) fn mutes(&self, person: &Person) -> bool {
        self.strikes(person, |_| true)
    }

    /// Returns whether an invite exception lets the account join an invite-only channel.
    pub(in crate::core) fn invites(&self, person: &Person) -> bool {
        self.0.iter().any(|(kind, _, rule)| *kind == ListKind::Invex && rule.concerns(person))
    }

    fn strikes(&self, person: &Person, counts: impl Fn(&Rule) -> bool) -> bool {
        let any = |list, counts: &dyn Fn(&Rule) -> bool| {
            self.0.iter().any(|(kind, _, rule)| *kind == list && counts(rule) && rule.concerns(person))
        };
        any(ListKind::Ban, &counts) && !any(ListKind::Except, &|_| true)
    }
}

impl FromIterator<(ListKind, ListEntry)> for Lists {
    /// Parses stored entries. Entries that no longer parse are left out.
    fn from_iter<I: IntoIterator<Item = (ListKind, ListEntry)>>(entries: I) -> Self {
        let read = |(kind, entry): (ListKind, ListEntry)| {
            let rule = Rule::parse(&entry.mask)?;
            Some((kind, entry, rule))
        };
        Self(entries.into_iter().filter_map(read).collect())
    }
}
