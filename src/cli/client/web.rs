//! `parlour web`: the page in the browser.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use tempfile::TempPath;
use tokio::time::timeout;

use super::chat::follow_renames;
use crate::cli::access::{self, Access, describe_connect_error};
use crate::cli::output::print;
use crate::client::connect::connection::{ConnectError, Endpoint};
use crate::client::connect::login::LoginError;
use crate::client::connect::session::Session;
use crate::client::files::page_state_file::PageStateFile;
use crate::client::files::servers::Servers;
use crate::client::web::{LocalSite, PageServer, PageServers};
use crate::wire::Nick;

/// Chat in the browser.
///
/// Serves the page on this machine alone and opens it. This program holds the key of this machine and verifies the
/// server by its pin; the browser sees neither a password nor a certificate. The address has a token that is new each
/// time: whoever has it reads and writes as you while this runs. It ends when the last page has been closed for a
/// minute, or by Ctrl-C.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour web                          the server used last
  parlour web chat.example.org         another one you have joined
  parlour web --no-open                prints the address of the page, for a browser of your choice
  parlour web --keep &                 stays, also without a page")]
pub struct Args {
    /// A server you have joined, by name or address; by default the one used last. The page can change to the others.
    server: Option<String>,
    /// Log in to this account, if you have more than one.
    #[arg(long, value_name = "NAME", value_parser = access::parse_nick)]
    name: Option<Nick>,
    #[command(flatten)]
    page: PageOptions,
}

/// Opening of the page, and the time for which it is served.
#[derive(clap::Args, Default, PartialEq)]
pub struct PageOptions {
    /// Open no browser: print the page's address as the last line on standard output.
    #[arg(long)]
    no_open: bool,
    /// Go on serving the page when the last one is closed.
    #[arg(long)]
    keep: bool,
}

/// Time limit for the login that is tried before the page opens. A server that is down does not keep the page from
/// opening: it connects by itself.
const LOGIN_CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// Time for which the file stays that the browser opens.
const OPENING_TIME: Duration = Duration::from_mins(1);

/// Time for which changes of what pages keep are gathered, so that typing does not write a file with each key.
const SAVE_DELAY: Duration = Duration::from_secs(1);

/// The known servers, for the page.
struct KnownServers {
    /// Options for the server that the page is opened for.
    access: Access,
    /// Name of that server.
    called: String,
}

/// Runs the subcommand.
pub fn run(args: Args) -> anyhow::Result<()> {
    let access = Access::for_known_server(args.name);
    access::run_client(open_page(&access, args.server.as_deref(), &args.page))
}

/// Opens the page for a server, and serves it until it is closed.
pub async fn open_page(access: &Access, server: Option<&str>, options: &PageOptions) -> anyhow::Result<()> {
    let interrupt = access::wait_for_interrupt();
    let (endpoint, called) = access.device_endpoint(server)?;
    ensure_login(access, server, &endpoint).await?;
    access::remember_as_last_used(&endpoint)?;
    let access = Access::for_known_server(Some(endpoint.account));
    let site = LocalSite::bind().await.context("cannot serve the page on this machine")?;
    let url = site.url();
    let opened = if options.no_open {
        print(&format!("{}\n", *url))?;
        None
    } else {
        Some(open_in_browser(&url))
    };
    if let Err(problem) = follow_renames() {
        note!("-- {problem}");
    }
    let state = PageStateFile::at_default_path().map(Arc::new);
    let serving = site.run(Arc::new(KnownServers { access, called }), state.clone(), options.keep);
    let removing = async {
        tokio::time::sleep(OPENING_TIME).await;
        drop(opened);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = serving => {}
        () = removing => {}
        () = keep_saved(state.clone()) => {}
        () = interrupt => {}
    }
    if let Some(error) = state.and_then(|state| state.save().err()) {
        note!("-- {error}");
    }
    Ok(())
}

