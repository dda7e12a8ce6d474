//! Compares the history with a plain list, after any messages, redactions and removals, in volumes of three rows.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::core::effects::history::{MessageFilter, Window};
use crate::core::record::{AccountId, ChannelId, ForgottenHistory, Record};
use crate::store::database::schema;
use crate::store::history;
use crate::store::tables::record_writer::RecordWriter;
use crate::store::tables::retention;
use crate::wire::{ChannelName, Timestamp};

/// Count of conversations. The first has the most messages, and the last few.
const CONVERSATIONS: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    /// Messages of kinds in a conversation, in one transaction. Some of them share a millisecond.
    Append {
        conversation: usize,
        kinds: Vec<usize>,
    },
    /// The same, but the transaction fails in the end.
    RollBack {
        conversation: usize,
        kinds: Vec<usize>,
    },
    /// An old message at a point in the history, which another one may have.
    Import {
        conversation: usize,
        kind: usize,
        point: usize,
    },
    Redact(usize),
    Expire {
        conversation: usize,
        before: Option<usize>,
        keep: Option<u32>,
        max_rows: u32,
    },
    /// Replaces a channel by another one.
    Remove(usize),
    Reopen,
    Read {
        conversation: usize,
        after: usize,
        before: usize,
        newest: bool,
        limit: usize,
        events: bool,
        redactions: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let conversation = || prop_oneof![6 => Just(0), 3 => Just(1), 3 => Just(2), 1 => Just(3)];
    // Messages, reactions, joins, redactions.
    let kind = prop_oneof![4 => Just(0_usize), 1 => Just(1), 1 => Just(2), 2 => Just(3), 1 => Just(9)];
    let kinds = prop::collection::vec(kind, 1..6);
    let point = 0..100_usize;
    let before = prop_oneof![Just(None), point.clone().prop_map(Some), Just(Some(usize::MAX))];
    prop_oneof![
        6 => (conversation(), kinds.clone()).prop_map(|(conversation, kinds)| Step::Append { conversation, kinds }),
        1 => (conversation(), kinds).prop_map(|(conversation, kinds)| Step::RollBack { conversation, kinds }),
        2 => (conversation(), prop_oneof![Just(0_usize), Just(3), Just(9)], point.clone())
            .prop_map(|(conversation, kind, point)| Step::Import { conversation, kind, point }),
        2 => point.clone().prop_map(Step::Redact),
        2 => (conversation(), before, prop::option::of(1..5_u32), 1..30_u32)
            .prop_map(|(conversation, before, keep, max_rows)| Step::Expire { conversation, before, keep, max_rows }),
        1 => (0..2_usize).prop_map(Step::Remove),
        1 => Just(Step::Reopen),
        8 => (conversation(), point.clone(), point, any::<bool>(), 0..7_usize, any::<bool>(), any::<bool>()).prop_map(
            |(conversation, after, before, newest, limit, events, redactions)| Step::Read {
                conversation, after, before, newest, limit, events, redactions,
            }
        ),
    ]
}

#[derive(Clone, Copy, Debug)]
struct ModelRow {
    id: MessageId,
    conversation: Conversation,
    kind: MessageKind,
    redacted: bool,
}

impl ModelRow {
    fn class(&self) -> Class {
        if self.redacted { Class::Redacted } else { Class::from_kind(self.kind) }
    }
}

/// Expected content of the store.
struct Model {
    rows: Vec<ModelRow>,
    last: MessageId,
    conversations: [Conversation; CONVERSATIONS],
    channels: i64,
    /// Old messages were imported, which may have made volumes larger.
    imported: bool,
}

impl Model {
    fn new() -> Self {
        let channel = |n| Conversation::Channel(ChannelId(n));
        let conversations = [channel(1), channel(2), direct(0), direct(7)];
        Self { rows: Vec::new(), last: MessageId::default(), conversations, channels: 2, imported: false }
    }

    fn next_rows(&mut self, conversation: usize, kinds: &[usize]) -> Vec<ModelRow> {
        let next = |&kind: &usize| {
            // About two messages for each millisecond; the ids within one are consecutive.
            self.last = self.last.next(Timestamp(self.last.time().0 + u64::from(kind % 2 == 0)));
            ModelRow {
                id: self.last,
                conversation: self.conversations[conversation],
                kind: MessageKind::ALL[kind],
                redacted: false,
            }
        };
        kinds.iter().map(next).collect()
    }

