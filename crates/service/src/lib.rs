//! What is done: the operation table, the pipeline and the operations.
//!
//! A request enters at [`Service::call`] as raw bytes and leaves as an [`Answer`]. In between lies one walk for every
//! operation (`pipeline`), fed by one table of facts (`operations`). This crate knows nothing of HTTP libraries, and
//! below it nothing knows AWS's sentences: errors become AWS's in `error` alone.

#[cfg(all(feature = "test-clock", not(debug_assertions)))]
compile_error!("a release has no clock that can be moved: build without the feature `test-clock`");

mod accounts;
mod api;
mod authorization_messages;
mod authorize;
mod buffers;
mod call;
mod clock;
mod cloudtrail;
mod coherent_cache;
mod conditions;
mod context;
mod credentials;
mod data_directory;
mod decode;
mod delivery;
mod digest_keys;
mod error;
mod event_bridge;
mod events;
mod explain;
mod facts;
mod forward_access;
mod forwarding;
mod front;
mod grant_tokens;
mod grantee_grants;
mod guard_rails;
mod host;
mod iam;
mod identities;
mod ids;
mod jobs;
mod journal_follower;
mod key_state;
mod kms;
mod last_usage;
mod last_used;
mod linked_roles;
mod managed_keys;
mod meter;
mod open;
mod operation;
mod operations;
mod operator;
mod outbox;
mod owned_keys;
mod page;
mod pipeline;
mod principals;
mod quotas;
mod recipient;
mod refused_rows;
mod render;
mod service;
mod services;
mod sessions;
mod snapshot;
mod sts;
mod target;
mod trail;
mod upcoming;
mod web_identity;

pub use accounts::{AccessKey, AccountCredentials, AccountError, AccountSummary, NewAccount};
pub use api::{Answer, Health, Incoming, Peer, QuotaUse, ResourceQuotaUse, Statistics, TlsDetails};
#[cfg(feature = "test-clock")]
pub use clock::TestClock;
pub use clock::{Clock, SystemClock};
pub use custody::{
    CustodyError, LockedRootKey, Offered, RootProvider, SHARES_KEPT, Share, Unsealing,
};
pub use data_directory::{DataDirectory, NewRootKey, TellShares};
pub use delivery::{TrailDestination, TrailOptions};
pub use error::ServiceError;
pub use event_bridge::{DetailType, Event, InvalidDetailType};
pub use explain::{
    AnsweredQuestion, DecidingStatement, ExplainError, Explained, GrantToUse, KeyUser, KeyUsers,
    NamedDocument, Retirement, SupposedCall, SupposedSession, Verdict,
};
pub use guard_rails::{
    AttachedPolicy, GuardRails, GuardRailsError, Organization, OrganizationTarget, PolicyText,
};
pub use journal_follower::FollowerError;
pub use meter::{InvalidMonth, KeyUse, Month, RequestUse, Usage, UsageError};
pub use open::{Assembly, Durability, OpenError, Opened, open, open_with};
pub use operations::{UNBUILT, model};
pub use operator::OperatorAct;
pub use owned_keys::{OwnedKeyError, OwnedKeyReport, OwnedKeySummary, OwnedKeyVersion};
pub use quotas::{InvalidQuotaAdjustment, QuotaAdjustment, QuotaMode};
pub use service::{Service, harden_process, module_description};
pub use services::{
    ForwardedAction, RegisteredService, SYSTEM_ACCOUNT, ServiceAccessKeyError, ServiceSummary,
};
pub use upcoming::{KeyDate, UpcomingDates};
pub use web_identity::{FindingKeys, FoundKeys, InvalidKeySet, Issuers, KeySet};
