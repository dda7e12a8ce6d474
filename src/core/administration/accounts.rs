//! Accounts: addition, removal, roles, passwords.

use super::By;
use crate::core::effects::Effects;
use crate::core::model::audience::SessionId;
use crate::core::model::people::ECHO_ID;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, AccountId, Actor, InviteId, Record, Role};
use crate::core::request::admin::{AccountError, NewUser, UserChange, reserved};
use crate::core::state::Chat;
use crate::wire::{Millis, Nick};

impl Chat {
    /// Returns the account of a name with its password hash, for a login; `None` if there is no such account or it is
    /// disabled.
    pub fn credentials(&self, name: &Nick) -> Option<(Account, Option<PasswordHash>)> {
        let person = self.people.named(name).filter(|person| person.account.id != ECHO_ID)?;
        Some((person.account.clone(), person.password.clone()))
    }

    /// Finds an account by name, except for removed and built-in ones.
    fn find(&self, name: &Nick) -> Result<Account, AccountError> {
        let person = self.people.known(name).filter(|person| person.account.id != ECHO_ID);
        person.map(|person| person.account.clone()).ok_or_else(|| AccountError::Unknown(name.clone()))
    }

    /// Finds an account by name that may log in. The error tells a removed or disabled account from an unknown name.
    pub(super) fn find_usable(&self, name: &Nick) -> Result<Account, AccountError> {
        match self.people.former(name).filter(|former| former.removed) {
            Some(former) => Err(AccountError::Removed(former.name.clone())),
            None => match self.find(name)? {
                Account { disabled: true, name, .. } => Err(AccountError::Disabled(name)),
                account => Ok(account),
            },
        }
    }

    /// Makes an account for an admin, or restores a removed one.
    pub(super) fn add_account(
        &mut self,
        user: &NewUser,
        again: bool,
        by: By,
        fx: &mut Effects,
    ) -> Result<(), AccountError> {
        let NewUser { name, password, role } = user;
        if again {
            let id = match self.people.former(name) {
                Some(former) if former.removed => former.id,
                Some(_) => return Err(AccountError::NotRemoved(name.clone())),
                None if self.people.known(name).is_some() => {
                    return Err(AccountError::NotRemoved(name.clone()));
                }
                None => return Err(AccountError::Unknown(name.clone())),
            };
            let account = Account { id, name: name.clone(), role: *role, disabled: false };
            self.put_account(account, password, None, by.0, fx);
        } else {
            self.create_account(user, None, by.0, fx)?;
        }
        let detail = if again { format!("{role}, again") } else { role.to_string() };
        Self::note(by, "user add", (name.as_str(), &detail), fx);
        Ok(())
    }

    /// Makes an account; `invite` is the invite that admits it, if any.
    pub(super) fn create_account(
        &mut self,
        user: &NewUser,
        invite: Option<InviteId>,
        at: Millis,
        fx: &mut Effects,
    ) -> Result<Account, AccountError> {
        let NewUser { name, password, role } = user;
        if let Some(reason) = reserved(name) {
            return Err(AccountError::Reserved(name.clone(), reason));
        }
        if let Some(person) = self.people.known(name) {
            return Err(AccountError::Taken(person.nick().clone()));
        }
        if let Some(former) = self.people.former(name) {
            let name = former.name.clone();
            return Err(if former.removed { AccountError::Removed(name) } else { AccountError::Taken(name) });
        }
        let id = self.people.next_id();
        let account = Account { id, name: name.clone(), role: *role, disabled: false };
        self.put_account(account.clone(), password, invite, at, fx);
        Ok(account)
    }

    fn put_account(
        &mut self,
        account: Account,
        password: &PasswordHash,
        invite: Option<InviteId>,
        at: Millis,
        fx: &mut Effects,
    ) {
        self.people.put(account.clone());
        self.people.set_password(account.id, password.clone());
        fx.records.push(Record::AccountAdded { account, password: password.clone(), invite, at });
    }

