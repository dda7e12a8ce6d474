//! The people of a source and their accounts here.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::bail;

use super::Setup;
use super::report::{NamedAccount, Report};
use crate::cli::account_names::{base_of, numbered};
use crate::core::record::Role;
use crate::core::request::admin::reserved_reason;
use crate::core::request::export::ExportedAccount;
use crate::wire::{Nick, Timestamp};

/// Maximum count of people of a source. All of them are held in memory.
const MAX_PEOPLE: usize = 100_000;

/// The choices of the user about people.
#[derive(Clone, Debug, Default)]
pub struct Choices {
    /// Names in the source with the accounts that they are (`--as`).
    pub named: Vec<(String, Nick)>,
    /// Account that gets the messages of everybody without an account, with their names before the text (`--others`).
    pub others: Option<Nick>,
}

/// A person of a source, before there is an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Id or name by which messages of the source refer to them.
    pub key: String,
    /// Their name, from which that of the account is made.
    pub name: String,
    /// The name that is shown, if it is another one.
    pub display_name: Option<String>,
    /// They may not log in any more.
    pub disabled: bool,
}

/// The people of a source with their accounts.
#[derive(Debug, Default)]
pub struct People {
    by_key: HashMap<String, Author>,
}

/// The account of a person's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Account that the messages are stored under.
    pub account: Nick,
    /// Name to put before the text, if the account is that of several people.
    pub prefix: Option<String>,
}

impl People {
    /// Gives each person an account: that of `--as`, one that has their name, that of `--others`, or a new one. Returns
    /// the new ones too. The same people always get the same accounts.
    pub fn assign(
        people: Vec<Person>,
        setup: &Setup,
        report: &mut Report,
    ) -> anyhow::Result<(Self, Vec<ExportedAccount>)> {
        let Setup { choices, existing, removed, now } = setup;
        check_choices(choices, existing)?;
        let people: BTreeMap<String, Person> =
            people.into_iter().map(|person| (person.key.clone(), person)).collect();
        let mut assigned = Self::default();
        let mut new = Vec::new();
        // An account of the server is taken by one person of the source, by name.
        let mut taken: HashSet<Nick> = HashSet::new();
        for (key, person) in people {
            let is_meant = |(name, _): &&(String, Nick)| {
                name.eq_ignore_ascii_case(&key) || name.eq_ignore_ascii_case(&person.name)
            };
            let named = choices.named.iter().find(is_meant);
            let (account, state) = if let Some((_, account)) = named {
                (account.clone(), "known")
            } else {
                let name = free_name(&person.name, &taken);
                match &choices.others {
                    _ if existing.contains(&name) => (name, "known"),
                    _ if removed.contains(&name) => (name, "removed"),
                    Some(others) => (others.clone(), "others"),
                    None => (name, "new"),
                }
            };
            // Somebody with `--as` may also stand in the source under the name of their account.
            if named.is_none() && state != "others" {
                taken.insert(account.clone());
            }
            report.people.push(NamedAccount {
                name: person.name.clone(),
                account: account.to_string(),
                state,
            });
            if state == "new" {
                new.push(new_account(&account, &person, *now));
            }
            let prefix = (state == "others").then(|| person.name.clone());
            assigned.by_key.insert(key, Author { account, prefix });
        }
        Ok((assigned, new))
    }

    /// The author of messages under a key.
    pub fn author(&self, key: &str) -> Option<&Author> {
        self.by_key.get(key)
    }
}

impl Author {
    /// The text of a message, with the author's name where the account does not tell it.
    pub fn text(&self, text: &str) -> String {
        match &self.prefix {
            Some(name) => format!("<{name}> {text}"),
            None => text.to_owned(),
        }
    }
}

/// Returns why people cannot get their accounts by these choices.
fn check_choices(choices: &Choices, existing: &HashSet<Nick>) -> anyhow::Result<()> {
    for account in choices.named.iter().map(|(_, account)| account).chain(&choices.others) {
        if !existing.contains(account) {
            bail!("there is no account {account}; `parlour user list` prints the names");
        }
    }
    for (index, (name, account)) in choices.named.iter().enumerate() {
        let before = choices.named.iter().take(index);
        for (_, other) in before.filter(|(other, _)| other.eq_ignore_ascii_case(name)) {
            if other != account {
                let name = name.escape_debug();
                bail!(
                    "--as says that {name} is {other}, and that {name} is {account}; leave one of them out"
                );
            }
        }
    }
    Ok(())
}

/// Ends the import of a source with more people than a server has.
pub fn check_count(people: usize) -> anyhow::Result<()> {
    if people > MAX_PEOPLE {
        bail!("this has messages of more than {MAX_PEOPLE} people; import parts of it");
    }
    Ok(())
}

