//! A session: the model with a connection that is re-established automatically.

use std::future::Future;
use std::pin::Pin as Pinned;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::{Instant, Sleep, sleep};

use super::backoff::Backoff;
use super::connection::{ConnectError, Connection, Endpoint, check_pins};
use super::login::{Credentials, LoginError};
use super::search::connect_or_search;
use crate::client::model::{Event, Model};
use crate::client::text::clean::clean;
use crate::trust::{Address, Pins};

pub use self::devices::EnrolledDevice;

/// A notification for the user.
#[derive(Debug)]
pub enum SessionUpdate {
    /// An event from the server.
    Event(Event),
    /// The connection is gone and will be retried.
    Disconnected {
        /// Reason, safe to show on a terminal.
        reason: String,
        /// Delay until the next attempt; zero if the server has said that it restarts.
        retry_delay: Duration,
    },
    /// The connection is back and logged in.
    Connected,
}

/// The error that ended the session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Another attempt would fail too.
    #[error(transparent)]
    Final(#[from] ConnectError),
    /// The time limit for attempts has passed.
    #[error("the connection is gone and did not come back within {} seconds: {reason}", patience.as_secs())]
    GaveUp {
        /// Time limit of the attempts.
        patience: Duration,
        /// Error of the last attempt.
        reason: String,
    },
}

/// A session of one account on one server. All IO happens inside [`Session::next_update`]: nothing is read or written between
/// calls.
pub struct Session {
    /// The client's state. What it has to send goes out during [`Session::next_update`].
    pub model: Model,
    endpoint: Endpoint,
    state: State,
    backoff: Backoff,
    /// Number of refused logins since the last successful one.
    refusals: u32,
    /// Time limit for reconnecting; `None` for no limit.
    patience: Option<Duration>,
    down_since: Instant,
    /// Time of the last search for the server on the local network.
    last_search: Option<Instant>,
    /// The next check of the server's certificates; see [`PIN_CHECK_INTERVAL`].
    pin_check: Pinned<Box<dyn Future<Output = Option<Pins>>>>,
    /// The reason in the server's ERROR.
    error_reason: Option<String>,
}

enum State {
    Online(Box<Connection>),
    Waiting(Pinned<Box<Sleep>>),
    Connecting(Pinned<Box<dyn Future<Output = ConnectResult>>>),
}

/// A connection, and the server's addresses.
type ConnectResult = Result<(Connection, Vec<Address>), ConnectError>;

/// Duration after which a connection counts as stable, so that the delays of attempts start over.
const STABLE_AFTER: Duration = Duration::from_secs(2);

/// Number of refusals after which a login that has worked before counts as wrong. A busy server refuses a login with
/// the same text as for a wrong password, so it is retried.
const MAX_REFUSALS: u32 = 3;

/// Time offline after which the server may have moved to another address. One that restarts is back sooner.
const SEARCH_AFTER: Duration = Duration::from_secs(5);
/// Minimum interval between searches on the local network.
const SEARCH_INTERVAL: Duration = Duration::from_mins(1);

/// Interval between checks of the server's certificates. A connection may last for months, in which the server may
/// rotate its root and retire the old one. Two checks are enough to adopt the new pin.
pub(in crate::client) const PIN_CHECK_INTERVAL: Duration = Duration::from_hours(1);

impl Session {
    /// Connects and logs in, without retrying. `patience` is the time limit for later reconnections, `None` for no
    /// limit.
    pub async fn open(mut endpoint: Endpoint, patience: Option<Duration>) -> Result<Self, ConnectError> {
        let (link, addresses) = connect_or_search(endpoint.clone(), true).await?;
        endpoint.pins = link.pins;
        endpoint.addresses = addresses;
        if endpoint.enrols_device && link.device_enrolled {
            // The device's certificate logs in from now on, so the password is not needed any more.
            endpoint.credentials = Credentials::Device;
        } else if let Credentials::Invite { password, .. } = &endpoint.credentials {
            // The invite is used up. From now on the account exists, with this password.
            endpoint.credentials = Credentials::Password(password.clone());
        }
        endpoint.enrols_device = false;
        let mut session =
            Self::from_state(endpoint, State::Connecting(Box::pin(std::future::pending())), patience);
        session.model.connected(link.nick.clone(), link.caps);
        session.state = State::Online(Box::new(link));
        session.schedule_pin_check(PIN_CHECK_INTERVAL);
        Ok(session)
    }

    /// Creates a session without waiting. It connects during [`Session::next_update`] and retries until it succeeds or a final
    /// error occurs.
    pub fn start(endpoint: Endpoint) -> Self {
        let connecting = State::Connecting(Box::pin(connect_or_search(endpoint.clone(), true)));
        let mut session = Self::from_state(endpoint, connecting, None);
        // No login has succeeded yet, so the first refusal is final.
        session.refusals = MAX_REFUSALS - 1;
        session
    }