    /// Changes an account for an admin.
    pub(super) fn change_account(
        &mut self,
        name: &Nick,
        change: &UserChange,
        by: By,
        fx: &mut Effects,
    ) -> Result<(), AccountError> {
        let account = self.find(name)?;
        let (id, name, at) = (account.id, account.name.clone(), by.0);
        // Links that the account handed out as an admin, perhaps to its own owner, must not be a way back in.
        let revoked = match change {
            UserChange::Remove | UserChange::Password(_) => self.revoke_invites(id, true, at, fx),
            UserChange::Disable | UserChange::Role(Role::Member) => self.revoke_invites(id, false, at, fx),
            _ => 0,
        };
        let (action, detail) = match change {
            UserChange::Password(password) => {
                // An account that needs a new password may have lost more than the old one.
                self.forget_devices(id, fx);
                self.set_password(id, password.clone(), None, at, fx);
                ("user passwd", String::new())
            }
            UserChange::Role(role) => {
                self.set_account(Account { role: *role, ..account }, at, fx);
                ("user role", role.to_string())
            }
            UserChange::Set(preference) => {
                self.set_preference(id, *preference, (at, None), fx);
                ("user set", preference.to_string())
            }
            UserChange::Disable => {
                self.set_account(Account { disabled: true, ..account }, at, fx);
                ("user disable", String::new())
            }
            UserChange::Enable => {
                self.set_account(Account { disabled: false, ..account }, at, fx);
                ("user enable", String::new())
            }
            UserChange::Remove => {
                self.remove_account(id, at, fx);
                ("user remove", String::new())
            }
        };
        let detail = match (revoked, detail.is_empty()) {
            (0, _) => detail,
            (count, true) => format!("invites revoked: {count}"),
            (count, false) => format!("{detail}, invites revoked: {count}"),
        };
        Self::note(by, action, (name.as_str(), &detail), fx);
        Ok(())
    }

    fn set_account(&mut self, account: Account, at: Millis, fx: &mut Effects) {
        let (id, disabled, is_admin) = (account.id, account.disabled, account.role == Role::Admin);
        self.people.put(account.clone());
        fx.records.push(Record::AccountSet { account, at });
        if disabled || !is_admin {
            self.take_back_admin(id);
        }
        if disabled {
            self.end_sessions(id, "This account was disabled", at, fx);
        }
    }

    fn remove_account(&mut self, id: AccountId, at: Millis, fx: &mut Effects) {
        self.end_sessions(id, "This account was removed", at, fx);
        if let Some(person) = self.people.get_mut(id) {
            // They must not be kept for channels that are removed with the account.
            person.markers.clear();
        }
        let channels = self.people.get(id).map(|person| person.channels.clone()).unwrap_or_default();
        for channel in channels {
            self.leave(id, channel, fx);
        }
        if let Some(name) = self.people.get(id).map(|person| person.nick().clone()) {
            fx.records.extend(self.channels.forget_account(id, &name));
        }
        self.people.retire(id);
        self.take_back_admin(id);
        fx.records.push(Record::AccountRemoved { id, at });
    }

    /// Sets the password of an account and ends its sessions, except for the session that changed it. Logins that are
    /// under way with the old password fail, because that is no longer the account's.
    pub(super) fn set_password(
        &mut self,
        id: AccountId,
        password: PasswordHash,
        by: Option<SessionId>,
        at: Millis,
        fx: &mut Effects,
    ) {
        self.people.set_password(id, password.clone());
        fx.records.push(Record::PasswordSet(id, password));
        self.take_back_admin(id);
        let reason = "The password was changed; log in with the new one";
        self.end_sessions_where(id, |session, _| Some(session) != by, reason, at, fx);
    }

    /// Changes the password of an account for its owner, who has proven to know the one with the hash `proven`. Returns
    /// false if that is not the password any more.
    pub(in crate::core) fn change_password(
        &mut self,
        id: AccountId,
        (proven, new): (&PasswordHash, PasswordHash),
        by: Option<SessionId>,
        at: Millis,
        fx: &mut Effects,
    ) -> bool {
        if !self.people.get(id).is_some_and(|person| person.has_password(proven)) {
            return false;
        }
        self.set_password(id, new, by, at, fx);
        Self::note((at, Actor::Account(id)), "account passwd", ("", ""), fx);
        true
    }

    /// Replaces the hash of a password by another one of the same password, unless the password was changed meanwhile.
    pub(in crate::core) fn renew_password(
        &mut self,
        id: AccountId,
        old: &PasswordHash,
        new: PasswordHash,
        fx: &mut Effects,
    ) {
        if self.writable && self.people.renew_password(id, old, new.clone()) {
            fx.records.push(Record::PasswordSet(id, new));
        }
    }

    /// Ends the admin role of sessions that gained it with the password of this account (OPER).
    fn take_back_admin(&mut self, id: AccountId) {
        let lent = self.sessions.values_mut().filter(|known| known.admin_by == Some(id));
        lent.for_each(|known| known.admin_by = None);
    }
}
