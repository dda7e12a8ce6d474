//! Markup in messages: `*bold*`, `_italic_`, `~strike~`, `` `code` ``, blocks between ```` ``` ````, links, and the formats
//! of IRC codes beside the text.
//!
//! A mark starts markup where white space, the start of the line, a bracket, punctuation or another mark precedes it and
//! anything but white space follows; it ends markup the other way round. A mark between two letters or numbers of one
//! word is text, and so are `snake_case_name`, `2*3*4` and `~/src`; beside a script that is written without spaces, or
//! between scripts, it is markup. `**bold**` and `~~strike~~` are the same with two marks; `__init__` is text. Markup
//! without a letter, a number or a symbol between its marks is text (`*_*`), and so is all that has no end on its line.
//! Marks within code and links are text.
//!
//! Parsing takes time proportional to the text: a line has at most one open mark of each kind, and what has no end is
//! looked for once.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};
use ratatui::style::Modifier;

use super::format::Format;
use super::sanitize::{sanitize, sanitize_line};
use super::urls::{find_urls, link_target};
use crate::client::model::event::shared_files::SharedFile;
use crate::client::text::file_address::FileAddress;
use crate::client::text::words::{are_in_one_word, is_word_char};

/// Limit of the description of a file, in bytes.
const MAX_LABEL_BYTES: usize = 512;

/// Limit of the marked parts of one message. Marks beyond it are text.
const MAX_PARTS: usize = 1000;

/// Fence of a block of code.
const FENCE: &str = "```";

/// Part of a message with one format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Byte offset of its end in the text. It starts at the end of the one before.
    pub end: usize,
    /// Format of the part.
    pub format: Format,
    /// Kind of the part.
    pub kind: SegmentKind,
}

/// Kind of a [`Segment`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentKind {
    /// Text without a link or a mention.
    Text,
    /// Word that mentions the user.
    Mention,
    /// Mark, which is hidden unless the text is shown as written.
    Mark,
    /// Part of a link to this target.
    Link(Rc<str>),
    /// Address of a file, in whose place its description is shown.
    File(Rc<FileLink>),
    /// Text in a block of code.
    Block,
    /// Fence of a block of code with its line ends, hidden like a mark.
    Fence,
}

/// A file in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// Description, safe to draw.
    pub label: String,
    /// Address of the file.
    pub address: FileAddress,
    /// Media type, size and dimensions.
    pub shared: SharedFile,
}

/// Makes the links to these files into descriptions.
pub fn describe_files(markup: &mut [Segment], files: &[SharedFile]) {
    let mut last: Option<Rc<str>> = None;
    for segment in markup.iter_mut().filter(|_| !files.is_empty()) {
        let SegmentKind::Link(target) = &segment.kind else {
            last = None;
            continue;
        };
        let target = target.clone();
        let Ok(address) = FileAddress::parse(&target) else { continue };
        let shared = files.iter().find(|file| address.id.as_deref() == Some(&*file.id));
        let Some(shared) = shared else { continue };
        // A link may have several parts.
        let is_rest = last.replace(target.clone()) == Some(target);
        let label = sanitize_line(&shared.describe(&address), MAX_LABEL_BYTES);
        segment.kind = if is_rest {
            SegmentKind::Mark
        } else {
            SegmentKind::File(Rc::new(FileLink { label, address, shared: shared.clone() }))
        };
    }
}

