//! Directory: the channels and accounts that a server lists, kept for the quick switcher, the channel browser and
//! completion.

use crate::client::model::{Conversation, Event, Ticket};
use crate::client::screen::text::markup::plain_line;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::{Models, ServerState, Workspace};
use crate::wire::{ChannelName, Nick, Timestamp};

/// Age in milliseconds from which a list is queried anew when it is needed.
pub const MAX_AGE: u64 = 60_000;

/// Limit of a topic or real name on the screen, in bytes.
const MAX_TEXT_BYTES: usize = 300;

/// Limit of the accounts that are kept beside those of a further query.
const MAX_FOUND_ACCOUNTS: usize = 20_000;

/// Lists of one server.
#[derive(Debug, Default)]
pub struct Directory {
    /// Channels that the account may see, those with the most members first.
    pub channels: Listing<ListedChannel>,
    /// Accounts of the server, in alphabetical order.
    pub accounts: Listing<ListedAccount>,
    /// Set while the query in flight is for more accounts than those that are known.
    extends_accounts: bool,
}

/// List of a server, as far as it was received.
#[derive(Debug)]
pub struct Listing<T> {
    /// Content of the last complete reply.
    pub items: Vec<T>,
    /// Set if the list is longer than what is kept of it.
    pub is_partial: bool,
    /// Reason of the last failure.
    pub error: Option<String>,
    /// Time stamp of the last reply.
    fetched: Option<Timestamp>,
    /// Query in flight.
    ticket: Option<Ticket>,
}

/// Channel of a list. Its texts are safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedChannel {
    /// Name for commands.
    pub name: ChannelName,
    /// Name as shown.
    pub label: String,
    /// Count of the members that are online.
    pub members: u32,
    /// Topic; may be empty.
    pub topic: String,
    /// Name and topic in lower case, for filters.
    pub searchable: String,
}

/// Account of a list. Its texts are safe to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedAccount {
    /// Nick of the account.
    pub nick: Nick,
    /// Real name; empty if it equals the nick.
    pub realname: String,
    /// Set if it is online.
    pub online: bool,
}

/// Returns the channel that a search text names, with or without the `#`, where one may be made with that name.
pub fn channel_to_make(text: &str) -> Option<ChannelName> {
    let name = text.trim();
    let name = if name.starts_with('#') { name.to_owned() } else { format!("#{name}") };
    ChannelName::parse(&name).ok()
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { items: Vec::new(), is_partial: false, error: None, fetched: None, ticket: None }
    }
}

impl<T> Listing<T> {
    /// Returns whether a reply is on its way.
    pub fn is_loading(&self) -> bool {
        self.ticket.is_some()
    }

    /// Returns whether a reply has arrived.
    pub fn is_known(&self) -> bool {
        self.fetched.is_some()
    }

    fn is_due(&self, now: Timestamp, max_age: u64) -> bool {
        self.ticket.is_none() && self.fetched.is_none_or(|fetched| now.0.saturating_sub(fetched.0) >= max_age)
    }

    fn fill(&mut self, items: Vec<T>, is_complete: bool, now: Timestamp) {
        *self = Self { items, is_partial: !is_complete, error: None, fetched: Some(now), ticket: None };
    }

    /// Ends the query with this ticket. Returns whether there was one.
    fn fail(&mut self, ticket: Ticket, reason: &str) -> bool {
        let failed = self.ticket.take_if(|asked| *asked == ticket).is_some();
        if failed {
            self.error = Some(sanitize_line(reason, 200));
        }
        failed
    }
}

impl Directory {
    /// Forgets the queries of a connection that ended.
    pub(in crate::client::screen::workspace) fn reset_connection(&mut self) {
        (self.channels.ticket, self.accounts.ticket) = (None, None);
    }
}

impl Workspace {
    /// Queries the channels of a server, unless the list is younger than `max_age` milliseconds or on its way.
    pub fn query_channels(&mut self, server: usize, max_age: u64, models: Models<'_, '_>) {
        let (now, Some((state, model))) =
            (self.now, self.servers.get_mut(server).zip(models.get_mut(server)))
        else {
            return;
        };
        let listing = &mut state.directory.channels;
        if model.is_online() && listing.is_due(now, max_age) {
            listing.ticket = model.query_channels().ok();
        }
    }