fn new_account(name: &Nick, person: &Person, now: Timestamp) -> ExportedAccount {
    let display_name = person.display_name.as_deref().unwrap_or(&person.name).trim();
    let metadata = if display_name.is_empty() || display_name == name.as_str() {
        BTreeMap::new()
    } else {
        BTreeMap::from([("display-name".to_owned(), display_name.to_owned())])
    };
    ExportedAccount {
        name: name.clone(),
        role: Role::Member,
        created: now,
        disabled: person.disabled,
        removed: false,
        metadata,
    }
}

/// Returns an account name for a person that is not taken: their name itself if it is one, or made of it, with a number if
/// it has to.
fn free_name(name: &str, taken: &HashSet<Nick>) -> Nick {
    let base = if Nick::parse(name).is_ok() { name.to_owned() } else { base_of(name) };
    (1..=u32::MAX)
        .filter_map(|number| numbered(&base, number))
        .find(|nick| !taken.contains(nick) && reserved_reason(nick).is_none())
        .unwrap_or_else(|| unreachable!("there are more numbers than people"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn setup(choices: &Choices, existing: &[&str]) -> Setup {
        let existing = existing.iter().map(|name| nick(name)).collect();
        let removed = HashSet::from([nick("gone")]);
        Setup { choices: choices.clone(), existing, removed, now: Timestamp(1) }
    }

    fn assign(names: &[&str], choices: &Choices, existing: &[&str]) -> (Vec<String>, Vec<String>) {
        let people = names.iter().map(|name| Person {
            key: (*name).to_owned(),
            name: (*name).to_owned(),
            ..Person::default()
        });
        let setup = setup(choices, existing);
        let (people, new) =
            People::assign(people.collect(), &setup, &mut Report::default()).expect("assigned");
        let author = |name: &&str| people.author(name).expect("an author").account.to_string();
        (
            names.iter().map(author).collect(),
            new.into_iter().map(|account| account.name.to_string()).collect(),
        )
    }

    #[test]
    fn names_become_names_of_accounts() {
        let taken = HashSet::from([nick("alice"), nick("jose-garcia")]);
        for (name, account) in [
            ("bob_", "bob_"),
            ("Alice", "Alice-2"),
            ("Jürgen Müller", "juergen-mueller"),
            ("José García", "jose-garcia-2"),
            ("***", "user"),
            ("server", "server-2"),
        ] {
            assert_eq!(free_name(name, &taken).as_str(), account, "{name}");
        }
    }

    #[test]
    fn people_keep_their_accounts_and_others_get_new_ones() {
        let none = Choices::default();
        let (accounts, new) = assign(&["Ann", "Müller", "bob", "Mueller"], &none, &["ann"]);
        // The first in the order of names has the name.
        assert_eq!(accounts, ["Ann", "mueller-2", "bob", "Mueller"].map(ToOwned::to_owned));
        assert_eq!(new.len(), 3);
        let choices =
            Choices { named: vec![("bob".to_owned(), nick("robert"))], others: Some(nick("archive")) };
        let people = ["ann", "bob", "robert", "zoe"];
        let (accounts, new) = assign(&people, &choices, &["ann", "robert", "archive"]);
        let expected = ["ann", "robert", "robert", "archive"].map(ToOwned::to_owned).to_vec();
        assert_eq!((accounts, new.len()), (expected, 0));
    }

    #[test]
    fn a_name_is_said_to_be_one_account_only() {
        let named = |second: &str, account: &str| {
            let named = vec![("bob".to_owned(), nick("Alice")), (second.to_owned(), nick(account))];
            let setup = setup(&Choices { named, others: None }, &["alice", "carol"]);
            People::assign(Vec::new(), &setup, &mut Report::default()).map(|_| ()).map_err(|e| e.to_string())
        };
        let error = named("Bob", "carol").expect_err("refused");
        assert!(error.contains("Bob is Alice") && error.contains("Bob is carol"), "{error}");
        assert_eq!((named("bob", "alice"), named("bo", "carol")), (Ok(()), Ok(())));
    }

    #[test]
    fn removed_accounts_are_not_new() {
        let mut report = Report::default();
        let person = Person { key: "gone".to_owned(), name: "gone".to_owned(), ..Person::default() };
        let setup = setup(&Choices::default(), &[]);
        let (_, new) = People::assign(vec![person], &setup, &mut report).expect("assigned");
        assert_eq!((new.len(), report.people[0].state), (0, "removed"));
    }

    #[test]
    fn the_name_stands_before_texts_of_a_shared_account() {
        let own = Author { account: nick("ann"), prefix: None };
        let shared = Author { account: nick("archive"), prefix: Some("zoe".to_owned()) };
        assert_eq!((own.text("hi"), shared.text("hi")), ("hi".to_owned(), "<zoe> hi".to_owned()));
    }
}
