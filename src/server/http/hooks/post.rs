//! Bodies of posts: JSON, or the form of Slack's incoming webhooks, and the message that they become.

use std::sync::Arc;

use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::slack;
use crate::core::commands::message::batch::{MAX_BYTES, MAX_LINES};
use crate::core::record::{LINE_BREAK, LINE_CONCAT};
use crate::server::http::body;
use crate::server::http::problem::Problem;
use crate::wire::chars::is_invisible;
use crate::wire::splitting::split_text;

/// Longest name that a post shows before its text, in characters.
const MAX_USERNAME_CHARS: usize = 32;

/// Bytes of a line that its command, its target and its source may take.
const HEAD_BYTES: usize = 400;

/// Formatting codes, which stay in a text (<https://modern.ircdocs.horse/formatting>).
const FORMATTING: [char; 9] = ['\x02', '\x03', '\x04', '\x0f', '\x11', '\x16', '\x1d', '\x1e', '\x1f'];

/// A post, as its program wrote it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Post {
    text: String,
    username: Option<String>,
}

/// The fields of a body that count.
#[derive(Debug, Deserialize)]
struct Fields {
    text: Option<String>,
    username: Option<String>,
}

impl Post {
    /// Parses a body: a JSON object, or a form with one in its field `payload`. An object in a form, or with one of Slack's
    /// own fields, is Slack's.
    ///
    /// # Errors
    /// The sentence for the program.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        let body = std::str::from_utf8(body).map_err(|_| bad("The body is not UTF-8.".to_owned()))?;
        // curl says that all data is a form, so the body itself decides.
        let is_json = body.trim_start().starts_with('{');
        let payload = form_urlencoded::parse(body.trim().as_bytes()).find(|(name, _)| name == "payload");
        let payload = payload.filter(|_| !is_json).map(|(_, payload)| payload);
        if payload.is_some() && !body::is_utf8_encoded(body) {
            return Err(bad("The body is not UTF-8.".to_owned()));
        }
        // An object and no list: for those, the fields would be taken by their order.
        let object: Map<String, Value> = serde_json::from_str(payload.as_deref().unwrap_or(body))
            .map_err(|error| bad(describe(&error)))?;
        let slack = (payload.is_some() || slack::is_slack(&object)).then(|| slack::text(&object));
        let Fields { text, username } =
            serde_json::from_value(Value::Object(object)).map_err(|error| bad(describe(&error)))?;
        match slack.filter(|text| !text.is_empty()).or(text) {
            Some(text) => Ok(Self { text, username }),
            None => Err(bad("The body is not a JSON object with a `text`: missing field `text`.".to_owned())),
        }
    }

    /// Returns the text of the message, with the separators of a multiline message. `line_bytes` limits its lines.
    ///
    /// # Errors
    /// It has no text, or too much.
    pub fn message(&self, hook: &str, line_bytes: usize) -> Result<Arc<str>, Problem> {
        let text = self.text.replace("\r\n", "\n").replace('\r', "\n");
        let is_shown = |c: char| c == '\n' || c == '\t' || !c.is_control() || FORMATTING.contains(&c);
        let text: String = text.chars().filter(|&c| is_shown(c)).collect();
        let text = text.trim_matches('\n');
        if text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c)) {
            return Err(Problem::new(StatusCode::BAD_REQUEST, "The text is empty."));
        }
        let text = match self.shown_name(hook) {
            Some(name) => format!("[{name}] {text}"),
            None => text.to_owned(),
        };
        let room = line_bytes.saturating_sub(HEAD_BYTES).max(100);
        let (mut message, mut lines) = (String::with_capacity(text.len()), 0);
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                message.push(LINE_BREAK);
            }
            for (n, piece) in split_text(line, room).enumerate() {
                if n > 0 {
                    message.push(LINE_CONCAT);
                    lines += 1;
                }
                message.push_str(piece);
            }
            lines += 1;
        }
        // The pieces of a line have no break to count.
        let bytes = message.len() - message.matches(LINE_CONCAT).count();
        if lines > MAX_LINES || bytes > MAX_BYTES {
            let detail = format!(
                "The text is too long: with the name before it a message has at most {MAX_BYTES} bytes and {MAX_LINES} \
                 lines, and a line of more than {room} bytes counts as several."
            );
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        Ok(message.into())
    }

    /// Returns the name that the program gave, without what could make it look like something else.
    fn shown_name(&self, hook: &str) -> Option<String> {
        let is_shown = |c: &char| !c.is_control() && !is_invisible(*c) && !matches!(c, '[' | ']');
        let name: String = self.username.as_deref()?.chars().filter(is_shown).collect();
        let name: String = name.trim().chars().take(MAX_USERNAME_CHARS).collect();
        (!name.is_empty() && !name.eq_ignore_ascii_case(hook)).then_some(name)
    }
}

