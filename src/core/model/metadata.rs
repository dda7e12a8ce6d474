//! Metadata: keys and values of accounts and channels, their limits and their replies
//! ([metadata](https://ircv3.net/specs/extensions/metadata)). The command is in `commands/account/metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::wire::numeric::{
    ERR_NEEDMOREPARAMS, RPL_KEYNOTSET, RPL_KEYVALUE, RPL_METADATASUBOK, RPL_METADATASUBS, RPL_METADATAUNSUBOK,
};
use crate::wire::{BatchRef, Cap, CapSet, Reply, chars};

/// Value of the capability: its limits.
pub const CAP_VALUE: &str = "before-connect,max-subs=50,max-keys=32,max-value-bytes=300";

/// Maximum number of keys of one account or channel (`max-keys`).
pub const MAX_KEYS: usize = 32;

/// Maximum number of keys that a session subscribes to (`max-subs`).
pub const MAX_SUBS: usize = 50;

/// Maximum length of a value, in bytes (`max-value-bytes`). With it a reply fits a line of 512 bytes.
pub const MAX_VALUE_BYTES: usize = 300;

/// Maximum length of a key, in bytes.
const MAX_KEY_BYTES: usize = 64;

/// Keys and values of one account or channel, in the order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataMap(BTreeMap<Arc<str>, Arc<str>>);

/// The accounts that may see a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All accounts see it.
    Public,
    /// Only the account sees it that set it, on a channel or on another account.
    Private,
}

impl Visibility {
    /// Returns the form on the wire; `*` means everybody.
    pub(in crate::core) fn as_str(self) -> &'static str {
        match self {
            Self::Public => "*",
            Self::Private => "private",
        }
    }
}

impl MetadataMap {
    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        self.0.get(key)
    }

    /// Sets or clears a key. Returns true if that is a change.
    pub fn set(&mut self, key: Arc<str>, value: Option<Arc<str>>) -> bool {
        match value {
            Some(value) => self.0.insert(key, value.clone()).is_none_or(|old| old != value),
            None => self.0.remove(&key).is_some(),
        }
    }

    /// Returns whether there is room for another key.
    pub fn has_room(&self) -> bool {
        self.0.len() < MAX_KEYS
    }

    /// Returns whether no key is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over keys and values, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter()
    }
}

/// Returns whether a text is a valid key: `a-z`, `0-9` and `_./-`.
pub fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_KEY_BYTES
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_./-".contains(&b))
}

/// Checks a value for a key. The error is a text for the user.
fn check_value(key: &str, value: &str) -> Result<(), &'static str> {
    if value.len() > MAX_VALUE_BYTES {
        return Err("The value is too long");
    }
    match key {
        "soju.im/pinned" | "soju.im/muted" | "soju.im/blocked" if !["0", "1"].contains(&value) => {
            Err("The value is 0 or 1")
        }
        // Clients show the display name in place of the nick.
        "display-name" if chars::find_refused_char(value).is_some() => {
            Err("A display name cannot contain control or invisible characters")
        }
        "color" if !is_color(value) => Err("The value is a colour, #rrggbb"),
        _ => Ok(()),
    }
}

/// Checks a key and its new value, or its removal. The error is the reply.
pub fn check_change(key: &str, value: Option<&str>, dialect: MetadataDialect) -> Result<(), Reply> {
    if !is_key(key) {
        return Err(invalid_key(key, dialect));
    }
    value.map_or(Ok(()), |value| check_value(key, value)).map_err(|text| match dialect {
        MetadataDialect::Draft => Reply::fail("METADATA", "VALUE_INVALID").text(text),
        MetadataDialect::Revised => Reply::fail("METADATA", "INVALID_VALUE").arg(key).text(text),
    })
}

/// Creates the reply to an invalid key.
pub fn invalid_key(key: &str, dialect: MetadataDialect) -> Reply {
    let code = if dialect == MetadataDialect::Draft { "KEY_INVALID" } else { "INVALID_KEY" };
    Reply::fail("METADATA", code).arg(key).text("A key has 1 to 64 of a-z, 0-9 and _./-")
}

/// Creates the reply to an unknown subcommand.
pub fn invalid_subcommand(word: &str) -> Reply {
    Reply::fail("METADATA", "SUBCOMMAND_INVALID").arg(word).text("There is no such subcommand")
}

/// Creates the reply to missing parameters.
pub fn need_more_params() -> Reply {
    Reply::numeric(ERR_NEEDMOREPARAMS).arg("METADATA").text("Not enough parameters")
}

/// Version of the extension that a session uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataDialect {
    /// `draft/metadata-2`: changes are announced by METADATA messages.
    Draft,
    /// `draft/metadata-3`: changes are announced by numerics.
    Revised,
}

impl MetadataDialect {
    /// Returns the version for a session with these capabilities.
    pub fn for_caps(caps: CapSet) -> Self {
        if caps.has(Cap::MetadataDraft) && !caps.has(Cap::Metadata) { Self::Draft } else { Self::Revised }
    }
}

