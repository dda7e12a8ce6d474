//! Paths used by a Rust source file, found with a lexer for a small part of the language.

/// A token with its line number. Comments, literals and lifetimes are dropped.
#[derive(Clone, Debug, PartialEq)]
struct Token {
    text: String,
    line: usize,
}

/// A path that a file uses, as written, and the inline modules around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    /// `["std", "time", "Instant"]`; a glob import ends in `"*"`.
    pub segments: Vec<String>,
    /// Inline modules (`mod x { … }`) that contain it, outermost first.
    pub inside: Vec<String>,
    /// Line of its first segment.
    pub line: usize,
    /// New name, if it is re-exported by `pub use`.
    pub reexport: Option<String>,
}

/// Returns all paths of two segments or more in the source outside of `#[cfg(test)]`, with `use` trees split into
/// single paths; a `use` of a single name counts too.
pub fn named_paths(source: &str) -> Vec<NamedPath> {
    let tokens = strip_tests(&tokenize(source));
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut found = Vec::new();
    let mut inside: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut i) = (0, 0);
    while i < tokens.len() {
        let modules = || inside.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        match text(i) {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inside.pop_if(|(_, opened)| *opened == depth);
            }
            "mod" if text(i + 2) == "{" => inside.push((text(i + 1).into(), depth)),
            "use" => {
                let public = i > 0 && (text(i - 1) == "pub" || text(i - 1) == ")");
                let line = tokens[i].line;
                let mut leaves = Vec::new();
                i = parse_use_tree(&tokens, i + 1, &[], &mut leaves);
                found.extend(leaves.into_iter().map(|(segments, name)| NamedPath {
                    segments,
                    inside: modules(),
                    line,
                    reexport: public.then_some(name),
                }));
                continue;
            }
            first if is_name(first) && text(i + 1) == "::" && (i == 0 || text(i - 1) != "::") => {
                let line = tokens[i].line;
                let mut segments = vec![first.to_owned()];
                while text(i + 1) == "::" && is_name(text(i + 2)) {
                    segments.push(text(i + 2).into());
                    i += 2;
                }
                if segments.len() > 1 {
                    found.push(NamedPath { segments, inside: modules(), line, reexport: None });
                }
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Parses a use tree from token `at` on. Returns the index of the next token. Leaves are path and local name.
fn parse_use_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    leaves: &mut Vec<(Vec<String>, String)>,
) -> usize {
    let text = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut path = prefix.to_vec();
    while at < tokens.len() {
        match text(at) {
            "::" => {}
            "{" => {
                at += 1;
                while at < tokens.len() && text(at) != "}" {
                    at = parse_use_tree(tokens, at, &path, leaves);
                    if text(at) == "," {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => {
                leaves.push((path, text(at + 1).into()));
                return at + 2;
            }
            "self" if !path.is_empty() => {}
            name if is_name(name) || name == "*" => path.push(name.into()),
            _ => break,
        }
        at += 1;
    }
    if let Some(name) = path.last().cloned() {
        leaves.push((path, name));
    }
    at
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Removes each item under `#[cfg(test)]`.
fn strip_tests(tokens: &[Token]) -> Vec<Token> {
    const CFG: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut kept = Vec::with_capacity(tokens.len());
    let mut i = 0;
    while i < tokens.len() {
        let is_cfg = tokens[i..].iter().map(|t| t.text.as_str()).take(CFG.len()).eq(CFG);
        if !is_cfg {
            kept.push(tokens[i].clone());
            i += 1;
            continue;
        }
        i += CFG.len();
        let mut depth = 0;
        while i < tokens.len() {
            match tokens[i].text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let ends = depth == 0 && matches!(tokens[i].text.as_str(), "}" | ";");
            i += 1;
            if ends {
                break;
            }
        }
    }
    kept
}

fn tokenize(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut i, mut found) = (0, Vec::new());
    let mut line = 1;
    while i < chars.len() {
        let start = i;
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            i = skip_block_comment(&chars, i);
        } else if let Some(end) = skip_string(&chars, i) {
            i = end;
        } else if c == '\'' {
            i = if at(i + 1) == '\\' {
                (i + 3..chars.len()).find(|&j| at(j) == '\'').map_or(chars.len(), |j| j + 1)
            } else if at(i + 2) == '\'' {
                i + 3
            } else {
                i + 1 // a lifetime: its name is then read as an ordinary name, which does no harm
            };
        } else if c.is_alphabetic() || c == '_' {
            while at(i).is_alphanumeric() || at(i) == '_' {
                i += 1;
            }
            found.push(Token { text: chars[start..i].iter().collect(), line });
        } else if c == ':' && at(i + 1) == ':' {
            found.push(Token { text: "::".into(), line });
            i += 2;
        } else {
            if !c.is_whitespace() {
                found.push(Token { text: c.into(), line });
            }
            i += 1;
        }
        line += chars[start..i].iter().filter(|&&c| c == '\n').count();
    }
    found
}

fn skip_block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut i) = (0, start);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => {
                (depth, i) = (depth - 1, i + 2);
                if depth == 0 {
                    break;
                }
            }
            _ => i += 1,
        }
    }
    i
}

