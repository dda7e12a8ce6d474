//! Text of `client.toml`.
//!
//! A text that is no TOML gives the defaults, and is never changed. A single wrong value or unknown key is reported and
//! left as it is in the text; the other settings take effect.

use std::fmt::Write as _;
use std::ops::Range;

use toml_edit::{Array, Document, DocumentMut, Item, Table, TableLike, Value};

use super::Settings;
use super::catalog::{Form, describe_unknown};
use super::state::ConversationKey;

/// Limit of the text, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;

/// Limit of the problems that are reported.
const MAX_PROBLEMS: usize = 20;

/// Problem of the text, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {text}")]
pub struct Problem {
    /// Number of the line, from 1.
    pub line: usize,
    /// Description in one line, which is safe to show.
    pub text: String,
}

/// Settings in a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Settings, as far as they are valid.
    pub settings: Settings,
    /// Problems, in the order of the text.
    pub problems: Vec<Problem>,
}

/// Parses the text.
pub fn parse(text: &str) -> Parsed {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(error) => return Parsed { problems: vec![syntax_problem(text, &error)], ..Parsed::default() },
    };
    let mut reader = Reader { text, settings: Settings::default(), problems: Vec::new(), keys: 0..0 };
    reader.read_table(document.as_table(), "");
    let Reader { mut settings, mut problems, keys, .. } = reader;
    if let Some(conflict) = settings.keys.find_conflict() {
        settings.keys = Settings::default().keys;
        let text = format!("[keys]: {conflict}; until then all keys are the default ones");
        problems.push(Problem { line: line_of(reader.text, keys.start), text });
    }
    problems.sort_by_key(|problem| problem.line);
    problems.truncate(MAX_PROBLEMS);
    Parsed { settings, problems }
}

/// Returns the text with a setting that has changed. Comments, order and everything else stay. The value is that of
/// `settings`; a setting that has its default and is not in the text is not added.
pub fn update(text: &str, name: &str, settings: &Settings) -> Result<String, Problem> {
    let mut document: DocumentMut =
        Document::parse(text).map_err(|error| syntax_problem(text, &error))?.into_mut();
    if document.as_table().is_empty() && !text.trim().is_empty() {
        // Comments alone stay at the beginning.
        return Ok(format!("{}\n{}", text.trim_end(), update("", name, settings)?));
    }
    let (sections, key) = split_name(name);
    let misplaced =
        |section: &str| Problem { line: 1, text: format!("{section} must be a section: [{section}]") };
    let mut table: &mut dyn TableLike = document.as_table_mut();
    for section in sections {
        if !table.contains_key(section) {
            let mut new = Table::new();
            // A section that only has sections needs no line of its own.
            new.set_implicit(true);
            table.insert(section, Item::Table(new));
        }
        let item = table.get_mut(section).ok_or_else(|| misplaced(section))?;
        table = item.as_table_like_mut().ok_or_else(|| misplaced(section))?;
    }
    let written =
        if name.starts_with("notify.conversations.") { find_conversation(table, key) } else { None };
    let key = written.as_deref().unwrap_or(key);
    let Some(new) = settings.get(name) else {
        table.remove(key);
        return Ok(document.to_string());
    };
    let mut new = to_toml(name, &new);
    match table.get_mut(key) {
        Some(Item::Value(old)) => {
            *new.decor_mut() = old.decor().clone();
            *old = new;
        }
        _ if settings.is_default(name) => {}
        _ => drop(table.insert(key, Item::Value(new))),
    }
    Ok(document.to_string())
}

/// Returns the key in the text for a conversation, which the user or an earlier version may have written in another form.
fn find_conversation(table: &dyn TableLike, key: &str) -> Option<String> {
    let wanted: ConversationKey = key.parse().ok()?;
    let mut keys = table.iter().map(|(key, _)| key);
    keys.find(|key| key.parse().is_ok_and(|key: ConversationKey| key == wanted)).map(str::to_owned)
}

/// Returns the text that has each setting at its default, with comments.
pub fn default_text() -> String {
    let mut text =
        "# Settings of `parlour chat`. Each one has its default here; /set in the chat changes them too.\n\
                    # A line that is left out counts as its default.\n"
            .to_owned();
    let mut section = "";
    let settings = Settings::default();
    let names = Settings::names();
    for (name, value) in names.iter().zip(names.iter().map(|name| settings.get(name).unwrap_or_default())) {
        let (sections, key) = split_name(name);
        let here = sections.first().copied().unwrap_or_default();
        if here != section {
            if section == "notify" {
                text.push_str(CONVERSATIONS_TEXT);
            }
            section = here;
            let _ = write!(text, "\n{}[{section}]\n", section_comment(section));
        }
        let about = Settings::about(name);
        if !about.is_empty() {
            let _ = writeln!(text, "# {about}");
        }
        let _ = writeln!(text, "{key} = {}", to_toml(name, &value));
    }
    text
}

