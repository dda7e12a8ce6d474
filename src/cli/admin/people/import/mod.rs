//! `parlour user import`: makes the accounts of the people in a file.

mod columns;
mod matching;
mod table;

use std::collections::{HashMap, HashSet};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use encoding_rs::Encoding;
use indicatif::{ProgressBar, ProgressStyle};
use zeroize::Zeroizing;

use self::columns::{Columns, Entry, RefusedRow};
use self::matching::{Target, resolve};
use self::table::Table;
use super::cards::{Card, CardFile, CardOptions, CardPage};
use super::passwords::generate_password;
use crate::cli::account_names::PersonName;
use crate::cli::admin::Admin;
use crate::cli::admin::links::{LinkMaker, parse_lifetime};
use crate::cli::folders::Folders;
use crate::cli::output::{format_table, note, print};
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::core::record::group::GroupName;
use crate::core::request::admin::Change;
use crate::core::request::people::{ImportedAccount, ImportedUser, NewCard, NewUser};
use crate::server::admin::{AdminReply, FailureKind};
use crate::server::auth::passwords::{Password, PasswordHasher};
use crate::trust::Token;
use crate::wire::{ChannelName, Nick};

/// Number of accounts that are hashed and then sent together: enough to use all cores, few enough to lose little work
/// on an interruption.
pub const BATCH: usize = 128;

