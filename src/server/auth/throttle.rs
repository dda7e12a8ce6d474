//! Rate limit of failed logins, by subject and by account and subject. Pure: times are arguments.
//!
//! Nothing is counted against an account alone, so attackers cannot lock its owner out. Logins without earlier failures
//! do not wait, however many come at once; after failures the attempts come one at a time, at growing intervals.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::time::{Duration, Instant};

use crate::server::limits::subject::Subject;
use crate::wire::Nick;

/// Decision about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Check the password after this time, which is zero without earlier failures.
    Wait(Duration),
    /// Refuse it: its turn would come only after this time.
    Refuse(Duration),
}

/// The secret that an attempt is at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Guess {
    /// The password of an account, whether it exists or not.
    Password(Nick),
    /// A password with a text that cannot be the name of an account.
    Nobody,
    /// The token of an invite.
    Invite,
}

impl fmt::Display for Guess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(name) => name.fmt(f),
            Self::Nobody | Self::Invite => f.write_str("*"),
        }
    }
}

/// Conversion of failures into waiting time.
#[derive(Clone, Copy, Debug)]
struct Policy {
    /// Count of failures without a cost, for typing mistakes.
    free: u32,
    /// Time between attempts after the first failure with a cost; doubles with each further one.
    first: Duration,
    /// Maximum time between attempts.
    most: Duration,
    /// Time after which one failure is dropped from the count.
    forget: Duration,
}

/// Limit against guesses at one account. Three mistakes cost nothing; in the long run two attempts a minute are
/// possible.
const PAIR: Policy = Policy {
    free: 3,
    first: Duration::from_secs(1),
    most: Duration::from_secs(30),
    forget: Duration::from_mins(1),
};

/// Limit against one password tried on many accounts. Milder, because a school may be behind one address.
const ADDRESS: Policy = Policy {
    free: 30,
    first: Duration::from_millis(250),
    most: Duration::from_secs(2),
    forget: Duration::from_secs(2),
};

/// The recent failed logins.
#[derive(Debug, Default)]
pub struct Throttle {
    pairs: Table<(Subject, Guess)>,
    addresses: Table<Subject>,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    failures: u32,
    /// Time at which the failures were last counted.
    at: Instant,
    /// Time at which the next attempt may begin.
    next: Instant,
}

#[derive(Debug)]
struct Table<K>(HashMap<K, Record>);

impl Throttle {
    /// Maximum time that a connection waits for its turn.
    pub const PATIENCE: Duration = Duration::from_secs(10);

    /// Maximum count of records in each of the two tables, so that many addresses cost no more than a few megabytes.
    pub const MOST: usize = 1 << 15;

    /// Decides about an attempt at a secret from the subject `from`, which waits for its turn.
    pub fn attempt(&mut self, from: Subject, guess: &Guess, now: Instant) -> Gate {
        self.attempt_within(Self::PATIENCE, from, guess, now)
    }

    /// Decides about an attempt that does not wait. One that comes too early is refused and takes no turn, so that trying
    /// again delays nobody.
    pub fn attempt_at_once(&mut self, from: Subject, guess: &Guess, now: Instant) -> Gate {
        self.attempt_within(Duration::ZERO, from, guess, now)
    }

    fn attempt_within(&mut self, patience: Duration, from: Subject, guess: &Guess, now: Instant) -> Gate {
        let pair = (from, guess.clone());
        let turn = self.pairs.turn(&pair, now).max(self.addresses.turn(&from, now));
        let wait = turn - now;
        if wait > patience {
            return Gate::Refuse(wait);
        }
        self.pairs.take_turn(&pair, turn, PAIR);
        self.addresses.take_turn(&from, turn, ADDRESS);
        Gate::Wait(wait)
    }

    /// Notes a wrong password or an unknown account.
    pub fn failed(&mut self, from: Subject, guess: &Guess, now: Instant) {
        self.pairs.failed((from, guess.clone()), now, PAIR);
        self.addresses.failed(from, now, ADDRESS);
    }

