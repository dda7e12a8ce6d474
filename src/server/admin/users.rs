//! The list of accounts.

use rusqlite::Connection;

use super::{Failure, PAGE_SIZE, Reply, User};
use crate::store::tables::accounts;
use crate::wire::Nick;

pub fn list_users(conn: &Connection, after: Option<&Nick>) -> Result<Reply, Failure> {
    let page = accounts::list(conn, after, PAGE_SIZE)?;
    let user = |listed: accounts::AccountListing| User {
        name: listed.account.name,
        role: listed.account.role,
        disabled: listed.account.disabled,
        created: listed.created,
        replay: listed.preferences.replay,
        bot: listed.preferences.bot,
    };
    Ok(Reply::Users(page.into_iter().map(user).collect()))
}
