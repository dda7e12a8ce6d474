//! The lists of masks of a channel, read once when they are set.

use std::sync::Arc;

use super::modes::{ListEntry, ListKind};
use super::people::Person;
use crate::wire::mask::Mask;
use crate::wire::{Nick, chars};

/// Whom an entry concerns and what it keeps them from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    who: Who,
    /// It takes the voice alone (`m:`).
    mute: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Who {
    Mask(Mask),
    Account(Nick),
}

impl Rule {
    /// Reads a mask as people write it, with the extended bans that `EXTBAN` names: `a:account` and `m:mask`, also
    /// together. `None` where it is none.
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

    /// The form in which it is kept and shown.
    pub fn text(&self) -> Arc<str> {
        let mute = if self.mute { "m:" } else { "" };
        match &self.who {
            Who::Mask(mask) => format!("{mute}{}", mask.as_str()).into(),
            Who::Account(nick) => format!("{mute}a:{nick}").into(),
        }
    }

    fn concerns(&self, person: &Person) -> bool {
        match &self.who {
            Who::Mask(mask) => mask.matches(&person.source),
            Who::Account(nick) => nick == person.nick(),
        }
    }
}

/// The lists of one channel.
#[derive(Debug, Default)]
pub struct Lists(Vec<(ListKind, ListEntry, Rule)>);

impl Lists {
    /// Most entries of all lists of a channel together (`MAXLIST`).
    pub const MOST: usize = 250;

    /// The entries of a list, in the order in which they were set.
    pub fn of(&self, list: ListKind) -> impl Iterator<Item = &ListEntry> {
        self.0.iter().filter(move |(kind, ..)| *kind == list).map(|(_, entry, _)| entry)
    }

    /// Adds an entry whose mask is not in the list. False where it is in it.
    pub fn add(&mut self, list: ListKind, entry: ListEntry, rule: Rule) -> bool {
        let folded = chars::fold(&entry.mask);
        if self.of(list).any(|known| chars::fold(&known.mask) == folded) {
            return false;
        }
        self.0.push((list, entry, rule));
        true
    }

    /// Takes the entry of a mask out.
    pub fn remove(&mut self, list: ListKind, mask: &str) -> Option<ListEntry> {
        let folded = chars::fold(mask);
        let at =
            self.0.iter().position(|(kind, known, _)| *kind == list && chars::fold(&known.mask) == folded)?;
        Some(self.0.remove(at).1)
    }

    /// No more fit in.
    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MOST
    }

    /// Rows that looking for somebody in them counts for: a mask costs its length times that of who it is held against.
    pub(super) fn weight(&self) -> usize {
        80 * self.0.len()
    }

    /// None at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// May not join.
    pub(super) fn bans(&self, person: &Person) -> bool {
        self.strikes(person, |rule| !rule.mute)
    }

    /// May not speak.
    pub(super) fn mutes(&self, person: &Person) -> bool {
        self.strikes(person, |_| true)
    }

    /// May join where only who was invited may.
    pub(super) fn invites(&self, person: &Person) -> bool {
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
    /// From what was kept; what cannot be read any more is left out.
    fn from_iter<I: IntoIterator<Item = (ListKind, ListEntry)>>(entries: I) -> Self {
        let read = |(kind, entry): (ListKind, ListEntry)| {
            let rule = Rule::parse(&entry.mask)?;
            Some((kind, entry, rule))
        };
        Self(entries.into_iter().filter_map(read).collect())
    }
}
