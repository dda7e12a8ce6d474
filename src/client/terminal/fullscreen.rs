//! Full-screen client: sessions and a terminal around [`App`].
//!
//! Everything runs on one thread. Between two events nothing runs, and at most about 60 frames a second are drawn.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use ratatui::layout::Size;
use tokio::time::{sleep, timeout};

pub use crate::client::terminal::TerminalSetup;

use crate::client::connect::connection::ConnectError;
use crate::client::connect::login::LoginError;
use crate::client::connect::session::{Session, SessionError, SessionUpdate};
use crate::client::files::paths::{complete_path, download_folder, find_file};
use crate::client::files::settings_file::SettingsFile;
use crate::client::files::state_file::{StateFile, StateFileError};
use crate::client::input::transfers::{TransferEvent, TransferId};
use crate::client::keys::key::TerminalEvent;
use crate::client::model::Model;
use crate::client::screen::effects::{FileAccess, TransferRequest};
use crate::client::screen::view::pictures::PictureKey;
use crate::client::screen::workspace::sending::UnsentText;
use crate::client::screen::workspace::sending::pictures::{PictureScreen, PictureState};
pub use crate::client::screen::workspace::settings::unsent::LeftBehind;
use crate::client::screen::{App, ScreenEffect};
use crate::client::settings::Settings;
use crate::client::terminal::TerminalScreen;
use crate::client::terminal::input::InputReader;
use crate::client::terminal::notify::DesktopNotifier;
use crate::client::terminal::sequences::Received;
use crate::client::terminal::sequences::reports::Report;
use crate::client::terminal::state_saver::StateSaver;
use crate::client::text::clean::clean;
use crate::client::transfer::jobs::TransferJobs;
use crate::platform::process;
use crate::platform::signals::{self, Repeated};
use crate::wire::Timestamp;

/// Error that ends the client.
#[derive(Debug, thiserror::Error)]
pub enum FullScreenError {
    /// The terminal cannot be read or written.
    #[error("cannot read or write the terminal: {0}")]
    Terminal(#[from] io::Error),
}

/// Reason for which [`FullScreenChat::run`] returned without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The user quit, a signal stopped the client, or the terminal is gone.
    Quit,
    /// The server with this index refused the login of this device; a password may help. See [`FullScreenChat::replace_session`].
    Refused(usize),
}

/// Full-screen client on some servers. Drafts, history and unconfirmed messages outlast each [`FullScreenChat::run`].
pub struct FullScreenChat {
    app: App,
    sessions: Vec<Session>,
    /// Sessions that have ended for good, by index.
    ended: Vec<bool>,
    setup: TerminalSetup,
    saver: Option<StateSaver>,
    settings_file: Option<SettingsFile>,
    jobs: TransferJobs,
}

/// Shortest time between two frames.
const FRAME_INTERVAL: Duration = Duration::from_millis(16);

/// Longest wait for SIGCONT after SIGTSTP. A process that is not stopped by then has no shell with job control.
const STOP_TIMEOUT: Duration = Duration::from_millis(200);

/// Longest wait for the answer of a terminal at the end.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(200);

impl FullScreenChat {
    /// Creates a client for sessions, each with the display name of its server.
    pub fn new(servers: Vec<(String, Session)>, setup: TerminalSetup) -> Self {
        let (names, sessions): (Vec<String>, Vec<Session>) = servers.into_iter().unzip();
        let mut app = App::new(names, setup.theme, setup.zone.clone(), current_time());
        for (index, session) in sessions.iter().enumerate() {
            if session.model.is_online() {
                app.workspace.handle_connected(index);
            }
        }
        app.workspace.file_access = FileAccess { complete: complete_path, find: find_file };
        let ended = vec![false; sessions.len()];
        let jobs = TransferJobs::default();
        Self { app, sessions, ended, setup, saver: None, settings_file: None, jobs }
    }

    /// Takes over settings, and the problems of their file, which are shown. Changes are saved to the file.
    #[must_use]
    pub fn with_settings(
        mut self,
        settings: Settings,
        problems: &[String],
        file: Option<SettingsFile>,
    ) -> Self {
        self.app.apply_settings(settings);
        match problems {
            [] => {}
            [problem] => self.app.workspace.show_error(problem),
            [first, rest @ ..] => {
                let more = format!("{first} (and {} more: parlour client config lists them)", rest.len());
                self.app.workspace.show_error(&more);
            }
        }
        self.settings_file = file;
        self
    }

