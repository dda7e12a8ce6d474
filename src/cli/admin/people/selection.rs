//! The accounts that a command is about, and their roles.

use std::collections::{HashMap, HashSet};

use anyhow::bail;
use clap::ValueEnum;

use crate::cli::access;
use crate::cli::admin::Admin;
use crate::core::record;
use crate::core::record::group::GroupName;
use crate::server::admin::User;
use crate::wire::Nick;

/// The arguments that select accounts.
#[derive(clap::Args, Clone)]
pub struct Accounts {
    /// The names of the accounts.
    #[arg(value_name = "NAME", required_unless_present = "members_of", value_parser = access::parse_nick)]
    names: Vec<Nick>,
    /// All members of this group, instead of accounts by name. Can be given several times.
    #[arg(long = "group", value_name = "GROUP", value_parser = parse_group, conflicts_with = "names")]
    members_of: Vec<GroupName>,
}

impl Accounts {
    /// Makes the selection of these names and groups.
    pub fn of(names: Vec<Nick>, groups: Vec<GroupName>) -> Self {
        Self { names, members_of: groups }
    }

    /// Makes the selection of these names.
    pub fn named(names: Vec<Nick>) -> Self {
        Self::of(names, Vec::new())
    }

    /// Makes the selection of a group's members.
    pub fn of_group(group: GroupName) -> Self {
        Self::of(Vec::new(), vec![group])
    }

    /// Returns the selected accounts, each once.
    ///
    /// # Errors
    /// One of the names has no account. Nothing was changed then.
    pub fn select(&self, admin: &Admin) -> anyhow::Result<Vec<User>> {
        let mut known: HashMap<Nick, User> =
            admin.list_users()?.into_iter().map(|user| (user.name.clone(), user)).collect();
        let mut selected = Vec::new();
        let mut missing = Vec::new();
        for name in self.names(admin)? {
            match known.remove(&name) {
                Some(user) => selected.push(user),
                None => missing.push(name),
            }
        }
        check_known(&missing)?;
        Ok(selected)
    }

    /// Returns the names of the selected accounts, which may be removed, each once.
    ///
    /// # Errors
    /// One of the names has no account and had none.
    pub fn select_with_removed(&self, admin: &Admin) -> anyhow::Result<Vec<Nick>> {
        let mut known = admin.list_removed_names()?;
        known.extend(admin.list_users()?.into_iter().map(|user| user.name));
        let names = self.names(admin)?;
        check_known(&names.iter().filter(|name| !known.contains(*name)).cloned().collect::<Vec<_>>())?;
        Ok(names)
    }

    /// Returns the names that were given, and those of the groups, each once.
    fn names(&self, admin: &Admin) -> anyhow::Result<Vec<Nick>> {
        let mut names = self.names.clone();
        for group in &self.members_of {
            names.extend(admin.group(group)?.members);
        }
        if names.is_empty() {
            bail!("nobody is in the group; `parlour group add` adds accounts to it");
        }
        let mut seen = HashSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }
}

fn check_known(missing: &[Nick]) -> anyhow::Result<()> {
    match missing {
        [] => Ok(()),
        [name] => bail!("there is no account {name}; `parlour user list` prints the names"),
        _ => {
            let names = missing.iter().map(Nick::as_str).collect::<Vec<_>>().join(", ");
            bail!("there are no accounts {names}; `parlour user list` prints the names")
        }
    }
}

/// Parses the name of a group, for clap.
pub fn parse_group(text: &str) -> Result<GroupName, String> {
    GroupName::parse(text).map_err(|why| format!("this cannot be a group's name: {why}"))
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

/// Names the first accounts of a list, and the number of the others.
pub fn enumerate(names: &[Nick]) -> String {
    /// Names that fit a line.
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(Nick::as_str).collect();
    match (names.len().saturating_sub(SHOWN), &shown[..]) {
        (0, [one]) => (*one).to_owned(),
        (0, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        (0, []) => "nobody".to_owned(),
        (more, _) => format!("{} and {more} others", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<Nick> =
            (0..7).map(|number| Nick::parse(&format!("u{number}")).expect("a name")).collect();
        let texts = [1, 2, 5, 7].map(|count| enumerate(&names[..count]));
        assert_eq!(texts, ["u0", "u0 and u1", "u0, u1, u2, u3 and u4", "u0, u1, u2, u3, u4 and 2 others"]);
    }
}
