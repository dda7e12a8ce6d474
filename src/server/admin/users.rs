//! Requests about accounts, each inside its transaction.

use rusqlite::Connection;

use super::{Failure, FailureKind, NewUser, Outcome, PAGE, Reply, User, UserChange};
use crate::chat::record::{Account, AccountChange, Role};
use crate::store::audit::{self, Actor};
use crate::store::{accounts, devices, invites};
use crate::wire::{Millis, Nick};

pub fn add(tx: &Connection, user: &NewUser, again: bool, by: (Millis, Actor)) -> Result<Outcome, Failure> {
    let NewUser { name, password, role } = user;
    let account = if again {
        accounts::restore(tx, name, password, *role)?
    } else {
        accounts::create(tx, name, password, *role, None, by.0)?
    };
    let detail = if again { format!("{role}, again") } else { role.to_string() };
    audit::note(tx, by, "user add", name.as_str(), &detail)?;
    Ok(Outcome { reply: Reply::Done, changes: vec![AccountChange::Added(account, None)] })
}

pub fn import(tx: &Connection, users: &[NewUser], by: (Millis, Actor)) -> Result<Outcome, Failure> {
    let (mut failed, mut changes) = (Vec::new(), Vec::new());
    for (place, user) in users.iter().enumerate() {
        // A taken name is found before anything is written, so there is nothing to undo.
        match add(tx, user, false, by) {
            Ok(outcome) => changes.extend(outcome.changes),
            Err(failure) if failure.kind == FailureKind::Store => return Err(failure),
            Err(failure) => failed.push((place, failure)),
        }
    }
    Ok(Outcome { reply: Reply::Imported(failed), changes })
}

pub fn change(
    tx: &Connection,
    name: &Nick,
    change: &UserChange,
    by: (Millis, Actor),
) -> Result<Outcome, Failure> {
    let account = accounts::find(tx, name)?;
    let (id, name) = (account.id, account.name.clone());
    // Links that the account handed out as an admin, perhaps to its own owner, must not be a way back in.
    let revoked = match change {
        UserChange::Remove | UserChange::Password(_) => invites::revoke_all_of(tx, id, by.0)?,
        UserChange::Disable | UserChange::Role(Role::Member) => invites::revoke_all_by(tx, id, by.0)?,
        _ => 0,
    };
    let (action, detail, change) = match change {
        UserChange::Password(password) => {
            accounts::set_password(tx, id, password)?;
            // An account that needs a new password may have lost more than the old one.
            devices::remove_all(tx, id)?;
            ("user passwd", String::new(), AccountChange::PasswordChanged(id))
        }
        UserChange::Role(role) => {
            accounts::set_role(tx, id, *role)?;
            ("user role", role.to_string(), AccountChange::Changed(Account { role: *role, ..account }))
        }
        UserChange::Set(preference) => {
            accounts::set_preference(tx, id, *preference)?;
            ("user set", preference.to_string(), AccountChange::Preference(id, *preference))
        }
        UserChange::Disable => {
            accounts::set_disabled(tx, id, Some(by.0))?;
            ("user disable", String::new(), AccountChange::Changed(Account { disabled: true, ..account }))
        }
        UserChange::Enable => {
            accounts::set_disabled(tx, id, None)?;
            ("user enable", String::new(), AccountChange::Changed(Account { disabled: false, ..account }))
        }
        UserChange::Remove => {
            accounts::remove(tx, id, by.0)?;
            ("user remove", String::new(), AccountChange::Removed(id))
        }
    };
    let detail = match (revoked, detail.is_empty()) {
        (0, _) => detail,
        (count, true) => format!("invites revoked: {count}"),
        (count, false) => format!("{detail}, invites revoked: {count}"),
    };
    audit::note(tx, by, action, name.as_str(), &detail)?;
    Ok(Outcome { reply: Reply::Done, changes: vec![change] })
}

pub fn list(conn: &Connection, after: Option<&Nick>) -> Result<Reply, Failure> {
    let page = accounts::list(conn, after, PAGE)?;
    let user = |listed: accounts::Listed| User {
        name: listed.account.name,
        role: listed.account.role,
        disabled: listed.account.disabled,
        created: listed.created,
        replay: listed.preferences.replay,
        bot: listed.preferences.bot,
    };
    Ok(Reply::Users(page.into_iter().map(user).collect()))
}
