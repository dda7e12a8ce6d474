//! Access to a server, for all client commands: selection of server and account, login, passwords.

use std::future::Future;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::exit_code::Exit;
use crate::client::connect::connection::{ConnectError, Endpoint};
use crate::client::connect::dial::DialError;
use crate::client::connect::discover;
use crate::client::connect::login::{Credentials, LoginError};
use crate::client::connect::password::Password;
use crate::client::connect::session::{Session, SessionError};
use crate::client::files::devices::{DeviceFile, DeviceFileError};
use crate::client::files::servers::{KnownServer, Servers, ServersError};
use crate::client::plain::TypedLine;
use crate::client::plain::output::{Columns, PlainOutput};
use crate::client::settings::time_format::TimeFormat;
use crate::platform::terminal;
use crate::trust::device::DeviceIdentity;
use crate::trust::verifier::TrustError;
use crate::trust::{Address, Pin, Pins};
use crate::wire::{CapSet, Nick};

pub use crate::platform::signals::wait_for_interrupt;

/// The options that select the account and its login.
#[derive(clap::Args)]
pub struct Access {
    /// Log in to this account, if you have more than one.
    #[arg(long, value_name = "NAME", value_parser = parse_nick)]
    name: Option<Nick>,
    /// Trust the server with this pin, for an account that was not made with an invite. SERVER is then HOST:PORT;
    /// `parlour certs show` on the server prints the pin.
    // One pin in 64 starts with a hyphen.
    #[arg(long, value_name = "PIN", requires = "name", allow_hyphen_values = true)]
    pin: Option<Pin>,
    /// Read the password from the first line of standard input instead of prompting for it.
    #[arg(long)]
    pub password_stdin: bool,
    /// Capabilities to request in addition to those of every client.
    #[arg(skip)]
    pub extra_capabilities: CapSet,
}

/// Error of opening a session.
enum OpenError {
    Connect(ConnectError),
    Other(anyhow::Error),
}

impl From<ConnectError> for OpenError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<anyhow::Error> for OpenError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

/// Time limit for reconnecting in programs without a user at the keyboard.
pub const RECONNECT_TIMEOUT: Duration = Duration::from_mins(2);

/// Limit of a line with a password, in bytes.
pub const MAX_PASSWORD_LINE: u16 = 1024;

/// Limit of a line from standard input, in bytes.
const MAX_INPUT_LINE: u64 = 1024 * 1024;

impl Access {
    /// Returns the options for an account on a joined server.
    pub fn for_account(account: Nick, extra_capabilities: CapSet) -> Self {
        Self { extra_capabilities, ..Self::for_known_server(Some(account)) }
    }

    /// Returns the options for a joined server, and this account if there are several.
    pub fn for_known_server(name: Option<Nick>) -> Self {
        Self { name, pin: None, password_stdin: false, extra_capabilities: CapSet::EMPTY }
    }

    /// Logs in to `server`, or to the one used last for `None`. `is_read_by_user` states whether a person reads the
    /// messages: then the server becomes the one used last.
    pub async fn open(
        &self,
        server: Option<&str>,
        patience: Option<Duration>,
        is_read_by_user: bool,
    ) -> anyhow::Result<Session> {
        self.open_or_fail(server, patience, is_read_by_user).await.map_err(|error| match error {
            OpenError::Connect(error) => describe_connect_error(&error),
            OpenError::Other(error) => error,
        })
    }

    /// Logs in for a chat at a terminal as [`open`](Self::open) does. While the server is away, and this device has a key
    /// for the account, returns a session that connects as soon as the server is back.
    pub async fn open_or_wait(&self, server: Option<&str>) -> anyhow::Result<Session> {
        let error = match self.open_or_fail(server, None, true).await {
            Ok(session) => return Ok(session),
            Err(OpenError::Connect(error)) => error,
            Err(OpenError::Other(error)) => return Err(error),
        };
        if error.is_final() || self.password_stdin {
            return Err(describe_connect_error(&error));
        }
        let (endpoint, _) = self.device_endpoint(server)?;
        if endpoint.device.is_none() {
            return Err(describe_connect_error(&error));
        }
        remember_as_last_used(&endpoint)?;
        Ok(Session::start(endpoint))
    }

