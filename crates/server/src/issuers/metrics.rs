//! What `/metrics` tells of keys that are fetched: fetches by issuer and result, and how old the keys are.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, gauge::ConstGauge},
    registry::Unit,
};

use super::KeySources;

/// The labels of fetches. The issuer is one that the operator named, or `discovered`.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(crate) struct FetchLabels {
    pub(super) issuer: String,
    pub(super) result: &'static str,
}

/// Asks for the age of keys when somebody asks us.
pub(crate) struct KeyAges(pub(crate) Arc<KeySources>);

impl fmt::Debug for KeyAges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyAges")
    }
}

impl Collector for KeyAges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let ages: Vec<_> = self.0.ages_seconds().collect();
        if ages.is_empty() {
            return Ok(());
        }
        let mut family = encoder.encode_descriptor(
            "oidc_keys_age",
            "Since the keys of an OIDC issuer were fetched",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for (issuer, seconds) in ages {
            ConstGauge::new(seconds).encode(family.encode_family(&[("issuer", issuer)])?)?;
        }
        Ok(())
    }
}
