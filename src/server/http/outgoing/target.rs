//! Addresses that hooks may send to: this machine, and what the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::Uri;

/// Destination of a hook, parsed from its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookTarget {
    /// The URL speaks TLS.
    pub is_https: bool,
    /// Host, without the brackets of an IPv6 address.
    pub host: String,
    /// Port of the server.
    pub port: u16,
    /// Host and port, for the header `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// Reason why a hook may not send to a URL. The texts are for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is no URL, or has a part that is not used.
    #[error("this is no URL of the form https://HOST[:PORT]/PATH, or http://localhost[:PORT]/PATH")]
    NotAUrl,
    /// Messages would go over the network in the clear.
    #[error("http:// is for this machine alone; use https://")]
    NotEncrypted,
    /// The operator does not allow the host.
    #[error("the host {0} is not allowed: add it to `allow` in [hooks] of parlour.toml")]
    NotAllowed(String),
    /// The host has an address in a private network.
    #[error("the host {0} has the private address {1}: add that to `allow` in [hooks] of parlour.toml, too")]
    PrivateAddress(String, IpAddr),
    /// The host has no address.
    #[error("the host {0} has no address")]
    NoAddress(String),
}

impl HookTarget {
    /// Parses a URL.
    ///
    /// # Errors
    /// It is none, or would send messages unencrypted.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError::NotAUrl)?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(TargetError::NotAUrl),
        };
        let authority = uri.authority().ok_or(TargetError::NotAUrl)?;
        if authority.as_str().contains('@') || url.contains('#') || authority.host().is_empty() {
            return Err(TargetError::NotAUrl);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let target = Self {
            is_https,
            host,
            port: authority.port_u16().unwrap_or(if is_https { 443 } else { 80 }),
            authority: authority.to_string(),
            path: uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        };
        if !is_https && !target.is_this_machine() {
            return Err(TargetError::NotEncrypted);
        }
        Ok(target)
    }

    /// Returns whether the URL names this machine, whatever the DNS says.
    fn is_this_machine(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Checks that the operator allows the host; its addresses are checked by [`addresses`](Self::addresses).
    ///
    /// # Errors
    /// It is neither this machine nor in `allow`.
    pub fn check_host(&self, allow: &[String]) -> Result<(), TargetError> {
        if self.is_this_machine() || is_in(allow, &self.host) {
            Ok(())
        } else {
            Err(TargetError::NotAllowed(self.host.clone()))
        }
    }

    /// Resolves the host, and returns those addresses that may be connected to. The caller connects to one of them and
    /// does not resolve again, so that a name which now leads elsewhere (DNS rebinding) is of no use.
    ///
    /// # Errors
    /// The host or all of its addresses are not allowed, or there is none.
    pub async fn addresses(&self, allow: &[String]) -> Result<Vec<SocketAddr>, TargetError> {
        self.check_host(allow)?;
        let at = |address: IpAddr| SocketAddr::new(address, self.port);
        if self.host == "localhost" {
            return Ok(vec![at(Ipv4Addr::LOCALHOST.into()), at(Ipv6Addr::LOCALHOST.into())]);
        }
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return Ok(vec![at(address)]);
        }
        let resolved = tokio::net::lookup_host((self.host.as_str(), self.port)).await;
        self.permitted(resolved.into_iter().flatten(), allow)
    }

    fn permitted(
        &self,
        resolved: impl Iterator<Item = SocketAddr>,
        allow: &[String],
    ) -> Result<Vec<SocketAddr>, TargetError> {
        let mut refusal = TargetError::NoAddress(self.host.clone());
        let mut permitted = Vec::new();
        for address in resolved {
            if is_public(address.ip()) || is_in(allow, &address.ip().to_string()) {
                permitted.push(address);
            } else {
                refusal = TargetError::PrivateAddress(self.host.clone(), address.ip());
            }
        }
        if permitted.is_empty() { Err(refusal) } else { Ok(permitted) }
    }
}

