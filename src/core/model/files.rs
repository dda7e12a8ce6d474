//! All files, by id, by the messages that share them, and by the links that others may read them by.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::core::record::file::{FileHash, FileId, FileShare, StoredFile};
use crate::core::record::{AccountId, Conversation, TokenHash};
use crate::wire::MessageId;

/// The files of the server, with indexes by message, link, owner and content.
#[derive(Debug, Default)]
pub(in crate::core) struct Files {
    by_id: HashMap<FileId, FileState>,
    /// The files that a message shares.
    by_message: BTreeMap<MessageId, BTreeSet<FileId>>,
    /// The files that the messages of a conversation share, in the order of the messages.
    by_conversation: HashMap<Conversation, BTreeSet<(MessageId, FileId)>>,
    by_link: HashMap<TokenHash, FileId>,
    by_owner: HashMap<AccountId, Usage>,
    /// Count of the files with this content.
    contents: HashMap<FileHash, usize>,
    /// Sum of the sizes.
    bytes: u64,
}

/// Count and size of the files of an account.
#[derive(Clone, Copy, Debug, Default)]
struct Usage {
    count: usize,
    bytes: u64,
}

/// A file and the messages that share it.
#[derive(Debug)]
pub(in crate::core) struct FileState {
    pub file: StoredFile,
    pub shares: BTreeMap<MessageId, Conversation>,
}

impl FileState {
    /// Returns whether no message shares the file and no link leads to it.
    pub fn is_unshared(&self) -> bool {
        self.shares.is_empty() && self.file.link.is_none()
    }
}

impl Files {
    /// Creates the set from what is stored. A share of a file that does not exist is passed over.
    pub fn new(files: Vec<StoredFile>, shares: Vec<FileShare>) -> Self {
        let mut all = Self::default();
        for file in files {
            all.insert(file);
        }
        for share in shares {
            all.share(share);
        }
        all
    }

    /// Returns a file.
    pub fn get(&self, id: FileId) -> Option<&FileState> {
        self.by_id.get(&id)
    }

    /// Returns the file that a link leads to.
    pub fn get_by_link(&self, link: &TokenHash) -> Option<&FileState> {
        self.by_link.get(link).and_then(|id| self.by_id.get(id))
    }

