//! `parlour login`: makes this machine a device of an account, so that scripts log in to it without a password.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use zeroize::Zeroizing;

use crate::cli::access::{self, ask_password, describe_connect_error};
use crate::cli::exit_code::{self, Exit};
use crate::cli::output::print;
use crate::client::connect::connection::{ConnectError, Endpoint};
use crate::client::connect::discover;
use crate::client::connect::login::{Credentials, LoginError};
use crate::client::connect::password::Password;
use crate::client::connect::session::Session;
use crate::client::files::devices::DeviceFile;
use crate::client::files::servers::Servers;
use crate::trust::{Address, Pin, Pins};
use crate::wire::{CapSet, Nick};

/// Log in to an account from this machine, so that scripts need no password.
///
/// Gives this machine a key for the account, after its password. From then on `parlour send`, `tail`, `history` and the
/// other commands use the account with --server and the name that `parlour servers` lists. Several accounts of one
/// server may be logged in; `parlour chat` opens the same one as before. `parlour logout` revokes the key.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour login work --name buildbot
  parlour login work --name buildbot --password-file /run/secrets/buildbot
  parlour login 192.0.2.7:6697 --pin bSg… --name buildbot
  parlour send --server buildbot@work '#builds' 'The build is green'"))]
pub struct Args {
    /// A server you have joined, by name or address; with --pin its address: HOST:PORT.
    server: String,
    /// Name of the account.
    #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
    name: Nick,
    /// Trust the server with this pin, if you have not joined it. `parlour certs show` on the server prints it.
    // One pin in 64 starts with a hyphen.
    #[arg(long, value_name = "PIN", allow_hyphen_values = true)]
    pin: Option<Pin>,
    /// Read the password from the first line of this file instead of prompting for it.
    #[arg(long, value_name = "FILE", conflicts_with = "password_stdin")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input instead of prompting for it.
    #[arg(long)]
    password_stdin: bool,
}

/// Number of passwords that a person may try.
const MAX_TRIES: u32 = 3;

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run_client(async {
        let path = Servers::default_path()?;
        Servers::check(&path)?;
        let (addresses, pins, called) = args.find_server(&path)?;
        let file = DeviceFile::for_account(&path, pins.current, &args.name);
        let has_key = file.load()?.is_some();
        let endpoint = |password, device| Endpoint {
            addresses: addresses.clone(),
            pins,
            servers: Some(path.clone()),
            account: args.name.clone(),
            credentials: Credentials::Password(password),
            device: Some(device),
            enrols_device: true,
            read_by_user: false,
            extra_caps: CapSet::EMPTY,
            allows_discovery: discover::is_allowed(),
        };
        let mut tries = if args.prompts() { MAX_TRIES } else { 1 };
        let opened = loop {
            tries -= 1;
            let password = args.read_password(&called).await?;
            let device = file.load_or_generate()?;
            match Session::open(endpoint(password, device), Some(access::RECONNECT_TIMEOUT)).await {
                Ok(session) if session.logs_in_by_device() => break Ok(session),
                Ok(_) => {
                    break Err(Exit::Login.error(
                        "this server does not take the keys of machines; give the password to each command \
                         with --password-stdin",
                    ));
                }
                Err(ConnectError::Login(error @ LoginError::Refused(_))) if tries > 0 => note!("-- {error}"),
                Err(error) => break Err(describe_connect_error(&error)),
            }
        };
        if opened.is_err() && !has_key {
            file.remove()?;
        }
        let session = opened?;
        // The server's spelling of the name may differ in case. Any other nick that it gives is not the account's name.
        let account = session.model.me().filter(|me| **me == args.name).unwrap_or(&args.name).clone();
        let called =
            Servers::store_for_script(&path, &session.endpoint().addresses, session.pins(), &account)?;
        session.close("").await;
        print(&format!(
            "{account} is logged in on this machine: --server {called} selects the account, and \
             `parlour logout {called}` logs it out\n"
        ))
    })
}

impl Args {
    fn prompts(&self) -> bool {
        !self.password_stdin && self.password_file.is_none()
    }

    /// Returns addresses, pins and name of the server.
    fn find_server(&self, path: &Path) -> anyhow::Result<(Vec<Address>, Pins, String)> {
        Servers::refuse_link(&self.server)?;
        if let Some(pin) = self.pin {
            let address: Address = self.server.parse().context("SERVER")?;
            let called = address.host().to_owned();
            return Ok((vec![address], pin.into(), called));
        }
        let servers = access::load_servers(path)?;
        let known = servers
            .find_account(&self.server, &self.name)
            .or_else(|_| servers.find_for_any_account(&self.server))?;
        Ok((known.addresses.clone(), known.pins, known.name.clone()))
    }

    async fn read_password(&self, called: &str) -> anyhow::Result<Password> {
        if self.password_stdin {
            return access::password_from_stdin();
        }
        if let Some(path) = &self.password_file {
            return password_from_file(path);
        }
        // A separate thread, because Ctrl-C must end the command while it waits.
        let prompt = format!("Password of {} on {called}: ", self.name);
        tokio::task::spawn_blocking(move || ask_password(&prompt)).await?
    }
}

/// Reads a password from the first line of a file. No error quotes the line.
fn password_from_file(path: &Path) -> anyhow::Result<Password> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut line = Zeroizing::new(String::with_capacity(access::MAX_PASSWORD_LINE.into()));
    BufReader::new(file)
        .take(access::MAX_PASSWORD_LINE.into())
        .read_line(&mut line)
        .with_context(|| format!("cannot read {}", path.display()))?;
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Password::new(line)
        .map_err(|why| anyhow!("{why}; the first line of {} has to be the password", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_file_is_read_to_the_end_of_its_first_line() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("written");
            password_from_file(&path)
        };
        assert!(
            read("correct horse\r\nsecond line\n").expect("a password")
                == read("correct horse").expect("the same")
        );
        for bad in ["", "\nsecret", "se\tcret\n", &"x".repeat(2000)] {
            let text = read(bad).expect_err("no password").to_string();
            assert!(
                text.contains("the first line of") && !text.contains("secret;") && !text.contains("cret\n"),
                "{text}"
            );
        }
        assert!(password_from_file(&folder.path().join("none")).is_err());
    }
}
