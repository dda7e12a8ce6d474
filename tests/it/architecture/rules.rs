//! The rules themselves, as a function from sources to violations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::source::{NamedPath, named_paths};

/// One file of the library; its path is relative to `src`.
pub struct SourceFile {
    pub path: PathBuf,
    pub text: String,
}

/// Top-level modules, each with those that it may use.
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
    ("invariants", &[]),
    ("platform", &[]),
    ("wire", &[]),
    ("core", &["invariants", "wire"]),
    ("trust", &["platform"]),
    ("web", &[]),
    ("store", &["core", "invariants", "platform", "wire"]),
    ("backup", &["core", "platform", "store", "trust", "wire"]),
    ("server", &["backup", "core", "invariants", "platform", "store", "trust", "web", "wire"]),
    ("client", &["platform", "trust", "web", "wire"]),
    ("cli", &["backup", "core", "client", "platform", "server", "store", "trust", "web", "wire"]),
];

/// Modules without IO, clocks or randomness, including their submodules.
const PURE_MODULES: &[&str] = &[
    "wire",
    "core",
    "client/answers",
    "client/connect/backoff",
    "client/connect/login",
    "client/connect/password",
    "client/feed",
    "client/input",
    "client/keys",
    "client/message_secrets",
    "client/model",
    "client/plain/navigation",
    "client/plain/recent",
    "client/plain/render",
    "client/screen",
    "client/settings",
    "client/text",
    "invariants",
];

/// Crates that the pure modules may use. An addition here is a design decision.
const PURE_CRATES: &[&str] = &[
    "base64",
    "bytes",
    "emojis",
    "humantime",
    "icu_casemap",
    "icu_properties",
    "jiff",
    "memchr",
    "nucleo_matcher",
    "postcard",
    "ratatui",
    "rustc_hash",
    "serde",
    "serde_json",
    "percent_encoding",
    "strsim",
    "thiserror",
    "toml",
    "toml_edit",
    "unicode_bidi",
    "unicode_security",
    "unicode_normalization",
    "unicode_segmentation",
    "unicode_width",
    "wildmatch",
    "zeroize",
];

/// Items of the standard library that are clocks, random sources, IO or threads.
const IMPURE_STD: &[&str] = &[
    "std::time::Instant",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
    "std::time::*",
    "std::time",
    "std::fs",
    "std::net",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "std::hash::RandomState",
    "std::collections::hash_map::RandomState",
];

/// Types with a `now()` that reads the clock.
const CLOCKS: &[&str] = &["Timestamp", "Zoned", "Instant", "SystemTime", "Utc", "Local"];

/// Returns every violation of a rule in these files, one line each.
pub fn violations(files: &[SourceFile], dependencies: &BTreeSet<String>) -> Vec<String> {
    let modules = Modules::from_files(files);
    let mut broken = Vec::new();
    let mut edges: BTreeMap<Vec<String>, BTreeSet<Vec<String>>> = BTreeMap::new();
    for file in files.iter().filter(|f| !f.is_test()) {
        let module = file.module();
        let Some(top) = module.first().filter(|_| !file.is_root()) else {
            continue;
        };
        let allowed = ALLOWED_IMPORTS.iter().find(|(name, _)| name == top).map(|(_, may)| *may);
        let Some(allowed) = allowed else {
            broken.push(format!("{}: no rule says what `{top}` may name; add one", file.path.display()));
            continue;
        };
        for path in named_paths(&file.text) {
            let complain = |why: &str| {
                format!("src/{}:{}: `{}`: {why}", file.path.display(), path.line, path.segments.join("::"))
            };
            if is_pure(&module)
                && let Some(why) = impurity(&path, dependencies)
            {
                broken.push(complain(&why));
            }
            let Some(target) = modules.resolve(&module, &path) else {
                continue;
            };
            if let Some(other) = target.first().filter(|other| *other != top)
                && !allowed.contains(&other.as_str())
            {
                broken.push(complain(&format!("`{top}` may not name `{other}`")));
            }
            edges.entry(module.clone()).or_default().insert(target);
        }
    }
    broken.extend(import_cycles(&edges));
    broken
}

/// Returns true if the module, or one that contains it, is pure.
fn is_pure(module: &[String]) -> bool {
    PURE_MODULES.iter().any(|pure| {
        let pure: Vec<&str> = pure.split('/').collect();
        module.len() >= pure.len() && pure.iter().zip(module).all(|(a, b)| a == b)
    })
}

impl SourceFile {
    /// Returns the module path: `wire/names.rs` is `["wire", "names"]`, `wire/mod.rs` is `["wire"]`, `lib.rs` is `[]`.
    fn module(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.path.with_extension("").iter().map(|c| c.to_string_lossy().into_owned()).collect();
        names.pop_if(|last| last == "mod" || last == "lib" || last == "main");
        names
    }

    fn is_root(&self) -> bool {
        self.module().is_empty()
    }

