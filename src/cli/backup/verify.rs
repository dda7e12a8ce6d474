//! `parlour verify`: reads a backup and compares it with its checksums.

use std::path::PathBuf;

use super::keys::KeyOptions;
use super::{describe_counts, describe_pin, keeps_pin, open_backup};
use crate::backup::{self, Manifest};
use crate::cli::output::print;
use crate::cli::progress::ByteProgress;
use crate::client::text::clean::clean;

/// Read a backup completely and compare it with its checksums.
///
/// Nothing is written. With --json it prints the manifest of the backup: the versions, the pin, the counts, and the size
/// and SHA-256 of each part.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour verify parlour.backup
  parlour verify --identity key.txt --json parlour.backup | jq .counts
  ssh nas 'cat parlour.backup' | parlour verify --passphrase-file /etc/parlour/passphrase -")]
pub struct Args {
    /// The backup; `-` for standard input.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the manifest as one JSON document.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    key: KeyOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let input = open_backup(&args.file, &args.key)?;
    let progress = ByteProgress::new();
    let manifest = backup::verify(input, &mut |kind| args.key.key(kind), &progress)?;
    drop(progress);
    if args.json {
        return print(&(serde_json::to_string_pretty(&manifest)? + "\n"));
    }
    print(&describe(&manifest))
}

/// Describes a backup, with one property on each line.
fn describe(manifest: &Manifest) -> String {
    let secrets = match (manifest.secrets, keeps_pin(manifest)) {
        (true, true) => "with passwords, keys and tokens",
        (true, false) => "with passwords and tokens, no keys",
        (false, _) => "no passwords, keys and tokens",
    };
    let config = if manifest.config.is_some() { "" } else { "; no configuration" };
    let lines = [
        ("backup", "complete and unchanged".to_owned()),
        ("of", manifest.created.clone()),
        ("server", manifest.name.clone()),
        ("pin", describe_pin(manifest)),
        ("has", format!("{}; {secrets}{config}", describe_counts(manifest))),
        ("made by", format!("parlour {} (schema {})", manifest.parlour, manifest.schema)),
    ];
    let line = |(label, value): &(&str, String)| format!("{label:<9}{}\n", clean(value));
    lines.iter().map(line).collect()
}
