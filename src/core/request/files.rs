//! Requests about files, which come from HTTP requests of accounts that have proven themselves.

use std::sync::Arc;

use crate::core::record::file::{Dimensions, FileHash, FileId};
use crate::core::record::{AccountId, TokenHash};
use crate::wire::Timestamp;
use crate::wire::file_name::file_size;

/// Path of a file's address before its id.
pub const FILE_PATH: &str = "/f/";

/// A change of files.
#[derive(Clone, Debug)]
pub enum FileChange {
    /// Add a file whose content is stored.
    Add(NewFile),
    /// Make or revoke the link by which a file can be read without a login.
    SetLink {
        /// The account that requests it: the owner, or an admin.
        by: AccountId,
        /// File that the link leads to.
        file: FileId,
        /// Hash of the link; `None` revokes the present one.
        link: Option<TokenHash>,
    },
    /// Remove a file that its uploader has no use for, unless a message shares it or a link leads to it.
    Discard(FileId),
    /// Remove a file of the account that requests it, which no message shares and no link leads to.
    Remove {
        /// The account.
        by: AccountId,
        /// The file.
        file: FileId,
    },
    /// Remove the files that no message shares and no link leads to.
    RemoveUnshared {
        /// Time before which they were uploaded.
        before: Timestamp,
    },
}

/// A file to be added.
#[derive(Clone, Debug)]
pub struct NewFile {
    /// Id of the file.
    pub id: FileId,
    /// The account that uploaded it.
    pub owner: AccountId,
    /// Name of the file, without a path.
    pub name: Arc<str>,
    /// Media type by its content.
    pub media_type: Arc<str>,
    /// Size, in bytes.
    pub size: u64,
    /// Hash of its content.
    pub hash: FileHash,
    /// Dimensions of a picture, if its content tells them.
    pub dimensions: Option<Dimensions>,
}

/// Reason why a file cannot be added or changed. The texts are for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The account was removed or disabled meanwhile.
    #[error("the account does not exist any more")]
    NoAccount,
    /// It is larger than a file may be.
    #[error("a file may have at most {}", file_size(*.0))]
    TooLarge(u64),
    /// The account's files would be larger together than they may be.
    #[error(
        "the files of an account may have at most {} together; take back messages with files, or delete files that no message shares, to make room",
        file_size(*.0)
    )]
    QuotaReached(u64),
    /// The account has as many files as it may have.
    #[error(
        "an account may have at most {0} files; take back messages with files, or delete files that no message shares, to make room"
    )]
    TooMany(usize),
    /// The disk has so little room left that only admins may write.
    #[error("the server's disk is almost full, so only admins can upload files; tell who runs the server")]
    DiskIsLow,
    /// There is no such file, or the account may not read it.
    #[error("there is no such file")]
    Unknown,
    /// A message shares it, or a link leads to it.
    #[error("a message shares this file, or a link leads to it: take that back first")]
    Shared,
    /// Another file has this link.
    #[error("another file has this link")]
    LinkTaken,
    /// The file belongs to another account.
    #[error("only the account that uploaded a file may do that")]
    NotOwner,
}
