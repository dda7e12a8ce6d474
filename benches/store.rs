//! Rate at which messages become durable: `cargo bench --bench store [-- FOLDER [SECONDS]]`.
//!
//! Commits batches of 1, 32 and 160 messages, one batch after the other, to a database in FOLDER (which must be on a
//! real disk; by default the temporary folder). Prints for each size the rows a second, the processor time of the
//! store's thread for a row, and the time of a commit. Then commits 4,000 batches of 75 messages of 200 accounts, each to
//! itself, with a search index, and prints the processor time of each thread for a message, the time of a commit, that of a
//! bare sync after each, of as many bytes as the commit wrote to its log, and the bytes on disk. Then prints the time of a
//! commit of 32 messages while every tenth commit redacts a message, which is erased from the database, its log and the
//! search index, and while another program holds both of these open to read.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use parlour::core::record::{AccountId, ChannelId, Conversation, MessageKind, Record, SendId, StoredMessage};
use parlour::store::Store;
use parlour::store::search::Index;
use parlour::wire::{MessageId, Timestamp};
use rusqlite::Connection;

/// Commits, and messages in each, of a run with a search index.
const ECHO_COMMITS: u64 = 4_000;
const ECHO_BATCH: u64 = 75;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    let seconds = args.next().map_or(3, |text| text.parse().expect("SECONDS is a number"));
    println!("messages of 100 bytes; commits in microseconds");
    println!(
        "{:>6} {:>6} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9}",
        "batch", "sends", "rows/s", "CPU us/row", "median", "99 %", "99.9 %", "most"
    );
    for (batch, sends) in [(1, false), (32, false), (160, false), (160, true)] {
        run(&folder, batch, sends, Duration::from_secs(seconds));
    }
    run_with_index(&folder);
    println!("\n{:>20} {:>9} {:>9} {:>9} {:>9}", "batches of 32", "median", "99 %", "99.9 %", "most");
    for (what, redact, reader) in
        [("quiet", false, false), ("redactions", true, false), ("reader", false, true), ("both", true, true)]
    {
        let mut times = measure_stalls(&folder, (redact, reader), Duration::from_secs(2 * seconds));
        times.sort_unstable();
        let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000].as_micros();
        println!("{what:>20} {:>9} {:>9} {:>9} {:>9}", at(500), at(990), at(999), at(1000));
    }
}

/// Measures the times of commits in a store with a search index.
fn measure_stalls(folder: &Path, (redact, reader): (bool, bool), length: Duration) -> Vec<Duration> {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let runtime = tokio::runtime::Runtime::new().expect("runs");
    let _entered = runtime.enter();
    let index = Index::start(&store).expect("starts");
    let mut held = Vec::new();
    let mut id = MessageId::first_at(Timestamp(1_700_000_000_000));
    let mut times = Vec::new();
    let start = Instant::now();
    while start.elapsed() < length {
        let mut records: Vec<Record> = std::iter::repeat_with(|| {
            id = id.next(Timestamp(1_700_000_000_000));
            message(id, None)
        })
        .take(32)
        .collect();
        let conversation = Conversation::Channel(ChannelId(1));
        if redact && times.len() % 10 == 9 {
            records.push(Record::Redacted { conversation, message: id });
        }
        times.push(commit(&store, records));
        index.wake();
        // People type between two batches, and the index has something to follow.
        std::thread::sleep(Duration::from_millis(2));
        if reader && held.is_empty() && times.len() == 100 {
            held = ["parlour.db", "search.db"]
                .map(|file| hold_read_transaction(&folder.path().join(file)))
                .into();
        }
    }
    times
}

/// Another program that reads a database and does not stop.
fn hold_read_transaction(path: &Path) -> Connection {
    let conn = Connection::open(path).expect("opens");
    conn.execute_batch("BEGIN").expect("begins");
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).expect("reads");
    conn
}

fn run(folder: &Path, batch: usize, sends: bool, length: Duration) {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let mut id = MessageId::first_at(Timestamp(1_700_000_000_000));
    let mut times = Vec::new();
    let cpu = thread_cpu("store");
    let start = Instant::now();
    while start.elapsed() < length {
        let records: Vec<Record> = std::iter::repeat_with(|| {
            id = id.next(Timestamp(1_700_000_000_000 + u64::try_from(times.len()).expect("few")));
            let send_id = sends.then(|| SendId(id.to_string().into()));
            message(id, send_id)
        })
        .take(batch)
        .collect();
        times.push(commit(&store, records));
    }
    let elapsed = start.elapsed();
    let cpu = thread_cpu("store").saturating_sub(cpu);
    times.sort_unstable();
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000].as_micros();
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    let rows = (times.len() * batch) as f64;
    println!(
        "{batch:>6} {:>6} {:>10.0} {:>10.2} {:>9} {:>9} {:>9} {:>9}",
        if sends { "yes" } else { "no" },
        rows / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / rows,
        at(500),
        at(990),
        at(999),
        at(1000),
    );
}

