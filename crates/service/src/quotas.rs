//! Quotas: how many keys an account may have in a Region, and request quotas: how many calls of a kind it may make in a
//! second, in each Region (reference 2.19; AWS KMS Developer Guide, "Request quotas").
//!
//! A quota is a bucket of one second's calls that fills at its rate. It is kept as the one moment at which it would be
//! full again (the generic cell rate algorithm), so that taking a call is one exchange of a number.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use store::{KeyRow, Transaction};
use wire::enums::{DataKeyPairSpec, KeySpec};
use wire::error_codes::ErrorCode;
use wire::names::{AccountId, Region};

use crate::api::QuotaUse;
use crate::call::Call;
use crate::error::ServiceError;
use crate::operation::{Api, Spec};
use crate::operations::OPERATIONS;
use crate::target::{Ask, Target};

mod resources;

pub(crate) use resources::{ResourceUses, count as count_resources};

/// Buckets that are remembered. Beyond that, those that are full again are forgotten, which changes nothing.
const BUCKETS_COUNT_MAX: usize = 65_536;

/// What a full bucket holds: the calls of this many nanoseconds.
const BURST_NANOS: i64 = 1_000_000_000;

/// What is done with calls beyond a quota.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QuotaMode {
    /// Nothing is counted.
    #[default]
    Off,
    /// They are counted and served.
    Shadow,
    /// They are refused with ThrottlingException.
    Enforced,
}

/// Which quota the calls of an operation count against; the row of the operation says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestQuota {
    /// None: AWS publishes none.
    Unlimited,
    /// One that the operation has for itself, in calls a second.
    Own(u32),
    /// One that all cryptography with this kind of key shares.
    Cryptographic,
    /// One for each spec of a data key pair.
    DataKeyPair,
}

/// A quota of one account that the operator set otherwise than AWS: `ACCOUNT/REGION/QUOTA=RATE`, where `*` stands for
/// all accounts or Regions and the rate is in calls a second; of `Keys` it is a number of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaAdjustment {
    account: Option<AccountId>,
    region: Option<Region>,
    quota: &'static str,
    rate: u32,
}

/// A text that is no adjustment of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an adjustment of a request quota")]
pub struct InvalidQuotaAdjustment;

impl FromStr for QuotaAdjustment {
    type Err = InvalidQuotaAdjustment;

    fn from_str(text: &str) -> Result<QuotaAdjustment, InvalidQuotaAdjustment> {
        let parse = || {
            let (place, rate) = text.trim().split_once('=')?;
            let mut parts = place.split('/');
            let (account, region, quota) = (parts.next()?, parts.next()?, parts.next()?);
            Some(QuotaAdjustment {
                account: if account == "*" { None } else { Some(account.parse().ok()?) },
                region: if region == "*" { None } else { Some(region.parse().ok()?) },
                quota: names().find(|name| *name == quota && parts.next().is_none())?,
                rate: rate.parse().ok().filter(|rate| *rate > 0)?,
            })
        };
        parse().ok_or(InvalidQuotaAdjustment)
    }
}

/// The names of all quotas: those of kinds of cryptography, of data key pairs, and of operations.
fn names() -> impl Iterator<Item = &'static str> {
    let of_operations = OPERATIONS
        .iter()
        .map(|row| row.spec())
        .filter_map(|spec| matches!(spec.request_quota, RequestQuota::Own(_)).then_some(spec.name));
    let shared = [SYMMETRIC, RSA, ECC, ML_DSA, ML_KEM].into_iter();
    shared.chain(PAIRS.iter().map(|(_, name, _)| *name)).chain(of_operations).chain([KEYS])
}

/// The one quota of a number of things: KMS keys of an account in a Region, in any state.
const KEYS: &str = "Keys";
/// How many of them there may be (AWS KMS Developer Guide, "Resource quotas").
const KEYS_MAX: u32 = 100_000;

const SYMMETRIC: &str = "CryptographicOperationsSymmetric";
const RSA: &str = "CryptographicOperationsRsa";
const ECC: &str = "CryptographicOperationsEcc";
const ML_DSA: &str = "CryptographicOperationsMlDsa";
const ML_KEM: &str = "CryptographicOperationsMlKem";

