//! Marks that are markup, marks that are text, blocks, and hostile texts.

use proptest::prelude::*;

use super::*;
use crate::client::text::words::find_word;
use crate::wire::vectors::vectors;

/// Writes the segments as text, with letters for the formats: `b`old, `i`talic, `s`trike, `c`ode, `B`lock.
fn shown(text: &str) -> String {
    let segments = parse_markup(text, &[], find_word(text, "ann"));
    if segments.is_empty() {
        return text.to_owned();
    }
    let (mut out, mut start) = (String::new(), 0);
    for segment in segments {
        let part = &text[start..segment.end];
        start = segment.end;
        let mut letters = String::new();
        for (modifier, letter) in
            [(Modifier::BOLD, 'b'), (Modifier::ITALIC, 'i'), (Modifier::CROSSED_OUT, 's')]
        {
            letters.extend(segment.format.modifier.contains(modifier).then_some(letter));
        }
        letters.extend(segment.format.code.then_some('c'));
        match segment.kind {
            SegmentKind::Mark => continue,
            SegmentKind::Fence => letters = "|".to_owned(),
            SegmentKind::Block => letters.push('B'),
            SegmentKind::Link(_) => letters.push('L'),
            SegmentKind::Mention => letters.push('M'),
            SegmentKind::Text | SegmentKind::File(_) => {}
        }
        match &*letters {
            "" => out.push_str(part),
            "|" => out.push('|'),
            letters => out.extend(["<", letters, ":", part, ">"]),
        }
    }
    assert_eq!(start, text.len());
    out
}

#[test]
fn marks_are_markup_text_or_fences() {
    for (text, expected) in vectors::<Vec<(String, String)>>("markup") {
        assert_eq!(shown(&text), expected, "{text}");
    }
}

#[test]
fn formats_of_codes_join_those_of_marks() {
    let italic = Format { modifier: Modifier::ITALIC, ..Format::default() };
    let segments = parse_markup("a *bc* d", &[(4, italic), (7, Format::default())], []);
    let both: Vec<_> = segments.iter().map(|segment| (segment.end, segment.format.modifier)).collect();
    let bold = Modifier::BOLD;
    assert_eq!(
        both,
        [
            (2, Modifier::empty()),
            (3, Modifier::empty()),
            (4, bold),
            (5, bold | Modifier::ITALIC),
            (6, Modifier::ITALIC),
            (7, Modifier::ITALIC),
            (8, Modifier::empty()),
        ]
    );
    assert_eq!(parse_markup("plain text", &[], []).len(), 0);
}

#[test]
fn hostile_marks_take_linear_time() {
    let started = std::time::Instant::now();
    for pattern in
        ["*a ", "`a ", "*_~`", "``a`b ", "```\n", "```x y\n", "_a_ ", "*a*", "~~a ", "*", "`", "* "]
    {
        let text = pattern.repeat(16 * 1024 / pattern.len());
        assert!(parse_markup(&text, &[], []).len() <= 4 * MAX_PARTS + 8);
    }
    // Quadratic time would be minutes.
    assert!(started.elapsed().as_secs() < 20);
}

proptest! {
    #[test]
    fn segments_cover_the_text(text in "([*_~`]{1,3}|[ab ]|ann|\n|```|https?://x|だ|👍){0,40}") {
        let mut start = 0;
        for segment in parse_markup(&text, &[], find_word(&text, "ann")) {
            prop_assert!(segment.end > start && text.is_char_boundary(segment.end));
            start = segment.end;
        }
        prop_assert!(start == 0 || start == text.len());
    }
}

#[test]
fn marks_are_stripped_for_excerpts() {
    for (text, expected) in [
        ("**bold** and _it_", "bold and it"),
        ("`code` ~gone~", "code gone"),
        ("see\n```\nlet x = 1;\n```\nthere", "see let x = 1; there"),
        ("2*3*4 snake_case", "2*3*4 snake_case"),
        ("https://example.net/*a*", "https://example.net/*a*"),
    ] {
        assert_eq!(strip_marks(text, &parse_markup(text, &[], [])), expected, "{text}");
    }
}

#[test]
fn a_plain_line_has_neither_marks_nor_codes() {
    for (text, expected) in [
        ("*Tea* and _talk_", "Tea and talk"),
        ("\u{3}04red\u{f} **bold** `code` ~gone~", "red bold code gone"),
        ("snake_case 2*3*4", "snake_case 2*3*4"),
        ("", ""),
        ("\u{1b}[31m*a*\nb", "a b"),
    ] {
        assert_eq!(plain_line(text, 100), expected);
    }
}
