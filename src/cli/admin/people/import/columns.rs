//! The columns of a table of people: their titles, and the parsing of rows.
//!
//! Any cell may be a password, even the first one if the columns are wrong. So a refused row is reported by line and
//! column, and no cell is quoted.

use csv::ByteRecord;
use unicode_normalization::UnicodeNormalization as _;

use super::table::Row;
use crate::cli::account_names::{self, PersonName};
use crate::core::model::metadata::{self, MetadataDialect};
use crate::core::record::Role;
use crate::core::record::group::GroupName;
use crate::core::request::admin::reserved_reason;
use crate::server::auth::passwords::Password;
use crate::wire::{ChannelName, Nick};

/// A valid row.
pub struct Entry {
    /// Number of its line, from 1.
    pub line: u64,
    /// The column of the name, from 1.
    pub column: usize,
    /// The account name, or the one that the person's name makes.
    pub name: PersonName,
    /// The person's name as the file has it; the account name if it has no other. By it the person is recognized when
    /// the file is imported again.
    pub listed_name: String,
    /// The display name of the account.
    pub display_name: Option<String>,
    /// The password, if the row has one.
    pub password: Option<Password>,
    /// Role of the account.
    pub role: Role,
    /// Groups of the account.
    pub groups: Vec<GroupName>,
    /// Channels that the account joins.
    pub channels: Vec<ChannelName>,
}

/// The name in a row.
struct ParsedName {
    /// Column of the name, from 0.
    column: usize,
    name: PersonName,
    display_name: Option<String>,
}

/// A refused row.
#[derive(Debug, PartialEq, Eq)]
pub struct RefusedRow {
    /// Number of its line, from 1.
    pub line: u64,
    /// The column, from 1; `None` for the row as a whole.
    pub column: Option<usize>,
    /// Reason, which quotes no cell.
    pub why: String,
}

/// Content of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    /// An account name.
    Account,
    /// A name: of the account if it can be one, else of the person; beside a column of first names, of the family.
    Name,
    /// The name of the person.
    DisplayName,
    FirstName,
    LastName,
    Password,
    Role,
    Group,
    Channel,
    /// A column that the import ignores.
    Other,
}

/// Titles of columns in English, German, French and Spanish, without accents and in lower case.
const TITLES: &[(Column, &[&str])] = &[
    (
        Column::Account,
        &[
            "account",
            "account name",
            "user",
            "user name",
            "username",
            "login",
            "nick",
            "konto",
            "kontoname",
            "benutzer",
            "benutzername",
            "nutzername",
            "anmeldename",
            "compte",
            "utilisateur",
            "nom dutilisateur",
            "identifiant",
            "cuenta",
            "usuario",
            "nombre de usuario",
        ],
    ),
    (Column::Name, &["name", "nom", "nombre"]),
    (
        Column::DisplayName,
        &[
            "display name",
            "displayname",
            "full name",
            "fullname",
            "anzeigename",
            "voller name",
            "vollstaendiger name",
            "nom affiche",
            "nom complet",
            "nombre visible",
            "nombre completo",
        ],
    ),
    (Column::FirstName, &["first name", "firstname", "given name", "vorname", "rufname", "prenom"]),
    (
        Column::LastName,
        &[
            "last name",
            "lastname",
            "surname",
            "family name",
            "nachname",
            "familienname",
            "zuname",
            "nom de famille",
            "apellido",
            "apellidos",
        ],
    ),
    (Column::Password, &["password", "passwort", "kennwort", "mot de passe", "contrasena", "clave"]),
    (Column::Role, &["role", "rolle", "rol"]),
    (
        Column::Group,
        &[
            "group", "groups", "class", "gruppe", "gruppen", "klasse", "groupe", "groupes", "classe",
            "grupo", "grupos", "clase",
        ],
    ),
    (Column::Channel, &["channel", "channels", "kanal", "kanaele", "canal", "canaux", "canales"]),
];

/// The columns of a file.
pub struct Columns {
    columns: Vec<Column>,
    /// They come from a line of titles, so that their content is known.
    pub are_titled: bool,
}

