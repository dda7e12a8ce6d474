//! Who may do what in a channel.

use super::channel::Channel;
use super::modes::Flag;
use super::people::Person;
use super::ranks::Rank;
use super::record::AccountId;

/// How much somebody may do in a channel, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Is not in it.
    Stranger,
    /// Is in it.
    Member,
    /// Has this rank.
    Ranked(Rank),
    /// Runs the server: may do everything, everywhere.
    Admin,
}

impl Power {
    /// Of an account in a channel; ranks count for members only.
    pub(super) fn of(account: AccountId, is_admin: bool, channel: &Channel) -> Self {
        if is_admin {
            return Self::Admin;
        }
        if !channel.members.contains(&account) {
            return Self::Stranger;
        }
        channel.ranks(account).highest().map_or(Self::Member, Self::Ranked)
    }

    /// The reason for which an account with this power may not speak in the channel; `None` where it may.
    pub(super) fn silenced(self, person: &Person, channel: &Channel) -> Option<&'static str> {
        if self.at_least(Rank::Voice) {
            None
        } else if channel.modes.has(Flag::Moderated) {
            Some("The channel is moderated: only who has a voice may speak")
        } else {
            channel.lists.mutes(person).then_some("You are banned or muted in the channel")
        }
    }

    /// At least this rank?
    pub fn at_least(self, rank: Rank) -> bool {
        self >= Self::Ranked(rank)
    }

    /// May it kick, or take ranks from, somebody who has the other power? Those above and, below op, those of the same
    /// rank are safe.
    pub fn may_act_on(self, other: Self) -> bool {
        self > other || (self == other && self.at_least(Rank::Op))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_above_is_safe() {
        let [founder, op, half_op, voice] = Rank::ALL.map(Power::Ranked);
        assert!(founder.may_act_on(op) && op.may_act_on(op) && !op.may_act_on(founder));
        assert!(!half_op.may_act_on(half_op) && half_op.may_act_on(voice));
        assert!(Power::Admin.may_act_on(founder) && !founder.may_act_on(Power::Admin));
        assert!(!voice.at_least(Rank::HalfOp) && Power::Admin.at_least(Rank::Founder));
    }
}
