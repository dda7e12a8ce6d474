//! SASL: collection of the client's response, and parsing of PLAIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::wire::Nick;

/// The offered SASL mechanisms, in the form of CAP LS and `RPL_SASLMECHS`.
pub const MECHANISMS: &str = "PLAIN,EXTERNAL";

/// An offered SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// Authentication with a name and a password (RFC 4616).
    Plain,
    /// Authentication with the client certificate of the connection (RFC 4422, appendix A).
    External,
}

impl Mechanism {
    /// Returns the mechanism of a name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "PLAIN" => Some(Self::Plain),
            "EXTERNAL" => Some(Self::External),
            _ => None,
        }
    }
}

/// Length of a full chunk of a response, in bytes. A shorter chunk ends the response
/// ([SASL 3.1](https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command)).
pub const CHUNK_BYTES: usize = 400;

/// Limit of a whole response in base64, in bytes. Names and passwords stay far below it.
const MAX_RESPONSE_BYTES: usize = 4 * CHUNK_BYTES;

/// Result of adding a chunk to a response.
#[derive(Debug)]
pub enum ChunkResult {
    /// The response is incomplete.
    Incomplete,
    /// The response is complete and decoded.
    Complete(Zeroizing<Vec<u8>>),
    /// A chunk or the whole response is too long.
    TooLong,
    /// The response is not base64.
    InvalidBase64,
}

/// A response in progress. Wiped from memory when it is dropped.
#[derive(Default)]
pub struct ResponseBuffer(Zeroizing<String>);

impl std::fmt::Debug for ResponseBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Response(..)")
    }
}

impl ResponseBuffer {
    /// Adds the parameter of an AUTHENTICATE.
    pub fn push_chunk(&mut self, chunk: &str) -> ChunkResult {
        if chunk.len() > CHUNK_BYTES || self.0.len() + chunk.len() > MAX_RESPONSE_BYTES {
            self.0 = Zeroizing::default();
            return ChunkResult::TooLong;
        }
        if chunk != "+" {
            self.0.push_str(chunk);
            if chunk.len() == CHUNK_BYTES {
                return ChunkResult::Incomplete;
            }
        }
        let all = std::mem::take(&mut self.0);
        match STANDARD.decode(all.as_bytes()) {
            Ok(bytes) => ChunkResult::Complete(Zeroizing::new(bytes)),
            Err(_) => ChunkResult::InvalidBase64,
        }
    }
}

/// Credentials from a client that are not checked yet.
pub struct Credentials {
    /// The account's name; `None` if the text is not a valid one. Such credentials are checked all the same, so that
    /// the check takes the same time.
    pub name: Option<Nick>,
    /// The password, wiped from memory when it is dropped.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Parses the parameter of PASS, `NAME:PASSWORD`. Returns `None` for another form.
    pub fn from_pass(text: &str) -> Option<Self> {
        let (name, password) =
            text.split_once(':').filter(|(name, password)| !name.is_empty() && !password.is_empty())?;
        Some(Self { name: Nick::parse(name).ok(), password: Zeroizing::new(password.to_owned()) })
    }

    /// Parses a PLAIN response, `authzid NUL authcid NUL password`
    /// ([RFC 4616](https://www.rfc-editor.org/rfc/rfc4616)). Returns `None` for another form, and if the authzid names
    /// another account.
    pub fn from_plain(response: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(response).ok()?.split('\0');
        let (authzid, name, password) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || name.is_empty() {
            return None;
        }
        if !authzid.is_empty() && !authzid.eq_ignore_ascii_case(name) {
            return None;
        }
        Some(Self { name: Nick::parse(name).ok(), password: Zeroizing::new(password.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push_complete(response: &mut ResponseBuffer, chunk: &str) -> Vec<u8> {
        match response.push_chunk(chunk) {
            ChunkResult::Complete(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn sasl_response_ends_with_short_chunk() {
        let mut response = ResponseBuffer::default();
        assert_eq!(push_complete(&mut response, "YWI="), b"ab");
        assert_eq!(push_complete(&mut response, "+"), b"");
        let long = STANDARD.encode([7; 300]);
        assert_eq!(long.len(), CHUNK_BYTES);
        assert!(matches!(response.push_chunk(&long), ChunkResult::Incomplete));
        assert_eq!(push_complete(&mut response, "+"), [7; 300]);
        assert!(matches!(response.push_chunk("!"), ChunkResult::InvalidBase64));
        assert!(matches!(response.push_chunk(&"a".repeat(401)), ChunkResult::TooLong));
        for _ in 0..4 {
            assert!(matches!(response.push_chunk(&long), ChunkResult::Incomplete));
        }
        assert!(matches!(response.push_chunk(&long), ChunkResult::TooLong));
    }

    #[test]
    fn sasl_plain_rejects_foreign_authzid() {
        let read = |text: &str| Credentials::from_plain(text.as_bytes());
        let good = read("\0al\0secret").expect("good");
        assert_eq!((good.name.expect("a nick").as_str(), good.password.as_str()), ("al", "secret"));
        assert!(read("AL\0al\0secret").is_some());
        assert!(read("bob\0al\0secret").is_none());
        assert!(read("al\0secret").is_none());
        assert!(read("\0al\0se\0cret").is_none());
        assert!(read("\0\0secret").is_none());
        assert!(Credentials::from_plain(b"\0al\0\xff").is_none());
        assert!(read("\0not a nick\0x").expect("checked all the same").name.is_none());
    }
}
