//! What operators see: log lines and metrics.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use actix_web::http::StatusCode;
use metrics::{Counter, Histogram, counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;
use crate::route::Route;

/// Why a text cannot be `SOKO_LOG`.
pub fn fault_of(filter: &str) -> Option<String> {
    EnvFilter::builder()
        .parse(filter)
        .err()
        .map(|cause| cause.to_string())
}

/// Log lines go to standard error: what a command prints for people or programs stays apart.
pub fn log(filter: &str, format: LogFormat) {
    let filter = EnvFilter::builder().parse_lossy(filter);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A test may have set up its own; it stays.
    let _ = match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
}

/// Seconds; from a catalogue page out of memory to the deadline of a request.
const DURATION_BUCKETS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The metrics of this process, which [`Metrics::upkeep`] must tidy up from time to time.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    pub const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

    /// The one recorder of the process; from here on `metrics`' macros write to it.
    pub fn installed() -> Self {
        static INSTALLED: OnceLock<PrometheusHandle> = OnceLock::new();
        let handle = INSTALLED.get_or_init(|| {
            let mut builder = PrometheusBuilder::new();
            for suffix in ["_seconds", "_duration"] {
                let matcher = Matcher::Suffix(suffix.to_owned());
                // Refused only if the list were empty.
                if let Ok(with_buckets) = PrometheusBuilder::new()
                    .set_buckets_for_metric(matcher.clone(), DURATION_BUCKETS)
                {
                    drop(with_buckets);
                    builder = builder
                        .set_buckets_for_metric(matcher, DURATION_BUCKETS)
                        .unwrap_or_default();
                }
            }
            let recorder = builder.build_recorder();
            let handle = recorder.handle();
            if metrics::set_global_recorder(recorder).is_err() {
                tracing::warn!("metrics are recorded elsewhere, /metrics stays empty");
            }
            describe_counter!("soko_http_requests_total", "Requests answered.");
            describe_histogram!(
                "soko_http_request_seconds",
                "From the head of a request to that of its answer."
            );
            handle
        });
        Self(handle.clone())
    }

    /// In the text format of Prometheus.
    pub fn render(&self) -> String {
        self.0.render()
    }

    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

/// The counters of one thread's requests, found once for each route and status.
#[derive(Default)]
pub struct RequestMetrics(RefCell<HashMap<(usize, u16), (Counter, Histogram)>>);

impl RequestMetrics {
    pub fn note(&self, route: Option<&'static Route>, status: StatusCode, elapsed: Duration) {
        let key = (
            route.map_or(0, |route| std::ptr::from_ref(route).addr()),
            status.as_u16(),
        );
        let mut known = self.0.borrow_mut();
        let (count, duration) = known.entry(key).or_insert_with(|| {
            let path = route.map_or("none", |route| route.path.as_str());
            let method = route.map_or("none", |route| route.method.as_str());
            let labels = [
                ("route", path.to_owned()),
                ("method", method.to_owned()),
                ("status", key.1.to_string()),
            ];
            (
                counter!("soko_http_requests_total", &labels),
                histogram!("soko_http_request_seconds", &labels[..2]),
            )
        });
        count.increment(1);
        duration.record(elapsed.as_secs_f64());
        tracing::debug!(
            target: "soko_api::requests",
            route = route.map(|route| route.path.as_str()),
            status = status.as_u16(),
            duration_ms = elapsed.as_millis(),
            "answered"
        );
    }
}
