//! `parlour user`: administers accounts.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Subcommand;
use indicatif::{HumanBytes, HumanCount};
use zeroize::Zeroizing;

use super::import::{self, BATCH, csv_line};
use super::passwords::{Secret, generate_password};
use super::selection::{Accounts, Role, enumerate, parse_group};
use super::{erase, export};
use crate::cli::access;
use crate::cli::admin::Admin;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print, print_objects};
use crate::client::text::clean::clean;
use crate::core::record;
use crate::core::record::Preference;
use crate::core::record::group::GroupName;
use crate::core::request::admin::{AccountChange, Change, UserChange, reserved_reason};
use crate::core::request::people::NewUser;
use crate::server::admin::User;
use crate::server::auth::passwords::{Password, PasswordHasher};
use crate::wire::Nick;

/// Make, change and remove accounts, with or without a running server.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour user add alice --admin
  parlour user import class-3b.csv --cards cards.html
  parlour user disable bob
  parlour user remove --group 3b")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make an account. Prompts for its password.
    #[command(after_help = "\
Examples:
  parlour user add alice --admin
  parlour user add bob --password-stdin < password")]
    Add {
        /// The name, which is also the nick: 1 to 24 letters, digits and `-_[]^{|}`, a letter first.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        /// Make it an admin of the server.
        #[arg(long)]
        admin: bool,
        /// Restore a removed account for its owner, instead of making a new one.
        #[arg(long)]
        again: bool,
        #[command(flatten)]
        secret: Secret,
    },
    /// Make the accounts of the people in a file, such as a class.
    ///
    /// The first line names the columns, in any order, in English, German, French or Spanish: name, display name, first
    /// name, last name, password, role, group, channel; a cell may have several groups or channels, with commas
    /// between them. Where a name cannot be one of an account, an account name is made of it, and a number is added if
    /// that is taken: Jürgen Müller becomes juergen-mueller. Without such a line the columns are NAME,PASSWORD,ROLE.
    ///
    /// The file can be imported again: people whose accounts are there keep them as they are, and become members of the
    /// groups and channels that the file adds. An invalid line is reported with its number; the other accounts are made.
    #[command(after_help = "\
Examples:
  parlour user import class-3b.csv --dry-run
  parlour user import class-3b.csv --group 3b --cards cards.html
  parlour user import staff.csv --generate-passwords > passwords.csv

class-3b.csv:
  Nachname;Vorname;Gruppe
  Müller;Jürgen;3b, choir")]
    Import(import::Args),
    /// Print all accounts.
    ///
    /// REPLAY is the number of missed messages of each channel that come by themselves to clients which cannot ask for
    /// history, BOT says that the account is a program: `parlour user set` changes both.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Set new passwords. The sessions of the accounts end, and their devices are removed.
    #[command(after_help = "\
Examples:
  parlour user passwd alice
  parlour user passwd --group 3b --generate-passwords > passwords.csv")]
    Passwd {
        #[command(flatten)]
        accounts: Accounts,
        #[command(flatten)]
        secret: Secret,
        /// Make passwords, which can be read aloud, and print them as CSV, once. Needed for several accounts.
        #[arg(long, conflicts_with = "password_stdin")]
        generate_passwords: bool,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Set the role of accounts.
    #[command(allow_missing_positional = true)]
    Role {
        #[command(flatten)]
        accounts: Accounts,
        /// The new role.
        #[arg(required = true)]
        role: Role,
    },
    /// Set how many messages are replayed to the clients of accounts, or that they are bots.
    ///
    /// `replay` is the number of missed messages of each channel, 0 to 100, that the server sends unasked to a client
    /// without support for history, or `default` for the server's setting. Nothing is replayed to a bot (`bot on`).
    #[command(
        override_usage = "parlour user set [OPTIONS] [NAME]... <PREFERENCE> <VALUE>",
        after_help = "\
Examples:
  parlour user set helper bot on
  parlour user set alice bob replay 20"
    )]
    Set {
        /// The names of the accounts, then `replay` or `bot`, then 0 to 100 or `default`; `on` or `off`.
        #[arg(value_name = "NAME", required = true)]
        words: Vec<String>,
        /// All members of this group, instead of accounts by name. Can be given several times.
        #[arg(long, value_name = "GROUP", value_parser = parse_group)]
        group: Vec<GroupName>,
    },
    /// Keep accounts from logging in. Their sessions end.
    Disable(Accounts),
    /// Let disabled accounts log in again.
    Enable(Accounts),
    /// Remove accounts. Their sessions end, their messages stay, and their names stay taken.
    #[command(after_help = "\
