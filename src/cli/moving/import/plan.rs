//! The checks of a dry run: those that the server makes before it adds an item.

use std::collections::{BTreeMap, HashMap};

use anyhow::bail;

use crate::cli::admin::Admin;
use crate::core::record::Role;
use crate::core::request::admin::{AccountError, reserved_reason};
use crate::core::request::export::{ExportedAccount, ExportedChannel, ExportedItem, ImportError};
use crate::server::admin::{AdminQuery, AdminReply};
use crate::wire::{ChannelName, Nick, Timestamp};

/// Maximum count of names in a query.
const MAX_NAMES: usize = 500;

/// Accounts and channels that the server would have after the items checked so far.
pub struct Plan {
    now: Timestamp,
    /// Names with whether there is an account of that name, in use or removed.
    accounts: HashMap<Nick, bool>,
    channels: HashMap<ChannelName, bool>,
}

impl Plan {
    /// Plans an import of this moment.
    pub fn new(now: Timestamp) -> Self {
        Self { now, accounts: HashMap::new(), channels: HashMap::new() }
    }

    /// Returns for each item that the server does not have why it would refuse it.
    pub fn check(&mut self, admin: &Admin, items: &[ExportedItem]) -> anyhow::Result<Vec<Option<String>>> {
        self.ask_for_names(admin, items)?;
        Ok(items.iter().map(|item| self.check_item(item).err()).collect())
    }

    fn check_item(&mut self, item: &ExportedItem) -> Result<(), String> {
        match item {
            ExportedItem::Account(account) => {
                if let Some(reason) = reserved_reason(&account.name) {
                    return Err(AccountError::Reserved(account.name.clone(), reason).to_string());
                }
                self.accounts.insert(account.name.clone(), true);
                Ok(())
            }
            ExportedItem::Channel(channel) => {
                self.check_channel(channel).map_err(|error| error.to_string())?;
                self.channels.insert(channel.name.clone(), true);
                Ok(())
            }
            ExportedItem::Message(message) => {
                let checked = message.check(self.now).and_then(|()| self.check_account(&message.from));
                let checked =
                    checked.and_then(|()| self.check_place(message.channel.as_ref(), &message.between));
                checked.map_err(|error| error.to_string())
            }
            ExportedItem::File(file) => {
                let checked = file.check().and_then(|_| self.check_account(&file.owner));
                let checked = checked.and_then(|()| {
                    let mut shares = file.shares.iter();
                    shares.try_for_each(|share| self.check_place(share.channel.as_ref(), &share.between))
                });
                checked.map_err(|error| error.to_string())
            }
        }
    }

    fn check_channel(&self, channel: &ExportedChannel) -> Result<(), ImportError> {
        channel.parse_modes()?;
        channel.members.iter().try_for_each(|member| {
            self.check_account(&member.account)?;
            member.parse_status().map(|_| ())
        })
    }

    fn check_account(&self, name: &Nick) -> Result<(), ImportError> {
        let is_there = self.accounts.get(name).copied().unwrap_or_default();
        if is_there { Ok(()) } else { Err(ImportError::NoAccount(name.clone())) }
    }

    fn check_place(&self, channel: Option<&ChannelName>, between: &[Nick]) -> Result<(), ImportError> {
        match (channel, between) {
            (Some(name), _) if self.channels.get(name).copied().unwrap_or_default() => Ok(()),
            (Some(name), _) => Err(ImportError::NoChannel(name.clone())),
            (None, [a, b]) => self.check_account(a).and_then(|()| self.check_account(b)),
            (None, _) => Err(ImportError::NoConversation),
        }
    }

    /// Asks the server which of the names in these items it has, unless that is known.
    fn ask_for_names(&mut self, admin: &Admin, items: &[ExportedItem]) -> anyhow::Result<()> {
        let mut asked = Vec::new();
        for item in items {
            let (accounts, channels) = names_in(item);
            for name in accounts {
                if !self.accounts.contains_key(name) {
                    self.accounts.insert(name.clone(), false);
                    asked.push(account(name));
                }
            }
            for name in channels {
                if !self.channels.contains_key(name) {
                    self.channels.insert(name.clone(), false);
                    asked.push(channel(name));
                }
            }
        }
        for part in asked.chunks(MAX_NAMES) {
            let AdminReply::Known(known) = admin.request(AdminQuery::Known(part.to_vec()))? else {
                bail!("an unexpected answer")
            };
            for (item, is_known) in part.iter().zip(known).filter(|(_, is_known)| *is_known) {
                match item {
                    ExportedItem::Account(account) => {
                        self.accounts.insert(account.name.clone(), is_known);
                    }
                    ExportedItem::Channel(channel) => {
                        self.channels.insert(channel.name.clone(), is_known);
                    }
                    ExportedItem::Message(_) | ExportedItem::File(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// Returns the accounts and the channels that must be there before an item.
fn names_in(item: &ExportedItem) -> (Vec<&Nick>, Vec<&ChannelName>) {
    match item {
        ExportedItem::Account(_) => (Vec::new(), Vec::new()),
        ExportedItem::Channel(channel) => {
            (channel.members.iter().map(|member| &member.account).collect(), Vec::new())
        }
        ExportedItem::Message(message) => {
            let accounts = message.between.iter().chain([&message.from]);
            (accounts.collect(), message.channel.iter().collect())
        }
        ExportedItem::File(file) => {
            let shares = || file.shares.iter();
            let accounts = shares().flat_map(|share| &share.between).chain([&file.owner]);
            (accounts.collect(), shares().filter_map(|share| share.channel.as_ref()).collect())
        }
    }
}

/// An account of which only the name counts, for a query.
fn account(name: &Nick) -> ExportedItem {
    ExportedItem::Account(ExportedAccount {
        name: name.clone(),
        role: Role::Member,
        created: Timestamp(0),
        disabled: false,
        removed: false,
        metadata: BTreeMap::new(),
    })
}

/// A channel of which only the name counts, for a query.
fn channel(name: &ChannelName) -> ExportedItem {
    ExportedItem::Channel(ExportedChannel {
        name: name.clone(),
        created: Timestamp(0),
        creator: None,
        topic: None,
        modes: String::new(),
        key: None,
        limit: None,
        members: Vec::new(),
        lists: Vec::new(),
        archived: None,
        metadata: BTreeMap::new(),
    })
}
