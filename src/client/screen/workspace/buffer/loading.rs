//! Loading state of a buffer: the loaded part of the history, and the query in flight.
//!
//! [`Extent`] and [`Query`] are independent but for what `Loading::check` asserts:
//!
//! | extent | next query | follows |
//! | --- | --- | --- |
//! | `Unloaded` | the latest page | nothing is loaded yet, or a gap was too large to load |
//! | `Latest` | older pages, as the user scrolls up | a page that ends with the latest message |
//! | `Behind` | newer pages, at once | a broken connection, or a full buffer that dropped its newest entries |
//! | `Past` | older and newer pages, as the user scrolls | a jump |

use crate::client::model::{MessageRef, Ticket};
use crate::wire::Timestamp;

/// Limit of the retries of a history query that failed temporarily.
const MAX_RETRIES: u8 = 4;

/// Delay of the first retry, in milliseconds. Each further one waits twice as long, so the last comes after 30 seconds.
const FIRST_RETRY_DELAY: u64 = 2_000;

/// Limit of the pages that are loaded of missed messages. With more, only the latest page is loaded, and the rest when
/// the user scrolls there.
const MAX_MISSED_PAGES: u8 = 5;

/// Limit of consecutive pages without a new entry, because a server could make them up forever.
const MAX_EMPTY_PAGES: u8 = 100;

/// Target of a jump in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JumpTarget {
    /// Message with this id.
    Id(String),
    /// First message after this time stamp.
    After(Timestamp),
}

/// Page of history that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageRequest {
    /// The latest messages of a conversation with nothing loaded.
    Latest,
    /// Messages before the first loaded one.
    Older,
    /// Messages after the last loaded one.
    Newer,
    /// Messages around the target of a jump.
    Around(JumpTarget),
}

/// Loaded part of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// No page is loaded. Messages that arrived since are the only entries.
    #[default]
    Unloaded,
    /// The last loaded entry is the latest of the conversation.
    Latest,
    /// Messages between the last loaded entry and the latest are missing.
    Behind {
        /// Count of the pages of them that have been loaded.
        pages: u8,
    },
    /// Earlier part of the history, after a jump there.
    Past,
}

/// State of a buffer's history query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Query {
    /// No query is in flight.
    #[default]
    Idle,
    /// A query was sent, and its result is outstanding.
    InFlight {
        /// Ticket of the query.
        ticket: Ticket,
        /// Page that it asks for.
        page: PageRequest,
        /// Count of the temporary failures before it.
        failures: u8,
    },
    /// The last query failed, and may work later.
    Waiting {
        /// Count of temporary failures in a row.
        failures: u8,
        /// Time stamp of the next try.
        until: Timestamp,
    },
    /// The last query failed for good. The next reconnect or jump allows further ones.
    Failed,
}

/// Bounds of the loaded history as the server sees them, whose first and last line may be of a kind that a buffer does
/// not keep. `None` stands for the first or last loaded message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Bound for queries of older pages.
    pub oldest: Option<MessageRef>,
    /// Bound for queries of newer pages.
    pub newest: Option<MessageRef>,
}

/// Consequence of a failed query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The query is sent again later.
    Temporary,
    /// The target of the jump is out of reach. The rest of the history may not be.
    Jump,
    /// The history cannot be loaded.
    History,
}

/// Consequence of a page of missed messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More pages may follow.
    More,
    /// Too many messages are missing to load them all.
    TooFar,
}

/// Loading state of a buffer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    extent: Extent,
    query: Query,
    at_beginning: bool,
    jump: Option<JumpTarget>,
    /// Bounds for the next queries.
    pub bounds: Bounds,
    /// Count of consecutive pages without a new entry.
    empty_pages: u8,
    /// Set if entries arrived before a connection broke and before any page: a gap may follow them.
    is_before_gap: bool,
}

impl Loading {
    /// Returns the loaded part of the history.
    pub fn extent(&self) -> Extent {
        self.extent
    }

    /// Returns whether the last loaded entry is the latest of the conversation.
    pub fn has_latest(&self) -> bool {
        self.extent == Extent::Latest
    }

    /// Returns whether no page is loaded.
    pub fn is_unloaded(&self) -> bool {
        self.extent == Extent::Unloaded
    }

    /// Returns whether no history precedes the first loaded entry.
    pub fn at_beginning(&self) -> bool {
        self.at_beginning
    }

    /// Returns the target of a jump that is not loaded yet.
    pub fn jump(&self) -> Option<&JumpTarget> {
        self.jump.as_ref()
    }

    /// Returns the page that the query in flight asks for.
    pub fn in_flight(&self) -> Option<&PageRequest> {
        match &self.query {
            Query::InFlight { page, .. } => Some(page),
            Query::Idle | Query::Waiting { .. } | Query::Failed => None,
        }
    }

    /// Returns whether the query with this ticket is in flight.
    pub fn awaits(&self, asked: Ticket) -> bool {
        matches!(self.query, Query::InFlight { ticket, .. } if ticket == asked)
    }

