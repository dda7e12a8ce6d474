//! A model with a connection under it that comes back by itself.

use std::future::Future;
use std::pin::Pin as Pinned;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::{Instant, Sleep, sleep};

use super::backoff::Backoff;
use super::clean::clean;
use super::find::connect_or_find;
use super::link::{ConnectError, Endpoint, Link, look_again};
use super::login::{Credentials, LoginError};
use super::model::{Event, Model};
use crate::trust::{Address, Pins};

pub use self::devices::Enrolled;

/// Something to tell the user.
#[derive(Debug)]
pub enum Update {
    /// Something happened on the server.
    Event(Event),
    /// The connection is gone and will be tried again.
    Down {
        /// Why, fit for a terminal.
        reason: String,
        /// In how long.
        retry: Duration,
    },
    /// The connection is back and logged in.
    Up,
}

/// Why the session is over.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Trying again would not help.
    #[error(transparent)]
    Final(#[from] ConnectError),
    /// It was tried for as long as was wanted.
    #[error("the connection is gone and did not come back within {} seconds: {reason}", patience.as_secs())]
    GaveUp {
        /// How long it was tried.
        patience: Duration,
        /// What went wrong the last time.
        reason: String,
    },
}

/// One account's presence on one server. Everything happens inside [`Session::next`]: nothing is read or
/// written while nobody calls it.
pub struct Session {
    /// What goes on. Whatever it is told to send goes out during [`Session::next`].
    pub model: Model,
    endpoint: Endpoint,
    state: State,
    backoff: Backoff,
    /// Logins that were refused since the last one that was not.
    refused: u32,
    /// How long to try before giving up; `None` for ever.
    patience: Option<Duration>,
    down_since: Instant,
    /// When the local network was last asked where the server is.
    looked: Option<Instant>,
    /// A look at what the server shows, now and then; see [`AGAIN`].
    look: Pinned<Box<dyn Future<Output = Option<Pins>>>>,
    /// The server's last words.
    farewell: Option<String>,
}

enum State {
    Online(Box<Link>),
    Waiting(Pinned<Box<Sleep>>),
    Connecting(Pinned<Box<dyn Future<Output = Arrival>>>),
}

/// A connection, and where the server is.
type Arrival = Result<(Link, Vec<Address>), ConnectError>;

/// A connection that lasted this long was a good one.
const GOOD: Duration = Duration::from_secs(2);

/// A server that is busy refuses with the words for a wrong password. So a login that has worked once is
/// tried a few times before it is taken for wrong.
const REFUSALS: u32 = 3;

/// A server that is away for this long may have moved; one that restarts is back sooner.
const MOVED: Duration = Duration::from_secs(5);
/// The network is not asked for it more often than this.
const LOOK: Duration = Duration::from_mins(1);

/// A connection may last for months, and its server's root may change and the old one be retired meanwhile. So from time
/// to time it is looked what the server shows; after two looks the new pin is the one that counts.
const AGAIN: Duration = Duration::from_hours(1);

impl Session {
    /// Connects and logs in; every failure is told at once. `patience` is for later: how long to try to come
    /// back before giving up, `None` for ever.
    pub async fn open(mut endpoint: Endpoint, patience: Option<Duration>) -> Result<Self, ConnectError> {
        let (link, addresses) = connect_or_find(endpoint.clone(), true).await?;
        endpoint.pins = link.pins;
        endpoint.addresses = addresses;
        if endpoint.enrols && link.enrolled {
            // From now on the key speaks, and the password can be forgotten.
            endpoint.credentials = Credentials::Device;
        } else if let Credentials::Invite { password, .. } = &endpoint.credentials {
            // The invite is spent; from now on there is an account with this password.
            endpoint.credentials = Credentials::Password(password.clone());
        }
        endpoint.enrols = false;
        let mut session = Self::with(endpoint, State::Connecting(Box::pin(std::future::pending())), patience);
        session.model.connected(link.nick.clone(), link.caps);
        session.state = State::Online(Box::new(link));
        session.look_after(AGAIN);
        Ok(session)
    }

    /// The same without waiting: connects during [`Session::next`], and tries again until it works or cannot.
    pub fn start(endpoint: Endpoint) -> Self {
        let connecting = State::Connecting(Box::pin(connect_or_find(endpoint.clone(), true)));
        let mut session = Self::with(endpoint, connecting, None);
        // No login has worked yet: the first refusal is the last.
        session.refused = REFUSALS - 1;
        session
    }

    fn with(endpoint: Endpoint, state: State, patience: Option<Duration>) -> Self {
        // 96 bits: two runs will not share their ids.
        let run = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
        Self {
            model: Model::new(run),
            endpoint,
            state,
            backoff: Backoff::default(),
            refused: 0,
            patience,
            down_since: Instant::now(),
            looked: None,
            look: Box::pin(std::future::pending()),
            farewell: None,
        }
    }

