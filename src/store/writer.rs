//! The one thread that writes. Whatever waits in its queue becomes one transaction.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, Statement, TransactionBehavior};
use tokio::sync::oneshot;

use super::StoreError;
use super::records::Keeper;
use crate::chat::record::Record;

/// Called on the writer thread once a batch is durable or has failed; it must be brief.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Batches that may wait. The hub keeps a few under way at most; the rest are accounts and invites, whose number
/// the password pool bounds. Past it a batch fails as [`StoreError::Behind`].
const QUEUE: usize = 4096;

/// Records that one transaction may gather from several batches. Enough to make the sync cheap for each;
/// more would only make the first of them wait.
const GROUP: usize = 8192;

enum Job {
    Records(Arc<Vec<Record>>, Done),
    /// Runs a transaction of its own.
    Alone(Box<dyn FnOnce(&Connection) + Send>),
}

/// Hands jobs to the writer thread; dropping it lets the thread finish them and waits for that.
pub(super) struct Writer {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(conn: Connection) -> Result<Self, StoreError> {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || run(&conn, &jobs))
            .map_err(StoreError::file("the store's thread"))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub fn commit(&self, records: Arc<Vec<Record>>, done: Done) {
        if let Err((error, Job::Records(_, done))) = self.push(Job::Records(records, done)) {
            done(Err(error));
        }
    }

    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (answer, result) = oneshot::channel();
        // Whoever asked may be gone; what was asked is done all the same.
        let job = Job::Alone(Box::new(move |conn| drop(answer.send(transaction(conn, work)))));
        self.push(job).map_err(|(error, _)| error)?;
        result.await.map_err(|_| StoreError::Closed)?
    }

    fn push(&self, job: Job) -> Result<(), (StoreError, Job)> {
        let Some(queue) = &self.queue else { return Err((StoreError::Closed, job)) };
        queue.try_send(job).map_err(|error| match error {
            TrySendError::Full(job) => (StoreError::Behind, job),
            TrySendError::Disconnected(job) => (StoreError::Closed, job),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic there was reported by the panic hook already.
            let _ = thread.join();
        }
    }
}

fn transaction<T, E: From<StoreError>>(
    conn: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let tx = rusqlite::Transaction::new_unchecked(conn, TransactionBehavior::Immediate)
        .map_err(StoreError::from)?;
    let value = work(&tx)?;
    tx.commit().map_err(StoreError::from)?;
    Ok(value)
}

fn run(conn: &Connection, jobs: &Receiver<Job>) {
    let mut group = match Group::new(conn) {
        Ok(group) => group,
        Err(error) => return tracing::error!(%error, "the store cannot write"),
    };
    let mut next = None;
    while let Some(job) = next.take().or_else(|| jobs.recv().ok()) {
        match job {
            Job::Alone(work) => work(conn),
            Job::Records(records, done) => {
                let mut count = records.len();
                let mut batches = vec![(records, done)];
                while count < GROUP {
                    match jobs.try_recv() {
                        Ok(Job::Records(records, done)) => {
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
                group.commit(batches);
            }
        }
    }
}

struct Group<'conn> {
    conn: &'conn Connection,
    begin: Statement<'conn>,
    commit: Statement<'conn>,
    keeper: Keeper<'conn>,
}

impl<'conn> Group<'conn> {
    fn new(conn: &'conn Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            conn,
            begin: conn.prepare("BEGIN IMMEDIATE")?,
            commit: conn.prepare("COMMIT")?,
            keeper: Keeper::new(conn)?,
        })
    }

    fn commit(&mut self, batches: Vec<(Arc<Vec<Record>>, Done)>) {
        let result = self.transaction(batches.iter().flat_map(|(records, _)| records.iter()));
        match result {
            // Some record breaks a rule of the schema: its batch fails alone.
            Err(StoreError::Sql(_)) if batches.len() > 1 => {
                for (records, done) in batches {
                    done(self.transaction(records.iter()));
                }
            }
            result => {
                for (_, done) in batches {
                    done(result.clone());
                }
            }
        }
    }

    fn transaction<'r>(&mut self, records: impl Iterator<Item = &'r Record>) -> Result<(), StoreError> {
        let result = self.begin.raw_execute().and_then(|_| {
            for record in records {
                self.keeper.apply(record)?;
            }
            self.keeper.finish()?;
            self.commit.raw_execute()
        });
        result.map(drop).map_err(|error| {
            // A full disk rolls back by itself; a lock that stood in the way of BEGIN began nothing.
            if !self.conn.is_autocommit()
                && let Err(error) = self.conn.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "rolling back failed");
            }
            self.keeper.rolled_back();
            error.into()
        })
    }
}