/// The options.
#[derive(clap::Args)]
pub struct Args {
    /// The file: CSV with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.
    file: PathBuf,
    /// The encoding of the file, such as windows-1250 or macintosh, where it is not one of those.
    #[arg(long, value_name = "ENCODING", value_parser = parse_encoding)]
    encoding: Option<&'static Encoding>,
    /// Add everybody in the file to this group too. It is made if it does not exist.
    #[arg(long, value_name = "GROUP", value_parser = super::selection::parse_group)]
    group: Vec<GroupName>,
    /// Make a password, which can be read aloud, for each new account without one. They are printed as CSV, once.
    #[arg(long)]
    generate_passwords: bool,
    #[command(flatten)]
    page: CardOptions,
    /// Time until the cards expire: 24h, 30d.
    #[arg(long, value_name = "TIME", default_value = "30d", value_parser = parse_lifetime)]
    expires: Duration,
    /// Print what would be done, and do nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A row and its account.
struct Person {
    entry: Entry,
    name: Nick,
    is_new: bool,
    /// The password of a new account.
    password: Option<Password>,
    /// The same, if it was made and its owner is to be given it.
    generated: Option<Zeroizing<String>>,
    /// The card of a new account.
    new_card: Option<NewCard>,
    /// The link on it.
    link: Option<Zeroizing<String>>,
}

/// The people of a file, and the rows that are refused.
struct Plan {
    people: Vec<Person>,
    refused: Vec<RefusedRow>,
    /// Notes on how the file was read.
    notes: Vec<String>,
    /// Separator of the file, which its spreadsheet reads.
    separator: u8,
}

/// Counts of rows with a new account and with a known one.
#[derive(Clone, Copy, Default)]
struct Counts {
    added: usize,
    known: usize,
}

/// Reads the file, makes the accounts, and reports the refused rows.
pub fn run(folders: &Folders, args: &Args) -> anyhow::Result<()> {
    let admin = Admin::open_or_create(folders.data.clone());
    let file = args.file.display();
    let bytes = std::fs::read(&args.file).with_context(|| format!("cannot read {file}"))?;
    let mut plan = Plan::new(&admin, &Zeroizing::new(bytes), args).with_context(|| file.to_string())?;
    for text in &plan.notes {
        note!("{file}: {text}");
    }
    if args.dry_run {
        print(&plan.describe())?;
        report_refused(&args.file, &mut plan.refused);
        return Ok(());
    }
    // Checked first, so that no account is made whose card cannot be written.
    let cards = match &args.page.cards {
        Some(path) => Some((LinkMaker::new(&admin, folders)?, CardFile::create(path)?)),
        None => None,
    };
    let hasher = PasswordHasher::new(folders.config()?.passwords);
    let links = cards.as_ref().map(|(links, _)| links);
    let prints_passwords = args.generate_passwords && cards.is_none();
    for person in plan.people.iter_mut().filter(|person| person.is_new) {
        person.prepare(links, args)?;
    }
    let counts = plan.carry_out(&admin, &hasher, prints_passwords)?;
    if let Some((links, file)) = cards {
        let (language, expires) = (args.page.language, args.expires);
        file.write(&CardPage { server_name: &links.server_name, language, expires }, &plan.cards())?;
    }
    report_refused(&args.file, &mut plan.refused);
    let there = if counts.known > 0 { format!("{} there already, ", counts.known) } else { String::new() };
    let summary = format!("{} added, {there}{} not\n", counts.added, plan.refused.len());
    // Passwords on standard output are for a program or a file.
    if prints_passwords {
        note(&summary);
    } else {
        print(&summary)?;
    }
    if plan.refused.is_empty() {
        return Ok(());
    }
    bail!(
        "{} of {} not taken; correct them and import the file again, the others are kept",
        plan.refused.len(),
        counted(counts.added + counts.known + plan.refused.len(), "line")
    );
}

impl Plan {
    /// Reads the file and finds the account of each row.
    fn new(admin: &Admin, bytes: &[u8], args: &Args) -> anyhow::Result<Self> {
        let table = Table::new(bytes, args.encoding)?;
        let makes_passwords = args.generate_passwords || args.page.cards.is_some();
        let Rows { mut entries, mut refused, mut notes, lacks_passwords } = parse_rows(&table)?;
        notes.extend(table.guessed_encoding().map(|encoding| {
            format!("it is not UTF-8, and read as {encoding}; if names are wrong, save it as CSV UTF-8, or say --encoding")
        }));
        for entry in &mut entries {
            entry.groups.extend(args.group.iter().cloned());
            entry.groups.sort_unstable();
            entry.groups.dedup();
        }
        // Asking would make a database.
        let (users, removed) = if args.dry_run && !admin.has_database() {
            (Vec::new(), HashSet::new())
        } else {
            (admin.list_users()?, admin.list_removed_names()?)
        };
        let targets = resolve(&entries, &users, &removed);
        let mut people = Vec::new();
        for (entry, target) in entries.into_iter().zip(targets) {
            let (name, is_new) = match target {
                Target::New(name) => (name, true),
                Target::Known { name, is_doubtful } => {
                    if is_doubtful {
                        notes.push(describe_doubt(&entry, &name));
                    }
                    (name, false)
                }
                Target::Taken => {
                    refused.push(entry.refused_row(FailureKind::Taken));
                    continue;
                }
                Target::Removed => {
                    refused.push(entry.refused_row(FailureKind::Removed));
                    continue;
                }
            };
            if is_new && entry.password.is_none() && !makes_passwords && !lacks_passwords {
                refused.push(entry.refused_without_password());
                continue;
            }
            people.push(Person::new(entry, name, is_new));
        }
        if !makes_passwords && lacks_passwords && people.iter().any(|person| person.is_new) {
            let remedy = "the file has no passwords: --cards makes cards by which people choose them, and \
                          --generate-passwords makes some";
            if !args.dry_run {
                bail!("{remedy}");
            }
            notes.push(remedy.to_owned());
        }
        Ok(Self { people, refused, notes, separator: table.separator_byte() })
    }

    /// Describes what would be done, as a table.
    fn describe(&self) -> String {
        let titles = ["LINE", "NAME", "DISPLAY NAME", "ROLE", "GROUPS", "CHANNELS", "ACCOUNT"];
        let mut rows = vec![titles.map(ToOwned::to_owned)];
        rows.extend(self.people.iter().map(|Person { entry, name, is_new, .. }| {
            let groups = entry.groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(", ");
            let channels = entry.channels.iter().map(ChannelName::as_str).collect::<Vec<_>>().join(" ");
            let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            [
                entry.line.to_string(),
                name.to_string(),
                or_dash(clean(entry.display_name.as_deref().unwrap_or_default())),
                entry.role.to_string(),
                or_dash(groups),
                or_dash(channels),
                if *is_new { "new" } else { "there already" }.to_owned(),
            ]
        }));
        let new = self.people.iter().filter(|person| person.is_new).count();
        let known = self.people.len() - new;
        let there = if known > 0 { format!("{known} are there already, ") } else { String::new() };
        format!("{}{new} would be added, {there}{} not\n", format_table(&rows), self.refused.len())
    }

