//! What can go wrong.

use roomtone_base::{ChannelId, Remedy, RoomId};

use crate::model::{ContentError, DeliveryError};

/// Why a store could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such room.
    #[error("no room {0}")]
    NoRoom(RoomId),
    /// There is a room of that name already.
    #[error("room {0} exists already")]
    RoomExists(RoomId),
    /// Somebody else wrote the same place of the timeline; nothing was written (RE-023).
    #[error("the timeline of room {0} was written by somebody else at the same place")]
    Conflict(RoomId),
    /// Two events of one room with the same idempotency key; nothing was written (C-32).
    #[error("an event with this idempotency key is stored in room {0}")]
    DuplicateKey(RoomId),
    /// The medium failed.
    #[error("{message}")]
    Medium {
        /// What failed; holds no personal datum.
        message: String,
        /// Would a later try have a chance?
        retryable: bool,
        /// What a person can do.
        remedy: Option<String>,
    },
}

/// What the engine refuses or could not do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// No channel of that name is registered.
    #[error("channel {0} is not registered")]
    ChannelNotRegistered(ChannelId),
    /// A channel of that name is registered; it stays in place.
    #[error("channel {0} is registered already")]
    ChannelAlreadyRegistered(ChannelId),
    /// The channel is not bound to the room.
    #[error("channel {channel} is not attached to room {room}")]
    ChannelNotAttached {
        /// The channel.
        channel: ChannelId,
        /// The room.
        room: RoomId,
    },
    /// There is no such room.
    #[error("no room {0}")]
    RoomNotFound(RoomId),
    /// The room takes no events (RE-040).
    #[error("room {0} is closed")]
    RoomClosed(RoomId),
    /// The message is not what the specification allows (RE-120).
    #[error("the message is refused: {0}")]
    Content(#[from] ContentError),
    /// A kind of message that this engine does not process.
    #[error("the message is refused: {0}")]
    Unsupported(&'static str),
    /// The channel could not make an event of the message.
    #[error("channel {channel} refused the message: {error}")]
    Channel {
        /// The channel.
        channel: ChannelId,
        /// Its words.
        error: DeliveryError,
    },
    /// A hook called the engine for the room whose lock it runs under (RE-035).
    #[error("a hook may not write to room {0} while it decides about it")]
    Reentrant(RoomId),
    /// The engine was closed (RE-251).
    #[error("the room engine has been shut down")]
    ShutDown,
    /// A setting that is not allowed.
    #[error("{0}")]
    Setting(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoRoom(room) => Error::RoomNotFound(room),
            other => Error::Store(other),
        }
    }
}

impl Remedy for StoreError {
    fn retryable(&self) -> bool {
        match self {
            StoreError::Conflict(_) => true,
            StoreError::Medium { retryable, .. } => *retryable,
            _ => false,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            StoreError::Medium { remedy, .. } => remedy.clone(),
            _ => None,
        }
    }
}

impl Remedy for Error {
    fn retryable(&self) -> bool {
        match self {
            Error::Channel { error, .. } => error.retryable,
            Error::Store(error) => error.retryable(),
            _ => false,
        }
    }

    fn remedy(&self) -> Option<String> {
        match self {
            Error::ChannelNotRegistered(_) => Some("register the channel before its messages come in".into()),
            Error::ChannelAlreadyRegistered(_) => Some("give each channel a name of its own".into()),
            Error::ChannelNotAttached { .. } => Some("attach the channel to the room first".into()),
            Error::RoomClosed(_) => Some("open a new room, or reopen this one".into()),
            Error::Reentrant(_) => Some("return the event from the hook as an injected event".into()),
            Error::Store(error) => error.remedy(),
            _ => None,
        }
    }
}

/// Of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;
