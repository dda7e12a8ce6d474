//! `parlour ban`: lists and changes the bans of channels, and the exceptions to them.

use anyhow::bail;
use clap::{Subcommand, ValueEnum};

use super::queries::{channels, query};
use crate::cli::admin::Admin;
use crate::cli::admin::links::parse_channel;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_minute, print, print_objects, print_table};
use crate::core::record::modes::ListKind;
use crate::core::request::admin::Change;
use crate::core::request::channels::ChannelChange;
use crate::server::admin::channels::{ChannelQuery, ChannelReply, Mask, MaskList};
use crate::wire::{ChannelName, Nick};

/// List and change the bans of channels, with or without a running server.
///
/// A mask is NICK!USER@HOST with * and ? for any characters, or a:ACCOUNT for one account. In front of it, m: lets those who
/// match join but not speak. To keep an account from the whole server: parlour user disable.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour ban list
  parlour ban add '#lobby' a:mallory
  parlour ban add '#lobby' m:a:noisy
  parlour ban remove '#lobby' a:mallory")]
pub struct Args {
    #[command(flatten)]
    folder: DataOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print the bans and the exceptions of a channel, or of all.
    List {
        /// The name of the channel. Default: all channels.
        #[arg(value_parser = parse_channel)]
        channel: Option<ChannelName>,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Add a mask.
    Add(Entry),
    /// Remove a mask.
    Remove(Entry),
}

#[derive(clap::Args)]
struct Entry {
    /// The name of the channel.
    #[arg(value_parser = parse_channel)]
    channel: ChannelName,
    /// Mask of accounts, such as a:NAME or nick!user@host.
    mask: String,
    /// The list that has it.
    #[arg(long, value_enum, default_value_t = List::Ban)]
    list: List,
}

/// A list of masks.
#[derive(Clone, Copy, ValueEnum)]
enum List {
    /// Accounts that may neither join nor speak.
    Ban,
    /// Those whom bans do not concern.
    BanException,
    /// Accounts that may join an invite-only channel.
    InviteException,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folder, action } = args;
    let admin = Admin::open(folder.existing()?)?;
    match action {
        Action::List { channel, json } => list(&admin, channel, json),
        Action::Add(Entry { channel, mask, list }) => {
            let change = ChannelChange::ListAdd(list.into(), mask.as_str().into());
            admin.request(Change::Channel { name: channel.clone(), change })?;
            note_unknown_account(&admin, &mask)?;
            print(&format!("{mask} is {} of {channel} now\n", list.with_article()))
        }
        Action::Remove(Entry { channel, mask, list }) => {
            let change = ChannelChange::ListRemove(list.into(), mask.as_str().into());
            admin.request(Change::Channel { name: channel.clone(), change })?;
            print(&format!("{mask} is no longer {} of {channel}\n", list.with_article()))
        }
    }
}

/// Says that the account of a mask does not exist. It may be made later, so the mask stays.
fn note_unknown_account(admin: &Admin, mask: &str) -> anyhow::Result<()> {
    let mask = mask.strip_prefix("m:").unwrap_or(mask);
    let Some(Ok(account)) = mask.strip_prefix("a:").map(Nick::parse) else { return Ok(()) };
    if admin.list_users()?.iter().all(|user| user.name != account) {
        note!("-- no account is called {account}; check the name");
    }
    Ok(())
}

fn list(admin: &Admin, channel: Option<ChannelName>, json: bool) -> anyhow::Result<()> {
    let names = match channel {
        Some(channel) => vec![channel],
        None => {
            channels(admin)?.into_iter().filter(|known| known.list_entries > 0).map(|it| it.name).collect()
        }
    };
    let mut masks: Vec<Mask> = Vec::new();
    for name in names {
        let ChannelReply::Masks(found) = query(admin, ChannelQuery::Masks(name))? else {
            bail!("an unexpected answer")
        };
        masks.extend(found);
    }
    if json {
        return print_objects(&masks);
    }
    let mut rows = vec![["CHANNEL", "LIST", "MASK", "BY", "SINCE"].map(ToOwned::to_owned)];
    rows.extend(masks.into_iter().map(|mask| {
        let list = match mask.list {
            MaskList::Ban => "ban",
            MaskList::BanException => "ban-exception",
            MaskList::InviteException => "invite-exception",
        };
        [mask.channel.to_string(), list.to_owned(), mask.mask, mask.by.to_string(), format_minute(mask.at)]
    }));
    print_table(&rows)
}

impl List {
    /// Returns the name of an entry.
    fn with_article(self) -> &'static str {
        match self {
            Self::Ban => "a ban",
            Self::BanException => "a ban exception",
            Self::InviteException => "an invite exception",
        }
    }
}

impl From<List> for ListKind {
    fn from(list: List) -> Self {
        match list {
            List::Ban => Self::Ban,
            List::BanException => Self::Except,
            List::InviteException => Self::Invex,
        }
    }
}
