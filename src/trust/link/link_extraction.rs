//! Recovery of a link from pasted text that mail and chat programs have changed.
//!
//! They fold a link, put it in brackets or quotes, write it twice, end a sentence after it, and escape it. Each reading of
//! a text undoes one combination of these. Pins and tokens have a fixed length and only one spelling, so a wrong reading
//! does not parse as a link.

use zeroize::Zeroizing;

/// Maximum length of a text that is read as a link, in bytes: sixteen addresses of the longest possible names, folded.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Maximum count of pieces that a link is joined from.
const MAX_PIECES: usize = 64;

/// Maximum count of links in a text that are read.
const MAX_LINKS: usize = 8;

/// Returns all readings of a text with links that begin with `scheme`, the likeliest first. Each is the text in another
/// decoding. Empty if no link begins in it.
pub(in crate::trust) fn link_readings(text: &str, scheme: &str) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    let Some(text) = text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)) else { return readings };
    let mut decoded = Zeroizing::new(text.to_owned());
    // A redirection may have escaped what was escaped before.
    for _ in 0..3 {
        for text in [decoded.clone(), Zeroizing::new(replace_in_both_cases(&decoded, "=3D", "="))] {
            for has_soft_breaks in [false, true] {
                let reading = split_links(&text, scheme, |link| join_folded_link(link, has_soft_breaks));
                if !reading.is_empty() && !readings.contains(&reading) {
                    readings.push(reading);
                }
            }
        }
        // If the scheme itself is folded, only the text without white space shows where the link begins.
        let without_whitespace: Zeroizing<String> = Zeroizing::new(decoded.split_whitespace().collect());
        readings.push(split_links(&without_whitespace, scheme, |link| join_folded_link(link, false)));
        let again = percent_decode(&decoded);
        if again == decoded {
            break;
        }
        decoded = again;
    }
    readings
}

/// A text in one decoding. For each link that begins in it: the texts that the link may be, the likeliest first.
///
/// Chat and mail programs write a link twice, as text and as target: `[LINK](LINK)`, `<a href="LINK">LINK</a>`.
pub(in crate::trust) type Reading = Vec<Vec<Zeroizing<String>>>;

/// Reads each link in a text. A link ends where the next one begins.
fn split_links(text: &str, scheme: &str, read_link: impl Fn(&str) -> Vec<Zeroizing<String>>) -> Reading {
    let lower = Zeroizing::new(text.to_ascii_lowercase());
    let starts: Vec<usize> = lower.match_indices(scheme).map(|(at, _)| at).take(MAX_LINKS).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().zip(ends).filter_map(|(&start, end)| text.get(start..end)).map(read_link).collect()
}

/// Returns the readings of a folded link at the start of a text: its first piece, then that with the next one, and so on.
/// `has_soft_breaks` takes a `=` at the end of a line for a soft line break (RFC 2045, section 6.7) and not for a part of the link.
fn join_folded_link(text: &str, has_soft_breaks: bool) -> Vec<Zeroizing<String>> {
    let mut joined = Zeroizing::new(String::with_capacity(text.len()));
    let mut readings = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        let line = if has_soft_breaks { line.strip_suffix('=').unwrap_or(line) } else { line };
        for piece in line.split_whitespace() {
            let before = joined.len();
            let mut rest = piece;
            while let Some(c) = rest.chars().next() {
                match c {
                    // Quoted lines in mails begin with `>`, and links are put in angle brackets: the link may end here.
                    '<' | '>' => {
                        if joined.len() > before && readings.len() < MAX_PIECES {
                            readings.push(joined.clone());
                        }
                    }
                    c if is_invisible(c) => {}
                    // Programs that correct typography turn hyphens into dashes.
                    '\u{2013}' => joined.push('-'),
                    '\u{2014}' => joined.push_str("--"),
                    '&' => {
                        joined.push('&');
                        let lower = rest.to_ascii_lowercase();
                        let mut escape = "&";
                        for known in ["&amp;amp;", "&amp;", "&#38;", "&#038;", "&#x26;"] {
                            if lower.starts_with(known) {
                                escape = known;
                                break;
                            }
                        }
                        rest = rest.get(escape.len()..).unwrap_or_default();
                        continue;
                    }
                    c => joined.push(c),
                }
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
            if joined.len() > before {
                readings.push(joined.clone());
            }
            if readings.len() >= MAX_PIECES {
                return readings;
            }
        }
    }
    readings
}

/// Returns true for characters without a width, which chat programs put where a line may break.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Replaces a string by another one, if it is in capitals or in lower case.
fn replace_in_both_cases(text: &str, from: &str, to: &str) -> String {
    text.replace(from, to).replace(&from.to_ascii_lowercase(), to)
}

/// Decodes `%XX` escapes. Anything else stays.
fn percent_decode(text: &str) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| byte == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let decoded =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        // An escaped blank is not a fold, so it stays escaped.
        let decoded = decoded.filter(u8::is_ascii_graphic);
        bytes.push(decoded.unwrap_or(byte));
        rest = if decoded.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned())
}
