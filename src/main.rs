//! The `parlour` binary: hands the command line over to [`parlour::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    parlour::cli::main()
}
