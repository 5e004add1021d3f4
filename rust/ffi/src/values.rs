//! SQL parameters and result sets as C++ sees them: thin views of the engine's own types.

use omnii_sync_engine::{Parameter, Rows as EngineRows};

/// SQL parameters, pushed in order by C++.
#[derive(Debug, Default)]
pub struct Values(Vec<Parameter>);

pub(crate) fn new_values(capacity: usize) -> Box<Values> {
    Box::new(Values(Vec::with_capacity(capacity.min(32_766)))) // SQLite's own limit on parameters
}

impl Values {
    pub(crate) fn into_parameters(self) -> Vec<Parameter> {
        self.0
    }

    pub(crate) fn push_null(&mut self) {
        self.0.push(Parameter::Null);
    }

    pub(crate) fn push_integer(&mut self, value: i64) {
        self.0.push(Parameter::Integer(value));
    }

    pub(crate) fn push_real(&mut self, value: f64) {
        self.0.push(Parameter::Real(value));
    }

    pub(crate) fn push_text(&mut self, value: &str) {
        self.0.push(Parameter::Text(value.to_owned()));
    }

    pub(crate) fn push_blob(&mut self, value: &[u8]) {
        self.0.push(Parameter::Blob(value.to_vec()));
    }
}

/// A result set; see the bridge for its layout.
#[derive(Debug)]
pub struct Rows(pub(crate) EngineRows);

impl Rows {
    pub(crate) fn column_names(&self) -> &[String] {
        &self.0.columns
    }

    pub(crate) fn kinds(&self) -> &[u8] {
        &self.0.kinds
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.0.words
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    pub(crate) fn rows_affected(&self) -> i64 {
        self.0.rows_affected
    }

    pub(crate) fn insert_id(&self) -> i64 {
        self.0.insert_id
    }
}