/// Calls a second for data key pairs of each spec. AWS publishes none for ML-KEM yet; they are as quick as those of
/// curves.
const PAIRS: &[(DataKeyPairSpec, &str, u32)] = &[
    (DataKeyPairSpec::Rsa2048, "GenerateDataKeyPairRsa2048", 20),
    (DataKeyPairSpec::Rsa3072, "GenerateDataKeyPairRsa3072", 4),
    (DataKeyPairSpec::Rsa4096, "GenerateDataKeyPairRsa4096", 1),
    (DataKeyPairSpec::EccNistP256, "GenerateDataKeyPairEccNistP256", 100),
    (DataKeyPairSpec::EccNistP384, "GenerateDataKeyPairEccNistP384", 100),
    (DataKeyPairSpec::EccNistP521, "GenerateDataKeyPairEccNistP521", 100),
    (DataKeyPairSpec::EccSecgP256k1, "GenerateDataKeyPairEccSecgP256K1", 100),
    (DataKeyPairSpec::EccNistEdwards25519, "GenerateDataKeyPairEccNistEdwards25519", 100),
    (DataKeyPairSpec::Sm2, "GenerateDataKeyPairSm2", 25),
    (DataKeyPairSpec::MlKem512, "GenerateDataKeyPairMlKem512", 100),
    (DataKeyPairSpec::MlKem768, "GenerateDataKeyPairMlKem768", 100),
    (DataKeyPairSpec::MlKem1024, "GenerateDataKeyPairMlKem1024", 100),
];

/// A quota by name, with AWS's rate in calls a second.
type Quota = (&'static str, u32);

/// The quota of the cryptography with a kind of key; of none for random bytes, which count as symmetric.
fn cryptographic(key_spec: Option<KeySpec>, region: Region) -> Quota {
    match key_spec {
        None
        | Some(
            KeySpec::SymmetricDefault
            | KeySpec::Hmac224
            | KeySpec::Hmac256
            | KeySpec::Hmac384
            | KeySpec::Hmac512,
        ) => (SYMMETRIC, symmetric_rate(region)),
        Some(KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096) => (RSA, 1_000),
        Some(
            KeySpec::EccNistP256
            | KeySpec::EccNistP384
            | KeySpec::EccNistP521
            | KeySpec::EccSecgP256k1
            | KeySpec::EccNistEdwards25519
            | KeySpec::Sm2,
        ) => (ECC, 1_000),
        Some(KeySpec::MlDsa44 | KeySpec::MlDsa65 | KeySpec::MlDsa87) => (ML_DSA, 1_000),
        Some(KeySpec::MlKem512 | KeySpec::MlKem768 | KeySpec::MlKem1024) => (ML_KEM, 1_000),
    }
}

fn symmetric_rate(region: Region) -> u32 {
    match region.as_str() {
        "us-east-1" | "us-west-2" | "eu-west-1" => 100_000,
        "us-east-2" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1" | "eu-central-1"
        | "eu-west-2" => 20_000,
        _ => 10_000,
    }
}

/// What a call asks of the quotas.
pub(crate) struct Asked<'a> {
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) now: Timestamp,
    pub(crate) spec: &'a Spec,
    /// The specs of the keys that the call works with.
    pub(crate) key_specs: [Option<KeySpec>; 2],
    pub(crate) data_key_pair_spec: Option<DataKeyPairSpec>,
}

impl<'a> Asked<'a> {
    /// What a call of an operation on a target asks.
    pub(crate) fn by<T: Target>(
        call: &Call<'_>,
        spec: &'a Spec,
        target: &T,
        data_key_pair_spec: Option<DataKeyPairSpec>,
    ) -> Asked<'a> {
        let asks = target.asks();
        let mut key_specs = asks.iter().flatten().filter_map(|ask| match ask {
            Ask::Key(key, _) => Some(key.key().key_spec),
            Ask::Nothing
            | Ask::Alias(_)
            | Ask::Grant(..)
            | Ask::Identity { .. }
            | Ask::Role { .. } => None,
        });
        Asked {
            account: charged(call),
            region: call.region,
            now: call.now,
            spec,
            key_specs: [key_specs.next(), key_specs.next()],
            data_key_pair_spec,
        }
    }

    /// The quotas that the call counts against: a ReEncrypt between two kinds of keys counts against both.
    fn quotas(&self) -> [Option<Quota>; 2] {
        match self.spec.request_quota {
            RequestQuota::Unlimited => [None, None],
            RequestQuota::Own(rate) => [Some((self.spec.name, rate)), None],
            RequestQuota::Cryptographic => {
                let [first, second] = self.key_specs;
                let one = cryptographic(first, self.region);
                let other = second.map(|key_spec| cryptographic(Some(key_spec), self.region));
                [Some(one), other.filter(|(name, _)| *name != one.0)]
            }
            RequestQuota::DataKeyPair => {
                let of_spec =
                    PAIRS.iter().find(|(spec, _, _)| Some(*spec) == self.data_key_pair_spec);
                [of_spec.map(|(_, name, rate)| (*name, *rate)), None]
            }
        }
    }
}

