//! `parlour serve`: runs the server; the first run sets everything up and prints an invite.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustls::pki_types::UnixTime;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use super::folders::Folders;
use crate::chat::record::Role;
use crate::server::admin::{self, Failure, FailureKind, InviteOrder, Purpose, Reply, Request};
use crate::server::announce::{self, Announcer};
use crate::server::certificates::Certificates;
use crate::server::config::Config;
use crate::server::control::{Control, Facts};
use crate::server::passwords::Passwords;
use crate::server::reload::Reloader;
use crate::server::{self, Server, advertise};
use crate::store::Store;
use crate::store::audit::Actor;
use crate::trust::{Address, InviteLink, Pin, Token};
use crate::wire::ChannelName;

/// Run the server. The first run makes certificates and a database, and prints an admin's invite.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour serve
  parlour serve --announce             `parlour discover` on other machines lists it
  parlour serve --listen 192.0.2.7:6697 --data /var/lib/parlour --certs /etc/parlour/certs
  RUST_LOG=warn parlour serve          no line for every login and message")]
pub struct Args {
    /// An address to listen on, ADDRESS:PORT; may be given several times. Port 0 takes any free one.
    /// Default: port 6697 on every address.
    #[arg(long, value_name = "ADDR")]
    listen: Vec<SocketAddr>,
    /// Make the server known on the local network by mDNS, so that `parlour discover` lists it and those who have
    /// joined find it at another address. It tells everybody there its name, addresses, pin and version.
    #[arg(long)]
    announce: bool,
    #[command(flatten)]
    folders: Folders,
}

/// How long the first admin's invite holds.
const FIRST_INVITE: Duration = Duration::from_hours(7 * 24);

/// How long what still reads files at the end is waited for; all that was to be kept is kept by then.
const LAST_READS: Duration = Duration::from_secs(2);

/// Runs the subcommand to the end of the server.
pub fn run(args: &Args) -> anyhow::Result<()> {
    log_to_stderr();
    let mut config = args.folders.config()?;
    let asked = !args.listen.is_empty();
    if asked {
        config.listen.clone_from(&args.listen);
    }
    // Each connection is a file descriptor, and the usual limit is 1024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        warn!(%error, "cannot raise the number of open files");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(args, config));
    // Whoever holds the certificate folder shall not keep a server that has ended from ending.
    runtime.shutdown_timeout(LAST_READS);
    served
}

async fn serve(args: &Args, config: Config) -> anyhow::Result<()> {
    let certs = args.folders.certs.path.clone();
    let certificates = Arc::new(Certificates::open(certs, config.tls.names.clone(), UnixTime::now())?);
    // Opened before the port is taken: of two servers on one folder the second stops here.
    let store = Store::open(&args.folders.data)?;
    let listeners = listen(&config.listen)?;
    let bound = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()?;
    let passwords = Arc::new(Passwords::new(config.passwords));
    let folders = args.folders.clone();
    let reload = move || folders.config().map_err(|error| error.to_string());
    let addresses = advertise::addresses(&config.advertise, &bound);
    let server =
        Server::new(&config, store.clone(), certificates, passwords.clone(), reload, addresses.clone())
            .await?;
    let control = control(&server, &store, addresses.clone())?;
    for address in &bound {
        info!("listening on {address}");
    }
    let reloader = server.reloader();
    first_invite(&store, addresses, reloader.identity().pin()).await?;
    let hangups = reload_at_hangup(reloader)?;
    // From here on a signal ends it in good order.
    let stop = stop_signal()?;
    let announcer = if args.announce || config.announce { announce(&server, &config, &bound) } else { None };
    server.run(listeners, stop).await;
    hangups.abort();
    control.abort();
    if let Some(announcer) = announcer {
        announcer.stop().await;
    }
    info!("stopped");
    Ok(())
}

/// Makes the server known on the local network. Where that cannot be it serves all the same.
fn announce(server: &Server, config: &Config, bound: &[SocketAddr]) -> Option<Announcer> {
    let (name, reloader) = (config.name.clone(), server.reloader());
    let announcement = move || announce::announcement(&name, reloader.identity().certificates());
    match Announcer::start(announcement, bound) {
        Ok(announcer) => Some(announcer),
        Err(error) => {
            warn!("not announced on the local network: {error}");
            None
        }
    }
}

/// Answers the administration's requests beside the chat, until the task is aborted.
fn control(server: &Server, store: &Store, addresses: Vec<Address>) -> anyhow::Result<JoinHandle<()>> {
    let (known, reloader, counted) = (server.reloader(), server.reloader(), server.reloader());
    let metrics = server.metrics();
    let facts = Facts {
        addresses,
        pin: Arc::new(move || known.identity().pin()),
        metrics: Arc::new(move || metrics.text(&counted.identity())),
        reload: Arc::new(move || {
            let reloader = reloader.clone();
            Box::pin(async move { read_certificates(&reloader).await })
        }),
    };
    let folder = store.folder();
    let control = Control::bind(folder)
        .with_context(|| format!("cannot make the control socket in {}", folder.display()))?;
    let accounts = server.accounts();
    Ok(tokio::spawn(control.serve(store.clone(), facts, move |change| {
        let accounts = accounts.clone();
        async move { accounts.tell(change).await }
    })))
}

/// Has the server show the certificates that are in its folder now; which one that is.
async fn read_certificates(reloader: &Reloader) -> Result<Reply, Failure> {
    match reloader.certificates().await {
        Ok(identity) => {
            let shown = identity.certificates().fingerprints.certificate.digits();
            Ok(Reply::Certificates(shown))
        }
        Err(why) => Err(Failure { kind: FailureKind::Certificates, text: why.to_string() }),
    }
}

/// Reads configuration and certificates again at each SIGHUP, until the task is aborted.
fn reload_at_hangup(reloader: Arc<Reloader>) -> anyhow::Result<JoinHandle<()>> {
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            // What came of it is in the log.
            let _ = reloader.everything().await;
        }
    }))
}

fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .init();
}

fn listen(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    let mut listeners = Vec::new();
    for &address in addresses {
        match server::bind(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => bail!(
                "{address} is in use by another program; stop that, or choose another address with --listen"
            ),
            // A machine without IPv6 serves IPv4 all the same.
            Err(error) if address.ip().is_unspecified() && address.is_ipv6() && addresses.len() > 1 => {
                warn!(%address, %error, "not listening");
            }
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("cannot listen on {address}; choose an address of this machine with --listen")
                });
            }
        }
    }
    if listeners.is_empty() {
        bail!("nothing to listen on; name an address with --listen");
    }
    Ok(listeners)
}

/// While there is no account, every start prints an invite for the first admin.
async fn first_invite(store: &Store, addresses: Vec<Address>, pin: Pin) -> anyhow::Result<()> {
    if !store.snapshot().await?.accounts.is_empty() {
        return Ok(());
    }
    let token = Token::random();
    let order = InviteOrder {
        token: token.hash(),
        purpose: Purpose::Accounts { role: Role::Admin, channel: ChannelName::parse("#lobby")?, uses: 1 },
        lasts_ms: u64::try_from(FIRST_INVITE.as_millis())?,
    };
    admin::run(store, Request::InviteCreate(order), Actor::Console, server::now()).await?;
    let link = InviteLink { addresses, pin, account: None, token };
    eprintln!(
        "\nNobody has an account yet. This link makes the first one, an admin's; it holds for a week:\n"
    );
    let mut out = io::stdout().lock();
    writeln!(out, "{link}")?;
    out.flush()?;
    eprintln!("\nOpen it with:  parlour join 'LINK'\n");
    Ok(())
}

/// Ready at Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
