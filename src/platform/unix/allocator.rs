//! The allocator, of Rust code and (except with musl and on macOS) of SQLite and the cryptography too. glibc's keeps the
//! memory of password checks, 19 MiB a thread, and that of thousands of closed connections; jemalloc's returns it.

use tikv_jemallocator::Jemalloc;

#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;
