//! Signals that end, reload or resume the program, or tell a new size of the terminal.

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A signal that arrives again and again.
#[derive(Debug)]
pub struct Repeated(Signal);

impl Repeated {
    /// Waits for the next one. Cancel safe.
    pub async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Returns a future that completes when a server is to stop: at Ctrl-C and at SIGTERM. From the call on, these no longer
/// end the program by themselves.
pub fn wait_for_stop() -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that completes when a client is to stop: at Ctrl-C, at SIGTERM, and when the terminal is closed. From
/// the call on, these no longer end the program by themselves.
pub fn wait_for_interrupt() -> impl Future<Output = ()> {
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let [mut interrupt, mut terminate, mut hangup] = kinds.map(|kind| signal(kind).ok());
    async move {
        tokio::select! {
            () = wait_for(&mut interrupt) => {}
            () = wait_for(&mut terminate) => {}
            () = wait_for(&mut hangup) => {}
        }
    }
}

async fn wait_for(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        // The signal cannot be handled; the others still work.
        None => std::future::pending().await,
    }
}

/// Returns the signal by which an administrator has a server reload its files: SIGHUP.
pub fn reload() -> io::Result<Repeated> {
    signal(SignalKind::hangup()).map(Repeated)
}

/// Returns the signal of a process that goes on after a stop: SIGCONT.
pub fn resumed() -> io::Result<Repeated> {
    signal(SignalKind::from_raw(Number::CONT.as_raw())).map(Repeated)
}

/// Returns the signal of a terminal that has a new size.
pub fn resized() -> io::Result<Repeated> {
    signal(SignalKind::window_change()).map(Repeated)
}