const CONVERSATIONS_TEXT: &str = "\n# Single conversations, as SERVER/#CHANNEL or SERVER/NAME; /notify sets them too.\n\
                                  [notify.conversations]\n# \"home/#lobby\" = \"all\"\n";

fn section_comment(section: &str) -> &'static str {
    match section {
        "layout" => "# Panels beside the messages.\n",
        "notify" => "# Notifications: the bell, and those of the desktop.\n",
        "colors" => {
            "# Colours in place of those of the theme: a name (red, bright-blue, default), a number from 0 to 255, or\n\
             # #rrggbb; for the background on COLOUR, for both COLOUR on COLOUR. \"theme\" leaves it to the theme.\n"
        }
        "keys" => "# Keys, separated by spaces: Ctrl-K, Alt-Up, F5, PgUp. \"\" for none.\n",
        _ => "",
    }
}

/// Splits a name into its sections and the key.
fn split_name(name: &str) -> (Vec<&str>, &str) {
    if let Some(key) = name.strip_prefix("notify.conversations.") {
        return (vec!["notify", "conversations"], key);
    }
    match name.split_once('.') {
        Some((section, key)) => (vec![section], key),
        None => (Vec::new(), name),
    }
}

/// Converts a value that a setting has to its form in the file.
fn to_toml(name: &str, text: &str) -> Value {
    match (Settings::form(name), text.parse::<bool>(), text.parse::<i64>()) {
        (Form::Switch, Ok(on), _) => on.into(),
        (Form::Width, _, Ok(width)) => width.into(),
        (Form::List, ..) => text.split(", ").filter(|item| !item.is_empty()).collect::<Array>().into(),
        _ => text.into(),
    }
}

/// Converts a value of the file to the text that a setting takes. The error names the form that is expected.
fn from_toml(name: &str, value: &Value) -> Result<String, &'static str> {
    match (Settings::form(name), value) {
        (Form::Switch, Value::Boolean(on)) => Ok(on.value().to_string()),
        (Form::Switch, _) => Err("write true or false, without quotes"),
        (Form::Width, Value::Integer(width)) => Ok(width.value().to_string()),
        (Form::Width | Form::Text, Value::String(text)) => Ok(text.value().clone()),
        (Form::Width, _) => Err("write a number, or \"auto\""),
        (Form::List, Value::Array(items)) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let items = items.filter(|items| !items.iter().any(|item| item.contains(',')));
            Ok(items.ok_or("write a list of texts without commas: [\"one\", \"two\"]")?.join(","))
        }
        (Form::List, _) => Err("write a list: [\"one\", \"two\"]"),
        (Form::Text, _) => Err("write it in quotes"),
    }
}

struct Reader<'a> {
    text: &'a str,
    settings: Settings,
    problems: Vec<Problem>,
    /// Position of the section of the keys.
    keys: Range<usize>,
}

impl Reader<'_> {
    fn read_table(&mut self, table: &dyn TableLike, section: &str) {
        for (key, item) in table.iter() {
            let at = table.key(key).and_then(toml_edit::Key::span).or(item.span()).unwrap_or(0..0);
            let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
            let is_section =
                matches!(&*name, "layout" | "notify" | "colors" | "keys" | "notify.conversations");
            match (is_section, item.as_table_like(), item) {
                (true, Some(inner), _) => {
                    if name == "keys" {
                        self.keys = at;
                    }
                    self.read_table(inner, &name);
                }
                (true, None, _) => self.report(&at, format!("{name} is a section: write [{name}]")),
                (false, _, Item::Value(value)) => {
                    let set = from_toml(&name, value).map_err(str::to_owned);
                    // An unknown name is the first thing to say.
                    let known = self.settings.get(&name).is_some() || section == "notify.conversations";
                    let set = if known {
                        set.and_then(|text| self.settings.set_unchecked(&name, &text))
                            .map_err(|error| format!("{}: {error}", shorten(&name)))
                    } else {
                        Err(describe_unknown(&name))
                    };
                    if let Err(problem) = set {
                        self.report(&at, problem);
                    }
                }
                (false, ..) => self.report(&at, describe_unknown(&name)),
            }
        }
    }

    fn report(&mut self, at: &Range<usize>, text: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line: line_of(self.text, at.start), text });
        }
    }
}

