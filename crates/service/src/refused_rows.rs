//! Rows of the store that were refused, since they are not as this server left them: which, so that it is told once of each.

use std::sync::{Mutex, PoisonError};

use crate::error::ServiceError;

/// Rows that are remembered; of more than so many nothing is learned.
const ROWS_COUNT_MAX: usize = 1_024;

/// The rows that were refused since the start.
#[derive(Default)]
pub(crate) struct RefusedRows(Mutex<Vec<String>>);

impl RefusedRows {
    /// Remembers the row that an error tells of, if it tells of one.
    pub(crate) fn note(&self, error: &ServiceError) {
        let Some(row) = error.refused_row() else { return };
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if rows.len() < ROWS_COUNT_MAX && !rows.contains(&row) {
            rows.push(row);
        }
    }

    /// All of them, in the order in which they were met.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use store::StoreError;

    use super::*;

    #[test]
    fn each_row_is_remembered_once() {
        let rows = RefusedRows::default();
        let refused = |identity: String| -> ServiceError {
            StoreError::Seal { table: "keys", identity, why: "the seal is broken" }.into()
        };
        for number in [1, 2, 1] {
            rows.note(&refused(number.to_string()));
        }
        rows.note(&StoreError::DiskFull.into());
        rows.note(&ServiceError::rate_exceeded());
        assert_eq!(rows.all(), ["keys '1'", "keys '2'"]);
        for number in 0..2 * ROWS_COUNT_MAX {
            rows.note(&refused(number.to_string()));
        }
        assert_eq!(rows.all().len(), ROWS_COUNT_MAX);
    }
}
