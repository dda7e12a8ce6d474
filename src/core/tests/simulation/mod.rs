//! Simulation from a seed: sessions act, disconnect and crash at random, and the invariants are checked after every
//! step. A failure prints its seed.

pub(crate) mod durable_state;
pub(crate) mod seed;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use super::driver::{Driver, INVISIBLE, assert_sessions_are_counted, password};
use crate::core::InputKind;
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::modes::{ListEntry, ListKind, Modes};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{
    Account, AccountId, ChannelId, Conversation, Invite, InviteId, Preference, Record, ReservedName, Role,
    ShownRoot, Snapshot, StoredChannel,
};
use crate::core::request::admin::{
    Change, ChangeRequest, NewInvite, NewUser, Purpose, Redemption, UserChange,
};
use crate::core::request::maintenance::Maintenance;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};
use seed::Seed;

/// A stand-in for the store, without the history and the audit log.
#[derive(Default)]
struct StoreModel {
    channels: BTreeMap<ChannelId, StoredChannel>,
    last_channel: i64,
    messages: Vec<MessageId>,
    send_ids: HashMap<(AccountId, String), MessageId>,
    markers: BTreeMap<(AccountId, String), (Conversation, Timestamp)>,
    early_markers: Vec<(AccountId, ChannelName, Timestamp)>,
    devices: Vec<(AccountId, Device)>,
    accounts: BTreeMap<AccountId, (Account, PasswordHash)>,
    removed: BTreeMap<AccountId, ReservedName>,
    created: BTreeMap<AccountId, Timestamp>,
    invites: BTreeMap<InviteId, Invite>,
    audited: usize,
    noted_time: Option<Timestamp>,
    roots: Vec<ShownRoot>,
}

impl StoreModel {
    fn channel(&mut self, id: ChannelId) -> &mut StoredChannel {
        self.channels.get_mut(&id).expect("a channel that is kept")
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Message(m) => {
                assert!(self.messages.last().is_none_or(|last| *last < m.id), "ids only grow");
                self.messages.push(m.id);
                if let Conversation::Channel(id) = m.conversation {
                    self.channel(id).has_messages |= m.kind.is_text_message();
                }
                if let Some(send) = m.send_id {
                    let old = self.send_ids.insert((m.from, send.0.to_string()), m.id);
                    assert_eq!(old, None, "a send is kept once");
                }
            }
            Record::ChannelCreated { id, name, creator: maker, at } => {
                assert!(id.0 > self.last_channel, "a channel's number is given once");
                self.last_channel = id.0;
                let channel = StoredChannel {
                    id,
                    name,
                    created: at,
                    creator: Some(maker),
                    topic: None,
                    members: vec![],
                    has_messages: false,
                    modes: Modes::default(),
                    member_statuses: vec![],
                    lists: vec![],
                    invited: vec![],
                    old_names: vec![],
                };
                assert!(self.channels.values().all(|other| other.name != channel.name), "a name once");
                assert!(self.channels.insert(id, channel).is_none());
            }
            Record::ChannelRemoved(id) => {
                let gone = self.channels.remove(&id).expect("it was there");
                assert!(gone.members.is_empty() && !gone.has_messages);
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
            | Record::AccountRemoved { .. } => self.apply_to_accounts(record),
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
        }
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
                self.markers.retain(|(of, _), _| *of != id);
                self.early_markers.retain(|(of, ..)| *of != id);
                for channel in self.channels.values_mut() {
                    assert!(!channel.members.contains(&id), "it has left");
                    channel.member_statuses.retain(|(of, _)| *of != id);
                    channel.invited.retain(|of| *of != id);
                }
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

    /// The store of the driver's first accounts.
    fn from_driver(d: &Driver) -> Self {
        let accounts =
            d.core.accounts.iter().filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID);
        let accounts = accounts
            .map(|account_state| (account_state.account.id, (account_state.account.clone(), password())));
        Self { accounts: accounts.collect(), ..Self::default() }
    }

    fn snapshot(&self) -> Snapshot {
        let last = [self.accounts.keys().max(), self.removed.keys().max()].into_iter().flatten().max();
        let passwords = self.accounts.iter().map(|(id, (_, password))| (*id, password.clone()));
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
            markers: self
                .markers
                .iter()
                .map(|((of, _), &(conversation, read))| (*of, conversation, read))
                .collect(),
            ..Snapshot::default()
        }
    }
}

