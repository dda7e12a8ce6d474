//! A stand-in for the store, which applies records.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::record::access_token::StoredAccessToken;
use crate::core::record::device::Device;
use crate::core::record::file::{FileId, FileShare, StoredFile};
use crate::core::record::group::StoredGroups;
use crate::core::record::hook::{HookKind, StoredHook};
use crate::core::record::modes::{ListEntry, ListKind, Modes};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, Invite, InviteId, Record, ReservedName, RetentionLimits,
    Role, ShownRoot, Snapshot, StoredChannel,
};
use crate::core::tests::driver::{Driver, password};
use crate::wire::{ChannelName, MessageId, Timestamp};

/// A stand-in for the store, without the history and the audit log.
#[derive(Default)]
pub(super) struct StoreModel {
    pub channels: BTreeMap<ChannelId, StoredChannel>,
    pub last_channel: i64,
    pub messages: Vec<MessageId>,
    pub send_ids: HashMap<(AccountId, String), MessageId>,
    pub markers: BTreeMap<(AccountId, String), (Conversation, Timestamp)>,
    pub early_markers: Vec<(AccountId, ChannelName, Timestamp)>,
    pub devices: Vec<(AccountId, Device)>,
    pub accounts: BTreeMap<AccountId, (Account, PasswordHash)>,
    pub removed: BTreeMap<AccountId, ReservedName>,
    pub created: BTreeMap<AccountId, Timestamp>,
    pub invites: BTreeMap<InviteId, Invite>,
    pub audited: usize,
    pub noted_time: Option<Timestamp>,
    pub roots: Vec<ShownRoot>,
    pub files: BTreeMap<FileId, StoredFile>,
    pub file_shares: Vec<FileShare>,
    pub hooks: BTreeMap<AccountId, StoredHook>,
    pub access_tokens: Vec<StoredAccessToken>,
    pub groups: StoredGroups,
    pub listed_names: BTreeMap<AccountId, Arc<str>>,
}