/// Returns the end of the string literal that starts at `start`, if there is one.
fn skip_string(chars: &[char], start: usize) -> Option<usize> {
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut i = start;
    if matches!(at(i), 'b' | 'c') && matches!(at(i + 1), '"' | 'r') {
        i += 1;
    }
    if at(i) == 'r' && matches!(at(i + 1), '"' | '#') {
        let hashes = (i + 1..chars.len()).take_while(|&j| at(j) == '#').count();
        let open = i + 1 + hashes;
        if at(open) != '"' {
            return None; // a raw identifier
        }
        let closes = |j: usize| at(j) == '"' && (1..=hashes).all(|k| at(j + k) == '#');
        return Some((open + 1..chars.len()).find(|&j| closes(j)).map_or(chars.len(), |j| j + 1 + hashes));
    }
    if at(i) != '"' {
        return None;
    }
    i += 1;
    while i < chars.len() && at(i) != '"' {
        i += if at(i) == '\\' { 2 } else { 1 };
    }
    Some(i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        named_paths(source).into_iter().map(|p| p.segments.join("::")).collect()
    }

    #[test]
    fn use_trees_are_flattened() {
        let found =
            paths("use std::{fmt, time::{self, Duration as D, *}};\npub use names::Nick;\nuse tokio;");
        assert_eq!(
            found,
            ["std::fmt", "std::time", "std::time::Duration", "std::time::*", "names::Nick", "tokio"]
        );
        assert_eq!(named_paths("pub(crate) use a::B as C;")[0].reexport.as_deref(), Some("C"));
        assert_eq!(named_paths("use a::B;")[0].reexport, None);
    }

    #[test]
    fn paths_count_in_code_but_not_in_strings_or_comments() {
        let source = r##"
            /* std::fs /* std::net */ std::env */
            fn f<'a>(x: &'a str) -> char { // std::process
                let _ = ("std::io", r#"std::thread " x"#, b"a\"std::os", 'x', '"', '\'');
                Vec::<u8>::new(); std::time::Instant::now(); '\u{41}'
            }"##;
        assert_eq!(paths(source), ["std::time::Instant::now"]);
    }

    #[test]
    fn test_modules_are_skipped_and_inline_modules_kept() {
        let source = "#[cfg(test)] mod tests { use std::fs; fn x() { } }\n#[cfg(test)]\nuse a::b;\n\
                      mod inner { use super::x; }\nuse c::d;";
        let found = named_paths(source);
        assert_eq!(found[0].segments, ["super", "x"]);
        assert_eq!(found[0].inside, ["inner"]);
        assert_eq!((found[1].segments.join("::").as_str(), found[1].line), ("c::d", 5));
        assert_eq!(found.len(), 2);
        assert!(found[1].inside.is_empty());
    }
}
