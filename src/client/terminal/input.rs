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
pub struct Keyboard {
    stream: EventStream,
    ready: VecDeque<io::Result<Event>>,
}

impl Keyboard {
    /// Returns the next event; `None` where the terminal is gone. Cancel safe.
    pub async fn next(&mut self) -> Option<io::Result<Event>> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Event>>> {
        if let Some(event) = self.ready.pop_front() {
            return Poll::Ready(Some(event));
        }
        let first = match Pin::new(&mut self.stream).poll_next(cx) {
            Poll::Ready(Some(Ok(event))) if is_esc(&event) => event,
            other => return other,
        };
        let mut rest = String::new();
        let mut behind = Vec::new();
        // Events that are ready without waiting came in the same read, which is faster than anybody types.
        while let Poll::Ready(Some(event)) = Pin::new(&mut self.stream).poll_next(cx) {
            let letter = event.as_ref().ok().and_then(letter);
            behind.push(event);
            let Some(letter) = letter else { break };
            rest.push(letter);
            match sequence(&rest) {
                Sequence::Open => {}
                Sequence::Key(code, modifiers) => {
                    let key = KeyEvent::new(code, modifiers | KeyModifiers::ALT);
                    return Poll::Ready(Some(Ok(Event::Key(key))));
                }
                Sequence::Foreign => return Poll::Ready(Some(Ok(first))),
                Sequence::None => break,
            }
        }
        self.ready.extend(behind);
        Poll::Ready(Some(Ok(first)))
    }
}

fn is_esc(event: &Event) -> bool {
    matches!(event, Event::Key(key) if key.code == KeyCode::Esc && key.modifiers.is_empty() && key.kind == KeyEventKind::Press)
}

fn letter(event: &Event) -> Option<char> {
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
enum Sequence {
    /// Start of a sequence that is incomplete.
    Open,
    /// Key with its modifiers.
    Key(KeyCode, KeyModifiers),
    /// Sequence that is no key, such as a mouse or focus report.
    Foreign,
    /// Letters that are no sequence.
    None,
}

/// Limit of the length of a sequence, in characters.
const LONGEST: usize = 24;

fn sequence(text: &str) -> Sequence {
    let plain = |code| Sequence::Key(code, KeyModifiers::NONE);
    let mut letters = text.chars();
    match (letters.next(), letters.as_str()) {
        (Some('O' | '['), "") => Sequence::Open,
        (Some('O'), rest) => rest.chars().next().and_then(named).map_or(Sequence::None, plain),
        (Some('['), rest) => {
            let end = rest.find(|c| !matches!(c, '0'..='9' | ';' | '<'));
            match end.and_then(|end| Some((&rest[..end], rest[end..].chars().next()?))) {
                None if rest.len() < LONGEST => Sequence::Open,
                None => Sequence::None,
                Some((numbers, last)) => control(numbers, last),
            }
        }
        _ => Sequence::None,
    }
}

/// Interprets a control sequence by its parameters and its final character.
fn control(numbers: &str, last: char) -> Sequence {
    let mut numbers = numbers.split(';');
    let first = numbers.next().unwrap_or_default();
    // The parameter is 1 + Shift (1) + Alt (2) + Ctrl (4).
    let held = numbers.next().and_then(|held| held.parse::<u8>().ok()).unwrap_or(1).saturating_sub(1);
    let with = |bit, modifier| if held & bit != 0 { modifier } else { KeyModifiers::NONE };
    let modifiers = with(1, KeyModifiers::SHIFT) | with(4, KeyModifiers::CONTROL);
    let code = match (first, last) {
        ("" | "1", last) if named(last).is_some() => named(last),
        ("", 'Z') => return Sequence::Key(KeyCode::BackTab, KeyModifiers::SHIFT),
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
        Some(code) => Sequence::Key(code, modifiers),
        None if last.is_ascii_alphabetic() || last == '~' => Sequence::Foreign,
        None => Sequence::None,
    }
}

fn named(last: char) -> Option<KeyCode> {
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
            ("O", Sequence::Open),
            ("OS", Sequence::Key(KeyCode::F(4), none)),
            ("OA", Sequence::Key(KeyCode::Up, none)),
            ("[", Sequence::Open),
            ("[1", Sequence::Open),
            ("[A", Sequence::Key(KeyCode::Up, none)),
            ("[1;5C", Sequence::Key(KeyCode::Right, KeyModifiers::CONTROL)),
            ("[5~", Sequence::Key(KeyCode::PageUp, none)),
            ("[24~", Sequence::Key(KeyCode::F(12), none)),
            ("[1;2S", Sequence::Key(KeyCode::F(4), KeyModifiers::SHIFT)),
            ("[Z", Sequence::Key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            ("[<0;12;3M", Sequence::Foreign),
            ("[I", Sequence::Foreign),
            ("[é", Sequence::None),
            ("Oh", Sequence::None),
            ("hello", Sequence::None),
        ] {
            assert_eq!(sequence(text), expected, "{text}");
        }
        assert_eq!(sequence(&format!("[{}", "1".repeat(300))), Sequence::None);
    }
}
