//! URLs in messages.

use std::ops::Range;

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
        // Printable ASCII only: the URL is what the reader sees, and no other letter can pose as an ASCII one.
        let end =
            rest.bytes().take_while(|byte| byte.is_ascii_graphic() && !b"<>\"`{}|\\^".contains(byte)).count();
        // A URL cut off within a name would lead somewhere else.
        let cut = rest[end..].chars().next().is_some_and(char::is_alphanumeric);
        let end = if cut { 0 } else { trimmed_len(&rest[..end]) };
        from = at + 3 + end;
        if let Some(scheme) = scheme
            && end > 0
        {
            let start = at - scheme.len();
            // A scheme in the middle of a word is none.
            let inside = text[..start].chars().next_back().is_some_and(char::is_alphanumeric);
            if !inside && from - start <= MAX_URL_BYTES {
                found.push(start..from);
            }
        }
    }
    found
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
    use proptest::prelude::*;

    fn urls_in(text: &str) -> Vec<&str> {
        find_urls(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn finds_urls_without_surrounding_punctuation() {
        assert_eq!(urls_in("see https://example.org/a?b=c#d, ok"), ["https://example.org/a?b=c#d"]);
        assert_eq!(urls_in("(http://a.b/x_(y)) HTTPS://C.D!"), ["http://a.b/x_(y)", "HTTPS://C.D"]);
        assert_eq!(urls_in("javascript://x ftp://x xhttp://y https:// é"), [] as [&str; 0]);
        assert_eq!(urls_in("https://exämple.org"), [] as [&str; 0]);
        assert_eq!(urls_in("ähttps://x http://y"), ["http://y"]);
    }

    proptest! {
        #[test]
        fn find_urls_never_panics(text in "(https?://|[a-zé().\u{1b} ]){0,12}") {
            for range in find_urls(&text) {
                prop_assert!(text[range].bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }
    }
}
