//! Passwords: the rule for new ones, argon2id hashes, and the pool that computes them.
//!
//! A hash costs tens of milliseconds of a core and megabytes of memory, on purpose. So no more are computed at a
//! time than there are cores, no more wait than [`Passwords::MOST_WAITING`], and none runs on the
//! threads that carry the chat.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;
use unicode_normalization::{UnicodeNormalization as _, is_nfc};
use zeroize::Zeroizing;

use super::config;
use crate::store::accounts::PasswordHash;

/// A new password that keeps the rule. Wiped when it is dropped, and not shown by `Debug`.
///
/// Passwords are compared in Unicode normal form C, so that it does not matter which keyboard typed them.
pub struct Password(Zeroizing<String>);

/// Why a text cannot be a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// Fewer than [`Password::LEAST`] characters.
    #[error("a password needs at least {} characters", Password::LEAST)]
    Short,
    /// More than [`Password::MOST`] bytes.
    #[error("a password may have at most {} bytes", Password::MOST)]
    Long,
    /// NUL ends it in SASL PLAIN, line ends end it everywhere else, and nobody can see the others.
    #[error("a password may not contain control characters")]
    Control,
}

/// Why a hash was not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many others wait.
    #[error("too many logins at once")]
    Busy,
    /// No memory or no random numbers.
    #[error("the machine is out of memory or of random numbers")]
    Resources,
}

/// What came of checking a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the password, or there is none.
    Wrong,
    /// It is. Where the stored hash has other parameters than those configured now, a new one to store instead.
    Right(Option<PasswordHash>),
}

/// Computes hashes, on the thread that asks.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
}

/// The pool: computes hashes for async callers.
pub struct Passwords {
    hasher: Hasher,
    /// What the password of nobody is checked against, so that it takes as long as any.
    nobody: PasswordHash,
    cores: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Password {
    /// Fewest characters. NIST SP 800-63B asks for eight, and for no rules about which.
    pub const LEAST: usize = 8;
    /// Most bytes, so that it fits one line of the protocol and is cheap to carry.
    pub const MOST: usize = 300;

    /// Checks and takes a new password.
    pub fn new(text: &str) -> Result<Self, PasswordRule> {
        if text.len() > Self::MOST {
            return Err(PasswordRule::Long);
        }
        if text.chars().any(char::is_control) {
            return Err(PasswordRule::Control);
        }
        let text = normal(text);
        if text.chars().count() < Self::LEAST {
            return Err(PasswordRule::Short);
        }
        Ok(Self(text))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Hasher {
    /// With the configured parameters; parameters that argon2 does not know (the configuration refuses them)
    /// become its defaults.
    pub fn new(costs: config::Passwords) -> Self {
        let params = Params::new(costs.memory_kib, costs.iterations, costs.parallelism, None);
        Self { argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params.unwrap_or_default()) }
    }

    /// The hash of a new password, with a salt of its own.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        self.hash_text(&password.0)
    }

    /// Checks a password as it was typed against a hash.
    pub fn verify(&self, stored: &PasswordHash, typed: &str) -> Result<Verdict, PasswordError> {
        // No password is that long, and the stored one cannot be anything that argon2 did not write.
        let (Ok(phc), true) = (Phc::new(stored.as_str()), typed.len() <= Password::MOST) else {
            return Ok(Verdict::Wrong);
        };
        let typed = normal(typed);
        match self.argon2.verify_password(typed.as_bytes(), &phc) {
            Ok(()) if self.is_current(&phc) => Ok(Verdict::Right(None)),
            Ok(()) => Ok(Verdict::Right(Some(self.hash_text(&typed)?))),
            Err(argon2::password_hash::Error::OutOfMemory) => Err(PasswordError::Resources),
            Err(_) => Ok(Verdict::Wrong),
        }
    }

    /// Whether a text is a hash that [`verify`](Self::verify) can check.
    pub fn is_hash(text: &str) -> bool {
        Phc::new(text).is_ok_and(|phc| {
            phc.algorithm == argon2::ARGON2ID_IDENT && phc.hash.is_some() && Params::try_from(&phc).is_ok()
        })
    }

    fn is_current(&self, phc: &Phc) -> bool {
        let ours = self.argon2.params();
        phc.algorithm == argon2::ARGON2ID_IDENT
            && phc.version == Some(Version::V0x13.into())
            && Params::try_from(phc).is_ok_and(|theirs| {
                (theirs.m_cost(), theirs.t_cost(), theirs.p_cost())
                    == (ours.m_cost(), ours.t_cost(), ours.p_cost())
            })
    }

    fn hash_text(&self, text: &str) -> Result<PasswordHash, PasswordError> {
        let phc: Phc = self.argon2.hash_password(text.as_bytes()).map_err(|_| PasswordError::Resources)?;
        Ok(PasswordHash::from_phc(phc.to_string()))
    }
}

impl Passwords {
    /// Most callers that wait for a core. With the default costs the last of them waits about ten seconds on
    /// four cores, which is as long as a login may take.
    pub const MOST_WAITING: usize = 1024;

    /// A pool as wide as the machine.
    pub fn new(costs: config::Passwords) -> Self {
        let hasher = Hasher::new(costs);
        let (m, t, p) = (costs.memory_kib, costs.iterations, costs.parallelism);
        // 16 bytes of salt and 32 of output as argon2 makes them. No password is known to have this output.
        let nobody = format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", "A".repeat(22), "A".repeat(43));
        Self {
            hasher,
            nobody: PasswordHash::from_phc(nobody),
            cores: Arc::new(Semaphore::new(available_parallelism().map_or(1, Into::into))),
            waiting: AtomicUsize::new(0),
        }
    }

