//! `parlour certs`: makes and shows the certificates.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use rustls::pki_types::UnixTime;

use super::output::print;
use crate::trust::certs::{self, Certificates, Name, Validity};

/// Make and show the certificates that prove who the server is.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour certs generate --name chat.example.org
  parlour certs show")]
pub struct Args {
    #[command(flatten)]
    folder: Folder,
    #[command(subcommand)]
    action: Action,
}

/// The option that says where the certificates are.
#[derive(clap::Args, Clone, Debug)]
pub struct Folder {
    /// The folder of the certificates and their keys.
    #[arg(long = "certs", value_name = "DIR", default_value = "certs", global = true)]
    pub path: PathBuf,
}

#[derive(Subcommand)]
enum Action {
    /// Make a root and a server certificate under it.
    ///
    /// The root's key is the server's identity: its hash, the pin, is in every invite. So nothing that
    /// is there is ever overwritten without --force.
    #[command(after_help = "\
Examples:
  parlour certs generate
  parlour certs generate --name chat.example.org --name 192.0.2.7")]
    Generate {
        /// One more host name or IP address of this server, beside those it finds by itself.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<Name>,
        /// Overwrite what is there. The pin changes: everybody must be invited again.
        #[arg(long)]
        force: bool,
    },
    /// Make a new server certificate under the root that is there. The pin stays.
    #[command(after_help = "\
Example:
  parlour certs renew --name new-name.example.org")]
    Renew {
        /// One more host name or IP address of this server, beside those it had.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<Name>,
    },
    /// Print the pin, the names and the fingerprints that other programs ask for.
    #[command(after_help = "\
Examples:
  parlour certs show
  parlour certs show | awk '$1 == \"pin\" { print $2 }'")]
    Show,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let folder = args.folder.path;
    let now = UnixTime::now();
    match args.action {
        Action::Generate { names, force } => {
            let old = if force { certs::inspect(&folder).ok() } else { None };
            let made = certs::generate(&folder, &names, force, now)?;
            if old.is_some() {
                eprintln!("The pin has changed: everybody who joined before must be invited again.");
            }
            print(&description(&folder, made.certificates()))?;
        }
        Action::Renew { names } => {
            let made = certs::renew(&folder, &names, now)?;
            eprintln!(
                "The server certificate is new, the pin is the old one. A running server takes it at its next start."
            );
            print(&description(&folder, made.certificates()))?;
        }
        Action::Show => {
            print(&description(&folder, &certs::inspect(&folder)?))?;
            if let Err(error) = certs::load(&folder, now) {
                eprintln!("A server refuses to start with these certificates: {error}");
            }
        }
    }
    Ok(())
}

/// A line for each thing: what it is, then its value.
fn description(folder: &Path, certificates: &Certificates) -> String {
    let file = |name: &str, life: Validity| format!("{}, {life}", folder.join(name).display());
    let names: Vec<String> = certificates.names.iter().map(ToString::to_string).collect();
    let of = &certificates.fingerprints;
    let lines = [
        ("pin", certificates.pin.to_string()),
        ("root", file("root.pem", certificates.root)),
        ("server", file("server.pem", certificates.server)),
        ("names", names.join(", ")),
        ("", String::new()),
        ("openssl x509 -sha256", of.certificate.colons()),
        ("irssi -tls_pinned_cert", of.certificate.colons()),
        ("irssi -tls_pinned_pubkey", of.public_key.colons()),
        ("WeeChat 3 ssl_fingerprint", of.certificate.digits()),
        ("WeeChat 4 tls_fingerprint", of.certificate.digits()),
    ];
    let line = |(what, value): &(&str, String)| format!("{what:<27}{value}").trim_end().to_owned() + "\n";
    lines.iter().map(line).collect()
}
