//! `RPL_ISUPPORT`: the features that the server announces (<https://modern.ircdocs.horse/#rplisupport-005>). Each token
//! must agree with the code.

use crate::core::model::mask_lists::MaskLists;
use crate::core::settings::Settings;
use crate::wire::numeric::RPL_ISUPPORT;
use crate::wire::{BatchRef, Cap, CapSet, ChannelName, Nick, Reply, ServerName};

/// Maximum number of tokens in a line.
const MAX_TOKENS: usize = 13;

/// Text at the end of each line.
const TRAILING_TEXT: &str = "are supported by this server";

/// Bytes of tokens in a line, each with a space before it. With it a line has at most 512 bytes for every server name
/// and nick.
const MAX_TOKEN_BYTES: usize = 512
    - ":".len()
    - ServerName::MAX
    - " 005 ".len()
    - Nick::MAX
    - " :".len()
    - TRAILING_TEXT.len()
    - "\r\n".len();

/// Returns the lines of `RPL_ISUPPORT`, in a batch for a session that negotiated one
/// ([extended-isupport](https://ircv3.net/specs/extensions/extended-isupport)).
pub(in crate::core) fn replies(settings: &Settings, caps: CapSet) -> Vec<Reply> {
    let lines = lines(settings);
    if caps.has(Cap::Batch) && caps.has(Cap::ExtendedIsupport) {
        return Reply::batch(
            BatchRef::ISUPPORT,
            Reply::batch_start(BatchRef::ISUPPORT, "draft/isupport"),
            lines,
        );
    }
    lines
}

fn lines(settings: &Settings) -> Vec<Reply> {
    let mut lines = Vec::new();
    let mut line = Reply::numeric(RPL_ISUPPORT);
    let (mut count, mut room) = (0, MAX_TOKEN_BYTES);
    for token in tokens(settings) {
        let length = token.len() + 1;
        if count == MAX_TOKENS || length > room {
            lines.push(std::mem::replace(&mut line, Reply::numeric(RPL_ISUPPORT)).text(TRAILING_TEXT));
            (count, room) = (0, MAX_TOKEN_BYTES);
        }
        line = line.arg(token);
        count += 1;
        room = room.saturating_sub(length);
    }
    lines.push(line.text(TRAILING_TEXT));
    lines
}

/// Escapes a token's value (<https://modern.ircdocs.horse/#rplisupport-parameters>).
fn escape_value(value: &str) -> String {
    value.replace('\\', "\\x5C").replace('=', "\\x3D")
}

fn tokens(settings: &Settings) -> Vec<String> {
    let targets = Settings::MAX_TARGETS;
    let targmax =
        |list: &[&str]| list.iter().map(|name| format!("{name}:{targets}")).collect::<Vec<_>>().join(",");
    let multi_target = targmax(&["JOIN", "KICK", "NAMES", "NOTICE", "PART", "PRIVMSG", "TAGMSG"]);
    let mut tokens = vec![
        "ACCOUNTEXTBAN=a".to_owned(),
        format!("AWAYLEN={}", Settings::MAX_AWAY_BYTES),
        "BOT=B".to_owned(),
        "CASEMAPPING=ascii".to_owned(),
        format!("CHANLIMIT=#:{}", settings.channels_per_account),
        "CHANMODES=Ibe,k,l,Cimnst".to_owned(),
        format!("CHANNELLEN={}", ChannelName::MAX),
        "CHANTYPES=#".to_owned(),
        format!("CHATHISTORY={}", Settings::MAX_HISTORY_MESSAGES),
        "CLIENTTAGDENY=".to_owned(),
        "ELIST=CMNTU".to_owned(),
        "EXCEPTS=e".to_owned(),
        "EXTBAN=,am".to_owned(),
        format!("HOSTLEN={}", crate::core::settings::USER_HOST.len()),
        "INVEX=I".to_owned(),
        format!("KEYLEN={}", Settings::MAX_KEY_BYTES),
        format!("KICKLEN={}", Settings::MAX_REASON_BYTES),
        format!("LINELEN={}", settings.line_bytes),
        format!("MAXLIST=beI:{}", MaskLists::MAX_ENTRIES),
        format!("MODES={}", Settings::MAX_MODES),
        format!("MONITOR={}", Settings::MAX_MONITORED),
        "MSGREFTYPES=msgid,timestamp".to_owned(),
        format!("NAMELEN={}", Settings::MAX_REALNAME_BYTES),
        format!("NETWORK={}", settings.network),
        format!("NICKLEN={}", Nick::MAX),
        "PREFIX=(qohv)~@%+".to_owned(),
        "SAFELIST".to_owned(),
        "STATUSMSG=~@%+".to_owned(),
        format!("TARGMAX={multi_target},WHOIS:1"),
        format!("TOPICLEN={}", Settings::MAX_TOPIC_BYTES),
        format!("USERLEN={}", Nick::MAX),
        "UTF8ONLY".to_owned(),
        "WHOX".to_owned(),
        "draft/ACCOUNTREQUIRED".to_owned(),
    ];
    // https://soju.im/filehost, and the draft that was made of it.
    if let Some(url) = &settings.upload_url {
        let url = escape_value(url);
        tokens.extend([format!("draft/FILEHOST={url}"), format!("soju.im/FILEHOST={url}")]);
    }
    // https://ircv3.net/specs/extensions/network-icon
    tokens.extend(settings.icon.iter().map(|icon| format!("draft/ICON={}", escape_value(icon))));
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isupport_lines_fit_512_bytes_for_longest_names() {
        let name = format!("{}.{}", "a".repeat(30), "b".repeat(32));
        let server_name = ServerName::parse(&name).expect("a name");
        let icon = Some(format!("https://example.org/icon.svg?size={}", "9".repeat(160)).into());
        let network = "N".repeat(32).into();
        let settings = Settings { server_name, icon, network, line_bytes: 65_536, ..Settings::default() };
        let nick = "x".repeat(Nick::MAX);
        let replies = replies(&settings, CapSet::EMPTY);
        let lines: Vec<String> = replies.iter().map(|reply| reply.render(&name, &nick)).collect();
        assert!(lines.iter().all(|line| line.len() <= 512), "{lines:?}");
        let all = lines.concat();
        assert!(all.contains(" draft/ICON=https://example.org/icon.svg?size\\x3D999"), "{all}");
        let words = all.split(' ').filter(|word| word.contains("draft/ACCOUNTREQUIRED")).count();
        assert_eq!(words, 1);
    }
}
