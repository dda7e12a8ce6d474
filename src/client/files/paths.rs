//! Paths that users type: their home, and the completion of names.

use std::path::{Path, PathBuf};

use directories::UserDirs;

use crate::client::text::paths::FoundFile;

/// Limit of the entries of a folder that a completion looks at.
const MAX_LOOKED_AT: usize = 2_000;

/// Limit of the names that a completion offers.
const MAX_OFFERED: usize = 50;

/// Returns the path with the home folder in place of `~` at its beginning.
pub fn expand_home(path: &str) -> PathBuf {
    let home = || UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    let rest = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
    match rest.and_then(|rest| Some((home()?, rest))) {
        Some((home, rest)) => home.join(rest.trim_start_matches(['/', '\\'])),
        None => PathBuf::from(path),
    }
}

/// Returns the folder in which files are saved: that of downloads, or else the current one.
pub fn download_folder() -> PathBuf {
    let folder = UserDirs::new().and_then(|dirs| dirs.download_dir().map(Path::to_owned));
    folder.filter(|folder| folder.is_dir()).unwrap_or_else(|| PathBuf::from("."))
}

/// Looks for a file.
///
/// # Errors
/// There is none, or the path leads to something else, as a text for the user.
pub fn find_file(path: &str) -> Result<FoundFile, String> {
    let missing = || format!("there is no file {path}");
    let found = expand_home(path);
    let metadata = found.metadata().map_err(|_| missing())?;
    if !metadata.is_file() {
        return Err(format!("{path} is not a file; pack a folder into one file first"));
    }
    let name = found.file_name().ok_or_else(missing)?.to_string_lossy().into_owned();
    Ok(FoundFile { name, size: metadata.len() })
}

/// Returns the paths that begin with this one, in order; folders have a separator at their end. Hidden names are offered when
/// their dot is there.
pub fn complete_path(start: &str) -> Vec<String> {
    let (folder, name) = match start.rfind(['/', std::path::MAIN_SEPARATOR]) {
        Some(at) => start.split_at(at + 1),
        None => ("", start),
    };
    let looked_in = if folder.is_empty() { PathBuf::from(".") } else { expand_home(folder) };
    let Ok(entries) = looked_in.read_dir() else { return Vec::new() };
    let mut found: Vec<String> = entries
        .take(MAX_LOOKED_AT)
        .flatten()
        .filter_map(|entry| {
            let known = entry.file_name().into_string().ok()?;
            let is_offered = known.starts_with(name)
                && (name.starts_with('.') || !known.starts_with('.'))
                && !known.chars().any(char::is_control);
            let end = if entry.path().is_dir() { "/" } else { "" };
            is_offered.then(|| format!("{folder}{known}{end}"))
        })
        .collect();
    found.sort_unstable();
    found.truncate(MAX_OFFERED);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_completed_from_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.png", "b.png", "a b.txt", ".hidden"] {
            std::fs::write(folder.path().join(name), "12345").expect("written");
        }
        std::fs::create_dir(folder.path().join("album")).expect("a folder");
        let root = folder.path().to_str().expect("UTF-8");
        let complete = |start: &str| {
            let found = complete_path(&format!("{root}/{start}"));
            found.iter().map(|path| path[root.len() + 1..].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(complete("a"), ["a b.txt", "a.png", "album/"]);
        assert_eq!(complete(""), ["a b.txt", "a.png", "album/", "b.png"]);
        assert_eq!(complete("."), [".hidden"]);
        assert!(complete("missing/x").is_empty());
        let found = find_file(&format!("{root}/a b.txt")).expect("a file");
        assert_eq!((&*found.name, found.size), ("a b.txt", 5));
        assert!(
            find_file(root)
                .is_err_and(|error| error.ends_with("is not a file; pack a folder into one file first"))
        );
        assert!(find_file("missing").is_err_and(|error| error == "there is no file missing"));
        assert_eq!(expand_home("a~b"), PathBuf::from("a~b"));
        assert!(!expand_home("~/x").starts_with("~"));
    }
}