impl StoreModel {
    pub fn channel(&mut self, id: ChannelId) -> &mut StoredChannel {
        self.channels.get_mut(&id).expect("a channel that is kept")
    }

    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Message(_) | Record::MessageImported { .. } => self.apply_to_messages(record),
            Record::ChannelCreated { id, name, creator, at } => self.create_channel(id, name, creator, at),
            Record::ChannelRemoved(id) => {
                let gone = self.channels.remove(&id).expect("it was there");
                assert!(gone.members.is_empty() && !gone.has_messages);
                assert!(self.groups.channels.iter().all(|(_, channel)| *channel != id), "a group keeps it");
            }
            Record::TopicSet(id, topic) => self.channel(id).topic = topic,
            Record::Joined { channel, account, .. } => {
                let members = &mut self.channel(channel).members;
                assert!(!members.contains(&account), "nobody joins twice");
                members.push(account);
            }
            Record::Parted { channel, account } => {
                let members = &mut self.channel(channel).members;
                assert!(members.contains(&account), "nobody parts twice");
                members.retain(|&m| m != account);
            }
            Record::MemberStatusSet { channel, account, member_status: status } => {
                let all = &mut self.channel(channel).member_statuses;
                all.retain(|(of, _)| *of != account);
                all.extend(Some((account, status)).filter(|(_, status)| !status.is_empty()));
            }
            Record::ModesSet(id, modes) => self.channel(id).modes = modes,
            Record::ChannelRetentionSet(id, limits) => self.channel(id).retention = limits,
            Record::ChannelArchived(id, at) => self.channel(id).archived = at,
            Record::ListAdded(..) | Record::ListRemoved(..) | Record::InvitationSet { .. } => {
                self.apply_to_lists(record);
            }
            Record::ChannelRenamed { id, old, new, at } => {
                let channel = self.channel(id);
                assert_eq!(channel.name, old);
                channel.name = new;
                channel.old_names.push((old, at));
            }
            Record::Redacted { message, .. } => assert!(self.messages.contains(&message)),
            Record::ReadMarkerSet { .. } | Record::EarlyReadMarkerSet { .. } => self.apply_to_markers(record),
            Record::AccountAdded { .. }
            | Record::AccountSet { .. }
            | Record::PasswordSet(..)
            | Record::AccountRemoved { .. }
            | Record::AccountErased { .. } => self.apply_to_accounts(record),
            Record::InviteCreated(_) | Record::InviteSpent { .. } | Record::InviteRevoked { .. } => {
                self.apply_to_invites(record);
            }
            Record::DeviceAdded { .. } | Record::DeviceRemoved(_) | Record::DeviceUsed { .. } => {
                self.apply_to_devices(record);
            }
            Record::MetadataSet { .. }
            | Record::ReceivedSet(..)
            | Record::PreferencesSet(..)
            | Record::IdsAhead(_)
            | Record::HistoryForgotten(_)
            | Record::AuditForgotten(_) => {}
            Record::Audit { .. } => self.audited += 1,
            Record::TimeNoted(settled) => self.noted_time = Some(settled),
            Record::RootShown(root) => self.show_root(root),
            Record::FileAdded(_)
            | Record::FileRemoved(_)
            | Record::FileShared(_)
            | Record::FileUnshared(_)
            | Record::FileLinkSet { .. } => self.apply_to_files(record),
            Record::HookCreated { .. } | Record::HookRevoked(_) | Record::HookDelivered { .. } => {
                self.apply_to_hooks(record);
            }
            Record::AccessTokenCreated(_) | Record::AccessTokenRevoked(_) => {
                self.apply_to_access_tokens(record);
            }
            Record::GroupCreated(_)
            | Record::GroupDeleted(_)
            | Record::GroupMemberSet { .. }
            | Record::GroupChannelSet { .. } => self.apply_to_groups(record),
            Record::ListedNameSet { account, name } => {
                assert!(self.accounts.contains_key(&account));
                self.listed_names.insert(account, name);
            }
        }
    }

    fn apply_to_groups(&mut self, record: Record) {
        let StoredGroups { groups, members, channels, last_id } = &mut self.groups;
        match record {
            Record::GroupCreated(group) => {
                assert!(group.id.0 > *last_id, "ids only grow");
                assert!(groups.iter().all(|known| known.name != group.name), "a name once");
                *last_id = group.id.0;
                groups.push(group);
            }
            Record::GroupDeleted(id) => {
                assert!(groups.iter().any(|group| group.id == id), "deleted once");
                groups.retain(|group| group.id != id);
                members.retain(|(group, _)| *group != id);
                channels.retain(|(group, _)| *group != id);
            }
            Record::GroupMemberSet { group, account, is_member } => {
                assert!(self.accounts.contains_key(&account));
                assert_eq!(members.contains(&(group, account)), !is_member, "a change");
                members.retain(|member| *member != (group, account));
                members.extend(is_member.then_some((group, account)));
            }
            Record::GroupChannelSet { group, channel, is_joined } => {
                assert!(self.channels.contains_key(&channel));
                assert_eq!(channels.contains(&(group, channel)), !is_joined, "a change");
                channels.retain(|known| *known != (group, channel));
                channels.extend(is_joined.then_some((group, channel)));
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_messages(&mut self, record: Record) {
        let message = match record {
            Record::Message(m) => {
                assert!(self.messages.last().is_none_or(|last| *last < m.id), "ids only grow");
                self.messages.push(m.id);
                m
            }
            Record::MessageImported { message: m, .. } => {
                if let Err(at) = self.messages.binary_search(&m.id) {
                    self.messages.insert(at, m.id);
                }
                m
            }
            other => panic!("{other:?}"),
        };
        if let Conversation::Channel(id) = message.conversation {
            self.channel(id).has_messages |= message.kind.is_text_message();
        }
        if let Some(send) = message.send_id {
            let old = self.send_ids.insert((message.from, send.0.to_string()), message.id);
            assert_eq!(old, None, "a send is kept once");
        }
    }

    fn apply_to_access_tokens(&mut self, record: Record) {
        match record {
            Record::AccessTokenCreated(token) => {
                assert!(self.accounts.contains_key(&token.account));
                let known = |other: &StoredAccessToken| other.hash == token.hash || other.name == token.name;
                assert!(!self.access_tokens.iter().any(known), "a name and a hash once");
                self.access_tokens.push(token);
            }
            Record::AccessTokenRevoked(hash) => {
                let before = self.access_tokens.len();
                self.access_tokens.retain(|token| token.hash != hash);
                assert_eq!(self.access_tokens.len() + 1, before, "revoked once");
            }
            other => panic!("{other:?}"),
        }
    }

    fn create_channel(&mut self, id: ChannelId, name: ChannelName, creator: AccountId, at: Timestamp) {
        assert!(id.0 > self.last_channel, "a channel's number is given once");
        self.last_channel = id.0;
        let channel = StoredChannel {
            id,
            name,
            created: at,
            creator: Some(creator),
            topic: None,
            members: vec![],
            has_messages: false,
            modes: Modes::default(),
            retention: RetentionLimits::default(),
            archived: None,
            member_statuses: vec![],
            lists: vec![],
            invited: vec![],
            old_names: vec![],
        };
        assert!(self.channels.values().all(|other| other.name != channel.name), "a name once");
        assert!(self.channels.insert(id, channel).is_none());
    }

    fn show_root(&mut self, root: ShownRoot) {
        assert!(self.roots.last().is_none_or(|last| last.pin != root.pin), "another root");
        self.roots.push(root);
    }

    fn apply_to_accounts(&mut self, record: Record) {
        match record {
            Record::AccountAdded { account, password, at, .. } => {
                let id = account.id;
                self.created.entry(id).or_insert(at);
                assert!(!account.disabled && !self.accounts.contains_key(&id));
                let reserved = self.removed.remove(&id);
                assert!(
                    reserved.is_none_or(|reserved| reserved.name == account.name),
                    "names do not pass to others"
                );
                let last =
                    [self.accounts.keys().max(), self.removed.keys().max()].into_iter().flatten().max();
                let names = self.accounts.values().map(|(account, _)| &account.name);
                let mut names = names.chain(self.removed.values().map(|reserved| &reserved.name));
                assert!(names.all(|name| *name != account.name), "a name once");
                assert!(id.0 <= last.map_or(0, |last| last.0) + 1, "ids follow each other");
                self.accounts.insert(id, (account, password));
            }
            Record::AccountSet { account, .. } => {
                let stored_account = self.accounts.get_mut(&account.id).expect("an account");
                stored_account.0 = account;
            }
            Record::PasswordSet(id, password) => {
                self.accounts.get_mut(&id).expect("an account").1 = password;
            }
            Record::AccountRemoved { id, .. } => {
                let (account, _) = self.accounts.remove(&id).expect("an account");
                self.removed.insert(id, ReservedName { id, name: account.name, removed: true });
                self.devices.retain(|(of, _)| *of != id);
                self.access_tokens.retain(|token| token.account != id);
                self.groups.members.retain(|(_, account)| *account != id);
                self.listed_names.remove(&id);
                self.markers.retain(|(of, _), _| *of != id);
                self.early_markers.retain(|(of, ..)| *of != id);
                for channel in self.channels.values_mut() {
                    assert!(!channel.members.contains(&id), "it has left");
                    channel.member_statuses.retain(|(of, _)| *of != id);
                    channel.invited.retain(|of| *of != id);
                }
            }
            Record::AccountErased { id, name, pseudonym } => {
                let reserved = self.removed.get_mut(&id).expect("a removed account");
                assert_eq!(std::mem::replace(&mut reserved.name, pseudonym), name);
                let is_gone = |entry: &ListEntry| entry.by != name;
                assert!(
                    self.channels
                        .values()
                        .flat_map(|channel| &channel.lists)
                        .all(|(_, entry)| is_gone(entry))
                );
                assert!(self.files.values().all(|file| file.owner != id), "its files are gone");
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_lists(&mut self, record: Record) {
        match record {
            Record::ListAdded(id, list, entry) => {
                let lists = &mut self.channel(id).lists;
                let same = |(kind, known): &(ListKind, ListEntry)| {
                    *kind == list && known.mask.eq_ignore_ascii_case(&entry.mask)
                };
                assert!(!lists.iter().any(same), "an entry once");
                lists.push((list, entry));
            }
            Record::ListRemoved(id, list, mask) => {
                let lists = &mut self.channel(id).lists;
                let before = lists.len();
                lists.retain(|(kind, known)| *kind != list || !known.mask.eq_ignore_ascii_case(&mask));
                assert_eq!(lists.len() + 1, before, "an entry that was there");
            }
            Record::InvitationSet { channel, account, pending } => {
                let invited = &mut self.channel(channel).invited;
                invited.retain(|&other| other != account);
                invited.extend(Some(account).filter(|_| pending));
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_invites(&mut self, record: Record) {
        match record {
            Record::InviteCreated(invite) => {
                assert!(self.invites.keys().all(|known| *known < invite.id), "ids only grow");
                assert!(self.invites.values().all(|known| known.token != invite.token), "a token once");
                self.invites.insert(invite.id, invite);
            }
            Record::InviteSpent { id, spent } => {
                let invite = self.invites.get_mut(&id).expect("an invite");
                assert!(spent == invite.spent + 1 && spent <= invite.uses && invite.revoked.is_none());
                invite.spent = spent;
            }
            Record::InviteRevoked { id, at } => {
                let invite = self.invites.get_mut(&id).expect("an invite");
                assert_eq!(invite.revoked.replace(at), None, "revoked once");
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_markers(&mut self, record: Record) {
        match record {
            Record::ReadMarkerSet { account, conversation, read } => {
                let old = self.markers.insert((account, format!("{conversation:?}")), (conversation, read));
                assert!(old.is_none_or(|(_, old)| old < read), "markers only grow");
            }
            Record::EarlyReadMarkerSet { account, channel, read } => {
                let index =
                    self.early_markers.iter().position(|(of, at, _)| (*of, at) == (account, &channel));
                let old = index.map(|index| self.early_markers.swap_remove(index).2);
                assert!(read.is_some() || old.is_some(), "one that is dropped was kept");
                assert!(read.is_none_or(|read| old.is_none_or(|old| old < read)), "markers only grow");
                self.early_markers.extend(read.map(|read| (account, channel, read)));
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_devices(&mut self, record: Record) {
        match record {
            Record::DeviceAdded { account, fingerprint: key, at } => {
                assert!(
                    self.devices.iter().all(|(_, known)| known.fingerprint != key),
                    "a device of one account, once"
                );
                self.devices.push((account, Device { fingerprint: key, added_at: at, last_login: None }));
            }
            Record::DeviceRemoved(key) => {
                let before = self.devices.len();
                self.devices.retain(|(_, known)| known.fingerprint != key);
                assert_eq!(self.devices.len() + 1, before, "a device that was there");
            }
            Record::DeviceUsed { fingerprint: key, at } => {
                let mut devices = self.devices.iter_mut();
                let (_, device) =
                    devices.find(|(_, known)| known.fingerprint == key).expect("a device that was there");
                device.last_login = Some(at);
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_files(&mut self, record: Record) {
        match record {
            Record::FileAdded(file) => {
                assert!(self.accounts.contains_key(&file.owner));
                assert!(self.files.insert(file.id, file).is_none(), "an id once");
            }
            Record::FileRemoved(id) => {
                assert!(self.file_shares.iter().all(|share| share.file != id), "nothing shares it");
                assert!(self.files.remove(&id).is_some(), "a file that was there");
            }
            Record::FileShared(share) => {
                assert!(self.messages.contains(&share.message) && self.files.contains_key(&share.file));
                assert!(!self.file_shares.contains(&share), "shared once");
                self.file_shares.push(share);
            }
            Record::FileUnshared(share) => {
                let before = self.file_shares.len();
                self.file_shares.retain(|known| *known != share);
                assert_eq!(self.file_shares.len() + 1, before, "a share that was there");
            }
            Record::FileLinkSet { file, link } => {
                self.files.get_mut(&file).expect("a file").link = link;
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_hooks(&mut self, record: Record) {
        match record {
            Record::HookCreated { hook, name } => {
                let account = Account { id: hook.account, name, role: Role::Member, disabled: false };
                self.removed.remove(&account.id);
                self.created.entry(account.id).or_insert(hook.created);
                assert!(self.channels.contains_key(&hook.channel));
                // A hook has no password; the empty one is left out of the snapshot.
                let password = PasswordHash::from_phc("");
                assert!(self.accounts.insert(account.id, (account, password)).is_none(), "an id once");
                self.hooks.insert(hook.account, hook);
            }
            Record::HookRevoked(account) => {
                let hook = self.hooks.get_mut(&account).expect("a hook");
                assert_ne!(hook.kind, HookKind::Revoked, "revoked once");
                hook.kind = HookKind::Revoked;
            }
            Record::HookDelivered { hook, up_to } => {
                let hook = self.hooks.get_mut(&hook).expect("a hook");
                let HookKind::Outgoing(outgoing) = &mut hook.kind else { panic!("{hook:?}") };
                assert!(outgoing.delivered < up_to, "it only grows");
                outgoing.delivered = up_to;
            }
            other => panic!("{other:?}"),
        }
    }

    /// The store of the driver's first accounts.
    pub fn from_driver(d: &Driver) -> Self {
        let accounts =
            d.core.accounts.iter().filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID);
        let accounts = accounts
            .map(|account_state| (account_state.account.id, (account_state.account.clone(), password())));
        Self { accounts: accounts.collect(), ..Self::default() }
    }

    pub fn snapshot(&self) -> Snapshot {
        let last = [self.accounts.keys().max(), self.removed.keys().max()].into_iter().flatten().max();
        let passwords = self.accounts.iter().map(|(id, (_, password))| (*id, password.clone()));
        let passwords = passwords.filter(|(_, password)| !password.as_str().is_empty());
        Snapshot {
            accounts: self.accounts.values().map(|(account, _)| account.clone()).collect(),
            passwords: passwords.collect(),
            reserved_names: self.removed.values().cloned().collect(),
            created: self.created.clone().into_iter().collect(),
            last_account: last.map_or(0, |last| last.0),
            invites: self.invites.values().cloned().collect(),
            last_invite: self.invites.keys().max().map_or(0, |last| last.0),
            channels: self.channels.values().cloned().collect(),
            last_message: self.messages.last().copied().unwrap_or_default(),
            last_channel: self.last_channel,
            early_markers: self.early_markers.clone(),
            devices: self.devices.clone(),
            noted_time: self.noted_time,
            roots: self.roots.clone(),
            files: self.files.values().cloned().collect(),
            file_shares: self.file_shares.clone(),
            hooks: self.hooks.values().cloned().collect(),
            access_tokens: self.access_tokens.clone(),
            groups: self.groups.clone(),
            listed_names: self.listed_names.clone().into_iter().collect(),
            markers: self
                .markers
                .iter()
                .map(|((of, _), &(conversation, read))| (*of, conversation, read))
                .collect(),
            ..Snapshot::default()
        }
    }
}
