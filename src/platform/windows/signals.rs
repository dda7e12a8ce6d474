//! Events of the console: Ctrl-C, Ctrl-Break, the closing of its window, logging off, shutting down.

use std::io;
use std::time::Duration;

use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{service, terminal};

/// Interval at which the size of the console is read. The console reports only the size of its buffer.
const SIZE_INTERVAL: Duration = Duration::from_millis(250);

/// An event that happens again and again.
#[derive(Debug)]
pub struct Repeated(Source);

#[derive(Debug)]
enum Source {
    /// Windows has no such event.
    Never,
    /// The console has another size than before.
    Size { ticks: Interval, last: Option<(u16, u16)> },
}

impl Repeated {
    /// Waits for the next one. Cancel safe.
    pub async fn next(&mut self) {
        match &mut self.0 {
            Source::Never => std::future::pending().await,
            Source::Size { ticks, last } => loop {
                ticks.tick().await;
                let size = terminal::size().ok();
                if size.is_some() && size != *last {
                    *last = size;
                    return;
                }
            },
        }
    }
}

/// Returns a future that completes when a server is to stop: at Ctrl-C and Ctrl-Break, when the console's window is closed,
/// when the user logs off, when the machine shuts down, and when a service is to stop. From the call on, these no longer end the program by
/// themselves, but after some seconds Windows ends it for the last three.
pub fn wait_for_stop() -> io::Result<impl Future<Output = ()> + Send + use<>> {
    let (mut interrupt, mut stop) = (ctrl_c()?, ctrl_break()?);
    let (mut closed, mut logged_off, mut shut_down) = (ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = stop.recv() => {}
            _ = closed.recv() => {}
            _ = logged_off.recv() => {}
            _ = shut_down.recv() => {}
            () = service::stop_requested() => {}
        }
    })
}

/// Returns a future that completes when a client is to stop, by the events of [`wait_for_stop`].
pub fn wait_for_interrupt() -> impl Future<Output = ()> {
    let requested = wait_for_stop();
    async move {
        match requested {
            Ok(requested) => requested.await,
            // The events cannot be handled, so they end the program by themselves.
            Err(_) => std::future::pending().await,
        }
    }
}

/// Returns what never happens: Windows has no signal to reload. `parlour certs` asks a running server by the control channel.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn reload() -> io::Result<Repeated> {
    Ok(Repeated(Source::Never))
}

/// Returns what never happens: Windows has no job control.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn resumed() -> io::Result<Repeated> {
    Ok(Repeated(Source::Never))
}

/// Returns the event of a console that has a new size.
#[expect(clippy::unnecessary_wraps, reason = "other systems can fail")]
pub fn resized() -> io::Result<Repeated> {
    let mut ticks = interval(SIZE_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(Repeated(Source::Size { ticks, last: terminal::size().ok() }))
}
