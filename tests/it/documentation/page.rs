//! The pages of the documentation, as their Markdown is parsed.

use std::fs;
use std::path::Path;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use crate::architecture::root;

/// A page of the documentation.
pub struct Page {
    /// Its path from the package's folder, such as `docs/time.md`.
    pub name: String,
    /// Content in Markdown.
    pub text: String,
}

/// A fenced block of code.
pub struct CodeBlock {
    /// Language of the block, such as `sh`.
    pub language: String,
    /// The text of the comment (`<!-- … -->`) right above it.
    pub remark: Option<String>,
    /// Lines of the block.
    pub code: String,
}

/// Reads all pages of docs/, and those of the package's folder that users read.
pub fn pages() -> Vec<Page> {
    let mut names: Vec<String> = fs::read_dir(root().join("docs"))
        .expect("docs")
        .map(|entry| format!("docs/{}", entry.expect("an entry").file_name().to_string_lossy()))
        .filter(|name| {
            Path::new(name).extension().is_some_and(|extension| extension == "md")
                && name != "docs/SUMMARY.md"
        })
        .collect();
    names.sort();
    names.insert(0, "README.md".to_owned());
    names.into_iter().map(Page::read).collect()
}

impl Page {
    /// Reads the page of this name.
    pub fn read(name: impl Into<String>) -> Self {
        let name = name.into();
        let text = fs::read_to_string(root().join(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name, text }
    }

    fn events(&self) -> impl Iterator<Item = Event<'_>> {
        Parser::new_ext(&self.text, Options::ENABLE_TABLES)
    }

    /// Returns the fenced blocks of code, in their order.
    pub fn code_blocks(&self) -> Vec<CodeBlock> {
        let mut found: Vec<CodeBlock> = Vec::new();
        let (mut remark, mut is_code) = (None, false);
        for event in self.events() {
            match event {
                Event::Html(html) => {
                    let comment = html.trim().strip_prefix("<!--").and_then(|text| text.strip_suffix("-->"));
                    remark = comment.map(|text| text.trim().to_owned());
                }
                Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => {}
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                    let language = language.into_string();
                    found.push(CodeBlock { language, remark: remark.take(), code: String::new() });
                    is_code = true;
                }
                Event::End(TagEnd::CodeBlock) => is_code = false,
                Event::Text(text) if is_code => found.last_mut().expect("a block").code.push_str(&text),
                _ => remark = None,
            }
        }
        found
    }

    /// Returns the targets of links and pictures.
    pub fn links(&self) -> Vec<String> {
        let target = |event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url.into_string())
            }
            _ => None,
        };
        self.events().filter_map(target).collect()
    }

    /// Returns the code in the text.
    pub fn inline_code(&self) -> Vec<String> {
        let code = |event| match event {
            Event::Code(text) => Some(text.into_string()),
            _ => None,
        };
        self.events().filter_map(code).collect()
    }

    /// Returns the anchors of the headings, by which links name them.
    pub fn anchors(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut heading: Option<String> = None;
        for event in self.events() {
            match event {
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => found.extend(heading.take().map(|text| anchor(&text))),
                Event::Text(text) | Event::Code(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        found
    }
}

/// Returns the anchor that mdBook and code hosts give to a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | ' '));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}
