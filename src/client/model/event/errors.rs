//! Refusals of the server as sentences that say the remedy.

use super::{ErrorCode, ErrorReply};
use crate::client::text::count::counted;
use crate::wire::Nick;
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
        400 => format!("the server could not do that: {reason}; /help COMMAND explains a command"),
        401 => format!("there is nobody called {first}; /who lists the people who are online"),
        403 => format!("there is no channel {first} that you can see; /join {first} creates it"),
        404 => cannot_send(first, reason),
        405 => format!("you are in too many channels; /part one, then join {first}"),
        406 => format!("nobody called {first} was here before; /who lists the people who are online"),
        407 => "too many names at once; send it to fewer".to_owned(),
        410 => format!("the server does not know the capability command {first}"),
        411 => "that needs the name of a person or a channel; /msg NAME TEXT".to_owned(),
        412 => "that needs a text; /msg NAME TEXT".to_owned(),
        417 => "that line is too long for the server; make it shorter".to_owned(),
        421 => format!("this server has no command {first}; /help lists those of this client"),
        422 => "the server has no message of the day".to_owned(),
        431 => "that needs the name of a person; /whois NAME".to_owned(),
        432 => format!("{first} cannot be a name: {reason}; choose another"),
        433 => format!("{first} is the name of somebody else; choose another"),
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
        473 => format!(
            "{first} is invite-only; ask one of its operators for an /invite, by /knock {first} unless the channel is \
             secret"
        ),
        474 => {
            format!("you are banned from {first}; ask one of its operators or an admin to lift that (/unban)")
        }
        475 => format!("{first} needs a key; /join {first} KEY"),
        476 => format!("{first} cannot be the name of a channel; choose another, such as #tea"),
        477 => format!("{first} needs a login that the server accepts: {reason}; ask its operators"),
        478 => format!("the lists of {first} are full; remove entries first (/bans, /unban)"),
        481 => needs_admin(),
        482 => not_permitted(first, reason),
        483 => "that is a part of the server, which cannot be disconnected".to_owned(),
        501 => "the server does not know that mode of your account; choose another".to_owned(),
        502 => "you can change the modes of your own account only; choose your own name".to_owned(),
        525 => format!("that is no valid key for {first}; choose a shorter one without spaces and commas"),
        524 => format!("the server has no help about {first}; /help lists the commands of this client"),
        531 => format!("{first} reads no messages: it posts what a program sends; write to its channel"),
        696 => match (second, reason) {
            ("b" | "e" | "I", _) => {
                format!("{} is no valid mask; use NAME or nick!user@host", error.about(2))
            }
            ("k", _) => {
                "that is no valid key; choose a shorter one, without spaces, commas and a colon at its start"
                    .to_owned()
            }
            ("l", _) => "the limit has to be a number above 0; /limit off removes it".to_owned(),
            (mode, reason) => format!("the mode {mode} does not take that: {reason}; /help mode explains it"),
        },
        712 => format!("you have asked already; wait five minutes before you knock at {first} again"),
        713 => format!("{first} is open; /join {first}"),
        714 => format!("you are in {first} already"),
        734 => "the server watches no more people for you; /unwatch NAME makes room".to_owned(),
        904 => format!("the login failed: {reason}; check the name and the password"),
        905 => "the login failed: the password is too long for the server; choose a shorter one".to_owned(),
        906 => "the login was given up; quit and start again".to_owned(),
        _ => return None,
    })
}

/// Explains a refusal for a lack of rights on the server. Whoever has the password of an admin knows of `/oper`.
pub fn needs_admin() -> String {
    "only an admin of the server may do that; ask one of them (/who shows who is one)".to_owned()
}

/// Explains that something needs a status in a channel.
pub fn needs_status(channel: &str) -> String {
    format!("only operators and half-operators of {channel} may do that; ask one of them (/names {channel})")
}

/// Explains a refusal for a lack of rights in a channel, and whom to ask: the words of Parlour tell whose rights it
/// needs. Those of other servers say no more than that an operator may.
fn not_permitted(channel: &str, reason: &str) -> String {
    if reason.contains("an admin of the server") {
        format!(
            "they are an admin of the server, whom only an admin can remove from {channel}; ask another admin"
        )
    } else if reason.contains("not below yours") {
        format!(
            "their status in {channel} is not below yours; ask somebody with a higher status (/names {channel})"
        )
    } else if reason.contains("always an op") {
        format!(
            "they are a founder of {channel} and so always an operator; /mode {channel} -q NAME takes that"
        )
    } else if reason.contains("founder") {
        format!(
            "only the founder of {channel} or an admin may do that; ask the founder (/names {channel}) or an admin"
        )
    } else if reason.contains("you may not send") {
        format!(
            "you may not set the topic of {channel}, because you may not write there; ask one of its operators (/names {channel})"
        )
    } else if reason.contains("half-op") {
        needs_status(channel)
    } else {
        format!("only operators of {channel} may do that; ask one of its operators (/names {channel})")
    }
}

