//! What was used, priced: one charge for each account, Region, key and price.

use std::collections::BTreeMap;

use service::{KeyUse, RequestUse, Usage};

use super::{amount::Amount, tariff::Tariff};

/// Requests that a price is for.
const REQUESTS_PRICED: u64 = 10_000;

/// Something that is charged for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// A key, for the time that it stood.
    Key,
    /// What its first rotation adds.
    FirstRotation,
    /// What its second rotation adds.
    SecondRotation,
    /// Requests of a class.
    Requests {
        /// The class.
        class: String,
        /// Whether the free tier has them.
        is_free: bool,
    },
}

/// One charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    pub(super) account_id: String,
    pub(super) region: String,
    /// Empty for requests that are about no key that the meter knows.
    pub(super) key_arn: String,
    pub(super) item: Item,
    /// Requests, or hours of the clock.
    pub(super) consumed: u64,
    /// In what the price is for: 10,000 requests, or months.
    pub(super) quantity: Amount,
    pub(super) unit_price: Amount,
    pub(super) cost: Amount,
}

impl Item {
    /// Its name in tables and as a SKU.
    pub(super) fn name(&self) -> String {
        match self {
            Item::Key => "key".to_owned(),
            Item::FirstRotation => "first_rotation".to_owned(),
            Item::SecondRotation => "second_rotation".to_owned(),
            Item::Requests { class, is_free: false } => format!("requests_{class}"),
            Item::Requests { class, is_free: true } => format!("requests_{class}_free_tier"),
        }
    }

    /// The thing without the tier: what a price list calls it.
    pub(super) fn sku(&self) -> String {
        match self {
            Item::Requests { class, .. } => format!("requests_{class}"),
            Item::Key | Item::FirstRotation | Item::SecondRotation => self.name(),
        }
    }

    /// What is consumed, and what a price is for.
    pub(super) fn units(&self) -> (&'static str, &'static str) {
        match self {
            Item::Key | Item::FirstRotation | Item::SecondRotation => ("Hours", "Key-Months"),
            Item::Requests { .. } => ("Requests", "10000 Requests"),
        }
    }
}

/// What a month costs, in order of accounts, Regions and keys.
pub(super) fn charges(usage: &Usage, tariff: &Tariff) -> Vec<Charge> {
    let keys = usage.keys.iter().flat_map(|key| charges_of_key(key, usage.month_hours, tariff));
    let requests = charges_of_requests(&usage.requests, tariff);
    let mut charges: Vec<Charge> = keys.chain(requests).collect();
    charges.sort_by(|one, other| place(one).cmp(&place(other)));
    charges
}

fn place(charge: &Charge) -> (&str, &str, &str, &Item) {
    (&charge.account_id, &charge.region, &charge.key_arn, &charge.item)
}

fn charges_of_key(key: &KeyUse, month_hours: u64, tariff: &Tariff) -> Vec<Charge> {
    let prices = &tariff.key_month;
    let items = [
        (Item::Key, key.hours, prices.key),
        (Item::FirstRotation, key.first_rotation_hours, prices.first_rotation),
        (Item::SecondRotation, key.second_rotation_hours, prices.second_rotation),
    ];
    let charge = |(item, hours, unit_price): (Item, u64, Amount)| Charge {
        account_id: key.account_id.clone(),
        region: key.region.clone(),
        key_arn: key.arn.clone(),
        item,
        consumed: hours,
        quantity: Amount::one().share(hours, month_hours),
        unit_price,
        cost: unit_price.share(hours, month_hours),
    };
    items.into_iter().filter(|(_, hours, _)| *hours > 0).map(charge).collect()
}

