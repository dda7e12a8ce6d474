//! Addresses of files on servers.

use percent_encoding::percent_decode_str;

use crate::trust::Address;
use crate::wire::file_name::safe_name;

/// Maximum length of an address, in bytes: a name of 200 bytes, each of them encoded, and what stands before it.
const MAX_ADDRESS_BYTES: usize = 1024;

/// Characters of an id or a token, which are base64url.
const ID_LENGTH: usize = 22;

/// Address of a file on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileAddress {
    /// Address of the server.
    pub server: Address,
    /// Path of the file there, percent-encoded.
    pub path: String,
    /// Id of the file; `None` for a link, which needs no login.
    pub id: Option<String>,
}

/// Error of a text that is no address of a file. It does not quote the text, which may be a link that is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is not the address of a file, such as https://chat.example:6697/f/ID/photo.png, as it stands in a message"
)]
pub struct NoFileAddress;

impl FileAddress {
    /// Parses `https://HOST:PORT/f/ID/NAME`, with or without the name, or a link with `/l/TOKEN`.
    ///
    /// # Errors
    /// The text is anything else.
    pub fn parse(text: &str) -> Result<Self, NoFileAddress> {
        let rest = text.strip_prefix("https://").filter(|rest| rest.len() <= MAX_ADDRESS_BYTES);
        let (authority, path) =
            rest.and_then(|rest| Some(rest.split_at(rest.find('/')?))).ok_or(NoFileAddress)?;
        let mut parts = path.split('/').skip(1);
        let (kind, id, name) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte))
        };
        if !Self::is_id(id) || parts.next().is_some() || !name.is_none_or(is_name) {
            return Err(NoFileAddress);
        }
        let id = match kind {
            Some("f") => Some(id.to_owned()),
            Some("l") => None,
            _ => return Err(NoFileAddress),
        };
        Ok(Self { server: parse_authority(authority).ok_or(NoFileAddress)?, path: path.to_owned(), id })
    }

    /// Returns whether a text is the id of a file, or the token of a link.
    pub fn is_id(text: &str) -> bool {
        text.len() == ID_LENGTH
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    }

    /// Returns whether it is on the server that has this address for uploads.
    pub fn is_below(&self, upload_url: &str) -> bool {
        let authority = upload_url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
        authority.and_then(parse_authority).is_some_and(|server| server == self.server)
    }

    /// Returns the name of the file as the address has it, for this machine; a word for any file if it has none.
    pub fn name(&self) -> String {
        let name = self.path.split('/').nth(3).unwrap_or_default();
        safe_name(&percent_decode_str(name).decode_utf8_lossy())
    }

    /// Returns whether the address has the name of the file.
    pub fn has_name(&self) -> bool {
        self.path.split('/').nth(3).is_some()
    }
}

/// Parses the host and the port of an address, which is that of HTTPS if none is given.
fn parse_authority(authority: &str) -> Option<Address> {
    let has_port =
        authority.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
    if has_port { authority.parse().ok() } else { format!("{authority}:443").parse().ok() }
}

/// Returns the address of a file of the server that has this address for uploads.
pub fn address_of(upload_url: &str, path: &str) -> String {
    format!("{}{path}", upload_url.strip_suffix("/upload").unwrap_or(upload_url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::file_name::encode_name;

    const ID: &str = "AAAAAAAAAAAAAAAAAAAAA_";

    #[test]
    fn addresses_of_files_are_told_from_others() {
        let parse = |text: &str| FileAddress::parse(&text.replace("ID", ID));
        for (text, server, name) in [
            ("https://chat.example:6697/f/ID/a%20photo.png", "chat.example:6697", "a photo.png"),
            ("https://CHAT.example/f/ID", "chat.example:443", "file"),
            ("https://[2001:db8::7]:7000/l/ID/x", "[2001:db8::7]:7000", "x"),
            ("https://192.0.2.7:6697/f/ID/%2e%2E%2Fpasswd", "192.0.2.7:6697", "passwd"),
        ] {
            let found = parse(text).expect(text);
            assert_eq!((&*found.server.to_string(), &*found.name()), (server, name), "{text}");
            assert_eq!(found.id.is_some(), text.contains("/f/"));
        }
        for text in [
            "http://chat.example:6697/f/ID/a",
            "https://chat.example:6697/f/short/a",
            "https://chat.example:6697/f/ID/",
            "https://chat.example:6697/f/ID/a/b",
            "https://chat.example:6697/f/ID/a?b",
            "https://chat.example:6697/f/ID/a#b",
            "https://chat.example:6697/upload",
            "https://user@chat.example:6697/f/ID/a",
            "https:///f/ID/a",
            "https://chat.example:0/f/ID/a",
            "https://chat.example:6697/f/ID/a\u{1b}[31m",
            "parlour://chat.example/f/ID",
            "",
        ] {
            assert_eq!(parse(text), Err(NoFileAddress), "{text}");
        }
        assert_eq!(parse(&format!("https://a/f/ID/{}", "x".repeat(2000))), Err(NoFileAddress));
    }

    #[test]
    fn a_file_is_known_by_the_origin_of_the_server() {
        let file = FileAddress::parse(&format!("https://chat.example:6697/f/{ID}")).expect("an address");
        assert!(
            file.is_below("https://chat.example:6697/upload")
                && file.is_below("https://CHAT.example:6697/upload")
        );
        for other in [
            "https://chat.example/upload",
            "https://evil.example:6697/upload",
            "http://chat.example:6697/upload",
            "",
        ] {
            assert!(!file.is_below(other), "{other}");
        }
    }

    #[test]
    fn addresses_are_made_with_the_origin_of_the_server() {
        let made =
            address_of("https://chat.example:6697/upload", &format!("/f/{ID}/{}", encode_name("a b.txt")));
        assert_eq!(made, format!("https://chat.example:6697/f/{ID}/a%20b.txt"));
        assert_eq!(FileAddress::parse(&made).map(|file| file.name()), Ok("a b.txt".to_owned()));
    }
}
