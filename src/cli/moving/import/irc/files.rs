//! The files of logs, by their names: the conversation of each, and the order of those that were rotated.

use super::super::source::has_extension;
use crate::wire::ChannelName;

/// Ends of the names of logs.
const ENDINGS: [&str; 3] = [".weechatlog", ".log", ".txt"];

/// Ends of the names of compressed files.
const COMPRESSED: [&str; 6] = [".gz", ".xz", ".bz2", ".zst", ".lz4", ".Z"];

/// The conversation of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Channel(ChannelName),
    /// A direct conversation with this nick.
    Query(String),
}

/// A log by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogName<'a> {
    /// The name without what a rotation put behind it. Files of one base are parts of one log.
    pub base: &'a str,
    /// Its place among the parts, the earliest first.
    pub order: i64,
    /// It has to be unpacked first.
    pub is_compressed: bool,
}

impl<'a> LogName<'a> {
    /// Parses a name such as `#chan.log`, `#chan.log.1`, `#chan.log-20260131.gz`.
    pub fn parse(name: &'a str) -> Self {
        let unpacked = COMPRESSED.iter().find_map(|ending| name.strip_suffix(ending));
        let (base, order) = strip_rotation(unpacked.unwrap_or(name));
        Self { base, order, is_compressed: unpacked.is_some() }
    }

    /// Returns whether it is named as logs are.
    pub fn is_log(&self) -> bool {
        ENDINGS.iter().any(|ending| self.base.ends_with(ending))
    }
}

/// Removes the number or the date that a rotation put behind a name. Returns the place among the parts, too: the highest
/// number is the earliest part, then come dates, then the file that is written to.
fn strip_rotation(name: &str) -> (&str, i64) {
    for ending in ENDINGS {
        let Some(at) = name.rfind(ending) else { continue };
        let Some((base, suffix)) = name.split_at_checked(at + ending.len()) else { continue };
        let digits: String = suffix.chars().filter(char::is_ascii_digit).collect();
        let is_rotation = suffix.starts_with(['.', '-', '_'])
            && suffix.bytes().all(|byte| byte.is_ascii_digit() || b".-_".contains(&byte));
        if let Some(number) = digits.parse::<i64>().ok().filter(|_| is_rotation) {
            return (base, if digits.len() < 6 { -number } else { number });
        }
    }
    (name, i64::MAX)
}

/// Returns the conversation of a log by the name of its file, as the clients name them by default:
/// `#chan.log`, `irc.server.#chan.weechatlog`, `#chan.2026-01-31.log`, `alice.log`.
pub(super) fn target_of(path: &str, forced: Option<&ChannelName>) -> Option<Target> {
    if let Some(channel) = forced {
        return Some(Target::Channel(channel.clone()));
    }
    let file = path.rsplit('/').next().unwrap_or(path);
    // Rotated logs may have a folder for each channel.
    let part = path.rsplit('/').find(|part| part.starts_with('#') || part.contains(".#")).unwrap_or(file);
    let stem = ENDINGS.iter().find_map(|ending| part.strip_suffix(ending)).unwrap_or(part);
    let stem = strip_date(stem);
    if let Some(at) = stem.find('#')
        && (at == 0 || stem.get(..at).is_some_and(|before| before.ends_with('.')))
    {
        return stem.get(at..).and_then(|name| ChannelName::parse(name).ok()).map(Target::Channel);
    }
    let is_log = has_extension(file, "log") || has_extension(file, "weechatlog");
    let nick = match stem.strip_prefix("irc.") {
        // `irc.server.nick`; the log of the server itself is `irc.server.NAME`.
        Some(rest) if rest.starts_with("server.") => return None,
        Some(rest) => rest.split_once('.')?.1,
        None => stem,
    };
    let is_nick =
        !nick.is_empty() && nick.bytes().all(|b| b.is_ascii_alphanumeric() || b"[]\\`_^{|}-".contains(&b));
    (is_log && is_nick).then(|| Target::Query(nick.to_owned()))
}

/// Removes a date from the end of a name.
fn strip_date(stem: &str) -> &str {
    let is_date = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let is_month_and_day =
            digits == 4 && text.trim_start_matches(['-', '_', '.']).contains(['-', '_', '.']);
        is_month_and_day || (6..=8).contains(&digits)
    };
    let start = stem
        .rfind(|c: char| !c.is_ascii_digit() && !"-_.".contains(c))
        .map_or(0, |at| at + stem.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8));
    match stem.split_at_checked(start) {
        Some((name, date)) if date.starts_with(['-', '_', '.']) && is_date(date) => name,
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_conversations() {
        let channel = |name: &str| Some(Target::Channel(ChannelName::parse(name).expect(name)));
        let query = |nick: &str| Some(Target::Query(nick.to_owned()));
        for (path, target) in [
            ("libera/#parlour.log", channel("#parlour")),
            ("irc.libera.#parlour.weechatlog", channel("#parlour")),
            ("irc.libera.#parlour.dev.weechatlog", channel("#parlour.dev")),
            ("2026/libera/#parlour.01-31.log", channel("#parlour")),
            ("#parlour_20260131.log", channel("#parlour")),
            ("#parlour/2026-01-31.log", channel("#parlour")),
            ("##c2.log", channel("##c2")),
            ("#class-2026.log", channel("#class-2026")),
            ("libera/alice.log", query("alice")),
            ("irc.libera.alice.weechatlog", query("alice")),
            ("irc.server.libera.weechatlog", None),
            ("core.weechat.weechatlog", None),
            ("notes.md", None),
            ("#.log", None),
        ] {
            assert_eq!(target_of(path, None), target, "{path}");
        }
    }
    #[test]
    fn rotated_logs_are_parts_of_one() {
        let parsed = |name| {
            let LogName { base, order, is_compressed } = LogName::parse(name);
            (base, order, is_compressed)
        };
        assert_eq!(parsed("libera/#x.log"), ("libera/#x.log", i64::MAX, false));
        assert_eq!(parsed("#x.log.1"), ("#x.log", -1, false));
        assert_eq!(parsed("#x.log.12"), ("#x.log", -12, false));
        assert_eq!(parsed("#x.log-20260131"), ("#x.log", 20_260_131, false));
        assert_eq!(parsed("#x.log-2026-01-31"), ("#x.log", 20_260_131, false));
        assert_eq!(parsed("irc.a.#x.weechatlog.2.gz"), ("irc.a.#x.weechatlog", -2, true));
        assert_eq!(parsed("#gz.log.gz"), ("#gz.log", i64::MAX, true));
        assert_eq!(parsed("#x.2026-01-31.log"), ("#x.2026-01-31.log", i64::MAX, false));
        assert_eq!(parsed("#x.log.old"), ("#x.log.old", i64::MAX, false));
        assert!(!LogName::parse("photo.jpg.gz").is_log());
    }
}
