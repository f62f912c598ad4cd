//! A root key in shares, of which any `threshold` make it and fewer tell nothing of it.
//!
//! Shamir's scheme over GF(2^8) (A. Shamir, "How to Share a Secret", 1979), each byte of the key by itself, by `vsss-rs`: its
//! arithmetic looks nothing up by a secret. A share as its holder has it:
//!
//! ```text
//! share = "keystead-share-1-" || hex(set || x || y_1 ... y_32 || c)
//! c     = the first 4 bytes of SHA-256(set || x || y)
//! ```
//!
//! `set` is random and says which splitting the share is of; `c` tells a slip of the pen and is no secret's proof.

use std::convert::Infallible;

use aws_lc_rs::digest::{SHA256, digest};
use crypto::{KEY_BYTES, Rng, RngError, rng};
use rand_core::{TryCryptoRng, TryRng};
use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

use super::{LockedRootKey, hexadecimal};
use crate::CustodyError;

/// The fewest shares that make a key; with one it would be no sharing.
pub const THRESHOLD_MIN: u8 = 2;
/// The most shares of a key.
pub const SHARES_MAX: u8 = 16;

const SET_BYTES: usize = 8;
const CHECK_BYTES: usize = 4;
/// The number of the share and its bytes of the key.
const POINT_BYTES: usize = 1 + KEY_BYTES;
const SHARE_BYTES: usize = SET_BYTES + POINT_BYTES + CHECK_BYTES;
const PREFIX: &str = "keystead-share-1-";

/// Which shares make a root key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareParameters {
    set: [u8; SET_BYTES],
    shares: u8,
    threshold: u8,
}

impl ShareParameters {
    fn new(set: [u8; SET_BYTES], shares: u8, threshold: u8) -> Option<ShareParameters> {
        let is_bounded = THRESHOLD_MIN <= threshold && threshold <= shares && shares <= SHARES_MAX;
        is_bounded.then_some(ShareParameters { set, shares, threshold })
    }

    /// How many shares make the key.
    #[must_use]
    pub const fn threshold(&self) -> u8 {
        self.threshold
    }

    /// `set || [shares]_8 || [threshold]_8`
    pub(super) fn to_bytes(self) -> Vec<u8> {
        [self.set.as_slice(), &[self.shares, self.threshold]].concat()
    }

    /// Refuses what is out of bounds.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<ShareParameters> {
        let (set, &[shares, threshold]) = bytes.split_first_chunk()? else { return None };
        ShareParameters::new(*set, shares, threshold)
    }
}

/// A text is no share of this form, or a slip was made in copying it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a share: it begins with keystead-share-1- and has 90 hexadecimal digits; was it copied whole?"
)]
pub struct InvalidShare;

/// One share.
///
/// ```compile_fail,E0277
/// fn shown<T: std::fmt::Debug>() {}
/// shown::<custody::Share>();
/// ```
pub struct Share(Zeroizing<[u8; SHARE_BYTES]>);

impl Share {
    fn new(set: &[u8; SET_BYTES], point: &[u8]) -> Option<Share> {
        let mut bytes = Zeroizing::new([0; SHARE_BYTES]);
        let (place, rest) = bytes.split_first_chunk_mut()?;
        *place = *set;
        let (place, check_place) = rest.split_first_chunk_mut::<POINT_BYTES>()?;
        *place = *<&[u8; POINT_BYTES]>::try_from(point).ok()?;
        check_place.copy_from_slice(&check(set, place)?);
        Some(Share(bytes))
    }

    /// Reads a share as its holder has it; blanks around it are passed over.
    ///
    /// # Errors
    /// [`InvalidShare`].
    pub fn parse(text: &str) -> Result<Share, InvalidShare> {
        let digits = text.trim().strip_prefix(PREFIX).ok_or(InvalidShare)?;
        let mut bytes = Zeroizing::new([0; SHARE_BYTES]);
        hexadecimal::read(digits.as_bytes(), bytes.as_mut_slice()).ok_or(InvalidShare)?;
        let share = Share(bytes);
        let (set, point, found) = share.parts().ok_or(InvalidShare)?;
        let is_whole = check(set, point).is_some_and(|expected| expected == *found);
        if is_whole { Ok(share) } else { Err(InvalidShare) }
    }

