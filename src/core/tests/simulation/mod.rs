//! Simulation from a seed: sessions act, disconnect and crash at random, and the invariants are checked after every
//! step. A failure prints its seed.

pub(crate) mod durable_state;
pub(crate) mod seed;
mod store_model;

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use super::driver::{Driver, INVISIBLE, assert_sessions_are_counted};
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::record::device::CertificateFingerprint;
use crate::core::record::file::FileId;
use crate::core::record::group::{GroupId, GroupName};
use crate::core::record::secret::PasswordHash;
use crate::core::record::{AccountId, Conversation, Preference, Record, ReservedName, Role};
use crate::core::request::admin::{Change, ChangeRequest, NewInvite, Purpose, Redemption, UserChange};
use crate::core::request::files::{FileChange, NewFile};
use crate::core::request::maintenance::Maintenance;
use crate::core::request::people::NewUser;
use crate::core::request::people::groups::{GroupAction, GroupChange};
use crate::core::{Core, InputKind};
use crate::wire::{ChannelName, MessageId, Nick};
use seed::Seed;
use store_model::StoreModel;

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
    let mut groups: Vec<(GroupId, AccountId)> = store.groups.members.clone();
    groups.sort_unstable();
    let known = core.groups.iter().flat_map(|group| group.members.iter().map(|&id| (group.stored.id, id)));
    assert_eq!(known.collect::<Vec<_>>(), groups);
    assert_files_match(core, store);
    assert_sessions_are_counted(core);
}

/// Asserts that records and state agree on the files, and that what is counted of them is right.
fn assert_files_match(core: &Core, store: &StoreModel) {
    assert_eq!(core.files.iter().len(), store.files.len());
    let mut bytes: BTreeMap<AccountId, u64> = BTreeMap::new();
    for file in store.files.values() {
        let state = core.files.get(file.id).expect("a file that is kept");
        assert_eq!(&state.file, file);
        *bytes.entry(file.owner).or_default() += file.size;
        let shares = store.file_shares.iter().filter(|share| share.file == file.id);
        let shares: BTreeMap<MessageId, Conversation> =
            shares.map(|share| (share.message, share.conversation)).collect();
        assert_eq!(state.shares, shares);
        assert!(core.files.has_content(&file.hash));
        let by_link = file.link.and_then(|link| core.linked_file(&link));
        assert_eq!(by_link.map(|found| found.id), file.link.map(|_| file.id));
    }
    for (owner, bytes) in bytes {
        assert_eq!(core.files.bytes_of(owner), bytes);
    }
}

/// Makes a change of accounts or invites as the administration does, or redeems an invite.
fn run_random_admin_request(d: &mut Driver, store: &StoreModel, rng: &mut SmallRng, step: usize) {
    let name = Nick::parse(["al", "bo", "cy", "di", "NickServ"].choose(rng).expect("one")).expect("a nick");
    let password = PasswordHash::from_phc(format!("password {step}"));
    let role = if rng.random() { Role::Admin } else { Role::Member };
    let mut token = [0; 32];
    token[0] = rng.random_range(0..16);
    let file = random_file(store, rng);
    let request = match rng.random_range(0..22) {
        20..22 => ChangeRequest::Admin(Change::Group(random_group_change(rng, name))),
        15..17 => ChangeRequest::Files(FileChange::Add(NewFile {
            id: FileId([u8::try_from(step % 251).unwrap_or_default(); 16]),
            owner: AccountId(rng.random_range(16..20)),
            name: "a.png".into(),
            media_type: "image/png".into(),
            size: rng.random_range(0..2000),
            hash: [rng.random_range(0..3); 32],
            dimensions: None,
        })),
        17 => ChangeRequest::Files(FileChange::SetLink {
            by: AccountId(rng.random_range(16..20)),
            file,
            link: Some(token).filter(|_| rng.random()),
        }),
        18 => ChangeRequest::Files(match rng.random_range(0..3) {
            0 => FileChange::Discard(file),
            1 => FileChange::Remove { by: AccountId(rng.random_range(16..20)), file },
            _ => FileChange::RemoveUnshared { before: d.now },
        }),
        12 if rng.random_ratio(1, 4) => ChangeRequest::Admin(Change::UserErase { name }),
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
            ChangeRequest::Admin(Change::account(name, change))
        }
    };
    // Names that are taken, unknown or not removed are refused, and a refusal changes nothing.
    let before = d.records.len();
    if d.request(request).is_err() {
        assert_eq!(d.records.len(), before);
    }
}

/// Returns a change of one of a few groups, with one account and one of a few channels.
pub(crate) fn random_group_change(rng: &mut SmallRng, account: Nick) -> GroupChange {
    let group = GroupName::parse(["g", "G", "h"].choose(rng).expect("one")).expect("a name");
    let channel = ChannelName::parse(["#a", "#b", "#c"].choose(rng).expect("one")).expect("a name");
    let action = match rng.random_range(0..10) {
        0..2 => GroupAction::Create,
        2 => GroupAction::Delete,
        3..6 => GroupAction::Add(vec![account]),
        6 => GroupAction::Remove(vec![account]),
        7..9 => GroupAction::Join(channel),
        _ => GroupAction::Part(channel),
    };
    GroupChange { group, action }
}

/// Returns a file that exists, or the id of none.
fn random_file(store: &StoreModel, rng: &mut SmallRng) -> FileId {
    let known: Vec<FileId> = store.files.keys().copied().collect();
    known.choose(rng).copied().unwrap_or(FileId([255; 16]))
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
                run_random_admin_request(&mut d, &store, &mut rng, step);
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
            66..78 => format!("PRIVMSG {channel} :step {step}"),
            78..80 => format!("PRIVMSG {channel} :https://h/f/{}", random_file(&store, &mut rng)),
            80..89 => format!("@label=x;parlour/send-id={step} PRIVMSG {nick} :step {step}"),
            89 => format!("PRIVMSG {nick} :https://h/f/{}/a.png", random_file(&store, &mut rng)),
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
