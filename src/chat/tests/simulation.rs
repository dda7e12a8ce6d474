//! Crowds from a seed: thousands of sessions act, disconnect and crash at random, and what must always hold is
//! checked after every step. A failure prints its seed.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::driver::Driver;
use crate::chat::InputKind;
use crate::chat::record::{AccountId, ChannelId, Record, Snapshot, StoredChannel};
use crate::wire::MessageId;

/// What the store would have kept.
#[derive(Default)]
struct Kept {
    channels: BTreeMap<ChannelId, StoredChannel>,
    last_channel: i64,
    messages: Vec<MessageId>,
    sends: HashMap<(AccountId, String), MessageId>,
}

impl Kept {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Message(m) => {
                assert!(self.messages.last().is_none_or(|last| *last < m.id), "ids only grow");
                self.messages.push(m.id);
                if let crate::chat::record::Place::Channel(id) = m.place {
                    self.channels.get_mut(&id).expect("said in a channel that is kept").spoken_in = true;
                }
                if let Some(send) = m.send_id {
                    let old = self.sends.insert((m.from, send.0.to_string()), m.id);
                    assert_eq!(old, None, "a send is kept once");
                }
            }
            Record::ChannelCreated { id, name, at } => {
                assert!(id.0 > self.last_channel, "a channel's number is given once");
                self.last_channel = id.0;
                let channel =
                    StoredChannel { id, name, created: at, topic: None, members: vec![], spoken_in: false };
                assert!(self.channels.insert(id, channel).is_none());
            }
            Record::ChannelRemoved(id) => {
                let gone = self.channels.remove(&id).expect("it was there");
                assert!(gone.members.is_empty() && !gone.spoken_in);
            }
            Record::TopicSet(id, topic) => self.channels.get_mut(&id).expect("there").topic = topic,
            Record::Joined { channel, account, .. } => {
                let members = &mut self.channels.get_mut(&channel).expect("there").members;
                assert!(!members.contains(&account), "nobody joins twice");
                members.push(account);
            }
            Record::Parted { channel, account } => {
                let members = &mut self.channels.get_mut(&channel).expect("there").members;
                assert!(members.contains(&account), "nobody parts twice");
                members.retain(|&m| m != account);
            }
        }
    }

    fn snapshot(&self, d: &Driver) -> Snapshot {
        Snapshot {
            accounts: d.accounts(),
            channels: self.channels.values().cloned().collect(),
            last_message: self.messages.last().copied().unwrap_or_default(),
            last_channel: self.last_channel,
            sends: vec![],
        }
    }
}

/// What the records say and what the chat does are the same, and who hears a channel are its members' sessions.
fn check(d: &Driver, kept: &Kept) {
    let chat = &d.chat;
    assert_eq!(chat.channels.iter().count(), kept.channels.len());
    for channel in chat.channels.iter() {
        let stored = kept.channels.get(&channel.id).expect("kept");
        assert_eq!((&channel.topic, channel.spoken_in), (&stored.topic, stored.spoken_in));
        let members: BTreeSet<AccountId> = stored.members.iter().copied().collect();
        assert_eq!(channel.members, members);
        let hears: BTreeSet<_> = channel.audience.seats().iter().map(|seat| seat.session).collect();
        assert_eq!(hears.len(), channel.audience.seats().len(), "each session once");
        let online = channel.members.iter().filter_map(|&id| chat.people.get(id));
        let sessions: BTreeSet<_> = online.flat_map(|p| p.seats.seats()).map(|seat| seat.session).collect();
        assert_eq!(hears, sessions);
        for &member in &channel.members {
            assert!(chat.people.get(member).expect("a person").channels.contains(&channel.id));
        }
    }
    let seats: usize =
        (16..19).map(|id| chat.people.get(AccountId(id)).expect("there").seats.seats().len()).sum();
    assert_eq!(seats, chat.session_count());
}

fn run(seed: u64, steps: usize) {
    let mut rng = SmallRng::seed_from_u64(seed);
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
                let session = d.open(name, caps.choose(&mut rng).expect("one"));
                sessions.push(session);
                String::new()
            }
            10..18 if !sessions.is_empty() => {
                let session = sessions.swap_remove(rng.random_range(0..sessions.len()));
                d.input(InputKind::Closed(session, "lost".into()));
                String::new()
            }
            // The power goes: what was kept is all that is left.
            18 => {
                let now = d.now;
                d = Driver::from_kept(kept.snapshot(&d));
                d.now = now;
                sessions.clear();
                String::new()
            }
            19..40 => format!("JOIN {channel}"),
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
}

#[test]
fn crowds_keep_the_rules() {
    for round in 0..20 {
        let seed = 0x5eed + round;
        println!("seed {seed}");
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
