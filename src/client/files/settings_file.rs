//! Settings of the client, in `client.toml` beside `servers.toml`.
//!
//! The user edits the file too. So a change by the program keeps their comments, and a file that it cannot read is never
//! replaced.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::private_file;
use crate::client::settings::Settings;
use crate::client::settings::file::{self, MAX_BYTES, Parsed, Problem};
use crate::platform::files;

/// The settings file.
#[derive(Clone, Debug)]
pub struct SettingsFile(PathBuf);

/// Error of a change of the file. Each message states the remedy.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFileError {
    /// The file cannot be read.
    #[error("cannot read {path}: {1}", path = .0.display())]
    Read(PathBuf, io::Error),
    /// The file cannot be written.
    #[error("cannot write {path}: {1}; the change holds until you quit", path = .0.display())]
    Write(PathBuf, io::Error),
    /// The file is not valid, so it stays as it is.
    #[error("{path} stays as it is, because of {1}; the change holds until you quit", path = .0.display())]
    Damaged(PathBuf, Problem),
}

impl SettingsFile {
    /// Returns the file: `parlour/client.toml` in the user's configuration folder. `None` without a home folder.
    pub fn at_default_path() -> Option<Self> {
        let dirs = directories::ProjectDirs::from("", "", "parlour")?;
        Some(Self(dirs.config_dir().join("client.toml")))
    }

    /// Creates a handle of a file at another path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Reads the settings. Without a file, and for what is wrong in it, they are at their defaults. The problems are
    /// texts for the user.
    pub fn load(&self) -> (Settings, Vec<String>) {
        match self.read() {
            Ok(text) => {
                let Parsed { settings, problems } = file::parse(&text.unwrap_or_default());
                let name =
                    self.0.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                (settings, problems.iter().map(|problem| format!("{name}, {problem}")).collect())
            }
            Err(error) => {
                let error = SettingsFileError::Read(self.0.clone(), error);
                (Settings::default(), vec![format!("{error}; all settings are at their defaults")])
            }
        }
    }

    /// Stores the value that one setting has. The rest of the file stays.
    pub fn store(&self, name: &str, settings: &Settings) -> Result<(), SettingsFileError> {
        let failed = |error| SettingsFileError::Write(self.0.clone(), error);
        let old = self.read().map_err(failed)?;
        let damaged = |problem| SettingsFileError::Damaged(self.0.clone(), problem);
        let new = file::update(old.as_deref().unwrap_or(NEW_FILE), name, settings).map_err(damaged)?;
        if old.as_ref() == Some(&new) || old.is_none() && new == NEW_FILE {
            return Ok(());
        }
        if let Some(folder) = self.0.parent() {
            files::create_private_folder(folder).map_err(failed)?;
        }
        // A link, as programs for dotfiles make it, stays one.
        let path = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        private_file::write(&path, &new).map_err(failed)
    }

    /// Reads the text; `None` without a file.
    fn read(&self) -> io::Result<Option<String>> {
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(MAX_BYTES as u64 + 1).read_to_string(&mut text)?;
        if text.len() > MAX_BYTES {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 256 KiB"));
        }
        Ok(Some(text))
    }
}

/// Beginning of a new file.
const NEW_FILE: &str = "# Settings of `parlour chat`. `parlour client config --print` shows all of them.\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, value: &str) -> Settings {
        let mut settings = Settings::default();
        settings.set(name, value).expect(name);
        settings
    }

    #[test]
    fn a_change_makes_a_private_file_and_is_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = SettingsFile::new(folder.path().join("new/client.toml"));
        assert_eq!(file.load(), (Settings::default(), Vec::new()));
        file.store("bell", &Settings::default()).expect("nothing to store");
        assert!(!file.path().exists());
        let quiet = settings("bell", "false");
        file.store("bell", &quiet).expect("stores");
        assert_eq!(file.load(), (quiet, Vec::new()));
        assert!(!files::others_access(file.path()).expect("a file").any);
        assert_eq!(fs::read_to_string(file.path()).expect("reads"), format!("{NEW_FILE}bell = false\n"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_reported_and_never_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("client.toml");
        let file = SettingsFile::new(path.clone());
        let quiet = settings("bell", "false");
        for content in [&b"theme = "[..], b"\xff\xfe", b"theme = \"light\"\n[keys"] {
            fs::write(&path, content).expect("writes");
            let (loaded, problems) = file.load();
            assert_eq!((loaded, problems.len()), (Settings::default(), 1));
            assert!(problems[0].contains("at their defaults"), "{problems:?}");
            file.store("bell", &quiet).expect_err("refused");
            assert_eq!(fs::read(&path).expect("reads"), content);
        }
        fs::write(&path, "#".repeat(MAX_BYTES + 1)).expect("writes");
        assert_eq!(file.load().1.len(), 1);
        file.store("bell", &quiet).expect_err("refused");
        fs::write(&path, "tehme = \"dark\"\nmouse = false\n").expect("writes");
        let (loaded, problems) = file.load();
        assert_eq!(loaded, settings("mouse", "false"));
        assert_eq!(problems, ["client.toml, line 1: there is no setting tehme; did you mean theme?"]);
        file.store("bell", &quiet).expect("a wrong key is no reason to refuse");
        assert_eq!(
            fs::read_to_string(&path).expect("reads"),
            "tehme = \"dark\"\nmouse = false\nbell = false\n"
        );
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real.toml"), folder.path().join("client.toml"));
        fs::write(&real, "bell = true # x\n").expect("writes");
        if !files::link(&real, &link) {
            return;
        }
        SettingsFile::new(link.clone()).store("bell", &settings("bell", "false")).expect("stores");
        assert!(link.symlink_metadata().expect("a link").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("reads"), "bell = false # x\n");
    }
}
