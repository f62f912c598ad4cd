//! Charges as comma-separated values (RFC 4180), one line for each account, Region, key and price.

use std::io::{self, Write};

use super::Bill;

/// Writes a line, with quotes where they are needed.
pub(super) fn write_line<'a>(
    out: &mut impl Write,
    fields: impl Iterator<Item = &'a str>,
) -> io::Result<()> {
    let quoted = |field: &str| match field.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    };
    let fields: Vec<String> = fields.map(quoted).collect();
    write!(out, "{}\r\n", fields.join(","))
}

pub(super) fn write(bill: &Bill, out: &mut impl Write) -> io::Result<()> {
    let header = [
        "month",
        "account_id",
        "region",
        "key_arn",
        "item",
        "consumed",
        "consumed_unit",
        "quantity",
        "quantity_unit",
        "unit_price",
        "cost",
        "currency",
    ];
    write_line(out, header.into_iter())?;
    for charge in &bill.charges {
        let (consumed_unit, quantity_unit) = charge.item.units();
        let fields = [
            &bill.usage.month,
            &charge.account_id,
            &charge.region,
            &charge.key_arn,
            &charge.item.name(),
            &charge.consumed.to_string(),
            consumed_unit,
            &charge.quantity.to_string(),
            quantity_unit,
            &charge.unit_price.to_string(),
            &charge.cost.to_string(),
            &bill.tariff.currency,
        ];
        write_line(out, fields.into_iter())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let mut out = Vec::new();
        write_line(&mut out, ["plain", "a,b", "say \"x\"", "", "two\nlines"].into_iter()).unwrap();
        let expected = "plain,\"a,b\",\"say \"\"x\"\"\",,\"two\nlines\"\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
