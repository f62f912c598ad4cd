//! What is told: one CloudTrail record for each call, in a durable journal.
//!
//! [`Record`] writes the JSON of one event; [`Journal`] keeps the events in append-only segment
//! files whose hash chain shows any edit. The crate decides nothing: who called, what was asked
//! and how it ended come from `service`, and so does the time. Nothing here knows an operation.
//! The file format is specified at the head of `frame` and `segment`.

mod beginning;
mod disk;
mod error;
mod feed;
mod follow;
mod following;
mod frame;
mod index;
mod journal;
mod json;
mod outbox;
mod read;
mod record;
mod recover;
mod segment;
mod summary;
pub mod trail;

pub use beginning::{Beginning, SignedBeginning, newest_segment_began};
pub use error::JournalError;
pub use feed::{Feed, FeedPosition};
pub use follow::{Followed, Follower, FollowerPosition};
pub use following::FollowingThread;
pub use frame::RECORD_BYTES_MAX;
pub use index::{Found, Index, InvalidPosition, Position, Sought};
pub use journal::{
    Durability, INTERVAL_DEFAULT, Journal, JournalOptions, JournalStats, PENDING_BYTES_MAX,
    SEGMENT_BYTES_DEFAULT,
};
pub use outbox::missing_outbox;
pub use read::{Frame, Frames, is_journal, read};
pub use record::{
    ERROR_MESSAGE_BYTES_MAX, EventType, Failure, PARAMETERS_BYTES_MAX, Record, Resource,
    SessionIdentity, SessionIssuer, TlsDetails, USER_AGENT_BYTES_MAX, UserIdentity,
};
pub use recover::Recovered;
pub use summary::{Attribute, Summary};
