//! Password hashes: argon2id in PHC form. Hashing takes tens of milliseconds and must run where blocking is allowed and
//! never under the database's mutex.

use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::config::PasswordCost;
use crate::errors::BackendError;

/// Makes and checks hashes at one cost.
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    /// A hash of nobody's password, checked when the user is unknown so that the answer takes as long.
    decoy: String,
}

impl Passwords {
    pub fn new(cost: PasswordCost) -> Self {
        let params = match cost {
            PasswordCost::Standard => Params::default(),
            PasswordCost::Test => Params::new(Params::MIN_M_COST, 1, 1, None).expect("the smallest cost is valid"),
        };
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let decoy = hash(&argon, "").unwrap_or_default();
        Self { argon, decoy }
    }

    pub fn hash(&self, password: &str) -> Result<String, BackendError> {
        hash(&self.argon, password).map_err(|error| BackendError::Password(error.to_string()))
    }

    /// `hash` is `None` for an unknown user: false, after the same amount of work.
    pub fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let parsed = PasswordHash::new(hash.unwrap_or(&self.decoy));
        let fits = parsed.is_ok_and(|parsed| self.argon.verify_password(password.as_bytes(), &parsed).is_ok());
        fits && hash.is_some()
    }
}

fn hash(argon: &Argon2<'_>, password: &str) -> Result<String, argon2::password_hash::Error> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
    Ok(argon.hash_password(password.as_bytes(), &salt)?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only_and_an_unknown_user_never_gets_in() {
        let passwords = Passwords::new(PasswordCost::Test);
        let hash = passwords.hash("omnii-demo").unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert_ne!(hash, passwords.hash("omnii-demo").unwrap(), "salted");
        assert!(passwords.verify("omnii-demo", Some(&hash)));
        assert!(!passwords.verify("omnii-demO", Some(&hash)));
        assert!(!passwords.verify("", None), "the decoy's own password");
    }
}
