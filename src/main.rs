//! The `parlour` binary: hands the command line over to [`parlour::cli`].

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

fn main() -> ExitCode {
    parlour::cli::main()
}
