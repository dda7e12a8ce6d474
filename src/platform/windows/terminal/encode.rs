//! Events of the console as the bytes that xterm sends, with the kitty keyboard protocol for keys that xterm cannot tell
//! apart.

use std::collections::VecDeque;
use std::io::Write as _;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// Fewest keys at once that are a paste, if a line's end is among them.
const MIN_PASTE_KEYS: usize = 3;

/// Returns true if these events are a paste: the console sends it as keys that arrive together. Without a line's end it
/// makes no difference.
pub fn is_paste(events: &VecDeque<Event>) -> bool {
    let texts = events.iter().map(pasted);
    events.len() >= MIN_PASTE_KEYS
        && texts.clone().all(|text| text.is_some())
        && texts.flatten().any(|text| text == '\n')
}

/// Returns the character that an event of a paste stands for.
fn pasted(event: &Event) -> Option<char> {
    let Event::Key(key) = event else { return None };
    match key.code {
        KeyCode::Enter => Some('\n'),
        KeyCode::Tab => Some('\t'),
        KeyCode::Char('j' | 'J') if key.modifiers == KeyModifiers::CONTROL => Some('\n'),
        KeyCode::Char(c) if is_plain(c, key.modifiers) && !c.is_control() => Some(c),
        _ => None,
    }
}

/// Appends the bytes of events that arrived together.
pub fn append(events: &VecDeque<Event>, bytes: &mut Vec<u8>) {
    if is_paste(events) {
        let text: String = events.iter().filter_map(pasted).collect();
        bytes.extend_from_slice(format!("\u{1b}[200~{text}\u{1b}[201~").as_bytes());
        return;
    }
    for event in events {
        // Writing to a vector cannot fail.
        let _ = match event {
            Event::Key(key) => append_key(*key, bytes),
            Event::Mouse(mouse) => append_mouse(*mouse, bytes),
            Event::FocusGained => bytes.write_all(b"\x1b[I"),
            Event::FocusLost => bytes.write_all(b"\x1b[O"),
            Event::Resize(..) => Ok(()),
        };
    }
}

/// Returns true for a character that is text, whatever was held to type it: AltGr counts as Ctrl and Alt together.
fn is_plain(c: char, held: KeyModifiers) -> bool {
    let held = held - KeyModifiers::SHIFT;
    held.is_empty() || held == KeyModifiers::CONTROL | KeyModifiers::ALT && !c.is_ascii_alphanumeric()
}

fn append_key(key: KeyEvent, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    // As in the protocol: 1, and a bit for each of Shift, Alt and Ctrl.
    let held = [(KeyModifiers::SHIFT, 1), (KeyModifiers::ALT, 2), (KeyModifiers::CONTROL, 4)];
    let held: u8 =
        1 + held.iter().filter(|(it, _)| key.modifiers.contains(*it)).map(|(_, bit)| bit).sum::<u8>();
    match key.code {
        KeyCode::Char(c) if is_plain(c, key.modifiers) => write!(bytes, "{c}"),
        KeyCode::Char(c) => {
            let code = c.to_lowercase().next().unwrap_or(c);
            write!(bytes, "\u{1b}[{};{held}u", u32::from(code))
        }
        KeyCode::Enter if held == 1 => bytes.write_all(b"\r"),
        KeyCode::Enter => write!(bytes, "\u{1b}[13;{held}u"),
        KeyCode::Tab if held == 1 => bytes.write_all(b"\t"),
        KeyCode::Tab => write!(bytes, "\u{1b}[9;{held}u"),
        KeyCode::BackTab => bytes.write_all(b"\x1b[Z"),
        KeyCode::Backspace if held == 1 => bytes.write_all(b"\x7f"),
        KeyCode::Backspace => write!(bytes, "\u{1b}[127;{held}u"),
        KeyCode::Esc => write!(bytes, "\u{1b}[27;{held}u"),
        KeyCode::Up => write!(bytes, "\u{1b}[1;{held}A"),
        KeyCode::Down => write!(bytes, "\u{1b}[1;{held}B"),
        KeyCode::Right => write!(bytes, "\u{1b}[1;{held}C"),
        KeyCode::Left => write!(bytes, "\u{1b}[1;{held}D"),
        KeyCode::End => write!(bytes, "\u{1b}[1;{held}F"),
        KeyCode::Home => write!(bytes, "\u{1b}[1;{held}H"),
        KeyCode::Delete => write!(bytes, "\u{1b}[3;{held}~"),
        KeyCode::PageUp => write!(bytes, "\u{1b}[5;{held}~"),
        KeyCode::PageDown => write!(bytes, "\u{1b}[6;{held}~"),
        KeyCode::F(number @ 1..=12) => {
            let codes = [11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24];
            let code = codes.get(usize::from(number) - 1).copied().unwrap_or(11);
            write!(bytes, "\u{1b}[{code};{held}~")
        }
        _ => Ok(()),
    }
}

fn append_mouse(mouse: MouseEvent, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let button = match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => 0,
        MouseEventKind::ScrollUp => 64,
        MouseEventKind::ScrollDown => 65,
        _ => return Ok(()),
    };
    write!(bytes, "\u{1b}[<{button};{};{}M", u32::from(mouse.column) + 1, u32::from(mouse.row) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, held: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, held))
    }

    fn bytes(events: impl IntoIterator<Item = Event>) -> String {
        let mut bytes = Vec::new();
        append(&events.into_iter().collect(), &mut bytes);
        String::from_utf8(bytes).expect("text").replace('\u{1b}', "^")
    }

    #[test]
    fn keys_are_those_of_xterm_and_kitty() {
        let (none, ctrl, alt) = (KeyModifiers::NONE, KeyModifiers::CONTROL, KeyModifiers::ALT);
        assert_eq!(
            bytes([key(KeyCode::Char('é'), none), key(KeyCode::Char('A'), KeyModifiers::SHIFT)]),
            "éA"
        );
        // AltGr-Q on a German keyboard.
        assert_eq!(bytes([key(KeyCode::Char('@'), ctrl | alt)]), "@");
        assert_eq!(bytes([key(KeyCode::Char('k'), ctrl)]), "^[107;5u");
        assert_eq!(bytes([key(KeyCode::Enter, none)]), "\r");
        assert_eq!(bytes([key(KeyCode::Enter, KeyModifiers::SHIFT)]), "^[13;2u");
        assert_eq!(bytes([key(KeyCode::Up, alt)]), "^[1;3A");
        assert_eq!(bytes([key(KeyCode::Esc, none)]), "^[27;1u");
        assert_eq!(bytes([key(KeyCode::F(5), none)]), "^[15;1~");
    }

    #[test]
    fn keys_that_arrive_together_with_a_line_end_are_a_paste() {
        let typed = |text: &str| {
            let code = |c| if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            text.chars().map(|c| key(code(c), KeyModifiers::NONE)).collect::<Vec<_>>()
        };
        assert_eq!(bytes(typed("one\ntwo")), "^[200~one\ntwo^[201~");
        assert_eq!(bytes(typed("one two")), "one two");
        assert_eq!(bytes(typed("y\n")), "y\r");
        let mut mixed = typed("a\n");
        mixed.push(key(KeyCode::Up, KeyModifiers::NONE));
        assert_eq!(bytes(mixed), "a\r^[1;1A");
    }
}
