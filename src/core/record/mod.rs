//! Records: durable changes of state, and the snapshot that they add up to. Shared by the core and the store.

pub mod access_token;
pub mod device;
mod encoding;
pub mod file;
pub mod group;
pub mod hook;
mod invite;
pub mod member_status;
mod message;
pub mod modes;
mod preference;
pub mod received;
pub mod secret;
mod snapshot;

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::record::access_token::StoredAccessToken;
use super::record::device::CertificateFingerprint;
use super::record::file::{FileId, FileShare, StoredFile};
use super::record::group::{GroupId, StoredGroup};
use super::record::hook::StoredHook;
use super::record::member_status::MemberStatus;
use super::record::modes::{ListEntry, ListKind, Modes};
use super::record::received::ReceivedRanges;
use super::record::secret::PasswordHash;
use crate::wire::ids::IdOffset;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

pub use encoding::{EncodingError, VERSION};
pub use invite::{Invite, InviteId, InviteState, TokenHash};
pub use message::{
    ContentHash, ForgottenAudit, ForgottenHistory, KeptFrom, LINE_BREAK, LINE_CONCAT, MessageKind,
    RetentionLimits, SendId, StoredMessage, StoredSend,
};
pub use preference::{InvalidPreference, Preference, Preferences};
pub use snapshot::{ReservedName, Snapshot, StoredChannel, StoredMetadata};

/// Id of an account. The store assigns it and never reuses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AccountId(pub i64);

/// Id of a channel. The core assigns it and never reuses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChannelId(pub i64);

/// Role of an account on the whole server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Ordinary account, without rights on the server.
    #[default]
    Member,
    /// Administrator: manages accounts, invites and every channel.
    Admin,
}

/// A channel or the direct conversation of two accounts, by id. The client has its own type, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Conversation {
    /// A channel of this id.
    Channel(ChannelId),
    /// A direct conversation, the smaller account id first. The ids are equal in a conversation of an account with
    /// itself.
    Direct(AccountId, AccountId),
}

impl Conversation {
    /// Returns the direct conversation of two accounts, in either order.
    pub fn direct(a: AccountId, b: AccountId) -> Self {
        Self::Direct(a.min(b), a.max(b))
    }
}

/// Topic of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topic {
    /// Text of the topic. Never empty: a channel without a topic has no `Topic`.
    pub text: Arc<str>,
    /// Name of the account that set it.
    pub by: Nick,
    /// Time at which it was set.
    pub at: Timestamp,
}

