//! `parlour user`: administers accounts.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Subcommand, ValueEnum};
use zeroize::Zeroizing;

use super::Admin;
use super::import;
use crate::cli::access;
use crate::cli::folders::{FolderOptions, Folders};
use crate::cli::output::{format_minute, format_table, print};
use crate::core::record;
use crate::core::record::secret::PasswordHash;
use crate::core::request::admin::reserved_reason;
use crate::core::request::admin::{Change, NewUser, UserChange};
use crate::server::admin::User;
use crate::server::auth::passwords::{Password, PasswordHasher};
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
    List,
    /// Set a new password. The account's sessions end.
    Passwd {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        #[command(flatten)]
        secret: Secret,
    },
    /// Set the role of an account.
    Role {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        /// The new role.
        role: Role,
    },
    /// Set how many messages are replayed to an account's clients, or that it is a bot.
    ///
    /// `replay` is the number of missed messages of each channel, 0 to 100, that the server sends unasked to a client
    /// without support for history, or `default` for the server's setting. Nothing is replayed to a bot (`bot on`).
    #[command(after_help = "\
Examples:
  parlour user set helper bot on
  parlour user set alice replay 20")]
    Set {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
        /// `replay` or `bot`.
        preference: String,
        /// 0 to 100 or `default`; `on` or `off`.
        value: String,
    },
    /// Keep an account from logging in. Its sessions end.
    Disable {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
    },
    /// Let a disabled account log in again.
    Enable {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
    },
    /// Remove an account. Its sessions end, its messages stay, and its name stays taken.
    Remove {
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        name: Nick,
    },
}

/// The option for the source of a new password.
#[derive(clap::Args)]
struct Secret {
    /// Read the password from the first line of standard input instead of prompting for it.
    #[arg(long)]
    password_stdin: bool,
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
    let change = |name: Nick, change: UserChange, done: &str| {
        existing()?.request(Change::UserChange { name: name.clone(), change })?;
        print(&format!("{name} {done}\n"))
    };
    match action {
        Action::Add { name, admin, again, secret } => {
            // Checked before the user chooses a password.
            if let Some(why) = reserved_reason(&name) {
                bail!("the name {name} is reserved: {why}; choose another name");
            }
            let accounts = Admin::open_or_create(folders.data.clone());
            if accounts.list_users()?.iter().any(|user| user.name == name) {
                bail!("the name {name} is taken; choose another name");
            }
            let password = secret.read_password_hash(&folders, &name)?;
            let role = if admin { record::Role::Admin } else { record::Role::Member };
            let user = NewUser { name: name.clone(), password, role };
            accounts.request(Change::UserAdd { user, again })?;
            print(&format!("{name} is added, as {}\n", if admin { "an admin" } else { "a member" }))
        }
        Action::Import { file } => {
            let hasher = PasswordHasher::new(folders.config()?.passwords);
            import::run(&Admin::open_or_create(folders.data), &hasher, &file)
        }
        Action::List => list(&existing()?),
        Action::Passwd { name, secret } => {
            if !existing()?.list_users()?.iter().any(|user| user.name == name) {
                bail!("there is no account {name}; `parlour user list` prints the names");
            }
            let password = secret.read_password_hash(&folders, &name)?;
            change(name, UserChange::Password(password), "has a new password")
        }
        Action::Role { name, role } => {
            let done = match role {
                Role::Member => "is a member",
                Role::Admin => "is an admin",
            };
            change(name, UserChange::Role(role.into()), done)
        }
        Action::Set { name, preference, value } => {
            let preference = format!("{preference} {value}").parse::<record::Preference>()?;
            change(name, UserChange::Set(preference), &format!("is set to {preference}"))
        }
        Action::Disable { name } => change(name, UserChange::Disable, "is disabled"),
        Action::Enable { name } => change(name, UserChange::Enable, "is enabled"),
        Action::Remove { name } => change(name, UserChange::Remove, "is removed"),
    }
}

fn list(admin: &Admin) -> anyhow::Result<()> {
    let mut rows = vec![["NAME", "ROLE", "STATE", "REPLAY", "BOT", "SINCE"].map(ToOwned::to_owned)];
    for User { name, role, disabled, created, replay, bot } in admin.list_users()? {
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

impl Secret {
    /// Returns the hash of the new password of `name`.
    fn read_password_hash(&self, folders: &Folders, name: &Nick) -> anyhow::Result<PasswordHash> {
        let hasher = PasswordHasher::new(folders.config()?.passwords);
        let password = if self.password_stdin {
            parse_password(&access::secret_from_stdin()?)?
        } else {
            ask_password_twice(name)?
        };
        Ok(hasher.hash(&password)?)
    }
}

fn parse_password(text: &Zeroizing<String>) -> anyhow::Result<Password> {
    Password::new(text).map_err(|rule| anyhow::anyhow!("{rule}; choose another"))
}

/// Prompts for a password twice, until both entries are equal and valid.
fn ask_password_twice(name: &Nick) -> anyhow::Result<Password> {
    loop {
        let first = access::ask_secret(&format!("New password of {name}: "))?;
        let password = match Password::new(&first) {
            Ok(password) => password,
            Err(rule) => {
                note!("-- {rule}");
                continue;
            }
        };
        if first == access::ask_secret("Again: ")? {
            return Ok(password);
        }
        note!("-- they differ");
    }
}
