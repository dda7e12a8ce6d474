//! Deserializers of values that have rules beyond their type.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::Serializer;

use super::ChannelRetention;
use crate::backup::Recipient;
use crate::trust::certs::SubjectAltName;
use crate::trust::{Address, InviteLink};
use crate::wire::{ChannelName, ServerName};

/// Maximum length of a network name, in bytes, because it shares a line with other things.
const MAX_NAME_BYTES: usize = 32;

/// Maximum length of an icon's URL, in bytes, with `=` and `\` counted as the four of their escapes. It shares a line
/// of 512 bytes with the names of server and client.
const MAX_ICON_BYTES: usize = 200;

/// Reads a whole number in a range, both ends included.
pub(super) fn between<'de, const LEAST: i64, const MOST: i64, D, T>(value: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let number = i64::deserialize(value)?;
    let fits = (LEAST..=MOST).contains(&number).then(|| T::try_from(number).ok()).flatten();
    fits.ok_or_else(|| D::Error::custom(format!("{number} is not between {LEAST} and {MOST}")))
}

/// Reads an optional whole number in a range, both ends included.
pub(super) fn given_between<'de, const LEAST: i64, const MOST: i64, D, T>(
    value: D,
) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    between::<LEAST, MOST, D, T>(value).map(Some)
}

/// Reads at least one address to listen on, and removes repetitions.
pub(super) fn listen<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SocketAddr>, D::Error> {
    let listen = optional_listen(value)?;
    if listen.is_empty() { Err(D::Error::custom("at least one address is needed")) } else { Ok(listen) }
}

/// Reads addresses to listen on, and removes repetitions.
pub(super) fn optional_listen<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SocketAddr>, D::Error> {
    let mut listen: Vec<SocketAddr> = Vec::new();
    for text in Vec::<String>::deserialize(value)? {
        let address = text.parse().map_err(|_| {
            D::Error::custom(format!("`{text}` is not ADDRESS:PORT, such as `0.0.0.0:6697` or `[::]:6697`"))
        })?;
        if !listen.contains(&address) {
            listen.push(address);
        }
    }
    Ok(listen)
}

/// Reads addresses of the loopback interface to listen on: one, or a list.
pub(super) fn loopback_listen<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SocketAddr>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged, expecting = "an address or a list of addresses")]
    enum Addresses {
        One(String),
        Several(Vec<String>),
    }
    let texts = match Addresses::deserialize(value)? {
        Addresses::One(text) => vec![text],
        Addresses::Several(texts) => texts,
    };
    let mut listen: Vec<SocketAddr> = Vec::new();
    for text in texts {
        let address: Option<SocketAddr> = text.parse().ok();
        let Some(address) = address.filter(|address| address.ip().is_loopback()) else {
            let text = format!(
                "`{text}` is not an address of this machine alone, such as `127.0.0.1:9697`: the metrics are sent in the clear"
            );
            return Err(D::Error::custom(text));
        };
        if !listen.contains(&address) {
            listen.push(address);
        }
    }
    Ok(listen)
}

/// Reads origins, in the form in which browsers send them.
pub(super) fn origins<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    let origins = Vec::<String>::deserialize(value)?;
    for origin in &origins {
        let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let is_host = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        };
        if !host.is_some_and(is_host) {
            return Err(D::Error::custom(format!(
                "`{origin}` is not an origin, `https://HOST` or `https://HOST:PORT`, without a path"
            )));
        }
    }
    Ok(origins)
}

/// Reads a network name: one word, because it is sent as `NETWORK=…` among others, where a space would end it.
pub(super) fn network_name<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let name = String::deserialize(value)?;
    if name.is_empty() {
        return Err(D::Error::custom("the network's name is empty"));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(D::Error::custom(format!("the network's name is longer than {MAX_NAME_BYTES} bytes")));
    }
    if name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(D::Error::custom("the network's name must be one word, without spaces"));
    }
    Ok(name)
}

/// Reads the source of the server's replies.
pub(super) fn server_name<'de, D: Deserializer<'de>>(value: D) -> Result<ServerName, D::Error> {
    ServerName::parse(&String::deserialize(value)?).map_err(D::Error::custom)
}

/// Reads a URL, or nothing. It is sent as `draft/ICON=…`, and clients fetch it.
pub(super) fn icon<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let icon = String::deserialize(value)?;
    let is_web =
        ["https://", "http://"].iter().any(|scheme| icon.len() > scheme.len() && icon.starts_with(scheme));
    let is_good = is_web && icon.bytes().all(|byte| byte.is_ascii_graphic());
    if !icon.is_empty() && !is_good {
        return Err(D::Error::custom("the icon's address is not of the form `https://HOST/PATH`, in ASCII"));
    }
    let escaped: usize = icon.bytes().map(|byte| if b"=\\".contains(&byte) { 4 } else { 1 }).sum();
    if escaped > MAX_ICON_BYTES {
        return Err(D::Error::custom(format!("the icon's address is longer than {MAX_ICON_BYTES} bytes")));
    }
    Ok(icon)
}

/// Reads addresses for invites.
pub(super) fn addresses<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Address>, D::Error> {
    let addresses: Vec<Address> = parse_list(value)?;
    let most = InviteLink::MAX_ADDRESSES;
    if addresses.len() > most {
        return Err(D::Error::custom(format!(
            "these are more than the {most} addresses that an invite carries"
        )));
    }
    Ok(addresses)
}

/// Reads names for certificates.
pub(super) fn names<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<SubjectAltName>, D::Error> {
    parse_list(value)
}

/// Reads recipients of backups. The error does not quote them: one could be a secret key by mistake.
pub(super) fn recipients<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<Recipient>, D::Error> {
    parse_list(value)
}

/// Reads the retention of channels, by their names.
pub(super) fn channels<'de, D: Deserializer<'de>>(
    value: D,
) -> Result<BTreeMap<String, ChannelRetention>, D::Error> {
    let channels = BTreeMap::<String, ChannelRetention>::deserialize(value)?;
    let mut known = BTreeSet::new();
    for text in channels.keys() {
        let name = ChannelName::parse(text)
            .map_err(|why| D::Error::custom(format!("`{text}` is no channel's name: {why}")))?;
        if let Some(same) = known.replace(name) {
            return Err(D::Error::custom(format!("`{same}` and `{text}` are the same channel")));
        }
    }
    Ok(channels)
}

/// Writes a value in the form in which it is read.
pub(super) fn text<S: Serializer, T: Display>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Writes values in the form in which they are read.
pub(super) fn texts<S: Serializer, T: Display>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(values.iter().map(ToString::to_string))
}

fn parse_list<'de, D, T>(value: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    let texts = Vec::<String>::deserialize(value)?;
    let parse = |(at, text): (usize, &String)| {
        text.parse().map_err(|error| D::Error::custom(format!("entry {}: {error}", at + 1)))
    };
    texts.iter().enumerate().map(parse).collect()
}
