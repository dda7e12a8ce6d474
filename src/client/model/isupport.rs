//! The server's features as `RPL_ISUPPORT` states them (005, <https://modern.ircdocs.horse/#rplisupport-005>), as far
//! as the client uses them. The defaults are Parlour's own values.

use super::Model;

/// The ISUPPORT tokens that the client uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Isupport {
    /// `LINELEN`: limit of a line without its tags, CR LF included, in bytes.
    pub line_bytes: usize,
    /// `PREFIX`: modes that give a member status, highest first.
    status_modes: Vec<StatusMode>,
    /// `CHANMODES`, types A, B and C: list modes, modes that always have a parameter, modes that have one when set.
    channel_mode_types: [String; 3],
    /// `CHATHISTORY`: limit of messages in one result.
    pub history_page: Option<usize>,
    /// `NETWORK`: the name of the network, as received.
    pub network: Option<String>,
    /// `KEYLEN`: limit of a channel key, in bytes.
    pub key_bytes: Option<usize>,
    /// `TOPICLEN`: limit of a topic, in bytes.
    pub topic_bytes: Option<usize>,
    /// `KICKLEN`: limit of the reason of a KICK, in bytes.
    pub kick_bytes: Option<usize>,
    /// `AWAYLEN`: limit of an away message, in bytes.
    pub away_bytes: Option<usize>,
    /// `NAMELEN`: limit of a full name, in bytes.
    pub full_name_bytes: Option<usize>,
    /// `draft/FILEHOST`: the address to which files are sent.
    pub upload_url: Option<String>,
    /// `MSGREFTYPES`: whether a message id can name a point of the history.
    pub msgid_refs: bool,
}

/// A mode that gives a member status, and its prefix in lists of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StatusMode {
    mode: char,
    prefix: char,
}

/// A name in a list of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PrefixedName<'a> {
    /// The name without prefixes.
    pub name: &'a str,
    /// The prefixes of the member's status, highest first.
    pub prefixes: &'a str,
}

impl Default for Isupport {
    fn default() -> Self {
        Self {
            line_bytes: Model::LINE_BYTES,
            status_modes: status_modes("qaohv", "~&@%+"),
            channel_mode_types: ["Ibe", "k", "l"].map(str::to_owned),
            history_page: None,
            network: None,
            key_bytes: None,
            topic_bytes: None,
            kick_bytes: None,
            away_bytes: None,
            full_name_bytes: None,
            upload_url: None,
            msgid_refs: true,
        }
    }
}

impl Isupport {
    /// Applies one token: `KEY` or `KEY=value`.
    pub fn apply_token(&mut self, token: &str) {
        let (key, value) = token.split_once('=').unwrap_or((token, ""));
        match key {
            "LINELEN" => {
                self.line_bytes = value.parse().unwrap_or(self.line_bytes).max(Model::LINE_BYTES);
            }
            "PREFIX" => {
                let parts = value.strip_prefix('(').and_then(|value| value.split_once(')'));
                if let Some((modes, prefixes)) = parts {
                    self.status_modes = status_modes(modes, prefixes);
                }
            }
            "CHANMODES" => {
                let mut kinds = value.split(',').map(str::to_owned);
                self.channel_mode_types = std::array::from_fn(|_| kinds.next().unwrap_or_default());
            }
            // 0 means that there is no limit.
            "CHATHISTORY" => self.history_page = positive(value),
            "NETWORK" if value.len() <= MAX_NETWORK_BYTES => {
                // The only escape of a value that occurs in names (https://modern.ircdocs.horse/#rplisupport-parameters).
                self.network = Some(value.replace("\\x20", " ")).filter(|name| !name.is_empty());
            }
            "KEYLEN" => self.key_bytes = positive(value),
            "TOPICLEN" => self.topic_bytes = positive(value),
            "KICKLEN" => self.kick_bytes = positive(value),
            "AWAYLEN" => self.away_bytes = positive(value),
            "NAMELEN" => self.full_name_bytes = positive(value),
            "draft/FILEHOST" | "soju.im/FILEHOST" if value.len() <= MAX_UPLOAD_URL_BYTES => {
                self.upload_url = Some(value.to_owned()).filter(|url| url.starts_with("https://"));
            }
            "MSGREFTYPES" => self.msgid_refs = value.split(',').any(|kind| kind == "msgid"),
            _ => {}
        }
    }