/// One durable change of state. The store applies a batch of them in order, in one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A message or event was sent.
    Message(StoredMessage),
    /// A channel was created.
    ChannelCreated {
        /// Id of the channel.
        id: ChannelId,
        /// Name of the channel.
        name: ChannelName,
        /// The account that created it. The channel counts against this account's quota as long as it exists.
        creator: AccountId,
        /// Time of the creation.
        at: Timestamp,
    },
    /// A channel was removed: one without members and messages, or one that an admin deleted, after its history.
    ChannelRemoved(ChannelId),
    /// The topic changed; `None` clears it.
    TopicSet(ChannelId, Option<Topic>),
    /// An account became a member of a channel.
    Joined {
        /// The channel it joined.
        channel: ChannelId,
        /// The account that joined.
        account: AccountId,
        /// Time of the JOIN.
        at: Timestamp,
    },
    /// A membership of a channel ended.
    Parted {
        /// The channel it left.
        channel: ChannelId,
        /// The account that left.
        account: AccountId,
    },
    /// The member status of an account changed. The account need not be a member.
    MemberStatusSet {
        /// The channel it applies to.
        channel: ChannelId,
        /// The account that has it.
        account: AccountId,
        /// Every prefix mode it has now.
        member_status: MemberStatus,
    },
    /// The modes of a channel changed to these.
    ModesSet(ChannelId, Modes),
    /// An entry was added to a mask list that did not have the mask.
    ListAdded(ChannelId, ListKind, ListEntry),
    /// The entry of a mask was removed from a mask list.
    ListRemoved(ChannelId, ListKind, Arc<str>),
    /// An invitation of an account to a channel (INVITE) was given or used.
    InvitationSet {
        /// The channel it applies to.
        channel: ChannelId,
        /// The invited account.
        account: AccountId,
        /// True if the account may now join once, false if it no longer may.
        pending: bool,
    },
    /// A channel was renamed. For a while, its old name leads to it.
    ChannelRenamed {
        /// The renamed channel.
        id: ChannelId,
        /// Name before the change.
        old: ChannelName,
        /// Name after the change.
        new: ChannelName,
        /// Time of the change.
        at: Timestamp,
    },
    /// The text and tags of a message are to be erased. The redaction event is a record of its own.
    Redacted {
        /// Conversation of the message.
        conversation: Conversation,
        /// The message to erase.
        message: MessageId,
    },
    /// A read marker moved ([read-marker](https://ircv3.net/specs/extensions/read-marker)).
    ReadMarkerSet {
        /// The account that read.
        account: AccountId,
        /// The conversation it read.
        conversation: Conversation,
        /// Time stamp up to which it has read.
        read: Timestamp,
    },
    /// A read marker of a channel that the account is not in moved, or was dropped on joining.
    EarlyReadMarkerSet {
        /// The account that read.
        account: AccountId,
        /// Name of the channel, which need not exist.
        channel: ChannelName,
        /// Time stamp up to which it has read; `None` drops the marker.
        read: Option<Timestamp>,
    },
    /// A metadata key was set or cleared.
    MetadataSet {
        /// The owner of the key.
        owner: MetadataOwner,
        /// Name of the key.
        key: Arc<str>,
        /// The new value; `None` clears the key.
        value: Option<Arc<str>>,
    },
    /// The messages that the sessions of an account received live: the complete value.
    ReceivedSet(AccountId, ReceivedRanges),
    /// The preferences of an account: the complete value.
    PreferencesSet(AccountId, Preferences),
    /// An account was made, or a removed one restored.
    AccountAdded {
        /// The account, not disabled.
        account: Account,
        /// Hash of its password.
        password: PasswordHash,
        /// The invite that admitted it.
        invite: Option<InviteId>,
        /// Time at which it was made or restored.
        at: Timestamp,
    },
    /// The role of an account changed, or it was disabled or enabled: the complete value.
    AccountSet {
        /// The account with its new role and state.
        account: Account,
        /// Time of the change.
        at: Timestamp,
    },
    /// The password of an account changed, or its hash was renewed with other parameters.
    PasswordSet(AccountId, PasswordHash),
    /// An account was removed: its password, devices, memberships, member status, channel invitations, read markers,
    /// metadata and preferences are deleted. Its name stays taken.
    AccountRemoved {
        /// Account that was removed.
        id: AccountId,
        /// Time of the removal.
        at: Timestamp,
    },
    /// An invite was made.
    InviteCreated(Invite),
    /// An invite was redeemed.
    InviteSpent {
        /// Number of the invite.
        id: InviteId,
        /// Number of its uses so far.
        spent: u32,
    },
    /// An invite was revoked.
    InviteRevoked {
        /// Number of the invite.
        id: InviteId,
        /// Time of the revocation.
        at: Timestamp,
    },
    /// A device may log in to an account.
    DeviceAdded {
        /// The account it logs in to.
        account: AccountId,
        /// Fingerprint of its certificate.
        fingerprint: CertificateFingerprint,
        /// Time at which it was added.
        at: Timestamp,
    },
    /// A device was revoked.
    DeviceRemoved(CertificateFingerprint),
    /// A device logged in.
    DeviceUsed {
        /// Fingerprint of its certificate.
        fingerprint: CertificateFingerprint,
        /// Time of the login.
        at: Timestamp,
    },
    /// Ids are ahead of the time by another offset from a message on, because the clock was set back.
    IdsAhead(IdOffset),
    /// An entry of the audit log: an action of a moderator or an admin.
    Audit {
        /// Time of the action.
        at: Timestamp,
        /// The author of the action.
        actor: Actor,
        /// Name of the action: `channel kick`, `server kill`, …
        action: Cow<'static, str>,
        /// The account, channel or other object it was applied to.
        target: Arc<str>,
        /// Further facts, never a secret.
        detail: Arc<str>,
    },
    /// The server's settled time, with which a later start compares its clock.
    TimeNoted(Timestamp),
    /// Clients are shown another root from now on. The audit log has an entry about it.
    RootShown(ShownRoot),
    /// Messages and events that are older than the retention keeps were removed.
    HistoryForgotten(ForgottenHistory),
    /// Entries of the audit log that are older than the retention keeps were removed.
    AuditForgotten(ForgottenAudit),
    /// A file was uploaded. Its content is on disk already.
    FileAdded(StoredFile),
    /// A file was removed, which no message shares.
    FileRemoved(FileId),
    /// A message shares a file.
    FileShared(FileShare),
    /// A message no longer shares a file, because it was redacted or removed.
    FileUnshared(FileShare),
    /// The link by which a file can be read without a login was made or revoked.
    FileLinkSet {
        /// File that the link leads to.
        file: FileId,
        /// Hash of the link; `None` revokes it.
        link: Option<TokenHash>,
    },
    /// A hook was made, with its account, which has no password.
    HookCreated {
        /// Account, channel and direction of the hook.
        hook: StoredHook,
        /// Name of its account.
        name: Nick,
    },
    /// A hook was revoked. The removal of its account is a record of its own.
    HookRevoked(AccountId),
    /// A hook has sent the messages up to this one, or will not send them any more.
    HookDelivered {
        /// Account of the hook.
        hook: AccountId,
        /// The last of these messages.
        up_to: MessageId,
    },
    /// An access token was made.
    AccessTokenCreated(StoredAccessToken),
    /// The access token with this hash was revoked.
    AccessTokenRevoked(TokenHash),
    /// A channel got limits of its own for its history.
    ChannelRetentionSet(ChannelId, RetentionLimits),
    /// A channel was archived at this time, so that nobody writes there any more, or, with `None`, opened again.
    ChannelArchived(ChannelId, Option<Timestamp>),
    /// An old message or event was imported. It is stored at its place in the order, unless it is there already. Where
    /// another one has its id, it gets the next smaller one that is free.
    MessageImported {
        /// The message, later than no id that was assigned at the time of the import.
        message: StoredMessage,
        /// It was redacted, so it has no text.
        redacted: bool,
    },
    /// A group was made.
    GroupCreated(StoredGroup),
    /// A group was deleted, with its memberships and its channels.
    GroupDeleted(GroupId),
    /// An account became a member of a group, or ceased to be one.
    GroupMemberSet {
        /// Group that the account joins or leaves.
        group: GroupId,
        /// Account that joins or leaves.
        account: AccountId,
        /// True if it is a member now.
        is_member: bool,
    },
    /// A channel became one of a group, or ceased to be one.
    GroupChannelSet {
        /// Group whose members are in the channel.
        group: GroupId,
        /// Channel that is added to the group or removed from it.
        channel: ChannelId,
        /// True if it is one of the group now.
        is_joined: bool,
    },
    /// The name by which an import listed the person of an account, whatever display name they choose later.
    ListedNameSet {
        /// Account of the person.
        account: AccountId,
        /// The name in the imported file.
        name: Arc<str>,
    },
    /// A removed account was erased: the audit has a pseudonym in place of its name, which is free. Its messages are
    /// erased by records of their own.
    AccountErased {
        /// Account that is erased.
        id: AccountId,
        /// Its name until now.
        name: Nick,
        /// The name that stands for it from now on.
        pseudonym: Nick,
    },
}

