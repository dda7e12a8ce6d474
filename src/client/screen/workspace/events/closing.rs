//! Reasons that a server gives before it closes the connection.

use crate::client::model::Conversation;
use crate::client::screen::text::sanitize::sanitize_line;
use crate::client::screen::workspace::Workspace;
use crate::client::screen::workspace::entry::{Entry, EntryContent};

impl Workspace {
    /// Shows why a server closes the connection among the messages, where it stays: the client connects again within a
    /// moment, and the cause of a broken connection goes with it.
    pub(super) fn show_closing_reason(&mut self, server: usize, reason: &str) {
        let text = sanitize_line(&describe_closing(reason), 400);
        let here = self.current.as_ref().filter(|(at, _)| *at == server).map(|(_, here)| here.clone());
        let Some(conversation) = here.or_else(|| self.most_used_conversation(server)) else {
            return self.show_error(&text);
        };
        let entry = Entry::new(self.now, None, EntryContent::Note(text.into()));
        if let Some(buffer) = self.find_buffer(server, &conversation) {
            buffer.append_live(entry);
        }
    }

    fn most_used_conversation(&self, server: usize) -> Option<Conversation> {
        let keys = self.buffers().map(|(key, _)| key).filter(|(at, _)| *at == server);
        let most = keys.max_by(|a, b| self.use_score(a).total_cmp(&self.use_score(b)));
        most.map(|(_, conversation)| conversation)
    }
}

/// Describes the reason of an ERROR. The words for a KILL are those of Parlour.
fn describe_closing(reason: &str) -> String {
    match reason.strip_prefix("Killed by ") {
        Some(by) => format!("you were disconnected by {by}"),
        None => format!("the server closed the connection: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::client::screen::components::timeline::Timeline;
    use crate::client::screen::tests::fixture::Fixture;

    #[test]
    fn the_reason_stays_among_the_messages() {
        let mut fixture = Fixture::new();
        fixture.workspace.update(&mut [], true);
        for (line, expected) in [
            ("ERROR :Killed by bob: too loud", "you were disconnected by bob: too loud"),
            ("ERROR :Killed by bob", "you were disconnected by bob"),
            ("ERROR :Send queue exceeded", "the server closed the connection: Send queue exceeded"),
        ] {
            fixture.lines(&[line]);
            fixture.model.disconnected();
            fixture.workspace.handle_disconnected(0, "the server closed it", 1_000);
            fixture.workspace.handle_connected(0);
            let screen = fixture.render(&Timeline::default(), 80, 20).join("\n");
            assert!(screen.contains(expected), "{screen}");
        }
        // Without a conversation it is a hint.
        fixture.workspace.close_buffer(&Fixture::key("#lobby"));
        fixture.lines(&["ERROR :Killed by bob"]);
        assert!(fixture.workspace.hint.as_ref().is_some_and(|hint| hint.text.contains("by bob")));
    }
}
