//! Parsing of what a terminal sends: keys, the mouse, pastes, focus, answers to queries.
//!
//! Keys come in the forms of VT220 and xterm, with urxvt's modifiers; in those of the kitty keyboard protocol
//! (`CSI 13;2u`), which tmux up to 3.4 sends as well; and in that of xterm's `modifyOtherKeys` (`CSI 27;2;13~`), which
//! tmux sends from 3.5 on. No released crate reads the last form: crossterm 0.29 and termina 0.4 drop it.
//!
//! Esc before a key means Alt: with a letter everywhere, and before a sequence, such as `ESC ESC O S` for Alt-F4, in
//! urxvt, `PuTTY` and others.

pub mod reports;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Position;

use self::reports::Report;
use crate::client::keys::key::{Code, Key, MouseAction, TerminalEvent};

/// Limit of a sequence, in bytes. Longer ones are no keys.
const MAX_SEQUENCE_BYTES: usize = 64;

/// Limit of a paste, in bytes. The rest of a longer one is dropped.
const MAX_PASTE_BYTES: usize = 1024 * 1024;

/// Longest pause in a sequence behind bytes that may be a key by themselves: Esc, or Alt and a letter.
const KEY_TIMEOUT: Duration = Duration::from_millis(40);

/// Longest pause in a sequence or a character behind bytes that are no key: a slow network or a busy machine has cut it.
const CUT_TIMEOUT: Duration = Duration::from_secs(2);

const PASTE_END: &[u8] = b"\x1b[201~";

/// A parsed piece of the terminal's output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Event that somebody has caused.
    Event(TerminalEvent),
    /// Answer to a query.
    Report(Report),
}

/// Parser that is fed with bytes as they arrive.
#[derive(Debug, Default)]
pub struct SequenceParser {
    /// Start of a sequence that is incomplete.
    pending: Vec<u8>,
    /// Paste in progress.
    paste: Option<Vec<u8>>,
}

/// Result of parsing the start of some bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Parsed {
    /// More bytes decide.
    Incomplete,
    /// Event of this many bytes.
    Event(TerminalEvent, usize),
    /// Answer of this many bytes.
    Report(Report, usize),
    /// Bytes without a meaning here, such as a key release.
    Nothing(usize),
    /// Start of a paste of this many bytes.
    Paste(usize),
}

impl SequenceParser {
    /// Parses further bytes, and appends their events.
    pub fn feed(&mut self, bytes: &[u8], events: &mut VecDeque<Received>) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            if self.paste.is_some() {
                if !self.feed_paste(events) {
                    return;
                }
                continue;
            }
            let taken = match parse(&self.pending) {
                Parsed::Incomplete => return,
                Parsed::Event(event, taken) => {
                    events.push_back(Received::Event(event));
                    taken
                }
                Parsed::Report(report, taken) => {
                    events.push_back(Received::Report(report));
                    taken
                }
                Parsed::Nothing(taken) => taken,
                Parsed::Paste(taken) => {
                    self.paste = Some(Vec::new());
                    taken
                }
            };
            self.pending.drain(..taken);
        }
    }

    /// Returns how long to wait for the rest of the bytes that wait for more; `None` if there are none. If nothing comes
    /// in time, [`SequenceParser::flush`] is due.
    pub fn timeout(&self) -> Option<Duration> {
        self.is_pending().then_some(match self.pending[..] {
            [0x1b, b'[', _, ..] | [0x1b, 0x1b, b'[', _, ..] | [0x80..=0xff, ..]
            // Answers to queries, which nobody types.
            | [0x1b, b'P', b'>', ..] | [0x1b, b'_', b'G', ..] => CUT_TIMEOUT,
            _ => KEY_TIMEOUT,
        })
    }

    fn is_pending(&self) -> bool {
        !self.pending.is_empty() && self.paste.is_none()
    }

    /// Takes the bytes that wait for what they are by themselves: Esc alone, or Alt with a letter such as `[`.
    pub fn flush(&mut self, events: &mut VecDeque<Received>) {
        while self.is_pending() {
            let rest = std::mem::take(&mut self.pending);
            let (key, taken) = match rest[..] {
                [0x1b, 0x1b] => (Some(Key { alt: true, ..Key::from_code(Code::Esc) }), 2),
                [0x1b, letter, ..] if letter.is_ascii_graphic() => {
                    (Some(Key { alt: true, ..Key::from_code(Code::Char(char::from(letter))) }), 2)
                }
                [0x1b, ..] => (Some(Key::from_code(Code::Esc)), 1),
                // A character that is cut off.
                _ => (None, rest.len()),
            };
            events.extend(key.map(|key| Received::Event(TerminalEvent::Key(key))));
            self.feed(&rest[taken..], events);
        }
    }

    /// Moves bytes to the paste in progress. Returns whether it has ended.
    fn feed_paste(&mut self, events: &mut VecDeque<Received>) -> bool {
        let Some(paste) = &mut self.paste else { return true };
        let end = self.pending.windows(PASTE_END.len()).position(|window| window == PASTE_END);
        // Without an end, the last bytes may be the start of it.
        let text = end.unwrap_or((self.pending.len() + 1).saturating_sub(PASTE_END.len()));
        let room = MAX_PASTE_BYTES.saturating_sub(paste.len());
        paste.extend_from_slice(&self.pending[..text.min(room)]);
        let taken = text + end.map_or(0, |_| PASTE_END.len());
        self.pending.drain(..taken);
        if end.is_some() {
            let paste = self.paste.take().unwrap_or_default();
            let text = String::from_utf8_lossy(&paste).into_owned();
            events.push_back(Received::Event(TerminalEvent::Paste(text)));
        }
        end.is_some()
    }
}

