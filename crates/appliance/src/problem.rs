//! A failure as one line that says what helps.

use roomtone_base::Remedy;

use crate::config::Mistake;

/// The error with all its causes, and the remedy of the first that knows one.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string().replace('\n', " ");
        // A `#[error(transparent)]` layer says the same as the one below.
        if !text.ends_with(&cause) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&cause);
        }
    }
    match error.chain().find_map(remedy) {
        Some(remedy) => format!("{text} → {remedy}"),
        None => text,
    }
}

fn remedy(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    fn of<E: Remedy + 'static>(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
        cause.downcast_ref::<E>().and_then(Remedy::remedy)
    }
    if cause.is::<Mistake>() {
        // Its text has the remedy already.
        return None;
    }
    of::<roomtone_speech::Error>(cause)
        .or_else(|| of::<roomtone_sip::Error>(cause))
        .or_else(|| of::<roomtone_store::Error>(cause))
        .or_else(|| of::<roomtone_room::Error>(cause))
        .or_else(|| of::<roomtone_desk::Error>(cause))
        .or_else(|| of::<roomtone_hotel::Error>(cause))
        .or_else(|| of::<roomtone_voice::Error>(cause))
        .or_else(|| of::<roomtone_lab::Error>(cause))
        .or_else(|| of::<roomtone_audio::Error>(cause))
}