impl Columns {
    /// Returns the columns that a first row names, if it is one of titles, which may be in any order.
    pub fn from_titles(cells: &ByteRecord) -> Option<Self> {
        let columns: Vec<Column> = cells.iter().map(column_of_title).collect();
        let names_people = |column: &Column| {
            matches!(
                column,
                Column::Account | Column::Name | Column::DisplayName | Column::FirstName | Column::LastName
            )
        };
        columns.iter().any(names_people).then_some(Self { columns, are_titled: true })
    }

    /// Returns the columns of a file without titles: NAME, PASSWORD, ROLE.
    pub fn untitled() -> Self {
        Self { columns: vec![Column::Account, Column::Password, Column::Role], are_titled: false }
    }

    /// Returns the numbers of the columns that are not read, from 1.
    pub fn unread(&self) -> Vec<usize> {
        let numbered = self.columns.iter().zip(1..);
        numbered.filter(|(column, _)| **column == Column::Other).map(|(_, number)| number).collect()
    }

    /// Returns whether one of them has passwords.
    pub fn have_passwords(&self) -> bool {
        self.has(Column::Password)
    }

    fn has(&self, wanted: Column) -> bool {
        self.columns.contains(&wanted)
    }

    fn position(&self, wanted: Column) -> Option<usize> {
        self.columns.iter().position(|column| *column == wanted)
    }

    /// Parses a row.
    pub fn parse_entry(&self, row: &Row, separator: &str) -> Result<Entry, RefusedRow> {
        self.parse(row, separator).map_err(|(column, why)| RefusedRow {
            line: row.line,
            column: column.map(|column| column + 1),
            why,
        })
    }

    /// Parses a row. The error has the column, from 0, and the problem.
    fn parse(&self, row: &Row, separator: &str) -> Result<Entry, (Option<usize>, String)> {
        let cells = &row.cells;
        self.check_count(cells, separator)?;
        let text = |wanted: Column| -> Result<String, (Option<usize>, String)> {
            let Some(at) = self.position(wanted) else { return Ok(String::new()) };
            let cell = cells.get(at).unwrap_or_default();
            let text = std::str::from_utf8(cell).map_err(|_| (Some(at), "it is not UTF-8".to_owned()))?;
            Ok(text.trim().nfc().collect())
        };
        let at = |wanted: Column| self.position(wanted);
        let ParsedName { column, name, display_name } = self.parse_name(&text)?;
        let password = match self.position(Column::Password).map(|at| (at, cells.get(at).unwrap_or_default()))
        {
            None | Some((_, b"")) => None,
            Some((at, cell)) => {
                let text = std::str::from_utf8(cell).map_err(|_| (Some(at), "it is not UTF-8".to_owned()))?;
                Some(Password::new(text).map_err(|rule| (Some(at), rule.to_string()))?)
            }
        };
        let role = match &*text(Column::Role)?.to_lowercase() {
            "" | "member" | "mitglied" | "membre" | "miembro" => Role::Member,
            "admin" | "administrator" | "administrateur" | "administrador" => Role::Admin,
            // The cell is not quoted, because it may be the rest of a password.
            _ => {
                let why = format!(
                    "the role is neither member nor admin (a password with {separator} in it needs quotes)"
                );
                return Err((at(Column::Role), why));
            }
        };
        let (groups, channels) = (text(Column::Group)?, text(Column::Channel)?);
        let groups = split_list(&groups).map(GroupName::parse).collect::<Result<Vec<_>, _>>();
        let groups = groups.map_err(|_| {
            let why = "this cannot be a group: that is up to 64 bytes, and no - or # first";
            (at(Column::Group), why.to_owned())
        })?;
        let with_hash = |name: &str| format!("#{}", name.trim_start_matches('#'));
        let channels = split_list(&channels).map(|name| ChannelName::parse(&with_hash(name)));
        let channels = channels.collect::<Result<Vec<_>, _>>().map_err(|_| {
            let why = "this cannot be a channel: that is up to 64 bytes without blanks";
            (at(Column::Channel), why.to_owned())
        })?;
        let listed_name = match (&display_name, &name) {
            (Some(display_name), _) => display_name.clone(),
            (None, PersonName::Given(name)) => name.to_string(),
            (None, PersonName::Derived(base)) => base.clone(),
        };
        let column = column + 1;
        Ok(Entry {
            line: row.line,
            column,
            name,
            listed_name,
            display_name,
            password,
            role,
            groups,
            channels,
        })
    }

