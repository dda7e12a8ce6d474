//! Passwords in messages to services such as `NickServ`, which go to the server and nowhere else.
//!
//! It depends on the service which of its commands take a password. Everything after a word that may introduce one is
//! hidden: rather too much than too little.

use std::borrow::Cow;

use super::model::ChatMessage;
use super::text::services::is_service_name;

/// Names of services and commands that a password may follow.
const PASSWORD_KEYWORDS: &[&str] = &[
    "auth",
    "confirm",
    "ghost",
    "id",
    "identify",
    "login",
    "oper",
    "pass",
    "passwd",
    "password",
    "recover",
    "regain",
    "register",
    "release",
    "resetpass",
    "set-plain",
    "setpass",
    "sidentify",
    "verify",
];

/// Replacement for a hidden word.
const MASK: &str = "••••";

/// Returns the byte offset of the secret in a message to `to`; the secret extends to the end. `None` if there is none.
pub fn secret_start(to: &str, text: &str) -> Option<usize> {
    let name = to.split('@').next().unwrap_or_default();
    // The services of QuakeNet and Undernet.
    let service = is_service_name(name) || ["q", "x"].iter().any(|it| it.eq_ignore_ascii_case(name));
    service.then(|| after_keyword(text)).flatten()
}

/// Returns the byte offset of the secret in a typed line, with `current` as the current conversation.
pub fn secret_start_in_line(line: &str, current: &str) -> Option<usize> {
    let command = line.strip_prefix('/').filter(|rest| !rest.starts_with('/') && !line.contains('\n'));
    let Some(command) = command else { return secret_start(current, line) };
    let (name, args) = command.split_once(' ')?;
    let at = line.len() - args.len();
    let name = name.to_ascii_lowercase();
    let begins = match &*name {
        "msg" | "m" | "w" | "query" | "q" | "channel" | "notice" => {
            let trimmed = args.trim_start();
            let (to, text) = trimmed.split_once(' ')?;
            secret_start(to, text).map(|begins| begins + args.len() - text.len())
        }
        "ns" | "nickserv" | "cs" | "chanserv" => after_keyword(args),
        "quote" | "raw" => {
            let (command, rest) = args.split_once(' ')?;
            let at = args.len() - rest.len();
            let key = match &*command.to_ascii_lowercase() {
                "join" => word_start(rest, 1),
                "mode" => key_start(rest),
                _ => None,
            };
            after_keyword(args).or_else(|| key.map(|key| at + key))
        }
        "join" | "j" => word_start(args, 1).filter(|&at| !args[at..].starts_with('#')),
        "mode" => key_start(args),
        "key" => word_start(args, usize::from(args.trim_start().starts_with('#'))),
        name if PASSWORD_KEYWORDS.contains(&name) => (!args.trim().is_empty()).then_some(0),
        _ => None,
    };
    begins.map(|begins| at + begins)
}

/// Returns whether a text in the composer may hold a password, also one that is only half typed. Such a text is written
/// to no file. `current` is the current conversation.
pub fn may_hold_secret(text: &str, current: &str) -> bool {
    let is_service = |name: &str| {
        let name = name.split('@').next().unwrap_or_default();
        is_service_name(name) || ["q", "x"].iter().any(|it| it.eq_ignore_ascii_case(name))
    };
    let line_may = |line: &str| {
        let Some(command) = line.trim_start().strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
            return false;
        };
        let mut words = command.split_whitespace();
        match words.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "msg" | "m" | "w" | "query" | "q" | "channel" | "notice" => words.next().is_some_and(is_service),
            "ns" | "nickserv" | "cs" | "chanserv" | "quote" | "raw" | "key" => true,
            name => PASSWORD_KEYWORDS.contains(&name) || is_service(name),
        }
    };
    is_service(current) || secret_start_in_line(text, current).is_some() || text.lines().any(line_may)
}

/// Returns the byte offset of the word with this index; `None` if there are fewer.
fn word_start(text: &str, index: usize) -> Option<usize> {
    let mut behind_gap = true;
    let starts = text.char_indices().filter(|(_, c)| {
        let starts = behind_gap && !c.is_whitespace();
        behind_gap = c.is_whitespace();
        starts
    });
    starts.map(|(at, _)| at).nth(index)
}

/// Returns the byte offset of what follows a change of modes that sets a channel key, as in `#lobby +k KEY`.
fn key_start(args: &str) -> Option<usize> {
    let modes = usize::from(args.trim_start().starts_with('#'));
    let letters = args.split_whitespace().nth(modes)?;
    letters.contains('k').then(|| word_start(args, modes + 1)).flatten()
}

/// Returns a message with its secrets hidden; `None` if there are none.
pub fn mask_message(to: &str, text: &str) -> Option<String> {
    secret_start(to, text).map(|from| mask_from(text, from))
}

