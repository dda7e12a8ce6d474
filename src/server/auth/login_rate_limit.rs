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
pub enum AttemptDecision {
    /// Check the password after this time, which is zero without earlier failures.
    Wait(Duration),
    /// Refuse it: its turn would come only after this time.
    Refuse(Duration),
}

/// The secret that an attempt is at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum GuessedSecret {
    /// The password of an account, whether it exists or not.
    Password(Nick),
    /// A password with a text that cannot be the name of an account.
    InvalidName,
    /// The token of an invite.
    InviteToken,
    /// The token of a hook.
    HookToken,
}

impl fmt::Display for GuessedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password(name) => name.fmt(f),
            Self::InvalidName | Self::InviteToken | Self::HookToken => f.write_str("*"),
        }
    }
}

/// Conversion of failures into waiting time.
#[derive(Clone, Copy, Debug)]
struct RateLimitPolicy {
    /// Count of failures without a cost, for typing mistakes.
    free_failures: u32,
    /// Time between attempts after the first failure with a cost; doubles with each further one.
    first_delay: Duration,
    /// Maximum time between attempts.
    max_delay: Duration,
    /// Time after which one failure is dropped from the count.
    failure_lifetime: Duration,
}

/// Limit against guesses at one account. Three mistakes cost nothing; in the long run two attempts a minute are
/// possible.
const PAIR_POLICY: RateLimitPolicy = RateLimitPolicy {
    free_failures: 3,
    first_delay: Duration::from_secs(1),
    max_delay: Duration::from_secs(30),
    failure_lifetime: Duration::from_mins(1),
};

/// Limit against one password tried on many accounts. Milder, because a school may be behind one address.
const SUBJECT_POLICY: RateLimitPolicy = RateLimitPolicy {
    free_failures: 30,
    first_delay: Duration::from_millis(250),
    max_delay: Duration::from_secs(2),
    failure_lifetime: Duration::from_secs(2),
};

/// The recent failed logins.
#[derive(Debug, Default)]
pub struct LoginRateLimit {
    by_pair: FailureTable<(Subject, GuessedSecret)>,
    by_subject: FailureTable<Subject>,
}

#[derive(Clone, Copy, Debug)]
struct FailureRecord {
    failures: u32,
    /// Time at which the failures were last counted.
    counted_at: Instant,
    /// Time at which the next attempt may begin.
    next_attempt: Instant,
}

#[derive(Debug)]
struct FailureTable<K>(HashMap<K, FailureRecord>);

impl LoginRateLimit {
    /// Maximum time that a connection waits for its turn.
    pub const MAX_WAIT: Duration = Duration::from_secs(10);

    /// Maximum count of records in each of the two tables, so that many addresses cost no more than a few megabytes.
    pub const MAX_RECORDS: usize = 1 << 15;

    /// Decides about an attempt of `subject` at a secret, which waits for its turn.
    pub fn decide(&mut self, subject: Subject, guess: &GuessedSecret, now: Instant) -> AttemptDecision {
        self.decide_within(Self::MAX_WAIT, subject, guess, now)
    }

    /// Decides about an attempt that does not wait. One that comes too early is refused and takes no turn, so that trying
    /// again delays nobody.
    pub fn decide_without_wait(
        &mut self,
        subject: Subject,
        guess: &GuessedSecret,
        now: Instant,
    ) -> AttemptDecision {
        self.decide_within(Duration::ZERO, subject, guess, now)
    }

    fn decide_within(
        &mut self,
        max_wait: Duration,
        subject: Subject,
        guess: &GuessedSecret,
        now: Instant,
    ) -> AttemptDecision {
        let pair = (subject, guess.clone());
        let turn = self.by_pair.next_turn(&pair, now).max(self.by_subject.next_turn(&subject, now));
        let wait = turn - now;
        if wait > max_wait {
            return AttemptDecision::Refuse(wait);
        }
        self.by_pair.take_turn(&pair, turn, PAIR_POLICY);
        self.by_subject.take_turn(&subject, turn, SUBJECT_POLICY);
        AttemptDecision::Wait(wait)
    }

    /// Notes a wrong password or an unknown account.
    pub fn note_failure(&mut self, subject: Subject, guess: &GuessedSecret, now: Instant) {
        self.by_pair.note_failure((subject, guess.clone()), now, PAIR_POLICY);
        self.by_subject.note_failure(subject, now, SUBJECT_POLICY);
    }

