//! `parlour client config`: the settings of the chat.

use anyhow::{Context as _, ensure};

use crate::cli::output::print;
use crate::client::files::settings_file::SettingsFile;
use crate::client::settings::file::default_text;
use crate::client::text::count::counted;

/// Settings of the chat.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Print the settings that you changed, and check their file.
    ///
    /// `/set` in the chat changes them as well.
    #[command(after_help = "\
Examples:
  parlour client config                 the settings that you changed
  parlour client config --path          the file that they are in
  parlour client config --print         all settings with their defaults, as a commented file")]
    Config {
        /// Print a file that has each setting at its default, with comments.
        #[arg(long)]
        print: bool,
        /// Print the path of the file.
        #[arg(long, conflicts_with = "print")]
        path: bool,
    },
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let Action::Config { print: defaults, path } = args.action;
    if defaults {
        return print(&default_text());
    }
    let file = SettingsFile::at_default_path()
        .context("no home folder is known, so there is no place for settings: set HOME")?;
    if path {
        return print(&format!("{}\n", file.path().display()));
    }
    let (settings, problems) = file.load();
    let changed = settings.all().filter(|setting| !settings.is_default(&setting.name));
    let lines: Vec<String> =
        changed.map(|setting| format!("{} = {}\n", setting.name, setting.value)).collect();
    print(&lines.concat())?;
    for problem in &problems {
        note!("-- {problem}");
    }
    ensure!(
        problems.is_empty(),
        "{} has {}, see above",
        file.path().display(),
        counted(problems.len(), "problem")
    );
    Ok(())
}
