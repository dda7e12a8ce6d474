//! The only thread that writes. Everything in its queue becomes one transaction.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Statement, TransactionBehavior};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::wake::Wake;
use crate::core::record::Record;
use crate::store::database::free_space::FreeSpace;
use crate::store::database::open_files::OpenFiles;
use crate::store::database::position::{Position, PositionFile};
use crate::store::database::repair;
use crate::store::database::schema::BUSY_TIMEOUT;
use crate::store::tables::record_writer::RecordWriter;
use crate::store::values::counters::read_counter;
use crate::store::{StoreError, StoreStatus};

/// Called on the writer thread once a batch is durable or has failed; it must be brief.
pub type CommitCallback = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Maximum count of waiting batches. The hub has a few under way at most; the rest are accounts and invites, whose
/// count the password pool bounds. Beyond it a batch fails as [`StoreError::QueueFull`].
const QUEUE_LIMIT: usize = 4096;

/// Maximum count of records that one transaction gathers from several batches. Enough to make the sync cheap for each;
/// more would only make the first of them wait.
const GROUP_LIMIT: usize = 8192;

enum Job {
    Records(Arc<Vec<Record>>, CommitCallback, Instant),
    /// Runs a transaction of its own.
    Transaction(TransactionJob, Instant),
    /// Part of a checkpoint, which changes nothing that was confirmed.
    Maintenance(Box<dyn FnOnce(&Connection) + Send>),
}

/// Job with the connection and the state needed at a commit. Returns the error, if it failed.
type TransactionJob = Box<dyn FnOnce(&mut JobContext<'_>) -> Option<StoreError> + Send>;

/// Passes jobs to the writer thread; dropping it lets the thread complete them and waits for that.
pub(in crate::store) struct Writer {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Cancelled when the thread ends, in whatever way.
    ended: CancellationToken,
}

/// Passes maintenance jobs to the writer thread, which runs as long as one of these exists.
pub(in crate::store) struct MaintenanceQueue(SyncSender<Job>);

impl MaintenanceQueue {
    /// Runs `work` on the writer thread, and waits for it.
    pub fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (result_sender, result) = sync_channel(1);
        let job = Job::Maintenance(Box::new(move |conn| drop(result_sender.send(work(conn)))));
        self.0.try_send(job).map_err(|error| queue_error(error).0)?;
        result.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Writer {
    pub fn start(
        mut conn: Connection,
        folder: &Path,
        wake: Wake,
        status: Arc<StoreStatus>,
    ) -> Result<Self, StoreError> {
        let (growth, counted) = (wake.clone(), status.clone());
        conn.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
            growth.set_log_pages(&counted, u64::try_from(pages).unwrap_or_default());
            Ok(())
        }))?;
        let position = Position::from_database(&conn)?;
        let note = PositionFile::open(folder)?;
        note.write(&position).map_err(StoreError::file(folder))?;
        status.set_log_to_erase(read_counter(&conn, "erase")?);
        let state = WriterState {
            files: OpenFiles::for_database(&folder.join("parlour.db"))?,
            free_space: FreeSpace::new(folder.into()),
            position,
            position_file: note,
            position_written: true,
            wake,
            status,
            locked: false,
            repaired: false,
        };
        let (queue, jobs) = sync_channel(QUEUE_LIMIT);
        let ended = CancellationToken::new();
        let ending = ended.clone().drop_guard();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                let _ending = ending;
                run_writer(&conn, state, &jobs);
            })
            .map_err(StoreError::file("the store's thread"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), ended })
    }

    /// Returns the token that is cancelled when the thread has ended.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Returns the handle for maintenance, which must be dropped before this.
    pub fn maintenance_queue(&self) -> Result<MaintenanceQueue, StoreError> {
        self.queue.clone().map(MaintenanceQueue).ok_or(StoreError::Closed)
    }

    pub fn commit(&self, records: Arc<Vec<Record>>, done: CommitCallback) {
        if let Err((error, Job::Records(_, done, _))) = self.push(Job::Records(records, done, Instant::now()))
        {
            done(Err(error));
        }
    }

    /// Queues a transaction, and returns a future of its result.
    pub fn write<T, E, F>(&self, work: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (result_sender, result) = oneshot::channel();
        let job: TransactionJob = Box::new(move |context| {
            let mut failure = None;
            let result = context.run_transaction(work, &mut failure);
            // The requester may be gone; the work is done all the same.
            drop(result_sender.send(result));
            failure
        });
        let pushed = self.push(Job::Transaction(job, Instant::now())).map_err(|(error, _)| error);
        async move {
            pushed?;
            result.await.map_err(|_| StoreError::Closed)?
        }
    }

    fn push(&self, job: Job) -> Result<(), (StoreError, Job)> {
        let Some(queue) = &self.queue else { return Err((StoreError::Closed, job)) };
        queue.try_send(job).map_err(queue_error)
    }
}

