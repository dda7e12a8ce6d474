//! Output of results, notes and panics.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};

use anyhow::anyhow;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::client::feed::escape_json;
use crate::platform::stdio;
use crate::wire::Timestamp;

/// Writes a line to standard error, like `eprintln!`, but without a panic if that fails.
///
/// Errors are ignored, because they cannot be reported; the exit code still tells the command's result.
macro_rules! note {
    () => { $crate::cli::output::note("\n") };
    ($($arg:tt)*) => { $crate::cli::output::note(&format!("{}\n", format_args!($($arg)*))) };
}

/// Writes a text to standard error, as `note!` does with a line.
pub fn note(text: &str) {
    let mut notes = io::stderr().lock();
    let _ = notes.write_all(text.as_bytes());
    let _ = notes.flush();
}

/// Writes a text to standard output. If the reader is gone the text is dropped silently; any other failure is an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    ignore_broken_pipe(write_stdout(text)).map(|_| ())
}

/// Converts the result of a write to standard output. Returns `false` if the reader is gone (`EPIPE`), upon which a
/// command ends silently, as is usual.
pub fn ignore_broken_pipe(result: io::Result<()>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(anyhow!("cannot write to standard output: {error}; is there room where it goes to?"))
        }
    }
}

/// Makes panics print their location on standard error. The message may quote input, so only a constant one is printed.
pub fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        note!("parlour: {}; this is a bug, please report it", describe_panic(panic));
    }));
}

/// Describes a panic by its location, and by its message if that is a constant of the program.
pub fn describe_panic(panic: &PanicHookInfo<'_>) -> String {
    let location = panic.location().map(|location| format!(" at {location}")).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&'static str>();
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    let trace = Backtrace::capture();
    let trace = match trace.status() {
        BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    format!("internal error{location}{message}{trace}")
}

/// Returns the text of an error with those of its causes. A cause that is already quoted is not repeated.
pub fn describe_error(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// Writes all of a text to standard output and flushes it.
pub fn write_stdout(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Completes when the reader of standard output is gone, for a pipe, a socket or a terminal. Otherwise it never
/// completes.
pub async fn wait_until_unread() {
    let (gone, waits) = oneshot::channel();
    // A separate thread that sleeps until then, because tokio's reactor may only watch descriptors that it owns.
    std::thread::spawn(move || {
        if stdio::wait_until_unread() {
            let _ = gone.send(());
        }
    });
    if waits.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Prints a table, see [`format_table`]; silent if the reader is gone.
pub fn print_table<const N: usize>(rows: &[[String; N]]) -> anyhow::Result<()> {
    print(&format_table(rows))
}

/// Prints JSON objects, one on each line, with fields in the order of their declaration; silent if the reader is gone.
pub fn print_objects(objects: &[impl Serialize]) -> anyhow::Result<()> {
    let mut text = String::new();
    for object in objects {
        text += &escape_json(&serde_json::to_string(object)?);
        text.push('\n');
    }
    print(&text)
}

/// Formats rows in aligned columns. The first row has the titles.
pub fn format_table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// Formats a time stamp to the minute, in UTC, because a server's accounts may be in several time zones.
pub fn format_minute(time: Timestamp) -> String {
    let text = time.to_string();
    match text.get(..16) {
        Some(minute) => minute.replace('T', " ") + " UTC",
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |cells: [&str; 3]| cells.map(ToOwned::to_owned);
        let rows = [row(["A", "BB", "C"]), row(["äöü", "b", ""]), row(["", "", "end"])];
        assert_eq!(format_table(&rows), "A    BB  C\näöü  b\n         end\n");
    }

    #[test]
    fn causes_are_not_repeated() {
        let cause = || anyhow!("permission denied");
        assert_eq!(describe_error(&cause().context("cannot write x")), "cannot write x: permission denied");
        let quotes =
            cause().context("cannot write x: permission denied; make it writable").context("stopped");
        assert_eq!(describe_error(&quotes), "stopped: cannot write x: permission denied; make it writable");
    }

    #[test]
    fn times_are_formatted_to_the_minute() {
        assert_eq!(format_minute(Timestamp(1_700_000_000_007)), "2023-11-14 22:13 UTC");
    }
}
