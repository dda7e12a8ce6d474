//! Refusals of the server as sentences that say the remedy.

use super::{ErrorCode, ErrorReply};
use crate::wire::numeric::Numeric;

impl ErrorReply {
    /// Returns a sentence for the user: the reason, and what to do. The server's own words are a part of it only where
    /// they tell more than the code.
    pub fn explain(&self) -> String {
        self.explain_known().unwrap_or_else(|| self.text())
    }

    /// Returns a sentence for a place that names what was refused; see [`ErrorReply::explain`].
    pub fn explain_reason(&self) -> String {
        self.explain_known().unwrap_or_else(|| self.reason.clone())
    }

    fn explain_known(&self) -> Option<String> {
        match &self.code {
            ErrorCode::Numeric(code) => explain_numeric(*code, self),
            ErrorCode::Fail { code, .. } => explain_fail(code, self),
        }
    }

    /// Returns the parameter after the code with this index.
    fn about(&self, index: usize) -> &str {
        self.context.get(index).map_or("it", String::as_str)
    }
}

/// Explains a numeric from 400 to 599, or one of the later errors. `None` for one that no known server sends.
fn explain_numeric(Numeric(code): Numeric, error: &ErrorReply) -> Option<String> {
    let (first, second, reason) = (error.about(0), error.about(1), error.reason.as_str());
    Some(match code {
        400 => format!("the server could not do that: {reason}"),
        401 => format!("there is nobody called {first}; /who lists the people who are online"),
        403 => format!("there is no channel {first} that you can see; /join {first} creates it"),
        404 => cannot_send(first, reason),
        405 => format!("you are in too many channels; /part one, then join {first}"),
        406 => format!("nobody called {first} was here before"),
        407 => "too many names at once; send it to fewer".to_owned(),
        410 => format!("the server does not know the capability command {first}"),
        411 => "that needs the name of a person or a channel; /msg NAME TEXT".to_owned(),
        412 => "that needs a text; /msg NAME TEXT".to_owned(),
        417 => "that line is too long for the server; make it shorter".to_owned(),
        421 => format!("this server has no command {first}"),
        422 => "the server has no message of the day".to_owned(),
        431 => "that needs the name of a person; /whois NAME".to_owned(),
        432 => format!("{first} cannot be a name: {reason}"),
        433 => format!("{first} is the name of somebody else"),
        441 => format!("{first} is not in {second}; /invite {first} {second} asks them to join"),
        442 => format!("you are not in {first}; /join {first}"),
        443 => format!("{first} is in {second} already"),
        451 => "the server wants a login first; quit and start again".to_owned(),
        461 => format!("{first} needs more parameters; /help lists them"),
        462 | 907 => "you are logged in already".to_owned(),
        464 => "wrong password, or not the account of an admin; check both and try again".to_owned(),
        470 => format!("{first} was renamed to {second}; /join {second}"),
        471 => format!("{first} is full; an operator of it can raise the limit (/limit) or invite you"),
        472 => format!("the server does not know the mode {first}; /mode shows those that are set"),
        473 => format!("{first} is invite-only; /knock {first} asks for an invitation"),
        474 => format!("you are banned from {first}; only its operators can lift that (/unban)"),
        475 => format!("{first} needs a key; /join {first} KEY"),
        476 => format!("{first} cannot be the name of a channel"),
        477 => format!("{first} needs a login that the server accepts: {reason}"),
        478 => format!("the lists of {first} are full; remove entries first (/bans, /unban)"),
        481 => "only an admin of the server may do that; /oper ACCOUNT PASSWORD makes this session one"
            .to_owned(),
        482 => format!("you may not do that in {first}: {reason}"),
        483 => "that is a part of the server, which cannot be disconnected".to_owned(),
        501 => "the server does not know that mode of your account".to_owned(),
        502 => "you can change the modes of your own account only".to_owned(),
        524 => format!("the server has no help about {first}; /help lists the commands of this client"),
        696 => match (second, reason) {
            ("b" | "e" | "I", _) => {
                format!("{} is no valid mask; use NAME or nick!user@host", error.about(2))
            }
            ("k", _) => "that is no valid key: no spaces, commas or a colon at its start".to_owned(),
            ("l", _) => "the limit has to be a number above 0; /limit off removes it".to_owned(),
            (mode, reason) => format!("the mode {mode} does not take that: {reason}"),
        },
        712 => format!("you have asked already; wait five minutes before you knock at {first} again"),
        713 => format!("{first} is open; /join {first}"),
        714 => format!("you are in {first} already"),
        734 => "the server watches no more people for you".to_owned(),
        904 => format!("the login failed: {reason}"),
        905 => "the login failed: the password is too long for the server".to_owned(),
        906 => "the login was given up".to_owned(),
        _ => return None,
    })
}

