//! Hardening of the process that holds keys.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

use crate::CustodyError;

/// Keeps this process out of core dumps and away from the debuggers of its own user.
///
/// `PR_SET_DUMPABLE` 0 (prctl(2)) and `RLIMIT_CORE` 0. Call it first in `main`, before any key is
/// read. Root can still attach a debugger: against root only
/// [`crate::arena::Backing::SecretMemory`] stands.
///
/// # Errors
/// [`CustodyError::Harden`] naming the call that the kernel refused.
pub fn harden_process() -> Result<(), CustodyError> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| CustodyError::Harden { step: "PR_SET_DUMPABLE", cause: errno.into() })?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })
        .map_err(|errno| CustodyError::Harden { step: "RLIMIT_CORE", cause: errno.into() })
}
