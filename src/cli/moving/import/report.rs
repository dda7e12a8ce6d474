//! The summary of an import: counts of what was added, known and left out, with the reasons.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::cli::output::format_table;
use crate::client::text::clean::clean;
use crate::core::request::export::ExportedItem;

/// Maximum count of different reasons that are listed. What is in a file decides about them.
const MAX_REASONS: usize = 200;

/// The counts of an import.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// `--dry-run` was given, so nothing was changed.
    pub dry_run: bool,
    /// Counts of accounts.
    pub accounts: Counts,
    /// Counts of channels.
    pub channels: Counts,
    /// Counts of messages and events.
    pub messages: Counts,
    /// Counts of files.
    pub files: Counts,
    /// Counts of what was left out of the source, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// The names in the source with their accounts here.
    pub people: Vec<NamedAccount>,
}

/// Counts of one kind of items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Added, or to be added.
    pub new: u64,
    /// Count of those that the server had already.
    pub known: u64,
    /// Count of those that the server refused.
    pub refused: u64,
}

/// A name in a source with its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedAccount {
    /// Name in the source.
    pub name: String,
    /// Account that its messages are of.
    pub account: String,
    /// `known`, `new`, `removed`, or `others` for the account that has everybody else's messages.
    pub state: &'static str,
}

impl Report {
    /// The counts of an item's kind.
    pub fn counts(&mut self, item: &ExportedItem) -> &mut Counts {
        match item {
            ExportedItem::Account(_) => &mut self.accounts,
            ExportedItem::Channel(_) => &mut self.channels,
            ExportedItem::Message(_) => &mut self.messages,
            ExportedItem::File(_) => &mut self.files,
        }
    }

    /// Counts an item as refused that was counted as new.
    pub fn refuse(&mut self, item: &ExportedItem, reason: String) {
        let counts = self.counts(item);
        counts.new = counts.new.saturating_sub(1);
        counts.refused += 1;
        self.leave_out(reason);
    }

    /// Counts something that is left out.
    pub fn leave_out(&mut self, reason: impl Into<String>) {
        self.leave_out_many(reason, 1);
    }

    /// Counts several things that are left out for one reason.
    pub fn leave_out_many(&mut self, reason: impl Into<String>, count: u64) {
        if count == 0 {
            return;
        }
        let reason = reason.into();
        let reason = if self.left_out.len() < MAX_REASONS || self.left_out.contains_key(&reason) {
            reason
        } else {
            "other reasons".to_owned()
        };
        *self.left_out.entry(reason).or_default() += count;
    }

    /// Returns whether nothing of the source was or would be taken, nor was there already.
    pub fn is_empty(&self) -> bool {
        let all = [self.accounts, self.channels, self.messages, self.files];
        all.iter().all(|counts| counts.new == 0 && counts.known == 0)
    }

    /// The report as text, with the names of the people if they are not those of their accounts.
    pub fn to_text(&self) -> String {
        let heading = if self.dry_run { "TO BE ADDED" } else { "ADDED" };
        let mut rows = vec![["", heading, "THERE ALREADY", "REFUSED"].map(ToOwned::to_owned)];
        for (kind, counts) in [
            ("accounts", self.accounts),
            ("channels", self.channels),
            ("messages", self.messages),
            ("files", self.files),
        ] {
            let Counts { new, known, refused } = counts;
            rows.push([kind.to_owned(), new.to_string(), known.to_string(), refused.to_string()]);
        }
        let mut text = format_table(&rows);
        let renamed: Vec<&NamedAccount> =
            self.people.iter().filter(|person| self.dry_run || person.name != person.account).collect();
        if !renamed.is_empty() {
            let mut rows = vec![["NAME", "ACCOUNT", ""].map(ToOwned::to_owned)];
            rows.extend(
                renamed
                    .into_iter()
                    .map(|person| [clean(&person.name), person.account.clone(), person.state.to_owned()]),
            );
            text.push('\n');
            text += &format_table(&rows);
        }
        if !self.left_out.is_empty() {
            text += "\nLeft out:\n";
            for (reason, count) in &self.left_out {
                let _ = writeln!(text, "  {count} × {}", clean(reason));
            }
        }
        text
    }
}
