//! Replies to a command among the other lines of the server.

use bytes::BytesMut;

use crate::wire::Message;

/// Classification of a line by the sender of a command.
pub(in crate::client) enum ReplyPart {
    /// An unrelated line.
    Unrelated,
    /// A part of the reply.
    Partial,
    /// The end of the reply. An error is a refusal.
    End(Result<(), String>),
}

/// The part of the input that a query has seen already, so that each line is looked at once, however much waits.
#[derive(Default)]
pub(super) struct ReplyScanner {
    /// Bytes of the lines that were offered and are not part of the reply.
    kept_bytes: usize,
    /// Bytes without a further line end behind them.
    scanned_bytes: usize,
}

impl ReplyScanner {
    /// Passes the new lines to `classify` and removes those that are part of the reply. Returns the end of the reply.
    pub fn scan(
        &mut self,
        input: &mut BytesMut,
        classify: &mut impl FnMut(&Message<'_>) -> ReplyPart,
    ) -> Option<Result<(), String>> {
        let end =
            memchr::memrchr(b'\n', input.get(self.scanned_bytes..)?).map(|at| self.scanned_bytes + at + 1);
        let Some(end) = end else {
            self.scanned_bytes = input.len();
            return None;
        };
        let new = input.get(self.kept_bytes..)?.to_vec();
        let (whole, begun) = new.split_at_checked(end - self.kept_bytes)?;
        input.truncate(self.kept_bytes);
        let mut last = None;
        for line in whole.split_inclusive(|&byte| byte == b'\n') {
            let message = std::str::from_utf8(line).ok().and_then(|line| Message::parse(line.trim_end()));
            match message
                .filter(|_| last.is_none())
                .map_or(ReplyPart::Unrelated, |message| classify(&message))
            {
                ReplyPart::Unrelated => input.extend_from_slice(line),
                ReplyPart::Partial => {}
                ReplyPart::End(result) => last = Some(result),
            }
        }
        self.kept_bytes = input.len();
        input.extend_from_slice(begun);
        self.scanned_bytes = input.len();
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_scans_each_line_once_and_keeps_unrelated() {
        let (mut offered, mut input, mut seen) = (ReplyScanner::default(), BytesMut::new(), 0);
        let mut take = |line: &Message<'_>| {
            seen += 1;
            match line.command {
                "PART" => ReplyPart::Partial,
                "LAST" => ReplyPart::End(Ok(())),
                _ => ReplyPart::Unrelated,
            }
        };
        let mut text = "A 1\r\nPART\r\nB 2\r\n".repeat(500);
        text.push_str("C \u{e4}\r\nLAST\r\nD 1\r\nLAST\r\nE");
        let mut ended = 0;
        // In pieces of every size, so that lines are cut anywhere.
        let mut rest = text.as_bytes();
        for size in (1..12).cycle() {
            let (piece, behind) = rest.split_at(size.min(rest.len()));
            rest = behind;
            input.extend_from_slice(piece);
            ended += usize::from(offered.scan(&mut input, &mut take).is_some());
            if rest.is_empty() {
                break;
            }
        }
        assert_eq!(ended, 2, "this test goes on after the end");
        assert_eq!(seen, 1504);
        assert_eq!(
            input,
            ["A 1\r\nB 2\r\n".repeat(500).as_str(), "C \u{e4}\r\nD 1\r\nE"].concat().as_bytes()
        );
    }
}
