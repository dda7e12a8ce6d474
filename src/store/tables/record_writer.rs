//! Applying of records inside the writer's transaction.

use rusqlite::{Connection, OptionalExtension as _, Statement};
use tracing::warn;

use super::accounts::groups;
use super::channel_state::ChannelRename;
use super::programs::{access_tokens, hooks};
use super::volumes::{Class, INSERT_CONTENTS, VolumeWriter};
use super::{accounts, audit, channel_state, devices, files, invites, metadata, read_state, retention};
use crate::core::record::{
    AccountId, ChannelId, Conversation, ForgottenHistory, MessageKind, Record, StoredMessage, Topic,
};
use crate::store::values::counters::{last_message_id, note_late_message, schedule_erasing};
use crate::store::values::time;
use crate::store::{MAX_IMPORT_TRIES, SEND_ID_RETENTION, checksums};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// Count of send ids after which old ones are removed. Removing them one by one would cost pages of their own each
/// time.
const PRUNE_AFTER: u32 = 64;

/// Applies records. Lives as long as the writing connection and holds the statements that every message needs.
pub(in crate::store) struct RecordWriter<'conn> {
    conn: &'conn Connection,
    volumes: VolumeWriter<'conn>,
    insert_send_id: Statement<'conn>,
    /// Count of send ids since the last pruning, and the newest of them.
    sends_since_prune: u32,
    newest_send: MessageId,
    /// True if text was removed since [`take_removed_text`](Self::take_removed_text).
    removed_text: bool,
}

/// Columns of a message that was redacted, by which its checksum and its contents row are made.
struct RedactedRow {
    volume: i64,
    sender: i64,
    kind: i64,
}

/// A message that has the id of an imported one.
struct OtherMessage {
    /// It is the imported one, from an import before.
    is_same: bool,
    is_redacted: bool,
}

