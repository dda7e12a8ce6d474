//! Comparison of `Cargo.toml` with `docs/dependencies.md`.

use std::collections::BTreeSet;

use toml::Table;

/// Returns the crates that a manifest depends on directly, also those of tests and of single platforms, by the names
/// that they have in the registry.
pub fn direct_dependencies(manifest: &Table) -> BTreeSet<String> {
    let platforms = manifest.get("target").and_then(|it| it.as_table()).into_iter().flat_map(Table::values);
    let tables = platforms.filter_map(|it| it.as_table()).chain([manifest]);
    let lists = tables.flat_map(|table| {
        ["dependencies", "dev-dependencies", "build-dependencies"].map(|kind| table.get(kind)?.as_table())
    });
    let package = |(name, value): (&String, &toml::Value)| {
        value.get("package").and_then(|it| it.as_str()).unwrap_or(name).to_owned()
    };
    lists.flatten().flatten().map(package).collect()
}

/// Returns the crates to which a document's tables give a reason: tables with the titles `crate` and `reason`, whose
/// rows may name several crates.
pub fn crates_with_reasons(document: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for line in document.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", "crate", "reason", ""] => inside = true,
            ["", names, reason, ""] if inside && !names.starts_with("---") && !reason.is_empty() => {
                found.extend(names.split(", ").map(str::to_owned));
            }
            ["", ..] if inside && line.starts_with('|') => {}
            _ => inside = false,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn dependencies_of_each_kind_are_found() {
        let manifest = "[dependencies]\na = \"1\"\nb = { package = \"real-b\", version = \"1\" }\n\
                        [dev-dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = \"1\"\n\
                        [build-dependencies.e]\nversion = \"1\"\n";
        let manifest = manifest.parse().expect("a manifest");
        assert_eq!(direct_dependencies(&manifest), set(&["a", "real-b", "c", "d", "e"]));
    }

    #[test]
    fn only_rows_with_a_reason_count() {
        let document = "| crate | reason |\n| --- | --- |\n| a, b | because |\n| c | |\n\nText\n\n\
                        | crate | our own code |\n| --- | --- |\n| d | better |\n";
        assert_eq!(crates_with_reasons(document), set(&["a", "b"]));
    }
}
