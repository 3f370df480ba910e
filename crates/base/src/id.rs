//! Opaque names for things. Compare them, print them, store them; never read meaning out of them.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{Rng, SharedClock};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes any text as an id.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                $name(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(s: &str) -> Self {
                $name(s.into())
            }
        }
        impl From<String> for $name {
            fn from(s: String) -> Self {
                $name(s.into())
            }
        }
        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }
        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
    };
}

id!(/** A room: one conversation with everybody in it. */ RoomId);
id!(/** An event on a room's timeline. */ EventId);
id!(/** A channel registered with the engine. */ ChannelId);
id!(/** Someone in a room. */ ParticipantId);
id!(/** A tenant; rooms of two organisations never mix (RE-240). */ OrganizationId);
id!(/** A voice session: one leg of one call (VP section 3). */ SessionId);
id!(/** A call as a person names it: on every log line, in `transcript`, in `trace`. */ CallId);
id!(/** What ties packet, log line, room event and answer of one cause together. */ TraceId);

/// Makes ids: UUIDv7 from the clock and the random source that were handed in, so that a replay makes the same ones.
#[derive(Clone)]
pub struct IdSource {
    clock: SharedClock,
    rng: Rng,
}

impl IdSource {
    /// Ids stamped with `clock`'s wall time.
    pub fn new(clock: SharedClock, rng: Rng) -> Self {
        IdSource { clock, rng }
    }

    /// A fresh UUIDv7 in its 36-character form.
    pub fn uuid(&self) -> String {
        let millis = u64::try_from(self.clock.now().as_millisecond()).unwrap_or(0);
        let mut random = [0u8; 10];
        self.rng.fill(&mut random);
        uuid::Builder::from_unix_timestamp_millis(millis, &random)
            .into_uuid()
            .to_string()
    }

    /// A fresh id of any kind: `ids.make::<RoomId>()`.
    pub fn make<T: From<String>>(&self) -> T {
        T::from(self.uuid())
    }

    /// A short id that a person can read out: `prefix-` and eight characters without look-alikes.
    pub fn short<T: From<String>>(&self, prefix: &str) -> T {
        const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let mut text = String::with_capacity(prefix.len() + 9);
        text.push_str(prefix);
        text.push('-');
        for _ in 0..8 {
            let i = self.rng.below(ALPHABET.len() as u64) as usize;
            text.push(ALPHABET[i] as char);
        }
        T::from(text)
    }
}

impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdSource")
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::VirtualClock;

    #[test]
    fn ids_sort_by_time_and_replay() {
        let make = || {
            let clock = VirtualClock::new(Timestamp::UNIX_EPOCH);
            let ids = IdSource::new(Arc::new(clock.clone()), Rng::seeded(1));
            let a: EventId = ids.make();
            clock.advance(std::time::Duration::from_millis(1));
            let b: EventId = ids.make();
            (a, b)
        };
        let (a, b) = make();
        assert!(a < b);
        assert_eq!(make(), (a, b));
    }
}
