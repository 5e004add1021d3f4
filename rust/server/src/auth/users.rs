//! The table of users: reading, inserting, and how GoTrue shows a user. Email addresses are kept trimmed and in lower
//! case.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::errors::BackendError;
use crate::timestamps::iso_us;

/// A user. Instants are microseconds since 1970.
#[derive(Debug, Clone, Default)]
pub(crate) struct User {
    pub id: String,
    pub email: String,
    pub password_hash: String,
    /// What the client passed as `data` at sign-up: an object.
    pub metadata: Value,
    pub created_at_us: i64,
    pub updated_at_us: i64,
    pub last_sign_in_at_us: Option<i64>,
}

/// The form in which an address is stored and looked up.
pub(crate) fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Whether it looks like an address: one `@`, something on both sides, no spaces, at most 255 bytes.
pub(crate) fn is_email(email: &str) -> bool {
    let email = email.trim();
    let plausible = email.len() <= 255 && !email.contains(|c: char| c.is_whitespace() || c.is_control());
    plausible
        && email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty() && !domain.is_empty() && !domain.contains('@') && !domain.starts_with('.')
        })
}

/// Inserts a user; `id` `None`: a random one.
pub(crate) fn insert(
    connection: &Connection,
    id: Option<Uuid>,
    email: &str,
    password_hash: &str,
    metadata: &Value,
    now_us: i64,
) -> Result<User, BackendError> {
    let user = User {
        id: id.unwrap_or_else(Uuid::new_v4).to_string(),
        email: normal_email(email),
        password_hash: password_hash.to_owned(),
        metadata: metadata.clone(),
        created_at_us: now_us,
        updated_at_us: now_us,
        last_sign_in_at_us: None,
    };
    let inserted = connection.execute(
        "INSERT INTO omnii_users (id, email, password_hash, user_metadata, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![user.id, user.email, user.password_hash, user.metadata.to_string(), now_us],
    );
    match inserted {
        Ok(_) => Ok(user),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            Err(BackendError::EmailTaken)
        }
        Err(error) => Err(error.into()),
    }
}

/// Notes a sign-in.
pub(crate) fn signed_in(connection: &Connection, user: &mut User, now_us: i64) -> rusqlite::Result<()> {
    user.last_sign_in_at_us = Some(now_us);
    user.updated_at_us = now_us;
    let sql = "UPDATE omnii_users SET last_sign_in_at = ?2, updated_at = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![user.id, now_us]).map(drop)
}

/// The user with this id.
pub(crate) fn by_id(connection: &Connection, id: &str) -> Result<Option<User>, BackendError> {
    let sql = "SELECT id, email, password_hash, user_metadata, created_at, updated_at, last_sign_in_at
               FROM omnii_users WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id], read).optional()?)
}

/// The user with this address, however it is written.
pub(crate) fn by_email(connection: &Connection, email: &str) -> Result<Option<User>, BackendError> {
    let sql = "SELECT id, email, password_hash, user_metadata, created_at, updated_at, last_sign_in_at
               FROM omnii_users WHERE email = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([normal_email(email)], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: row.get(0)?,
        email: row.get(1)?,
        password_hash: row.get(2)?,
        metadata: serde_json::from_str(row.get_ref(3)?.as_str()?).unwrap_or_default(),
        created_at_us: row.get(4)?,
        updated_at_us: row.get(5)?,
        last_sign_in_at_us: row.get(6)?,
    })
}

impl User {
    /// GoTrue's user object. Every address counts as confirmed: a dev server sends no mail.
    pub fn to_json(&self) -> Value {
        let created_at = iso_us(self.created_at_us);
        let last_sign_in_at = self.last_sign_in_at_us.map(iso_us);
        let mut identity = json!({
            "email": self.email, "email_verified": false, "phone_verified": false, "sub": self.id,
        });
        let mut metadata = identity.clone();
        metadata["email_verified"] = true.into();
        if let Value::Object(given) = &self.metadata {
            for (key, value) in given {
                metadata[key] = value.clone();
                identity[key] = value.clone();
            }
        }
        json!({
            "id": self.id,
            "aud": "authenticated",
            "role": "authenticated",
            "email": self.email,
            "email_confirmed_at": created_at,
            "phone": "",
            "confirmed_at": created_at,
            "last_sign_in_at": last_sign_in_at,
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "user_metadata": metadata,
            "identities": [{
                "identity_id": self.id,
                "id": self.id,
                "user_id": self.id,
                "identity_data": identity,
                "provider": "email",
                "last_sign_in_at": last_sign_in_at,
                "created_at": created_at,
                "updated_at": created_at,
                "email": self.email,
            }],
            "created_at": created_at,
            "updated_at": iso_us(self.updated_at_us),
            "is_anonymous": false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_sides_and_no_spaces() {
        for good in ["a@b", "demo@omnii.dev", " Demo@Omnii.dev "] {
            assert!(is_email(good), "{good:?}");
        }
        for bad in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@.c"] {
            assert!(!is_email(bad), "{bad:?}");
        }
    }
}