    /// Adds an old message at its place, unless it is there. Returns its record.
    fn import(&mut self, conversation: usize, kind: usize, point: usize) -> Option<Record> {
        let (mut id, conversation) = (self.id_at(point), self.conversations[conversation]);
        // Ids of the first milliseconds leave no room before them.
        if id >= self.last || id.time() < Timestamp(2) {
            return None;
        }
        let kind = MessageKind::ALL[kind];
        let row = ModelRow { id, conversation, kind, redacted: false };
        let Record::Message(message) = message(&row) else { return None };
        let record = Record::MessageImported { message, redacted: false };
        loop {
            match self.rows.binary_search_by_key(&id, |row| row.id) {
                Ok(at) if self.rows[at].conversation == conversation && self.rows[at].kind == kind => break,
                Ok(_) => id = id.predecessor(),
                Err(at) => {
                    self.rows.insert(at, ModelRow { id, ..row });
                    break;
                }
            }
        }
        self.imported = true;
        Some(record)
    }

    /// Returns a point in the history: that of a message, or of the first of its time; or the end.
    fn id_at(&self, point: usize) -> MessageId {
        let row = (point < usize::MAX).then(|| self.rows.get(point % (self.rows.len() + 1)));
        match row.flatten() {
            Some(row) if point.is_multiple_of(2) => MessageId::first_at(row.id.time()),
            Some(row) => row.id,
            None => MessageId::LAST,
        }
    }

    fn ids_of(&self, conversation: Conversation, class: Class) -> Vec<MessageId> {
        let here = |row: &&ModelRow| row.conversation == conversation && row.class() == class;
        self.rows.iter().filter(here).map(|row| row.id).collect()
    }

    fn read(&self, conversation: Conversation, window: &Window, kinds: MessageFilter) -> Vec<MessageId> {
        let counts = |class| class == Class::Message || (kinds.events && class == Class::Event);
        let inside = |row: &&ModelRow| {
            row.conversation == conversation && row.id > window.after && row.id < window.before
        };
        let mut rows: Vec<&ModelRow> = self.rows.iter().filter(inside).collect();
        if window.newest {
            rows.reverse();
        }
        let last = rows.iter().filter(|row| counts(row.class())).nth(window.limit.saturating_sub(1));
        let end = last.map(|last| last.id).filter(|_| window.limit > 0);
        let mut page = Vec::new();
        for row in rows.into_iter().take_while(|_| window.limit > 0) {
            if counts(row.class()) || (kinds.redactions && row.class() == Class::Redaction) {
                page.push(row.id);
            }
            if Some(row.id) == end {
                break;
            }
        }
        page.sort_unstable();
        page
    }

    /// Removes up to `max_rows` messages that are older than a time or than the latest `keep`. Returns their count.
    fn remove_expired(
        &mut self,
        conversation: Conversation,
        after: Option<Timestamp>,
        keep: Option<u32>,
        max_rows: u32,
    ) -> u32 {
        let oldest = |class| {
            let ids = self.ids_of(conversation, class);
            let from = keep.and_then(|keep| ids.len().checked_sub(keep as usize));
            from.map_or_else(MessageId::default, |from| ids[from])
        };
        let first = after.map(MessageId::first_at).unwrap_or_default().max(oldest(Class::Message));
        let mut removed = Vec::new();
        for class in Class::ALL {
            let bound = first.max(oldest(class));
            removed.extend(self.ids_of(conversation, class).into_iter().filter(|id| *id < bound));
        }
        removed.truncate(max_rows as usize);
        self.rows.retain(|row| !removed.contains(&row.id));
        u32::try_from(removed.len()).expect("few")
    }
}

fn direct(with: i64) -> Conversation {
    Conversation::direct(AccountId(0), AccountId(with))
}

fn message(row: &ModelRow) -> Record {
    let &ModelRow { id, conversation: place, kind, .. } = row;
    let (text, tags) = ("x".into(), "".into());
    Record::Message(StoredMessage {
        id,
        conversation: place,
        from: AccountId(0),
        kind,
        text,
        tags,
        send_id: None,
    })
}

fn channel_created(channel: i64) -> Record {
    let name = ChannelName::parse(&format!("#c{channel}")).expect("a name");
    Record::ChannelCreated { id: ChannelId(channel), name, creator: AccountId(0), at: Timestamp(0) }
}

fn open(path: &std::path::Path) -> Connection {
    let conn = schema::open_writer(path).expect("opens");
    // This test has no power cuts.
    conn.pragma_update(None, "synchronous", "OFF").expect("set");
    conn
}

/// Runs one transaction, committed or not.
fn write(conn: &Connection, keeper: &mut RecordWriter<'_>, records: &[Record], keep: bool) {
    conn.execute_batch("BEGIN IMMEDIATE").expect("begins");
    for record in records {
        keeper.apply(record).expect("applied");
    }
    conn.execute_batch(if keep { "COMMIT" } else { "ROLLBACK" }).expect("ends");
    if !keep {
        keeper.reset_after_rollback();
    }
}

