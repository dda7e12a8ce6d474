//! `parlour backup`, `parlour verify` and `parlour restore`.

mod keys;
pub mod restore;
pub mod verify;

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::HumanBytes;

use super::folders::{FolderOptions, Folders};
use super::output::print;
use super::progress::ByteProgress;
use crate::backup::{self, Manifest, Places, Protection, Recipient, Written};
use crate::client::text::count::counted;
use crate::server::now;
use keys::KeyOptions;

/// The name of a file that stands for standard input or output.
const STANDARD: &str = "-";

/// Write a backup of the server into one file, whether it runs or not.
///
/// The file has everything: accounts, invites, channels, history, shared files, parlour.toml, certificates and keys.
/// `parlour restore` makes the same server of it, with the same pin. It is taken of one moment while messages flow, read
/// back and compared before it gets its name, and encrypted with age: with a passphrase,
/// for which it prompts, or to the recipients of --recipient.
///
/// `[backup]` in parlour.toml makes backups regularly.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour backup /media/stick/parlour.backup
  parlour backup --recipient age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p parlour.backup
  parlour backup --passphrase-file /etc/parlour/passphrase - | ssh nas 'cat > parlour.backup'
  parlour backup --no-secrets history.backup")]
pub struct Args {
    /// The file to write, which must not exist; `-` for standard output, which is not read back.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    folders: FolderOptions,
}

/// The options for who can open a backup.
#[derive(clap::Args)]
#[group(multiple = false)]
struct LockOptions {
    /// Encrypt to this public key of age, `age1…`, instead of a passphrase; may be given several times. `age-keygen` makes
    /// the pair.
    #[arg(long = "recipient", value_name = "AGE")]
    recipients: Vec<Recipient>,
    /// Read the passphrase from the first line of standard input instead of prompting for it.
    #[arg(long)]
    passphrase_stdin: bool,
    /// Read the passphrase from the first line of this file.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Leave out password hashes, keys and tokens, and do not encrypt. What is restored of it has the history and the
    /// accounts, a new pin, and nobody can log in before an admin gives them a new password.
    #[arg(long)]
    no_secrets: bool,
}

impl LockOptions {
    fn protection(self) -> anyhow::Result<Protection> {
        if self.no_secrets {
            return Ok(Protection::NoSecrets);
        }
        if !self.recipients.is_empty() {
            return Ok(Protection::Recipients(self.recipients));
        }
        let (text, source) = match (self.passphrase_stdin, &self.passphrase_file) {
            (true, _) => (keys::from_stdin()?, "on standard input".to_owned()),
            (false, Some(file)) => (backup::read_passphrase_file(file)?, format!("in {}", file.display())),
            (false, None) => (keys::ask_twice()?, "that was typed".to_owned()),
        };
        Ok(Protection::new_passphrase(&text, &source)?)
    }
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let folders = args.folders.existing()?;
    folders.require_database()?;
    let network = folders.config().map(|config| config.name).unwrap_or_default();
    // Before the user chooses a passphrase.
    check_output(&args.file)?;
    if !args.lock.no_secrets {
        backup::require_certificates(&folders.certs)?;
    }
    if !folders.config_file.exists() {
        note!(
            "-- there is no {}, so the backup has no configuration; name the file with --config if it is elsewhere",
            folders.config_file.display()
        );
    }
    let protection = args.lock.protection()?;
    let (places, progress) = (places_of(&folders), ByteProgress::new());
    let written = if args.file == Path::new(STANDARD) {
        backup::write_to(&places, &network, &protection, now(), io::stdout().lock(), &progress)?
    } else {
        backup::write_file(&places, &network, &protection, now(), &args.file, &progress)?
    };
    drop(progress);
    if let Err(error) = written.note.write(&folders.data) {
        note!("-- the time of this backup cannot be noted in {}: {error}", folders.data.display());
    }
    report(&args.file, &written)
}

/// Refuses an output that a backup cannot go to.
fn check_output(file: &Path) -> anyhow::Result<()> {
    if file == Path::new(STANDARD) {
        anyhow::ensure!(
            !io::stdout().is_terminal(),
            "a backup is no text for a terminal: name a file, or redirect standard output to a file or a program"
        );
    } else if file.exists() {
        return Err(backup::BackupError::Exists(file.to_owned()).into());
    }
    Ok(())
}

fn report(file: &Path, written: &Written) -> anyhow::Result<()> {
    let Written { manifest, bytes, .. } = written;
    let text = format!("{}, {}", HumanBytes(*bytes), describe_counts(manifest));
    if manifest.files.missing > 0 {
        note!(
            "-- {} of shared files are missing in the server's folder, and so in the backup; see `parlour doctor`",
            counted(manifest.files.missing, "content")
        );
    }
    if file == Path::new(STANDARD) {
        note!("{text}. Look at it where it is now: parlour verify FILE");
        return Ok(());
    }
    print(&format!("{}: {text}, read back and compared\n", file.display()))
}

/// Opens a backup.
fn open_backup(file: &Path, key: &KeyOptions) -> anyhow::Result<Box<dyn Read>> {
    if file != Path::new(STANDARD) {
        let open = File::open(file)
            .with_context(|| format!("cannot open {}; name the file of a backup", file.display()))?;
        if open.metadata().is_ok_and(|found| found.is_dir()) {
            bail!("{} is a folder; name the file of a backup", file.display());
        }
        return Ok(Box::new(open));
    }
    if key.uses_stdin() {
        bail!("standard input cannot be both the backup and the passphrase; use --passphrase-file");
    }
    Ok(Box::new(io::stdin().lock()))
}

/// Returns where the parts of a server are.
pub fn places_of(folders: &Folders) -> Places {
    Places {
        data: folders.data.clone(),
        certs: folders.certs.clone(),
        config_file: folders.config_file.clone(),
    }
}

/// Describes the pin of the server that is restored of a backup.
fn describe_pin(manifest: &Manifest) -> String {
    match &manifest.pin {
        Some(pin) if keeps_pin(manifest) => pin.clone(),
        _ => "none: no certificates are in it, so the restored server has a new pin and clients do not recognize it"
            .to_owned(),
    }
}

/// Returns whether the restored server has the pin of the original.
fn keeps_pin(manifest: &Manifest) -> bool {
    manifest.secrets && manifest.certs.contains_key("server.key")
}

/// Lists what a backup has.
fn describe_counts(manifest: &Manifest) -> String {
    let counts = manifest.counts;
    let parts = [
        counted(counts.accounts, "account"),
        counted(counts.channels, "channel"),
        counted(counts.messages, "message"),
        counted(counts.files, "file"),
    ];
    parts.join(", ")
}
