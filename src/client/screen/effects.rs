//! IO that the screen requests from its caller, because it does none of its own.

use crate::client::input::transfers::TransferId;
use crate::client::text::file_address::FileAddress;
use crate::client::text::paths::FoundFile;

/// Access to the files of this machine. By itself the screen knows none.
#[derive(Clone, Copy, Debug)]
pub struct FileAccess {
    /// Returns the paths that begin with a text.
    pub complete: fn(&str) -> Vec<String>,
    /// Looks for a file.
    pub find: fn(&str) -> Result<FoundFile, String>,
}

impl Default for FileAccess {
    fn default() -> Self {
        Self { complete: |_| Vec::new(), find: |path| Err(format!("there is no file {path}")) }
    }
}

/// Side effect that the caller of the screen carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScreenEffect {
    /// Rings the terminal bell.
    Bell,
    /// Shows a desktop notification. Both texts are safe to write to a terminal.
    Notify {
        /// Sender, with the channel where there is one.
        title: String,
        /// Text of the message, shortened.
        body: String,
    },
    /// Copies the text to the clipboard.
    Copy(String),
    /// Redraws the whole screen, because the terminal may show something else.
    Redraw,
    /// Suspends the process until the shell resumes it (SIGCONT).
    Suspend,
    /// Skips the rest of the reconnect delay.
    RetryNow,
    /// Saves the setting with this name.
    SaveSetting(String),
    /// Begins or ends a transfer of a file.
    Transfer(TransferRequest),
}

/// A transfer of a file that begins or ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransferRequest {
    /// Begins to upload a file.
    Upload {
        /// Number of the transfer.
        id: TransferId,
        /// Index of the server.
        server: usize,
        /// Path of the file.
        path: String,
    },
    /// Begins to save a file of a server.
    Save {
        /// Number of the transfer.
        id: TransferId,
        /// Index of the server.
        server: usize,
        /// Address of the file.
        address: FileAddress,
    },
    /// Ends a transfer.
    Cancel(TransferId),
}
