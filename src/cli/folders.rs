//! The options for a server's folders and its configuration file.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::builder::{OsStringValueParser, TypedValueParser as _};

use crate::platform::service;
use crate::server::config::{Config, ConfigError};

/// The names in a server's home, which is the current folder by default.
const DATA: &str = "data";
const CERTS: &str = "certs";
const CONFIG: &str = "parlour.toml";

/// The options for the folder of the database, for commands that need no other.
#[derive(clap::Args, Clone, Debug)]
pub struct DataOptions {
    #[arg(long, value_name = "DIR", help = format!("The folder of a server, which holds its data, certs and parlour.toml. \
        Default: the current folder; if no server is there, {}", service::SYSTEM_HOME), env = "PARLOUR_HOME", hide_env_values = true, global = true,
        value_parser = OsStringValueParser::new().map(PathBuf::from))]
    home: Option<PathBuf>,
    /// The folder of the database. Default: data in the server's folder.
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

/// The options for the data, the certificates and the configuration.
#[derive(clap::Args, Clone, Debug)]
pub struct FolderOptions {
    #[command(flatten)]
    data: DataOptions,
    /// The folder of the certificates and their keys. Default: certs in the server's folder.
    #[arg(long, value_name = "DIR", global = true)]
    certs: Option<PathBuf>,
    /// The configuration file. Default: parlour.toml in the server's folder, if there is one.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// The folders and the configuration file of one server.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The folder of the database.
    pub data: PathBuf,
    /// The folder of the certificates and their keys.
    pub certs: PathBuf,
    /// The configuration file, which need not exist unless `names_config`.
    pub config_file: PathBuf,
    /// Set if an option named the configuration file.
    names_config: bool,
}

impl DataOptions {
    /// Returns the folder of the database of an existing server, and says so where it is not in the current folder and no
    /// option named it.
    ///
    /// # Errors
    /// An option names a folder that does not exist.
    pub fn existing(&self) -> anyhow::Result<PathBuf> {
        let options = FolderOptions { data: self.clone(), certs: None, config: None };
        Ok(options.existing()?.data)
    }

    /// Returns the server's home, empty for the current folder. `PARLOUR_HOME` without a value counts as unset.
    fn home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|home| !home.as_os_str().is_empty())
    }
}

impl FolderOptions {
    /// The option for the folder of a server alone.
    pub fn for_home(home: PathBuf) -> Self {
        Self { data: DataOptions { home: Some(home), data: None }, certs: None, config: None }
    }

    /// Returns the folders of a server that may not exist yet.
    pub fn own(&self) -> Folders {
        self.within(self.data.home().unwrap_or(Path::new("")))
    }

    /// Returns the folders of an existing server: those of the options, else the current folder, else the system's server.
    /// Tells on standard error of the latter.
    ///
    /// # Errors
    /// An option names a folder or a file that does not exist.
    pub fn existing(&self) -> anyhow::Result<Folders> {
        self.require_named()?;
        Ok(self.existing_or_new())
    }

    /// Returns the folders as [`existing`](Self::existing) does, for a command that makes a server where there is none, or
    /// that says itself what is missing.
    pub fn existing_or_new(&self) -> Folders {
        let own = self.own();
        let home = service::system_home();
        let system = self.within(&home);
        if self.names_none() && !own.hold_server() && system.hold_server() {
            note!("The server in {}:", home.display());
            return system;
        }
        own
    }

    /// Fails if an option names what does not exist: a mistyped path must not count as one where nothing is.
    fn require_named(&self) -> anyhow::Result<()> {
        let Self { data: DataOptions { data, .. }, certs, config } = self;
        let folders = [
            ("the folder of the server", self.data.home(), "--home"),
            ("the folder of the database", data.as_deref(), "--data"),
            ("the folder of the certificates", certs.as_deref(), "--certs"),
        ];
        for (what, path, option) in folders {
            let Some(path) = path else { continue };
            ensure!(path.is_dir(), "there is no folder {}: name {what} with {option}", path.display());
        }
        if let Some(path) = config {
            ensure!(
                path.exists(),
                "there is no file {}: name the configuration with --config",
                path.display()
            );
        }
        Ok(())
    }

    /// Returns whether no option says where the server is.
    fn names_none(&self) -> bool {
        let Self { data: DataOptions { data, .. }, certs, config } = self;
        self.data.home().is_none() && data.is_none() && certs.is_none() && config.is_none()
    }