    async fn open_or_fail(
        &self,
        server: Option<&str>,
        patience: Option<Duration>,
        is_read_by_user: bool,
    ) -> Result<Session, OpenError> {
        let path = Servers::default_path().map_err(anyhow::Error::from)?;
        let (addresses, pins, account, called) = self.find_server(server, &path)?;
        let endpoint = |credentials, device, enrols| Endpoint {
            addresses: addresses.clone(),
            pins,
            servers: Some(path.clone()),
            account: account.clone(),
            credentials,
            device,
            enrols_device: enrols,
            read_by_user: is_read_by_user,
            extra_caps: self.extra_capabilities,
            allows_discovery: discover::is_allowed(),
        };
        let file = DeviceFile::for_account(&path, pins.current, &account);
        let device = load_device(&path, pins, &account)?;
        if !self.password_stdin
            && let Some(device) = device
        {
            match Session::open(endpoint(Credentials::Device, Some(device), false), patience).await {
                Ok(session) => {
                    remember_server(&path, &session, &account, is_read_by_user)
                        .map_err(anyhow::Error::from)?;
                    return Ok(session);
                }
                Err(ConnectError::Login(LoginError::Refused(_) | LoginError::MissingCap(_))) => {
                    note!("-- this device may not log in (any more); your password makes it one that may");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let mut tries = if self.password_stdin { 1 } else { 3 };
        let session = loop {
            tries -= 1;
            let password = if self.password_stdin {
                password_from_stdin()?
            } else {
                // A separate thread, because a chat that waits for the result must be able to give up.
                let prompt = format!("Password of {account} on {called}: ");
                tokio::task::spawn_blocking(move || ask_password(&prompt))
                    .await
                    .map_err(anyhow::Error::from)??
            };
            let credentials = Credentials::Password(password);
            // After a typed password this device logs in by its certificate. A script continues to give the password.
            let known = file.load().map_err(anyhow::Error::from)?.is_some();
            let device = if self.password_stdin {
                None
            } else {
                load_or_create_device(&file).map_err(anyhow::Error::from)?
            };
            let enrols = device.is_some();
            match Session::open(endpoint(credentials, device, enrols), patience).await {
                Ok(session) => {
                    if enrols && !session.logs_in_by_device() {
                        if !known {
                            file.remove().map_err(anyhow::Error::from)?;
                        }
                        note!(
                            "-- this server does not take the keys of machines: it asks for your password each time"
                        );
                    }
                    break session;
                }
                Err(ConnectError::Login(error @ LoginError::Refused(_))) if tries > 0 => {
                    note!("-- {error}");
                }
                Err(error) => return Err(error.into()),
            }
        };
        remember_server(&path, &session, &account, is_read_by_user).map_err(anyhow::Error::from)?;
        Ok(session)
    }

    /// Creates a session that connects in the background, if this device has a key for the account. Returns its name
    /// too.
    pub async fn start_session(&self, server: Option<&str>) -> anyhow::Result<(Session, String)> {
        let (endpoint, called) = self.device_endpoint(server)?;
        if endpoint.device.is_none() {
            return Ok((self.open(server, None, true).await?, called));
        }
        remember_as_last_used(&endpoint)?;
        Ok((Session::start(endpoint), called))
    }

    /// Returns the selected server, for logins by this device's key, and its name. Without a key, `device` is `None`.
    pub fn device_endpoint(&self, server: Option<&str>) -> anyhow::Result<(Endpoint, String)> {
        let path = Servers::default_path()?;
        let (addresses, pins, account, called) = self.find_server(server, &path)?;
        let endpoint = Endpoint {
            device: load_device(&path, pins, &account)?,
            addresses,
            pins,
            servers: Some(path),
            account,
            credentials: Credentials::Device,
            enrols_device: false,
            read_by_user: true,
            extra_caps: self.extra_capabilities,
            allows_discovery: discover::is_allowed(),
        };
        Ok((endpoint, called))
    }

    /// Returns addresses, pins, account and name of the selected server.
    fn find_server(
        &self,
        server: Option<&str>,
        path: &Path,
    ) -> anyhow::Result<(Vec<Address>, Pins, Nick, String)> {
        server.map_or(Ok(()), Servers::refuse_link)?;
        if let (Some(pin), Some(name)) = (self.pin, &self.name) {
            let address: Address =
                server.context("--pin needs the server's address: HOST:PORT")?.parse().context("SERVER")?;
            let called = address.host().to_owned();
            return Ok((vec![address], pin.into(), name.clone(), called));
        }
        let servers = load_servers(path)?;
        let found = match (&self.name, server) {
            (None, wanted) => servers.find(wanted)?,
            (Some(name), Some(wanted)) => servers.find_account(wanted, name)?,
            (Some(name), None) => match servers.find(None)? {
                last if last.account == *name => last,
                last => match servers.iter().filter(|server| server.account == *name).collect::<Vec<_>>()[..]
                {
                    [only] => only,
                    _ => bail!("{name} is not your account on {}; name the server too", last.name),
                },
            },
        };
        let KnownServer { name, addresses, pins, account, .. } = found.clone();
        Ok((addresses, pins, account, name))
    }
}

/// Returns this device's key for an account, if there is one.
pub fn load_device(path: &Path, pins: Pins, account: &Nick) -> anyhow::Result<Option<DeviceIdentity>> {
    Ok(match (DeviceFile::for_account(path, pins.current, account).load()?, pins.next) {
        // Another program may be renaming the file for the new pin.
        (None, Some(next)) => DeviceFile::for_account(path, next, account).load()?,
        (device, _) => device,
    })
}

/// Loads the known servers, and notes the entries that are ignored.
pub fn load_servers(path: &Path) -> Result<Servers, ServersError> {
    let servers = Servers::load(path)?;
    for damaged in servers.damaged() {
        note!("-- {}: {damaged}; it is passed over: repair it, or remove it and join again", path.display());
    }
    Ok(servers)
}

/// Stores the server that a person opens, as the one used last.
pub fn remember_as_last_used(endpoint: &Endpoint) -> Result<(), ServersError> {
    let Some(path) = &endpoint.servers else { return Ok(()) };
    warn_if_not_stored(Servers::store_server(path, &endpoint.addresses, endpoint.pins, &endpoint.account))
}

/// Stores a session's server, as the one used last if a person uses it.
fn remember_server(
    path: &Path,
    session: &Session,
    account: &Nick,
    is_used_by_person: bool,
) -> Result<(), ServersError> {
    let store = if is_used_by_person { Servers::store_server } else { Servers::store_for_script };
    warn_if_not_stored(store(path, &session.endpoint().addresses, session.pins(), account))
}

/// Turns a failed write into a note, because a command that only uses a server works without it.
fn warn_if_not_stored(remembered: Result<String, ServersError>) -> Result<(), ServersError> {
    match remembered {
        Err(error @ ServersError::Write { .. }) => note!("-- {error}"),
        remembered => drop(remembered?),
    }
    Ok(())
}

/// Returns this device's key, which is made if there is none. Returns `None` if it cannot be stored, so the password
/// logs in.
fn load_or_create_device(file: &DeviceFile) -> Result<Option<DeviceIdentity>, DeviceFileError> {
    match file.load_or_generate() {
        Err(error @ DeviceFileError::Io("write", ..)) => {
            note!("-- {error}; the password is asked for each time until that can be written");
            Ok(None)
        }
        device => device.map(Some),
    }
}

/// Parses a nick, for clap.
pub fn parse_nick(text: &str) -> Result<Nick, String> {
    Nick::parse(text).map_err(|why| format!("this cannot be an account's name: {why}"))
}

/// Describes a failed connection in one line that ends with the remedy.
pub fn describe_connect_error(error: &ConnectError) -> anyhow::Error {
    let hint = match error {
        ConnectError::Dial(DialError::Untrusted {
            reason: TrustError::Expired { .. } | TrustError::NotYetValid { .. },
            ..
        }) => {
            "check this machine's clock (`date`); if it is right, the server's may be wrong, or it needs `parlour certs renew`"
        }
        ConnectError::Dial(DialError::Untrusted { .. }) => {
            "nothing was sent to it. Somebody may be posing as your server. If it was set up anew, or its old root was \
             retired while you were away, ask its administrator for a new invite and compare the pin with what `parlour certs show` prints there"
        }
        ConnectError::Dial(DialError::Unreachable(_)) => {
            "is the server running, and is this the right address and network?"
        }
        ConnectError::Login(LoginError::Refused(_)) => {
            "check the name and the password; if they are right, the account may be disabled"
        }
        ConnectError::Login(LoginError::Invite(_)) => "ask for a new invite",
        ConnectError::Login(LoginError::NameTaken(_) | LoginError::BadName(_)) => {
            "choose another with --name"
        }
        ConnectError::Login(LoginError::BadPassword(_)) => "choose another",
        ConnectError::Login(LoginError::MissingCap(_) | LoginError::TooMuchOutput) => "check the address",
        ConnectError::Login(LoginError::NoSasl) => {
            "nothing was said to it. Check the address; on another kind of server its administrator must set up accounts"
        }
        ConnectError::NotEnrolled(_) => "remove one that you no longer use: /msg NickServ CERT LIST",
        ConnectError::Dial(DialError::Device(_)) => {
            "remove its file in the folder `devices` of parlour's configuration, and log in with your password"
        }
        ConnectError::Login(LoginError::ClosedByServer(_)) | ConnectError::ConnectionLost(_) => {
            "try again in a moment"
        }
    };
    let exit = match error {
        ConnectError::Dial(DialError::Untrusted { .. }) => Exit::Untrusted,
        ConnectError::Dial(DialError::Unreachable(_)) | ConnectError::ConnectionLost(_) => Exit::Unreachable,
        ConnectError::Dial(DialError::Device(_)) => Exit::Failed,
        ConnectError::Login(_) | ConnectError::NotEnrolled(_) => Exit::Login,
    };
    exit.error(format!("{error}; {hint}"))
}

/// Describes the end of a session in one line.
pub fn describe_session_error(error: SessionError) -> anyhow::Error {
    match error {
        SessionError::Final(ConnectError::Login(error @ LoginError::Refused(_))) => {
            anyhow!("{error}; open `parlour chat` again: it asks for your password, which may be another now")
        }
        SessionError::Final(error) => describe_connect_error(&error),
        SessionError::GaveUp { .. } => Exit::Unreachable.error(error.to_string()),
    }
}

/// Prompts for a password on the terminal, without echo.
pub fn ask_password(prompt: &str) -> anyhow::Result<Password> {
    Password::new(ask_secret(prompt)?).context("it cannot be a password")
}

/// Reads a password from the first line of standard input. The rest stays for other readers.
pub fn password_from_stdin() -> anyhow::Result<Password> {
    Password::new(secret_from_stdin()?).map_err(|why| {
        anyhow!("{why}; with --password-stdin the first line of standard input has to be the password")
    })
}

/// Prompts as [`ask_password`] does, for a secret that need not be a valid password.
pub fn ask_secret(prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    terminal::read_secret(prompt)
        .map_err(|error| anyhow!("cannot ask for the password ({error}): give it with --password-stdin"))
}

/// Reads as [`password_from_stdin`] does, for a secret that need not be a valid password.
pub fn secret_from_stdin() -> anyhow::Result<Zeroizing<String>> {
    line_from_stdin(MAX_PASSWORD_LINE).context("cannot read the password from standard input")
}

/// Reads the next line of standard input, at most `max_bytes` bytes of it. The text is wiped from memory.
pub fn line_from_stdin(max_bytes: u16) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(max_bytes.into()));
    io::stdin().lock().take(max_bytes.into()).read_line(&mut text)?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    Ok(text)
}

/// Reads the lines of standard input on a separate thread, a few ahead of the receiver.
///
/// A thread, because reading from a terminal cannot be cancelled and must not keep the program from ending.
pub fn spawn_line_reader() -> mpsc::Receiver<io::Result<String>> {
    spawn_reader(|line| line.text)
}

/// Reads lines as [`spawn_line_reader`] does, and tells whether the input ended within one.
pub fn spawn_typed_line_reader() -> mpsc::Receiver<io::Result<TypedLine>> {
    spawn_reader(|line| line)
}

fn spawn_reader<T: Send + 'static>(
    convert: impl Fn(TypedLine) -> T + Send + 'static,
) -> mpsc::Receiver<io::Result<T>> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let read = input.by_ref().take(MAX_INPUT_LINE).read_until(b'\n', &mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) if line.len() as u64 == MAX_INPUT_LINE && line.last() != Some(&b'\n') => {
                    Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than a megabyte"))
                }
                Ok(_) => {
                    let is_finished = line.last() == Some(&b'\n');
                    let line = line.strip_suffix(b"\n").unwrap_or(&line);
                    let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
                    Ok(convert(TypedLine { text, is_finished }))
                }
                Err(error) => Err(error),
            };
            let failed = line.is_err();
            if sender.blocking_send(line).is_err() || failed {
                return;
            }
        }
    });
    receiver
}

/// Returns a screen with messages on standard output and notes on standard error.
pub fn stdio_screen() -> PlainOutput<io::Stdout, io::Stderr> {
    PlainOutput {
        messages: io::stdout(),
        notes: io::stderr(),
        zone: TimeZone::system(),
        time_format: TimeFormat::default(),
        columns: Columns::default(),
        noted_reason: None,
    }
}

/// Widths of the terminals of standard output and standard error.
pub const TERMINAL_COLUMNS: Columns = Columns {
    messages: || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0)),
    notes: || terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0)),
};

/// Returns whether a user is at the keyboard.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Runs a client on a single thread, which is enough for one user.
pub fn run_client<T>(client: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(client);
    // A hanging name resolution must not delay the end.
    runtime.shutdown_background();
    result
}