/// Explains why a channel does not take a message, by the mode that the reason names.
fn cannot_send(channel: &str, reason: &str) -> String {
    let names = |mode: &str| reason.contains(mode);
    if names("(+m)") {
        format!("{channel} is moderated: writing needs voice, which its operators give (/voice)")
    } else if names("(+b)") {
        format!("you are banned or muted in {channel}; its operators can lift that")
    } else if names("(+n)") {
        format!("only members may write in {channel}; /join {channel}")
    } else {
        format!("{channel} does not take it: {reason}")
    }
}

/// Explains a code of FAIL. `None` for one that no known server sends.
fn explain_fail(code: &str, error: &ErrorReply) -> Option<String> {
    let (first, reason) = (error.about(0), error.reason.as_str());
    let second = error.about(1);
    Some(match code {
        "ACCESS_DENIED" => "only an admin of the server may do that".to_owned(),
        "ACCOUNT_DISABLED" => {
            format!("that account is disabled: {reason}; an admin can enable it (`parlour user enable`)")
        }
        "ACCOUNT_REMOVED" => format!("that account was removed: {reason}"),
        "ACCOUNT_REQUIRED" => "the server wants a login first".to_owned(),
        "ALREADY_AUTHENTICATED" => "you are logged in already".to_owned(),
        "BAD_ACCOUNT_NAME" => format!("{first} cannot be the name of an account: {reason}"),
        "CANNOT_RENAME" => format!("{first} cannot be renamed to {second}: {reason}"),
        "CERT_REFUSED" => format!("the device was not added: {reason}"),
        "CHANNEL_NAME_IN_USE" => format!("there is a channel {second} already; choose another name"),
        "CHANNEL_RENAMED" => format!("{first} was renamed to {second}; /join {second}"),
        "INTERNAL_ERROR" | "MESSAGE_ERROR" => format!("the server failed: {reason}; try again later"),
        "INVALID_CERTIFICATE" => format!("the server cannot use that certificate: {reason}"),
        "INVALID_CONFIG" => format!("the configuration was not read: {reason}; correct it, then /rehash"),
        "INVALID_FINGERPRINT" => format!("{first} is no fingerprint; /devices lists those of your account"),
        "INVALID_KEY" | "KEY_INVALID" => format!("{first} is no valid key: {reason}"),
        "INVALID_LINE" | "INVALID_UTF8" => format!("the server could not read that line: {reason}"),
        "INVALID_MSGREFTYPE" => "the server does not find messages in that way".to_owned(),
        "INVALID_PARAMS" | "SUBCOMMAND_INVALID" => format!("the server did not understand that: {reason}"),
        "INVALID_REALNAME" => format!("that cannot be your full name: {reason}"),
        "INVALID_REFTAG" | "UNKNOWN_TYPE" | "MULTILINE_INVALID" | "MULTILINE_INVALID_TARGET" => {
            format!("the server did not take the message: {reason}; send it again")
        }
        "INVALID_SEND_ID" => format!("the server took that for a copy of another message: {reason}"),
        "INVALID_TARGET" => format!("there is no conversation {first} that you may see"),
        "INVALID_VALUE" | "VALUE_INVALID" => format!("the server does not take that value: {reason}"),
        "KEY_NOT_SET" => format!("{second} is not set"),
        "KEY_NO_PERMISSION" => format!("you may not change that of {first}; its operators may"),
        "LIMIT_REACHED" | "TOO_MANY_SUBS" => format!("the limit is reached: {reason}"),
        "MULTILINE_MAX_BYTES" => format!("the message is longer than {first} bytes; send it in parts"),
        "MULTILINE_MAX_LINES" => format!("the message has more than {first} lines; send it in parts"),
        "NEED_CAPABILITY" => {
            format!("the server wants a capability that this client has not asked for: {reason}")
        }
        "NEED_MORE_PARAMS" => format!("that needs more parameters: {reason}"),
        "NEED_NICK" => "the server wants a name first".to_owned(),
        "NO_CERTIFICATE" => {
            "this client shows no certificate; `parlour join` makes one for this machine".to_owned()
        }
        "NO_SUCH_ACCOUNT" => {
            "there is no such account; /invite-link makes a link that creates one".to_owned()
        }
        "NO_SUCH_CERT" => "no device of yours has that fingerprint; /devices lists them".to_owned(),
        "NO_SUCH_INVITE" => "there is no open invite with that number; /invites lists them".to_owned(),
        "REDACT_FORBIDDEN" => {
            format!("you may not take that message back: it is not yours, and you are no operator of {first}")
        }
        "TEMPORARILY_UNAVAILABLE" => format!("the server cannot do that right now: {reason}"),
        "TOKEN_SPENT" => "that invite link is spent, expired or revoked; ask for a new one".to_owned(),
        "TOO_MANY_SESSIONS" => format!("too many sessions: {reason}; quit one of them"),
        "UNKNOWN_MSGID" => "that message no longer exists; it may be taken back or too old".to_owned(),
        "WEAK_PASSWORD" => format!("choose another password: {reason}"),
        "WRONG_PASSWORD" => "wrong password; check it and try again".to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    fn source(path: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)
    }

    fn sources(folder: &Path, texts: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, texts);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                texts.push(fs::read_to_string(&path).expect("a source"));
            }
        }
    }

    fn error(code: ErrorCode) -> ErrorReply {
        let context = ["#lobby", "b", "x"].map(str::to_owned).to_vec();
        ErrorReply { code, context, reason: "the server's words".to_owned() }
    }

    #[test]
    fn each_error_numeric_of_the_server_has_a_sentence() {
        let table = fs::read_to_string(source("wire/numeric.rs")).expect("the table of numerics");
        let codes: Vec<u16> = table
            .lines()
            .filter_map(|line| {
                line.strip_prefix("pub const ERR_")?.split_once("Numeric(")?.1.split(')').next()
            })
            .map(|code| code.parse().expect("a number"))
            .collect();
        assert!(codes.len() > 40, "the table was read");
        for code in codes {
            let text = explain_numeric(Numeric(code), &error(ErrorCode::Numeric(Numeric(code))));
            let text = text.unwrap_or_else(|| panic!("{code} has no sentence"));
            assert!(!text.contains(&code.to_string()), "{text}");
        }
    }

    /// The codes of FAIL are the words with an underscore in the sources of the server, except for those of NOTE and of
    /// the build.
    #[test]
    fn each_code_of_fail_of_the_server_has_a_sentence() {
        const OTHERS: &[&str] = &[
            "AUDIT_LIST",
            "CARGO_PKG_VERSION",
            "CERT_ADDED",
            "CERT_LIST",
            "CERT_REMOVED",
            "INVITE_CREATED",
            "INVITE_LINK",
            "INVITE_LIST",
            "INVITE_REVOKED",
            "PASSWORD_CHANGED",
        ];
        let mut texts = Vec::new();
        for folder in ["core", "server/net", "server/hub"] {
            sources(&source(folder), &mut texts);
        }
        let is_code = |text: &&str| {
            text.contains('_')
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let codes: BTreeSet<&str> = texts.iter().flat_map(|text| text.split('"')).filter(is_code).collect();
        assert!(codes.len() > 45, "the sources were read");
        for code in codes.into_iter().filter(|code| !OTHERS.contains(code)) {
            let refusal = error(ErrorCode::Fail { command: "X".to_owned(), code: code.to_owned() });
            let text = explain_fail(code, &refusal).unwrap_or_else(|| panic!("{code} has no sentence"));
            assert!(!text.contains(code), "{text}");
        }
    }

    #[test]
    fn unknown_errors_keep_the_words_of_the_server() {
        let unknown = error(ErrorCode::Numeric(Numeric(599)));
        assert_eq!(unknown.explain(), "#lobby b x: the server's words");
        let code = ErrorCode::Fail { command: "X".to_owned(), code: "SO_NEW".to_owned() };
        assert_eq!(error(code).explain(), "#lobby b x: the server's words");
    }
}
