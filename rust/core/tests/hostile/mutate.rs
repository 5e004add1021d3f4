//! Valid bodies made hostile: cut, spliced, bits flipped, values exchanged for worse ones.

/// Numbers from a seed (splitmix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Below `end`, which is above 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// Values and fragments that parsers have stumbled over.
pub const PIECES: &[&str] = &[
    "null",
    "true",
    "0",
    "-0",
    "-",
    "1e999",
    "-1e-999",
    "1.5",
    "18446744073709551616",
    "9223372036854775807",
    "-9223372036854775809",
    "99999999999999999999999999999999999999999999999999",
    "0.1e+308",
    "1e300",
    "NaN",
    "Infinity",
    "01",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\\ud83d\\ude00\"",
    "\"\\x\"",
    "\"",
    "\\",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "[[[[[[[[[[",
    "]]]]]]]]]]",
    "{\"a\":{\"a\":{\"a\":",
    ",",
    ",,",
    ":",
    "\"id\":",
    "\"id\":\"x\",",
    "\"t\":[],",
    "\"t\":",
    "\"changes\":{},",
    "\"changes\":",
    "\"results\":{},",
    "\"results\":",
    "\"errors\":[],",
    "\"errors\":",
    "\"updated_at\":\"2026-01-26T10:11:12Z\",",
    "\"updated_at\":\"9999-12-31T23:59:59.999999Z\",",
    "\"2026-13-45T99:99:99Z\"",
    "\"0000-01-01T00:00:00Z\"",
    "\"-9999-01-01T00:00:00+99:99\"",
    "\"user_id\":\"evil\",",
    "\"user_id\":null,",
    "\"j\":{\"x\":",
    "\u{feff}",
    "\u{2028}",
    "/**/",
    "\r\n",
    "\t",
    " ",
];

/// One hostile body.
pub fn mutate(valid: &[&str], pieces: &[&str], chance: &mut Chance) -> Vec<u8> {
    let mut body = valid[chance.below(valid.len())].as_bytes().to_vec();
    for _ in 0..1 + chance.below(5) {
        let at = chance.below(body.len() + 1);
        let end = at + chance.below((body.len() - at).min(40) + 1);
        match chance.below(9) {
            0 => body.truncate(at),
            1 => drop(body.drain(at..end)),
            2 if at < body.len() => body[at] ^= 1 << chance.below(8),
            3 => body.insert(at.min(body.len()), chance.below(256) as u8),
            // the same twice: keys, rows, brackets
            4 => {
                let again = body[at..end].to_vec();
                body.splice(at..at, again);
            }
            5 => {
                let other = valid[chance.below(valid.len())].as_bytes();
                let from = chance.below(other.len());
                body.splice(at..end, other[from..].iter().copied());
            }
            6 => {
                let piece = pieces[chance.below(pieces.len())];
                body.splice(at..end, piece.bytes());
            }
            7 => {
                let piece = pieces[chance.below(pieces.len())].repeat(1 + chance.below(300));
                body.splice(at..at, piece.bytes());
            }
            // a whole value for another: what follows a colon
            _ => {
                let colons: Vec<usize> = (0..body.len()).filter(|at| body[*at] == b':').collect();
                if let Some(&colon) = colons.get(chance.below(colons.len().max(1))) {
                    let stop =
                        body[colon..].iter().position(|b| matches!(b, b',' | b'}')).map_or(body.len(), |n| colon + n);
                    let piece = pieces[chance.below(pieces.len())];
                    body.splice(colon + 1..stop, piece.bytes());
                }
            }
        }
    }
    body
}
