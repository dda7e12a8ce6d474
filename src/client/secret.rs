//! Passwords in messages to services such as `NickServ`, which go to the server and nowhere else.
//!
//! It depends on the service which of its commands take a password. Everything after a word that may introduce one is
//! hidden: rather too much than too little.

use std::borrow::Cow;

use super::model::Said;

/// Names of services and commands that a password may follow.
const BEFORE: &[&str] = &[
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
const HIDDEN: &str = "••••";

/// Returns the byte offset of the secret in a message to `to`; the secret extends to the end. `None` if there is none.
pub fn begins(to: &str, text: &str) -> Option<usize> {
    let name = to.split('@').next().unwrap_or_default();
    // The services of QuakeNet and Undernet.
    let service = is_service(name) || ["q", "x"].iter().any(|it| it.eq_ignore_ascii_case(name));
    service.then(|| behind_word(text)).flatten()
}

/// Returns whether the name is that of a service, as opposed to a nick whose presence is of interest.
pub fn is_service(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("serv")
}

/// Returns the byte offset of the secret in a typed line, with `here` as the current conversation.
pub fn begins_in_line(line: &str, here: &str) -> Option<usize> {
    let command = line.strip_prefix('/').filter(|rest| !rest.starts_with('/') && !line.contains('\n'));
    let Some(command) = command else { return begins(here, line) };
    let (name, args) = command.split_once(' ')?;
    let at = line.len() - args.len();
    let name = name.to_ascii_lowercase();
    let begins = match &*name {
        "msg" | "m" | "w" | "query" | "q" | "channel" | "notice" => {
            let words = args.trim_start();
            let (to, text) = words.split_once(' ')?;
            begins(to, text).map(|begins| begins + args.len() - text.len())
        }
        "ns" | "nickserv" | "cs" | "chanserv" | "quote" | "raw" => behind_word(args),
        name if BEFORE.contains(&name) => (!args.trim().is_empty()).then_some(0),
        _ => None,
    };
    begins.map(|begins| at + begins)
}

/// Returns a message with its secrets hidden; `None` if there are none.
pub fn hidden(to: &str, text: &str) -> Option<String> {
    begins(to, text).map(|from| hide(text, from))
}

/// Returns a message as it is shown: without secrets, if this account sent it.
pub fn shown(said: &Said) -> Cow<'_, str> {
    let hidden = said.mine.then(|| hidden(said.place.as_str(), &said.text)).flatten();
    hidden.map_or(Cow::Borrowed(&said.text), Cow::Owned)
}

/// Hides the words from the byte offset `from` on. The length of each is hidden too.
pub fn hide(text: &str, from: usize) -> String {
    let (open, secret) = text.split_at(text.floor_char_boundary(from));
    let words = secret.split_whitespace().map(|_| HIDDEN).collect::<Vec<_>>();
    open.to_owned() + &words.join(" ")
}

/// Returns the byte offset behind the first word that introduces a password.
fn behind_word(text: &str) -> Option<usize> {
    let mut from = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        from += word.len();
        let word = word.trim().trim_start_matches([':', '!', '.', '-']).to_ascii_lowercase();
        if BEFORE.contains(&&*word) && !text[from..].trim().is_empty() {
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
        let line = |line: &str, here| begins_in_line(line, here).map(|from| hide(line, from));
        for (typed, here, expected) in [
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
            ("passwd old new", "NickServ", Some("passwd •••• ••••")),
            ("//passwd old new", "NickServ", None),
            ("passwd old new", "#lobby", None),
            ("/msg bob the password is in the safe", "#lobby", None),
            ("/msg NickServ CERT LIST", "#lobby", None),
            ("/msg NickServ help identify", "#lobby", None),
            ("/msg NickServ", "#lobby", None),
            ("/me identifies x", "NickServ", None),
        ] {
            assert_eq!(line(typed, here).as_deref(), expected, "{typed}");
        }
        assert_eq!(hidden("NickServ", "ID x"), Some("ID ••••".into()));
        assert_eq!(hidden("alice", "ID x"), None);
    }

    proptest! {
        #[test]
        fn secret_start_never_panics(line in "(/(msg|w|ns) )?(NickServ )?[a-z:éß ]{0,9}(pass|ID)?\\PC{0,20}") {
            if let Some(from) = begins_in_line(&line, "NickServ") {
                let hidden = hide(&line, from);
                prop_assert!(hidden.starts_with(&line[..from]));
            }
        }
    }
}
