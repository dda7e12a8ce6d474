//! Replies of the server to one session: numerics, standard replies and a few commands.

use super::LineWriter;
use super::tagging::{BatchRef, Label, Tagging};
use crate::wire::message::needs_trailing_colon;
use crate::wire::numeric::{Numeric, RPL_INFO, RPL_MOTD};
use crate::wire::splitting::{MAX_LINE_BYTES, split_point, split_text};

/// A reply without its addressee, which [`Reply::write`] fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    head: Head,
    /// The parameters, each with a space before it.
    params: String,
    /// Offset of the last parameter in `params`, if it may hold spaces.
    text: Option<usize>,
    /// Its batch or label.
    tagging: Tagging,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Head {
    /// `:server 001 nick …`
    Numeric(Numeric),
    /// `:server 001 * …`
    Unaddressed(Numeric),
    /// `:server COMMAND …`
    Command(&'static str),
    /// `COMMAND …`. AUTHENTICATE, ERROR and PING have no source.
    Bare(&'static str),
}

impl Reply {
    /// Begins a numeric. Rendering adds the nick as its first parameter.
    pub fn numeric(numeric: Numeric) -> Self {
        Self::of(Head::Numeric(numeric))
    }

    /// Begins a command with the server as its source.
    pub fn command(command: &'static str) -> Self {
        Self::of(Head::Command(command))
    }

    /// Begins a command without a source.
    pub fn bare(command: &'static str) -> Self {
        Self::of(Head::Bare(command))
    }

    fn of(head: Head) -> Self {
        Self { head, params: String::new(), text: None, tagging: Tagging::None }
    }

    /// Begins `FAIL <command> <code>` ([standard replies](https://ircv3.net/specs/extensions/standard-replies)).
    pub fn fail(command: &str, code: &str) -> Self {
        Self::command("FAIL").arg(command).arg(code)
    }

    /// Returns the empty reply to a labelled command
    /// ([labeled-response](https://ircv3.net/specs/extensions/labeled-response)).
    pub fn ack() -> Self {
        Self::command("ACK")
    }

    /// Begins the line that opens a batch of this type, whose parameters may follow.
    pub fn batch_start(batch: BatchRef, kind: &str) -> Self {
        Self::command("BATCH").arg(format!("+{}", batch.as_str())).arg(kind)
    }

    /// Returns the line that closes a batch.
    pub fn batch_end(batch: BatchRef) -> Self {
        Self::command("BATCH").arg(format!("-{}", batch.as_str()))
    }

    /// Returns a batch of replies, which `start` opens.
    pub fn batch(batch: BatchRef, start: Self, replies: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let inner = replies.into_iter().map(|reply| Self { tagging: Tagging::Batch(batch), ..reply });
        std::iter::once(start).chain(inner).chain([Self::batch_end(batch)]).collect()
    }

    /// Returns the line that opens the batch of the replies to the command with this label.
    pub fn response_start(label: &Label) -> Self {
        Self::batch_start(BatchRef::RESPONSE, "labeled-response").tagged(Tagging::Label(label.clone()))
    }

    /// Returns whether it is this numeric.
    pub fn is_numeric(&self, numeric: Numeric) -> bool {
        matches!(self.head, Head::Numeric(own) | Head::Unaddressed(own) if own.0 == numeric.0)
    }

    /// Appends a parameter that is one word. A word that would break the line's grammar, as a quoted part of a client's
    /// line may, is replaced by `*`.
    #[must_use]
    pub fn arg(mut self, word: impl AsRef<str>) -> Self {
        debug_assert!(self.text.is_none(), "the text is the last parameter");
        let word = word.as_ref();
        self.params.push(' ');
        self.params.push_str(if needs_trailing_colon(word) { "*" } else { word });
        self
    }

    /// Appends the last parameter, which may hold spaces.
    #[must_use]
    pub fn text(mut self, text: impl AsRef<str>) -> Self {
        debug_assert!(self.text.is_none(), "there is one text");
        self.params.push_str(" :");
        self.text = Some(self.params.len());
        self.params.push_str(text.as_ref());
        self
    }

    /// Addresses a numeric to `*` instead of the client's nick.
    #[must_use]
    pub fn unaddressed(mut self) -> Self {
        if let Head::Numeric(numeric) = self.head {
            self.head = Head::Unaddressed(numeric);
        }
        self
    }

    /// Marks the reply as the one to a labelled command, or as one in its batch. A reply in a batch of its own stays in
    /// that, because the batch as a whole is in the other one.
    pub fn set_tagging(&mut self, tagging: Tagging) {
        if self.tagging.is_none() {
            self.tagging = tagging;
        }
    }

    /// Returns the reply with a label, if there is one.
    #[must_use]
    pub fn tagged(mut self, tagging: Tagging) -> Self {
        self.set_tagging(tagging);
        self
    }

    /// Returns the approximate length of the line, in bytes.
    pub fn size(&self) -> usize {
        /// Average length of the parts beside the parameters.
        const REST: usize = 32;
        self.params.len() + REST
    }

    /// Appends the line with its line end, from `server` to the client known as `nick` (`*` before it has one).
    pub fn write(&self, server: &str, nick: &str, out: &mut String) {
        let mut line = LineWriter::new(out);
        line.tagging(&self.tagging);
        self.begin(server, nick, &mut line);
        line.more(&self.params).end();
    }

    /// Writes the line up to its parameters.
    fn begin(&self, server: &str, nick: &str, line: &mut LineWriter<'_>) {
        match self.head {
            Head::Numeric(numeric) => line.source(server).numeric(numeric).param(nick),
            Head::Unaddressed(numeric) => line.source(server).numeric(numeric).param("*"),
            Head::Command(command) => line.source(server).command(command),
            Head::Bare(command) => line.command(command),
        };
    }

    /// Returns the length of the line up to its parameters, without tags.
    fn head_len(&self, server: &str, nick: &str) -> usize {
        let source = ":".len() + server.len() + " ".len();
        match self.head {
            Head::Numeric(_) => source + "001 ".len() + nick.len(),
            Head::Unaddressed(_) => source + "001 *".len(),
            Head::Command(command) => source + command.len(),
            Head::Bare(command) => command.len(),
        }
    }

    /// Renders the line with its line end.
    pub fn render(&self, server: &str, nick: &str) -> String {
        let mut line = String::with_capacity(server.len() + nick.len() + self.params.len() + 16);
        self.write(server, nick, &mut line);
        line
    }

    /// Returns whether the line has at most [`MAX_LINE_BYTES`] bytes without its tags.
    pub fn fits(&self, server: &str, nick: &str) -> bool {
        self.head_len(server, nick) + self.params.len() + "\r\n".len() <= MAX_LINE_BYTES
    }

    /// Splits a reply that does not [fit](Self::fits), if its command allows that, or else truncates it.
    pub fn fit(self, server: &str, nick: &str) -> Vec<Self> {
        if self.fits(server, nick) {
            return vec![self];
        }
        let head = self.head_len(server, nick);
        let (length, most) = (head + self.params.len(), MAX_LINE_BYTES - "\r\n".len());
        let text_at = self.text.unwrap_or(self.params.len());
        let (words, text) = self.params.split_at(text_at);
        if self.may_repeat() && head + words.len() < most / 2 {
            let split = split_text(text, most - head - words.len());
            return split.map(|piece| Self { params: [words, piece].concat(), ..self.clone() }).collect();
        }
        // The longest part is truncated: the text, or the parameter that quotes the client's line.
        let over = length - most;
        let longest = words.split(' ').max_by_key(|word| word.len()).unwrap_or_default();
        let params = if text.len() > longest.len() || longest.len() <= over {
            let mut body = String::with_capacity(length);
            self.begin(server, nick, &mut LineWriter::new(&mut body));
            body.push_str(&self.params);
            body.get(head..split_point(&body, most)).unwrap_or_default().to_owned()
        } else {
            let short = longest.get(..split_point(longest, longest.len() - over)).unwrap_or_default();
            [&words.replacen(longest, short, 1), text].concat()
        };
        vec![Self { params, ..self }]
    }

    /// Returns whether its text may continue in another line of the same command.
    fn may_repeat(&self) -> bool {
        matches!(self.head, Head::Command("NOTICE" | "PRIVMSG"))
            || self.is_numeric(RPL_INFO)
            || self.is_numeric(RPL_MOTD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::numeric::{ERR_NOSUCHCHANNEL, ERR_NOSUCHNICK, RPL_TOPIC, RPL_WELCOME};

    fn render(reply: &Reply, nick: &str) -> String {
        reply.render("s.rv", nick)
    }

    #[test]
    fn replies_render_and_never_break_the_grammar() {
        let reply = Reply::numeric(ERR_NOSUCHNICK).arg("bob").text("No such nick/channel");
        assert_eq!(render(&reply, "alice"), ":s.rv 401 alice bob :No such nick/channel\r\n");
        assert_eq!(render(&reply.unaddressed(), "alice"), ":s.rv 401 * bob :No such nick/channel\r\n");
        let odd = Reply::numeric(ERR_NOSUCHNICK).arg("a b").arg("").arg(":c").text("");
        assert_eq!(render(&odd, "*"), ":s.rv 401 * * * * :\r\n");
        let first = Reply::numeric(RPL_WELCOME).text("hi");
        assert_eq!(render(&first, "al"), ":s.rv 001 al :hi\r\n");
        assert_eq!(render(&Reply::bare("AUTHENTICATE").arg("+"), "x"), "AUTHENTICATE +\r\n");
        let fail = Reply::fail("REGISTER", "WEAK_PASSWORD").arg("bob").text("Too short");
        assert_eq!(render(&fail, "x"), ":s.rv FAIL REGISTER WEAK_PASSWORD bob :Too short\r\n");
    }

    #[test]
    fn replies_in_a_batch_stay_in_it() {
        let start = Reply::batch_start(BatchRef::METADATA, "metadata").arg("#c");
        let mut batch = Reply::batch(BatchRef::METADATA, start, [Reply::command("METADATA").arg("#c")]);
        for reply in &mut batch {
            reply.set_tagging(Tagging::Batch(BatchRef::RESPONSE));
        }
        let lines: String = batch.iter().map(|reply| render(reply, "al")).collect();
        assert_eq!(
            lines,
            "@batch=r :s.rv BATCH +m metadata #c\r\n@batch=m :s.rv METADATA #c\r\n@batch=r :s.rv BATCH -m\r\n"
        );
    }

    #[test]
    fn long_replies_are_split_or_shortened() {
        let word = "word ".repeat(150);
        let fit = |reply: Reply| -> Vec<String> {
            let fitted = reply.fit("s.rv", "al");
            fitted.iter().map(|reply| render(reply, "al")).collect()
        };
        let notice = Reply::command("NOTICE").arg("al").text(&word);
        let notices = fit(notice.tagged(Tagging::Batch(BatchRef::RESPONSE)));
        let text = |line: &String| {
            line.trim_end_matches("\r\n").strip_prefix("@batch=r :s.rv NOTICE al :").map(str::to_owned)
        };
        assert_eq!(notices.iter().map(|line| text(line).expect("a notice")).collect::<String>(), word);
        assert!(
            notices.len() == 2 && notices.iter().all(|line| line.len() <= MAX_LINE_BYTES + "@batch=r ".len())
        );
        let topic = fit(Reply::numeric(RPL_TOPIC).arg("#c").text(&word));
        let [topic] = &topic[..] else { panic!("{topic:?}") };
        assert!(topic.starts_with(":s.rv 332 al #c :word word ") && topic.len() <= MAX_LINE_BYTES, "{topic}");
        let name = fit(Reply::numeric(ERR_NOSUCHCHANNEL).arg("x".repeat(900)).text("No such channel"));
        let [name] = &name[..] else { panic!("{name:?}") };
        assert!(name.starts_with(":s.rv 403 al xxx") && name.ends_with("x :No such channel\r\n"), "{name}");
        assert_eq!(name.len(), MAX_LINE_BYTES);
        let many = ["xy"; 300].iter().fold(Reply::numeric(ERR_NOSUCHCHANNEL), Reply::arg);
        assert!(fit(many).iter().all(|line| line.len() <= MAX_LINE_BYTES && line.ends_with("\r\n")));
    }
}
