//! Invite links: everything that a new user needs, in one line to paste.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::address::Address;
use super::link_extraction;
use crate::trust::pin::Pin;
use crate::trust::token::Token;

/// An invite link: `parlour://HOST:PORT,HOST2:PORT/?pin=…&token=…`. It holds the server's addresses, its pin, and the
/// token that admits a new account. A link that resets an account's password also has that account's name: `&for=NAME`.
///
/// The token is last and has a fixed length, so a link that was cut off anywhere is noticed.
///
/// The link carries a secret, so `Debug` hides the token. `Display` writes the whole link. Unknown parameters are
/// ignored, so that later versions can add some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InviteLink {
    /// The server's addresses, the likeliest first; 1 to [`InviteLink::MAX_ADDRESSES`].
    pub addresses: Vec<Address>,
    /// Pin of the server's root certificate.
    pub pin: Pin,
    /// Account whose password the link resets. Only a hint: the server knows what the token is for.
    pub account: Option<String>,
    /// Token that the server redeems when the account is made.
    pub token: Token,
}

/// Error of parsing an [`InviteLink`]. Each message is complete and says what to do; there is no `source`. None quotes
/// the text, which may hold the token wherever it was damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// The text does not start with `parlour://`.
    #[error(
        "an invite link starts with `parlour://`, and this does not; copy the whole link, from there to its end"
    )]
    Scheme,
    /// The link ends before its `pin` or `token`.
    #[error("the invite link has no {0}: it was cut off; copy it again, in quotes on a command line")]
    Missing(&'static str),
    /// A parameter occurs twice.
    #[error("the invite link has two of {0}: it was altered; ask for a new one")]
    Duplicate(&'static str),
    /// The link has no address, or too many.
    #[error("the invite link names {0} addresses, not 1 to {max}: ask for a new one", max = InviteLink::MAX_ADDRESSES)]
    Addresses(usize),
    /// The address at this position, counted from 1, does not parse.
    #[error("address {0} of the invite link is damaged; copy the link again, whole")]
    Address(usize),
    /// The pin does not parse.
    #[error(
        "the invite link's pin is damaged: it is not 43 letters, digits, `-` or `_`; copy the link again, whole"
    )]
    Pin,
    /// The account's name does not parse.
    #[error("the invite link's account name is damaged; copy the link again, whole")]
    Account,
    /// There are several links, and they differ.
    #[error("the text has two different invite links; copy one of them alone")]
    DifferentLinks,
    /// The token does not parse.
    #[error(
        "the invite link's token is damaged: it is not 22 letters, digits, `-` or `_`; copy the link again, whole"
    )]
    Token,
}

impl InviteLink {
    /// The scheme of the link.
    pub const SCHEME_PREFIX: &'static str = "parlour://";

    /// Maximum count of addresses. A machine has a handful; a link with more would not fit a QR code or a chat line.
    pub const MAX_ADDRESSES: usize = 16;

    /// Maximum length of an account's name in a link, in characters; servers have shorter ones.
    pub const MAX_NAME_CHARS: usize = 64;
}

impl fmt::Display for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::SCHEME_PREFIX)?;
        for (at, address) in self.addresses.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            // The percent sign of a zone stands escaped in a URI (RFC 6874).
            write!(f, "{comma}{}", address.to_string().replace('%', "%25"))?;
        }
        write!(f, "/?pin={}", self.pin)?;
        if let Some(account) = &self.account {
            f.write_str("&for=")?;
            account.bytes().try_for_each(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => f.write_char(char::from(byte)),
                // A name may have brackets and bars, which chat programs take for the end of a link.
                _ => write!(f, "%{byte:02X}"),
            })?;
        }
        write!(f, "&token={}", self.token)
    }
}

impl FromStr for InviteLink {
    type Err = InviteError;

    /// Parses a link as it was pasted: folded, in brackets or quotes, followed by the end of a sentence, or escaped.
    fn from_str(text: &str) -> Result<Self, InviteError> {
        let mut refused = InviteError::Scheme;
        for reading in link_extraction::link_readings(text, Self::SCHEME_PREFIX) {
            let mut found: Option<Self> = None;
            for link in reading {
                match Self::parse_first_valid(&link) {
                    // The shown text of a link need not be its target.
                    Ok(link) if found.as_ref().is_some_and(|found| *found != link) => {
                        return Err(InviteError::DifferentLinks);
                    }
                    Ok(link) => found = Some(link),
                    // The error of the reading that parsed furthest says most.
                    Err(error) if error.parse_progress() >= refused.parse_progress() => refused = error,
                    Err(_) => {}
                }
            }
            if let Some(link) = found {
                return Ok(link);
            }
        }
        Err(refused)
    }
}

impl InviteError {
    /// Returns true if the text may be a part of a link that continues on more lines.
    pub fn may_be_incomplete(&self) -> bool {
        !matches!(self, Self::Scheme | Self::Duplicate(_) | Self::DifferentLinks)
    }

