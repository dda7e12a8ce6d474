//! Accounts that log in again and again by their right password: it is remembered for a minute and not hashed each time.
//!
//! A right password costs its account nothing, so that a crowd may come back at once. Without a bound, whoever holds one
//! (the owner's program in a loop, or a thief) keeps the threads of the pool busy from as many addresses as they have:
//! with logins that end at once, or with sessions beyond `limits.sessions_per_account`, which the core refuses after the
//! check. Refusing before the check is no way out: it would tell a stranger, whatever password they typed, that the account
//! exists and has many sessions; and a rate limit of the account would let strangers lock its owner out. So only what
//! follows a *right* check is made cheaper. The answers stay the same, a wrong password and a name that nobody has cost
//! what they always cost, and only somebody who types the right password sees that it is checked faster.
//!
//! What is remembered is a keyed hash (HMAC) of the typed password and the stored hash, under a key that lives as long as
//! the process: never the password, nothing that is worth more than the memory of a process that passwords pass through
//! anyway, and nothing once the stored hash is another.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use crate::store::accounts::PasswordHash;

/// The right passwords of late. Pure but for its key: times come in.
pub struct Recent {
    key: hmac::Key,
    accounts: HashMap<PasswordHash, Record>,
}

/// The right checks of an account, known by its stored hash.
struct Record {
    /// Begin of the present span.
    since: Instant,
    /// Checks in it.
    checks: u32,
    /// The password, until a time.
    remembered: Option<(hmac::Tag, Instant)>,
}

/// The keyed hash of what was typed for an account.
#[derive(Clone, Copy)]
pub struct Typed(hmac::Tag);

impl Recent {
    /// Right checks of an account in a [`SPAN`](Self::SPAN) that are hashed. The devices of one account that all come
    /// back at once are fewer.
    pub const FREE: u32 = 10;

    /// Span in which they count, and for which a password is remembered.
    pub const SPAN: Duration = Duration::from_mins(1);

    /// Most accounts that are counted. Where there are more, nothing of the others is remembered, and they are hashed.
    const MOST: usize = 1 << 14;

    /// With a key of its own.
    pub fn new() -> Self {
        let mut key = [0; 32];
        rand::fill(&mut key);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), accounts: HashMap::new() }
    }

    /// The keyed hash of what was typed. Made for every check, so that the time tells nothing.
    pub fn typed(&self, stored: &PasswordHash, text: &str) -> Typed {
        let mut hash = hmac::Context::with_key(&self.key);
        hash.update(stored.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(text.as_bytes());
        Typed(hash.sign())
    }

    /// True for the remembered password of the account.
    pub fn knows(&self, stored: &PasswordHash, typed: &Typed, now: Instant) -> bool {
        let remembered = self.accounts.get(stored).and_then(|record| record.remembered.as_ref());
        remembered.is_some_and(|(tag, until)| now < *until && same(tag, &typed.0))
    }

    /// Notes that this password was hashed and is right.
    pub fn was_right(&mut self, stored: &PasswordHash, typed: Typed, now: Instant) {
        if self.accounts.len() >= Self::MOST && !self.accounts.contains_key(stored) {
            self.accounts.retain(|_, record| now.saturating_duration_since(record.since) < Self::SPAN);
            if self.accounts.len() >= Self::MOST {
                return;
            }
        }
        let fresh = Record { since: now, checks: 0, remembered: None };
        let record = self.accounts.entry(stored.clone()).or_insert(fresh);
        if now.saturating_duration_since(record.since) >= Self::SPAN {
            // An account that was remembered goes on being so with its first check of a span: it logs in as often.
            let goes_on = record.remembered.is_some();
            let checks = if goes_on { Self::FREE } else { 0 };
            *record = Record { since: now, checks, remembered: None };
        }
        record.checks = record.checks.saturating_add(1);
        if record.checks > Self::FREE {
            record.remembered = Some((typed.0, now + Self::SPAN));
        }
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recent")
    }
}

/// Compares in constant time.
fn same(a: &hmac::Tag, b: &hmac::Tag) -> bool {
    use subtle::ConstantTimeEq as _;
    a.as_ref().ct_eq(b.as_ref()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> PasswordHash {
        PasswordHash::from_phc(text.to_owned())
    }

    fn right(recent: &mut Recent, stored: &PasswordHash, text: &str, times: u32, now: Instant) {
        for _ in 0..times {
            let typed = recent.typed(stored, text);
            recent.was_right(stored, typed, now);
        }
    }

    fn knows(recent: &Recent, stored: &PasswordHash, text: &str, now: Instant) -> bool {
        recent.knows(stored, &recent.typed(stored, text), now)
    }

    #[test]
    fn only_the_right_password_of_a_busy_account_is_remembered() {
        let (mut recent, now, alice) = (Recent::new(), Instant::now(), hash("alice"));
        right(&mut recent, &alice, "secret12", Recent::FREE, now);
        assert!(!knows(&recent, &alice, "secret12", now), "as often as anybody may");
        right(&mut recent, &alice, "secret12", 1, now);
        assert!(knows(&recent, &alice, "secret12", now));
        assert!(!knows(&recent, &alice, "secret13", now));
        assert!(!knows(&recent, &hash("bob"), "secret12", now));
        assert!(!knows(&recent, &hash("alice's new hash"), "secret12", now));
    }

    #[test]
    fn it_is_forgotten_after_its_time_and_costs_one_hash_to_learn_again() {
        let (mut recent, now, alice) = (Recent::new(), Instant::now(), hash("alice"));
        right(&mut recent, &alice, "secret12", Recent::FREE + 1, now);
        let later = now + Recent::SPAN;
        assert!(!knows(&recent, &alice, "secret12", later));
        right(&mut recent, &alice, "secret12", 1, later);
        assert!(knows(&recent, &alice, "secret12", later), "it logs in as often as before");
        // Another process makes another key.
        assert!(!Recent::new().knows(&alice, &recent.typed(&alice, "secret12"), later));
    }

    #[test]
    fn slow_logins_never_count() {
        let (mut recent, now, alice) = (Recent::new(), Instant::now(), hash("alice"));
        for n in 0..100 {
            let now = now + Recent::SPAN / 8 * n;
            right(&mut recent, &alice, "secret12", 1, now);
            assert!(!knows(&recent, &alice, "secret12", now));
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let (mut recent, now) = (Recent::new(), Instant::now());
        for n in 0..Recent::MOST + 10 {
            right(&mut recent, &hash(&n.to_string()), "secret12", 1, now);
        }
        assert_eq!(recent.accounts.len(), Recent::MOST);
        right(&mut recent, &hash("later"), "secret12", 1, now + Recent::SPAN);
        assert_eq!(recent.accounts.len(), 1);
    }
}
