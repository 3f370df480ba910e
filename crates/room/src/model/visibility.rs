//! Who may see an event.

use std::{convert::Infallible, fmt, str::FromStr};

use roomtone_base::ChannelId;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ChannelBinding, ChannelCategory};

/// Who sees what a channel writes (RFC 7.3). One string on the wire: `all`, `none`, `internal`, `transport`,
/// `intelligence`, or channel ids with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Every channel of the room.
    #[default]
    All,
    /// No channel; the host alone reads it.
    None,
    /// As `None`: the engine's own entries.
    Internal,
    /// Transport channels.
    Transport,
    /// Intelligence channels.
    Intelligence,
    /// These channels.
    Channels(Vec<ChannelId>),
}

impl Visibility {
    /// Is the channel of `reader` among those who see it?
    pub fn includes(&self, reader: &ChannelBinding) -> bool {
        match self {
            Visibility::All => true,
            Visibility::None | Visibility::Internal => false,
            Visibility::Transport => reader.category == ChannelCategory::Transport,
            Visibility::Intelligence => reader.category == ChannelCategory::Intelligence,
            Visibility::Channels(ids) => ids.contains(&reader.channel_id),
        }
    }

    pub(crate) fn is_all(&self) -> bool {
        *self == Visibility::All
    }
}

impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Visibility::All => f.write_str("all"),
            Visibility::None => f.write_str("none"),
            Visibility::Internal => f.write_str("internal"),
            Visibility::Transport => f.write_str("transport"),
            Visibility::Intelligence => f.write_str("intelligence"),
            Visibility::Channels(ids) => {
                for (i, id) in ids.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    f.write_str(id)?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Visibility {
    type Err = Infallible;

    /// Any text is a visibility: what is no reserved word is a list of channel ids. An empty text names nobody.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "all" => Visibility::All,
            "none" => Visibility::None,
            "internal" => Visibility::Internal,
            "transport" => Visibility::Transport,
            "intelligence" => Visibility::Intelligence,
            ids => Visibility::Channels(
                ids.split(',')
                    .map(str::trim)
                    .filter(|id| !id.is_empty())
                    .map(ChannelId::from)
                    .collect(),
            ),
        })
    }
}

impl Serialize for Visibility {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Visibility {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Ok(text.parse().unwrap_or_else(|never: Infallible| match never {}))
    }
}
