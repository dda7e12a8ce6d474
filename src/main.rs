//! The `parlour` binary: hands the command line over to [`parlour::cli`].

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

/// Gives freed memory back to the system. glibc's allocator keeps the memory of password checks, 19 MiB a thread, and of
/// thousands of connections that are gone.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    parlour::cli::main()
}