/// Whose quotas a call counts against: the caller's account, or the one for whose resource a service calls. Calls that
/// services make for an account count against its quotas (AWS KMS Developer Guide, "Request quotas").
fn charged(call: &Call<'_>) -> AccountId {
    let source = call.caller.service().and_then(|itself| {
        let account = itself.source_account.as_deref()?.parse().ok()?;
        itself.service.serves_account(account).then_some(account)
    });
    source.unwrap_or_else(|| call.account())
}

type BucketKey = (AccountId, Region, &'static str);

/// The buckets of all accounts.
pub(crate) struct Quotas {
    mode: QuotaMode,
    adjustments: Vec<QuotaAdjustment>,
    buckets: RwLock<HashMap<BucketKey, Arc<Bucket>, RandomState>>,
    counts: HashMap<&'static str, Counts, RandomState>,
}

/// What the operator reads of a quota, of all accounts together.
#[derive(Default)]
struct Counts {
    taken: AtomicU64,
    exceeded: AtomicU64,
}

struct Bucket {
    /// How long one call takes to fill in again.
    interval_nanos: i64,
    /// When the bucket is full again, in nanoseconds since 1970.
    full_nanos: AtomicI64,
}

impl Quotas {
    pub(crate) fn new(mode: QuotaMode, adjustments: Vec<QuotaAdjustment>) -> Quotas {
        let counts = names().map(|name| (name, Counts::default())).collect();
        Quotas { mode, adjustments, buckets: RwLock::default(), counts }
    }

    /// Whether there is anything to take a call out of.
    pub(crate) fn are_counted(&self) -> bool {
        self.mode != QuotaMode::Off
    }

    /// Takes a call out of its quotas.
    ///
    /// # Errors
    /// ThrottlingException, when quotas are enforced and one of them is used up.
    pub(crate) fn take(&self, asked: &Asked<'_>) -> Result<(), ServiceError> {
        let now_nanos = nanos(asked.now);
        for (name, rate) in asked.quotas().into_iter().flatten() {
            let bucket = self.bucket((asked.account, asked.region, name), rate, now_nanos);
            let is_taken = bucket.take(now_nanos);
            if let Some(counts) = self.counts.get(name) {
                let count = if is_taken { &counts.taken } else { &counts.exceeded };
                count.fetch_add(1, Ordering::Relaxed);
            }
            if !is_taken && self.mode == QuotaMode::Enforced {
                return Err(match asked.spec.api == Api::CloudTrail {
                    true => ServiceError::rate_exceeded(),
                    false => ServiceError::quota_exceeded(),
                });
            }
        }
        Ok(())
    }

    /// How many keys an account may have in a Region, when quotas are enforced.
    pub(crate) fn keys_max(&self, account: AccountId, region: Region) -> Option<u32> {
        (self.mode == QuotaMode::Enforced).then(|| self.keys_quota(account, region))
    }

    /// How many keys an account should have in a Region, enforced or not.
    fn keys_quota(&self, account: AccountId, region: Region) -> u32 {
        self.adjusted(&(account, region, KEYS)).unwrap_or(KEYS_MAX)
    }

    /// How much each quota was used since the start, and how far its fullest bucket is used now; those never asked for
    /// are left out.
    pub(crate) fn uses(&self, now: Timestamp) -> Vec<QuotaUse> {
        let now_nanos = nanos(now);
        let mut now_used: HashMap<&'static str, f64, RandomState> = HashMap::default();
        for ((_, _, name), bucket) in &*self.buckets.read().unwrap_or_else(PoisonError::into_inner)
        {
            let used = now_used.entry(name).or_default();
            *used = used.max(bucket.used(now_nanos));
        }
        let mut uses: Vec<QuotaUse> = now_used
            .into_iter()
            .filter_map(|(quota, used)| {
                let Counts { taken, exceeded } = self.counts.get(quota)?;
                Some(QuotaUse {
                    quota,
                    taken: taken.load(Ordering::Relaxed),
                    exceeded: exceeded.load(Ordering::Relaxed),
                    used,
                })
            })
            .collect();
        uses.sort_unstable_by_key(|use_| use_.quota);
        uses
    }

    fn bucket(&self, key: BucketKey, rate: u32, now_nanos: i64) -> Arc<Bucket> {
        let found = self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(bucket) = found {
            return bucket;
        }
        let rate = self.adjusted(&key).unwrap_or(rate);
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_COUNT_MAX {
            buckets.retain(|_, bucket| bucket.full_nanos.load(Ordering::Relaxed) > now_nanos);
        }
        Arc::clone(buckets.entry(key).or_insert_with(|| Arc::new(Bucket::new(rate))))
    }

    /// The rate that the operator set; of several the one that names account and Region most closely.
    fn adjusted(&self, (account, region, quota): &BucketKey) -> Option<u32> {
        self.adjustments
            .iter()
            .filter(|adjustment| {
                adjustment.quota == *quota
                    && adjustment.account.is_none_or(|named| named == *account)
                    && adjustment.region.is_none_or(|named| named == *region)
            })
            .max_by_key(|adjustment| (adjustment.account.is_some(), adjustment.region.is_some()))
            .map(|adjustment| adjustment.rate)
    }
}

/// Refuses one key more than an account may have in a Region. Asked inside the transaction that makes the key, so that
/// two calls at once cannot both have the last place.
pub(crate) fn check_keys(
    transaction: &mut Transaction<'_>,
    key: &KeyRow,
    keys_max: Option<u32>,
) -> Result<(), ServiceError> {
    let Some(keys_max) = keys_max else { return Ok(()) };
    match transaction.count_keys(key.account, key.region)? < u64::from(keys_max) {
        true => Ok(()),
        false => Err(ServiceError::new(
            ErrorCode::LimitExceededException,
            format!("You have reached the quota of {keys_max} KMS keys in this Region."),
        )),
    }
}

impl Bucket {
    fn new(rate: u32) -> Bucket {
        let interval_nanos = BURST_NANOS / i64::from(rate.max(1));
        Bucket { interval_nanos, full_nanos: AtomicI64::new(0) }
    }

    /// Takes one call, if there is one.
    fn take(&self, now_nanos: i64) -> bool {
        let taken = self.full_nanos.try_update(Ordering::Relaxed, Ordering::Relaxed, |full| {
            let full = full.max(now_nanos).saturating_add(self.interval_nanos);
            (full.saturating_sub(now_nanos) <= BURST_NANOS).then_some(full)
        });
        taken.is_ok()
    }

    /// Which part of the bucket is used, from 0 to 1.
    #[expect(clippy::as_conversions, reason = "nanoseconds of a second are far below 2^52")]
    fn used(&self, now_nanos: i64) -> f64 {
        let missing = self.full_nanos.load(Ordering::Relaxed).saturating_sub(now_nanos);
        missing.clamp(0, BURST_NANOS) as f64 / BURST_NANOS as f64
    }
}

fn nanos(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::kms::{encrypt, generate, keys};
    use crate::operation::Operation;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn asked<'a>(spec: &'a Spec, account: &str, now: Timestamp) -> Asked<'a> {
        Asked {
            account: account.parse().unwrap(),
            region: "eu-central-1".parse().unwrap(),
            now,
            spec,
            key_specs: [None, None],
            data_key_pair_spec: None,
        }
    }

    fn enforced(adjustments: &[&str]) -> Quotas {
        let parse = |text: &&str| text.parse().unwrap();
        Quotas::new(QuotaMode::Enforced, adjustments.iter().map(parse).collect())
    }

    /// How many calls go through at one moment.
    fn burst(quotas: &Quotas, asked: &Asked<'_>) -> usize {
        (0..100_000).take_while(|_| quotas.take(asked).is_ok()).count()
    }

    #[test]
    fn a_second_holds_the_rate_and_gives_it_back_evenly() {
        let quotas = enforced(&[]);
        let at = |now| asked(&keys::CreateKey::SPEC, "111122223333", now);
        assert_eq!(burst(&quotas, &at(START)), 5);
        assert_eq!(burst(&quotas, &at(START + 199.milliseconds())), 0);
        assert_eq!(burst(&quotas, &at(START + 200.milliseconds())), 1);
        assert_eq!(burst(&quotas, &at(START + 10.seconds())), 5);
        // A clock that was set back waits for nothing.
        assert_eq!(burst(&quotas, &at(START)), 0);
    }

    #[test]
    fn accounts_regions_and_quotas_do_not_share() {
        let quotas = enforced(&[]);
        let first = asked(&keys::CreateKey::SPEC, "111122223333", START);
        assert_eq!(burst(&quotas, &first), 5);
        assert_eq!(burst(&quotas, &asked(&keys::CreateKey::SPEC, "444455556666", START)), 5);
        let region = "us-east-1".parse().unwrap();
        assert_eq!(burst(&quotas, &Asked { region, ..first }), 5);
        assert_eq!(burst(&quotas, &asked(&keys::ListKeys::SPEC, "111122223333", START)), 500);
    }

    #[test]
    fn cryptography_counts_by_the_kind_of_key() {
        let quotas = enforced(&[]);
        let with = |key_specs| Asked {
            key_specs,
            ..asked(&encrypt::Encrypt::SPEC, "111122223333", START)
        };
        assert_eq!(burst(&quotas, &with([Some(KeySpec::Rsa2048), None])), 1_000);
        assert_eq!(burst(&quotas, &with([Some(KeySpec::Rsa4096), None])), 0);
        // Between two kinds, both must have room.
        let both = with([Some(KeySpec::SymmetricDefault), Some(KeySpec::Rsa3072)]);
        assert!(quotas.take(&both).is_err());
        let random = asked(&generate::GenerateRandom::SPEC, "111122223333", START);
        assert_eq!(burst(&quotas, &random), 20_000 - 1);
        let pair = Asked {
            data_key_pair_spec: Some(DataKeyPairSpec::Rsa4096),
            ..asked(&generate::GenerateDataKeyPair::SPEC, "111122223333", START)
        };
        assert_eq!(burst(&quotas, &pair), 1);
    }

    #[test]
    fn the_closest_adjustment_counts() {
        let quotas = enforced(&[
            "*/*/CreateKey=7",
            "111122223333/*/CreateKey=9",
            "*/eu-central-1/CreateKey=8",
            "444455556666/us-east-1/CreateKey=1",
        ]);
        let of = |account| asked(&keys::CreateKey::SPEC, account, START);
        assert_eq!(burst(&quotas, &of("111122223333")), 9);
        assert_eq!(burst(&quotas, &of("444455556666")), 8);
    }

    #[test]
    fn a_shadow_counts_and_refuses_nothing() {
        let quotas = Quotas::new(QuotaMode::Shadow, Vec::new());
        let create = asked(&keys::CreateKey::SPEC, "111122223333", START);
        for _ in 0..8 {
            quotas.take(&create).unwrap();
        }
        let [QuotaUse { quota: "CreateKey", taken: 5, exceeded: 3, used }] = quotas.uses(START)[..]
        else {
            panic!("{:?}", quotas.uses(START));
        };
        assert!(used > 0.99);
        assert!(quotas.uses(START + 1.second())[0].used < 0.01);
    }

    #[test]
    fn adjustments_are_read_strictly() {
        for wrong in [
            "CreateKey=1",
            "*/CreateKey=1",
            "*/*/CreateKey",
            "*/*/CreateKey=0",
            "*/*/CreateKey=-1",
            "*/*/createkey=1",
            "*/*/GetCallerIdentity=1",
            "12/*/CreateKey=1",
            "*/Mars/CreateKey=1",
            "*/*/CreateKey/x=1",
            "*/*/CreateKey=1.5",
            "",
        ] {
            assert_eq!(wrong.parse::<QuotaAdjustment>(), Err(InvalidQuotaAdjustment), "{wrong}");
        }
    }

    #[test]
    fn names_are_told_apart() {
        let mut all: Vec<&str> = names().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
