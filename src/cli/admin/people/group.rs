//! `parlour group`: administers groups of accounts.

use anyhow::bail;
use clap::Subcommand;
use serde::Serialize;

use super::selection::{Accounts, enumerate, parse_group};
use crate::cli::admin::Admin;
use crate::cli::admin::links::parse_channel;
use crate::cli::confirm::Confirmation;
use crate::cli::folders::DataOptions;
use crate::cli::output::{format_table, print, print_objects};
use crate::client::text::count::counted;
use crate::core::record::group::GroupName;
use crate::core::request::admin::Change;
use crate::core::request::people::groups::{GroupAction, GroupChange, ListedGroup};
use crate::server::admin::{AdminQuery, AdminReply, User};
use crate::wire::{ChannelName, Nick};

/// Make, change and list groups of accounts, such as classes, with or without a running server.
///
/// A group can be in channels: its members join them, now and when they are added, and leave them when they are removed
/// from the group. `parlour user`, `parlour invite create` and others take `--group` for all members at once.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour group create 3b alice bob --channel '#class-3b'
  parlour group add 3b carol
  parlour invite create --group 3b
  parlour user remove --group 3b")]
pub struct Args {
    #[command(flatten)]
    folder: DataOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a group.
    Create {
        /// The name of the group, such as 3b or 'Class 3b'.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        /// The names of its first members.
        #[arg(value_name = "NAME", value_parser = crate::cli::access::parse_nick)]
        names: Vec<Nick>,
        /// A channel that its members join, now and later. It is made if it does not exist. Can be given several times.
        #[arg(long, value_name = "CHANNEL", value_parser = parse_channel)]
        channel: Vec<ChannelName>,
    },
    /// Add accounts to a group. They join its channels at once.
    Add {
        /// The name of the group.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        #[command(flatten)]
        accounts: Accounts,
    },
    /// Remove accounts from a group. They leave its channels, but for those of their other groups.
    Remove {
        /// The name of the group.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        #[command(flatten)]
        accounts: Accounts,
    },
    /// Make the members of a group members of a channel, now and later. It is made if it does not exist.
    Join {
        /// The name of the group.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        /// The channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
    },
    /// Take a group out of a channel. Its members leave, but for those that another of their groups keeps there.
    Part {
        /// The name of the group.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        /// The channel.
        #[arg(value_parser = parse_channel)]
        channel: ChannelName,
    },
    /// Print all groups, or the members of one.
    List {
        /// The name of a group.
        #[arg(value_parser = parse_group)]
        group: Option<GroupName>,
        /// Print one JSON object per line.
        #[arg(long)]
        json: bool,
    },
    /// Delete a group. Its members keep their accounts, and stay in its channels.
    Delete {
        /// The name of the group.
        #[arg(value_parser = parse_group)]
        group: GroupName,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folder, action } = args;
    let admin = Admin::open(folder.existing()?)?;
    // In its creator's spelling.
    let known = |group: &GroupName| admin.group(group).map(|group| group.name);
    match action {
        Action::Create { group, names, channel } => create(&admin, &group, names, channel),
        Action::Add { group, accounts } => {
            let group = known(&group)?;
            let users = accounts.select(&admin)?;
            change(&admin, &group, GroupAction::Add(names(&users)))?;
            print(&format!("{} {} in the group {group}\n", enumerate(&names(&users)), are(&users)))
        }
        Action::Remove { group, accounts } => {
            let group = known(&group)?;
            let users = accounts.select(&admin)?;
            change(&admin, &group, GroupAction::Remove(names(&users)))?;
            print(&format!("{} {} no longer in the group {group}\n", enumerate(&names(&users)), are(&users)))
        }
        Action::Join { group, channel } => {
            let group = known(&group)?;
            change(&admin, &group, GroupAction::Join(channel.clone()))?;
            print(&format!("the group {group} is in {channel}\n"))
        }
        Action::Part { group, channel } => {
            let group = known(&group)?;
            change(&admin, &group, GroupAction::Part(channel.clone()))?;
            print(&format!("the group {group} is no longer in {channel}\n"))
        }
        Action::List { group, json } => list(&admin, group.as_ref(), json),
        Action::Delete { group, confirmation } => {
            let ListedGroup { name: group, members, .. } = admin.group(&group)?;
            confirmation.ask(
                &format!("Delete the group {group} of {}?", counted(members.len(), "account")),
                "`parlour group list` prints the groups",
            )?;
            change(&admin, &group, GroupAction::Delete)?;
            print(&format!("the group {group} is deleted\n"))
        }
    }
}