/// The free tier goes to each account's first requests of the month, by day; within a day, in the order of the counters.
fn charges_of_requests(requests: &[RequestUse], tariff: &Tariff) -> Vec<Charge> {
    let mut free_left: BTreeMap<&str, u64> = BTreeMap::new();
    let mut sums: BTreeMap<(&str, &str, &str, &str, bool), u64> = BTreeMap::new();
    for request in requests {
        let RequestUse { account_id, region, key_arn, request_class, outcome, .. } = request;
        let is_billed = tariff.billed_outcomes.contains(outcome) && !account_id.is_empty();
        if !is_billed || !tariff.requests.contains_key(request_class) {
            continue;
        }
        let left = free_left.entry(account_id).or_insert(tariff.free_tier.requests_month);
        let is_eligible = tariff.free_tier.classes.contains(request_class);
        let free = if is_eligible { request.records.min(*left) } else { 0 };
        *left -= free;
        for (is_free, count) in [(true, free), (false, request.records - free)] {
            if count > 0 {
                let place = (&**account_id, &**region, &**key_arn, &**request_class, is_free);
                *sums.entry(place).or_default() += count;
            }
        }
    }
    let charge = |((account_id, region, key_arn, class, is_free), consumed)| {
        let price = tariff.requests.get(class).copied().unwrap_or_default();
        let unit_price = if is_free { Amount::default() } else { price };
        Charge {
            account_id: str::to_owned(account_id),
            region: str::to_owned(region),
            key_arn: str::to_owned(key_arn),
            item: Item::Requests { class: str::to_owned(class), is_free },
            consumed,
            quantity: Amount::one().share(consumed, REQUESTS_PRICED),
            unit_price,
            cost: unit_price.share(consumed, REQUESTS_PRICED),
        }
    };
    sums.into_iter().map(charge).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ONE: &str = "111122223333";
    const OTHER: &str = "444455556666";

    fn requests(day: u8, account_id: &str, region: &str, class: &str, records: u64) -> RequestUse {
        RequestUse {
            day: format!("2026-11-{day:02}"),
            account_id: account_id.to_owned(),
            region: region.to_owned(),
            key_id: String::new(),
            key_arn: String::new(),
            operation: "kms:Encrypt".to_owned(),
            request_class: class.to_owned(),
            outcome: "served".to_owned(),
            records,
        }
    }

    fn usage(requests: Vec<RequestUse>, keys: Vec<KeyUse>) -> Usage {
        let until = "2026-12-01T00:00:00Z".parse().unwrap();
        let (month, month_hours) = ("2026-11".to_owned(), 720);
        Usage { month, month_hours, until, journal_sequence: 0, journal_records: 0, requests, keys }
    }

    fn key(hours: [u64; 3]) -> KeyUse {
        let [hours, first_rotation_hours, second_rotation_hours] = hours;
        KeyUse {
            account_id: ONE.to_owned(),
            region: "us-east-1".to_owned(),
            key_id: "k".to_owned(),
            arn: "arn:k".to_owned(),
            key_spec: "SYMMETRIC_DEFAULT".to_owned(),
            hours,
            first_rotation_hours,
            second_rotation_hours,
        }
    }

    /// What each charge is for, how much of it, and its cost.
    fn told(usage: &Usage) -> Vec<(String, u64, String)> {
        let charges = charges(usage, &Tariff::read(None).unwrap());
        let told = |charge: Charge| {
            let place = format!("{}/{}/{}", charge.account_id, charge.region, charge.item.name());
            (place, charge.consumed, charge.cost.to_string())
        };
        charges.into_iter().map(told).collect()
    }

    fn expected(lines: &[(&str, u64, &str)]) -> Vec<(String, u64, String)> {
        let line = |(place, consumed, cost): &(&str, u64, &str)| {
            ((*place).to_owned(), *consumed, (*cost).to_owned())
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_free_tier_is_one_for_all_regions_and_goes_by_day() {
        let usage = usage(
            vec![
                requests(1, ONE, "us-east-1", "symmetric", 15_000),
                requests(2, ONE, "eu-central-1", "symmetric", 15_000),
                requests(2, OTHER, "eu-central-1", "symmetric", 20_001),
                requests(3, ONE, "us-east-1", "symmetric", 1),
            ],
            Vec::new(),
        );
        let lines = expected(&[
            ("111122223333/eu-central-1/requests_symmetric", 10_000, "0.0300000000"),
            ("111122223333/eu-central-1/requests_symmetric_free_tier", 5_000, "0.0000000000"),
            ("111122223333/us-east-1/requests_symmetric", 1, "0.0000030000"),
            ("111122223333/us-east-1/requests_symmetric_free_tier", 15_000, "0.0000000000"),
            ("444455556666/eu-central-1/requests_symmetric", 1, "0.0000030000"),
            ("444455556666/eu-central-1/requests_symmetric_free_tier", 20_000, "0.0000000000"),
        ]);
        assert_eq!(told(&usage), lines);
    }

    #[test]
    fn only_requests_of_the_first_class_are_free_and_only_served_ones_cost() {
        let mut refused = requests(1, ONE, "r", "rsa_2048", 7);
        refused.outcome = "refused".to_owned();
        let usage = usage(
            vec![
                requests(1, ONE, "r", "rsa_2048", 10_000),
                requests(1, ONE, "r", "asymmetric", 10_000),
                requests(1, ONE, "r", "data_key_pair", 10_000),
                requests(1, ONE, "r", "rsa_data_key_pair", 10_000),
                requests(1, ONE, "r", "free", 10_000),
                requests(1, "", "r", "symmetric", 10_000),
                refused,
            ],
            Vec::new(),
        );
        let lines = expected(&[
            ("111122223333/r/requests_asymmetric", 10_000, "0.1500000000"),
            ("111122223333/r/requests_data_key_pair", 10_000, "0.1000000000"),
            ("111122223333/r/requests_rsa_2048", 10_000, "0.0300000000"),
            ("111122223333/r/requests_rsa_data_key_pair", 10_000, "12.0000000000"),
        ]);
        assert_eq!(told(&usage), lines);
    }

    #[test]
    fn keys_are_charged_by_the_hour() {
        let usage = usage(Vec::new(), vec![key([720, 1, 0]), key([90, 0, 0])]);
        let lines = expected(&[
            ("111122223333/us-east-1/key", 720, "1.0000000000"),
            ("111122223333/us-east-1/key", 90, "0.1250000000"),
            ("111122223333/us-east-1/first_rotation", 1, "0.0013888889"),
        ]);
        assert_eq!(told(&usage), lines);
    }

    proptest! {
        /// However requests lie over days, Regions and keys, an account pays for what is beyond its free ones.
        #[test]
        fn requests_cost_what_their_number_costs(counts in prop::collection::vec((1_u8..29, 0_u8..3, 0_u64..9_000), 0..20)) {
            let sum: u64 = counts.iter().map(|(_, _, records)| records).sum();
            let mut uses: Vec<_> = counts
                .into_iter()
                .map(|(day, region, records)| requests(day, ONE, &region.to_string(), "symmetric", records))
                .collect();
            uses.sort_by(|one, other| one.day.cmp(&other.day));
            let tariff = Tariff::read(None).unwrap();
            let charges = charges(&usage(uses, Vec::new()), &tariff);
            let consumed: u64 = charges.iter().map(|charge| charge.consumed).sum();
            prop_assert_eq!(consumed, sum);
            let cost: Amount = charges.iter().map(|charge| charge.cost).sum();
            let price: Amount = "0.03".parse().unwrap();
            prop_assert_eq!(cost, price.share(sum.saturating_sub(20_000), 10_000));
        }
    }
}
