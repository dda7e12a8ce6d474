//! Slows down the guessing of passwords, by address and by account and address. Pure: times come in.
//!
//! Nothing here is ever counted against an account as such, so no stranger can lock its owner out. Who has
//! not failed does not wait, however many log in at once; who has failed gets one try after the other,
//! further and further apart.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

use super::limits::subject::Subject;
use crate::wire::Nick;

/// What is to become of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Check the password after this time, which is zero for those who have not failed.
    Wait(Duration),
    /// Do not check it: the turn would come only after this time.
    Refuse(Duration),
}

/// How failures turn into waiting.
#[derive(Clone, Copy, Debug)]
struct Policy {
    /// Failures that cost nothing: typing mistakes.
    free: u32,
    /// The time between tries after the first that costs; it doubles with each further one.
    first: Duration,
    /// The longest time between tries.
    most: Duration,
    /// One failure is forgotten after this time.
    forget: Duration,
}

/// Somebody guesses at one account. Three mistakes cost nothing; in the long run two tries a minute are possible.
const PAIR: Policy = Policy {
    free: 3,
    first: Duration::from_secs(1),
    most: Duration::from_secs(30),
    forget: Duration::from_mins(1),
};

/// Somebody tries one password on many accounts. Milder, because a school may stand behind one address.
const ADDRESS: Policy = Policy {
    free: 30,
    first: Duration::from_millis(250),
    most: Duration::from_secs(2),
    forget: Duration::from_secs(2),
};

/// The failed logins of late.
#[derive(Debug, Default)]
pub struct Throttle {
    pairs: Table<(Subject, Nick)>,
    addresses: Table<Subject>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    /// When the failures were counted last.
    at: Instant,
    /// When the next try may begin.
    next: Instant,
}

#[derive(Debug)]
struct Table<K>(HashMap<K, Record>);

impl Throttle {
    /// Longest time that a connection is made to wait for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Most records in each of the two tables, so that a swarm of addresses costs a few megabytes and no more.
    pub const MOST: usize = 1 << 15;

    /// Somebody at `from` is about to try a password of the account `name`.
    pub fn attempt(&mut self, from: Subject, name: &Nick, now: Instant) -> Gate {
        let pair = (from, name.clone());
        let turn = self.pairs.turn(&pair, now).max(self.addresses.turn(&from, now));
        let wait = turn - now;
        if wait > Self::PATIENCE {
            return Gate::Refuse(wait);
        }
        self.pairs.take_turn(&pair, turn, PAIR);
        self.addresses.take_turn(&from, turn, ADDRESS);
        Gate::Wait(wait)
    }

    /// The password was wrong, or there was no such account.
    pub fn failed(&mut self, from: Subject, name: &Nick, now: Instant) {
        self.pairs.failed((from, name.clone()), now, PAIR);
        self.addresses.failed(from, now, ADDRESS);
    }

    /// The password was right: whoever typed it wrong before is forgiven. The address is not, or a guesser would log
    /// in to an account of his own in between.
    pub fn succeeded(&mut self, from: Subject, name: &Nick) {
        self.pairs.0.remove(&(from, name.clone()));
    }
}

impl Policy {
    fn between(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free) {
            None => Duration::ZERO,
            Some(doublings) => self.first.saturating_mul(1 << doublings.min(20)).min(self.most),
        }
    }
}