    /// Queries the accounts of a server, unless the list is younger than `max_age` milliseconds or on its way.
    pub fn query_accounts(&mut self, server: usize, max_age: u64, models: Models<'_, '_>) {
        let (now, Some((state, model))) =
            (self.now, self.servers.get_mut(server).zip(models.get_mut(server)))
        else {
            return;
        };
        let listing = &mut state.directory.accounts;
        if model.is_online() && listing.is_due(now, max_age) {
            listing.ticket = model.query_accounts("*").ok().flatten();
            state.directory.extends_accounts = false;
        }
    }

    /// Queries the accounts whose name contains a text, where the server has more accounts than it lists at once. They
    /// are added to the known ones.
    pub fn find_accounts(&mut self, server: usize, text: &str, models: Models<'_, '_>) {
        let Some((state, model)) = self.servers.get_mut(server).zip(models.get_mut(server)) else { return };
        let Directory { accounts, extends_accounts, .. } = &mut state.directory;
        let text: String =
            text.chars().filter(|c| c.is_alphanumeric() || "_-".contains(*c)).take(32).collect();
        if accounts.is_partial && accounts.ticket.is_none() && !text.is_empty() && model.is_online() {
            accounts.ticket = model.query_accounts(&format!("*{text}*")).ok().flatten();
            *extends_accounts = accounts.ticket.is_some();
        }
    }

    /// Handles a list. Drops one that no query asked for.
    pub(in crate::client::screen::workspace) fn handle_listing(&mut self, server: usize, event: Event) {
        let now = self.now;
        let Some(ServerState { directory, .. }) = self.servers.get_mut(server) else { return };
        match event {
            Event::ChannelList { ticket, channels, is_complete } => {
                if directory.channels.ticket != Some(ticket) {
                    return;
                }
                let mut items: Vec<ListedChannel> = channels
                    .into_iter()
                    .map(|one| {
                        let label = sanitize_line(one.name.as_str(), 64);
                        let topic = plain_line(&one.topic, MAX_TEXT_BYTES);
                        let searchable = format!("{label} {topic}").to_lowercase();
                        ListedChannel { name: one.name, label, members: one.members, topic, searchable }
                    })
                    .collect();
                items.sort_by(|a, b| b.members.cmp(&a.members).then_with(|| a.name.cmp(&b.name)));
                directory.channels.fill(items, is_complete, now);
            }
            Event::AccountList { ticket, accounts, is_complete } => {
                if directory.accounts.ticket != Some(ticket) {
                    return;
                }
                let extends = std::mem::take(&mut directory.extends_accounts);
                let mut items: Vec<ListedAccount> = accounts
                    .into_iter()
                    .map(|one| {
                        let realname = sanitize_line(&one.realname, 64);
                        let realname = if realname == one.nick.as_str() { String::new() } else { realname };
                        ListedAccount { nick: one.nick, realname, online: one.online }
                    })
                    .collect();
                if extends {
                    let known = directory.accounts.items.drain(..);
                    items.extend(known.take(MAX_FOUND_ACCOUNTS));
                }
                // Of two entries for one account the first is the newer one.
                items.sort_by(|a, b| a.nick.cmp(&b.nick));
                items.dedup_by(|later, first| later.nick == first.nick);
                directory.accounts.fill(items, is_complete && !extends, now);
            }
            other => debug_assert!(false, "no list: {other:?}"),
        }
        self.directory_revision += 1;
    }

    /// Handles the failure of a query for a list. Returns whether it was one.
    pub(in crate::client::screen::workspace) fn handle_listing_failed(
        &mut self,
        server: usize,
        ticket: Ticket,
        reason: &str,
    ) -> bool {
        let Some(ServerState { directory, .. }) = self.servers.get_mut(server) else { return false };
        let failed = directory.channels.fail(ticket, reason) || directory.accounts.fail(ticket, reason);
        self.directory_revision += u64::from(failed);
        failed
    }

