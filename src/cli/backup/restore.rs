//! `parlour restore`: makes a server of a backup.

use std::path::PathBuf;

use super::keys::KeyOptions;
use super::{describe_counts, keeps_pin, open_backup, places_of};
use crate::backup::{self, Restored};
use crate::cli::folders::FolderOptions;
use crate::cli::output::print;
use crate::cli::progress::ByteProgress;

/// Make a server of a backup: the same accounts, devices, invites, history, files and pin.
///
/// Nothing is overwritten: the folder must not have a database or certificates. All of the backup is verified before
/// anything gets its name. Run as root, what is restored belongs to the owner of the folder.
///
/// A configuration that is there stays; then that of the backup is written beside it.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour restore parlour.backup --home /srv/chat
  sudo parlour restore parlour.backup --home /var/lib/parlour
  parlour restore --identity key.txt parlour.backup --home chat && parlour serve --home chat")]
pub struct Args {
    /// The backup; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    key: KeyOptions,
    #[command(flatten)]
    folders: FolderOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let folders = args.folders.own();
    let input = open_backup(&args.file, &args.key)?;
    let progress = ByteProgress::new();
    let places = places_of(&folders);
    let Restored { manifest, config_beside } =
        backup::restore(input, &places, &mut |kind| args.key.key(kind), &progress)?;
    drop(progress);
    if let Some(beside) = config_beside {
        note!(
            "{} was there and stays; the configuration of the backup is {}.",
            places.config_file.display(),
            beside.display()
        );
    }
    if !manifest.secrets {
        note!(
            "The backup has no passwords, keys and tokens: the server makes a new pin at its first start. Once it runs, \
             invite everybody again, each account with `parlour invite create --for NAME`."
        );
    } else if !keeps_pin(&manifest) {
        note!(
            "The backup has no certificates: the server makes a new pin at its first start, and clients do not recognize \
             it. If the folder of the certificates is kept elsewhere, put it in {} before. Otherwise invite everybody \
             again once it runs, each account with `parlour invite create --for NAME`.",
            places.certs.display()
        );
    }
    let pin = manifest.pin.as_deref().filter(|_| keeps_pin(&manifest));
    let pin = pin.map(|pin| format!("pin {pin}\n")).unwrap_or_default();
    print(&format!("{} is restored: {}\n{pin}", places.data.display(), describe_counts(&manifest)))
}
