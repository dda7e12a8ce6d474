//! Permissions of accounts in a channel.

use super::accounts::AccountState;
use super::channel::Channel;
use crate::core::record::AccountId;
use crate::core::record::member_status::PrefixMode;
use crate::core::record::modes::ModeFlag;

/// Reason for which somebody who matches a ban or a mute may not speak.
const BANNED: &str = "Cannot send to channel (+b): you are banned or muted";

/// Permission level of an account in a channel, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionLevel {
    /// The account is not in the channel.
    NonMember,
    /// A member without member status.
    Member,
    /// A member with this member status.
    PrefixMode(PrefixMode),
    /// An admin of the server: may do everything in every channel.
    Admin,
}

impl PermissionLevel {
    /// Returns the level of an account. Member status counts for members only.
    pub(in crate::core) fn for_account(account: AccountId, is_admin: bool, channel: &Channel) -> Self {
        if is_admin {
            return Self::Admin;
        }
        if !channel.members.contains(&account) {
            return Self::NonMember;
        }
        channel.member_status(account).highest().map_or(Self::Member, Self::PrefixMode)
    }

    /// Returns the reason for which an account of this level may not speak in the channel, or `None` if it may.
    pub(in crate::core) fn silence_reason(
        self,
        account_state: &AccountState,
        channel: &Channel,
    ) -> Option<&'static str> {
        if channel.archived.is_some() {
            Some("Cannot send to channel: it is archived, so it can only be read")
        } else if account_state.is_hook && channel.lists.is_muted(account_state) {
            // A hook has voice from the beginning, which says nothing about a ban that came later.
            Some(BANNED)
        } else if self.at_least(PrefixMode::Voice) {
            None
        } else if channel.modes.has(ModeFlag::Moderated) {
            Some("Cannot send to channel (+m): voice required")
        } else {
            channel.lists.is_muted(account_state).then_some(BANNED)
        }
    }

    /// Returns whether the level is this member status or a higher one.
    pub fn at_least(self, mode: PrefixMode) -> bool {
        self >= Self::PrefixMode(mode)
    }

    /// Returns whether an account of this level may kick, or take member status from, an account of the other level. A
    /// higher level is protected and, below op, an equal one too.
    pub fn may_act_on(self, other: Self) -> bool {
        self > other || (self == other && self.at_least(PrefixMode::Op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_on_member_requires_higher_status_or_op() {
        let [founder, op, half_op, voice] = PrefixMode::ALL.map(PermissionLevel::PrefixMode);
        assert!(founder.may_act_on(op) && op.may_act_on(op) && !op.may_act_on(founder));
        assert!(!half_op.may_act_on(half_op) && half_op.may_act_on(voice));
        assert!(PermissionLevel::Admin.may_act_on(founder) && !founder.may_act_on(PermissionLevel::Admin));
        assert!(!voice.at_least(PrefixMode::HalfOp) && PermissionLevel::Admin.at_least(PrefixMode::Founder));
    }
}
