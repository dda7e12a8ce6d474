//! Invite links: everything that somebody new needs, in one line to paste.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use super::address::{Address, AddressError};
use super::pin::{Pin, PinError};
use super::token::{Token, TokenError};

/// `parlour://HOST:PORT,HOST2:PORT/?pin=…&token=…`: where the server is, how to know it, and the right to
/// make an account there. One that resets an account's password has its name too: `&for=NAME`.
///
/// The token stands last and has a fixed length, so a link that was cut off anywhere is noticed.
///
/// The link carries a secret, so `Debug` hides the token. `Display` writes the whole link. Parameters
/// that this version does not know are passed over, so that later ones can say more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteLink {
    /// The server's addresses, the likeliest first; 1 to [`InviteLink::MAX_ADDRESSES`].
    pub addresses: Vec<Address>,
    /// The pin of the server's root certificate.
    pub pin: Pin,
    /// The account whose password it resets, as a hint: what the token is for, the server knows.
    pub account: Option<String>,
    /// The token that the server spends when the account is made.
    pub token: Token,
}

/// Why a text is no invite link. Each message says what to do, and is whole: there is no `source`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It does not start with `parlour://`.
    #[error("an invite link starts with `parlour://`; copy the whole link, from there to its end")]
    Scheme,
    /// The link ends before its `pin` or `token`.
    #[error("the invite link has no {0}: it was cut off; copy it again, in quotes on a command line")]
    Missing(&'static str),
    /// A parameter occurs twice.
    #[error("the invite link has two of {0}: it was altered; ask for a new one")]
    Twice(&'static str),
    /// No address, or too many.
    #[error("the invite link names {0} addresses, not 1 to {max}: ask for a new one", max = InviteLink::MAX_ADDRESSES)]
    Addresses(usize),
    /// An address does not parse.
    #[error("the invite link has a bad address: {0}; ask for a new one")]
    Address(AddressError),
    /// The pin does not parse.
    #[error("the invite link's pin is damaged: {0}; copy the link again, whole")]
    Pin(PinError),
    /// The account's name does not parse.
    #[error("the invite link's account name is damaged; copy the link again, whole")]
    Account,
    /// The token does not parse.
    #[error("the invite link's token is damaged: {0}; copy the link again, whole")]
    Token(TokenError),
}

impl InviteLink {
    /// The scheme of the link.
    pub const SCHEME: &'static str = "parlour://";

    /// A machine has a handful of addresses; a link with more would not fit a QR code or a chat line.
    pub const MAX_ADDRESSES: usize = 16;

    /// Most characters of an account's name in a link; servers have shorter ones.
    pub const MAX_NAME: usize = 64;
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::SCHEME)?;
        for (at, address) in self.addresses.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{address}")?;
        }
        write!(f, "/?pin={}", self.pin)?;
        if let Some(account) = &self.account {
            f.write_str("&for=")?;
            account.bytes().try_for_each(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => f.write_char(char::from(byte)),
                // Brackets and bars, which a name may have and which chats take for the end of a link.
                _ => write!(f, "%{byte:02X}"),
            })?;
        }
        write!(f, "&token={}", self.token)
    }
}

impl FromStr for InviteLink {
    type Err = InviteError;