/// Commits records, and waits until they are durable. Returns the time that it took.
fn commit(store: &Store, records: Vec<Record>) -> Duration {
    let (done, durable) = mpsc::channel();
    let began = Instant::now();
    store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
    durable.recv().expect("answered").expect("kept");
    began.elapsed()
}

/// Commits what 200 clients write to themselves, as fast as it goes, while the search index follows.
fn run_with_index(folder: &Path) {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let runtime = tokio::runtime::Runtime::new().expect("runs");
    let _entered = runtime.enter();
    let index = Index::start(&store).expect("starts");
    let mut id = MessageId::first_at(Timestamp(1_700_000_000_000));
    let mut bare = BareLog::create(&folder.path().join("bare"));
    let (mut times, mut syncs) = (Vec::new(), Vec::new());
    for number in 0..ECHO_COMMITS {
        let records: Vec<Record> = (0..ECHO_BATCH)
            .map(|at| {
                id = id.next(Timestamp(1_700_000_000_000 + number));
                // In no order, as their echoes arrive.
                let account = AccountId(i64::try_from((number * ECHO_BATCH + at) * 89 % 200).expect("few"));
                message_in(Conversation::direct(account, account), account, id, None)
            })
            .collect();
        times.push(commit(&store, records));
        index.wake();
        syncs.push(bare.write_and_sync());
    }
    let under_load = ["store", "checkpoint", "search"].map(thread_cpu);
    wait_until_found(&runtime, &index, id);
    let search = thread_cpu("search");
    let per_message = |cpu: Duration| micros_each(cpu, ECHO_COMMITS * ECHO_BATCH);
    println!("\n{ECHO_COMMITS} batches of {ECHO_BATCH} with a search index: CPU us/message of each thread");
    let [store_cpu, checkpoint, search_cpu] = under_load.map(per_message);
    println!(
        "store {store_cpu:.2}, checkpoint {checkpoint:.2}, search {search_cpu:.2} until the last commit"
    );
    println!("search {:.2} in all", per_message(search));
    for (what, mut times) in [("commits", times), ("bare syncs", syncs)] {
        times.sort_unstable();
        let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000].as_micros();
        println!("{what}: median {}, 99 % {}, 99.9 % {}, most {}", at(500), at(990), at(999), at(1000));
    }
    drop(index);
    store.close();
    for file in ["parlour.db", "search.db"] {
        let bytes = std::fs::metadata(folder.path().join(file)).map_or(0, |file| file.len());
        println!("{file}: {} bytes a message", bytes / (ECHO_COMMITS * ECHO_BATCH));
    }
}

/// A file that is written and synced as the write-ahead log is: from its beginning again after 16 MiB.
struct BareLog {
    file: File,
    /// What is written for each commit.
    bytes: Vec<u8>,
    written: u64,
}

impl BareLog {
    /// Bytes of a commit of [`ECHO_BATCH`] messages: 25 pages with their headers.
    const COMMIT: usize = 25 * (4096 + 24);

    fn create(path: &Path) -> Self {
        Self { file: File::create(path).expect("made"), bytes: vec![7; Self::COMMIT], written: 0 }
    }

    /// Writes as much as a commit does, and syncs it. Returns the time that it took.
    fn write_and_sync(&mut self) -> Duration {
        let began = Instant::now();
        if self.written >= 16 << 20 {
            self.written = 0;
            self.file.rewind().expect("the beginning");
        }
        self.file.write_all(&self.bytes).expect("written");
        self.written += self.bytes.len() as u64;
        self.file.sync_data().expect("synced");
        began.elapsed()
    }
}

/// Waits until the index has all messages.
fn wait_until_found(runtime: &tokio::runtime::Runtime, index: &Index, last: MessageId) {
    runtime.block_on(index.wait_until_indexed(last));
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn micros_each(cpu: Duration, count: u64) -> f64 {
    cpu.as_secs_f64() * 1e6 / count as f64
}

fn message(id: MessageId, send_id: Option<SendId>) -> Record {
    message_in(Conversation::Channel(ChannelId(1)), AccountId(1), id, send_id)
}

fn message_in(conversation: Conversation, from: AccountId, id: MessageId, send_id: Option<SendId>) -> Record {
    Record::Message(StoredMessage {
        id,
        conversation,
        from,
        kind: MessageKind::Privmsg,
        text: "a message as people write them, and a little longer than most of theirs, to be a hundred bytes long.".into(),
        tags: "".into(),
        send_id,
    })
}

/// Returns the processor time of the threads of this name so far, as Linux counts it; zero elsewhere.
fn thread_cpu(wanted: &str) -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let store = tasks.filter(|task| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == wanted)
    });
    store
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse().ok())
        .map(Duration::from_nanos)
        .sum()
}
