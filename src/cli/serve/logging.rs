//! The log of a server as its configuration wants it: form, and levels, which a reload changes.

use anyhow::Context as _;
use tokio::sync::watch;
use tracing::{error, warn};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::output::describe_panic;
use crate::platform::service_manager;
use crate::server::config::{self, LogFormat, LogLevel};
use crate::server::telemetry::format::LocalTime;
use crate::server::telemetry::journal::JournalLayer;
use crate::server::telemetry::log::Log;

/// The log of a running server.
pub struct Logging {
    /// Standard error, for what is no event.
    pub console: Log,
    /// The log that the events go to: the same, or the journal.
    pub events: Log,
    pub levels: Levels,
}

/// The levels of a log that has begun.
#[derive(Clone)]
pub struct Levels {
    /// `None` where the environment sets the levels, or another log had begun in this process.
    handle: Option<reload::Handle<Targets, Registry>>,
}

impl Logging {
    /// Begins to log in the configured form, filtered by `RUST_LOG` if that is set: a level, or levels by module such as
    /// `parlour::server=debug,warn`. `console` is standard error.
    pub fn start(console: &Log, config: &config::Log, colours: bool) -> anyhow::Result<Self> {
        let wanted = std::env::var("RUST_LOG").ok();
        let filter: Option<Targets> = wanted.as_deref().and_then(|text| text.parse().ok());
        let is_ignored = wanted.is_some() && filter.is_none();
        let is_configured = filter.is_none();
        let (filter, handle) = reload::Layer::new(filter.unwrap_or_else(|| targets(config)));
        let events = match config.format {
            LogFormat::Text | LogFormat::Json => console.clone(),
            LogFormat::Journald => service_manager::open_journal()
                .and_then(Log::start)
                .context("cannot log to the journal; choose another `format` in [log]")?,
        };
        events.set_format(config.format);
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(events.clone())
            .with_timer(LocalTime)
            .log_internal_errors(false);
        let layer: Box<dyn Layer<_> + Send + Sync> = match config.format {
            LogFormat::Text => lines.with_ansi(colours).with_target(false).boxed(),
            LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
            LogFormat::Journald => JournalLayer(events.clone()).boxed(),
        };
        // A subscriber exists already if several servers run in one process.
        let is_first = tracing_subscriber::registry().with(filter).with(layer).try_init().is_ok();
        if is_ignored {
            warn!(
                "RUST_LOG is not a list of levels such as debug or parlour::server=debug,warn; logging as configured"
            );
        }
        std::panic::set_hook(Box::new(|panic| error!("{}", describe_panic(panic))));
        let levels = Levels { handle: (is_configured && is_first).then_some(handle) };
        Ok(Self { console: console.clone(), events, levels })
    }
}

impl Levels {
    /// Applies the levels of the configuration, and of each one that is loaded again. Never returns.
    pub async fn follow(self, mut configs: watch::Receiver<config::Log>) {
        loop {
            let targets = targets(&configs.borrow_and_update());
            if let Some(handle) = &self.handle
                && let Err(error) = handle.reload(targets)
            {
                warn!(%error, "the levels of the log stay as they were");
            }
            if configs.changed().await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    }
}

/// Returns the filter of the configured levels.
fn targets(config: &config::Log) -> Targets {
    let parts = config.levels.iter();
    let modules =
        parts.flat_map(|(part, level)| part.modules().iter().map(|module| (*module, filter(*level))));
    Targets::new().with_default(filter(config.level)).with_targets(modules)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_of_parts_are_those_of_their_modules() {
        let text = "level = \"warn\"\nlevels = { connections = \"debug\", store = \"off\" }";
        let targets = targets(&toml::from_str(text).expect("a configuration"));
        for (module, level, is_logged) in [
            ("parlour::server::net::login", Level::DEBUG, true),
            ("parlour::server::net::login", Level::TRACE, false),
            ("parlour::store::journal", Level::ERROR, false),
            ("parlour::server::hub", Level::INFO, false),
            ("parlour::server::hub", Level::WARN, true),
        ] {
            assert_eq!(targets.would_enable(module, &level), is_logged, "{module} {level}");
        }
    }
}
