//! What the listener may hear next: the desk says it, the recogniser uses what it can of it.

use std::{fmt, sync::Arc};

use roomtone_base::RoomId;
use sha2::{Digest, Sha256};

/// Kind of answer that is expected (dialogue engine, section 3.9). Decides grammar and waiting times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Expected {
    /// Anything the desk understands.
    #[default]
    Open,
    /// Yes or no.
    YesNo,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// Digits: a room or booking number, a phone number.
    Digits,
    /// Letters, one by one.
    Spelling,
    /// A person's name.
    Name,
    /// One of a named list.
    List(String),
}

/// A closed grammar in JSGF, compiled by a recogniser once and then known by its hash.
#[derive(Clone, PartialEq)]
pub struct Grammar {
    /// Unique within a desk, letters, digits and `_`: `open`, `yes_no`, `late_check_out_time`.
    pub name: String,
    /// The whole grammar file, `#JSGF V1.0;` first, one public rule.
    pub jsgf: String,
    /// SHA-256 of `jsgf`, hex.
    pub hash: String,
    /// Sentences that the grammar accepts, spread over all its rules: used to calibrate the rejection threshold.
    pub examples: Vec<String>,
    /// How unlike the grammar speech may be and still be taken; `None` until calibrated. Difference of the grammar's
    /// and the phone loop's score per 10 ms frame, in the decoder's log units; higher refuses more.
    pub threshold: Option<f32>,
}

impl Grammar {
    /// A grammar not yet calibrated.
    pub fn new(name: impl Into<String>, jsgf: impl Into<String>, examples: Vec<String>) -> Self {
        let jsgf = jsgf.into();
        let hash = Sha256::digest(jsgf.as_bytes())
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        Grammar {
            name: name.into(),
            jsgf,
            hash,
            examples,
            threshold: None,
        }
    }
}

impl fmt::Debug for Grammar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grammar({}, {})", self.name, self.hash.get(..8).unwrap_or(""))
    }
}

/// What one question expects.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// The kind of answer.
    pub expected: Expected,
    /// Language of the answer, ISO 639-1.
    pub language: String,
    /// For grammar recognisers.
    pub grammar: Arc<Grammar>,
    /// For recognisers that take phrases or hotwords.
    pub phrases: Arc<[String]>,
}

/// Says what a room's next words may be. Implemented by the desk, asked by the voice channel.
pub trait Context: Send + Sync + 'static {
    /// What is expected in `room` now.
    fn expectations(&self, room: &RoomId) -> Expectations;
}
