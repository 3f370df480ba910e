//! What a house begins with.

use jiff::{
    ToSpan,
    civil::{Date, Time},
};
use rusqlite::{Connection, params};
use serde::Deserialize;

use crate::{Error, policy::stored};

/// A made-up or real house as a TOML file describes it. Read on the first start only.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seed {
    policy: PolicySeed,
    room: Vec<RoomSeed>,
    #[serde(default)]
    stay: Vec<StaySeed>,
    #[serde(default)]
    arrival: Vec<ArrivalSeed>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicySeed {
    check_out: Time,
    free_until: Time,
    latest: Time,
    check_in: Time,
    cleaning_minutes: u16,
    price: String,
    currency: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoomSeed {
    numbers: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StaySeed {
    room: String,
    arrived_days_ago: u16,
    leaves_in_days: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArrivalSeed {
    room: String,
    in_days: u16,
    from: Option<Time>,
}

impl Seed {
    /// Reads the text of a hotel file.
    ///
    /// # Errors
    /// [`Error::Seed`] for what can't be understood, a malformed price, and a stay in a room that is not there.
    pub fn parse(text: &str) -> Result<Seed, Error> {
        let seed: Seed = toml::from_str(text).map_err(|e| Error::Seed(e.to_string()))?;
        seed.price_minor()?;
        let named = seed
            .stay
            .iter()
            .map(|s| &s.room)
            .chain(seed.arrival.iter().map(|a| &a.room));
        for room in named {
            if !seed.room.iter().any(|r| r.numbers.contains(room)) {
                return Err(Error::Seed(format!(
                    "a guest is in room {room}, which is not among the rooms"
                )));
            }
        }
        Ok(seed)
    }

    fn price_minor(&self) -> Result<i64, Error> {
        let price = &self.policy.price;
        let wrong = || Error::Seed(format!("the price \"{price}\" is not written like \"30.00\""));
        let (major, minor) = price
            .split_once('.')
            .filter(|(_, m)| m.len() == 2)
            .ok_or_else(wrong)?;
        format!("{major}{minor}")
            .parse()
            .ok()
            .filter(|p| *p >= 0)
            .ok_or_else(wrong)
    }

    /// Fills an empty store; days count from `today`.
    pub(crate) fn plant(&self, db: &Connection, today: Date) -> Result<(), Error> {
        let p = &self.policy;
        db.execute(
            "insert into policy values (1, ?, ?, ?, ?, ?, ?, ?)",
            params![
                stored(p.check_out),
                stored(p.free_until),
                stored(p.latest),
                stored(p.check_in),
                p.cleaning_minutes,
                self.price_minor()?,
                p.currency
            ],
        )?;
        for number in self.room.iter().flat_map(|r| &r.numbers) {
            db.execute("insert into rooms values (?)", [number])?;
        }
        let day = |n: i64| today.saturating_add(n.days()).to_string();
        let insert = "insert into stays (room, arrival, departure, status, ready_by) values (?, ?, ?, ?, ?)";
        for s in &self.stay {
            let (from, to) = (
                day(-i64::from(s.arrived_days_ago)),
                day(i64::from(s.leaves_in_days)),
            );
            db.execute(insert, params![s.room, from, to, "in_house", None::<String>])?;
        }
        for a in &self.arrival {
            let (from, to) = (day(i64::from(a.in_days)), day(i64::from(a.in_days) + 1));
            db.execute(insert, params![a.room, from, to, "expected", a.from.map(stored)])?;
        }
        Ok(())
    }
}
