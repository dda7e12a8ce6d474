//! `parlour send`: sends messages from scripts.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::sync::mpsc::Receiver;

use super::multiline;
use super::transfer::{Bar, describe_transfer_error};
use super::{LoginOptions, Script, Step};
use crate::cli::access;
use crate::cli::exit_code::{self, Exit};
use crate::client::model::{Conversation, Event, MessageKind, Ticket};
use crate::client::text::clean::clean;
use crate::client::text::count::counted;
use crate::client::text::file_address::address_of;
use crate::client::transfer::upload::{OutgoingFile, upload};
use crate::client::transfer::{FileServer, Progress};
use crate::wire::ChannelName;

/// Send messages, and exit 0 when the server has confirmed them all.
///
/// The words of TEXT are one message. Without TEXT each line of standard input is a message, sent as soon as it is
/// read; empty lines are skipped, and a line that is too long for the server becomes several messages. With --multiline
/// all lines are one message. A channel is joined first if necessary; one that does not exist is only made with
/// --create. A broken connection is re-established, and unconfirmed messages are sent again without duplicates.
///
/// With --file the message shares files: it is sent when the server has them, with their addresses behind TEXT. An upload
/// goes on after a broken connection.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour send '#lobby' 'The build is green'
  make 2>&1 | parlour send '#builds' --notice
  git log -5 --oneline | parlour send '#builds' --multiline
  parlour send alice < letter.txt
  parlour send '#lobby' --file photo.jpg 'The new office'
  tar cz logs | parlour send alice --file - --file-name logs.tar.gz
  (cat password; echo hello) | parlour send '#lobby' --password-stdin"))]
pub struct Args {
    /// A channel (#name) or an account.
    #[arg(value_parser = parse_target)]
    target: Conversation,
    /// The message. After -- it may begin with a hyphen.
    text: Vec<String>,
    /// Send everything as one message of several lines.
    #[arg(long)]
    multiline: bool,
    /// Send notices, to which programs do not reply, instead of messages.
    #[arg(long)]
    notice: bool,
    /// Share this file, also several of them; - for what comes on standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "multiline")]
    file: Vec<PathBuf>,
    /// Name for others of what comes on standard input; `file` if there is none.
    #[arg(long, value_name = "NAME", requires = "file")]
    file_name: Option<String>,
    /// Make the channel if it does not exist.
    #[arg(long)]
    create: bool,
    #[command(flatten)]
    login: LoginOptions,
}

/// Parses a channel or a nick, for clap.
pub fn parse_target(text: &str) -> Result<Conversation, String> {
    Conversation::parse(text).map_err(|error| error.to_string())
}

/// Limit of unconfirmed messages, above which reading pauses.
const MAX_UNCONFIRMED: usize = 64;

