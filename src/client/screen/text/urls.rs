//! URLs in messages.
//!
//! A URL may stand beside text of any script, and have letters of any script itself (an IRI, RFC 3987). It ends before
//! anything that is neither printable ASCII nor a letter, a number or a mark, such as the bracket of `（https://a.b/）`.
//!
//! Its host must not pose as another one. A label of the host has letters of one script, or of Latin and one of the
//! East Asian writing systems ([UTS #39](https://www.unicode.org/reports/tr39/#Restriction_Level_Detection), highly
//! restrictive), and scripts with letters that look like Latin ones need a last label of the same script: `пример.рф` is
//! linked, a Cyrillic `аррӏе.com` is text.

use std::fmt::Write as _;
use std::ops::Range;
use std::rc::Rc;

use icu_properties::props::Script;

use crate::client::text::words::{is_word_char, scripts_of, starts_inside_latin_word};

/// Limit of a linked URL, in bytes; terminals ignore longer ones.
const MAX_URL_BYTES: usize = 2048;

/// Returns the byte ranges of the URLs in a text. Only `http` and `https`, because nothing else is safe to open with a
/// click.
pub fn find_urls(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("://").map(|at| from + at) {
        let head = &text[from..at];
        let scheme = ["https", "http"].into_iter().find(|scheme| {
            head.len() >= scheme.len()
                && head.get(head.len() - scheme.len()..).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
        });
        let rest = &text[at + 3..];
        let end = rest.find(|c| !is_url_char(c)).unwrap_or(rest.len());
        let end = trimmed_len(&rest[..without_text_behind_host(&rest[..end])]);
        from = at + 3 + end;
        if let Some(scheme) = scheme
            && end > 0
        {
            let start = at - scheme.len();
            if !starts_inside_latin_word(&text[..start])
                && from - start <= MAX_URL_BYTES
                && is_honest_host(host_of(&rest[..end]))
            {
                found.push(start..from);
            }
        }
    }
    found
}

/// Returns the target of a URL as written: what is not ASCII is percent-encoded as UTF-8 (RFC 3987, section 3.1).
pub fn link_target(url: &str) -> Rc<str> {
    if url.is_ascii() {
        return url.into();
    }
    let mut target = String::with_capacity(url.len() * 3);
    for byte in url.bytes() {
        if byte.is_ascii() {
            target.push(char::from(byte));
        } else {
            let _ = write!(target, "%{byte:02X}");
        }
    }
    target.into()
}

fn is_url_char(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_graphic() && !"<>\"`{}|\\^".contains(c) } else { is_word_char(c) }
}

/// Returns the host, and a port, of what follows `://`.
fn host_of(rest: &str) -> &str {
    &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]
}

/// Returns the length of the URL without text of another script that follows a Latin host without a space, as in
/// `https://example.orgを見て`: no top-level domain mixes scripts.
fn without_text_behind_host(rest: &str) -> usize {
    let host = host_of(rest);
    let last = host.rfind('.').map_or(0, |at| at + 1);
    let label = &host[last..];
    let latin = label.find(|c: char| !c.is_ascii()).unwrap_or(label.len());
    let east_asian = scripts_of(&label[latin..]).first().is_some_and(|&script| is_east_asian(script));
    if latin > 0 && east_asian { last + latin } else { rest.len() }
}

/// Returns whether no label of a host can pose as one of another script.
fn is_honest_host(host: &str) -> bool {
    if host.is_ascii() {
        return true;
    }
    let last = scripts_of(host.rsplit('.').next().unwrap_or_default());
    host.split('.').all(|label| match scripts_of(label)[..] {
        [] | [Script::Latin] => true,
        [script] => !looks_like_latin(script) || last == [script],
        ref several => several.iter().all(|&script| script == Script::Latin || is_east_asian(script)),
    })
}

fn looks_like_latin(script: Script) -> bool {
    matches!(
        script,
        Script::Cyrillic
            | Script::Greek
            | Script::Coptic
            | Script::Armenian
            | Script::Cherokee
            | Script::Lisu
    )
}

fn is_east_asian(script: Script) -> bool {
    matches!(script, Script::Han | Script::Hiragana | Script::Katakana | Script::Hangul | Script::Bopomofo)
}

/// Returns the length of the URL without punctuation that ends a sentence, and without a closing bracket that was
/// opened before the URL.
fn trimmed_len(address: &str) -> usize {
    let mut end = address.len();
    while let Some(last) = address[..end].chars().next_back() {
        let open = |open: char, close: char| {
            last == close && address[..end].matches(close).count() > address[..end].matches(open).count()
        };
        if !(".,;:!?'*_~".contains(last) || open('(', ')') || open('[', ']')) {
            break;
        }
        end -= last.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vectors::vectors;
    use proptest::prelude::*;

    #[test]
    fn finds_urls_beside_and_in_any_script() {
        for (text, expected) in vectors::<Vec<(String, Vec<String>)>>("urls") {
            let found: Vec<&str> = find_urls(&text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn targets_are_ascii() {
        for (url, target) in vectors::<Vec<(String, String)>>("targets") {
            assert_eq!(*link_target(&url), *target);
        }
    }

    proptest! {
        #[test]
        fn find_urls_never_panics(text in "(https?://|[a-zéдだ（().\u{1b} ]){0,12}") {
            for range in find_urls(&text) {
                prop_assert!(text[range.clone()].chars().all(is_url_char));
                prop_assert!(link_target(&text[range]).bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
