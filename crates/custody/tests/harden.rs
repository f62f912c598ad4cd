//! A hardened process leaves no core and lets no debugger of its own user in.

use rustix::process::{DumpableBehavior, Resource, dumpable_behavior, getrlimit};

#[test]
fn a_hardened_process_is_not_dumped() {
    custody::harden_process().unwrap();
    assert_eq!(dumpable_behavior(), Ok(DumpableBehavior::NotDumpable));
    let core = getrlimit(Resource::Core);
    assert_eq!((core.current, core.maximum), (Some(0), Some(0)));
    // Twice is no harm: a hard limit of 0 can be set to 0 again.
    custody::harden_process().unwrap();
}
