//! Sequences written by hand: limits that random ones do not reach, and the faults that random ones have found.

use crate::generate::World;
use crate::in_process::InProcess;
use crate::names::{Account, KeyName, Material, Region};
use crate::rules::{At, DAY, KeyState, LIMIT_EXCEEDED, MINUTE, MaterialState, UNSUPPORTED};
use crate::run::{self, Seen};
use crate::step::{
    Call, CreateKey, ImportKeyMaterial, ImportType, KeySpec, Operation, Origin, Step, Verb,
};

const KEY: KeyName = KeyName(0);
const HERE: Region = Region::UsEast1;
const THERE: Region = Region::EuWest1;
const A_MINUTE: Step = Step::Advance { seconds: MINUTE };

/// Takes the steps; the server must agree with the model, whose world they lead to is returned.
fn agreed(steps: &[Step]) -> World {
    run::walk(&mut InProcess::new(), World::default(), steps, &Seen::default())
        .unwrap_or_else(|difference| panic!("{difference}"))
}

fn call(region: Region, operation: Operation) -> Step {
    Step::Call(Call { by: Account::First, region, operation })
}

fn create(origin: Origin) -> Step {
    let (key_spec, multi_region) = (KeySpec::SymmetricDefault, true);
    call(HERE, Operation::CreateKey(CreateKey { key: KEY, key_spec, origin, multi_region }))
}

fn on(region: Region, verb: Verb) -> Step {
    call(region, Operation::On(verb, KEY))
}

fn import(region: Region, bytes: u8, import_type: ImportType, valid_days: Option<u16>) -> Step {
    call(
        region,
        Operation::ImportKeyMaterial(ImportKeyMaterial {
            key: KEY,
            bytes,
            import_type: Some(import_type),
            valid_days,
            token: (KEY, region),
            description: None,
        }),
    )
}

fn move_primary() -> Step {
    call(HERE, Operation::UpdatePrimaryRegion { key: KEY, to: THERE })
}

/// A primary key and its replica key with imported material, and tokens for more.
fn imported() -> Vec<Step> {
    vec![
        create(Origin::External),
        on(HERE, Verb::GetParametersForImport),
        import(HERE, 0, ImportType::NewKeyMaterial, None),
        call(HERE, Operation::ReplicateKey { key: KEY, to: THERE, tag: 0 }),
        A_MINUTE,
        on(THERE, Verb::GetParametersForImport),
        import(THERE, 0, ImportType::ExistingKeyMaterial, None),
    ]
}

fn key_state(world: &World, region: Region) -> KeyState {
    world.model.place(At { key: KEY, region }).key_state
}

#[test]
fn a_key_is_rotated_on_demand_25_times() {
    let rotations = (0..26).map(|_| on(HERE, Verb::RotateKeyOnDemand));
    let steps: Vec<Step> = [create(Origin::AwsKms)].into_iter().chain(rotations).collect();
    let world = agreed(&steps);
    assert_eq!(world.outcome.err(), Some(LIMIT_EXCEEDED));
    assert_eq!(world.model.key(KEY).versions.len(), 26);
}

#[test]
fn a_primary_key_does_not_become_primary_where_it_is() {
    let to = HERE;
    let world = agreed(&[
        create(Origin::AwsKms),
        call(HERE, Operation::UpdatePrimaryRegion { key: KEY, to }),
    ]);
    assert_eq!(world.outcome.err(), Some(UNSUPPORTED));
}

#[test]
fn a_key_whose_material_expires_while_it_moves_waits_for_it() {
    let expiring = import(HERE, 0, ImportType::ExistingKeyMaterial, Some(1));
    let two_days = Step::Advance { seconds: 2 * DAY };
    let world = agreed(&[imported(), vec![expiring, move_primary(), two_days]].concat());
    assert_eq!(key_state(&world, HERE), KeyState::PendingImport);
    assert_eq!(key_state(&world, THERE), KeyState::Enabled);
}

#[test]
fn material_that_waited_for_a_replica_key_waits_no_more_when_that_is_gone() {
    let deleted = [
        import(HERE, 1, ImportType::NewKeyMaterial, None),
        call(THERE, Operation::ScheduleKeyDeletion { key: KEY, days: Some(7) }),
        Step::Advance { seconds: 8 * DAY },
        on(HERE, Verb::RotateKeyOnDemand),
    ];
    let world = agreed(&[imported(), deleted.to_vec()].concat());
    assert!(world.model.key(KEY).current() == Some(Material::Imported(1)));
}

#[test]
fn a_primary_key_is_not_rotated_to_material_that_it_lost_as_a_replica_key() {
    let lost = call(
        THERE,
        Operation::DeleteImportedKeyMaterial { key: KEY, material: Some(Material::Imported(1)) },
    );
    let steps = [
        import(HERE, 1, ImportType::NewKeyMaterial, None),
        import(THERE, 1, ImportType::ExistingKeyMaterial, None),
        lost,
        move_primary(),
        A_MINUTE,
        on(THERE, Verb::RotateKeyOnDemand),
    ];
    let world = agreed(&[imported(), steps.to_vec()].concat());
    assert_eq!(key_state(&world, THERE), KeyState::Enabled);
    assert!(world.model.key(KEY).versions[1].state == MaterialState::PendingRotation);
}
