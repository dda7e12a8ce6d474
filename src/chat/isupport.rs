//! What `RPL_ISUPPORT` says, each token true of what the server does
//! (<https://modern.ircdocs.horse/#rplisupport-005>).

use super::settings::Settings;
use crate::wire::numeric::RPL_ISUPPORT;
use crate::wire::{ChannelName, Nick, Reply};

/// Most tokens of one line.
const TOKENS: usize = 13;

/// The lines of `RPL_ISUPPORT`.
pub(super) fn replies(settings: &Settings) -> Vec<Reply> {
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
    vec![
        format!("AWAYLEN={}", Settings::AWAY_BYTES),
        "CASEMAPPING=ascii".to_owned(),
        format!("CHANLIMIT=#:{}", settings.channels_per_account),
        "CHANMODES=b,,,n".to_owned(),
        format!("CHANNELLEN={}", ChannelName::MAX),
        "CHANTYPES=#".to_owned(),
        format!("HOSTLEN={}", super::settings::USER_HOST.len()),
        format!("LINELEN={}", settings.line_bytes),
        "MODES=1".to_owned(),
        format!("NAMELEN={}", Settings::REALNAME_BYTES),
        format!("NETWORK={}", settings.network),
        format!("NICKLEN={}", Nick::MAX),
        "PREFIX=(o)@".to_owned(),
        format!(
            "TARGMAX=JOIN:{targets},PART:{targets},PRIVMSG:{targets},NOTICE:{targets},TAGMSG:{targets},NAMES:{targets},WHOIS:1"
        ),
        format!("TOPICLEN={}", Settings::TOPIC_BYTES),
        format!("USERLEN={}", Nick::MAX),
        "UTF8ONLY".to_owned(),
    ]
}
