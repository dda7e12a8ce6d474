//! Accounts that a request names, as far as the client and a lookup of these accounts know them: whether they exist, and
//! whether a ban or a mute holds them.

use super::modes::split_mute;
use super::numerics;
use crate::client::model::Model;
use crate::client::model::event::{ServerEvent, WhoxReply};
use crate::client::model::requests::mode_changes::{ListedAccount, Listing, listed_accounts};
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
    listed_accounts(words).into_iter().filter_map(note).collect()
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
    let prefixes = model.channel(channel)?.members.get(account)?;
    let (is, command) = match prefixes.chars().next()? {
        '~' => return Some(format!("{account} is a founder of {channel}, whom no {list} holds")),
        '&' | '@' => ("is an operator of", "deop"),
        '%' => ("is a half-operator of", "dehalfop"),
        '+' => ("has voice in", "devoice"),
        _ => return None,
    };
    let remedy = format!("/{command} {account} takes that status");
    Some(format!("{account} {is} {channel} and writes in spite of a {list}; {remedy}"))
}

/// Explains the ban or mute that keeps this account from writing in a channel that it is in.
pub(super) fn own_ban(channel: &ChannelName, replies: &[ServerEvent], model: &Model) -> Option<String> {
    let me = model.me()?;
    let has_status = model.channel(channel)?.members.get(me).is_some_and(|prefixes| !prefixes.is_empty());
    // On Parlour everybody's user name is the nick, and their host is the same.
    let source = format!("{me}!{me}@parlour");
    let holds = |mask: &str| match mask.strip_prefix("a:") {
        Some(account) => Nick::parse(account).is_ok_and(|account| account == *me),
        None => Mask::parse(mask).is_ok_and(|mask| mask.matches(&source)),
    };
    let bans = numerics(replies).filter(|reply| reply.code == numeric::RPL_BANLIST);
    let held = bans.map(|reply| split_mute(reply.param(1))).filter(|(_, mask)| holds(mask));
    let is_mute = held.map(|(is_mute, _)| is_mute).min().filter(|_| !has_status)?;
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

fn find_who<'a>(account: &Nick, replies: &'a [ServerEvent]) -> Option<&'a WhoxReply> {
    replies.iter().find_map(|reply| match reply {
        ServerEvent::WhoxReply(who) => {
            Nick::parse_foreign(&who.nick).is_ok_and(|nick| nick == *account).then_some(who)
        }
        _ => None,
    })
}
