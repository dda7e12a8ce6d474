//! Ids and texts of messages, for the importers of other programs.

use super::people::Author;
use super::report::Report;
use crate::wire::{ChannelName, MessageId, Timestamp};

/// Maximum length of a message's text, in bytes; a longer one is cut. The server takes no longer ones.
const MAX_TEXT_BYTES: usize = 32 * 1024;

/// Returns a text without what no message can have, and not longer than one may be.
pub fn cleaned(text: &str, report: &mut Report) -> String {
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\0', "");
    if text.len() > MAX_TEXT_BYTES {
        report.leave_out("the end of a text that is longer than 32 KiB");
        text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    }
    text
}

/// Makes the id of a message of this time. The salt, of 20 bits, tells messages of different places and the same
/// millisecond apart, and is the same each time.
pub fn id(time: Timestamp, salt: u32) -> MessageId {
    let mask = (1 << MessageId::COUNTER_BITS) - 1;
    MessageId::from_i64(MessageId::first_at(time).as_i64() | i64::from(salt & mask))
}

/// Hashes texts to the salt of an id.
pub fn hash(texts: &[&str]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update(&[0]);
    }
    // The upper bits of the sum, folded into the lower, since only twenty are used.
    let sum = hasher.finalize();
    sum ^ (sum >> MessageId::COUNTER_BITS)
}

/// Makes the text of an action (`/me`).
pub fn action(author: &Author, text: &str) -> String {
    match author.prefix {
        Some(_) => author.text(&format!("* {text}")),
        None => format!("\u{1}ACTION {text}\u{1}"),
    }
}

/// Makes the tag by which a message answers another one.
pub fn reply_tag(parent: MessageId) -> String {
    format!("+draft/reply={parent}")
}

/// Makes the tags of a reaction to a message.
pub fn reaction_tags(parent: MessageId, reaction: &str) -> String {
    let escaped: String = reaction
        .chars()
        .filter(|c| !c.is_control())
        .map(|c| match c {
            ';' => "\\:".to_owned(),
            ' ' => "\\s".to_owned(),
            '\\' => "\\\\".to_owned(),
            c => c.to_string(),
        })
        .collect();
    format!("+draft/react={escaped};{}", reply_tag(parent))
}

/// Returns the emoji of a short name, such as `+1` or `thumbsup`, or the name between colons.
pub fn emoji(name: &str) -> String {
    // Slack writes the tone of the skin behind it.
    let name = name.split("::").next().unwrap_or(name);
    let known = emojis::get_by_shortcode(name).or_else(|| emojis::get_by_shortcode(&name.replace('-', "_")));
    known.map_or_else(|| format!(":{name}:"), |emoji| emoji.as_str().to_owned())
}

/// Makes the name of a channel of any name; `None` if nothing of it can be kept.
pub fn channel_name(name: &str) -> Option<ChannelName> {
    let bare = name.trim().trim_start_matches('#');
    let mut made = String::from("#");
    for c in bare.chars() {
        let c = if c == ' ' || c == ',' || c.is_control() { '-' } else { c };
        if made.len() + c.len_utf8() > ChannelName::MAX {
            break;
        }
        made.push(c);
    }
    ChannelName::parse(&made).ok().or_else(|| {
        let plain: String = made.chars().filter(|c| c.is_alphanumeric() || "#-_".contains(*c)).collect();
        ChannelName::parse(&plain).ok()
    })
}

/// Returns the text of a message of Slack without its markup: `<@U1>`, `<#C1|name>`, `<https://…|label>`, `&amp;`.
/// `mention` names the person or the channel of an id.
pub fn without_markup(text: &str, mention: impl Fn(&str) -> Option<String>) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        plain += before;
        let Some((inside, behind)) =
            after.split_once('>').filter(|(inside, _)| !inside.contains(['<', '\n']))
        else {
            plain.push('<');
            rest = after;
            continue;
        };
        let (target, label) =
            inside.split_once('|').map_or((inside, None), |(target, label)| (target, Some(label)));
        match target.chars().next() {
            Some(sign @ ('@' | '#')) => {
                let id = target.get(1..).unwrap_or_default();
                let named = || label.map_or_else(|| target.to_owned(), |label| format!("{sign}{label}"));
                plain += &mention(id).unwrap_or_else(named);
            }
            Some('!') => {
                let word = target.get(1..).unwrap_or_default();
                let word = word.split('^').next().unwrap_or_default();
                plain += label.map_or_else(|| format!("@{word}"), ToOwned::to_owned).as_str();
            }
            _ => match label {
                Some(label) if !target.ends_with(label) => {
                    plain += label;
                    plain += " (";
                    plain += target;
                    plain.push(')');
                }
                _ => plain += target.strip_prefix("mailto:").unwrap_or(target),
            },
        }
        rest = behind;
    }
    plain += rest;
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_time() {
        let time = Timestamp(1_700_000_000_007);
        for salt in [0, 1, u32::MAX] {
            assert_eq!(id(time, salt).time(), time);
        }
        assert_eq!(hash(&["a", "b"]), hash(&["a", "b"]));
        assert_ne!(hash(&["a", "b"]), hash(&["ab", ""]));
    }

    #[test]
    fn reactions_are_emoji_where_there_is_one() {
        for (name, shown) in
            [("+1", "👍"), ("tada", "🎉"), ("party-parrot", ":party-parrot:"), ("wave::skin-tone-2", "👋")]
        {
            assert_eq!(emoji(name), shown, "{name}");
        }
        let parent = id(Timestamp(5), 3);
        assert_eq!(reaction_tags(parent, "a b;"), format!("+draft/react=a\\sb\\:;+draft/reply={parent}"));
    }

    #[test]
    fn texts_are_bounded_and_clean() {
        let mut report = Report::default();
        assert_eq!(cleaned("a\r\nb\rc\0", &mut report), "a\nb\nc");
        assert!(report.left_out.is_empty());
        assert_eq!(cleaned(&"é".repeat(20_000), &mut report).len(), MAX_TEXT_BYTES);
        assert_eq!(report.left_out.len(), 1);
    }

    #[test]
    fn markup_of_slack_becomes_text() {
        let mention = |id: &str| (id == "U1").then(|| "@ann".to_owned());
        for (text, plain) in [
            ("hi <@U1>, <@U2|bob>, <@U3>", "hi @ann, @bob, @U3"),
            (
                "see <#C1|general> &amp; <https://a.example/x|the page>",
                "see #general & the page (https://a.example/x)",
            ),
            ("<https://a.example/> <mailto:a@b.example|a@b.example>", "https://a.example/ a@b.example"),
            ("<!here> <!subteam^S1|@team> a &lt; b", "@here @team a < b"),
            ("a <<@U1>", "a <@ann"),
            ("<", "<"),
        ] {
            assert_eq!(without_markup(text, mention), plain, "{text}");
        }
    }

    #[test]
    fn any_name_becomes_that_of_a_channel() {
        for (name, channel) in [("general", "#general"), ("#a b,c", "#a-b-c"), ("schön", "#schön")] {
            assert_eq!(channel_name(name).map(|name| name.to_string()).as_deref(), Some(channel), "{name}");
        }
        assert_eq!(channel_name(""), None);
        assert!(channel_name(&"é".repeat(99)).is_some_and(|name| name.as_str().len() <= ChannelName::MAX));
    }
}
