//! The terminal: raw mode, size, input.

mod closing;
mod secret;

use std::ffi::OsStr;
use std::io::{self, PipeReader, PipeWriter};
use std::time::Duration;

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

pub use crate::platform::types::Input;

pub use closing::Terminal;
pub use secret::read_secret;

/// Sequences that switch on the reports of a full-screen program: bracketed paste, focus, and keys such as Shift-Enter
/// told from others: xterm's modifyOtherKeys, which tmux takes as well (with `extended-keys`), and the kitty keyboard
/// protocol (disambiguated keys). A terminal that knows neither may take the first for a style, so the style is reset.
pub const REPORTS_ON: &str = "\u{1b}[?2004h\u{1b}[?1004h\u{1b}[>4;1m\u{1b}[>1u\u{1b}[0m";
/// Sequences that switch off what [`REPORTS_ON`] switches on.
pub const REPORTS_OFF: &str = "\u{1b}[<1u\u{1b}[>4;0m\u{1b}[0m\u{1b}[?1004l\u{1b}[?2004l";

/// Modes of the terminal before the raw mode.
static MODES: Mutex<Option<Termios>> = Mutex::new(None);

/// Escape sequences in the output, which every terminal takes.
#[derive(Debug)]
pub struct EscapeSequences;

impl EscapeSequences {
    /// Does nothing.
    pub fn enable() -> Self {
        Self
    }
}

/// Modes of the terminal at one time.
#[derive(Clone, Debug)]
pub struct SavedModes(Termios);

impl SavedModes {
    /// Returns the present modes; `None` without a terminal.
    pub fn present() -> Option<Self> {
        tcgetattr(stdin()).ok().map(Self)
    }

    /// Sets these modes. Errors are ignored: there is no way left to report them.
    pub fn restore(&self) {
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}

/// Passes each key to this program as it is typed, until [`disable_raw_mode`].
pub fn enable_raw_mode() -> io::Result<()> {
    let modes = tcgetattr(stdin())?;
    let mut raw = modes.clone();
    raw.make_raw();
    tcsetattr(stdin(), OptionalActions::Now, &raw)?;
    MODES.lock().get_or_insert(modes);
    Ok(())
}

/// Does nothing: a terminal takes sequences that switch the reports of the mouse on and off.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn set_mouse(_: bool) -> io::Result<()> {
    Ok(())
}

/// Restores the modes from before [`enable_raw_mode`].
pub fn disable_raw_mode() -> io::Result<()> {
    match MODES.lock().take() {
        Some(modes) => Ok(tcsetattr(stdin(), OptionalActions::Now, &modes)?),
        None => Ok(()),
    }
}

/// Returns the columns and rows of the terminal; 80 and 24 where it doesn't know them.
pub fn size() -> io::Result<(u16, u16)> {
    let size = tcgetwinsize(stdout())?;
    Ok(match (size.ws_col, size.ws_row) {
        (0, _) | (_, 0) => (80, 24),
        size => size,
    })
}

/// Set if a program can read the terminal's answers to queries.
pub const ANSWERS_QUERIES: bool = true;

/// Returns the width and height of the terminal in pixels; `None` where it doesn't say them.
pub fn pixels() -> Option<(u16, u16)> {
    let size = tcgetwinsize(stdout()).ok()?;
    (size.ws_xpixel > 0 && size.ws_ypixel > 0).then_some((size.ws_xpixel, size.ws_ypixel))
}

/// Returns whether a terminal of this type (`TERM`) can show a full-screen program.
pub fn is_capable(kind: Option<&OsStr>) -> bool {
    kind.is_some_and(|kind| !kind.is_empty() && kind != "dumb")
}

/// Standard input, which must be a terminal in raw mode.
#[derive(Debug)]
pub struct InputSource {
    stopped: PipeReader,
}

/// Stops an [`InputSource`] when it is dropped.
#[derive(Debug)]
pub struct InputStop {
    _pipe: PipeWriter,
}

impl InputSource {
    /// Creates a source, and what stops it.
    pub fn open() -> io::Result<(Self, InputStop)> {
        let (stopped, pipe) = io::pipe()?;
        Ok((Self { stopped }, InputStop { _pipe: pipe }))
    }

    /// Waits for bytes of the terminal and appends them.
    pub fn read(&mut self, bytes: &mut Vec<u8>, timeout: Option<Duration>) -> io::Result<Input> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        let mut buffer = [0; 1024];
        loop {
            let mut sources =
                [PollFd::from_borrowed_fd(stdin(), PollFlags::IN), PollFd::new(&self.stopped, PollFlags::IN)];
            match poll(&mut sources, timeout.as_ref()) {
                Ok(0) => return Ok(Input::TimedOut),
                Ok(_) if !sources[1].revents().is_empty() => return Ok(Input::Ended),
                Ok(_) => match rustix::io::read(stdin(), &mut buffer) {
                    // The end, or the other side of a pseudo-terminal is closed.
                    Ok(0) | Err(Errno::IO) => return Ok(Input::Ended),
                    Ok(count) => {
                        bytes.extend_from_slice(&buffer[..count]);
                        return Ok(Input::Bytes);
                    }
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(error) => return Err(error.into()),
                },
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}
