//! Mapping of the core's types to columns.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, Value, ValueRef};

use crate::core::record::device::CertificateFingerprint;
use crate::core::record::file::FileId;
use crate::core::record::group::{GroupId, GroupName};
use crate::core::record::member_status::MemberStatus;
use crate::core::record::modes::ListKind;
use crate::core::record::{AccountId, ChannelId, Conversation, MessageKind, Role};
use crate::invariants::MustExist as _;
use crate::wire::{ChannelName, MessageId, Nick, Timestamp};

macro_rules! integer {
    ($type:ty, |$value:ident| $to:expr, |$stored:ident| $from:expr) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let $value = self;
                Ok(ToSqlOutput::from($to))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let $stored = value.as_i64()?;
                $from
            }
        }
    };
}

integer!(AccountId, |id| id.0, |n| Ok(Self(n)));
integer!(ChannelId, |id| id.0, |n| Ok(Self(n)));
integer!(GroupId, |id| id.0, |n| Ok(Self(n)));
integer!(MessageId, |id| id.as_i64(), |n| Ok(Self::from_i64(n)));
integer!(Timestamp, |time| i64::try_from(time.0).unwrap_or(i64::MAX), |n| Ok(Self(n.max(0).unsigned_abs())));
integer!(Role, |role| i64::from(*role == Self::Admin), |n| match n {
    0 => Ok(Self::Member),
    1 => Ok(Self::Admin),
    _ => Err(FromSqlError::OutOfRange(n)),
});
integer!(
    MessageKind,
    |kind| {
        let index = Self::ALL.iter().position(|known| known == kind).must_exist("every kind is listed");
        i64::try_from(index.unwrap_or_default()).unwrap_or_default()
    },
    |n| usize::try_from(n)
        .ok()
        .and_then(|index| Self::ALL.get(index).copied())
        .ok_or(FromSqlError::OutOfRange(n))
);
integer!(MemberStatus, |status| i64::from(status.bits()), |n| match u8::try_from(n) {
    Ok(bits) => Ok(Self::from_bits(bits)),
    Err(_) => Err(FromSqlError::OutOfRange(n)),
});
// One integer, so that one comparison finds a conversation: a channel is its id, a direct conversation is the negated
// pair of its accounts, the smaller in the upper bits.
integer!(
    Conversation,
    |conversation| match *conversation {
        Self::Channel(channel) => channel.0,
        Self::Direct(a, b) => -((a.0 << ACCOUNT_BITS) | b.0),
    },
    |n| if n > 0 {
        Ok(Self::Channel(ChannelId(n)))
    } else {
        Ok(Self::Direct(AccountId(-n >> ACCOUNT_BITS), AccountId(-n & ((1 << ACCOUNT_BITS) - 1))))
    }
);

/// Returns the stored form of a value of an integer column.
pub(in crate::store) fn sql_integer(value: &impl ToSql) -> i64 {
    match value.to_sql() {
        Ok(ToSqlOutput::Owned(Value::Integer(number))) => number,
        _ => 0,
    }
}

/// Bits of an account's id in a pair. 2^31 accounts are more than any server has, and a pair fits a positive integer.
const ACCOUNT_BITS: u32 = 31;

macro_rules! name {
    ($type:ty, $read:path) => {
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                $read(value.as_str()?).map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    };
}

name!(Nick, Nick::parse);
name!(GroupName, GroupName::parse);
// A stored name is read even if today's rules refuse it, because one row must not prevent reading the others.
name!(ChannelName, ChannelName::parse_foreign);

impl ToSql for CertificateFingerprint {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for CertificateFingerprint {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 32]>::column_result(value).map(Self)
    }
}

impl ToSql for FileId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

impl FromSql for FileId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

impl ToSql for ListKind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.letter().to_string()))
    }
}

impl FromSql for ListKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let letter = value.as_str()?.chars().next();
        letter.and_then(Self::from_letter).ok_or(FromSqlError::InvalidType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversations_survive_a_round_trip() {
        let ids = [0, 1, 2, 16, 1 << 20, (1 << 31) - 1].map(AccountId);
        let channels = [1, 77, i64::MAX].map(|n| Conversation::Channel(ChannelId(n)));
        let direct = ids.into_iter().flat_map(|a| ids.map(|b| Conversation::direct(a, b)));
        let mut seen = std::collections::HashMap::new();
        for conversation in channels.into_iter().chain(direct) {
            let ToSqlOutput::Owned(rusqlite::types::Value::Integer(n)) = conversation.to_sql().expect("fits")
            else {
                panic!("an integer")
            };
            assert_eq!(Conversation::column_result(ValueRef::Integer(n)).expect("reads"), conversation);
            assert_eq!(*seen.entry(n).or_insert(conversation), conversation, "two conversations share {n}");
        }
    }
}
