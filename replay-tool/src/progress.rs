//! What the person at the terminal sees of long work; standard output stays clean for answers.

use indicatif::{ProgressBar, ProgressStyle};
use std::error::Error;
use std::io::{self, Write};

/// A bar on standard error, invisible where that is no terminal.
pub(crate) fn bar(what: &str, events: u64) -> ProgressBar {
    let template = "{msg:24} {bar:32} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template);
    ProgressBar::new(events)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}

/// An error with everything that led to it, on standard error.
pub(crate) fn complain(error: &dyn Error) {
    let mut text = format!("replay-tool: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    // Nothing can be done about a closed terminal.
    let _ = writeln!(io::stderr(), "{text}");
}

/// A line on standard output. A reader that went away (`| head`) is not an error.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
