//! Keys in each form, reports, pastes, and bytes in parts.

use super::*;
use proptest::prelude::*;

/// Parses bytes that arrive at once and are followed by silence. Returns the names of keys, and other events as
/// [`Debug`] prints them.
fn events(bytes: &[u8]) -> Vec<String> {
    let (mut parser, mut found) = (SequenceParser::default(), VecDeque::new());
    parser.feed(bytes, &mut found);
    parser.flush(&mut found);
    found.iter().map(name).collect()
}

fn name(received: &Received) -> String {
    match received {
        Received::Event(TerminalEvent::Key(key)) => key.to_string(),
        Received::Event(other) => format!("{other:?}"),
        Received::Report(report) => format!("{report:?}"),
    }
}

#[test]
fn keys_are_read_in_each_form() {
    for (bytes, expected) in [
        ("a", "a"),
        ("A", "A"),
        ("é", "é"),
        ("👍", "👍"),
        ("\r", "Enter"),
        ("\n", "Ctrl-J"),
        ("\t", "Tab"),
        ("\u{7f}", "Backspace"),
        ("\u{1}", "Ctrl-A"),
        ("\u{1b}", "Esc"),
        ("\u{1b}\r", "Alt-Enter"),
        ("\u{1b}a", "Alt-a"),
        ("\u{1b}[", "Alt-["),
        ("\u{1b}O", "Alt-O"),
        ("\u{1b}]", "Alt-]"),
        ("\u{1b}\u{1b}", "Alt-Esc"),
        ("\u{1b}OS", "F4"),
        ("\u{1b}OA", "Up"),
        ("\u{1b}Oc", "Ctrl-Right"),
        ("\u{1b}[A", "Up"),
        ("\u{1b}[a", "Shift-Up"),
        ("\u{1b}[1;5C", "Ctrl-Right"),
        ("\u{1b}[1;2S", "Shift-F4"),
        ("\u{1b}[5~", "PgUp"),
        ("\u{1b}[3;5~", "Ctrl-Del"),
        ("\u{1b}[7^", "Ctrl-Home"),
        ("\u{1b}[24~", "F12"),
        ("\u{1b}[[C", "F3"),
        ("\u{1b}[Z", "Shift-Tab"),
        ("\u{1b}\u{1b}OS", "Alt-F4"),
        ("\u{1b}\u{1b}[A", "Alt-Up"),
        ("\u{1b}\u{1b}[1;5C", "Ctrl-Alt-Right"),
        // The two forms of Shift-Enter and their relatives.
        ("\u{1b}[13;2u", "Shift-Enter"),
        ("\u{1b}[27;2;13~", "Shift-Enter"),
        ("\u{1b}[13;2:1u", "Shift-Enter"),
        ("\u{1b}[13;130u", "Shift-Enter"),
        ("\u{1b}[57414;2u", "Shift-Enter"),
        ("\u{1b}[27;5;13~", "Ctrl-Enter"),
        ("\u{1b}[27;3;13~", "Alt-Enter"),
        ("\u{1b}[27u", "Esc"),
        ("\u{1b}[27;1u", "Esc"),
        ("\u{1b}[9;2u", "Shift-Tab"),
        ("\u{1b}[97;5u", "Ctrl-A"),
        ("\u{1b}[107;6u", "Ctrl-K"),
        ("\u{1b}[97;3u", "Alt-a"),
        ("\u{1b}[97;4u", "Alt-A"),
        ("\u{1b}[27;5;97~", "Ctrl-A"),
        ("\u{1b}[57421u", "PgUp"),
    ] {
        assert_eq!(events(bytes.as_bytes()), [expected], "{bytes:?}");
    }
}

