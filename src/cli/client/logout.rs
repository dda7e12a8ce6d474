//! `parlour logout`: revokes this machine's key for an account.

use crate::cli::access::{self, describe_connect_error};
use crate::cli::client::device::flatten_answer;
use crate::cli::exit_code;
use crate::cli::output::print;
use crate::client::connect::connection::{ConnectError, Endpoint};
use crate::client::connect::discover;
use crate::client::connect::login::{Credentials, LoginError};
use crate::client::connect::session::Session;
use crate::client::files::servers::{KnownServer, Servers};
use crate::core::record::device::CertificateFingerprint;
use crate::trust::device::DeviceIdentity;
use crate::wire::{CapSet, Nick};

/// Log an account out on this machine: the server revokes the key, and it is removed here.
///
/// Sessions that use the key end at once. Where the server cannot be reached nothing is done; `parlour servers forget`
/// removes the key here alone.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour logout buildbot@work
  parlour logout work --name buildbot"))]
pub struct Args {
    /// The server, as `parlour servers` lists it.
    server: String,
    /// The account, if you have more than one there.
    #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
    name: Option<Nick>,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run_client(async {
        Servers::refuse_link(&args.server)?;
        let path = Servers::default_path()?;
        let servers = access::load_servers(&path)?;
        let known = match &args.name {
            Some(name) => servers.find_account(&args.server, name)?,
            None => servers.find(Some(&args.server))?,
        };
        let KnownServer { name: called, account, .. } = known;
        let done = match access::load_device(&path, known.pins, account)? {
            Some(device) => revoke(known, device).await?,
            None => "this machine had no key".to_owned(),
        };
        Servers::remove(&path, called)?;
        print(&format!("{account} is logged out of {called}: {done}\n"))
    })
}

/// Revokes the key on the server, if that still accepts it. Returns the description of what was done.
async fn revoke(known: &KnownServer, device: DeviceIdentity) -> anyhow::Result<String> {
    let fingerprint = CertificateFingerprint(device.certificate_hash()).to_string();
    let endpoint = Endpoint {
        addresses: known.addresses.clone(),
        pins: known.pins,
        servers: None,
        account: known.account.clone(),
        credentials: Credentials::Device,
        device: Some(device),
        enrols_device: false,
        read_by_user: false,
        extra_caps: CapSet::EMPTY,
        allows_discovery: discover::is_allowed(),
    };
    match Session::open(endpoint, Some(access::RECONNECT_TIMEOUT)).await {
        Ok(mut session) => {
            flatten_answer(session.revoke_device(&fingerprint).await)?;
            Ok("the server revoked this machine's key".to_owned())
        }
        // A busy server refuses a key that it knows, too.
        Err(ConnectError::Login(LoginError::Refused(reason))) => Ok(format!(
            "the key is removed here, and the server did not accept it: {reason}; `parlour device list` on another \
             machine shows whether it is still listed"
        )),
        Err(error) => Err(describe_connect_error(&error)),
    }
}
