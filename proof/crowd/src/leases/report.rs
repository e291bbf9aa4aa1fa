//! What a run has shown, for people and for programs. Knows numbers, not processes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Seen;
use super::phase::{Score, Who};
use crate::args::Language;

pub(super) struct Report {
    phases: Vec<PhaseLine>,
    who: BTreeMap<Who, Score>,
    processes: usize,
    heard: u64,
    overlaps: u64,
}

struct PhaseLine {
    name: &'static str,
    seconds: f64,
    score: Score,
    most_held: usize,
}

impl PhaseLine {
    fn rate(&self) -> f64 {
        self.score.served as f64 / self.seconds
    }
}

fn sum(scores: impl Iterator<Item = Score>) -> Score {
    scores.fold(Score::default(), |sum, score| Score {
        served: sum.served + score.served,
        refused: sum.refused + score.refused,
    })
}

impl Report {
    pub(super) fn new(seen: &Seen, crowd: &[Who]) -> Self {
        let mut who: BTreeMap<Who, Score> = BTreeMap::new();
        for (one, score) in seen.phases.iter().flat_map(|(_, outcome, _)| outcome.scores.values()) {
            let before = who.entry(*one).or_default();
            *before = sum([*before, *score].into_iter());
        }
        let phases = seen.phases.iter().map(|(name, outcome, most_held)| PhaseLine {
            name,
            seconds: outcome.time.as_secs_f64(),
            score: sum(outcome.scores.values().map(|(_, score)| *score)),
            most_held: *most_held,
        });
        Self {
            phases: phases.collect(),
            who,
            processes: crowd.len(),
            heard: seen.witness.heard(),
            overlaps: seen.witness.overlap_count(),
        }
    }

    fn served(&self) -> u64 {
        self.who.values().map(|score| score.served).sum()
    }

    fn seconds(&self) -> f64 {
        self.phases.iter().map(|phase| phase.seconds).sum()
    }

    /// Of all leases, in percent.
    fn share(&self, score: &Score) -> f64 {
        100.0 * score.served as f64 / self.served() as f64
    }

    /// Whatever must not be.
    pub(super) fn fault(&self, seen: &Seen) -> Option<String> {
        let first = seen.witness.overlaps().first().map(|overlap| {
            let whose = |pid: u32| {
                let found = seen.phases.iter().find_map(|(_, outcome, _)| outcome.scores.get(&pid));
                found.map_or_else(
                    || pid.to_string(),
                    |((language, user), _)| format!("{language:?} {pid} of user {user}"),
                )
            };
            format!(
                "{} overlaps; the first, note {}: {} took port {} while {} held it",
                self.overlaps,
                overlap.note,
                whose(overlap.intruder),
                overlap.port,
                whose(overlap.holder)
            )
        });
        let deaf = || {
            let mut scores = seen.phases.iter().flat_map(|(_, outcome, _)| &outcome.scores);
            let unheard = scores.find(|(pid, (_, score))| seen.witness.taken_by(**pid) < score.served);
            unheard.map(|(pid, ((language, _), score))| {
                let heard = seen.witness.taken_by(*pid);
                format!("{language:?} {pid} was served {} times, but the witness heard of {heard} ports", score.served)
            })
        };
        let left = || {
            Some(seen.witness.held()).filter(|held| *held > 0).map(|held| format!("{held} ports were not given back"))
        };
        first.or_else(|| seen.fault.as_ref().map(ToString::to_string)).or_else(deaf).or_else(left)
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!(
            "{:12} {:>10} {:>9} {:>9} {:>10} {:>15}",
            "phase", "leases", "seconds", "leases/s", "refused", "most ports held"
        )];
        lines.extend(self.phases.iter().map(|phase| {
            format!(
                "{:12} {:>10} {:>9.1} {:>9.0} {:>10} {:>15}",
                phase.name,
                phase.score.served,
                phase.seconds,
                phase.rate(),
                phase.score.refused,
                phase.most_held
            )
        }));
        lines.push(format!("\n{:8} {:>6} {:>10} {:>7} {:>10}", "language", "user", "leases", "share", "refused"));
        lines.extend(self.who.iter().map(|((language, user), score)| {
            let (name, share) = (format!("{language:?}"), self.share(score));
            format!("{name:8} {user:>6} {:>10} {share:>6.1}% {:>10}", score.served, score.refused)
        }));
        lines.join("\n") + "\n"
    }

    /// Of a run without a fault.
    pub(super) fn closing(&self) -> String {
        let users: std::collections::BTreeSet<u32> = self.who.keys().map(|(_, user)| *user).collect();
        let languages: std::collections::BTreeSet<Language> = self.who.keys().map(|(language, _)| *language).collect();
        format!(
            "ok: {} leases by {} processes ({} languages, {} users) in {:.0} s, {} notes heard, no overlap",
            self.served(),
            self.processes,
            languages.len(),
            users.len(),
            self.seconds(),
            self.heard
        )
    }

    pub(super) fn json(&self) -> Value {
        let phases = self.phases.iter().map(|phase| {
            json!({
                "phase": phase.name,
                "leases": phase.score.served,
                "refused": phase.score.refused,
                "seconds": phase.seconds,
                "leases_per_second": phase.rate(),
                "most_ports_held": phase.most_held,
            })
        });
        let who = self.who.iter().map(|((language, user), score)| {
            json!({
                "language": format!("{language:?}").to_lowercase(),
                "user": user,
                "leases": score.served,
                "refused": score.refused,
            })
        });
        json!({
            "leases": self.served(),
            "overlaps": self.overlaps,
            "processes": self.processes,
            "seconds": self.seconds(),
            "leases_per_second": self.served() as f64 / self.seconds(),
            "notes_heard": self.heard,
            "phases": phases.collect::<Vec<_>>(),
            "contenders": who.collect::<Vec<_>>(),
        })
    }
}
