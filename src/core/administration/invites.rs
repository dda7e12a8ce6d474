//! Invites: creation, redemption, revocation.

use std::fmt::Write as _;

use super::By;
use crate::core::effects::Effects;
use crate::core::record::{Account, AccountId, Actor, Invite, InviteId, Record, Role, State, TokenHash};
use crate::core::request::admin::{
    Done, InviteOrder, NewUser, Purpose, RedeemError, Redemption, RequestError,
};
use crate::core::state::Chat;
use crate::wire::{Millis, Nick};

impl Chat {
    /// Makes an invite. It ends with the account that made it, and with the admin whose rights were used; both are the
    /// same account if `power` is `None`.
    pub(in crate::core) fn create_invite(
        &mut self,
        order: &InviteOrder,
        by: By,
        power: Option<AccountId>,
        fx: &mut Effects,
    ) -> Result<InviteId, RequestError> {
        let (at, actor) = by;
        if order.lasts_ms == 0 || matches!(order.purpose, Purpose::Accounts { uses: 0, .. }) {
            return Err(RequestError::UselessInvite);
        }
        if let Some(admin) = power.or(actor.id())
            && !self.people.get(admin).is_some_and(|person| person.is_admin() && !person.account.disabled)
        {
            return Err(RequestError::NotAdmin);
        }
        if self.invites.of(&order.token).is_some() {
            return Err(RequestError::TokenTaken);
        }
        let expires = Millis(at.0.saturating_add(order.lasts_ms));
        let (role, channel, uses, resets, detail) = match &order.purpose {
            Purpose::Accounts { role, channel, uses } => {
                let detail = format!("{role}, {uses} uses, until {expires}");
                (*role, Some(channel.clone()), *uses, None, detail)
            }
            Purpose::Reset(name) => {
                let account = self.find_usable(name)?;
                let detail = format!("resets {}, until {expires}", account.name);
                (Role::Member, None, 1, Some(account.id), detail)
            }
        };
        let invite = Invite {
            id: self.invites.next_id(),
            token: order.token,
            role,
            channel,
            uses,
            spent: 0,
            expires,
            revoked: None,
            created: at,
            created_by: actor.id(),
            resets,
            power,
        };
        let id = invite.id;
        self.invites.put(invite.clone());
        fx.records.push(Record::InviteCreated(invite));
        Self::note(by, "invite create", (&id.to_string(), &detail), fx);
        Ok(id)
    }

    /// Revokes an invite; its accounts stay. Revoking twice changes nothing.
    pub(in crate::core) fn revoke_invite(
        &mut self,
        id: i64,
        by: By,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let invite = self.invites.get_mut(InviteId(id)).ok_or(RequestError::UnknownInvite(id))?;
        if invite.revoked.is_none() {
            invite.revoked = Some(by.0);
            fx.records.push(Record::InviteRevoked { id: InviteId(id), at: by.0 });
        }
        Self::note(by, "invite revoke", (&id.to_string(), ""), fx);
        Ok(())
    }

    /// Revokes the open invites that an account made, or that others made with its rights; and with `resets` those that
    /// reset it. Returns their count.
    pub(super) fn revoke_invites(
        &mut self,
        account: AccountId,
        resets: bool,
        at: Millis,
        fx: &mut Effects,
    ) -> usize {
        let mut count = 0;
        for invite in self.invites.iter_mut().filter(|invite| invite.state(at) == State::Open) {
            let is_of = [invite.created_by, invite.power].contains(&Some(account));
            if is_of || (resets && invite.resets == Some(account)) {
                invite.revoked = Some(at);
                fx.records.push(Record::InviteRevoked { id: invite.id, at });
                count += 1;
            }
        }
        count
    }

    /// Checks whether a token can be redeemed now for this account name: asked before the costly hash of a password is
    /// made for it.
    pub fn check_invite(&self, token: &TokenHash, name: &Nick, now: Millis) -> Result<(), RedeemError> {
        self.redeemable(token, name, now).map(drop)
    }

    /// Finds the invite of a token that can be redeemed now, and the account that it resets, if it resets one.
    fn redeemable(
        &self,
        token: &TokenHash,
        name: &Nick,
        now: Millis,
    ) -> Result<(&Invite, Option<Account>), RedeemError> {
        let invite = self.invites.of(token).ok_or(RedeemError::Unknown)?;
        match invite.state(now) {
            State::Open => {}
            State::Spent => return Err(RedeemError::Spent),
            State::Expired => return Err(RedeemError::Expired),
            State::Revoked => return Err(RedeemError::Revoked),
        }
        let Some(id) = invite.resets else { return Ok((invite, None)) };
        match (self.name_of(id), self.people.get(id)) {
            (Some(known), _) if known != name => Err(RedeemError::Other(known.clone())),
            (_, Some(person)) if person.account.disabled => Err(RedeemError::Disabled(person.nick().clone())),
            (_, Some(person)) => Ok((invite, Some(person.account.clone()))),
            (known, None) => Err(RedeemError::Gone(known.unwrap_or(name).clone())),
        }
    }

    /// Redeems an invite: makes the account or sets its new password, and spends one use.
    pub(super) fn redeem(
        &mut self,
        redemption: &Redemption,
        at: Millis,
        fx: &mut Effects,
    ) -> Result<Done, RedeemError> {
        let Redemption { token, name, password } = redemption;
        let (invite, resets) = self.redeemable(token, name, at)?;
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
        let mut detail = format!("invite {id}");
        if is_new {
            if let Some(channel) = channel {
                self.enter(account.id, channel, at, fx);
            }
        } else {
            // The loss of a password may come with the loss of devices, known or not.
            self.forget_devices(account.id, fx);
            self.set_password(account.id, password.clone(), None, at, fx);
            // An intruder may have made more links, and another reset would take the account from its owner.
            let revoked = self.revoke_invites(account.id, true, at, fx);
            detail.push_str(", password and devices reset");
            if revoked > 0 {
                let _ = write!(detail, ", invites revoked: {revoked}");
            }
        }
        Self::note((at, Actor::Account(account.id)), "invite redeem", (account.name.as_str(), &detail), fx);
        Ok(Done::Redeemed { account, is_new })
    }
}
