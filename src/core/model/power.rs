//! Permissions of accounts in a channel.

use super::channel::Channel;
use super::people::Person;
use crate::core::record::AccountId;
use crate::core::record::modes::Flag;
use crate::core::record::ranks::Rank;

/// Permission level of an account in a channel, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// The account is not in the channel.
    Stranger,
    /// A member without member status.
    Member,
    /// A member with this member status.
    Ranked(Rank),
    /// An admin of the server: may do everything in every channel.
    Admin,
}

impl Power {
    /// Returns the level of an account. Member status counts for members only.
    pub(in crate::core) fn of(account: AccountId, is_admin: bool, channel: &Channel) -> Self {
        if is_admin {
            return Self::Admin;
        }
        if !channel.members.contains(&account) {
            return Self::Stranger;
        }
        channel.ranks(account).highest().map_or(Self::Member, Self::Ranked)
    }

    /// Returns the reason for which an account of this level may not speak in the channel, or `None` if it may.
    pub(in crate::core) fn silenced(self, person: &Person, channel: &Channel) -> Option<&'static str> {
        if self.at_least(Rank::Voice) {
            None
        } else if channel.modes.has(Flag::Moderated) {
            Some("Cannot send to channel (+m): voice required")
        } else {
            channel.lists.mutes(person).then_some("Cannot send to channel (+b): you are banned or muted")
        }
    }

    /// Returns whether the level is this member status or a higher one.
    pub fn at_least(self, rank: Rank) -> bool {
        self >= Self::Ranked(rank)
    }

    /// Returns whether an account of this level may kick, or take member status from, an account of the other level. A
    /// higher level is protected and, below op, an equal one too.
    pub fn may_act_on(self, other: Self) -> bool {
        self > other || (self == other && self.at_least(Rank::Op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acting_on_member_requires_higher_status_or_op() {
        let [founder, op, half_op, voice] = Rank::ALL.map(Power::Ranked);
        assert!(founder.may_act_on(op) && op.may_act_on(op) && !op.may_act_on(founder));
        assert!(!half_op.may_act_on(half_op) && half_op.may_act_on(voice));
        assert!(Power::Admin.may_act_on(founder) && !founder.may_act_on(Power::Admin));
        assert!(!voice.at_least(Rank::HalfOp) && Power::Admin.at_least(Rank::Founder));
    }
}
