//! Creation and revocation of access tokens, and whether one is valid.

use std::time::Duration;

use crate::core::effects::Effects;
use crate::core::model::access_tokens::AccessTokens;
use crate::core::record::access_token::StoredAccessToken;
use crate::core::record::{Record, TokenHash};
use crate::core::request::access_tokens::{AccessTokenError, ListedAccessToken, NewAccessToken, TokenHolder};
use crate::core::request::admin::{AccountError, RequestError};
use crate::core::state::{Attribution, AuditedAction, Core};
use crate::wire::{Nick, Timestamp};

impl Core {
    /// Makes an access token for an admin.
    pub(super) fn create_access_token(
        &mut self,
        new: NewAccessToken,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let NewAccessToken { hash, name, account, scope, lasts_ms } = new;
        let Some(account_state) = self.accounts.get_by_name(&account) else {
            return Err(AccountError::Unknown(account).into());
        };
        let nick = account_state.nick().clone();
        if account_state.is_hook {
            return Err(AccountError::Hook(nick).into());
        }
        if account_state.account.disabled {
            return Err(AccountError::Disabled(nick).into());
        }
        let account = account_state.account.id;
        if let Some(known) = self.access_tokens.get(&name).or_else(|| self.access_tokens.get_by_hash(&hash)) {
            return Err(AccessTokenError::Taken(known.name.clone()).into());
        }
        if self.access_tokens.iter().len() >= AccessTokens::MAX {
            return Err(AccessTokenError::TooMany(AccessTokens::MAX).into());
        }
        if lasts_ms == Some(0) {
            return Err(AccessTokenError::NoTime.into());
        }
        let created = attribution.at;
        let expires = lasts_ms.map(|lasts| created + Duration::from_millis(lasts));
        let detail = format!("{} as {nick}", scope.as_str());
        let action = AuditedAction { action: "token create", target: name.as_str(), detail: &detail };
        Self::record_audit(attribution, action, fx);
        let token = StoredAccessToken { hash, name, account, scope, created, expires };
        self.access_tokens.insert(token.clone());
        fx.records.push(Record::AccessTokenCreated(token));
        Ok(())
    }

    /// Revokes an access token for an admin.
    pub(super) fn revoke_access_token(
        &mut self,
        name: &Nick,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), AccessTokenError> {
        let Some(token) = self.access_tokens.remove(name) else {
            return Err(AccessTokenError::Unknown(name.clone()));
        };
        fx.records.push(Record::AccessTokenRevoked(token.hash));
        let action = AuditedAction { action: "token revoke", target: token.name.as_str(), detail: "" };
        Self::record_audit(attribution, action, fx);
        Ok(())
    }

    /// Returns up to `most` access tokens in the order of their names, beginning after the name `after`.
    pub fn list_access_tokens(&self, after: Option<&Nick>, most: usize) -> Vec<ListedAccessToken> {
        let listed = |token: &StoredAccessToken| {
            let account_state = self.accounts.get(token.account)?;
            let (account, is_disabled) = (account_state.nick().clone(), account_state.account.disabled);
            Some(ListedAccessToken { token: token.clone(), account, is_disabled })
        };
        let tokens = self.access_tokens.iter().filter(|token| after.is_none_or(|after| token.name > *after));
        tokens.filter_map(listed).take(most).collect()
    }

    /// Returns the holder of an access token that is valid at this time.
    ///
    /// # Errors
    /// It is not valid.
    pub fn holder_of_token(&self, hash: &TokenHash, now: Timestamp) -> Result<TokenHolder, AccessTokenError> {
        let token = self.access_tokens.get_by_hash(hash).ok_or(AccessTokenError::Wrong)?;
        if let Some(expires) = token.expires.filter(|expires| *expires <= now) {
            return Err(AccessTokenError::Expired(expires));
        }
        let account_state = self.accounts.get(token.account).ok_or(AccessTokenError::Wrong)?;
        let account = account_state.nick().clone();
        if account_state.account.disabled {
            return Err(AccessTokenError::Disabled(account));
        }
        Ok(TokenHolder { token: token.clone(), account })
    }
}