/// Parses a sanitized text, with the formats of its IRC codes from [`sanitize_formatted`](super::sanitize::sanitize_formatted)
/// and the ranges of words that mention the user. Returns nothing for a text without any of these, markup and links.
pub fn parse_markup(
    text: &str,
    formats: &[(usize, Format)],
    mentions: impl IntoIterator<Item = Range<usize>>,
) -> Box<[Segment]> {
    let mut parser = Parser { text, links: find_urls(text), found: Vec::new() };
    let mentions = mentions.into_iter().take(MAX_PARTS).filter(|range| !parser.is_in_link(range.start));
    parser.found = mentions.map(|range| (range, Attribute::Mention)).collect();
    let mut from = 0;
    if text.contains(['*', '_', '~', '`']) {
        while parser.found.len() < MAX_PARTS
            && let Some(block) = parser.find_block(from)
        {
            parser.scan_lines(from..block.outer.start);
            parser.found.push((block.outer.start..block.inner.start, Attribute::Fence));
            parser.found.push((block.inner.clone(), Attribute::Block));
            parser.found.push((block.inner.end..block.outer.end, Attribute::Fence));
            from = block.outer.end;
        }
        parser.scan_lines(from..text.len());
    }
    if parser.found.is_empty() && parser.links.is_empty() && formats.is_empty() {
        return Box::default();
    }
    parser.segments(formats)
}

/// Returns a text without its marks and fences, for places that show it without formats.
pub fn strip_marks<'a>(text: &'a str, markup: &[Segment]) -> Cow<'a, str> {
    let is_mark = |segment: &Segment| {
        matches!(segment.kind, SegmentKind::Mark | SegmentKind::Fence | SegmentKind::File(_))
    };
    if !markup.iter().any(is_mark) {
        return Cow::Borrowed(text);
    }
    let starts = std::iter::once(0).chain(markup.iter().map(|segment| segment.end));
    let parts = starts.zip(markup).map(|(start, segment)| match &segment.kind {
        SegmentKind::Mark => "",
        SegmentKind::File(file) => &file.label,
        // With it go the ends of its lines.
        SegmentKind::Fence => " ",
        _ => text.get(start..segment.end).unwrap_or_default(),
    });
    Cow::Owned(parts.collect::<String>().trim().to_owned())
}

/// Converts a text to one line that is safe to draw, without marks and formats, for places that show none, such as the topic
/// of a channel. `max` is a limit in bytes.
pub fn plain_line(text: &str, max: usize) -> String {
    let text = sanitize(text, max);
    let line = strip_marks(&text, &parse_markup(&text, &[], None)).replace('\n', " ");
    line.trim().to_owned()
}

/// Attribute of a range of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Bold,
    Italic,
    Strike,
    Code,
    Mark,
    Block,
    Fence,
    Mention,
}

impl Attribute {
    const COUNT: usize = 8;
}

/// Block of code: its content, and with its fences.
struct Block {
    outer: Range<usize>,
    inner: Range<usize>,
}

/// Mark that may start markup.
struct Opener {
    mark: u8,
    count: usize,
    at: usize,
}

struct Parser<'a> {
    text: &'a str,
    links: Vec<Range<usize>>,
    found: Vec<(Range<usize>, Attribute)>,
}

