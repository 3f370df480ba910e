//! What an event says: eleven kinds (RE-010).

use serde::{Deserialize, Serialize};

use super::Map;

/// Deepest nesting of composite content (RE-011).
pub const MAX_COMPOSITE_DEPTH: usize = 5;

/// Content that is refused (RE-120).
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ContentError {
    /// Composite content inside composite content, too deep (RE-011).
    #[error("composite content is nested {0} levels deep, at most {MAX_COMPOSITE_DEPTH} are allowed")]
    TooDeep(usize),
    /// Composite content without a part.
    #[error("composite content has no part")]
    NoParts,
    /// A link that is neither `http://`, `https://` nor `data:`.
    #[error("a link must begin with http://, https:// or data:")]
    Link,
    /// Latitude outside ±90 or longitude outside ±180.
    #[error("latitude {0} or longitude {1} is not on this planet")]
    Place(f64, f64),
    /// Negative or not a number.
    #[error("a duration of {0} seconds")]
    Duration(f64),
}

/// The tagged union on the wire: `{"type": "text", "text": "…"}` (RFC 5.3). Where the specification says `text`,
/// `body` is read as well (C-16).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventContent {
    /// Words.
    Text(TextContent),
    /// Marked-up words with buttons and cards.
    Rich(Box<RichContent>),
    /// A file or picture.
    Media(Box<MediaContent>),
    /// A place.
    Location(LocationContent),
    /// Sound.
    Audio(Box<AudioContent>),
    /// Moving pictures.
    Video(Box<VideoContent>),
    /// Several at once.
    Composite(CompositeContent),
    /// The engine's own words.
    System(SystemContent),
    /// A provider's template.
    Template(Box<TemplateContent>),
    /// New content for an older event.
    Edit(Box<EditContent>),
    /// An older event taken back.
    Delete(DeleteContent),
}

impl EventContent {
    /// Plain words.
    pub fn text(text: impl Into<String>) -> Self {
        EventContent::Text(TextContent {
            text: text.into(),
            language: None,
        })
    }

    /// The engine's own entry.
    pub fn system(code: impl Into<String>, message: impl Into<String>) -> Self {
        EventContent::System(SystemContent {
            code: code.into(),
            message: message.into(),
            data: Map::new(),
        })
    }

    /// The words of text content; other kinds have none.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            EventContent::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    /// Levels of composite content, 0 without any; content carried by an edit or a template counts.
    pub fn depth(&self) -> usize {
        match self {
            EventContent::Composite(composite) => {
                1 + composite.parts.iter().map(EventContent::depth).max().unwrap_or(0)
            }
            EventContent::Edit(edit) => edit.new_content.depth(),
            EventContent::Template(template) => template.fallback.as_ref().map_or(0, EventContent::depth),
            _ => 0,
        }
    }

    /// Is it what the specification allows?
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn validate(&self) -> Result<(), ContentError> {
        fn link(url: &str) -> Result<(), ContentError> {
            let known = ["https://", "http://", "data:"]
                .iter()
                .any(|start| url.starts_with(start));
            if known { Ok(()) } else { Err(ContentError::Link) }
        }
        fn duration(seconds: Option<f64>) -> Result<(), ContentError> {
            match seconds {
                Some(s) if !(s.is_finite() && s >= 0.0) => Err(ContentError::Duration(s)),
                _ => Ok(()),
            }
        }
        match self {
            EventContent::Text(_)
            | EventContent::Rich(_)
            | EventContent::System(_)
            | EventContent::Delete(_) => Ok(()),
            EventContent::Media(media) => link(&media.url),
            EventContent::Audio(audio) => link(&audio.url).and(duration(audio.duration_seconds)),
            EventContent::Video(video) => link(&video.url).and(duration(video.duration_seconds)),
            EventContent::Location(at) => {
                let on_earth = at.latitude.abs() <= 90.0 && at.longitude.abs() <= 180.0;
                if on_earth {
                    Ok(())
                } else {
                    Err(ContentError::Place(at.latitude, at.longitude))
                }
            }
            EventContent::Composite(composite) => composite.parts.iter().try_for_each(EventContent::validate),
            EventContent::Template(template) => {
                template.fallback.as_ref().map_or(Ok(()), EventContent::validate)
            }
            EventContent::Edit(edit) => edit.new_content.validate(),
        }
    }
}

