//! The options for a server's folders and its configuration file.

use std::path::{Path, PathBuf};

use crate::server::config::{Config, ConfigError};

/// The option for the folder of the certificates.
#[derive(clap::Args, Clone, Debug)]
pub struct Certs {
    /// The folder of the certificates and their keys.
    #[arg(long = "certs", value_name = "DIR", default_value = "certs", global = true)]
    pub path: PathBuf,
}

/// The options for the data, the certificates and the configuration.
#[derive(clap::Args, Clone, Debug)]
pub struct Folders {
    /// The folder of the database.
    #[arg(long = "data", value_name = "DIR", default_value = "data", global = true)]
    pub data: PathBuf,
    #[command(flatten)]
    pub certs: Certs,
    /// The configuration file. Default: parlour.toml, if there is one.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

impl Folders {
    /// Returns the path of the configuration file, which need not exist unless the option names it.
    pub fn config_file(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new("parlour.toml"))
    }

    /// Reads the configuration.
    pub fn config(&self) -> Result<Config, ConfigError> {
        match &self.config {
            Some(file) => Config::from_file(file),
            None => Config::from_optional_file(Path::new("parlour.toml")),
        }
    }
}