    /// Takes over the state of the last run from a file, and saves it there from now on.
    #[must_use]
    pub fn remember_in(mut self, file: StateFile) -> Self {
        self.app.workspace.keeps_state = true;
        match file.load(current_time()) {
            Ok(state) => self.app.restore(state),
            Err(error) => {
                self.app.workspace.keeps_state = matches!(error, StateFileError::Damaged(..));
                self.app.workspace.show_error(&error.to_string());
            }
        }
        let servers = self.app.workspace.servers.iter().map(|server| server.key.clone()).collect();
        self.saver = Some(StateSaver::new(file, servers, self.app.state()));
        self
    }

    /// Saves the state for the next run.
    fn save_state(&mut self) {
        if let Some(saver) = &mut self.saver {
            saver.save(&mut self.app);
        }
    }

    /// Continues with a new session of the server with this index, after a password login. Unconfirmed messages are
    /// sent again.
    pub fn replace_session(&mut self, index: usize, session: Session) {
        if let (Some(old), Some(over)) = (self.sessions.get_mut(index), self.ended.get_mut(index)) {
            old.take_over(session);
            *over = false;
            self.app.workspace.handle_connected(index);
        }
    }

    /// Gives up the server with this index, for a reason that is shown. The other servers go on.
    pub fn end_server(&mut self, index: usize, reason: &str) {
        self.app.workspace.handle_ended(index, &clean(reason));
    }

    /// Lists the unconfirmed messages and the drafts, so that they are not lost with the client.
    pub fn unsent(&self) -> Vec<UnsentText> {
        self.app.workspace.unsent_texts()
    }

    /// Returns what was typed before there was a conversation, if it is not kept.
    pub fn unkept_text(&self) -> Option<String> {
        self.app.workspace.unkept_text()
    }

    /// Closes all sessions. Returns the counts of the messages that are not confirmed.
    pub async fn close(mut self) -> LeftBehind {
        let mut models: Vec<&mut Model> =
            self.sessions.iter_mut().map(|session| &mut session.model).collect();
        self.app.workspace.send_held_redactions(&mut models);
        self.save_state();
        let mut left = self.app.workspace.left_behind();
        if !self.saver.as_ref().is_some_and(|saver| saver.has_saved(&self.app)) {
            left = LeftBehind { kept: 0, lost: left.kept + left.lost };
        }
        let message = self.app.workspace.quit.message.unwrap_or_default();
        for session in self.sessions {
            session.close(&message).await;
        }
        left
    }

