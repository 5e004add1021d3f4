//! Two results of a query side by side: which rows of the new one are in the old one.
//!
//! Rows are the same if all cells are. Guarantees: each old row is used at most once, duplicates in their order; time and
//! memory grow linearly with the rows.

use crate::store::Rows;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::OnceLock;

/// A result with what comparing needs. Shared between who holds it and who compares with it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) rows: Rows,
    /// One per row; made when first needed.
    hashes: OnceLock<Vec<u64>>,
}

/// Not in the old result.
pub(crate) const NEW: i32 = -1;

const NONE: u32 = u32::MAX;

fn hash_state() -> &'static RandomState {
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::new)
}

impl Snapshot {
    pub(crate) fn new(rows: Rows) -> Self {
        Self { rows, hashes: OnceLock::new() }
    }

    /// Whether both hold the same rows in the same order.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        // words hold offsets, which follow from the lengths before them
        let (a, b) = (&self.rows, &other.rows);
        a.columns == b.columns && a.kinds == b.kinds && a.words == b.words && a.bytes == b.bytes
    }

    /// For each row of this result its index in `old`, or [`NEW`]. `None` if the columns differ.
    pub(crate) fn kept_from(&self, old: &Self) -> Option<Vec<i32>> {
        if self.rows.columns != old.rows.columns {
            return None;
        }
        let (count, before) = (self.rows.len(), old.rows.len());
        if i32::try_from(before).is_err() {
            return None;
        }
        // mostly a result begins as the last one did
        let alike = (0..count.min(before)).take_while(|row| self.is_row(*row, old, *row)).count();
        let mut kept: Vec<i32> = (0..alike).map(as_index).collect();
        kept.resize(count, NEW);
        if alike == count || alike == before {
            return Some(kept);
        }
        // the old rows of each hash as a chain, first one first
        let mut first: HashMap<u64, u32> = HashMap::with_capacity(before - alike);
        let mut next = vec![NONE; before];
        let hashes = old.hashes();
        for row in (alike..before).rev() {
            next[row] = first.insert(hashes[row], row as u32).unwrap_or(NONE);
        }
        let hashes = self.hashes();
        for row in alike..count {
            let Some(head) = first.get_mut(&hashes[row]) else { continue };
            let (mut at, mut before_it) = (*head, NONE);
            while at != NONE && !self.is_row(row, old, at as usize) {
                (before_it, at) = (at, next[at as usize]);
            }
            if at == NONE {
                continue;
            }
            let rest = next[at as usize];
            match before_it {
                NONE => *head = rest,
                before_it => next[before_it as usize] = rest,
            }
            kept[row] = as_index(at as usize);
        }
        Some(kept)
    }

    fn hashes(&self) -> &[u64] {
        self.hashes.get_or_init(|| {
            let columns = self.rows.columns.len();
            let hash = |row: usize| {
                let mut hasher = hash_state().build_hasher();
                for cell in row * columns..(row + 1) * columns {
                    let (kind, word, bytes) = self.cell(cell);
                    hasher.write_u8(kind);
                    hasher.write_u64(word);
                    hasher.write(bytes);
                }
                hasher.finish()
            };
            (0..self.rows.len()).map(hash).collect()
        })
    }

    /// A cell's kind, its number or length, and its bytes.
    fn cell(&self, cell: usize) -> (u8, u64, &[u8]) {
        let Rows { kinds, words, bytes, .. } = &self.rows;
        let (kind, word) = (kinds[cell], words[cell]);
        if kind < 3 {
            return (kind, word, &[]);
        }
        let length = word & 0xffff_ffff;
        (kind, length, &bytes[(word >> 32) as usize..][..length as usize])
    }

    fn is_row(&self, row: usize, other: &Self, other_row: usize) -> bool {
        let columns = self.rows.columns.len();
        (0..columns).all(|i| self.cell(row * columns + i) == other.cell(other_row * columns + i))
    }
}

fn as_index(row: usize) -> i32 {
    i32::try_from(row).unwrap_or(NEW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{CellKind, Columns};
    use std::sync::Arc;

    fn result(rows: &[(u8, &str)]) -> Snapshot {
        let columns = Columns { id: 1, names: vec!["a".into(), "b".into()] };
        let mut all = Rows { columns: Arc::new(columns), ..Rows::default() };
        for (n, text) in rows {
            all.kinds.extend([CellKind::Integer as u8, CellKind::AsciiText as u8]);
            all.words.push(u64::from(*n));
            all.words.push((all.bytes.len() as u64) << 32 | text.len() as u64);
            all.bytes.extend_from_slice(text.as_bytes());
        }
        Snapshot::new(all)
    }

    #[test]
    fn kept_rows_and_new_rows_make_the_result_whatever_the_results() {
        let mut seed = 1_u64;
        let mut random = |below: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % below
        };
        let texts = ["", "x", "xy", "yx", "y"];
        for _ in 0..3000 {
            let mut rows = |most: u64| -> Vec<(u8, &str)> {
                (0..random(most)).map(|_| (random(3) as u8, texts[random(5) as usize])).collect()
            };
            let (old, new) = (rows(12), rows(12));
            let (before, after) = (result(&old), result(&new));
            let kept = after.kept_from(&before).unwrap();
            assert_eq!(kept.len(), new.len());
            let mut used = std::collections::HashSet::new();
            for (at, from) in kept.iter().enumerate() {
                if *from != NEW {
                    assert!(used.insert(*from), "{old:?} {new:?} {kept:?}");
                    assert_eq!(old[*from as usize], new[at], "{old:?} {new:?} {kept:?}");
                }
            }
            // nothing is new that an unused old row could have been
            for (at, _) in kept.iter().enumerate().filter(|(_, from)| **from == NEW) {
                assert!((0..old.len()).all(|i| used.contains(&(i as i32)) || old[i] != new[at]));
            }
            assert_eq!(after.is_same(&before), old == new);
        }
    }

    #[test]
    fn other_columns_make_another_result() {
        let (a, mut b) = (result(&[(1, "x")]), result(&[(1, "x")]));
        b.rows.columns = Arc::new(Columns { id: 2, names: vec!["c".into(), "b".into()] });
        assert_eq!(b.kept_from(&a), None);
        assert!(!b.is_same(&a));
    }

    #[test]
    fn many_equal_rows_take_no_longer() {
        let many = vec![(1, "x"); 100_000];
        let mut other = many.clone();
        other.insert(0, (2, "first"));
        let kept = result(&other).kept_from(&result(&many)).unwrap();
        assert_eq!((kept[0], kept[1], kept[100_000]), (NEW, 0, 99_999));
    }
}
