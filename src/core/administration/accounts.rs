//! Accounts: addition, removal, roles, passwords.

use std::collections::HashSet;

use crate::core::effects::Effects;
use crate::core::effects::query::NewPassword;
use crate::core::model::accounts::{AccountState, ECHO_ACCOUNT_ID};
use crate::core::model::audience::SessionId;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Account, AccountId, Actor, InviteId, Record, Role};
use crate::core::request::admin::{AccountChange, AccountError, UserChange, reserved_reason};
use crate::core::request::people::NewUser;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::{Nick, Timestamp};

impl Core {
    /// Returns the account of a name with its password hash, for a login; `None` if there is no such account or it is
    /// disabled.
    pub fn login_credentials(&self, name: &Nick) -> Option<(Account, Option<PasswordHash>)> {
        let account_state = self
            .accounts
            .get_enabled_by_name(name)
            .filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID)?;
        Some((account_state.account.clone(), account_state.password.clone()))
    }

    /// Finds an account by name, except for removed and built-in ones.
    pub(super) fn find_account(&self, name: &Nick) -> Result<Account, AccountError> {
        let account_state = self
            .accounts
            .get_by_name(name)
            .filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID);
        let account_state = account_state.ok_or_else(|| AccountError::Unknown(name.clone()))?;
        if account_state.is_hook {
            return Err(AccountError::Hook(account_state.nick().clone()));
        }
        Ok(account_state.account.clone())
    }

    /// Finds an account by name that may log in. The error tells a removed or disabled account from an unknown name.
    pub(super) fn find_enabled_account(&self, name: &Nick) -> Result<Account, AccountError> {
        match self.accounts.get_reserved_name(name).filter(|reserved| reserved.removed) {
            Some(reserved) => Err(AccountError::Removed(reserved.name.clone())),
            None => match self.find_account(name)? {
                Account { disabled: true, name, .. } => Err(AccountError::Disabled(name)),
                account => Ok(account),
            },
        }
    }

    /// Makes an account for an admin, or restores a removed one.
    pub(super) fn add_account(
        &mut self,
        user: &NewUser,
        restore: bool,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), AccountError> {
        let NewUser { name, password, role } = user;
        if restore {
            let id = match self.accounts.get_reserved_name(name) {
                Some(reserved) if self.is_hook(reserved.id) => {
                    return Err(AccountError::Hook(reserved.name.clone()));
                }
                Some(reserved) if reserved.removed => reserved.id,
                Some(_) => return Err(AccountError::NotRemoved(name.clone())),
                None if self.accounts.get_by_name(name).is_some() => {
                    return Err(AccountError::NotRemoved(name.clone()));
                }
                None => return Err(AccountError::Unknown(name.clone())),
            };
            let account = Account { id, name: name.clone(), role: *role, disabled: false };
            self.insert_account(account, password, None, attribution.at, fx);
        } else {
            self.create_account(user, None, attribution.at, fx)?;
        }
        if *role == Role::Admin {
            self.revoke_first_invites(attribution.at, fx);
        }
        let detail = if restore { format!("{role}, again") } else { role.to_string() };
        Self::record_audit(
            attribution,
            AuditedAction { action: "user add", target: name.as_str(), detail: &detail },
            fx,
        );
        Ok(())
    }

    /// Makes an account; `invite` is the invite that admits it, if any.
    pub(super) fn create_account(
        &mut self,
        user: &NewUser,
        invite: Option<InviteId>,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<Account, AccountError> {
        let NewUser { name, password, role } = user;
        if let Some(reason) = reserved_reason(name) {
            return Err(AccountError::Reserved(name.clone(), reason));
        }
        if let Some(account_state) = self.accounts.get_by_name(name) {
            return Err(AccountError::Taken(account_state.nick().clone()));
        }
        if let Some(reserved) = self.accounts.get_reserved_name(name) {
            let name = reserved.name.clone();
            return Err(if self.is_hook(reserved.id) {
                AccountError::Hook(name)
            } else if reserved.removed {
                AccountError::Removed(name)
            } else {
                AccountError::Taken(name)
            });
        }
        let id = self.accounts.next_id();
        let account = Account { id, name: name.clone(), role: *role, disabled: false };
        self.insert_account(account.clone(), password, invite, at, fx);
        Ok(account)
    }

    pub(super) fn insert_account(
        &mut self,
        account: Account,
        password: &PasswordHash,
        invite: Option<InviteId>,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        self.accounts.insert(account.clone());
        self.accounts.set_created(account.id, at);
        self.accounts.set_password(account.id, password.clone());
        fx.records.push(Record::AccountAdded { account, password: password.clone(), invite, at });
    }

    /// Changes accounts for an admin: all of them, or none if one of them cannot be changed.
    pub(super) fn change_accounts(
        &mut self,
        changes: &[AccountChange],
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), AccountError> {
        let mut removed = HashSet::new();
        for AccountChange { name, change } in changes {
            let account = self.find_account(name)?;
            if removed.contains(&account.id) {
                return Err(AccountError::Unknown(account.name));
            }
            if matches!(change, UserChange::Remove) {
                removed.insert(account.id);
            }
        }
        self.check_admin_remains(changes)?;
        changes
            .iter()
            .try_for_each(|AccountChange { name, change }| self.change_account(name, change, attribution, fx))
    }

    /// Checks that changes leave an admin who can log in, if there is one.
    pub(super) fn check_admin_remains(&self, changes: &[AccountChange]) -> Result<(), AccountError> {
        let is_admin_now =
            |state: &&AccountState| state.account.role == Role::Admin && !state.account.disabled;
        let mut admins: HashSet<AccountId> =
            self.accounts.iter().filter(is_admin_now).map(|state| state.account.id).collect();
        if admins.is_empty() {
            return Ok(());
        }
        let mut last = None;
        for AccountChange { name, change } in changes {
            let Account { id, role, disabled, name } = self.find_account(name)?;
            match change {
                UserChange::Role(Role::Admin) if !disabled => drop(admins.insert(id)),
                UserChange::Enable if role == Role::Admin => drop(admins.insert(id)),
                UserChange::Role(Role::Member) | UserChange::Disable | UserChange::Remove => {
                    last = admins.remove(&id).then_some(name).or(last);
                }
                _ => {}
            }
        }
        match last {
            Some(name) if admins.is_empty() => Err(AccountError::LastAdmin(name)),
            _ => Ok(()),
        }
    }

    fn change_account(
        &mut self,
        name: &Nick,
        change: &UserChange,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), AccountError> {
        let account = self.find_account(name)?;
        let (id, name, at) = (account.id, account.name.clone(), attribution.at);
        // Links that the account handed out as an admin, perhaps to its own owner, must not be a way back in.
        let revoked = match change {
            UserChange::Remove | UserChange::Password(_) => self.revoke_invites(id, true, at, fx),
            UserChange::Disable | UserChange::Role(Role::Member) => self.revoke_invites(id, false, at, fx),
            _ => 0,
        };
        let (action, detail) = match change {
            UserChange::Password(password) => {
                // An account that needs a new password may have lost more than the old one.
                self.remove_all_devices(id, fx);
                self.set_password(id, password.clone(), None, at, fx);
                ("user passwd", String::new())
            }
            UserChange::Role(role) => {
                self.update_account(Account { role: *role, ..account }, at, fx);
                ("user role", role.to_string())
            }
            UserChange::Set(preference) => {
                self.set_preference(id, *preference, None, at, fx);
                ("user set", preference.to_string())
            }
            UserChange::Disable => {
                self.update_account(Account { disabled: true, ..account }, at, fx);
                ("user disable", String::new())
            }
            UserChange::Enable => {
                self.update_account(Account { disabled: false, ..account }, at, fx);
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
        Self::record_audit(attribution, AuditedAction { action, target: name.as_str(), detail: &detail }, fx);
        Ok(())
    }

    fn update_account(&mut self, account: Account, at: Timestamp, fx: &mut Effects) {
        let (id, disabled, is_admin) = (account.id, account.disabled, account.role == Role::Admin);
        self.accounts.insert(account.clone());
        fx.records.push(Record::AccountSet { account, at });
        if is_admin && !disabled {
            self.revoke_first_invites(at, fx);
        }
        if disabled || !is_admin {
            self.revoke_oper(id);
        }
        if disabled {
            self.end_sessions(id, "This account was disabled", at, fx);
        }
    }

    pub(super) fn remove_account(&mut self, id: AccountId, at: Timestamp, fx: &mut Effects) {
        self.end_sessions(id, "This account was removed", at, fx);
        if let Some(account_state) = self.accounts.get_mut(id) {
            // They must not be kept for channels that are removed with the account.
            account_state.markers.clear();
        }
        let channels =
            self.accounts.get(id).map(|account_state| account_state.channels.clone()).unwrap_or_default();
        for channel in channels {
            self.leave_channel(id, channel, fx);
        }
        if let Some(name) = self.accounts.get(id).map(|account_state| account_state.nick().clone()) {
            fx.records.extend(self.channels.remove_account(id, &name));
        }
        self.accounts.remove(id);
        self.access_tokens.remove_account(id);
        self.groups.remove_account(id);
        self.revoke_oper(id);
        fx.records.push(Record::AccountRemoved { id, at });
    }

    /// Sets the password of an account and ends its sessions, except for the session that changed it. Logins that are
    /// under way with the old password fail, because that is no longer the account's.
    pub(super) fn set_password(
        &mut self,
        id: AccountId,
        password: PasswordHash,
        changed_by: Option<SessionId>,
        at: Timestamp,
        fx: &mut Effects,
    ) {
        self.accounts.set_password(id, password.clone());
        fx.records.push(Record::PasswordSet(id, password));
        self.revoke_oper(id);
        let reason = "The password was changed; log in with the new one";
        self.end_sessions_where(id, |session, _| Some(session) != changed_by, reason, at, fx);
    }

    /// Changes the password of an account for its owner, who has proven to know the one with the hash `proven`. Returns
    /// false if that is not the password any more.
    pub(in crate::core) fn change_password(
        &mut self,
        id: AccountId,
        NewPassword { proven, new }: NewPassword,
        changed_by: Option<SessionId>,
        at: Timestamp,
        fx: &mut Effects,
    ) -> bool {
        if !self.accounts.get(id).is_some_and(|account_state| account_state.has_password(&proven)) {
            return false;
        }
        self.set_password(id, new, changed_by, at, fx);
        Self::record_audit(
            Attribution { at, actor: Actor::Account(id) },
            AuditedAction { action: "account passwd", target: "", detail: "" },
            fx,
        );
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
        if self.writable && self.accounts.renew_password(id, old, new.clone()) {
            fx.records.push(Record::PasswordSet(id, new));
        }
    }

    /// Ends the admin role of sessions that gained it with the password of this account (OPER).
    fn revoke_oper(&mut self, id: AccountId) {
        let granted = self.sessions.values_mut().filter(|known| known.oper_account == Some(id));
        granted.for_each(|known| known.oper_account = None);
    }
}