    /// Returns the prefix of a member status mode, such as `@` for `o`.
    pub fn prefix_of_mode(&self, mode: char) -> Option<char> {
        self.status_modes.iter().find(|status| status.mode == mode).map(|status| status.prefix)
    }

    /// Returns the rank of a prefix, with 0 for the highest.
    pub fn prefix_order(&self, prefix: char) -> Option<usize> {
        self.status_modes.iter().position(|status| status.prefix == prefix)
    }

    /// Splits the prefixes off a name.
    pub fn split_prefixes<'a>(&self, name: &'a str) -> PrefixedName<'a> {
        // The bound keeps a whole line of prefixes from being taken for a status.
        let prefixes = name.chars().take(MAX_STATUS_MODES).take_while(|c| self.prefix_order(*c).is_some());
        let (prefixes, name) = name.split_at(prefixes.map(char::len_utf8).sum());
        PrefixedName { name, prefixes }
    }

    /// Returns whether a channel mode takes a parameter when it is set (`on`) or removed. Member status modes are not
    /// covered.
    pub fn takes_parameter(&self, mode: char, on: bool) -> bool {
        let [list, always, set] = &self.channel_mode_types;
        list.contains(mode) || always.contains(mode) || on && set.contains(mode)
    }
}

/// Limit of the address to which files are sent, in bytes: the longest host name, a port and a path.
const MAX_UPLOAD_URL_BYTES: usize = 512;

/// Limit of the name of a network, in bytes.
const MAX_NETWORK_BYTES: usize = 200;

/// Limit of member statuses that the client accepts.
const MAX_STATUS_MODES: usize = 16;

/// Parses a limit; 0 and anything else than a number is none.
fn positive(value: &str) -> Option<usize> {
    value.parse().ok().filter(|limit| *limit > 0)
}

fn status_modes(modes: &str, prefixes: &str) -> Vec<StatusMode> {
    let pairs = modes.chars().zip(prefixes.chars()).take(MAX_STATUS_MODES);
    pairs.map(|(mode, prefix)| StatusMode { mode, prefix }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_valid_isupport_tokens_and_ignores_invalid() {
        let mut server = Isupport::default();
        for token in ["PREFIX", "PREFIX=ov", "LINELEN=x", "LINELEN=1", "CHATHISTORY=0", "CASEMAPPING=rfc1459"]
        {
            server.apply_token(token);
        }
        assert_eq!(server, Isupport::default());
        for token in
            ["PREFIX=(Yov)!@+", "CHANMODES=IXbe,k,Ll,imnst", "CHATHISTORY=50", "MSGREFTYPES=timestamp"]
        {
            server.apply_token(token);
        }
        let alice = PrefixedName { name: "alice", prefixes: "!@" };
        assert_eq!(server.split_prefixes("!@alice"), alice);
        assert_eq!(server.split_prefixes("~alice"), PrefixedName { name: "~alice", prefixes: "" });
        assert_eq!((server.prefix_of_mode('o'), server.prefix_of_mode('q')), (Some('@'), None));
        assert!(server.takes_parameter('X', false) && server.takes_parameter('L', true));
        assert!(!server.takes_parameter('L', false) && !server.takes_parameter('n', true));
        assert_eq!((server.history_page, server.msgid_refs), (Some(50), false));
        server.apply_token("NETWORK=The\\x20House");
        assert_eq!(server.network.as_deref(), Some("The House"));
    }
}
