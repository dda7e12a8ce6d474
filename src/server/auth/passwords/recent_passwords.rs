//! Memory of right passwords: an account that logs in again and again by its right password is remembered for a minute,
//! and its password is not hashed each time.
//!
//! A right password costs its account nothing, so that many clients can reconnect at once. Without a bound, anyone who
//! has one (the owner's program in a loop, or a thief) could keep the pool's threads busy from as many addresses as
//! they have: with logins that end at once, or with sessions beyond `limits.sessions_per_account`, which the core
//! refuses after the check. Refusing before the check is no solution: it would reveal to anyone, whatever password they
//! typed, that the account exists and has many sessions; and a rate limit of the account would let attackers lock its
//! owner out. So only what follows a *right* check is made cheaper. The replies stay the same, a wrong password and an
//! unknown name cost what they always cost, and only a client with the right password can see that it is checked
//! faster.
//!
//! The remembered value is a keyed hash (HMAC) of the typed password and the stored hash, under a key that lives as
//! long as the process. It is never the password, is worth no more than the rest of the process's memory, through which
//! passwords pass anyway, and is void once the stored hash changes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use crate::core::record::secret::PasswordHash;

/// Recent right passwords. Pure except for its key: times are arguments.
pub struct RecentPasswords {
    key: hmac::Key,
    accounts: HashMap<PasswordHash, RecentChecks>,
}

/// Right checks of an account, which is identified by its stored hash.
struct RecentChecks {
    /// Start of the present span.
    span_start: Instant,
    /// Count of checks in the span.
    check_count: u32,
    /// Keyed hash of the password, and the time until which it is remembered. Boxed, because few accounts have it.
    remembered: Option<Box<(hmac::Tag, Instant)>>,
}

/// Keyed hash of the typed password for an account.
#[derive(Clone, Copy)]
pub struct PasswordTag(hmac::Tag);

impl RecentPasswords {
    /// Count of right checks of an account in a [`SPAN`](Self::SPAN) that are hashed. It exceeds the devices of one
    /// account that reconnect at once.
    pub const HASHED_CHECKS: u32 = 10;

    /// Time over which the checks are counted, and for which a password is remembered.
    pub const SPAN: Duration = Duration::from_mins(1);

    /// Maximum count of accounts in the table. If it is full of entries that count, others are not remembered, and their
    /// passwords are hashed.
    const MAX_ACCOUNTS: usize = 1 << 14;

    /// Makes an empty table with a key of its own.
    pub fn new() -> Self {
        let mut key = [0; 32];
        rand::fill(&mut key);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), accounts: HashMap::new() }
    }

    /// Computes the keyed hash of a typed password. Called for every check, so that its time reveals nothing.
    pub fn tag_password(&self, stored: &PasswordHash, password: &str) -> PasswordTag {
        let mut hash = hmac::Context::with_key(&self.key);
        hash.update(stored.as_str().as_bytes());
        hash.update(&[0]);
        hash.update(password.as_bytes());
        PasswordTag(hash.sign())
    }

    /// Returns true for the remembered password of the account.
    pub fn is_remembered(&self, stored: &PasswordHash, password_tag: &PasswordTag, now: Instant) -> bool {
        let remembered = self.accounts.get(stored).and_then(|record| record.remembered.as_ref());
        remembered.is_some_and(|known| now < known.1 && tags_equal(&known.0, &password_tag.0))
    }

    /// Notes that this password was hashed and is right.
    pub fn note_correct_password(&mut self, stored: &PasswordHash, password_tag: PasswordTag, now: Instant) {
        if self.accounts.len() >= Self::MAX_ACCOUNTS && !self.accounts.contains_key(stored) {
            self.remove_expired(now);
            if self.accounts.len() >= Self::MAX_ACCOUNTS {
                return;
            }
        }
        let fresh = RecentChecks { span_start: now, check_count: 0, remembered: None };
        let record = self.accounts.entry(stored.clone()).or_insert(fresh);
        if now.saturating_duration_since(record.span_start) >= Self::SPAN {
            // A remembered account stays remembered after its first check of a span, because it logs in as often as
            // before.
            let was_remembered = record.remembered.is_some();
            let checks = if was_remembered { Self::HASHED_CHECKS } else { 0 };
            *record = RecentChecks { span_start: now, check_count: checks, remembered: None };
        }
        record.check_count = record.check_count.saturating_add(1);
        if record.check_count > Self::HASHED_CHECKS {
            record.remembered = Some(Box::new((password_tag.0, now + Self::SPAN)));
        }
    }

    /// Forgets what no longer counts, and frees the memory. A password that was remembered counts for a span more.
    pub fn remove_expired(&mut self, now: Instant) {
        self.accounts.retain(|_, record| {
            let end = record.remembered.as_ref().map_or(record.span_start, |remembered| remembered.1);
            now.saturating_duration_since(end) < Self::SPAN
        });
        self.accounts.shrink_to(2 * self.accounts.len());
    }

    /// Returns true if nothing is remembered or counted.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}

