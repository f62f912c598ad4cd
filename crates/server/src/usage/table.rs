//! Charges for people: a line for each account, Region and price, a sum for each account, and what was not charged for.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use super::{Bill, amount::Amount};

/// Digits behind the point of money in the table; the other formats tell all.
const DECIMALS: usize = 4;

pub(super) fn write(bill: &Bill, out: &mut impl Write) -> io::Result<()> {
    let Bill { usage, tariff, charges } = bill;
    writeln!(out, "{} up to {}, {} of {}\n", usage.month, usage.until, tariff.name, tariff.as_of)?;
    let mut lines: BTreeMap<(&str, &str, String), (u64, &str, Amount)> = BTreeMap::new();
    let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
    for charge in charges {
        let (unit, _) = charge.item.units();
        let place = (&*charge.account_id, &*charge.region, charge.item.name());
        let line = lines.entry(place).or_insert((0, unit, Amount::default()));
        line.0 = line.0.saturating_add(charge.consumed);
        line.2 = line.2 + charge.cost;
        let sum = sums.entry(&charge.account_id).or_default();
        *sum = *sum + charge.cost;
    }
    writeln!(
        out,
        "{:12}  {:15}  {:36}  {:>18}  {:>14}",
        "ACCOUNT", "REGION", "ITEM", "CONSUMED", tariff.currency
    )?;
    for ((account_id, region, item), (consumed, unit, cost)) in lines {
        let consumed = format!("{consumed} {}", unit.to_lowercase());
        let cost = cost.rounded(DECIMALS);
        writeln!(out, "{account_id:12}  {region:15}  {item:36}  {consumed:>18}  {cost:>14}")?;
    }
    writeln!(out)?;
    for (account_id, sum) in sums {
        writeln!(out, "{account_id:12}  {:>89}", sum.rounded(DECIMALS))?;
    }
    writeln!(out, "{:12}  {:>89}\n", "total", bill.total().rounded(DECIMALS))?;
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    for request in &usage.requests {
        *outcomes.entry(&request.outcome).or_default() += request.records;
    }
    let outcomes: Vec<String> =
        outcomes.iter().map(|(outcome, records)| format!("{records} {outcome}")).collect();
    writeln!(
        out,
        "Records of the month: {}. The journal's {} records up to frame {} are counted.",
        if outcomes.is_empty() { "none".to_owned() } else { outcomes.join(", ") },
        usage.journal_records,
        usage.journal_sequence
    )
}