/// Keys that are held, as their bits in a sequence: its parameter less 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held(u8);

impl Held {
    /// Super, Hyper and Meta, with which a key is no text.
    const OTHERS: u8 = 0b11_1000;

    fn from_param(param: Option<u32>) -> Self {
        Self(u8::try_from(param.unwrap_or(1).saturating_sub(1)).unwrap_or(0))
    }

    /// Applies the held keys to a key. Shift counts where it makes a difference.
    fn key(self, code: Code) -> Option<Key> {
        let (shift, alt, ctrl) = (self.0 & 1 != 0, self.0 & 2 != 0, self.0 & 4 != 0);
        let code = match code {
            Code::Char(_) if self.0 & Self::OTHERS != 0 => return None,
            Code::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
            Code::Char(c) if shift && alt => Code::Char(c.to_ascii_uppercase()),
            code => code,
        };
        let shift = shift && !matches!(code, Code::Char(_) | Code::Backspace | Code::PageUp | Code::PageDown);
        Some(Key { code, ctrl, alt, shift })
    }
}

/// Parses what some bytes start with.
fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] | [0x1b] | [0x1b, 0x1b] => Parsed::Incomplete,
        [0x1b, b'[', ..] => parse_control_sequence(bytes),
        [0x1b, b'O', ..] => parse_single_shift(bytes),
        [0x1b, b'P' | b'X' | b']' | b'^' | b'_', ..] => parse_string(bytes),
        [0x1b, 0x1b, b'[' | b'O', ..] => with_alt(parse(&bytes[1..])),
        [0x1b, 0x1b, ..] => Parsed::Event(TerminalEvent::Key(Key::from_code(Code::Esc)), 1),
        [0x1b, rest @ ..] => with_alt(parse_char(rest)),
        _ => parse_char(bytes),
    }
}

/// Adds Alt to a key with an Esc before it.
fn with_alt(parsed: Parsed) -> Parsed {
    match parsed {
        Parsed::Event(TerminalEvent::Key(key), taken) => {
            Parsed::Event(TerminalEvent::Key(Key { alt: true, ..key }), taken + 1)
        }
        Parsed::Event(event, taken) => Parsed::Event(event, taken + 1),
        Parsed::Report(report, taken) => Parsed::Report(report, taken + 1),
        Parsed::Nothing(taken) => Parsed::Nothing(taken + 1),
        Parsed::Paste(taken) => Parsed::Paste(taken + 1),
        Parsed::Incomplete => Parsed::Incomplete,
    }
}

/// Parses a control character or a character in UTF-8.
fn parse_char(bytes: &[u8]) -> Parsed {
    let Some(&first) = bytes.first() else { return Parsed::Incomplete };
    let ctrl = |c: u8| Key { ctrl: true, ..Key::from_code(Code::Char(char::from(c))) };
    let key = match first {
        b'\r' => Key::from_code(Code::Enter),
        b'\t' => Key::from_code(Code::Tab),
        0x7f => Key::from_code(Code::Backspace),
        0 => ctrl(b' '),
        1..=0x1a => ctrl(first - 1 + b'a'),
        0x1c..=0x1f => ctrl(first - 0x1c + b'4'),
        _ => {
            let size = match first {
                0..0x80 => 1,
                0xc2..0xe0 => 2,
                0xe0..0xf0 => 3,
                0xf0..0xf5 => 4,
                _ => return Parsed::Nothing(1),
            };
            let Some(encoded) = bytes.get(..size) else {
                let broken = bytes[1..].iter().any(|byte| byte & 0xc0 != 0x80);
                return if broken { Parsed::Nothing(1) } else { Parsed::Incomplete };
            };
            return match std::str::from_utf8(encoded).ok().and_then(|text| text.chars().next()) {
                Some(c) => Parsed::Event(TerminalEvent::Key(Key::from_code(Code::Char(c))), size),
                None => Parsed::Nothing(1),
            };
        }
    };
    Parsed::Event(TerminalEvent::Key(key), 1)
}

