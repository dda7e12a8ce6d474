//! Invites: creation, redemption, revocation.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use crate::core::effects::Effects;
use crate::core::model::accounts::ECHO_ACCOUNT_ID;
use crate::core::record::{
    Account, AccountId, Actor, Invite, InviteId, InviteState, Record, Role, TokenHash,
};
use crate::core::request::admin::{
    NewInvite, Purpose, RedeemError, Redemption, RequestError, RequestOutcome,
};
use crate::core::request::people::NewUser;
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::{Nick, Timestamp};

/// The built-in account stands for the server as the maker of invites for the first admin.
pub(super) const FIRST_INVITE_CREATOR: AccountId = ECHO_ACCOUNT_ID;

impl Core {
    /// Makes an invite. It ends with the account that made it, and with the admin whose rights were used, which is
    /// `admin_account`. `None` means that the account that made the invite used its own rights.
    pub(in crate::core) fn create_invite(
        &mut self,
        new_invite: &NewInvite,
        attribution: Attribution,
        admin_account: Option<AccountId>,
        fx: &mut Effects,
    ) -> Result<InviteId, RequestError> {
        let actor = attribution.actor;
        if new_invite.lasts_ms == 0 || matches!(new_invite.purpose, Purpose::Accounts { uses: 0, .. }) {
            return Err(RequestError::UselessInvite);
        }
        if let Some(admin) = admin_account.or(actor.account_id())
            && !self
                .accounts
                .get(admin)
                .is_some_and(|account_state| account_state.is_admin() && !account_state.account.disabled)
        {
            return Err(RequestError::NotAdmin);
        }
        self.insert_invite(new_invite, attribution, (actor.account_id(), admin_account), fx)
    }

