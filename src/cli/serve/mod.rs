//! `parlour serve`: runs the server. The first run sets everything up and prints an invite.

mod control;
mod first_invite;
mod listeners;
mod logging;
mod opening;
mod takeover;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::pki_types::UnixTime;
use tokio::sync::{mpsc, oneshot};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

use super::backup;
use super::folders::{FolderOptions, Folders};
use super::output;
use crate::platform::service_manager::PassedSocket;
use crate::platform::terminal::Terminal;
use crate::platform::{process, service_manager, signals, stdio};
use crate::server::admin::control::ListeningSockets;
use crate::server::auth::passwords::PasswordPool;
use crate::server::config::{Config, ConfigError};
use crate::server::lan::advertised_addresses::AdvertisedAddresses;
use crate::server::lan::mdns::{self, MdnsAnnouncer};
use crate::server::maintenance::backups::BackupTask;
use crate::server::maintenance::certificates::LiveCertificates;
use crate::server::maintenance::reload::Reloader;
use crate::server::telemetry::exporter;
use crate::server::telemetry::log::Log;
use crate::server::{Server, StopReason};
use crate::trust::web_identity::{PublicCertificate, WebIdentity};
use crate::web::ports::is_refused_by_browsers;
use logging::Logging;
use opening::{Begin, Opened};
use takeover::{Successors, TakenOver};

/// Run the server. The first run makes certificates and a database, and prints an invite for the first admin.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour serve
  parlour serve --announce             `parlour discover` on other machines lists it
  parlour serve --listen 192.0.2.7:6697 --home chat-server
  RUST_LOG=warn parlour serve          no line for every login")]
pub struct Args {
    /// An address to listen on, ADDRESS:PORT; may be given several times. Port 0 selects any free port. Default: port
    /// 6697 on every address.
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Announce the server on the local network by mDNS, so that `parlour discover` lists it and clients that have
    /// joined find it at another address. Its name, addresses, pin and version are visible to everybody there.
    #[arg(long)]
    announce: bool,
    /// Take over from the server that runs on the same data: this one gets its listening sockets, so that no connection is
    /// refused, and its clients are told to reconnect at once. If this server cannot start, that one goes on. Not on Windows.
    #[arg(long)]
    takeover: bool,
    #[command(flatten)]
    folders: FolderOptions,
}

impl Args {
    /// The options of a server in this folder.
    pub fn for_home(home: PathBuf) -> Self {
        Self { listen: Vec::new(), announce: false, takeover: false, folders: FolderOptions::for_home(home) }
    }
}

