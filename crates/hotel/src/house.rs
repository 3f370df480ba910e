//! The hotel's store.

use std::path::Path;

use jiff::{
    Zoned,
    civil::{Date, Time},
};
use roomtone_lang::Money;
use roomtone_store::{Db, Schema};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Error, Policy, Quote, Refusal, Seed,
    late_check_out::{Situation, decide},
    policy::{stored, time},
};

/// Version 1 of the store. A change of `schema.sql` is a new version and an upgrade.
const SCHEMA: Schema = Schema {
    name: "hotel",
    version: 1,
    sql: include_str!("schema.sql"),
    upgrades: &[],
};

/// References are five digits (RC-031), counted from here.
const FIRST_REFERENCE: i64 = 48_001;

/// A late check-out in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// Its number, five digits.
    pub reference: i64,
    /// The day.
    pub day: Date,
    /// Until when.
    pub until: Time,
    /// For how much.
    pub price: Money,
}

/// A line of the audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// Time, RFC 3339.
    pub at: String,
    /// Who.
    pub actor: String,
    /// What: `late_check_out.booked`, `late_check_out.changed`, `house.seeded`.
    pub deed: String,
    /// On what: `stay:7`.
    pub subject: String,
    /// With which values, JSON.
    pub detail: String,
}

/// The hotel's store, `hotel.db`. Clones share it.
#[derive(Clone, Debug)]
pub struct House {
    db: Db,
}

impl House {
    /// Opens the store at `path`. A store without rules is filled from `seed`, days counted from `now`.
    ///
    /// # Errors
    /// [`Error::Store`] if the file can't be used, [`Error::Seed`] if the seed is malformed.
    pub async fn open(path: &Path, seed: &Seed, now: &Zoned) -> Result<House, Error> {
        let db = Db::open(path, &SCHEMA)?;
        let (seed, now) = (seed.clone(), now.clone());
        db.write(move |db| {
            let begun: bool = db.query_row("select exists (select 1 from policy)", [], |r| r.get(0))?;
            if !begun {
                seed.plant(db, now.date())?;
                audit(db, &now, "house.seeded", "house", &serde_json::json!({}))?;
            }
            Ok::<_, Error>(())
        })
        .await?;
        Ok(House { db })
    }

    /// The rules for late check-out.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn policy(&self) -> Result<Policy, Error> {
        self.db.read(|db| Ok(Policy::read(db)?)).await
    }

    /// Is a late check-out from `room` possible until `until`, and for how much? Reads only.
    ///
    /// # Errors
    /// [`Error::Store`]; a rule of the house that forbids it is the inner [`Refusal`].
    pub async fn quote(&self, room: &str, until: Time, now: &Zoned) -> Result<Result<Quote, Refusal>, Error> {
        let (room, today) = (room.to_owned(), now.date());
        self.db.read(move |db| Ok(look(db, &room, until, today)?)).await
    }

    /// Books a late check-out that costs `agreed`, once per `key`: the same key again gives the same booking. Another
    /// key for the same stay replaces the booking. Everything is decided again inside the transaction, so that two
    /// guests' wishes can't pass each other.
    ///
    /// # Errors
    /// [`Error::Store`], nothing is booked then; a rule of the house that forbids it is the inner [`Refusal`].
    pub async fn book(
        &self,
        room: &str,
        until: Time,
        agreed: &Money,
        key: &str,
        now: &Zoned,
    ) -> Result<Result<Booked, Refusal>, Error> {
        let (room, key, agreed, now) = (room.to_owned(), key.to_owned(), agreed.clone(), now.clone());
        self.db
            .write(move |db| Ok::<_, Error>(write(db, &room, until, &agreed, &key, &now)?))
            .await
    }

    /// The audit, oldest line first.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub async fn audit(&self) -> Result<Vec<AuditLine>, Error> {
        self.db
            .read(|db| {
                let mut lines =
                    db.prepare("select at, actor, deed, subject, detail from audit order by id")?;
                let line = |r: &rusqlite::Row<'_>| {
                    Ok(AuditLine {
                        at: r.get(0)?,
                        actor: r.get(1)?,
                        deed: r.get(2)?,
                        subject: r.get(3)?,
                        detail: r.get(4)?,
                    })
                };
                Ok(lines.query_map([], line)?.collect::<Result<_, _>>()?)
            })
            .await
    }
}

