//! What happens by itself: deletion, expiry of imported material, automatic rotation, and the end of the states that last only
//! seconds.

use super::{At, DAY, Key, KeyState, Model, Rotation, RotationType, Seconds};
use crate::names::{KeyName, Material, Region};
use crate::step::Origin;

impl Model {
    /// Does all that is due, and what falls due by it.
    pub(super) fn settle(&mut self) {
        let names: Vec<KeyName> = self.keys.keys().copied().collect();
        for name in names {
            self.delete(name);
            self.expire(name);
            self.arrive(name);
            self.rotate(name);
        }
    }

    /// A key goes on its date, with its aliases. The time of a primary key begins when the last of its replica keys is gone.
    fn delete(&mut self, name: KeyName) {
        let now = self.now;
        let is_due = |at: &At| self.place(*at).deletion_date.is_some_and(|date| date <= now);
        let due: Vec<At> = self.everywhere().filter(|at| at.key == name).filter(is_due).collect();
        for at in due {
            let key = self.key_mut(name);
            let account = key.account;
            key.places.remove(&at.region);
            let is_last = key.replica_regions().is_empty();
            key.settle_pending_rotation();
            if let Some(primary) = key.places.get_mut(&key.primary)
                && primary.key_state == KeyState::PendingReplicaDeletion
                && is_last
            {
                primary.key_state = KeyState::PendingDeletion;
                primary.deletion_date = Some(now + i64::from(primary.pending_window_days) * DAY);
            }
            self.aliases.retain(|(owner, region, _), target| {
                (*owner, *region, *target) != (account, at.region, name)
            });
        }
    }

    /// Imported material goes on its date, as if it were deleted.
    fn expire(&mut self, name: KeyName) {
        let now = self.now;
        let key = self.key_mut(name);
        let due: Vec<(Region, Material)> = key
            .places
            .iter()
            .flat_map(|(region, place)| {
                let expired = place.imports.iter().filter(|(_, import)| import.is_due(now));
                expired.map(|(material, _)| (*region, *material))
            })
            .collect();
        for (region, material) in due {
            key.lose(region, material);
        }
    }

    /// A replica key is there, a primary key has moved; whoever lacks imported material waits for it.
    fn arrive(&mut self, name: KeyName) {
        let key = self.key_mut(name);
        let regions: Vec<Region> = key.places.keys().copied().collect();
        for region in regions {
            let lacks_material = key.lacks_material(region);
            if let Some(place) = key.places.get_mut(&region)
                && matches!(place.key_state, KeyState::Creating | KeyState::Updating)
            {
                place.key_state = match lacks_material {
                    true => KeyState::PendingImport,
                    false => KeyState::Enabled,
                };
            }
        }
    }

    /// A key is rotated on its date if it is enabled. One that was not is rotated once as soon as it is; nothing is made up for.
    fn rotate(&mut self, name: KeyName) {
        let now = self.now;
        let Some(Rotation { period_days, enabled, next }) = self.key(name).due(now) else { return };
        let period = i64::from(period_days) * DAY;
        let next = if next + period > now { next + period } else { now + period };
        let material = self.fresh_material();
        let key = self.key_mut(name);
        key.rotation = Some(Rotation { period_days, enabled, next });
        key.rotate(material, RotationType::Automatic, now);
    }

    /// All dates on which something is due, for whoever chooses how far the clock moves.
    pub(crate) fn dates(&self) -> Vec<Seconds> {
        let mut dates: Vec<Seconds> = self.tokens.values().copied().collect();
        for key in self.keys.values() {
            // An automatic rotation casts its shadow: see `CONFLICT_WINDOW`.
            dates.extend(key.rotation.iter().flat_map(|row| [row.next, row.next - 20 * 60]));
            for place in key.places.values() {
                dates.extend(place.deletion_date);
                dates.extend(place.imports.values().filter_map(|import| import.valid_to));
            }
        }
        dates
    }
}

impl Key {
    /// The rotation that is due now.
    fn due(&self, now: Seconds) -> Option<Rotation> {
        let primary = self.places.get(&self.primary)?;
        let can_rotate = primary.key_state == KeyState::Enabled && self.origin == Origin::AwsKms;
        self.rotation.filter(|rotation| can_rotate && rotation.next <= now)
    }
}

impl super::Import {
    fn is_due(&self, now: Seconds) -> bool {
        self.is_here && self.valid_to.is_some_and(|date| date <= now)
    }
}
