//! The evidence log.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use jiff::Timestamp;
use roomtone_base::{CallId, Evidence, EvidenceSink, RoomId, TraceId};
use rusqlite::{Connection, Params, Row, params};
use tokio::sync::oneshot;

use crate::{Db, Error, Result, Schema};

/// Records that wait to be written; more are lost and counted.
const QUEUE: usize = 8_192;
/// Records in one transaction.
const BATCH: usize = 512;

const SCHEMA: Schema = Schema {
    name: "audit",
    version: 1,
    sql: include_str!("schema.sql"),
    upgrades: &[],
};

enum Entry {
    Record(Box<Evidence>),
    Flush(oneshot::Sender<()>),
}

/// Evidence in a SQLite file of its own. Recording never waits: a thread of the log writes, and what could not be
/// written is counted. Dropping the log writes what is queued.
pub struct EvidenceLog {
    db: Db,
    queue: Option<SyncSender<Entry>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    lost: Arc<AtomicU64>,
}

impl EvidenceLog {
    /// Opens or makes the file.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::with_queue(path, QUEUE)
    }

    fn with_queue(path: impl AsRef<Path>, length: usize) -> Result<Self> {
        let db = Db::open(path, &SCHEMA)?;
        let (queue, entries) = sync_channel(length);
        let lost = Arc::new(AtomicU64::new(0));
        let (its_db, its_lost) = (db.clone(), lost.clone());
        let thread = std::thread::Builder::new()
            .name("evidence".to_owned())
            .spawn(move || write_down(&its_db, &entries, &its_lost))
            .map_err(|error| Error::Unusable {
                file: "audit".to_owned(),
                detail: error.to_string(),
            })?;
        Ok(EvidenceLog {
            db,
            queue: Some(queue),
            thread: Mutex::new(Some(thread)),
            lost,
        })
    }

    /// Records that were not written, because the queue or the disk was full.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Waits until everything recorded before is on the disk.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        let Some(queue) = self.queue.clone() else { return };
        // The queue may be full, and a full queue makes its sender wait.
        let sent = tokio::task::spawn_blocking(move || queue.send(Entry::Flush(done)).is_ok()).await;
        if sent.unwrap_or(false) {
            let _ = written.await;
        }
    }

    /// All records of one cause, oldest first.
    ///
    /// # Errors
    /// What the file does not give.
    pub fn records(&self, trace: &TraceId) -> Result<Vec<Evidence>> {
        self.select("WHERE trace = ?1 ORDER BY seq", [trace.as_str()])
    }

    /// All records of all causes that a call took part in, oldest first.
    ///
    /// # Errors
    /// What the file does not give.
    pub fn records_for_call(&self, call: &CallId) -> Result<Vec<Evidence>> {
        let of_call = "WHERE call = ?1 OR trace IN (SELECT trace FROM evidence WHERE call = ?1) ORDER BY seq";
        self.select(of_call, [call.as_str()])
    }

    /// The newest records, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What the file does not give.
    pub fn latest(&self, limit: usize) -> Result<Vec<Evidence>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut found = self.select("ORDER BY seq DESC LIMIT ?1", [limit])?;
        found.reverse();
        Ok(found)
    }

    fn select(&self, which: &str, params: impl Params) -> Result<Vec<Evidence>> {
        let sql = format!("SELECT trace, at, step, actor, room, call, detail FROM evidence {which}");
        self.db.read_sync(|db| {
            let mut statement = db.prepare_cached(&sql)?;
            let mut rows = statement.query(params)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(evidence(row)?);
            }
            Ok(found)
        })
    }
}