    /// Returns true for a file of tests beside the code: `tests.rs`, or anything under `tests/`.
    fn is_test(&self) -> bool {
        self.module().iter().any(|name| name == "tests")
    }
}

/// The modules, and their re-exports.
struct Modules {
    all: BTreeSet<Vec<String>>,
    /// Map from (module, name) to the path of a `pub use`.
    reexports: BTreeMap<(Vec<String>, String), NamedPath>,
}

impl Modules {
    fn from_files(files: &[SourceFile]) -> Self {
        let all = files.iter().map(SourceFile::module).collect();
        let mut reexports = BTreeMap::new();
        for file in files {
            for path in named_paths(&file.text) {
                if let Some(name) = path.reexport.clone() {
                    reexports.insert((file.module(), name), path);
                }
            }
        }
        Self { all, reexports }
    }

    /// Returns the module of this package that a path leads into; `None` for paths to other crates and to local names.
    fn resolve(&self, from: &[String], path: &NamedPath) -> Option<Vec<String>> {
        let mut current = from.to_vec();
        let mut segments = path.segments.clone();
        // A chain of re-exports is short; the limit ends a cyclic one.
        for step in 0..8 {
            let absolute = self.absolute(&current, if step == 0 { &path.inside } else { &[] }, &segments)?;
            let known = (0..=absolute.len()).rev().find(|&n| self.all.contains(&absolute[..n]))?;
            let (module, rest) = absolute.split_at(known);
            let behind = rest.first().and_then(|name| self.reexports.get(&(module.to_vec(), name.clone())));
            let Some(behind) = behind else {
                return Some(module.to_vec());
            };
            current = module.to_vec();
            segments.clone_from(&behind.segments);
        }
        None
    }

    fn absolute(&self, from: &[String], inside: &[String], segments: &[String]) -> Option<Vec<String>> {
        let mut base = [from, inside].concat();
        let mut rest = segments.iter().peekable();
        match rest.peek()?.as_str() {
            "crate" | "parlour" => {
                base.clear();
                rest.next();
            }
            "self" => {
                rest.next();
            }
            "super" => {
                while rest.next_if(|s| *s == "super").is_some() {
                    base.pop()?;
                }
            }
            child => {
                base.push(child.to_owned());
                let is_child = self.all.contains(&base);
                base.pop();
                if !is_child {
                    return None;
                }
            }
        }
        Some(base.into_iter().chain(rest.cloned()).collect())
    }
}

/// Returns the reason why a pure module may not use this path.
fn impurity(path: &NamedPath, dependencies: &BTreeSet<String>) -> Option<String> {
    let first = path.segments.first()?;
    if dependencies.contains(first) && !PURE_CRATES.contains(&first.as_str()) {
        return Some(format!("`{first}` is not among the crates that pure modules may name"));
    }
    let text = path.segments.join("::");
    if text == "std::io::Write" {
        return None; // formats into a vector; nothing that it could write to elsewhere can be named
    }
    let hit = IMPURE_STD.iter().find(|bad| {
        let exact_only = **bad == "std::time";
        text == **bad || (!exact_only && text.starts_with(&format!("{bad}::")))
    });
    if let Some(bad) = hit {
        return Some(format!("`{bad}` is IO, time or chance, which come in with the input"));
    }
    let (last, before) = path.segments.split_last()?;
    let reads_clock = last == "now" && before.iter().any(|s| CLOCKS.contains(&s.as_str()));
    reads_clock.then(|| "it reads the clock; time comes in with the input".into())
}

