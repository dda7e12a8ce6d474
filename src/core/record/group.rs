//! Groups of accounts, such as the classes of a school.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_normalization::UnicodeNormalization as _;

use super::{AccountId, ChannelId};
use crate::wire::names::NameError;
use crate::wire::{Timestamp, chars};

/// Id of a group. The core assigns it and never reuses one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GroupId(pub i64);

/// The name of a group, such as `3b` or `Klasse 3b`: at most [`GroupName::MAX`] bytes, in any script.
///
/// Kept in Unicode normal form C, without white space around it. It holds no commas and semicolons, which separate
/// names in lists, and no characters that names of channels may not hold either. Names that differ in case only are
/// equal.
#[derive(Clone)]
pub struct GroupName {
    name: Arc<str>,
    /// The form that is compared.
    folded: Arc<str>,
}

/// The stored part of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredGroup {
    /// Id of the group.
    pub id: GroupId,
    /// Name of the group.
    pub name: GroupName,
    /// Time of its creation.
    pub created: Timestamp,
}

/// The stored groups with what belongs to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredGroups {
    /// All groups, without members and channels.
    pub groups: Vec<StoredGroup>,
    /// Pairs of a group and an account in it.
    pub members: Vec<(GroupId, AccountId)>,
    /// Pairs of a group and a channel that its members are in.
    pub channels: Vec<(GroupId, ChannelId)>,
    /// The largest id ever used.
    pub last_id: i64,
}

impl GroupName {
    /// Limit of the name of a group, in bytes.
    pub const MAX: usize = 64;

    /// Parses the name of a group.
    ///
    /// # Errors
    /// The text is not such a name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let name: String = text.trim().nfc().collect();
        let first = name.chars().next().ok_or(NameError::Empty)?;
        // It would be taken for a channel, or for an option.
        if "#-".contains(first) {
            return Err(NameError::Start(first));
        }
        let separator = name.chars().find(|&c| ",;\"".contains(c));
        if let Some(bad) = separator.or_else(|| chars::find_refused_char(&name)) {
            return Err(NameError::Character(bad));
        }
        if name.len() > Self::MAX {
            return Err(NameError::TooLong(Self::MAX));
        }
        Ok(Self { folded: chars::fold_name(&name).into(), name: name.into() })
    }

    /// Returns the name as its creator wrote it.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Returns the form by which names are compared.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl FromStr for GroupName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::parse(text)
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

impl PartialEq for GroupName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for GroupName {}

impl PartialOrd for GroupName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for GroupName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl Serialize for GroupName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name)
    }
}

impl<'de> Deserialize<'de> for GroupName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_classes_are_valid_and_compared_without_case() {
        for good in ["3b", " Klasse 3b ", "Lehrkräfte", "10/2", "三年二班", "x"] {
            assert_eq!(GroupName::parse(good).expect(good).as_str(), good.trim());
        }
        for bad in ["", "  ", "#3b", "-3b", "3b,3c", "3b;", "a\u{200b}b", "a\nb", &"x".repeat(65)] {
            assert!(GroupName::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(GroupName::parse("LEHRKRÄFTE"), GroupName::parse("lehrkra\u{308}fte"));
    }
}
