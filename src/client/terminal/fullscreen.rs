//! Full-screen client: sessions and a terminal around [`App`].
//!
//! Everything runs on one thread. Between two events nothing runs, and at most about 60 frames a second are drawn.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Signal, kill_current_process_group};
use tokio::signal::unix::{Signal as UnixSignal, SignalKind, signal};
use tokio::time::{sleep, timeout};

pub use crate::client::terminal::Look;

use crate::client::clean::clean;
use crate::client::connect::link::ConnectError;
use crate::client::connect::login::LoginError;
use crate::client::connect::session::{Session, SessionError, Update};
use crate::client::model::Model;
use crate::client::screen::{App, Effect, view};
use crate::client::terminal::input::Keyboard;
use crate::client::terminal::notify::Desktop;
use crate::client::terminal::{Screen, happening};
use crate::wire::Millis;

/// Error that ends the client.
#[derive(Debug, thiserror::Error)]
pub enum FullError {
    /// The terminal cannot be read or written.
    #[error("cannot read or write the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Reason for which [`Chat::run`] returned without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user quit, a signal stopped the client, or the terminal is gone.
    Left,
    /// The server with this index refused the login of this device; a password may help. See [`Chat::resume`].
    Refused(usize),
}

/// Full-screen client on some servers. Drafts, history and unconfirmed messages outlast each [`Chat::run`].
pub struct Chat {
    app: App,
    sessions: Vec<Session>,
    /// Sessions that have ended for good, by index.
    over: Vec<bool>,
    look: Look,
}

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// Longest wait for SIGCONT after SIGTSTP. A process that is not stopped by then has no shell with job control.
const STOPPED: Duration = Duration::from_millis(200);

impl Chat {
    /// Creates a client for sessions, each with the display name of its server.
    pub fn new(servers: Vec<(String, Session)>, look: Look) -> Self {
        let (names, sessions): (Vec<String>, Vec<Session>) = servers.into_iter().unzip();
        let mut app = App::new(names, look.theme, look.zone.clone(), now());
        for (index, session) in sessions.iter().enumerate() {
            if session.model.is_online() {
                app.up(index);
            }
        }
        let over = vec![false; sessions.len()];
        Self { app, sessions, over, look }
    }

    /// Continues with a new session of the server with this index, after a password login. Unconfirmed messages are
    /// sent again.
    pub fn resume(&mut self, index: usize, session: Session) {
        if let (Some(old), Some(over)) = (self.sessions.get_mut(index), self.over.get_mut(index)) {
            old.go_on_with(session);
            *over = false;
            self.app.up(index);
        }
    }

    /// Gives up the server with this index, for a reason that is shown. The other servers go on.
    pub fn give_up(&mut self, index: usize, reason: &str) {
        self.app.ended(index, &clean(reason));
    }

    /// Lists the unconfirmed messages and the drafts, as conversation and text, so that they are not lost with the
    /// client.
    pub fn unsent(&self) -> Vec<(String, String)> {
        self.app.unsent()
    }

    /// Closes all sessions. Returns the count of unconfirmed messages.
    pub async fn close(self) -> usize {
        let unconfirmed = self.app.pending();
        let words = self.app.leaving.unwrap_or_default();
        for session in self.sessions {
            session.close(&words).await;
        }
        unconfirmed
    }

