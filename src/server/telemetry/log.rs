//! Log of a running server, written by a thread of its own so that a slow reader delays nothing else.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

use super::format::format_line;
use crate::server::config::LogFormat;

/// Maximum count of lines that wait to be written: some seconds of a busy server, while a terminal scrolls or a disk
/// stalls.
const MAX_QUEUED_LINES: usize = 8192;

/// Maximum bytes of waiting lines. A line can quote a peer, so a count of lines alone does not bound the memory.
const MAX_QUEUED_BYTES: usize = 4 << 20;

/// Interval of the attempts to put the mark into a full queue.
const FLUSH_RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// Time that the writing thread rests when it has written all lines, so that it is woken once for those of a burst.
const REST_TIME: Duration = Duration::from_millis(2);

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
    /// Form of the lines that do not come from `tracing`; text until it is set.
    format: Arc<OnceLock<LogFormat>>,
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
        let format = Arc::<OnceLock<LogFormat>>::default();
        let mut writer = LogWriter {
            output,
            queued_bytes: Arc::clone(&queued),
            dropped_lines: Arc::clone(&dropped),
            format: Arc::clone(&format),
            reported_lines: 0,
            is_line_cut: false,
        };
        std::thread::Builder::new().name("log".into()).spawn(move || writer.run(&entries))?;
        Ok(Self(Arc::new(LogState { queue, queued_bytes: queued, dropped_lines: dropped, format })))
    }

    /// Queues a text of whole lines.
    pub fn write(&self, text: &[u8]) {
        let LogState { queue, queued_bytes: queued, dropped_lines: dropped, .. } = &*self.0;
        let fits = queued.fetch_add(text.len(), Ordering::Relaxed) + text.len() <= MAX_QUEUED_BYTES;
        if !fits || queue.try_send(LogEntry::Line(text.to_vec())).is_err() {
            queued.fetch_sub(text.len(), Ordering::Relaxed);
            dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sets the form of the lines that do not come from `tracing`, once.
    pub fn set_format(&self, format: LogFormat) {
        let _ = self.0.format.set(format);
    }

    /// Queues a text for people at the terminal. Where programs read the log it is a line like the others.
    pub fn write_note(&self, text: &str) {
        match self.0.format.get().copied().unwrap_or_default() {
            LogFormat::Text => self.write(text.as_bytes()),
            format => self.write(&format_line(format, Level::INFO, text.trim())),
        }
    }

    /// Queues the reason why the program ends, in the form of the log.
    pub fn write_failure(&self, text: &str) {
        match self.0.format.get().copied().unwrap_or_default() {
            LogFormat::Text => self.write(format!("parlour: {text}\n").as_bytes()),
            format => self.write(&format_line(format, Level::ERROR, text)),
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
    format: Arc<OnceLock<LogFormat>>,
    /// Count of dropped lines that the log has reported.
    reported_lines: u64,
    /// The last line was written in part, without its end.
    is_line_cut: bool,
}

impl<W: Write> LogWriter<W> {
    fn run(&mut self, entries: &Receiver<LogEntry>) {
        while let Ok(entry) = entries.recv() {
            self.process(entry);
            while let Ok(entry) = entries.try_recv() {
                self.process(entry);
            }
            std::thread::sleep(REST_TIME);
        }
    }

    fn process(&mut self, entry: LogEntry) {
        match entry {
            LogEntry::Line(line) => {
                let written = self.report_dropped_lines().and_then(|()| self.write_line(&line));
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

    fn report_dropped_lines(&mut self) -> io::Result<()> {
        let dropped = self.dropped_lines.load(Ordering::Relaxed);
        if dropped > self.reported_lines {
            let lines = dropped - self.reported_lines;
            let text = format!("{lines} lines of the log were lost: it could not be written");
            let format = self.format.get().copied().unwrap_or_default();
            let line = format_line(format, Level::WARN, &text);
            let end: &[u8] = if self.is_line_cut { b"\n" } else { b"" };
            self.write_line(&[end, line.as_slice()].concat())?;
            self.reported_lines = dropped;
        }
        Ok(())
    }

    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            match self.output.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    rest = rest.get(written..).unwrap_or_default();
                    self.is_line_cut = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
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

    /// An output with room for so many bytes.
    #[derive(Clone)]
    struct FakeDisk(Arc<Mutex<(usize, Vec<u8>)>>);

    impl Write for FakeDisk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let (room, written) = &mut *self.0.lock();
            if *room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let bytes = &bytes[..bytes.len().min(*room)];
            *room -= bytes.len();
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
        for (room, before) in [(4, "one\n"), (6, "one\nlo\n")] {
            let disk = FakeDisk(Arc::new(Mutex::new((room, Vec::new()))));
            let log = Log::start(disk.clone()).expect("starts");
            log.write(b"one\n");
            for _ in 0..3 {
                log.write(b"lost\n");
            }
            log.flush(SOON);
            assert_eq!(log.dropped(), 3);
            disk.0.lock().0 = usize::MAX;
            log.write(b"two\n");
            log.write(b"three\n");
            log.flush(SOON);
            let text = String::from_utf8(disk.0.lock().1.clone()).expect("text");
            let after = text.strip_prefix(before).unwrap_or_else(|| panic!("{text}"));
            let lines: Vec<_> = after.lines().collect();
            assert!(
                matches!(lines[..], [count, "two", "three"] if count.contains(" WARN 3 lines of the log were lost")),
                "{text}"
            );
            assert_eq!(log.dropped(), 3);
        }
    }

    #[test]
    fn lines_for_people_and_reports_are_json_where_the_log_is() {
        let disk = FakeDisk(Arc::new(Mutex::new((usize::MAX, Vec::new()))));
        let log = Log::start(disk.clone()).expect("starts");
        log.set_format(LogFormat::Json);
        log.write_note("\nOpen it with:  parlour join \"LINK\"\n\n");
        log.flush(SOON);
        log.write(&vec![b'x'; MAX_QUEUED_BYTES + 1]);
        log.write_failure("cannot listen");
        log.flush(SOON);
        let text = String::from_utf8(disk.0.lock().1.clone()).expect("text");
        let messages: Vec<String> = text
            .lines()
            .map(|line| {
                let line: serde_json::Value = serde_json::from_str(line).expect(line);
                line["message"].as_str().expect("a message").to_owned()
            })
            .collect();
        assert_eq!(messages.len(), 3, "{text}");
        assert_eq!(messages[0], "Open it with:  parlour join \"LINK\"");
        assert!(messages[1].contains("1 lines of the log were lost"), "{text}");
        assert_eq!(messages[2], "cannot listen");
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
