//! Quotas of what accounts write: messages and bytes of a day, and a reserve on the disk. Admins have none, because
//! somebody must be able to say what is wrong.

use super::Core;
use crate::core::model::accounts::AccountState;
use crate::core::model::daily_usage::{DailyUsage, Usage};
use crate::core::record::{AccountId, StoredMessage};
use crate::wire::Timestamp;

/// Reason for which only admins may write.
pub(in crate::core) const DISK_IS_LOW: &str = "the server's disk is almost full, so only admins can write";

impl Core {
    /// Sets what accounts have sent on the day of a time stamp, as the history has it.
    pub fn set_daily_usage(&mut self, at: Timestamp, usage: Vec<(AccountId, Usage)>) {
        self.daily_usage = DailyUsage::new(at, usage);
    }

    /// Returns the reason why an account that is no admin may not send a message of this size now, if there is one.
    pub(in crate::core) fn quota_refusal(
        &self,
        account: AccountId,
        bytes: usize,
        at: Timestamp,
    ) -> Option<String> {
        if self.disk_is_low {
            return Some(format!("Cannot send: {DISK_IS_LOW}"));
        }
        let (most_messages, most_bytes) = (self.settings.messages_per_day, self.settings.bytes_per_day);
        let Usage { messages, bytes: sent } = self.daily_usage.of(account, at);
        let until = "it can send again after midnight (UTC)";
        if most_messages > 0 && messages >= most_messages {
            return Some(format!(
                "Cannot send: this account has sent {messages} messages today, the maximum; {until}"
            ));
        }
        if most_bytes > 0 && sent.saturating_add(bytes as u64) > most_bytes {
            return Some(format!(
                "Cannot send: this account has sent {sent} bytes today, of at most {most_bytes}; {until}"
            ));
        }
        None
    }

    /// Counts a message for the quotas of its sender.
    pub(in crate::core) fn count_sent(&mut self, account: AccountId, bytes: usize, at: Timestamp) {
        self.daily_usage.add(account, bytes, at);
    }

    /// Takes back messages that could not be stored.
    pub(in crate::core) fn uncount_sent(&mut self, message: &StoredMessage) {
        self.daily_usage.take_back(message.from, message.text.len() + message.tags.len());
    }

    /// Returns whether an account may not upload now, because the disk has little room left.
    pub(in crate::core) fn is_upload_refused(&self, account_state: &AccountState) -> bool {
        self.disk_is_low && !account_state.is_admin()
    }
}