/// A key for a reply or an announcement, with or without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataEntry {
    /// Nick or channel that has the key.
    pub name: Arc<str>,
    /// Name of the key.
    pub key: Arc<str>,
    /// The value; `None` if the key is not set.
    pub value: Option<Arc<str>>,
    /// The accounts that may see it.
    pub visibility: Visibility,
}

impl MetadataEntry {
    /// Creates one for a key that has a value.
    pub fn new(name: &Arc<str>, key: &Arc<str>, value: &Arc<str>) -> Self {
        let visibility = visibility_of_key(key);
        Self { name: name.clone(), key: key.clone(), value: Some(value.clone()), visibility }
    }

    /// Creates the reply to a query.
    pub fn reply(&self) -> Reply {
        let named = |numeric| Reply::numeric(numeric).arg(&*self.name).arg(&*self.key);
        match &self.value {
            Some(value) => named(RPL_KEYVALUE).arg(self.visibility.as_str()).text(value),
            None => named(RPL_KEYNOTSET).text("The key is not set"),
        }
    }

    /// Creates the announcement of a change. A numeric is then addressed to `*`.
    pub fn notification(&self, dialect: MetadataDialect) -> Reply {
        if dialect == MetadataDialect::Revised {
            return self.reply().unaddressed();
        }
        let reply = Reply::command("METADATA").arg(&*self.name).arg(&*self.key).arg(self.visibility.as_str());
        match &self.value {
            Some(value) => reply.text(value),
            None => reply,
        }
    }

    /// Creates the announcement for a session with these capabilities.
    pub fn announcement(&self, caps: CapSet) -> Reply {
        self.notification(MetadataDialect::for_caps(caps))
    }
}

/// Metadata commands of a connection before its login. They take effect with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreLoginMetadata {
    /// It clears the public keys of its account before it sets `values`.
    pub clears_public: bool,
    /// The keys that it subscribes to.
    pub subscriptions: BTreeSet<Arc<str>>,
    /// Keys of its own account that it sets (`Some`) or clears (`None`).
    pub values: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

impl PreLoginMetadata {
    /// Handles a METADATA and returns the replies.
    pub fn handle_command(&mut self, params: &[&str], caps: CapSet) -> Vec<Reply> {
        let render_one = |reply: Reply| vec![reply];
        let [target, word, rest @ ..] = params else { return render_one(need_more_params()) };
        if *target != "*" {
            let reply = Reply::fail("METADATA", "INVALID_TARGET").arg(target);
            return render_one(reply.text("Before the login the only target is *, your own account"));
        }
        let dialect = MetadataDialect::for_caps(caps);
        let own: Arc<str> = "*".into();
        let entry = |key: &Arc<str>, value: Option<Arc<str>>| MetadataEntry {
            name: own.clone(),
            key: key.clone(),
            value,
            visibility: visibility_of_key(key),
        };
        let batch_of = |all: &[MetadataEntry]| batch("*", all.iter().map(MetadataEntry::reply));
        match (word.to_ascii_uppercase().as_str(), rest) {
            (word @ ("SUB" | "UNSUB" | "SUBS"), keys) => {
                handle_subscriptions(word, keys, &mut self.subscriptions, caps)
            }
            ("SET", [key, rest @ ..]) => {
                let value = rest.first().copied().filter(|value| !value.is_empty());
                if let Err(reply) = check_change(key, value, dialect) {
                    return render_one(reply);
                }
                if self.values.len() >= MAX_KEYS && !self.values.contains_key(*key) {
                    let reply = Reply::fail("METADATA", "LIMIT_REACHED").arg("*").arg(MAX_KEYS.to_string());
                    return render_one(reply.text("Too many keys"));
                }
                let (key, value): (Arc<str>, Option<Arc<str>>) = ((*key).into(), value.map(Into::into));
                self.values.insert(key.clone(), value.clone());
                render_one(entry(&key, value).reply())
            }
            ("GET", [_, ..]) => {
                let get = |key: &&str| {
                    let value = self.values.get(*key).cloned().flatten();
                    if is_key(key) { entry(&(*key).into(), value).reply() } else { invalid_key(key, dialect) }
                };
                batch("*", rest.iter().map(get))
            }
            ("LIST" | "SYNC", _) => {
                let set = self.values.iter().filter(|(_, value)| value.is_some());
                batch_of(&set.map(|(key, value)| entry(key, value.clone())).collect::<Vec<_>>())
            }
            ("CLEAR", _) => {
                self.clears_public = true;
                let gone = std::mem::take(&mut self.values);
                batch_of(&gone.keys().map(|key| entry(key, None)).collect::<Vec<_>>())
            }
            ("SET" | "GET", _) => render_one(need_more_params()),
            _ => render_one(invalid_subcommand(word)),
        }
    }
}

/// Returns a batch of replies about the metadata of `target`.
pub fn batch(target: &str, replies: impl IntoIterator<Item = Reply>) -> Vec<Reply> {
    Reply::batch(BatchRef::METADATA, Reply::batch_start(BatchRef::METADATA, "metadata").arg(target), replies)
}

