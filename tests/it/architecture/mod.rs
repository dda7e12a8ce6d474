//! Architecture rules, checked on the sources: which module may use which, what the pure ones may not use at all, no
//! cycles, no overlong file, no overfull folder, no dependency without a reason. ARCHITECTURE.md gives the reasons.

mod manifest;
mod packaging;
mod rules;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use manifest::{crates_with_reasons, direct_dependencies};
use rules::{SourceFile, violations};

/// Maximum length of a file, in lines, its tests included.
const MAX_LINES: usize = 500;

/// Maximum number of source files side by side in a folder.
const MAX_FILES: usize = 14;

/// Returns the package's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every Rust file under a folder of the package, with paths relative to the package.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path.strip_prefix(root()).expect("under the package").to_owned());
            }
        }
    }
    found.sort();
    found
}

fn cargo_toml() -> toml::Table {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    manifest.parse().expect("Cargo.toml is TOML")
}

/// Returns the names by which code refers to this package's dependencies.
fn dependencies() -> BTreeSet<String> {
    let manifest = cargo_toml();
    let tables = ["dependencies", "dev-dependencies"].into_iter().filter_map(|t| manifest.get(t)?.as_table());
    tables.flat_map(|t| t.keys()).map(|name| name.replace('-', "_")).collect()
}

#[test]
fn modules_import_only_allowed_modules() {
    let files: Vec<SourceFile> = rust_files("src")
        .into_iter()
        .map(|path| SourceFile {
            text: fs::read_to_string(root().join(&path)).expect("a source file"),
            path: path.strip_prefix("src").expect("under src").to_owned(),
        })
        .collect();
    assert!(files.len() > 5, "found only {} files", files.len());
    let broken = violations(&files, &dependencies());
    assert!(broken.is_empty(), "the architecture is broken:\n{}", broken.join("\n"));
}

/// Words of a `cfg` that names an operating system.
const SYSTEM_WORDS: &[&str] = &["unix", "windows", "target_os", "target_family", "target_env"];

/// Parts of the standard library and crates that only some systems have.
const SYSTEM_PATHS: &[&str] = &["std::os::", "rustix::", "nix::", "rlimit::", "zbus::", "tokio::signal::"];

/// Returns true if a line of code is for one operating system only.
fn names_a_system(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    let is_word = |word: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|it| it == word);
    let is_condition = ["cfg(", "cfg!(", "cfg_attr("].iter().any(|start| code.contains(start));
    is_condition && SYSTEM_WORDS.iter().any(|word| is_word(word))
        || SYSTEM_PATHS.iter().any(|path| code.contains(path))
}

#[test]
fn only_the_platform_module_names_a_system() {
    let mut found = Vec::new();
    for path in rust_files("src").into_iter().filter(|path| !path.starts_with("src/platform")) {
        let text = fs::read_to_string(root().join(&path)).expect("a source file");
        let lines = text.lines().zip(1..).filter(|(line, _)| names_a_system(line));
        found.extend(lines.map(|(line, number)| format!("{}:{number}: {}", path.display(), line.trim())));
    }
    assert!(found.is_empty(), "these belong into src/platform:\n{}", found.join("\n"));
    assert!(
        names_a_system("#[cfg(all(test, not(unix)))]") && names_a_system("if cfg!(target_os = \"linux\") {")
    );
    assert!(names_a_system("use std::os::fd::AsFd;") && !names_a_system("#[cfg(test)] // not on windows"));
}

#[test]
fn folders_stay_below_the_entry_limit() {
    let mut folders: BTreeMap<PathBuf, usize> = BTreeMap::new();
    for path in ["src", "tests"].into_iter().flat_map(rust_files) {
        *folders.entry(path.parent().expect("a folder").to_owned()).or_default() += 1;
    }
    let full: Vec<String> = folders
        .into_iter()
        .filter(|(_, files)| *files > MAX_FILES)
        .map(|(folder, files)| format!("{} has {files} files, group them by what they do", folder.display()))
        .collect();
    assert!(full.is_empty(), "past {MAX_FILES} files:\n{}", full.join("\n"));
}

#[test]
fn files_stay_below_the_line_limit() {
    let long: Vec<String> = ["src", "tests", "benches", "fuzz"]
        .into_iter()
        .flat_map(rust_files)
        .filter(|path| !path.components().any(|c| c.as_os_str() == "target"))
        .filter_map(|path| {
            let lines = fs::read_to_string(root().join(&path)).expect("a source file").lines().count();
            (lines > MAX_LINES).then(|| format!("{} has {lines} lines, split it", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "past {MAX_LINES} lines:\n{}", long.join("\n"));
}

/// GitHub runs that file only where the project is hosted there, so nobody sees that it is broken.
#[test]
fn workflow_for_github_is_yaml_and_names_existing_scripts() {
    let path = root().join(".github/workflows/ci.yml");
    let workflow = fs::read_to_string(path).expect("a workflow");
    let workflow: serde_norway::Value = serde_norway::from_str(&workflow).expect("YAML");
    let jobs = workflow["jobs"].as_mapping().expect("jobs");
    let names: Vec<_> = jobs.keys().filter_map(|name| name.as_str()).collect();
    assert_eq!(names, ["linux", "windows", "macos"]);
    for (name, job) in jobs {
        assert!(job["runs-on"].is_string(), "{name:?}");
        let steps = job["steps"].as_sequence().expect("steps");
        let commands: Vec<&str> = steps.iter().filter_map(|step| step["run"].as_str()).collect();
        assert_eq!(
            steps.len(),
            commands.len() + steps.iter().filter(|step| step["uses"].is_string()).count()
        );
        assert!(!commands.is_empty(), "{name:?}");
        for script in commands.iter().flat_map(|command| command.split_whitespace()) {
            if script.starts_with("scripts/") || script.starts_with(".ci/") {
                assert!(root().join(script).exists(), "{script} does not exist");
            }
        }
    }
}

#[test]
fn each_dependency_has_its_reason() {
    let document = fs::read_to_string(root().join("docs/dependencies.md")).expect("docs/dependencies.md");
    let (used, listed) = (direct_dependencies(&cargo_toml()), crates_with_reasons(&document));
    assert!(used.len() > 20, "found only {} dependencies", used.len());
    let missing: Vec<_> = used.difference(&listed).collect();
    assert!(missing.is_empty(), "docs/dependencies.md gives no reason for {missing:?}");
    let unused: Vec<_> = listed.difference(&used).collect();
    assert!(unused.is_empty(), "docs/dependencies.md lists {unused:?}, which Cargo.toml does not");
}