impl<'conn> RecordWriter<'conn> {
    pub fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            volumes: VolumeWriter::new(conn)?,
            insert_send_id: conn.prepare("INSERT INTO sends (message, account, send) VALUES (?1, ?2, ?3)")?,
            sends_since_prune: 0,
            newest_send: MessageId::default(),
            removed_text: false,
        })
    }

    /// Applies one record to the open transaction.
    pub fn apply(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Message(message) => self.insert_message(message),
            Record::MessageImported { message, redacted } => self.import_message(message, *redacted),
            Record::ChannelCreated { id, name, creator: maker, at } => {
                self.create_channel(*id, name, *maker, *at)
            }
            Record::ChannelRemoved(id) => self.remove_channel(*id),
            Record::TopicSet(id, topic) => self.set_topic(*id, topic.as_ref()),
            Record::Joined { channel, account, at } => self.add_member(*channel, *account, *at),
            Record::Parted { channel, account } => self.remove_member(*channel, *account),
            Record::Redacted { conversation, message } => self.redact_message(*conversation, *message),
            Record::HistoryForgotten(forgotten) => self.history_forgotten(forgotten),
            Record::MemberStatusSet { channel, account, member_status } => {
                channel_state::set_member_status(self.conn, *channel, *account, *member_status)
            }
            Record::ModesSet(channel, modes) => channel_state::set_modes(self.conn, *channel, modes),
            Record::ListAdded(channel, list, entry) => {
                channel_state::add_list_entry(self.conn, *channel, *list, entry)
            }
            Record::ListRemoved(channel, list, mask) => {
                channel_state::remove_list_entry(self.conn, *channel, *list, mask)
            }
            Record::InvitationSet { channel, account, pending } => {
                channel_state::set_invited(self.conn, *channel, *account, *pending)
            }
            Record::ChannelRenamed { id, old, new, at } => {
                channel_state::rename_channel(self.conn, ChannelRename { id: *id, old, new, at: *at })
            }
            Record::ReadMarkerSet { account, conversation, read } => {
                read_state::set_read_marker(self.conn, *account, *conversation, *read)
            }
            Record::EarlyReadMarkerSet { account, channel, read } => {
                read_state::set_early_read_marker(self.conn, *account, channel, *read)
            }
            Record::MetadataSet { owner, key, value } => {
                metadata::set_metadata(self.conn, *owner, key, value.as_deref())
            }
            Record::ReceivedSet(account, received) => read_state::set_received(self.conn, *account, received),
            Record::PreferencesSet(account, preferences) => {
                accounts::set_preferences(self.conn, *account, *preferences)
            }
            Record::AccountAdded { account, password, invite, at } => {
                accounts::insert(self.conn, account, password, *invite, *at)
            }
            Record::AccountSet { account, at } => accounts::update(self.conn, account, *at),
            Record::PasswordSet(account, password) => accounts::set_password(self.conn, *account, password),
            Record::AccountRemoved { id, at } => {
                self.removed_text = true;
                accounts::remove(self.conn, *id, *at)
            }
            Record::InviteCreated(invite) => invites::create(self.conn, invite),
            Record::InviteSpent { id, spent } => invites::set_spent(self.conn, *id, *spent),
            Record::InviteRevoked { id, at } => invites::revoke(self.conn, *id, *at),
            Record::DeviceAdded { account, fingerprint, at } => {
                devices::add(self.conn, *account, *fingerprint, *at)
            }
            Record::DeviceRemoved(fingerprint) => devices::remove(self.conn, *fingerprint),
            Record::DeviceUsed { fingerprint, at } => devices::set_last_used(self.conn, *fingerprint, *at),
            Record::IdsAhead(ahead) => time::store_id_offset(self.conn, *ahead),
            Record::TimeNoted(settled) => time::store_time(self.conn, *settled),
            Record::Audit { at, actor, action, target, detail } => {
                audit::add(self.conn, (*at, *actor), action, target, detail)
            }
            Record::RootShown(root) => audit::show_root(self.conn, root),
            Record::AuditForgotten(forgotten) => audit::remove_expired(self.conn, forgotten),
            Record::FileAdded(file) => files::add(self.conn, file),
            Record::FileRemoved(id) => {
                self.removed_text = true;
                files::remove(self.conn, *id)
            }
            Record::FileShared(share) => files::share(self.conn, *share),
            Record::FileUnshared(share) => files::unshare(self.conn, *share),
            Record::FileLinkSet { file, link } => files::set_link(self.conn, *file, *link),
            Record::HookCreated { hook, name } => hooks::create(self.conn, hook, name),
            Record::HookRevoked(account) => {
                self.removed_text = true;
                hooks::revoke(self.conn, *account)
            }
            Record::HookDelivered { hook, up_to } => hooks::set_delivered(self.conn, *hook, *up_to),
            Record::AccessTokenCreated(token) => access_tokens::create(self.conn, token),
            Record::AccessTokenRevoked(hash) => {
                self.removed_text = true;
                access_tokens::revoke(self.conn, hash)
            }
            Record::ChannelRetentionSet(channel, limits) => {
                channel_state::set_retention(self.conn, *channel, *limits)
            }
            Record::ChannelArchived(channel, at) => channel_state::set_archived(self.conn, *channel, *at),
            Record::GroupCreated(group) => groups::create(self.conn, group),
            Record::GroupDeleted(id) => groups::delete(self.conn, *id),
            Record::GroupMemberSet { group, account, is_member } => {
                groups::set_member(self.conn, *group, *account, *is_member)
            }
            Record::GroupChannelSet { group, channel, is_joined } => {
                groups::set_channel(self.conn, *group, *channel, *is_joined)
            }
            Record::AccountErased { id, name, pseudonym } => self.erase_account(*id, name, pseudonym),
            Record::ListedNameSet { account, name } => accounts::set_listed_name(self.conn, *account, name),
        }
    }

    /// Runs as the last step before the commit: periodically removes send ids that no client will repeat. Each one
    /// added pays for removing two, so the table stays at its window and no pruning takes long.
    pub fn finish(&mut self) -> rusqlite::Result<()> {
        if self.sends_since_prune < PRUNE_AFTER {
            return Ok(());
        }
        let before = MessageId::first_at(self.newest_send.time() - SEND_ID_RETENTION);
        self.conn
            .prepare_cached(
                "DELETE FROM sends WHERE message <
                     min(?1, ifnull((SELECT message FROM sends ORDER BY message LIMIT 1 OFFSET ?2), ?1))",
            )?
            .execute((before, 2 * self.sends_since_prune))?;
        self.sends_since_prune = 0;
        Ok(())
    }

    /// Returns true if text was removed that is still to be erased from the log, and resets that.
    pub fn take_removed_text(&mut self) -> bool {
        std::mem::take(&mut self.removed_text)
    }

    /// Resets the state after the transaction was rolled back.
    pub fn reset_after_rollback(&mut self) {
        self.volumes.reset_after_rollback();
        self.removed_text = false;
        self.sends_since_prune = 0;
    }

    fn insert_message(&mut self, m: &StoredMessage) -> rusqlite::Result<()> {
        if self.volumes.append(m)? && m.kind.is_text_message() {
            self.mark_has_messages(m.conversation)?;
        }
        self.insert_reaction(m)?;
        if let Some(send) = &m.send_id {
            self.insert_send_id.execute((m.id, m.from, &*send.0))?;
            self.sends_since_prune += 1;
            self.newest_send = m.id;
        }
        Ok(())
    }

    /// Notes the message that a reaction belongs to.
    fn insert_reaction(&self, m: &StoredMessage) -> rusqlite::Result<()> {
        if let Some(parent) = m.reaction_target() {
            let sql = "INSERT INTO reactions (id, parent) VALUES (?1, ?2)";
            self.conn.prepare_cached(sql)?.execute((m.id, parent))?;
        }
        Ok(())
    }

    /// Stores a message of an import at its place, unless it is there already.
    fn import_message(&mut self, imported: &StoredMessage, redacted: bool) -> rusqlite::Result<()> {
        let mut message = imported.clone();
        let mut tries = 0;
        while let Some(other) = self.find_other(&message, redacted)? {
            if other.is_same {
                if redacted && !other.is_redacted {
                    self.redact_message(message.conversation, message.id)?;
                }
                return Ok(());
            }
            tries += 1;
            if tries == MAX_IMPORT_TRIES {
                warn!(id = %imported.id, "an imported message is left out: many others have its id and those before it");
                return Ok(());
            }
            // Smaller, so that it is never one that the core gives to the next message.
            message.id = message.id.predecessor();
        }
        if message.id > last_message_id(self.conn)? {
            self.insert_message(&message)?;
        } else {
            self.volumes.insert_late(&message)?;
            if message.kind.is_text_message() {
                self.mark_has_messages(message.conversation)?;
                note_late_message(self.conn, message.id)?;
            }
            self.insert_reaction(&message)?;
        }
        if redacted {
            self.redact_message(message.conversation, message.id)?;
        }
        Ok(())
    }

    /// Looks for a message with the id of an imported one.
    fn find_other(&self, imported: &StoredMessage, redacted: bool) -> rusqlite::Result<Option<OtherMessage>> {
        let sql = "SELECT place, sender, kind, text, redacted FROM messages WHERE id = ?1";
        let is_same = |row: &rusqlite::Row<'_>, is_redacted| {
            Ok::<_, rusqlite::Error>(
                row.get::<_, Conversation>(0)? == imported.conversation
                && row.get::<_, AccountId>(1)? == imported.from
                && row.get::<_, MessageKind>(2)? == imported.kind
                // What was taken back here does not come back by an import.
                && (is_redacted || redacted || checksums::text_bytes(row.get_ref(3)?) == imported.text.as_bytes()),
            )
        };
        let other = |row: &rusqlite::Row<'_>| {
            let is_redacted = row.get::<_, Option<i64>>(4)?.is_some();
            // A row that cannot be read is another message's.
            Ok(OtherMessage { is_same: is_same(row, is_redacted).unwrap_or(false), is_redacted })
        };
        self.conn.prepare_cached(sql)?.query_row([imported.id], other).optional()
    }

    /// Notes that a conversation has messages.
    fn mark_has_messages(&self, conversation: Conversation) -> rusqlite::Result<()> {
        match conversation {
            Conversation::Channel(channel) => {
                let sql = "UPDATE channels SET spoken = 1 WHERE id = ?1 AND spoken = 0";
                self.conn.prepare_cached(sql)?.execute([channel])?;
            }
            Conversation::Direct(a, b) => {
                let sql = "INSERT INTO talks VALUES (?1, ?2, ?3), (?2, ?1, ?3) ON CONFLICT DO NOTHING";
                self.conn.prepare_cached(sql)?.execute((a, b, conversation))?;
            }
        }
        Ok(())
    }

    /// Erases the text and tags of a message; its row stays.
    fn redact_message(&mut self, conversation: Conversation, message: MessageId) -> rusqlite::Result<()> {
        let sql = "UPDATE messages SET text = '', tags = NULL, redacted = 1 WHERE id = ?1 AND place = ?2
             RETURNING volume, sender, kind";
        let redacted = |row: &rusqlite::Row<'_>| {
            Ok(RedactedRow { volume: row.get(0)?, sender: row.get(1)?, kind: row.get(2)? })
        };
        let found = self.conn.prepare_cached(sql)?.query_row((message, conversation), redacted).optional()?;
        if let Some(RedactedRow { volume, sender, kind }) = found {
            let sum = checksums::redacted_checksum(message, conversation, sender, kind);
            self.conn
                .prepare_cached("UPDATE messages SET sum = ?2 WHERE id = ?1")?
                .execute((message, sum))?;
            self.conn.prepare_cached(INSERT_CONTENTS)?.execute((
                conversation,
                Class::Redacted as i64,
                volume,
            ))?;
            let sql = "INSERT INTO forgotten VALUES (?1) ON CONFLICT DO NOTHING";
            self.conn.prepare_cached(sql)?.execute([message])?;
            schedule_erasing(self.conn)?;
            self.removed_text = true;
        }
        Ok(())
    }

    fn history_forgotten(&mut self, forgotten: &ForgottenHistory) -> rusqlite::Result<()> {
        self.removed_text |= retention::forget(self.conn, forgotten)? > 0;
        Ok(())
    }

    /// Gives an account that is erased the name that stands for it, in the audit too.
    fn erase_account(&mut self, id: AccountId, name: &Nick, pseudonym: &Nick) -> rusqlite::Result<()> {
        self.removed_text = true;
        accounts::erase(self.conn, id, pseudonym)?;
        audit::replace_name(self.conn, name, pseudonym)
    }

    fn create_channel(
        &self,
        id: ChannelId,
        name: &ChannelName,
        creator: AccountId,
        at: Timestamp,
    ) -> rusqlite::Result<()> {
        self.conn.prepare_cached("DELETE FROM old_names WHERE folded = ?1")?.execute([name.folded()])?;
        self.conn
            .prepare_cached("INSERT INTO channels (id, name, created, maker) VALUES (?1, ?2, ?3, ?4)")?
            .execute((id, name, at, creator))?;
        Ok(())
    }

    /// Removes the channel with its members, member statuses, lists and old names, and its joins and parts, which are
    /// all that its history still has.
    fn remove_channel(&mut self, id: ChannelId) -> rusqlite::Result<()> {
        self.volumes.remove_conversation(Conversation::Channel(id))?;
        self.conn.prepare_cached("DELETE FROM channels WHERE id = ?1")?.execute([id])?;
        for sql in ["DELETE FROM markers WHERE place = ?1", "DELETE FROM private_metadata WHERE place = ?1"] {
            self.conn.prepare_cached(sql)?.execute([Conversation::Channel(id)])?;
        }
        Ok(())
    }

    fn set_topic(&self, id: ChannelId, topic: Option<&Topic>) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("UPDATE channels SET topic = ?2, topic_by = ?3, topic_at = ?4 WHERE id = ?1")?
            .execute((id, topic.map(|t| &*t.text), topic.map(|t| &t.by), topic.map(|t| t.at)))?;
        Ok(())
    }

    fn add_member(&self, channel: ChannelId, account: AccountId, at: Timestamp) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached(
                "INSERT INTO members (channel, account, joined) VALUES (?1, ?2, ?3)
                     ON CONFLICT DO UPDATE SET joined = ?3",
            )?
            .execute((channel, account, at))?;
        Ok(())
    }

    fn remove_member(&self, channel: ChannelId, account: AccountId) -> rusqlite::Result<()> {
        self.conn
            .prepare_cached("DELETE FROM members WHERE channel = ?1 AND account = ?2")?
            .execute((channel, account))?;
        Ok(())
    }
}
