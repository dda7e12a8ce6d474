//! Access tokens of programs.

use std::collections::{BTreeMap, HashMap};

use crate::core::record::access_token::StoredAccessToken;
use crate::core::record::{AccountId, TokenHash};
use crate::wire::Nick;

/// All access tokens that are not revoked, by name and by hash.
#[derive(Debug, Default)]
pub struct AccessTokens {
    by_name: BTreeMap<Nick, StoredAccessToken>,
    names: HashMap<TokenHash, Nick>,
}

impl AccessTokens {
    /// Limit of access tokens.
    pub const MAX: usize = 1000;

    /// Creates the set.
    pub fn new(stored: Vec<StoredAccessToken>) -> Self {
        let mut tokens = Self::default();
        for token in stored {
            tokens.insert(token);
        }
        tokens
    }

    /// Adds a token, whose name and hash no other has.
    pub fn insert(&mut self, token: StoredAccessToken) {
        self.names.insert(token.hash, token.name.clone());
        self.by_name.insert(token.name.clone(), token);
    }

    /// Removes the token of a name, and returns it.
    pub fn remove(&mut self, name: &Nick) -> Option<StoredAccessToken> {
        let token = self.by_name.remove(name)?;
        self.names.remove(&token.hash);
        Some(token)
    }

    /// Removes all tokens of an account.
    pub fn remove_account(&mut self, account: AccountId) {
        self.by_name.retain(|_, token| token.account != account);
        self.names.retain(|_, name| self.by_name.contains_key(name));
    }

    /// Returns the token of a name.
    pub fn get(&self, name: &Nick) -> Option<&StoredAccessToken> {
        self.by_name.get(name)
    }

    /// Returns the token of a hash.
    pub fn get_by_hash(&self, hash: &TokenHash) -> Option<&StoredAccessToken> {
        self.names.get(hash).and_then(|name| self.by_name.get(name))
    }

    /// Iterates over the tokens in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &StoredAccessToken> {
        self.by_name.values()
    }
}
