//! `parlour user import`: makes accounts from a file.
//!
//! Any cell may be a password, even the first one if the columns are wrong. So a refused row is reported by line and
//! column, and no cell is quoted.

mod table;

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

use anyhow::{Context as _, bail};
use csv::ByteRecord;
use indicatif::{ProgressBar, ProgressStyle};
use zeroize::Zeroizing;

use self::table::{Row, Table};
use crate::cli::admin::Admin;
use crate::cli::output::print;
use crate::client::text::count::counted;
use crate::core::record::Role;
use crate::core::request::admin;
use crate::core::request::admin::{Change, NewUser};
use crate::server::admin::{AdminReply, FailureKind};
use crate::server::auth::passwords::{Password, PasswordHasher};
use crate::wire::Nick;

/// Number of accounts that are hashed and then sent together: enough to use all cores, few enough to lose little work
/// on an interruption.
const BATCH: usize = 128;

/// A valid row.
struct Entry {
    line: u64,
    /// The column of the name, from 1.
    column: usize,
    name: Nick,
    password: Password,
    role: Role,
}

/// A refused row.
#[derive(Debug, PartialEq, Eq)]
struct RefusedRow {
    line: u64,
    /// The column, from 1; `None` for the row as a whole.
    column: Option<usize>,
    why: String,
}

/// The index of each column, from 0.
#[derive(Clone, Copy)]
struct Columns {
    name: usize,
    password: usize,
    role: usize,
}

impl Columns {
    /// The order of columns in a file without a header.
    const DEFAULT_ORDER: Self = Self { name: 0, password: 1, role: 2 };
}

/// Reads the file, makes the accounts, and reports the refused rows.
pub fn run(admin: &Admin, hasher: &PasswordHasher, file: &Path) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let (entries, mut refused) =
        parse_rows(&Zeroizing::new(bytes)).with_context(|| file.display().to_string())?;
    let total = entries.len() + refused.len();
    // Existing names are excluded before the expensive hashing.
    let taken: HashSet<Nick> = admin.list_users()?.into_iter().map(|user| user.name).collect();
    let (entries, known): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| !taken.contains(&entry.name));
    refused.extend(known.iter().map(|entry| entry.refused_row(FailureKind::Taken)));

    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} passwords hashed, {eta} to go")?;
    let progress = ProgressBar::new(entries.len() as u64).with_style(style);
    let mut done = 0;
    for batch in entries.chunks(BATCH) {
        let users = hash_passwords(batch, hasher, &progress)?;
        let answer = admin
            .request(Change::UserImport(users))
            .with_context(|| format!("stopped after {done} of {}", counted(entries.len(), "account")))?;
        let AdminReply::Imported(failed) = answer else { bail!("an unexpected answer") };
        done += batch.len() - failed.len();
        refused.extend(
            failed.into_iter().filter_map(|(at, failure)| Some(batch.get(at)?.refused_row(failure.kind))),
        );
    }
    progress.finish_and_clear();

    refused.sort_by_key(|row| row.line);
    for RefusedRow { line, column, why } in &refused {
        let column = column.map(|column| format!("column {column}: ")).unwrap_or_default();
        note!("{}:{line}: {column}{why}", file.display());
    }
    print(&format!("{} added, {} not\n", total - refused.len(), refused.len()))?;
    if !refused.is_empty() {
        bail!(
            "{} of {} not taken; correct them and import those alone, the others are kept",
            refused.len(),
            counted(total, "line")
        );
    }
    Ok(())
}

/// Hashes the passwords on all cores.
fn hash_passwords(
    batch: &[Entry],
    hasher: &PasswordHasher,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<NewUser>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let hash = |Entry { name, password, role, .. }: &Entry| {
        let password = hasher.hash(password)?;
        progress.inc(1);
        Ok(NewUser { name: name.clone(), password, role: *role })
    };
    // Each hash takes as long as another, so equal shares end together.
    thread::scope(|scope| {
        let mut running = Vec::new();
        for share in batch.chunks(batch.len().div_ceil(cores).max(1)) {
            let work = move || share.iter().map(hash).collect::<anyhow::Result<Vec<_>>>();
            let thread = thread::Builder::new().spawn_scoped(scope, work);
            running.push(thread.context("cannot start a thread")?);
        }
        let mut users = Vec::with_capacity(batch.len());
        for share in running {
            users.extend(share.join().unwrap_or_else(|panic| resume_unwind(panic))?);
        }
        Ok(users)
    })
}

