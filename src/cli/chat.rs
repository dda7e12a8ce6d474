//! `parlour chat`: the terminal client.

use std::io;

use super::access::{self, Access};
use crate::client::plain::{Plain, PlainError};
use crate::client::session::Session;

/// Chat in the terminal.
///
/// What is typed is said in the channel or to the person one talks with; lines that start with / are
/// commands, /help lists them. From a pipe, each line is taken in turn; at the end of the input it waits until
/// the server has confirmed everything and exits 0 only if nothing failed.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  parlour chat                          the server used last
  parlour chat chat.example.org         another one you have joined
  parlour chat 192.0.2.7:6697 --pin bSg… --name alice
                                        one you have an account on, without an invite
  printf '/join #lobby\\nhello\\n' | parlour chat")]
pub struct Args {
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    /// Lines in, lines out: for screen readers, simple terminals and pipes.
    #[arg(long)]
    #[allow(dead_code)] // The plain form is the only one so far.
    plain: bool,
    #[command(flatten)]
    access: Access,
}

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run(async {
        let patience = if access::interactive() { None } else { Some(access::PATIENCE) };
        let session = args.access.open(args.server.as_deref(), patience, true).await?;
        talk(session).await
    })
}

/// Chats over a session until the user wants no more.
pub async fn talk(session: Session) -> anyhow::Result<()> {
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