    /// Ranks the error by how much of the link was parsed before it.
    fn parse_progress(&self) -> u8 {
        match self {
            Self::Scheme => 0,
            Self::Missing("pin") => 1,
            Self::Addresses(_) | Self::Address(_) => 2,
            Self::Pin | Self::Duplicate("pin") => 3,
            Self::Account | Self::Duplicate("for") => 4,
            Self::Missing(_) | Self::Token | Self::Duplicate(_) => 5,
            Self::DifferentLinks => 6,
        }
    }
}

impl InviteLink {
    /// Returns the first of several texts that parses as a link, or the error of the one that parsed furthest.
    fn parse_first_valid(texts: &[Zeroizing<String>]) -> Result<Self, InviteError> {
        let mut refused = InviteError::Scheme;
        for text in texts {
            match Self::parse_exact(text) {
                Ok(link) => return Ok(link),
                Err(error) if error.parse_progress() >= refused.parse_progress() => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    /// Parses a link that stands alone.
    fn parse_exact(text: &str) -> Result<Self, InviteError> {
        let rest = match text.split_at_checked(Self::SCHEME_PREFIX.len()) {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case(Self::SCHEME_PREFIX) => rest,
            _ => return Err(InviteError::Scheme),
        };
        let (hosts, query) = rest.split_once('?').ok_or(InviteError::Missing("pin"))?;
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts);
        // Splitting an empty list returns one empty name.
        let count = if hosts.is_empty() { 0 } else { hosts.split(',').count() };
        if !(1..=Self::MAX_ADDRESSES).contains(&count) {
            return Err(InviteError::Addresses(count));
        }
        let address = |(at, text): (usize, &str)| {
            text.replace("%25", "%").parse().map_err(|_| InviteError::Address(at + 1))
        };
        let addresses = hosts.split(',').enumerate().map(address).collect::<Result<_, _>>()?;
        let pin = trim_trailing_text(query_parameter(query, "pin")?, Pin::TEXT_LENGTH)
            .parse()
            .map_err(|_| InviteError::Pin)?;
        let account = match query_parameter(query, "for") {
            Ok(text) => Some(decode_account_name(text).ok_or(InviteError::Account)?),
            Err(InviteError::Missing(_)) => None,
            Err(error) => return Err(error),
        };
        let token = trim_trailing_text(query_parameter(query, "token")?, Token::TEXT_LENGTH);
        let token = token.parse().map_err(|_| InviteError::Token)?;
        Ok(Self { addresses, pin, account, token })
    }
}

/// Returns a pin or token of this length without the punctuation, bracket, quote or padding that follows it.
fn trim_trailing_text(text: &str, length: usize) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    match text.split_at_checked(length) {
        // Chat programs mark up words with these.
        Some((text, "_" | "__" | "-")) => text,
        _ => text,
    }
}

/// Decodes the `%XX` escapes of an account's name. Returns `None` unless it is short and of visible ASCII characters.
fn decode_account_name(text: &str) -> Option<String> {
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
    (!name.is_empty()
        && name.len() <= InviteLink::MAX_NAME_CHARS
        && name.chars().all(|c| c.is_ascii_graphic()))
    .then_some(name)
}

/// Returns the value of the only parameter of that name.
fn query_parameter<'a>(query: &'a str, name: &'static str) -> Result<&'a str, InviteError> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let (_, value) = values.next().ok_or(InviteError::Missing(name))?;
    match values.next() {
        None => Ok(value),
        Some(_) => Err(InviteError::Duplicate(name)),
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
    fn printed_link_parses_back() {
        let parsed: InviteLink = link().parse().expect("a link");
        assert_eq!(parsed.to_string(), link());
        assert_eq!(parsed.addresses.len(), 2);
        assert_eq!(parsed.pin, Pin::new([7; 32]));
        assert!(!format!("{parsed:?}").contains(TOKEN));
    }

    #[test]
    fn parses_links_altered_by_pasting() {
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
    fn parses_links_altered_by_mail_and_chat() {
        let parsed: InviteLink = link().parse().expect("a link");
        let link_text = link();
        let (start, end) = link_text.split_at(100);
        for same in [
            format!("<{}>", link()),
            format!("\"{}\"", link()),
            format!("\u{201c}{}\u{201d}", link()),
            format!("({})", link()),
            format!("[the link]({})", link()),
            format!("[{}]({})", link(), link()),
            format!("[{}](<{}>)", link(), link()),
            format!("[{}…]({}).", &link()[..40], link()),
            format!("<{}|{}>", link(), link()),
            format!("{} <{}>", link(), link()),
            format!("<a href=\"{}\">{}</a>", link(), link()),
            format!("<a href='{}' target=\"_blank\">Open</a>", link().replace('&', "&amp;")),
            format!("<a href={}>here</a>", link()),
            format!("href=&quot;{}&quot;&gt;here", link().replace('&', "&amp;")),
            format!("{})", link()),
            format!("{}\"", link()),
            format!("{}')", link()),
            format!("{}».", link()),
            format!("parlour://chat.example.org,[::1]:7000/?token={TOKEN}&pin={PIN})."),
            format!("_{}_", link()),
            format!("`{}`", link()),
            format!("{}.", link()),
            format!("{},", link()),
            format!("{}!", link()),
            format!("{}=", link()),
            format!("{}==", link()),
            format!("{}%3D", link()),
            format!("Hi! Here it is: {} - see you there.", link()),
            format!("Hi!\n\n{start}\n{end}\n\nSee you"),
            format!("Hi!\r\n\r\n> {start}\r\n> {end}\r\n>\r\n> See you"),
            format!("{start}=\n{end}"),
            format!("{start} {end}"),
            format!("{start}\u{200b}{end}\u{feff}"),
            format!("{start}\u{a0}{end}"),
            link().replace("parlour://", "parlour:\n//"),
            link().replace('&', "&amp;"),
            link().replace('&', "&#38;"),
            link().replace('=', "=3D"),
            link().replace('=', "%3D"),
            link().replace('=', "=3D").replace("/?", "/?=\n"),
            link().replace("token=", "token=\n"),
            link().replace("token=", "TOKEN=").replace("pin=", "Pin=").replace("parlour", "Parlour"),
            link()
                .replace(':', "%3A")
                .replace('/', "%2F")
                .replace('?', "%3F")
                .replace('=', "%3D")
                .replace('&', "%26"),
            format!(
                "https://away.example/?to={}",
                link()
                    .replace('=', "%253D")
                    .replace('&', "%2526")
                    .replace(':', "%253A")
                    .replace('/', "%252F")
                    .replace('?', "%253F")
            ),
        ] {
            assert_eq!(same.parse(), Ok(parsed.clone()), "{same}");
        }
        let other = link().replace("chat", "evil");
        for two in [format!("[{}]({other})", link()), format!("<a href=\"{other}\">{}</a>", link())] {
            assert_eq!(two.parse::<InviteLink>(), Err(InviteError::DifferentLinks), "{two}");
        }
        let dashes = link().replace(TOKEN, "CQkJCQkJCQkJ--kJCQkJCQ");
        assert_eq!(dashes.replace("--", "\u{2014}").parse::<InviteLink>(), dashes.parse());
    }

    #[test]
    fn errors_do_not_quote_the_link() {
        let secret = &TOKEN[..12];
        for bad in [
            TOKEN.to_owned(),
            format!("token={TOKEN}"),
            format!("parlour://{TOKEN}"),
            format!("parlour://token={TOKEN}/?pin=x&token=x"),
            format!("parlour://host:{TOKEN}/?pin=x"),
            format!("parlour://host/?pin={TOKEN}&token=x"),
            format!("parlour://host/?for={TOKEN}%&pin={PIN}&token=x"),
            link().replace(TOKEN, &format!("{TOKEN}x")),
            link().replace(TOKEN, &TOKEN[1..]),
            link().replace('?', ""),
            link().replace("parlour", "http"),
        ] {
            let error = bad.parse::<InviteLink>().expect_err(&bad);
            assert!(!format!("{error} {error:?}").contains(secret), "{bad}: {error}");
        }
    }

    #[test]
    fn damaged_link_error_names_the_part() {
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
        assert_eq!(error(&format!("{}&pin={PIN}", link())), InviteError::Duplicate("pin"));
        assert_eq!(error(&link().replace(PIN, &PIN[1..])), InviteError::Pin);
        assert_eq!(error(&link().replace(":6697", ":x")), InviteError::Address(1));
        assert_eq!(error(&link().replace(":7000", ":x")), InviteError::Address(2));
    }

    #[test]
    fn rejects_truncated_link() {
        for link in [link(), reset_link()] {
            for end in 0..link.len() {
                assert!(link[..end].parse::<InviteLink>().is_err(), "{}", &link[..end]);
            }
        }
    }

    fn reset_link() -> String {
        link().replace("&token", "&for=zoe%5Baway%5D&token")
    }

    #[test]
    fn reset_link_names_the_account() {
        let parsed: InviteLink = reset_link().parse().expect("a link");
        assert_eq!((parsed.account.as_deref(), parsed.to_string()), (Some("zoe[away]"), reset_link()));
        for bad in
            ["for=&", "for=%&", "for=%4&", "for=%4g&", "for=%+1&", "for=a%20b&", "for=%C3%A9&", "for=a%0A&"]
        {
            let damaged = reset_link().replace("for=zoe%5Baway%5D&", bad);
            assert_eq!(damaged.parse::<InviteLink>(), Err(InviteError::Account), "{bad}");
        }
        assert_eq!(
            format!("{}&for=a", reset_link()).parse::<InviteLink>(),
            Err(InviteError::Duplicate("for"))
        );
    }

    proptest! {
        #[test]
        fn any_printed_link_parses_back(
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
        fn arbitrary_text_does_not_panic(text in "(parlour://)?\\PC*") {
            let _ = text.parse::<InviteLink>();
        }
    }
}
