//! Lists of the server: the channels that the account may see (LIST), and the accounts (WHO). The lines of a list are
//! collected until it is complete.

use super::super::batches;
use super::super::event::{Event, ListReply, ListedAccount, ListedChannel, Ticket, WhoxReply};
use super::super::{Model, NotConnected};
use crate::wire::{Cap, ChannelName, Nick};

/// Limit of the channels or accounts kept of one list. The largest networks have about as many channels.
const MAX_LISTED: usize = 50_000;

/// Limit of the text kept of one list, in bytes.
const MAX_TEXT_BYTES: usize = 8 * 1024 * 1024;

/// Limit of one topic or real name, in bytes.
const MAX_FIELD_BYTES: usize = 500;

/// Limit of lists under construction. The client queries each kind one at a time.
const MAX_OPEN: usize = 8;

/// The count of accounts from which a server cuts its reply to a WHO with a mask.
const WHO_LIMIT: usize = 500;

/// The lists that have not ended.
#[derive(Debug, Default)]
pub(in crate::client::model) struct OpenListings(Vec<Listing>);

/// A list under construction.
#[derive(Debug)]
struct Listing {
    ticket: Ticket,
    /// Set if the server repeats the label of the query in its reply.
    labelled: bool,
    content: Content,
    text_bytes: usize,
    /// Set once a line was over the limits.
    truncated: bool,
}

#[derive(Debug)]
enum Content {
    Channels(Vec<ListedChannel>),
    Accounts(Vec<ListedAccount>),
}

impl OpenListings {
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Drops the list of a query that failed.
    pub fn cancel(&mut self, ticket: Ticket) {
        self.0.retain(|listing| listing.ticket != ticket);
    }

    /// Adds a line of a list of channels. Drops one that replies to another command.
    pub fn add_channel(&mut self, label: Option<&str>, reply: &ListReply) {
        let Some(at) = self.position(label, true) else { return };
        let Ok(name) = ChannelName::parse_foreign(&reply.channel) else { return };
        let Listing { content, text_bytes, truncated, .. } = &mut self.0[at];
        let Content::Channels(channels) = content else { return };
        let topic = truncate(&reply.topic);
        if channels.len() >= MAX_LISTED || *text_bytes + topic.len() > MAX_TEXT_BYTES {
            *truncated = true;
            return;
        }
        *text_bytes += topic.len();
        channels.push(ListedChannel { name, members: reply.members.parse().unwrap_or(0), topic });
    }

    /// Adds a line of a list of accounts. Drops one that replies to another command.
    pub fn add_account(&mut self, label: Option<&str>, reply: &WhoxReply) {
        let Some(at) = self.position(label, false) else { return };
        let Ok(nick) = Nick::parse_foreign(&reply.nick) else { return };
        let Listing { content, text_bytes, truncated, .. } = &mut self.0[at];
        let Content::Accounts(accounts) = content else { return };
        let realname = truncate(&reply.realname);
        if accounts.len() >= MAX_LISTED || *text_bytes + realname.len() > MAX_TEXT_BYTES {
            *truncated = true;
            return;
        }
        *text_bytes += realname.len();
        let online = reply.flags.starts_with(['H', 'G']);
        accounts.push(ListedAccount { nick, realname, online, is_admin: reply.flags.contains('*') });
    }

    /// Returns the position of the list that a line with this label belongs to. A server without labels replies to one
    /// command after the other, so its line belongs to the first list of the kind.
    fn position(&self, label: Option<&str>, channels: bool) -> Option<usize> {
        let of_kind = |listing: &Listing| matches!(listing.content, Content::Channels(_)) == channels;
        let ticket = batches::ticket(label);
        let matches = |one: &Listing| if one.labelled { ticket == Some(one.ticket) } else { label.is_none() };
        self.0.iter().position(|one| of_kind(one) && matches(one))
    }
}

impl Model {
    /// Queries all channels that the account may see. The result is an [`Event::ChannelList`].
    pub fn query_channels(&mut self) -> Result<Ticket, NotConnected> {
        let ticket = self.send_query(|line| line, "LIST")?;
        self.open_listing(ticket, Content::Channels(Vec::new()));
        Ok(ticket)
    }

    /// Queries the accounts whose nick or real name matches a mask, also those that are offline. The result is an
    /// [`Event::AccountList`]. Returns `None` on a server that lists no accounts to everybody.
    pub fn query_accounts(&mut self, mask: &str) -> Result<Option<Ticket>, NotConnected> {
        if self.online && !self.caps.has(Cap::SendId) {
            return Ok(None);
        }
        let ticket = self.send_query(|line| line.arg(mask).arg("a%tnflr,1"), "WHO")?;
        self.open_listing(ticket, Content::Accounts(Vec::new()));
        Ok(Some(ticket))
    }

    fn open_listing(&mut self, ticket: Ticket, content: Content) {
        if self.listings.0.len() >= MAX_OPEN {
            self.listings.0.remove(0);
        }
        let labelled = self.caps.has(Cap::LabeledResponse);
        self.listings.0.push(Listing { ticket, labelled, content, text_bytes: 0, truncated: false });
    }

