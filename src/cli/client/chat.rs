//! `parlour chat`: the terminal client.

use std::io::{self, IsTerminal as _};

use jiff::tz::TimeZone;
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use crate::cli::access::{self, Access};
use crate::cli::exit::Exit;
use crate::client::connect::login::{PLAIN, SCREEN};
use crate::client::connect::session::Session;
use crate::client::known::servers::Servers;
use crate::client::lines::chat::{Plain, PlainError};
use crate::client::screen::view::theme::Ground;
use crate::client::terminal;
use crate::client::terminal::fullscreen::{Chat, Ended, FullError, Look};
use crate::wire::{CapSet, Nick};

/// Chat in the terminal.
///
/// In a terminal this opens the full-screen client; press ? for its keys and commands. With --plain, or if the input or
/// output is not a terminal, it is the plain chat: lines in, lines out. Typed text is sent to the current conversation,
/// and lines that start with / are commands; /help lists them. Input from a pipe is handled line by line; at its end
/// the command waits until the server has confirmed everything, and exits 0 only if nothing failed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour chat                          the server used last
  parlour chat chat.example.org         another one you have joined
  parlour chat home work                two at once, in one window
  parlour chat --all                    all you have joined
  parlour chat 192.0.2.7:6697 --pin bSg… --name alice
                                        one you have an account on, without an invite
  printf '/join #lobby\\nhello\\n' | parlour chat")]
pub struct Args {
    /// Servers you have joined, by name or address; by default the one used last.
    #[arg(value_name = "SERVER")]
    servers: Vec<String>,
    /// All servers you have joined.
    #[arg(long, conflicts_with_all = ["servers", "name", "pin"])]
    all: bool,
    /// Use the plain chat, lines in and lines out: for screen readers, simple terminals and pipes.
    #[arg(long)]
    plain: bool,
    /// Colours for a dark or a light terminal; detected by default.
    #[arg(long, value_name = "dark|light")]
    theme: Option<Theme>,
    #[command(flatten)]
    access: Access,
}

/// See [`Ground`].
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Theme {
    Dark,
    Light,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let screen = !args.plain && full_screen();
    args.access.more = capabilities(args.plain);
    access::run(async {
        let mut servers: Vec<Option<String>> = args.servers.iter().cloned().map(Some).collect();
        if args.all {
            let known = access::load(&Servers::default_path()?)?;
            servers = known.iter().map(|server| Some(server.name.clone())).collect();
        }
        if servers.is_empty() {
            servers.push(None);
        }
        if screen {
            return full_screen_chat(&args, &servers).await;
        }
        let [server] = &servers[..] else {
            anyhow::bail!("the plain chat is with one server at a time; name one of them");
        };
        let patience = if access::interactive() { None } else { Some(access::PATIENCE) };
        let session = args.access.open(server.as_deref(), patience, true).await?;
        plain(session).await
    })
}

/// Returns whether the full-screen client can be shown.
fn full_screen() -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    access::interactive() && io::stdout().is_terminal() && !dumb
}

/// Returns the capabilities to request from the server.
pub fn capabilities(plain: bool) -> CapSet {
    if !plain && full_screen() { SCREEN } else { PLAIN }
}

/// Runs a chat over a session until the user ends it.
pub async fn talk(session: Session, called: String, account: Nick) -> anyhow::Result<()> {
    if !full_screen() {
        return plain(session).await;
    }
    let access = Access::of(account, capabilities(false));
    let servers = [Some(called.clone())];
    keep_on(Chat::new(vec![(called, session)], look(None)), &access, &servers).await
}

async fn full_screen_chat(args: &Args, servers: &[Option<String>]) -> anyhow::Result<()> {
    let theme = args.theme.map(|theme| match theme {
        Theme::Dark => Ground::Dark,
        Theme::Light => Ground::Light,
    });
    let mut sessions = Vec::new();
    for server in servers {
        let (session, called) = args.access.begin(server.as_deref()).await?;
        sessions.push((called, session));
    }
    keep_on(Chat::new(sessions, look(theme)), &args.access, servers).await
}

/// Runs a chat until the user ends it. Prompts for the password of a server that refuses this device.
async fn keep_on(mut chat: Chat, access: &Access, servers: &[Option<String>]) -> anyhow::Result<()> {
    loop {
        let index = match chat.run(access::interrupted()).await.map_err(explain)? {
            Ended::Left => return left(chat.close().await),
            Ended::Refused(index) => index,
        };
        let server = servers.get(index).and_then(Option::as_deref);
        let cooked = tcgetattr(io::stdin());
        let opened = tokio::select! {
            opened = access.open(server, None, true) => Some(opened),
            () = access::interrupted() => None,
        };
        match opened {
            Some(Ok(session)) => chat.resume(index, session),
            Some(Err(error)) if servers.len() > 1 => chat.give_up(index, &error.to_string()),
            stopped => {
                if let (None, Ok(cooked)) = (&stopped, cooked) {
                    // The password prompt has turned off the echo and still waits.
                    let _ = tcsetattr(io::stdin(), OptionalActions::Now, &cooked);
                    note!();
                }
                for (place, text) in chat.unsent() {
                    access::screen().note(&format!("not sent, in {place}: {text}"));
                }
                return match stopped {
                    Some(Err(error)) => Err(error),
                    _ => Err(Exit::Login.error("no password was given; `parlour chat` asks for it again")),
                };
            }
        }
    }
}

fn left(unconfirmed: usize) -> anyhow::Result<()> {
    anyhow::ensure!(
        unconfirmed == 0,
        "ended with {unconfirmed} messages unconfirmed; they may or may not have been delivered"
    );
    Ok(())
}

fn explain(error: FullError) -> anyhow::Error {
    match error {
        FullError::Terminal(error) => anyhow::Error::from(error)
            .context("cannot draw on this terminal; `parlour chat --plain` needs less of it"),
    }
}

fn look(ground: Option<Ground>) -> Look {
    let mut look = terminal::look(|name| std::env::var(name).ok(), TimeZone::system());
    look.theme.ground = ground.unwrap_or(look.theme.ground);
    look
}

async fn plain(session: Session) -> anyhow::Result<()> {
    let interactive = access::interactive();
    let mut screen = access::screen();
    if interactive && let Some(me) = session.model.me() {
        screen.note(&format!("you are {me}; /help lists the commands, /quit ends"));
    }
    match Plain::new(session, screen, interactive).run(access::lines(), access::interrupted()).await {
        Err(PlainError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(PlainError::Session(error)) => Err(access::ended(error)),
        other => Ok(other?),
    }
}
