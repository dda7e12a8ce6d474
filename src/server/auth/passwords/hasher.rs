//! Computation and checking of argon2id hashes, on the calling thread.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroize as _;

use super::{Password, PasswordError, Verdict, normalize};
use crate::core::record::secret::PasswordHash;
use crate::server::config;

/// Computes and checks hashes, on the calling thread.
#[derive(Debug)]
pub struct PasswordHasher {
    params: Params,
    /// Held during the check of a stored hash that needs more memory than the configured parameters.
    oversized: Mutex<()>,
    /// Hashes that were computed.
    computed: Counter,
}

/// Working memory of argon2, for one hash at a time. Its content is wiped after each hash; the memory itself is kept
/// for the next.
#[derive(Default)]
pub struct HashMemory(Vec<Block>);

impl PasswordHasher {
    /// Maximum memory of a stored hash, in KiB, unless the configured hashes need more. Such hashes come from other
    /// programs or from an earlier configuration; they are checked one at a time.
    pub const MAX_STORED_KIB: u32 = 256 * 1024;

    /// Length of a computed hash, in bytes.
    const OUTPUT_BYTES: usize = Params::DEFAULT_OUTPUT_LEN;

    /// Makes a hasher with the configured parameters. Parameters that argon2 rejects (the configuration refuses them)
    /// become its defaults.
    pub fn new(costs: config::Passwords) -> Self {
        let params = Params::new(costs.memory_kib, costs.iterations, costs.parallelism, None);
        Self { params: params.unwrap_or_default(), oversized: Mutex::default(), computed: Counter::default() }
    }

    /// Returns the count of the hashes that were computed, for new passwords and for checks.
    pub fn computed(&self) -> &Counter {
        &self.computed
    }

    /// Computes the hash of a new password, with a fresh salt.
    pub fn hash(&self, password: &Password) -> Result<PasswordHash, PasswordError> {
        self.hash_in(&mut HashMemory::default(), password)
    }

    /// Computes [`hash`](Self::hash) in memory that is reused.
    pub fn hash_in(
        &self,
        memory: &mut HashMemory,
        password: &Password,
    ) -> Result<PasswordHash, PasswordError> {
        self.hash_normalized(memory, &password.0)
    }

    /// Checks a typed password against a stored hash.
    pub fn verify(&self, stored: &PasswordHash, password: &str) -> Result<Verdict, PasswordError> {
        self.verify_in(&mut HashMemory::default(), stored, password)
    }

    /// Checks as [`verify`](Self::verify) does, in memory that is reused.
    pub fn verify_in(
        &self,
        memory: &mut HashMemory,
        stored: &PasswordHash,
        password: &str,
    ) -> Result<Verdict, PasswordError> {
        // No password is that long, and a stored text that does not parse matches nothing.
        let (Ok(phc), true) = (Phc::new(stored.as_str()), password.len() <= Password::MAX_BYTES) else {
            return Ok(Verdict::Wrong);
        };
        let normalized = normalize(password);
        match self.password_matches(memory, &phc, &normalized)? {
            true if self.has_current_params(&phc) => Ok(Verdict::Right(None)),
            true => Ok(Verdict::Right(Some(self.hash_normalized(memory, &normalized)?))),
            false => Ok(Verdict::Wrong),
        }
    }

    /// Compares a text with the password of this hash. A hash with invalid parameters matches nothing.
    fn password_matches(
        &self,
        memory: &mut HashMemory,
        phc: &Phc,
        password: &str,
    ) -> Result<bool, PasswordError> {
        let algorithm = Algorithm::try_from(phc.algorithm.as_str());
        let version = phc.version.map_or(Ok(Version::default()), Version::try_from);
        let (Ok(algorithm), Ok(version), Ok(params)) = (algorithm, version, Params::try_from(phc)) else {
            return Ok(false);
        };
        let (Some(salt), Some(output)) = (&phc.salt, &phc.hash) else { return Ok(false) };
        let configured_kib = self.params.m_cost();
        if params.m_cost() > configured_kib.max(Self::MAX_STORED_KIB) {
            return Err(PasswordError::TooCostly(params.m_cost()));
        }
        let oversized = params.m_cost() > configured_kib;
        let _oversized_guard = oversized.then(|| self.oversized.lock());
        let mut computed = [0; Output::MAX_LENGTH];
        let Some(computed) = computed.get_mut(..output.len()) else { return Ok(false) };
        let count = params.block_count();
        self.computed.inc();
        let done = memory.with_blocks(count, |blocks| {
            let argon2 = Argon2::new(algorithm, version, params);
            argon2.hash_password_into_with_memory(password.as_bytes(), salt, computed, blocks)
        });
        if oversized {
            memory.free();
        }
        let matches = done?.is_ok() && bool::from(computed.ct_eq(output.as_bytes()));
        computed.zeroize();
        Ok(matches)
    }

    fn has_current_params(&self, phc: &Phc) -> bool {
        let ours = &self.params;
        phc.algorithm == argon2::ARGON2ID_IDENT
            && phc.version == Some(Version::V0x13.into())
            && Params::try_from(phc).is_ok_and(|theirs| {
                (theirs.m_cost(), theirs.t_cost(), theirs.p_cost())
                    == (ours.m_cost(), ours.t_cost(), ours.p_cost())
            })
    }

