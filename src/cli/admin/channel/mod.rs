//! `parlour channel`: lists, makes and changes channels.

pub mod ban;
mod history;
mod list;
mod members;
mod queries;

use clap::{Subcommand, ValueEnum};

use super::Admin;
use super::links::parse_channel;
use crate::cli::access;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::DataOptions;
use crate::cli::output::print;
use crate::cli::script::time_argument::TimeArgument;
use crate::core::Settings;
use crate::core::record::member_status::PrefixMode;
use crate::core::request::admin::Change;
use crate::core::request::channels::ChannelChange;
use crate::wire::{ChannelName, Nick};

/// List, make and change channels, with or without a running server.
///
/// Members see the changes as those of the server. The audit log has an entry for each.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour channel list
  parlour channel create '#class-7b' --founder ms.miller --topic 'Maths on Monday'
  parlour channel members '#class-7b' --add alice bob
  parlour channel role '#class-7b' alice op")]
pub struct Args {
    #[command(flatten)]
    folder: DataOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print all channels.
    List {
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Print one channel, with its topic, founders and modes.
    Show {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// Print a JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Make a channel. It is kept while nobody is in it.
    #[command(after_help = "\
Examples:
  parlour channel create '#lobby'
  parlour channel create '#class-7b' --founder ms.miller --topic 'Maths on Monday'")]
    Create {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// The account that becomes its founder, and a member.
        #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
        founder: Option<Nick>,
        /// The topic of the channel, up to 390 bytes.
        #[arg(long, value_name = "TEXT", value_parser = parse_topic)]
        topic: Option<String>,
    },
    /// Set the topic of a channel; an empty text clears it.
    Topic {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// The topic, up to 390 bytes.
        #[arg(value_parser = parse_topic)]
        text: String,
    },
    /// Set the role of an account in a channel, which it keeps while it is not a member.
    #[command(after_help = "\
Examples:
  parlour channel role '#class-7b' alice op
  parlour channel role '#class-7b' alice none")]
    Role {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// The name of the account.
        #[arg(value_parser = access::parse_nick)]
        account: Nick,
        /// The role, instead of those that it has.
        role: MemberRole,
    },
    /// Print the members of a channel, or add and remove some.
    #[command(after_help = "\
Examples:
  parlour channel members '#class-7b'
  parlour channel members '#class-7b' --add alice bob --remove carol")]
    Members {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// Make these accounts members, whatever the modes and bans of the channel say.
        #[arg(long, value_name = "NAME", num_args = 1.., value_parser = access::parse_nick)]
        add: Vec<Nick>,
        /// End the membership of these accounts.
        #[arg(long, value_name = "NAME", num_args = 1.., value_parser = access::parse_nick)]
        remove: Vec<Nick>,
        /// Print one JSON object per line.
        #[arg(long, conflicts_with_all = ["add", "remove"])]
        json: bool,
    },
    /// Print or set for how long the messages of a channel are kept.
    ///
    /// The limits replace those of [history] in parlour.toml. What exceeds them is removed at once.
    #[command(after_help = "\
Examples:
  parlour channel retention '#class-7b' --days 365
  parlour channel retention '#builds' --days 7 --messages 1000
  parlour channel retention '#lobby' --days default --messages default")]
    Retention {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// Days for which messages are kept: a number, 0 for no limit, or `default` as parlour.toml says.
        #[arg(long, value_name = "DAYS")]
        days: Option<history::Limit>,
        /// Messages that are kept, the latest: a number, 0 for all, or `default` as parlour.toml says.
        #[arg(long, value_name = "COUNT")]
        messages: Option<history::Limit>,
    },
    /// Remove the messages of a channel, or those from before a time. They are erased from the server's disk.
    ///
    /// Clients keep what they have read. Backups keep what was in them.
    #[command(after_help = "\
Examples:
  parlour channel purge '#class-7b' --before 2026-07-31
  parlour channel purge '#lobby' --yes")]
    Purge {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// Only messages from before then: a time, a date, or how long ago, such as 90d.
        #[arg(long, value_name = "TIME", value_parser = TimeArgument::parse_since)]
        before: Option<TimeArgument>,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Let nobody write in a channel any more. Its members can still read it.
    Archive {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        /// Open an archived channel again.
        #[arg(long)]
        undo: bool,
    },
    /// Remove a channel with its messages, members and bans.
    ///
    /// Its name is free then. Files that only its messages shared go with it.
    Delete {
        /// The name of the channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// The role of an account in a channel.
#[derive(Clone, Copy, ValueEnum)]
enum MemberRole {
    /// The maker of the channel, or an account with the same rights: ~
    Founder,
    /// Changes modes and the status of others: @
    Op,
    /// Kicks, bans and mutes members: %
    HalfOp,
    /// Speaks in a moderated channel: +
    Voice,
    /// A member without a special role.
    None,
}

/// Checks the length of a topic. The server would cut it off.
fn parse_topic(text: &str) -> Result<String, String> {
    let most = Settings::MAX_TOPIC_BYTES;
    if text.len() > most {
        return Err(format!("it has {} bytes, and a topic has at most {most}", text.len()));
    }
    Ok(text.to_owned())
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folder, action } = args;
    let admin = Admin::open(folder.existing()?)?;
    match action {
        Action::List { json } => list::print_channels(&admin, json),
        Action::Show { channel, json } => list::show(&admin, channel, json),
        Action::Create { channel, founder, topic } => create(&admin, &channel, founder, topic),
        Action::Topic { channel, text } => {
            change(&admin, &channel, ChannelChange::Topic(text.as_str().into()))?;
            print(&match text.as_str() {
                "" => format!("{channel} has no topic any more\n"),
                _ => format!("the topic of {channel} is set\n"),
            })
        }
        Action::Role { channel, account, role } => {
            let status = role.status();
            change(&admin, &channel, ChannelChange::Status { account: account.clone(), status })?;
            print(&match status {
                Some(status) => format!("{account} is {status} in {channel}\n"),
                None => format!("{account} has no role in {channel}\n"),
            })
        }
        Action::Members { channel, add, remove, json } if add.is_empty() && remove.is_empty() => {
            members::print_members(&admin, &channel, json)
        }
        Action::Members { channel, add, remove, .. } => {
            members::change_members(&admin, &channel, add, remove)
        }
        Action::Retention { channel, days, messages } => history::retain(&admin, &channel, days, messages),
        Action::Purge { channel, before, confirmation } => {
            history::purge(&admin, &channel, before, confirmation)
        }
        Action::Archive { channel, undo } => {
            change(&admin, &channel, ChannelChange::Archive(!undo))?;
            print(&if undo {
                format!("{channel} is open again\n")
            } else {
                format!("{channel} is archived: nobody can write there any more\n")
            })
        }
        Action::Delete { channel, confirmation } => history::delete(&admin, &channel, confirmation),
    }
}

fn create(
    admin: &Admin,
    channel: &ChannelName,
    founder: Option<Nick>,
    topic: Option<String>,
) -> anyhow::Result<()> {
    change(admin, channel, ChannelChange::Create { founder })?;
    if let Some(topic) = topic {
        change(admin, channel, ChannelChange::Topic(topic.into()))?;
    }
    print(&format!("{channel} is made\n"))
}

fn change(admin: &Admin, channel: &ChannelName, change: ChannelChange) -> anyhow::Result<()> {
    admin.request(Change::Channel { name: channel.clone(), change }).map(drop)
}

impl MemberRole {
    fn status(self) -> Option<PrefixMode> {
        match self {
            Self::Founder => Some(PrefixMode::Founder),
            Self::Op => Some(PrefixMode::Op),
            Self::HalfOp => Some(PrefixMode::HalfOp),
            Self::Voice => Some(PrefixMode::Voice),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_that_would_be_cut_off_is_refused() {
        let longest = "y".repeat(Settings::MAX_TOPIC_BYTES);
        assert_eq!(parse_topic(&longest), Ok(longest.clone()));
        assert_eq!(
            parse_topic(&(longest + "y")),
            Err("it has 391 bytes, and a topic has at most 390".to_owned())
        );
    }
}
