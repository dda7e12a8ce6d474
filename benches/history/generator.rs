//! Generated history: messages of a few hundred accounts in some channels and in direct conversations.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use parlour::core::record::secret::PasswordHash;
use parlour::core::record::{
    Account, AccountId, ChannelId, Conversation, MessageKind, Record, Role, SendId, StoredMessage,
};
use parlour::store::{Store, StoreError};
use parlour::wire::{ChannelName, MessageId, Nick, Timestamp};
use rand::rngs::SmallRng;
use rand::{RngExt as _, SeedableRng as _};

/// Count of channels; the first holds half of all messages.
pub const CHANNELS: i64 = 20;

/// Count of accounts, each of which has direct conversations with [`PEERS_PER_ACCOUNT`] others.
pub const ACCOUNTS: i64 = 200;
const PEERS_PER_ACCOUNT: i64 = 6;

/// Count of direct conversations that are active at a time.
const ACTIVE_CONVERSATIONS: i64 = 24;

/// Start time stamp, and the time from a message to the next, in milliseconds: ten million messages take about twelve
/// days.
const START_MS: u64 = 1_700_000_000_000;
const INTERVAL_MS: u64 = 100;

/// Time limit of a fill.
const MAX_FILL_TIME: Duration = Duration::from_mins(20);

/// Count of records in one transaction of a fill.
const FILL_BATCH: usize = 4096;

/// Generator of the messages, in order. The same for every store, up to the length of each.
pub struct MessageGenerator {
    rng: SmallRng,
    /// Ids of the accounts.
    accounts: Vec<AccountId>,
    last: MessageId,
    rows: u64,
    /// If set, generates only messages in channels from now on.
    pub channels_only: bool,
    /// The active direct conversations.
    active_conversations: Vec<i64>,
    /// Recent messages, some of which get redacted.
    recent: Vec<(Conversation, MessageId)>,
    words: Vec<&'static str>,
}

const WORDS: &str = "the same again later today we meet at noon near window who has keys for room seven I sent \
     you a file yesterday look at page twelve please and tell them that it works now thanks see you there maybe \
     tomorrow what about lunch yes no of course not really fine with me";

impl MessageGenerator {
    /// Opens an empty store in a folder, and makes its accounts and channels.
    pub fn create(folder: &Path) -> (Store, Self) {
        let store = Store::open(folder).expect("opens");
        let account_ids: Vec<AccountId> = (1..=ACCOUNTS).map(AccountId).collect();
        let added = |&id: &AccountId| Record::AccountAdded {
            account: Account {
                id,
                name: Nick::parse(&format!("person{}", id.0)).expect("a nick"),
                role: Role::Member,
                disabled: false,
            },
            password: PasswordHash::from_phc("$argon2id$none"),
            invite: None,
            at: Timestamp(START_MS),
        };
        commit(&store, account_ids.iter().map(added).collect());
        let created = |n| Record::ChannelCreated {
            id: ChannelId(n),
            name: ChannelName::parse(&format!("#channel{n}")).expect("a name"),
            creator: AccountId(0),
            at: Timestamp(START_MS),
        };
        commit(&store, (1..=CHANNELS).map(created).collect());
        let past = Self {
            rng: SmallRng::seed_from_u64(0x0007_a1e5),
            accounts: account_ids,
            last: MessageId::first_at(Timestamp(START_MS)),
            rows: 0,
            channels_only: false,
            active_conversations: (0..ACTIVE_CONVERSATIONS).collect(),
            recent: Vec::new(),
            words: WORDS.split_whitespace().collect(),
        };
        (store, past)
    }

