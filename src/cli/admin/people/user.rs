//! `parlour user`: administers accounts.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::{Subcommand, ValueEnum};

use super::import;
use super::passwords::Secret;
use super::selection::{Accounts, enumerate};
use crate::cli::access;
use crate::cli::admin::Admin;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print, print_objects};
use crate::core::record;
use crate::core::record::Preference;
use crate::core::request::admin::{AccountChange, Change, NewUser, UserChange, reserved_reason};
use crate::server::admin::User;
use crate::server::auth::passwords::PasswordHasher;
use crate::wire::Nick;

/// Make, change and remove accounts, with or without a running server.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour user add alice --admin
  parlour user import pupils.csv
  parlour user disable bob")]
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
    /// Make accounts from a file with a line NAME,PASSWORD or NAME,PASSWORD,ROLE for each.
    ///
    /// An invalid line is reported with its number; the other accounts are made.
    #[command(after_help = "\
Example:
  parlour user import pupils.csv

pupils.csv:
  name,password,role
  alice,correct horse battery
  bob,\"with a , comma\",admin")]
    Import {
        /// The file: CSV with commas, semicolons or tabs, in UTF-8 or UTF-16. A first line `name,password,role` names
        /// the columns.
        file: PathBuf,
    },
    /// Print all accounts.
    ///
    /// REPLAY is the number of missed messages of each channel that come by themselves to clients which cannot ask for
    /// history, BOT says that the account is a program: `parlour user set` changes both.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Set a new password. The account's sessions end.
    Passwd {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        #[command(flatten)]
        secret: Secret,
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
        override_usage = "parlour user set [OPTIONS] <NAME>... <PREFERENCE> <VALUE>",
        after_help = "\
Examples:
  parlour user set helper bot on
  parlour user set alice bob replay 20"
    )]
    Set {
        /// The names of the accounts, then `replay` or `bot`, then 0 to 100 or `default`; `on` or `off`.
        #[arg(value_name = "NAME", required = true)]
        words: Vec<String>,
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
}

/// The role of an account.
#[derive(Clone, Copy, ValueEnum)]
pub enum Role {
    /// Can chat, but not administer the server.
    Member,
    /// Can administer the server: accounts, invites, any channel.
    Admin,
}

impl From<Role> for record::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
        }
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders = folders.existing();
    let existing = || Admin::open(folders.data.clone());
    match action {
        Action::Add { name, admin, again, secret } => add(&folders, &name, (admin, again), &secret),
        Action::Import { file } => {
            let hasher = PasswordHasher::new(folders.config()?.passwords);
            import::run(&Admin::open_or_create(folders.data), &hasher, &file)
        }
        Action::List { json } => list(&existing()?, json),
        Action::Passwd { name, secret } => {
            let admin = existing()?;
            let users = Accounts::named(vec![name.clone()]).select(&admin)?;
            let password = secret.read_password_hash(&folders, &name)?;
            change(&admin, &users, &UserChange::Password(password), "has a new password")
        }
        Action::Role { accounts, role } => {
            let done = match role {
                Role::Member => "is a member",
                Role::Admin => "is an admin",
            };
            let admin = existing()?;
            change(&admin, &accounts.select(&admin)?, &UserChange::Role(role.into()), done)
        }
        Action::Set { words } => {
            let (accounts, preference) = parse_preference(&words)?;
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
                &format!("Remove {}, with all devices and settings?", enumerate(&users)),
                "`parlour user disable` keeps accounts from logging in and can be undone",
            )?;
            change(&admin, &users, &UserChange::Remove, "is removed")
        }
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

/// Makes one change of all these accounts, or of none, and prints a line for each.
fn change(admin: &Admin, users: &[User], change: &UserChange, done: &str) -> anyhow::Result<()> {
    let of_one = |user: &User| AccountChange { name: user.name.clone(), change: change.clone() };
    admin.request(Change::UserChanges(users.iter().map(of_one).collect()))?;
    users.iter().try_for_each(|user| print(&format!("{} {done}\n", user.name)))
}

/// Parses the words of `user set`: names, a preference and its value.
fn parse_preference(words: &[String]) -> anyhow::Result<(Accounts, Preference)> {
    let [names @ .., preference, value] = words else {
        bail!("give a name, a preference and its value; see `parlour user set --help`")
    };
    let preference = format!("{preference} {value}").parse::<Preference>()?;
    let parse = |name: &String| {
        access::parse_nick(name).map_err(|why| anyhow!("{why}; `parlour user list` prints the names"))
    };
    let names = names.iter().map(parse).collect::<anyhow::Result<Vec<Nick>>>()?;
    if names.is_empty() {
        bail!("give the names of accounts before the preference; `parlour user list` prints them");
    }
    Ok((Accounts::named(names), preference))
}

fn list(admin: &Admin, json: bool) -> anyhow::Result<()> {
    let users = admin.list_users()?;
    if json {
        return print_objects(&users);
    }
    let mut rows = vec![["NAME", "ROLE", "STATE", "REPLAY", "BOT", "SINCE"].map(ToOwned::to_owned)];
    for User { name, role, disabled, created, replay, bot } in users {
        let state = if disabled { "disabled" } else { "enabled" };
        let replay = match replay {
            _ if bot => "-".to_owned(),
            Some(most) => most.to_string(),
            None => "default".to_owned(),
        };
        let bot = if bot { "yes" } else { "no" };
        rows.push([
            name.to_string(),
            role.to_string(),
            state.into(),
            replay,
            bot.into(),
            format_minute(created),
        ]);
    }
    print(&format_table(&rows))
}
