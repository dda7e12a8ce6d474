//! Groups of messages of one sender, which is named once.

use crate::client::model::MessageKind;
use crate::client::screen::workspace::buffer::Buffer;

/// Longest time from the first message of a group to its last, in milliseconds.
const GROUP_DURATION: u64 = 5 * 60_000;

/// Limit of the messages of one group, which bounds the cost of finding its start. Groups end at multiples of this
/// number, so that a message stays in its group when others are loaded.
const MAX_GROUP_MESSAGES: i64 = 128;

/// Returns whether a message is in the group of the message before, and so needs no nick.
pub fn continues_group(buffer: &Buffer, number: i64) -> bool {
    let mut first = number;
    while follows(buffer, first) {
        first -= 1;
    }
    let time = |number| buffer.entry(number).map_or(0, |entry| entry.time.0);
    let mut start = first;
    for later in first + 1..=number {
        if time(later).saturating_sub(time(start)) >= GROUP_DURATION {
            start = later;
        }
    }
    start < number
}

/// Returns whether a message follows one of the same sender.
fn follows(buffer: &Buffer, number: i64) -> bool {
    if number.rem_euclid(MAX_GROUP_MESSAGES) == 0 {
        return false;
    }
    let (Some(entry), Some(before)) = (buffer.entry(number), buffer.entry(number - 1)) else { return false };
    let (Some(message), Some(last)) = (entry.message(), before.message()) else { return false };
    message.kind == MessageKind::Text
        && last.kind == MessageKind::Text
        && entry.time.0.saturating_sub(before.time.0) < GROUP_DURATION
        && last.from == message.from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::screen::tests::fixture::Fixture;
    use crate::wire::Timestamp;

    /// Returns which of the messages, each with its second and sender, start a group.
    fn starts(messages: &[(u64, &str)]) -> Vec<bool> {
        let mut fixture = Fixture::new();
        let start = fixture.workspace.now.0;
        for (second, nick) in messages {
            let time = Timestamp(start + second * 1000);
            fixture.lines(&[&format!("@time={time};msgid={second:05} :{nick}!u@p PRIVMSG #lobby :hi")]);
        }
        let buffer = fixture.workspace.current_buffer().expect("a buffer");
        let numbers =
            buffer.numbers().filter(|number| buffer.entry(*number).is_some_and(|e| e.message().is_some()));
        numbers.map(|number| !continues_group(buffer, number)).collect()
    }

    #[test]
    fn group_ends_after_five_minutes_and_with_another_sender() {
        assert_eq!(starts(&[(1, "bob"), (2, "bob"), (3, "carol"), (4, "bob")]), [true, false, true, true]);
        // One message each two minutes.
        assert_eq!(
            starts(&[(0, "bob"), (120, "bob"), (240, "bob"), (360, "bob"), (480, "bob"), (660, "bob")]),
            [true, false, false, true, false, true]
        );
    }
}
