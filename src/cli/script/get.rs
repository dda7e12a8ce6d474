//! `parlour get`: saves a file from a message.

use std::io;
use std::path::{Path, PathBuf, is_separator};

use anyhow::Context as _;

use super::LoginOptions;
use super::transfer::{Bar, describe_transfer_error};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::cli::output::{ignore_broken_pipe, print};
use crate::client::connect::connection::Endpoint;
use crate::client::connect::login::Credentials;
use crate::client::text::file_address::FileAddress;
use crate::client::transfer::download::Download;
use crate::client::transfer::target::{self, Target};
use crate::client::transfer::{FileServer, Progress, TransferError};

/// Save a file that was shared in a message, and print where it is.
///
/// URL is the address as it stands in the message, of a server that this machine has joined. The file gets the name that
/// its address has, or else the one that the server has for it, in the current folder, and is there once it is whole. A broken connection is re-established, and the
/// rest is read then.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour get https://chat.example:6697/f/k3sVnR0mQ2yq1r8uJ5wX7A/photo.png
  parlour get https://chat.example:6697/f/k3sVnR0mQ2yq1r8uJ5wX7A/log.txt -o - | grep error"))]
pub struct Args {
    /// The address of the file: https://HOST:PORT/f/ID/NAME, or a link to it.
    url: String,
    /// Write to this file or into this folder; - for standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace a file that is there already.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    login: LoginOptions,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let address = FileAddress::parse(&args.url)?;
    access::run_client(async {
        tokio::select! {
            done = get(args, &address) => done,
            () = access::wait_for_interrupt() => Err(Exit::Failed.error("interrupted; nothing was saved")),
        }
    })
}

async fn get(args: &Args, address: &FileAddress) -> anyhow::Result<()> {
    let endpoint =
        find_endpoint(&args.login, address).with_context(|| format!("the file is on {}", address.server))?;
    let output = Some(&args.output).filter(|_| args.output.as_deref() != Some(Path::new("-")));
    let target_named =
        |name: &str| output.map(|output| make_target(output.as_deref(), name, args.force)).transpose();
    // What is in the way of the file is known before it is asked for, if its name is.
    let early = if address.has_name() { target_named(&address.name())? } else { None };
    let progress = Progress::default();
    let opened = Download::open(FileServer::new(&endpoint), &address.path, &progress).await;
    let mut download = opened.map_err(|error| describe_transfer_error(&error))?;
    let name = download.name.clone().filter(|_| !address.has_name()).unwrap_or_else(|| address.name());
    let target = if address.has_name() { early } else { target_named(&name)? };
    let bar = Bar::new(&name, download.size);
    let Some(target) = target else {
        let mut output = tokio::io::stdout();
        let copied = bar.show(&progress, target::copy(&mut download, &mut output)).await;
        ignore_broken_pipe(copied.map_err(|error| describe_transfer_error(&error))?)?;
        return Ok(());
    };
    let saved = bar.show(&progress, target.fill(&mut download)).await;
    let path = saved.map_err(|error| describe_transfer_error(&error))?;
    print(&format!("{}\n", path.display()))
}

/// Returns the server of a file, with this device's key, or else with the password if the file needs a login.
fn find_endpoint(login: &LoginOptions, address: &FileAddress) -> anyhow::Result<Endpoint> {
    let server = login.server.clone().unwrap_or_else(|| address.server.to_string());
    let (mut endpoint, called) = login.access.device_endpoint(Some(&server))?;
    if address.id.is_none() {
        endpoint.device = None;
    } else if login.access.password_stdin {
        endpoint.credentials = Credentials::Password(access::password_from_stdin()?);
    } else if endpoint.device.is_none() {
        let prompt = format!("Password of {} on {called}: ", endpoint.account);
        endpoint.credentials = Credentials::Password(access::ask_password(&prompt)?);
    }
    Ok(endpoint)
}

fn make_target(output: Option<&Path>, name: &str, replaces: bool) -> anyhow::Result<Target> {
    let path = match output {
        None => PathBuf::from(name),
        Some(folder) if folder.is_dir() => folder.join(name),
        Some(path) if path.as_os_str().to_string_lossy().ends_with(is_separator) => {
            return Err(Exit::Failed.error(format!("there is no folder {}; make it first", path.display())));
        }
        Some(path) => path.to_owned(),
    };
    Target::create(&path, replaces).map_err(|error| match error {
        TransferError::Write { source, path } if source.kind() == io::ErrorKind::IsADirectory => {
            Exit::Failed.error(format!("{} is a folder; name another file with -o", path.display()))
        }
        error => describe_transfer_error(&error),
    })
}
