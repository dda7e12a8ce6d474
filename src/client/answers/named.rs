//! Accounts that a request names, as far as the client and a lookup of these accounts know them: whether they exist, and
//! whether a ban or a mute holds them.

use super::modes::{readable_mask, split_mute};
use super::numerics;
use super::rights::may_take_status;
use crate::client::model::Model;
use crate::client::model::event::{ServerEvent, WhoxReply};
use crate::client::model::requests::mode_changes::{
    ListedAccount, Listing, listed_accounts, parse_mode_changes,
};
use crate::client::model::requests::{ChannelRequest, ServerRequest};
use crate::wire::{ChannelName, Mask, Nick, numeric};

/// Returns what speaks against a request that its user is asked about, as sentences without their full stops, such as
/// `no account is called bobb; check the name`. `replies` are those to the lookup of the accounts; none before it.
pub fn doubts(request: &ServerRequest, replies: &[ServerEvent], model: &Model) -> Vec<String> {
    let mut doubts = Vec::new();
    for account in request.named_accounts() {
        if existence(&account, replies) == Existence::Missing {
            doubts.push(format!("no account is called {account}; check the name"));
        } else if let ServerRequest::Kill { .. } = request
            && find_who(&account, replies).is_some_and(|who| who.flags.starts_with('D'))
        {
            doubts.push(format!("{account} is not online"));
        }
    }
    if let ServerRequest::Channel(channel, ChannelRequest::Change(words)) = request {
        let listed = listed_accounts(words);
        doubts.extend(listed.iter().filter_map(|listed| immunity(listed, channel, replies, model)));
        doubts.extend(excepted_members(words, &listed, channel, replies, model));
    }
    doubts
}

/// Returns the notes about a change of modes that was made: whom it does not hold, and who stays in the channel.
pub(super) fn notes_on_change(
    words: &[String],
    channel: &ChannelName,
    replies: &[ServerEvent],
    model: &Model,
) -> Vec<String> {
    let note = |listed: ListedAccount| {
        immunity(&listed, channel, replies, model).or_else(|| {
            let ListedAccount { account, listing } = listed;
            let is_here = model.channel(channel).is_some_and(|here| here.members.contains_key(&account));
            (listing == Listing::Ban && is_here).then(|| {
                format!("{account} stays in {channel} and reads along; /kick {account} removes them")
            })
        })
    };
    let listed = listed_accounts(words);
    let excepted = excepted_members(words, &listed, channel, replies, model);
    listed.into_iter().filter_map(note).chain(excepted).collect()
}

/// Names the members that a ban of a mask does not hold, because they are excepted from bans. `listed` has the accounts
/// that are banned by their plain names, which have sentences of their own.
fn excepted_members(
    words: &[String],
    listed: &[ListedAccount],
    channel: &ChannelName,
    replies: &[ServerEvent],
    model: &Model,
) -> Option<String> {
    /// Limit of the names.
    const MAX_NAMED: usize = 3;
    let changes = parse_mode_changes(words).into_iter().filter(|change| change.on && change.letter == 'b');
    let masks: Vec<&str> = changes.filter_map(|change| change.value).map(|mask| split_mute(mask).1).collect();
    let is_listed = |member: &Nick| listed.iter().any(|listed| listed.account == *member);
    let excepted: Vec<&str> = model
        .channel(channel)?
        .members
        .keys()
        .filter(|member| !is_listed(member) && masks.iter().any(|mask| mask_holds(mask, member)))
        .filter(|member| find_exception(member, replies).is_some())
        .map(Nick::as_str)
        .take(MAX_NAMED + 1)
        .collect();
    let names = match excepted.as_slice() {
        [] => return None,
        [named @ .., _] if named.len() >= MAX_NAMED => format!("{} and others are", named.join(", ")),
        [one] => format!("{one} is"),
        all => format!("{} are", all.join(", ")),
    };
    Some(format!(
        "{names} excepted from bans in {channel}, so it does not hold for them; /bans lists the exceptions"
    ))
}

/// Returns the exception, among the replies, by which no ban and no mute holds an account.
fn find_exception<'a>(account: &Nick, replies: &'a [ServerEvent]) -> Option<&'a str> {
    let exceptions = numerics(replies).filter(|reply| reply.code == numeric::RPL_EXCEPTLIST);
    exceptions.map(|reply| reply.param(1)).find(|mask| mask_holds(mask, account))
}