    fn within(&self, home: &Path) -> Folders {
        let or = |option: &Option<PathBuf>, name| option.clone().unwrap_or_else(|| home.join(name));
        Folders {
            data: or(&self.data.data, DATA),
            certs: or(&self.certs, CERTS),
            config_file: self.config.clone().unwrap_or_else(|| config_file(home)),
            names_config: self.config.is_some(),
        }
    }
}

/// Returns the configuration file in a home. That of the system's server may be elsewhere.
fn config_file(home: &Path) -> PathBuf {
    let (own, of_system) = (home.join(CONFIG), service::system_config());
    if home == service::system_home() && !own.exists() && of_system.exists() { of_system } else { own }
}

impl Folders {
    /// Reads the configuration.
    pub fn config(&self) -> Result<Config, ConfigError> {
        if self.names_config {
            Config::from_file(&self.config_file)
        } else {
            Config::from_optional_file(&self.config_file)
        }
    }

    /// Returns whether the folders belong to a server.
    pub fn hold_server(&self) -> bool {
        let of_certs = ["root.pem", "root.key", "server.pem", "server.key"];
        self.hold_database()
            || of_certs.iter().any(|file| self.certs.join(file).exists())
            || self.config_file.exists()
    }

    /// Fails if there is no database.
    pub fn require_database(&self) -> anyhow::Result<()> {
        ensure!(
            has_file(&self.data, "parlour.db")? || has_file(&self.data, "parlour.position")?,
            "there is no database in {}: run this where the server runs, or name its folder with --home",
            self.data.display()
        );
        Ok(())
    }

    /// Returns whether there is a database, or was one.
    pub fn hold_database(&self) -> bool {
        ["parlour.db", "parlour.position"].iter().any(|file| self.data.join(file).exists())
    }
}

/// Returns whether a folder has a file. Fails if that cannot be told, as in a folder of another user.
pub fn has_file(folder: &Path, name: &str) -> anyhow::Result<bool> {
    folder.join(name).try_exists().with_context(|| {
        format!("cannot look into {}: run this as the user that runs the server", folder.display())
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn what_cannot_be_looked_at_is_not_called_missing() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!has_file(folder.path(), "parlour.db").expect("it is not there"));
        let error = has_file(folder.path(), "parlour\0db").expect_err("no system can look for that");
        assert!(error.to_string().starts_with("cannot look into "), "{error}");
    }

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        folders: FolderOptions,
    }

    fn parse(arguments: &[&str]) -> FolderOptions {
        Line::parse_from([&["parlour"], arguments].concat()).folders
    }

    #[test]
    fn home_sets_all_and_each_option_wins_over_it() {
        let folders = parse(&["--home", "/srv/chat"]).own();
        assert_eq!(folders.data, Path::new("/srv/chat/data"));
        assert_eq!(folders.certs, Path::new("/srv/chat/certs"));
        assert_eq!(folders.config_file, Path::new("/srv/chat/parlour.toml"));
        let folders = parse(&["--home", "/srv/chat", "--certs", "/etc/parlour/certs"]).own();
        assert_eq!(folders.data, Path::new("/srv/chat/data"));
        assert_eq!(folders.certs, Path::new("/etc/parlour/certs"));
    }

    #[test]
    fn paths_in_the_current_folder_are_printed_without_a_dot() {
        assert_eq!(parse(&[]).own().data, Path::new("data"));
        assert_eq!(parse(&["--home", ""]).own().data, Path::new("data"));
    }

    #[test]
    fn what_an_option_names_must_exist() {
        let home = tempfile::tempdir().expect("a folder");
        let here = home.path().to_str().expect("UTF-8");
        let missing = home.path().join("missing");
        let missing = missing.to_str().expect("UTF-8");
        for option in ["--home", "--data", "--certs", "--config"] {
            let error = parse(&[option, missing]).existing().expect_err("refused").to_string();
            assert!(error.contains(missing) && error.contains(option), "{error}");
            assert!(parse(&[option, here]).existing().is_ok(), "{option}");
        }
        assert_eq!(parse(&["--home", missing]).existing_or_new().data, Path::new(missing).join("data"));
        assert!(parse(&[]).existing().is_ok());
    }

    #[test]
    fn any_option_rules_out_the_systems_server() {
        for option in ["--home", "--data", "--certs", "--config"] {
            assert!(!parse(&[option, "x"]).names_none(), "{option}");
        }
        assert!(parse(&[]).names_none());
    }
}