fn is_in(allow: &[String], host: &str) -> bool {
    allow.iter().any(|allowed| allowed.eq_ignore_ascii_case(host))
}

/// Returns whether an address is on the public Internet, and not in a network of its own such as the operator's.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_multicast()
                || v4.is_broadcast()
                || a == 0
                || a >= 240
                // Shared by providers (RFC 6598), and for benchmarks (RFC 2544).
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b)))
        }
        // Public addresses are in 2000::/3. 6to4 and Teredo hold addresses of IPv4 (RFC 3056, RFC 4380).
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(
            || {
                let [first, second, ..] = v6.segments();
                first & 0xe000 == 0x2000 && first != 0x2002 && (first, second) != (0x2001, 0)
            },
            |v4| is_public(v4.into()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> HookTarget {
        HookTarget::parse(url).expect(url)
    }

    #[test]
    fn urls_are_encrypted_or_of_this_machine() {
        let plain = target("http://localhost:8000/hook?a=b");
        assert_eq!((plain.port, &*plain.path, &*plain.authority), (8000, "/hook?a=b", "localhost:8000"));
        let tls = target("https://Hooks.Example");
        assert_eq!((tls.port, &*tls.host, &*tls.path), (443, "hooks.example", "/"));
        assert_eq!(target("http://[::1]:80/").host, "::1");
        for url in ["http://hooks.example/", "http://192.168.1.2/", "http://localhost.example/"] {
            assert_eq!(HookTarget::parse(url), Err(TargetError::NotEncrypted), "{url}");
        }
        for url in ["", "localhost", "ftp://localhost/", "https://", "https://a@b/", "https://b/#c", "/path"]
        {
            assert_eq!(HookTarget::parse(url), Err(TargetError::NotAUrl), "{url}");
        }
    }

    #[tokio::test]
    async fn hosts_are_this_machine_or_allowed() {
        let none: &[String] = &[];
        let allow = ["hooks.example".to_owned(), "192.168.1.2".to_owned()];
        assert!(target("http://localhost/").addresses(none).await.is_ok());
        assert!(target("https://127.0.0.1/").addresses(none).await.is_ok());
        for url in ["https://hooks.example/", "https://192.168.1.2/", "https://93.184.216.34/"] {
            assert!(matches!(target(url).addresses(none).await, Err(TargetError::NotAllowed(_))), "{url}");
        }
        assert!(target("https://192.168.1.2/").addresses(&allow).await.is_ok());
        assert!(target("https://HOOKS.example/").check_host(&allow).is_ok());
        assert!(target("https://a.hooks.example/").check_host(&allow).is_err());
    }

    #[test]
    fn a_name_that_leads_into_a_private_network_is_refused() {
        let allow = ["hooks.example".to_owned(), "192.168.1.2".to_owned()];
        let permitted = |addresses: &[&str]| {
            let resolved = addresses.iter().map(|text| text.parse().expect("an address"));
            target("https://hooks.example/").permitted(resolved, &allow)
        };
        let public: SocketAddr = "93.184.216.34:443".parse().expect("an address");
        assert_eq!(permitted(&["93.184.216.34:443", "10.0.0.1:443"]), Ok(vec![public]));
        assert!(permitted(&["192.168.1.2:443"]).is_ok(), "it is allowed itself");
        assert!(permitted(&["[2606:2800:220:1::1]:443"]).is_ok());
        assert!(matches!(permitted(&[]), Err(TargetError::NoAddress(_))));
        for private in [
            "127.0.0.1:443",
            "10.1.2.3:443",
            "192.168.1.3:443",
            "169.254.169.254:443",
            "0.0.0.0:443",
            "100.64.0.1:443",
            "[::1]:443",
            "[fe80::1]:443",
            "[fd00::1]:443",
            "[::ffff:10.0.0.1]:443",
            "[::]:443",
            "[64:ff9b::a00:1]:443",
            "[2002:a00:1::1]:443",
        ] {
            assert!(matches!(permitted(&[private]), Err(TargetError::PrivateAddress(..))), "{private}");
        }
    }
}
