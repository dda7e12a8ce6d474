//! What a server says of itself on the local network by DNS-SD
//! ([RFC 6763](https://www.rfc-editor.org/rfc/rfc6763)), and what is taken of it by those who hear it.
//!
//! Anybody on a network can announce anything. So an announcement is a hint where to look for a server whose pin one
//! knows already, and nothing else: whoever is found there has to prove the pin as everywhere.

use super::pin::Pin;

/// The type of the service.
pub const SERVICE: &str = "_parlour._tcp.local.";

/// What the TXT record of a server says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// The network's name: one word of at most [`Announcement::NAME`] bytes, as in the server's configuration.
    pub name: String,
    /// The pin that the server says it has.
    pub pin: Pin,
    /// The pin that this one follows, while the server changes its root: who has not been there since knows that.
    pub old: Option<Pin>,
    /// The version of its program, if it says so: at most [`Announcement::VERSION`] letters, digits and `.+-`.
    pub version: Option<String>,
}

impl Announcement {
    /// Longest name in bytes.
    pub const NAME: usize = 32;
    /// Longest version in bytes.
    pub const VERSION: usize = 32;
    /// The form of the record. A later form that older clients cannot use has another number.
    const FORM: &str = "1";

    /// The keys and values of the record, in the order in which they are sent
    /// ([RFC 6763, section 6.7](https://www.rfc-editor.org/rfc/rfc6763#section-6.7): the form first).
    pub fn txt(&self) -> Vec<(&'static str, String)> {
        let mut txt = vec![
            ("txtvers", Self::FORM.to_owned()),
            ("name", self.name.clone()),
            ("pin", self.pin.to_string()),
        ];
        txt.extend(self.old.map(|old| ("old", old.to_string())));
        txt.extend(self.version.clone().map(|version| ("version", version)));
        txt
    }

    /// Reads a record that was heard, given what stands under a key. `None` when no server of ours can have said that.
    pub fn from_txt<'a>(value: impl Fn(&str) -> Option<&'a [u8]>) -> Option<Self> {
        let text = |key: &str, longest: usize| {
            let bytes = value(key).filter(|bytes| !bytes.is_empty() && bytes.len() <= longest)?;
            str::from_utf8(bytes).ok()
        };
        text("txtvers", Self::FORM.len()).filter(|form| *form == Self::FORM)?;
        let name = text("name", Self::NAME)?;
        if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return None;
        }
        let pin = text("pin", 64)?.parse().ok()?;
        let old = text("old", 64).and_then(|old| old.parse().ok());
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let version = text("version", Self::VERSION).filter(|version| version.chars().all(plain));
        Some(Self { name: name.to_owned(), pin, old, version: version.map(ToOwned::to_owned) })
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
        announcement.txt().into_iter().map(|(key, value)| (key.to_owned(), value.into_bytes())).collect()
    }

    fn example() -> Announcement {
        Announcement {
            name: "Bücher".to_owned(),
            pin: Pin::new([7; 32]),
            old: Some(Pin::new([6; 32])),
            version: Some("0.1.0-rc.1+x".to_owned()),
        }
    }

    #[test]
    fn what_no_server_says_is_not_taken() {
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
    fn a_version_or_an_old_pin_that_is_none_is_left_out() {
        for version in ["", "0.1 \u{1b}[31m", "ä", &"1".repeat(33)] {
            let mut record = record(&example());
            record.insert("version".to_owned(), version.as_bytes().to_vec());
            assert_eq!(read(&record), Some(Announcement { version: None, ..example() }), "{version:?}");
        }
        let mut record = record(&example());
        record.insert("old".to_owned(), b"none".to_vec());
        assert_eq!(read(&record), Some(Announcement { old: None, ..example() }));
    }

    #[test]
    fn each_string_of_the_record_fits() {
        let longest = Announcement {
            name: "x".repeat(Announcement::NAME),
            pin: Pin::new([255; 32]),
            old: Some(Pin::new([255; 32])),
            version: Some("1".repeat(Announcement::VERSION)),
        };
        assert_eq!(read(&record(&longest)), Some(longest.clone()));
        // RFC 6763, section 6.1: a length of one byte.
        assert!(longest.txt().iter().all(|(key, value)| key.len() + 1 + value.len() <= 255));
    }

    proptest! {
        #[test]
        fn what_is_announced_is_read_back(
            name in "[^\\s\\p{Cc}]{1,8}",
            pin: [u8; 32],
            old: Option<[u8; 32]>,
            version in proptest::option::of("[A-Za-z0-9.+-]{1,32}"),
        ) {
            let announcement = Announcement { name, pin: Pin::new(pin), old: old.map(Pin::new), version };
            prop_assert_eq!(read(&record(&announcement)), Some(announcement));
        }

        #[test]
        fn no_record_breaks_it(
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
                prop_assert!((1..=Announcement::NAME).contains(&read.name.len()));
                prop_assert!(!read.name.chars().any(|c| c.is_control() || c.is_whitespace()));
                prop_assert!(read.version.is_none_or(|version| version.is_ascii()));
            }
        }
    }
}
