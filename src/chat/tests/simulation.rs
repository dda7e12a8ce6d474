//! Simulation from a seed: sessions act, disconnect and crash at random, and the invariants are checked after every
//! step. A failure prints its seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;

use super::driver::Driver;
use super::seed::Seed;
use crate::chat::InputKind;
use crate::chat::account::{Device, DeviceKey};
use crate::chat::modes::{ListEntry, ListKind, Modes};
use crate::chat::record::{AccountId, ChannelId, Place, Record, Snapshot, StoredChannel};
use crate::wire::{ChannelName, MessageId, Millis};

/// A stand-in for the store.
#[derive(Default)]
struct Kept {
    channels: BTreeMap<ChannelId, StoredChannel>,
    last_channel: i64,
    messages: Vec<MessageId>,
    sends: HashMap<(AccountId, String), MessageId>,
    markers: BTreeMap<(AccountId, String), (Place, Millis)>,
    early_markers: Vec<(AccountId, ChannelName, Millis)>,
    devices: Vec<(AccountId, Device)>,
    audited: usize,
}

impl Kept {
    fn channel(&mut self, id: ChannelId) -> &mut StoredChannel {
        self.channels.get_mut(&id).expect("a channel that is kept")
    }

    fn apply(&mut self, record: Record) {
        match record {
            Record::Message(m) => {
                assert!(self.messages.last().is_none_or(|last| *last < m.id), "ids only grow");
                self.messages.push(m.id);
                if let Place::Channel(id) = m.place {
                    self.channel(id).spoken_in |= m.kind.is_said();
                }
                if let Some(send) = m.send_id {
                    let old = self.sends.insert((m.from, send.0.to_string()), m.id);
                    assert_eq!(old, None, "a send is kept once");
                }
            }
            Record::ChannelCreated { id, name, maker, at } => {
                assert!(id.0 > self.last_channel, "a channel's number is given once");
                self.last_channel = id.0;
                let channel = StoredChannel {
                    id,
                    name,
                    created: at,
                    maker: Some(maker),
                    topic: None,
                    members: vec![],
                    spoken_in: false,
                    modes: Modes::default(),
                    ranks: vec![],
                    lists: vec![],
                    invited: vec![],
                    old_names: vec![],
                };
                assert!(self.channels.values().all(|other| other.name != channel.name), "a name once");
                assert!(self.channels.insert(id, channel).is_none());
            }
            Record::ChannelRemoved(id) => {
                let gone = self.channels.remove(&id).expect("it was there");
                assert!(gone.members.is_empty() && !gone.spoken_in);
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
            Record::RanksSet { channel, account, ranks } => {
                let all = &mut self.channel(channel).ranks;
                all.retain(|(of, _)| *of != account);
                all.extend(Some((account, ranks)).filter(|(_, ranks)| !ranks.is_empty()));
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
            Record::Invited { channel, account, pending } => {
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
            Record::Marked { .. } | Record::MarkedEarly { .. } => self.apply_to_markers(record),
            Record::DeviceAdded { .. } | Record::DeviceRemoved(_) | Record::DeviceUsed { .. } => {
                self.apply_to_devices(record);
            }
            Record::MetadataSet { .. }
            | Record::Seen(..)
            | Record::PreferencesSet(..)
            | Record::AccountForgotten(_)
            | Record::IdsAhead(_) => {}
            Record::Audit { .. } => self.audited += 1,
        }
    }

    fn apply_to_markers(&mut self, record: Record) {
        match record {
            Record::Marked { account, place, read } => {
                let old = self.markers.insert((account, format!("{place:?}")), (place, read));
                assert!(old.is_none_or(|(_, old)| old < read), "markers only grow");
            }
            Record::MarkedEarly { account, channel, read } => {
                let place =
                    self.early_markers.iter().position(|(of, at, _)| (*of, at) == (account, &channel));
                let old = place.map(|place| self.early_markers.swap_remove(place).2);
                assert!(read.is_some() || old.is_some(), "one that is dropped was kept");
                assert!(read.is_none_or(|read| old.is_none_or(|old| old < read)), "markers only grow");
                self.early_markers.extend(read.map(|read| (account, channel, read)));
            }
            other => panic!("{other:?}"),
        }
    }

    fn apply_to_devices(&mut self, record: Record) {
        match record {
            Record::DeviceAdded { account, key, at } => {
                assert!(
                    self.devices.iter().all(|(_, known)| known.key != key),
                    "a device of one account, once"
                );
                self.devices.push((account, Device { key, added: at, used: None }));
            }
            Record::DeviceRemoved(key) => {
                let before = self.devices.len();
                self.devices.retain(|(_, known)| known.key != key);
                assert_eq!(self.devices.len() + 1, before, "a device that was there");
            }
            Record::DeviceUsed { key, at } => {
                let mut devices = self.devices.iter_mut();
                let (_, device) =
                    devices.find(|(_, known)| known.key == key).expect("a device that was there");
                device.used = Some(at);
            }
            other => panic!("{other:?}"),
        }
    }

    fn snapshot(&self, d: &Driver) -> Snapshot {
        Snapshot {
            accounts: d.accounts(),
            channels: self.channels.values().cloned().collect(),
            last_message: self.messages.last().copied().unwrap_or_default(),
            last_channel: self.last_channel,
            early_markers: self.early_markers.clone(),
            devices: self.devices.clone(),
            markers: self.markers.iter().map(|((of, _), &(place, read))| (*of, place, read)).collect(),
            ..Snapshot::default()
        }
    }
}

/// Asserts that the records and the core's state agree, and that the audience of a channel is the sessions of its
/// members.
fn check(d: &Driver, kept: &Kept) {
    let chat = &d.chat;
    assert_eq!(chat.channels.iter().count(), kept.channels.len());
    for channel in chat.channels.iter() {
        let stored = kept.channels.get(&channel.id).expect("kept");
        assert_eq!((&channel.topic, channel.spoken_in), (&stored.topic, stored.spoken_in));
        assert_eq!((&channel.name, &channel.modes), (&stored.name, &stored.modes));
        assert_eq!(channel.maker, stored.maker);
        assert_eq!(channel.ranks, stored.ranks.iter().copied().collect());
        assert_eq!(channel.invited, stored.invited.iter().copied().collect());
        let members: BTreeSet<AccountId> = stored.members.iter().copied().collect();
        assert_eq!(channel.members, members);
        let hears: BTreeSet<_> = channel.audience.seats().map(|seat| seat.session).collect();
        assert_eq!(hears.len(), channel.audience.len(), "each session once");
        let online = channel.members.iter().filter_map(|&id| chat.people.get(id));
        let sessions: BTreeSet<_> = online.flat_map(|p| p.seats.seats()).map(|seat| seat.session).collect();
        assert_eq!(hears, sessions);
        for &member in &channel.members {
            assert!(chat.people.get(member).expect("a person").channels.contains(&channel.id));
        }
    }
    for id in (16..19).map(AccountId) {
        let stored: Vec<Device> =
            kept.devices.iter().filter(|(of, _)| *of == id).map(|(_, device)| *device).collect();
        assert_eq!(chat.people.get(id).expect("there").devices, stored);
        for device in stored {
            assert_eq!(chat.owner(device.key).map(|account| account.id), Some(id));
        }
        let made = kept.channels.values().filter(|channel| channel.maker == Some(id)).count();
        assert_eq!(chat.channels.made_by(id), made);
    }
    let seats: Vec<usize> =
        (16..19).map(|id| chat.people.get(AccountId(id)).expect("there").seats.len()).collect();
    let online = seats.iter().filter(|&&seats| seats > 0).count();
    assert_eq!((seats.iter().sum(), online), (chat.sizes().sessions, chat.sizes().online));
}

fn run(seed: u64, steps: usize) {
    let named = Seed(seed);
    let mut rng = named.rng();
    let mut d = Driver::new();
    let mut kept = Kept::default();
    let mut sessions = Vec::new();
    let caps =
        ["", "echo-message", "message-tags server-time", "labeled-response batch echo-message message-tags"];
    for step in 0..steps {
        let channel = ["#a", "#A", "#b", "#c", "#d"].choose(&mut rng).expect("one");
        let person = ["al", "bo", "cy", "echo", "nobody"].choose(&mut rng).expect("one");
        let line = match rng.random_range(0..100) {
            0..10 => {
                let name = ["al", "bo", "cy"].choose(&mut rng).expect("one");
                let caps = caps.choose(&mut rng).expect("one");
                let key = DeviceKey([rng.random_range(0..8); 32]);
                sessions.push(d.open_by(key, name, caps));
                String::new()
            }
            10..18 if !sessions.is_empty() => {
                let session = sessions.swap_remove(rng.random_range(0..sessions.len()));
                d.input(InputKind::Closed(session, "lost".into()));
                String::new()
            }
            // A power cut: only stored state is left.
            18 => {
                let now = d.now;
                d = Driver::from_kept(kept.snapshot(&d));
                d.now = now;
                sessions.clear();
                String::new()
            }
            19..40 => format!("JOIN {channel} {person}"),
            40..50 => format!("PART {channel} :bye"),
            50..52 => "JOIN 0".to_owned(),
            52..58 => format!("TOPIC {channel} :{}", ["", "x", "y"].choose(&mut rng).expect("one")),
            58..62 => format!(
                "CAP REQ :{}",
                ["-echo-message", "server-time", "message-tags"].choose(&mut rng).expect("one")
            ),
            62..66 => format!("@+typing=active TAGMSG {channel}"),
            66..80 => format!("PRIVMSG {channel} :step {step}"),
            80..90 => format!("@label=x;parlour/send-id={step} PRIVMSG {person} :step {step}"),
            90..92 => "QUIT :bye".to_owned(),
            92..94 => {
                let modes =
                    ["+o", "-o", "+v", "-q", "+b", "-b", "+e", "+I", "+l", "-l", "+k", "-k", "+im", "-imnt"];
                format!("MODE {channel} {} {person}", modes.choose(&mut rng).expect("one"))
            }
            94 => format!("KICK {channel} {person} :out"),
            95 => format!("INVITE {person} {channel}"),
            96 => format!("RENAME {channel} {}", ["#a", "#e", "#f"].choose(&mut rng).expect("one")),
            97 => format!("@label=r REDACT {channel} {}", d.last_message()),
            // The fingerprint may be another account's device.
            98 if rng.random() => format!(
                "CERT {} {}",
                ["ADD", "ADD", "DEL"].choose(&mut rng).expect("one"),
                DeviceKey([rng.random_range(0..8); 32])
            ),
            98 => format!("MARKREAD {channel} timestamp={}", d.now),
            _ => format!(
                "{} {channel}",
                ["NAMES", "WHO", "MODE", "WHOIS", "LIST", "AWAY", "PING"].choose(&mut rng).expect("one")
            ),
        };
        if let Some(&session) = sessions.choose(&mut rng).filter(|_| !line.is_empty()) {
            let got = d.say(session, &line);
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
            kept.apply(record);
        }
        check(&d, &kept);
    }
    assert!(kept.audited > 0, "somebody kept order");
}

#[test]
fn crowds_keep_the_rules() {
    for round in 0..20 {
        let seed = 0x5eed + round;
        run(seed, 3000);
    }
}

#[test]
fn the_same_inputs_give_the_same_effects() {
    let play = || {
        let mut d = Driver::new();
        let sessions = ["al", "bo", "cy"].map(|name| d.open(name, "message-tags echo-message"));
        let mut all = String::new();
        for round in 0..50 {
            for &session in &sessions {
                all += &d.say(session, &format!("JOIN #{}", round % 7));
                all += &d.say(session, &format!("PRIVMSG #{} :round {round}", round % 7));
                all += &d.say(session, "NAMES #1,#2");
                all += &d.say(session, "LIST");
            }
        }
        (all, d.records)
    };
    assert_eq!(play(), play());
}