Examples:
  parlour user remove bob
  parlour user remove --yes alice bob")]
    Remove {
        #[command(flatten)]
        accounts: Accounts,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Print what is kept of a person: account, settings, messages, files, and what the audit has.
    #[command(after_help = "\
Examples:
  parlour user export alice > alice.json
  parlour user export alice --to alice-data")]
    Export {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        /// Write to this new folder instead, with the contents of the account's files.
        #[arg(long, value_name = "DIR")]
        to: Option<PathBuf>,
    },
    /// Erase accounts, also removed ones: their messages and files, and their names in the audit. Says what remains.
    ///
    /// What remains carries a pseudonym, such as erased-17. This cannot be undone; `parlour user remove` keeps messages
    /// and can be.
    #[command(after_help = "\
Example:
  parlour user erase bob")]
    Erase {
        #[command(flatten)]
        accounts: Accounts,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders = match action {
        Action::Add { .. } | Action::Import(_) => folders.existing_or_new(),
        _ => folders.existing()?,
    };
    let existing = || Admin::open(folders.data.clone());
    match action {
        Action::Add { name, admin, again, secret } => add(&folders, &name, (admin, again), &secret),
        Action::Import(options) => import::run(&folders, &options),
        Action::List { json } => list(&existing()?, json),
        Action::Passwd { accounts, secret, generate_passwords, confirmation } => {
            let admin = existing()?;
            let users = accounts.select(&admin)?;
            match (&users[..], generate_passwords) {
                ([user], false) => {
                    let password = secret.read_password_hash(&folders, &user.name)?;
                    change(&admin, &users, &UserChange::Password(password), "has a new password")
                }
                (_, false) => {
                    bail!("several accounts need several passwords: --generate-passwords makes them")
                }
                (_, true) => {
                    if users.len() > 1 {
                        let question = format!(
                            "Set new passwords of {}, and end all their devices?",
                            enumerate(&names(&users))
                        );
                        confirmation.ask(&question, "`parlour group list` prints the members of groups")?;
                    }
                    set_generated_passwords(&admin, &folders, &users)
                }
            }
        }
        Action::Role { accounts, role } => {
            let done = match role {
                Role::Member => "is a member",
                Role::Admin => "is an admin",
            };
            let admin = existing()?;
            change(&admin, &accounts.select(&admin)?, &UserChange::Role(role.into()), done)
        }
        Action::Set { words, group } => {
            let (accounts, preference) = parse_preference(&words, group)?;
            let admin = existing()?;
            let done = format!("is set to {preference}");
            change(&admin, &accounts.select(&admin)?, &UserChange::Set(preference), &done)
        }
        Action::Disable(accounts) => {
            let admin = existing()?;
            change(&admin, &accounts.select(&admin)?, &UserChange::Disable, "is disabled")
        }
        Action::Enable(accounts) => {
            let admin = existing()?;
            change(&admin, &accounts.select(&admin)?, &UserChange::Enable, "is enabled")
        }
        Action::Remove { accounts, confirmation } => {
            let admin = existing()?;
            let users = accounts.select(&admin)?;
            confirmation.ask(
                &format!("Remove {}, with all devices and settings?", enumerate(&names(&users))),
                "`parlour user disable` keeps accounts from logging in and can be undone",
            )?;
            change(&admin, &users, &UserChange::Remove, "is removed")
        }
        Action::Export { name, to } => export::run(&folders, &name, to.as_deref()),
        Action::Erase { accounts, confirmation } => erase::run(&folders, &accounts, confirmation),
    }
}

fn add(folders: &Folders, name: &Nick, (admin, again): (bool, bool), secret: &Secret) -> anyhow::Result<()> {
    // Checked before the user chooses a password.
    if let Some(why) = reserved_reason(name) {
        bail!("the name {name} is reserved: {why}; choose another name");
    }
    let accounts = Admin::open_or_create(folders.data.clone());
    if accounts.list_users()?.iter().any(|user| user.name == *name) {
        bail!("the name {name} is taken; choose another name");
    }
    let password = secret.read_password_hash(folders, name)?;
    let role = if admin { record::Role::Admin } else { record::Role::Member };
    let user = NewUser { name: name.clone(), password, role };
    accounts.request(Change::UserAdd { user, again })?;
    print(&format!("{name} is added, as {}\n", if admin { "an admin" } else { "a member" }))
}

fn names(users: &[User]) -> Vec<Nick> {
    users.iter().map(|user| user.name.clone()).collect()
}

/// Makes one change of all these accounts, or of none, and prints a line for each.
fn change(admin: &Admin, users: &[User], change: &UserChange, done: &str) -> anyhow::Result<()> {
    let of_one = |user: &User| AccountChange { name: user.name.clone(), change: change.clone() };
    admin.request(Change::UserChanges(users.iter().map(of_one).collect()))?;
    users.iter().try_for_each(|user| print(&format!("{} {done}\n", user.name)))
}

/// Sets a password for each account, and prints them as CSV once they are in force.
fn set_generated_passwords(admin: &Admin, folders: &Folders, users: &[User]) -> anyhow::Result<()> {
    let hasher = PasswordHasher::new(folders.config()?.passwords);
    let passwords: Vec<Zeroizing<String>> = users.iter().map(|_| generate_password()).collect();
    let mut changes = Vec::with_capacity(users.len());
    for (user, password) in users.iter().zip(&passwords) {
        let hash = hasher.hash(&Password::new(password)?)?;
        changes.push(AccountChange { name: user.name.clone(), change: UserChange::Password(hash) });
    }
    print(&csv_line(b',', &["name", "display name", "password"])?)?;
    for (users, (passwords, changes)) in
        users.chunks(BATCH).zip(passwords.chunks(BATCH).zip(changes.chunks(BATCH)))
    {
        admin.request(Change::UserChanges(changes.to_vec()))?;
        for (user, password) in users.iter().zip(passwords) {
            let person = user.shown_name().unwrap_or_default();
            print(&csv_line(b',', &[user.name.as_str(), person, password])?)?;
        }
    }
    Ok(())
}

/// Parses the words of `user set`: names, a preference and its value.
fn parse_preference(words: &[String], groups: Vec<GroupName>) -> anyhow::Result<(Accounts, Preference)> {
    let [names @ .., preference, value] = words else {
        bail!("give a name, a preference and its value; see `parlour user set --help`")
    };
    let preference = format!("{preference} {value}").parse::<Preference>()?;
    let parse = |name: &String| {
        access::parse_nick(name).map_err(|why| anyhow!("{why}; `parlour user list` prints the names"))
    };
    let names = names.iter().map(parse).collect::<anyhow::Result<Vec<Nick>>>()?;
    if names.is_empty() == groups.is_empty() {
        bail!(
            "give either --group or the names of accounts before the preference; `parlour user list` prints them"
        );
    }
    Ok((Accounts::of(names, groups), preference))
}

fn list(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let users = admin.list_users()?;
    if json {
        return print_objects(&users);
    }
    let titles = ["NAME", "ROLE", "STATE", "REPLAY", "BOT", "SINCE", "FILES", "GROUPS", "PERSON"];
    let mut rows = vec![titles.map(ToOwned::to_owned)];
    for user in users {
        // The display name is the account's choice.
        let person = user.shown_name().filter(|person| *person != user.name.as_str());
        let person = clean(person.unwrap_or_default());
        let groups = user.groups.iter().map(GroupName::as_str).collect::<Vec<_>>().join(", ");
        let User { name, role, disabled, created, replay, bot, files, file_bytes, .. } = user;
        let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
        let state = if disabled { "disabled" } else { "enabled" };
        let replay = match replay {
            _ if bot => "-".to_owned(),
            Some(most) => most.to_string(),
            None => "default".to_owned(),
        };
        let bot = if bot { "yes" } else { "no" };
        let files = match files {
            0 => "-".to_owned(),
            count => format!("{} ({})", HumanCount(count as u64), HumanBytes(file_bytes)),
        };
        rows.push([
            name.to_string(),
            role.to_string(),
            state.into(),
            replay,
            bot.into(),
            format_minute(created),
            files,
            or_dash(groups),
            or_dash(person),
        ]);
    }
    print(&format_table(&rows))
}
