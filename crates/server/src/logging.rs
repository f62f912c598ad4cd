//! Log lines on standard error, as text for a person or JSON for a collector, and panics among them.

use std::{io, panic};

use tracing_subscriber::{
    fmt, layer::SubscriberExt, registry, util::SubscriberInitExt, util::TryInitError,
};

use crate::configuration::{LogFormat, Settings};

/// Starts logging for the whole process; once.
pub(crate) fn start(settings: &Settings) -> Result<(), TryInitError> {
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
    let filter = settings.log_level.clone();
    match settings.log_format {
        LogFormat::Text => registry().with(lines).with(filter).try_init()?,
        LogFormat::Json => {
            registry().with(lines.json().flatten_event(true)).with(filter).try_init()?;
        }
    }
    panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// A panic is a fault of ours and ends its request only; its text is a constant of ours and shows no secret.
fn log_panic(panicked: &panic::PanicHookInfo<'_>) {
    let place = panicked.location().map(ToString::to_string).unwrap_or_default();
    let message = panicked.payload_as_str().unwrap_or("no text");
    tracing::error!(place, message, "panic");
}