fn parse_rows(bytes: &[u8]) -> anyhow::Result<(Vec<Entry>, Vec<RefusedRow>)> {
    let table = Table::new(bytes)?;
    let (mut entries, mut refused) = (Vec::new(), Vec::new());
    let mut seen: HashMap<Nick, u64> = HashMap::new();
    let mut columns = None;
    for row in table.rows() {
        let row = row?;
        let columns = if let Some(columns) = columns {
            columns
        } else {
            let header = parse_header(&row.cells);
            columns = Some(header.unwrap_or(Columns::DEFAULT_ORDER));
            if header.is_some() {
                continue;
            }
            Columns::DEFAULT_ORDER
        };
        let entry = parse_entry(&row, columns, table.separator()).and_then(|entry| {
            match seen.insert(entry.name.clone(), row.line) {
                None => Ok(entry),
                Some(other) => Err((Some(columns.name), format!("the name stands on line {other} already"))),
            }
        });
        match entry {
            Ok(entry) => entries.push(entry),
            Err((column, why)) => {
                refused.push(RefusedRow { line: row.line, column: column.map(|column| column + 1), why });
            }
        }
    }
    Ok((entries, refused))
}

/// Returns the columns if the row is a header, which may have them in any order.
fn parse_header(cells: &ByteRecord) -> Option<Columns> {
    let column =
        |title: &str| cells.iter().position(|cell| cell.trim_ascii().eq_ignore_ascii_case(title.as_bytes()));
    let (name, password) = (column("name")?, column("password")?);
    Some(Columns { name, password, role: column("role").unwrap_or(usize::MAX) })
}

/// Parses a row. The error has the column, from 0, and the problem.
fn parse_entry(row: &Row, columns: Columns, separator: &str) -> Result<Entry, (Option<usize>, String)> {
    let cells = &row.cells;
    let most = [columns.name, columns.password, columns.role.min(2)].into_iter().max().unwrap_or(2) + 1;
    if cells.len() < 2 || cells.len() > most.max(3) {
        let why = match cells.len() {
            1 => format!(
                "there is one column only; a line is NAME,PASSWORD or NAME,PASSWORD,ROLE, here with {separator} between them, as on the first line"
            ),
            count => format!(
                "there are {count} columns; a line is NAME,PASSWORD or NAME,PASSWORD,ROLE (what has {separator} in it needs quotes)"
            ),
        };
        return Err((None, why));
    }
    let text = |column: usize| {
        let cell = cells.get(column).unwrap_or_default();
        std::str::from_utf8(cell).map_err(|_| (Some(column), "it is not UTF-8".to_owned()))
    };
    let name_error = |why: &str| (Some(columns.name), why.to_owned());
    let name = Nick::parse(text(columns.name)?.trim()).map_err(|_| {
        name_error("this cannot be a name: that is up to 24 letters, digits and -_[]\\`^{|}, a letter first")
    })?;
    if let Some(why) = admin::reserved_reason(&name) {
        return Err(name_error(&format!("the name is reserved: {why}")));
    }
    let password =
        Password::new(text(columns.password)?).map_err(|rule| (Some(columns.password), rule.to_string()))?;
    let role = match text(columns.role)?.trim().to_ascii_lowercase().as_str() {
        "" | "member" => Role::Member,
        "admin" => Role::Admin,
        // The cell is not quoted, because it may be the rest of a password.
        _ => {
            let why = format!(
                "the role is neither member nor admin (a password with {separator} in it needs quotes)"
            );
            return Err((Some(columns.role), why));
        }
    };
    Ok(Entry { line: row.line, column: columns.name + 1, name, password, role })
}

