//! Encoding of records: the same bytes for a backup and for a log that others follow.
//!
//! The first byte is the version of the format; the rest is the record in [postcard](https://postcard.jamesmunns.com/wire-format)'s
//! format, which numbers variants and fields by their order. So the order of the variants of [`Record`] and of what it
//! holds is part of the format: new variants come last, and any other change needs another version, beside which the old
//! one is still read.

use super::Record;

/// Version of the format that is written.
pub const VERSION: u8 = 1;

/// Reason why bytes are not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// There are no bytes.
    #[error("the record is empty")]
    Empty,
    /// The record has a version of the format that this program does not know.
    #[error("the record has format {0}, this program knows formats up to {VERSION}: use a newer parlour")]
    Version(u8),
    /// The bytes end early, go on behind the record, or hold what no record does.
    #[error("the record is damaged")]
    Damaged,
}

impl Record {
    /// Appends the encoded record to `out`.
    ///
    /// # Errors
    /// None that a record can cause: lengths and variants all have an encoding.
    pub fn encode(&self, out: Vec<u8>) -> Result<Vec<u8>, EncodingError> {
        let mut out = out;
        out.push(VERSION);
        postcard::to_extend(self, out).map_err(|_| EncodingError::Damaged)
    }

    /// Reads an encoded record.
    ///
    /// # Errors
    /// [`EncodingError`] if the bytes are not exactly one record of a known version.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        let (version, rest) = bytes.split_first().ok_or(EncodingError::Empty)?;
        if *version != VERSION {
            return Err(EncodingError::Version(*version));
        }
        match postcard::take_from_bytes(rest) {
            Ok((record, [])) => Ok(record),
            _ => Err(EncodingError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::core::record::access_token::{AccessScope, StoredAccessToken};
    use crate::core::record::device::CertificateFingerprint;
    use crate::core::record::file::{Dimensions, FileId, FileShare, StoredFile};
    use crate::core::record::group::{GroupId, GroupName, StoredGroup};
    use crate::core::record::hook::{HookKey, HookKind, OutgoingHook, StoredHook};
    use crate::core::record::member_status::MemberStatus;
    use crate::core::record::modes::{ListEntry, ListKind, Modes};
    use crate::core::record::received::{ReceivedRange, ReceivedRanges};
    use crate::core::record::secret::PasswordHash;
    use crate::core::record::{
        Account, AccountId, Actor, ChannelId, Conversation, ForgottenAudit, ForgottenHistory, Invite,
        InviteId, KeptFrom, MessageKind, MetadataOwner, Preferences, RetentionLimits, Role, SendId,
        ShownRoot, StoredMessage, Topic,
    };
    use crate::wire::ids::IdOffset;
    use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

    const AT: Timestamp = Timestamp(1000);
    const AL: AccountId = AccountId(16);
    const CHANNEL: ChannelId = ChannelId(3);

    /// One record of each kind, in the order of the variants, with its bytes in format 1.
    #[expect(clippy::too_many_lines, reason = "one entry for each kind")]
    fn golden_records() -> Vec<(Record, &'static str)> {
        let nick = |name| Nick::parse(name).expect(name);
        let channel = |name| ChannelName::parse(name).expect(name);
        let id = MessageId::from_i64(300);
        let account = Account { id: AL, name: nick("al"), role: Role::Admin, disabled: false };
        let password = PasswordHash::from_phc("$a");
        let key = CertificateFingerprint([7; 32]);
        let message = StoredMessage {
            id,
            conversation: Conversation::direct(AL, AccountId(17)),
            from: AL,
            kind: MessageKind::Notice,
            text: "hi".into(),
            tags: Arc::default(),
            send_id: Some(SendId("x".into())),
        };
        let imported = StoredMessage { send_id: None, ..message.clone() };
        let invite = Invite {
            id: InviteId(1),
            token: [9; 32],
            role: Role::Member,
            channel: Some(channel("#a")),
            uses: 2,
            spent: 1,
            expires: AT,
            revoked: None,
            created: Timestamp(5),
            created_by: Some(AL),
            resets: None,
            admin_account: None,
        };
        let topic = Topic { text: "t".into(), by: nick("al"), at: AT };
        let entry = ListEntry { mask: "m".into(), by: nick("al"), at: AT };
        let from = MessageId::from_i64;
        let kept = KeptFrom { messages: id, events: from(301), redactions: from(302), redacted: from(303) };
        let forgotten = ForgottenHistory { conversation: Conversation::Channel(CHANNEL), kept, most: 5 };
        let file = StoredFile {
            id: FileId([3; 16]),
            owner: AL,
            name: "a".into(),
            media_type: "l".into(),
            size: 7,
            hash: [4; 32],
            dimensions: Some(Dimensions { width: 8, height: 9 }),
            added: AT,
            link: None,
        };
        let share =
            FileShare { message: id, file: FileId([3; 16]), conversation: Conversation::Channel(CHANNEL) };
        let outgoing = HookKind::Outgoing(OutgoingHook {
            url: "u".into(),
            pattern: Some("p".into()),
            key: HookKey([8; 32]),
            delivered: id,
        });
        let token = StoredAccessToken {
            hash: [9; 32],
            name: nick("t"),
            account: AL,
            scope: AccessScope::Read,
            created: AT,
            expires: Some(AT),
        };
        let name = GroupName::parse("g").expect("a name");
        let group = StoredGroup { id: GroupId(2), name, created: AT };
        let hook = StoredHook { account: AL, channel: CHANNEL, created: AT, kind: outgoing };
        vec![
            (Record::Message(message), "0100ac02012022200102686900010178"),
            (
                Record::ChannelCreated { id: CHANNEL, name: channel("#a"), creator: AL, at: AT },
                "01010602236120e807",
            ),
            (Record::ChannelRemoved(CHANNEL), "010206"),
            (Record::TopicSet(CHANNEL, Some(topic)), "01030601017402616ce807"),
            (Record::Joined { channel: CHANNEL, account: AL, at: AT }, "01040620e807"),
            (Record::Parted { channel: CHANNEL, account: AL }, "01050620"),
            (
                Record::MemberStatusSet {
                    channel: CHANNEL,
                    account: AL,
                    member_status: MemberStatus::FOUNDER,
                },
                "0106062008",
            ),
            (Record::ModesSet(CHANNEL, Modes::new(8, Some("k".into()), Some(5))), "0107060801016b0105"),
            (Record::ListAdded(CHANNEL, ListKind::Except, entry), "01080601016d02616ce807"),
            (Record::ListRemoved(CHANNEL, ListKind::Ban, "m".into()), "01090600016d"),
            (Record::InvitationSet { channel: CHANNEL, account: AL, pending: true }, "010a062001"),
            (
                Record::ChannelRenamed { id: CHANNEL, old: channel("#a"), new: channel("#b"), at: AT },
                "010b06022361022362e807",
            ),
            (Record::Redacted { conversation: Conversation::Channel(CHANNEL), message: id }, "010c0006ac02"),
            (
                Record::ReadMarkerSet { account: AL, conversation: Conversation::Channel(CHANNEL), read: AT },
                "010d200006e807",
            ),
            (
                Record::EarlyReadMarkerSet { account: AL, channel: channel("#a"), read: None },
                "010e2002236100",
            ),
            (
                Record::MetadataSet {
                    owner: MetadataOwner::Private(AL, Conversation::Channel(CHANNEL)),
                    key: "k".into(),
                    value: Some("v".into()),
                },
                "010f02200006016b010176",
            ),
            (
                Record::ReceivedSet(
                    AL,
                    ReceivedRanges::from_ranges([ReceivedRange {
                        after: id,
                        up_to: MessageId::from_i64(400),
                    }]),
                ),
                "01102001ac029003",
            ),
            (Record::PreferencesSet(AL, Preferences { replay: Some(9), bot: true }), "011120010901"),
            (
                Record::AccountAdded {
                    account: account.clone(),
                    password: password.clone(),
                    invite: None,
                    at: AT,
                },
                "01122002616c010002246100e807",
            ),
            (Record::AccountSet { account, at: AT }, "01132002616c0100e807"),
            (Record::PasswordSet(AL, password), "011420022461"),
            (Record::AccountRemoved { id: AL, at: AT }, "011520e807"),
            (
                Record::InviteCreated(invite),
                "011602090909090909090909090909090909090909090909090909090909090909090900010223610201e807000501200000",
            ),
            (Record::InviteSpent { id: InviteId(1), spent: 2 }, "01170202"),
            (Record::InviteRevoked { id: InviteId(1), at: AT }, "011802e807"),
            (
                Record::DeviceAdded { account: AL, fingerprint: key, at: AT },
                "0119200707070707070707070707070707070707070707070707070707070707070707e807",
            ),
            (
                Record::DeviceRemoved(key),
                "011a0707070707070707070707070707070707070707070707070707070707070707",
            ),
            (
                Record::DeviceUsed { fingerprint: key, at: AT },
                "011b0707070707070707070707070707070707070707070707070707070707070707e807",
            ),
            (Record::IdsAhead(IdOffset { from: id, by: Duration::from_secs(1) }), "011cac02e807"),
            (
                Record::Audit {
                    at: AT,
                    actor: Actor::Account(AL),
                    action: "a".into(),
                    target: "t".into(),
                    detail: "d".into(),
                },
                "011de8070120016101740164",
            ),
            (Record::TimeNoted(AT), "011ee807"),
            (Record::RootShown(ShownRoot { pin: "p".into(), at: AT }), "011f0170e807"),
            (Record::HistoryForgotten(forgotten), "01200006ac02ad02ae02af0205"),
            (Record::AuditForgotten(ForgottenAudit { before: AT, most: 5 }), "0121e80705"),
            (
                Record::FileAdded(file),
                "012203030303030303030303030303030303200161016c070404040404040404040404040404040404040404040404040404040404040404010809e80700",
            ),
            (Record::FileRemoved(FileId([3; 16])), "012303030303030303030303030303030303"),
            (Record::FileShared(share), "0124ac02030303030303030303030303030303030006"),
            (Record::FileUnshared(share), "0125ac02030303030303030303030303030303030006"),
            (
                Record::FileLinkSet { file: FileId([3; 16]), link: Some([9; 32]) },
                "012603030303030303030303030303030303010909090909090909090909090909090909090909090909090909090909090909",
            ),
            (
                Record::HookCreated { hook, name: nick("h") },
                "01272006e8070201750101700808080808080808080808080808080808080808080808080808080808080808ac020168",
            ),
            (Record::HookRevoked(AL), "012820"),
            (Record::HookDelivered { hook: AL, up_to: id }, "012920ac02"),
            (
                Record::AccessTokenCreated(token),
                "012a090909090909090909090909090909090909090909090909090909090909090901742000e80701e807",
            ),
            (
                Record::AccessTokenRevoked([9; 32]),
                "012b0909090909090909090909090909090909090909090909090909090909090909",
            ),
            (
                Record::ChannelRetentionSet(
                    CHANNEL,
                    RetentionLimits { keep_days: Some(7), keep_messages: None },
                ),
                "012c06010700",
            ),
            (Record::ChannelArchived(CHANNEL, Some(AT)), "012d0601e807"),
            (Record::MessageImported { message: imported, redacted: true }, "012eac020120222001026869000001"),
            (Record::GroupCreated(group), "012f040167e807"),
            (Record::GroupDeleted(GroupId(2)), "013004"),
            (Record::GroupMemberSet { group: GroupId(2), account: AL, is_member: true }, "0131042001"),
            (Record::GroupChannelSet { group: GroupId(2), channel: CHANNEL, is_joined: true }, "0132040601"),
            (Record::ListedNameSet { account: AL, name: "n".into() }, "013320016e"),
            (Record::AccountErased { id: AL, name: nick("al"), pseudonym: nick("x") }, "01342002616c0178"),
        ]
    }

    /// Returns the position of a record's variant, which is the second byte of its encoding.
    ///
    /// A new kind of record does not compile without an arm here. CONTRIBUTING.md ("Adding a record") lists the other
    /// places.
    fn position(record: &Record) -> usize {
        match record {
            Record::Message(_) => 0,
            Record::ChannelCreated { .. } => 1,
            Record::ChannelRemoved(_) => 2,
            Record::TopicSet(..) => 3,
            Record::Joined { .. } => 4,
            Record::Parted { .. } => 5,
            Record::MemberStatusSet { .. } => 6,
            Record::ModesSet(..) => 7,
            Record::ListAdded(..) => 8,
            Record::ListRemoved(..) => 9,
            Record::InvitationSet { .. } => 10,
            Record::ChannelRenamed { .. } => 11,
            Record::Redacted { .. } => 12,
            Record::ReadMarkerSet { .. } => 13,
            Record::EarlyReadMarkerSet { .. } => 14,
            Record::MetadataSet { .. } => 15,
            Record::ReceivedSet(..) => 16,
            Record::PreferencesSet(..) => 17,
            Record::AccountAdded { .. } => 18,
            Record::AccountSet { .. } => 19,
            Record::PasswordSet(..) => 20,
            Record::AccountRemoved { .. } => 21,
            Record::InviteCreated(_) => 22,
            Record::InviteSpent { .. } => 23,
            Record::InviteRevoked { .. } => 24,
            Record::DeviceAdded { .. } => 25,
            Record::DeviceRemoved(_) => 26,
            Record::DeviceUsed { .. } => 27,
            Record::IdsAhead(_) => 28,
            Record::Audit { .. } => 29,
            Record::TimeNoted(_) => 30,
            Record::RootShown(_) => 31,
            Record::HistoryForgotten(_) => 32,
            Record::AuditForgotten(_) => 33,
            Record::FileAdded(_) => 34,
            Record::FileRemoved(_) => 35,
            Record::FileShared(_) => 36,
            Record::FileUnshared(_) => 37,
            Record::FileLinkSet { .. } => 38,
            Record::HookCreated { .. } => 39,
            Record::HookRevoked(_) => 40,
            Record::HookDelivered { .. } => 41,
            Record::AccessTokenCreated(_) => 42,
            Record::AccessTokenRevoked(_) => 43,
            Record::ChannelRetentionSet(..) => 44,
            Record::ChannelArchived(..) => 45,
            Record::MessageImported { .. } => 46,
            Record::GroupCreated(_) => 47,
            Record::GroupDeleted(_) => 48,
            Record::GroupMemberSet { .. } => 49,
            Record::GroupChannelSet { .. } => 50,
            Record::ListedNameSet { .. } => 51,
            Record::AccountErased { .. } => LAST,
        }
    }

    /// Position of the last variant.
    const LAST: usize = 52;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    #[test]
    fn encoded_bytes_of_every_record_are_stable() {
        for (number, (record, bytes)) in golden_records().into_iter().enumerate() {
            let encoded = record.encode(Vec::new()).expect("encodes");
            assert_eq!((usize::from(encoded[1]), position(&record)), (number, number), "{record:?}");
            assert_eq!(hex(&encoded), bytes, "{record:?}");
            assert_eq!(Record::decode(&encoded).as_ref(), Ok(&record));
            assert_eq!(Record::decode(&encoded[..encoded.len() - 1]), Err(EncodingError::Damaged));
            assert_eq!(Record::decode(&[&encoded[..], b"x"].concat()), Err(EncodingError::Damaged));
        }
        assert_eq!(golden_records().len(), LAST + 1, "one of each kind");
    }

    #[test]
    fn decode_rejects_unknown_version_and_damage() {
        assert_eq!(Record::decode(&[]), Err(EncodingError::Empty));
        assert_eq!(Record::decode(&[2, 0]), Err(EncodingError::Version(2)));
        assert_eq!(Record::decode(&[VERSION]), Err(EncodingError::Damaged));
        assert_eq!(Record::decode(&[VERSION, 99]), Err(EncodingError::Damaged));
    }
}
