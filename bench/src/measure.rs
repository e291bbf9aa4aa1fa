//! Timing two things in turns, and printing them side by side.

use std::time::{Duration, Instant};

pub(crate) const HEAD: &str = "medians (99th percentiles); ratio of the medians; all times in microseconds";

/// Sorted times of one thing.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn new(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.at(0.99)
    }

    fn at(&self, part: f64) -> f64 {
        let index = ((self.0.len() as f64 - 1.0) * part).round() as usize;
        self.0.get(index).map_or(f64::NAN, |time| time.as_secs_f64() * 1e6)
    }
}

/// Times `work`; what it returns is dropped after the clock stopped, so that setting back is not counted.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    let made = work();
    let taken = start.elapsed();
    drop(made);
    taken
}

/// Times two things in turns: first one, then the other, then the other way round.
pub(crate) fn in_turns(
    rounds: usize,
    mut a: impl FnMut() -> Duration,
    mut b: impl FnMut() -> Duration,
) -> (Times, Times) {
    let (mut of_a, mut of_b) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    for round in 0..rounds + rounds / 10 {
        let (x, y) = if round % 2 == 0 {
            let x = a();
            (x, b())
        } else {
            let y = b();
            (a(), y)
        };
        // The first tenth warms up.
        if round >= rounds / 10 {
            of_a.push(x);
            of_b.push(y);
        }
    }
    (Times::new(of_a), Times::new(of_b))
}

/// One line: ours, the floor, their ratio, and the bound it was given.
pub(crate) fn compare(what: &str, ours: &Times, floor_name: &str, floor: &Times, bound: f64) {
    let ratio = ours.median() / floor.median();
    let verdict = if ratio <= bound { "holds" } else { "MISSED" };
    println!(
        "{what:44} {:9.1} ({:9.1})   {floor_name:16} {:9.1} ({:9.1})   ratio {ratio:5.2}, at most {bound:.2}: {verdict}",
        ours.median(),
        ours.p99(),
        floor.median(),
        floor.p99(),
    );
}

/// One line: ours against an absolute bound, in microseconds.
pub(crate) fn absolute(what: &str, ours: &Times, bound: f64) {
    let verdict = if ours.median() <= bound { "holds" } else { "MISSED" };
    println!("{what:44} {:9.1} ({:9.1})   at most {bound:.0}: {verdict}", ours.median(), ours.p99());
}