impl Entry {
    fn refused_row(&self, kind: FailureKind) -> RefusedRow {
        let why = match kind {
            FailureKind::Taken => "the name is taken",
            FailureKind::Removed => {
                "the name belonged to an account that was removed; `parlour user add --again` takes it back"
            }
            FailureKind::Reserved => "the name is reserved",
            _ => "the account could not be made",
        };
        RefusedRow { line: self.line, column: Some(self.column), why: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{UTF_16BE, UTF_16LE};
    use proptest::prelude::*;

    use super::*;

    fn parse_text(text: &[u8]) -> (Vec<String>, Vec<RefusedRow>) {
        let (entries, refused) = parse_rows(text).expect("reads");
        let entries = entries.iter().map(|entry| format!("{} {} {}", entry.line, entry.name, entry.role));
        (entries.collect(), refused)
    }

    fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        let units = mark.into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    }

    #[test]
    fn rows_are_parsed_as_spreadsheets_write_them() {
        let text = "\u{feff}Name,Password,Role\r\nalice,secret12\r\n\r\n bob ,\"with, \"\"quotes\"\"\", Admin \r\ncarol,secret12,\n";
        let (lines, refused) = parse_text(text.as_bytes());
        assert_eq!(
            (lines, refused),
            (
                vec!["2 alice member".to_owned(), "4 bob admin".to_owned(), "5 carol member".to_owned()],
                vec![]
            )
        );
    }

    #[test]
    fn every_separator_and_encoding_is_parsed() {
        let rows = "alice;\"se;cr,et 12\";admin\nbob;geheim=äöü€\n";
        let table = format!("name;password;role\n{rows}");
        for text in [rows, &table, &format!("sep=;\r\n{rows}")] {
            for separator in [";", ",", "\t"] {
                let text =
                    text.replace(";\"", &format!("{separator}\"")).replace("\";", &format!("\"{separator}"));
                let text = text
                    .replace("bob;", &format!("bob{separator}"))
                    .replace("sep=;", &format!("sep={separator}"));
                let text = text.replace("name;password;role", &["name", "password", "role"].join(separator));
                let expected = |(lines, refused): (Vec<String>, Vec<RefusedRow>)| {
                    assert_eq!(refused, [], "{text}");
                    assert!(
                        lines.len() == 2
                            && lines[0].ends_with("alice admin")
                            && lines[1].ends_with("bob member"),
                        "{lines:?}"
                    );
                };
                expected(parse_text(text.as_bytes()));
                expected(parse_text(format!("\u{feff}{text}").as_bytes()));
                for (big, encoding) in [(true, UTF_16BE), (false, UTF_16LE)] {
                    expected(parse_text(&utf16(&text, big, true)));
                    expected(parse_text(&utf16(&text, big, false)));
                    let mut cut = utf16(&text, big, true);
                    cut.pop();
                    let error = parse_rows(&cut).err().expect("cut off").to_string();
                    assert!(error.contains(encoding.name()) && !error.contains("geheim"), "{error}");
                }
            }
        }
    }

    #[test]
    fn header_names_the_columns() {
        let (lines, refused) = parse_text(b"Role\tPassword\tNAME\nadmin\tsecret12\talice\n\tshort\tbob\n");
        assert_eq!(lines, ["2 alice admin"]);
        assert_eq!((refused[0].line, refused[0].column), (3, Some(2)));
    }

    #[test]
    fn refused_rows_report_position_and_reason_without_quoting() {
        let text = b"alice,secret12\nALICE,secret12\nbob,tiny7\n1st,secret12\necho,secret12\ndave,pass,word1234\nonly\n\
            a,b,c,d\nerin,\xff\xff\xff\xff\xff\xff\xff\xff\numa;secret12345;member\nfrank,secret12\n";
        let (lines, refused) = parse_text(text);
        assert_eq!(lines, ["1 alice member", "11 frank member"]);
        let positions: Vec<_> = refused.iter().map(|row| (row.line, row.column)).collect();
        assert_eq!(
            positions,
            [
                (2, Some(1)),
                (3, Some(2)),
                (4, Some(1)),
                (5, Some(1)),
                (6, Some(2)),
                (7, None),
                (8, None),
                (9, Some(2)),
                (10, None)
            ]
        );
        for RefusedRow { line, why, .. } in &refused {
            for cell in ["secret", "word1", "tiny7", "uma", "dave", "1st", "only"] {
                assert!(
                    !why.split("one column only").next().unwrap_or_default().contains(cell),
                    "{line}: {why}"
                );
            }
        }
        assert!(refused[0].why.contains("line 1"), "{}", refused[0].why);
    }

    proptest! {
        #[test]
        fn any_file_is_handled_and_errors_quote_nothing(bytes: Vec<u8>, secret in "[A-Z]{12}") {
            let _ = parse_rows(&bytes);
            let text = [&bytes[..], secret.as_bytes(), b"\n", &bytes[..]].concat();
            match parse_rows(&text) {
                Ok((_, refused)) => {
                    prop_assert!(refused.iter().all(|row| !row.why.contains(&secret)));
                }
                Err(error) => {
                    let text = format!("{error:#}");
                    prop_assert!(!text.contains(&secret));
                }
            }
        }
    }
}