    /// The hash of a new password.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, PasswordError> {
        self.run(move |hasher| hasher.hash(&password)).await
    }

    /// Checks a password as it was typed. Without a stored hash (no such account, disabled) it costs the same and
    /// is always wrong.
    pub async fn verify(
        &self,
        stored: Option<PasswordHash>,
        typed: Zeroizing<String>,
    ) -> Result<Verdict, PasswordError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let verdict = self.run(move |hasher| hasher.verify(&stored, &typed)).await?;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Hasher) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let permit = {
            let _waiting = Waiting::begin(&self.waiting)?;
            self.cores.clone().acquire_owned().await.map_err(|_| PasswordError::Busy)?
        };
        let hasher = self.hasher.clone();
        // The permit goes with the work, which runs to its end even when nobody waits for it any more.
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work(&hasher)
        });
        task.await.map_err(|_| PasswordError::Resources)?
    }
}

/// One more that waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Result<Self, PasswordError> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) >= Passwords::MOST_WAITING {
            return Err(PasswordError::Busy);
        }
        Ok(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn normal(text: &str) -> Zeroizing<String> {
    if is_nfc(text) {
        return Zeroizing::new(text.to_owned());
    }
    // Composing grows a text by less than three times; with room for that no copy is left behind.
    let mut out = Zeroizing::new(String::with_capacity(3 * text.len()));
    out.extend(text.nfc());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: config::Passwords = config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };

    fn typed(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    fn new(text: &str) -> Password {
        Password::new(text).expect(text)
    }

    #[test]
    fn new_passwords_keep_the_rule() {
        for good in ["secret12", "benchpass1", "correct horse battery staple", "пароль-1", &"x".repeat(300)]
        {
            assert!(Password::new(good).is_ok(), "{good}");
        }
        let rule = |text: &str| Password::new(text).expect_err(text);
        assert_eq!(rule(""), PasswordRule::Short);
        assert_eq!(rule("sevenn7"), PasswordRule::Short);
        assert_eq!(
            rule("e\u{301}e\u{301}e\u{301}e\u{301}"),
            PasswordRule::Short,
            "four letters with accents"
        );
        assert_eq!(rule(&"x".repeat(301)), PasswordRule::Long);
        assert_eq!(rule("secret\u{0}1234"), PasswordRule::Control);
        assert_eq!(rule("secret1234\r"), PasswordRule::Control);
        assert_eq!(format!("{:?}", new("secret12")), "Password(…)");
    }

    #[test]
    fn a_hash_verifies_its_password_in_any_spelling() {
        let hasher = Hasher::new(CHEAP);
        let hash = hasher.hash(&new("caf\u{e9} au lait")).expect("hashes");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hash.as_str());
        assert!(Hasher::is_hash(hash.as_str()));
        assert_eq!(hasher.verify(&hash, "cafe\u{301} au lait"), Ok(Verdict::Right(None)));
        for wrong in ["cafe au lait", "", "caf\u{e9} au lait ", &"x".repeat(100_000)] {
            assert_eq!(hasher.verify(&hash, wrong), Ok(Verdict::Wrong), "{wrong}");
        }
        assert_ne!(hash, hasher.hash(&new("caf\u{e9} au lait")).expect("hashes"), "a salt each");
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[test]
    fn a_hash_with_other_parameters_is_renewed() {
        let old = Hasher::new(CHEAP).hash(&new("secret12")).expect("hashes");
        let hasher = Hasher::new(config::Passwords { iterations: 2, ..CHEAP });
        let Ok(Verdict::Right(Some(renewed))) = hasher.verify(&old, "secret12") else { panic!("renewed") };
        assert_eq!(hasher.verify(&renewed, "secret12"), Ok(Verdict::Right(None)));
        assert_eq!(hasher.verify(&old, "secret13"), Ok(Verdict::Wrong));
    }

    #[test]
    fn what_is_no_hash_verifies_nothing() {
        for text in ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$04$abc"] {
            assert!(!Hasher::is_hash(text), "{text}");
            let hash = PasswordHash::from_phc(text);
            assert_eq!(Hasher::new(CHEAP).verify(&hash, "secret12"), Ok(Verdict::Wrong), "{text}");
        }
    }

    #[tokio::test]
    async fn nobody_is_checked_like_somebody() {
        let pool = Passwords::new(CHEAP);
        assert!(Hasher::is_hash(pool.nobody.as_str()));
        let params = |hash: &PasswordHash| Params::try_from(&Phc::new(hash.as_str()).expect("parses"));
        let hash = pool.hash(new("secret12")).await.expect("hashes");
        assert_eq!(params(&pool.nobody), params(&hash), "as much work for both");
        assert_eq!(pool.verify(Some(hash), typed("secret12")).await, Ok(Verdict::Right(None)));
        assert_eq!(pool.verify(None, typed("secret12")).await, Ok(Verdict::Wrong));
    }

    #[tokio::test]
    async fn waiting_is_bounded_and_given_up() {
        let pool = Arc::new(Passwords::new(CHEAP));
        let cores = pool.cores.available_permits();
        let held = pool.cores.clone().acquire_many_owned(u32::try_from(cores).expect("few")).await;
        let tasks: Vec<_> = (0..Passwords::MOST_WAITING)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move { pool.verify(None, typed("x")).await })
            })
            .collect();
        while pool.waiting.load(Ordering::Relaxed) < Passwords::MOST_WAITING {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.verify(None, typed("x")).await, Err(PasswordError::Busy));
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            assert!(task.await.expect_err("aborted").is_cancelled());
        }
        assert_eq!(pool.waiting.load(Ordering::Relaxed), 0);
        drop(held);
        assert_eq!(pool.verify(None, typed("x")).await, Ok(Verdict::Wrong));
    }
}