fn create(
    admin: &Admin,
    group: &GroupName,
    members: Vec<Nick>,
    channels: Vec<ChannelName>,
) -> anyhow::Result<()> {
    // Checked before the group is made.
    let users = if members.is_empty() { Vec::new() } else { Accounts::named(members).select(admin)? };
    change(admin, group, GroupAction::Create)?;
    for channel in channels {
        change(admin, group, GroupAction::Join(channel))?;
    }
    if !users.is_empty() {
        change(admin, group, GroupAction::Add(names(&users)))?;
    }
    print(&format!("the group {group} is made, with {}\n", counted(users.len(), "member")))
}

fn change(admin: &Admin, group: &GroupName, action: GroupAction) -> anyhow::Result<()> {
    let change = GroupChange { group: group.clone(), action };
    admin.request(Change::Group(change)).map(drop)
}

fn names(users: &[User]) -> Vec<Nick> {
    users.iter().map(|user| user.name.clone()).collect()
}

fn are(users: &[User]) -> &'static str {
    if users.len() == 1 { "is" } else { "are" }
}

/// A group as JSON.
#[derive(Serialize)]
struct JsonGroup {
    name: String,
    members: Vec<String>,
    channels: Vec<String>,
}

fn list(admin: &Admin, group: Option<&GroupName>, json: bool) -> anyhow::Result<()> {
    let groups = match group {
        Some(name) => vec![admin.group(name)?],
        None => admin.list_groups()?,
    };
    if json {
        let groups = groups.into_iter().map(|ListedGroup { name, members, channels }| JsonGroup {
            name: name.to_string(),
            members: members.iter().map(ToString::to_string).collect(),
            channels: channels.iter().map(ToString::to_string).collect(),
        });
        return print_objects(&groups.collect::<Vec<_>>());
    }
    if let (Some(_), [group]) = (group, &groups[..]) {
        return group.members.iter().try_for_each(|member| print(&format!("{member}\n")));
    }
    let mut rows = vec![["NAME", "MEMBERS", "CHANNELS"].map(ToOwned::to_owned)];
    rows.extend(groups.iter().map(|group| {
        let channels: Vec<&str> = group.channels.iter().map(ChannelName::as_str).collect();
        let channels = if channels.is_empty() { "-".to_owned() } else { channels.join(" ") };
        [group.name.to_string(), group.members.len().to_string(), channels]
    }));
    print(&format_table(&rows))
}

impl Admin {
    /// Returns all groups, by querying page after page.
    pub fn list_groups(&self) -> anyhow::Result<Vec<ListedGroup>> {
        let mut groups: Vec<ListedGroup> = Vec::new();
        loop {
            let after = groups.last().map(|group| group.name.clone());
            let AdminReply::Groups(page) = self.request(AdminQuery::GroupList { after })? else {
                bail!("an unexpected answer")
            };
            if page.is_empty() {
                return Ok(groups);
            }
            groups.extend(page);
        }
    }

    /// Returns the group of a name.
    pub fn group(&self, name: &GroupName) -> anyhow::Result<ListedGroup> {
        match self.request(AdminQuery::Group(name.clone()))? {
            AdminReply::Groups(mut groups) if groups.len() == 1 => Ok(groups.swap_remove(0)),
            _ => bail!("an unexpected answer"),
        }
    }
}
