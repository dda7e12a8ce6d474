//! Import of people: their accounts, with groups, channels and cards.

use std::sync::Arc;

use crate::core::effects::Effects;
use crate::core::model::groups::Groups;
use crate::core::model::metadata::{self, MetadataDialect};
use crate::core::record::{AccountId, MetadataOwner, Record};
use crate::core::request::admin::{NewInvite, Purpose, RequestError};
use crate::core::request::people::groups::GroupError;
use crate::core::request::people::{ImportedAccount, ImportedUser};
use crate::core::state::{Attribution, Core};

impl Core {
    /// Makes the account of a person, or finds the one from before, and makes it a member of groups and channels.
    pub(in crate::core::administration) fn import_user(
        &mut self,
        imported: &ImportedUser,
        attribution: Attribution,
        fx: &mut Effects,
    ) -> Result<(), RequestError> {
        let ImportedUser { account, groups, channels } = imported;
        let at = attribution.at;
        // Checked before the account is made.
        for name in groups {
            match self.groups.get(name) {
                Some(group) if group.members.len() >= Groups::MAX_MEMBERS => {
                    return Err(GroupError::TooManyMembers(Groups::MAX_MEMBERS).into());
                }
                None if self.groups.iter().len() + groups.len() > Groups::MAX => {
                    return Err(GroupError::TooMany(Groups::MAX).into());
                }
                _ => {}
            }
        }
        let id = match account {
            ImportedAccount::Known(name) => self.find_account(name)?.id,
            ImportedAccount::New { user, listed_name, display_name, card } => {
                self.add_account(user, false, attribution, fx)?;
                let id = self.find_account(&user.name)?.id;
                self.set_listed_name(id, listed_name, fx);
                if let Some(display_name) = display_name {
                    self.set_display_name(id, display_name, fx);
                }
                if let Some(card) = card {
                    let purpose = Purpose::Reset(user.name.clone());
                    let invite = NewInvite { token: card.token, purpose, lasts_ms: card.lasts_ms };
                    self.create_invite(&invite, attribution, None, fx)?;
                }
                id
            }
        };
        for name in groups {
            let group = self.find_or_create_group(name, attribution, fx)?;
            self.add_to_group(group, id, at, fx);
        }
        for name in channels {
            let channel = self.find_or_create_channel(name, at, fx);
            self.join_for_account(id, channel, at, fx);
        }
        Ok(())
    }

    fn set_listed_name(&mut self, id: AccountId, name: &str, fx: &mut Effects) {
        let Some(account_state) = self.accounts.get_mut(id) else { return };
        account_state.listed_name = Some(name.into());
        fx.records.push(Record::ListedNameSet { account: id, name: name.into() });
    }

    /// Sets the display name of a new account, if it can be one.
    fn set_display_name(&mut self, id: AccountId, name: &str, fx: &mut Effects) {
        if metadata::check_change("display-name", Some(name), MetadataDialect::Draft).is_err() {
            return;
        }
        let Some(account_state) = self.accounts.get_mut(id) else { return };
        let (key, value): (Arc<str>, Option<Arc<str>>) = ("display-name".into(), Some(name.into()));
        if account_state.metadata.set(key.clone(), value.clone()) {
            fx.records.push(Record::MetadataSet { owner: MetadataOwner::Account(id), key, value });
        }
    }
}
