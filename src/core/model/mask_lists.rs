//! Mask lists of a channel: bans, ban exceptions and invite exceptions, parsed when they are set.

use std::sync::Arc;

use super::accounts::AccountState;
use crate::core::record::modes::{ListEntry, ListKind};
use crate::wire::mask::Mask;
use crate::wire::{Nick, chars};

/// A parsed mask: the accounts it matches, and its effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskRule {
    matcher: Matcher,
    /// It prevents only sending messages (`m:`), not joining.
    mute: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Matcher {
    Mask(Mask),
    Account(Nick),
}

impl MaskRule {
    /// Parses a mask with the extended bans of `EXTBAN`: `a:account`, `m:mask` and `m:a:account`. Returns `None` for an
    /// invalid mask.
    pub fn parse(text: &str) -> Option<Self> {
        let (mute, rest) = match text.split_once(':') {
            Some((kind, rest)) if kind.eq_ignore_ascii_case("m") => (true, rest),
            _ => (false, text),
        };
        let matcher = match rest.split_once(':') {
            Some((kind, name)) if kind.eq_ignore_ascii_case("a") => Matcher::Account(Nick::parse(name).ok()?),
            Some(_) => return None,
            None => Matcher::Mask(Mask::parse(rest).ok()?),
        };
        Some(Self { matcher, mute })
    }

    /// Returns the canonical form, which is stored and shown.
    pub fn canonical_text(&self) -> Arc<str> {
        let mute = if self.mute { "m:" } else { "" };
        match &self.matcher {
            Matcher::Mask(mask) => format!("{mute}{}", mask.as_str()).into(),
            Matcher::Account(nick) => format!("{mute}a:{nick}").into(),
        }
    }

    fn names_account(&self, name: &Nick) -> bool {
        matches!(&self.matcher, Matcher::Account(nick) if nick == name)
    }

    fn matches(&self, account_state: &AccountState) -> bool {
        match &self.matcher {
            Matcher::Mask(mask) => mask.matches(&account_state.source),
            Matcher::Account(nick) => nick == account_state.nick(),
        }
    }
}

/// The mask lists of one channel.
#[derive(Debug, Default)]
pub struct MaskLists(Vec<(ListKind, ListEntry, MaskRule)>);

impl MaskLists {
    /// Maximum number of entries in all lists of a channel together (`MAXLIST`).
    pub const MAX_ENTRIES: usize = 250;

    /// Iterates over the entries of a list, in the order in which they were set.
    pub fn entries(&self, list: ListKind) -> impl Iterator<Item = &ListEntry> {
        self.0.iter().filter(move |(kind, ..)| *kind == list).map(|(_, entry, _)| entry)
    }

    /// Adds an entry. Returns false if the list has an equal mask.
    pub fn add(&mut self, list: ListKind, entry: ListEntry, rule: MaskRule) -> bool {
        let folded = chars::fold_name(&entry.mask);
        if self.entries(list).any(|known| chars::fold_name(&known.mask) == folded) {
            return false;
        }
        self.0.push((list, entry, rule));
        true
    }

    /// Removes and returns the entry of a mask.
    pub fn remove(&mut self, list: ListKind, mask: &str) -> Option<ListEntry> {
        let folded = chars::fold_name(mask);
        let index = self
            .0
            .iter()
            .position(|(kind, known, _)| *kind == list && chars::fold_name(&known.mask) == folded)?;
        Some(self.0.remove(index).1)
    }

    /// Removes and returns the exceptions that name an account, which would let it in should it be restored. Bans stay,
    /// and so do masks, because they may be meant for others.
    pub fn remove_exceptions_for(&mut self, name: &Nick) -> Vec<(ListKind, ListEntry)> {
        let names_it = |(kind, _, rule): &mut (ListKind, ListEntry, MaskRule)| {
            *kind != ListKind::Ban && rule.names_account(name)
        };
        self.0.extract_if(.., names_it).map(|(kind, entry, _)| (kind, entry)).collect()
    }

    /// Removes and returns the entries that are for an account and no other.
    pub fn remove_entries_for(&mut self, name: &Nick) -> Vec<(ListKind, ListEntry)> {
        let own_mask = format!("{name}!*@*");
        let names_it = |(_, entry, rule): &mut (ListKind, ListEntry, MaskRule)| {
            let mask = entry.mask.strip_prefix("m:").unwrap_or(&entry.mask);
            rule.names_account(name) || mask.eq_ignore_ascii_case(&own_mask)
        };
        self.0.extract_if(.., names_it).map(|(kind, entry, _)| (kind, entry)).collect()
    }

    /// Gives the entries that an account set another author, and returns them. They are the last in their lists then.
    pub fn rename_author(&mut self, name: &Nick, new: &Nick) -> Vec<(ListKind, ListEntry)> {
        let mut renamed: Vec<_> = self.0.extract_if(.., |(_, entry, _)| entry.by == *name).collect();
        for (_, entry, _) in &mut renamed {
            entry.by = new.clone();
        }
        self.0.extend(renamed.iter().cloned());
        renamed.into_iter().map(|(kind, entry, _)| (kind, entry)).collect()
    }

    /// Returns whether the lists have reached [`MaskLists::MAX_ENTRIES`] entries.
    pub fn is_full(&self) -> bool {
        self.0.len() >= Self::MAX_ENTRIES
    }

    /// Returns the cost of matching an account against all entries, in scanned rows: a mask costs its length times that
    /// of the text.
    pub(in crate::core) fn match_cost(&self) -> usize {
        80 * self.0.len()
    }

    /// Returns the number of entries in all lists.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether all lists are empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether a ban keeps the account from joining.
    pub(in crate::core) fn is_banned(&self, account_state: &AccountState) -> bool {
        self.matches_ban(account_state, |rule| !rule.mute)
    }

    /// Returns whether a ban or a mute keeps the account from sending messages.
    pub(in crate::core) fn is_muted(&self, account_state: &AccountState) -> bool {
        self.matches_ban(account_state, |_| true)
    }

    /// Returns whether an invite exception lets the account join an invite-only channel.
    pub(in crate::core) fn is_invite_exempt(&self, account_state: &AccountState) -> bool {
        self.0.iter().any(|(kind, _, rule)| *kind == ListKind::Invex && rule.matches(account_state))
    }

    fn matches_ban(&self, account_state: &AccountState, counts: impl Fn(&MaskRule) -> bool) -> bool {
        let any = |list, counts: &dyn Fn(&MaskRule) -> bool| {
            self.0.iter().any(|(kind, _, rule)| *kind == list && counts(rule) && rule.matches(account_state))
        };
        any(ListKind::Ban, &counts) && !any(ListKind::Except, &|_| true)
    }
}

impl FromIterator<(ListKind, ListEntry)> for MaskLists {
    /// Parses stored entries. Entries that no longer parse are left out.
    fn from_iter<I: IntoIterator<Item = (ListKind, ListEntry)>>(entries: I) -> Self {
        let read = |(kind, entry): (ListKind, ListEntry)| {
            let rule = MaskRule::parse(&entry.mask)?;
            Some((kind, entry, rule))
        };
        Self(entries.into_iter().filter_map(read).collect())
    }
}