    /// Makes the accounts that are missing, batch by batch.
    fn carry_out(
        &mut self,
        admin: &Admin,
        hasher: &PasswordHasher,
        prints_passwords: bool,
    ) -> anyhow::Result<Counts> {
        let new = self.people.iter().filter(|person| person.is_new).count();
        let style = ProgressStyle::with_template("{bar:40} {pos} of {len} passwords hashed, {eta} to go")?;
        let progress = ProgressBar::new(new as u64).with_style(style);
        if prints_passwords {
            print(&csv_line(self.separator, &["name", "display name", "password"])?)?;
        }
        let mut counts = Counts::default();
        for batch in self.people.chunks_mut(BATCH) {
            let users = hash_passwords(batch, hasher, &progress)?;
            let answer = admin
                .request(Change::UserImport(users))
                .with_context(|| format!("stopped after {} of {}", counts.added, counted(new, "account")))?;
            let AdminReply::Imported(failed) = answer else { bail!("an unexpected answer") };
            let failed: HashMap<usize, FailureKind> =
                failed.into_iter().map(|(at, failure)| (at, failure.kind)).collect();
            for (at, person) in batch.iter_mut().enumerate() {
                match failed.get(&at) {
                    Some(kind) => {
                        self.refused.push(person.entry.refused_row(*kind));
                        (person.generated, person.link) = (None, None);
                    }
                    None if person.is_new => {
                        counts.added += 1;
                        // Once it is durable, and before anything else can fail.
                        person.report(prints_passwords.then_some(self.separator))?;
                    }
                    None => counts.known += 1,
                }
            }
        }
        progress.finish_and_clear();
        Ok(counts)
    }

    /// Returns the cards of the accounts that were made.
    fn cards(&self) -> Vec<Card<'_>> {
        self.people.iter().filter_map(Person::card).collect()
    }
}

impl Person {
    fn new(entry: Entry, name: Nick, is_new: bool) -> Self {
        Self { entry, name, is_new, password: None, generated: None, new_card: None, link: None }
    }

    /// Makes the password and the card of a new account.
    fn prepare(&mut self, links: Option<&LinkMaker>, args: &Args) -> anyhow::Result<()> {
        let password = match self.entry.password.take() {
            Some(password) => password,
            None if args.generate_passwords => {
                let text = generate_password();
                let password = Password::new(&text)?;
                self.generated = Some(text);
                password
            }
            // Nobody knows it: the owner chooses one by the card.
            None => Password::new(&Zeroizing::new(Token::random().to_string()))?,
        };
        self.password = Some(password);
        if let Some(links) = links {
            let token = Token::random();
            let lasts_ms = u64::try_from(args.expires.as_millis()).unwrap_or(u64::MAX);
            self.new_card = Some(NewCard { token: token.hash(), lasts_ms });
            self.link = Some(links.link(Some(&self.name), token));
        }
        Ok(())
    }

    /// Prints the password of a new account as CSV with this separator, or else what its name was made of.
    fn report(&self, separator: Option<u8>) -> anyhow::Result<()> {
        let display_name = self.entry.display_name.as_deref().unwrap_or_default();
        if let (Some(password), Some(separator)) = (&self.generated, separator) {
            return print(&csv_line(separator, &[self.name.as_str(), display_name, password])?);
        }
        if matches!(self.entry.name, PersonName::Derived(_)) {
            note!("{} is {}", clean(display_name), self.name);
        }
        Ok(())
    }

    /// Returns the card of an account that was made.
    fn card(&self) -> Option<Card<'_>> {
        Some(Card {
            name: &self.name,
            display_name: self.entry.display_name.as_deref(),
            groups: &self.entry.groups,
            password: self.generated.as_ref().map(|password| password.as_str()),
            link: self.link.as_ref()?,
        })
    }

    /// Returns the account for the request, with the hash of its password.
    fn imported_user(&self, hasher: &PasswordHasher) -> anyhow::Result<ImportedUser> {
        let Entry { listed_name, display_name, role, groups, channels, .. } = &self.entry;
        let account = match &self.password {
            Some(password) => ImportedAccount::New {
                user: NewUser { name: self.name.clone(), password: hasher.hash(password)?, role: *role },
                listed_name: listed_name.clone(),
                display_name: display_name.clone(),
                card: self.new_card,
            },
            None => ImportedAccount::Known(self.name.clone()),
        };
        Ok(ImportedUser { account, groups: groups.clone(), channels: channels.clone() })
    }
}

