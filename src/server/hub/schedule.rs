//! Turns of accounts at the hub.
//!
//! Deficit round robin: in each round every account with waiting commands may spend the same, however many sessions it
//! has, and an overdraft counts in the next round. An account that has used up its budget (see [`TokenBucket`]) sits out
//! until it may spend again; its commands wait where they are, and none is lost.

use std::collections::{BTreeSet, VecDeque};

use prometheus_client::metrics::counter::Counter;
use rustc_hash::FxHashMap;
use tokio::time::Instant;

use super::budget::Cost;
use crate::core::record::AccountId;
use crate::invariants::MustExist as _;
use crate::server::limits::token_bucket::{RateLimit, TokenBucket};

/// Units of [estimated](Cost::estimated) work that an account may cause in a round. A unit is a millisecond at most. What a
/// round made is committed before the next one is delivered, so the burst of one account delays the echoes of others by no
/// more than this.
const UNITS_PER_ROUND: f32 = 8.0;

/// Accounts with waiting commands, and their sessions.
#[derive(Debug)]
pub(in crate::server) struct Schedule<S> {
    rate_limit: Option<RateLimit>,
    accounts: FxHashMap<AccountId, Account<S>>,
    /// Accounts that may spend, the next one first.
    round: VecDeque<AccountId>,
    /// Accounts that may not spend yet, with the time from which they may.
    waiting_until: BTreeSet<(Instant, AccountId)>,
    /// Count of times that an account had to wait.
    waits: Counter,
}

#[derive(Debug)]
struct Account<S> {
    bucket: TokenBucket,
    deficit: f32,
    /// Sessions with waiting commands, the next one first.
    sessions: VecDeque<S>,
    /// True if the account is in `round` or in `waiting_until`.
    is_scheduled: bool,
}

/// Turn of an account: its units and its sessions.
#[derive(Debug)]
pub(in crate::server) struct Turn<S> {
    id: AccountId,
    account: Account<S>,
    rate_limit: Option<RateLimit>,
}

impl<S> Schedule<S> {
    pub fn new(rate_limit: Option<RateLimit>, waits: Counter) -> Self {
        Self {
            rate_limit,
            accounts: FxHashMap::default(),
            round: VecDeque::new(),
            waiting_until: BTreeSet::new(),
            waits,
        }
    }

    fn account_mut(&mut self, id: AccountId, now: Instant) -> &mut Account<S> {
        let rate = self.rate_limit;
        self.accounts.entry(id).or_insert_with(|| Account {
            bucket: TokenBucket::new_full(rate, now),
            deficit: 0.0,
            sessions: VecDeque::new(),
            is_scheduled: false,
        })
    }

    /// Adds a session with waiting commands.
    pub fn add_session(&mut self, id: AccountId, session: S, now: Instant) {
        let account = self.account_mut(id, now);
        account.sessions.push_back(session);
        if !account.is_scheduled {
            self.schedule_account(id, now);
        }
    }

    /// Charges an account for work outside of a turn.
    pub fn charge(&mut self, id: AccountId, cost: f32, now: Instant) {
        let rate = self.rate_limit;
        if cost > 0.0 && rate.is_some() {
            self.account_mut(id, now).bucket.spend(cost, rate);
        }
    }

    fn schedule_account(&mut self, id: AccountId, now: Instant) {
        let account = self.accounts.get_mut(&id).must_exist("the caller inserted the account");
        let Some(account) = account else { return };
        account.is_scheduled = true;
        match account.bucket.due(self.rate_limit, now) {
            None => self.round.push_back(id),
            Some(due) => {
                self.waits.inc();
                self.waiting_until.insert((due, id));
            }
        }
    }

    /// Moves the accounts whose time has come into the round. Returns the count of turns of the new round.
    pub fn begin_round(&mut self, now: Instant) -> usize {
        while let Some(&(due, id)) = self.waiting_until.first()
            && due <= now
        {
            self.waiting_until.pop_first();
            self.round.push_back(id);
        }
        self.round.len()
    }

    /// Starts the next account's turn, which must be [ended](Self::end_turn).
    pub fn begin_turn(&mut self, now: Instant) -> Option<Turn<S>> {
        let id = self.round.pop_front()?;
        let mut account = self.accounts.remove(&id)?;
        account.bucket.due(self.rate_limit, now);
        account.deficit += UNITS_PER_ROUND;
        Some(Turn { id, account, rate_limit: self.rate_limit })
    }

    /// Ends a turn.
    pub fn end_turn(&mut self, turn: Turn<S>, now: Instant) {
        let Turn { id, mut account, .. } = turn;
        account.is_scheduled = false;
        let has_more = !account.sessions.is_empty();
        if !has_more {
            account.deficit = account.deficit.min(0.0);
        }
        self.accounts.insert(id, account);
        if has_more {
            self.schedule_account(id, now);
        }
    }

    /// Returns true if an account may spend now.
    pub fn is_ready(&self) -> bool {
        !self.round.is_empty()
    }

    /// Returns the time at which the next waiting account may spend.
    pub fn next_due(&self) -> Option<Instant> {
        self.waiting_until.first().map(|(due, _)| *due)
    }

    /// Returns the sessions with waiting commands.
    pub fn sessions(&self) -> impl Iterator<Item = &S> {
        self.accounts.values().flat_map(|account| &account.sessions)
    }