impl Record {
    /// Failures that are not forgotten yet.
    fn failures(&self, now: Instant, policy: Policy) -> u32 {
        let passed = now.saturating_duration_since(self.at).as_nanos() / policy.forget.as_nanos();
        self.failures.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX))
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> Table<K> {
    fn turn(&self, key: &K, now: Instant) -> Instant {
        self.0.get(key).map_or(now, |record| record.next.max(now))
    }

    /// The next one of this key comes after the one that begins at `turn`.
    fn take_turn(&mut self, key: &K, turn: Instant, policy: Policy) {
        if let Some(record) = self.0.get_mut(key) {
            record.next = turn + policy.between(record.failures(turn, policy));
        }
    }

    fn failed(&mut self, key: K, now: Instant, policy: Policy) {
        if self.0.len() >= Throttle::MOST && !self.0.contains_key(&key) {
            self.make_room(now, policy);
        }
        let record = self.0.entry(key).or_insert(Record { failures: 0, at: now, next: now });
        record.failures = record.failures(now, policy).saturating_add(1);
        record.at = now;
        record.next = record.next.max(now + policy.between(record.failures));
    }

    /// Drops what is forgotten, and when that is not enough, those who failed least: a swarm of addresses that fail
    /// once each does not wash out one that fails often.
    fn make_room(&mut self, now: Instant, policy: Policy) {
        for spare in 0.. {
            self.0.retain(|_, record| record.failures(now, policy) > spare);
            if self.0.len() < Throttle::MOST {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    const HERE: Subject = Subject::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
    const ELSEWHERE: Subject = Subject::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)));
    const FREE: Gate = Gate::Wait(Duration::ZERO);

    fn nick(name: &str) -> Nick {
        Nick::parse(name).expect(name)
    }

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn fail(throttle: &mut Throttle, from: Subject, name: &str, times: u32, now: Instant) {
        for _ in 0..times {
            throttle.failed(from, &nick(name), now);
        }
    }

    #[test]
    fn a_few_mistakes_cost_nothing_and_more_cost_more() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let alice = nick("alice");
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = match throttle.attempt(HERE, &alice, now) {
                Gate::Wait(wait) | Gate::Refuse(wait) => wait,
            };
            waits.push(wait.as_secs());
            now += wait;
            throttle.failed(HERE, &alice, now);
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30]);
        assert!(matches!(throttle.attempt(HERE, &alice, now), Gate::Refuse(_)));
        throttle.succeeded(HERE, &alice);
        assert_eq!(throttle.attempt(HERE, &alice, now), FREE);
    }

    #[test]
    fn the_owner_elsewhere_is_not_locked_out() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "Alice", 1000, now);
        assert!(matches!(throttle.attempt(HERE, &nick("alice"), now), Gate::Refuse(_)));
        assert_eq!(throttle.attempt(ELSEWHERE, &nick("alice"), now), FREE);
    }

    #[test]
    fn an_address_that_tries_many_accounts_is_slowed_and_its_people_are_not_kept_out() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..1000 {
            throttle.failed(HERE, &nick(&format!("n{n}")), now);
        }
        assert_eq!(throttle.attempt(HERE, &nick("alice"), now), Gate::Wait(seconds(2)));
        assert_eq!(throttle.attempt(ELSEWHERE, &nick("alice"), now), FREE);
    }

    #[test]
    fn many_connections_at_once_get_turns() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let alice = nick("alice");
        fail(&mut throttle, HERE, "alice", 4, now);
        assert_eq!(throttle.attempt(HERE, &alice, now), Gate::Wait(seconds(2)));
        assert_eq!(throttle.attempt(HERE, &alice, now), Gate::Wait(seconds(4)));
        let refused = (0..100).filter(|_| matches!(throttle.attempt(HERE, &alice, now), Gate::Refuse(_)));
        assert_eq!(refused.count(), 97);
        assert_eq!(throttle.attempt(HERE, &alice, now + seconds(60)), FREE, "who was refused took no turn");
    }

    #[test]
    fn a_crowd_that_comes_back_does_not_wait() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..5000 {
            assert_eq!(throttle.attempt(HERE, &nick(&format!("n{}", n % 700)), now), FREE);
        }
    }

    #[test]
    fn failures_are_forgotten() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 5, now);
        assert_eq!(throttle.attempt(HERE, &nick("alice"), now + seconds(180)), FREE);
        fail(&mut throttle, HERE, "alice", 1, now + seconds(180));
        assert_eq!(throttle.attempt(HERE, &nick("alice"), now + seconds(180)), Gate::Wait(seconds(1)));
    }

    #[test]
    fn hosts_cannot_change_their_address_within_their_network() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let address = |text: &str| Subject::of(text.parse().expect(text), &[]);
        for n in 0..100 {
            throttle.failed(address(&format!("2001:db8::{n:x}")), &nick("alice"), now);
            throttle.failed(address("192.0.2.9"), &nick("alice"), now);
        }
        for same in ["2001:db8::ffff", "::ffff:192.0.2.9"] {
            assert!(
                matches!(throttle.attempt(address(same), &nick("alice"), now), Gate::Refuse(_)),
                "{same}"
            );
        }
        assert_eq!(throttle.attempt(address("2001:db8:0:1::1"), &nick("alice"), now), FREE);
    }

    #[test]
    fn the_tables_are_bounded_and_keep_the_worst() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 9, now);
        for n in 0..u32::try_from(2 * Throttle::MOST).expect("few") {
            throttle.failed(Subject::Address(IpAddr::V4(n.into())), &nick("bob"), now);
        }
        assert!(throttle.pairs.0.len() <= Throttle::MOST && throttle.addresses.0.len() <= Throttle::MOST);
        assert!(matches!(throttle.attempt(HERE, &nick("alice"), now), Gate::Refuse(_)));
    }
}
