//! Requests about invites.

use super::{Failure, FailureKind, Invite, InviteOrder, PAGE, Purpose, Reply};
use crate::chat::record::{AccountId, Role};
use crate::store::audit::{self, Actor};
use crate::store::invites::{self, InviteId, NewInvite};
use crate::store::{Store, StoreError, accounts};
use crate::wire::Millis;

/// Makes an invite and returns its id. The invite ends with the account that made it, and with the admin whose rights
/// were used; both are the same account if `power` is `None`.
pub async fn create(
    store: &Store,
    order: InviteOrder,
    by: (Millis, Actor),
    power: Option<AccountId>,
) -> Result<i64, Failure> {
    if order.lasts_ms == 0 || matches!(order.purpose, Purpose::Accounts { uses: 0, .. }) {
        return Err(Failure::invalid("an invite needs at least one use and some time"));
    }
    let (token, expires) = (order.token, Millis(by.0.0.saturating_add(order.lasts_ms)));
    store
        .write(move |tx| {
            // The account may have lost the role since it sent the request.
            if let Some(id) = power.or(by.1.id())
                && !accounts::is_admin(tx, id)?
            {
                let text = "only an admin may do that".to_owned();
                return Err(Failure { kind: FailureKind::NotAdmin, text });
            }
            let (invite, detail) = match order.purpose {
                Purpose::Accounts { role, channel, uses } => {
                    let detail = format!("{role}, {uses} uses, until {expires}");
                    let channel = Some(channel);
                    (NewInvite { token, role, channel, uses, expires, resets: None, power }, detail)
                }
                Purpose::Reset(name) => {
                    let account = accounts::find_usable(tx, &name)?;
                    let detail = format!("resets {}, until {expires}", account.name);
                    let (role, resets) = (Role::Member, Some(account.id));
                    (NewInvite { token, role, channel: None, uses: 1, expires, resets, power }, detail)
                }
            };
            let id = invites::create(tx, &invite, by)?;
            audit::note(tx, by, "invite create", &id.to_string(), &detail)?;
            Ok(id.0)
        })
        .await
}

pub async fn list(store: &Store, after: i64, now: Millis) -> Result<Reply, Failure> {
    let page =
        store.read(move |conn| Ok::<_, StoreError>(invites::list(conn, InviteId(after), PAGE)?)).await?;
    Ok(Reply::Invites(page.into_iter().map(|invite| Invite::new(invite, now)).collect()))
}

pub async fn revoke(store: &Store, id: i64, by: (Millis, Actor)) -> Result<Reply, Failure> {
    store
        .write(move |tx| {
            if invites::revoke(tx, InviteId(id), by.0)?.is_none() {
                let text = format!("there is no invite {id}");
                return Err(Failure { kind: FailureKind::UnknownInvite, text });
            }
            audit::note(tx, by, "invite revoke", &id.to_string(), "")?;
            Ok(Reply::Done)
        })
        .await
}

impl Invite {
    fn new(invite: invites::Invite, now: Millis) -> Self {
        let state = invite.state(now);
        Self {
            id: invite.id.0,
            role: invite.role,
            channel: invite.channel,
            uses: invite.uses,
            spent: invite.spent,
            expires: invite.expires,
            state,
            created_by: invite.created_by,
            resets: invite.resets.map(|(_, name)| name),
        }
    }
}