impl EvidenceSink for EvidenceLog {
    fn record(&self, record: Evidence) {
        let Some(queue) = &self.queue else { return };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            queue.try_send(Entry::Record(Box::new(record)))
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for EvidenceLog {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

fn write_down(db: &Db, entries: &Receiver<Entry>, lost: &AtomicU64) {
    while let Ok(first) = entries.recv() {
        let (mut records, mut waiting) = (Vec::new(), Vec::new());
        let more = std::iter::from_fn(|| entries.try_recv().ok()).take(BATCH - 1);
        for entry in std::iter::once(first).chain(more) {
            match entry {
                Entry::Record(record) => records.push(*record),
                Entry::Flush(done) => waiting.push(done),
            }
        }
        let count = records.len() as u64;
        if count > 0
            && let Err(error) = db.write_sync(move |db| insert(db, &records))
        {
            lost.fetch_add(count, Ordering::Relaxed);
            tracing::error!(target: "roomtone::store", %error, count, "evidence not written");
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}

fn insert(db: &Connection, records: &[Evidence]) -> Result<()> {
    let sql = "INSERT INTO evidence (trace, at, step, actor, room, call, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let mut statement = db.prepare_cached(sql)?;
    for record in records {
        statement.execute(params![
            record.trace.as_str(),
            i64::try_from(record.at.as_nanosecond()).map_err(Error::record)?,
            record.step,
            record.actor,
            record.room.as_ref().map(|room| room.as_str()),
            record.call.as_ref().map(|call| call.as_str()),
            serde_json::to_string(&record.detail)?,
        ])?;
    }
    Ok(())
}

fn evidence(row: &Row<'_>) -> Result<Evidence> {
    let text = |column| row.get::<_, Option<String>>(column);
    let at = Timestamp::from_nanosecond(row.get::<_, i64>(1)?.into()).map_err(Error::record)?;
    let mut record = Evidence::new(
        row.get::<_, String>(0)?.into(),
        at,
        row.get::<_, String>(2)?,
        row.get::<_, String>(3)?,
    );
    record.room = text(4)?.map(RoomId::from);
    record.call = text(5)?.map(CallId::from);
    record.detail = serde_json::from_str(&row.get::<_, String>(6)?)?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_call_is_followed_through_all_its_causes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.db");
        let log = EvidenceLog::open(&path).unwrap();
        let record = |trace: &str, second, step: &str| Evidence::new(trace.into(), at(second), step, "desk");
        let all = [
            record("T1", 1, "sip.invite").call("C1".into()).with("code", 200),
            record("T1", 2, "room.committed")
                .room("R1".into())
                .with("index", 3),
            record("T2", 3, "room.committed").room("R2".into()),
            record("T3", 4, "call.ended").call("C1".into()),
        ];
        for one in &all {
            log.record(one.clone());
        }
        log.flush().await;
        assert_eq!(log.records(&"T1".into()).unwrap(), all[..2]);
        let of_call = log.records_for_call(&"C1".into()).unwrap();
        assert_eq!(of_call, [all[0].clone(), all[1].clone(), all[3].clone()]);
        assert_eq!(log.latest(2).unwrap(), all[2..]);
        assert_eq!(log.lost(), 0);
        log.record(record("T4", 5, "late"));
        drop(log);
        let again = EvidenceLog::open(&path).unwrap();
        assert_eq!(
            again.records(&"T4".into()).unwrap().len(),
            1,
            "what was queued at the end is written"
        );
        let change = again
            .db
            .write(|db| Ok::<_, Error>(db.execute("UPDATE evidence SET step = 'x'", [])?))
            .await;
        assert!(change.is_err(), "what was written down stays");
    }

    #[tokio::test]
    async fn a_full_queue_loses_and_counts_and_never_waits() {
        let folder = tempfile::tempdir().unwrap();
        let log = EvidenceLog::with_queue(folder.path().join("audit.db"), 4).unwrap();
        // Holds the writer, so that the queue fills.
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let db = log.db.clone();
        let holding = tokio::spawn(async move {
            db.write(move |_| {
                let _ = held.recv();
                Ok::<_, Error>(())
            })
            .await
        });
        for n in 0..2_000 {
            log.record(Evidence::new("T".into(), at(n), "step", "test"));
        }
        assert!(log.lost() > 0);
        drop(hold);
        holding.await.unwrap().unwrap();
        log.flush().await;
        let kept = log.records(&"T".into()).unwrap().len() as u64;
        assert_eq!(kept + log.lost(), 2_000, "every record is either kept or counted");
    }
}
