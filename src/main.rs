//! The `parlour` binary: hands the command line over to [`parlour::cli`].

#![deny(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

/// Allocator that returns freed memory to the system. glibc's keeps the memory of password checks, 19 MiB a thread, and
/// that of thousands of closed connections.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    parlour::cli::main()
}