    /// Iterates over all files, in no order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &FileState> {
        self.by_id.values()
    }

    /// Returns whether there is no file at all.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Returns the sum of the sizes of an account's files, in bytes.
    pub fn bytes_of(&self, owner: AccountId) -> u64 {
        self.by_owner.get(&owner).map_or(0, |usage| usage.bytes)
    }

    /// Returns the sum of the sizes of all files, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the count of an account's files.
    pub fn count_of(&self, owner: AccountId) -> usize {
        self.by_owner.get(&owner).map_or(0, |usage| usage.count)
    }

    /// Returns whether a file has this content.
    pub fn has_content(&self, hash: &FileHash) -> bool {
        self.contents.contains_key(hash)
    }

    /// Adds a file that no message shares.
    pub fn insert(&mut self, file: StoredFile) {
        let usage = self.by_owner.entry(file.owner).or_default();
        usage.count += 1;
        usage.bytes += file.size;
        self.bytes += file.size;
        *self.contents.entry(file.hash).or_default() += 1;
        if let Some(link) = file.link {
            self.by_link.insert(link, file.id);
        }
        self.by_id.insert(file.id, FileState { file, shares: BTreeMap::new() });
    }

    /// Removes a file and its link. Returns it.
    pub fn remove(&mut self, id: FileId) -> Option<StoredFile> {
        let FileState { file, shares } = self.by_id.remove(&id)?;
        for (message, conversation) in shares {
            self.forget_share(FileShare { message, file: id, conversation });
        }
        if let Some(link) = file.link {
            self.by_link.remove(&link);
        }
        if let Some(usage) = self.by_owner.get_mut(&file.owner) {
            usage.count -= 1;
            usage.bytes = usage.bytes.saturating_sub(file.size);
            self.bytes = self.bytes.saturating_sub(file.size);
            if usage.count == 0 {
                self.by_owner.remove(&file.owner);
            }
        }
        if let Some(count) = self.contents.get_mut(&file.hash) {
            *count -= 1;
            if *count == 0 {
                self.contents.remove(&file.hash);
            }
        }
        Some(file)
    }

    /// Notes that a message shares a file. Returns `false` if the file does not exist.
    pub fn share(&mut self, share: FileShare) -> bool {
        let Some(state) = self.by_id.get_mut(&share.file) else { return false };
        state.shares.insert(share.message, share.conversation);
        self.by_message.entry(share.message).or_default().insert(share.file);
        self.by_conversation.entry(share.conversation).or_default().insert((share.message, share.file));
        true
    }

    /// Returns what a message shares.
    pub fn shares_of(&self, message: MessageId) -> Vec<FileShare> {
        let files = self.by_message.get(&message).into_iter().flatten();
        files.filter_map(|&file| self.find_share(message, file)).collect()
    }

    /// Returns what the messages of a conversation share that are older than a message.
    pub fn shares_before(&self, conversation: Conversation, before: MessageId) -> Vec<FileShare> {
        let shares = self.older_in(conversation, before);
        shares.map(|(message, file)| FileShare { message, file, conversation }).collect()
    }

    /// Returns the latest of what the messages of a conversation share that are older than a message: the latest first,
    /// and so many at least, as far as there are, with all that the last of these messages shares.
    pub fn latest_shares(
        &self,
        conversation: Conversation,
        before: MessageId,
        count: usize,
    ) -> Vec<(MessageId, &StoredFile)> {
        let mut latest: Vec<(MessageId, &StoredFile)> = Vec::new();
        for (message, file) in self.older_in(conversation, before).rev() {
            if latest.len() >= count && latest.last().is_some_and(|(last, _)| *last != message) {
                break;
            }
            latest.extend(self.by_id.get(&file).map(|state| (message, &state.file)));
        }
        latest
    }

    /// Iterates over what the messages of a conversation share that are older than a message, in their order.
    fn older_in(
        &self,
        conversation: Conversation,
        before: MessageId,
    ) -> impl DoubleEndedIterator<Item = (MessageId, FileId)> {
        let shares =
            self.by_conversation.get(&conversation).map(|all| all.range(..(before, FileId([0; 16]))));
        shares.into_iter().flatten().copied()
    }

    /// Notes that a message no longer shares a file. Returns whether another message still does.
    pub fn unshare(&mut self, share: FileShare) -> bool {
        self.forget_share(share);
        let Some(state) = self.by_id.get_mut(&share.file) else { return false };
        state.shares.remove(&share.message);
        !state.shares.is_empty()
    }

    /// Sets or revokes the link of a file. Returns `false` if the file does not exist.
    pub fn set_link(&mut self, id: FileId, link: Option<TokenHash>) -> bool {
        let Some(state) = self.by_id.get_mut(&id) else { return false };
        if let Some(old) = std::mem::replace(&mut state.file.link, link) {
            self.by_link.remove(&old);
        }
        if let Some(link) = link {
            self.by_link.insert(link, id);
        }
        true
    }

    fn find_share(&self, message: MessageId, file: FileId) -> Option<FileShare> {
        let conversation = *self.by_id.get(&file)?.shares.get(&message)?;
        Some(FileShare { message, file, conversation })
    }

    fn forget_share(&mut self, FileShare { message, file, conversation }: FileShare) {
        if let Some(files) = self.by_message.get_mut(&message) {
            files.remove(&file);
            if files.is_empty() {
                self.by_message.remove(&message);
            }
        }
        if let Some(shares) = self.by_conversation.get_mut(&conversation) {
            shares.remove(&(message, file));
            if shares.is_empty() {
                self.by_conversation.remove(&conversation);
            }
        }
    }
}
