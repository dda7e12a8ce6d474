//! What the server answers to one client: numerics, standard replies and a few commands.

use std::fmt::Write as _;

use super::message::needs_colon;
use super::numeric::Numeric;

/// A reply before it is addressed: who it goes to is filled in when it is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    head: Head,
    /// The parameters with a space before each.
    params: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Head {
    /// `:server 001 nick …`
    Numeric(Numeric),
    /// `:server COMMAND …`
    Command(&'static str),
    /// `COMMAND …`, from nobody: AUTHENTICATE, ERROR and PING have no source.
    Bare(&'static str),
}

impl Reply {
    /// A numeric; the nick is added when it is rendered.
    pub fn numeric(numeric: Numeric) -> Self {
        Self { head: Head::Numeric(numeric), params: String::new() }
    }

    /// A command with the server as its source.
    pub fn command(command: &'static str) -> Self {
        Self { head: Head::Command(command), params: String::new() }
    }

    /// A command without a source.
    pub fn bare(command: &'static str) -> Self {
        Self { head: Head::Bare(command), params: String::new() }
    }

    /// `FAIL <command> <code>`
    /// ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
    pub fn fail(command: &str, code: &str) -> Self {
        Self::command("FAIL").arg(command).arg(code)
    }

    /// Adds a parameter that is one word. One that would break the line's grammar, as it may when it
    /// repeats what a client sent, is shown as `*`.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        let word = word.as_ref();
        self.params.push(' ');
        self.params.push_str(if needs_colon(word) { "*" } else { word });
        self
    }

    /// Adds the last parameter, which may hold spaces.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.params.push_str(" :");
        self.params.push_str(text.as_ref());
        self
    }

    /// The line with its end, from `server` to the client that is known as `nick` (`*` before it has one).
    pub fn render(&self, server: &str, nick: &str) -> String {
        let mut line = String::with_capacity(server.len() + nick.len() + self.params.len() + 16);
        let _ = match &self.head {
            Head::Numeric(numeric) => write!(line, ":{server} {:03} {nick}", numeric.0),
            Head::Command(command) => write!(line, ":{server} {command}"),
            Head::Bare(command) => write!(line, "{command}"),
        };
        line.push_str(&self.params);
        line.push_str("\r\n");
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::numeric::ERR_NOSUCHNICK;

    #[test]
    fn replies_render_and_never_break_the_grammar() {
        let reply = Reply::numeric(ERR_NOSUCHNICK).arg("bob").text("No such nick/channel");
        assert_eq!(reply.render("srv", "alice"), ":srv 401 alice bob :No such nick/channel\r\n");
        let odd = Reply::numeric(ERR_NOSUCHNICK).arg("a b").arg("").arg(":c").text("");
        assert_eq!(odd.render("srv", "*"), ":srv 401 * * * * :\r\n");
        assert_eq!(Reply::bare("AUTHENTICATE").arg("+").render("srv", "x"), "AUTHENTICATE +\r\n");
        let fail = Reply::fail("REGISTER", "WEAK_PASSWORD").arg("bob").text("Too short");
        assert_eq!(fail.render("srv", "x"), ":srv FAIL REGISTER WEAK_PASSWORD bob :Too short\r\n");
    }
}
