//! `parlour certs web-root`: makes and shows the authority that people install on their phones.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::bail;
use rustls::pki_types::UnixTime;

use super::running_server;
use crate::cli::admin::qr::{self, ImageFile, QrMatrix};
use crate::cli::folders::Folders;
use crate::cli::output::print;
use crate::server::config::Config;
use crate::trust::Address;
use crate::trust::certs::{self, SubjectAltName, WebCertificates};
use crate::web::phone;
use crate::web::ports::is_refused_by_browsers;

/// Port of a URL that names none.
const HTTPS_PORT: u16 = 443;

/// Width of the labels of the output.
const LABEL_COLUMNS: usize = 27;

/// Options of the subcommand.
#[derive(clap::Args)]
pub struct Options {
    /// Another host name or IP address by which phones reach this server, in addition to those of its certificate. Only
    /// for a new web root.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<SubjectAltName>,
    /// Replace the web root, for other names. The new one must be installed again on every phone.
    #[arg(long)]
    force: bool,
    /// Write the QR code of the page to a new file that only you can read: FILE.png or FILE.svg.
    #[arg(long, value_name = "FILE", value_parser = qr::parse_image_path)]
    qr_file: Option<PathBuf>,
}

/// Runs the subcommand.
pub fn run(folders: &Folders, options: Options, now: UnixTime) -> anyhow::Result<()> {
    let Options { names, force, qr_file } = options;
    let folder = &folders.certs;
    let config = folders.config()?;
    let addresses = running_server::server_addresses(folders, &config)?;
    let image = qr_file.as_deref().map(ImageFile::create).transpose()?;
    let existing = if force { None } else { certs::load_web_root(folder, now)? };
    let web_root = match existing {
        Some(existing) => {
            if let Some(other) = names.iter().find(|name| !existing.names.contains(name)) {
                bail!(
                    "the web root is not for {other}; with --force there is a new one, which must be installed again on every phone"
                );
            }
            existing
        }
        None => make(folders, &config, &addresses, names, force)?,
    };
    let url = page_url(&web_root.names, &addresses, &config);
    let code = QrMatrix::encode(&url)?;
    qr::show(&code, "run this again, or use --qr-file");
    if let Some(image) = image {
        image.write(&code)?;
    }
    explain(&config, &url);
    print(&describe(folders, &web_root, &url))
}

/// Makes the web root, for the names given, those in the configuration and in the server's certificate, and the
/// addresses of invites.
fn make(
    folders: &Folders,
    config: &Config,
    addresses: &[Address],
    names: Vec<SubjectAltName>,
    force: bool,
) -> anyhow::Result<WebCertificates> {
    let certificates = certs::inspect(&folders.certs)?;
    let mut all = names;
    all.extend(config.tls.names.iter().cloned());
    all.extend(addresses.iter().filter_map(|address| address.host().parse().ok()));
    all.extend(certificates.leaf_names.iter().cloned());
    let made = certs::generate_web_root(&folders.certs, &all, force, UnixTime::now())?;
    note!("There is a new web root.");
    running_server::reload_running_server(&folders.data, &certificates)?;
    Ok(made)
}

/// Returns the address of the page for phones, by a name or an address that the web root is for.
fn page_url(names: &[SubjectAltName], addresses: &[Address], config: &Config) -> String {
    let is_covered = |host: &str| host.parse().is_ok_and(|name| names.contains(&name));
    let address = addresses.iter().find(|address| is_covered(address.host()));
    let host = match (address, names.first()) {
        (Some(address), _) => address.host().to_owned(),
        (None, Some(name)) => name.to_string(),
        (None, None) => String::new(),
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    match page_port(address.or(addresses.first()), config) {
        HTTPS_PORT => format!("https://{host}{}", phone::PATH),
        port => format!("https://{host}:{port}{}", phone::PATH),
    }
}

/// Returns the port for browsers: that of `[web] listen`, or else the server's own.
fn page_port(address: Option<&Address>, config: &Config) -> u16 {
    let mut for_browsers = config.web.listen.iter().map(SocketAddr::port);
    let usable = for_browsers.find(|&port| !is_refused_by_browsers(port));
    usable.or(address.map(Address::port)).unwrap_or(HTTPS_PORT)
}

/// Says how the page is used, and what keeps it from being opened.
fn explain(config: &Config, url: &str) {
    note!(
        "Phones open the page by the QR code. Their first visit is not verified, and their browser warns of that: whoever \
         installs the web root must compare the fingerprint that the phone shows with this one, on this screen.\n"
    );
    if !config.web.enabled {
        note!("The server has no page yet. In parlour.toml: [web] with enabled = true\n");
    }
    let port = url.strip_prefix("https://").and_then(|rest| rest.rsplit_once(':'));
    let port = port.and_then(|(_, rest)| rest.strip_suffix(phone::PATH)).and_then(|port| port.parse().ok());
    if let Some(port) = port.filter(|&port| is_refused_by_browsers(port)) {
        note!(
            "But browsers refuse to open port {port}: set `listen` in [web], such as [\"0.0.0.0:8443\", \"[::]:8443\"]\n"
        );
    }
}

/// Describes the web root, with one property on each line.
fn describe(folders: &Folders, web_root: &WebCertificates, url: &str) -> String {
    let file = |name: &str| folders.certs.join(name).display().to_string();
    let names: Vec<String> = web_root.names.iter().map(ToString::to_string).collect();
    let lines = [
        ("web root", format!("{}, {}", file("web-root.pem"), web_root.root_validity)),
        ("certificate for browsers", format!("{}, {}", file("web.pem"), web_root.leaf_validity)),
        ("names", names.join(", ")),
        ("fingerprint (SHA-256)", web_root.fingerprint.to_colon_hex()),
        ("page", url.to_owned()),
    ];
    let line = |(label, value): &(&str, String)| format!("{label:<LABEL_COLUMNS$}{value}\n");
    lines.iter().map(line).collect()
}
