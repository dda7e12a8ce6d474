//! Server addresses: a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use rustls_pki_types::DnsName;

/// A server's address: `host.example:6697`, `192.0.2.7:6697`, `[2001:db8::7]:6697`, `[fe80::7%eth0]:6697`.
///
/// Only link-local addresses of IPv6 have a zone. It names the server's link; a machine on that link may have another name
/// for it. Input may leave out the port, which is then [`Address::DEFAULT_PORT`]; output always has it. Host names are kept in lower
/// case. Non-ASCII names must be in their `xn--` form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// The host; of a link-local address with its zone behind a percent sign ([RFC 4007, section
    /// 11](https://www.rfc-editor.org/rfc/rfc4007#section-11)).
    host: Box<str>,
    port: u16,
}

/// Error of parsing an [`Address`]. It does not quote the text, which may be a misplaced invite link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// The host is not a DNS name and not an IP address.
    #[error("this is not a host name or an IP address, perhaps with a port: host.example:6697")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// An IPv6 address lacks brackets, so that its end and the port cannot be told apart.
    #[error("`{0}` is written `[{0}]`, with the port behind it: `[{0}]:6697`")]
    MissingBrackets(Ipv6Addr),
}

impl Address {
    /// Default port, that of IRC over TLS ([RFC 7194](https://www.rfc-editor.org/rfc/rfc7194)).
    pub const DEFAULT_PORT: u16 = 6697;

    /// Maximum length of a zone, in bytes. Names of interfaces have at most 15 on Linux and macOS.
    const MAX_ZONE_BYTES: usize = 32;

    /// Makes an address from a host (DNS name or IP address, without brackets, perhaps with a zone) and a port.
    pub fn new(host: &str, port: u16) -> Result<Self, AddressError> {
        let host = match (host.parse::<IpAddr>(), host.split_once('%')) {
            (Ok(ip), _) => ip.to_string(),
            (Err(_), Some((ip, zone))) => match ip.parse::<Ipv6Addr>() {
                Ok(ip) if ip.is_unicast_link_local() && is_zone(zone) => format!("{ip}%{zone}"),
                _ => return Err(AddressError::Host),
            },
            (Err(_), None) => match DnsName::try_from(host) {
                Ok(name) => name.to_lowercase_owned().as_ref().to_owned(),
                Err(_) => return Err(AddressError::Host),
            },
        };
        if port == 0 {
            return Err(AddressError::Port);
        }
        Ok(Self { host: host.into(), port })
    }

    /// Returns the host: a DNS name or an IP address, without brackets and without a zone.
    pub fn host(&self) -> &str {
        self.host.split('%').next().unwrap_or_default()
    }

    /// Returns the zone of a link-local address.
    pub fn zone(&self) -> Option<&str> {
        self.host.split_once('%').map(|(_, zone)| zone)
    }

    /// Returns the TCP port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

fn is_zone(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (1..=Address::MAX_ZONE_BYTES).contains(&text.len()) && text.bytes().all(is_part)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Err(AddressError::MissingBrackets(ip));
        }
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            let (host, rest) = rest.split_once(']').ok_or(AddressError::Host)?;
            if host.split('%').next().is_none_or(|ip| ip.parse::<Ipv6Addr>().is_err()) {
                return Err(AddressError::Host);
            }
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(AddressError::Host),
            }
        } else {
            match text.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            }
        };
        let port = match port {
            None => Self::DEFAULT_PORT,
            // `parse` alone accepts "+6697".
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| AddressError::Port)?
            }
            Some(_) => return Err(AddressError::Port),
        };
        Self::new(host, port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_valid_addresses() {
        for (text, written) in [
            ("chat.example.org:6697", "chat.example.org:6697"),
            ("Chat.Example.ORG", "chat.example.org:6697"),
            ("192.0.2.7:1", "192.0.2.7:1"),
            ("[2001:DB8:0::7]:65535", "[2001:db8::7]:65535"),
            ("[::1]", "[::1]:6697"),
            ("my_laptop", "my_laptop:6697"),
            ("[FE80::7%eth0.5]:7", "[fe80::7%eth0.5]:7"),
            ("[fe80::7%4]", "[fe80::7%4]:6697"),
        ] {
            let address: Address = text.parse().expect(text);
            assert_eq!(address.to_string(), written);
        }
        let zoned: Address = "[fe80::7%eth0]".parse().expect("an address");
        assert_eq!((zoned.host(), zoned.zone()), ("fe80::7", Some("eth0")));
        assert_eq!("[::1]:7".parse::<Address>().expect("::1").host(), "::1");
    }

    #[test]
    fn invalid_addresses_name_the_error() {
        let error = |text: &str| text.parse::<Address>().expect_err(text).to_string();
        assert_eq!(error("::1"), "`::1` is written `[::1]`, with the port behind it: `[::1]:6697`");
        for text in ["host:0", "host:65536", "host:+1", "host:"] {
            assert_eq!(error(text), "the port is not a number from 1 to 65535", "{text}");
        }
        for text in [
            "",
            ":6697",
            "a b",
            "[host]:1",
            "[::1]x",
            "bücher",
            "[::1%lo]",
            "[fe80::1%]",
            "[fe80::1%a b]",
            "host%eth0",
            "[fe80::1%a%b]",
        ] {
            let is_no_host =
                "this is not a host name or an IP address, perhaps with a port: host.example:6697";
            assert_eq!(error(text), is_no_host, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printed_address_parses_back(ip: IpAddr, port in 1..=u16::MAX) {
            let address = Address::new(&ip.to_string(), port).expect("an IP address");
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }

        #[test]
        fn arbitrary_text_does_not_panic(text: String) {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert_eq!(address.to_string().parse(), Ok(address));
            }
        }
    }
}