fn bad(detail: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

/// Returns what is wrong with a JSON text.
fn describe(error: &serde_json::Error) -> String {
    format!("The body is not a JSON object with a `text`: {error}.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE_BYTES: usize = 2048;

    fn post(text: &str) -> Post {
        Post { text: text.to_owned(), username: None }
    }

    fn message(text: &str) -> Result<String, StatusCode> {
        let made = post(text).message("ci", LINE_BYTES);
        made.map(|text| text.to_string()).map_err(|problem| problem.status)
    }

    #[test]
    fn both_forms_are_read() {
        let json = Post::parse(br#" {"text": "a\nb", "username": "x", "other": ":y:"}"#).expect("a post");
        assert_eq!(json, Post { text: "a\nb".to_owned(), username: Some("x".to_owned()) });
        let form = "other=1&payload=%7B%22text%22%3A%20%22a+%2B+%3Chttps%3A%2F%2Fh%7Cb%3E%20%26amp%3B%22%7D";
        assert_eq!(Post::parse(form.as_bytes()).expect("a post"), post("a + b (https://h) &"));
    }

    #[test]
    fn slacks_form_is_known_by_its_fields_in_json_too() {
        let parse = |body: &str| Post::parse(body.as_bytes()).expect("a post");
        let own = r#"{"text": "a &amp; <https://h|b>"}"#;
        assert_eq!(parse(own), post("a &amp; <https://h|b>"));
        let slack = r##"{"text": "a &amp; <https://h|b>", "channel": "#x"}"##;
        assert_eq!(parse(slack), post("a & b (https://h)"));
        assert_eq!(parse(r#"{"attachments": [{"text": "a &lt; b"}]}"#), post("a < b"));
        assert_eq!(
            parse("payload=%7B%22blocks%22:[%7B%22text%22:%7B%22text%22:%22a%22%7D%7D]%7D"),
            post("a")
        );
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said() {
        for (body, part) in [
            (&b""[..], "EOF while parsing"),
            (b"hello", "expected value at line 1 column 1"),
            (b"{\"text\": \"a\"", "EOF while parsing an object"),
            (b"{\"text\": 3}", "invalid type: integer `3`, expected a string"),
            (b"{\"message\": \"a\"}", "missing field `text`"),
            (b"[1]", "JSON object"),
            (br#"["hi", "usr"]"#, "JSON object"),
            (b"payload=[%22hi%22,null]", "JSON object"),
            (b"payload=%7B%22text%22:%22%ff%22%7D", "not UTF-8"),
            (b"{\"text\": null}", "missing field `text`"),
            (b"{\"blocks\": [], \"attachments\": [{}]}", "missing field `text`"),
            (b"\"text\"", "JSON object"),
            (b"{\"text\": \"\xff\"}", "not UTF-8"),
            (b"payload=%ff", "not UTF-8"),
            (b"payload=", "EOF while parsing"),
        ] {
            let problem = Post::parse(body).expect_err("refused");
            assert_eq!(problem.status, StatusCode::BAD_REQUEST);
            assert!(problem.detail.contains(part), "{body:?}: {}", problem.detail);
        }
    }

    #[test]
    fn lines_and_formats_stay_and_control_characters_go() {
        for (text, expected) in [
            ("one", "one"),
            ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
            ("\n\none\n\ntwo", "one\n\ntwo"),
            ("\u{1}ACTION waves\u{1}", "ACTION waves"),
            ("\0a\u{7}b\u{1b}[31m", "ab[31m"),
            ("\x02bold\x02\t\x034red", "\x02bold\x02\t\x034red"),
        ] {
            assert_eq!(message(text).as_deref(), Ok(expected), "{text:?}");
        }
        for empty in ["", " ", "\n\n", "\0", "\u{200b}", "\x02"] {
            assert_eq!(message(empty), Err(StatusCode::BAD_REQUEST), "{empty:?}");
        }
    }

    #[test]
    fn long_texts_are_messages_within_the_limits() {
        let long = message(&"word ".repeat(1000)).expect("a message");
        assert!(long.split([LINE_BREAK, LINE_CONCAT]).all(|line| line.len() <= LINE_BYTES - HEAD_BYTES));
        assert_eq!(long.replace(LINE_CONCAT, ""), "word ".repeat(1000));
        assert!(message(&"x\n".repeat(MAX_LINES)).is_ok());
        assert_eq!(message(&"x\n".repeat(MAX_LINES + 1)), Err(StatusCode::PAYLOAD_TOO_LARGE));
        assert_eq!(
            message(&"x".repeat(MAX_BYTES)).map(|text| text.replace(LINE_CONCAT, "").len()),
            Ok(MAX_BYTES)
        );
        assert_eq!(message(&"x".repeat(MAX_BYTES + 1)), Err(StatusCode::PAYLOAD_TOO_LARGE));
        let two_lines = |more| "x".repeat(MAX_BYTES / 2) + "\n" + &"x".repeat(MAX_BYTES / 2 - 1 + more);
        assert!(message(&two_lines(0)).is_ok());
        assert_eq!(message(&two_lines(1)), Err(StatusCode::PAYLOAD_TOO_LARGE));
    }

    #[test]
    fn another_name_stands_before_the_text() {
        for (username, expected) in [
            ("deploy", "[deploy] done"),
            ("CI", "done"),
            ("", "done"),
            ("\u{202e}\n] admin: hi [", "[admin: hi] done"),
        ] {
            let post = Post { text: "done".to_owned(), username: Some(username.to_owned()) };
            assert_eq!(&*post.message("ci", LINE_BYTES).expect("a message"), expected, "{username:?}");
        }
        let post = Post { text: "done".to_owned(), username: Some("x".repeat(100)) };
        assert!(post.message("ci", LINE_BYTES).expect("a message").len() < 50);
    }
}