    fn from_str(text: &str) -> Result<Self, InviteError> {
        let text = text.trim();
        let rest = match text.split_at_checked(Self::SCHEME.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(Self::SCHEME) => rest,
            _ => return Err(InviteError::Scheme),
        };
        let (hosts, query) = rest.split_once('?').ok_or(InviteError::Missing("pin"))?;
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
        // An empty list is one empty name when split.
        let count = if hosts.is_empty() { 0 } else { hosts.split(',').count() };
        if !(1..=Self::MAX_ADDRESSES).contains(&count) {
            return Err(InviteError::Addresses(count));
        }
        let addresses =
            hosts.split(',').map(str::parse).collect::<Result<_, _>>().map_err(InviteError::Address)?;
        let pin = parameter(query, "pin")?.parse().map_err(InviteError::Pin)?;
        let account = match parameter(query, "for") {
            Ok(text) => Some(decode(text).ok_or(InviteError::Account)?),
            Err(InviteError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        let token = parameter(query, "token")?.parse().map_err(InviteError::Token)?;
        Ok(Self { addresses, pin, account, token })
    }
}

/// Takes `%XX` out of an account's name, which is short and of visible ASCII characters.
fn decode(text: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '%' {
            let digits = rest.get(1..3).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            name.push(char::from(u8::from_str_radix(digits, 16).ok()?));
            rest = rest.get(3..)?;
        } else {
            name.push(c);
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    (!name.is_empty() && name.len() <= InviteLink::MAX_NAME && name.chars().all(|c| c.is_ascii_graphic()))
        .then_some(name)
}

/// The value of the one parameter of that name.
fn parameter<'a>(query: &'a str, name: &'static str) -> Result<&'a str, InviteError> {
    let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(key, _)| *key == name);
    let (_, value) = values.next().ok_or(InviteError::Missing(name))?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(InviteError::Twice(name)),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    const PIN: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    const TOKEN: &str = "CQkJCQkJCQkJCQkJCQkJCQ";

    fn link() -> String {
        format!("parlour://chat.example.org:6697,[::1]:7000/?pin={PIN}&token={TOKEN}")
    }

    #[test]
    fn a_link_reads_as_it_is_written() {
        let parsed: InviteLink = link().parse().expect("a link");
        assert_eq!(parsed.to_string(), link());
        assert_eq!(parsed.addresses.len(), 2);
        assert_eq!(parsed.pin, Pin::new([7; 32]));
        assert!(!format!("{parsed:?}").contains(TOKEN));
    }

    #[test]
    fn what_pasting_does_to_a_link_is_forgiven() {
        let parsed: InviteLink = link().parse().expect("a link");
        for same in [
            format!("  {}\n", link()),
            link().replace("parlour://", "PARLOUR://"),
            link().replace("/?", "?"),
            format!("{}&later=1&flag", link()),
            format!("parlour://chat.example.org,[::1]:7000/?token={TOKEN}&pin={PIN}"),
        ] {
            assert_eq!(same.parse(), Ok(parsed.clone()), "{same}");
        }
    }

    #[test]
    fn damaged_links_say_how() {
        let error = |text: &str| text.parse::<InviteLink>().expect_err(text);
        assert_eq!(error(""), InviteError::Scheme);
        assert_eq!(error("https://example.org/?pin=x"), InviteError::Scheme);
        assert_eq!(error("parlour:/ä"), InviteError::Scheme);
        assert_eq!(error("parlour://host"), InviteError::Missing("pin"));
        assert_eq!(error(&format!("parlour:///?pin={PIN}&token={TOKEN}")), InviteError::Addresses(0));
        let many = "a,".repeat(16) + "a";
        assert_eq!(error(&format!("parlour://{many}/?pin={PIN}&token={TOKEN}")), InviteError::Addresses(17));
        assert_eq!(error(&format!("parlour://host/?token={TOKEN}")), InviteError::Missing("pin"));
        // An unquoted `&` in a shell cuts the link here.
        assert_eq!(error(&format!("parlour://host/?pin={PIN}")), InviteError::Missing("token"));
        assert_eq!(error(&format!("{}&pin={PIN}", link())), InviteError::Twice("pin"));
        assert_eq!(error(&link().replace(PIN, &PIN[1..])), InviteError::Pin(PinError::Text));
        assert!(matches!(error(&link().replace(":6697", ":x")), InviteError::Address(_)));
    }

    #[test]
    fn a_link_cut_anywhere_is_refused() {
        for link in [link(), reset()] {
            for end in 0..link.len() {
                assert!(link[..end].parse::<InviteLink>().is_err(), "{}", &link[..end]);
            }
        }
    }

    fn reset() -> String {
        link().replace("&token", "&for=zoe%5Baway%5D&token")
    }

    #[test]
    fn a_reset_says_for_whom() {
        let parsed: InviteLink = reset().parse().expect("a link");
        assert_eq!((parsed.account.as_deref(), parsed.to_string()), (Some("zoe[away]"), reset()));
        for bad in
            ["for=&", "for=%&", "for=%4&", "for=%4g&", "for=%+1&", "for=a%20b&", "for=%C3%A9&", "for=a%0A&"]
        {
            let damaged = reset().replace("for=zoe%5Baway%5D&", bad);
            assert_eq!(damaged.parse::<InviteLink>(), Err(InviteError::Account), "{bad}");
        }
        assert_eq!(format!("{}&for=a", reset()).parse::<InviteLink>(), Err(InviteError::Twice("for")));
    }

    proptest! {
        #[test]
        fn every_link_reads_back(
            hosts in prop::collection::vec((any::<IpAddr>(), 1..=u16::MAX), 1..=16),
            pin: [u8; 32],
            account in prop::option::of("[!-~]{1,64}"),
        ) {
            let addresses = hosts
                .iter()
                .map(|(ip, port)| Address::new(&ip.to_string(), *port).expect("an IP address"))
                .collect();
            let link = InviteLink { addresses, pin: Pin::new(pin), account, token: Token::random() };
            prop_assert_eq!(link.to_string().parse(), Ok(link));
        }

        #[test]
        fn no_text_breaks_it(text in "(parlour://)?\\PC*") {
            let _ = text.parse::<InviteLink>();
        }
    }
}
