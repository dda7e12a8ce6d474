//! State between two runs of the client, in `state.toml` of the user's state folder, readable by the user only.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::private_file;
use crate::client::settings::state::{State, StateError};
use crate::platform::files;
use crate::wire::Timestamp;

/// Limit of the file, in bytes. The program writes less.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The state file.
#[derive(Clone, Debug)]
pub struct StateFile(PathBuf);

/// Error of the state file. Each message states the remedy.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// The file cannot be read or written.
    #[error("cannot {0} {path}: {2}; drafts are not kept until that works", path = .1.display())]
    Io(&'static str, PathBuf, io::Error),
    /// The file is not valid.
    #[error("{path} cannot be used: {1}; it is kept as {kept}, and drafts start anew", path = .0.display(), kept = damaged_path(.0).display())]
    Damaged(PathBuf, String),
    /// The file is of a later version of the program.
    #[error("{path} was written by a later version of parlour; drafts are not kept by this one", path = .0.display())]
    Newer(PathBuf),
}

impl StateFile {
    /// Returns the file: `parlour/state.toml` in the user's state folder, or in the data folder where the system has no
    /// state folder. `None` without a home folder.
    pub fn at_default_path() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "parlour")?;
        let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir());
        Some(Self(folder.join("state.toml")))
    }

    /// Creates a handle of a file at another path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Reads the file. Without a file the state is empty. A damaged file is moved aside, so that the next save replaces
    /// nothing.
    pub fn load(&self, now: Timestamp) -> Result<State, StateFileError> {
        let failed = |error| StateFileError::Io("read", self.0.clone(), error);
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
            Err(error) => return Err(failed(error)),
        };
        let mut bytes = Vec::new();
        file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
        let parsed = match String::from_utf8(bytes) {
            Ok(text) if text.len() as u64 <= MAX_FILE_BYTES => State::parse(&text, now),
            Ok(_) => Err(StateError::Damaged("it is too large".to_owned())),
            Err(_) => Err(StateError::Damaged("it is not UTF-8".to_owned())),
        };
        parsed.map_err(|error| match error {
            StateError::Newer => StateFileError::Newer(self.0.clone()),
            StateError::Damaged(problem) => match fs::rename(&self.0, damaged_path(&self.0)) {
                Ok(()) => StateFileError::Damaged(self.0.clone(), problem),
                Err(error) => StateFileError::Io("move aside", self.0.clone(), error),
            },
        })
    }

    /// Writes the state of a client that had these servers open. What the file has about other servers stays.
    pub fn save(&self, mut state: State, servers: &[String], now: Timestamp) -> Result<(), StateFileError> {
        self.change(now, |older| {
            state.keep_others(std::mem::take(older), servers, now);
            *older = state;
        })
    }

    /// Changes what the file has.
    pub fn change(&self, now: Timestamp, change: impl FnOnce(&mut State)) -> Result<(), StateFileError> {
        let mut state = match self.load(now) {
            Ok(state) => state,
            // It was moved aside.
            Err(StateFileError::Damaged(..)) => State::default(),
            Err(error) => return Err(error),
        };
        change(&mut state);
        let failed = |error| StateFileError::Io("write", self.0.clone(), error);
        let text = state.to_text().map_err(|error| failed(io::Error::other(error)))?;
        if let Some(folder) = self.0.parent() {
            files::create_private_folder(folder).map_err(failed)?;
        }
        private_file::write(&self.0, &text).map_err(failed)
    }
}

fn damaged_path(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::settings::state::Draft;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn with_draft(key: &str, text: &str) -> State {
        let mut state = State::default();
        state.add_draft(key.parse().expect(key), Draft { text: text.to_owned(), reply_to: None });
        state
    }

    #[test]
    fn saves_of_two_servers_keep_both_in_a_private_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = StateFile::new(folder.path().join("new/state.toml"));
        assert_eq!(file.load(NOW).expect("no file"), State::default());
        file.save(with_draft("home/#a", "one"), &["home".to_owned()], NOW).expect("saves");
        file.save(with_draft("work/#b", "two"), &["work".to_owned()], NOW).expect("saves");
        let loaded = file.load(NOW).expect("loads");
        let texts: Vec<&str> = loaded.drafts.values().map(|draft| draft.text.as_str()).collect();
        assert_eq!(texts, ["one", "two"]);
        for path in [file.0.as_path(), file.0.parent().expect("a folder")] {
            assert!(!files::others_access(path).expect("is there").any, "{}", path.display());
        }
        // A draft that was sent is gone.
        file.save(State::default(), &["home".to_owned()], NOW).expect("saves");
        assert_eq!(file.load(NOW).expect("loads").drafts.len(), 1);
    }

    #[test]
    fn a_damaged_file_is_moved_aside_and_a_later_version_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("state.toml");
        let file = StateFile::new(path.clone());
        for damaged in [&b"nonsense"[..], b"\xff\xfe", b"version = 1\ndraft = 7"] {
            fs::write(&path, damaged).expect("writes");
            assert!(matches!(file.load(NOW), Err(StateFileError::Damaged(..))));
            assert!(!path.exists());
            assert_eq!(fs::read(folder.path().join("state.damaged")).expect("reads"), damaged);
        }
        fs::write(&path, "version = 99\n").expect("writes");
        let saved = file.save(with_draft("home/#a", "one"), &["home".to_owned()], NOW);
        assert!(matches!(saved, Err(StateFileError::Newer(_))));
        assert_eq!(fs::read_to_string(&path).expect("reads"), "version = 99\n");
    }
}
