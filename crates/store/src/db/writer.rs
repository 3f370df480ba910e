//! The thread that writes.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::{Error, Result};

/// Requests that wait; more make their callers wait.
const QUEUE: usize = 1_024;
/// Requests in one transaction: enough to share one write to the disk, few enough to answer soon.
const BATCH: usize = 256;

/// Runs the work, or is told why it cannot run; gives back how to answer it once the transaction has ended.
type Job = Box<dyn FnOnce(Result<&Connection, &Error>) -> Answer + Send>;
/// Answers: with the error if the transaction could not be written.
type Answer = Box<dyn FnOnce(Option<&Error>) + Send>;

pub(super) struct Writer {
    name: Arc<str>,
    jobs: Option<mpsc::Sender<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    transactions: Arc<AtomicU64>,
}

impl Writer {
    pub(super) fn start(connection: Connection, name: Arc<str>) -> Result<Self> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (its_name, transactions) = (name.clone(), Arc::new(AtomicU64::new(0)));
        let counter = transactions.clone();
        let thread = std::thread::Builder::new()
            .name(format!("write {name}"))
            .spawn(move || run(connection, queue, &its_name, &counter))
            .map_err(|error| Error::Unusable {
                file: name.to_string(),
                detail: error.to_string(),
            })?;
        Ok(Writer {
            name,
            jobs: Some(jobs),
            thread: Mutex::new(Some(thread)),
            transactions,
        })
    }

    fn jobs(&self) -> &mpsc::Sender<Job> {
        self.jobs
            .as_ref()
            .expect("it is there until the writer is dropped")
    }

    pub(super) fn transactions(&self) -> u64 {
        self.transactions.load(Ordering::Relaxed)
    }

    fn closed<E: From<Error>>(&self) -> E {
        Error::Closed {
            file: self.name.to_string(),
        }
        .into()
    }

    pub(super) async fn submit<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, outcome) = job(work);
        self.jobs().send(job).await.map_err(|_| self.closed())?;
        outcome.await.unwrap_or_else(|_| Err(self.closed()))
    }

    pub(super) fn submit_sync<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (job, outcome) = job(work);
        self.jobs().blocking_send(job).map_err(|_| self.closed())?;
        outcome.blocking_recv().unwrap_or_else(|_| Err(self.closed()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The last handle may have been inside a request; a thread cannot wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

fn job<T, E>(
    work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
) -> (Job, oneshot::Receiver<Result<T, E>>)
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (tell, outcome) = oneshot::channel();
    let job = move |connection: Result<&Connection, &Error>| -> Answer {
        // A request that panics is taken back like one that fails; its caller sees a closed channel.
        let done = catch_unwind(AssertUnwindSafe(|| match connection {
            Ok(connection) => attempt(connection, work),
            Err(error) => Err(error.clone().into()),
        }));
        Box::new(move |failure| {
            let Ok(done) = done else { return };
            let answer = match failure {
                Some(error) => done.and_then(|_| Err(error.clone().into())),
                None => done,
            };
            let _ = tell.send(answer);
        })
    };
    (Box::new(job), outcome)
}

/// Runs one request so that it can be taken back alone.
fn attempt<T, E: From<Error>>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let sql = |sql: &str| {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute([]))
            .map(drop)
    };
    struct TakeBack<'a>(&'a Connection, bool);
    impl Drop for TakeBack<'_> {
        fn drop(&mut self) {
            // Unless SQLite took back the whole transaction by itself.
            if self.1 && !self.0.is_autocommit() {
                let _ = self.0.execute_batch("ROLLBACK TO request; RELEASE request");
            }
        }
    }
    sql("SAVEPOINT request").map_err(Error::from)?;
    let mut take_back = TakeBack(connection, true);
    let done = work(connection)?;
    sql("RELEASE request").map_err(Error::from)?;
    take_back.1 = false;
    Ok(done)
}

fn run(connection: Connection, mut queue: mpsc::Receiver<Job>, name: &str, transactions: &AtomicU64) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut jobs, BATCH) > 0 {
        if write_together(&connection, &mut jobs, name) {
            transactions.fetch_add(1, Ordering::Relaxed);
        }
    }
    // A file without a log beside it is the easier one to copy; if somebody reads, it stays.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
}

/// One transaction, one write to the disk, then all answers; false if nothing was written.
fn write_together(connection: &Connection, jobs: &mut Vec<Job>, name: &str) -> bool {
    let mut answers = Vec::with_capacity(jobs.len());
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let mut failure = begun.err().map(|error| Error::from(error).in_file(name));
    for job in jobs.drain(..) {
        if let Some(error) = &failure {
            answers.push(job(Err(error)));
            continue;
        }
        answers.push(job(Ok(connection)));
        if connection.is_autocommit() {
            // A full disk or a broken one: SQLite has taken back everything since the beginning.
            let detail = "the transaction was taken back".to_owned();
            failure = Some(Error::Unusable {
                file: String::new(),
                detail,
            });
        }
    }
    if failure.is_none() {
        failure = connection.execute_batch("COMMIT").err().map(Error::from);
        if failure.is_some() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
    }
    let failure = failure.map(|error| error.in_file(name));
    if let Some(error) = &failure {
        tracing::error!(target: "roomtone::store", %error, "nothing written");
    }
    for answer in answers {
        answer(failure.as_ref());
    }
    failure.is_none()
}
