//! JSON encoding of names, fingerprints, times and roles in requests: each as a string, in the form in which it is
//! displayed.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

use crate::core::record::device::CertificateFingerprint;
use crate::core::record::secret::PasswordHash;
use crate::core::record::{Preference, Role};
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

/// A type that JSON holds as a text.
pub trait Text: Sized {
    /// Returns the text.
    fn write(&self) -> String;
    /// Parses the text. The error says what is wrong with it.
    fn read(text: &str) -> Result<Self, String>;
}

/// `#[serde(with)]` module for one text.
pub mod text {
    use super::*;

    /// Writes the text.
    pub fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.write())
    }

    /// Reads the text.
    pub fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
        T::read(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// `#[serde(with)]` module for an optional text.
pub mod option {
    use super::*;

    /// Writes the text, or null.
    pub fn serialize<T: Text, S: Serializer>(value: &Option<T>, to: S) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Text::write).serialize(to)
    }

    /// Reads the text, or null.
    pub fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| T::read(&text).map_err(D::Error::custom)).transpose()
    }
}

/// `#[serde(with)]` module for a list of texts.
pub mod list {
    use super::*;

    /// Writes the texts.
    pub fn serialize<T: Text, S: Serializer>(values: &[T], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(values.iter().map(Text::write))
    }

    /// Reads the texts.
    pub fn deserialize<'de, T: Text, D: Deserializer<'de>>(from: D) -> Result<Vec<T>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| T::read(text).map_err(D::Error::custom)).collect()
    }
}

/// Implements [`Text`] for types that are written by `Display`, each with its parser.
macro_rules! texts {
    ($($type:ty, $read:expr;)*) => {$(
        impl $crate::core::request::json::Text for $type {
            fn write(&self) -> String {
                self.to_string()
            }

            fn read(text: &str) -> Result<Self, String> {
                $read(text).map_err(|error| format!("`{text}`: {error}"))
            }
        }
    )*};
}

pub(crate) use texts;

texts! {
    Nick, Nick::parse;
    ChannelName, ChannelName::parse;
    CertificateFingerprint, str::parse::<CertificateFingerprint>;
    Preference, str::parse::<Preference>;
    MessageId, str::parse::<MessageId>;
    Timestamp, |text| Timestamp::parse(text).ok_or("not a time");
    Role, |text| match text {
        "member" => Ok(Role::Member),
        "admin" => Ok(Role::Admin),
        _ => Err("not a role"),
    };
}

impl Text for PasswordHash {
    fn write(&self) -> String {
        self.as_str().to_owned()
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| "not an argon2id hash".to_owned())
    }
}
