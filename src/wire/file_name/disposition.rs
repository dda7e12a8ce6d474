//! Names of files in headers, as uploads give them and downloads pass them on ([RFC 6266](https://www.rfc-editor.org/rfc/rfc6266)).

use percent_encoding::percent_decode_str;

use super::encode_name;

/// Returns the name in a `Content-Disposition`, as it was given: `filename*` if it can be read, else `filename`.
pub fn name_in_disposition(header: &str) -> Option<String> {
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
pub fn disposition(name: &str, is_inline: bool) -> String {
    let kind = if is_inline { "inline" } else { "attachment" };
    let plain: String = name.chars().map(|c| if c.is_ascii() && c != '%' { c } else { '_' }).collect();
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{}", encode_name(name))
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