/// Parses `ESC O` and a letter.
fn parse_single_shift(bytes: &[u8]) -> Parsed {
    let Some(&last) = bytes.get(2) else { return Parsed::Incomplete };
    let key = match last {
        // urxvt's arrow keys with Ctrl.
        b'a'..=b'd' => {
            key_by_final(last.to_ascii_uppercase()).map(|code| Key { ctrl: true, ..Key::from_code(code) })
        }
        // The keypad's Enter in application mode.
        b'M' => Some(Key::from_code(Code::Enter)),
        _ => key_by_final(last).map(Key::from_code),
    };
    match key {
        Some(key) => Parsed::Event(TerminalEvent::Key(key), 3),
        None => alt_letter(bytes),
    }
}

/// Takes `ESC` and a letter that start no sequence for the letter with Alt.
fn alt_letter(bytes: &[u8]) -> Parsed {
    let letter = bytes.get(1).copied().map_or('[', char::from);
    Parsed::Event(TerminalEvent::Key(Key { alt: true, ..Key::from_code(Code::Char(letter)) }), 2)
}

/// Parses a string: the answer to a query, or to one that another program made, which is nothing.
fn parse_string(bytes: &[u8]) -> Parsed {
    let behind = bytes.get(2..).unwrap_or_default();
    let bell = behind.iter().position(|byte| *byte == 7).map(|at| at + 3);
    let st = behind.windows(2).position(|pair| pair == b"\x1b\\").map(|at| at + 4);
    let (taken, end) = match (bell, st) {
        (Some(bell), Some(st)) if bell < st => (bell, 1),
        (_, Some(st)) => (st, 2),
        (Some(bell), None) => (bell, 1),
        (None, None) => return Parsed::Incomplete,
    };
    reported(reports::parse_string(&bytes[..taken - end]), taken)
}

/// Parses `ESC [`, parameters and a final character (ECMA-48, section 5.4).
fn parse_control_sequence(bytes: &[u8]) -> Parsed {
    let body = bytes.get(2..).unwrap_or_default();
    match body {
        // The Linux console's F1 to F5.
        [b'[', last, ..] => {
            return match last {
                b'A'..=b'E' => event(Held::default(), Code::F(last - b'A' + 1), 4),
                _ => Parsed::Nothing(4),
            };
        }
        [b'['] => return Parsed::Incomplete,
        [b'M', rest @ ..] => {
            return match rest {
                [button, x, y, ..] => mouse(
                    button.wrapping_sub(32).into(),
                    x.wrapping_sub(32).into(),
                    y.wrapping_sub(32).into(),
                    6,
                ),
                _ => Parsed::Incomplete,
            };
        }
        _ => {}
    }
    let Some(end) = body.iter().position(|byte| !(0x20..0x40).contains(byte)) else {
        return if body.len() < MAX_SEQUENCE_BYTES { Parsed::Incomplete } else { alt_letter(bytes) };
    };
    let last = body[end];
    let taken = end + 3;
    if !(0x40..0x7f).contains(&last) || end >= MAX_SEQUENCE_BYTES {
        return alt_letter(bytes);
    }
    let params = std::str::from_utf8(&body[..end]).unwrap_or_default();
    if let Some(params) = params.strip_prefix('<') {
        let mut numbers = params.split(';').map(|number| number.parse().unwrap_or(0));
        let mut next = || numbers.next().unwrap_or(0);
        let (button, x, y) = (next(), next(), next());
        return if last == b'M' { mouse(button, x, y, taken) } else { Parsed::Nothing(taken) };
    }
    match last {
        b'c' => return reported(reports::parse_attributes(params), taken),
        b't' => return reported(reports::parse_size(params), taken),
        b'S' if params.starts_with('?') => return reported(reports::parse_graphics(params), taken),
        _ if params.starts_with(['?', '>', '=']) => return Parsed::Nothing(taken),
        _ => {}
    }
    // A parameter may have parts behind a colon: of a key another form, of the held keys the kind of the event.
    let mut parts = params.split(';');
    let mut number = || parts.next().map(|part| part.split(':').collect::<Vec<_>>());
    let (first, second, third) = (number(), number(), number());
    let value = |part: &Option<Vec<&str>>| part.as_ref().and_then(|part| part.first()?.parse::<u32>().ok());
    let is_release = second.as_ref().is_some_and(|part| part.get(1) == Some(&"3"));
    if is_release {
        return Parsed::Nothing(taken);
    }
    let held = Held::from_param(value(&second));
    match (last, value(&first)) {
        (b'~', Some(200)) => Parsed::Paste(taken),
        (b'~', Some(27)) => coded_key(value(&third), held, taken),
        (b'~', Some(code)) => keypad_key(code, held, taken),
        // urxvt's form with Ctrl.
        (b'^', Some(code)) => keypad_key(code, Held(4), taken),
        (b'u', code) => coded_key(code, held, taken),
        (b'Z', _) => event(Held(1), Code::Tab, taken),
        (b'I', None) => Parsed::Event(TerminalEvent::Focus(true), taken),
        (b'O', None) => Parsed::Event(TerminalEvent::Focus(false), taken),
        // urxvt's arrow keys with Shift.
        (b'a'..=b'd', None) => match key_by_final(last.to_ascii_uppercase()) {
            Some(code) => event(Held(1), code, taken),
            None => Parsed::Nothing(taken),
        },
        (_, None | Some(1)) => match key_by_final(last) {
            Some(code) => event(held, code, taken),
            None => Parsed::Nothing(taken),
        },
        _ => Parsed::Nothing(taken),
    }
}

