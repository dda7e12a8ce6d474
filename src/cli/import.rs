//! `parlour user import`: many accounts from a file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::{Context as _, bail};
use csv::ByteRecord;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::admin::Admin;
use super::output::print;
use crate::chat::record::Role;
use crate::server::admin::{NewUser, Reply, Request};
use crate::server::passwords::{Hasher, Password};
use crate::store::accounts;
use crate::wire::Nick;

/// Accounts that are hashed and then handed over together: enough to keep all cores busy, few enough to lose
/// little work when it is interrupted.
const BATCH: usize = 128;

/// A line that can be tried.
struct Line {
    number: u64,
    name: Nick,
    password: Password,
    role: Role,
}

/// A line that was not taken: its number, whom it names, and why not.
struct Refused {
    number: u64,
    name: String,
    why: String,
}

/// Reads the file, makes the accounts, and reports the lines that were not taken.
pub fn run(admin: &Admin, hasher: &Hasher, file: &Path) -> anyhow::Result<()> {
    let (lines, mut refused) = read(file)?;
    let total = lines.len() + refused.len();
    // Names that are taken are found before the costly part.
    let taken: HashSet<Nick> = admin.users()?.into_iter().map(|user| user.name).collect();
    let (lines, known): (Vec<_>, Vec<_>) = lines.into_iter().partition(|line| !taken.contains(&line.name));
    refused.extend(known.iter().map(|line| line.refused(format!("the name {} is taken", line.name))));

    let style = ProgressStyle::with_template("{bar:40} {pos} of {len} passwords hashed, {eta} to go")?;
    let progress = ProgressBar::new(lines.len() as u64).with_style(style);
    let mut done = 0;
    for batch in lines.chunks(BATCH) {
        let users = batch
            .par_iter()
            .map(|Line { name, password, role, .. }| {
                let password = hasher.hash(password)?;
                progress.inc(1);
                Ok(NewUser { name: name.clone(), password, role: *role })
            })
            .collect::<anyhow::Result<_>>()?;
        let answer = admin
            .ask(&Request::UserImport(users))
            .with_context(|| format!("stopped after {done} of {} accounts", lines.len()))?;
        let Reply::Imported(failed) = answer else { bail!("an unexpected answer") };
        done += batch.len() - failed.len();
        refused.extend(
            failed.into_iter().filter_map(|(at, failure)| Some(batch.get(at)?.refused(failure.text))),
        );
    }
    progress.finish_and_clear();

    refused.sort_by_key(|line| line.number);
    for Refused { number, name, why } in &refused {
        let name = if name.is_empty() { String::new() } else { format!("{name}: ") };
        note!("{}:{number}: {name}{why}", file.display());
    }
    print(&format!("{} added, {} not\n", total - refused.len(), refused.len()))?;
    if !refused.is_empty() {
        bail!(
            "{} of {total} lines were not taken; correct them and import those alone, the others are kept",
            refused.len()
        );
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<(Vec<Line>, Vec<Refused>)> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let bytes = Zeroizing::new(bytes);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&bytes[..]);
    let (mut lines, mut refused) = (Vec::new(), Vec::new());
    let mut seen: HashMap<Nick, u64> = HashMap::new();
    let mut record = ByteRecord::new();
    let mut first = true;
    let mut numbers = LineNumbers { bytes: &bytes, at: 0, number: 1 };
    while reader.read_byte_record(&mut record).with_context(|| format!("cannot read {}", file.display()))? {
        let number = numbers.of(&record);
        if std::mem::take(&mut first) && is_header(&record) {
            continue;
        }
        let line = line(&record, number).and_then(|line| match seen.insert(line.name.clone(), number) {
            None => Ok(line),
            Some(other) => Err(format!("the name {} stands on line {other} already", line.name)),
        });
        match line {
            Ok(line) => lines.push(line),
            Err(why) => {
                let name = record.get(0).map(|name| String::from_utf8_lossy(name).escape_debug().to_string());
                refused.push(Refused { number, name: name.unwrap_or_default(), why });
            }
        }
    }
    Ok((lines, refused))
}

