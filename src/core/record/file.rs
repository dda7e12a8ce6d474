//! Files that people share: what is stored of them in the database. Their content is in the file folder, by its hash.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{AccountId, Conversation, TokenHash};
use crate::wire::{MessageId, Timestamp};

/// Id of a file, in its address: 128 random bits, which nobody guesses. As text, 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileId(pub [u8; 16]);

impl FileId {
    /// Length of an id as text, in bytes.
    pub const TEXT_BYTES: usize = 22;
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileId({self})")
    }
}

/// A text is no id of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a file")]
pub struct InvalidFileId;

impl FromStr for FileId {
    type Err = InvalidFileId;

    fn from_str(text: &str) -> Result<Self, InvalidFileId> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidFileId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidFileId)
    }
}

/// SHA-256 of a file's content, which is also the name under which the content is stored.
pub type FileHash = [u8; 32];

/// Dimensions of a picture, in pixels, each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimensions {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// A file as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// Id of the file.
    pub id: FileId,
    /// The account that uploaded it, against whose quota it counts.
    pub owner: AccountId,
    /// Name of the file, as its owner gave it, without a path.
    pub name: Arc<str>,
    /// Media type by its content, as `image/png`.
    pub media_type: Arc<str>,
    /// Size, in bytes.
    pub size: u64,
    /// Hash of its content.
    pub hash: FileHash,
    /// Dimensions of a picture, if its content tells them.
    pub dimensions: Option<Dimensions>,
    /// Time of the upload.
    pub added: Timestamp,
    /// Hash of the link by which it can be read without a login, if it has one.
    pub link: Option<TokenHash>,
}

/// A message that shares a file with the readers of its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileShare {
    /// Message whose text has the file's address.
    pub message: MessageId,
    /// File that it shares.
    pub file: FileId,
    /// Conversation of the message.
    pub conversation: Conversation,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back_and_nothing_else_is() {
        for id in [FileId([0; 16]), FileId([255; 16]), FileId(*b"0123456789abcdef")] {
            let text = id.to_string();
            assert_eq!((text.len(), text.parse()), (FileId::TEXT_BYTES, Ok(id)));
        }
        for wrong in [
            "",
            "A",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "../../../../etc/passwd",
        ] {
            assert_eq!(wrong.parse::<FileId>(), Err(InvalidFileId), "{wrong}");
        }
    }
}
