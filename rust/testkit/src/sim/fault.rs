//! What can happen to a request.

use super::rng::Rng;
use omnii_sync_engine::transport::Method;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Lost on the way there.
    Lost,
    /// Done, but the answer is lost.
    AnswerLost,
    /// Neither done nor answered: the client waits for its timeout.
    Silence,
    /// Done, and the client waits for its timeout.
    SilenceAfter,
    /// Done when the client has given up already.
    Late,
    /// Done twice in a row.
    Twice,
    /// Done, and once more later.
    TwiceLater,
    /// Answered by something in between, with this status and `Retry-After` in s.
    Status(u16, Option<u64>),
    /// Done, but the answer ends early.
    Truncated,
    /// A login page with status 200.
    Portal,
    /// The table's query failed.
    MissingTable,
    /// Some of its PUTs are refused by the database.
    Swallowed(u64),
    /// Rows among the others that nobody can use; the number decides which.
    BadRows(u64),
    /// An exception is thrown at the first operation of each table.
    Throws,
}

/// A fault that waits for the next requests it fits.
#[derive(Debug, Clone, Copy)]
pub struct Armed {
    /// What.
    pub fault: Fault,
    /// How many requests that it fits go free first: a sweep comes after a pull.
    pub skip: u32,
    /// How often.
    pub left: u32,
}

impl Fault {
    /// A random one.
    pub fn random(rng: &mut Rng) -> Self {
        let retry_after = |rng: &mut Rng| rng.percent(40).then(|| rng.between(0, 20));
        match rng.below(20) {
            0 => Self::Lost,
            1 | 2 => Self::AnswerLost,
            3 => Self::Silence,
            4 => Self::SilenceAfter,
            5 => Self::Late,
            6 => Self::Twice,
            7 => Self::TwiceLater,
            8 => Self::Status(*rng.pick(&[500, 502, 503]), retry_after(rng)),
            9 => Self::Status(*rng.pick(&[429, 408]), retry_after(rng)),
            10 => Self::Status(*rng.pick(&[401, 403]), None),
            11 => Self::Status(*rng.pick(&[400, 409, 422, 404]), None),
            12 => Self::Status(413, None),
            13 => Self::Truncated,
            14 => Self::Portal,
            15 => Self::MissingTable,
            16 => Self::Swallowed(rng.below(3)),
            17 | 18 => Self::BadRows(rng.number()),
            _ => Self::Throws,
        }
    }

    /// Whether it can happen to such a request.
    pub fn fits(self, method: Method) -> bool {
        match self {
            Self::MissingTable | Self::BadRows(_) => method == Method::Get,
            Self::Swallowed(_) | Self::Throws | Self::Status(413, _) => method == Method::Post,
            _ => true,
        }
    }
}