/// Explains why a channel does not take a message, by the mode that the reason names.
fn cannot_send(channel: &str, reason: &str) -> String {
    let names = |mode: &str| reason.contains(mode);
    if names("(+m)") {
        format!("{channel} is moderated: writing needs voice, which its operators give (/voice)")
    } else if names("(+b)") {
        format!("you are banned or muted in {channel}; ask one of its operators to lift that")
    } else if names("(+n)") {
        format!("only members may write in {channel}; /join {channel}")
    } else {
        format!("{channel} does not take it: {reason}; /mode {channel} shows what it takes")
    }
}

/// Explains a code of FAIL. `None` for one that no known server sends.
fn explain_fail(code: &str, error: &ErrorReply) -> Option<String> {
    let (first, reason) = (error.about(0), error.reason.as_str());
    let second = error.about(1);
    Some(match code {
        "ACCESS_DENIED" => needs_admin(),
        "ACCOUNT_DISABLED" => {
            format!("that account is disabled: {reason}; an admin can enable it (`parlour user enable`)")
        }
        "ACCOUNT_REMOVED" => format!("that account was removed: {reason}; ask an admin for an invite link"),
        "ACCOUNT_REQUIRED" => "the server wants a login first; quit and start again".to_owned(),
        "ALREADY_AUTHENTICATED" => "you are logged in already".to_owned(),
        "BAD_ACCOUNT_NAME" => format!("{first} cannot be the name of an account: {reason}; choose another"),
        "CANNOT_RENAME" => format!("{first} cannot be renamed to {second}: {reason}; choose another name"),
        "CERT_REFUSED" => format!("the device was not added: {reason}; /devices lists those of your account"),
        "CHANNEL_NAME_IN_USE" => format!("there is a channel {second} already; choose another name"),
        "CHANNEL_RENAMED" => format!("{first} was renamed to {second}; /join {second}"),
        "INTERNAL_ERROR" | "MESSAGE_ERROR" => format!("the server failed: {reason}; try again later"),
        "INVALID_CERTIFICATE" => {
            format!("the server cannot use that certificate: {reason}; `parlour login` makes one that it can")
        }
        "INVALID_CONFIG" => format!("the configuration was not read: {reason}; correct it, then /rehash"),
        "INVALID_FINGERPRINT" => format!("{first} is no fingerprint; /devices lists those of your account"),
        "INVALID_KEY" | "KEY_INVALID" => format!("{first} is no valid key: {reason}; choose another"),
        "INVALID_LINE" | "INVALID_UTF8" => {
            format!("the server could not read that line: {reason}; check it and type it again")
        }
        "INVALID_MSGREFTYPE" => {
            "the server does not find messages in that way; /search finds some".to_owned()
        }
        "INVALID_PARAMS" | "SUBCOMMAND_INVALID" => {
            format!("the server did not understand that: {reason}; /help COMMAND explains a command")
        }
        "INVALID_REALNAME" => format!("that cannot be your full name: {reason}; choose another (/setname)"),
        "INVALID_REFTAG" | "UNKNOWN_TYPE" | "MULTILINE_INVALID" | "MULTILINE_INVALID_TARGET" => {
            format!("the server did not take the message: {reason}; send it again")
        }
        "INVALID_SEND_ID" => {
            format!("the server took that for a copy of another message: {reason}; send it again")
        }
        // The subcommand of CHATHISTORY comes first.
        "INVALID_TARGET" if matches!(first, "LATEST" | "BEFORE" | "AFTER" | "AROUND" | "BETWEEN") => {
            format!("there is no conversation {second} that you may see; /list shows the channels")
        }
        "INVALID_TARGET" if Nick::parse_foreign(first).is_ok() => {
            format!("there is no account {first}; check the name (/who lists the people who are online)")
        }
        "INVALID_TARGET" => {
            format!("there is no conversation {first} that you may see; /list shows the channels")
        }
        "INVALID_VALUE" | "VALUE_INVALID" => {
            format!("the server does not take that value: {reason}; choose another")
        }
        "KEY_NOT_SET" => format!("{second} is not set"),
        "KEY_NO_PERMISSION" => {
            format!("only the operators of {first} may change that; ask one of them (/names {first})")
        }
        "LIMIT_REACHED" | "TOO_MANY_SUBS" => {
            format!("the limit is reached: {reason}; remove one first (/unpin, /unbookmark, /unmute)")
        }
        "MULTILINE_MAX_BYTES" => format!("the message is longer than {first} bytes; send it in parts"),
        "MULTILINE_MAX_LINES" => {
            format!("the message has more than {}; send it in parts", counted(first, "line"))
        }
        "NEED_CAPABILITY" => {
            format!("the server wants a capability that this client has not asked for: {reason}")
        }
        "NEED_MORE_PARAMS" => format!("that needs more parameters: {reason}; /help COMMAND lists them"),
        "NEED_NICK" => "the server wants a name first; quit and start again".to_owned(),
        "NO_CERTIFICATE" => {
            "this client shows no certificate; `parlour join` makes one for this machine".to_owned()
        }
        "NO_SUCH_ACCOUNT" => {
            "there is no such account; check the name (an admin can make a link that creates it, by /invite-link)"
                .to_owned()
        }
        "NO_SUCH_CERT" => "no device of yours has that fingerprint; /devices lists them".to_owned(),
        "NO_SUCH_FILE" => "there is no such file; check its id (/files own lists yours)".to_owned(),
        "NO_SUCH_INVITE" => "there is no open invite with that number; /invites lists them".to_owned(),
        "NOT_OWNER" => "only the account that uploaded that file may do that; ask them to do it".to_owned(),
        "REDACT_FORBIDDEN" => {
            format!(
                "you may not take that message back; ask an operator of {first} to do it (/names {first})"
            )
        }
        "TEMPORARILY_UNAVAILABLE" => {
            format!("the server cannot do that right now: {reason}; try again later")
        }
        "TOKEN_SPENT" => "that invite link is spent, expired or revoked; ask for a new one".to_owned(),
        "TOO_MANY_SESSIONS" => format!("too many sessions: {reason}; quit one of them"),
        "UNKNOWN_MSGID" => "that message no longer exists; it may be taken back or too old".to_owned(),
        "WEAK_PASSWORD" => format!("that password is too weak: {reason}; choose another"),
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
    use crate::client::input::commands::find;

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

    #[test]
    fn a_refused_query_of_the_history_names_the_conversation() {
        let code =
            || ErrorCode::Fail { command: "CHATHISTORY".to_owned(), code: "INVALID_TARGET".to_owned() };
        for (context, expected) in [("LATEST #nosuch", "conversation #nosuch"), ("nosuch", "account nosuch")]
        {
            let context = context.split(' ').map(str::to_owned).collect();
            let error = ErrorReply { code: code(), context, reason: String::new() };
            assert!(error.explain_reason().contains(&format!("there is no {expected}")), "{error:?}");
        }
    }

    fn error(code: ErrorCode) -> ErrorReply {
        let context = ["#lobby", "b", "x"].map(str::to_owned).to_vec();
        ErrorReply { code, context, reason: "the server's words".to_owned() }
    }

    /// Returns the error numerics of the server.
    fn numerics() -> Vec<u16> {
        let table = fs::read_to_string(source("wire/numeric.rs")).expect("the table of numerics");
        let codes: Vec<u16> = table
            .lines()
            .filter_map(|line| {
                line.strip_prefix("pub const ERR_")?.split_once("Numeric(")?.1.split(')').next()
            })
            .map(|code| code.parse::<u16>().expect("a number"))
            .collect();
        assert!(codes.len() > 40, "the table was read");
        codes
    }

    #[test]
    fn each_error_numeric_of_the_server_has_a_sentence() {
        for code in numerics() {
            let text = explain_numeric(Numeric(code), &error(ErrorCode::Numeric(Numeric(code))));
            let text = text.unwrap_or_else(|| panic!("{code} has no sentence"));
            assert!(!text.contains(&code.to_string()), "{text}");
        }
    }

    fn server_sources() -> Vec<String> {
        let mut texts = Vec::new();
        for folder in ["core", "server/net", "server/hub"] {
            sources(&source(folder), &mut texts);
        }
        texts
    }

    /// Returns the codes of FAIL: the words with an underscore in the sources of the server, except for those of NOTE
    /// and of the build.
    fn fail_codes(texts: &[String]) -> BTreeSet<&str> {
        const OTHERS: &[&str] = &[
            "AUDIT_LIST",
            "CARGO_PKG_VERSION",
            "CERT_ADDED",
            "CERT_LIST",
            "CERT_REMOVED",
            "FILE_LIST",
            "INVITE_CREATED",
            "INVITE_LINK",
            "INVITE_LIST",
            "INVITE_REVOKED",
            "PASSWORD_CHANGED",
            "SHARED_LIST",
        ];
        let is_code = |text: &&str| {
            text.contains('_')
                && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        let codes: BTreeSet<&str> = texts.iter().flat_map(|text| text.split('"')).filter(is_code).collect();
        assert!(codes.len() > 45, "the sources were read");
        codes.into_iter().filter(|code| !OTHERS.contains(code)).collect()
    }

    #[test]
    fn each_code_of_fail_of_the_server_has_a_sentence() {
        let texts = server_sources();
        for code in fail_codes(&texts) {
            let refusal = error(ErrorCode::Fail { command: "X".to_owned(), code: code.to_owned() });
            let text = explain_fail(code, &refusal).unwrap_or_else(|| panic!("{code} has no sentence"));
            assert!(!text.contains(code), "{text}");
        }
    }

    /// Codes whose sentence has no remedy, each with the reason.
    const WITHOUT_REMEDY: &[(&str, &str)] = &[
        ("410", "the client sends the line, not the user"),
        ("422", "there is nothing to read, and members cannot write it"),
        ("443", "the person is where the user wants them"),
        ("462", "the user is logged in, as they want to be"),
        ("483", "a part of the server has to stay"),
        ("714", "the user is where they want to be"),
        ("907", "the user is logged in, as they want to be"),
        ("ALREADY_AUTHENTICATED", "the user is logged in, as they want to be"),
        ("KEY_NOT_SET", "what the user wants away is not there"),
        ("NEED_CAPABILITY", "the client asks for capabilities, not the user"),
        ("UNKNOWN_MSGID", "nobody can bring the message back"),
    ];

    /// Returns whether a sentence says what to do: a command that exists, a command of the shell, or an order.
    fn has_remedy(sentence: &str) -> bool {
        const ORDERS: &[&str] = &[
            "ask ", "check ", "choose ", "correct ", "make ", "quit ", "remove ", "send ", "try ", "use ",
            "wait ", "write ",
        ];
        let commands: Vec<&str> = sentence
            .split(|c: char| c.is_whitespace() || "();,.".contains(c))
            .filter_map(|word| word.strip_prefix('/'))
            .collect();
        for command in &commands {
            assert!(find(command).is_some(), "no /{command}: {sentence}");
        }
        let (_, advice) = sentence.split_once([';', '(']).unwrap_or_default();
        !commands.is_empty() || sentence.contains('`') || ORDERS.iter().any(|order| advice.contains(order))
    }

    #[test]
    fn each_refusal_that_a_user_can_cause_says_the_remedy() {
        let mut wrong = Vec::new();
        let mut check = |code: &str, sentence: Option<String>| {
            let excepted = WITHOUT_REMEDY.iter().any(|(known, _)| *known == code);
            let Some(sentence) = sentence else { return wrong.push(format!("{code} has no sentence")) };
            if has_remedy(&sentence) == excepted {
                wrong.push(format!("{code}: {sentence}"));
            }
        };
        for code in numerics() {
            let mut refusals = vec![error(ErrorCode::Numeric(Numeric(code)))];
            if code == 404 {
                refusals.extend(["(+m)", "(+b)", "(+n)", "(+C)"].map(|mode| ErrorReply {
                    reason: format!("Cannot send to channel {mode}"),
                    ..refusals[0].clone()
                }));
            }
            if code == 696 {
                refusals.extend(["k", "l", "o"].map(|mode| ErrorReply {
                    context: ["#lobby", mode, "x"].map(str::to_owned).to_vec(),
                    ..refusals[0].clone()
                }));
            }
            for refusal in refusals {
                check(&code.to_string(), explain_numeric(Numeric(code), &refusal));
            }
        }
        let texts = server_sources();
        for code in fail_codes(&texts) {
            let refusal = error(ErrorCode::Fail { command: "X".to_owned(), code: code.to_owned() });
            check(code, explain_fail(code, &refusal));
        }
        assert!(
            wrong.is_empty(),
            "say what to do, or give the reason for an exception:\n{}",
            wrong.join("\n")
        );
    }

    /// The reasons are those of the server's sources, which the test looks for.
    #[test]
    fn a_lack_of_rights_names_who_has_them() {
        let texts = server_sources();
        for (reason, expected) in [
            ("Only the channel's founder can rename it", "ask the founder (/names #tea) or an admin"),
            ("its founder", "ask the founder (/names #tea) or an admin"),
            ("they are an admin of the server", "ask another admin"),
            ("their status in the channel is not below yours", "ask somebody with a higher status"),
            ("it is not below yours", "ask somebody with a higher status"),
            ("is a founder and so always an op; take the founder's status first (-q)", "/mode #tea -q NAME"),
            ("You're not channel operator (half-op or higher required)", "ask one of them (/names #tea)"),
            ("half-ops and higher", "ask one of them (/names #tea)"),
            ("ops and higher", "ask one of its operators"),
            ("Cannot set the topic: you may not send to this channel", "ask one of its operators"),
        ] {
            assert!(texts.iter().any(|text| text.contains(reason)), "the server says no more: {reason}");
            let text = not_permitted("#tea", reason);
            let (_, advice) = text.rsplit_once("; ").expect(reason);
            assert!(advice.starts_with(expected), "{text}");
            // The sentence says it, and the server's words do not say it again.
            assert!(!text.contains("channel operator") && !text.contains("required"), "{text}");
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
