//! Cost of a long history: `cargo bench --bench history [-- FOLDER [ROWS]]`.
//!
//! Fills stores with 10^4, 10^6 and ROWS rows (10^7 by default, some 1.5 GB) in FOLDER, which must be on a real disk
//! (by default the temporary folder). Prints the time to read the latest messages of a channel and the list of direct
//! conversations, and the rate of appending messages, each as a ratio to a small or an empty store. Measurements that
//! are compared take turns, so that other load on the machine affects them alike.
//!
//! The folders are removed at the end.

mod generator;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use generator::{CHANNELS, MessageGenerator, commit, fill};
use parlour::core::effects::history::{MessageFilter, Window};
use parlour::core::record::{ChannelId, Conversation};
use parlour::store::{Store, StoreError, history};
use parlour::wire::MessageId;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Messages in one transaction of the hub under load.
const BATCH: usize = 500;

/// Count of empty stores, used one after the other because each fills up, and the count of batches for each. Within
/// these the write-ahead log is copied into the database ten times; the rest in the log at the end is not measured, so
/// it must be small.
const EMPTY_STORES: usize = 3;
const BATCHES: usize = 400;

/// Count of reads of each kind.
const WARM_READS: usize = 600;
const COLD_READS: usize = 200;

struct FilledStore {
    store: Store,
    generator: MessageGenerator,
    _folder: TempDir,
}

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    let max_rows = args.next().map_or(10_000_000, |text| text.parse().expect("ROWS is a number"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let mut stores = [10_000, 1_000_000.min(max_rows), max_rows].map(|rows| fill_store(&folder, rows));
    println!("\nmicroseconds a read, and as a ratio to the smallest store");
    println!("{:<36} {:>9} {:>9} {:>9} {:>7} {:>7}", "", "rows", "median", "99 %", "median", "99 %");
    for (title, kinds) in [("latest 100", MESSAGES_ONLY), ("latest 100 with events", ALL)] {
        report_reads(&format!("{title}, warm"), &stores, WARM_READS, |store, turn| {
            runtime.block_on(time_latest(store, turn, kinds))
        });
        report_reads(&format!("{title}, cold"), &stores, COLD_READS, |store, turn| {
            drop_caches(store, &runtime);
            runtime.block_on(time_latest(store, turn, kinds))
        });
    }
    let accounts = stores[0].generator.accounts().to_vec();
    let targets = async |store: &Store, turn: usize| {
        let account = accounts[turn % accounts.len()];
        time_read(store, move |conn| {
            let conversations = history::direct_conversations(conn, account, MessageId::default())?;
            for n in 1..=CHANNELS {
                history::latest_message_id(conn, Conversation::Channel(ChannelId(n)))?;
            }
            Ok(conversations.len())
        })
        .await
    };
    report_reads("targets, warm", &stores, WARM_READS, |store, turn| runtime.block_on(targets(store, turn)));
    report_reads("targets, cold", &stores, COLD_READS, |store, turn| {
        drop_caches(store, &runtime);
        runtime.block_on(targets(store, turn))
    });
    println!("\nappending in transactions of {BATCH} messages: all that people do");
    report_appends(&folder, &mut stores, false);
    println!("\nthe same, but nothing except messages in channels");
    report_appends(&folder, &mut stores, true);
}

const MESSAGES_ONLY: MessageFilter = MessageFilter { events: false, redactions: false };
const ALL: MessageFilter = MessageFilter { events: true, redactions: true };

fn fill_store(folder: &Path, rows: u64) -> FilledStore {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let (store, mut past) = MessageGenerator::create(folder.path());
    if rows > 0 {
        fill(&store, &mut past, rows);
    }
    FilledStore { store, generator: past, _folder: folder }
}

/// Reads the latest messages of a channel: of the big one and of others in turn.
async fn time_latest(store: &Store, turn: usize, kinds: MessageFilter) -> Duration {
    let turn = i64::try_from(turn).expect("few");
    let channel = if turn % 2 == 0 { 1 } else { 2 + turn / 2 % (CHANNELS - 1) };
    let conversation = Conversation::Channel(ChannelId(channel));
    time_read(store, move |conn| {
        let page = history::read(conn, conversation, &Window::latest(100), kinds, 1 << 20)?;
        assert!(page.len() >= 100, "there is enough");
        Ok(page.len())
    })
    .await
}

/// Returns the time of a read, without the way to its thread.
async fn time_read(
    store: &Store,
    read: impl FnOnce(&rusqlite::Connection) -> Result<usize, StoreError> + Send + 'static,
) -> Duration {
    let read = |conn: &rusqlite::Connection| {
        let began = Instant::now();
        read(conn).map(|_| began.elapsed())
    };
    store.read(read).await.expect("reads")
}

/// Empties SQLite's cache of the database, and that of the system if `dd` can do it.
fn drop_caches(store: &Store, runtime: &Runtime) {
    let forget =
        |conn: &rusqlite::Connection| Ok::<_, StoreError>(conn.execute_batch("PRAGMA shrink_memory")?);
    runtime.block_on(store.read(forget)).expect("reads");
    for file in ["parlour.db", "parlour.db-wal"] {
        let file = format!("if={}", store.folder().join(file).display());
        let drop = ["iflag=nocache", "count=0", "status=none"];
        // Without that program the cache is only less cold.
        let _ = Command::new("dd").arg(file).args(drop).stderr(Stdio::null()).status();
    }
}

/// Reads all stores in turn and prints a line for each.
fn report_reads(
    title: &str,
    stores: &[FilledStore],
    count: usize,
    mut read: impl FnMut(&Store, usize) -> Duration,
) {
    let mut times = vec![Vec::with_capacity(count); stores.len()];
    for turn in 0..count + 40 {
        for (times, filled) in times.iter_mut().zip(stores) {
            let time = read(&filled.store, turn);
            // The first reads prepare statements and fill caches.
            if turn >= 40 {
                times.push(time);
            }
        }
    }
    let at = |times: &mut Vec<Duration>, percent: usize| {
        times.sort_unstable();
        times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6
    };
    let mut first = None;
    for (times, filled) in times.iter_mut().zip(stores) {
        let (median, most) = (at(times, 50), at(times, 99));
        let (median_1, most_1) = *first.get_or_insert((median, most));
        println!(
            "{title:<36} {:>9} {median:>9.0} {most:>9.0} {:>7.2} {:>7.2}",
            filled.generator.rows(),
            median / median_1,
            most / most_1
        );
    }
}

/// Appends to an empty store and to the others in turn.
fn report_appends(folder: &Path, stores: &mut [FilledStore], plain: bool) {
    for filled in stores.iter_mut() {
        filled.generator.channels_only = plain;
    }
    println!(
        "{:>10} {:>10} {:>7} {:>12} {:>12} {:>12} {:>7}",
        "rows", "records/s", "ratio", "median us", "99 % us", "most us", "median"
    );
    let mut times = vec![Vec::new(); stores.len() + 1];
    let mut records = vec![0; stores.len() + 1];
    let before: Vec<u64> = std::iter::once(0).chain(stores.iter().map(|s| s.generator.rows())).collect();
    for _ in 0..EMPTY_STORES {
        let mut empty = fill_store(folder, 0);
        empty.generator.channels_only = plain;
        for turn in 0..BATCHES {
            let mut all: Vec<&mut FilledStore> =
                std::iter::once(&mut empty).chain(stores.iter_mut()).collect();
            // Another store is the first each time.
            let count = all.len();
            for index in (0..count).map(|n| (n + turn) % count) {
                let FilledStore { store, generator: past, .. } = &mut *all[index];
                let batch = past.next_batch(BATCH);
                records[index] += batch.len();
                let began = Instant::now();
                commit(store, batch);
                times[index].push(began.elapsed());
            }
        }
    }
    let mut first = None;
    for ((rows, times), records) in before.into_iter().zip(&mut times).zip(records) {
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let rate = records as f64 / times.iter().sum::<Duration>().as_secs_f64();
        let (rate_1, median_1) = *first.get_or_insert((rate, at(50)));
        println!(
            "{rows:>10} {rate:>10.0} {:>7.2} {:>12.0} {:>12.0} {:>12.0} {:>7.2}",
            rate / rate_1,
            at(50),
            at(99),
            at(100),
            median_1 / at(50)
        );
    }
}
