//! Events as entries of systemd's journal.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::format::{IDENTIFIER, JournalEntry, priority};
use super::log::Log;

/// Writes each event to a log whose output takes entries in the journal's own protocol
/// (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>), one a write. The crate `tracing-journald` would send them from the thread
/// that logs, which waits where the journal does not read; [`Log`] never does.
pub struct JournalLayer(pub Log);

impl<S: Subscriber> Layer<S> for JournalLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let mut entry = JournalEntry::default();
        entry.push("PRIORITY", priority(*event.metadata().level()));
        entry.push("SYSLOG_IDENTIFIER", IDENTIFIER);
        entry.push("TARGET", event.metadata().target());
        entry.push("MESSAGE", &fields.text());
        for (name, value) in &fields.named {
            entry.push(&format!("PARLOUR_{}", name.to_ascii_uppercase()), value);
        }
        self.0.write(&entry.0);
    }
}

/// Message and fields of an event.
#[derive(Default)]
struct EventFields {
    message: String,
    named: Vec<(&'static str, String)>,
}

impl EventFields {
    /// Returns the text for people, as the form `text` has it.
    fn text(&self) -> String {
        let mut text = self.message.clone();
        for (name, value) in &self.named {
            let space = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{space}{name}={value}");
        }
        text
    }
}

impl Visit for EventFields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.named.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        } else {
            self.named.push((field.name(), format!("{value:?}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn events_become_entries_with_their_fields() {
        let (sender, written) = std::sync::mpsc::channel();
        let log = Log::start(Output(sender)).expect("starts");
        let subscriber = tracing_subscriber::registry().with(JournalLayer(log));
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(account = "alice", tries = 3, "refused");
        });
        let entry = String::from_utf8(written.recv().expect("an entry")).expect("UTF-8");
        let fields: Vec<&str> =
            entry.split(|c: char| c == '\n' || c.is_control()).filter(|s| !s.is_empty()).collect();
        for (name, value) in [
            ("PRIORITY", "4"),
            ("MESSAGE", "refused account=alice tries=3"),
            ("PARLOUR_ACCOUNT", "alice"),
            ("PARLOUR_TRIES", "3"),
        ] {
            let at = fields
                .iter()
                .position(|field| *field == name)
                .unwrap_or_else(|| panic!("{name}: {fields:?}"));
            assert_eq!(fields[at + 1], value, "{fields:?}");
        }
    }

    /// An output that passes on each write.
    struct Output(std::sync::mpsc::Sender<Vec<u8>>);

    impl std::io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ = self.0.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
}
