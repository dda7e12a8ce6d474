//! Compares the history with a plain list, after any messages, redactions and removals, in volumes of three rows.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::core::effects::history::{Kinds, Window};
use crate::core::record::{AccountId, ChannelId, Record};
use crate::store::database::schema;
use crate::store::history;
use crate::store::tables::records::Keeper;
use crate::wire::{ChannelName, Millis};

/// Count of conversations. The first has the most messages, and the last few.
const PLACES: usize = 4;

#[derive(Clone, Debug)]
enum Step {
    /// Messages of kinds in a conversation, in one transaction. Some of them share a millisecond.
    Say {
        place: usize,
        kinds: Vec<usize>,
    },
    /// The same, but the transaction fails in the end.
    Fail {
        place: usize,
        kinds: Vec<usize>,
    },
    Redact(usize),
    Forget {
        place: usize,
        before: Option<usize>,
        keep: Option<u32>,
        most: u32,
    },
    /// Removes a channel; another takes its place.
    Remove(usize),
    Reopen,
    Read {
        place: usize,
        after: usize,
        before: usize,
        newest: bool,
        limit: usize,
        events: bool,
        redactions: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let place = || prop_oneof![6 => Just(0), 3 => Just(1), 3 => Just(2), 1 => Just(3)];
    // Messages, reactions, joins, redactions.
    let kind = prop_oneof![4 => Just(0_usize), 1 => Just(1), 1 => Just(2), 2 => Just(3), 1 => Just(9)];
    let kinds = prop::collection::vec(kind, 1..6);
    let point = 0..100_usize;
    let before = prop_oneof![Just(None), point.clone().prop_map(Some), Just(Some(usize::MAX))];
    prop_oneof![
        6 => (place(), kinds.clone()).prop_map(|(place, kinds)| Step::Say { place, kinds }),
        1 => (place(), kinds).prop_map(|(place, kinds)| Step::Fail { place, kinds }),
        2 => point.clone().prop_map(Step::Redact),
        2 => (place(), before, prop::option::of(1..5_u32), 1..30_u32)
            .prop_map(|(place, before, keep, most)| Step::Forget { place, before, keep, most }),
        1 => (0..2_usize).prop_map(Step::Remove),
        1 => Just(Step::Reopen),
        8 => (place(), point.clone(), point, any::<bool>(), 0..7_usize, any::<bool>(), any::<bool>()).prop_map(
            |(place, after, before, newest, limit, events, redactions)| Step::Read {
                place, after, before, newest, limit, events, redactions,
            }
        ),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Known {
    id: MessageId,
    place: Place,
    kind: MessageKind,
    redacted: bool,
}

impl Known {
    fn class(&self) -> Class {
        if self.redacted { Class::Redacted } else { Class::of(self.kind) }
    }
}

/// Expected content of the store.
struct Model {
    rows: Vec<Known>,
    last: MessageId,
    places: [Place; PLACES],
    channels: i64,
}

impl Model {
    fn new() -> Self {
        let channel = |n| Place::Channel(ChannelId(n));
        let places = [channel(1), channel(2), talk(0), talk(7)];
        Self { rows: Vec::new(), last: MessageId::default(), places, channels: 2 }
    }

    fn next(&mut self, place: usize, kinds: &[usize]) -> Vec<Known> {
        let next = |&kind: &usize| {
            // About two messages for each millisecond; the ids within one are consecutive.
            self.last = self.last.next(Millis(self.last.time().0 + u64::from(kind % 2 == 0)));
            Known { id: self.last, place: self.places[place], kind: MessageKind::ALL[kind], redacted: false }
        };
        kinds.iter().map(next).collect()
    }

    /// Returns a point in the history: that of a message, or of the first of its time; or the end.
    fn point(&self, point: usize) -> MessageId {
        let row = (point < usize::MAX).then(|| self.rows.get(point % (self.rows.len() + 1)));
        match row.flatten() {
            Some(row) if point.is_multiple_of(2) => MessageId::first_at(row.id.time()),
            Some(row) => row.id,
            None => MessageId::LAST,
        }
    }

    fn of(&self, place: Place, class: Class) -> Vec<MessageId> {
        let here = |row: &&Known| row.place == place && row.class() == class;
        self.rows.iter().filter(here).map(|row| row.id).collect()
    }

    fn read(&self, place: Place, window: &Window, kinds: Kinds) -> Vec<MessageId> {
        let counts = |class| class == Class::Said || (kinds.events && class == Class::Event);
        let inside = |row: &&Known| row.place == place && row.id > window.after && row.id < window.before;
        let mut rows: Vec<&Known> = self.rows.iter().filter(inside).collect();
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

    /// Removes up to `most` messages that are older than a time or than the latest `keep`. Returns their count.
    fn forget(&mut self, place: Place, after: Option<Millis>, keep: Option<u32>, most: u32) -> u32 {
        let oldest = |class| {
            let of = self.of(place, class);
            let from = keep.and_then(|keep| of.len().checked_sub(keep as usize));
            from.map_or_else(MessageId::default, |from| of[from])
        };
        let first = after.map(MessageId::first_at).unwrap_or_default().max(oldest(Class::Said));
        let mut gone = Vec::new();
        for class in Class::ALL {
            let bound = first.max(oldest(class));
            gone.extend(self.of(place, class).into_iter().filter(|id| *id < bound));
        }
        gone.truncate(most as usize);
        self.rows.retain(|row| !gone.contains(&row.id));
        u32::try_from(gone.len()).expect("few")
    }
}

fn talk(with: i64) -> Place {
    Place::direct(AccountId(0), AccountId(with))
}

fn message(row: &Known) -> Record {
    let &Known { id, place, kind, .. } = row;
    let (text, tags) = ("x".into(), "".into());
    Record::Message(StoredMessage { id, place, from: AccountId(0), kind, text, tags, send_id: None })
}

fn created(channel: i64) -> Record {
    let name = ChannelName::parse(&format!("#c{channel}")).expect("a name");
    Record::ChannelCreated { id: ChannelId(channel), name, maker: AccountId(0), at: Millis(0) }
}

fn open(path: &std::path::Path) -> Connection {
    let conn = schema::open_writer(path).expect("opens");
    // This test has no power cuts.
    conn.pragma_update(None, "synchronous", "OFF").expect("set");
    conn
}

/// Runs one transaction, committed or not.
fn write(conn: &Connection, keeper: &mut Keeper<'_>, records: &[Record], keep: bool) {
    conn.execute_batch("BEGIN IMMEDIATE").expect("begins");
    for record in records {
        keeper.apply(record).expect("applied");
    }
    conn.execute_batch(if keep { "COMMIT" } else { "ROLLBACK" }).expect("ends");
    if !keep {
        keeper.rolled_back();
    }
}

/// Takes steps until the database is to be reopened. Does the same to the store and to the model.
fn walk(conn: &Connection, steps: &mut std::slice::Iter<'_, Step>, model: &mut Model) -> Option<()> {
    let mut keeper = Keeper::new(conn).expect("prepares");
    for step in steps {
        match *step {
            Step::Say { place, ref kinds } => {
                let rows = model.next(place, kinds);
                write(conn, &mut keeper, &rows.iter().map(message).collect::<Vec<_>>(), true);
                model.rows.extend(rows);
            }
            Step::Fail { place, ref kinds } => {
                let rows = model.next(place, kinds);
                write(conn, &mut keeper, &rows.iter().map(message).collect::<Vec<_>>(), false);
            }
            Step::Redact(n) => {
                let n = n % model.rows.len().max(1);
                if let Some(row) = model.rows.get_mut(n) {
                    row.redacted = true;
                    let record = Record::Redacted { place: row.place, message: row.id };
                    write(conn, &mut keeper, &[record], true);
                }
            }
            Step::Forget { place, before, keep, most } => {
                let place = model.places[place];
                let after = before.map(|before| model.point(before).time());
                let bounds = history::bounds(conn, place, (after, keep)).expect("reads");
                conn.execute_batch("BEGIN IMMEDIATE").expect("begins");
                let gone = history::forget(conn, place, &bounds, most).expect("forgets");
                conn.execute_batch("COMMIT").expect("ends");
                assert_eq!(gone, model.forget(place, after, keep, most), "forgotten at {place:?}");
            }
            Step::Remove(n) => {
                let Place::Channel(id) = model.places[n] else { panic!("a channel") };
                model.rows.retain(|row| row.place != model.places[n]);
                model.channels += 1;
                model.places[n] = Place::Channel(ChannelId(model.channels));
                let records = [Record::ChannelRemoved(id), created(model.channels)];
                write(conn, &mut keeper, &records, true);
            }
            Step::Reopen => return Some(()),
            Step::Read { place, after, before, newest, limit, events, redactions } => {
                let place = model.places[place];
                let (after, before) = (model.point(after).previous(), model.point(before));
                let (window, kinds) = (Window { after, before, newest, limit }, Kinds { events, redactions });
                let page = history::read(conn, place, &window, kinds, 1 << 20).expect("reads");
                let page: Vec<_> = page.iter().map(|kept| kept.message.id).collect();
                assert_eq!(page, model.read(place, &window, kinds), "{kinds:?} of {place:?} in {window:?}");
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
    assert!(sizes.iter().all(|(_, rows, _)| *rows <= ROWS.into()), "{sizes:?}");
    let strays = query(
        "SELECT m.id, m.volume, 0 FROM messages m WHERE m.volume !=
             (SELECT number FROM volumes WHERE first <= m.id ORDER BY first DESC LIMIT 1)",
    );
    assert!(strays.is_empty(), "not in the volume of their time: {strays:?}");
    let all: i64 = conn.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).expect("counts");
    assert_eq!(usize::try_from(all).expect("few"), model.rows.len());
    for place in model.places {
        let latest = history::latest(conn, place).expect("reads");
        assert_eq!(latest, model.of(place, Class::Said).last().copied(), "the latest of {place:?}");
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
        write(&conn, &mut Keeper::new(&conn).expect("prepares"), &[created(1), created(2)], true);
        drop(conn);
        loop {
            let conn = open(&path);
            let again = walk(&conn, &mut steps, &mut model);
            check(&conn, &model);
            if again.is_none() {
                break;
            }
        }
    }
}
