//! What `/metrics` tells of events: how many there were, what became of them, and what waits.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
    },
    registry::{Registry, Unit},
};
use service::{Clock, DetailType};

use super::queue::{Queue, Waiting};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabels {
    detail_type: &'static str,
}

/// The sink is one that the operator named.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct DeliveryLabels {
    sink: String,
    result: &'static str,
}

/// Counters of events and deliveries.
#[derive(Clone)]
pub(crate) struct EventCounters {
    events: Family<EventLabels, Counter>,
    deliveries: Family<DeliveryLabels, Counter>,
}

impl EventCounters {
    /// All at zero, and there: of a counter that appears with its first event, no increase is seen.
    pub(super) fn new() -> EventCounters {
        let (events, deliveries) = (Family::<EventLabels, Counter>::default(), Family::default());
        for detail_type in DetailType::ALL.map(DetailType::as_str) {
            drop(events.get_or_create(&EventLabels { detail_type }));
        }
        EventCounters { events, deliveries }
    }

    /// Counts an event.
    pub(super) fn told(&self, detail_type: DetailType) {
        self.events.get_or_create(&EventLabels { detail_type: detail_type.as_str() }).inc();
    }

    /// The counter of the deliveries to a sink that ended so.
    pub(super) fn deliveries(&self, sink: &str, result: &'static str) -> Counter {
        self.deliveries.get_or_create_owned(&DeliveryLabels { sink: sink.to_owned(), result })
    }
}

/// Looks at the queue when somebody asks us.
pub(crate) struct EventSinkMetrics {
    pub(super) queue: Arc<Queue>,
    pub(super) counters: EventCounters,
    pub(super) clock: Arc<dyn Clock>,
}

impl EventSinkMetrics {
    /// Registers them.
    pub(crate) fn register(self, registry: &mut Registry) {
        registry.register(
            "events",
            "Events since the start, by what they are about",
            self.counters.events.clone(),
        );
        registry.register(
            "event_deliveries",
            "Attempts to deliver an event, by sink and result",
            self.counters.deliveries.clone(),
        );
        registry.register_collector(Box::new(self));
    }
}

impl fmt::Debug for EventSinkMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("EventSinkMetrics")
    }
}

impl Collector for EventSinkMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let now = self.clock.now().as_second();
        let all = self.queue.waiting();
        let label = |waiting: &Waiting| [("sink", waiting.sink.clone())];
        let mut family = encoder.encode_descriptor(
            "events_waiting",
            "Events that wait for a sink",
            None,
            MetricType::Gauge,
        )?;
        for waiting in &all {
            ConstGauge::new(waiting.count).encode(family.encode_family(&label(waiting))?)?;
        }
        let mut family = encoder.encode_descriptor(
            "events_waiting_age",
            "Since the oldest event happened that waits for a sink; 0 if none does",
            Some(&Unit::Seconds),
            MetricType::Gauge,
        )?;
        for waiting in &all {
            let since = |second: i64| now.saturating_sub(second).max(0);
            let age = waiting.oldest_second.map_or(0, since);
            ConstGauge::new(age).encode(family.encode_family(&label(waiting))?)?;
        }
        let mut family = encoder.encode_descriptor(
            "events_dropped",
            "Events that a sink lost, since too many waited",
            None,
            MetricType::Counter,
        )?;
        for waiting in &all {
            let counter = ConstCounter::new(waiting.dropped_count);
            counter.encode(family.encode_family(&label(waiting))?)?;
        }
        Ok(())
    }
}