/// Returns whether a mask matches an account of Parlour, where everybody's user name is the nick, and their host is the
/// same.
fn mask_holds(mask: &str, account: &Nick) -> bool {
    if let Some(name) = mask.strip_prefix("a:") {
        return Nick::parse(name).is_ok_and(|name| name == *account);
    }
    let source = format!("{account}!{account}@parlour");
    Mask::parse(mask).is_ok_and(|mask| mask.matches(&source))
}

/// Explains why a ban or mute does not hold an account, according to its role and its member status.
fn immunity(
    listed: &ListedAccount,
    channel: &ChannelName,
    replies: &[ServerEvent],
    model: &Model,
) -> Option<String> {
    let ListedAccount { account, listing } = listed;
    let list = match listing {
        Listing::Ban => "ban",
        Listing::Mute => "mute",
        Listing::Exception => return None,
    };
    if find_who(account, replies).is_some_and(|who| who.flags.contains('*')) {
        return Some(format!("{account} is an admin of the server, whom no {list} holds"));
    }
    let known = model.channel(channel);
    let prefixes = known.and_then(|known| known.members.get(account)).map_or("", String::as_str);
    let (is, command) = match prefixes.chars().next() {
        Some('~') => return Some(format!("{account} is a founder of {channel}, whom no {list} holds")),
        Some('&' | '@') => ("is an operator of", "deop"),
        Some('%') => ("is a half-operator of", "dehalfop"),
        Some('+') => ("has voice in", "devoice"),
        _ => {
            let mask = find_exception(account, replies)?;
            let by =
                if readable_mask(mask) == account.as_str() { String::new() } else { format!(" by {mask}") };
            return Some(format!(
                "{account} is excepted from bans in {channel}{by}, so no {list} holds them; /mode {channel} -e {mask} ends \
                 the exception"
            ));
        }
    };
    let remedy = if may_take_status(prefixes, channel, model) {
        format!("/{command} {account} takes that status")
    } else {
        format!("ask one of its operators to take that status (/names {channel})")
    };
    Some(format!("{account} {is} {channel} and writes in spite of a {list}; {remedy}"))
}

/// Explains the ban or mute that keeps this account from writing in a channel that it is in.
pub(super) fn own_ban(channel: &ChannelName, replies: &[ServerEvent], model: &Model) -> Option<String> {
    let me = model.me()?;
    let has_status = model.channel(channel)?.members.get(me).is_some_and(|prefixes| !prefixes.is_empty());
    let bans = numerics(replies).filter(|reply| reply.code == numeric::RPL_BANLIST);
    let held = bans.map(|reply| split_mute(reply.param(1))).filter(|(_, mask)| mask_holds(mask, me));
    let is_free = has_status || find_exception(me, replies).is_some();
    let is_mute = held.map(|(is_mute, _)| is_mute).min().filter(|_| !is_free)?;
    let (is, command) = if is_mute { ("muted", "unmute-user") } else { ("banned", "unban") };
    Some(format!(
        "you are {is} in {channel} and may only read; ask one of its operators (/names {channel}) to lift that \
         (/{command} {me})"
    ))
}

/// Existence of an account, as far as the replies to a WHO tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existence {
    Known,
    Missing,
    Unknown,
}

pub(super) fn existence(account: &Nick, replies: &[ServerEvent]) -> Existence {
    if find_who(account, replies).is_some() {
        Existence::Known
    } else if replies.contains(&ServerEvent::WhoEnd) {
        Existence::Missing
    } else {
        Existence::Unknown
    }
}

/// Returns the accounts on the list of a channel, according to a change of modes, that do not exist.
pub(super) fn missing_accounts(words: &[String], replies: &[ServerEvent]) -> Vec<Nick> {
    let listed = listed_accounts(words).into_iter().map(|listed| listed.account);
    listed.filter(|account| existence(account, replies) == Existence::Missing).collect()
}

/// Returns the reply to WHO about an account.
pub(super) fn find_who<'a>(account: &Nick, replies: &'a [ServerEvent]) -> Option<&'a WhoxReply> {
    replies.iter().find_map(|reply| match reply {
        ServerEvent::WhoxReply(who) => {
            Nick::parse_foreign(&who.nick).is_ok_and(|nick| nick == *account).then_some(who)
        }
        _ => None,
    })
}
