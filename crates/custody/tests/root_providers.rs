//! Root keys from passphrases and shares, and their headers: what was made opens, and nothing else does.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{DEPLOYMENT, Deployment};
use crypto::{Rng, RngError, SystemRng};
use custody::{
    CustodyError, DeploymentId, FileRootKey, Keyring, LockedRootKey, Offered, PASSPHRASE_BYTES_MAX,
    PassphraseParameters, RootHeader, RootKey, RootParameters, RootProvider, SHARES_KEPT,
    SHARES_MAX, Share, THRESHOLD_MIN, Unsealing, WrappedDomainKey, passphrase_root_key,
    split_root_key,
};
use jiff::Timestamp;
use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const PASSPHRASE: &str = "correct horse battery staple";

/// Parameters with little cost, as they are stored: 64 KiB, one pass, one lane.
fn cheap(salt: u8) -> RootParameters {
    let mut bytes = [64_u32, 1, 1].map(u32::to_be_bytes).concat();
    bytes.extend([salt; 16]);
    RootParameters::from_bytes(RootProvider::Passphrase, &bytes).unwrap()
}

fn derive(passphrase: &str, parameters: &RootParameters) -> Result<LockedRootKey, CustodyError> {
    match parameters {
        RootParameters::Passphrase(parameters) => {
            passphrase_root_key(passphrase.as_bytes(), parameters)
        }
        RootParameters::File | RootParameters::Shamir(_) => panic!("no passphrase's"),
    }
}

fn texts(shares: &[Share]) -> Vec<String> {
    shares.iter().map(|share| share.to_text().to_string()).collect()
}

/// A root key in shares, its header and the shares.
fn split(shares: u8, threshold: u8) -> (LockedRootKey, RootHeader, Vec<String>) {
    let (root, parameters, shares) = split_root_key(shares, threshold, &SystemRng).unwrap();
    let header = RootHeader::new(&root, DEPLOYMENT, RootParameters::Shamir(parameters)).unwrap();
    (root, header, texts(&shares))
}

fn is_same(one: &LockedRootKey, other: &LockedRootKey) -> bool {
    other.unwrap(b"aad", &one.wrap(b"aad", b"secret").unwrap()).is_ok()
}

#[test]
fn a_passphrase_makes_the_same_key_again_and_another_makes_another() {
    let parameters = cheap(1);
    let root = derive(PASSPHRASE, &parameters).unwrap();
    assert!(is_same(&root, &derive(PASSPHRASE, &parameters).unwrap()));
    for (passphrase, parameters) in
        [("correct horse battery stapl", parameters), (PASSPHRASE, cheap(2))]
    {
        assert!(!is_same(&root, &derive(passphrase, &parameters).unwrap()));
    }
}

