//! Runs sequences, finds the shortest that fails, and says how to see it again.

use std::fmt::{self, Display};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner, contextualize_config};

use crate::answers::Difference;
use crate::driver::Driver;
use crate::generate::{World, sequences};
use crate::step::Step;
use crate::subject::Subject;

/// Attempts to make a failing sequence shorter.
const SHRINKS_MAX: u32 = 400;

/// Counts the steps that were taken, so that those behind the first difference are dropped at once.
pub(crate) type Seen = Option<Arc<AtomicUsize>>;

/// A server that differs from the model, and the shortest way to see it.
pub(crate) struct Failure {
    pub(crate) seed: u64,
    pub(crate) difference: String,
    pub(crate) steps: Vec<Step>,
}

/// Runs so many sequences, each on a fresh server, on all cores. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` say otherwise how many
/// and with which seed to begin; each further sequence has the next one.
pub(crate) fn run<S: Subject>(sequences_count: u32, fresh: impl Fn() -> S + Sync) {
    let config = contextualize_config(Config { cases: sequences_count, ..Config::default() });
    let first_seed = match config.rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => u64::from(TestRunner::new(Config::default()).rng().next_u32()),
    };
    let (taken, has_failed) = (AtomicU32::new(0), AtomicBool::new(false));
    let failures = Mutex::new(Vec::new());
    let work = || {
        while !has_failed.load(Ordering::SeqCst) {
            let number = taken.fetch_add(1, Ordering::SeqCst);
            if number >= config.cases {
                break;
            }
            if let Err(failure) = run_one(first_seed + u64::from(number), &fresh) {
                has_failed.store(true, Ordering::SeqCst);
                failures.lock().unwrap().push(failure.to_string());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs the sequence of a seed.
pub(crate) fn run_one<S: Subject>(seed: u64, fresh: impl Fn() -> S) -> Result<(), Failure> {
    let config = Config {
        cases: 1,
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        max_shrink_iters: SHRINKS_MAX,
        ..Config::default()
    };
    let outcome = TestRunner::new(config).run(
        &sequences(S::SETTLES_AFTER_EACH_CALL),
        |(world, steps, seen)| {
            walk(&mut fresh(), world, &steps, &seen).map(drop).map_err(TestCaseError::fail)
        },
    );
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(difference, (world, steps, _))) => {
            let failure = Failure { seed, difference: difference.to_string(), steps };
            Err(shorten(failure, &world, fresh))
        }
        Err(TestError::Abort(reason)) => {
            Err(Failure { seed, difference: reason.to_string(), steps: Vec::new() })
        }
    }
}

/// Leaves out steps one by one until every one is needed. The shrinker goes through them once, so what was needed only by a step
/// that it took away later is there still.
fn shorten<S: Subject>(mut failure: Failure, world: &World, fresh: impl Fn() -> S) -> Failure {
    let mut number = failure.steps.len();
    while number > 0 {
        number -= 1;
        let mut steps = failure.steps.clone();
        steps.remove(number);
        if world.allows_all(&steps)
            && let Err(difference) = walk(&mut fresh(), world.clone(), &steps, &None)
        {
            number = steps.len();
            failure = Failure { difference, steps, ..failure };
        }
    }
    failure
}

/// Takes the steps of one sequence on a server, and looks at everything once more after a restart.
pub(crate) fn walk(
    subject: &mut impl Subject,
    mut world: World,
    steps: &[Step],
    seen: &Seen,
) -> Result<World, Difference> {
    let mut driver = Driver::new(subject);
    for step in steps {
        if let Some(seen) = seen {
            seen.fetch_add(1, Ordering::SeqCst);
        }
        world = world.take(step);
        driver.take(&world.model, step, &world.outcome)?;
    }
    driver.take(&world.model, &Step::Restart, &world.outcome)?;
    Ok(world)
}

impl Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "\n{}\nafter these steps:", self.difference)?;
        for (number, step) in (1..).zip(&self.steps) {
            writeln!(formatter, "{number:3}. {step:?}")?;
        }
        let seed = self.seed;
        writeln!(
            formatter,
            "Again: the same command with PROPTEST_RNG_SEED={seed} PROPTEST_CASES=1"
        )
    }
}