    /// As its holder is to have it.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut digits = Zeroizing::new([0; 2 * SHARE_BYTES]);
        hexadecimal::write(self.0.as_slice(), digits.as_mut_slice());
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + digits.len()));
        text.push_str(PREFIX);
        text.extend(digits.iter().copied().map(char::from));
        text
    }

    /// Its number among the shares of its set, from 1.
    pub(super) fn number(&self) -> u8 {
        self.parts().and_then(|(_, point, _)| point.first().copied()).unwrap_or(0)
    }

    /// Whether it is of these shares.
    pub(super) fn is_of(&self, parameters: &ShareParameters) -> bool {
        let is_of_set = self.parts().is_some_and(|(set, ..)| *set == parameters.set);
        is_of_set && (1..=parameters.shares).contains(&self.number())
    }

    fn parts(&self) -> Option<(&[u8; SET_BYTES], &[u8; POINT_BYTES], &[u8; CHECK_BYTES])> {
        let (set, rest) = self.0.split_first_chunk()?;
        let (point, rest) = rest.split_first_chunk()?;
        Some((set, point, rest.try_into().ok()?))
    }
}

fn check(set: &[u8; SET_BYTES], point: &[u8; POINT_BYTES]) -> Option<[u8; CHECK_BYTES]> {
    let mut bytes = Zeroizing::new([0; SET_BYTES + POINT_BYTES]);
    let (place, rest) = bytes.split_first_chunk_mut()?;
    *place = *set;
    rest.copy_from_slice(point);
    digest(&SHA256, bytes.as_slice()).as_ref().first_chunk().copied()
}

/// Draws a root key and splits it, so that any `threshold` of its `shares` make it.
///
/// # Errors
/// [`CustodyError::ShareCounts`] unless 2 <= threshold <= shares <= 16; failures of chance and locked memory.
pub fn split_root_key(
    shares: u8,
    threshold: u8,
    rng: &dyn Rng,
) -> Result<(LockedRootKey, ShareParameters, Vec<Share>), CustodyError> {
    let set = rng::array(rng)?;
    let parameters =
        ShareParameters::new(set, shares, threshold).ok_or(CustodyError::ShareCounts)?;
    let key = LockedRootKey::draw(rng)?;
    let mut coefficients = Coefficients { rng, failed: false };
    let points =
        Gf256::split_bytes(threshold.into(), shares.into(), key.expose(), &mut coefficients);
    let mut points = points.map_err(|_| CustodyError::ShareCounts)?;
    let split: Option<Vec<Share>> = points.iter().map(|point| Share::new(&set, point)).collect();
    points.iter_mut().for_each(Zeroize::zeroize);
    match split {
        Some(split) if !coefficients.failed => Ok((key, parameters, split)),
        Some(_) | None => Err(CustodyError::Crypto(RngError.into())),
    }
}

/// Makes the root key of `threshold` shares with different numbers. Whether it is the right one, its header tells.
///
/// # Errors
/// [`CustodyError::RootKeyRefused`] for too few shares or two of one number; failures of locked memory.
pub(super) fn join_shares(shares: &[Share]) -> Result<LockedRootKey, CustodyError> {
    let point = |share: &Share| share.parts().map(|(_, point, _)| point.to_vec());
    let points: Option<Vec<Vec<u8>>> = shares.iter().map(point).collect();
    let points = Zeroizing::new(points.ok_or(CustodyError::RootKeyRefused)?);
    let joined = Gf256::combine_bytes(&*points).map_err(|_| CustodyError::RootKeyRefused)?;
    let joined = Zeroizing::new(joined);
    LockedRootKey::copy(joined.first_chunk().ok_or(CustodyError::RootKeyRefused)?)
}

/// Chance as `vsss-rs` takes it, which knows of no failure: one is remembered, and the shares are thrown away.
struct Coefficients<'a> {
    rng: &'a dyn Rng,
    failed: bool,
}

impl TryRng for Coefficients<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.failed |= self.rng.fill(out).is_err();
        Ok(())
    }
}

impl TryCryptoRng for Coefficients<'_> {}
