//! `parlour echo`: sends lines to the echo account and prints its replies.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::timeout;

use crate::cli::access::{self, Access};
use crate::cli::exit::{self, Exit};
use crate::cli::output::{self, note, print};
use crate::client::clean::clean;
use crate::client::connect::session::{Session, Update};
use crate::client::lines::output::Screen;
use crate::client::model::{Event, Kind, Target};
use crate::wire::Nick;

/// Send lines to the server's echo account and print its replies.
///
/// The first program of every network tutorial, over TLS and with a login. It prompts for lines until the end of the
/// input.
#[derive(clap::Args)]
#[command(after_help = exit::help("\
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
const ECHO: &str = "echo";

/// Time limit for the reply to a confirmed message.
const ANSWER: Duration = Duration::from_secs(15);

/// Runs the subcommand.
pub fn run(args: &Args) -> anyhow::Result<()> {
    access::run(async {
        let mut session = args.access.open(args.server.as_deref(), Some(access::PATIENCE), false).await?;
        let done = tokio::select! {
            done = converse(&mut session) => done,
            () = access::interrupted() => Ok(()),
        };
        session.close("").await;
        done
    })
}

async fn converse(session: &mut Session) -> anyhow::Result<()> {
    let mut screen = access::screen();
    let mut input = access::lines();
    let echo = Nick::parse(ECHO).context("the name of the server's account")?;
    loop {
        prompt()?;
        let line = tokio::select! {
            line = input.recv() => line,
            error = idle(session, &mut screen) => return Err(error),
        };
        let Some(line) = line.transpose().context("cannot read standard input")? else {
            if access::interactive() {
                note!();
            }
            return Ok(());
        };
        if line.trim().is_empty() {
            continue;
        }
        for answer in answers(session, &mut screen, &echo, &line).await? {
            if !output::quiet_when_unread(screen.talk(&format!("Server: {}", clean(&answer))))? {
                return Ok(());
            }
        }
    }
}

/// Prompts for a line if there is a user at the keyboard. The prompt never goes to a file or a pipe on standard output.
fn prompt() -> anyhow::Result<()> {
    const PROMPT: &str = "Enter message: ";
    if !access::interactive() {
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
async fn idle<T: io::Write, N: io::Write>(session: &mut Session, screen: &mut Screen<T, N>) -> anyhow::Error {
    loop {
        match session.next().await {
            Ok(update) => screen.connection(&update, session.model.pending()),
            Err(error) => return access::ended(error),
        }
    }
}

/// Sends a line and waits until all messages made of it are confirmed and have a reply.
async fn answers<T: io::Write, N: io::Write>(
    session: &mut Session,
    screen: &mut Screen<T, N>,
    echo: &Nick,
    line: &str,
) -> anyhow::Result<Vec<String>> {
    let mut unanswered = session.model.say(&Target::Person(echo.clone()), Kind::Text, line).len();
    let mut answers = Vec::new();
    while unanswered > 0 {
        let update = if session.model.pending() > 0 {
            session.next().await.map_err(access::ended)?
        } else {
            // The message is confirmed, so its reply is on its way unless the connection breaks.
            timeout(ANSWER, session.next())
                .await
                .context("the server did not answer; send the line again")??
        };
        screen.connection(&update, session.model.pending());
        match update {
            // Another session of the account may use the echo account too, so only replies that repeat this line count.
            Update::Event(Event::Said(said))
                if !said.mine && said.from == *echo && repeats(&said.text, line) =>
            {
                answers.push(said.text);
                unanswered -= 1;
            }
            Update::Event(Event::Failed { reason, .. }) => {
                return Err(Exit::Refused.error(format!("the message was refused: {}", clean(&reason))));
            }
            _ => {}
        }
    }
    Ok(answers)
}

/// Returns whether the reply ends with `line`, or with a piece of it.
fn repeats(answer: &str, line: &str) -> bool {
    answer.split_once(": ").is_some_and(|(_, text)| !text.is_empty() && line.contains(text))
}