    /// Emits a list that is complete.
    pub(in crate::client::model) fn finish_listing(&mut self, label: Option<&str>, channels: bool) {
        let Some(at) = self.listings.position(label, channels) else { return };
        let Listing { ticket, content, truncated, .. } = self.listings.0.remove(at);
        self.queries.close(ticket);
        self.events.push_back(match content {
            Content::Channels(channels) => Event::ChannelList { ticket, channels, is_complete: !truncated },
            Content::Accounts(accounts) => {
                let is_complete = !truncated && accounts.len() < WHO_LIMIT;
                Event::AccountList { ticket, accounts, is_complete }
            }
        });
    }
}

fn truncate(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_FIELD_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CapSet, Message, Timestamp};

    fn model(caps: CapSet) -> Model {
        let mut model = Model::new("run".into());
        model.connected(Nick::parse("alice").expect("a nick"), caps);
        model.take_output(&mut Vec::new());
        model
    }

    fn handle(model: &mut Model, line: &str) {
        model.handle(&Message::parse(line).expect(line), Timestamp(1));
    }

    fn events(model: &mut Model) -> Vec<Event> {
        std::iter::from_fn(|| model.next_event()).collect()
    }

    #[test]
    fn labelled_lines_make_a_list_and_others_do_not() {
        let mut model = model(CapSet::from_caps(Cap::ALL));
        let ticket = model.query_channels().expect("online");
        handle(&mut model, &format!("@label={} :s BATCH +r labeled-response", ticket.0));
        for line in [
            "@batch=r :s 321 alice Channel :Users  Name",
            "@batch=r :s 322 alice #b 12 :Tea",
            "@batch=r :s 322 alice nonsense 1 :no channel",
            ":s 322 alice #other 3 :of another command",
            "@batch=r :s 322 alice #a x :",
            "@batch=r :s 323 alice :End of /LIST",
            "BATCH -r",
        ] {
            handle(&mut model, line);
        }
        let listed = |name, members, topic: &str| ListedChannel {
            name: ChannelName::parse(name).expect(name),
            members,
            topic: topic.to_owned(),
        };
        // The line without a label is a reply to none of the queries.
        let expected = vec![listed("#b", 12, "Tea"), listed("#a", 0, "")];
        let lists: Vec<Event> =
            events(&mut model).into_iter().filter(|e| matches!(e, Event::ChannelList { .. })).collect();
        assert_eq!(lists, [Event::ChannelList { ticket, channels: expected, is_complete: true }]);
        assert!(model.listings.0.is_empty());
    }

    #[test]
    fn accounts_are_listed_with_their_presence() {
        let mut model = model(CapSet::from_caps(Cap::ALL));
        let ticket = model.query_accounts("*").expect("online").expect("Parlour");
        let mut sent = Vec::new();
        model.take_output(&mut sent);
        assert!(String::from_utf8_lossy(&sent).contains(" WHO * a%tnflr,1\r\n"));
        let label = ticket.0;
        handle(&mut model, &format!("@label={label} :s 354 alice 1 bob H*B 5 :Bob"));
        handle(&mut model, &format!("@label={label} :s 354 alice 1 carol D 0 :Carol"));
        handle(&mut model, &format!("@label={label} :s 315 alice * :End"));
        let Some(Event::AccountList { accounts, is_complete: true, .. }) = events(&mut model).pop() else {
            panic!()
        };
        let seen: Vec<_> = accounts.iter().map(|one| (one.nick.as_str(), one.online, one.is_admin)).collect();
        assert_eq!(seen, [("bob", true, true), ("carol", false, false)]);
    }

    #[test]
    fn lists_are_bounded() {
        let mut model = model(CapSet::from_caps(Cap::ALL));
        let ticket = model.query_channels().expect("online");
        let topic = "x".repeat(4000);
        for n in 0..MAX_LISTED + 5 {
            let reply = ListReply { channel: format!("#c{n}"), members: "1".into(), topic: topic.clone() };
            model.listings.add_channel(Some(&ticket.0.to_string()), &reply);
        }
        assert!(model.listings.0[0].text_bytes <= MAX_TEXT_BYTES && model.listings.0[0].truncated);
        for _ in 0..20 {
            model.query_channels().expect("online");
        }
        assert_eq!(model.listings.0.len(), MAX_OPEN);
    }

    #[test]
    fn without_labels_the_only_list_is_meant_and_a_refusal_ends_it() {
        let mut bare = model(CapSet::EMPTY);
        let ticket = bare.query_channels().expect("online");
        handle(&mut bare, ":s 322 alice #b 12 :Tea");
        handle(&mut bare, ":s 323 alice :End");
        assert!(matches!(&events(&mut bare)[..], [Event::ChannelList { ticket: of, .. }] if *of == ticket));
        assert_eq!(bare.query_accounts("*"), Ok(None));
        let mut full = model(CapSet::from_caps(Cap::ALL));
        let ticket = full.query_channels().expect("online");
        handle(&mut full, &format!("@label={} FAIL LIST TEMPORARILY_UNAVAILABLE :busy", ticket.0));
        assert!(matches!(&events(&mut full)[..], [Event::QueryFailed { .. }]));
        assert!(full.listings.0.is_empty());
    }
}