fn shorten(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn syntax_problem(text: &str, error: &toml_edit::TomlError) -> Problem {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    let message: String = error.message().lines().next().unwrap_or_default().chars().take(200).collect();
    Problem { line, text: format!("{message}; all settings are at their defaults until this is repaired") }
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or(text).matches('\n').count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn default_text_has_each_setting_at_its_default() {
        let text = default_text();
        assert_eq!(parse(&text), Parsed::default(), "{text}");
        let document: DocumentMut = text.parse().expect("TOML");
        for name in Settings::names() {
            let (sections, key) = split_name(&name);
            let table = sections.iter().fold(document.as_item(), |item, section| &item[*section]);
            let value =
                table.get(key).and_then(Item::as_value).unwrap_or_else(|| panic!("{name} is missing"));
            assert_eq!(
                from_toml(&name, value),
                Ok(Settings::default().get(&name).expect("a value")),
                "{name}"
            );
        }
        insta::assert_snapshot!("client_toml", text);
    }

    #[test]
    fn problems_name_the_line_the_key_and_the_remedy() {
        let text = "theme = \"pink\"\ntehme = \"dark\"\nbell = \"on\"\nlayout = 3\n\n[keys]\nsearch = \"Ctrl-K\"\n\
                    [notify]\ndirect = \"nothing\"\n[notify.conversations]\n\"lobby\" = \"all\"\n[other]\n";
        let Parsed { settings, problems } = parse(text);
        let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "line 1: theme: choose one of auto, dark, light, high-contrast",
                "line 2: there is no setting tehme; did you mean theme?",
                "line 3: bell: write true or false, without quotes",
                "line 4: layout is a section: write [layout]",
                "line 6: [keys]: Ctrl-K is the key of both quick_switcher and search: give one of them another key, or \
                 \"\" for none; until then all keys are the default ones",
                "line 11: notify.conversations.lobby: \"lobby\" is not SERVER/#CHANNEL or SERVER/NAME",
                "line 12: there is no setting other; /set lists them",
            ]
        );
        let mut expected = Settings::default();
        expected.set("notify.direct", "nothing").expect("a level");
        assert_eq!(settings, expected, "the valid one takes effect");
    }

    #[test]
    fn text_that_is_no_toml_gives_the_defaults_and_is_not_changed() {
        let text = "bell = false\ntheme = \n";
        let Parsed { settings, problems } = parse(text);
        assert_eq!(settings, Settings::default());
        assert!(
            problems[0].line == 2 && problems[0].text.ends_with("until this is repaired"),
            "{problems:?}"
        );
        assert!(update(text, "bell", &settings).is_err());
    }

    #[test]
    fn a_change_keeps_comments_order_and_unknown_keys() {
        let text = "# mine\nbell = true # loud\nfuture = 1\n\n# keys\n[keys] # here\n# find\nsearch = \"Ctrl-F\" # s\n";
        let mut settings = Settings::default();
        settings.set("bell", "false").expect("set");
        let text = update(text, "bell", &settings).expect("updated");
        settings.set("keys.search", "Ctrl-S").expect("set");
        let text = update(&text, "keys.search", &settings).expect("updated");
        settings.set("highlights", "tea, more tea").expect("set");
        let text = update(&text, "highlights", &settings).expect("updated");
        settings.set("notify.conversations.home/#lobby", "all").expect("set");
        let text = update(&text, "notify.conversations.home/#lobby", &settings).expect("updated");
        settings.set("layout.sidebar_width", "30").expect("set");
        let text = update(&text, "layout.sidebar_width", &settings).expect("updated");
        insta::assert_snapshot!("changed_client_toml", text);
        assert_eq!(parse(&text).settings, settings);
        settings.set("keys.search", "default").expect("set");
        let text = update(&text, "keys.search", &settings).expect("updated");
        assert!(text.contains("search = \"Ctrl-F\" # s"), "{text}");
        settings.set("notify.conversations.home/#lobby", "default").expect("set");
        let text = update(&text, "notify.conversations.home/#lobby", &settings).expect("updated");
        assert!(!text.contains("#lobby"), "{text}");
        assert_eq!(update("", "bell", &Settings::default()), Ok(String::new()), "a default is not added");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(theme = |\\[keys\\]\n|colors.text = )?\\PC{0,60}") {
            let parsed = parse(&text);
            let _ = update(&text, "notify.conversations.a/#b", &parsed.settings);
        }

        #[test]
        fn any_value_set_is_read_back(at in 0_usize..400, text in "\\PC{0,20}") {
            let names = Settings::names();
            let name = &names[at % names.len()];
            let mut settings = Settings::default();
            if settings.set(name, &text).is_ok() {
                let written = update(&default_text(), name, &settings).expect("updated");
                prop_assert_eq!(parse(&written), Parsed { settings, problems: Vec::new() });
            }
        }
    }
}
