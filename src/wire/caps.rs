//! IRCv3 capabilities and sets of them.

use std::fmt;

macro_rules! capabilities {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// An IRCv3 capability that the server offers.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Cap {
            $($(#[$doc])* $variant,)*
        }

        impl Cap {
            /// Every capability, in the order in which CAP LS lists them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Returns the name on the wire.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

capabilities! {
    // The most needed capabilities come first, because CAP LS for a client that knows only version 301 is cut at the
    // end of its one line.
    /// <https://ircv3.net/specs/extensions/sasl-3.2>
    Sasl = "sasl",
    /// <https://ircv3.net/specs/extensions/message-tags>
    MessageTags = "message-tags",
    /// <https://ircv3.net/specs/extensions/server-time>
    ServerTime = "server-time",
    /// <https://ircv3.net/specs/extensions/batch>
    Batch = "batch",
    /// <https://ircv3.net/specs/extensions/capability-negotiation>
    CapNotify = "cap-notify",
    /// <https://ircv3.net/specs/extensions/echo-message>
    EchoMessage = "echo-message",
    /// <https://ircv3.net/specs/extensions/labeled-response>
    LabeledResponse = "labeled-response",
    /// <https://ircv3.net/specs/extensions/multi-prefix>
    MultiPrefix = "multi-prefix",
    /// <https://ircv3.net/specs/extensions/account-tag>
    AccountTag = "account-tag",
    /// <https://ircv3.net/specs/extensions/account-notify>
    AccountNotify = "account-notify",
    /// <https://ircv3.net/specs/extensions/away-notify>
    AwayNotify = "away-notify",
    /// <https://ircv3.net/specs/extensions/extended-join>
    ExtendedJoin = "extended-join",
    /// <https://ircv3.net/specs/extensions/userhost-in-names>
    UserhostInNames = "userhost-in-names",
    /// <https://ircv3.net/specs/extensions/invite-notify>
    InviteNotify = "invite-notify",
    /// <https://ircv3.net/specs/extensions/setname>
    Setname = "setname",
    /// <https://ircv3.net/specs/extensions/chghost>
    Chghost = "chghost",
    /// <https://ircv3.net/specs/extensions/standard-replies>
    StandardReplies = "standard-replies",
    /// <https://ircv3.net/specs/extensions/account-registration>
    AccountRegistration = "draft/account-registration",
    /// <https://ircv3.net/specs/extensions/chathistory>
    Chathistory = "draft/chathistory",
    /// <https://ircv3.net/specs/extensions/chathistory>
    EventPlayback = "draft/event-playback",
    /// <https://ircv3.net/specs/extensions/read-marker>
    ReadMarker = "draft/read-marker",
    /// <https://ircv3.net/specs/extensions/message-redaction>
    MessageRedaction = "draft/message-redaction",
    /// <https://ircv3.net/specs/extensions/multiline>
    Multiline = "draft/multiline",
    /// <https://ircv3.net/specs/extensions/extended-monitor>
    ExtendedMonitor = "extended-monitor",
    /// <https://ircv3.net/specs/extensions/extended-monitor>, under its draft name
    ExtendedMonitorDraft = "draft/extended-monitor",
    /// <https://ircv3.net/specs/extensions/no-implicit-names>
    NoImplicitNames = "no-implicit-names",
    /// <https://ircv3.net/specs/extensions/no-implicit-names>, under its draft name
    NoImplicitNamesDraft = "draft/no-implicit-names",
    /// <https://ircv3.net/specs/extensions/no-implicit-names>, under the name of its first implementation
    NoImplicitNamesSoju = "soju.im/no-implicit-names",
    /// <https://ircv3.net/specs/extensions/metadata>, as revised since `draft/metadata-2`
    Metadata = "draft/metadata-3",
    /// <https://ircv3.net/specs/extensions/metadata>
    MetadataDraft = "draft/metadata-2",
    /// <https://ircv3.net/specs/extensions/pre-away>
    PreAway = "draft/pre-away",
    /// <https://ircv3.net/specs/extensions/extended-isupport>
    ExtendedIsupport = "draft/extended-isupport",
    /// <https://ircv3.net/specs/extensions/channel-rename>
    ChannelRename = "draft/channel-rename",
    /// <https://github.com/ircv3/ircv3-specifications/pull/603>
    Whoami = "draft/whoami",
    /// <https://codeberg.org/emersion/soju/src/branch/master/doc/ext/search.md>
    Search = "soju.im/search",
    /// <https://github.com/ircv3/ircv3-specifications/pull/496>
    SearchDraft = "draft/search",
    /// Send ids: a message may carry an id of the sender's own, and sending it twice has the effect of sending it once
    /// (ARCHITECTURE.md).
    SendId = "parlour/send-id",
    /// Invisible sessions: with it, `AWAY *` before the login makes a session that others do not see (docs/ircv3.md).
    Invisible = "parlour/invisible",
}

impl Cap {
    /// Returns the capability of that name. Names are case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|cap| cap.name() == name)
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CapSet(u64);

impl CapSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Bit that [`CapSet::supports_version_302`] reads, above the bits of the capabilities.
    const VERSION_302: u64 = 1 << 63;

    /// Returns the set of the given capabilities.
    pub const fn from_caps(caps: &[Cap]) -> Self {
        let mut bits = 0;
        let mut rest = caps;
        while let [first, others @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = others;
        }
        Self(bits)
    }

    /// Returns whether the set holds `cap`.
    pub const fn has(self, cap: Cap) -> bool {
        self.0 & (1 << (cap as u8)) != 0
    }

    /// Returns whether the set holds any of `caps`. Serves capabilities that have several names.
    pub fn has_any(self, caps: &[Cap]) -> bool {
        self.0 & Self::from_caps(caps).0 != 0
    }

    /// Returns whether the client accepts lines of more than 512 bytes. Clients with `draft/multiline` or
    /// `parlour/send-id` do.
    pub fn allows_long_lines(self) -> bool {
        self.has_any(&[Cap::Multiline, Cap::SendId])
    }

    /// Returns the set with `cap` added.
    #[must_use]
    pub const fn with(self, cap: Cap) -> Self {
        Self(self.0 | (1 << (cap as u8)))
    }

    /// Returns the set with `cap` removed.
    #[must_use]
    pub const fn without(self, cap: Cap) -> Self {
        Self(self.0 & !(1 << (cap as u8)))
    }

    /// Returns the set marked as that of a client that knows version 302 of capability negotiation.
    #[must_use]
    pub const fn with_version_302(self) -> Self {
        Self(self.0 | Self::VERSION_302)
    }

    /// Returns whether the client knows version 302 of capability negotiation. The mark stays once it is set.
    pub const fn supports_version_302(self) -> bool {
        self.0 & Self::VERSION_302 != 0
    }

    /// Returns the intersection of both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Iterates over the capabilities in the order of [`Cap::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Cap> {
        Cap::ALL.iter().copied().filter(move |&cap| self.has(cap))
    }
}

impl fmt::Display for CapSet {
    /// Writes the names, separated by spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, cap) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(cap.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_contain_added_capabilities() {
        let set = CapSet::from_caps(&[Cap::Sasl, Cap::Batch]);
        assert!(set.has(Cap::Sasl) && set.has(Cap::Batch) && !set.has(Cap::EchoMessage));
        assert_eq!(set.to_string(), "sasl batch");
        assert_eq!(set.without(Cap::Batch).with(Cap::Sasl), CapSet::from_caps(&[Cap::Sasl]));
        for &cap in Cap::ALL {
            assert_eq!(Cap::parse(cap.name()), Some(cap));
        }
        assert_eq!(Cap::parse("SASL"), None);
    }
}