    /// Runs on the terminal until the user quits, `stop` completes, or a server refuses the login.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) -> Result<Ended, FullError> {
        let Self { app, sessions, over, look } = self;
        let mut screen = Screen::take(look.clone())?;
        app.size = screen.size()?;
        let desktop = look.desktop.then(Desktop::start);
        let mut keys = Keyboard::default();
        let mut goes_on = signal(SignalKind::from_raw(Signal::CONT.as_raw()))?;
        let mut stop = pin!(stop);
        let (mut dirty, mut drawn) = (true, Instant::now().checked_sub(FRAME));
        loop {
            if app.leaving.is_some() {
                return Ok(Ended::Left);
            }
            let wait = drawn.map_or(Duration::ZERO, |drawn| FRAME.saturating_sub(drawn.elapsed()));
            if dirty && wait.is_zero() {
                draw(app, sessions, &mut screen)?;
                (dirty, drawn) = (false, Some(Instant::now()));
            }
            let due = app.due().map(|due| Duration::from_millis(due.0.saturating_sub(now().0)));
            let due = if dirty { Some(due.map_or(wait, |due| due.min(wait))) } else { due };
            let what = {
                let mut turns: Vec<Turn<'_>> = sessions
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, _)| !over[*index])
                    .map(|(index, session)| -> Turn<'_> {
                        Box::pin(async move { (index, session.next().await) })
                    })
                    .collect();
                tokio::select! {
                    biased;
                    () = &mut stop => What::Stop,
                    _ = goes_on.recv() => What::GoesOn,
                    event = keys.next() => What::Terminal(event),
                    (index, update) = first(&mut turns) => What::Server(index, update),
                    () = sleep(due.unwrap_or_default()), if due.is_some() => What::Due,
                }
            };
            app.now = now();
            let mut models: Vec<&mut Model> = sessions.iter_mut().map(|session| &mut session.model).collect();
            match what {
                // A signal asks for the end, or the terminal is gone.
                What::Stop | What::Terminal(None) => return Ok(Ended::Left),
                What::Terminal(Some(event)) => match happening(event?) {
                    Some(happening) => app.happening(happening, &mut models),
                    None => continue,
                },
                What::Server(index, Ok(update)) => match update {
                    Update::Event(event) => app.event(index, event, &mut models),
                    Update::Down { reason, retry } => {
                        app.down(index, &reason, u64::try_from(retry.as_millis()).unwrap_or(u64::MAX));
                    }
                    Update::Up => app.up(index),
                },
                What::Server(index, Err(error)) => {
                    over[index] = true;
                    if is_refused(&error) {
                        return Ok(Ended::Refused(index));
                    }
                    app.ended(index, &clean(&error.to_string()));
                }
                // A frame is due, or a wake-up was early.
                What::Due if app.due().is_none_or(|due| due > app.now) => continue,
                What::Due => {}
                // The process was stopped and resumed; the shell has used the terminal meanwhile.
                What::GoesOn => app.size = screen.take_again()?,
            }
            app.settle(&mut models);
            dirty = true;
            for effect in std::mem::take(&mut app.effects) {
                match effect {
                    Effect::Suspend => app.size = suspend(&mut screen, &mut goes_on).await?,
                    Effect::Hurry => {
                        let here = app.here.as_ref().and_then(|(server, _)| sessions.get_mut(*server));
                        here.into_iter().for_each(Session::hurry);
                    }
                    effect => tell(effect, &mut screen, desktop.as_ref())?,
                }
            }
            screen.mouse(!app.parts.bare)?;
        }
    }
}

type Turn<'a> = Pin<Box<dyn Future<Output = (usize, Result<Update, SessionError>)> + 'a>>;

enum What {
    Stop,
    Terminal(Option<io::Result<crossterm::event::Event>>),
    Server(usize, Result<Update, SessionError>),
    Due,
    GoesOn,
}

/// Waits for the first of several futures that completes; forever where there are none. The others can be dropped
/// without loss.
async fn first(turns: &mut [Turn<'_>]) -> (usize, Result<Update, SessionError>) {
    poll_fn(|cx| {
        let done = turns.iter_mut().find_map(|turn| match turn.as_mut().poll(cx) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        });
        done.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

fn draw(app: &App, sessions: &mut [Session], screen: &mut Screen) -> io::Result<()> {
    let models: Vec<&mut Model> = sessions.iter_mut().map(|session| &mut session.model).collect();
    screen.draw(|frame| view::draw(app, &models, frame))
}

/// Suspends the process group like Ctrl-Z in cooked mode. Does nothing without a shell to return to.
async fn suspend(screen: &mut Screen, goes_on: &mut UnixSignal) -> io::Result<(u16, u16)> {
    screen.give_back();
    kill_current_process_group(Signal::TSTP)?;
    let _ = timeout(STOPPED, goes_on.recv()).await;
    screen.take_again()
}

/// Carries out an effect of the terminal or the desktop.
fn tell(effect: Effect, screen: &mut Screen, desktop: Option<&Desktop>) -> io::Result<()> {
    match effect {
        Effect::Bell => screen.bell(),
        Effect::Notify { title, body } => {
            if desktop.is_some_and(|desktop| desktop.tell(&title, &body)) {
                return Ok(());
            }
            screen.notify(&title, &body)
        }
        Effect::Copy(text) => screen.copy(&text),
        Effect::Redraw => screen.redraw(),
        Effect::Suspend | Effect::Hurry => Ok(()),
    }
}

fn is_refused(error: &SessionError) -> bool {
    matches!(error, SessionError::Final(ConnectError::Login(LoginError::Refused(_))))
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
