//! What was measured, as a table for people and as JSON for machines.

use hdrhistogram::Histogram;
use serde::Serialize;
use std::fmt::Write as _;

/// One case: its figure in every run, and the least (or most) it has to reach.
#[derive(Debug, Serialize)]
pub(crate) struct Case {
    pub name: String,
    pub unit: &'static str,
    /// One figure a run, in order.
    pub figures: Vec<f64>,
    pub goal: Goal,
    /// Latencies of the median run, if the case has any.
    pub latency: Option<Latency>,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// At least this part of a raw limit, which was taken right before each run: such machines are
    /// not equally fast from one minute to the next.
    PartOf {
        part: f64,
        limit: &'static str,
        /// One for each figure.
        limits: Vec<f64>,
    },
    /// None: a raw limit, or something nice to know.
    None,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[expect(
    clippy::struct_field_names,
    reason = "the unit belongs to the name in the JSON"
)]
pub(crate) struct Latency {
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

impl Latency {
    pub(crate) fn of(histogram: &Histogram<u64>) -> Self {
        let ms = |micros: u64| f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0;
        Self {
            p50_ms: ms(histogram.value_at_quantile(0.50)),
            p90_ms: ms(histogram.value_at_quantile(0.90)),
            p99_ms: ms(histogram.value_at_quantile(0.99)),
            max_ms: ms(histogram.max()),
        }
    }
}

impl Case {
    pub(crate) fn median(&self) -> f64 {
        median(&self.figures)
    }

    pub(crate) fn reached(&self) -> Option<bool> {
        match &self.goal {
            Goal::AtLeast(goal) => Some(self.median() >= *goal),
            Goal::AtMost(goal) => Some(self.median() <= *goal),
            Goal::PartOf { part, limits, .. } => Some(median(&self.parts_of(limits)) >= *part),
            Goal::None => None,
        }
    }

    fn parts_of(&self, limits: &[f64]) -> Vec<f64> {
        let pairs = self.figures.iter().zip(limits);
        pairs.map(|(figure, limit)| figure / limit).collect()
    }

    fn goal(&self) -> String {
        match &self.goal {
            Goal::AtLeast(goal) => format!("≥ {}", number(*goal)),
            Goal::AtMost(goal) => format!("≤ {}", number(*goal)),
            Goal::PartOf {
                part,
                limit,
                limits,
            } => {
                let parts = self.parts_of(limits);
                format!(
                    "≥ {part} × {limit}; is {:.2} ({})",
                    median(&parts),
                    joined(&parts)
                )
            }
            Goal::None => "–".to_owned(),
        }
    }
}

pub(crate) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Everything of one `make bench`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub machine: String,
    pub cases: Vec<Case>,
}

impl Report {
    pub(crate) fn table(&self) -> String {
        let mut text = format!("{}\n\n", self.machine);
        text.push_str("| case | median | runs | goal | p50 / p90 / p99 / max ms | |\n");
        text.push_str("|---|---:|---|---:|---|---|\n");
        for case in &self.cases {
            let latency = case.latency.map_or_else(String::new, |l| {
                format!(
                    "{:.1} / {:.1} / {:.1} / {:.1}",
                    l.p50_ms, l.p90_ms, l.p99_ms, l.max_ms
                )
            });
            let verdict = match case.reached() {
                Some(true) => "reached",
                Some(false) => "MISSED",
                None => "",
            };
            let _ = writeln!(
                text,
                "| {} | {} {} | {} | {} | {latency} | {verdict} |",
                case.name,
                number(case.median()),
                case.unit,
                joined(&case.figures),
                case.goal(),
            );
            for note in &case.notes {
                let _ = writeln!(text, "| &nbsp;&nbsp;{note} | | | | | |");
            }
        }
        text
    }
}

fn joined(figures: &[f64]) -> String {
    let numbers: Vec<_> = figures.iter().map(|figure| number(*figure)).collect();
    numbers.join(", ")
}

fn number(figure: f64) -> String {
    if figure >= 100.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}
