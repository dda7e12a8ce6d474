//! Passwords in what one writes to services such as `NickServ`: they go to the server, and nowhere else.
//!
//! Which command of a service takes a password depends on the service. What follows a word that asks for one is hidden,
//! up to the end: too much rather than too little.

use std::borrow::Cow;

use super::model::Said;

/// Words of services and commands after which there may be a password.
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

/// What stands in place of a word that is hidden.
const HIDDEN: &str = "••••";

/// Where the secret begins in a message to somebody, in bytes; everything behind it is a part of it. `None` where there
/// is none.
pub fn begins(to: &str, text: &str) -> Option<usize> {
    let name = to.split('@').next().unwrap_or_default();
    // What QuakeNet and Undernet call theirs.
    let service = is_service(name) || ["q", "x"].iter().any(|it| it.eq_ignore_ascii_case(name));
    service.then(|| behind_word(text)).flatten()
}

/// Is this a service by its name, and nobody who comes and goes?
pub fn is_service(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with("serv")
}

/// Where the secret begins in a line that one writes, where one talks `here`.
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

/// A message to somebody with its secrets hidden; `None` where there are none.
pub fn hidden(to: &str, text: &str) -> Option<String> {
    begins(to, text).map(|from| hide(text, from))
}

/// What was said, as it is shown to who said it: without the secrets.
pub fn shown(said: &Said) -> Cow<'_, str> {
    let hidden = said.mine.then(|| hidden(said.place.as_str(), &said.text)).flatten();
    hidden.map_or(Cow::Borrowed(&said.text), Cow::Owned)
}

/// The text with the words from there on hidden, however long they are.
pub fn hide(text: &str, from: usize) -> String {
    let (open, secret) = text.split_at(text.floor_char_boundary(from));
    let words = secret.split_whitespace().map(|_| HIDDEN).collect::<Vec<_>>();
    open.to_owned() + &words.join(" ")
}

/// Where that begins which stands behind a word that asks for a password.
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
    fn passwords_to_services_are_found() {
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
        fn no_line_breaks_it(line in "(/(msg|w|ns) )?(NickServ )?[a-z:éß ]{0,9}(pass|ID)?\\PC{0,20}") {
            if let Some(from) = begins_in_line(&line, "NickServ") {
                let hidden = hide(&line, from);
                prop_assert!(hidden.starts_with(&line[..from]));
            }
        }
    }
}
