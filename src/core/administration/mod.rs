//! Rules of the requests from outside of sessions, and of those in a session that change accounts and invites.

mod accounts;
mod invites;

use super::effects::Effects;
use super::record::{Actor, Record};
use super::request::admin::{Change, Done, Request, RequestError};
use super::state::Chat;
use crate::wire::Millis;

/// Time and author of a change.
pub(super) type By = (Millis, Actor);

impl Chat {
    /// Carries out a request.
    pub(super) fn request(
        &mut self,
        request: Request,
        at: Millis,
        fx: &mut Effects,
    ) -> Result<Done, RequestError> {
        if !self.writable {
            return Err(RequestError::Unavailable);
        }
        match request {
            Request::Admin(change) => self.change(change, (at, Actor::Console), fx),
            Request::Redeem(redemption) => Ok(self.redeem(&redemption, at, fx)?),
        }
    }

    fn change(&mut self, change: Change, by: By, fx: &mut Effects) -> Result<Done, RequestError> {
        Ok(match change {
            Change::UserAdd { user, again } => {
                self.add_account(&user, again, by, fx)?;
                Done::Changed
            }
            Change::UserImport(users) => {
                let mut failed = Vec::new();
                for (index, user) in users.iter().enumerate() {
                    if let Err(error) = self.add_account(user, false, by, fx) {
                        failed.push((index, error.into()));
                    }
                }
                Done::Imported(failed)
            }
            Change::UserChange { name, change } => {
                self.change_account(&name, &change, by, fx)?;
                Done::Changed
            }
            Change::InviteCreate(order) => Done::InviteCreated(self.create_invite(&order, by, None, fx)?),
            Change::InviteRevoke { id } => {
                self.revoke_invite(id, by, fx)?;
                Done::Changed
            }
        })
    }

    /// Records an entry of the audit log.
    pub(super) fn note(
        (at, actor): By,
        action: &'static str,
        (target, detail): (&str, &str),
        fx: &mut Effects,
    ) {
        let (target, detail) = (target.into(), detail.into());
        fx.records.push(Record::Audit { at, actor, action: action.into(), target, detail });
    }
}