    /// Notes a right password: clears the failures of this account and subject. Those of the subject stay, or an
    /// attacker would log in to an account of their own in between.
    pub fn note_success(&mut self, subject: Subject, guess: &GuessedSecret) {
        self.by_pair.0.remove(&(subject, guess.clone()));
    }
}

impl RateLimitPolicy {
    fn delay_after(self, failures: u32) -> Duration {
        match failures.checked_sub(self.free_failures) {
            None => Duration::ZERO,
            Some(doublings) => self.first_delay.saturating_mul(1 << doublings.min(20)).min(self.max_delay),
        }
    }
}

impl FailureRecord {
    /// Returns the count of failures that are not dropped yet.
    fn current_failures(&self, now: Instant, policy: RateLimitPolicy) -> u32 {
        let passed =
            now.saturating_duration_since(self.counted_at).as_nanos() / policy.failure_lifetime.as_nanos();
        self.failures.saturating_sub(u32::try_from(passed).unwrap_or(u32::MAX))
    }
}

impl<K> Default for FailureTable<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash + Clone> FailureTable<K> {
    fn next_turn(&self, key: &K, now: Instant) -> Instant {
        self.0.get(key).map_or(now, |record| record.next_attempt.max(now))
    }

    /// Delays the next attempt of this key until after the one that begins at `turn`.
    fn take_turn(&mut self, key: &K, turn: Instant, policy: RateLimitPolicy) {
        if let Some(record) = self.0.get_mut(key) {
            record.next_attempt = turn + policy.delay_after(record.current_failures(turn, policy));
        }
    }

    fn note_failure(&mut self, key: K, now: Instant, policy: RateLimitPolicy) {
        if self.0.len() >= LoginRateLimit::MAX_RECORDS && !self.0.contains_key(&key) {
            self.make_room(now, policy);
        }
        let record =
            self.0.entry(key).or_insert(FailureRecord { failures: 0, counted_at: now, next_attempt: now });
        record.failures = record.current_failures(now, policy).saturating_add(1);
        record.counted_at = now;
        record.next_attempt = record.next_attempt.max(now + policy.delay_after(record.failures));
    }

    /// Drops records without failures, and if that is not enough, those with the fewest: many addresses that fail once
    /// each do not displace one that fails often.
    fn make_room(&mut self, now: Instant, policy: RateLimitPolicy) {
        for max_failures in 0.. {
            self.0.retain(|_, record| record.current_failures(now, policy) > max_failures);
            if self.0.len() < LoginRateLimit::MAX_RECORDS {
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
    const FREE: AttemptDecision = AttemptDecision::Wait(Duration::ZERO);

    fn password(name: &str) -> GuessedSecret {
        GuessedSecret::Password(Nick::parse(name).expect(name))
    }

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    fn fail(throttle: &mut LoginRateLimit, from: Subject, name: &str, times: u32, now: Instant) {
        for _ in 0..times {
            throttle.note_failure(from, &password(name), now);
        }
    }

    #[test]
    fn first_failures_are_free_and_later_delays_double() {
        let (mut throttle, mut now) = (LoginRateLimit::default(), Instant::now());
        let alice = password("alice");
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = match throttle.decide(HERE, &alice, now) {
                AttemptDecision::Wait(wait) | AttemptDecision::Refuse(wait) => wait,
            };
            waits.push(wait.as_secs());
            now += wait;
            throttle.note_failure(HERE, &alice, now);
        }
        assert_eq!(waits, [0, 0, 0, 1, 2, 4, 8, 16, 30]);
        assert!(matches!(throttle.decide(HERE, &alice, now), AttemptDecision::Refuse(_)));
        throttle.note_success(HERE, &alice);
        assert_eq!(throttle.decide(HERE, &alice, now), FREE);
    }

    #[test]
    fn failures_do_not_lock_out_other_addresses() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        fail(&mut throttle, HERE, "Alice", 1000, now);
        assert!(matches!(throttle.decide(HERE, &password("alice"), now), AttemptDecision::Refuse(_)));
        assert_eq!(throttle.decide(ELSEWHERE, &password("alice"), now), FREE);
    }

    #[test]
    fn address_trying_many_accounts_is_slowed_not_blocked() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        for n in 0..1000 {
            throttle.note_failure(HERE, &password(&format!("n{n}")), now);
        }
        assert_eq!(throttle.decide(HERE, &password("alice"), now), AttemptDecision::Wait(seconds(2)));
        assert_eq!(throttle.decide(ELSEWHERE, &password("alice"), now), FREE);
    }