/// Writes what pages keep, a second after it has changed. Never completes.
async fn keep_saved(state: Option<Arc<PageStateFile>>) {
    let Some(state) = state else { return std::future::pending().await };
    let mut has_failed = false;
    loop {
        state.wait_for_change().await;
        tokio::time::sleep(SAVE_DELAY).await;
        let saving = state.clone();
        let saved = tokio::task::spawn_blocking(move || saving.save()).await;
        if let Ok(Err(error)) = saved
            && !std::mem::replace(&mut has_failed, true)
        {
            note!("-- {error}");
        }
    }
}

/// Makes sure that this device's key logs in. If there is none, or the server refuses it, this prompts for the password.
async fn ensure_login(access: &Access, server: Option<&str>, endpoint: &Endpoint) -> anyhow::Result<()> {
    if endpoint.device.is_some() {
        // A program's session: nobody sees it, and no message counts as read.
        let check = Session::open(Endpoint { read_by_user: false, ..endpoint.clone() }, None);
        match timeout(LOGIN_CHECK_TIMEOUT, check).await {
            Ok(Ok(session)) => {
                session.close("").await;
                return Ok(());
            }
            Ok(Err(ConnectError::Login(LoginError::Refused(_)))) if access::is_interactive() => {}
            Ok(Err(error @ (ConnectError::Login(_) | ConnectError::NotEnrolled(_)))) => {
                return Err(describe_connect_error(&error));
            }
            // The page shows why there is no connection, and connects as soon as there can be one.
            Ok(Err(ConnectError::Dial(_) | ConnectError::ConnectionLost(_))) | Err(_) => return Ok(()),
        }
    }
    let session = access.open(server, None, false).await?;
    let has_key = session.logs_in_by_device();
    session.close("").await;
    if !has_key {
        return Err(anyhow!(
            "the page logs in by a key of this machine, which this server does not take; `parlour chat` asks for the password"
        ));
    }
    Ok(())
}

/// Opens an address in the user's browser. Prints it, because there may be none. Returns the file that the browser opens,
/// which must stay until then.
///
/// The browser is started with the name of a file that only the user can read and that leads to the page: the command
/// lines of programs can be read by everybody on the machine, and the address has the token.
fn open_in_browser(url: &str) -> Option<TempPath> {
    let opened = write_opening_file(url).and_then(|file| {
        open::that_detached(&file)?;
        Ok(file)
    });
    match opened {
        Ok(file) => {
            note!("-- the page opens in the browser; if it does not: {url}");
            Some(file)
        }
        Err(error) => {
            note!("-- no browser can be started ({error}); open this address in one: {url}");
            None
        }
    }
}

/// Writes the file that leads to the page. Temporary files are readable by the user alone; a temporary folder is not.
fn write_opening_file(url: &str) -> io::Result<TempPath> {
    let mut file = tempfile::Builder::new().prefix("parlour-").suffix(".html").tempfile()?;
    writeln!(
        file,
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">\
         <meta http-equiv=\"refresh\" content=\"0; url={url}\"><title>Parlour</title></head>\
         <body><a href=\"{url}\">Parlour</a></body></html>"
    )?;
    Ok(file.into_temp_path())
}

impl PageServers for KnownServers {
    fn find(&self, name: Option<&str>) -> Result<PageServer, String> {
        let all = Access::for_known_server(None);
        let (access, name) = match name {
            Some(name) if name != self.called => (&all, name),
            _ => (&self.access, &self.called[..]),
        };
        let (endpoint, name) = access.device_endpoint(Some(name)).map_err(|error| format!("{error:#}"))?;
        if endpoint.device.is_none() {
            return Err(format!(
                "This machine has no key for {} on {name}: run `parlour chat {name}` once, which asks for the password.",
                endpoint.account
            ));
        }
        Ok(PageServer { name, endpoint })
    }

    fn names(&self) -> Vec<String> {
        let servers = Servers::default_path().and_then(|path| Servers::load(&path));
        servers.map(|servers| servers.iter().map(|server| server.name.clone()).collect()).unwrap_or_default()
    }

    fn describe(&self, error: &ConnectError) -> String {
        describe_connect_error(error).to_string()
    }
}
