//! A database file: one writer, a few readers.

mod open;
mod readers;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::Connection;

pub use self::open::{Schema, Upgrade};
use self::{readers::Readers, writer::Writer};
use crate::{Error, Result};

/// Connections that read at the same time.
const READERS: usize = 2;

/// A database file. Clones share it; the last one to go writes what is queued and closes it.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
}

struct Shared {
    name: Arc<str>,
    path: PathBuf,
    writer: Writer,
    readers: Arc<Readers>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Db").field(&self.shared.path).finish()
    }
}

impl Db {
    /// Opens or makes the file, checks that it is whole, and upgrades it to the schema's version.
    ///
    /// Other processes may read and write it at the same time.
    ///
    /// # Errors
    /// [`Error::Damaged`], [`Error::WrongFile`], [`Error::TooNew`], [`Error::NoUpgrade`], [`Error::ReadOnly`],
    /// [`Error::DiskFull`], [`Error::Busy`], [`Error::Unusable`].
    pub fn open(path: impl AsRef<Path>, schema: &Schema) -> Result<Db> {
        let path = path.as_ref().to_owned();
        let name = file_name(&path);
        let named = |error: Error| error.in_file(&name);
        let connection = open::prepare(&path, schema).map_err(named)?;
        let readers = (0..READERS)
            .map(|_| open::reader(&path))
            .collect::<Result<Vec<_>>>()
            .map_err(named)?;
        let writer = Writer::start(connection, name.clone())?;
        let shared = Shared {
            name,
            path,
            writer,
            readers: Arc::new(Readers::new(readers)),
        };
        Ok(Db {
            shared: Arc::new(shared),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Transactions written since the file was opened; fewer than requests when these share them.
    pub fn transactions(&self) -> u64 {
        self.shared.writer.transactions()
    }

    /// Writes: `work` runs on the writer's thread inside a transaction that it may share with others, and the answer
    /// comes once that transaction is on the disk. When `work` fails, what it wrote is taken back and nothing else.
    /// A caller that stops waiting changes nothing.
    ///
    /// # Errors
    /// What `work` gives back; [`Error`] when the transaction could not be written.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.shared.writer.submit(work).await
    }

    /// [`write`](Self::write) for programs without an async runtime.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    ///
    /// # Panics
    /// On a thread of an async runtime.
    pub fn write_sync<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.shared.writer.submit_sync(work)
    }

    /// Reads: `work` runs off the async threads and sees one consistent state.
    ///
    /// # Errors
    /// What `work` gives back; [`Error`] when the file could not be read.
    pub async fn read<T, E>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (readers, name) = (self.shared.readers.clone(), self.shared.name.clone());
        match tokio::task::spawn_blocking(move || readers.read(&name, work)).await {
            Ok(outcome) => outcome,
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_shutting_down) => Err(Error::Closed {
                    file: self.shared.name.to_string(),
                }
                .into()),
            },
        }
    }

    /// [`read`](Self::read) on this thread.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_sync<T, E>(&self, work: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.shared.readers.read(&self.shared.name, work)
    }
}

fn file_name(path: &Path) -> Arc<str> {
    path.file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into()
}
