//! Terminal input, with the key sequences joined again that crossterm splits.
//!
//! ESC before a key that has a sequence of its own, such as `ESC ESC O S` for F4 or `ESC ESC [ A` for the arrow, is the
//! form in which urxvt, `PuTTY` and others send that key with Alt. Esc and a key that arrive in one read look the same.
//! crossterm 0.29 turns the first two bytes into Esc and the rest into letters that nobody typed.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crossterm::event::{Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_core::Stream as _;

/// Stream of the terminal's events, from its creation until it is dropped.
#[derive(Default)]
pub struct InputReader {
    stream: EventStream,
    queued: VecDeque<io::Result<Event>>,
}

impl InputReader {
    /// Returns the next event; `None` where the terminal is gone. Cancel safe.
    pub async fn next_event(&mut self) -> Option<io::Result<Event>> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Event>>> {
        if let Some(event) = self.queued.pop_front() {
            return Poll::Ready(Some(event));
        }
        let first = match Pin::new(&mut self.stream).poll_next(cx) {
            Poll::Ready(Some(Ok(event))) if is_esc(&event) => event,
            other => return other,
        };
        let mut rest = String::new();
        let mut following = Vec::new();
        // Events that are ready without waiting came in the same read, which is faster than anybody types.
        while let Poll::Ready(Some(event)) = Pin::new(&mut self.stream).poll_next(cx) {
            let letter = event.as_ref().ok().and_then(plain_char);
            following.push(event);
            let Some(letter) = letter else { break };
            rest.push(letter);
            match parse_sequence(&rest) {
                KeySequence::Incomplete => {}
                KeySequence::Key(code, modifiers) => {
                    let key = KeyEvent::new(code, modifiers | KeyModifiers::ALT);
                    return Poll::Ready(Some(Ok(Event::Key(key))));
                }
                KeySequence::Unknown => return Poll::Ready(Some(Ok(first))),
                KeySequence::NotASequence => break,
            }
        }
        self.queued.extend(following);
        Poll::Ready(Some(Ok(first)))
    }
}

fn is_esc(event: &Event) -> bool {
    matches!(event, Event::Key(key) if key.code == KeyCode::Esc && key.modifiers.is_empty() && key.kind == KeyEventKind::Press)
}

fn plain_char(event: &Event) -> Option<char> {
    match event {
        Event::Key(KeyEvent { code: KeyCode::Char(c), modifiers, .. })
            if modifiers.difference(KeyModifiers::SHIFT).is_empty() =>
        {
            Some(*c)
        }
        _ => None,
    }
}

/// Meaning of the letters that follow Esc without a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeySequence {
    /// Start of a sequence that is incomplete.
    Incomplete,
    /// Key with its modifiers.
    Key(KeyCode, KeyModifiers),
    /// Sequence that is no key, such as a mouse or focus report.
    Unknown,
    /// Letters that are no sequence.
    NotASequence,
}

/// Limit of the length of a sequence, in characters.
const MAX_SEQUENCE_CHARS: usize = 24;

fn parse_sequence(text: &str) -> KeySequence {
    let plain = |code| KeySequence::Key(code, KeyModifiers::NONE);
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some('O' | '['), "") => KeySequence::Incomplete,
        (Some('O'), rest) => {
            rest.chars().next().and_then(key_by_final).map_or(KeySequence::NotASequence, plain)
        }
        (Some('['), rest) => {
            let end = rest.find(|c| !matches!(c, '0'..='9' | ';' | '<'));
            match end.and_then(|end| Some((&rest[..end], rest[end..].chars().next()?))) {
                None if rest.len() < MAX_SEQUENCE_CHARS => KeySequence::Incomplete,
                None => KeySequence::NotASequence,
                Some((numbers, last)) => parse_control_sequence(numbers, last),
            }
        }
        _ => KeySequence::NotASequence,
    }
}

/// Interprets a control sequence by its parameters and its final character.
fn parse_control_sequence(numbers: &str, last: char) -> KeySequence {
    let mut numbers = numbers.split(';');
    let first = numbers.next().unwrap_or_default();
    // The parameter is 1 + Shift (1) + Alt (2) + Ctrl (4).
    let held = numbers.next().and_then(|held| held.parse::<u8>().ok()).unwrap_or(1).saturating_sub(1);
    let with = |bit, modifier| if held & bit != 0 { modifier } else { KeyModifiers::NONE };
    let modifiers = with(1, KeyModifiers::SHIFT) | with(4, KeyModifiers::CONTROL);
    let code = match (first, last) {
        ("" | "1", last) if key_by_final(last).is_some() => key_by_final(last),
        ("", 'Z') => return KeySequence::Key(KeyCode::BackTab, KeyModifiers::SHIFT),
        (number, '~') => match number.parse::<u8>() {
            Ok(1 | 7) => Some(KeyCode::Home),
            Ok(2) => Some(KeyCode::Insert),
            Ok(3) => Some(KeyCode::Delete),
            Ok(4 | 8) => Some(KeyCode::End),
            Ok(5) => Some(KeyCode::PageUp),
            Ok(6) => Some(KeyCode::PageDown),
            Ok(n @ 11..=15) => Some(KeyCode::F(n - 10)),
            Ok(n @ 17..=21) => Some(KeyCode::F(n - 11)),
            Ok(n @ 23..=24) => Some(KeyCode::F(n - 12)),
            _ => None,
        },
        _ => None,
    };
    match code {
        Some(code) => KeySequence::Key(code, modifiers),
        None if last.is_ascii_alphabetic() || last == '~' => KeySequence::Unknown,
        None => KeySequence::NotASequence,
    }
}

fn key_by_final(last: char) -> Option<KeyCode> {
    Some(match last {
        'A' => KeyCode::Up,
        'B' => KeyCode::Down,
        'C' => KeyCode::Right,
        'D' => KeyCode::Left,
        'F' => KeyCode::End,
        'H' => KeyCode::Home,
        'P' => KeyCode::F(1),
        'Q' => KeyCode::F(2),
        'R' => KeyCode::F(3),
        'S' => KeyCode::F(4),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_split_key_sequences_after_esc() {
        let none = KeyModifiers::NONE;
        for (text, expected) in [
            ("O", KeySequence::Incomplete),
            ("OS", KeySequence::Key(KeyCode::F(4), none)),
            ("OA", KeySequence::Key(KeyCode::Up, none)),
            ("[", KeySequence::Incomplete),
            ("[1", KeySequence::Incomplete),
            ("[A", KeySequence::Key(KeyCode::Up, none)),
            ("[1;5C", KeySequence::Key(KeyCode::Right, KeyModifiers::CONTROL)),
            ("[5~", KeySequence::Key(KeyCode::PageUp, none)),
            ("[24~", KeySequence::Key(KeyCode::F(12), none)),
            ("[1;2S", KeySequence::Key(KeyCode::F(4), KeyModifiers::SHIFT)),
            ("[Z", KeySequence::Key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            ("[<0;12;3M", KeySequence::Unknown),
            ("[I", KeySequence::Unknown),
            ("[é", KeySequence::NotASequence),
            ("Oh", KeySequence::NotASequence),
            ("hello", KeySequence::NotASequence),
        ] {
            assert_eq!(parse_sequence(text), expected, "{text}");
        }
        assert_eq!(parse_sequence(&format!("[{}", "1".repeat(300))), KeySequence::NotASequence);
    }
}