/// A root that clients are shown, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRoot {
    /// Pin of the root, as text.
    pub pin: Arc<str>,
    /// Time from which it is shown.
    pub at: Timestamp,
}

/// Author of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The command line on the server's machine.
    Console,
    /// An account with the admin role, or the owner of the session.
    Account(AccountId),
}

impl Actor {
    /// Returns the account, if it is one.
    pub fn account_id(self) -> Option<AccountId> {
        match self {
            Self::Console => None,
            Self::Account(id) => Some(id),
        }
    }
}

/// Owner of metadata ([metadata](https://ircv3.net/specs/extensions/metadata)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MetadataOwner {
    /// An account of this id.
    Account(AccountId),
    /// A channel of this id.
    Channel(ChannelId),
    /// Private metadata of an account about a conversation, which no other account sees (`soju.im/pinned` and the
    /// like).
    Private(AccountId, Conversation),
}

/// The stored part of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Id of the account.
    pub id: AccountId,
    /// Name of the account, which is also its nick.
    pub name: Nick,
    /// Role on the server.
    pub role: Role,
    /// The account may not log in.
    pub disabled: bool,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Member => "member",
            Self::Admin => "admin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_preference_parses_back() {
        for preference in [
            Preference::Replay(Some(0)),
            Preference::Replay(Some(100)),
            Preference::Replay(None),
            Preference::Bot(true),
            Preference::Bot(false),
        ] {
            assert_eq!(preference.to_string().parse(), Ok(preference));
            assert_eq!(preference.to_string().to_uppercase().parse(), Ok(preference));
        }
        for wrong in [
            "",
            "replay",
            "replay 101",
            "replay -1",
            "replay +1",
            "replay 256",
            "bot",
            "bot maybe",
            "bot on on",
            "x 1",
        ] {
            assert_eq!(wrong.parse::<Preference>(), Err(InvalidPreference), "{wrong}");
        }
    }
}