    /// Notes a right password: clears the failures of this account and subject. Those of the subject stay, or an
    /// attacker would log in to an account of their own in between.
    pub fn succeeded(&mut self, from: Subject, guess: &Guess) {
        self.pairs.0.remove(&(from, guess.clone()));
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
    /// Returns the count of failures that are not dropped yet.
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

    /// Delays the next attempt of this key until after the one that begins at `turn`.
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

    /// Drops records without failures, and if that is not enough, those with the fewest: many addresses that fail once
    /// each do not displace one that fails often.
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

    fn password(name: &str) -> Guess {
        Guess::Password(Nick::parse(name).expect(name))
    }

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn fail(throttle: &mut Throttle, from: Subject, name: &str, times: u32, now: Instant) {
        for _ in 0..times {
            throttle.failed(from, &password(name), now);
        }
    }

    #[test]
    fn first_failures_are_free_and_later_delays_double() {
        let (mut throttle, mut now) = (Throttle::default(), Instant::now());
        let alice = password("alice");
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
    fn failures_do_not_lock_out_other_addresses() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "Alice", 1000, now);
        assert!(matches!(throttle.attempt(HERE, &password("alice"), now), Gate::Refuse(_)));
        assert_eq!(throttle.attempt(ELSEWHERE, &password("alice"), now), FREE);
    }

    #[test]
    fn address_trying_many_accounts_is_slowed_not_blocked() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..1000 {
            throttle.failed(HERE, &password(&format!("n{n}")), now);
        }
        assert_eq!(throttle.attempt(HERE, &password("alice"), now), Gate::Wait(seconds(2)));
        assert_eq!(throttle.attempt(ELSEWHERE, &password("alice"), now), FREE);
    }

    #[test]
    fn concurrent_attempts_are_spaced_out() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let alice = password("alice");
        fail(&mut throttle, HERE, "alice", 4, now);
        assert_eq!(throttle.attempt(HERE, &alice, now), Gate::Wait(seconds(2)));
        assert_eq!(throttle.attempt(HERE, &alice, now), Gate::Wait(seconds(4)));
        let refused = (0..100).filter(|_| matches!(throttle.attempt(HERE, &alice, now), Gate::Refuse(_)));
        assert_eq!(refused.count(), 97);
        assert_eq!(throttle.attempt(HERE, &alice, now + seconds(60)), FREE, "who was refused took no turn");
    }

    #[test]
    fn early_invite_attempt_is_refused_and_takes_no_turn() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for name in ["_", "_invite"] {
            fail(&mut throttle, HERE, name, 9, now);
        }
        assert_eq!(throttle.attempt_at_once(HERE, &Guess::Invite, now), FREE, "no account shares its turns");
        assert_eq!(throttle.attempt_at_once(HERE, &Guess::Nobody, now), FREE);
        for _ in 0..9 {
            throttle.failed(HERE, &Guess::Invite, now);
        }
        // A program that tries each second gets in as early as one that waits.
        for second in 0..30 {
            let gate = throttle.attempt_at_once(HERE, &Guess::Invite, now + seconds(second));
            assert!(matches!(gate, Gate::Refuse(_)), "{second}");
        }
        assert_eq!(throttle.attempt(HERE, &password("alice"), now + seconds(30)), FREE, "it delayed nobody");
        assert_eq!(throttle.attempt_at_once(HERE, &Guess::Invite, now + seconds(30)), FREE);
    }

    #[test]
    fn reconnecting_clients_without_failures_do_not_wait() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        for n in 0..5000 {
            assert_eq!(throttle.attempt(HERE, &password(&format!("n{}", n % 700)), now), FREE);
        }
    }

    #[test]
    fn failures_expire() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 5, now);
        assert_eq!(throttle.attempt(HERE, &password("alice"), now + seconds(180)), FREE);
        fail(&mut throttle, HERE, "alice", 1, now + seconds(180));
        assert_eq!(throttle.attempt(HERE, &password("alice"), now + seconds(180)), Gate::Wait(seconds(1)));
    }

    #[test]
    fn addresses_of_one_subject_share_the_limit() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        let address = |text: &str| Subject::of(text.parse().expect(text), &[]);
        for n in 0..100 {
            throttle.failed(address(&format!("2001:db8::{n:x}")), &password("alice"), now);
            throttle.failed(address("192.0.2.9"), &password("alice"), now);
        }
        for same in ["2001:db8::ffff", "::ffff:192.0.2.9"] {
            assert!(
                matches!(throttle.attempt(address(same), &password("alice"), now), Gate::Refuse(_)),
                "{same}"
            );
        }
        assert_eq!(throttle.attempt(address("2001:db8:0:1::1"), &password("alice"), now), FREE);
    }

    #[test]
    fn tables_are_bounded_and_keep_frequent_failures() {
        let (mut throttle, now) = (Throttle::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 9, now);
        for n in 0..u32::try_from(2 * Throttle::MOST).expect("few") {
            throttle.failed(Subject::Address(IpAddr::V4(n.into())), &password("bob"), now);
        }
        assert!(throttle.pairs.0.len() <= Throttle::MOST && throttle.addresses.0.len() <= Throttle::MOST);
        assert!(matches!(throttle.attempt(HERE, &password("alice"), now), Gate::Refuse(_)));
    }
}
