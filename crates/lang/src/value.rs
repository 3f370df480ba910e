//! The values that people say.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// A kind of value. Its name is what desk files call the type of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// How many: 0 to 9999, as a quantity ("two hundred and four").
    Count,
    /// 0 to 9999 said in any way: as a quantity, digit by digit, in pairs.
    Number,
    /// First, second, … thirty-first.
    Ordinal,
    /// A digit string of any length up to 16, digit by digit with "double" and "triple".
    Digits,
    /// One to four digits, said in any way; leading zeros are kept.
    RoomNumber,
    /// A time of day.
    Time,
    /// A date.
    Date,
    /// Letters, one by one.
    Letters,
    /// An amount of money.
    Money,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 9] = [
        Kind::Count,
        Kind::Number,
        Kind::Ordinal,
        Kind::Digits,
        Kind::RoomNumber,
        Kind::Time,
        Kind::Date,
        Kind::Letters,
        Kind::Money,
    ];

    /// The name in desk files, also the name of the rule that reads it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Count => "count",
            Kind::Number => "number",
            Kind::Ordinal => "ordinal",
            Kind::Digits => "digits",
            Kind::RoomNumber => "room_number",
            Kind::Time => "time",
            Kind::Date => "date",
            Kind::Letters => "letters",
            Kind::Money => "money",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// In the currency's smallest unit (cents).
    pub minor: i64,
    /// ISO 4217, upper case: `EUR`.
    pub currency: String,
}

/// A value, understood or to be said.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type", content = "value")]
pub enum Value {
    /// A quantity, 0 to 9999.
    Number(u32),
    /// A rank, 1 to 31.
    Ordinal(u32),
    /// Digits as a name: a room, a booking, a telephone number. ASCII digits only.
    Digits(String),
    /// A time of day, to the minute.
    Time(Time),
    /// A date.
    Date(Date),
    /// Letters, lower case a to z.
    Letters(String),
    /// An amount.
    Money(Money),
    /// Words that are said as they are.
    Text(String),
}

impl Value {
    /// How the value is written for machines: `204`, `13:00`, `2027-03-10`, `3500 EUR`.
    pub fn plain(&self) -> String {
        match self {
            Value::Number(n) | Value::Ordinal(n) => n.to_string(),
            Value::Digits(s) | Value::Letters(s) | Value::Text(s) => s.clone(),
            Value::Time(t) => format!("{:02}:{:02}", t.hour(), t.minute()),
            Value::Date(d) => d.to_string(),
            Value::Money(m) => format!("{} {}", m.minor, m.currency),
        }
    }
}