/// Returns a message as it is shown: without secrets, if this account sent it.
pub fn display_text(message: &ChatMessage) -> Cow<'_, str> {
    let hidden = message.mine.then(|| mask_message(message.conversation.as_str(), &message.text)).flatten();
    hidden.map_or(Cow::Borrowed(&message.text), Cow::Owned)
}

/// Hides the words from the byte offset `from` on. The length of each is hidden too.
pub fn mask_from(text: &str, from: usize) -> String {
    let (open, secret) = text.split_at(text.floor_char_boundary(from));
    let masked = secret.split_whitespace().map(|_| MASK).collect::<Vec<_>>();
    open.to_owned() + &masked.join(" ")
}

/// Returns the byte offset behind the first word that introduces a password.
fn after_keyword(text: &str) -> Option<usize> {
    let mut from = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        from += word.len();
        let word = word.trim().trim_start_matches([':', '!', '.', '-']).to_ascii_lowercase();
        if PASSWORD_KEYWORDS.contains(&&*word) && !text[from..].trim().is_empty() {
            return Some(from);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_passwords_sent_to_services() {
        let line =
            |line: &str, current| secret_start_in_line(line, current).map(|from| mask_from(line, from));
        for (typed, current, expected) in [
            ("/msg NickServ PASSWD old new", "#lobby", Some("/msg NickServ PASSWD •••• ••••")),
            ("/msg nickserv  identify hunter2", "#lobby", Some("/msg nickserv  identify ••••")),
            (
                "/msg NickServ@services.example IDENTIFY a b",
                "#lobby",
                Some("/msg NickServ@services.example IDENTIFY •••• ••••"),
            ),
            ("/w Q AUTH me hunter2", "#lobby", Some("/w Q AUTH •••• ••••")),
            ("/ns register hunter2 me@example.org", "#lobby", Some("/ns register •••• ••••")),
            ("/ns set password hunter2", "#lobby", Some("/ns set password ••••")),
            (
                "/msg BouncerServ user create -username a -password b",
                "#lobby",
                Some("/msg BouncerServ user create -username a -password ••••"),
            ),
            ("/quote PASSWD old :new one", "#lobby", Some("/quote PASSWD •••• •••• ••••")),
            ("/quote PRIVMSG NickServ :IDENTIFY x", "#lobby", Some("/quote PRIVMSG NickServ :IDENTIFY ••••")),
            ("/oper root hunter2", "#lobby", Some("/oper •••• ••••")),
            ("/key hunter2", "#lobby", Some("/key ••••")),
            ("/key #lobby hunter2", "#lobby", Some("/key #lobby ••••")),
            ("/mode +ik hunter2", "#lobby", Some("/mode +ik ••••")),
            ("/mode #lobby +k hunter2", "#lobby", Some("/mode #lobby +k ••••")),
            ("/mode +o bob", "#lobby", None),
            ("/join #a hunter2", "#lobby", Some("/join #a ••••")),
            ("/join #a #b", "#lobby", None),
            ("/raw MODE #lobby +k hunter2", "#lobby", Some("/raw MODE #lobby +k ••••")),
            ("/raw join #a hunter2", "#lobby", Some("/raw join #a ••••")),
            ("/raw OPER root :hunter2", "#lobby", Some("/raw OPER •••• ••••")),
            ("passwd old new", "NickServ", Some("passwd •••• ••••")),
            ("//passwd old new", "NickServ", None),
            ("passwd old new", "#lobby", None),
            ("/msg bob the password is in the safe", "#lobby", None),
            ("/msg NickServ CERT LIST", "#lobby", None),
            ("/msg NickServ help identify", "#lobby", None),
            ("/msg NickServ", "#lobby", None),
            ("/me identifies x", "NickServ", None),
        ] {
            assert_eq!(line(typed, current).as_deref(), expected, "{typed}");
        }
        assert_eq!(mask_message("NickServ", "ID x"), Some("ID ••••".into()));
        assert_eq!(mask_message("alice", "ID x"), None);
    }

    #[test]
    fn half_typed_lines_to_services_may_hold_a_secret() {
        for text in [
            "/ns ide",
            "/NS",
            "/msg nickserv",
            "/msg Q x",
            " /oper",
            "a\n/quote PASS x",
            "/hostserv x",
            "/id x",
        ] {
            assert!(may_hold_secret(text, "#lobby"), "{text}");
        }
        for text in ["hello", "//ns x", "/msg bob hi", "/query bob", "/topic oper", "the /oper command", "/"]
        {
            assert!(!may_hold_secret(text, "#lobby"), "{text}");
        }
        assert!(may_hold_secret("hello", "NickServ"));
    }

    proptest! {
        #[test]
        fn secret_start_never_panics(line in "(/(msg|w|ns|raw|mode|key|join) )?(NickServ )?[a-z:éß ]{0,9}(pass|ID)?\\PC{0,20}") {
            if let Some(from) = secret_start_in_line(&line, "NickServ") {
                let hidden = mask_from(&line, from);
                prop_assert!(hidden.starts_with(&line[..from]));
            }
        }
    }
}