/// Runs the subcommand.
pub fn run(mut args: Args) -> anyhow::Result<()> {
    let text = (!args.text.is_empty()).then(|| args.text.join(" "));
    if text.as_ref().is_some_and(|text| text.trim().is_empty()) {
        bail!("there is nothing to send: TEXT is empty; leave it out to send lines of standard input");
    }
    if args.login.access.password_stdin && args.file.iter().any(|path| is_stdin(path)) {
        bail!("standard input cannot be the password and a file; log in once with `parlour login`");
    }
    access::run_client(async {
        let files = open_files(&args.file, args.file_name.as_deref().unwrap_or_default()).await?;
        let patience = Some(access::RECONNECT_TIMEOUT);
        let script = Script::open(&mut args.login, patience).await?;
        let input = if let Some(text) = text {
            Input::Text(text.lines().map(str::to_owned).collect::<Vec<_>>().into_iter())
        } else if !files.is_empty() {
            Input::Text(Vec::new().into_iter())
        } else {
            if access::is_interactive() {
                note!("-- each line is a message; Ctrl-D ends");
            }
            Input::Lines(access::spawn_line_reader())
        };
        let kind = if args.notice { MessageKind::Notice } else { MessageKind::Text };
        let mut sender =
            Sender { script, target: args.target, kind, files, lines: HashMap::new(), count: 0, failed: 0 };
        let done = tokio::select! {
            done = sender.send_all(input, args.multiline, args.create) => done,
            () = access::wait_for_interrupt() => Err(Exit::Refused.error(match sender.script.session.model.unconfirmed_count() {
                0 => "stopped before the end of the input; what was read before is delivered".to_owned(),
                pending => format!("stopped before the server confirmed {}, which may have arrived or not: look with `parlour history`", counted(pending, "message")),
            })),
        };
        sender.script.session.close("").await;
        done?;
        if sender.failed > 0 {
            let (failed, count) = (sender.failed, counted(sender.count, "message"));
            return Err(Exit::Refused.error(format!("{failed} of {count} not delivered, see above")));
        }
        Ok(())
    })
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens the files that are to be shared, before there is a connection.
async fn open_files(paths: &[PathBuf], name_of_stdin: &str) -> anyhow::Result<Vec<OutgoingFile>> {
    let mut files = Vec::new();
    for path in paths {
        let opened = if is_stdin(path) {
            OutgoingFile::copy(tokio::io::stdin(), name_of_stdin).await
        } else {
            OutgoingFile::open(path).await
        };
        files.push(opened.map_err(|error| describe_transfer_error(&error))?);
    }
    Ok(files)
}

/// The source of the lines.
enum Input {
    Text(std::vec::IntoIter<String>),
    Lines(Receiver<io::Result<String>>),
}

impl Input {
    /// Returns the next line. This is cancel-safe.
    async fn next(&mut self) -> Option<anyhow::Result<String>> {
        match self {
            Self::Text(lines) => lines.next().map(Ok),
            Self::Lines(lines) => Some(lines.recv().await?.context("cannot read standard input")),
        }
    }

    /// Puts an address behind the text, or into a message of its own if it would be cut.
    fn with_address(self, address: String, limit: usize) -> Self {
        let Self::Text(lines) = self else { return self };
        let mut lines: Vec<String> = lines.collect();
        match lines.last_mut() {
            Some(last) if last.len() + 1 + address.len() <= limit => *last = format!("{last} {address}"),
            _ => lines.push(address),
        }
        Self::Text(lines.into_iter())
    }
}

fn no_channel_error(channel: &ChannelName) -> anyhow::Error {
    Exit::Refused.error(format!(
        "there is no channel {channel} that this account may see; `parlour channels` lists those there are, and \
         --create makes a new one"
    ))
}

struct Sender {
    script: Script,
    target: Conversation,
    kind: MessageKind,
    /// Files that the message shares.
    files: Vec<OutgoingFile>,
    /// The number of the input line of each unconfirmed message.
    lines: HashMap<Ticket, usize>,
    count: usize,
    failed: usize,
}

impl Sender {
    async fn send_all(&mut self, mut input: Input, multiline: bool, create: bool) -> anyhow::Result<()> {
        let limits = if multiline { Some(multiline::query_limits(&mut self.script).await?) } else { None };
        if let Conversation::Channel(channel) = &self.target {
            if !create && !self.script.has_channel(channel).await? {
                return Err(no_channel_error(channel));
            }
            self.script.session.model.join(channel);
        }
        for file in std::mem::take(&mut self.files) {
            let address = self.upload(&file).await?;
            let limit = self.script.session.model.text_limit(&self.target, self.kind);
            input = input.with_address(address, limit);
        }
        let (mut ready, mut open, mut number) = (self.script.ready, true, 0);
        if let Some(most) = limits {
            let mut text =
                multiline::MessageBuilder::new(most, self.script.session.model.multiline_text_limit());
            loop {
                // Lines from the server are handled meanwhile, because some need a reply.
                tokio::select! {
                    step = self.script.next() => { self.handle_step(step?)?; }
                    line = input.next() => match line.transpose()? {
                        Some(line) => text.add_line(&line)?,
                        None => break,
                    },
                }
            }
            let ticket = self.script.session.model.send_multiline(&self.target, self.kind, text.finish()?);
            self.lines.insert(ticket, 1);
            self.script.await_confirmation(false);
            self.count = 1;
            (ready, open) = (true, false);
        }
        loop {
            if ready && !open && self.script.session.model.is_idle() {
                return Ok(());
            }
            let takes = ready && open && self.script.session.model.unconfirmed_count() < MAX_UNCONFIRMED;
            tokio::select! {
                step = self.script.next() => ready |= self.handle_step(step?)?,
                line = input.next(), if takes => match line.transpose()? {
                    Some(line) => {
                        number += 1;
                        self.send(number, &line);
                    }
                    None => open = false,
                },
            }
        }
    }

    /// Uploads a file. Returns its address for a message. Lines from the server are handled meanwhile.
    async fn upload(&mut self, file: &OutgoingFile) -> anyhow::Result<String> {
        while !self.script.ready {
            let step = self.script.next().await?;
            self.handle_step(step)?;
        }
        let Some(upload_url) = self.script.session.model.upload_url().map(str::to_owned) else {
            return Err(Exit::Refused.error(
                "this server takes no files; who runs it can allow them: `[files]` in its configuration",
            ));
        };
        let (server, progress) = (FileServer::new(self.script.session.endpoint()), Progress::default());
        let bar = Bar::new(&file.name, file.size);
        self.script.bar = bar.inner();
        let uploading = bar.show(&progress, upload(server, file, &progress));
        tokio::pin!(uploading);
        loop {
            tokio::select! {
                uploaded = &mut uploading => {
                    let path = uploaded.map_err(|error| describe_transfer_error(&error))?;
                    return Ok(address_of(&upload_url, &path));
                }
                step = self.script.next() => { self.handle_step(step?)?; }
            }
        }
    }

    fn send(&mut self, number: usize, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        for ticket in self.script.session.model.send_message(&self.target, self.kind, text) {
            self.lines.insert(ticket, number);
            self.count += 1;
        }
        self.script.await_confirmation(false);
    }

    /// Handles a step. Returns whether the login is complete.
    fn handle_step(&mut self, step: Step) -> anyhow::Result<bool> {
        match step {
            Step::Ready => {
                self.script.await_confirmation(false);
                return Ok(true);
            }
            Step::Event(Event::Confirmed(ticket)) => {
                self.lines.remove(&ticket);
                self.script.await_confirmation(true);
            }
            Step::Event(Event::Failed { ticket, target, reason, .. }) => {
                self.failed += 1;
                self.script.await_confirmation(true);
                let line = self.lines.remove(&ticket).unwrap_or_default();
                note!("parlour: line {line} was not delivered to {target}: {}", clean(&reason));
            }
            Step::Event(Event::JoinFailed { channel, reason }) => {
                let why = format!("cannot join {channel}: {}", clean(&reason));
                return Err(
                    Exit::Refused.error(format!("{why}; ask one of its operators, or check the name"))
                );
            }
            Step::Event(Event::Error(text)) => self.script.screen.write_note(&clean(&text)),
            _ => {}
        }
        Ok(false)
    }
}
