//! The house's rules for leaving late.

use jiff::civil::Time;
use roomtone_lang::Money;
use rusqlite::{Connection, Row, types::Type};

/// Rules for late check-out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// When everybody has to leave.
    pub check_out: Time,
    /// A late check-out until then costs nothing.
    pub free_until: Time,
    /// None is possible after that.
    pub latest: Time,
    /// When the next guest may come.
    pub check_in: Time,
    /// Minutes between two guests of a room.
    pub cleaning_minutes: i64,
    /// Price after `free_until`.
    pub price: Money,
}

impl Policy {
    /// What staying until `until` costs.
    pub fn price_until(&self, until: Time) -> Money {
        let minor = if until <= self.free_until {
            0
        } else {
            self.price.minor
        };
        Money {
            minor,
            currency: self.price.currency.clone(),
        }
    }

    /// The rules as they are stored.
    pub(crate) fn read(db: &Connection) -> rusqlite::Result<Policy> {
        let sql = "select check_out, free_until, latest, check_in, cleaning_minutes, price_minor, currency from policy";
        db.query_row(sql, [], |row| {
            Ok(Policy {
                check_out: time(row, 0)?,
                free_until: time(row, 1)?,
                latest: time(row, 2)?,
                check_in: time(row, 3)?,
                cleaning_minutes: row.get(4)?,
                price: Money {
                    minor: row.get(5)?,
                    currency: row.get(6)?,
                },
            })
        })
    }
}

/// A time column, `HH:MM`.
pub(crate) fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Time> {
    let text: String = row.get(column)?;
    let wrong = |e: jiff::Error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(e));
    text.parse().map_err(wrong)
}

/// A time as it is stored.
pub(crate) fn stored(t: Time) -> String {
    format!("{:02}:{:02}", t.hour(), t.minute())
}