    /// Joins a channel of a server, and switches to it.
    pub fn join_channel(&mut self, server: usize, channel: &ChannelName, models: Models<'_, '_>) {
        if let Some(model) = models.get_mut(server) {
            model.join(channel);
        }
        self.switch_to((server, Conversation::Channel(channel.clone())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;

    fn label(fixture: &mut Fixture, command: &str) -> Option<String> {
        let sent = fixture.output();
        let line = sent.lines().find(|line| line.contains(command))?;
        Some(line.split(['=', ' ']).nth(1).expect("a label").to_owned())
    }

    fn query(fixture: &mut Fixture, max_age: u64) -> Option<String> {
        fixture.with(|context| context.workspace.query_channels(0, max_age, context.models));
        label(fixture, "LIST")
    }

    #[test]
    fn channels_are_queried_once_and_kept_for_a_while() {
        let mut fixture = Fixture::new();
        let asked = query(&mut fixture, MAX_AGE).expect("a query");
        assert_eq!(query(&mut fixture, 0), None, "one is on its way");
        fixture.lines(&[
            &format!("@label={asked} :s BATCH +r labeled-response"),
            "@batch=r :s 322 alice #small 1 :A \u{1b}[31m topic",
            "@batch=r :s 322 alice #big 9 :",
            "@batch=r :s 323 alice :End",
            "BATCH -r",
        ]);
        let listing = &fixture.workspace.servers[0].directory.channels;
        let names: Vec<&str> = listing.items.iter().map(|one| one.label.as_str()).collect();
        assert_eq!((names, listing.is_loading()), (vec!["#big", "#small"], false));
        assert!(!listing.items[1].topic.contains('\u{1b}'));
        assert_eq!(fixture.workspace.directory_revision, 1);
        assert_eq!(query(&mut fixture, MAX_AGE), None, "young enough");
        fixture.workspace.now = Timestamp(fixture.workspace.now.0 + MAX_AGE);
        assert!(query(&mut fixture, MAX_AGE).is_some());
    }

    #[test]
    fn more_accounts_are_found_by_name_where_the_list_is_cut() {
        let mut fixture = Fixture::new();
        fixture.with(|context| context.workspace.query_accounts(0, MAX_AGE, context.models));
        let asked = label(&mut fixture, "WHO * a%").expect("a query");
        let line = |n: usize| format!("@label={asked} :s 354 alice 1 user{n} H 0 :User {n}");
        let lines: Vec<String> = (0..500).map(line).collect();
        fixture.lines(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        fixture.lines(&[&format!("@label={asked} :s 315 alice * :End")]);
        assert!(fixture.workspace.servers[0].directory.accounts.is_partial);
        fixture.with(|context| context.workspace.find_accounts(0, "z*!o", context.models));
        let asked = label(&mut fixture, "WHO *zo* a%").expect("a query");
        fixture.lines(&[
            &format!("@label={asked} :s 354 alice 1 zoe D 0 :zoe"),
            &format!("@label={asked} :s 354 alice 1 user7 D 0 :User 7"),
            &format!("@label={asked} :s 315 alice *zo* :End"),
        ]);
        let accounts = &fixture.workspace.servers[0].directory.accounts;
        assert_eq!((accounts.items.len(), accounts.is_partial), (501, true));
        let online =
            |nick: &str| accounts.items.iter().find(|one| one.nick.as_str() == nick).map(|one| one.online);
        assert_eq!((online("zoe"), online("user7"), online("user8")), (Some(false), Some(false), Some(true)));
    }

    #[test]
    fn a_failed_query_says_why_and_a_broken_connection_ends_it() {
        let mut fixture = Fixture::new();
        let asked = query(&mut fixture, MAX_AGE).expect("a query");
        fixture.lines(&[&format!("@label={asked} FAIL LIST BUSY :Try again later")]);
        let listing = &fixture.workspace.servers[0].directory.channels;
        assert_eq!(listing.error.as_deref(), Some("Try again later"));
        assert!(query(&mut fixture, MAX_AGE).is_some());
        fixture.workspace.handle_disconnected(0, "gone", 1000);
        assert!(!fixture.workspace.servers[0].directory.channels.is_loading());
    }
}