/// Handles SUB, UNSUB or SUBS of a session and returns the replies.
pub fn handle_subscriptions(
    subcommand: &str,
    keys: &[&str],
    subscribed: &mut BTreeSet<Arc<str>>,
    caps: CapSet,
) -> Vec<Reply> {
    let dialect = MetadataDialect::for_caps(caps);
    let list = |numeric, keys: Vec<&str>| {
        // Six keys fit a line of 512 bytes.
        let lines = keys.chunks(6).map(|some| some.iter().fold(Reply::numeric(numeric), Reply::arg));
        lines.collect::<Vec<Reply>>()
    };
    if subcommand == "SUBS" {
        let replies = list(RPL_METADATASUBS, subscribed.iter().map(|key| &**key).collect());
        let start = Reply::batch_start(BatchRef::METADATA, "metadata-subs");
        return Reply::batch(BatchRef::METADATA, start, replies);
    }
    let mut replies = Vec::new();
    let mut done = Vec::new();
    for &key in keys {
        if !is_key(key) {
            replies.push(invalid_key(key, dialect));
        } else if subcommand == "UNSUB" {
            subscribed.remove(key);
            done.push(key);
        } else if subscribed.contains(key) || subscribed.len() < MAX_SUBS {
            subscribed.insert(key.into());
            done.push(key);
        } else {
            let code = if dialect == MetadataDialect::Draft { "TOO_MANY_SUBS" } else { "LIMIT_REACHED" };
            let reply = Reply::fail("METADATA", code).arg(key);
            let reply =
                if dialect == MetadataDialect::Draft { reply } else { reply.arg(MAX_SUBS.to_string()) };
            replies.push(reply.text("Too many subscriptions"));
            break;
        }
    }
    let numeric = if subcommand == "UNSUB" { RPL_METADATAUNSUBOK } else { RPL_METADATASUBOK };
    replies.extend(list(numeric, done));
    replies
}

/// Returns the visibility of a key.
pub fn visibility_of_key(key: &str) -> Visibility {
    match key {
        "soju.im/pinned" | "soju.im/muted" | "soju.im/blocked" | "parlour/bookmarks" => Visibility::Private,
        _ => Visibility::Public,
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keys_and_values_are_validated() {
        assert!(is_key("display-name") && is_key("soju.im/pinned"));
        assert!(!is_key("") && !is_key("$x") && !is_key("A") && !is_key(&"a".repeat(65)));
        assert!(check_value("color", "#12ab9F").is_ok() && check_value("color", "red").is_err());
        assert!(check_value("soju.im/muted", "1").is_ok() && check_value("soju.im/muted", "x").is_err());
        assert!(check_value("display-name", "Zoë von Ä").is_ok());
        assert!(check_value("display-name", "al\u{3164}").is_err());
        assert!(check_value("display-name", "\u{202e}la").is_err());
        assert!(check_value("status", &"x".repeat(301)).is_err());
    }

    #[test]
    fn cap_value_matches_limits() {
        let limits = format!("max-subs={MAX_SUBS},max-keys={MAX_KEYS},max-value-bytes={MAX_VALUE_BYTES}");
        assert_eq!(CAP_VALUE, format!("before-connect,{limits}"));
    }

    #[test]
    fn metadata_before_login_targets_own_account_only() {
        let mut early = PreLoginMetadata::default();
        let caps = CapSet::from_caps(&[Cap::Batch, Cap::Metadata]);
        let mut handle = |line: &str| -> String {
            let replies = early.handle_command(&line.split(' ').collect::<Vec<_>>(), caps);
            replies.iter().map(|reply| reply.render("chat.parlour", "al")).collect()
        };
        assert_eq!(handle("* SET status busy"), ":chat.parlour 761 al * status * :busy\r\n");
        assert!(handle("bo SET status busy").contains("FAIL METADATA INVALID_TARGET bo"));
        assert!(handle("* SET Status busy").contains("INVALID_KEY Status"));
        assert!(handle("* LIST").contains("@batch=m :chat.parlour 761 al * status * :busy\r\n"));
        assert!(handle("* GET color").contains(" 766 al * color :"));
        assert!(handle("* SUB status avatar X").ends_with(" 770 al status avatar\r\n"));
        assert!(handle("* SUBS").contains(" 772 al avatar status\r\n"));
        assert!(handle("* CLEAR").contains(" 766 al * status :") && handle("*").contains(" 461 al METADATA"));
        assert!(handle("* EAT x").contains("SUBCOMMAND_INVALID EAT"));
        assert!(early.values.is_empty() && early.subscriptions.len() == 2);
    }

    #[test]
    fn set_reports_whether_value_changed() {
        let mut keys = MetadataMap::default();
        assert!(keys.set("a".into(), Some("1".into())) && !keys.set("a".into(), Some("1".into())));
        assert!(keys.set("a".into(), None) && !keys.set("a".into(), None) && keys.is_empty());
    }
}