    /// Makes the invite for the first admin. Those of earlier starts end.
    pub(super) fn create_first_invite(
        &mut self,
        new_invite: &NewInvite,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<InviteId, RequestError> {
        if self.accounts.iter().any(|state| state.is_admin() && !state.account.disabled) {
            return Err(RequestError::HasAdmin);
        }
        self.revoke_first_invites(attribution.at, fx);
        self.insert_invite(new_invite, attribution, (Some(FIRST_INVITE_CREATOR), None), fx)
    }

    /// Ends the invites for the first admin, because there is one, or another invite.
    pub(super) fn revoke_first_invites(&mut self, at: Timestamp, fx: &mut Effects) {
        for invite in self.invites.iter_mut() {
            if invite.created_by == Some(FIRST_INVITE_CREATOR) && invite.state(at) == InviteState::Open {
                invite.revoked = Some(at);
                fx.records.push(Record::InviteRevoked { id: invite.id, at });
            }
        }
    }

    fn insert_invite(
        &mut self,
        new_invite: &NewInvite,
        attribution: Attribution,
        (created_by, admin_account): (Option<AccountId>, Option<AccountId>),
        fx: &mut Effects,
    ) -> Result<InviteId, RequestError> {
        let at = attribution.at;
        if self.invites.get_by_token(&new_invite.token).is_some() {
            return Err(RequestError::TokenTaken);
        }
        let expires = at + Duration::from_millis(new_invite.lasts_ms);
        let (role, channel, uses, resets, detail) = match &new_invite.purpose {
            Purpose::Accounts { role, channel, uses } => {
                let detail = format!("{role}, {uses} uses, until {expires}");
                (*role, Some(channel.clone()), *uses, None, detail)
            }
            Purpose::Reset(name) => {
                let account = self.find_enabled_account(name)?;
                let detail = format!("resets {}, until {expires}", account.name);
                (Role::Member, None, 1, Some(account.id), detail)
            }
        };
        let invite = Invite {
            id: self.invites.next_id(),
            token: new_invite.token,
            role,
            channel,
            uses,
            spent: 0,
            expires,
            revoked: None,
            created: at,
            created_by,
            resets,
            admin_account,
        };
        let id = invite.id;
        self.invites.insert(invite.clone());
        fx.records.push(Record::InviteCreated(invite));
        Self::record_audit(
            attribution,
            AuditedAction { action: "invite create", target: &id.to_string(), detail: &detail },
            fx,
        );
        Ok(id)
    }

    /// Makes several invites for an admin, or none if one of them cannot be made.
    pub(super) fn create_invites(
        &mut self,
        invites: &[NewInvite],
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<Vec<InviteId>, RequestError> {
        let mut tokens = HashSet::new();
        for NewInvite { token, purpose, lasts_ms } in invites {
            if *lasts_ms == 0 || matches!(purpose, Purpose::Accounts { uses: 0, .. }) {
                return Err(RequestError::UselessInvite);
            }
            if self.invites.get_by_token(token).is_some() || !tokens.insert(*token) {
                return Err(RequestError::TokenTaken);
            }
            if let Purpose::Reset(name) = purpose {
                self.find_enabled_account(name)?;
            }
        }
        invites.iter().map(|invite| self.create_invite(invite, attribution, None, fx)).collect()
    }

    /// Revokes an invite; its accounts stay. Revoking twice changes nothing.
    pub(in crate::core) fn revoke_invite(
        &mut self,
        id: i64,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let invite = self.invites.get_mut(InviteId(id)).ok_or(RequestError::UnknownInvite(id))?;
        if invite.revoked.is_none() {
            invite.revoked = Some(attribution.at);
            fx.records.push(Record::InviteRevoked { id: InviteId(id), at: attribution.at });
        }
        Self::record_audit(
            attribution,
            AuditedAction { action: "invite revoke", target: &id.to_string(), detail: "" },
            fx,
        );
        Ok(())
    }

    /// Revokes the open invites that an account made, or that others made with its rights; and with `resets` those that
    /// reset it. Returns their count.
    pub(super) fn revoke_invites(
        &mut self,
        account: AccountId,
        resets: bool,
        at: Timestamp,
        fx: &mut Effects,
    ) -> usize {
        let mut count = 0;
        for invite in self.invites.iter_mut().filter(|invite| invite.state(at) == InviteState::Open) {
            let is_made_by_account = [invite.created_by, invite.admin_account].contains(&Some(account));
            if is_made_by_account || (resets && invite.resets == Some(account)) {
                invite.revoked = Some(at);
                fx.records.push(Record::InviteRevoked { id: invite.id, at });
                count += 1;
            }
        }
        count
    }

    /// Checks whether a token can be redeemed now for this account name, before the costly hash of a password is
    /// made for it.
    pub fn check_invite(&self, token: &TokenHash, name: &Nick, now: Timestamp) -> Result<(), RedeemError> {
        self.find_redeemable(token, name, now).map(drop)
    }

    /// Finds the invite of a token that can be redeemed now, and the account that it resets, if it resets one.
    fn find_redeemable(
        &self,
        token: &TokenHash,
        name: &Nick,
        now: Timestamp,
    ) -> Result<(&Invite, Option<Account>), RedeemError> {
        let invite = self.invites.get_by_token(token).ok_or(RedeemError::Unknown)?;
        match invite.state(now) {
            InviteState::Open => {}
            InviteState::UsedUp => return Err(RedeemError::UsedUp),
            InviteState::Expired => return Err(RedeemError::Expired),
            InviteState::Revoked => return Err(RedeemError::Revoked),
        }
        let Some(id) = invite.resets else { return Ok((invite, None)) };
        match (self.account_name(id), self.accounts.get(id)) {
            (Some(known), _) if known != name => Err(RedeemError::WrongAccount(known.clone())),
            (_, Some(account_state)) if account_state.account.disabled => {
                Err(RedeemError::Disabled(account_state.nick().clone()))
            }
            (_, Some(account_state)) => Ok((invite, Some(account_state.account.clone()))),
            (known, None) => Err(RedeemError::AccountRemoved(known.unwrap_or(name).clone())),
        }
    }

    /// Redeems an invite: makes the account or sets its new password, and spends one use.
    pub(super) fn redeem_invite(
        &mut self,
        redemption: &Redemption,
        at: Timestamp,
        fx: &mut Effects,
    ) -> Result<RequestOutcome, RedeemError> {
        let Redemption { token, name, password } = redemption;
        let (invite, resets) = self.find_redeemable(token, name, at)?;
        let (id, spent) = (invite.id, invite.spent.saturating_add(1));
        let (role, channel) = (invite.role, invite.channel.clone());
        let is_new = resets.is_none();
        let account = if let Some(account) = resets {
            account
        } else {
            let user = NewUser { name: name.clone(), password: password.clone(), role };
            self.create_account(&user, Some(id), at, fx)?
        };
        if let Some(invite) = self.invites.get_mut(id) {
            invite.spent = spent;
        }
        fx.records.push(Record::InviteSpent { id, spent });
        if is_new && role == Role::Admin {
            self.revoke_first_invites(at, fx);
        }
        let mut detail = format!("invite {id}");
        if is_new {
            if let Some(channel) = channel {
                self.join_channel(account.id, channel, at, fx);
            }
        } else {
            // The loss of a password may come with the loss of devices, known or not.
            self.remove_all_devices(account.id, fx);
            self.set_password(account.id, password.clone(), None, at, fx);
            // An intruder may have made more links, and another reset would take the account from its owner.
            let revoked = self.revoke_invites(account.id, true, at, fx);
            detail.push_str(", password and devices reset");
            if revoked > 0 {
                let _ = write!(detail, ", invites revoked: {revoked}");
            }
        }
        Self::record_audit(
            Attribution { at, actor: Actor::Account(account.id) },
            AuditedAction { action: "invite redeem", target: account.name.as_str(), detail: &detail },
            fx,
        );
        Ok(RequestOutcome::Redeemed { account, is_new })
    }
}
