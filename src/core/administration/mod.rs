//! Rules of the requests from outside of sessions, and of those in a session that change accounts and invites.

mod access_tokens;
mod accounts;
mod channels;
mod files;
mod hooks;
mod import;
mod invites;
mod lists;
mod maintenance;
mod people;
mod reading;
mod sessions;

use super::effects::Effects;
use super::record::{Actor, Record};
use super::request::admin::{Change, ChangeRequest, RequestError, RequestOutcome};
use super::state::{Attribution, AuditedAction, Core};
use crate::wire::Timestamp;

impl Core {
    /// Carries out a request.
    pub(super) fn apply_request(
        &mut self,
        request: ChangeRequest,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<RequestOutcome, RequestError> {
        if !self.writable {
            return Err(RequestError::Unavailable);
        }
        match request {
            ChangeRequest::Admin(change) => {
                self.apply_change(change, Attribution { at, actor: Actor::Console }, fx)
            }
            ChangeRequest::Redeem(redemption) => Ok(self.redeem_invite(&redemption, at, fx)?),
            ChangeRequest::Files(change) => {
                self.apply_file_change(change, at, fx)?;
                Ok(RequestOutcome::Changed)
            }
            ChangeRequest::Hooks(change) => self.apply_hook_change(change, at, fx),
            ChangeRequest::Maintenance(maintenance) => {
                self.apply_maintenance(maintenance, at, fx);
                Ok(RequestOutcome::Changed)
            }
        }
    }

    fn apply_change(
        &mut self,
        change: Change,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<RequestOutcome, RequestError> {
        Ok(match change {
            Change::UserAdd { user, again } => {
                self.add_account(&user, again, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::UserImport(users) => {
                let mut failed = Vec::new();
                for (index, user) in users.iter().enumerate() {
                    if let Err(error) = self.import_user(user, attribution, fx) {
                        failed.push((index, error));
                    }
                }
                RequestOutcome::Imported(failed)
            }
            Change::Import(import) => RequestOutcome::Imported(self.import(import, attribution, fx)),
            Change::UserChanges(changes) => {
                self.change_accounts(&changes, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::UserErase { name } => {
                RequestOutcome::Erased(self.erase_account(&name, attribution, fx)?)
            }
            Change::MessagesErase(messages) => {
                self.erase_messages(&messages, fx);
                RequestOutcome::Changed
            }
            Change::FirstInviteCreate(invite) => {
                RequestOutcome::InviteCreated(self.create_first_invite(&invite, attribution, fx)?)
            }
            Change::InviteCreate(invite) => {
                RequestOutcome::InviteCreated(self.create_invite(&invite, attribution, None, fx)?)
            }
            Change::InvitesCreate(invites) => {
                RequestOutcome::InvitesCreated(self.create_invites(&invites, attribution, fx)?)
            }
            Change::InviteRevoke { id } => {
                self.revoke_invite(id, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::HookCreate(hook) => {
                self.create_hook(hook, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::HookRevoke { name } => {
                self.revoke_hook(&name, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::TokenCreate(token) => {
                self.create_access_token(token, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::TokenRevoke { name } => {
                self.revoke_access_token(&name, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::SessionClose { id, reason } => {
                self.close_session_by_request(id, &reason, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::Channel { name, change } => {
                self.change_channel(&name, change, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::Group(change) => {
                self.change_group(&change, attribution, fx)?;
                RequestOutcome::Changed
            }
            Change::ClockAccept => RequestOutcome::ClockAccepted(self.accept_clock(attribution, fx)),
        })
    }

    /// Records an entry of the audit log.
    pub(super) fn record_audit(
        Attribution { at, actor }: Attribution,
        AuditedAction { action, target, detail }: AuditedAction<'_>,
        fx: &mut Effects,
    ) {
        let (target, detail) = (target.into(), detail.into());
        fx.records.push(Record::Audit { at, actor, action: action.into(), target, detail });
    }
}