    fn hash_normalized(&self, memory: &mut HashMemory, text: &str) -> Result<PasswordHash, PasswordError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        rand::fill(&mut salt);
        let mut output = [0; Self::OUTPUT_BYTES];
        self.computed.inc();
        memory
            .with_blocks(self.params.block_count(), |blocks| {
                Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
                    .hash_password_into_with_memory(text.as_bytes(), &salt, &mut output, blocks)
            })?
            .map_err(|_| PasswordError::OutOfResources)?;
        let resources = |_| PasswordError::OutOfResources;
        let phc = Phc {
            algorithm: argon2::ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&self.params).map_err(|_| PasswordError::OutOfResources)?,
            salt: Some(Salt::new(&salt).map_err(resources)?),
            hash: Some(Output::new(&output).map_err(resources)?),
        };
        Ok(PasswordHash::from_phc(phc.to_string()))
    }
}

impl HashMemory {
    /// Frees the memory.
    pub fn free(&mut self) {
        self.0 = Vec::new();
    }

    /// Returns true if no memory is held.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Works in so many blocks, which are wiped afterwards.
    fn with_blocks<T>(
        &mut self,
        count: usize,
        work: impl FnOnce(&mut [Block]) -> T,
    ) -> Result<T, PasswordError> {
        if self.0.len() < count {
            self.free();
            self.0.try_reserve_exact(count).map_err(|_| PasswordError::OutOfResources)?;
            self.0.resize(count, Block::new());
        }
        let blocks = self.0.get_mut(..count).ok_or(PasswordError::OutOfResources)?;
        let done = work(blocks);
        blocks.iter_mut().for_each(Block::zeroize);
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: config::Passwords = config::Passwords { memory_kib: 8, iterations: 1, parallelism: 1 };

    fn new(text: &str) -> Password {
        Password::new(text).expect(text)
    }

    #[test]
    fn hash_verifies_password_in_any_unicode_form() {
        let hasher = PasswordHasher::new(CHEAP);
        let hash = hasher.hash(&new("caf\u{e9} au lait")).expect("hashes");
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", hash.as_str());
        assert_eq!(PasswordHash::parse(hash.as_str()).as_ref(), Some(&hash));
        assert_eq!(hasher.verify(&hash, "cafe\u{301} au lait"), Ok(Verdict::Right(None)));
        for wrong in ["cafe au lait", "", "caf\u{e9} au lait ", &"x".repeat(100_000)] {
            assert_eq!(hasher.verify(&hash, wrong), Ok(Verdict::Wrong), "{wrong}");
        }
        assert_ne!(hash, hasher.hash(&new("caf\u{e9} au lait")).expect("hashes"), "a salt each");
        assert!(!format!("{hash:?}").contains("argon2"));
    }

    #[test]
    fn hash_with_other_parameters_is_renewed() {
        let old = PasswordHasher::new(CHEAP).hash(&new("secret12")).expect("hashes");
        let hasher = PasswordHasher::new(config::Passwords { iterations: 2, ..CHEAP });
        let Ok(Verdict::Right(Some(renewed))) = hasher.verify(&old, "secret12") else { panic!("renewed") };
        assert_eq!(hasher.verify(&renewed, "secret12"), Ok(Verdict::Right(None)));
        assert_eq!(hasher.verify(&old, "secret13"), Ok(Verdict::Wrong));
    }

    #[test]
    fn malformed_hash_verifies_no_password() {
        for text in ["", "x", "$argon2id$", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ", "$2b$04$abc"] {
            assert_eq!(PasswordHash::parse(text), None, "{text}");
            let hash = PasswordHash::from_phc(text);
            assert_eq!(PasswordHasher::new(CHEAP).verify(&hash, "secret12"), Ok(Verdict::Wrong), "{text}");
        }
    }

    #[test]
    fn expensive_hash_is_checked_and_memory_freed() {
        let costs = config::Passwords { memory_kib: 1024, ..CHEAP };
        let stored = PasswordHasher::new(costs).hash(&new("secret12")).expect("hashes");
        let (hasher, mut memory) = (PasswordHasher::new(CHEAP), HashMemory::default());
        assert_eq!(hasher.verify_in(&mut memory, &stored, "secret13"), Ok(Verdict::Wrong));
        assert!(memory.is_empty());
        let checked = hasher.verify_in(&mut memory, &stored, "secret12");
        assert!(matches!(checked, Ok(Verdict::Right(Some(_)))), "{checked:?}");
        assert_eq!(memory.0.len(), 8, "what is kept is what the configured hash needs");
    }

    #[test]
    fn hash_above_memory_limit_is_rejected() {
        let huge = format!("$argon2id$v=19$m=4194304,t=1,p=1${}${}", "A".repeat(22), "A".repeat(43));
        let mut memory = HashMemory::default();
        let checked =
            PasswordHasher::new(CHEAP).verify_in(&mut memory, &PasswordHash::from_phc(huge), "secret12");
        assert_eq!(checked, Err(PasswordError::TooCostly(4_194_304)));
        assert!(memory.is_empty());
    }

    #[test]
    fn memory_is_reused_and_wiped() {
        let (hasher, mut memory) = (PasswordHasher::new(CHEAP), HashMemory::default());
        let hash = hasher.hash_in(&mut memory, &new("secret12")).expect("hashes");
        let at = memory.0.as_ptr();
        assert_eq!(hasher.verify_in(&mut memory, &hash, "secret12"), Ok(Verdict::Right(None)));
        assert_eq!(memory.0.as_ptr(), at, "the same memory");
        assert!(memory.0.iter().all(|block| block.as_ref().iter().all(|word| *word == 0)));
    }
}
