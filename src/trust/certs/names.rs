//! Names and addresses that go into a server's certificate.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use rustls_pki_types::DnsName;

/// A subject alternative name: a DNS name (in lower case) or an IP address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectAltName {
    /// A host name.
    Dns(String),
    /// An IPv4 or IPv6 address.
    Ip(IpAddr),
}

/// Error of parsing a [`SubjectAltName`]. It does not quote the text, which may be a misplaced invite link.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a host name or an IP address (write names outside ASCII in their xn-- form)")]
pub struct SubjectAltNameError;

/// Returns this machine's host name, if a certificate can hold it.
pub fn host_name() -> Option<String> {
    let name = hostname::get().ok()?.into_string().ok()?;
    match name.parse() {
        Ok(SubjectAltName::Dns(name)) => Some(name),
        _ => None,
    }
}

/// Returns the addresses by which other machines reach this one, IPv4 first: no loopback and no link-local ones.
pub fn machine_addresses() -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let usable =
        interfaces.iter().filter(|i| !i.is_loopback() && !i.is_link_local()).map(if_addrs::Interface::ip);
    usable.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Returns the names given and all names of this machine, each once.
pub(super) fn certificate_names(extra: &[SubjectAltName]) -> Vec<SubjectAltName> {
    let machine_names = host_name().into_iter().chain(["localhost".to_owned()]).map(SubjectAltName::Dns);
    let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    let addresses = loopback.into_iter().chain(machine_addresses()).map(SubjectAltName::Ip);
    let mut names: Vec<SubjectAltName> = Vec::new();
    for name in extra.iter().cloned().chain(machine_names).chain(addresses) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

impl fmt::Display for SubjectAltName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => f.write_str(name),
            Self::Ip(ip) => ip.fmt(f),
        }
    }
}

impl FromStr for SubjectAltName {
    type Err = SubjectAltNameError;

    fn from_str(text: &str) -> Result<Self, SubjectAltNameError> {
        if let Ok(ip) = text.parse() {
            return Ok(Self::Ip(ip));
        }
        let name = DnsName::try_from(text).map_err(|_| SubjectAltNameError)?;
        Ok(Self::Dns(name.to_lowercase_owned().as_ref().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dns_names_and_addresses_are_distinguished() {
        assert_eq!("Chat.Example".parse(), Ok(SubjectAltName::Dns("chat.example".into())));
        assert_eq!("192.0.2.7".parse(), Ok(SubjectAltName::Ip([192, 0, 2, 7].into())));
        assert_eq!("2001:DB8::7".parse::<SubjectAltName>().map(|n| n.to_string()), Ok("2001:db8::7".into()));
        for bad in ["", "a b", "bücher.example", "*.example", "http://x", "x:6697", "[::1]", "1.2.3.4.5"] {
            assert!(bad.parse::<SubjectAltName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn certificate_names_have_no_duplicates() {
        let names = certificate_names(&[
            SubjectAltName::Dns("chat.example".into()),
            SubjectAltName::Dns("localhost".into()),
        ]);
        assert_eq!(names[0], SubjectAltName::Dns("chat.example".into()));
        for own in ["localhost", "127.0.0.1", "::1"] {
            let own: SubjectAltName = own.parse().expect(own);
            assert_eq!(names.iter().filter(|name| **name == own).count(), 1, "{own}");
        }
    }
}
