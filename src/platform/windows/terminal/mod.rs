//! The console: raw mode, size, input.

mod encode;

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind};
use parking_lot::Mutex;
use winapi_util::HandleRef;
use winapi_util::console::{mode, set_mode};
use zeroize::Zeroizing;

pub use crate::platform::types::Input;

/// No reports: crossterm reads the console's events, which tell keys from each other, and a paste arrives as keys.
pub const REPORTS_ON: &str = "";
/// Sequences that switch off what [`REPORTS_ON`] switches on.
pub const REPORTS_OFF: &str = "";

/// `ENABLE_PROCESSED_INPUT`: Ctrl-C is an event for the program instead of a key.
const PROCESSED_INPUT: u32 = 0x1;
/// `ENABLE_LINE_INPUT` and `ENABLE_ECHO_INPUT`.
const LINE_INPUT: u32 = 0x2 | 0x4;
/// `ENABLE_MOUSE_INPUT`.
const MOUSE_INPUT: u32 = 0x10;
/// `ENABLE_QUICK_EDIT_MODE`, in which the console keeps the mouse for selecting text.
const QUICK_EDIT: u32 = 0x40;
/// `ENABLE_EXTENDED_FLAGS`, without which the console ignores a change of the one before.
const EXTENDED_FLAGS: u32 = 0x80;
/// `ENABLE_WINDOW_INPUT`.
const WINDOW_INPUT: u32 = 0x8;
/// `ENABLE_PROCESSED_OUTPUT` and `ENABLE_VIRTUAL_TERMINAL_PROCESSING`: the console takes escape sequences.
const SEQUENCES: u32 = 0x1 | 0x4;
/// `DISABLE_NEWLINE_AUTO_RETURN`.
const NO_AUTO_RETURN: u32 = 0x8;

/// Longest time without a look whether reading was stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(100);

/// Pause after which a paste has ended.
const PASTE_PAUSE: Duration = Duration::from_millis(20);

/// Most events of one paste; the rest is another one.
const MAX_BATCH: usize = 1 << 20;

/// Modes of the console before the raw mode.
static MODES: Mutex<Option<SavedModes>> = Mutex::new(None);

/// Escape sequences in the output, which the console takes until this is dropped.
#[derive(Debug)]
pub struct EscapeSequences {
    /// Modes of standard output and standard error before, as far as they are consoles.
    before: [Option<u32>; 2],
}

impl EscapeSequences {
    /// Switches them on. A console before Windows 10 shows them as text.
    pub fn enable() -> Self {
        let before = [HandleRef::stdout(), HandleRef::stderr()].map(|stream| {
            let before = mode(&stream).ok()?;
            set_mode(&stream, before | SEQUENCES).ok().map(|()| before)
        });
        Self { before }
    }
}

impl Drop for EscapeSequences {
    fn drop(&mut self) {
        for (stream, before) in [HandleRef::stdout(), HandleRef::stderr()].iter().zip(self.before) {
            // An error leaves them on, which the next program will not notice.
            let _ = before.map(|before| set_mode(stream, before));
        }
    }
}

/// Prompts on the console for a secret, which is not shown.
pub fn read_secret(prompt: &str) -> io::Result<Zeroizing<String>> {
    rpassword::prompt_password(prompt).map(Zeroizing::new)
}

/// Modes of the console at one time.
#[derive(Clone, Copy, Debug)]
pub struct SavedModes {
    input: u32,
    output: u32,
}

impl SavedModes {
    /// Returns the present modes; `None` without a console.
    pub fn present() -> Option<Self> {
        Some(Self { input: mode(HandleRef::stdin()).ok()?, output: mode(HandleRef::stdout()).ok()? })
    }

    /// Sets these modes. Errors are ignored: there is no way left to report them.
    pub fn restore(&self) {
        let _ = set_mode(HandleRef::stdin(), self.input | EXTENDED_FLAGS);
        let _ = set_mode(HandleRef::stdout(), self.output);
    }
}

/// Passes each key and the mouse to this program, and lets the console take escape sequences, until
/// [`disable_raw_mode`].
pub fn enable_raw_mode() -> io::Result<()> {
    let modes = SavedModes { input: mode(HandleRef::stdin())?, output: mode(HandleRef::stdout())? };
    let kept = modes.input & !(PROCESSED_INPUT | LINE_INPUT | MOUSE_INPUT);
    set_mode(HandleRef::stdin(), kept | WINDOW_INPUT | EXTENDED_FLAGS)?;
    set_mode(HandleRef::stdout(), modes.output | SEQUENCES | NO_AUTO_RETURN)
        .or_else(|_| set_mode(HandleRef::stdout(), modes.output | SEQUENCES))?;
    MODES.lock().get_or_insert(modes);
    Ok(())
}

