//! `parlour config`: checks, shows and explains the configuration of a server.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::cli::folders::FolderOptions;
use crate::cli::output::{print, print_objects};
use crate::server::config::changes::{ChangedKey, ValuesInForce};
use crate::server::config::{Config, EXAMPLE};
use crate::server::maintenance::backups;
use crate::trust::web_identity::PublicCertificate;

/// Check and show the configuration of a server, and print an example of one.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour config check
  parlour config show --changed
  parlour config example > parlour.toml")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Find mistakes in the configuration file, without a server.
    ///
    /// Prints the keys that differ from their defaults. The exit code is 1 if the file is wrong.
    Check {
        /// The file. Default: that of the server.
        file: Option<PathBuf>,
    },
    /// Print the values that the configuration file and the defaults make.
    ///
    /// A running server goes by them after `parlour reload`, which says what needs a restart.
    Show {
        /// Only values that differ from their defaults.
        #[arg(long)]
        changed: bool,
        /// Print a JSON object; with --changed, one for each key.
        #[arg(long)]
        json: bool,
    },
    /// Print an example: each key at its default, behind a #, with an explanation.
    Example,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    match action {
        Action::Check { file: Some(file) } => check(&Config::from_file(&file)?, &file),
        Action::Check { file: None } => {
            let folders = folders.existing()?;
            check(&folders.config()?, &folders.config_file)
        }
        Action::Show { changed: true, json } => {
            let changes = changes(&folders.existing()?.config()?);
            if json {
                return print_objects(&changes);
            }
            let line = |change: &ChangedKey| {
                format!("{} = {}\n", change.key, change.new.as_deref().unwrap_or_default())
            };
            print(&changes.iter().map(line).collect::<Vec<_>>().concat())
        }
        Action::Show { changed: false, json } => {
            let config = folders.existing()?.config()?;
            if json {
                return print_objects(&[config]);
            }
            print(&toml::to_string(&config)?)
        }
        Action::Example => print(EXAMPLE),
    }
}

/// Checks what reading the file has not, and prints what differs from the defaults.
fn check(config: &Config, file: &Path) -> anyhow::Result<()> {
    backups::check(&config.backup)?;
    config.web.public_certificate().map(PublicCertificate::load).transpose()?;
    let keys: Vec<String> = changes(config).into_iter().map(|change| change.key).collect();
    let which = if keys.is_empty() {
        "all keys have their defaults".to_owned()
    } else {
        format!("not at its default: {}", keys.join(", "))
    };
    let state = if file.exists() { "is right" } else { "does not exist, and need not" };
    print(&format!("{} {state}; {which}\n", file.display()))
}

/// Returns the keys that differ from their defaults.
fn changes(config: &Config) -> Vec<ChangedKey> {
    ValuesInForce::of(&Config::default()).take_over(config)
}