impl std::fmt::Debug for RecentPasswords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recent")
    }
}

/// Compares in constant time.
fn tags_equal(a: &hmac::Tag, b: &hmac::Tag) -> bool {
    use subtle::ConstantTimeEq as _;
    a.as_ref().ct_eq(b.as_ref()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> PasswordHash {
        PasswordHash::from_phc(text.to_owned())
    }

    fn note_correct(
        recent: &mut RecentPasswords,
        stored: &PasswordHash,
        text: &str,
        times: u32,
        now: Instant,
    ) {
        for _ in 0..times {
            let typed = recent.tag_password(stored, text);
            recent.note_correct_password(stored, typed, now);
        }
    }

    fn is_remembered(recent: &RecentPasswords, stored: &PasswordHash, text: &str, now: Instant) -> bool {
        recent.is_remembered(stored, &recent.tag_password(stored, text), now)
    }

    #[test]
    fn only_correct_password_of_busy_account_is_remembered() {
        let (mut recent, now, alice) = (RecentPasswords::new(), Instant::now(), hash("alice"));
        note_correct(&mut recent, &alice, "secret12", RecentPasswords::HASHED_CHECKS, now);
        assert!(!is_remembered(&recent, &alice, "secret12", now), "as often as anybody may");
        note_correct(&mut recent, &alice, "secret12", 1, now);
        assert!(is_remembered(&recent, &alice, "secret12", now));
        assert!(!is_remembered(&recent, &alice, "secret13", now));
        assert!(!is_remembered(&recent, &hash("bob"), "secret12", now));
        assert!(!is_remembered(&recent, &hash("alice's new hash"), "secret12", now));
    }

    #[test]
    fn remembered_password_expires_and_is_relearned() {
        let (mut recent, now, alice) = (RecentPasswords::new(), Instant::now(), hash("alice"));
        note_correct(&mut recent, &alice, "secret12", RecentPasswords::HASHED_CHECKS + 1, now);
        let later = now + RecentPasswords::SPAN;
        assert!(!is_remembered(&recent, &alice, "secret12", later));
        note_correct(&mut recent, &alice, "secret12", 1, later);
        assert!(is_remembered(&recent, &alice, "secret12", later), "it logs in as often as before");
        // Another process has another key.
        assert!(!RecentPasswords::new().is_remembered(
            &alice,
            &recent.tag_password(&alice, "secret12"),
            later
        ));
    }

    #[test]
    fn infrequent_logins_are_not_remembered() {
        let (mut recent, now, alice) = (RecentPasswords::new(), Instant::now(), hash("alice"));
        for n in 0..100 {
            let now = now + RecentPasswords::SPAN / 8 * n;
            note_correct(&mut recent, &alice, "secret12", 1, now);
            assert!(!is_remembered(&recent, &alice, "secret12", now));
        }
    }

    #[test]
    fn expired_entries_are_removed() {
        let (mut recent, now) = (RecentPasswords::new(), Instant::now());
        let (once, often) = (hash("once"), hash("often"));
        note_correct(&mut recent, &once, "secret12", 1, now);
        note_correct(&mut recent, &often, "secret12", RecentPasswords::HASHED_CHECKS + 1, now);
        recent.remove_expired(now + RecentPasswords::SPAN / 2);
        assert_eq!(recent.accounts.len(), 2);
        let later = now + RecentPasswords::SPAN;
        recent.remove_expired(later);
        assert_eq!(recent.accounts.len(), 1);
        note_correct(&mut recent, &often, "secret12", 1, later);
        assert!(is_remembered(&recent, &often, "secret12", later), "it logs in as often as before");
        recent.remove_expired(later + 2 * RecentPasswords::SPAN);
        assert!(recent.is_empty() && recent.accounts.capacity() == 0);
    }

    #[test]
    fn table_size_is_bounded() {
        let (mut recent, now) = (RecentPasswords::new(), Instant::now());
        for n in 0..RecentPasswords::MAX_ACCOUNTS + 10 {
            note_correct(&mut recent, &hash(&n.to_string()), "secret12", 1, now);
        }
        assert_eq!(recent.accounts.len(), RecentPasswords::MAX_ACCOUNTS);
        note_correct(&mut recent, &hash("later"), "secret12", 1, now + RecentPasswords::SPAN);
        assert_eq!(recent.accounts.len(), 1);
    }
}
