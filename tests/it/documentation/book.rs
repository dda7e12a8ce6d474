//! The documentation is a book (docs/SUMMARY.md) whose links lead somewhere, and whose messages are those of the program.

use std::fs;

use super::page::{Page, pages};
use crate::architecture::{root, rust_files};

#[test]
fn the_summary_lists_every_page_once() {
    let summary = Page::read("docs/SUMMARY.md");
    let mut listed: Vec<String> = summary.links().into_iter().map(|link| format!("docs/{link}")).collect();
    listed.sort();
    let mut existing: Vec<String> = pages().into_iter().map(|page| page.name).collect();
    existing.retain(|name| name.starts_with("docs/"));
    existing.sort();
    assert_eq!(listed, existing);
}

#[test]
fn links_lead_to_pages_and_headings() {
    let extra = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "certs/README.md"];
    let pages: Vec<Page> = pages().into_iter().chain(extra.map(Page::read)).collect();
    let (mut count, mut broken) = (0, Vec::new());
    for page in &pages {
        let folder = root().join(&page.name).parent().expect("a folder").to_owned();
        for link in page.links().iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            count += 1;
            let (path, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(path, a)| (path, Some(a)));
            let target = if path.is_empty() { root().join(&page.name) } else { folder.join(path) };
            let leads_out = page.name.starts_with("docs/") && !path.is_empty() && path.starts_with("..");
            let anchors = || {
                let target = target.canonicalize().expect("it exists");
                let name =
                    target.strip_prefix(root()).expect("in the package").to_string_lossy().into_owned();
                Page::read(name).anchors()
            };
            if !target.exists() {
                broken.push(format!("{}: {link} does not exist", page.name));
            } else if leads_out {
                broken.push(format!("{}: {link} is not in the book", page.name));
            } else if anchor.is_some_and(|anchor| !anchors().iter().any(|known| known == anchor)) {
                broken.push(format!("{}: {link} has no such heading", page.name));
            }
        }
    }
    assert!(count > 100, "found only {count} links");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whoever searches for a message by its words finds it.
#[test]
fn messages_in_the_page_about_problems_are_those_of_the_program() {
    let sources: Vec<String> = rust_files("src")
        .iter()
        .map(|file| fs::read_to_string(root().join(file)).expect("a source file"))
        .collect();
    let page = Page::read("docs/troubleshooting.md");
    let rows = page.text.lines().filter(|line| line.starts_with("| "));
    let symptoms = rows.filter_map(|row| row.split('|').nth(1));
    let quoted: Vec<&str> = symptoms.flat_map(|symptom| symptom.split('"').skip(1).step_by(2)).collect();
    assert!(quoted.len() > 15, "found only {quoted:?}");
    for text in quoted {
        assert!(sources.iter().any(|source| source.contains(text)), "no message has «{text}»");
    }
}