    /// Removes accounts that have no waiting commands and owe nothing, and frees their memory.
    pub fn remove_idle_accounts(&mut self, now: Instant) {
        let rate = self.rate_limit;
        self.accounts.retain(|_, account| account.is_scheduled || !account.bucket.is_full(rate, now));
        self.accounts.shrink_to(2 * self.accounts.len());
    }
}

impl<S> Turn<S> {
    /// Takes the next session, while there is something left to spend.
    pub fn next_session(&mut self) -> Option<S> {
        if self.may_spend() { self.account.sessions.pop_front() } else { None }
    }

    /// Puts back a session that has more commands.
    pub fn put_back(&mut self, session: S) {
        self.account.sessions.push_back(session);
    }

    pub fn may_spend(&self) -> bool {
        self.account.deficit > 0.0 && self.account.bucket.may_spend()
    }

    pub fn spend(&mut self, cost: Cost) {
        self.account.deficit -= cost.estimated;
        self.account.bucket.spend(cost.charged, self.rate_limit);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::time::Duration;

    use super::*;

    const FAST: Option<RateLimit> = Some(RateLimit { per_second: 10.0, burst: 60.0 });

    /// Runs a round in which each session has endless commands of this cost. Returns the count that each account was
    /// granted.
    fn run_round(schedule: &mut Schedule<i64>, cost: impl Fn(i64) -> f32, now: Instant) -> HashMap<i64, u32> {
        let mut done = HashMap::new();
        for _ in 0..schedule.begin_round(now) {
            let mut turn = schedule.begin_turn(now).expect("a turn");
            while let Some(session) = turn.next_session() {
                while turn.may_spend() {
                    let units = cost(session);
                    turn.spend(Cost { charged: units, estimated: units });
                    *done.entry(session).or_default() += 1;
                }
                turn.put_back(session);
            }
            schedule.end_turn(turn, now);
        }
        done
    }

    /// Runs rounds of commands that cost a unit until nobody may spend any more.
    fn run_rounds(schedule: &mut Schedule<i64>, now: Instant) -> HashMap<i64, u32> {
        let mut total = HashMap::new();
        while schedule.is_ready() {
            for (session, count) in run_round(schedule, |_| 1.0, now) {
                *total.entry(session).or_default() += count;
            }
        }
        total
    }

    #[test]
    fn sessions_of_one_account_share_its_turn() {
        let now = Instant::now();
        let mut schedule = Schedule::new(None, Counter::default());
        for session in 0..20 {
            schedule.add_session(AccountId(1), session, now);
        }
        schedule.add_session(AccountId(2), 100, now);
        let mut total = HashMap::<bool, u32>::new();
        for _ in 0..20 {
            for (session, count) in run_round(&mut schedule, |_| 1.0, now) {
                *total.entry(session == 100).or_default() += count;
            }
        }
        assert_eq!((total[&false], total[&true]), (20 * 8, 20 * 8));
        assert_eq!(schedule.sessions().count(), 21);
    }

    #[test]
    fn expensive_commands_cost_turns() {
        let now = Instant::now();
        let mut schedule = Schedule::new(None, Counter::default());
        schedule.add_session(AccountId(1), 1, now);
        schedule.add_session(AccountId(2), 2, now);
        let cost = |session| if session == 1 { 80.0 } else { 1.0 };
        let rounds: Vec<_> = (0..20).map(|_| run_round(&mut schedule, cost, now)).collect();
        let dear: u32 = rounds.iter().filter_map(|done| done.get(&1)).sum();
        assert_eq!(dear, 2, "one in ten rounds");
        assert!(rounds.iter().all(|done| done[&2] == 8));
    }

    #[test]
    fn only_accounts_over_budget_wait() {
        let now = Instant::now();
        let waits = Counter::default();
        let mut schedule = Schedule::new(FAST, waits.clone());
        for session in 0..20 {
            schedule.add_session(AccountId(1), session, now);
        }
        assert_eq!(run_rounds(&mut schedule, now).values().sum::<u32>(), 60);
        assert!(!schedule.is_ready() && waits.get() == 1);
        schedule.add_session(AccountId(2), 100, now);
        assert_eq!(run_rounds(&mut schedule, now), HashMap::from([(100, 60)]));
        let due = schedule.next_due().expect("it may again");
        assert!(due > now && due < now + Duration::from_millis(200));
        let first = |done: &HashMap<i64, u32>| {
            done.iter().filter(|(session, _)| **session < 100).map(|(_, n)| n).sum()
        };
        let done: u32 = first(&run_round(&mut schedule, |_| 1.0, due));
        assert_eq!(done, 1, "the session whose turn it is");
        // Reconnecting does not restore a budget, and accounts that owe nothing are removed.
        schedule.remove_idle_accounts(now + Duration::from_hours(1));
        assert_eq!(schedule.accounts.len(), 2);
    }

    #[test]
    fn work_outside_turns_is_charged() {
        let now = Instant::now();
        let mut schedule = Schedule::new(FAST, Counter::default());
        schedule.charge(AccountId(1), 61.0, now);
        schedule.add_session(AccountId(1), 1, now);
        assert!(!schedule.is_ready());
        assert_eq!(schedule.begin_round(now + Duration::from_secs(1)), 1);
    }
}