/// Asserts that the records and the core's state agree, and that the audience of a channel is the sessions of its
/// members.
fn assert_matches_store(d: &Driver, store: &StoreModel) {
    let core = &d.core;
    assert_eq!(core.channels.iter().count(), store.channels.len());
    for channel in core.channels.iter() {
        let stored = store.channels.get(&channel.id).expect("kept");
        assert_eq!((&channel.topic, channel.has_messages), (&stored.topic, stored.has_messages));
        assert_eq!((&channel.name, &channel.modes), (&stored.name, &stored.modes));
        assert_eq!(channel.creator, stored.creator);
        assert_eq!(channel.member_statuses, stored.member_statuses.iter().copied().collect());
        assert_eq!(channel.invited, stored.invited.iter().copied().collect());
        let members: BTreeSet<AccountId> = stored.members.iter().copied().collect();
        assert_eq!(channel.members, members);
        let in_audience: BTreeSet<_> =
            channel.audience.recipients().map(|recipient| recipient.session).collect();
        assert_eq!(in_audience.len(), channel.audience.len(), "each session once");
        let online = channel.members.iter().filter_map(|&id| core.accounts.get(id));
        let sessions: BTreeSet<_> =
            online.flat_map(|p| p.sessions.recipients()).map(|recipient| recipient.session).collect();
        assert_eq!(in_audience, sessions);
        for &member in &channel.members {
            assert!(core.accounts.get(member).expect("a person").channels.contains(&channel.id));
        }
    }
    let stored = |id| store.devices.iter().filter(move |(of, _)| *of == id).map(|(_, device)| *device);
    let accounts =
        || core.accounts.iter().filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID);
    assert_eq!(accounts().count(), store.accounts.len());
    for account_state in accounts() {
        let id = account_state.account.id;
        let (account, password) = store.accounts.get(&id).expect("kept");
        assert_eq!((&account_state.account, account_state.password.as_ref()), (account, Some(password)));
        assert_eq!(account_state.devices, stored(id).collect::<Vec<_>>());
        assert_eq!(core.accounts.created(id), store.created.get(&id).copied().unwrap_or_default());
        for device in stored(id).filter(|_| !account.disabled) {
            assert_eq!(core.device_owner(device.fingerprint).map(|account| account.id), Some(id));
        }
        let made = store.channels.values().filter(|channel| channel.creator == Some(id)).count();
        assert_eq!(core.channels.count_created_by(id), made);
        assert!(account_state.sessions.is_empty() || !account.disabled, "a disabled account has no session");
    }
    let reserved_names: BTreeMap<AccountId, ReservedName> =
        core.accounts.iter_reserved_names().map(|reserved| (reserved.id, reserved.clone())).collect();
    assert_eq!(reserved_names, store.removed);
    assert!(core.invites.iter().eq(store.invites.values()));
    assert_eq!((core.noted_time, &core.roots), (store.noted_time, &store.roots));
    assert_sessions_are_counted(core);
}

/// Makes a change of accounts or invites as the administration does, or redeems an invite.
fn run_random_admin_request(d: &mut Driver, rng: &mut SmallRng, step: usize) {
    let name = Nick::parse(["al", "bo", "cy", "di", "NickServ"].choose(rng).expect("one")).expect("a nick");
    let password = PasswordHash::from_phc(format!("password {step}"));
    let role = if rng.random() { Role::Admin } else { Role::Member };
    let mut token = [0; 32];
    token[0] = rng.random_range(0..16);
    let request = match rng.random_range(0..15) {
        12 => ChangeRequest::Admin(Change::ClockAccept),
        13 => ChangeRequest::Maintenance(Maintenance::NoteTime(d.now)),
        14 => ChangeRequest::Maintenance(Maintenance::ShowRoot(
            ["old", "new"].choose(rng).copied().expect("one").into(),
        )),
        0 | 1 => {
            let again = rng.random();
            ChangeRequest::Admin(Change::UserAdd { user: NewUser { name, password, role }, again })
        }
        2 => ChangeRequest::Admin(Change::InviteRevoke { id: rng.random_range(0..5) }),
        3..5 => {
            let channel = ChannelName::parse("#a").expect("a name");
            let uses = rng.random_range(0..3);
            let purpose =
                if rng.random() { Purpose::Reset(name) } else { Purpose::Accounts { role, channel, uses } };
            ChangeRequest::Admin(Change::InviteCreate(NewInvite { token, purpose, lasts_ms: 5000 }))
        }
        5 | 6 => ChangeRequest::Redeem(Redemption { token, name, password }),
        _ => {
            let change = match rng.random_range(0..8) {
                0 => UserChange::Remove,
                1 => UserChange::Disable,
                2..4 => UserChange::Enable,
                4 => UserChange::Password(password),
                5 => UserChange::Set(Preference::Bot(rng.random())),
                _ => UserChange::Role(role),
            };
            ChangeRequest::Admin(Change::UserChange { name, change })
        }
    };
    // Names that are taken, unknown or not removed are refused, and a refusal changes nothing.
    let before = d.records.len();
    if d.request(request).is_err() {
        assert_eq!(d.records.len(), before);
    }
}

