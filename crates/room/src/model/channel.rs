//! What kinds of channels there are and what they can do.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Map;

macro_rules! channel_types {
    ($($name:ident = $word:literal),+ $(,)?) => {
        /// The medium of a channel (RFC 6.2). On the wire a word in lower case; own types are `custom:<name>`.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "the names are the specification's own")]
        pub enum ChannelType {
            $($name,)+
            /// A type of the integrator's own; the name without `custom:`.
            Custom(Arc<str>),
        }

        impl ChannelType {
            fn word(&self) -> Option<&'static str> {
                match self {
                    $(ChannelType::$name => Some($word),)+
                    ChannelType::Custom(_) => None,
                }
            }

            /// Reads the word on the wire; `None` for a word that is neither known nor `custom:<name>`.
            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(ChannelType::$name),)+
                    own => own
                        .strip_prefix("custom:")
                        .filter(|name| !name.is_empty())
                        .map(|name| ChannelType::Custom(name.into())),
                }
            }
        }
    };
}

channel_types! {
    Sms = "sms", Mms = "mms", Rcs = "rcs", Email = "email", WhatsApp = "whatsapp",
    WhatsAppPersonal = "whatsapp_personal", WebSocket = "websocket", Messenger = "messenger", Teams = "teams",
    Webhook = "webhook", Voice = "voice", RealtimeVoice = "realtime_voice", AudioVideo = "audio_video",
    RealtimeAudioVideo = "realtime_audio_video", Video = "video", Conference = "conference",
    Telegram = "telegram", Discord = "discord", Buzz = "buzz", Cli = "cli", Push = "push", Ai = "ai",
    System = "system",
}

impl ChannelType {
    /// Transport or intelligence; AI is the only intelligence type (RFC 4.2).
    pub fn category(&self) -> ChannelCategory {
        if *self == ChannelType::Ai {
            ChannelCategory::Intelligence
        } else {
            ChannelCategory::Transport
        }
    }
}

impl fmt::Display for ChannelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ChannelType::Custom(name) => write!(f, "custom:{name}"),
            known => f.write_str(known.word().unwrap_or_default()),
        }
    }
}

impl Serialize for ChannelType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.word() {
            Some(word) => serializer.serialize_str(word),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for ChannelType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        ChannelType::parse(&word).ok_or_else(|| de::Error::custom(format!("unknown channel type `{word}`")))
    }
}

/// Does a channel carry words to the outside, or think about them (RFC 4.2)?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelCategory {
    /// Reaches the outside with `deliver` (RE-061).
    #[default]
    Transport,
    /// Answers in `on_event` and never reaches the outside itself (RE-061).
    Intelligence,
}

/// What a channel can physically do (RE-062).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelDirection {
    /// Hears only.
    Inbound,
    /// Speaks only.
    Outbound,
    /// Both.
    #[default]
    Bidirectional,
}

/// A kind of content that a channel can carry (RFC 5.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelMediaType {
    /// Plain text.
    Text,
    /// Marked-up text with buttons, cards, quick replies.
    Rich,
    /// Files and pictures.
    Media,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Places.
    Location,
    /// Templates registered with a provider.
    Template,
}

/// How a channel with several recipients spreads a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMode {
    /// To all.
    #[default]
    Broadcast,
    /// To one.
    Direct,
    /// To each in turn.
    RoundRobin,
}

/// How many messages a channel takes; a limit that is absent does not bind (RFC 13.3).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateLimit {
    /// Messages per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<f64>,
    /// Messages per minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_minute: Option<f64>,
    /// Messages per hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_per_hour: Option<f64>,
    /// Messages that may go at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// How a failed delivery is repeated (RFC 13.2): wait `min(base * exponential_base^k, max)` before retry `k`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RetryPolicy {
    /// Retries after the first try.
    pub max_retries: u32,
    /// Wait before the first retry, seconds.
    pub base_delay_seconds: f64,
    /// Growth per retry.
    pub exponential_base: f64,
    /// Longest wait, seconds.
    pub max_delay_seconds: f64,
    /// Error codes worth a retry; absent: those whose error says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retryable_errors: Option<Vec<String>>,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            max_retries: 3,
            base_delay_seconds: 1.0,
            exponential_base: 2.0,
            max_delay_seconds: 60.0,
            retryable_errors: None,
        }
    }
}

/// What a channel's medium can carry (RFC 5.8). Snapshot in the binding; the broadcast plan uses it (RE-160).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[allow(
    missing_docs,
    reason = "the flags are the specification's own and say what they mean"
)]
pub struct ChannelCapabilities {
    /// Kinds of content that pass untouched; everything else falls back to text (RE-180).
    pub media_types: Vec<ChannelMediaType>,
    /// Longest text, Unicode scalar values (RE-181).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    pub supports_rich_text: bool,
    pub supports_buttons: bool,
    /// Most buttons in one message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_buttons: Option<u32>,
    pub supports_cards: bool,
    pub supports_quick_replies: bool,
    pub supports_templates: bool,
    pub supports_media: bool,
    /// MIME types of media that pass.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supported_media_types: Vec<String>,
    /// Largest medium, bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_media_size_bytes: Option<u64>,
    pub supports_audio: bool,
    pub supports_video: bool,
    pub supports_threading: bool,
    pub supports_typing: bool,
    pub supports_read_receipts: bool,
    pub supports_reactions: bool,
    pub supports_edit: bool,
    pub supports_delete: bool,
    /// How several recipients are served.
    pub delivery_mode: DeliveryMode,
    /// The medium's own limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// What the integrator adds.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub custom: Map,
}

impl Default for ChannelCapabilities {
    fn default() -> Self {
        ChannelCapabilities {
            media_types: vec![ChannelMediaType::Text],
            max_length: None,
            supports_rich_text: false,
            supports_buttons: false,
            max_buttons: None,
            supports_cards: false,
            supports_quick_replies: false,
            supports_templates: false,
            supports_media: false,
            supported_media_types: Vec::new(),
            max_media_size_bytes: None,
            supports_audio: false,
            supports_video: false,
            supports_threading: false,
            supports_typing: false,
            supports_read_receipts: false,
            supports_reactions: false,
            supports_edit: false,
            supports_delete: false,
            delivery_mode: DeliveryMode::Broadcast,
            rate_limit: None,
            custom: Map::new(),
        }
    }
}

impl ChannelCapabilities {
    /// Does content of this kind pass untouched?
    pub fn carries(&self, kind: ChannelMediaType) -> bool {
        self.media_types.contains(&kind)
    }
}
