//! Prompts for secrets.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rpassword::{ConfigBuilder, prompt_password_with_config};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Keys that end a prompt: Ctrl-C and Ctrl-\.
const END_KEYS: [u8; 2] = [0x03, 0x1c];

/// Prompts on the terminal for a secret, which is not shown. The terminal has its former modes again however the prompt
/// ends; at Ctrl-C the process then ends as by the signal.
pub fn read_secret(prompt: &str) -> io::Result<Zeroizing<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
    let hidden = HiddenInput::begin(terminal.try_clone()?)?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let keys = Keys { terminal: terminal.try_clone()?, interrupted: interrupted.clone() };
    // The library would set the modes itself and raise the signal before it restores them.
    let config = ConfigBuilder::new().input_reader(keys).output_writer(terminal).build();
    let answer = prompt_password_with_config(prompt, config).map(Zeroizing::new);
    hidden.end();
    if interrupted.load(Ordering::Relaxed) {
        kill_process(getpid(), Signal::INT)?;
    }
    answer
}

/// The modes of a terminal that shows nothing of what is typed. Dropping it restores the former ones.
struct HiddenInput {
    terminal: File,
    before: Termios,
}

impl HiddenInput {
    fn begin(terminal: File) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes
            .local_modes
            .remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        let hidden = Self { terminal, before };
        tcsetattr(&hidden.terminal, OptionalActions::Now, &modes)?;
        Ok(hidden)
    }

    /// Restores the modes and begins a new line, because the terminal did not show that of the user.
    fn end(mut self) {
        let _ = self.terminal.write_all(b"\n");
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
    }
}

/// What is typed, up to a key that ends the prompt.
struct Keys {
    terminal: File,
    interrupted: Arc<AtomicBool>,
}

impl Read for Keys {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.terminal.read(buffer)?;
        let typed = buffer.get(..read).unwrap_or_default();
        if typed.iter().any(|key| END_KEYS.contains(key)) {
            self.interrupted.store(true, Ordering::Relaxed);
            return Err(io::Error::other("interrupted"));
        }
        Ok(read)
    }
}
