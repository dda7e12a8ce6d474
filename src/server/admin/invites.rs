//! The list of invites.

use super::{Failure, Invite, PAGE, Reply};
use crate::core::record::InviteId;
use crate::store::tables::invites::{self, Listed};
use crate::store::{Store, StoreError};
use crate::wire::Millis;

pub async fn list(store: &Store, after: i64, now: Millis) -> Result<Reply, Failure> {
    let page =
        store.read(move |conn| Ok::<_, StoreError>(invites::list(conn, InviteId(after), PAGE)?)).await?;
    Ok(Reply::Invites(page.into_iter().map(|listed| Invite::new(listed, now)).collect()))
}

impl Invite {
    fn new(listed: Listed, now: Millis) -> Self {
        let Listed { invite, created_by, resets } = listed;
        let state = invite.state(now);
        Self {
            id: invite.id.0,
            role: invite.role,
            channel: invite.channel,
            uses: invite.uses,
            spent: invite.spent,
            expires: invite.expires,
            state,
            created_by,
            resets,
        }
    }
}
