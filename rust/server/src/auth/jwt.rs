//! Signing and checking tokens. Owns the HMAC key. Access tokens are HS256 JWTs with Supabase's claims; refresh tokens
//! are opaque texts that carry session id and counter under a MAC of the same key, so that the database holds nothing
//! worth stealing.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;

use super::AccessDenied;
use super::users::User;

const US_PER_S: i64 = 1_000_000;
const REFRESH_MAC_BYTES: usize = 16;

/// The key of one server, with the name it gives itself.
pub(crate) struct JwtKey {
    access: Hmac<Sha256>,
    refresh: Hmac<Sha256>,
    issuer: String,
}

/// A signed access token.
pub(crate) struct AccessToken {
    pub token: String,
    /// Seconds since 1970.
    pub expires_at_s: i64,
}

/// The claims that the server itself looks at.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub sub: String,
    exp: i64,
    #[serde(default)]
    role: String,
    #[serde(default)]
    pub session_id: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// What a genuine refresh token says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub session_id: String,
    pub counter: u32,
}

impl JwtKey {
    /// `issuer` is the auth service's URL.
    pub fn new(secret: &[u8], issuer: &str) -> Self {
        let keyed = |secret: &[u8]| Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
        let mut derive = keyed(secret);
        derive.update(b"omnii refresh token");
        let refresh_secret = derive.finalize().into_bytes();
        Self { access: keyed(secret), refresh: keyed(&refresh_secret), issuer: issuer.to_owned() }
    }

    /// An access token that lives `lifetime_s` from now. No two are the same (`jti`).
    pub fn sign_access(&self, user: &User, session_id: &str, now_us: i64, lifetime_s: i64) -> AccessToken {
        let now_s = now_us.div_euclid(US_PER_S);
        let expires_at_s = now_s.saturating_add(lifetime_s);
        let claims = json!({
            "iss": self.issuer,
            "sub": user.id,
            "aud": "authenticated",
            "exp": expires_at_s,
            "iat": now_s,
            "jti": Uuid::new_v4().to_string(),
            "email": user.email,
            "phone": "",
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": user.metadata,
            "role": "authenticated",
            "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": now_s }],
            "session_id": session_id,
            "is_anonymous": false,
        });
        let head = BASE64URL.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let mut token = format!("{head}.{}", BASE64URL.encode(claims.to_string()));
        let signature = mac(&self.access, token.as_bytes());
        token.push('.');
        token.push_str(&BASE64URL.encode(signature));
        AccessToken { token, expires_at_s }
    }

    /// The claims of a token that this key signed, for a user, and not expired. The algorithm must be HS256: a token
    /// does not choose how it is checked.
    pub fn verify_access(&self, token: &str, now_us: i64) -> Result<Claims, AccessDenied> {
        let malformed = || AccessDenied::BadToken("it is not a JWT");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let decoded = |part: &str| BASE64URL.decode(part).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| malformed())?;
        if header.alg != "HS256" {
            return Err(AccessDenied::BadToken("its algorithm is not HS256"));
        }
        let mut check = self.access.clone();
        check.update(signed.as_bytes());
        check.verify_slice(&decoded(signature)?).map_err(|_| AccessDenied::BadToken("its signature is wrong"))?;
        let claims: Claims = serde_json::from_slice(&decoded(payload)?)
            .map_err(|_| AccessDenied::BadToken("its claims lack sub or exp"))?;
        if claims.role != "authenticated" {
            return Err(AccessDenied::BadToken("its role is not authenticated"));
        }
        if claims.exp <= now_us.div_euclid(US_PER_S) {
            return Err(AccessDenied::Expired);
        }
        Ok(claims)
    }

    /// The refresh token of this session and counter: always the same text.
    pub fn sign_refresh(&self, session_id: Uuid, counter: u32) -> String {
        let mut bytes = session_id.as_bytes().to_vec();
        bytes.extend(counter.to_be_bytes());
        let mac = mac(&self.refresh, &bytes);
        bytes.extend(&mac[..REFRESH_MAC_BYTES]);
        BASE64URL.encode(bytes)
    }

    /// What a refresh token says, if this key made it.
    pub fn verify_refresh(&self, token: &str) -> Option<RefreshToken> {
        let bytes = BASE64URL.decode(token).ok()?;
        let (said, mac) = bytes.split_last_chunk::<REFRESH_MAC_BYTES>()?;
        let (session_id, counter) = said.split_first_chunk::<16>()?;
        let counter = u32::from_be_bytes(counter.try_into().ok()?);
        let mut check = self.refresh.clone();
        check.update(said);
        check.verify_truncated_left(mac).ok()?;
        Some(RefreshToken { session_id: Uuid::from_bytes(*session_id).to_string(), counter })
    }
}

fn mac(key: &Hmac<Sha256>, message: &[u8]) -> Vec<u8> {
    let mut mac = key.clone();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> User {
        User { id: "u1".into(), email: "a@b.c".into(), ..User::default() }
    }

    #[test]
    fn only_our_own_unexpired_hs256_tokens_pass() {
        let key = JwtKey::new(b"secret", "http://x/auth/v1");
        let token = key.sign_access(&user(), "s1", 1_000_000_000_000, 60).token;
        assert_eq!(key.verify_access(&token, 1_000_059_999_999).unwrap_or_else(|e| panic!("{e:?}")).sub, "u1");
        assert!(matches!(key.verify_access(&token, 1_000_060_000_000), Err(AccessDenied::Expired)));
        let other = JwtKey::new(b"other", "http://x/auth/v1");
        assert!(matches!(other.verify_access(&token, 0), Err(AccessDenied::BadToken("its signature is wrong"))));
        let payload = token.split('.').nth(1).unwrap();
        for head in [r#"{"alg":"none"}"#, r#"{"alg":"HS512"}"#] {
            let forged = format!("{}.{payload}.", BASE64URL.encode(head));
            assert!(matches!(key.verify_access(&forged, 0), Err(AccessDenied::BadToken("its algorithm is not HS256"))));
        }
        for rubbish in ["", "a", "a.b", "a.b.c", "....", "ä.ö.ü"] {
            assert!(matches!(key.verify_access(rubbish, 0), Err(AccessDenied::BadToken(_))), "{rubbish}");
        }
    }

    #[test]
    fn the_signature_is_the_one_rfc_7515_prescribes() {
        // Computed with Node: crypto.createHmac('sha256', 'secret').update('a.b').digest('base64url')
        let key = JwtKey::new(b"secret", "");
        assert_eq!(BASE64URL.encode(mac(&key.access, b"a.b")), "sbh7-OGGafGEtAYeHeo5APUejXcSJjSgpMkJURRbDuA");
    }

    #[test]
    fn a_refresh_token_says_what_it_was_made_of_and_cannot_be_changed() {
        let key = JwtKey::new(b"secret", "");
        let id = Uuid::from_u128(7);
        let token = key.sign_refresh(id, 3);
        assert_eq!(key.verify_refresh(&token), Some(RefreshToken { session_id: id.to_string(), counter: 3 }));
        let mut bytes = BASE64URL.decode(&token).unwrap();
        bytes[19] ^= 1;
        assert_eq!(key.verify_refresh(&BASE64URL.encode(&bytes)), None);
        assert_eq!(key.verify_refresh(&BASE64URL.encode(&bytes[..20])), None);
        assert_eq!(JwtKey::new(b"other", "").verify_refresh(&token), None);
    }
}
