//! What `/metrics` tells: requests by operation and result, their latency, connections, and the service's own counts.
//!
//! Labels are names from fixed lists or the operator's own, never anything that a caller wrote. Of ids there are the ARNs of at most
//! 100 keys. docs/metrics.md lists all, which a test compares with what is told.

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::MetricType,
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};
use service::{QuotaUse, ResourceQuotaUse, Service, Statistics};

use crate::event_sinks::EventSinkMetrics;
use crate::issuers::{KeyAges, KeySources};
use crate::refusals::{RefusalCounters, Refusals};
use crate::tls::Certificates;

/// Upper bounds of the latency histogram, in seconds.
const LATENCY_BUCKETS_SECONDS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
    10.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    operation: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OperationLabels {
    operation: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ReloadLabels {
    files: &'static str,
    result: &'static str,
}

type Latencies = Family<OperationLabels, Histogram, fn() -> Histogram>;

/// The counters, and the registry that writes them out.
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    latencies: Latencies,
    open: Family<ListenerLabels, Gauge>,
    accepted: Family<ListenerLabels, Counter>,
    handshakes_failed: Family<ListenerLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    refusals: RefusalCounters,
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(
        service: Service,
        key_sources: &Arc<KeySources>,
        event_sinks: Option<EventSinkMetrics>,
        certificates: Option<Arc<Certificates>>,
    ) -> Metrics {
        let new_histogram: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS_SECONDS);
        let mut metrics = Metrics {
            requests: Family::default(),
            latencies: Family::new_with_constructor(new_histogram),
            open: Family::default(),
            accepted: Family::default(),
            handshakes_failed: Family::default(),
            reloads: Family::default(),
            refusals: RefusalCounters::default(),
            registry: Registry::with_prefix("keystead"),
        };
        metrics.registry.register(
            "requests",
            "Requests answered, by operation and result",
            metrics.requests.clone(),
        );
        metrics.registry.register_with_unit(
            "request_duration",
            "From the end of a request's head to its answer",
            Unit::Seconds,
            metrics.latencies.clone(),
        );
        metrics.registry.register("connections", "Connections open now", metrics.open.clone());
        metrics.registry.register(
            "connections_accepted",
            "Connections accepted",
            metrics.accepted.clone(),
        );
        metrics.registry.register(
            "tls_handshakes_failed",
            "TLS handshakes that failed or took too long",
            metrics.handshakes_failed.clone(),
        );
        metrics.registry.register(
            "oidc_key_fetches",
            "Fetches of the keys of OIDC issuers, by issuer and result",
            key_sources.fetches(),
        );
        metrics.registry.register_collector(Box::new(KeyAges(Arc::clone(key_sources))));
        metrics.registry.register(
            "reloads",
            "Files read again while serving, by what they are and whether what they say is in force",
            metrics.reloads.clone(),
        );
        metrics.registry.register(
            "refused_requests",
            "Requests that never became whole or whose answer nobody took, by listener and reason",
            metrics.refusals.metric(),
        );
        metrics.registry.register_collector(Box::new(ServiceCollector(service)));
        if let Some(certificates) = certificates {
            metrics.registry.register_collector(Box::new(CertificateCollector(certificates)));
        }
        if let Some(event_sinks) = event_sinks {
            event_sinks.register(&mut metrics.registry);
        }
        metrics
    }

    /// Counts one answer.
    pub(crate) fn answered(&self, operation: &'static str, result: &'static str, took: Duration) {
        self.requests.get_or_create(&RequestLabels { operation, result }).inc();
        self.latencies.get_or_create(&OperationLabels { operation }).observe(took.as_secs_f64());
    }

    /// Counts files that were read again.
    pub(crate) fn reloaded(&self, files: &'static str, is_in_force: bool) {
        let result = if is_in_force { "in_force" } else { "refused" };
        self.reloads.get_or_create(&ReloadLabels { files, result }).inc();
    }

    /// The counters of the requests that one listener refuses.
    pub(crate) fn refusals(&self, listener: &'static str) -> Refusals {
        self.refusals.of(listener)
    }

    /// The counters of the connections of one listener.
    pub(crate) fn connections(&self, listener: &'static str) -> Connections {
        let labels = ListenerLabels { listener };
        Connections {
            open: self.open.get_or_create_owned(&labels),
            accepted: self.accepted.get_or_create_owned(&labels),
            handshakes_failed: self.handshakes_failed.get_or_create_owned(&labels),
            refusals: self.refusals(listener),
        }
    }

    /// Everything, in the text form of OpenMetrics.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// The counters of the connections of one listener.
#[derive(Clone)]
pub(crate) struct Connections {
    open: Gauge,
    accepted: Counter,
    handshakes_failed: Counter,
    refusals: Refusals,
}

impl Connections {
    /// Counters that nobody reads.
    pub(crate) fn new(refusals: Refusals) -> Connections {
        let (open, accepted) = (Gauge::default(), Counter::default());
        Connections { open, accepted, handshakes_failed: Counter::default(), refusals }
    }

