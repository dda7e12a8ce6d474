//! The files of the page, as they are in `web/`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/web");

static ASSETS: LazyLock<HashMap<String, Asset>> = LazyLock::new(|| {
    let mut assets = HashMap::new();
    let mut folders = vec![&FILES];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        for file in folder.files() {
            let path = file.path().to_string_lossy().replace('\\', "/");
            if let Some(content_type) = content_type(&path) {
                let etag = entity_tag(file.contents());
                assets.insert(format!("/{path}"), Asset { content: file.contents(), content_type, etag });
            }
        }
    }
    assets
});

/// A file of the page.
#[derive(Debug)]
pub(super) struct Asset {
    pub content: &'static [u8],
    pub content_type: &'static str,
    /// Entity tag, in quotes: by it a browser learns that its copy is still the present one.
    pub etag: String,
}

/// Path of the page itself.
pub(super) const INDEX: &str = "/index.html";

/// Returns the file at a path of a URL, such as `/main.js`. Paths are compared as they are: nothing in them is decoded
/// or resolved, so none leads out of the page's files.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    ASSETS.get(if path == "/" { INDEX } else { path })
}

/// Returns the type of a file by its name. A file of another type, such as one for the type checker alone, is not
/// served.
fn content_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webmanifest" => "application/manifest+json",
        _ => return None,
    })
}

fn entity_tag(content: &[u8]) -> String {
    let mut tag = String::from('"');
    for byte in Sha256::digest(content).iter().take(16) {
        // Writing to a string cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Size limit of all files of the page, in bytes. They are sent uncompressed, and a visit loads a third of them until one can write;
    /// `tests/web/browser/weight.test.js` has the limit for that.
    const MAX_PAGE_BYTES: usize = 760 * 1024;

    fn files_of(folder: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(folder).expect("a folder of the page") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                files_of(&path, found);
            } else {
                let name = path.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).expect("in web/");
                let name = name.display().to_string().replace('\\', "/");
                found.push((format!("/{name}"), fs::read(&path).expect("a file of the page")));
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served_as_it_is() {
        let mut files = Vec::new();
        files_of(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/web")), &mut files);
        files.retain(|(path, _)| content_type(path).is_some());
        assert_eq!(files.len(), ASSETS.len());
        for (path, content) in files {
            assert_eq!(find(&path).map(|asset| asset.content), Some(&content[..]), "{path}");
        }
        assert_eq!(find("/").map(|asset| &asset.etag), find(INDEX).map(|asset| &asset.etag));
    }

    #[test]
    fn page_stays_small() {
        let bytes: usize = ASSETS.values().map(|asset| asset.content.len()).sum();
        assert!(bytes <= MAX_PAGE_BYTES, "the page has {bytes} bytes");
    }

    #[test]
    fn no_path_leads_out_of_the_page() {
        for path in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/./index.html",
            "//index.html",
            "/index.html/",
            "",
            "/web",
        ] {
            assert!(find(path).is_none(), "{path}");
        }
    }
}
