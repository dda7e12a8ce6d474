//! Marks that are markup, marks that are text, blocks, and hostile texts.

use proptest::prelude::*;

use super::*;
use crate::client::text::words::find_word;

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
            SegmentKind::Text => {}
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
fn marks_around_words_are_markup() {
    for (text, expected) in [
        ("*bold*", "<b:bold>"),
        ("a *bold one*, _italic_ and ~gone~!", "a <b:bold one>, <i:italic> and <s:gone>!"),
        ("**bold** ~~gone~~", "<b:bold> <s:gone>"),
        ("*_both_*", "<bi:both>"),
        ("*a _b_ c*", "<b:a ><bi:b><b: c>"),
        ("(*a*) \"_b_\" — *c*.", "(<b:a>) \"<i:b>\" — <b:c>."),
        ("これは*太字*です", "これは<b:太字>です"),
        ("*bold*입니다", "<b:bold>입니다"),
        ("use `a_b_c` or ``x ` y``", "use <c:a_b_c> or <c:x ` y>"),
        ("`*not bold*`", "<c:*not bold*>"),
        ("```inline```", "<c:inline>"),
        ("*see https://a.b/*_x_ now*", "<b:see ><bL:https://a.b/*_x><b:_ now>"),
        ("*👍*", "<b:👍>"),
        ("*a *b*", "*a <b:b>"),
        ("ann: *ask annex, ann*", "<M:ann>: <b:ask annex, ><bM:ann>"),
        ("`ann` https://ann.org/ann", "<cM:ann> <L:https://ann.org/ann>"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
}

#[test]
fn marks_within_words_are_text() {
    for text in [
        "snake_case_name",
        "2*3*4",
        "2 * 3 * 4",
        "a*b*c",
        "~/src and ~/bin",
        "rm *.o *.c",
        "* item\n* item",
        "__init__ and __main__",
        "*_* -_- ._. ^_^ and ^_^",
        "/*comment*/",
        "*never ends",
        "ends *",
        "* a*",
        "*a *",
        "**",
        "****",
        "`",
        "it`s and that`s",
        "*over\nlines*",
        "/path/_x_/y",
        "``` what",
        "a ** b ** c",
        "x=*p; y=*q;",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn fences_enclose_a_block_of_code() {
    for (text, expected) in [
        ("```\ncode *x*\n  more\n```", "|<B:code *x*\n  more>|"),
        ("see\n```rust\nfn x() {}\n```\n*so*", "see|<B:fn x() {}>|<b:so>"),
        ("```let x;\nlet y;```", "|<B:let x;\nlet y;>|"),
        ("```\na\n```\n```\nb\n```", "|<B:a>||<B:b>|"),
        ("```\nhttps://a.b\n```", "|<B:https://a.b>|"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
    }
    assert_eq!(shown("```\nnever *ends*"), "```\nnever <b:ends>");
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