    /// Does not wait any longer before it tries again: somebody is there and wants something.
    pub fn hurry(&mut self) {
        if matches!(self.state, State::Waiting(_)) {
            self.backoff.reset();
            self.endpoint.catch_up();
            self.state = State::Connecting(Box::pin(connect_or_find(self.endpoint.clone(), false)));
        }
    }

    /// Goes on where another session of the same account is just now, which was opened to log in anew. What was not
    /// confirmed goes out there, under the ids that it has.
    pub fn go_on_with(&mut self, other: Self) {
        self.endpoint = other.endpoint;
        self.state = other.state;
        self.backoff.reset();
        self.refused = 0;
        self.farewell = None;
        if let State::Online(link) = &self.state {
            self.model.connected(link.nick.clone(), link.caps);
        }
        self.look_after(AGAIN);
    }

    /// How the server is known after the last connection.
    pub fn pins(&self) -> Pins {
        self.endpoint.pins
    }

    /// Does the machine's key log in from now on? Not where the password does: the server may know no such keys.
    pub fn by_device(&self) -> bool {
        matches!(self.endpoint.credentials, Credentials::Device)
    }

    /// Where it is, the likeliest first, and as whom. The first is another than before when it was found elsewhere.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for the next thing to tell. Dropping the future midway loses nothing.
    pub async fn next(&mut self) -> Result<Update, SessionError> {
        loop {
            while let Some(event) = self.model.next_event() {
                if let Event::Closing(why) = event {
                    self.farewell = Some(clean(&why));
                    continue;
                }
                return Ok(Update::Event(event));
            }
            match &mut self.state {
                State::Online(link) => {
                    let turned = tokio::select! {
                        turned = link.turn(&mut self.model) => turned,
                        pins = &mut self.look => {
                            // Where it cannot be reached for the moment, the next look is as good.
                            self.endpoint.pins = pins.unwrap_or(self.endpoint.pins);
                            self.look_after(AGAIN);
                            continue;
                        }
                    };
                    if let Err(reason) = turned {
                        if link.opened.elapsed() >= GOOD {
                            self.backoff.reset();
                        }
                        self.model.disconnected();
                        self.down_since = Instant::now();
                        let reason = self.farewell.take().unwrap_or(reason);
                        return Ok(self.wait(reason));
                    }
                }
                State::Waiting(sleep) => {
                    sleep.as_mut().await;
                    self.endpoint.catch_up();
                    let look = self.down_since.elapsed() >= MOVED
                        && self.looked.is_none_or(|looked| looked.elapsed() >= LOOK);
                    if look {
                        self.looked = Some(Instant::now());
                    }
                    self.state = State::Connecting(Box::pin(connect_or_find(self.endpoint.clone(), look)));
                }
                State::Connecting(connecting) => match connecting.as_mut().await {
                    Ok((link, addresses)) => {
                        self.refused = 0;
                        self.endpoint.pins = link.pins;
                        self.endpoint.addresses = addresses;
                        self.model.connected(link.nick.clone(), link.caps);
                        self.state = State::Online(Box::new(link));
                        self.look_after(AGAIN);
                        return Ok(Update::Up);
                    }
                    Err(error) => {
                        if self.is_final(&error) {
                            return Err(error.into());
                        }
                        let reason = error.to_string();
                        if let Some(patience) = self.patience.filter(|p| self.down_since.elapsed() >= *p) {
                            return Err(SessionError::GaveUp { patience, reason });
                        }
                        return Ok(self.wait(reason));
                    }
                },
            }
        }
    }

    /// Looks after this time what the server shows, if the connection lasts so long. That happens by itself every hour.
    pub fn look_after(&mut self, wait: Duration) {
        let endpoint = self.endpoint.clone();
        self.look = Box::pin(async move {
            sleep(wait).await;
            look_again(endpoint).await.ok()
        });
    }

    fn is_final(&mut self, error: &ConnectError) -> bool {
        match error {
            // Elsewhere the login is another program's, which may come back later than the server.
            ConnectError::Login(LoginError::NoLogin) => self.model.me().is_none(),
            ConnectError::Login(LoginError::Refused(_)) => {
                self.refused += 1;
                self.refused >= REFUSALS
            }
            ConnectError::Login(error) => error.is_final(),
            // Where the server may be down for a moment at one address, who answers at another is no reason to give up.
            ConnectError::Dial(super::dial::DialError::Untrusted { elsewhere, .. }) => elsewhere.is_none(),
            ConnectError::Dial(_) | ConnectError::Broke(_) | ConnectError::NotEnrolled(_) => false,
        }
    }

    fn wait(&mut self, reason: String) -> Update {
        let retry = self.backoff.next(rand::random());
        self.state = State::Waiting(Box::pin(sleep(retry)));
        Update::Down { reason, retry }
    }

    /// Says goodbye and closes the connection, if there is one.
    pub async fn close(mut self, reason: &str) {
        if let State::Online(link) = self.state
            && self.model.quit(reason).is_ok()
        {
            link.close(&mut self.model).await;
        }
    }
}

mod devices;
#[cfg(test)]
mod tests;