/// Time limit at the end for tasks that still read files. Everything that must be stored is stored by then.
const READ_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Time limit for writing the last lines of the log.
const LOG_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Time limit for a failed server to release its resources.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the server until its end. All output goes through the log, which never waits for a reader.
pub fn run(args: &Args) -> ExitCode {
    // Before there are threads.
    let passed = service_manager::take_sockets();
    let log = match stdio::copy_stderr().and_then(Log::start) {
        Ok(log) => log,
        Err(error) => {
            note!("parlour: cannot write a log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let colours = io::stderr().is_terminal();
    if run_with_log(args, &log, colours, passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the server until its end, with a log that may have colours and with the sockets that the service manager has passed.
/// Returns whether it ended in order.
pub fn run_with_log(args: &Args, log: &Log, colours: bool, passed: io::Result<Vec<PassedSocket>>) -> bool {
    let served = load_config_and_serve(args, log, colours, passed);
    if let Err(error) = &served {
        log.write_failure(&output::describe_error(error));
    }
    log.flush(LOG_FLUSH_TIMEOUT);
    served.is_ok()
}

fn load_config_and_serve(
    args: &Args,
    log: &Log,
    colours: bool,
    passed: io::Result<Vec<PassedSocket>>,
) -> anyhow::Result<()> {
    let folders = args.folders.own();
    let overrides = Overrides { listen: args.listen.clone(), announce: args.announce };
    let mut config = load_config(&overrides, &folders)?;
    let logging = Logging::start(log, &config.log, colours)?;
    let served = passed
        .context("cannot use what the service manager passed")
        .and_then(|passed| serve_in_turns(args, &overrides, (&folders, &mut config), &logging, passed));
    logging.events.flush(LOG_FLUSH_TIMEOUT);
    served
}

/// Serves, and again each time that another server which was to take over has failed.
fn serve_in_turns(
    args: &Args,
    overrides: &Overrides,
    (folders, config): (&Folders, &mut Config),
    logging: &Logging,
    passed: Vec<PassedSocket>,
) -> anyhow::Result<()> {
    // Each connection is a file descriptor, and the usual limit is 1024.
    if let Err(error) = process::raise_open_files_limit() {
        warn!(%error, "cannot raise the number of open files");
    }
    let successors = Successors::of_this_program();
    let mut begin = Begin { passed, former: Vec::new(), is_takeover: args.takeover };
    loop {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let served = runtime.block_on(async {
            match Box::pin(serve(overrides, folders.clone(), config.clone(), logging, begin, &successors))
                .await?
            {
                Ended::Stopped => Ok(None),
                Ended::TakenOver(successor, former) => Ok::<_, anyhow::Error>(
                    (!takeover::wait_for_successor(successor).await?).then_some(former),
                ),
            }
        });
        // Another program that locks the certificate folder must not delay the end.
        runtime.shutdown_timeout(READ_SHUTDOWN_TIMEOUT);
        let Some(former) = served? else { break };
        warn!("the new server has ended before it answered: this one goes on");
        begin = Begin { passed: Vec::new(), former, is_takeover: false };
        // As it was reloaded last, if it can still be read.
        if let Ok(reloaded) = load_config(overrides, folders) {
            *config = reloaded;
        }
    }
    info!("stopped");
    Ok(())
}

/// Options of the command line that replace keys of the configuration file, also when it is read again.
#[derive(Clone)]
struct Overrides {
    listen: Vec<SocketAddr>,
    announce: bool,
}

fn load_config(overrides: &Overrides, folders: &Folders) -> Result<Config, ConfigError> {
    let mut config = folders.config()?;
    if !overrides.listen.is_empty() {
        config.listen.clone_from(&overrides.listen);
    }
    config.announce |= overrides.announce;
    Ok(config)
}

/// The end of a server without a failure.
enum Ended {
    /// A signal or a request stopped it.
    Stopped,
    /// Another server waits for it, and has copies of these sockets.
    TakenOver(TakenOver, Vec<PassedSocket>),
}

async fn serve(
    overrides: &Overrides,
    folders: Folders,
    config: Config,
    logging: &Logging,
    begin: Begin,
    successors: &Successors,
) -> anyhow::Result<Ended> {
    let certs = folders.certs.clone();
    let certificates = Arc::new(LiveCertificates::open(certs, config.tls.names.clone(), UnixTime::now())?);
    let passwords = Arc::new(PasswordPool::new(config.passwords));
    let places = backup::places_of(&folders);
    let web = web_identity(&config, &certificates)?;
    let Opened { store, listeners, takeover } = opening::open(&folders, &config, begin).await?;
    let bound = listeners.chat_addresses()?;
    let overrides = overrides.clone();
    let reload = move || load_config(&overrides, &folders).map_err(|error| error.to_string());
    let addresses = AdvertisedAddresses::new(&config.advertise, &bound);
    let mut server =
        Server::new(&config, store.clone(), certificates, passwords.clone(), reload, addresses.clone(), web)
            .await?;
    let (released, mut release) = mpsc::channel(1);
    let sockets = Arc::new(listeners.copies()?);
    let may_take_over = successors.clone();
    let offer = ListeningSockets {
        sockets: sockets.clone(),
        may_take_over: Arc::new(move |pid| may_take_over.may_take_over(pid)),
        released,
    };
    let metrics = control::read_metrics(&server, &store, logging.events.clone());
    let control = control::start(&server, &store, addresses.clone(), metrics.clone(), offer)?;
    server.supervise("the control socket", control);
    let backups = BackupTask {
        places,
        network: config.name.clone(),
        config: config.backup.clone(),
        metrics: server.metrics(),
    };
    server.supervise("the task that makes backups", backups.run());
    let reloader = server.reloader();
    let levels = logging.levels.clone().follow(reloader.log_settings());
    server.supervise("the task that follows the levels of the log", levels);
    let pin = reloader.current_identity().pin();
    let terminal = Terminal::of_process();
    let (hung_up, hangup) = oneshot::channel();
    server.supervise(
        "the task that reloads",
        reload_at_hangup(reloader, successors.clone(), terminal.clone(), hung_up)?,
    );
    // From here on a signal ends the server in order.
    let stop = wait_for_stop(terminal, hangup)?;
    for address in &bound {
        info!("listening on {address}");
    }
    for listener in &listeners.web {
        info!("listening on {} for browsers", listener.local_addr()?);
    }
    for listener in listeners.metrics {
        info!("listening on {} for Prometheus", listener.local_addr()?);
        server.supervise("the task that answers with the metrics", exporter::run(listener, metrics.clone()));
    }
    warn_of_refused_ports(&bound, &config);
    first_invite::print(&mut server, &store, (addresses, pin), &logging.console).await?;
    let announcer = if config.announce { start_announcer(&server, &config, &bound) } else { None };
    if let Some(announcer) = &announcer {
        server.supervise("the announcement", announcer.wait_until_ended());
    }
    if let Some(takeover) = takeover {
        server.before_ready(move || takeover::complete(takeover));
    }
    let mut successor = None;
    let stop = async {
        tokio::select! {
            reason = stop => reason,
            Some(next) = release.recv() => {
                successor = Some(next);
                StopReason::Restart
            }
        }
    };
    let connections = server.connections();
    let result = server.run(listeners.chat, listeners.web, stop).await;
    if result.is_err() {
        let log = logging.events.clone();
        // A failed task may hold a resource that the end would wait for without a limit.
        std::thread::spawn(move || {
            std::thread::sleep(RELEASE_TIMEOUT);
            log.flush(LOG_FLUSH_TIMEOUT);
            std::process::exit(1);
        });
    }
    // The next server announces the same, and nobody waits for a goodbye of this one.
    if let Some(announcer) = announcer
        && successor.is_none()
    {
        announcer.stop().await;
    }
    result?;
    Ok(match successor {
        Some(successor) => {
            // Connections that send their last lines still have clones of it.
            spawn_blocking(move || store.close()).await?;
            let sockets = sockets.iter().map(PassedSocket::copy).collect::<io::Result<_>>()?;
            Ended::TakenOver(TakenOver { successor, connections }, sockets)
        }
        None => Ended::Stopped,
    })
}

/// Returns the identity for HTTP, if anything is answered over it.
fn web_identity(
    config: &Config,
    certificates: &LiveCertificates,
) -> anyhow::Result<Option<Arc<WebIdentity>>> {
    let public = config.web.public_certificate().map(PublicCertificate::load).transpose()?;
    if !config.has_http() {
        return Ok(None);
    }
    let phones = if config.web.enabled { certificates.load_web_root(UnixTime::now())? } else { None };
    Ok(Some(Arc::new(WebIdentity::new(certificates.live_identity(), public, phones))))
}

/// Warns of a page that no browser can open.
fn warn_of_refused_ports(bound: &[SocketAddr], config: &Config) {
    let refused = |address: &SocketAddr| is_refused_by_browsers(address.port());
    if config.web.enabled && config.web.listen.is_empty() && bound.iter().all(refused) {
        let ports: BTreeSet<u16> = bound.iter().map(SocketAddr::port).collect();
        let ports = ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        warn!(
            "browsers refuse to open pages on port {ports}: set `listen` in [web], such as [\"0.0.0.0:8443\", \"[::]:8443\"]"
        );
    }
}

/// Announces the server on the local network. The server runs even if that fails.
fn start_announcer(server: &Server, config: &Config, bound: &[SocketAddr]) -> Option<MdnsAnnouncer> {
    let (name, reloader) = (config.name.clone(), server.reloader());
    let announcement = move || mdns::make_announcement(&name, reloader.current_identity().certificates());
    match MdnsAnnouncer::start(announcement, bound) {
        Ok(announcer) => Some(announcer),
        Err(error) => {
            warn!("not announced on the local network: {error}");
            None
        }
    }
}

/// Reloads configuration and certificates at each SIGHUP, except for one caused by the closing of the terminal. Where the
/// program was replaced, has the new one take over instead, if a service manager knows how to follow it.
fn reload_at_hangup(
    reloader: Arc<Reloader>,
    successors: Successors,
    terminal: Option<Terminal>,
    hung_up: oneshot::Sender<()>,
) -> anyhow::Result<impl Future<Output = ()> + Send + use<>> {
    let mut reload = signals::reload()?;
    Ok(async move {
        loop {
            tokio::select! {
                () = reload.next() => {}
                ended = successors.started_one_ended() => {
                    let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                    reloader.report_failed_start(&format!("the new program has ended ({status}), see the log")).await;
                    continue;
                }
            }
            if terminal.as_ref().is_some_and(Terminal::is_gone) {
                let _ = hung_up.send(());
                return std::future::pending().await;
            }
            if successors.program_was_replaced() {
                reloader.report_start().await;
                if let Err(error) = successors.start() {
                    reloader
                        .report_failed_start(&format!("the new program cannot be started: {error}"))
                        .await;
                }
                continue;
            }
            // The result is in the log.
            let _ = reloader.reload_all().await;
        }
    })
}
/// Returns a future that completes at Ctrl-C, at SIGTERM, and when the server's terminal is closed.
fn wait_for_stop(
    terminal: Option<Terminal>,
    hung_up: oneshot::Receiver<()>,
) -> anyhow::Result<impl Future<Output = StopReason>> {
    let requested = signals::wait_for_stop()?;
    let watched = terminal.map(Terminal::wait_until_closed).transpose()?;
    let closed = async {
        match watched {
            Some(closed) => closed.await,
            None => std::future::pending().await,
        }
    };
    Ok(async move {
        tokio::select! {
            () = requested => {}
            Ok(()) = hung_up => info!("the terminal was closed"),
            () = closed => info!("the terminal was closed"),
        }
        StopReason::ShutDown
    })
}