    /// Returns whether a query may be sent now.
    pub fn may_query(&self, now: Timestamp) -> bool {
        match self.query {
            Query::Idle => true,
            Query::Waiting { until, .. } => until <= now,
            Query::InFlight { .. } | Query::Failed => false,
        }
    }

    /// Returns the time stamp of the next try after a temporary failure.
    pub fn retry_at(&self) -> Option<Timestamp> {
        match self.query {
            Query::Waiting { until, .. } => Some(until),
            Query::Idle | Query::InFlight { .. } | Query::Failed => None,
        }
    }

    /// Records that a query was sent.
    pub fn sent(&mut self, ticket: Ticket, page: PageRequest) {
        let failures = match self.query {
            Query::Waiting { failures, .. } => failures,
            Query::Idle | Query::InFlight { .. } | Query::Failed => 0,
        };
        debug_assert!(!matches!(self.query, Query::InFlight { .. } | Query::Failed), "{:?}", self.query);
        self.query = Query::InFlight { ticket, page, failures };
        self.check();
    }

    /// Records the result of the query in flight. Returns the page that it asked for.
    pub fn answered(&mut self) -> Option<PageRequest> {
        let Query::InFlight { page, .. } = std::mem::take(&mut self.query) else { return None };
        if let PageRequest::Around(target) = &page {
            // A further jump may have been made since.
            self.jump.take_if(|jump| jump == target);
        }
        Some(page)
    }

    /// Records the failure of the query in flight.
    pub fn failed(&mut self, now: Timestamp, temporary: bool) -> Failure {
        let failures = match self.query {
            Query::InFlight { failures, .. } => failures,
            Query::Idle | Query::Waiting { .. } | Query::Failed => {
                debug_assert!(false, "a failure without a query: {:?}", self.query);
                0
            }
        };
        if temporary && failures < MAX_RETRIES {
            let until = Timestamp(now.0 + (FIRST_RETRY_DELAY << failures));
            self.query = Query::Waiting { failures: failures + 1, until };
            return Failure::Temporary;
        }
        if let Some(PageRequest::Around(_)) = self.answered() {
            return Failure::Jump;
        }
        self.query = Query::Failed;
        Failure::History
    }

    /// Requests a jump to a message that is not loaded.
    pub fn request_jump(&mut self, target: JumpTarget) {
        self.jump = Some(target);
        self.reset_failures();
    }

    /// Allows history queries again after failed ones.
    fn reset_failures(&mut self) {
        match &mut self.query {
            Query::InFlight { failures, .. } => *failures = 0,
            query => *query = Query::Idle,
        }
    }

    /// Records a broken connection: the query in flight is lost, and what comes next may come behind a gap.
    pub fn disconnected(&mut self) {
        self.query = Query::Idle;
        match self.extent {
            Extent::Latest | Extent::Behind { .. } => self.extent = Extent::Behind { pages: 0 },
            Extent::Unloaded => self.is_before_gap = true,
            Extent::Past => {}
        }
        self.check();
    }

    /// Returns whether entries from before a gap have to go, now that the latest page is queried. It contains what has
    /// arrived since.
    pub fn take_before_gap(&mut self) -> bool {
        std::mem::take(&mut self.is_before_gap)
    }

    /// Records that the loaded entries were dropped, to load the latest page next.
    pub fn restart(&mut self) {
        // A page in flight would come to stand behind a gap.
        *self = Self { jump: self.jump.take(), ..Self::default() };
    }

    /// Records that the loaded entries were dropped for a page around the target of a jump.
    pub fn jumped(&mut self) {
        debug_assert!(self.in_flight().is_none(), "{:?}", self.query);
        *self = Self { extent: Extent::Past, jump: self.jump.take(), ..Self::default() };
    }

    /// Records that the last loaded entry is the latest.
    pub fn caught_up(&mut self) {
        debug_assert!(self.in_flight().is_none(), "{:?}", self.query);
        self.extent = Extent::Latest;
        self.bounds.newest = None;
        (self.empty_pages, self.is_before_gap) = (0, false);
    }

    /// Records that the server has no history: the buffer starts with the first message that arrives.
    pub fn unsupported(&mut self) {
        self.jump = None;
        self.caught_up();
        self.at_beginning = true;
        self.check();
    }

    /// Records that the first loaded entry is the first of the conversation.
    pub fn reached_beginning(&mut self) {
        self.at_beginning = true;
    }

    /// Records a page of newer messages that does not reach the latest one.
    pub fn advanced(&mut self) -> Progress {
        if let Extent::Behind { pages } = &mut self.extent {
            if *pages + 1 >= MAX_MISSED_PAGES {
                return Progress::TooFar;
            }
            *pages += 1;
        }
        Progress::More
    }

    /// Counts pages without a `new` entry. Returns whether paging must end: a page without a new entry, such as one of
    /// reactions alone, leads to the next page, unless it repeats the bound of the page before (not `further`), or too
    /// many of them came in a row.
    pub fn must_stop(&mut self, new: bool, further: bool) -> bool {
        self.empty_pages = if new { 0 } else { self.empty_pages.saturating_add(1) };
        !new && (!further || self.empty_pages >= MAX_EMPTY_PAGES)
    }