    fn check_count(&self, cells: &ByteRecord, separator: &str) -> Result<(), (Option<usize>, String)> {
        let expected = self.columns.len();
        if self.are_titled {
            // Spreadsheets leave out the empty cells at the end of a row.
            if cells.len() > expected && cells.iter().skip(expected).any(|cell| !cell.trim_ascii().is_empty())
            {
                let why = format!(
                    "there are {} columns, and titles for {expected} (what has {separator} in it needs quotes)",
                    cells.len()
                );
                return Err((None, why));
            }
            return Ok(());
        }
        match cells.len() {
            1 => Err((
                None,
                format!(
                    "there is one column only; a line is NAME,PASSWORD or NAME,PASSWORD,ROLE, here with {separator} between \
                 them, as on the first line, or the first line has titles"
                ),
            )),
            count if count > expected => Err((
                None,
                format!(
                    "there are {count} columns; a line is NAME,PASSWORD or NAME,PASSWORD,ROLE (what has {separator} in it \
                 needs quotes), or the first line has titles"
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Parses the name of a person from the columns that have parts of it.
    fn parse_name(
        &self,
        text: &impl Fn(Column) -> Result<String, (Option<usize>, String)>,
    ) -> Result<ParsedName, (Option<usize>, String)> {
        let (mut first, mut last) = (text(Column::FirstName)?, text(Column::LastName)?);
        let mut name = text(Column::Name)?;
        if self.has(Column::FirstName) && last.is_empty() {
            last = std::mem::take(&mut name);
        } else if self.has(Column::LastName) && first.is_empty() {
            first = std::mem::take(&mut name);
        }
        let whole = text(Column::DisplayName)?;
        let whole = if whole.is_empty() { format!("{first} {last}").trim().to_owned() } else { whole };
        let account = text(Column::Account)?;
        let people = [Column::DisplayName, Column::LastName, Column::FirstName, Column::Name];
        let column = [Column::Account].iter().chain(&people).find_map(|&column| self.position(column));
        let mut column = column.unwrap_or_default();
        let given = if account.is_empty() { name } else { account };
        let parsed = Nick::parse(&given);
        let display_name = match (&parsed, whole.is_empty()) {
            (_, false) => Some(whole),
            // A name that cannot be one of an account is the person's.
            (Err(_), true) if self.are_titled && !given.is_empty() => Some(given.clone()),
            _ => None,
        };
        if let Some(display_name) = &display_name
            && metadata::check_change("display-name", Some(display_name), MetadataDialect::Draft).is_err()
        {
            let column = people.iter().find_map(|&column| self.position(column));
            let why = "this cannot be a name: that is up to 300 bytes without invisible characters";
            return Err((column, why.to_owned()));
        }
        let name = match (parsed, &display_name) {
            (Ok(name), _) => PersonName::Given(name),
            (Err(_), Some(display_name)) if self.are_titled => {
                column = people.iter().find_map(|&column| self.position(column)).unwrap_or(column);
                PersonName::Derived(account_names::base_of(display_name))
            }
            (Err(_), _) => {
                let why =
                    "this cannot be a name: that is up to 24 letters, digits and -_[]\\`^{|}, a letter first";
                return Err((Some(column), why.to_owned()));
            }
        };
        if let PersonName::Given(name) = &name
            && let Some(why) = reserved_reason(name)
        {
            return Err((Some(column), format!("the name is reserved: {why}")));
        }
        Ok(ParsedName { column, name, display_name })
    }
}

fn column_of_title(cell: &[u8]) -> Column {
    let Ok(title) = std::str::from_utf8(cell) else { return Column::Other };
    let title = account_names::transliterate(title.trim()).to_lowercase().replace(['_', '-'], " ");
    let found = TITLES.iter().find(|(_, titles)| titles.contains(&&*title));
    found.map_or(Column::Other, |(column, _)| *column)
}

/// Splits a cell with several names.
fn split_list(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([',', ';', '|']).map(str::trim).filter(|name| !name.is_empty())
}
