//! Transfers of files in scripts: their progress and their errors.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::interval;

use crate::cli::access::{RECONNECT_TIMEOUT, describe_connect_error};
use crate::cli::exit_code::Exit;
use crate::client::transfer::{Progress, TransferError};

/// Interval at which the bar follows the progress.
const BAR_INTERVAL: Duration = Duration::from_millis(100);

/// The progress of a file on standard error, if that is a terminal. Dropping it clears the bar.
pub struct Bar(ProgressBar);

impl Bar {
    /// Makes a bar for a file of `size` bytes.
    pub fn new(name: &str, size: u64) -> Self {
        // It draws on standard error, and hides where that is no terminal.
        let bar = ProgressBar::new(size);
        let template = "{msg} {bar:30} {bytes} of {total_bytes}, {eta} to go";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        Self(bar)
    }

    /// Returns the bar, for other output to the same terminal.
    pub fn inner(&self) -> ProgressBar {
        self.0.clone()
    }

    /// Shows the progress of a transfer while it lasts.
    pub async fn show<T>(&self, progress: &Progress, transfer: impl Future<Output = T>) -> T {
        let mut ticks = interval(BAR_INTERVAL);
        tokio::pin!(transfer);
        loop {
            tokio::select! {
                biased;
                done = &mut transfer => return done,
                _ = ticks.tick() => self.0.set_position(progress.bytes()),
            }
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Describes a failed transfer in one line that ends with the remedy.
pub fn describe_transfer_error(error: &TransferError) -> anyhow::Error {
    let (exit, remedy) = match error {
        TransferError::Connect(error) => return describe_connect_error(error),
        TransferError::Broken => {
            let seconds = RECONNECT_TIMEOUT.as_secs();
            let text = format!("{error} and did not come back for {seconds} seconds; try again in a moment");
            return Exit::Unreachable.error(text);
        }
        TransferError::Login(_) => {
            (Exit::Login, "log in with `parlour login`, or check the password and the account")
        }
        TransferError::Refused { status, .. } if status.as_u16() == 404 => (
            Exit::Refused,
            "the message with it may have been taken back, or be in a conversation that you are not in",
        ),
        TransferError::Refused { status, .. } if status.as_u16() == 413 => {
            (Exit::Refused, "send a smaller one, or ask who runs the server")
        }
        // Its sentence says what is to be done, which differs: the quota may be full, or the disk.
        TransferError::Refused { status, .. } if status.as_u16() == 507 => {
            return Exit::Refused.error(error.to_string());
        }
        TransferError::Refused { .. } => {
            (Exit::Refused, "try again later, and tell who runs the server if that does not help")
        }
        TransferError::Answer => (Exit::Refused, "is the server a Parlour of today?"),
        TransferError::Read { .. } => (Exit::Failed, "check its name, and whether you may read it"),
        TransferError::Write { .. } => (Exit::Failed, "is there room, and may you write there?"),
        TransferError::Exists(_) => (Exit::Failed, "choose another name with -o, or replace it with --force"),
        TransferError::NotAFile(_) => (Exit::Failed, "pack a folder into one file first"),
        TransferError::Changed => (Exit::Failed, "try again when nothing changes it any more"),
    };
    exit.error(format!("{error}; {remedy}"))
}
