//! The documentation names tests and files that exist: a `cargo test` with a filter that matches nothing succeeds, so
//! nobody would notice it.

use std::fs;

use crate::architecture::{root, rust_files};

/// Beginnings of the paths that are checked: folders of the package, and modules as they are named without `src/`.
/// Paths under `certs/` are not, because `parlour certs` makes those files.
const FOLDERS: &[&str] = &[
    "src/", "tests/", "docs/", "scripts/", "benches/", "fuzz/", "core/", "server/", "client/", "store/",
    "trust/", "wire/", "cli/",
];

/// Returns each line of the documents, after its place as `docs/time.md:12`.
fn document_lines() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in [root().to_owned(), root().join("docs")] {
        for entry in fs::read_dir(folder).expect("a folder of documents") {
            let path = entry.expect("a folder's entry").path();
            if path.extension().is_some_and(|e| e == "md") {
                let text = fs::read_to_string(&path).expect("a document");
                let name = path.strip_prefix(root()).expect("under the package").display();
                found.extend(text.lines().zip(1..).map(|(line, n)| (format!("{name}:{n}"), line.to_owned())));
            }
        }
    }
    found
}

/// Returns the filters of the `cargo test` commands in a line, each after the folder of the tests that it selects from.
/// A command ends at a backquote or a comment.
fn test_filters(line: &str) -> Vec<(&'static str, &str)> {
    let mut found = Vec::new();
    for command in line.split("cargo test").skip(1) {
        let arguments = command.split(['`', '#']).next().unwrap_or_default();
        let folder = if arguments.contains("--test it") { "tests/it" } else { "src" };
        let filters = arguments.split_whitespace().filter(|word| !word.starts_with('-') && *word != "it");
        found.extend(filters.map(|filter| (folder, filter)));
    }
    found
}

/// Returns the paths of the functions and modules in a folder, with `::` at both ends. A function has two: one for a
/// test of the file itself, one for a test in the file's module `tests`.
fn test_paths(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for file in rust_files(folder) {
        let text = fs::read_to_string(root().join(&file)).expect("a source file");
        let module = file.strip_prefix(folder).expect("under the folder").with_extension("");
        let mut names: Vec<String> = module.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.pop_if(|last| last == "mod");
        let module = names.join("::");
        for name in defined_names(&text) {
            found.push(format!("::{module}::{name}::"));
            found.push(format!("::{module}::tests::{name}::"));
        }
    }
    found
}

/// Returns the names of the functions and modules that a source defines.
fn defined_names(source: &str) -> Vec<&str> {
    let words: Vec<&str> = source.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    words.windows(2).filter(|pair| matches!(pair[0], "fn" | "mod")).map(|pair| pair[1]).collect()
}

/// Returns the paths in backquotes in a line, each up to its first placeholder, such as `NAME.rs`.
fn quoted_paths(line: &str) -> Vec<String> {
    let quoted = line.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|text| FOLDERS.iter().any(|folder| text.starts_with(folder)));
    let paths = paths.filter_map(|text| text.split(|c: char| c.is_whitespace() || c == ':').next());
    paths
        .map(|path| {
            let segments: Vec<&str> =
                path.split('/').take_while(|segment| !is_placeholder(segment)).collect();
            segments.join("/")
        })
        .collect()
}

/// Returns true for a segment in capitals, as in `commands/GROUP/NAME.rs`.
fn is_placeholder(segment: &str) -> bool {
    let name = segment.strip_suffix(".rs").unwrap_or(segment);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase())
}

/// Returns true if a path is a file, a folder or a module, from the package's folder or from `src`.
fn exists(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    [root().to_owned(), root().join("src")]
        .iter()
        .any(|folder| folder.join(path).exists() || folder.join(format!("{path}.rs")).exists())
}

#[test]
fn documented_tests_exist() {
    let existing = ["src", "tests/it"].map(|folder| (folder, test_paths(folder)));
    let (mut filters, mut missing) = (0, Vec::new());
    for (place, line) in document_lines() {
        for (folder, filter) in test_filters(&line) {
            filters += 1;
            let segments = format!("::{}::", filter.trim_matches(':'));
            let mut paths = existing.iter().filter(|(of, _)| *of == folder).flat_map(|(_, paths)| paths);
            if !paths.any(|path| path.contains(&segments)) {
                missing.push(format!("{place}: no test in {folder} matches `{filter}`"));
            }
        }
    }
    assert!(filters > 30, "found only {filters} filters");
    assert!(missing.is_empty(), "documented tests do not exist:\n{}", missing.join("\n"));
}

#[test]
fn documented_paths_exist() {
    let (mut paths, mut missing) = (0, Vec::new());
    for (place, line) in document_lines() {
        for path in quoted_paths(&line) {
            paths += 1;
            if !exists(&path) {
                missing.push(format!("{place}: `{path}` does not exist"));
            }
        }
    }
    assert!(paths > 100, "found only {paths} paths");
    assert!(missing.is_empty(), "documented paths do not exist:\n{}", missing.join("\n"));
}

#[test]
fn filters_and_paths_are_read_from_a_line() {
    let line = "| `cargo test --lib core::a`, `cargo test --test it b` | `cargo test` | `scripts/soak.sh 4`, `x/y` |";
    assert_eq!(test_filters(line), [("src", "core::a"), ("tests/it", "b")]);
    assert_eq!(test_filters("cargo test --lib core::   # the rules"), [("src", "core::")]);
    assert_eq!(quoted_paths(line), ["scripts/soak.sh"]);
    assert_eq!(quoted_paths("`src/core/commands/GROUP/NAME.rs`"), ["src/core/commands"]);
    assert_eq!(defined_names("mod tests {\n    fn it_works() {}"), ["tests", "it_works"]);
    assert!(!exists("core/no_such_file.rs") && exists("core/record") && exists("core/handle.rs"));
}
