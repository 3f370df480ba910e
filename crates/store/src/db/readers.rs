//! Connections that read.

use std::sync::{Condvar, Mutex, PoisonError};

use rusqlite::Connection;

use crate::{Error, Result};

/// A few connections, lent out one by one.
pub(super) struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

/// Brings the connection back, also when the work panics.
struct Lent<'a>(&'a Readers, Option<Connection>);

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.1.take() {
            self.0
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(connection);
            self.0.returned.notify_one();
        }
    }
}

impl Readers {
    pub(super) fn new(idle: Vec<Connection>) -> Self {
        Readers {
            idle: Mutex::new(idle),
            returned: Condvar::new(),
        }
    }

    /// Runs `work` on a free connection, in a transaction of its own: one consistent state.
    pub(super) fn read<T, E: From<Error>>(
        &self,
        name: &str,
        work: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = loop {
            match idle.pop() {
                Some(connection) => break connection,
                None => idle = self.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        let lent = Lent(self, Some(connection));
        let connection = lent
            .1
            .as_ref()
            .expect("it is lent until the end of this function");
        let tx = connection
            .unchecked_transaction()
            .map_err(|error| Error::from(error).in_file(name))?;
        work(&tx)
    }
}
