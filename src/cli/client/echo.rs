//! `parlour echo`: sends lines to the echo account and prints its replies.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;

use crate::cli::access::{self, Access};
use crate::cli::exit_code::{self, Exit};
use crate::cli::output::{self, note, print};
use crate::client::connect::session::{Session, SessionUpdate};
use crate::client::model::{Conversation, Event, MessageKind};
use crate::client::plain::output::PlainOutput;
use crate::client::text::clean::clean;
use crate::wire::Nick;

/// Send lines to the server's echo account and print its replies.
///
/// The first program of every network tutorial, over TLS and with a login. It prompts for lines until the end of the
/// input.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour echo
  printf 'hi\\n' | parlour echo"))]
pub struct Args {
    /// A server you have joined, by name or address; by default the one used last.
    #[arg(value_name = "SERVER")]
    server: Option<String>,
    #[command(flatten)]
    access: Access,
}

/// The account that replies.
const ECHO_NICK: &str = "echo";

/// Time limit for the reply to a confirmed message.
const REPLY_TIMEOUT: Duration = Duration::from_secs(15);

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run_client(async {
        let mut session =
            args.access.open(args.server.as_deref(), Some(access::RECONNECT_TIMEOUT), false).await?;
        let done = tokio::select! {
            done = run_conversation(&mut session) => done,
            () = access::wait_for_interrupt() => Ok(()),
        };
        session.close("").await;
        done
    })
}

async fn run_conversation(session: &mut Session) -> anyhow::Result<()> {
    let mut screen = access::stdio_screen();
    let mut input = access::spawn_line_reader();
    let echo = Nick::parse(ECHO_NICK).context("the name of the server's account")?;
    loop {
        print_prompt()?;
        let line = tokio::select! {
            line = input.recv() => line,
            error = show_updates(session, &mut screen) => return Err(error),
        };
        let Some(line) = line.transpose().context("cannot read standard input")? else {
            if access::is_interactive() {
                note!();
            }
            return Ok(());
        };
        if line.trim().is_empty() {
            continue;
        }
        for answer in collect_replies(session, &mut screen, &echo, &line).await? {
            if !output::ignore_broken_pipe(screen.write_message(&format!("Server: {}", clean(&answer))))? {
                return Ok(());
            }
        }
    }
}

/// Prompts for a line if there is a user at the keyboard. The prompt never goes to a file or a pipe on standard output.
fn print_prompt() -> anyhow::Result<()> {
    const PROMPT: &str = "Enter message: ";
    if !access::is_interactive() {
        return Ok(());
    }
    if io::stdout().is_terminal() {
        print(PROMPT)
    } else {
        note(PROMPT);
        Ok(())
    }
}

/// Keeps the connection alive while the user types.
async fn show_updates<T: io::Write, N: io::Write>(
    session: &mut Session,
    screen: &mut PlainOutput<T, N>,
) -> anyhow::Error {
    loop {
        match session.next_update().await {
            Ok(update) => screen.note_connection(&update, session.model.unconfirmed_count()),
            Err(error) => return access::describe_session_error(error),
        }
    }
}

/// Sends a line and waits until all messages made of it are confirmed and have a reply.
async fn collect_replies<T: io::Write, N: io::Write>(
    session: &mut Session,
    screen: &mut PlainOutput<T, N>,
    echo: &Nick,
    line: &str,
) -> anyhow::Result<Vec<String>> {
    let mut unanswered =
        session.model.send_message(&Conversation::Direct(echo.clone()), MessageKind::Text, line).len();
    let mut answers = Vec::new();
    while unanswered > 0 {
        let update = if session.model.unconfirmed_count() > 0 {
            session.next_update().await.map_err(access::describe_session_error)?
        } else {
            // The message is confirmed, so its reply is on its way unless the connection breaks.
            timeout(REPLY_TIMEOUT, session.next_update())
                .await
                .context("the server did not answer; send the line again")??
        };
        screen.note_connection(&update, session.model.unconfirmed_count());
        match update {
            // Another session of the account may use the echo account too, so only replies that repeat this line count.
            SessionUpdate::Event(Event::Message(said))
                if !said.mine && said.from == *echo && is_echo_of(&said.text, line) =>
            {
                answers.push(said.text);
                unanswered -= 1;
            }
            SessionUpdate::Event(Event::Failed { reason, .. }) => {
                return Err(Exit::Refused.error(format!("the message was refused: {}", clean(&reason))));
            }
            _ => {}
        }
    }
    Ok(answers)
}

/// Returns whether the reply ends with `line`, or with a piece of it.
fn is_echo_of(reply: &str, line: &str) -> bool {
    reply.split_once(": ").is_some_and(|(_, text)| !text.is_empty() && line.contains(text))
}
