//! Sends the items of an import to the server, in batches, and counts what becomes of them.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

use anyhow::bail;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use indicatif::ProgressBar;

use super::plan::Plan;
use super::report::Report;
use crate::cli::admin::Admin;
use crate::core::record::secret::PasswordHash;
use crate::core::request::admin::Change;
use crate::core::request::export::{ExportedItem, ExportedMessage, Import};
use crate::platform::files;
use crate::server::admin::{AdminQuery, AdminReply};
use crate::server::now;

/// Limits of a batch: its items, and their bytes as JSON. A request over the control socket may have 1 MiB.
const MAX_ITEMS: usize = 500;
const MAX_BYTES: usize = 400 * 1024;

/// Space on the disk that an import leaves to the server, in bytes; of a small disk an eighth. Below a quarter of it the
/// server refuses new messages itself.
const RESERVE: u64 = 64 << 20;

/// Sends what a source has.
pub struct Sender<'a> {
    admin: &'a Admin,
    data: &'a Path,
    /// The checks in place of the server's, for a dry run.
    plan: Option<Plan>,
    /// Hashes of the items that were sent and that the server cannot tell to be known: those of the batch, in a dry run
    /// all of them.
    sent: HashSet<u64>,
    hasher: RandomState,
    batch: Vec<ExportedItem>,
    batch_bytes: usize,
    password: PasswordHash,
    /// Entry for the audit log, until it was sent.
    note: Option<String>,
    /// Counts and reasons.
    pub report: Report,
    /// The bar, which counts items.
    pub bar: ProgressBar,
}

impl<'a> Sender<'a> {
    /// Makes the sender of an import. `note` says in the audit log what is imported.
    pub fn new(admin: &'a Admin, data: &'a Path, dry_run: bool, note: String, bar: ProgressBar) -> Self {
        let report = Report { dry_run, ..Report::default() };
        Self {
            admin,
            data,
            plan: dry_run.then(|| Plan::new(now())),
            sent: HashSet::new(),
            hasher: RandomState::new(),
            batch: Vec::new(),
            batch_bytes: 0,
            password: unusable_password(),
            note: Some(note),
            report,
            bar,
        }
    }

    /// Sends an item with the next batch.
    pub fn push(&mut self, item: ExportedItem) -> anyhow::Result<()> {
        let bytes = serde_json::to_string(&item)?.len();
        if bytes > MAX_BYTES {
            self.report.counts(&item).refused += 1;
            self.report.leave_out(format!("it is larger than {} KiB", MAX_BYTES / 1024));
            return Ok(());
        }
        if self.batch.len() >= MAX_ITEMS || self.batch_bytes + bytes > MAX_BYTES {
            self.flush()?;
        }
        // Twice in the source.
        if !self.sent.insert(self.identity(&item)) {
            self.report.counts(&item).known += 1;
            return Ok(());
        }
        self.batch_bytes += bytes;
        self.batch.push(item);
        Ok(())
    }

    /// Sends what waits. What is there already is not sent again.
    pub fn flush(&mut self) -> anyhow::Result<()> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        if batch.is_empty() {
            return Ok(());
        }
        self.bar.inc(batch.len() as u64);
        let AdminReply::Known(known) = self.admin.request(AdminQuery::Known(batch.clone()))? else {
            bail!("an unexpected answer")
        };
        let mut items = Vec::new();
        for (item, is_known) in batch.into_iter().zip(known) {
            let counts = self.report.counts(&item);
            *(if is_known { &mut counts.known } else { &mut counts.new }) += 1;
            if !is_known {
                items.push(item);
            }
        }
        if let Some(plan) = &mut self.plan {
            for (item, reason) in items.iter().zip(plan.check(self.admin, &items)?) {
                if let Some(reason) = reason {
                    self.report.refuse(item, reason);
                }
            }
            return Ok(());
        }
        self.sent.clear();
        if items.is_empty() {
            return Ok(());
        }
        self.check_space()?;
        let import =
            Import { items: items.clone(), password: self.password.clone(), note: self.note.clone() };
        let AdminReply::Imported(failed) = self.admin.request(Change::Import(import))? else {
            bail!("an unexpected answer")
        };
        self.note = None;
        for (index, failure) in failed {
            let Some(item) = items.get(index) else { continue };
            self.report.refuse(item, failure.text);
        }
        Ok(())
    }

    /// Returns a hash of what makes an item the same as another one, as the server compares them.
    fn identity(&self, item: &ExportedItem) -> u64 {
        match item {
            ExportedItem::Account(account) => self.hasher.hash_one((0, &account.name)),
            ExportedItem::Channel(channel) => self.hasher.hash_one((1, &channel.name)),
            ExportedItem::Message(message) => {
                let ExportedMessage { msgid, channel, between, from, kind, .. } = message;
                self.hasher.hash_one((2, msgid, channel, between, from, kind))
            }
            ExportedItem::File(file) => self.hasher.hash_one((3, file.id)),
        }
    }

    /// Ends the import before the disk is full.
    fn check_space(&self) -> anyhow::Result<()> {
        let Ok(space) = files::disk_space(self.data) else { return Ok(()) };
        if space.free < RESERVE.min(space.total / 8) {
            bail!(
                "the disk of {} is nearly full; make room and run this again, it goes on where it stopped",
                self.data.display()
            );
        }
        Ok(())
    }
}

/// Makes a hash that no password has. It costs a login as much as any other, so that nobody learns which accounts have one.
fn unusable_password() -> PasswordHash {
    let (salt, hash): ([u8; 16], [u8; 32]) = (rand::random(), rand::random());
    let (salt, hash) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(hash));
    PasswordHash::from_phc(format!("$argon2id$v=19$m=19456,t=2,p=1${salt}${hash}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_password_has_the_form_of_a_hash() {
        let hash = unusable_password();
        assert_eq!(PasswordHash::parse(hash.as_str()).as_ref(), Some(&hash));
        assert_ne!(hash, unusable_password());
    }
}