impl Parser<'_> {
    fn is_in_link(&self, at: usize) -> bool {
        let next = self.links.partition_point(|link| link.end <= at);
        self.links.get(next).is_some_and(|link| link.start <= at)
    }

    /// Returns the first block of code that starts and ends at or after `from`, which must be the start of a line.
    fn find_block(&self, from: usize) -> Option<Block> {
        let mut start = from;
        for line in self.text[from..].split_inclusive('\n') {
            let (at, next) = (start, start + line.len());
            start = next;
            let Some(info) = line.trim_start_matches(' ').strip_prefix(FENCE) else { continue };
            if info.contains('`') {
                continue;
            }
            // A word behind the fence names the language. Anything else is code already.
            let is_language = |c: char| c.is_ascii_alphanumeric() || "+-#_.".contains(c);
            let content = if info.trim_end().chars().all(is_language) { next } else { next - info.len() };
            let Some(closing) = self.text[content..].find(FENCE).map(|at| content + at) else {
                // Without an end here, no later block has one.
                return None;
            };
            let behind = &self.text[closing + FENCE.len()..];
            let rest = behind.len() - behind.trim_start_matches(['`', ' ']).len();
            let mut end = closing + FENCE.len() + rest;
            if !matches!(self.text.as_bytes().get(end), None | Some(b'\n')) {
                continue;
            }
            end += usize::from(end < self.text.len());
            // The line ends before both fences belong to them.
            let inner = content..closing - usize::from(self.text[content..closing].ends_with('\n'));
            let outer = at - usize::from(at > from)..end;
            return Some(Block { outer, inner });
        }
        None
    }

    fn scan_lines(&mut self, range: Range<usize>) {
        let mut start = range.start;
        for line in self.text[range].split('\n') {
            self.scan_line(start..start + line.len());
            start += line.len() + 1;
        }
    }

    fn scan_line(&mut self, line: Range<usize>) {
        let text = self.text;
        let bytes = text.as_bytes();
        let mut openers: Vec<Opener> = Vec::new();
        // Counts of backquotes that have no partner on the rest of the line.
        let mut without_partner = [false; 4];
        let mut next_link = self.links.partition_point(|link| link.end <= line.start);
        let mut at = line.start;
        while at < line.end {
            if let Some(range) = self.links.get(next_link)
                && range.start <= at
            {
                at = range.end.max(at);
                next_link += 1;
                continue;
            }
            let mark = bytes[at];
            if !matches!(mark, b'*' | b'_' | b'~' | b'`') {
                at += 1;
                continue;
            }
            let count = bytes[at..line.end].iter().take_while(|byte| **byte == mark).count();
            let behind = at + count;
            let most = if mark == b'`' { 3 } else { 2 - usize::from(mark == b'_') };
            if count > most || self.found.len() >= MAX_PARTS {
                at = behind;
                continue;
            }
            let (before, after) =
                (text[line.start..at].chars().next_back(), text[behind..line.end].chars().next());
            if mark == b'`' {
                let opens = may_open(before, after) && !without_partner[count];
                let end = opens.then(|| find_partner(&text[behind..line.end], count)).flatten();
                if let Some(end) = end.map(|end| behind + end) {
                    self.push(at, behind..end, count, Attribute::Code);
                    at = end + count;
                    next_link = self.links.partition_point(|link| link.end <= at);
                } else {
                    without_partner[count] |= opens;
                    at = behind;
                }
                continue;
            }
            let partner = openers.iter().rposition(|opener| opener.mark == mark && opener.count == count);
            match partner {
                Some(index)
                    if may_close(before, after) && has_content(&text[openers[index].at + count..at]) =>
                {
                    let attribute = match mark {
                        b'*' => Attribute::Bold,
                        b'_' => Attribute::Italic,
                        _ => Attribute::Strike,
                    };
                    self.push(openers[index].at, openers[index].at + count..at, count, attribute);
                    openers.truncate(index);
                }
                _ if may_open(before, after) => {
                    openers.retain(|opener| opener.mark != mark || opener.count != count);
                    openers.push(Opener { mark, count, at });
                }
                _ => {}
            }
            at = behind;
        }
    }

    /// Adds markup whose first mark is at `at`.
    fn push(&mut self, at: usize, inner: Range<usize>, count: usize, attribute: Attribute) {
        self.found.push((at..at + count, Attribute::Mark));
        self.found.push((inner.end..inner.end + count, Attribute::Mark));
        self.found.push((inner, attribute));
    }

    /// Cuts the text into segments at each change.
    fn segments(self, formats: &[(usize, Format)]) -> Box<[Segment]> {
        let len = self.text.len();
        let mut changes: Vec<(usize, Attribute, i16)> = Vec::with_capacity(self.found.len() * 2);
        for (range, attribute) in &self.found {
            changes.push((range.start, *attribute, 1));
            changes.push((range.end, *attribute, -1));
        }
        changes.sort_unstable_by_key(|(at, ..)| *at);
        let ends = changes.iter().map(|(at, ..)| *at);
        let ends = ends.chain(formats.iter().map(|(at, _)| *at));
        let ends = ends.chain(self.links.iter().flat_map(|link| [link.start, link.end]));
        let mut ends: Vec<usize> = ends.chain([len]).filter(|at| *at > 0).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut active = [0_i16; Attribute::COUNT];
        let (mut changes, mut formats) = (changes.into_iter().peekable(), formats.iter().peekable());
        let targets: Vec<Rc<str>> =
            self.links.iter().map(|link| link_target(&self.text[link.clone()])).collect();
        let (mut format, mut start, mut link) = (Format::default(), 0, 0);
        let mut segments = Vec::with_capacity(ends.len());
        for end in ends {
            while let Some((_, attribute, by)) = changes.next_if(|(at, ..)| *at <= start) {
                active[attribute as usize] += by;
            }
            while let Some((_, new)) = formats.next_if(|(at, _)| *at <= start) {
                format = *new;
            }
            while self.links.get(link).is_some_and(|range| range.end <= start) {
                link += 1;
            }
            let is = |attribute: Attribute| active[attribute as usize] > 0;
            let target = self.links.get(link).filter(|range| range.start <= start).and(targets.get(link));
            let kind = match target {
                _ if is(Attribute::Mark) => SegmentKind::Mark,
                _ if is(Attribute::Fence) => SegmentKind::Fence,
                _ if is(Attribute::Block) => SegmentKind::Block,
                Some(target) => SegmentKind::Link(target.clone()),
                None if is(Attribute::Mention) => SegmentKind::Mention,
                None => SegmentKind::Text,
            };
            let mut all = format;
            for (attribute, modifier) in [
                (Attribute::Bold, Modifier::BOLD),
                (Attribute::Italic, Modifier::ITALIC),
                (Attribute::Strike, Modifier::CROSSED_OUT),
            ] {
                if is(attribute) {
                    all.modifier |= modifier;
                }
            }
            all.code |= is(Attribute::Code);
            segments.push(Segment { end, format: all, kind });
            start = end;
        }
        segments.into()
    }
}

