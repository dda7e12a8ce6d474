//! The version of the program that used a database last, in `counters`: an older program names it when it refuses the
//! database.

use rusqlite::Connection;

use crate::store::values::counters::read_counter;

/// Name of the counter.
const COUNTER: &str = "version";

/// Factor between the parts of a version: 0.2.1 is 2001.
const FACTOR: i64 = 1000;

/// Notes that this version uses the database.
pub(in crate::store) fn note(conn: &Connection) -> rusqlite::Result<()> {
    let parts =
        [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    let number = parts.iter().fold(0, |sum, part| sum * FACTOR + part.parse::<i64>().unwrap_or(0));
    if read_counter(conn, COUNTER)? == number {
        return Ok(());
    }
    conn.execute("INSERT OR REPLACE INTO counters VALUES (?1, ?2)", (COUNTER, number)).map(drop)
}

/// Returns the version that was noted last.
pub(in crate::store) fn read(conn: &Connection) -> Option<String> {
    let number = read_counter(conn, COUNTER).ok().filter(|number| *number > 0)?;
    let (rest, patch) = (number / FACTOR, number % FACTOR);
    Some(format!("{}.{}.{patch}", rest / FACTOR, rest % FACTOR))
}
