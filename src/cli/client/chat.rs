//! `parlour chat`: the terminal client.

use std::io::{self, IsTerminal as _};

use jiff::tz::TimeZone;

use crate::cli::access::{self, Access};
use crate::cli::exit_code::Exit;
use crate::client::connect::login::{PLAIN_CAPS, SCREEN_CAPS};
use crate::client::connect::session::Session;
use crate::client::files::page_state_file::PageStateFile;
use crate::client::files::server_renames::follow_server_renames;
use crate::client::files::servers::Servers;
use crate::client::files::settings_file::SettingsFile;
use crate::client::files::state_file::StateFile;
use crate::client::plain::chat::{PlainChat, PlainError};
use crate::client::plain::settings::PlainSettings;
use crate::client::screen::workspace::sending::UnsentText;
use crate::client::settings::{Settings, ThemeChoice};
use crate::client::terminal;
use crate::client::terminal::fullscreen::{ExitReason, FullScreenChat, FullScreenError, LeftBehind};
use crate::client::text::count::counted;
use crate::platform::terminal::{SavedModes, is_capable};
use crate::wire::{CapSet, Nick, Timestamp};

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
    /// Colours for this run, in place of the setting `theme`.
    #[arg(long, value_name = "dark|light|high-contrast")]
    theme: Option<Theme>,
    #[command(flatten)]
    access: Access,
}

/// See [`ThemeChoice`].
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Theme {
    Dark,
    Light,
    HighContrast,
}

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let screen = !args.plain && can_run_full_screen();
    args.access.extra_capabilities = capabilities(args.plain);
    access::run_client(async {
        let mut servers: Vec<Option<String>> = args.servers.iter().cloned().map(Some).collect();
        if args.all {
            let known = access::load_servers(&Servers::default_path()?)?;
            servers = known.iter().map(|server| Some(server.name.clone())).collect();
        }
        if servers.is_empty() {
            servers.push(None);
        }
        if screen {
            return start_full_screen_chat(&args, &servers).await;
        }
        let [server] = &servers[..] else {
            anyhow::bail!("the plain chat is with one server at a time; name one of them");
        };
        let session = if access::is_interactive() {
            args.access.open_or_wait(server.as_deref()).await?
        } else {
            args.access.open(server.as_deref(), Some(access::RECONNECT_TIMEOUT), true).await?
        };
        // It is the one used last now.
        let called = Servers::load(&Servers::default_path()?)?.find(None).map(|server| server.name.clone());
        run_plain_chat(session, called.unwrap_or_default()).await
    })
}

/// Returns whether the full-screen client can be shown.
fn can_run_full_screen() -> bool {
    let is_capable = is_capable(std::env::var_os("TERM").as_deref());
    access::is_interactive() && io::stdout().is_terminal() && is_capable
}

/// Returns the capabilities to request from the server.
pub fn capabilities(plain: bool) -> CapSet {
    if !plain && can_run_full_screen() { SCREEN_CAPS } else { PLAIN_CAPS }
}

/// Runs a chat over a session until the user ends it.
pub async fn run_chat(session: Session, called: String, account: Nick) -> anyhow::Result<()> {
    if !can_run_full_screen() {
        return run_plain_chat(session, called).await;
    }
    let access = Access::for_account(account, capabilities(false));
    let servers = [Some(called.clone())];
    run_full_screen_chat(create_chat(vec![(called, session)], None), &access, &servers).await
}

async fn start_full_screen_chat(args: &Args, servers: &[Option<String>]) -> anyhow::Result<()> {
    let theme = args.theme.map(|theme| match theme {
        Theme::Dark => ThemeChoice::Dark,
        Theme::Light => ThemeChoice::Light,
        Theme::HighContrast => ThemeChoice::HighContrast,
    });
    let mut sessions = Vec::new();
    for server in servers {
        let (session, called) = args.access.start_session(server.as_deref()).await?;
        sessions.push((called, session));
    }
    run_full_screen_chat(create_chat(sessions, theme), &args.access, servers).await
}

/// Creates a full-screen client with the user's settings and the state of the last run.
fn create_chat(sessions: Vec<(String, Session)>, theme: Option<ThemeChoice>) -> FullScreenChat {
    let setup = terminal::detect_setup(|name| std::env::var(name).ok(), TimeZone::system());
    let (mut settings, problems, file) = load_settings();
    settings.theme = theme.unwrap_or(settings.theme);
    let chat = FullScreenChat::new(sessions, setup).with_settings(settings, &problems, file);
    match StateFile::at_default_path() {
        Some(file) => chat.remember_in(file),
        None => chat,
    }
}

