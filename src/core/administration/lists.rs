//! Lists of accounts, invites and devices, a page at a time.

use crate::core::model::accounts::{AccountState, ECHO_ACCOUNT_ID};
use crate::core::record::device::{CertificateFingerprint, Device};
use crate::core::record::{Invite, InviteId, InviteState};
use crate::core::request::listing::{LeftBehindByRotation, ListedAccount, ListedInvite};
use crate::core::state::Core;
use crate::wire::{Nick, Timestamp};

impl Core {
    /// Returns up to `most` accounts in the order of their names, beginning after the name `after`.
    pub fn list_accounts(&self, after: Option<&Nick>, most: usize) -> Vec<ListedAccount> {
        let accounts = self
            .accounts
            .iter()
            .filter(|account_state| account_state.account.id != ECHO_ACCOUNT_ID && !account_state.is_hook);
        let mut page: Vec<_> =
            accounts.filter(|account_state| after.is_none_or(|after| account_state.nick() > after)).collect();
        cut(&mut page, most, |account_state| account_state.nick());
        let listed = |account_state: &AccountState| ListedAccount {
            account: account_state.account.clone(),
            created: self.accounts.created(account_state.account.id),
            preferences: account_state.preferences,
        };
        page.into_iter().map(listed).collect()
    }

    /// Returns up to `most` invites in the order of their ids, beginning after the id `after`.
    pub fn list_invites(&self, after: InviteId, most: usize) -> Vec<ListedInvite> {
        let name = |id| self.account_name(id).cloned();
        let listed = |invite: &Invite| ListedInvite {
            invite: invite.clone(),
            created_by: invite.created_by.and_then(name),
            resets: invite.resets.and_then(name),
        };
        self.invites.iter().filter(|invite| invite.id > after).take(most).map(listed).collect()
    }

    /// Returns up to `most` devices that were last used or added before the root with this pin was shown, in the order
    /// of their fingerprints from the one after `after` on; and the number of open invites from before.
    pub fn list_left_behind(
        &self,
        pin: &str,
        after: Option<CertificateFingerprint>,
        most: usize,
        now: Timestamp,
    ) -> LeftBehindByRotation {
        let shown = self.roots.iter().filter(|root| &*root.pin == pin).map(|root| root.at).min();
        // If the root was never shown, no client can have seen it.
        let since = shown.unwrap_or(now);
        let accounts = self.accounts.iter().filter(|account_state| !account_state.account.disabled);
        let devices = accounts.flat_map(|account_state| {
            account_state.devices.iter().map(move |device| (account_state.nick(), device))
        });
        let is_left_behind = |(_, device): &(_, &Device)| {
            after.is_none_or(|after| device.fingerprint > after)
                && device.added_at < since
                && device.last_login.is_none_or(|used| used < since)
        };
        let mut page: Vec<_> = devices.filter(is_left_behind).collect();
        cut(&mut page, most, |(_, device)| &device.fingerprint);
        let open = |invite: &&Invite| invite.created < since && invite.state(now) == InviteState::Open;
        LeftBehindByRotation {
            devices: page.into_iter().map(|(name, device)| (name.clone(), *device)).collect(),
            invites: self.invites.iter().filter(open).count(),
        }
    }
}

/// Sorts a list by a key and cuts it to its first `most` entries.
fn cut<T: Copy, K: Ord + ?Sized>(list: &mut Vec<T>, most: usize, key: impl Fn(&T) -> &K) {
    if list.len() > most {
        list.select_nth_unstable_by(most, |a, b| key(a).cmp(key(b)));
        list.truncate(most);
    }
    list.sort_unstable_by(|a, b| key(a).cmp(key(b)));
}
