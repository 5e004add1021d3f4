//! SQL parameters and result sets as C++ sees them: thin views of the engine's own types.

use omnii_sync_engine::{Batch, Parameter, Rows as EngineRows};

/// SQL parameters, pushed in order by C++: of one statement, or of several sets.
#[derive(Debug, Default)]
pub struct Values(Batch);

pub(crate) fn new_values(capacity: usize) -> Box<Values> {
    // SQLite's own limit on parameters
    Box::new(Values(Batch { parameters: Vec::with_capacity(capacity.min(32_766)), ends: Vec::new() }))
}

impl Values {
    pub(crate) fn into_parameters(self) -> Vec<Parameter> {
        self.0.parameters
    }

    pub(crate) fn into_batch(self) -> Batch {
        self.0
    }

    pub(crate) fn end_set(&mut self) {
        self.0.ends.push(self.0.parameters.len());
    }

    pub(crate) fn push_null(&mut self) {
        self.0.parameters.push(Parameter::Null);
    }

    pub(crate) fn push_integer(&mut self, value: i64) {
        self.0.parameters.push(Parameter::Integer(value));
    }

    pub(crate) fn push_real(&mut self, value: f64) {
        self.0.parameters.push(Parameter::Real(value));
    }

    pub(crate) fn push_text(&mut self, value: &str) {
        self.0.parameters.push(Parameter::Text(value.to_owned()));
    }

    pub(crate) fn push_blob(&mut self, value: &[u8]) {
        self.0.parameters.push(Parameter::Blob(value.to_vec()));
    }
}

/// A result set; see the bridge for its layout.
#[derive(Debug)]
pub struct Rows {
    pub(crate) rows: EngineRows,
    pub(crate) raw: bool,
}

impl Rows {
    pub(crate) fn column_names(&self) -> &[String] {
        &self.rows.columns
    }

    pub(crate) fn columns_id(&self) -> u64 {
        self.rows.columns.id
    }

    pub(crate) fn raw(&self) -> bool {
        self.raw
    }

    pub(crate) fn kinds(&self) -> &[u8] {
        &self.rows.kinds
    }

    pub(crate) fn words(&self) -> &[u64] {
        &self.rows.words
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.rows.bytes
    }

    pub(crate) fn rows_affected(&self) -> i64 {
        self.rows.rows_affected
    }

    pub(crate) fn insert_id(&self) -> i64 {
        self.rows.insert_id
    }
}
