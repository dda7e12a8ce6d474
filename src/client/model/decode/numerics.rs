//! Decoding of numeric replies. Their first parameter is this account's nick.

use super::{error, metadata};
use crate::client::model::event::{
    Away, ErrorCode, ListReply, Names, NumericReply, Presence, ServerEvent, Topic, WhoReply, WhoxReply,
};
use crate::wire::numeric::{self, Numeric};
use crate::wire::{ChannelName, Message, Nick};

/// Idle time, in seconds, from which an account has never sent a message. Such an account counts as idle since 1970, and
/// twenty years exceed any real value.
const UNKNOWN_IDLE: u64 = 20 * 365 * 86_400;

/// Decodes a numeric reply. Returns `None` for one that is malformed, or that has no news for the user.
pub(super) fn decode(code: Numeric, line: &Message<'_>) -> Option<ServerEvent> {
    let channel = |index: usize| ChannelName::parse_foreign(line.param(index)?).ok();
    let nick = |index: usize| Nick::parse_foreign(line.param(index)?).ok();
    let text = |index: usize| line.param(index).unwrap_or_default().to_owned();
    Some(match code {
        numeric::RPL_ISUPPORT => {
            ServerEvent::Isupport(line.params().iter().skip(1).map(|&token| token.to_owned()).collect())
        }
        numeric::RPL_UMODEIS => ServerEvent::UserModes(text(1)),
        numeric::RPL_NAMREPLY => ServerEvent::Names(Names { channel: channel(2)?, names: text(3) }),
        numeric::RPL_ENDOFNAMES => ServerEvent::NamesEnd(channel(1)?),
        numeric::RPL_TOPIC => ServerEvent::TopicReply(Topic { channel: channel(1)?, text: text(2) }),
        numeric::RPL_NOTOPIC => ServerEvent::TopicReply(Topic { channel: channel(1)?, text: String::new() }),
        // `<channel> <user> <host> <server> <nick> <flags> :<hops> <realname>`
        numeric::RPL_WHOREPLY => ServerEvent::WhoReply(WhoReply {
            nick: nick(5)?,
            is_away: line.param(6).is_some_and(|flags| flags.starts_with('G')),
            channel: text(1),
            flags: text(6),
            realname: line
                .param(7)
                .and_then(|text| text.split_once(' '))
                .map_or("", |(_, name)| name)
                .to_owned(),
        }),
        numeric::RPL_WHOSPCRPL => {
            // With the fields `tcnflr` there is one parameter more than with `tnflr`.
            let channel = usize::from(line.params().len() > 6);
            ServerEvent::WhoxReply(WhoxReply {
                token: text(1),
                channel: if channel == 1 { text(2) } else { String::new() },
                nick: text(2 + channel),
                flags: text(3 + channel),
                idle: text(4 + channel).parse().ok().filter(|idle| *idle < UNKNOWN_IDLE),
                realname: text(5 + channel),
            })
        }
        numeric::RPL_ENDOFWHO => ServerEvent::WhoEnd,
        numeric::RPL_LIST => {
            ServerEvent::ListReply(ListReply { channel: text(1), members: text(2), topic: text(3) })
        }
        numeric::RPL_LISTEND => ServerEvent::ListEnd,
        numeric::RPL_AWAY => ServerEvent::Away(Away {
            nick: nick(1)?,
            message: line.param(2).map(str::to_owned),
            is_reply: true,
        }),
        numeric::RPL_UNAWAY => ServerEvent::OwnAway(false),
        numeric::RPL_NOWAWAY => ServerEvent::OwnAway(true),
        numeric::RPL_MONONLINE | numeric::RPL_MONOFFLINE => {
            let sources = line.param(1).unwrap_or_default().split(',');
            let nicks =
                sources.filter_map(|source| Nick::parse_foreign(source.split('!').next()?).ok()).collect();
            ServerEvent::Presence(Presence { nicks, online: code == numeric::RPL_MONONLINE })
        }
        numeric::RPL_KEYVALUE => metadata(line.params().get(1..)?, true)?,
        numeric::RPL_KEYNOTSET => metadata(line.params().get(1..)?, false)?,
        // `<target> [<seconds>]`: a client that must wait gets the values with the next change.
        numeric::RPL_METADATASYNCLATER => match line.param(2) {
            None | Some("0") => ServerEvent::MetadataSync(text(1)),
            Some(_) => return None,
        },
        // The head of the list of channels.
        Numeric(321) => return None,
        Numeric(400..=421 | 423..=599)
        | numeric::ERR_INVALIDMODEPARAM
        | numeric::ERR_TOOMANYKNOCK
        | numeric::ERR_CHANOPEN
        | numeric::ERR_KNOCKONCHAN
        | numeric::ERR_MONLISTFULL
        | numeric::ERR_SASLFAIL
        | numeric::ERR_SASLTOOLONG
        | numeric::ERR_SASLABORTED
        | numeric::ERR_SASLALREADY => error(ErrorCode::Numeric(code), line, 1)?,
        _ => ServerEvent::Reply(NumericReply {
            code,
            params: line.params().iter().skip(1).map(|&param| param.to_owned()).collect(),
        }),
    })
}
