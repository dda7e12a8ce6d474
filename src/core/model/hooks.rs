//! Hooks: those that there are, and the revoked ones, whose names new ones may take.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::core::record::hook::{HookKind, StoredHook};
use crate::core::record::{AccountId, TokenHash};
use crate::wire::{MessageId, Timestamp};

/// All hooks, by account and by token.
#[derive(Debug, Default)]
pub struct Hooks {
    by_account: BTreeMap<AccountId, StoredHook>,
    by_token: HashMap<TokenHash, AccountId>,
    outgoing: BTreeSet<AccountId>,
    /// Hooks that fail to send. Not stored.
    failing: BTreeMap<AccountId, HookFailure>,
}

/// Failure of a hook that sends messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookFailure {
    /// Time of the first message that waits, so that it is the same after a restart of the server.
    pub since: Timestamp,
    /// Reason of the latest failure, for the operator.
    pub reason: Arc<str>,
}

impl Hooks {
    /// Limit of hooks that are not revoked.
    pub const MAX: usize = 1000;

    /// Limit of those of them that send messages to programs.
    pub const MAX_OUTGOING: usize = 100;

    /// Creates the set.
    pub fn new(stored: Vec<StoredHook>) -> Self {
        let mut hooks = Self::default();
        for hook in stored {
            hooks.insert(hook);
        }
        hooks
    }

    /// Adds a hook, or replaces the one of its account.
    pub fn insert(&mut self, hook: StoredHook) {
        let account = hook.account;
        self.failing.remove(&account);
        if let Some(before) = self.by_account.remove(&account) {
            if let HookKind::Incoming(token) = &before.kind {
                self.by_token.remove(token);
            }
            self.outgoing.remove(&account);
        }
        match &hook.kind {
            HookKind::Incoming(token) => drop(self.by_token.insert(*token, account)),
            HookKind::Outgoing(_) => drop(self.outgoing.insert(account)),
            HookKind::Revoked => {}
        }
        self.by_account.insert(account, hook);
    }

    /// Returns the hook of an account, also a revoked one.
    pub fn get(&self, account: AccountId) -> Option<&StoredHook> {
        self.by_account.get(&account)
    }

    /// Returns the hook of an account that is not revoked.
    pub fn get_active(&self, account: AccountId) -> Option<&StoredHook> {
        self.get(account).filter(|hook| hook.kind != HookKind::Revoked)
    }

    /// Returns the hook of a token.
    pub fn get_by_token(&self, token: &TokenHash) -> Option<&StoredHook> {
        self.by_token.get(token).and_then(|account| self.by_account.get(account))
    }

    /// Iterates over the hooks that send messages to programs.
    pub fn outgoing(&self) -> impl ExactSizeIterator<Item = AccountId> {
        self.outgoing.iter().copied()
    }

    /// Notes that a hook fails to send, or that it does not any more.
    pub fn set_failure(&mut self, account: AccountId, failure: Option<HookFailure>) {
        match (failure, self.failing.get_mut(&account)) {
            (None, _) => drop(self.failing.remove(&account)),
            (Some(failure), Some(known)) => known.reason = failure.reason,
            (Some(failure), None) if self.outgoing.contains(&account) => {
                self.failing.insert(account, failure);
            }
            _ => {}
        }
    }

    /// Returns why and since when a hook fails to send, if it does.
    pub fn failure(&self, account: AccountId) -> Option<&HookFailure> {
        self.failing.get(&account)
    }

    /// Notes the last message that a hook has sent. Returns false if it was sent before, or the hook sends none.
    pub fn set_delivered(&mut self, account: AccountId, up_to: MessageId) -> bool {
        match self.by_account.get_mut(&account).map(|hook| &mut hook.kind) {
            Some(HookKind::Outgoing(outgoing)) if outgoing.delivered < up_to => {
                outgoing.delivered = up_to;
                true
            }
            _ => false,
        }
    }

    /// Iterates over the hooks in the order of their accounts, also the revoked ones.
    pub fn iter(&self) -> impl Iterator<Item = &StoredHook> {
        self.by_account.values()
    }

    /// Iterates over the hooks that are not revoked.
    pub fn iter_active(&self) -> impl Iterator<Item = &StoredHook> {
        self.iter().filter(|hook| hook.kind != HookKind::Revoked)
    }
}