/// Runs a chat until the user ends it. Prompts for the password of a server that refuses this device.
async fn run_full_screen_chat(
    mut chat: FullScreenChat,
    access: &Access,
    servers: &[Option<String>],
) -> anyhow::Result<()> {
    loop {
        let index = match chat.run(access::wait_for_interrupt()).await.map_err(describe_error)? {
            ExitReason::Quit => {
                if let Some(text) = chat.unkept_text() {
                    access::stdio_screen().write_note(&format!("not sent: {text}"));
                }
                return check_left_behind(chat.close().await);
            }
            ExitReason::Refused(index) => index,
        };
        let server = servers.get(index).and_then(Option::as_deref);
        let cooked = SavedModes::present();
        let opened = tokio::select! {
            opened = access.open(server, None, true) => Some(opened),
            () = access::wait_for_interrupt() => None,
        };
        match opened {
            Some(Ok(session)) => chat.replace_session(index, session),
            Some(Err(error)) if servers.len() > 1 => chat.end_server(index, &error.to_string()),
            stopped => {
                if let (None, Some(cooked)) = (&stopped, cooked) {
                    // The password prompt has turned off the echo and still waits.
                    cooked.restore();
                    note!();
                }
                for UnsentText { conversation, text } in chat.unsent() {
                    access::stdio_screen().write_note(&format!("not sent, in {conversation}: {text}"));
                }
                return match stopped {
                    Some(Err(error)) => Err(error),
                    _ => Err(Exit::Login.error("no password was given; `parlour chat` asks for it again")),
                };
            }
        }
    }
}

fn check_left_behind(LeftBehind { kept, lost }: LeftBehind) -> anyhow::Result<()> {
    anyhow::ensure!(
        lost == 0,
        "ended with {} unconfirmed, not kept, which may or may not have been delivered",
        counted(lost, "message")
    );
    if kept > 0 {
        let messages = counted(kept, "message");
        let text = format!("{messages} not confirmed yet, to go out when you start `parlour chat` again");
        access::stdio_screen().write_note(&text);
    }
    Ok(())
}

fn describe_error(error: FullScreenError) -> anyhow::Error {
    match error {
        FullScreenError::Terminal(error) => anyhow::Error::from(error)
            .context("cannot draw on this terminal; `parlour chat --plain` needs less of it"),
    }
}

/// Loads the user's settings. Returns them with the problems of their file, and the file.
fn load_settings() -> (Settings, Vec<String>, Option<SettingsFile>) {
    let problem = follow_renames().err();
    match SettingsFile::at_default_path() {
        Some(file) => {
            let (settings, mut problems) = file.load();
            problems.extend(problem);
            (settings, problems, Some(file))
        }
        None => (Settings::default(), problem.into_iter().collect(), None),
    }
}

/// Moves what is remembered of servers to their present names. The error is a text for the user.
pub fn follow_renames() -> Result<(), String> {
    let Some(state) = StateFile::at_default_path() else { return Ok(()) };
    // A problem of this file has been reported by now.
    let Ok(known) = Servers::default_path().and_then(|path| Servers::load(&path)) else { return Ok(()) };
    let now = Timestamp(u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0));
    let page_state = PageStateFile::at_default_path();
    follow_server_renames(&known, &state, SettingsFile::at_default_path().as_ref(), page_state.as_ref(), now)
}

async fn run_plain_chat(session: Session, called: String) -> anyhow::Result<()> {
    let interactive = access::is_interactive();
    let mut screen = access::stdio_screen();
    if interactive {
        screen.columns = access::TERMINAL_COLUMNS;
    }
    if interactive {
        let me = session.model.me().unwrap_or(&session.endpoint().account);
        screen.write_note(&format!("you are {me}; /help lists the commands, /quit ends"));
    }
    let (settings, problems, file) = load_settings();
    for problem in problems {
        screen.write_note(&problem);
    }
    let mut chat = PlainChat::new(session, screen, interactive)
        .with_settings(PlainSettings::new(called, settings, file));
    if let Some(file) = StateFile::at_default_path().filter(|_| interactive) {
        chat = chat.remember_in(file);
    }
    match chat.run(access::spawn_typed_line_reader(), access::wait_for_interrupt()).await {
        Err(PlainError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(PlainError::Session(error)) => Err(access::describe_session_error(error)),
        other => Ok(other?),
    }
}