/// Has the console pass on the mouse, or keep it for selecting text, in raw mode.
pub fn set_mouse(on: bool) -> io::Result<()> {
    let present = mode(HandleRef::stdin())?;
    let selects = MODES.lock().is_none_or(|modes| modes.input & QUICK_EDIT != 0);
    let mode = match on {
        true => (present | MOUSE_INPUT) & !QUICK_EDIT,
        false if selects => (present | QUICK_EDIT) & !MOUSE_INPUT,
        false => present & !MOUSE_INPUT,
    };
    set_mode(HandleRef::stdin(), mode | EXTENDED_FLAGS)
}

/// Restores the modes from before [`enable_raw_mode`].
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn disable_raw_mode() -> io::Result<()> {
    if let Some(modes) = MODES.lock().take() {
        modes.restore();
    }
    Ok(())
}

/// Returns the columns and rows of the console's window; 80 and 24 where it doesn't know them.
pub fn size() -> io::Result<(u16, u16)> {
    Ok(match crossterm::terminal::size()? {
        (0, _) | (_, 0) => (80, 24),
        size => size,
    })
}

/// Set if a program can read the terminal's answers to queries. crossterm reads events of the console, which has answers
/// as typed keys there.
pub const ANSWERS_QUERIES: bool = false;

/// Returns `None`: a console doesn't say its size in pixels.
pub fn pixels() -> Option<(u16, u16)> {
    None
}

/// Returns whether a terminal of this type (`TERM`) can show a full-screen program. The consoles of Windows set no type.
pub fn is_capable(kind: Option<&OsStr>) -> bool {
    kind.is_none_or(|kind| kind != "dumb")
}

/// The terminal of a server. A console reports its closing as an event; see `signals`.
#[derive(Clone, Debug)]
pub struct Terminal;

impl Terminal {
    /// Returns `None`.
    pub fn of_process() -> Option<Self> {
        None
    }

    /// Returns `false`.
    pub fn is_gone(&self) -> bool {
        false
    }

    /// Returns a future that never completes.
    #[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub fn wait_until_closed(self) -> io::Result<impl Future<Output = ()> + Send + use<>> {
        Ok(std::future::pending())
    }
}

/// Standard input, which must be a console in raw mode.
#[derive(Debug)]
pub struct InputSource {
    stopped: Arc<AtomicBool>,
}

/// Stops an [`InputSource`] when it is dropped.
#[derive(Debug)]
pub struct InputStop {
    stopped: Arc<AtomicBool>,
}

impl Drop for InputStop {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

impl InputSource {
    /// Creates a source, and what stops it.
    #[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
    pub fn open() -> io::Result<(Self, InputStop)> {
        let stopped = Arc::new(AtomicBool::new(false));
        Ok((Self { stopped: stopped.clone() }, InputStop { stopped }))
    }

    /// Waits for events of the console and appends the bytes that xterm sends for them.
    pub fn read(&mut self, bytes: &mut Vec<u8>, timeout: Option<Duration>) -> io::Result<Input> {
        let deadline = timeout.map(|timeout| Instant::now() + timeout);
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return Ok(Input::Ended);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(Input::TimedOut);
            }
            if !event::poll(left.unwrap_or(STOP_INTERVAL).min(STOP_INTERVAL))? {
                continue;
            }
            let before = bytes.len();
            encode::append(&read_batch()?, bytes);
            // The release of a key has no bytes.
            if bytes.len() > before {
                return Ok(Input::Bytes);
            }
        }
    }
}

/// Reads the events that have arrived. More keys than somebody types at once are the start of a paste, whose rest is awaited.
fn read_batch() -> io::Result<VecDeque<Event>> {
    let mut events = VecDeque::new();
    loop {
        let pause = if encode::is_paste(&events) { PASTE_PAUSE } else { Duration::ZERO };
        if !events.is_empty() && (events.len() >= MAX_BATCH || !event::poll(pause)?) {
            return Ok(events);
        }
        match event::read()? {
            Event::Key(key) if key.kind == KeyEventKind::Release => {
                // Only what is typed counts, but the end of the batch must not wait for the next key.
                if events.is_empty() && !event::poll(Duration::ZERO)? {
                    return Ok(events);
                }
            }
            event => events.push_back(event),
        }
    }
}
