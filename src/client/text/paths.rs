//! Paths as people type them and as terminals paste them for files that are dropped.

use percent_encoding::percent_decode_str;

/// Limit of the paths of one paste.
const MAX_PASTED: usize = 10;

/// Limit of a path, in bytes: that of Linux.
const MAX_PATH_BYTES: usize = 4096;

/// A path at the beginning of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeadingPath<'a> {
    /// The path, without quotes.
    pub path: String,
    /// The text behind it, without blanks around it.
    pub rest: &'a str,
}

/// A file that a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Name of the file.
    pub name: String,
    /// Size, in bytes.
    pub size: u64,
}

/// Splits the path off the beginning of a text. A path with blanks is in quotes, or has a backslash before each of them.
/// `None` for an empty path, or without the quote at its end.
pub fn leading_path(text: &str) -> Option<LeadingPath<'_>> {
    let ReadPath { path, quote, end } = read_path(text.trim_start());
    let text = text.trim_start();
    let is_whole =
        quote.is_none() && !path.is_empty() && path.len() <= MAX_PATH_BYTES && !path.contains('\0');
    is_whole
        .then(|| LeadingPath { path: from_file_url(path), rest: text.get(end..).unwrap_or_default().trim() })
}

/// Returns the path that a text consists of as far as it was typed, perhaps without the quote at its end. `None` if there is
/// something behind it.
pub fn unfinished_path(text: &str) -> Option<String> {
    let ReadPath { path, end, .. } = read_path(text);
    (end == text.len()).then_some(path)
}

/// A path as it was read off the beginning of a text.
struct ReadPath {
    path: String,
    /// Quote that is still open.
    quote: Option<char>,
    /// Byte offset of the blank behind the path, or of the end of the text.
    end: usize,
}

fn read_path(text: &str) -> ReadPath {
    let mut chars = text.char_indices().peekable();
    let (mut path, mut quote, mut end) = (String::new(), None, text.len());
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => {
                end = at;
                break;
            }
            // Before a letter it is the backslash of Windows.
            ('\\', None | Some('"')) => match chars.next_if(|(_, next)| is_escapable(*next, quote)) {
                Some((_, escaped)) => path.push(escaped),
                None => path.push('\\'),
            },
            (c, _) => path.push(c),
        }
    }
    ReadPath { path, quote, end }
}

/// Returns the paths that a pasted text consists of: absolute ones, quoted, with escaped blanks, or as `file://` addresses,
/// as terminals paste them for files that are dropped. Empty for any other text.
pub fn pasted_paths(text: &str) -> Vec<String> {
    let (mut paths, mut rest) = (Vec::new(), text.trim());
    while !rest.is_empty() {
        match leading_path(rest) {
            Some(LeadingPath { path, rest: behind }) if is_absolute(&path) && paths.len() < MAX_PASTED => {
                paths.push(path);
                rest = behind;
            }
            _ => return Vec::new(),
        }
    }
    paths
}

/// Returns a path as it is written in a command: in quotes where it would be read as another one without them.
pub fn quoted(path: &str) -> String {
    let forms = [path.to_owned(), format!("\"{path}\""), format!("'{path}'")];
    let is_read_back = |form: &String| {
        // With something behind it, because a backslash at its end would take that in.
        let followed = format!("{form} x");
        let read = read_path(&followed);
        read.path == path && read.quote.is_none() && read.end == form.len() && !form.is_empty()
    };
    // A quote between single quotes stands between double ones, as in a shell.
    forms.into_iter().find(is_read_back).unwrap_or_else(|| format!("'{}'", path.replace('\'', "'\"'\"'")))
}

fn is_escapable(next: char, quote: Option<char>) -> bool {
    match quote {
        Some(open) => next == open,
        None => next.is_whitespace() || next.is_ascii_punctuation() && !matches!(next, '\\' | '.' | '_'),
    }
}

fn is_absolute(path: &str) -> bool {
    let mut chars = path.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some('/'), Some(second), _) => second != '/',
        (Some('\\'), Some('\\'), Some(_)) => true,
        (Some(drive), Some(':'), Some('\\' | '/')) => drive.is_ascii_alphabetic(),
        _ => false,
    }
}

