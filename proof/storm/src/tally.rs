//! What a scenario has seen: counted, shown, and compared with what it must have seen to prove anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::fault::Fault;
use crate::judge::Judge;
use crate::language::Language;

/// What was done to the workers of a language.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Blows {
    pub(crate) kills: u64,
    /// Killed while they held ports.
    pub(crate) holding: u64,
    /// Killed before they had done anything.
    pub(crate) newborn: u64,
    pub(crate) stops: u64,
}

#[derive(Debug)]
pub(crate) struct Tally {
    start: Instant,
    pub(crate) blows: BTreeMap<Language, Blows>,
    /// Nurseries killed; their workers live on.
    pub(crate) nurseries: u64,
    /// Processes killed below a worker that lives on.
    pub(crate) commands: u64,
    pub(crate) epochs: u64,
    /// Stale environments, temp dirs, env files and unfinished files that kills had left, and cleanup removed.
    pub(crate) leftovers: u64,
    /// Environments that were found alive and whole when all workers were dead.
    pub(crate) survivors: u64,
    /// Times that the scenario's fault struck.
    pub(crate) strikes: u64,
    /// Environments seen that were made when the clock was far ahead.
    pub(crate) of_the_future: u64,
}

impl Tally {
    pub(crate) fn new(languages: &[Language]) -> Self {
        Self {
            start: Instant::now(),
            blows: languages.iter().map(|language| (*language, Blows::default())).collect(),
            nurseries: 0,
            commands: 0,
            epochs: 0,
            leftovers: 0,
            survivors: 0,
            strikes: 0,
            of_the_future: 0,
        }
    }

    pub(crate) fn of(&mut self, language: Language) -> &mut Blows {
        self.blows.entry(language).or_default()
    }

    pub(crate) fn kills(&self) -> u64 {
        self.blows.values().map(|blows| blows.kills).sum()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "for people")]
        let kills = self.kills() as f64;
        kills / self.elapsed().as_secs_f64()
    }

    /// A line for whoever waits.
    pub(crate) fn progress(&self, judge: &Judge) -> String {
        let by_language: Vec<String> =
            self.blows.iter().map(|(language, blows)| format!("{} {}", language.name(), blows.kills)).collect();
        format!(
            "{:>7} kills, {:>4.0}/s ({}); {} leases; {} leftovers removed, {} kept ones survived",
            self.kills(),
            self.rate(),
            by_language.join(", "),
            done(judge, None, "took"),
            self.leftovers,
            self.survivors,
        )
    }

    /// The table at the end.
    pub(crate) fn table(&self, judge: &Judge) -> String {
        let words = words(judge);
        let mut lines = vec![format!("{:<14}{:>10}", "", "all")];
        let mut row = |what: &str, number: &dyn Fn(Language) -> u64| {
            let each: Vec<u64> = self.blows.keys().map(|language| number(*language)).collect();
            let cells: String = each.iter().map(|number| format!("{number:>10}")).collect();
            lines.push(format!("{what:<14}{:>10}{cells}", each.iter().sum::<u64>()));
        };
        let blows = |language| self.blows.get(&language).copied().unwrap_or_default();
        row("kills", &|language| blows(language).kills);
        row("- holding", &|language| blows(language).holding);
        row("- newborn", &|language| blows(language).newborn);
        row("stops", &|language| blows(language).stops);
        for word in &words {
            row(word, &|language| done(judge, Some(language), word));
        }
        if let Some(head) = lines.first_mut() {
            head.extend(self.blows.keys().map(|language| format!("{:>10}", language.name())));
        }
        lines.join("\n")
    }

    pub(crate) fn json(&self, judge: &Judge) -> Value {
        let words = words(judge);
        let languages: BTreeMap<&str, Value> = self
            .blows
            .iter()
            .map(|(language, blows)| {
                let done: BTreeMap<&String, u64> =
                    words.iter().map(|word| (word, done(judge, Some(*language), word))).collect();
                let of = json!({
                    "kills": blows.kills, "holding": blows.holding, "newborn": blows.newborn,
                    "stops": blows.stops, "done": done,
                });
                (language.name(), of)
            })
            .collect();
        json!({
            "kills": self.kills(), "seconds": self.elapsed().as_secs(), "leases": done(judge, None, "took"),
            "epochs": self.epochs, "leftovers_removed": self.leftovers, "kept_survived": self.survivors,
            "nurseries_killed": self.nurseries, "commands_killed": self.commands, "strikes": self.strikes,
            "languages": languages,
        })
    }

    /// Fails if too little was seen for so many kills to prove anything.
    pub(crate) fn suffices(&self, kills: u64, judge: &Judge, fault: Fault) -> Outcome<()> {
        let mut floors = vec![
            ("leases", done(judge, None, "took"), 3 * kills),
            ("environments held", done(judge, None, "held") + done(judge, None, "run"), kills / 20),
            ("environments kept", done(judge, None, "kept"), kills / 20),
            ("environments cleaned up", done(judge, None, "cleanup"), kills / 20),
            ("cleanups of stale ones", done(judge, None, "stale"), kills / 20),
            ("stops", self.blows.values().map(|blows| blows.stops).sum(), kills / 100),
            ("victims that held ports", self.blows.values().map(|blows| blows.holding).sum(), kills / 4),
        ];
        // Of a registry that is removed little is left to be found.
        if fault != Fault::RemovedRegistry {
            floors.push(("leftovers removed", self.leftovers, kills / 100));
        }
        // Whoever finds the disk full gives back all that he keeps.
        if !matches!(fault, Fault::RemovedRegistry | Fault::FullDisk) {
            floors.push(("kept ones that survived", self.survivors, kills / 500));
        }
        if fault != Fault::None {
            floors.push(("strikes of the fault", self.strikes, 0));
        }
        if fault == Fault::ClockSteps {
            floors.push(("environments of the future", self.of_the_future, kills / 100));
        }
        let share: u64 = self.blows.keys().map(|language| language.share() as u64).sum();
        for (language, blows) in &self.blows {
            let expected = kills * language.share() as u64 / share.max(1);
            floors.push((language.name(), blows.kills, expected / 3));
            // A full disk lets few begin.
            let fewest = if fault == Fault::FullDisk { expected / 20 } else { expected / 3 };
            floors.push((language.name(), done(judge, Some(*language), "took"), fewest));
            if language.has_children() {
                floors.push(("orphans", done(judge, Some(*language), "orphan"), expected / 200));
            }
        }
        let low: Vec<String> = floors
            .into_iter()
            .filter(|(_, seen, floor)| seen <= floor)
            .map(|(what, seen, floor)| format!("{what}: {seen}, more than {floor}"))
            .collect();
        if low.is_empty() {
            Ok(())
        } else {
            Err(format!("it saw too little to prove anything: {}", low.join("; ")).into())
        }
    }
}

/// How often this was done, by workers of one language or of all.
pub(crate) fn done(judge: &Judge, language: Option<Language>, what: &str) -> u64 {
    let wanted = |by: &str| language.is_none_or(|language| language.name() == by);
    judge.done().iter().filter(|((by, word), _)| wanted(by) && word == what).map(|(_, count)| count).sum()
}

fn words(judge: &Judge) -> Vec<String> {
    let mut words: Vec<String> = judge.done().keys().map(|(_, word)| word.clone()).collect();
    words.sort_unstable();
    words.dedup();
    words
}
