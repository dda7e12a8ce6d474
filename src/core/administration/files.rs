//! Files: which there are, who may read them, and when they end.
//!
//! A file belongs to the account that uploaded it. Each message that has the file's address in its text shares it with
//! the readers of its conversation. When the last of these messages is redacted or removed, the file is removed with
//! it; one that no message shares, after a day.

use std::collections::BTreeSet;

use crate::core::effects::{Effects, Output};
use crate::core::model::files::FileState;
use crate::core::record::file::{FileHash, FileId, FileShare, StoredFile};
use crate::core::record::{AccountId, Conversation, Record, Role, TokenHash};
use crate::core::request::files::{FILE_PATH, FileChange, FileError, NewFile};
use crate::core::state::Core;
use crate::wire::{MessageId, Timestamp};

/// Limit of the files that one message shares.
const MAX_SHARED: usize = 10;

impl Core {
    /// Carries out a change of files.
    pub(super) fn apply_file_change(
        &mut self,
        change: FileChange,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<(), FileError> {
        match change {
            FileChange::Add(file) => self.add_file(file, at, fx),
            FileChange::SetLink { by, file, link } => self.set_file_link(by, file, link, fx),
            FileChange::Discard(file) => {
                if self.files.get(file).is_some_and(FileState::is_unshared) {
                    self.remove_file(file, fx);
                }
                Ok(())
            }
            FileChange::Remove { by, file } => self.remove_own_file(by, file, fx),
            FileChange::RemoveUnshared { before } => {
                self.remove_unshared_files(before, fx);
                Ok(())
            }
        }
    }

    /// Returns how many bytes an account may still upload.
    ///
    /// # Errors
    /// The account does not exist or is disabled.
    pub fn file_quota_left(&self, owner: AccountId) -> Result<u64, FileError> {
        let account = self.accounts.get(owner).filter(|account_state| !account_state.account.disabled);
        if self.is_upload_refused(account.ok_or(FileError::NoAccount)?) {
            return Err(FileError::DiskIsLow);
        }
        Ok(self.settings.file_quota_bytes.saturating_sub(self.files.bytes_of(owner)))
    }

    /// Returns a file that an account may read: its own, or one that is shared where it reads.
    pub fn readable_file(&self, reader: AccountId, id: FileId) -> Option<&StoredFile> {
        let account_state = self.accounts.get(reader).filter(|known| !known.account.disabled)?;
        let state = self.files.get(id)?;
        let is_readable = state.file.owner == reader
            || state.shares.values().any(|conversation| match *conversation {
                Conversation::Channel(channel) => account_state.channels.contains(&channel),
                Conversation::Direct(a, b) => [a, b].contains(&reader),
            });
        is_readable.then_some(&state.file)
    }

    /// Returns the file that a link leads to.
    pub fn linked_file(&self, link: &TokenHash) -> Option<&StoredFile> {
        self.files.get_by_link(link).map(|state| &state.file)
    }

    /// Iterates over the hashes of the contents that files have, each at least once.
    pub fn file_hashes(&self) -> impl Iterator<Item = &FileHash> {
        self.files.iter().map(|state| &state.file.hash)
    }

    fn add_file(&mut self, new: NewFile, at: Timestamp, fx: &mut Effects) -> Result<(), FileError> {
        if new.size > self.settings.max_file_bytes {
            return Err(FileError::TooLarge(self.settings.max_file_bytes));
        }
        let most = self.settings.max_files;
        if self.files.count_of(new.owner) >= most {
            return Err(FileError::TooMany(most));
        }
        if new.size > self.file_quota_left(new.owner)? {
            return Err(FileError::QuotaReached(self.settings.file_quota_bytes));
        }
        let NewFile { id, owner, name, media_type, size, hash, dimensions } = new;
        let file = StoredFile { id, owner, name, media_type, size, hash, dimensions, added: at, link: None };
        self.files.insert(file.clone());
        fx.records.push(Record::FileAdded(file));
        Ok(())
    }

    /// Checks that an account may make and revoke the link of a file: as its owner or as an admin.
    pub(in crate::core) fn check_file_owner(&self, by: AccountId, id: FileId) -> Result<(), FileError> {
        let is_admin = self.accounts.get(by).is_some_and(|known| known.account.role == Role::Admin);
        let state = self.files.get(id).ok_or(FileError::Unknown)?;
        match state.file.owner == by || is_admin {
            true => Ok(()),
            false if self.readable_file(by, id).is_some() => Err(FileError::NotOwner),
            false => Err(FileError::Unknown),
        }
    }

    /// Makes the link of a file, in place of the one before, or revokes it.
    pub(in crate::core) fn set_file_link(
        &mut self,
        by: AccountId,
        id: FileId,
        link: Option<TokenHash>,
        fx: &mut Effects,
    ) -> Result<(), FileError> {
        self.check_file_owner(by, id)?;
        if link.and_then(|link| self.files.get_by_link(&link)).is_some_and(|other| other.file.id != id) {
            return Err(FileError::LinkTaken);
        }
        if self.files.get(id).is_some_and(|state| state.file.link != link) {
            self.files.set_link(id, link);
            fx.records.push(Record::FileLinkSet { file: id, link });
        }
        Ok(())
    }

    /// Notes the files whose addresses a message has in its text, as far as its sender may read them: the readers of
    /// the conversation may from now on, too.
    pub(in crate::core) fn share_files(
        &mut self,
        sender: AccountId,
        conversation: Conversation,
        message: MessageId,
        text: &str,
        fx: &mut Effects,
    ) {
        if self.files.is_empty() {
            return;
        }
        for file in file_ids(text) {
            let share = FileShare { message, file, conversation };
            if self.readable_file(sender, file).is_some() && self.files.share(share) {
                fx.records.push(Record::FileShared(share));
            }
        }
    }

    /// Iterates over the files that a message shares.
    pub(in crate::core) fn files_shared_by(&self, message: MessageId) -> impl Iterator<Item = &StoredFile> {
        let shares = self.files.shares_of(message);
        shares.into_iter().filter_map(|share| self.files.get(share.file)).map(|state| &state.file)
    }

    /// Ends what a message shares, because it was redacted. A file that no other message shares is removed.
    pub(in crate::core) fn unshare_files(&mut self, message: MessageId, fx: &mut Effects) {
        for share in self.files.shares_of(message) {
            self.end_share(share, fx);
        }
    }

    /// Ends what a message shares that could not be stored. Its sender has the file still, for another try.
    pub(in crate::core) fn withdraw_file_shares(&mut self, message: MessageId, fx: &mut Effects) {
        for share in self.files.shares_of(message) {
            self.files.unshare(share);
            fx.records.push(Record::FileUnshared(share));
        }
    }

    /// Ends what the messages of a conversation share that are older than a message.
    pub(super) fn unshare_old_files(
        &mut self,
        conversation: Conversation,
        before: MessageId,
        fx: &mut Effects,
    ) {
        for share in self.files.shares_before(conversation, before) {
            self.end_share(share, fx);
        }
    }

    fn end_share(&mut self, share: FileShare, fx: &mut Effects) {
        fx.records.push(Record::FileUnshared(share));
        if !self.files.unshare(share) {
            self.remove_file(share.file, fx);
        }
    }

    fn remove_own_file(&mut self, by: AccountId, id: FileId, fx: &mut Effects) -> Result<(), FileError> {
        let is_active = self.accounts.get(by).is_some_and(|known| !known.account.disabled);
        let own = self.files.get(id).filter(|state| is_active && state.file.owner == by);
        if !own.ok_or(FileError::Unknown)?.is_unshared() {
            return Err(FileError::Shared);
        }
        self.remove_file(id, fx);
        Ok(())
    }

    /// Removes the files from before a time that no message shares.
    fn remove_unshared_files(&mut self, before: Timestamp, fx: &mut Effects) {
        let is_meant = |state: &&FileState| state.is_unshared() && state.file.added < before;
        let mut unshared: Vec<FileId> =
            self.files.iter().filter(is_meant).map(|state| state.file.id).collect();
        // The same effects for the same inputs, whatever the order of the map.
        unshared.sort_unstable();
        for id in unshared {
            self.remove_file(id, fx);
        }
    }

    /// Removes a file although messages share it, because its owner is erased.
    pub(super) fn remove_shared_file(&mut self, id: FileId, fx: &mut Effects) {
        let shares = self.files.get(id).map(|state| state.shares.clone()).unwrap_or_default();
        for (message, conversation) in shares {
            let share = FileShare { message, file: id, conversation };
            self.files.unshare(share);
            fx.records.push(Record::FileUnshared(share));
        }
        self.remove_file(id, fx);
    }

    fn remove_file(&mut self, id: FileId, fx: &mut Effects) {
        let Some(file) = self.files.remove(id) else { return };
        fx.records.push(Record::FileRemoved(id));
        if !self.files.has_content(&file.hash) {
            fx.push(Output::RemoveFileContent(file.hash));
        }
    }
}

/// Returns the ids in the addresses of files in a text, each once, at most [`MAX_SHARED`].
fn file_ids(text: &str) -> BTreeSet<FileId> {
    let mut ids = BTreeSet::new();
    let mut rest = text;
    while let Some(at) = rest.find(FILE_PATH) {
        let after = rest.get(at + FILE_PATH.len()..).unwrap_or_default();
        // Its last slash may be the first of another.
        rest = rest.get(at + FILE_PATH.len() - 1..).unwrap_or_default();
        let is_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let end = after.find(|c| !is_id(c)).unwrap_or(after.len());
        if ids.len() < MAX_SHARED
            && let Some(Ok(id)) = after.get(..end).map(str::parse)
        {
            ids.insert(id);
        }
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_in_addresses_only() {
        let (a, b) = (FileId([1; 16]), FileId([2; 16]));
        let found = |text: &str| file_ids(text).into_iter().collect::<Vec<_>>();
        assert_eq!(found(&format!("see https://h:6697/f/{a}/x.png and https://h/f/{b}")), [a, b]);
        assert_eq!(found(&format!("https://h/f/{a}/1 https://h/f/{a}/2")), [a]);
        assert_eq!(found(&format!("https://h/f/f/{a}/")), [a]);
        for wrong in
            [format!("{a}"), format!("/g/{a}"), format!("/f/{a}x"), "/f/".to_owned(), "/f/é".to_owned()]
        {
            assert_eq!(found(&wrong), [], "{wrong}");
        }
        let many = (0..50).map(|n| FileId([n; 16]).to_string()).collect::<Vec<_>>().join(" /f/");
        assert_eq!(found(&many).len(), MAX_SHARED);
    }
}
