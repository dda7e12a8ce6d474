//! The count of open pages, and when the last one has been closed for long enough.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Time for which the last page may be closed: a page that is loaded again comes back within it.
const CLOSED_TIME: Duration = Duration::from_mins(1);

/// Time within which a page comes back whose connection ended from this side, because the server is gone. Browsers
/// delay the attempts of pages in the background.
const RECONNECT_TIME: Duration = Duration::from_mins(15);

/// Limit of pages that are open at one time.
const MAX_PAGES: usize = 32;

/// The open pages. Clones share the count.
#[derive(Clone, Debug)]
pub(super) struct OpenPages(Arc<watch::Sender<State>>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    count: usize,
    /// Time at which nothing is to be served any more, once a page has been open and while none is.
    ends_at: Option<Instant>,
}

/// An open page. It counts as closed by the user when this is dropped.
#[derive(Debug)]
pub(super) struct OpenPage {
    pages: OpenPages,
    comes_back: bool,
}

impl Default for OpenPages {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::default())))
    }
}

impl OpenPages {
    /// Counts one more page, if there is room for it.
    pub fn open(&self) -> Option<OpenPage> {
        let mut has_room = false;
        self.0.send_modify(|state| {
            has_room = state.count < MAX_PAGES;
            if has_room {
                state.count += 1;
                state.ends_at = None;
            }
        });
        has_room.then(|| OpenPage { pages: self.clone(), comes_back: false })
    }

    /// Waits until the last page has been closed for long enough. The first page may come at any time.
    pub async fn wait_until_closed(&self) {
        let mut states = self.0.subscribe();
        loop {
            let ends_at = states.borrow_and_update().ends_at;
            tokio::select! {
                // The sender is in `self`, so there is always another state to wait for.
                _ = states.changed() => {}
                () = sleep_until(ends_at.unwrap_or_else(Instant::now)), if ends_at.is_some() => return,
            }
        }
    }
}

impl OpenPage {
    /// Notes that the connection ends from this side, so that the page comes back by itself.
    pub fn expect_back(mut self) {
        self.comes_back = true;
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        let time = if self.comes_back { RECONNECT_TIME } else { CLOSED_TIME };
        self.pages.0.send_modify(|state| {
            state.count -= 1;
            if state.count == 0 {
                state.ends_at = Some(Instant::now() + time);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn ends_a_minute_after_the_last_page_was_closed() {
        let pages = OpenPages::default();
        let (first, second) = (pages.open().expect("room"), pages.open().expect("room"));
        drop(first);
        let start = Instant::now();
        let closing = async {
            tokio::time::sleep(Duration::from_secs(100)).await;
            drop(second);
            tokio::time::sleep(Duration::from_secs(59)).await;
            // Loaded again in time.
            let third = pages.open().expect("room");
            tokio::time::sleep(Duration::from_secs(1000)).await;
            drop(third);
        };
        tokio::join!(pages.wait_until_closed(), closing);
        assert_eq!(start.elapsed().as_secs(), 100 + 59 + 1000 + 60);
    }

    #[tokio::test(start_paused = true)]
    async fn waits_longer_for_a_page_whose_server_is_gone() {
        let pages = OpenPages::default();
        let start = Instant::now();
        pages.open().expect("room").expect_back();
        pages.wait_until_closed().await;
        assert_eq!(start.elapsed(), RECONNECT_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn does_not_end_before_the_first_page_and_bounds_their_count() {
        let pages = OpenPages::default();
        let waited = tokio::time::timeout(Duration::from_hours(100), pages.wait_until_closed()).await;
        assert!(waited.is_err());
        let open: Vec<_> = std::iter::from_fn(|| pages.open()).collect();
        assert_eq!(open.len(), MAX_PAGES);
        drop(open);
        assert!(pages.open().is_some());
    }
}