/// Returns the path of a `file://` address of this machine; other texts as they are.
fn from_file_url(text: String) -> String {
    let Some(rest) = text.strip_prefix("file://") else { return text };
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    let decoded = percent_decode_str(path).decode_utf8();
    match decoded {
        // `/C:/folder/file`
        Ok(path)
            if path.starts_with('/') && path.get(1..).is_some_and(|rest| rest.get(1..2) == Some(":")) =>
        {
            path.get(1..).unwrap_or_default().to_owned()
        }
        Ok(path) if path.starts_with('/') && !path.contains('\0') => path.into_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dropped_files_are_recognized_as_terminals_paste_them() {
        for (pasted, expected) in [
            // iTerm2 and macOS's Terminal.
            (r"/Users/jo/my\ photo\ \(1\).png ", &["/Users/jo/my photo (1).png"][..]),
            // kitty, GNOME Terminal.
            ("'/home/jo/my photo.png' ", &["/home/jo/my photo.png"]),
            ("/home/jo/a.png /home/jo/b.png", &["/home/jo/a.png", "/home/jo/b.png"]),
            ("file:///home/jo/my%20photo.png\r\n", &["/home/jo/my photo.png"]),
            ("file://localhost/home/jo/%C3%BC.png", &["/home/jo/ü.png"]),
            ("file:///C:/Users/Jo/a.png", &["C:/Users/Jo/a.png"]),
            // Windows Terminal.
            (r#""C:\Users\Jo\my photo.png""#, &[r"C:\Users\Jo\my photo.png"]),
            (r"C:\Users\Jo\photo.png", &[r"C:\Users\Jo\photo.png"]),
            (r"\\server\share\a.png", &[r"\\server\share\a.png"]),
            // A quote in a name.
            (r"'/home/jo/it'\''s.png'", &["/home/jo/it's.png"]),
        ] {
            assert_eq!(pasted_paths(pasted), expected, "{pasted}");
        }
        for text in [
            "hello",
            "",
            "see /etc/passwd",
            "/etc/passwd is a file",
            "//server comment",
            "/",
            "'/home/jo/open",
            "https://example.org/a.png",
            "file://elsewhere/a.png",
            "photo.png",
            "~/photo.png",
            "/a\0b",
        ] {
            assert!(pasted_paths(text).is_empty(), "{text}");
        }
        assert!(pasted_paths(&"/a ".repeat(MAX_PASTED + 1)).is_empty());
        assert!(pasted_paths(&format!("/{}", "a".repeat(MAX_PATH_BYTES))).is_empty());
    }

    #[test]
    fn a_path_is_split_from_the_text_behind_it() {
        for (text, path, rest) in [
            ("photo.png", "photo.png", ""),
            ("  ~/a.png  the new office ", "~/a.png", "the new office"),
            (r#""my photo.png" look"#, "my photo.png", "look"),
            (r"my\ photo.png look", "my photo.png", "look"),
            (r"C:\temp\a.png x", r"C:\temp\a.png", "x"),
        ] {
            assert_eq!(leading_path(text), Some(LeadingPath { path: path.to_owned(), rest }), "{text}");
        }
        for text in ["", "  ", "\"", "\"\" x", "'a"] {
            assert_eq!(leading_path(text), None, "{text}");
        }
        for (text, path) in [
            ("", Some("")),
            ("\"my ph", Some("my ph")),
            ("my\\ ph", Some("my ph")),
            ("'a b'/c", Some("a b/c")),
            ("a b", None),
            ("a ", None),
        ] {
            assert_eq!(unfinished_path(text).as_deref(), path, "{text}");
        }
    }

    #[test]
    fn quotes_stand_only_where_they_are_needed() {
        for (path, expected) in [
            ("/plain.png", "/plain.png"),
            (r"C:\temp\a.png", r"C:\temp\a.png"),
            ("/a b", "\"/a b\""),
            ("/it's", "\"/it's\""),
            ("/say \"x\"", "'/say \"x\"'"),
            (r"/a\(1)", "\"/a\\(1)\""),
            (r"C:\my folder\", r"'C:\my folder\'"),
            ("/it's \"x\"", "'/it'\"'\"'s \"x\"'"),
        ] {
            assert_eq!(quoted(path), expected);
        }
    }

    proptest! {
        #[test]
        fn a_quoted_path_is_read_back(path in "[a-c '\"\\\\(/\u{3000}ü]{1,12}", behind in "( [a-c]{1,3})?") {
            let written = format!("{}{behind}", quoted(&path));
            let read = leading_path(&written).expect("a path");
            prop_assert_eq!((&*read.path, read.rest), (&*path, behind.trim()));
        }
    }
}