    /// Returns the count of message rows generated.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn accounts(&self) -> &[AccountId] {
        &self.accounts
    }

    /// Generates the next records: so many messages, and the records that go with them.
    pub fn next_batch(&mut self, messages: usize) -> Vec<Record> {
        let mut records = Vec::with_capacity(messages + messages / 16);
        let end = self.rows + messages as u64;
        while self.rows < end {
            self.push_next(&mut records);
        }
        records
    }

    fn push_next(&mut self, records: &mut Vec<Record>) {
        let conversations = ACCOUNTS * PEERS_PER_ACCOUNT;
        if self.rows < conversations.unsigned_abs() && !self.channels_only {
            // First every pair exchanges a message, so that each store has all direct conversations.
            let n = i64::try_from(self.rows).expect("few");
            let text = self.random_text();
            let (conversation, from) = self.direct_conversation(n);
            return self.push_message(records, conversation, from, MessageKind::Privmsg, text);
        }
        let from = self.random_account();
        let channel = if self.rng.random_bool(0.55) { 1 } else { self.rng.random_range(2..=CHANNELS) };
        let conversation = Conversation::Channel(ChannelId(channel));
        // Out of a thousand.
        let which = if self.channels_only { 1000 } else { self.rng.random_range(0..1000) };
        match which {
            // Reactions and topics.
            0..10 => self.push_message(records, conversation, from, MessageKind::Tagmsg, "".into()),
            10..12 => self.push_message(
                records,
                conversation,
                from,
                MessageKind::Topic,
                "this week: nothing much".into(),
            ),
            // Joins and parts.
            12..26 => {
                let (channel, at) = (ChannelId(channel), self.last.time());
                if self.rng.random_bool(0.5) {
                    records.push(Record::Joined { channel, account: from, at });
                    self.push_message(records, conversation, from, MessageKind::Join, "".into());
                } else {
                    records.push(Record::Parted { channel, account: from });
                    self.push_message(records, conversation, from, MessageKind::Part, "bye".into());
                }
            }
            26..29 if !self.recent.is_empty() => {
                let index = self.rng.random_range(0..self.recent.len());
                let (conversation, message) = self.recent.swap_remove(index);
                records.push(Record::Redacted { conversation, message });
                self.push_message(
                    records,
                    conversation,
                    from,
                    MessageKind::Redact,
                    message.to_string().into(),
                );
            }
            29..110 => {
                // A direct conversation goes on for some messages before others have theirs.
                let index = self.rng.random_range(0..self.active_conversations.len());
                if self.rng.random_bool(0.04) {
                    self.active_conversations[index] = self.rng.random_range(0..conversations);
                }
                let n = self.active_conversations[index];
                let text = self.random_text();
                let (conversation, from) = self.direct_conversation(n);
                self.push_message(records, conversation, from, MessageKind::Privmsg, text);
            }
            _ => {
                let text = self.random_text();
                self.push_message(records, conversation, from, MessageKind::Privmsg, text);
            }
        }
    }

    fn push_message(
        &mut self,
        records: &mut Vec<Record>,
        conversation: Conversation,
        from: AccountId,
        kind: MessageKind,
        text: Arc<str>,
    ) {
        self.rows += 1;
        let id = self.last.next(Timestamp(START_MS + self.rows * INTERVAL_MS));
        self.last = id;
        let tags = if kind == MessageKind::Tagmsg { "+draft/react=yes" } else { "" };
        // The clients of some accounts set send ids.
        let send_id = (!self.channels_only && kind.is_text_message() && self.rows.is_multiple_of(4))
            .then(|| SendId(format!("{id}-{from:?}").into()));
        if kind.is_text_message() {
            self.recent.push((conversation, id));
            if self.recent.len() > 512 {
                self.recent.swap_remove(0);
            }
        }
        records.push(Record::Message(StoredMessage {
            id,
            conversation,
            from,
            kind,
            text,
            tags: tags.into(),
            send_id,
        }));
    }

    fn random_account(&mut self) -> AccountId {
        self.accounts[self.rng.random_range(0..self.accounts.len())]
    }

    /// Returns a direct conversation, and one account of it.
    fn direct_conversation(&self, n: i64) -> (Conversation, AccountId) {
        let at = |n: i64| self.accounts[usize::try_from(n.rem_euclid(ACCOUNTS)).expect("few")];
        let (a, b) = (at(n / PEERS_PER_ACCOUNT), at(n / PEERS_PER_ACCOUNT + 1 + n % PEERS_PER_ACCOUNT));
        (Conversation::direct(a, b), a)
    }

    /// Generates a text of about sixty bytes.
    fn random_text(&mut self) -> Arc<str> {
        let mut text = String::with_capacity(128);
        let length = self.rng.random_range(20..90);
        while text.len() < length {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.words[self.rng.random_range(0..self.words.len())]);
        }
        text.into()
    }
}

/// Commits a batch and waits until it is durable.
pub fn commit(store: &Store, records: Vec<Record>) {
    let (done, durable) = sync_channel(1);
    store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
    durable.recv().expect("answered").expect("kept");
}

/// Fills a store up to so many rows, and prints the time.
pub fn fill(store: &Store, past: &mut MessageGenerator, rows: u64) {
    let began = Instant::now();
    // A few batches under way, so that generating them costs no extra time.
    let (done, durable) = sync_channel::<Result<(), StoreError>>(8);
    let mut under_way = 0;
    while past.rows() < rows && began.elapsed() < MAX_FILL_TIME {
        if under_way == 2 {
            durable.recv().expect("answered").expect("kept");
            under_way -= 1;
        }
        let left = usize::try_from(rows - past.rows()).unwrap_or(usize::MAX);
        let records = past.next_batch(left.min(FILL_BATCH));
        let done = done.clone();
        store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        under_way += 1;
    }
    for _ in 0..under_way {
        durable.recv().expect("answered").expect("kept");
    }
    let cut = if past.rows() < rows { ", cut short" } else { "" };
    let bytes = std::fs::metadata(store.folder().join("parlour.db")).map_or(0, |file| file.len());
    println!(
        "filled {} rows in {:.1} s, {} MiB{cut}",
        past.rows(),
        began.elapsed().as_secs_f64(),
        bytes >> 20
    );
}
