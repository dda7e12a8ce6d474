//! The list of invites.

use super::{Failure, Invite, PAGE_SIZE, Reply};
use crate::core::record::InviteId;
use crate::store::tables::invites::{self, InviteListing};
use crate::store::{Store, StoreError};
use crate::wire::Timestamp;

pub async fn list_invites(store: &Store, after: i64, now: Timestamp) -> Result<Reply, Failure> {
    let page =
        store.read(move |conn| Ok::<_, StoreError>(invites::list(conn, InviteId(after), PAGE_SIZE)?)).await?;
    Ok(Reply::Invites(page.into_iter().map(|listed| Invite::new(listed, now)).collect()))
}

impl Invite {
    fn new(listed: InviteListing, now: Timestamp) -> Self {
        let InviteListing { invite, created_by, resets } = listed;
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
