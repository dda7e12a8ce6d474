//! `parlour send`: sends messages from scripts.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tokio::sync::mpsc::Receiver;

use super::multiline::{self, Limits, MessageBuilder};
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
use crate::platform::stdio;
use crate::wire::{Cap, ChannelName};

/// Send messages, and exit 0 when the server has confirmed them all.
///
/// The words of TEXT are one message, also with line breaks in them. Without TEXT each line of standard input is a
/// message, sent as soon as it is read; empty lines are skipped, and a line that is too long for the server becomes
/// several messages. With --multiline all lines are one message. A channel is joined first if necessary; one that does not exist is only made with
/// --create. A broken connection is re-established, and unconfirmed messages are sent again without duplicates.
///
/// With --file the message shares files: it is sent when the server has them, with their addresses behind TEXT. Standard
/// input is not read then, because it may never end; with --multiline it is the text of the message. An upload goes on
/// after a broken connection.
#[derive(clap::Args)]
#[command(after_help = exit_code::exit_codes_help("\
Examples:
  parlour send '#lobby' 'The build is green'
  make 2>&1 | parlour send '#builds' --notice
  git log -5 --oneline | parlour send '#builds' --multiline
  parlour send alice < letter.txt
  parlour send '#lobby' --file photo.jpg 'The new office'
  make 2>&1 | tail | parlour send '#builds' --multiline --file build.log
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
    #[arg(long, value_name = "FILE")]
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
    if text.is_none() && args.multiline && args.file.iter().any(|path| is_stdin(path)) {
        bail!("standard input cannot be the text and a file; give TEXT, or name the file");
    }
    if args.login.access.password_stdin && args.file.iter().any(|path| is_stdin(path)) {
        bail!("standard input cannot be the password and a file; log in once with `parlour login`");
    }
    access::run_client(async {
        let files = open_files(&args.file, args.file_name.as_deref().unwrap_or_default()).await?;
        let patience = Some(access::RECONNECT_TIMEOUT);
        let script = Script::open(&mut args.login, patience).await?;
        let is_unread = text.is_none() && !args.multiline && !files.is_empty();
        let input = match text {
            Some(text) => Input::Text(text.lines().map(str::to_owned).collect()),
            None if is_unread => Input::Text(Vec::new()),
            None => {
                if access::is_interactive() {
                    note!(
                        "-- {}; Ctrl-D ends",
                        if args.multiline { "all lines are one message" } else { "each line is a message" }
                    );
                }
                Input::Lines(access::spawn_line_reader())
            }
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
        let is_file = args.file.iter().any(|path| is_stdin(path));
        if is_unread && !is_file && stdio::has_piped_input() {
            note!(
                "parlour: standard input was not sent; with --multiline it is the text of the message with the file"
            );
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

/// The source of the text.
enum Input {
    /// The lines of one message.
    Text(Vec<String>),
    /// Lines of standard input.
    Lines(Receiver<io::Result<String>>),
}

/// Returns the next line of standard input. This is cancel-safe.
async fn next_line(lines: &mut Receiver<io::Result<String>>) -> Option<anyhow::Result<String>> {
    Some(lines.recv().await?.context("cannot read standard input"))
}

/// Puts the addresses of files behind a text, each into a line of its own if it would be cut.
fn append_addresses(text: &mut Vec<String>, addresses: Vec<String>, limit: usize) {
    for address in addresses {
        match text.last_mut() {
            Some(last) if last.len() + 1 + address.len() <= limit => *last = format!("{last} {address}"),
            _ => text.push(address),
        }
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
    async fn send_all(&mut self, input: Input, multiline: bool, create: bool) -> anyhow::Result<()> {
        let limits = if multiline { Some(multiline::query_limits(&mut self.script).await?) } else { None };
        if let Conversation::Channel(channel) = &self.target {
            if !create && !self.script.has_channel(channel).await? {
                return Err(no_channel_error(channel));
            }
            self.script.session.model.join(channel);
        }
        match (input, limits) {
            (Input::Text(text), limits) => self.send_one(text, limits).await,
            (Input::Lines(lines), Some(limits)) => {
                let text = self.read_all(lines, limits).await?;
                self.send_one(text, Some(limits)).await
            }
            (Input::Lines(lines), None) => self.send_each(lines).await,
        }
    }

    /// Reads the text of one message. What is too long is refused before all of it is read.
    async fn read_all(
        &mut self,
        mut lines: Receiver<io::Result<String>>,
        limits: Limits,
    ) -> anyhow::Result<Vec<String>> {
        let mut text = MessageBuilder::new(limits, self.script.session.model.multiline_text_limit());
        loop {
            // Lines from the server are handled meanwhile, because some need a reply.
            tokio::select! {
                step = self.script.next() => { self.handle_step(step?)?; }
                line = next_line(&mut lines) => match line.transpose()? {
                    Some(line) => text.add_line(&line)?,
                    None if self.files.is_empty() => return text.finish(),
                    // Files are a message without a text, too.
                    None => return Ok(text.finish().unwrap_or_default()),
                },
            }
        }
    }

    /// Sends a text and the addresses of the files as one message, if the server takes several lines in one.
    async fn send_one(&mut self, mut text: Vec<String>, limits: Option<Limits>) -> anyhow::Result<()> {
        let mut addresses = Vec::new();
        for file in std::mem::take(&mut self.files) {
            addresses.push(self.upload(&file).await?);
        }
        self.wait_until_ready().await?;
        let limit = self.script.session.model.text_limit(&self.target, self.kind);
        append_addresses(&mut text, addresses, limit);
        let limits = match limits {
            None if text.len() > 1 && self.script.session.model.has_cap(Cap::Multiline) => {
                Some(multiline::query_limits(&mut self.script).await?)
            }
            limits => limits,
        };
        if let Some(limits) = limits {
            let mut message = MessageBuilder::new(limits, self.script.session.model.multiline_text_limit());
            text.iter().try_for_each(|line| message.add_line(line))?;
            let ticket = self.script.session.model.send_multiline(&self.target, self.kind, message.finish()?);
            self.lines.insert(ticket, 1);
            self.count = 1;
            self.script.await_confirmation(false);
        } else {
            for (number, line) in (1..).zip(&text) {
                self.send(number, line);
            }
        }
        while !(self.script.ready && self.script.session.model.is_idle()) {
            let step = self.script.next().await?;
            self.handle_step(step)?;
        }
        Ok(())
    }

    /// Sends each line as it comes.
    async fn send_each(&mut self, mut lines: Receiver<io::Result<String>>) -> anyhow::Result<()> {
        let (mut ready, mut open, mut number) = (self.script.ready, true, 0);
        loop {
            if ready && !open && self.script.session.model.is_idle() {
                return Ok(());
            }
            let takes = ready && open && self.script.session.model.unconfirmed_count() < MAX_UNCONFIRMED;
            tokio::select! {
                step = self.script.next() => ready |= self.handle_step(step?)?,
                line = next_line(&mut lines), if takes => match line.transpose()? {
                    Some(line) => {
                        number += 1;
                        self.send(number, &line);
                    }
                    None => open = false,
                },
            }
        }
    }

    async fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        while !self.script.ready {
            let step = self.script.next().await?;
            self.handle_step(step)?;
        }
        Ok(())
    }

    /// Uploads a file. Returns its address for a message. Lines from the server are handled meanwhile.
    async fn upload(&mut self, file: &OutgoingFile) -> anyhow::Result<String> {
        self.wait_until_ready().await?;
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
