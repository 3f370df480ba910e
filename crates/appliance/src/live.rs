//! Calls as they happen, for the eyes at a terminal.

use std::io::{IsTerminal, Write};

use roomtone_voice::{Progress, ProgressEvent, Waterfall};
use tokio::sync::broadcast::{Receiver, error::RecvError};

struct Paint(bool);

impl Paint {
    fn wrap(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
    fn dim(&self, text: &str) -> String {
        self.wrap("2", text)
    }
    fn caller(&self, text: &str) -> String {
        self.wrap("36", text)
    }
    fn desk(&self, text: &str) -> String {
        self.wrap("32", text)
    }
}

/// Prints calls until the house closes.
pub(crate) async fn show(mut calls: Receiver<Progress>) {
    let paint = Paint(std::io::stdout().is_terminal());
    loop {
        match calls.recv().await {
            Ok(progress) => {
                let mut out = std::io::stdout().lock();
                // A terminal that is gone is no reason to stop answering calls.
                let _ = writeln!(out, "{}", line(&paint, &progress)).and_then(|()| out.flush());
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn line(paint: &Paint, progress: &Progress) -> String {
    let call = progress.call.as_str();
    match &progress.what {
        ProgressEvent::Answered => paint.dim(&format!("── {call} answered")),
        ProgressEvent::Heard { text, confidence, rejected: false } => {
            let sure = paint.dim(&format!("  {:.0} % sure", confidence * 100.0));
            format!("{}  {text}{sure}", paint.caller("  caller"))
        }
        ProgressEvent::Heard { text, rejected: true, .. } => {
            let nearest = if text.is_empty() { String::new() } else { format!(", nearest: {text}") };
            format!("{}  {}", paint.caller("  caller"), paint.dim(&format!("(not understood{nearest})")))
        }
        ProgressEvent::Keys(keys) => format!("{}  pressed {keys}", paint.caller("  caller")),
        ProgressEvent::NoInput => format!("{}  {}", paint.caller("  caller"), paint.dim("(silence)")),
        ProgressEvent::Saying { text, waterfall } => {
            let text = format!("{}  {text}", paint.desk("    desk"));
            match waterfall {
                Some(w) => format!("{text}\n{}", paint.dim(&times(w))),
                None => text,
            }
        }
        ProgressEvent::Interrupted { heard_ms } => {
            paint.dim(&format!("          (interrupted after {:.1} s)", *heard_ms as f64 / 1_000.0))
        }
        ProgressEvent::Ended { by, seconds } => {
            paint.dim(&format!("── {call} ended by {by} after {seconds:.1} s"))
        }
    }
}

fn times(w: &Waterfall) -> String {
    format!(
        "          {:.0} ms to first sound: detection {:.0}, pause {:.0}, words {:.0}, room {:.0}, desk {:.0}, voice {:.0}, line {:.0}",
        w.total(),
        w.vad,
        w.endpoint,
        w.stt,
        w.room,
        w.desk,
        w.tts,
        w.first_frame
    )
}
