//! Lists of targets in JOIN, PRIVMSG and other commands, and the errors about targets.

use crate::core::settings::Settings;
use crate::wire::Reply;
use crate::wire::numeric::{ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK, ERR_TOOMANYTARGETS, ERR_UNKNOWNERROR};

/// Splits a comma-separated list into its words, each once. More than [`Settings::MAX_TARGETS`] are an error.
pub fn split_targets(list: &str) -> Result<Vec<&str>, Reply> {
    let mut words: Vec<&str> = Vec::new();
    for word in list.split(',').filter(|word| !word.is_empty()) {
        if words.iter().any(|known| known.eq_ignore_ascii_case(word)) {
            continue;
        }
        if words.len() == Settings::MAX_TARGETS {
            return Err(too_many_targets(word));
        }
        words.push(word);
    }
    Ok(words)
}

/// Creates `ERR_TOOMANYTARGETS` for the first word over the limit.
pub fn too_many_targets(word: &str) -> Reply {
    let text = format!("Too many targets, at most {} at once", Settings::MAX_TARGETS);
    Reply::numeric(ERR_TOOMANYTARGETS).arg(word).text(text)
}

/// Creates `ERR_NOSUCHCHANNEL`.
pub fn no_such_channel(name: &str) -> Reply {
    Reply::numeric(ERR_NOSUCHCHANNEL).arg(name).text("No such channel")
}

/// Creates `ERR_NOSUCHNICK`.
pub fn no_such_nick(name: &str) -> Reply {
    Reply::numeric(ERR_NOSUCHNICK).arg(name).text("No such nick/channel")
}

/// Joins names into as many texts as needed, each short enough for a line of 512 bytes.
pub fn join_into_lines(names: impl Iterator<Item = String>, separator: &str) -> impl Iterator<Item = String> {
    /// Bytes that are left in a line whose other parts have their maximum lengths.
    const MAX_LINE_BYTES: usize = 380;
    let mut lines: Vec<String> = Vec::new();
    for name in names {
        match lines.last_mut().filter(|line| line.len() + separator.len() + name.len() <= MAX_LINE_BYTES) {
            Some(line) => {
                line.push_str(separator);
                line.push_str(&name);
            }
            None => lines.push(name),
        }
    }
    lines.into_iter()
}

/// Creates the error reply to an unknown subcommand.
pub fn unknown_subcommand(command: &str, param: &str) -> Reply {
    Reply::numeric(ERR_UNKNOWNERROR).arg(command).arg(param).text("Unknown subcommand")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_lists_are_deduplicated_and_limited() {
        assert_eq!(split_targets("#a,,#b,#A").expect("few"), ["#a", "#b"]);
        let many = (0..17).map(|i| format!("#{i}")).collect::<Vec<_>>().join(",");
        assert!(split_targets(&many).is_err());
    }
}