fn look(db: &Connection, room: &str, until: Time, today: Date) -> rusqlite::Result<Result<Quote, Refusal>> {
    let policy = Policy::read(db)?;
    let stay = "select id, departure from stays where room = ?1 and status = 'in_house' and arrival <= ?2 \
                and departure >= ?2 order by departure limit 1";
    let stay = db
        .query_row(stay, params![room, today.to_string()], |r| {
            Ok((r.get::<_, i64>(0)?, r.get::<_, String>(1)?))
        })
        .optional()?;
    let Some((stay, departure)) = stay else {
        return Ok(decide(&policy, None, until));
    };
    let next = "select coalesce(ready_by, ?3) from stays where room = ?1 and status = 'expected' and arrival = ?2 \
                order by 1 limit 1";
    let next_guest = db
        .query_row(next, params![room, departure, stored(policy.check_in)], |r| {
            time(r, 0)
        })
        .optional()?;
    Ok(decide(
        &policy,
        Some(&Situation {
            stay,
            departure: day(&departure)?,
            next_guest,
        }),
        until,
    ))
}

fn write(
    db: &Connection,
    room: &str,
    until: Time,
    agreed: &Money,
    key: &str,
    now: &Zoned,
) -> rusqlite::Result<Result<Booked, Refusal>> {
    if let Some(done) = by_key(db, key)? {
        return Ok(Ok(done));
    }
    let quote = match look(db, room, until, now.date())? {
        Ok(quote) if quote.price == *agreed => quote,
        Ok(_) => return Ok(Err(Refusal::PriceChanged)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let replace = "update late_check_outs set status = 'replaced' where stay = ? and status = 'booked'";
    let replaced = db.execute(replace, [quote.stay])? > 0;
    let next = "select coalesce(max(reference), ?) + 1 from late_check_outs";
    let reference: i64 = db.query_row(next, [FIRST_REFERENCE - 1], |r| r.get(0))?;
    db.execute(
        "insert into late_check_outs values (?, ?, ?, 'booked', ?, ?, ?, ?, ?)",
        params![
            reference,
            key,
            quote.stay,
            quote.day.to_string(),
            stored(quote.until),
            quote.price.minor,
            quote.price.currency,
            now.timestamp().to_string()
        ],
    )?;
    let deed = if replaced {
        "late_check_out.changed"
    } else {
        "late_check_out.booked"
    };
    let detail = serde_json::json!({
        "reference": reference,
        "key": key,
        "until": stored(quote.until),
        "day": quote.day.to_string(),
        "price_minor": quote.price.minor,
        "currency": quote.price.currency,
    });
    audit(db, now, deed, &format!("stay:{}", quote.stay), &detail)?;
    Ok(Ok(Booked {
        reference,
        day: quote.day,
        until: quote.until,
        price: quote.price,
    }))
}

fn by_key(db: &Connection, key: &str) -> rusqlite::Result<Option<Booked>> {
    let sql = "select reference, day, until, price_minor, currency from late_check_outs where key = ?";
    db.query_row(sql, [key], |r| {
        Ok(Booked {
            reference: r.get(0)?,
            day: day(&r.get::<_, String>(1)?)?,
            until: time(r, 2)?,
            price: Money {
                minor: r.get(3)?,
                currency: r.get(4)?,
            },
        })
    })
    .optional()
}

fn audit(
    db: &Connection,
    now: &Zoned,
    deed: &str,
    subject: &str,
    detail: &serde_json::Value,
) -> rusqlite::Result<()> {
    db.execute(
        "insert into audit (at, actor, deed, subject, detail) values (?, 'desk', ?, ?, ?)",
        params![now.timestamp().to_string(), deed, subject, detail.to_string()],
    )?;
    Ok(())
}

fn day(text: &str) -> rusqlite::Result<Date> {
    let wrong = |e: jiff::Error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e))
    };
    text.parse().map_err(wrong)
}
