//! `parlour certs`: makes, changes and shows the certificates.

mod guide;
mod json;
mod retire;
mod running_server;
mod web_root;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use rustls::pki_types::UnixTime;

use super::access;
use super::confirm::Confirmation;
use super::folders::{FolderOptions, Folders};
use super::output::{print, print_objects};
use crate::trust::certs::{self, CertFolders, CertificateInfo, SubjectAltName, Validity};
use crate::wire::Nick;
use guide::Program;

/// Make, change and show the certificates that prove the server's identity.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour certs generate --name chat.example.org
  parlour certs show
  parlour certs show --for irssi")]
pub struct Args {
    #[command(flatten)]
    folders: FolderOptions,
    #[command(subcommand)]
    action: Action,
}

/// The option for the folder of the root's key.
#[derive(clap::Args, Clone, Debug)]
struct RootKey {
    /// The folder of the root's key if it is kept away from the server, for example on a USB stick.
    #[arg(long, value_name = "DIR")]
    offline_root: Option<PathBuf>,
}

impl RootKey {
    fn key_place<'a>(&'a self, folder: &'a Path) -> CertFolders<'a> {
        CertFolders { folder, root_key_folder: self.offline_root.as_deref().unwrap_or(folder) }
    }
}

#[derive(Subcommand)]
enum Action {
    /// Make a root and a server certificate signed by it.
    ///
    /// The root's key is the server's identity: its hash, the pin, is in every invite. So existing files are never
    /// overwritten without --force.
    #[command(after_help = "\
Examples:
  parlour certs generate
  parlour certs generate --name chat.example.org --name 192.0.2.7
  parlour certs generate --offline-root /media/stick/parlour")]
    Generate {
        /// Another host name or IP address of this server, in addition to those it detects.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<SubjectAltName>,
        /// Overwrite existing certificates. The pin changes, so everybody must be invited again.
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        root_key: RootKey,
    },
    /// Make a new server certificate under the existing root. The pin stays.
    ///
    /// A running server does this by itself a month before expiry, if the root's key is in its folder. It uses the new
    /// certificate at once, and nobody is disconnected.
    #[command(after_help = "\
Examples:
  parlour certs renew --name new-name.example.org
  parlour certs renew --offline-root /media/stick/parlour")]
    Renew {
        /// Another host name or IP address of this server, in addition to the existing ones.
        #[arg(long = "name", value_name = "NAME")]
        names: Vec<SubjectAltName>,
        #[command(flatten)]
        root_key: RootKey,
    },
    /// Make a new root, signed by the old one. Clients learn the new pin when they connect.
    ///
    /// From then on the server presents both roots, and invites have the new pin. Nobody is disconnected, and nobody
    /// must be invited again. When all devices have been back: parlour certs retire.
    #[command(after_help = "\
Examples:
  parlour certs rotate
  parlour certs rotate --offline-root /media/stick/parlour")]
    Rotate {
        #[command(flatten)]
        root_key: RootKey,
    },
    /// End the old root, and list the devices that have not been back since the new one was made.
    #[command(after_help = "\
Example:
  parlour certs retire")]
    Retire {
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Print the pin, the names and the fingerprints that other programs need.
    #[command(after_help = "\
Examples:
  parlour certs show
  parlour certs show --for irssi --account alice
  parlour certs show | awk '$1 == \"pin\" { print $2 }'")]
    Show {
        /// Print the configuration for this program instead.
        #[arg(long = "for", value_name = "PROGRAM")]
        program: Option<Program>,
        /// The account for the program to log in to.
        #[arg(long, value_name = "NAME", default_value = "NAME", requires = "program", value_parser = access::parse_nick)]
        account: Nick,
        /// Print a JSON object.
        #[arg(long, conflicts_with = "program")]
        json: bool,
    },
    /// Make the web root, by which phones open the server's page, and show its QR code.
    ///
    /// It is an authority that people install on their phones, for this server's names and addresses alone; clients of IRC do not know it, and it
    /// has nothing to do with the pin. The page that the code leads to explains the installation. Whoever installs it
    /// compares the fingerprint, because the first visit is not verified. If there is a web root, it is shown.
    #[command(after_help = "\
Examples:
  parlour certs web-root
  parlour certs web-root --name chat.example.org --qr-file phones.png")]
    WebRoot(web_root::Options),
    /// Write the root's certificate, for programs that need the file of an authority.
    #[command(after_help = "\
Examples:
  parlour certs export-root > parlour-root.pem
  parlour certs export-root /usr/local/share/ca-certificates/parlour.crt")]
    ExportRoot {
        /// The file to write. Default: standard output.
        file: Option<PathBuf>,
    },
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let Args { folders, action } = args;
    let folders =
        if matches!(action, Action::Generate { .. }) { folders.own() } else { folders.existing_or_new() };
    let folder = &folders.certs;
    let now = UnixTime::now();
    match action {
        Action::Generate { names, force, root_key } => {
            let old = if force { certs::inspect(folder).ok() } else { None };
            let made = certs::generate(root_key.key_place(folder), &names, force, now)?;
            if old.is_some() {
                note!("The pin has changed: everybody who joined before must be invited again.");
                running_server::reload_running_server(&folders.data, made.certificates())?;
            }
            if let Some(away) = &root_key.offline_root {
                note!(
                    "The root's key is in {}: keep it away from the server, and a copy elsewhere. Without it nothing is renewed.",
                    away.display()
                );
            }
            print(&describe_certificates(folder, made.certificates()))?;
        }
        Action::Renew { names, root_key } => {
            let made = certs::renew(root_key.key_place(folder), &names, now)?;
            note!("The server certificate is new, the pin is the old one.");
            running_server::reload_running_server(&folders.data, made.certificates())?;
            print(&describe_certificates(folder, made.certificates()))?;
        }
        Action::Rotate { root_key } => {
            let made = certs::rotate(root_key.key_place(folder), now)?;
            note!("There is a new root, which the old one signed, and a new server certificate under it.");
            running_server::reload_running_server(&folders.data, made.certificates())?;
            note!(
                "Clients of ours learn the new pin when they connect the next time. Others that pinned the server's \
                 certificate need the new fingerprints, and those that were given root.pem the new one before you go on.\n\
                 When everybody has been back: parlour certs retire"
            );
            print(&describe_certificates(folder, made.certificates()))?;
        }
        Action::Retire { confirmation } => retire::run(&folders, confirmation, now)?,
        Action::Show { program: Some(program), account, .. } => {
            show_program_settings(&folders, program, account.as_str())?;
        }
        Action::Show { program: None, json: true, .. } => {
            print_objects(&[json::Certificates::from(&certs::inspect(folder)?)])?;
        }
        Action::Show { program: None, .. } => {
            print(&describe_certificates(folder, &certs::inspect(folder)?))?;
            if let Err(error) = certs::load(folder, now) {
                note!("A server refuses to start with these certificates: {error}");
            }
        }
        Action::WebRoot(options) => web_root::run(&folders, options, now)?,
        Action::ExportRoot { file } => {
            let root = certs::root_pem(folder)?;
            match file {
                None => print(&root)?,
                Some(file) => std::fs::write(&file, root).with_context(|| {
                    format!(
                        "cannot write {}; name another file, or run this as a user who may",
                        file.display()
                    )
                })?,
            }
        }
    }
    Ok(())
}

/// Prints the instructions for another program on standard output, and notes about them on standard error.
fn show_program_settings(folders: &Folders, program: Program, account: &str) -> anyhow::Result<()> {
    let certificates = certs::inspect(&folders.certs)?;
    let config = folders.config()?;
    let addresses = running_server::server_addresses(folders, &config)?;
    let named = |host: &str| host.parse().is_ok_and(|name| certificates.leaf_names.contains(&name));
    // Those of the configuration come first, and where there are any, one of them is meant.
    let wanted = if config.advertise.is_empty() { addresses.len() } else { config.advertise.len() };
    // A program that compares names needs an address that is in the certificate.
    let address = addresses
        .iter()
        .take(wanted)
        .find(|address| !program.checks_names() || named(address.host()))
        .or(addresses.first())
        .context("no address of this server is known; set `advertise` in parlour.toml")?;
    let root = folders.certs.join("root.pem");
    let root = std::path::absolute(&root).unwrap_or(root);
    let facts = guide::ServerFacts {
        network: config.name.as_str(),
        address,
        account,
        root: &root,
        certificates: &certificates,
    };
    note!("{}\n", program.note());
    print(&program.settings(&facts))?;
    if program.checks_names() && !named(address.host()) {
        note!(
            "\n{0} is not in the certificate, and this program compares: parlour certs renew --name {0}",
            address.host()
        );
    }
    Ok(())
}

/// Describes the certificates, with one property on each line.
fn describe_certificates(folder: &Path, certificates: &CertificateInfo) -> String {
    let file = |name: &str, life: Validity| format!("{}, {life}", folder.join(name).display());
    let names: Vec<String> = certificates.leaf_names.iter().map(ToString::to_string).collect();
    let fingerprints = &certificates.leaf_fingerprints;
    let mut lines = vec![("pin", certificates.pin.to_string())];
    if let Some(rotating) = certificates.rotation {
        lines.push(("old pin", format!("{}, until `parlour certs retire`", rotating.old_pin)));
    }
    lines.extend([
        ("root", file("root.pem", certificates.root_validity)),
        ("server", file("server.pem", certificates.leaf_validity)),
        ("names", names.join(", ")),
        ("", String::new()),
        ("openssl x509 -sha256", fingerprints.certificate.to_colon_hex()),
        ("irssi -tls_pinned_cert", fingerprints.certificate.to_colon_hex()),
        ("irssi -tls_pinned_pubkey", fingerprints.public_key.to_colon_hex()),
        ("WeeChat 3 ssl_fingerprint", fingerprints.certificate.to_hex()),
        ("WeeChat 4 tls_fingerprint", fingerprints.certificate.to_hex()),
    ]);
    let line = |(label, value): &(&str, String)| format!("{label:<27}{value}").trim_end().to_owned() + "\n";
    lines.iter().map(line).collect()
}