    #[test]
    fn concurrent_attempts_are_spaced_out() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        let alice = password("alice");
        fail(&mut throttle, HERE, "alice", 4, now);
        assert_eq!(throttle.decide(HERE, &alice, now), AttemptDecision::Wait(seconds(2)));
        assert_eq!(throttle.decide(HERE, &alice, now), AttemptDecision::Wait(seconds(4)));
        let refused =
            (0..100).filter(|_| matches!(throttle.decide(HERE, &alice, now), AttemptDecision::Refuse(_)));
        assert_eq!(refused.count(), 97);
        assert_eq!(throttle.decide(HERE, &alice, now + seconds(60)), FREE, "who was refused took no turn");
    }

    #[test]
    fn early_invite_attempt_is_refused_and_takes_no_turn() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        for name in ["_", "_invite"] {
            fail(&mut throttle, HERE, name, 9, now);
        }
        assert_eq!(
            throttle.decide_without_wait(HERE, &GuessedSecret::InviteToken, now),
            FREE,
            "no account shares its turns"
        );
        assert_eq!(throttle.decide_without_wait(HERE, &GuessedSecret::InvalidName, now), FREE);
        for _ in 0..9 {
            throttle.note_failure(HERE, &GuessedSecret::InviteToken, now);
        }
        // A program that tries each second gets in as early as one that waits.
        for second in 0..30 {
            let gate = throttle.decide_without_wait(HERE, &GuessedSecret::InviteToken, now + seconds(second));
            assert!(matches!(gate, AttemptDecision::Refuse(_)), "{second}");
        }
        assert_eq!(throttle.decide(HERE, &password("alice"), now + seconds(30)), FREE, "it delayed nobody");
        assert_eq!(throttle.decide_without_wait(HERE, &GuessedSecret::InviteToken, now + seconds(30)), FREE);
    }

    #[test]
    fn reconnecting_clients_without_failures_do_not_wait() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        for n in 0..5000 {
            assert_eq!(throttle.decide(HERE, &password(&format!("n{}", n % 700)), now), FREE);
        }
    }

    #[test]
    fn failures_expire() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 5, now);
        assert_eq!(throttle.decide(HERE, &password("alice"), now + seconds(180)), FREE);
        fail(&mut throttle, HERE, "alice", 1, now + seconds(180));
        assert_eq!(
            throttle.decide(HERE, &password("alice"), now + seconds(180)),
            AttemptDecision::Wait(seconds(1))
        );
    }

    #[test]
    fn addresses_of_one_subject_share_the_limit() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        let address = |text: &str| Subject::from_address(text.parse().expect(text), &[]);
        for n in 0..100 {
            throttle.note_failure(address(&format!("2001:db8::{n:x}")), &password("alice"), now);
            throttle.note_failure(address("192.0.2.9"), &password("alice"), now);
        }
        for same in ["2001:db8::ffff", "::ffff:192.0.2.9"] {
            assert!(
                matches!(throttle.decide(address(same), &password("alice"), now), AttemptDecision::Refuse(_)),
                "{same}"
            );
        }
        assert_eq!(throttle.decide(address("2001:db8:0:1::1"), &password("alice"), now), FREE);
    }

    #[test]
    fn tables_are_bounded_and_keep_frequent_failures() {
        let (mut throttle, now) = (LoginRateLimit::default(), Instant::now());
        fail(&mut throttle, HERE, "alice", 9, now);
        for n in 0..u32::try_from(2 * LoginRateLimit::MAX_RECORDS).expect("few") {
            throttle.note_failure(Subject::Address(IpAddr::V4(n.into())), &password("bob"), now);
        }
        assert!(
            throttle.by_pair.0.len() <= LoginRateLimit::MAX_RECORDS
                && throttle.by_subject.0.len() <= LoginRateLimit::MAX_RECORDS
        );
        assert!(matches!(throttle.decide(HERE, &password("alice"), now), AttemptDecision::Refuse(_)));
    }
}