/// Returns the offset of the next run of exactly `count` backquotes.
fn find_partner(text: &str, count: usize) -> Option<usize> {
    let mut at = 0;
    while let Some(next) = text[at..].find('`').map(|next| at + next) {
        let run = text[next..].bytes().take_while(|byte| *byte == b'`').count();
        let after = text[next + run..].chars().next();
        let before = text[..next].chars().next_back();
        if run == count && next > 0 && may_close(before, after) {
            return Some(next);
        }
        at = next + run;
    }
    None
}

/// Returns whether a mark between these characters may start markup.
fn may_open(before: Option<char>, after: Option<char>) -> bool {
    after.is_some_and(|inside| !inside.is_whitespace() && is_free(inside, before))
}

/// Returns whether a mark between these characters may end markup.
fn may_close(before: Option<char>, after: Option<char>) -> bool {
    before.is_some_and(|inside| !inside.is_whitespace() && is_free(inside, after))
}

/// Returns whether what stands outside of a mark allows it to be one.
fn is_free(inside: char, outside: Option<char>) -> bool {
    let Some(outside) = outside else { return true };
    if outside.is_whitespace() {
        return true;
    }
    if is_word_char(outside) {
        let joined = if is_word_char(inside) { inside } else { outside };
        return !are_in_one_word(joined, outside);
    }
    // The mouth of a face such as `-_-` stands between equal eyes.
    outside != inside
        && match outside {
            '/' | '\\' | '@' | '#' | '%' | '&' => false,
            '*' | '_' | '~' | '`' => true,
            _ => GeneralCategoryGroup::Punctuation
                .contains(CodePointMapData::<GeneralCategory>::new().get(outside)),
        }
}

/// Returns whether markup has more between its marks than punctuation.
fn has_content(text: &str) -> bool {
    text.chars().any(|c| is_word_char(c) && c != '_' || !c.is_ascii() && !c.is_whitespace())
}