fn run_simulation(seed: u64, steps: usize) {
    let named = Seed(seed);
    let mut rng = named.rng();
    let mut d = Driver::new();
    let mut store = StoreModel::from_driver(&d);
    let mut sessions = Vec::new();
    let caps = [
        "",
        "echo-message",
        "message-tags server-time",
        "labeled-response batch echo-message message-tags",
        INVISIBLE,
    ];
    for step in 0..steps {
        let channel = ["#a", "#A", "#b", "#c", "#d"].choose(&mut rng).expect("one");
        let nick = ["al", "bo", "cy", "echo", "nobody"].choose(&mut rng).expect("one");
        let line = match rng.random_range(0..100) {
            0..10 => {
                let name = ["al", "bo", "cy"].choose(&mut rng).expect("one");
                let caps = caps.choose(&mut rng).expect("one");
                let key = CertificateFingerprint([rng.random_range(0..8); 32]);
                sessions.extend(d.try_open_with_device(key, name, caps));
                String::new()
            }
            10..18 if !sessions.is_empty() => {
                let session = sessions.swap_remove(rng.random_range(0..sessions.len()));
                d.input(InputKind::SessionClosed(session, "lost".into()));
                String::new()
            }
            // A power cut: only stored state is left.
            18 => {
                let now = d.now;
                d = Driver::from_snapshot(store.snapshot());
                d.now = now;
                sessions.clear();
                String::new()
            }
            19 => {
                run_random_admin_request(&mut d, &mut rng, step);
                String::new()
            }
            20..40 => format!("JOIN {channel} {nick}"),
            40..50 => format!("PART {channel} :bye"),
            50..52 => "JOIN 0".to_owned(),
            52..58 => format!("TOPIC {channel} :{}", ["", "x", "y"].choose(&mut rng).expect("one")),
            58..62 => format!(
                "CAP REQ :{}",
                ["-echo-message", "server-time", "message-tags"].choose(&mut rng).expect("one")
            ),
            62..66 => format!("@+typing=active TAGMSG {channel}"),
            66..80 => format!("PRIVMSG {channel} :step {step}"),
            80..90 => format!("@label=x;parlour/send-id={step} PRIVMSG {nick} :step {step}"),
            90..92 => "QUIT :bye".to_owned(),
            92..94 => {
                let modes =
                    ["+o", "-o", "+v", "-q", "+b", "-b", "+e", "+I", "+l", "-l", "+k", "-k", "+im", "-imnt"];
                format!("MODE {channel} {} {nick}", modes.choose(&mut rng).expect("one"))
            }
            94 => format!("KICK {channel} {nick} :out"),
            95 => format!("INVITE {nick} {channel}"),
            96 => format!("RENAME {channel} {}", ["#a", "#e", "#f"].choose(&mut rng).expect("one")),
            97 => format!("@label=r REDACT {channel} {}", d.last_message()),
            // The fingerprint may be another account's device.
            98 if rng.random() => format!(
                "CERT {} {}",
                ["ADD", "ADD", "DEL"].choose(&mut rng).expect("one"),
                CertificateFingerprint([rng.random_range(0..8); 32])
            ),
            98 => format!("MARKREAD {channel} timestamp={}", d.now),
            _ => format!(
                "{} {channel}",
                ["NAMES", "WHO", "MODE", "WHOIS", "LIST", "AWAY", "PING"].choose(&mut rng).expect("one")
            ),
        };
        if let Some(&session) = sessions.choose(&mut rng).filter(|_| !line.is_empty()) {
            let got = d.send_line(session, &line);
            for line in got.split_inclusive("\r\n") {
                assert!(
                    line.ends_with("\r\n") && crate::wire::Message::parse(line.trim_end()).is_some(),
                    "{line:?}"
                );
            }
            if line.starts_with("QUIT") {
                sessions.retain(|&other| other != session);
            }
        }
        for record in std::mem::take(&mut d.records) {
            let bytes = record.encode(Vec::new()).expect("encodes");
            assert_eq!(Record::decode(&bytes).as_ref(), Ok(&record));
            store.apply(record);
        }
        assert_matches_store(&d, &store);
    }
    assert!(store.audited > 0, "somebody kept order");
}

#[test]
fn state_matches_records_under_random_commands() {
    for round in 0..20 {
        let seed = 0x5eed + round;
        run_simulation(seed, 3000);
    }
}
