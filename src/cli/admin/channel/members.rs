//! The members of a channel: listing, adding and removing them.

use std::collections::HashSet;

use anyhow::bail;

use super::change;
use super::queries::query;
use crate::cli::admin::Admin;
use crate::cli::admin::people::selection::Accounts;
use crate::cli::output::{print, print_objects, print_table};
use crate::core::request::channels::ChannelChange;
use crate::server::admin::channels::{ChannelQuery, ChannelReply, Member};
use crate::wire::{ChannelName, Nick};

/// Prints the members of a channel.
pub fn print_members(admin: &Admin, channel: &ChannelName, json: bool) -> anyhow::Result<()> {
    let members = members(admin, channel)?;
    if json {
        return print_objects(&members);
    }
    let mut rows = vec![["NAME", "ROLE", "ONLINE"].map(ToOwned::to_owned)];
    rows.extend(members.into_iter().map(|member| {
        [
            member.name.to_string(),
            member.role.map_or_else(|| "-".to_owned(), |role| role.to_string()),
            if member.online { "yes" } else { "no" }.to_owned(),
        ]
    }));
    print_table(&rows)
}

/// Adds and removes members. Nothing is changed if one of the names is wrong.
pub fn change_members(
    admin: &Admin,
    channel: &ChannelName,
    add: Vec<Nick>,
    remove: Vec<Nick>,
) -> anyhow::Result<()> {
    check(admin, channel, &add, &remove)?;
    for account in add {
        change(admin, channel, ChannelChange::Add(account.clone()))?;
        print(&format!("{account} is in {channel} now\n"))?;
    }
    for account in remove {
        change(admin, channel, ChannelChange::Remove(account.clone()))?;
        print(&format!("{account} is not in {channel} any more\n"))?;
    }
    Ok(())
}

/// Refuses names that the server would refuse, before the first of them is changed.
fn check(admin: &Admin, channel: &ChannelName, add: &[Nick], remove: &[Nick]) -> anyhow::Result<()> {
    let members: HashSet<Nick> = members(admin, channel)?.into_iter().map(|member| member.name).collect();
    let users = Accounts::named([add, remove].concat()).select(admin)?;
    let unchanged = "so nobody was added or removed";
    if let Some(user) = users.iter().find(|user| user.disabled && add.contains(&user.name)) {
        let name = &user.name;
        bail!(
            "the account {name} is disabled, {unchanged}; `parlour user enable {name}` lets it log in again"
        );
    }
    let mut seen = HashSet::new();
    if let Some(name) = add.iter().chain(remove).find(|name| !seen.insert(*name)) {
        bail!("{name} is named twice, {unchanged}; name each account once");
    }
    if let Some(name) = add.iter().find(|name| members.contains(*name)) {
        bail!("{name} is in {channel} already, {unchanged}; leave it out");
    }
    if let Some(name) = remove.iter().find(|name| !members.contains(*name)) {
        bail!("{name} is not in {channel}, {unchanged}; leave it out");
    }
    Ok(())
}

/// Returns all members, by querying page after page.
fn members(admin: &Admin, channel: &ChannelName) -> anyhow::Result<Vec<Member>> {
    let mut members: Vec<Member> = Vec::new();
    loop {
        let after = members.last().map(|member| member.name.clone());
        let page = query(admin, ChannelQuery::Members { channel: channel.clone(), after })?;
        let ChannelReply::Members(page) = page else { bail!("an unexpected answer") };
        if page.is_empty() {
            return Ok(members);
        }
        members.extend(page);
    }
}
