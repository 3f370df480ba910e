//! Making content fit a channel (section 16). Pure: content and capabilities in, content out.

use std::borrow::Cow;

use crate::model::{
    ChannelCapabilities, ChannelMediaType, CompositeContent, EventContent, LocationContent, RichContent,
    TextContent,
};

/// The content as a channel with these capabilities can carry it: kinds it does not know fall back to text (RE-180),
/// and a text is cut to its longest (RE-181). Content that fits is borrowed.
pub fn transcode<'a>(content: &'a EventContent, capabilities: &ChannelCapabilities) -> Cow<'a, EventContent> {
    let fitting = convert(content, capabilities);
    match (&*fitting, capabilities.max_length) {
        (EventContent::Text(text), Some(max)) => match cut(&text.text, max) {
            Cow::Borrowed(_) => fitting,
            Cow::Owned(shorter) => Cow::Owned(EventContent::Text(TextContent {
                text: shorter,
                language: text.language.clone(),
            })),
        },
        _ => fitting,
    }
}

/// At most `max` Unicode scalar values; what is longer ends in three dots, which count.
fn cut(text: &str, max: usize) -> Cow<'_, str> {
    const DOTS: &str = "...";
    // A text of at most `max` bytes has at most `max` characters.
    if text.len() <= max || text.chars().nth(max).is_none() {
        return Cow::Borrowed(text);
    }
    let kept = max.saturating_sub(DOTS.len());
    let mut short: String = text.chars().take(kept).collect();
    short.push_str(&DOTS[..max.min(DOTS.len())]);
    Cow::Owned(short)
}

fn convert<'a>(content: &'a EventContent, to: &ChannelCapabilities) -> Cow<'a, EventContent> {
    let text = |words: String| Cow::Owned(EventContent::text(words));
    let carries = |kind| to.carries(kind);
    match content {
        EventContent::Text(_) | EventContent::System(_) => Cow::Borrowed(content),
        EventContent::Rich(rich) if !carries(ChannelMediaType::Rich) => text(plain(rich)),
        EventContent::Media(media) if !carries(ChannelMediaType::Media) => {
            let name = media
                .caption
                .as_ref()
                .or(media.filename.as_ref())
                .unwrap_or(&media.url);
            text(format!("[Media: {name}]"))
        }
        EventContent::Audio(audio) if !carries(ChannelMediaType::Audio) => text(
            audio
                .transcript
                .clone()
                .unwrap_or_else(|| format!("[Voice message: {}]", audio.url)),
        ),
        EventContent::Video(video) if !carries(ChannelMediaType::Video) => {
            text(format!("[Video: {}]", video.url))
        }
        EventContent::Location(at) if !carries(ChannelMediaType::Location) => text(place(at)),
        EventContent::Template(template) if !carries(ChannelMediaType::Template) => {
            match (&template.fallback, &template.body) {
                (Some(fallback), _) => convert(fallback, to),
                (None, Some(body)) => text(body.clone()),
                (None, None) => text(format!("[Template: {}]", template.template_id)),
            }
        }
        EventContent::Edit(edit) if !to.supports_edit => match convert(&edit.new_content, to) {
            Cow::Borrowed(EventContent::Text(new)) => text(format!("Correction: {}", new.text)),
            Cow::Owned(EventContent::Text(new)) => text(format!("Correction: {}", new.text)),
            other => other,
        },
        EventContent::Delete(_) if !to.supports_delete => text("[Message deleted]".to_owned()),
        EventContent::Composite(composite) => join(composite, to),
        _ => Cow::Borrowed(content),
    }
}

/// Part by part; one text when nothing but text is left.
fn join<'a>(composite: &CompositeContent, to: &ChannelCapabilities) -> Cow<'a, EventContent> {
    let parts: Vec<_> = composite
        .parts()
        .iter()
        .map(|part| convert(part, to).into_owned())
        .collect();
    if let Some(lines) = parts
        .iter()
        .map(EventContent::as_text)
        .collect::<Option<Vec<_>>>()
    {
        return Cow::Owned(EventContent::text(lines.join("\n")));
    }
    let joined = CompositeContent::new(parts).expect("converting a part never nests it deeper");
    Cow::Owned(EventContent::Composite(joined))
}

fn plain(rich: &RichContent) -> String {
    rich.plain_text.clone().unwrap_or_else(|| rich.text.clone())
}

fn place(at: &LocationContent) -> String {
    fn degrees(value: f64) -> String {
        let short = value.to_string();
        if short.contains('.') {
            short
        } else {
            format!("{short}.0")
        }
    }
    let (latitude, longitude) = (degrees(at.latitude), degrees(at.longitude));
    let name = at
        .label
        .as_ref()
        .or(at.address.as_ref())
        .map_or("", String::as_str);
    format!("[Location: {name} ({latitude}, {longitude})]")
}