/// Counts lines as an editor does; the reader counts otherwise where lines are empty or end in CR LF.
struct LineNumbers<'a> {
    bytes: &'a [u8],
    at: usize,
    number: u64,
}

impl LineNumbers<'_> {
    /// The line on which a record begins; records are asked for in order.
    fn of(&mut self, record: &ByteRecord) -> u64 {
        let from = record.position().and_then(|position| usize::try_from(position.byte()).ok());
        let rest = self.bytes.get(from.unwrap_or(self.at)..).unwrap_or_default();
        let start = self.bytes.len() - rest.trim_ascii_start().len();
        let passed = self.bytes.get(self.at..start).unwrap_or_default();
        self.number += memchr::memchr_iter(b'\n', passed).count() as u64;
        self.at = start;
        self.number
    }
}

fn is_header(record: &ByteRecord) -> bool {
    let is = |at: usize, title: &str| {
        record.get(at).is_some_and(|cell| cell.trim_ascii().eq_ignore_ascii_case(title.as_bytes()))
    };
    is(0, "name") && is(1, "password")
}

fn line(record: &ByteRecord, number: u64) -> Result<Line, String> {
    let text = |cell| std::str::from_utf8(cell).map_err(|_| "it is not UTF-8".to_owned());
    let (name, password, role) = match record.iter().collect::<Vec<_>>()[..] {
        [name, password] => (name, password, &b""[..]),
        [name, password, role] => (name, password, role),
        _ => return Err("a line is NAME,PASSWORD or NAME,PASSWORD,ROLE".to_owned()),
    };
    let name = Nick::parse(text(name)?.trim()).map_err(|why| format!("this cannot be a name: {why}"))?;
    if let Some(why) = accounts::reserved(&name) {
        return Err(format!("the name is reserved: {why}"));
    }
    let password = Password::new(text(password)?).map_err(|rule| rule.to_string())?;
    let role = match text(role)?.trim().to_ascii_lowercase().as_str() {
        "" | "member" => Role::Member,
        "admin" => Role::Admin,
        // Not repeated: it may be the rest of a password that has a comma.
        _ => {
            return Err(
                "the role is neither member nor admin (a comma in a password needs quotes)".to_owned()
            );
        }
    };
    Ok(Line { number, name, password, role })
}

impl Line {
    fn refused(&self, why: String) -> Refused {
        Refused { number: self.number, name: self.name.to_string(), why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &[u8]) -> (Vec<String>, Vec<(u64, String)>) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), text).expect("writes");
        let (lines, refused) = read(file.path()).expect("reads");
        let lines = lines.iter().map(|line| format!("{} {} {}", line.number, line.name, line.role)).collect();
        (lines, refused.into_iter().map(|line| (line.number, line.why)).collect())
    }

    #[test]
    fn lines_are_read_as_spreadsheets_write_them() {
        let text = "\u{feff}Name,Password,Role\r\nalice,secret12\r\n\r\n bob ,\"with, \"\"quotes\"\"\", Admin \r\ncarol,secret12,\n";
        let (lines, refused) = read_text(text.as_bytes());
        assert_eq!(
            (lines, refused),
            (
                vec!["2 alice member".to_owned(), "4 bob admin".to_owned(), "5 carol member".to_owned()],
                vec![]
            )
        );
    }

    #[test]
    fn lines_that_cannot_be_taken_say_why_and_show_no_password() {
        let text = b"alice,secret12\nALICE,secret12\nbob,short\n1st,secret12\necho,secret12\ndave,pass,word1234\nonly\n\
            a,b,c,d\nerin,\xff\xff\xff\xff\xff\xff\xff\xff\nfrank,secret12\n";
        let (lines, refused) = read_text(text);
        assert_eq!(lines, ["1 alice member", "10 frank member"]);
        assert_eq!(refused.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8, 9]);
        for (number, why) in &refused {
            assert!(!why.contains("secret") && !why.contains("word1"), "{number}: {why}");
        }
        assert!(refused[0].1.contains("line 1"), "{}", refused[0].1);
    }
}
