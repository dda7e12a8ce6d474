//! Construction of lines for the server.

use crate::wire::LineWriter;
use crate::wire::message::{escape, needs_trailing_colon};

/// A line under construction. It is always a single line: CR, LF and NUL are removed everywhere, so that text from a
/// pipe or a paste can never become a command of its own.
#[derive(Clone, Debug)]
pub struct Line {
    /// The tags as they are on the line.
    tags: String,
    command: String,
    /// The parameters, each with a space before it.
    params: String,
}

impl Line {
    /// Starts a line with this command.
    pub fn new(command: &str) -> Self {
        Self { tags: String::new(), command: command.to_owned(), params: String::new() }
    }

    /// Adds a tag with its value, which is escaped.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self = self.tag_without_value(key);
        self.tags.push('=');
        self.tags.push_str(&escape(value).replace('\0', ""));
        self
    }

    /// Adds a tag without a value.
    #[must_use]
    pub fn tag_without_value(mut self, key: &str) -> Self {
        if !self.tags.is_empty() {
            self.tags.push(';');
        }
        self.tags.push_str(key);
        self
    }

    /// Adds a parameter that is one word. Spaces are removed. If the rest is not a valid word, `*` is sent.
    #[must_use]
    pub fn arg(mut self, value: &str) -> Self {
        let word: String = value.chars().filter(|c| !is_line_break(*c) && *c != ' ').collect();
        self.params.push(' ');
        self.params.push_str(if needs_trailing_colon(&word) { "*" } else { &word });
        self
    }

    /// Adds the trailing parameter, which may contain spaces.
    #[must_use]
    pub fn trailing(mut self, text: &str) -> Self {
        self.params.push_str(" :");
        self.params.extend(text.chars().filter(|c| !is_line_break(*c)));
        self
    }

    /// Removes the tags, for a server that doesn't support them.
    #[must_use]
    pub fn without_tags(self) -> Self {
        Self { tags: String::new(), ..self }
    }

    /// Returns the complete line with CR LF.
    pub fn into_wire(self) -> String {
        let mut out = String::with_capacity(self.tags.len() + self.command.len() + self.params.len() + 4);
        let mut line = LineWriter::new(&mut out);
        if !self.tags.is_empty() {
            line.flag(&self.tags);
        }
        line.command(&self.command).more(&self.params).end();
        out
    }
}

fn is_line_break(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\0')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Message;
    use proptest::prelude::*;

    #[test]
    fn builds_tags_command_and_params_in_order() {
        let line = Line::new("PRIVMSG")
            .tag("label", "1")
            .tag("parlour/send-id", "a b")
            .arg("#c")
            .trailing("hi you")
            .into_wire();
        assert_eq!(line, "@label=1;parlour/send-id=a\\sb PRIVMSG #c :hi you\r\n");
        assert_eq!(Line::new("QUIT").into_wire(), "QUIT\r\n");
        assert_eq!(Line::new("JOIN").arg("").into_wire(), "JOIN *\r\n");
    }

    proptest! {
        #[test]
        fn arguments_never_inject_a_second_line(tag in any::<String>(), word in any::<String>(), text in any::<String>()) {
            let line = Line::new("X").tag("label", &tag).arg(&word).trailing(&text).into_wire();
            let body = line.strip_suffix("\r\n").expect("it ends");
            prop_assert!(!body.contains(['\r', '\n', '\0']));
            let parsed = Message::parse(body).expect("it parses");
            prop_assert_eq!(parsed.params().len(), 2);
            let kept: String = text.chars().filter(|c| !is_line_break(*c)).collect();
            prop_assert_eq!(parsed.param(1), Some(kept.as_str()));
        }
    }
}
