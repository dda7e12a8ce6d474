//! What a server says of itself (`RPL_ISUPPORT`, <https://modern.ircdocs.horse/#rplisupport-005>), as far as it matters
//! here. What it does not say is as Parlour has it.

use super::Model;

/// What a server is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Isupport {
    /// `LINELEN`: most bytes of a line without its tags, CR LF counted.
    pub line_bytes: usize,
    /// `PREFIX`: the modes that give a rank and the sign of each, the highest first.
    ranks: Vec<(char, char)>,
    /// `CHANMODES`: those of a list, which always have a parameter when one changes them; those that always have one;
    /// those that have one when they are set.
    kinds: [String; 3],
    /// `CHATHISTORY`: most messages of one answer.
    pub page: Option<usize>,
    /// `MSGREFTYPES`: may a point in the past be named by a message's id?
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
    /// Most signs of rank that are believed.
    const RANKS: usize = 16;

    /// Takes one token: `KEY` or `KEY=value`.
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
            // 0 is for no bound.
            "CHATHISTORY" => self.page = value.parse().ok().filter(|most| *most > 0),
            "MSGREFTYPES" => self.ids = value.split(',').any(|kind| kind == "msgid"),
            _ => {}
        }
    }

    /// The sign of a mode that gives a rank.
    pub fn sign(&self, mode: char) -> Option<char> {
        self.ranks.iter().find(|(other, _)| *other == mode).map(|(_, sign)| *sign)
    }

    /// Where a sign stands in the order of ranks, the highest first.
    pub fn order(&self, sign: char) -> Option<usize> {
        self.ranks.iter().position(|(_, other)| *other == sign)
    }

    /// A name without the signs of rank before it, and those.
    pub fn ranked<'a>(&self, name: &'a str) -> (&'a str, &'a str) {
        // As many as there can be, and not a whole line of them.
        let ranks = name.chars().take(Self::RANKS).take_while(|c| self.order(*c).is_some());
        let bare = name.get(ranks.map(char::len_utf8).sum()..).unwrap_or_default();
        (bare, &name[..name.len() - bare.len()])
    }

    /// Has a mode that is no rank a parameter when it is set, or taken away?
    pub fn has_parameter(&self, mode: char, on: bool) -> bool {
        let [list, always, set] = &self.kinds;
        list.contains(mode) || always.contains(mode) || on && set.contains(mode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_counts_and_nonsense_changes_nothing() {
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