#[test]
fn a_passphrase_is_hashed_as_rfc_9106_says() {
    // By the reference implementation (argon2-cffi 25.1).
    let mut bytes = [64_u32, 1, 1].map(u32::to_be_bytes).concat();
    bytes.extend(b"somesaltsomesalt");
    let parameters = RootParameters::from_bytes(RootProvider::Passphrase, &bytes).unwrap();
    let root = derive("password", &parameters).unwrap();
    let key = "e793d64ef75d58f503d4631b2b149f7f80127c5f3993d89b1c9b781e51d0b413";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root-key");
    std::fs::write(&path, format!("{key}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(is_same(&root, &FileRootKey::open(&path).unwrap().into()));
}

#[test]
fn a_passphrase_has_bounds() {
    for length in [0, PASSPHRASE_BYTES_MAX + 1] {
        let refused = derive(&"x".repeat(length), &cheap(1)).err();
        assert!(matches!(refused, Some(CustodyError::PassphraseLength)), "{length} bytes");
    }
}

#[test]
fn fresh_parameters_differ_in_their_salt_and_are_read_again() {
    let fresh = || RootParameters::Passphrase(PassphraseParameters::generate(&SystemRng).unwrap());
    let (one, other) = (fresh(), fresh());
    assert_ne!(one, other);
    assert_eq!(RootParameters::from_bytes(one.provider(), &one.to_bytes()).unwrap(), one);
}

#[test]
fn parameters_out_of_bounds_are_refused_before_anything_is_spent_on_them() {
    let passphrase = |memory_kib: u32, passes: u32, lanes: u32| {
        let numbers = [memory_kib, passes, lanes].map(u32::to_be_bytes).concat();
        (RootProvider::Passphrase, [numbers, vec![1; 16]].concat())
    };
    let shamir = |shares: u8, threshold: u8| {
        (RootProvider::Shamir, [vec![1; 8], vec![shares, threshold]].concat())
    };
    for (provider, bytes) in [
        (RootProvider::File, vec![0]),
        passphrase(7, 1, 1),
        passphrase(1024 * 1024 + 1, 1, 1),
        passphrase(u32::MAX, 1, 1),
        passphrase(64, 0, 1),
        passphrase(64, 17, 1),
        passphrase(64, u32::MAX, 1),
        passphrase(1024, 1, 0),
        passphrase(1024, 1, 17),
        passphrase(1024, 1, u32::MAX),
        (RootProvider::Passphrase, cheap(1).to_bytes()[1..].to_vec()),
        (RootProvider::Passphrase, [cheap(1).to_bytes(), vec![0]].concat()),
        shamir(3, 1),
        shamir(3, 0),
        shamir(2, 3),
        shamir(SHARES_MAX + 1, 3),
        (RootProvider::Shamir, vec![1; 9]),
        (RootProvider::Shamir, Vec::new()),
    ] {
        let refused = RootParameters::from_bytes(provider, &bytes).err();
        assert!(matches!(refused, Some(CustodyError::RootHeader { .. })), "{provider} {bytes:?}");
    }
    for (shares, threshold) in [(3, 1), (2, 3), (SHARES_MAX + 1, 3), (0, 0)] {
        let refused = split_root_key(shares, threshold, &SystemRng).err();
        assert!(matches!(refused, Some(CustodyError::ShareCounts)), "{threshold} of {shares}");
    }
}

#[test]
fn a_header_admits_its_own_key_in_its_own_deployment_alone() {
    let root = derive(PASSPHRASE, &cheap(1)).unwrap();
    let header = RootHeader::new(&root, DEPLOYMENT, cheap(1)).unwrap();
    header.check(&root, DEPLOYMENT).unwrap();
    let other = derive(PASSPHRASE, &cheap(2)).unwrap();
    assert!(header.check(&other, DEPLOYMENT).is_err());
    assert!(header.check(&root, DeploymentId::from_bytes([2; 16])).is_err());
    let altered = RootHeader { parameters: cheap(2), ..header.clone() };
    assert!(altered.check(&root, DEPLOYMENT).is_err(), "other parameters");
    let altered = RootHeader { parameters: RootParameters::File, ..header.clone() };
    assert!(altered.check(&root, DEPLOYMENT).is_err(), "another provider");
    for position in 0..header.proof.len() {
        let mut altered = header.clone();
        altered.proof[position] ^= 1;
        assert!(altered.check(&root, DEPLOYMENT).is_err(), "byte {position}");
    }
}

#[test]
fn domain_keys_under_another_root_key_are_the_same_keys() {
    let deployment = Deployment::new();
    let (number, wrapped) = deployment.keyring.wrap_credential(b"aad", b"secret").unwrap();
    let new = derive(PASSPHRASE, &cheap(1)).unwrap();
    let old = FileRootKey::open(&deployment.root_key_file()).unwrap();
    let rewrapped = WrappedDomainKey::rewrap(&deployment.stored, &old, &new, DEPLOYMENT).unwrap();
    assert!(Keyring::open(&old, DEPLOYMENT, &rewrapped).is_err(), "the old key opens nothing");
    let keyring = Keyring::open(&new, DEPLOYMENT, &rewrapped).unwrap();
    keyring.install_owned_keys(keyring.open_owned_keys(&deployment.owned_keys).unwrap());
    assert_eq!(keyring.unwrap_credential(number, b"aad", &wrapped).unwrap().expose(), b"secret");
    let refused = WrappedDomainKey::rewrap(&deployment.stored, &new, &old, DEPLOYMENT).err();
    assert!(matches!(refused, Some(CustodyError::WrongRootKey { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_shares_enough_make_the_key_in_any_order(
        shares in THRESHOLD_MIN..=SHARES_MAX,
        choice in any::<u8>(),
        order in any::<[u8; 16]>(),
    ) {
        let threshold = THRESHOLD_MIN + choice % (shares - 1);
        let (root, header, mut given) = split(shares, threshold);
        let numbers: Vec<u8> = order.into_iter().take(given.len()).collect();
        let mut numbered: Vec<_> = numbers.into_iter().zip(given.drain(..)).collect();
        numbered.sort();
        let mut unsealing = Unsealing::new(header, DEPLOYMENT);
        for (index, (_, share)) in numbered.iter().take(threshold.into()).enumerate() {
            match unsealing.offer(share, NOW).unwrap() {
                Offered::Waiting { collected, threshold: needed } => {
                    prop_assert_eq!(usize::from(collected), index + 1);
                    prop_assert_eq!(needed, threshold);
                    prop_assert!(collected < threshold);
                }
                Offered::Opened(opened) => {
                    prop_assert_eq!(index + 1, usize::from(threshold));
                    prop_assert!(is_same(&root, &opened));
                }
            }
        }
        prop_assert_eq!(unsealing.progress(), Some((0, threshold)), "nothing is kept");
    }
}

#[test]
fn an_altered_share_is_no_share() {
    let (.., shares) = split(2, 2);
    let share = &shares[0];
    for position in 0..share.len() {
        let mut altered = share.clone().into_bytes();
        altered[position] = if altered[position] == b'1' { b'2' } else { b'1' };
        let altered = String::from_utf8(altered).unwrap();
        assert!(Share::parse(&altered).is_err(), "character {position}");
        assert!(Share::parse(share.split_at(position).0).is_err(), "{position} characters");
    }
    assert!(Share::parse(&format!("{share}0")).is_err());
    assert!(Share::parse(&format!("  {share}\r\n")).is_ok(), "blanks around it");
}

#[test]
fn a_share_of_another_splitting_and_one_twice_leave_the_others_as_they_are() {
    let (_, header, shares) = split(3, 2);
    let (.., others) = split(3, 2);
    let mut unsealing = Unsealing::new(header, DEPLOYMENT);
    assert!(matches!(unsealing.offer(&shares[0], NOW), Ok(Offered::Waiting { collected: 1, .. })));
    assert!(matches!(unsealing.offer(&others[1], NOW), Err(CustodyError::ForeignShare)));
    assert!(matches!(unsealing.offer(&shares[0], NOW), Err(CustodyError::RepeatedShare)));
    assert!(matches!(unsealing.offer("share", NOW), Err(CustodyError::InvalidShare(_))));
    assert!(matches!(unsealing.offer(&shares[2], NOW), Ok(Offered::Opened(_))));
}

#[test]
fn shares_that_make_another_key_are_forgotten_all() {
    let (_, header, shares) = split(3, 2);
    // The header of another key, as if one of its shares had been forged whole.
    let other = derive(PASSPHRASE, &cheap(1)).unwrap();
    let forged = RootHeader::new(&other, DEPLOYMENT, header.parameters).unwrap();
    let mut unsealing = Unsealing::new(forged, DEPLOYMENT);
    unsealing.offer(&shares[0], NOW).unwrap();
    assert!(matches!(unsealing.offer(&shares[1], NOW), Err(CustodyError::WrongSecret)));
    assert_eq!(unsealing.progress(), Some((0, 2)));
    assert!(unsealing.offer(&shares[0], NOW).is_ok(), "and may be given again");
}

#[test]
fn a_header_with_a_lower_threshold_admits_no_fewer_shares() {
    let (_, header, shares) = split(3, 3);
    let mut bytes = header.parameters.to_bytes();
    *bytes.last_mut().unwrap() = 2;
    let parameters = RootParameters::from_bytes(RootProvider::Shamir, &bytes).unwrap();
    let mut unsealing = Unsealing::new(RootHeader { parameters, ..header }, DEPLOYMENT);
    unsealing.offer(&shares[0], NOW).unwrap();
    assert!(matches!(unsealing.offer(&shares[1], NOW), Err(CustodyError::WrongSecret)));
}

#[test]
fn shares_wait_for_each_other_only_so_long() {
    let (_, header, shares) = split(3, 3);
    let mut unsealing = Unsealing::new(header, DEPLOYMENT);
    let kept = jiff::SignedDuration::try_from(SHARES_KEPT).unwrap();
    unsealing.offer(&shares[0], NOW).unwrap();
    assert!(!unsealing.forget_stale(NOW + kept - jiff::SignedDuration::from_nanos(1)));
    unsealing.offer(&shares[1], NOW + kept / 2).unwrap();
    assert!(!unsealing.forget_stale(NOW + kept), "the last one counts");
    assert!(unsealing.forget_stale(NOW + kept + kept / 2));
    assert_eq!(unsealing.progress(), Some((0, 3)));
    unsealing.offer(&shares[0], NOW).unwrap();
    assert!(unsealing.forget_stale(NOW - kept), "the clock was set back");
    assert!(!unsealing.forget_stale(NOW + kept * 9), "there is nothing to forget");
}

#[test]
fn a_wrong_passphrase_is_refused_and_the_right_one_taken() {
    let root = derive(PASSPHRASE, &cheap(1)).unwrap();
    let header = RootHeader::new(&root, DEPLOYMENT, cheap(1)).unwrap();
    let mut unsealing = Unsealing::new(header, DEPLOYMENT);
    assert_eq!(unsealing.progress(), None);
    assert!(matches!(unsealing.offer("another", NOW), Err(CustodyError::WrongSecret)));
    assert!(matches!(unsealing.offer(PASSPHRASE, NOW), Ok(Offered::Opened(_))));
}

/// Fails at the n-th call and from then on.
struct FailingRng {
    calls_left: AtomicU64,
}

impl Rng for FailingRng {
    fn fill(&self, out: &mut [u8]) -> Result<(), RngError> {
        let spend = |calls: u64| calls.checked_sub(1);
        match self.calls_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, spend) {
            Ok(_) => SystemRng.fill(out),
            Err(_) => Err(RngError),
        }
    }
}

#[test]
fn no_shares_are_made_when_chance_fails_at_any_call() {
    let splits = |calls| {
        let rng = FailingRng { calls_left: AtomicU64::new(calls) };
        split_root_key(3, 3, &rng).map(drop)
    };
    // The set, the key, and two coefficients for each of its 32 bytes.
    let needed = 1 + 1 + 2 * 32;
    for calls in 0..needed {
        assert!(matches!(splits(calls), Err(CustodyError::Crypto(_))), "{calls} calls");
    }
    splits(needed).unwrap();
}
