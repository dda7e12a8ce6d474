//! Results on standard output.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};

use anyhow::anyhow;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::client::feed::escape;
use crate::wire::Millis;

/// Writes a line to standard error, like `eprintln!`, which would panic where that cannot be written to.
///
/// An error is ignored: it leaves nobody to tell, and the exit code says how the command ended.
macro_rules! note {
    () => { $crate::cli::output::note("\n") };
    ($($arg:tt)*) => { $crate::cli::output::note(&format!("{}\n", format_args!($($arg)*))) };
}

/// Writes a text to standard error, as [`note!`] does with a line.
pub fn note(text: &str) {
    let mut notes = io::stderr().lock();
    let _ = notes.write_all(text.as_bytes());
    let _ = notes.flush();
}

/// Writes a text to standard output. A reader that is gone ends a program quietly; any other failure is an error.
pub fn print(text: &str) -> anyhow::Result<()> {
    quiet_when_unread(write(text)).map(|_| ())
}

/// Takes a reader of standard output that is gone for the end of the output: a program ends quietly then, as others do.
/// Is somebody still reading?
pub fn quiet_when_unread(result: io::Result<()>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => {
            Err(anyhow!("cannot write to standard output: {error}; is there room where it goes to?"))
        }
    }
}

/// Has a panic say where it happened, on standard error if that can be written to. Its message may quote what was
/// being read, so only one without values in it is repeated.
pub fn report_panics() {
    panic::set_hook(Box::new(|panic| {
        note!("parlour: {}; this is a bug, please report it", describe_panic(panic));
    }));
}

/// Place and message of a panic, the latter only where it is a constant of the program.
pub fn describe_panic(panic: &PanicHookInfo<'_>) -> String {
    let place = panic.location().map(|place| format!(" at {place}")).unwrap_or_default();
    let message = panic.payload().downcast_ref::<&'static str>();
    let message = message.map(|message| format!(": {message}")).unwrap_or_default();
    let trace = Backtrace::capture();
    let trace = match trace.status() {
        BacktraceStatus::Captured => format!("\n{trace}"),
        _ => String::new(),
    };
    format!("internal error{place}{message}{trace}")
}

/// Writes all of a text, or finds that nobody reads it.
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Ends when nobody reads standard output any more, where that is a pipe, a socket or a terminal; else never.
pub async fn unread() {
    let (gone, waits) = oneshot::channel();
    // A thread, which sleeps until then: what would wake it with the others may only be told of descriptors that are its own.
    std::thread::spawn(move || {
        let out = io::stdout();
        // Nothing is asked for; that the other side is gone is always told.
        let mut watched = [PollFd::new(&out, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        if watched[0].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            let _ = gone.send(());
        }
    });
    if waits.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Prints a [`table`]; quietly where nobody reads it.
pub fn print_table<const N: usize>(rows: &[[String; N]]) -> anyhow::Result<()> {
    print(&table(rows))
}

/// Prints objects of JSON, one a line, their fields in the order in which they are declared; quietly where nobody reads.
pub fn print_objects(objects: &[impl Serialize]) -> anyhow::Result<()> {
    let mut text = String::new();
    for object in objects {
        text += &escape(&serde_json::to_string(object)?);
        text.push('\n');
    }
    print(&text)
}

/// Rows in aligned columns, the first row being their titles.
pub fn table<const N: usize>(rows: &[[String; N]]) -> String {
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

/// A time to the minute, in UTC: a server's people may sit in several zones.
pub fn minute(time: Millis) -> String {
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
    fn columns_line_up() {
        let row = |cells: [&str; 3]| cells.map(ToOwned::to_owned);
        let rows = [row(["A", "BB", "C"]), row(["äöü", "b", ""]), row(["", "", "end"])];
        assert_eq!(table(&rows), "A    BB  C\näöü  b\n         end\n");
    }

    #[test]
    fn times_are_for_people() {
        assert_eq!(minute(Millis(1_700_000_000_007)), "2023-11-14 22:13 UTC");
    }
}
