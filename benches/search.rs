//! Cost of the search index: `cargo bench --bench search [-- FOLDER [MESSAGES]]`.
//!
//! Indexes MESSAGES messages (100,000) of some 100 bytes each, in English and in Chinese. Prints the bytes of the index
//! and the processor time for a message, beside those of the tokenizers of FTS5: `unicode61`, which the index used
//! before, and `trigram`. Then prints the time of some searches.

use std::path::Path;
use std::time::{Duration, Instant};

use parlour::core::effects::history::{Search, Window};
use parlour::core::record::{AccountId, ChannelId, Conversation, MessageKind, Record, StoredMessage};
use parlour::store::Store;
use parlour::store::search::{Index, SearchRun};
use parlour::wire::{ChannelName, MessageId, Timestamp};
use rusqlite::Connection;

type TextGenerator = fn(u64) -> String;

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let folder = args.next().map_or_else(std::env::temp_dir, Into::into);
    let count = args.next().map_or(100_000, |text| text.parse().expect("MESSAGES is a number"));
    println!("{:>8} {:>10} {:>14} {:>14}", "texts", "index", "bytes/message", "CPU us/message");
    for (name, text) in [("English", english as TextGenerator), ("Chinese", chinese as TextGenerator)] {
        for tokenizer in ["unicode61 remove_diacritics 2", "trigram"] {
            let folder = tempfile::tempdir_in(&folder).expect("a folder");
            let path = folder.path().join("index.db");
            let work = || bench_fts5(&path, text, count, tokenizer);
            let cpu = std::thread::scope(|scope| scope.spawn(work).join().expect("indexed"));
            report(name, tokenizer.split(' ').next().unwrap_or_default(), &path, count, cpu);
        }
        bench_index(&folder, (name, text), count);
    }
}

/// Indexes with FTS5 and another tokenizer, as the server did before. Returns the processor time.
fn bench_fts5(path: &Path, text: TextGenerator, count: u64, tokenizer: &str) -> Duration {
    let conn = Connection::open(path).expect("opens");
    conn.pragma_update(None, "journal_mode", "WAL").expect("set");
    conn.execute_batch(&format!(
        "CREATE VIRTUAL TABLE said USING fts5
         (text, scope, content = '', contentless_delete = 1, tokenize = '{tokenizer}')"
    ))
    .expect("made");
    for chunk in (0..count).collect::<Vec<_>>().chunks(500) {
        let tx = conn.unchecked_transaction().expect("begins");
        for &n in chunk {
            tx.prepare_cached("INSERT INTO said (rowid, text, scope) VALUES (?1, ?2, ?3)")
                .expect("prepares")
                .execute((id(n).as_i64(), text(n), format!("p1 s{}", n % 50)))
                .expect("added");
        }
        tx.commit().expect("kept");
    }
    let cpu = std::fs::read_to_string("/proc/thread-self/schedstat").map(|stat| parse_cpu_time(&stat));
    cpu.unwrap_or_default()
}

/// Indexes as the server does.
fn bench_index(folder: &Path, (name, text): (&str, TextGenerator), count: u64) {
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let store = Store::open(folder.path()).expect("opens");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("runs");
    for chunk in (0..count).collect::<Vec<_>>().chunks(5000) {
        let records: Vec<Record> = chunk.iter().map(|&n| message(n, text)).collect();
        let (done, durable) = std::sync::mpsc::channel();
        store.commit(records.into(), Box::new(move |result| done.send(result).expect("waited for")));
        durable.recv().expect("answered").expect("kept");
    }
    let _inside = runtime.enter();
    let index = Index::start(&store).expect("starts");
    let all = |text: &str| Search {
        includes_direct: true,
        account: AccountId(1),
        channels: vec![(ChannelId(1), ChannelName::parse("#c").expect("a name"))],
        conversation: None,
        from: None,
        text: Some(text.into()),
        window: Window::latest(100),
    };
    while !search(&runtime, &index, all("xyzzy")).1 {
        runtime.block_on(index.wait_until_indexed(id(count - 1)));
    }
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let is_search =
        |path: &Path| std::fs::read_to_string(path.join("comm")).is_ok_and(|name| name.trim() == "search");
    let stats = tasks.filter(|task| is_search(&task.path()));
    let cpu = stats.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    report(
        name,
        "ours",
        &folder.path().join("search.db"),
        count,
        cpu.map(|stat| parse_cpu_time(&stat)).sum(),
    );
    let queries = [
        text(7),
        text(7).chars().take(3).collect(),
        "a b c d e f g h".into(),
        "的 会议".into(),
        "xyzzy".into(),
    ];
    for query in queries {
        let began = Instant::now();
        let (found, whole) = search(&runtime, &index, all(&query));
        println!("{:>8} {found:>4} found, whole: {whole}, in {:?}: {query}", "", began.elapsed());
    }
}

fn search(runtime: &tokio::runtime::Runtime, index: &Index, search: Search) -> (usize, bool) {
    let mut searching = SearchRun::new(search);
    while !searching.is_done() {
        searching = runtime.block_on(index.continue_search(searching)).expect("searches");
    }
    let whole = searching.is_complete();
    (searching.into_hits().len(), whole)
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(texts: &str, index: &str, path: &Path, count: u64, cpu: Duration) {
    let conn = Connection::open(path).expect("opens");
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("written");
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    let (bytes, cpu) = (bytes as f64 / count as f64, cpu.as_secs_f64() * 1e6 / count as f64);
    println!("{texts:>8} {index:>10} {bytes:>14.0} {cpu:>14.1}");
}

fn parse_cpu_time(schedstat: &str) -> Duration {
    let first = schedstat.split(' ').next().and_then(|text| text.parse().ok());
    first.map_or(Duration::ZERO, Duration::from_nanos)
}

/// Returns a message id; two messages a second.
fn id(n: u64) -> MessageId {
    MessageId::first_at(Timestamp(1_700_000_000_000 + n * 500))
}

fn message(n: u64, text: TextGenerator) -> Record {
    Record::Message(StoredMessage {
        id: id(n),
        conversation: Conversation::Channel(ChannelId(1)),
        from: AccountId(i64::try_from(n % 50).expect("few")),
        kind: MessageKind::Privmsg,
        text: text(n).into(),
        tags: "".into(),
        send_id: None,
    })
}

/// Generates numbers that are small more often than large, like ranks of words: about one in `k` for `k`.
fn zipf_ranks(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // 1 to 2^14, each power of two as often as any other.
        (state >> 20) % (1 << (1 + (state >> 8) % 14))
    })
}

/// Generates some sixteen words with punctuation.
fn english(n: u64) -> String {
    let syllables =
        ["a", "the", "to", "in", "er", "on", "re", "st", "ing", "ly", "co", "de", "un", "for", "is", "ma"];
    let mut text = String::new();
    for rank in zipf_ranks(n + 1) {
        let mut rest = rank;
        loop {
            text.push_str(syllables[usize::try_from(rest % 16).expect("small")]);
            rest /= 16;
            if rest == 0 {
                break;
            }
        }
        if text.len() >= 97 {
            return text + ".";
        }
        text.push_str(if rank % 9 == 3 { ", " } else { " " });
    }
    text
}

/// Generates some thirty-three characters.
fn chinese(n: u64) -> String {
    let character =
        |rank: u64| char::from_u32(0x4e00 + u32::try_from(rank).expect("small")).expect("a character");
    zipf_ranks(n + 1).take(32).map(character).chain(['。']).collect()
}