    fn from_state(endpoint: Endpoint, state: State, patience: Option<Duration>) -> Self {
        // 96 random bits make the send ids of each run unique.
        let run = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 12]>());
        Self {
            model: Model::new(run),
            endpoint,
            state,
            backoff: Backoff::default(),
            refusals: 0,
            patience,
            down_since: Instant::now(),
            last_search: None,
            pin_check: Box::pin(std::future::pending()),
            error_reason: None,
        }
    }

    /// Ends the delay before the next attempt, because the user wants something.
    pub fn retry_now(&mut self) {
        if matches!(self.state, State::Waiting(_)) {
            self.backoff.reset();
            self.endpoint.refresh_pins();
            self.state = State::Connecting(Box::pin(connect_or_search(self.endpoint.clone(), false)));
        }
    }

    /// Takes over the connection of another session of the same account, which was opened for a new login. Unconfirmed
    /// messages are sent there with their existing send ids.
    pub fn take_over(&mut self, other: Self) {
        self.endpoint = other.endpoint;
        self.state = other.state;
        self.backoff.reset();
        self.refusals = 0;
        self.error_reason = None;
        if let State::Online(link) = &self.state {
            self.model.connected(link.nick.clone(), link.caps);
        }
        self.schedule_pin_check(PIN_CHECK_INTERVAL);
    }

    /// Returns the server's pins as of the last connection.
    pub fn pins(&self) -> Pins {
        self.endpoint.pins
    }

    /// Returns whether the device's certificate logs in from now on. It is the password if the server doesn't support
    /// devices.
    pub fn logs_in_by_device(&self) -> bool {
        matches!(self.endpoint.credentials, Credentials::Device)
    }

    /// Returns the addresses, the likeliest first, and the account. The first address changes if the server was found
    /// elsewhere.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Waits for the next notification. This is cancel-safe: dropping the future loses nothing.
    pub async fn next_update(&mut self) -> Result<SessionUpdate, SessionError> {
        loop {
            if let Some(event) = self.model.next_event() {
                if let Event::ServerError(message) = &event {
                    self.error_reason = Some(clean(message));
                }
                return Ok(SessionUpdate::Event(event));
            }
            match &mut self.state {
                State::Online(link) => {
                    let turned = tokio::select! {
                        turned = link.drive(&mut self.model) => turned,
                        pins = &mut self.pin_check => {
                            // After a failed check the pins stay as they are until the next one.
                            self.endpoint.pins = pins.unwrap_or(self.endpoint.pins);
                            self.schedule_pin_check(PIN_CHECK_INTERVAL);
                            continue;
                        }
                    };
                    if let Err(reason) = turned {
                        let was_stable = link.opened_at.elapsed() >= STABLE_AFTER;
                        if was_stable {
                            self.backoff.reset();
                        }
                        self.model.disconnected();
                        self.down_since = Instant::now();
                        let error_reason = self.error_reason.take();
                        // One that says so again and again is not hurried.
                        let restarts = was_stable && error_reason.as_deref().is_some_and(announces_restart);
                        let delay = if restarts { Duration::ZERO } else { self.next_delay() };
                        return Ok(self.schedule_retry(error_reason.unwrap_or(reason), delay));
                    }
                }
                State::Waiting(sleep) => {
                    sleep.as_mut().await;
                    self.endpoint.refresh_pins();
                    let look = self.down_since.elapsed() >= SEARCH_AFTER
                        && self.last_search.is_none_or(|looked| looked.elapsed() >= SEARCH_INTERVAL);
                    if look {
                        self.last_search = Some(Instant::now());
                    }
                    self.state = State::Connecting(Box::pin(connect_or_search(self.endpoint.clone(), look)));
                }
                State::Connecting(connecting) => match connecting.as_mut().await {
                    Ok((link, addresses)) => {
                        self.refusals = 0;
                        self.endpoint.pins = link.pins;
                        self.endpoint.addresses = addresses;
                        self.model.connected(link.nick.clone(), link.caps);
                        self.state = State::Online(Box::new(link));
                        self.schedule_pin_check(PIN_CHECK_INTERVAL);
                        return Ok(SessionUpdate::Connected);
                    }
                    Err(error) => {
                        if self.is_final_error(&error) {
                            return Err(error.into());
                        }
                        let reason = error.to_string();
                        if let Some(patience) = self.patience.filter(|p| self.down_since.elapsed() >= *p) {
                            return Err(SessionError::GaveUp { patience, reason });
                        }
                        let delay = self.next_delay();
                        return Ok(self.schedule_retry(reason, delay));
                    }
                },
            }
        }
    }

    /// Schedules a check of the server's certificates, if the connection lasts that long. It repeats every hour.
    pub fn schedule_pin_check(&mut self, wait: Duration) {
        let endpoint = self.endpoint.clone();
        self.pin_check = Box::pin(async move {
            sleep(wait).await;
            check_pins(endpoint).await.ok()
        });
    }

    fn is_final_error(&mut self, error: &ConnectError) -> bool {
        match error {
            // On other servers another program may handle logins, and come back later than the server.
            ConnectError::Login(LoginError::NoSasl) => self.model.me().is_none(),
            ConnectError::Login(LoginError::Refused(_)) => {
                self.refusals += 1;
                self.refusals >= MAX_REFUSALS
            }
            error => error.is_final(),
        }
    }

    fn next_delay(&mut self) -> Duration {
        self.backoff.next_delay(rand::random())
    }

    fn schedule_retry(&mut self, reason: String, retry: Duration) -> SessionUpdate {
        self.state = State::Waiting(Box::pin(sleep(retry)));
        SessionUpdate::Disconnected { reason, retry_delay: retry }
    }

    /// Sends QUIT and closes the connection, if there is one.
    pub async fn close(mut self, reason: &str) {
        if let State::Online(link) = self.state
            && self.model.quit(reason).is_ok()
        {
            link.close(&mut self.model).await;
        }
    }
}

/// Returns whether the server's ERROR says that it is back at once: a server that another process takes over keeps its
/// listening sockets.
fn announces_restart(error_reason: &str) -> bool {
    let text = error_reason.trim_end_matches(|c: char| !c.is_alphanumeric());
    text.to_ascii_lowercase().ends_with("restarting")
}

mod devices;
#[cfg(test)]
mod tests;
