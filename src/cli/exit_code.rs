//! Exit codes of the commands for scripts, also as a table for `--help`.

use std::fmt;
use std::process::ExitCode;

/// The reason that a command failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// A failure on this machine: a file, the input or the output.
    Failed = 1,
    /// The server refused a command, or did not confirm it before the program was stopped.
    Refused = 3,
    /// The server cannot be reached, the connection broke and did not come back, or a query had no reply.
    Unreachable = 4,
    /// The server refused the login.
    Login = 5,
    /// The server does not have the known pin.
    Untrusted = 6,
}

/// The table in `--help`; docs/scripting.md has more detail.
pub const CODES: &str = "\
Exit codes:
  0  done; for `send`: the server has confirmed all of it
  1  something failed on this machine
  2  the command line is wrong
  3  the server refused it, or did not confirm it
  4  the server cannot be reached, or does not answer
  5  the server refused the login
  6  who answers is not the server that is known";

/// An error that determines the program's exit code.
#[derive(Debug)]
struct ErrorWithExitCode {
    exit: Exit,
    text: String,
}

impl fmt::Display for ErrorWithExitCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for ErrorWithExitCode {}

impl Exit {
    /// Returns an error that ends the program with this code.
    pub fn error(self, text: impl Into<String>) -> anyhow::Error {
        ErrorWithExitCode { exit: self, text: text.into() }.into()
    }

    /// Returns the exit code for an error.
    pub fn from_error(error: &anyhow::Error) -> Self {
        error
            .chain()
            .find_map(|cause| cause.downcast_ref::<ErrorWithExitCode>())
            .map_or(Self::Failed, |ended| ended.exit)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Returns the text below the options in `--help`: examples and exit codes.
pub fn exit_codes_help(examples: &str) -> String {
    format!("{examples}\n\n{CODES}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn error_keeps_its_exit_code_under_context() {
        let error = Err::<(), _>(Exit::Login.error("no")).context("while logging in").expect_err("an error");
        assert_eq!(
            (Exit::from_error(&error), format!("{error:#}")),
            (Exit::Login, "while logging in: no".to_owned())
        );
        assert_eq!(Exit::from_error(&anyhow::anyhow!("else")), Exit::Failed);
    }

    #[test]
    fn help_table_names_every_exit_code() {
        for exit in [Exit::Failed, Exit::Refused, Exit::Unreachable, Exit::Login, Exit::Untrusted] {
            assert!(CODES.contains(&format!("\n  {}  ", exit as u8)), "{exit:?}");
        }
    }
}