    /// Records that the oldest loaded entry was dropped.
    pub fn dropped_oldest(&mut self) {
        self.at_beginning = false;
        self.bounds.oldest = None;
    }

    /// Records that the newest loaded entry was dropped.
    pub fn dropped_newest(&mut self) {
        self.bounds.newest = None;
        if self.extent == Extent::Latest {
            self.extent = Extent::Behind { pages: 0 };
        }
    }

    /// Asserts that the combination of extent and query exists.
    fn check(&self) {
        debug_assert!(!(self.at_beginning && self.is_unloaded()), "{self:?}");
        match self.in_flight() {
            Some(PageRequest::Latest) => debug_assert!(!self.has_latest(), "{self:?}"),
            Some(PageRequest::Older) => debug_assert!(!self.is_unloaded(), "{self:?}"),
            Some(PageRequest::Newer) => {
                debug_assert!(!self.is_unloaded() && !self.has_latest(), "{self:?}");
            }
            Some(PageRequest::Around(target)) => {
                debug_assert!(self.jump.as_ref() == Some(target), "{self:?}");
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000);

    fn asked(loading: &mut Loading, ticket: u64, page: PageRequest) {
        loading.sent(Ticket(ticket), page);
    }

    #[test]
    fn temporary_failures_are_retried_with_growing_delays_until_the_limit() {
        let mut loading = Loading::default();
        for delay in [2_000, 4_000, 8_000, 16_000] {
            asked(&mut loading, 1, PageRequest::Latest);
            assert!(!loading.may_query(NOW), "one query at a time");
            assert_eq!(loading.failed(NOW, true), Failure::Temporary);
            let until = Timestamp(NOW.0 + delay);
            assert_eq!(loading.retry_at(), Some(until));
            assert!(!loading.may_query(Timestamp(until.0 - 1)) && loading.may_query(until));
        }
        asked(&mut loading, 1, PageRequest::Latest);
        assert_eq!(loading.failed(NOW, true), Failure::History);
        assert!(!loading.may_query(Timestamp(u64::MAX)));
        loading.disconnected();
        assert!(loading.may_query(NOW));
    }

    #[test]
    fn a_result_ends_the_row_of_failures() {
        let mut loading = Loading::default();
        asked(&mut loading, 1, PageRequest::Latest);
        loading.failed(NOW, true);
        asked(&mut loading, 2, PageRequest::Latest);
        assert!(loading.awaits(Ticket(2)) && !loading.awaits(Ticket(1)));
        assert_eq!(loading.answered(), Some(PageRequest::Latest));
        loading.caught_up();
        asked(&mut loading, 3, PageRequest::Older);
        loading.failed(NOW, true);
        assert_eq!(loading.retry_at(), Some(Timestamp(NOW.0 + 2_000)));
    }

    #[test]
    fn a_failed_jump_leaves_the_rest_of_the_history() {
        let mut loading = Loading::default();
        loading.caught_up();
        let target = JumpTarget::Id("a".into());
        loading.request_jump(target.clone());
        asked(&mut loading, 1, PageRequest::Around(target));
        assert_eq!(loading.failed(NOW, false), Failure::Jump);
        assert_eq!(loading.jump(), None);
        assert!(loading.has_latest() && loading.may_query(NOW));
    }

    #[test]
    fn a_second_jump_outlasts_the_page_of_the_first() {
        let mut loading = Loading::default();
        loading.caught_up();
        let (first, second) = (JumpTarget::Id("a".into()), JumpTarget::After(Timestamp(5)));
        loading.request_jump(first.clone());
        asked(&mut loading, 1, PageRequest::Around(first));
        loading.request_jump(second.clone());
        loading.answered();
        loading.jumped();
        assert_eq!((loading.extent(), loading.jump()), (Extent::Past, Some(&second)));
    }

    #[test]
    fn missed_pages_are_loaded_up_to_the_limit() {
        let mut loading = Loading::default();
        loading.caught_up();
        loading.disconnected();
        for pages in 1..MAX_MISSED_PAGES {
            assert_eq!(loading.advanced(), Progress::More);
            assert_eq!(loading.extent(), Extent::Behind { pages });
        }
        assert_eq!(loading.advanced(), Progress::TooFar);
        loading.restart();
        assert_eq!(loading.extent(), Extent::Unloaded);
        // After a jump there is no such limit.
        loading.jumped();
        for _ in 0..1000 {
            assert_eq!(loading.advanced(), Progress::More);
        }
    }

    #[test]
    fn dropped_entries_are_missing() {
        let mut loading = Loading::default();
        loading.unsupported();
        assert!(loading.at_beginning() && loading.has_latest());
        loading.dropped_oldest();
        assert!(!loading.at_beginning() && loading.has_latest());
        loading.dropped_newest();
        assert_eq!(loading.extent(), Extent::Behind { pages: 0 });
    }
}
