//! SASL, the part that is the same for every connection: collecting the client's response and reading PLAIN.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::wire::Nick;

/// The SASL mechanisms on offer, as they stand in CAP LS and `RPL_SASLMECHS`.
pub const MECHANISMS: &str = "PLAIN,EXTERNAL";

/// How a client proves who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// With a password.
    Plain,
    /// With the key of the certificate that its connection shows.
    External,
}

impl Mechanism {
    /// The mechanism of a name.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "PLAIN" => Some(Self::Plain),
            "EXTERNAL" => Some(Self::External),
            _ => None,
        }
    }
}

/// Length of a full chunk of a response; a shorter one ends it
/// ([SASL 3.1](https://ircv3.net/specs/extensions/sasl-3.1#the-authenticate-command)).
pub const CHUNK: usize = 400;

/// Most bytes of a whole response in base64. Names and passwords together stay far below.
const MOST: usize = 4 * CHUNK;

/// What came of one more chunk.
#[derive(Debug)]
pub enum Collected {
    /// More is to come.
    More,
    /// That was all.
    All(Zeroizing<Vec<u8>>),
    /// A chunk or the whole is too long.
    TooLong,
    /// It is not base64.
    Garbled,
}

/// A response that is being collected. Wiped when it is dropped.
#[derive(Default)]
pub struct Response(Zeroizing<String>);

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Response(..)")
    }
}

impl Response {
    /// Takes the parameter of an AUTHENTICATE.
    pub fn push(&mut self, chunk: &str) -> Collected {
        if chunk.len() > CHUNK || self.0.len() + chunk.len() > MOST {
            self.0 = Zeroizing::default();
            return Collected::TooLong;
        }
        if chunk != "+" {
            self.0.push_str(chunk);
            if chunk.len() == CHUNK {
                return Collected::More;
            }
        }
        let all = std::mem::take(&mut self.0);
        match STANDARD.decode(all.as_bytes()) {
            Ok(bytes) => Collected::All(Zeroizing::new(bytes)),
            Err(_) => Collected::Garbled,
        }
    }
}

/// What somebody claims: to be `name`, knowing `password`.
pub struct Credentials {
    /// The account. `None` where the text cannot be the name of one; it is checked all the same, so that it
    /// takes the same time.
    pub name: Option<Nick>,
    /// The password, wiped when it is dropped.
    pub password: Zeroizing<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads the parameter of PASS, `NAME:PASSWORD`. `None` where it has another form.
    pub fn from_pass(text: &str) -> Option<Self> {
        let (name, password) =
            text.split_once(':').filter(|(name, password)| !name.is_empty() && !password.is_empty())?;
        Some(Self { name: Nick::parse(name).ok(), password: Zeroizing::new(password.to_owned()) })
    }

    /// Reads a PLAIN response, `authzid NUL authcid NUL password`
    /// ([RFC 4616](https://www.rfc-editor.org/rfc/rfc4616)). `None` where it has another form or asks to act as
    /// somebody else.
    pub fn from_plain(response: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(response).ok()?.split('\0');
        let (acts_as, name, password) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || name.is_empty() {
            return None;
        }
        if !acts_as.is_empty() && !acts_as.eq_ignore_ascii_case(name) {
            return None;
        }
        Some(Self { name: Nick::parse(name).ok(), password: Zeroizing::new(password.to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(response: &mut Response, chunk: &str) -> Vec<u8> {
        match response.push(chunk) {
            Collected::All(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_response_ends_with_a_short_chunk() {
        let mut response = Response::default();
        assert_eq!(all(&mut response, "YWI="), b"ab");
        assert_eq!(all(&mut response, "+"), b"");
        let long = STANDARD.encode([7; 300]);
        assert_eq!(long.len(), CHUNK);
        assert!(matches!(response.push(&long), Collected::More));
        assert_eq!(all(&mut response, "+"), [7; 300]);
        assert!(matches!(response.push("!"), Collected::Garbled));
        assert!(matches!(response.push(&"a".repeat(401)), Collected::TooLong));
        for _ in 0..4 {
            assert!(matches!(response.push(&long), Collected::More));
        }
        assert!(matches!(response.push(&long), Collected::TooLong));
    }

    #[test]
    fn plain_names_one_account() {
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
