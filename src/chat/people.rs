//! The accounts and their sessions.

use std::collections::HashMap;
use std::sync::Arc;

use super::audience::Audience;
use super::record::{Account, AccountId, ChannelId, Role};
use super::settings::USER_HOST;
use crate::wire::{Millis, Nick};

/// The number of the built-in account `echo`. The store keeps it a row, which no password opens.
pub const ECHO_ID: AccountId = AccountId(0);
/// The name of the built-in account that repeats what it is told.
pub const ECHO_NAME: &str = "echo";

/// An account with what is known of it while the server runs.
#[derive(Debug)]
pub struct Person {
    /// As it is kept.
    pub account: Account,
    /// `nick!user@host`.
    pub source: Arc<str>,
    /// The name given with USER at the latest login.
    pub realname: Arc<str>,
    /// The channels it is a member of, in the order of joining.
    pub channels: Vec<ChannelId>,
    /// Its sessions.
    pub seats: Audience,
    /// The away message, while it is away.
    pub away: Option<Arc<str>>,
    /// When its first session of now began.
    pub online_since: Millis,
    /// Which change of a password, counted over all accounts, was the last of its own; 0 for none since the start.
    pub password_change: u64,
    /// When it last said something.
    pub active: Millis,
}

impl Person {
    fn new(account: Account) -> Self {
        let nick = &account.name;
        Self {
            source: format!("{nick}!{nick}@{USER_HOST}").into(),
            realname: account.name.as_str().into(),
            channels: Vec::new(),
            seats: Audience::default(),
            away: None,
            online_since: Millis(0),
            password_change: 0,
            active: Millis(0),
            account,
        }
    }

    /// Its nick.
    pub fn nick(&self) -> &Nick {
        &self.account.name
    }

    /// Has it a session, or is it always there?
    pub fn is_online(&self) -> bool {
        !self.seats.seats().is_empty() || self.account.id == ECHO_ID
    }

    /// Does it run the server?
    pub fn is_admin(&self) -> bool {
        self.account.role == Role::Admin
    }

    /// What stands before its nick in a channel: `@` for an admin of the server, who may act anywhere.
    pub fn prefix(&self) -> &'static str {
        if self.is_admin() { "@" } else { "" }
    }
}

/// All accounts, by number and by name.
#[derive(Debug)]
pub struct People {
    by_id: HashMap<AccountId, Person>,
    by_name: HashMap<Nick, AccountId>,
}

impl People {
    /// With the built-in accounts and the given ones.
    #[expect(clippy::missing_panics_doc, reason = "a constant that is a valid nick")]
    pub fn new(accounts: Vec<Account>) -> Self {
        let mut people = Self { by_id: HashMap::new(), by_name: HashMap::new() };
        let echo = Nick::parse(ECHO_NAME).expect("a valid nick");
        people.put(Account { id: ECHO_ID, name: echo, role: Role::Member, disabled: false });
        for account in accounts {
            people.put(account);
        }
        people
    }

    /// Adds an account or changes what is kept of it.
    pub fn put(&mut self, account: Account) {
        if let Some(person) = self.by_id.get_mut(&account.id) {
            self.by_name.remove(&person.account.name);
            self.by_name.insert(account.name.clone(), account.id);
            person.account = account;
        } else {
            self.by_name.insert(account.name.clone(), account.id);
            self.by_id.insert(account.id, Person::new(account));
        }
    }

    /// Forgets an account.
    pub fn remove(&mut self, id: AccountId) -> Option<Person> {
        let person = self.by_id.remove(&id)?;
        self.by_name.remove(&person.account.name);
        Some(person)
    }

    /// The account of a number.
    pub fn get(&self, id: AccountId) -> Option<&Person> {
        self.by_id.get(&id)
    }

    /// The account of a number, to change.
    pub fn get_mut(&mut self, id: AccountId) -> Option<&mut Person> {
        self.by_id.get_mut(&id)
    }

    /// The account of a name; disabled ones cannot be found by it.
    pub fn named(&self, name: &Nick) -> Option<&Person> {
        self.by_name.get(name).and_then(|id| self.by_id.get(id)).filter(|person| !person.account.disabled)
    }
}
