//! May this guest leave that late, and for how much?

use jiff::{
    ToSpan,
    civil::{Date, Time},
};
use roomtone_lang::Money;

use crate::Policy;

/// What the store knows of a room's guests, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Situation {
    /// The stay in the room.
    pub(crate) stay: i64,
    /// Its last day.
    pub(crate) departure: Date,
    /// When the next guest may come on that day, if there is one.
    pub(crate) next_guest: Option<Time>,
}

/// A late check-out that is possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The stay that it is for.
    pub stay: i64,
    /// The day.
    pub day: Date,
    /// Until when.
    pub until: Time,
    /// For how much.
    pub price: Money,
}

/// Why a late check-out is not possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The room is not there or nobody is in it. Which of the two is nobody's business (RC-070).
    UnknownRoom,
    /// Nothing has to be booked for that time.
    NotNeeded,
    /// Later than the house allows; the latest time that would do.
    TooLate(Time),
    /// The next guest comes before that; the latest time that would do.
    NextGuest(Time),
    /// The next guest comes so early that no late check-out is possible.
    FullyBooked,
    /// It costs something else than what the guest agreed to.
    PriceChanged,
}

impl Refusal {
    /// The reason as tools name it.
    pub fn reason(&self) -> &'static str {
        match self {
            Refusal::UnknownRoom => "unknown_room",
            Refusal::NotNeeded => "not_needed",
            Refusal::TooLate(_) => "too_late",
            Refusal::NextGuest(_) => "next_guest",
            Refusal::FullyBooked => "fully_booked",
            Refusal::PriceChanged => "price_changed",
        }
    }
}

/// Decides. Pure: the same situation gives the same answer.
pub(crate) fn decide(policy: &Policy, situation: Option<&Situation>, until: Time) -> Result<Quote, Refusal> {
    let s = situation.ok_or(Refusal::UnknownRoom)?;
    if until <= policy.check_out {
        return Err(Refusal::NotNeeded);
    }
    let before = |t: Time| t.saturating_sub(policy.cleaning_minutes.minutes());
    let room_latest = s.next_guest.map(before);
    if let Some(latest) = room_latest.filter(|t| *t < policy.latest && until > *t) {
        return Err(if latest > policy.check_out {
            Refusal::NextGuest(latest)
        } else {
            Refusal::FullyBooked
        });
    }
    if until > policy.latest {
        return Err(Refusal::TooLate(policy.latest));
    }
    Ok(Quote {
        stay: s.stay,
        day: s.departure,
        until,
        price: policy.price_until(until),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    fn at(h: i8, m: i8) -> Time {
        time(h, m, 0, 0)
    }

    #[test]
    fn the_house_rules_decide_with_the_nearest_alternative() {
        let policy = Policy {
            check_out: at(11, 0),
            free_until: at(12, 0),
            latest: at(14, 0),
            check_in: at(15, 0),
            cleaning_minutes: 60,
            price: Money {
                minor: 3000,
                currency: "EUR".into(),
            },
        };
        let with = |next_guest| Situation {
            stay: 7,
            departure: date(2027, 3, 11),
            next_guest,
        };
        let price = |s: &Situation, until| decide(&policy, Some(s), until).map(|q| q.price.minor);
        let free = with(None);
        assert_eq!(decide(&policy, None, at(13, 0)), Err(Refusal::UnknownRoom));
        assert_eq!(price(&free, at(11, 0)), Err(Refusal::NotNeeded));
        assert_eq!(price(&free, at(12, 0)), Ok(0));
        assert_eq!(price(&free, at(12, 1)), Ok(3000));
        assert_eq!(price(&free, at(14, 0)), Ok(3000));
        assert_eq!(price(&free, at(14, 1)), Err(Refusal::TooLate(at(14, 0))));
        assert_eq!(
            price(&with(Some(at(15, 0))), at(14, 0)),
            Ok(3000),
            "cleaned in time"
        );
        assert_eq!(
            price(&with(Some(at(14, 0))), at(13, 30)),
            Err(Refusal::NextGuest(at(13, 0)))
        );
        assert_eq!(
            price(&with(Some(at(14, 0))), at(18, 0)),
            Err(Refusal::NextGuest(at(13, 0)))
        );
        assert_eq!(
            price(&with(Some(at(12, 0))), at(13, 0)),
            Err(Refusal::FullyBooked)
        );
    }
}
