//! `parlour doctor`: finds common problems, each with its remedy.
//!
//! It only reads. Each file has a group of checks; each check gets the objects to inspect and returns its findings.

mod backup;
mod certificates;
mod clock;
mod configuration;
mod database;
mod files;
mod firewall;
mod hooks;
mod known_server;
mod machine;
mod permissions;
mod reachability;
mod report;

use std::process::ExitCode;

use anyhow::bail;
use rustls::pki_types::UnixTime;

use super::access;
use super::folders::{FolderOptions, Folders};
use super::output::{describe_error, print};
use crate::client::files::servers::{KnownServer, Servers};
use crate::core::request::admin::ChangeRequest;
use crate::core::request::maintenance::Maintenance;
use crate::server::{self, admin};
use crate::store::Store;
use crate::store::health::Health;
use crate::trust::certs::{self, CertificateInfo};
use crate::wire::Timestamp;
use reachability::ServerState;
use report::Finding;

/// Find problems of a server, or of the connection to one.
///
/// In a server's folders, it checks the server: configuration, certificates and their expiry, permissions, clock,
/// database, disk, open files, firewall, and whether every address in its invites responds with the right pin. It also
/// checks the connection to each server that you have joined; with SERVER, only to that one. It changes nothing (except
/// with --accept-loss), never logs in and sends no password.
///
/// Each finding is a line with its level (ok, warning or problem), with the remedy on the next line. With --json each
/// is an object with `level`, `check`, `what` and `remedy`. Exits 0 if all is well, 1 with warnings, 2 with problems or
/// if it could not check.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour doctor                        on the server, in its folder; or on a client
  parlour doctor chat.example.org       the way to a server you have joined
  parlour doctor --json | jq -r 'select(.level == \"problem\").what'")]
pub struct Args {
    /// A server you have joined, by name or address: check only the connection to it.
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Print one JSON object per line.
    #[arg(long)]
    json: bool,
    /// Accept that the database lacks confirmed messages, as the error of `parlour serve` says, so that the server can
    /// start again. Copy the data folder first. Checks nothing else.
    #[arg(long, conflicts_with_all = ["server", "json"])]
    accept_loss: bool,
    #[command(flatten)]
    folders: FolderOptions,
}

/// Runs the subcommand. Errors have the exit code of a problem, because 1 is the code of a warning.
pub fn run(args: &Args) -> ExitCode {
    run_checks(args).unwrap_or_else(|error| {
        note!("parlour: {}", describe_error(&error));
        ExitCode::from(report::PROBLEM_CODE)
    })
}

fn run_checks(args: &Args) -> anyhow::Result<ExitCode> {
    let folders = args.folders.existing()?;
    if args.accept_loss {
        return accept_loss(&folders);
    }
    let findings = access::run_client(async {
        let mut findings = Vec::new();
        if args.server.is_none() && folders.hold_server() {
            findings.extend(check_server(&folders).await);
        }
        findings.extend(check_known_servers(args.server.as_deref()).await?);
        Ok(findings)
    })?;
    if findings.is_empty() {
        bail!(
            "there is no server in this folder, and you have joined none: run this where the server runs, name its folder \
             with --home, or join a server"
        );
    }
    print(&report::render(&findings, args.json))?;
    Ok(ExitCode::from(report::exit_code(&findings)))
}

/// Lets the next server continue with a database that lacks confirmed messages.
fn accept_loss(folders: &Folders) -> anyhow::Result<ExitCode> {
    if !folders.hold_database() {
        bail!("there is no database in {}; name its folder with --data", folders.data.display());
    }
    let text = if let Some(store) = Store::accept_loss(&folders.data)? {
        note_loss(&store)?;
        "What is missing is given up: the server can start, and goes on with what is here.\n"
    } else {
        "Nothing is missing, and nothing was changed.\n"
    };
    print(text)?;
    Ok(ExitCode::SUCCESS)
}

/// Records in the audit log that the loss was accepted.
fn note_loss(store: &Store) -> anyhow::Result<()> {
    let request = ChangeRequest::Maintenance(Maintenance::AcceptLoss);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(admin::carry_out(store, request, server::now()))?;
    Ok(())
}

/// Checks the server in these folders.
async fn check_server(folders: &Folders) -> Vec<Finding> {
    let (data, certs_folder, now) = (&folders.data, &folders.certs, UnixTime::now());
    let (config, mut findings) = configuration::check(folders);
    findings.extend(permissions::check_config(&folders.config_file));
    findings.extend(backup::check_configuration(&config.backup));

    findings.push(certificates::check_files(certs_folder, now));
    let certificates = certs::inspect(certs_folder).ok();
    if let Some(certificates) = &certificates {
        findings.extend(certificates::check_expiry(certs_folder, certificates, now));
        findings.push(certificates::check_names(certificates, &config));
        findings.extend(permissions::check_certificates(certs_folder));
    }

    let running = ServerState::query(data);
    let mut health = Health::default();
    if folders.hold_database() {
        findings.extend(permissions::check_data(data));
        let (found, known) = database::check(data);
        health = known;
        findings.extend(found);
        if let Some(used) = &health.file_contents {
            findings.extend(files::check(data, used));
        }
        findings.push(machine::check_disk(data));
        findings.push(backup::check(data, &config.backup, made_at(certificates.as_ref()), server::now()));
    }
    findings.push(clock::check(now, certificates.as_ref(), health.stored_time));
    findings.push(machine::check_open_files(running.pid()));
    findings.push(firewall::check("/".as_ref(), &running.ports(&config)));
    let pin = certificates.as_ref().map(|certificates| certificates.pin);
    findings.extend(reachability::check(data, &running, &config, pin).await);
    findings.extend(hooks::check(data));
    findings
}

/// Returns the time since when there is a server, by its root.
fn made_at(certificates: Option<&CertificateInfo>) -> Timestamp {
    let seconds = certificates.map_or(0, |info| info.root_validity.from.as_secs());
    Timestamp(seconds.saturating_mul(1000))
}

/// Checks the known servers of the user, or the selected one.
async fn check_known_servers(server_name: Option<&str>) -> anyhow::Result<Vec<Finding>> {
    let path = match Servers::default_path() {
        Ok(path) => path,
        Err(error) if server_name.is_some() => return Err(error.into()),
        Err(_) => return Ok(Vec::new()),
    };
    let mut findings = Vec::new();
    if path.exists() {
        findings.extend(permissions::check_user_files(&path));
    }
    let servers = match Servers::load(&path) {
        Ok(servers) => servers,
        Err(error) => {
            // The check of permissions has reported a file that others can write to.
            if findings.iter().all(|finding| finding.level == report::Level::Ok) {
                findings.push(Finding::from_error("known", error, &["): ", "; ", ": "]));
            }
            return Ok(findings);
        }
    };
    for damaged in servers.damaged() {
        let summary = format!("{}: {damaged}", path.display());
        findings.push(Finding::warning(
            "known",
            summary,
            "repair that entry, or remove it and join the server again",
        ));
    }
    let all: Vec<KnownServer> = match server_name {
        Some(wanted) => vec![servers.find(Some(wanted))?.clone()],
        None => servers.iter().cloned().collect(),
    };
    for server in &all {
        findings.extend(known_server::check(&path, server).await);
    }
    Ok(findings)
}
