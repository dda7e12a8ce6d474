//! Names of files, as uploads give them and downloads pass them on ([RFC 6266](https://www.rfc-editor.org/rfc/rfc6266)).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::core::settings::truncate_str;
use crate::wire::chars;

/// Maximum length of a name, in bytes: that of a name on most file systems, with room for what a download adds.
const MAX_NAME_BYTES: usize = 200;

/// Name of a file that came without one.
const NAMELESS: &str = "file";

/// Characters that no system has in names, or that have a meaning in a path or a shell.
const REFUSED: [char; 9] = ['/', '\\', ':', '*', '?', '"', '<', '>', '|'];

/// Characters that stand as they are in an address and in `filename*`.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a name as it is stored: without a path, without characters that some system refuses or that cannot be seen,
/// and neither empty nor hidden.
pub(in crate::server) fn clean_name(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = chars::strip_refused(last).replace(REFUSED, "_");
    // Windows cuts dots and blanks at the end; a dot at the beginning hides the file elsewhere.
    let name = name.trim().trim_start_matches('.').trim_end_matches(['.', ' ']).trim();
    let name = if name.len() <= MAX_NAME_BYTES {
        name.to_owned()
    } else {
        let (stem, ending) =
            name.rsplit_once('.').filter(|(_, ending)| ending.len() <= 10).unwrap_or((name, ""));
        let stem = truncate_str(stem, MAX_NAME_BYTES - ending.len() - 1).trim_end();
        if ending.is_empty() { stem.to_owned() } else { format!("{stem}.{ending}") }
    };
    if name.is_empty() { NAMELESS.to_owned() } else { name }
}

/// Returns the name in a `Content-Disposition`, as it was given: `filename*` if it can be read, else `filename`.
pub(in crate::server) fn name_in_disposition(header: &str) -> Option<String> {
    let mut plain = None;
    for parameter in parameters(header) {
        let Some((key, value)) = parameter.split_once('=') else { continue };
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "filename*" => {
                let mut parts = value.splitn(3, '\'');
                let (charset, _, text) = (parts.next(), parts.next(), parts.next());
                let is_utf8 = charset.is_some_and(|charset| charset.eq_ignore_ascii_case("utf-8"));
                if let Some(text) = text.filter(|_| is_utf8)
                    && let Ok(name) = percent_decode_str(text).decode_utf8()
                {
                    return Some(name.into_owned());
                }
            }
            "filename" => plain = Some(unquoted(value)),
            _ => {}
        }
    }
    plain
}

/// Returns a `Content-Disposition` for a download.
pub(in crate::server) fn disposition(name: &str, is_inline: bool) -> String {
    let kind = if is_inline { "inline" } else { "attachment" };
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", in_address(name))
}

/// Returns a name as the last part of an address.
pub(in crate::server) fn in_address(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// Splits a header at the semicolons that are not in quotes.
fn parameters(header: &str) -> Vec<&str> {
    let (mut parts, mut start, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (at, c) in header.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            ';' if !is_quoted => {
                parts.extend(header.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(header.get(start..));
    parts
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(inner.len());
    let mut escaped = inner.chars();
    while let Some(c) = escaped.next() {
        // Browsers send paths of Windows with single backslashes; only quotes and backslashes are escaped.
        match c {
            '\\' if escaped.as_str().starts_with(['"', '\\']) => text.extend(escaped.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_without_paths_and_safe_on_every_system() {
        for (given, expected) in [
            ("photo.png", "photo.png"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\Jo\a b.txt", "a b.txt"),
            ("..", "file"),
            ("", "file"),
            ("/", "file"),
            (".bashrc", "bashrc"),
            ("a:b*c?.txt", "a_b_c_.txt"),
            ("trailing. ", "trailing"),
            ("line\nbreak\0.txt", "linebreak.txt"),
            ("gnp.\u{202e}exe", "gnp.exe"),
            ("Übersicht – 2026.pdf", "Übersicht – 2026.pdf"),
        ] {
            assert_eq!(clean_name(given), expected, "{given:?}");
        }
        let long = clean_name(&format!("{}.jpeg", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("é.jpeg"), "{long}");
        let long = clean_name(&"x".repeat(300));
        assert!(long.len() <= MAX_NAME_BYTES, "{long}");
    }

    #[test]
    fn names_in_dispositions_are_read_in_both_forms() {
        for (header, expected) in [
            (r#"attachment; filename="a b.txt""#, Some("a b.txt")),
            ("attachment; filename=a.txt", Some("a.txt")),
            (r#"attachment; filename="x.txt"; filename*=UTF-8''%C3%BC.txt"#, Some("ü.txt")),
            (r#"attachment; filename*=latin1''%FC.txt; filename="u.txt""#, Some("u.txt")),
            (r#"attachment; filename="a;b=\"c\".txt""#, Some(r#"a;b="c".txt"#)),
            ("attachment; filename*=UTF-8''%FF", None),
            ("attachment", None),
            ("", None),
            (r#"attachment; filename="unclosed"#, Some(r#""unclosed"#)),
        ] {
            assert_eq!(name_in_disposition(header).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn a_written_disposition_is_read_back() {
        for name in ["a.txt", "ü – 2.pdf", "100%.txt", "it's.txt"] {
            let header = disposition(name, false);
            assert!(header.is_ascii(), "{header}");
            assert_eq!(name_in_disposition(&header).as_deref(), Some(name), "{header}");
        }
        assert!(disposition("a.png", true).starts_with("inline; "));
    }
}