#[test]
fn reports_and_pastes_are_read() {
    for (bytes, expected) in [
        ("\u{1b}[<0;12;3M", "Mouse { action: Click, at: Position { x: 11, y: 2 } }"),
        ("\u{1b}[<64;1;1M", "Mouse { action: WheelUp, at: Position { x: 0, y: 0 } }"),
        ("\u{1b}[M !#", "Mouse { action: Click, at: Position { x: 0, y: 2 } }"),
        ("\u{1b}[I", "Focus(true)"),
        ("\u{1b}[O", "Focus(false)"),
        ("\u{1b}[200~a\rb\u{1b}[A\u{1b}[201~", "Paste(\"a\\rb\\u{1b}[A\")"),
    ] {
        assert_eq!(events(bytes.as_bytes()), [expected], "{bytes:?}");
    }
    // Releases, moves, answers of the terminal, keys by themselves, and broken text are nothing.
    for bytes in [
        "\u{1b}[<0;12;3m",
        "\u{1b}[<35;1;1M",
        "\u{1b}[13;2:3u",
        "\u{1b}]11;rgb:0/0/0\u{1b}\\",
        "\u{1b}]11;rgb:0/0/0\u{7}",
        "\u{1b}P1+r\u{1b}\\",
        "\u{1b}[57441;2u",
        "\u{1b}[97;9u",
    ] {
        assert_eq!(events(bytes.as_bytes()), [] as [&str; 0], "{bytes:?}");
    }
    assert_eq!(events(b"\xff\xc3x\xe3\x81"), ["x"]);
    assert_eq!(events(b"\x1b[12\x1b[A"), ["Alt-[", "1", "2", "Up"]);
}

#[test]
fn sequences_may_arrive_in_parts() {
    let bytes = "\u{1b}[27;2;13~é\u{1b}[200~long\u{1b}[201~\u{1b}[<64;10;1M\u{1b}OA".as_bytes();
    let whole = events(bytes);
    for size in 1..8 {
        let (mut parser, mut found) = (SequenceParser::default(), VecDeque::new());
        bytes.chunks(size).for_each(|part| parser.feed(part, &mut found));
        assert!(!parser.is_pending());
        assert_eq!(found.iter().map(name).collect::<Vec<_>>(), whole);
    }
    let mut parser = SequenceParser::default();
    let mut found = VecDeque::new();
    parser.feed(b"\x1b[200~", &mut found);
    for _ in 0..3000 {
        parser.feed(&[b'x'; 1024], &mut found);
    }
    parser.feed(PASTE_END, &mut found);
    assert!(
        matches!(&found[0], Received::Event(TerminalEvent::Paste(text)) if text.len() == MAX_PASTE_BYTES)
    );
}

proptest! {
    #[test]
    fn any_bytes_end_in_nothing_pending(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b';'), b'0'..=b'9', Just(b'~')], 0..80), size in 1usize..9) {
        let (mut parser, mut found) = (SequenceParser::default(), VecDeque::new());
        bytes.chunks(size).for_each(|part| parser.feed(part, &mut found));
        parser.flush(&mut found);
        prop_assert!(!parser.is_pending());
        prop_assert!(found.len() <= bytes.len());
    }
}

#[test]
fn a_sequence_that_is_cut_waits_longer_than_a_key() {
    let timeout = |bytes: &[u8]| {
        let mut parser = SequenceParser::default();
        parser.feed(bytes, &mut VecDeque::new());
        parser.timeout()
    };
    for key in ["\u{1b}", "\u{1b}\u{1b}", "\u{1b}[", "\u{1b}O", "\u{1b}]"] {
        assert_eq!(timeout(key.as_bytes()), Some(KEY_TIMEOUT), "{key:?}");
    }
    for cut in ["\u{1b}[2", "\u{1b}[27;2;13", "\u{1b}\u{1b}[<64;1", "\u{1b}[M "] {
        assert_eq!(timeout(cut.as_bytes()), Some(CUT_TIMEOUT), "{cut:?}");
    }
    assert_eq!(timeout("é".as_bytes().split_at(1).0), Some(CUT_TIMEOUT));
    for whole in ["a", "\u{1b}[27;2;13~", "\u{1b}[200~\u{1b}["] {
        assert_eq!(timeout(whole.as_bytes()), None, "{whole:?}");
    }
}