/// Words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TextContent {
    /// The words.
    #[serde(alias = "body")]
    pub text: String,
    /// ISO 639-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Marked-up words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RichContent {
    /// With markup.
    #[serde(alias = "body")]
    pub text: String,
    /// `markdown` or `html`.
    #[serde(default = "RichContent::markdown")]
    pub format: String,
    /// The same without markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_text: Option<String>,
    /// Shape left open by the specification (C-15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Map>,
    /// Shape left open by the specification (C-15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cards: Vec<Map>,
    /// Ready answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quick_replies: Vec<String>,
}

impl RichContent {
    fn markdown() -> String {
        "markdown".to_owned()
    }
}

/// A file or picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaContent {
    /// Where it is, or the thing itself as a `data:` link.
    pub url: String,
    /// What it is.
    pub mime_type: String,
    /// As the sender called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Words beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
}

/// A place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LocationContent {
    /// Degrees, `-90.0..=90.0`.
    pub latitude: f64,
    /// Degrees, `-180.0..=180.0`.
    pub longitude: f64,
    /// What it is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Street and town.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AudioContent {
    /// Where it is, or the thing itself as a `data:` link.
    pub url: String,
    /// What it is.
    #[serde(default = "AudioContent::ogg")]
    pub mime_type: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// What is said in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<String>,
}

impl AudioContent {
    fn ogg() -> String {
        "audio/ogg".to_owned()
    }
}

/// Moving pictures.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VideoContent {
    /// Where it is, or the thing itself as a `data:` link.
    pub url: String,
    /// What it is.
    #[serde(default = "VideoContent::mp4")]
    pub mime_type: String,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// A still picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail_url: Option<String>,
}

impl VideoContent {
    fn mp4() -> String {
        "video/mp4".to_owned()
    }
}

/// Several contents at once; has at least one part and is never too deep, by construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RawComposite")]
pub struct CompositeContent {
    parts: Vec<EventContent>,
}

#[derive(Deserialize)]
struct RawComposite {
    parts: Vec<EventContent>,
}

impl CompositeContent {
    /// Joins `parts`.
    ///
    /// # Errors
    /// [`ContentError::NoParts`]; [`ContentError::TooDeep`] beyond [`MAX_COMPOSITE_DEPTH`] (RE-011).
    pub fn new(parts: Vec<EventContent>) -> Result<Self, ContentError> {
        if parts.is_empty() {
            return Err(ContentError::NoParts);
        }
        let depth = 1 + parts.iter().map(EventContent::depth).max().unwrap_or(0);
        if depth > MAX_COMPOSITE_DEPTH {
            return Err(ContentError::TooDeep(depth));
        }
        Ok(CompositeContent { parts })
    }

    /// The parts, at least one.
    pub fn parts(&self) -> &[EventContent] {
        &self.parts
    }
}

impl TryFrom<RawComposite> for CompositeContent {
    type Error = ContentError;
    fn try_from(raw: RawComposite) -> Result<Self, ContentError> {
        CompositeContent::new(raw.parts)
    }
}

/// The engine's own words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemContent {
    /// For programs.
    #[serde(default)]
    pub code: String,
    /// For people.
    #[serde(default, alias = "body")]
    pub message: String,
    /// Facts.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map,
}

/// A provider's template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TemplateContent {
    /// Its name at the provider.
    pub template_id: String,
    /// Its language at the provider.
    #[serde(default = "TemplateContent::english")]
    pub language: String,
    /// What fills its gaps.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map,
    /// The template in plain words, as the provider shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// For channels without templates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<EventContent>,
}

impl TemplateContent {
    fn english() -> String {
        "en".to_owned()
    }
}

/// New content for an older event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EditContent {
    /// The older event.
    pub target_event_id: roomtone_base::EventId,
    /// What it says from now on.
    pub new_content: EventContent,
    /// `sender` or `system`; anything else counts as `sender` (RE-130).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit_source: Option<String>,
}

/// On whose authority an event is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeleteType {
    /// Its author's.
    #[default]
    Sender,
    /// The engine's or a hook's.
    System,
    /// A room owner's.
    Admin,
}

/// An older event taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeleteContent {
    /// The older event.
    pub target_event_id: roomtone_base::EventId,
    /// On whose authority.
    #[serde(default)]
    pub delete_type: DeleteType,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