    /// Runs on the terminal until the user quits, `stop` completes, or a server refuses the login.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) -> Result<ExitReason, FullScreenError> {
        let ended = self.run_until_exit(stop).await;
        self.save_state();
        ended
    }

    async fn run_until_exit(
        &mut self,
        stop: impl Future<Output = ()>,
    ) -> Result<ExitReason, FullScreenError> {
        let Self { app, sessions, ended: over, setup: look, saver, settings_file, jobs } = self;
        let mut screen = TerminalScreen::enter(look.clone())?;
        app.workspace.display.size = screen.size()?;
        app.workspace.display.can_suspend = process::HAS_JOB_CONTROL;
        let desktop = look.desktop.then(DesktopNotifier::start);
        let mut keys = InputReader::start()?;
        let mut goes_on = signals::resumed()?;
        let mut stop = pin!(stop);
        let (mut dirty, mut drawn) = (true, Instant::now().checked_sub(FRAME_INTERVAL));
        loop {
            if app.workspace.quit.message.is_some() {
                take_last_answer(&mut keys, &screen).await;
                return Ok(ExitReason::Quit);
            }
            if let Some(saver) = saver {
                // A failure is shown.
                dirty |= saver.save_if_due(app, Instant::now());
            }
            let wait = drawn.map_or(Duration::ZERO, |drawn| FRAME_INTERVAL.saturating_sub(drawn.elapsed()));
            if dirty && wait.is_zero() {
                draw_frame(app, sessions, &mut screen)?;
                (dirty, drawn) = (false, Some(Instant::now()));
            }
            let due = time_to_wakeup(app, saver.as_ref(), dirty.then_some(wait));
            let wakeup = {
                let mut turns: Vec<NextUpdate<'_>> = sessions
                    .iter_mut()
                    .enumerate()
                    .filter(|(index, _)| !over[*index])
                    .map(|(index, session)| -> NextUpdate<'_> {
                        Box::pin(async move { (index, session.next_update().await) })
                    })
                    .collect();
                tokio::select! {
                    biased;
                    () = &mut stop => Wakeup::Stop,
                    () = goes_on.next() => Wakeup::Resumed,
                    event = keys.next_event() => Wakeup::Terminal(event),
                    (index, update) = first_completed(&mut turns) => Wakeup::Server(index, update),
                    (id, event) = jobs.next() => Wakeup::Transfer(id, event),
                    news = screen.gallery.next() => Wakeup::Picture(news),
                    () = sleep(due.unwrap_or_default()), if due.is_some() => Wakeup::Timer,
                }
            };
            app.workspace.now = current_time();
            let mut models: Vec<&mut Model> = sessions.iter_mut().map(|session| &mut session.model).collect();
            match wakeup {
                // A signal requests the end, or the terminal is gone.
                Wakeup::Stop | Wakeup::Terminal(None) => return Ok(ExitReason::Quit),
                Wakeup::Terminal(Some(received)) => {
                    handle_received(received?, app, &mut screen, &mut models)?;
                }
                Wakeup::Picture(news) => app.workspace.pictures.take_news(news),
                Wakeup::Server(index, Ok(update)) => match update {
                    SessionUpdate::Event(event) => app.handle_event(index, event, &mut models),
                    SessionUpdate::Disconnected { reason, retry_delay: retry } => {
                        let retry = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
                        app.handle_disconnected(index, &reason, retry, &mut models);
                    }
                    SessionUpdate::Connected => app.workspace.handle_connected(index),
                },
                Wakeup::Server(index, Err(error)) => {
                    over[index] = true;
                    if is_refused(&error) {
                        return Ok(ExitReason::Refused(index));
                    }
                    app.workspace.handle_ended(index, &clean(&error.to_string()));
                }
                Wakeup::Transfer(id, event) => app.workspace.handle_transfer(id, event, &mut models),
                // A frame is due, or a wake-up was early.
                Wakeup::Timer if app.workspace.wake_time().is_none_or(|due| due > app.workspace.now) => {
                    continue;
                }
                Wakeup::Timer => {}
                // The process was stopped and resumed; the shell has used the terminal meanwhile.
                Wakeup::Resumed => app.workspace.display.size = screen.reenter()?,
            }
            app.update(&mut models);
            if let Some(saver) = saver {
                saver.schedule(Instant::now());
            }
            dirty = true;
            for effect in std::mem::take(&mut app.workspace.effects) {
                match effect {
                    ScreenEffect::Suspend => {
                        app.workspace.display.size = suspend(&mut screen, &mut goes_on).await?;
                    }
                    ScreenEffect::RetryNow => {
                        let current_session =
                            app.workspace.current.as_ref().and_then(|(server, _)| sessions.get_mut(*server));
                        current_session.into_iter().for_each(Session::retry_now);
                    }
                    ScreenEffect::SaveSetting(name) => save_setting(&name, settings_file.as_ref(), app),
                    ScreenEffect::Transfer(request) => carry_out_transfer(request, jobs, sessions),
                    effect => perform_effect(effect, &mut screen, desktop.as_ref())?,
                }
            }
            screen.set_mouse(app.workspace.settings().mouse && !app.timeline.messages_only)?;
        }
    }
}

type NextUpdate<'a> = Pin<Box<dyn Future<Output = (usize, Result<SessionUpdate, SessionError>)> + 'a>>;

enum Wakeup {
    Stop,
    Terminal(Option<io::Result<Received>>),
    Picture(Option<(PictureKey, PictureState)>),
    Server(usize, Result<SessionUpdate, SessionError>),
    Transfer(TransferId, TransferEvent),
    Timer,
    Resumed,
}