/// Takes steps until the database is to be reopened. Does the same to the store and to the model.
fn run_until_reopen(
    conn: &Connection,
    steps: &mut std::slice::Iter<'_, Step>,
    model: &mut Model,
) -> Option<()> {
    let mut keeper = RecordWriter::new(conn).expect("prepares");
    for step in steps {
        match *step {
            Step::Append { conversation: place, ref kinds } => {
                let rows = model.next_rows(place, kinds);
                write(conn, &mut keeper, &rows.iter().map(message).collect::<Vec<_>>(), true);
                model.rows.extend(rows);
            }
            Step::RollBack { conversation: place, ref kinds } => {
                let rows = model.next_rows(place, kinds);
                write(conn, &mut keeper, &rows.iter().map(message).collect::<Vec<_>>(), false);
            }
            Step::Import { conversation, kind, point } => {
                if let Some(record) = model.import(conversation, kind, point) {
                    write(conn, &mut keeper, &[record], true);
                }
            }
            Step::Redact(n) => {
                let n = n % model.rows.len().max(1);
                if let Some(row) = model.rows.get_mut(n) {
                    row.redacted = true;
                    let record = Record::Redacted { conversation: row.conversation, message: row.id };
                    write(conn, &mut keeper, &[record], true);
                }
            }
            Step::Expire { conversation: place, before, keep, max_rows: most } => {
                let conversation = model.conversations[place];
                let after = before.map(|before| model.id_at(before).time());
                let kept = history::kept_from(conn, conversation, (after, keep)).expect("reads");
                let forgotten = ForgottenHistory { conversation, kept, most };
                let removed = retention::old(conn, &forgotten).expect("reads");
                write(conn, &mut keeper, &[Record::HistoryForgotten(forgotten)], true);
                assert_eq!(
                    removed,
                    model.remove_expired(conversation, after, keep, most),
                    "forgotten at {conversation:?}"
                );
            }
            Step::Remove(n) => {
                let Conversation::Channel(id) = model.conversations[n] else { panic!("a channel") };
                model.rows.retain(|row| row.conversation != model.conversations[n]);
                model.channels += 1;
                model.conversations[n] = Conversation::Channel(ChannelId(model.channels));
                let records = [Record::ChannelRemoved(id), channel_created(model.channels)];
                write(conn, &mut keeper, &records, true);
            }
            Step::Reopen => return Some(()),
            Step::Read { conversation: place, after, before, newest, limit, events, redactions } => {
                let conversation = model.conversations[place];
                let (after, before) = (model.id_at(after).predecessor(), model.id_at(before));
                let (window, kinds) =
                    (Window { after, before, newest, limit }, MessageFilter { events, redactions });
                let page = history::read(conn, conversation, &window, kinds, 1 << 20).expect("reads");
                let page: Vec<_> = page.iter().map(|kept| kept.message.id).collect();
                assert_eq!(
                    page,
                    model.read(conversation, &window, kinds),
                    "{kinds:?} of {conversation:?} in {window:?}"
                );
            }
        }
    }
    None
}

/// Checks the invariants; see the schema.
fn check(conn: &Connection, model: &Model) {
    let query = |sql: &str| -> BTreeSet<(i64, i64, i64)> {
        let mut query = conn.prepare(sql).expect(sql);
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect(sql);
        rows.collect::<Result<_, _>>().expect(sql)
    };
    let rows = query("SELECT volume, place, class FROM messages");
    let listed = query("SELECT volume, place, class FROM contents");
    assert!(rows.is_subset(&listed), "not listed: {:?}", rows.difference(&listed));
    let sizes = query("SELECT volume, count(*), 0 FROM messages GROUP BY volume");
    let is_full = |(_, rows, _): &(i64, i64, i64)| *rows <= ROWS_PER_VOLUME.into();
    assert!(model.imported || sizes.iter().all(is_full), "{sizes:?}");
    let strays = query(
        "SELECT m.id, m.volume, 0 FROM messages m WHERE m.volume !=
             (SELECT number FROM volumes WHERE first <= m.id ORDER BY first DESC LIMIT 1)",
    );
    assert!(strays.is_empty(), "not in the volume of their time: {strays:?}");
    let all: i64 = conn.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).expect("counts");
    assert_eq!(usize::try_from(all).expect("few"), model.rows.len());
    for place in model.conversations {
        let latest = history::latest_message_id(conn, place).expect("reads");
        assert_eq!(latest, model.ids_of(place, Class::Message).last().copied(), "the latest of {place:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("PROPTEST_CASES").is_some() {
        ProptestConfig::default().cases
    } else {
        40
    }))]

    #[test]
    fn volumes_match_a_plain_list(steps in prop::collection::vec(step(), 1..120)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.db");
        let (mut model, mut steps) = (Model::new(), steps.iter());
        let conn = open(&path);
        write(&conn, &mut RecordWriter::new(&conn).expect("prepares"), &[channel_created(1), channel_created(2)], true);
        drop(conn);
        loop {
            let conn = open(&path);
            let again = run_until_reopen(&conn, &mut steps, &mut model);
            check(&conn, &model);
            if again.is_none() {
                break;
            }
        }
    }
}
