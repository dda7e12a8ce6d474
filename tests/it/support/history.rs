//! History queries, and their result batches.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{ALL_CAPABILITIES, Client, Line, Server};

/// [`ALL_CAPABILITIES`] and the capabilities of history, without the playback of events.
pub fn history_capabilities() -> String {
    format!("{ALL_CAPABILITIES} draft/chathistory draft/message-redaction draft/read-marker")
}

/// [`history_capabilities`], with the playback of events.
pub fn playback_capabilities() -> String {
    format!("{} draft/event-playback", history_capabilities())
}

/// Logs in with these capabilities and joins `#room`.
#[track_caller]
pub fn log_in_and_join_room(server: &Server, name: &str, capabilities: &str) -> Client {
    let mut client = Client::login_with(server, name, capabilities);
    client.request("JOIN #room");
    client
}

impl Client {
    /// Sends a CHATHISTORY with these parameters and returns the lines of its batch.
    #[track_caller]
    pub fn query_history(&mut self, params: &str) -> Vec<Line> {
        self.send(&format!("CHATHISTORY {params}"));
        self.read_batch().1
    }

    /// Reads the next batch of history. Returns its first line and the lines inside. No other line may come between
    /// them.
    #[track_caller]
    pub fn read_batch(&mut self) -> (Line, Vec<Line>) {
        let start = self.wait_for_line("a batch of history", |l| {
            assert!(l.command != "FAIL", "no history: {l}");
            l.command == "BATCH" && l.param(0).starts_with('+') && l.param(1).contains("chathistory")
        });
        let reference = start.param(0).trim_start_matches('+').to_owned();
        let mut inside = Vec::new();
        loop {
            let line =
                self.next().unwrap_or_else(|| panic!("it ended inside a batch{}", self.format_transcript()));
            if line.starts_with(&format!("BATCH -{reference}")) {
                return (start, inside);
            }
            assert_eq!(line.tag("batch"), Some(reference.as_str()), "a stranger in the batch: {line}");
            inside.push(line);
        }
    }

    /// Sends a command that must fail, and returns its FAIL, which must be its only reply.
    #[track_caller]
    pub fn expect_failure(&mut self, command: &str) -> Line {
        let lines = self.request(command);
        let [line] = &lines[..] else { panic!("not one answer to {command}: {lines:?}") };
        assert_eq!(line.command, "FAIL", "{command}: {line}");
        line.clone()
    }

    /// Sends a message and waits for the echo; later messages have a later time stamp.
    #[track_caller]
    pub fn send_and_await_echo(&mut self, target: &str, text: &str) -> Line {
        self.send(&format!("PRIVMSG {target} :{text}"));
        let echo = self.wait_for_message(text);
        while now_timestamp().as_str() <= time_tag(&echo) {
            std::hint::spin_loop();
        }
        echo
    }
}

/// Returns the text of each line.
pub fn message_texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(Line::text).collect()
}

/// Returns the `time` tag.
pub fn time_tag(line: &Line) -> &str {
    line.tag("time").unwrap_or_else(|| panic!("no time: {line}"))
}

/// Returns the `msgid` tag.
pub fn msgid(line: &Line) -> &str {
    line.tag("msgid").unwrap_or_else(|| panic!("no msgid: {line}"))
}

/// Returns the machine's time in the form of a `time` tag, so that texts compare as times do.
fn now_timestamp() -> String {
    let ms = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_millis();
    let ms = i64::try_from(ms).expect("a time");
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).expect("a time"))
}

/// Counts the messages, and checks that each message id occurs only once.
#[track_caller]
pub fn count_distinct_ids<'a>(lines: impl IntoIterator<Item = &'a Line>) -> usize {
    let mut seen = BTreeSet::new();
    for line in lines {
        assert!(seen.insert(msgid(line)), "twice: {line}");
    }
    seen.len()
}
