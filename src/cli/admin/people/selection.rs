//! The accounts that a command is about.

use std::collections::HashSet;

use anyhow::bail;

use crate::cli::access;
use crate::cli::admin::Admin;
use crate::server::admin::User;
use crate::wire::Nick;

/// The arguments that select accounts.
#[derive(clap::Args, Clone)]
pub struct Accounts {
    /// The names of the accounts.
    #[arg(value_name = "NAME", required = true, value_parser = access::parse_nick)]
    names: Vec<Nick>,
}

impl Accounts {
    /// Makes the selection of these names.
    pub fn named(names: Vec<Nick>) -> Self {
        Self { names }
    }

    /// Returns the selected accounts, each once.
    ///
    /// # Errors
    /// One of the names has no account. Nothing was changed then.
    pub fn select(&self, admin: &Admin) -> anyhow::Result<Vec<User>> {
        let mut known = admin.list_users()?;
        let mut selected = Vec::new();
        let mut missing: Vec<&str> = Vec::new();
        let mut seen = HashSet::new();
        for name in self.names.iter().filter(|name| seen.insert((*name).clone())) {
            match known.iter().position(|user| user.name == *name) {
                Some(at) => selected.push(known.swap_remove(at)),
                None => missing.push(name.as_str()),
            }
        }
        match missing[..] {
            [] => Ok(selected),
            [name] => bail!("there is no account {name}; `parlour user list` prints the names"),
            _ => bail!("there are no accounts {}; `parlour user list` prints the names", missing.join(", ")),
        }
    }
}

/// Names the first accounts of a list, and the number of the others.
pub fn enumerate(users: &[User]) -> String {
    /// Names that fit a line.
    const SHOWN: usize = 5;
    let names: Vec<&str> = users.iter().take(SHOWN).map(|user| user.name.as_str()).collect();
    match (users.len().saturating_sub(SHOWN), &names[..]) {
        (0, [one]) => (*one).to_owned(),
        (0, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        (0, []) => "nobody".to_owned(),
        (more, _) => format!("{} and {more} others", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::record::Role;
    use crate::wire::Timestamp;

    #[test]
    fn long_lists_are_cut() {
        let users: Vec<User> = (0..7)
            .map(|number| User {
                name: Nick::parse(&format!("u{number}")).expect("a name"),
                role: Role::Member,
                disabled: false,
                created: Timestamp(0),
                replay: None,
                bot: false,
            })
            .collect();
        let texts = [1, 2, 5, 7].map(|count| enumerate(&users[..count]));
        assert_eq!(texts, ["u0", "u0 and u1", "u0, u1, u2, u3 and u4", "u0, u1, u2, u3, u4 and 2 others"]);
    }
}
