//! Accounts, channels, messages and files by name and without secrets, as an export writes and an import takes them.
//!
//! The files of an export (docs/export.md) and the control socket have the same JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::json::{self, Text};
use crate::core::record::file::{FileHash, FileId};
use crate::core::record::member_status::{MemberStatus, PrefixMode};
use crate::core::record::modes::{ModeFlag, Modes};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{MessageKind, Role};
use crate::wire::{ChannelName, MessageId, Nick, Tags, Timestamp};

/// Maximum length of a message's text, in bytes: more than clients can send.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Maximum length of a message's tags, in bytes ([message-tags](https://ircv3.net/specs/extensions/message-tags)).
const MAX_TAG_BYTES: usize = 4094;

/// Maximum length of a file's name and of its type, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// An account, a channel, a message or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportedItem {
    /// An account, without its password.
    Account(ExportedAccount),
    /// A channel with its state.
    Channel(ExportedChannel),
    /// A message or an event.
    Message(ExportedMessage),
    /// A file without its content.
    File(ExportedFile),
}

/// An account without its secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedAccount {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub name: Nick,
    /// Role of the account.
    #[serde(with = "json::text", default)]
    pub role: Role,
    /// Time at which it was made.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// It may not log in.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
    /// It was removed, and keeps its name because of its messages. Hooks are such accounts for an import.
    #[serde(default, skip_serializing_if = "is_false")]
    pub removed: bool,
    /// Public metadata, such as `display-name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// A channel with its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedChannel {
    /// Name of the channel.
    #[serde(with = "json::text")]
    pub name: ChannelName,
    /// Time of its creation.
    #[serde(with = "json::text")]
    pub created: Timestamp,
    /// Account that created it.
    #[serde(default, with = "json::option", skip_serializing_if = "Option::is_none")]
    pub creator: Option<Nick>,
    /// Topic of the channel, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<ExportedTopic>,
    /// Its modes without parameters, such as `nt`.
    #[serde(default)]
    pub modes: String,
    /// The key that JOIN must give (`+k`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Maximum number of members (`+l`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Its members, and those who have a member status without being one.
    #[serde(default)]
    pub members: Vec<ExportedMember>,
    /// Bans, ban exceptions and invite exceptions, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ExportedListEntry>,
    /// Time at which it was archived, if it is.
    #[serde(default, with = "json::option", skip_serializing_if = "Option::is_none")]
    pub archived: Option<Timestamp>,
    /// Metadata of the channel, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

/// The topic of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedTopic {
    /// Text of the topic.
    pub text: String,
    /// Account that set it.
    #[serde(with = "json::text")]
    pub by: Nick,
    /// Time at which it was set.
    #[serde(with = "json::text")]
    pub at: Timestamp,
}

/// An account with its place in a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedMember {
    /// Name of the account.
    #[serde(with = "json::text")]
    pub account: Nick,
    /// The prefixes of its member status, such as `~` for a founder; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status: String,
    /// It is not in the channel, and has the status if it comes back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
}

/// An entry of a list mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedListEntry {
    /// Letter of the list: `b`, `e` or `I`.
    pub list: char,
    /// Mask of the entry, such as `a:mallory`.
    pub mask: String,
    /// Account that set it.
    #[serde(with = "json::text")]
    pub by: Nick,
    /// Time at which it was set.
    #[serde(with = "json::text")]
    pub at: Timestamp,
}

/// A message or an event. It has either a channel or the two accounts of a direct conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedMessage {
    /// Message id, which also holds the time.
    #[serde(with = "json::text")]
    pub msgid: MessageId,
    /// Time of the message, for readers; an import goes by the id.
    #[serde(with = "json::text")]
    pub time: Timestamp,
    /// Channel that it was sent to.
    #[serde(default, with = "json::option", skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// Accounts of the direct conversation, twice the same in one of an account with itself.
    #[serde(default, with = "json::list", skip_serializing_if = "Vec::is_empty")]
    pub between: Vec<Nick>,
    /// Account that sent it.
    #[serde(with = "json::text")]
    pub from: Nick,
    /// Its kind, as the name of its command.
    #[serde(with = "json::text")]
    pub kind: MessageKind,
    /// Its text, with `\n` between lines and `\r` before a line that continues the one before it.
    #[serde(default)]
    pub text: String,
    /// Client-only tags as on the wire.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// It was taken back; its text is gone.
    #[serde(default, skip_serializing_if = "is_false")]
    pub redacted: bool,
}

/// A file that an account uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedFile {
    /// Id of the file.
    #[serde(with = "json::text")]
    pub id: FileId,
    /// Account that uploaded it.
    #[serde(with = "json::text")]
    pub owner: Nick,
    /// File name that people see.
    pub name: String,
    /// Its media type.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its size, in bytes.
    pub size: u64,
    /// SHA-256 of its content in hexadecimal digits.
    pub sha256: String,
    /// Dimensions of a picture, in pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<(u32, u32)>,
    /// Time of the upload.
    #[serde(with = "json::text")]
    pub added: Timestamp,
    /// The messages that share it.
    #[serde(default)]
    pub shares: Vec<ExportedShare>,
}

