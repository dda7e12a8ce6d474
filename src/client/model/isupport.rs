//! The server's features as `RPL_ISUPPORT` states them (005, <https://modern.ircdocs.horse/#rplisupport-005>), as far
//! as the client uses them. The defaults are Parlour's own values.

use super::Model;

/// The ISUPPORT tokens that the client uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Isupport {
    /// `LINELEN`: limit of a line without its tags, CR LF included, in bytes.
    pub line_bytes: usize,
    /// `PREFIX`: modes that give a member status, each with its prefix, highest first.
    ranks: Vec<(char, char)>,
    /// `CHANMODES`, types A, B and C: list modes, modes that always have a parameter, modes that have one when set.
    kinds: [String; 3],
    /// `CHATHISTORY`: limit of messages in one result.
    pub page: Option<usize>,
    /// `MSGREFTYPES`: whether a message id can name a point of the history.
    pub ids: bool,
}

impl Default for Isupport {
    fn default() -> Self {
        Self {
            line_bytes: Model::LINE_BYTES,
            ranks: vec![('q', '~'), ('a', '&'), ('o', '@'), ('h', '%'), ('v', '+')],
            kinds: ["Ibe", "k", "l"].map(str::to_owned),
            page: None,
            ids: true,
        }
    }
}

impl Isupport {
    /// Limit of member statuses that the client accepts.
    const RANKS: usize = 16;

    /// Applies one token: `KEY` or `KEY=value`.
    pub fn token(&mut self, token: &str) {
        let (key, value) = token.split_once('=').unwrap_or((token, ""));
        match key {
            "LINELEN" => {
                self.line_bytes = value.parse().unwrap_or(self.line_bytes).max(Model::LINE_BYTES);
            }
            "PREFIX" => {
                let parts = value.strip_prefix('(').and_then(|value| value.split_once(')'));
                if let Some((modes, signs)) = parts {
                    self.ranks = modes.chars().zip(signs.chars()).take(Self::RANKS).collect();
                }
            }
            "CHANMODES" => {
                let mut kinds = value.split(',').map(str::to_owned);
                self.kinds = std::array::from_fn(|_| kinds.next().unwrap_or_default());
            }
            // 0 means that there is no limit.
            "CHATHISTORY" => self.page = value.parse().ok().filter(|most| *most > 0),
            "MSGREFTYPES" => self.ids = value.split(',').any(|kind| kind == "msgid"),
            _ => {}
        }
    }

    /// Returns the prefix of a member status mode, such as `@` for `o`.
    pub fn sign(&self, mode: char) -> Option<char> {
        self.ranks.iter().find(|(other, _)| *other == mode).map(|(_, sign)| *sign)
    }

    /// Returns the rank of a prefix, with 0 for the highest.
    pub fn order(&self, sign: char) -> Option<usize> {
        self.ranks.iter().position(|(_, other)| *other == sign)
    }

    /// Splits a name into the bare name and the prefixes before it.
    pub fn ranked<'a>(&self, name: &'a str) -> (&'a str, &'a str) {
        // The bound keeps a whole line of prefixes from being taken for a status.
        let ranks = name.chars().take(Self::RANKS).take_while(|c| self.order(*c).is_some());
        let bare = name.get(ranks.map(char::len_utf8).sum()..).unwrap_or_default();
        (bare, &name[..name.len() - bare.len()])
    }

    /// Returns whether a channel mode takes a parameter when it is set (`on`) or removed. Member status modes are not
    /// covered.
    pub fn has_parameter(&self, mode: char, on: bool) -> bool {
        let [list, always, set] = &self.kinds;
        list.contains(mode) || always.contains(mode) || on && set.contains(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies_valid_isupport_tokens_and_ignores_invalid() {
        let mut server = Isupport::default();
        for token in ["PREFIX", "PREFIX=ov", "LINELEN=x", "LINELEN=1", "CHATHISTORY=0", "CASEMAPPING=rfc1459"]
        {
            server.token(token);
        }
        assert_eq!(server, Isupport::default());
        for token in
            ["PREFIX=(Yov)!@+", "CHANMODES=IXbe,k,Ll,imnst", "CHATHISTORY=50", "MSGREFTYPES=timestamp"]
        {
            server.token(token);
        }
        assert_eq!(server.ranked("!@alice"), ("alice", "!@"));
        assert_eq!(server.ranked("~alice"), ("~alice", ""));
        assert_eq!((server.sign('o'), server.sign('q')), (Some('@'), None));
        assert!(server.has_parameter('X', false) && server.has_parameter('L', true));
        assert!(!server.has_parameter('L', false) && !server.has_parameter('n', true));
        assert_eq!((server.page, server.ids), (Some(50), false));
    }
}