/// Waits for the first of several futures that completes; forever where there are none. The others can be dropped
/// without loss.
async fn first_completed(updates: &mut [NextUpdate<'_>]) -> (usize, Result<SessionUpdate, SessionError>) {
    poll_fn(|cx| {
        let done = updates.iter_mut().find_map(|turn| match turn.as_mut().poll(cx) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        });
        done.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// Returns the time until something is to be done without an event: a frame, if it is due, a save of the state, or what
/// the workspace waits for.
fn time_to_wakeup(app: &App, saver: Option<&StateSaver>, frame: Option<Duration>) -> Option<Duration> {
    let wake = app.workspace.wake_time();
    let wake = wake.map(|due| Duration::from_millis(due.0.saturating_sub(current_time().0)));
    let save = saver.and_then(|saver| saver.time_left(Instant::now()));
    [wake, frame, save].into_iter().flatten().min()
}

fn draw_frame(app: &App, sessions: &mut [Session], screen: &mut TerminalScreen) -> io::Result<()> {
    let models: Vec<&mut Model> = sessions.iter_mut().map(|session| &mut session.model).collect();
    screen.draw(|frame| app.draw(&models, frame))?;
    for wanted in screen.gallery.take_due() {
        if let Some(endpoint) = sessions.get(wanted.key.server).map(Session::endpoint) {
            screen.gallery.load(wanted, endpoint);
        }
    }
    Ok(())
}

/// Waits for the answer to a query that was sent just before, so that it is not typed into the shell.
async fn take_last_answer(keys: &mut InputReader, screen: &TerminalScreen) {
    let is_last = |received: &Option<io::Result<Received>>| !matches!(received, Some(Ok(received)) if !matches!(received, Received::Report(Report::Attributes(_))));
    let last = async { while !is_last(&keys.next_event().await) {} };
    if screen.is_answering() {
        let _ = timeout(ANSWER_TIMEOUT, last).await;
    }
}

fn handle_received(
    received: Received,
    app: &mut App,
    screen: &mut TerminalScreen,
    models: &mut [&mut Model],
) -> io::Result<()> {
    match received {
        Received::Event(event) => {
            if matches!(event, TerminalEvent::Resize(_)) {
                screen.ask_cell_size()?;
            }
            app.handle_terminal_event(event, models);
        }
        Received::Report(report) => {
            let graphics = screen.take_report(report)?;
            app.workspace.pictures.screen =
                graphics.map(|it| PictureScreen { cell: it.cell, limit: it.limit });
        }
    }
    Ok(())
}

fn save_setting(name: &str, file: Option<&SettingsFile>, app: &mut App) {
    if let Some(Err(error)) = file.map(|file| file.store(name, app.workspace.settings())) {
        app.workspace.show_error(&error.to_string());
    }
}

/// Suspends the process group like Ctrl-Z in cooked mode. Does nothing without a shell to return to.
async fn suspend(screen: &mut TerminalScreen, resumed: &mut Repeated) -> io::Result<Size> {
    screen.restore();
    if process::stop_group()? {
        let _ = timeout(STOP_TIMEOUT, resumed.next()).await;
    }
    screen.reenter()
}

fn carry_out_transfer(request: TransferRequest, jobs: &mut TransferJobs, sessions: &[Session]) {
    let endpoint = |server: usize| sessions.get(server).map(Session::endpoint);
    match request {
        TransferRequest::Upload { id, server, path } => {
            if let Some(endpoint) = endpoint(server) {
                jobs.upload(id, endpoint, &path);
            }
        }
        TransferRequest::Save { id, server, address } => {
            if let Some(endpoint) = endpoint(server) {
                jobs.save(id, endpoint, address, download_folder());
            }
        }
        TransferRequest::Cancel(id) => jobs.cancel(id),
    }
}

/// Carries out an effect of the terminal or the desktop.
fn perform_effect(
    effect: ScreenEffect,
    screen: &mut TerminalScreen,
    desktop: Option<&DesktopNotifier>,
) -> io::Result<()> {
    match effect {
        ScreenEffect::Bell => screen.ring_bell(),
        ScreenEffect::Notify { title, body } => {
            if desktop.is_some_and(|desktop| desktop.notify(&title, &body)) {
                return Ok(());
            }
            screen.notify(&title, &body)
        }
        ScreenEffect::Copy(text) => screen.copy_to_clipboard(&text),
        ScreenEffect::Redraw => screen.redraw(),
        // The loop carries them out.
        ScreenEffect::Suspend
        | ScreenEffect::RetryNow
        | ScreenEffect::SaveSetting(_)
        | ScreenEffect::Transfer(_) => Ok(()),
    }
}

fn is_refused(error: &SessionError) -> bool {
    matches!(error, SessionError::Final(ConnectError::Login(LoginError::Refused(_))))
}

fn current_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