fn queue_error(error: TrySendError<Job>) -> (StoreError, Job) {
    match error {
        TrySendError::Full(job) => (StoreError::QueueFull, job),
        TrySendError::Disconnected(job) => (StoreError::Closed, job),
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            error!("the store's thread had panicked");
        }
    }
}

/// Runs `work` in a transaction, without the other steps of a commit.
pub(in crate::store) fn transaction<T, E: From<StoreError>>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let tx = rusqlite::Transaction::new_unchecked(conn, TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let value = work(&tx)?;
    tx.commit().map_err(StoreError::from)?;
    Ok(value)
}

/// State of the writer thread beside its connection.
struct WriterState {
    files: OpenFiles,
    free_space: FreeSpace,
    position: Position,
    position_file: PositionFile,
    /// True if the note is up to date.
    position_written: bool,
    wake: Wake,
    status: Arc<StoreStatus>,
    /// True if the last transaction found the database locked.
    locked: bool,
    /// The indexes were made anew by this thread, which helps once or not at all.
    repaired: bool,
}

impl WriterState {
    /// Limits the wait for a lock, so that all work that waits while the database is locked gets its error within a
    /// second.
    fn set_busy_timeout(&self, conn: &Connection, since: Instant) {
        let left = if self.locked { BUSY_TIMEOUT.saturating_sub(since.elapsed()) } else { BUSY_TIMEOUT };
        if let Err(error) = conn.busy_timeout(left.max(Duration::from_millis(1))) {
            warn!(%error, "cannot set how long a lock is waited for");
        }
    }

    /// Notes the position after a commit.
    fn record_commit(&mut self, position: Position) {
        self.position = position;
        match self.position_file.write(&position) {
            Ok(()) => self.position_written = true,
            Err(error) if self.position_written => {
                self.position_written = false;
                warn!(%error, "cannot note which message was confirmed last");
            }
            Err(_) => {}
        }
    }

    /// Wakes the checkpoint thread if the commit left text to erase in the log.
    fn signal_erasing(&self, conn: &Connection) {
        match read_counter(conn, "erase") {
            Ok(0) => {}
            Ok(count) => {
                self.status.set_log_to_erase(count);
                self.wake.wake();
            }
            Err(error) => warn!(%error, "cannot read what is to be erased"),
        }
    }
}

/// Connection and state for a job with a transaction of its own.
struct JobContext<'a> {
    conn: &'a Connection,
    state: &'a mut WriterState,
}

impl JobContext<'_> {
    fn run_transaction<T, E: From<StoreError>>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, E>,
        failure: &mut Option<StoreError>,
    ) -> Result<T, E> {
        let (conn, state) = (self.conn, &mut *self.state);
        let mut fails = |error: StoreError| {
            *failure = Some(error.clone());
            E::from(error)
        };
        let tx = rusqlite::Transaction::new_unchecked(conn, TransactionBehavior::Immediate)
            .map_err(|error| fails(error.into()))?;
        let before = conn.total_changes();
        let value = work(&tx)?;
        if conn.total_changes() == before {
            tx.commit().map_err(|error| fails(error.into()))?;
            return Ok(value);
        }
        let finished = (|| {
            Position::count_change(&tx)?;
            state.files.check()?;
            let position = Position::from_database(&tx)?;
            tx.commit()?;
            Ok(position)
        })();
        state.record_commit(finished.map_err(fails)?);
        state.signal_erasing(conn);
        Ok(value)
    }
}

