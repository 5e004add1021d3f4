//! Rows in a page that nobody can use (docs/protocol.md, pull 7): of another user, without an id, without a time, with a
//! value that its column can't hold. They come in addition to what the page should hold, and never make it larger than
//! its limit, so that what a device must have after a round stays the same.

use super::super::rng::Rng;
use super::Row;
use super::tables::{TABLES, instant};

/// The year 2099, in microseconds since the epoch.
const FAR_AWAY_US: i64 = 4_070_908_800_000_000;

/// Bad rows for one table's page.
pub(super) struct BadRows {
    rng: Option<Rng>,
    /// How many more the page has room for.
    room: usize,
}

impl BadRows {
    pub(super) fn new(seed: Option<u64>, room: usize) -> Self {
        Self { rng: seed.map(Rng::new), room }
    }

    /// Appends some behind a good row, or to an empty page; answers how many. `last`: no good row follows.
    pub(super) fn behind(
        &mut self,
        table: usize,
        row: Option<(&String, &std::sync::Arc<Row>)>,
        last: bool,
        out: &mut String,
    ) -> usize {
        let Some(rng) = &mut self.rng else { return 0 };
        let mut made = 0;
        while self.room > 0 && made < 2 && rng.percent(if last { 60 } else { 20 }) {
            // a page that is full says where the next one begins
            let far = last && self.room > 1 && rng.percent(50);
            let at_us = row.filter(|_| !far).map_or(FAR_AWAY_US, |(_, row)| row.updated_us);
            if row.is_none() && self.room == 1 {
                break;
            }
            self.room -= 1;
            if row.is_some() || made > 0 {
                out.push(',');
            }
            made += 1;
            bad_row(rng, table, row.map(|(id, row)| (id.as_str(), &*row.user)), &instant(at_us), out);
        }
        made
    }
}

fn bad_row(rng: &mut Rng, table: usize, good: Option<(&str, &str)>, updated_at: &str, out: &mut String) {
    let fresh = format!("22222222-0000-4000-8000-{:012x}", rng.below(1 << 40));
    let (good_id, user) = good.unwrap_or((&fresh, "00000000-0000-4000-8000-00000000beef"));
    let id = if rng.percent(50) { good_id } else { &fresh };
    let name = TABLES[table].columns[0].name;
    let stranger = "00000000-0000-4000-8000-00000000dead";
    out.push_str(&match rng.below(5) {
        0 => format!(r#"{{"id":"{id}","user_id":"{stranger}","{name}":"foreign","updated_at":"{updated_at}"}}"#),
        1 => format!(r#"{{"user_id":"{user}","{name}":"no id","updated_at":"{updated_at}"}}"#),
        2 => format!(r#"{{"id":null,"user_id":"{user}","{name}":"null id","updated_at":"{updated_at}"}}"#),
        3 => format!(r#"{{"id":"{id}","user_id":"{user}","{name}":"no time","updated_at":"yesterday"}}"#),
        _ => format!(r#"{{"id":"{id}","user_id":"{user}","{name}":[1],"updated_at":"{updated_at}"}}"#),
    });
}
