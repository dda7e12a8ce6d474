//! Replies of the server to one session: numerics, standard replies and a few commands.

use std::fmt::Write as _;

use super::message::needs_trailing_colon;
use super::numeric::Numeric;

/// A reply without its addressee, which [`Reply::render`] fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    head: ReplyHead,
    /// The parameters, each with a space before it.
    params: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ReplyHead {
    /// `:server 001 nick …`
    Numeric(Numeric),
    /// `:server COMMAND …`
    Command(&'static str),
    /// `COMMAND …`. AUTHENTICATE, ERROR and PING have no source.
    Bare(&'static str),
}

impl Reply {
    /// Begins a numeric. Rendering adds the nick as its first parameter.
    pub fn numeric(numeric: Numeric) -> Self {
        Self { head: ReplyHead::Numeric(numeric), params: String::new() }
    }

    /// Begins a command with the server as its source.
    pub fn command(command: &'static str) -> Self {
        Self { head: ReplyHead::Command(command), params: String::new() }
    }

    /// Begins a command without a source.
    pub fn bare(command: &'static str) -> Self {
        Self { head: ReplyHead::Bare(command), params: String::new() }
    }

    /// Begins `FAIL <command> <code>` ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
    pub fn fail(command: &str, code: &str) -> Self {
        Self::command("FAIL").arg(command).arg(code)
    }

    /// Returns whether it is this numeric.
    pub fn is_numeric(&self, numeric: Numeric) -> bool {
        matches!(self.head, ReplyHead::Numeric(own) if own.0 == numeric.0)
    }

    /// Appends a parameter that is one word. A word that would break the line's grammar, as a quoted part of a client's
    /// line may, is replaced by `*`.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        let word = word.as_ref();
        self.params.push(' ');
        self.params.push_str(if needs_trailing_colon(word) { "*" } else { word });
        self
    }

    /// Appends the last parameter, which may hold spaces.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        self.params.push_str(" :");
        self.params.push_str(text.as_ref());
        self
    }

    /// Renders the line with its line end, from `server` to the client known as `nick` (`*` before it has one).
    pub fn render(&self, server: &str, nick: &str) -> String {
        let mut line = String::with_capacity(server.len() + nick.len() + self.params.len() + 16);
        let _ = match &self.head {
            ReplyHead::Numeric(numeric) => write!(line, ":{server} {:03} {nick}", numeric.0),
            ReplyHead::Command(command) => write!(line, ":{server} {command}"),
            ReplyHead::Bare(command) => write!(line, "{command}"),
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
    fn replies_always_render_valid_lines() {
        let reply = Reply::numeric(ERR_NOSUCHNICK).arg("bob").text("No such nick/channel");
        assert_eq!(reply.render("srv", "alice"), ":srv 401 alice bob :No such nick/channel\r\n");
        let odd = Reply::numeric(ERR_NOSUCHNICK).arg("a b").arg("").arg(":c").text("");
        assert_eq!(odd.render("srv", "*"), ":srv 401 * * * * :\r\n");
        assert_eq!(Reply::bare("AUTHENTICATE").arg("+").render("srv", "x"), "AUTHENTICATE +\r\n");
        let fail = Reply::fail("REGISTER", "WEAK_PASSWORD").arg("bob").text("Too short");
        assert_eq!(fail.render("srv", "x"), ":srv FAIL REGISTER WEAK_PASSWORD bob :Too short\r\n");
    }
}
