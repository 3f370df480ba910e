//! Opening, checking and upgrading a file.

use std::{path::Path, time::Duration};

use rusqlite::Connection;

use crate::{Error, Result};

/// How long to wait for another process.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a database holds. `sql` is the truth: the whole schema of the current version. A file of an older version is
/// brought there step by step; each step is tested against a file of the version it starts from.
#[derive(Clone, Debug)]
pub struct Schema {
    /// What it is a database of; a file of something else is refused.
    pub name: &'static str,
    /// Version that `sql` makes, from 1.
    pub version: u32,
    /// Makes an empty database.
    pub sql: &'static str,
    /// Steps from older versions.
    pub upgrades: &'static [Upgrade],
}

/// One step from version `from` to the next.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    /// Version that it starts from.
    pub from: u32,
    /// What it changes.
    pub sql: &'static str,
}

impl Schema {
    /// Marks the file as ours; any 31-bit number that depends on the name.
    fn application_id(&self) -> i32 {
        let hash = self.name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(16_777_619)
        });
        i32::try_from(hash >> 1).expect("31 bits fit")
    }
}

/// The writer's connection to a file that is whole and of the schema's version.
pub(super) fn prepare(path: &Path, schema: &Schema) -> Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    let detail: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0))?;
    if detail != "ok" {
        return Err(Error::Damaged {
            file: String::new(),
            detail,
        });
    }
    connection.pragma_update(None, "journal_mode", "wal")?;
    // Answered means on the disk, also when the power goes.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    bring_up_to_date(&mut connection, schema)?;
    Ok(connection)
}

fn bring_up_to_date(connection: &mut Connection, schema: &Schema) -> Result<()> {
    let (file, known) = (String::new(), schema.version);
    let stamp = |db: &Connection| -> Result<(u32, i32)> {
        let version = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((
            version,
            db.pragma_query_value(None, "application_id", |row| row.get(0))?,
        ))
    };
    // Most files are up to date, and looking does not have to wait for whoever writes.
    if stamp(connection)? == (known, schema.application_id()) {
        return Ok(());
    }
    // Two processes that open a new file at the same time must not both make it.
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let (mut version, application) = stamp(&tx)?;
    let is_empty: bool = tx.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?;
    if is_empty && version == 0 {
        tx.execute_batch(schema.sql)?;
        tx.pragma_update(None, "application_id", schema.application_id())?;
        version = known;
    } else if application != schema.application_id() {
        return Err(Error::WrongFile {
            file,
            expected: schema.name,
        });
    }
    if version > known {
        return Err(Error::TooNew {
            file,
            found: version,
            known,
        });
    }
    let found = version;
    while version < known {
        let Some(step) = schema.upgrades.iter().find(|step| step.from == version) else {
            return Err(Error::NoUpgrade { file, found, known });
        };
        tx.execute_batch(step.sql)?;
        version += 1;
    }
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()?;
    Ok(())
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}