/// A message that shares a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedShare {
    /// Message id of a message that shares the file.
    #[serde(with = "json::text")]
    pub msgid: MessageId,
    /// Channel of the message.
    #[serde(default, with = "json::option", skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelName>,
    /// Accounts of the message's direct conversation.
    #[serde(default, with = "json::list", skip_serializing_if = "Vec::is_empty")]
    pub between: Vec<Nick>,
}

/// Part of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Import {
    /// Items to add, unless they exist.
    pub items: Vec<ExportedItem>,
    /// Password hash of accounts that it makes, which no password matches: they log in once an invite resets it.
    #[serde(with = "json::text")]
    pub password: PasswordHash,
    /// Entry for the audit log: what is imported.
    pub note: Option<String>,
}

/// Reason why an item of an import is left out. The texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It names an account that does not exist.
    #[error("there is no account {0}")]
    NoAccount(Nick),
    /// It names a channel that does not exist.
    #[error("there is no channel {0}")]
    NoChannel(ChannelName),
    /// It names neither a channel nor two accounts.
    #[error("it has no conversation: `channel`, or two accounts in `between`")]
    NoConversation,
    /// It would be later than this moment.
    #[error("its time is in the future")]
    Future,
    /// It holds what no such item has.
    #[error("{0}")]
    Invalid(&'static str),
}

// What an item can be refused for by itself. The server checks it, and so does a dry run.

impl ExportedChannel {
    /// Parses its modes with their parameters.
    pub fn parse_modes(&self) -> Result<Modes, ImportError> {
        let is_key = |key: &str| {
            !key.is_empty()
                && key.len() <= 50
                && !key.contains(|c: char| c.is_whitespace() || c.is_control() || c == ',')
        };
        if self.key.as_deref().is_some_and(|key| !is_key(key)) {
            return Err(ImportError::Invalid("its key is not that of a channel"));
        }
        let mut modes = Modes::new(0, self.key.as_deref().map(Into::into), self.limit);
        for letter in self.modes.chars().filter(|letter| *letter != '+') {
            let flag = ModeFlag::from_letter(letter).ok_or(ImportError::Invalid("it has an unknown mode"))?;
            modes.set(flag, true);
        }
        Ok(modes)
    }
}

impl ExportedMember {
    /// Parses its member status.
    pub fn parse_status(&self) -> Result<MemberStatus, ImportError> {
        self.status.chars().try_fold(MemberStatus::NONE, |parsed, prefix| {
            let mode = PrefixMode::from_prefix(prefix)
                .ok_or(ImportError::Invalid("a member has an unknown status"))?;
            Ok(parsed.set(mode, true))
        })
    }
}

impl ExportedMessage {
    /// Returns why no message can be like this, at this moment.
    pub fn check(&self, now: Timestamp) -> Result<(), ImportError> {
        // Strictly, so that no message of this moment gets its id.
        if self.msgid.time() >= now {
            return Err(ImportError::Future);
        }
        if self.text.len() > MAX_TEXT_BYTES || self.tags.len() > MAX_TAG_BYTES {
            return Err(ImportError::Invalid("its text is longer than that of any message"));
        }
        let is_multiline = self.kind.is_text_message();
        let is_broken = |c: char| c == '\0' || !is_multiline && matches!(c, '\r' | '\n');
        if self.text.contains(is_broken) || is_multiline && self.text.is_empty() && !self.redacted {
            return Err(ImportError::Invalid("its text is not that of a message"));
        }
        if !is_client_tags(&self.tags) {
            return Err(ImportError::Invalid("its tags are not client-only tags"));
        }
        Ok(())
    }
}

impl ExportedFile {
    /// Returns the hash of its content, or why no file can be like this.
    pub fn check(&self) -> Result<FileHash, ImportError> {
        let is_name = |text: &str| {
            (1..=MAX_NAME_BYTES).contains(&text.len())
                && !text.contains(['/', '\\'])
                && !text.contains(char::is_control)
        };
        let media_type_has_slash = self.media_type.split('/').count() == 2 && self.media_type.is_ascii();
        if !is_name(&self.name) || !media_type_has_slash || !is_name(&self.media_type.replace('/', "-")) {
            return Err(ImportError::Invalid("its name or its type is not that of a file"));
        }
        parse_hash(&self.sha256).ok_or(ImportError::Invalid("its SHA-256 is not 64 hexadecimal digits"))
    }
}

/// Returns true for tags that a client may have sent with a message.
fn is_client_tags(tags: &str) -> bool {
    if tags.is_empty() {
        return true;
    }
    let is_value = |value: &str| !value.contains([' ', '\r', '\n', '\0']);
    let parts = tags.split(';').count();
    let mut valid = Tags(tags).iter();
    valid.by_ref().all(|(key, value)| key.starts_with('+') && is_value(value))
        && Tags(tags).iter().count() == parts
}

/// Parses the 64 hexadecimal digits of a SHA-256.
fn parse_hash(text: &str) -> Option<FileHash> {
    let mut hash = FileHash::default();
    if text.len() != 2 * hash.len() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

json::texts! {
    FileId, str::parse::<FileId>;
}

impl Text for MessageKind {
    fn write(&self) -> String {
        self.command_name().to_owned()
    }

    fn read(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|kind| kind.command_name() == text);
        known.ok_or_else(|| "not a kind of message".to_owned())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the form that serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}
