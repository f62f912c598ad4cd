//! Charges with the columns of FOCUS, the FinOps Open Cost and Usage Specification, version 1.2.
//!
//! All columns are there that the specification demands of a provider without commitments, reservations, availability zones
//! and invoices in other currencies, in the order of their names. Where it allows null, a field may be empty.

use std::io::{self, Write};

use service::{InvalidMonth, Month};

use super::{Bill, charges::Charge, csv::write_line};

/// Whose service it is, for all that FOCUS asks a company's name for.
const PROVIDER: &str = "Keystead";

/// A charge and the month that it is of.
struct Line<'a> {
    bill: &'a Bill,
    charge: &'a Charge,
    start: &'a str,
    end: &'a str,
}

/// A column's name and what stands in it.
type Column = (&'static str, fn(&Line<'_>) -> String);

/// The columns in their order.
const COLUMNS: &[Column] = &[
    ("BilledCost", |line| line.charge.cost.to_string()),
    ("BillingAccountId", |line| line.charge.account_id.clone()),
    ("BillingAccountName", |_| String::new()),
    ("BillingAccountType", |_| "Account".to_owned()),
    ("BillingCurrency", |line| line.bill.tariff.currency.clone()),
    ("BillingPeriodEnd", |line| line.end.to_owned()),
    ("BillingPeriodStart", |line| line.start.to_owned()),
    ("ChargeCategory", |_| "Usage".to_owned()),
    ("ChargeClass", |_| String::new()),
    ("ChargeDescription", |line| line.description()),
    ("ChargeFrequency", |_| "Usage-Based".to_owned()),
    ("ChargePeriodEnd", |line| line.end.to_owned()),
    ("ChargePeriodStart", |line| line.start.to_owned()),
    ("ConsumedQuantity", |line| line.charge.consumed.to_string()),
    ("ConsumedUnit", |line| line.consumed_unit()),
    ("ContractedCost", |line| line.charge.cost.to_string()),
    ("ContractedUnitPrice", |line| line.charge.unit_price.to_string()),
    ("EffectiveCost", |line| line.charge.cost.to_string()),
    ("InvoiceId", |_| String::new()),
    ("InvoiceIssuerName", |_| PROVIDER.to_owned()),
    ("ListCost", |line| line.charge.cost.to_string()),
    ("ListUnitPrice", |line| line.charge.unit_price.to_string()),
    ("PricingCategory", |_| "Standard".to_owned()),
    ("PricingCurrency", |line| line.bill.tariff.currency.clone()),
    ("PricingCurrencyContractedUnitPrice", |line| line.charge.unit_price.to_string()),
    ("PricingCurrencyEffectiveCost", |line| line.charge.cost.to_string()),
    ("PricingCurrencyListUnitPrice", |line| line.charge.unit_price.to_string()),
    ("PricingQuantity", |line| line.charge.quantity.to_string()),
    ("PricingUnit", |line| line.pricing_unit()),
    ("ProviderName", |_| PROVIDER.to_owned()),
    ("PublisherName", |_| PROVIDER.to_owned()),
    ("RegionId", |line| line.charge.region.clone()),
    ("RegionName", |line| line.charge.region.clone()),
    ("ResourceId", |line| line.charge.key_arn.clone()),
    ("ResourceName", |line| line.key_id()),
    ("ResourceType", |line| line.resource_type()),
    ("ServiceCategory", |_| "Security".to_owned()),
    ("ServiceName", |_| "Key Management Service".to_owned()),
    ("ServiceSubcategory", |_| "Secret Management".to_owned()),
    ("SkuId", |line| line.charge.item.sku()),
    ("SkuMeter", |line| line.consumed_unit()),
    ("SkuPriceDetails", |_| String::new()),
    ("SkuPriceId", |line| line.price_id()),
    ("SubAccountId", |line| line.charge.account_id.clone()),
    ("SubAccountName", |_| String::new()),
    ("SubAccountType", |_| "Account".to_owned()),
    ("Tags", |_| "{}".to_owned()),
];

impl Line<'_> {
    fn description(&self) -> String {
        let Charge { item, unit_price, .. } = self.charge;
        let unit = self.pricing_unit();
        format!("{} at {unit_price} for {unit}, {}", item.name(), self.bill.tariff.name)
    }

    fn consumed_unit(&self) -> String {
        self.charge.item.units().0.to_owned()
    }

    fn pricing_unit(&self) -> String {
        self.charge.item.units().1.to_owned()
    }

    fn key_id(&self) -> String {
        let key_id = self.charge.key_arn.rsplit_once('/').map(|(_, key_id)| key_id);
        key_id.unwrap_or_default().to_owned()
    }

    fn resource_type(&self) -> String {
        let is_about_key = !self.charge.key_arn.is_empty();
        if is_about_key { "AWS::KMS::Key" } else { "" }.to_owned()
    }

    fn price_id(&self) -> String {
        format!("{}@{}", self.charge.item.name(), self.bill.tariff.as_of)
    }
}

pub(super) fn write(bill: &Bill, out: &mut impl Write) -> io::Result<()> {
    let month: Month =
        bill.usage.month.parse().map_err(|error: InvalidMonth| io::Error::other(error))?;
    let (start, end) = (month.start().to_string(), month.end().to_string());
    write_line(out, COLUMNS.iter().map(|(name, _)| *name))?;
    for charge in &bill.charges {
        let line = Line { bill, charge, start: &start, end: &end };
        let values: Vec<String> = COLUMNS.iter().map(|(_, value)| value(&line)).collect();
        write_line(out, values.iter().map(String::as_str))?;
    }
    Ok(())
}