/// Says that a row is taken for a person who is in other groups so far.
fn describe_doubt(Entry { line, listed_name, .. }: &Entry, name: &Nick) -> String {
    let person = clean(listed_name);
    format!(
        "line {line}: {person} is taken for {name}, who is in other groups so far; another person of that name needs \
         another one in the file"
    )
}

/// Parses the name of an encoding, for clap.
fn parse_encoding(text: &str) -> Result<&'static Encoding, String> {
    Encoding::for_label(text.as_bytes()).ok_or_else(|| {
        "no such encoding; utf-8, windows-1252, windows-1250 and macintosh are some".to_owned()
    })
}

/// Returns a line of CSV.
pub fn csv_line(separator: u8, cells: &[&str]) -> anyhow::Result<Zeroizing<String>> {
    let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    writer.write_record(cells)?;
    let bytes = writer.into_inner().map_err(|error| anyhow!("{}", error.error()))?;
    Ok(Zeroizing::new(String::from_utf8(bytes)?))
}

fn report_refused(file: &Path, refused: &mut [RefusedRow]) {
    refused.sort_by_key(|row| row.line);
    for RefusedRow { line, column, why } in refused {
        let column = column.map(|column| format!("column {column}: ")).unwrap_or_default();
        note!("{}:{line}: {column}{why}", file.display());
    }
}

/// Hashes the passwords of new accounts on all cores.
fn hash_passwords(
    batch: &[Person],
    hasher: &PasswordHasher,
    progress: &ProgressBar,
) -> anyhow::Result<Vec<ImportedUser>> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let hash = |person: &Person| {
        let user = person.imported_user(hasher)?;
        progress.inc(u64::from(person.is_new));
        Ok(user)
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

/// The rows of a file.
#[derive(Default)]
struct Rows {
    entries: Vec<Entry>,
    refused: Vec<RefusedRow>,
    notes: Vec<String>,
    /// The titles name no column of passwords.
    lacks_passwords: bool,
}

fn parse_rows(table: &Table) -> anyhow::Result<Rows> {
    let mut parsed = Rows::default();
    let mut seen: HashMap<Nick, u64> = HashMap::new();
    let mut columns: Option<Columns> = None;
    for row in table.rows() {
        let row = row?;
        let columns = match &columns {
            Some(columns) => columns,
            None => match Columns::from_titles(&row.cells) {
                Some(titled) => {
                    parsed.notes.extend(describe_unread(&titled.unread()));
                    parsed.lacks_passwords = !titled.have_passwords();
                    columns = Some(titled);
                    continue;
                }
                None => columns.insert(Columns::untitled()),
            },
        };
        let entry = columns.parse_entry(&row, table.separator()).and_then(|entry| {
            let refuse = |why: String| RefusedRow { line: row.line, column: Some(entry.column), why };
            match &entry.name {
                PersonName::Given(name) => match seen.insert(name.clone(), row.line) {
                    None => Ok(entry),
                    Some(other) => Err(refuse(format!("the name stands on line {other} already"))),
                },
                PersonName::Derived(_) => Ok(entry),
            }
        });
        match entry {
            Ok(entry) => parsed.entries.push(entry),
            Err(row) => parsed.refused.push(row),
        }
    }
    Ok(parsed)
}

/// Says which columns have titles that are not known. The titles are not quoted: the line may be none of titles.
fn describe_unread(unread: &[usize]) -> Option<String> {
    let numbers = unread.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match unread.len() {
        0 => None,
        1 => Some(format!("column {numbers} has no title that is known, and is not read")),
        _ => Some(format!("columns {numbers} have no titles that are known, and are not read")),
    }
}

impl Entry {
    fn refused_without_password(&self) -> RefusedRow {
        let why = "there is no password: give one, or use --generate-passwords or --cards".to_owned();
        RefusedRow { line: self.line, column: None, why }
    }

    fn refused_row(&self, kind: FailureKind) -> RefusedRow {
        let why = match kind {
            FailureKind::Taken => "the name is taken by another account",
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
mod tests;
