//! DNS-SD announcements of servers on the local network ([RFC 6763](https://www.rfc-editor.org/rfc/rfc6763)): the TXT
//! record, written by the server and parsed by clients.
//!
//! Any host on a network can announce anything. An announcement is therefore only a hint where to look for a server
//! whose pin the client already has; the server found there must prove that pin like any other.

use super::pin::Pin;

/// DNS-SD service type.
pub const SERVICE_TYPE: &str = "_parlour._tcp.local.";

/// Content of a server's TXT record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Network name: one word of at most [`Announcement::MAX_NAME_BYTES`] bytes, from the server's configuration.
    pub name: String,
    /// Pin that the server claims to have.
    pub pin: Pin,
    /// Previous pin, during a rotation, for clients that do not know the new root yet.
    pub old_pin: Option<Pin>,
    /// Program version, if given: at most [`Announcement::MAX_VERSION_BYTES`] letters, digits and `.+-`.
    pub version: Option<String>,
}

impl Announcement {
    /// Maximum length of the name, in bytes.
    pub const MAX_NAME_BYTES: usize = 32;
    /// Maximum length of the version, in bytes.
    pub const MAX_VERSION_BYTES: usize = 32;
    /// Version of the record's format (`txtvers`). A format that older clients cannot use gets another number.
    const FORMAT_VERSION: &str = "1";

    /// Returns the record's keys and values in the order in which they are sent: `txtvers` first ([RFC 6763, section
    /// 6.7](https://www.rfc-editor.org/rfc/rfc6763#section-6.7)).
    pub fn to_txt(&self) -> Vec<(&'static str, String)> {
        let mut txt = vec![
            ("txtvers", Self::FORMAT_VERSION.to_owned()),
            ("name", self.name.clone()),
            ("pin", self.pin.to_string()),
        ];
        txt.extend(self.old_pin.map(|old| ("old", old.to_string())));
        txt.extend(self.version.clone().map(|version| ("version", version)));
        txt
    }

    /// Parses a received record; `value` returns the bytes of a key. Returns `None` if no Parlour server can have sent
    /// it.
    pub fn from_txt<'a>(value: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Self> {
        let text = |key: &str, max_bytes: usize| {
            let bytes = value(key).filter(|bytes| !bytes.is_empty() && bytes.len() <= max_bytes)?;
            str::from_utf8(bytes).ok()
        };
        text("txtvers", Self::FORMAT_VERSION.len()).filter(|form| *form == Self::FORMAT_VERSION)?;
        let name = text("name", Self::MAX_NAME_BYTES)?;
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let pin = text("pin", 64)?.parse().ok()?;
        let old = text("old", 64).and_then(|old| old.parse().ok());
        let is_version_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let version =
            text("version", Self::MAX_VERSION_BYTES).filter(|version| version.chars().all(is_version_char));
        Some(Self { name: name.to_owned(), pin, old_pin: old, version: version.map(ToOwned::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    fn read(record: &HashMap<String, Vec<u8>>) -> Option<Announcement> {
        Announcement::from_txt(|key| record.get(key).map(Vec::as_slice))
    }

    fn record(announcement: &Announcement) -> HashMap<String, Vec<u8>> {
        announcement.to_txt().into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect()
    }

    fn example() -> Announcement {
        Announcement {
            name: "Bücher".to_owned(),
            pin: Pin::new([7; 32]),
            old_pin: Some(Pin::new([6; 32])),
            version: Some("0.1.0-rc.1+x".to_owned()),
        }
    }

    #[test]
    fn invalid_txt_records_are_rejected() {
        assert_eq!(read(&record(&example())), Some(example()));
        for (key, value) in [
            ("txtvers", "2"),
            ("txtvers", ""),
            ("name", ""),
            ("name", "two words"),
            ("name", "\u{1b}[2Jx"),
            ("name", "a\u{85}b"),
            ("name", &"x".repeat(33)),
            ("pin", ""),
            ("pin", "x"),
            ("pin", &"B".repeat(44)),
        ] {
            let mut record = record(&example());
            record.insert(key.to_owned(), value.as_bytes().to_vec());
            assert_eq!(read(&record), None, "{key} {value:?}");
            record.remove(key);
            assert_eq!(read(&record), None, "without {key}");
        }
        let mut broken = record(&example());
        broken.insert("name".to_owned(), vec![b'a', 0xff]);
        assert_eq!(read(&broken), None);
    }

    #[test]
    fn invalid_version_or_old_pin_is_ignored() {
        for version in ["", "0.1 \u{1b}[31m", "ä", &"1".repeat(33)] {
            let mut record = record(&example());
            record.insert("version".to_owned(), version.as_bytes().to_vec());
            assert_eq!(read(&record), Some(Announcement { version: None, ..example() }), "{version:?}");
        }
        let mut record = record(&example());
        record.insert("old".to_owned(), b"none".to_vec());
        assert_eq!(read(&record), Some(Announcement { old_pin: None, ..example() }));
    }

    #[test]
    fn each_txt_string_fits_its_limit() {
        let longest = Announcement {
            name: "x".repeat(Announcement::MAX_NAME_BYTES),
            pin: Pin::new([255; 32]),
            old_pin: Some(Pin::new([255; 32])),
            version: Some("1".repeat(Announcement::MAX_VERSION_BYTES)),
        };
        assert_eq!(read(&record(&longest)), Some(longest.clone()));
        // The length of a string is one byte (RFC 6763, section 6.1).
        assert!(longest.to_txt().iter().all(|(key, value)| key.len() + 1 + value.len() <= 255));
    }

    proptest! {
        #[test]
        fn txt_record_parses_back(
            name in "[^\\s\\p{Cc}]{1,8}",
            pin: [u8; 32],
            old: Option<[u8; 32]>,
            version in proptest::option::of("[A-Za-z0-9.+-]{1,32}"),
        ) {
            let announcement = Announcement { name, pin: Pin::new(pin), old_pin: old.map(Pin::new), version };
            prop_assert_eq!(read(&record(&announcement)), Some(announcement));
        }

        #[test]
        fn arbitrary_record_does_not_panic(
            record in proptest::collection::hash_map("(txtvers|name|pin|old|version)", any::<Vec<u8>>(), 0..6),
            form: bool,
            pin: bool,
        ) {
            let mut record = record;
            if form {
                record.insert("txtvers".to_owned(), b"1".to_vec());
            }
            if pin {
                record.insert("pin".to_owned(), Pin::new([9; 32]).to_string().into_bytes());
            }
            if let Some(read) = read(&record) {
                prop_assert!((1..=Announcement::MAX_NAME_BYTES).contains(&read.name.len()));
                prop_assert!(!read.name.chars().any(|c| c.is_control() || c.is_whitespace()));
                prop_assert!(read.version.is_none_or(|version| version.is_ascii()));
            }
        }
    }
}