/// Returns the cycles among the children of each module; a child stands for everything below it.
fn import_cycles(edges: &BTreeMap<Vec<String>, BTreeSet<Vec<String>>>) -> Vec<String> {
    // For each parent, the graph of its children.
    let mut graphs: BTreeMap<Vec<String>, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, to) in edges.iter().flat_map(|(from, all)| all.iter().map(move |to| (from, to))) {
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        if let (Some(a), Some(b)) = (from.get(shared), to.get(shared)) {
            let graph = graphs.entry(from[..shared].to_vec()).or_default();
            graph.entry(a.clone()).or_default().insert(b.clone());
        }
    }
    let mut found = Vec::new();
    for (parent, graph) in &graphs {
        // Remove nodes without edges to remaining ones until nothing changes; the rest is in a cycle or leads to one.
        let mut left: BTreeSet<&String> = graph.keys().collect();
        loop {
            let before = left.len();
            let now = left.clone();
            left.retain(|name| graph[*name].iter().any(|to| now.contains(to)));
            if left.len() == before {
                break;
            }
        }
        if !left.is_empty() {
            let lines: Vec<String> = left
                .iter()
                .map(|name| {
                    let to: Vec<&str> =
                        graph[*name].iter().filter(|to| left.contains(to)).map(String::as_str).collect();
                    format!("`{name}` names {}", to.join(", "))
                })
                .collect();
            found.push(format!("a circle within `crate::{}`: {}", parent.join("::"), lines.join("; ")));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the violations in a library of these files.
    fn violations_of(files: &[(&str, &str)]) -> Vec<String> {
        let files: Vec<SourceFile> =
            files.iter().map(|(path, text)| SourceFile { path: path.into(), text: (*text).into() }).collect();
        let dependencies = ["tokio", "rustls", "rusqlite", "rand", "memchr", "jiff"].map(String::from).into();
        violations(&files, &dependencies)
    }

    #[track_caller]
    fn assert_complains(files: &[(&str, &str)], expected: &str) {
        let found = violations_of(files);
        assert!(found.len() == 1 && found[0].contains(expected), "expected {expected:?}, found {found:#?}");
    }

    #[test]
    fn valid_architecture_passes() {
        let found = violations_of(&[
            ("lib.rs", "pub mod wire; pub mod core; pub use server::run;"),
            (
                "wire/mod.rs",
                "pub mod names; pub use names::Nick; use std::time::Duration; use memchr::memchr;",
            ),
            ("wire/names.rs", "pub struct Nick; #[cfg(test)] mod tests { use std::fs; use tokio::time; }"),
            ("wire/caps.rs", "use super::Nick; use std::collections::{BTreeMap, hash_map::Entry};"),
            ("core/mod.rs", "use crate::wire::Nick; mod commands; mod state;"),
            ("core/commands/mod.rs", "pub mod join; use super::state::State;"),
            ("core/commands/channel/join.rs", "use super::super::state::State; use super::Spec;"),
            ("core/state.rs", "use jiff::Timestamp;"),
            ("store/mod.rs", "use crate::{core::record::Record, wire::Nick}; use rusqlite::Connection;"),
            ("trust/mod.rs", "use rustls::pki_types;"),
            ("server/mod.rs", "use crate::{core, store, trust, wire}; use std::time::Instant;"),
            ("client/mod.rs", "use crate::{trust, wire}; use tokio::net;"),
            ("cli/mod.rs", "use crate::{client, server};"),
            ("main.rs", "fn main() { parlour::cli::main() }"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn wrong_import_direction_is_found() {
        let other = [("wire/mod.rs", ""), ("core/mod.rs", ""), ("client/mod.rs", ""), ("store/mod.rs", "")];
        let with = |path, text| [&other[..], &[(path, text)]].concat();
        assert_complains(&with("wire/a.rs", "use crate::core::X;"), "`wire` may not name `core`");
        assert_complains(&with("wire/a.rs", "fn f() { crate::core::x() }"), "`wire` may not name `core`");
        assert_complains(
            &with("wire/a/b.rs", "use super::super::super::core;"),
            "`wire` may not name `core`",
        );
        assert_complains(&with("core/a.rs", "use crate::{wire, store::S};"), "`core` may not name `store`");
        assert_complains(&with("server/a.rs", "use crate::client::C;"), "`server` may not name `client`");
        assert_complains(&with("extra/a.rs", ""), "no rule says what `extra` may name");
        let through_lib = with("lib.rs", "pub use store::Store;");
        let through_lib = [&through_lib[..], &[("client/a.rs", "use crate::Store;")]].concat();
        assert_complains(&through_lib, "`client` may not name `store`");
    }

    #[test]
    fn impure_import_is_found() {
        for (text, bad) in [
            ("use tokio::time;", "`tokio` is not among"),
            ("fn f() { rusqlite::version() }", "`rusqlite` is not among"),
            ("use rustls;", "`rustls` is not among"),
            ("use rand::random;", "`rand` is not among"),
            ("use std::time::{Duration, Instant};", "std::time::Instant"),
            ("use std::time::*;", "std::time::*"),
            ("use std::time;", "`std::time`"),
            ("fn f() -> std::time::SystemTime { loop {} }", "std::time::SystemTime"),
            ("use std::{fs};", "std::fs"),
            ("use std::net::IpAddr;", "std::net"),
            ("use std::{collections::{BTreeMap, hash_map::RandomState}};", "RandomState"),
            ("use jiff::Timestamp; fn f() { Timestamp::now() }", "reads the clock"),
        ] {
            assert_complains(&[("wire/a.rs", text)], bad);
            assert_complains(&[("core/commands/a.rs", text)], bad);
        }
    }

    #[test]
    fn import_cycle_is_found() {
        assert_complains(
            &[("core/a.rs", "use super::b::B;"), ("core/b.rs", "use crate::core::a::A;")],
            "a circle within `crate::core`: `a` names b; `b` names a",
        );
        // Through a re-export, over three modules, and with the two ends deeper down.
        assert_complains(
            &[
                ("server/mod.rs", "pub use a::x::A;"),
                ("server/a/mod.rs", ""),
                ("server/a/x.rs", "use crate::server::b;"),
                ("server/b.rs", "use super::c::y::C;"),
                ("server/c/y.rs", "use crate::server::A;"),
            ],
            "`a` names b; `b` names c; `c` names a",
        );
    }
}
