//! Log of a running server, written by a thread of its own so that a slow reader delays nothing else.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing_subscriber::fmt::MakeWriter;

/// Maximum count of lines that wait to be written: some seconds of a busy server, while a terminal scrolls or a disk
/// stalls.
const MAX_QUEUED_LINES: usize = 8192;

/// Maximum bytes of waiting lines. A line can quote a peer, so a count of lines alone does not bound the memory.
const MAX_QUEUED_BYTES: usize = 4 << 20;

/// Interval of the attempts to put the mark into a full queue.
const FLUSH_RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Destination of the server's log. Clones share it.
///
/// Writing to it neither blocks nor fails. Lines that do not fit into the queue, or that cannot be written, are dropped
/// and counted; the count is logged as soon as a line can be written again.
#[derive(Clone, Debug)]
pub struct Log(Arc<LogState>);

#[derive(Debug)]
struct LogState {
    queue: SyncSender<LogEntry>,
    queued_bytes: Arc<AtomicUsize>,
    dropped_lines: Arc<AtomicU64>,
}

#[derive(Debug)]
enum LogEntry {
    Line(Vec<u8>),
    /// Notified when all lines before it are written or dropped.
    FlushMark(SyncSender<()>),
}

impl Log {
    /// Starts a log that goes to this output, from a thread of its own.
    ///
    /// The output must share no lock with [`io::stderr`]: a write that hangs must not block users of that.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, entries) = sync_channel(MAX_QUEUED_LINES);
        let (queued, dropped) = (Arc::default(), Arc::default());
        let mut writer = LogWriter {
            output,
            queued_bytes: Arc::clone(&queued),
            dropped_lines: Arc::clone(&dropped),
            reported_lines: 0,
        };
        std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&entries))?;
        Ok(Self(Arc::new(LogState { queue, queued_bytes: queued, dropped_lines: dropped })))
    }

    /// Queues a text of whole lines.
    pub fn write(&self, text: &[u8]) {
        let LogState { queue, queued_bytes: queued, dropped_lines: dropped } = &*self.0;
        let fits = queued.fetch_add(text.len(), Ordering::Relaxed) + text.len() <= MAX_QUEUED_BYTES;
        if !fits || queue.try_send(LogEntry::Line(text.to_vec())).is_err() {
            queued.fetch_sub(text.len(), Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the count of lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.0.dropped_lines.load(Ordering::Relaxed)
    }

    /// Waits until all queued lines are written or dropped, but no longer than `timeout`.
    pub fn flush(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let (mark, written) = sync_channel(1);
        let mut entry = LogEntry::FlushMark(mark);
        while let Err(TrySendError::Full(rejected)) = self.0.queue.try_send(entry) {
            if Instant::now() >= deadline {
                return;
            }
            entry = rejected;
            std::thread::sleep(FLUSH_RETRY_INTERVAL);
        }
        let _ = written.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

impl Write for &Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        Log::write(self, text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = &'a Log;

    fn make_writer(&'a self) -> &'a Log {
        self
    }
}

/// State of the writing thread.
struct LogWriter<W> {
    output: W,
    queued_bytes: Arc<AtomicUsize>,
    dropped_lines: Arc<AtomicU64>,
    /// Count of dropped lines that the log has reported.
    reported_lines: u64,
}

impl<W: Write> LogWriter<W> {
    fn run(&mut self, entries: &Receiver<LogEntry>) {
        while let Ok(entry) = entries.recv() {
            match entry {
                LogEntry::Line(line) => {
                    let written = self.report_dropped_lines().and_then(|()| self.output.write_all(&line));
                    if written.is_err() {
                        self.dropped_lines.fetch_add(1, Ordering::Relaxed);
                    }
                    self.queued_bytes.fetch_sub(line.len(), Ordering::Relaxed);
                }
                LogEntry::FlushMark(done) => {
                    // Without a later line the count would go unreported at the end.
                    let _ = self.report_dropped_lines();
                    let _ = done.try_send(());
                }
            }
        }
    }

    fn report_dropped_lines(&mut self) -> io::Result<()> {
        let dropped = self.dropped_lines.load(Ordering::Relaxed);
        if dropped > self.reported_lines {
            let (lines, now) = (dropped - self.reported_lines, Timestamp::now());
            // The line before may have been written in part, without its end.
            let mut text = String::from("\n");
            let _ =
                writeln!(text, "{now:.6}  WARN {lines} lines of the log were lost: it could not be written");
            self.output.write_all(text.as_bytes())?;
            self.reported_lines = dropped;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use parking_lot::Mutex;

    use super::*;

    const SOON: Duration = Duration::from_mins(1);

    /// An output that fails on command.
    #[derive(Clone, Default)]
    struct FakeDisk(Arc<Mutex<(bool, Vec<u8>)>>);

    impl Write for FakeDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (full, written) = &mut *self.0.lock();
            if *full {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// An output without a reader: each write waits until the test releases it.
    struct BlockedOutput(Receiver<()>, Sender<Vec<u8>>);

    impl Write for BlockedOutput {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn unwritable_lines_are_counted_and_reported() {
        let disk = FakeDisk::default();
        let log = Log::start(disk.clone()).expect("starts");
        log.write(b"one\n");
        log.flush(SOON);
        disk.0.lock().0 = true;
        for _ in 0..3 {
            log.write(b"lost\n");
        }
        log.flush(SOON);
        assert_eq!(log.dropped(), 3);
        disk.0.lock().0 = false;
        log.write(b"two\n");
        log.write(b"three\n");
        log.flush(SOON);
        let text = String::from_utf8(disk.0.lock().1.clone()).expect("text");
        let lines: Vec<_> = text.lines().collect();
        assert!(
            matches!(lines[..], ["one", "", count, "two", "three"] if count.contains(" WARN 3 lines of the log were lost")),
            "{text}"
        );
        assert_eq!(log.dropped(), 3);
    }

    #[test]
    fn blocked_output_never_blocks_and_memory_is_bounded() {
        let (go_on, stopped) = channel();
        let (written, read) = channel();
        let log = Log::start(BlockedOutput(stopped, written)).expect("starts");
        for _ in 0..MAX_QUEUED_LINES + 100 {
            log.write(b"x\n");
        }
        // One line may be on its way in addition to those that wait.
        assert!((99..=100).contains(&log.dropped()), "{}", log.dropped());
        log.flush(Duration::ZERO);
        let large = vec![b'y'; MAX_QUEUED_BYTES + 1];
        drop(go_on);
        log.flush(SOON);
        let before = log.dropped();
        log.write(&large);
        assert_eq!(log.dropped(), before + 1);
        drop(log);
        let lines: Vec<_> = read.iter().collect();
        assert!(
            lines.iter().any(|line| String::from_utf8_lossy(line).contains("lines of the log were lost"))
        );
    }
}
