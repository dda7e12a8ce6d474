//! What `RPL_ISUPPORT` says, each token true of what the server does
//! (<https://modern.ircdocs.horse/#rplisupport-005>).

use super::batched;
use super::lists::Lists;
use super::settings::{SERVER_NAME, Settings};
use crate::wire::numeric::RPL_ISUPPORT;
use crate::wire::{Cap, CapSet, ChannelName, Nick, Reply};

/// Most tokens of one line.
const TOKENS: usize = 13;

/// The lines of `RPL_ISUPPORT` to the client that is known as `nick`, in a batch for those that know of it
/// ([extended-isupport](https://ircv3.net/specs/extensions/extended-isupport)).
pub(super) fn lines(settings: &Settings, caps: CapSet, nick: &str) -> Vec<String> {
    let replies = replies(settings);
    if caps.has(Cap::Batch) && caps.has(Cap::ExtendedIsupport) {
        return batched::lines("i", "draft/isupport", &replies, nick);
    }
    replies.iter().map(|reply| reply.render(SERVER_NAME, nick)).collect()
}

fn replies(settings: &Settings) -> Vec<Reply> {
    tokens(settings)
        .chunks(TOKENS)
        .map(|chunk| {
            let line = chunk.iter().fold(Reply::numeric(RPL_ISUPPORT), super::super::wire::reply::Reply::arg);
            line.text("are supported by this server")
        })
        .collect()
}

fn tokens(settings: &Settings) -> Vec<String> {
    let targets = Settings::TARGETS;
    let kinds =
        |list: &[&str]| list.iter().map(|name| format!("{name}:{targets}")).collect::<Vec<_>>().join(",");
    let several = kinds(&["JOIN", "KICK", "NAMES", "NOTICE", "PART", "PRIVMSG", "TAGMSG"]);
    vec![
        "ACCOUNTEXTBAN=a".to_owned(),
        format!("AWAYLEN={}", Settings::AWAY_BYTES),
        "BOT=B".to_owned(),
        "CASEMAPPING=ascii".to_owned(),
        format!("CHANLIMIT=#:{}", settings.channels_per_account),
        "CHANMODES=Ibe,k,l,Cimnst".to_owned(),
        format!("CHANNELLEN={}", ChannelName::MAX),
        "CHANTYPES=#".to_owned(),
        format!("CHATHISTORY={}", Settings::HISTORY),
        "CLIENTTAGDENY=".to_owned(),
        "ELIST=CMNTU".to_owned(),
        "EXCEPTS=e".to_owned(),
        "EXTBAN=,am".to_owned(),
        format!("HOSTLEN={}", super::settings::USER_HOST.len()),
        "INVEX=I".to_owned(),
        format!("KEYLEN={}", Settings::KEY_BYTES),
        format!("KICKLEN={}", Settings::REASON_BYTES),
        format!("LINELEN={}", settings.line_bytes),
        format!("MAXLIST=beI:{}", Lists::MOST),
        format!("MODES={}", Settings::MODES),
        format!("MONITOR={}", Settings::MONITORED),
        "MSGREFTYPES=msgid,timestamp".to_owned(),
        format!("NAMELEN={}", Settings::REALNAME_BYTES),
        format!("NETWORK={}", settings.network),
        format!("NICKLEN={}", Nick::MAX),
        "PREFIX=(qohv)~@%+".to_owned(),
        "SAFELIST".to_owned(),
        "STATUSMSG=~@%+".to_owned(),
        format!("TARGMAX={several},WHOIS:1"),
        format!("TOPICLEN={}", Settings::TOPIC_BYTES),
        format!("USERLEN={}", Nick::MAX),
        "UTF8ONLY".to_owned(),
        "WHOX".to_owned(),
        "draft/ACCOUNTREQUIRED".to_owned(),
    ]
}