fn reported(report: Option<Report>, taken: usize) -> Parsed {
    report.map_or(Parsed::Nothing(taken), |report| Parsed::Report(report, taken))
}

fn event(held: Held, code: Code, taken: usize) -> Parsed {
    match held.key(code) {
        Some(key) => Parsed::Event(TerminalEvent::Key(key), taken),
        None => Parsed::Nothing(taken),
    }
}

/// Returns the key of `CSI code ~`.
fn keypad_key(code: u32, held: Held, taken: usize) -> Parsed {
    let number = |from: u32| u8::try_from(code - from).unwrap_or(0);
    let code = match code {
        1 | 7 => Code::Home,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(number(10)),
        17..=21 => Code::F(number(11)),
        23..=24 => Code::F(number(12)),
        _ => return Parsed::Nothing(taken),
    };
    event(held, code, taken)
}

/// Returns the key with a Unicode code point, or one of the numbers of the
/// [kitty keyboard protocol](https://sw.kovidgoyal.net/kitty/keyboard-protocol/#functional-key-definitions).
fn coded_key(code: Option<u32>, held: Held, taken: usize) -> Parsed {
    let code = match code.unwrap_or(0) {
        9 => Code::Tab,
        13 | 57_414 => Code::Enter,
        27 => Code::Esc,
        8 | 127 => Code::Backspace,
        digit @ 57_399..=57_408 => Code::Char(char::from_digit(digit - 57_399, 10).unwrap_or('0')),
        sign @ 57_409..=57_413 => {
            Code::Char([".", "/", "*", "-", "+"][(sign - 57_409) as usize].as_bytes()[0].into())
        }
        57_415 => Code::Char('='),
        57_417 => Code::Left,
        57_418 => Code::Right,
        57_419 => Code::Up,
        57_420 => Code::Down,
        57_421 => Code::PageUp,
        57_422 => Code::PageDown,
        57_423 => Code::Home,
        57_424 => Code::End,
        57_426 => Code::Delete,
        // Keys such as Shift alone, in a private range.
        0..=31 | 57_344..=63_743 => return Parsed::Nothing(taken),
        code => match char::from_u32(code) {
            Some(c) => Code::Char(c),
            None => return Parsed::Nothing(taken),
        },
    };
    event(held, code, taken)
}

fn key_by_final(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'F' => Code::End,
        b'H' => Code::Home,
        b'P' => Code::F(1),
        b'Q' => Code::F(2),
        b'R' => Code::F(3),
        b'S' => Code::F(4),
        _ => return None,
    })
}

/// Returns the event of a mouse report. Positions count from 1.
fn mouse(button: u32, x: u32, y: u32, taken: usize) -> Parsed {
    let action = match button {
        0 => MouseAction::Click,
        64 => MouseAction::WheelUp,
        65 => MouseAction::WheelDown,
        _ => return Parsed::Nothing(taken),
    };
    let from_zero = |at: u32| u16::try_from(at.saturating_sub(1)).unwrap_or(u16::MAX);
    let at = Position::new(from_zero(x), from_zero(y));
    Parsed::Event(TerminalEvent::Mouse { action, at }, taken)
}
