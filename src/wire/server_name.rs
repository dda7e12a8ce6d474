//! The server's name on the wire: the source of its replies.

use std::fmt;
use std::sync::Arc;

/// A server's name on the wire, in the form of a host name: at least two labels of letters, digits and inner hyphens,
/// joined by dots, at most [`ServerName::MAX`] bytes.
///
/// It needs a dot because clients take a source without one for a nick. It need not exist in the DNS. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerName(Arc<str>);

/// Error for a text that is not a [`ServerName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a server's name looks like a host name: letters, digits, hyphens and at least one dot, at most {} bytes",
    ServerName::MAX
)]
pub struct BadServerName;

impl ServerName {
    /// Limit of a name, in bytes: that of the modern protocol, which leaves room for the rest of a line of 512 bytes.
    pub const MAX: usize = 63;

    /// Parses a name.
    pub fn parse(text: &str) -> Result<Self, BadServerName> {
        let is_label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if text.len() > Self::MAX || !text.contains('.') || !text.split('.').all(is_label) {
            return Err(BadServerName);
        }
        Ok(Self(text.into()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name without copying it.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl Default for ServerName {
    fn default() -> Self {
        Self("chat.parlour".into())
    }
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_name_is_a_host_name_with_a_dot() {
        for good in ["chat.parlour", "irc.example.org", "a.b", "x-1.example", "10.0.0.1"] {
            assert_eq!(ServerName::parse(good).map(|name| name.to_string()), Ok(good.to_owned()), "{good}");
        }
        let long = format!("{}.example", "a".repeat(60));
        for bad in
            ["", "parlour", ".", "a.", ".a", "a..b", "-a.b", "a-.b", "a b.c", "a!b.c", "ä.b", ":a.b", &long]
        {
            assert_eq!(ServerName::parse(bad), Err(BadServerName), "{bad}");
        }
        assert_eq!(ServerName::parse(ServerName::default().as_str()), Ok(ServerName::default()));
    }
}
