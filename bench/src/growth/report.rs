//! Figures of all parts, as lines while they come in and as JSON at the end. Knows how long to measure, not what.

use std::fs;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::measure::Times;

/// Rounds of one figure: as many as fit into the time for it, within these bounds.
const LEAST: usize = 5;
const MAX_ROUNDS: usize = 2000;

pub(super) struct Report {
    quick: bool,
    start: Instant,
    points: Vec<Value>,
}

/// A figure, in microseconds.
#[derive(Clone, Copy)]
pub(super) struct Figure {
    pub(super) median: f64,
    pub(super) p99: f64,
    pub(super) rounds: usize,
}

impl Figure {
    pub(super) fn of(times: Vec<Duration>) -> Self {
        let rounds = times.len();
        let times = Times::new(times);
        Self { median: times.median(), p99: times.p99(), rounds }
    }
}

impl Report {
    pub(super) fn new(quick: bool) -> Self {
        Self { quick, start: Instant::now(), points: Vec::new() }
    }

    /// The sizes to measure: few, and no large ones, where it only has to be seen that it works.
    pub(super) fn sizes(&self, quick: &[usize], all: &[usize]) -> Vec<usize> {
        if self.quick { quick.to_vec() } else { all.to_vec() }
    }

    /// How long to measure one figure.
    pub(super) fn budget(&self) -> Duration {
        Duration::from_millis(if self.quick { 60 } else { 700 })
    }

    /// Figures of things that are done one after the other in each round. The first round warms up.
    pub(super) fn sample<const N: usize>(&self, mut round: impl FnMut() -> [Duration; N]) -> [Figure; N] {
        let mut times: [Vec<Duration>; N] = std::array::from_fn(|_| Vec::new());
        round();
        let start = Instant::now();
        for rounds in 0..MAX_ROUNDS {
            if rounds >= LEAST && start.elapsed() >= self.budget() {
                break;
            }
            times.iter_mut().zip(round()).for_each(|(times, taken)| times.push(taken));
        }
        times.map(Figure::of)
    }

    pub(super) fn add(&mut self, part: &str, series: &str, size: f64, figure: Figure) {
        self.point(part, series, size, figure, json!({}));
    }

    /// With how many a second all of them together did.
    pub(super) fn add_with_rate(&mut self, part: &str, series: &str, size: f64, figure: Figure, per_second: f64) {
        self.point(part, series, size, figure, json!({ "per_second": rounded(per_second) }));
    }

    fn point(&mut self, part: &str, series: &str, size: f64, figure: Figure, more: Value) {
        let Figure { median, p99, rounds } = figure;
        println!("{part:14} {series:44} {size:8} {median:12.1} ({p99:12.1})   {rounds} rounds {more}");
        let mut point = json!({
            "part": part, "series": series, "size": size,
            "median": rounded(median), "p99": rounded(p99), "rounds": rounds,
        });
        if let (Some(point), Value::Object(more)) = (point.as_object_mut(), more) {
            point.extend(more);
        }
        self.points.push(point);
    }

    /// All of it, with what is to be known of the run: one figure a line, so that a difference can be read.
    pub(super) fn json(&self) -> String {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        let run = json!({
            "unix_time": now, "seconds": self.start.elapsed().as_secs(), "quick": self.quick,
            "version": env!("CARGO_PKG_VERSION"), "machine": machine(),
        });
        let points: Vec<String> = self.points.iter().map(|point| format!("  {point}")).collect();
        format!("{{\n \"run\": {run},\n \"points\": [\n{}\n ]\n}}\n", points.join(",\n"))
    }
}

/// Three decimals of a microsecond are more than a clock tells.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn machine() -> Value {
    let system = rustix::system::uname();
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    json!({
        "kernel": format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
        "architecture": system.machine().to_string_lossy(),
        "cpus": std::thread::available_parallelism().map_or(0, usize::from),
        "processor": processor,
    })
}