fn run_writer(conn: &Connection, mut state: WriterState, jobs: &Receiver<Job>) {
    let mut group = match CommitGroup::new(conn) {
        Ok(group) => group,
        Err(error) => return error!(%error, "the store cannot write"),
    };
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Transaction(work, since) => {
                state.set_busy_timeout(conn, since);
                let failure = work(&mut JobContext { conn, state: &mut state });
                state.locked = matches!(failure, Some(StoreError::Locked));
            }
            Job::Maintenance(work) => work(conn),
            Job::Records(records, done, since) => {
                let mut count = records.len();
                let mut batches = vec![(records, done)];
                while count < GROUP_LIMIT {
                    match jobs.try_recv() {
                        Ok(Job::Records(records, done, _)) => {
                            count += records.len();
                            batches.push((records, done));
                        }
                        Ok(job) => {
                            next = Some(job);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                state.set_busy_timeout(conn, since);
                group.commit(batches, &mut state);
            }
        }
    }
}

struct CommitGroup<'conn> {
    conn: &'conn Connection,
    begin: Statement<'conn>,
    commit: Statement<'conn>,
    record_writer: RecordWriter<'conn>,
}

impl<'conn> CommitGroup<'conn> {
    fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            begin: conn.prepare("BEGIN IMMEDIATE")?,
            commit: conn.prepare("COMMIT")?,
            record_writer: RecordWriter::new(conn)?,
        })
    }

    fn commit(&mut self, batches: Vec<(Arc<Vec<Record>>, CommitCallback)>, state: &mut WriterState) {
        let result = self.transaction(batches.iter().flat_map(|(records, _)| records.iter()), state);
        state.locked = matches!(result, Err(StoreError::Locked));
        match result {
            // A record breaks a rule of the schema: its batch fails alone.
            Err(StoreError::Sql(_)) if batches.len() > 1 => {
                for (records, done) in batches {
                    done(self.transaction(records.iter(), state));
                }
            }
            result => {
                for (_, done) in batches {
                    done(result.clone());
                }
            }
        }
    }

    fn transaction<'r>(
        &mut self,
        records: impl Iterator<Item = &'r Record> + Clone,
        state: &mut WriterState,
    ) -> Result<(), StoreError> {
        let mut result = self.try_transaction(records.clone(), state);
        if result.as_ref().is_err_and(StoreError::is_damage) && !std::mem::replace(&mut state.repaired, true)
        {
            warn!("the database is damaged: its indexes are made anew");
            self.roll_back();
            result = repair::rebuild_indexes(self.conn).and_then(|()| self.try_transaction(records, state));
        }
        match result {
            Ok(position) => {
                state.record_commit(position);
                if self.record_writer.take_removed_text() {
                    state.signal_erasing(self.conn);
                }
                Ok(())
            }
            Err(error) => {
                self.roll_back();
                Err(error)
            }
        }
    }

    fn roll_back(&mut self) {
        // A full disk rolls back by itself; a lock at BEGIN prevented the transaction.
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            error!(%error, "rolling back failed");
        }
        self.record_writer.reset_after_rollback();
    }

    /// Runs a transaction. Returns the position after it.
    fn try_transaction<'r>(
        &mut self,
        records: impl Iterator<Item = &'r Record>,
        state: &mut WriterState,
    ) -> Result<Position, StoreError> {
        self.begin.raw_execute()?;
        let mut position = state.position;
        for record in records {
            if let Record::Message(message) = record {
                if message.kind.is_text_message() && state.free_space.is_low() {
                    return Err(StoreError::Full);
                }
                position.message = position.message.max(message.id);
            }
            self.record_writer.apply(record)?;
        }
        if position.message == state.position.message {
            position.changes += 1;
            Position::count_change(self.conn)?;
        }
        self.record_writer.finish()?;
        state.files.check()?;
        self.commit.raw_execute()?;
        Ok(position)
    }
}