    /// Counts a connection as open until the value is dropped.
    pub(crate) fn opened(&self) -> OpenConnection {
        self.accepted.inc();
        self.open.inc();
        OpenConnection(self.open.clone())
    }

    pub(crate) fn handshakes_failed(&self) -> Counter {
        self.handshakes_failed.clone()
    }

    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }
}

pub(crate) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Looks at the TLS certificates when somebody asks us.
struct CertificateCollector(Arc<Certificates>);

impl fmt::Debug for CertificateCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CertificateCollector")
    }
}

impl Collector for CertificateCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = encoder.encode_descriptor(
            "certificate_expiry_timestamp",
            "When the first certificate of the TLS chain in use expires, since 1970",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        ConstGauge::new(self.0.expiry_second()).encode(encoder)
    }
}

/// Asks the service when somebody asks us.
struct ServiceCollector(Service);

impl fmt::Debug for ServiceCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServiceCollector")
    }
}

impl Collector for ServiceCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Statistics {
            cached_keys,
            cached_keys_bytes,
            cache_hits,
            cache_misses,
            journal_records,
            journal_bytes,
            journal_syncs,
            journal_unsynced_records,
            store_position,
            request_quotas,
            resource_quotas,
            material_expirations,
        } = self.0.statistics();
        let health = self.0.health();
        let gauges = [
            ("cache_keys", "Keys held in memory", cached_keys),
            ("cache_weight_bytes", "What the keys held in memory weigh", cached_keys_bytes),
            ("store_position", "Sequence number of the store's last change", store_position),
            ("journal_healthy", "1 while records can be written", u64::from(health.journal)),
            (
                "journal_unsynced_records",
                "Records that a power cut would take now",
                journal_unsynced_records,
            ),
            ("trail_healthy", "1 while the trail can be delivered", u64::from(health.trail)),
            ("store_healthy", "1 while changes can be written", u64::from(health.store)),
        ];
        let counters = [
            ("cache_hits", "Look-ups of a key answered from memory", cache_hits),
            ("cache_misses", "Look-ups of a key that went to the store", cache_misses),
            ("journal_records", "Records written since the start", journal_records),
            ("journal_bytes", "Bytes of records written since the start", journal_bytes),
            ("journal_syncs", "Syncs of the journal since the start", journal_syncs),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)?;
        }
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)?;
        }
        encode_quotas(&mut encoder, &request_quotas)?;
        encode_resource_quotas(&mut encoder, &resource_quotas)?;
        encode_expirations(&mut encoder, &material_expirations)
    }
}

/// How long it is until imported material expires; nothing unless some does.
fn encode_expirations(
    encoder: &mut DescriptorEncoder<'_>,
    seconds: &[(String, i64)],
) -> fmt::Result {
    if seconds.is_empty() {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(
        "seconds_until_key_material_expiration",
        "Until the first imported material of a key expires; of the 100 keys whose material expires first",
        None,
        MetricType::Gauge,
    )?;
    for (key_arn, seconds) in seconds {
        let label = [("key_arn", key_arn.as_str())];
        ConstGauge::new(*seconds).encode(family.encode_family(&label)?)?;
    }
    Ok(())
}

/// The use of quotas of numbers of things; nothing unless they are counted.
fn encode_resource_quotas(
    encoder: &mut DescriptorEncoder<'_>,
    uses: &[ResourceQuotaUse],
) -> fmt::Result {
    if uses.is_empty() {
        return Ok(());
    }
    let mut used = encoder.encode_descriptor(
        "resource_quota_used",
        "How far the account and Region, or the key, that uses the quota most has used it up, from 0",
        None,
        MetricType::Gauge,
    )?;
    for quota_use in uses {
        let label = [("quota", quota_use.quota)];
        ConstGauge::new(quota_use.used).encode(used.encode_family(&label)?)?;
    }
    Ok(())
}

/// The use of request quotas; nothing unless they are counted.
fn encode_quotas(encoder: &mut DescriptorEncoder<'_>, uses: &[QuotaUse]) -> fmt::Result {
    if uses.is_empty() {
        return Ok(());
    }
    let label = |quota_use: &QuotaUse| [("quota", quota_use.quota)];
    let mut used = encoder.encode_descriptor(
        "request_quota_used",
        "How far the account and Region that use the quota most have used it up now, from 0 to 1",
        None,
        MetricType::Gauge,
    )?;
    for quota_use in uses {
        ConstGauge::new(quota_use.used).encode(used.encode_family(&label(quota_use))?)?;
    }
    let mut within = encoder.encode_descriptor(
        "request_quota_taken",
        "Calls within the quota",
        None,
        MetricType::Counter,
    )?;
    for quota_use in uses {
        ConstCounter::new(quota_use.taken).encode(within.encode_family(&label(quota_use))?)?;
    }
    let mut beyond = encoder.encode_descriptor(
        "request_quota_exceeded",
        "Calls beyond the quota, refused if quotas are enforced",
        None,
        MetricType::Counter,
    )?;
    for quota_use in uses {
        ConstCounter::new(quota_use.exceeded).encode(beyond.encode_family(&label(quota_use))?)?;
    }
    Ok(())
}
