//! A storm: keeps workers running, kills them at random instants, and from time to time verifies that nothing is left.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::registry::Timestamp;
use portalloc::{Allocator, ErrorCode};
use portalloc_testkit::Random;
use rustix::process::{Pid, Signal, getpid, kill_process, set_child_subreaper};

use crate::arguments::Arguments;
use crate::failure::{Context, Outcome};
use crate::fault::Fault;
use crate::ground::Ground;
use crate::instant::{pause, spin};
use crate::inventory;
use crate::journal::{Journal, Reader};
use crate::judge::Judge;
use crate::language::{Birth, Language};
use crate::nursery::Nursery;
use crate::tally::Tally;
use crate::victim::Victim;

/// Workers that write nothing for so long hang.
const PATIENCE: Duration = Duration::from_secs(120);
/// After so many kills the environments of the dead are looked through.
const ROUND: u64 = 40;

/// A storm that has seen too little goes on for up to so many times the kills that it was asked for. What a few hundred show
/// of something rare is chance; that it does not show at all is not.
const MAX_KILLS_PER_ASKED: u64 = 10;

/// A worker that something is going to happen to after so many kills, or at this time at the latest.
type Due = VecDeque<(u64, Instant, Victim)>;

/// Whoever wants to clean up what a stopped worker has just locked waits for it, though not for ever.
const LONGEST_STOP: Duration = Duration::from_secs(1);

pub(crate) struct Storm<'a> {
    arguments: &'a Arguments,
    fault: Fault,
    ground: &'a Ground,
    random: Random,
    pub(crate) judge: Judge,
    pub(crate) tally: Tally,
    reader: Reader,
    journal: Journal,
    words: File,
    allocator: Option<Allocator>,
    nurseries: BTreeMap<Language, Nursery>,
    /// How many workers of each language there are to be.
    crew: Vec<(Language, usize)>,
    victims: Vec<Victim>,
    stopped: Due,
    /// Killed, but for the children that they have left.
    orphaned: Due,
    /// Whose environments may be cleaned up, because they write no more.
    dead: HashSet<String>,
    started: u64,
    next_round: u64,
    next_epoch: u64,
}

impl<'a> Storm<'a> {
    pub(crate) fn new(
        arguments: &'a Arguments,
        fault: Fault,
        languages: &[Language],
        seed: u64,
        ground: &'a Ground,
    ) -> Outcome<Self> {
        // So that orphans become this process's children, and it knows when they are gone.
        set_child_subreaper(Some(getpid())).context("no subreaper")?;
        let all: usize = languages.iter().map(|language| language.share()).sum();
        let number = |language: &Language| (arguments.workers * language.share() / all.max(1)).max(1);
        Ok(Self {
            arguments,
            fault,
            ground,
            random: Random::new(seed),
            judge: Judge::default(),
            tally: Tally::new(languages),
            reader: Reader::open(&ground.journal())?,
            journal: Journal::open(&ground.journal())?,
            words: File::options().append(true).create(true).open(ground.words()).context("words")?,
            allocator: None,
            nurseries: BTreeMap::new(),
            crew: languages.iter().map(|language| (*language, number(language))).collect(),
            victims: Vec::new(),
            stopped: VecDeque::new(),
            orphaned: VecDeque::new(),
            dead: HashSet::new(),
            started: 0,
            next_round: ROUND,
            next_epoch: arguments.epoch,
        })
    }

    /// Kills as many as was asked for, and verifies at the end.
    pub(crate) fn rage(&mut self) -> Outcome<()> {
        let raged = self.kill_all_who_were_asked_for();
        // What one leaves that ended by itself looks like anything; that it did so is the reason.
        match self.victims.iter().find_map(|victim| victim.ended().err()) {
            Some(ended) => Err(format!("{ended}; then: {raged:?}").into()),
            None => raged,
        }
    }

    /// Goes on while that has shown too little.
    fn kill_all_who_were_asked_for(&mut self) -> Outcome<()> {
        let asked = self.arguments.kills;
        let mut goal = asked;
        loop {
            self.kill_up_to(goal)?;
            self.verify(true)?;
            match self.tally.suffices(asked, &self.judge, self.fault) {
                Err(low) if self.tally.kills() < MAX_KILLS_PER_ASKED * asked => eprintln!("{low}; so it goes on"),
                verdict => return verdict,
            }
            goal = self.tally.kills() + asked.div_ceil(4);
        }
    }

    fn kill_up_to(&mut self, kills: u64) -> Outcome<()> {
        while self.tally.kills() < kills {
            self.fill()?;
            self.wait_for_an_instant()?;
            self.blow()?;
            self.tally.strikes +=
                u64::from(self.fault.strike(self.ground, &mut self.judge, &self.victims, &mut self.random)?);
            self.follow()?;
            self.look_after_the_due()?;
            if self.tally.kills() >= self.next_round {
                self.next_round = self.tally.kills() + ROUND;
                self.forget_the_dead()?;
            }
            if self.tally.kills() >= self.next_epoch {
                self.next_epoch = self.tally.kills() + self.arguments.epoch;
                self.verify(false)?;
                eprintln!("{}", self.tally.progress(&self.judge));
            }
        }
        Ok(())
    }

    fn follow(&mut self) -> Outcome<()> {
        let judge = &mut self.judge;
        self.reader.follow(|line| judge.read(line))
    }

    /// Starts workers until all are there.
    fn fill(&mut self) -> Outcome<()> {
        for (language, number) in self.crew.clone() {
            let is_its = |victim: &Victim| victim.language == language;
            let stopped = self.stopped.iter().filter(|(_, _, victim)| is_its(victim)).count();
            for _ in self.victims.iter().filter(|victim| is_its(victim)).count() + stopped..number {
                let victim = self.start(language)?;
                self.victims.push(victim);
            }
        }
        Ok(())
    }

    fn start(&mut self, language: Language) -> Outcome<Victim> {
        self.started += 1;
        let serial = format!("{}{}", language.name(), self.started);
        let seed = self.random.below(1 << 31) as u64;
        let mut command = language.command(self.ground)?;
        command
            .env("STORM_TOLERATED", self.fault.tolerated())
            .env("STORM_BIND_ERRNO", self.fault.bind_errno().to_string())
            .stderr(self.words.try_clone().context("words")?)
            .process_group(0);
        self.fault.prepare(&mut command, self.ground)?;
        let (pid, process) = match language.birth() {
            Birth::Start => {
                let process = command.args([serial.clone(), seed.to_string()]).stdout(Stdio::null()).spawn();
                let process = process.context(format!("{} does not start", language.name()))?;
                (Pid::from_child(&process), Some(process))
            }
            Birth::Nursery => {
                let nursery = match self.nurseries.entry(language) {
                    Entry::Occupied(there) => there.into_mut(),
                    Entry::Vacant(place) => place.insert(Nursery::start(command)?),
                };
                (nursery.fork(&serial, seed)?, None)
            }
        };
        Ok(Victim { serial, language, pid, _process: process })
    }

    /// At once, or after a while, or when the others have written so many lines: so the blow can hit anything.
    fn wait_for_an_instant(&mut self) -> Outcome<()> {
        match self.random.below(4) {
            0 => spin(&mut self.random),
            1 | 2 => pause(self.random.below(4000)),
            _ => {
                let enough = self.judge.lines() + self.random.below(40) as u64;
                let start = Instant::now();
                while self.judge.lines() < enough {
                    if start.elapsed() > PATIENCE {
                        return Err(format!("no worker has done anything for {PATIENCE:?}").into());
                    }
                    self.follow()?;
                    self.look_after_the_due()?;
                    pause(100);
                }
            }
        }
        Ok(())
    }

    fn blow(&mut self) -> Outcome<()> {
        match self.random.below(100) {
            0..=5 => {
                let Some(victim) = self.choose() else { return Ok(()) };
                victim.signal(Signal::STOP)?;
                self.tally.of(victim.language).stops += 1;
                let due = self.due();
                self.stopped.push_back((due.0, due.1, victim));
                Ok(())
            }
            6 => {
                let chosen = self.random.below(self.nurseries.len());
                let language = self.nurseries.keys().nth(chosen).copied();
                if let Some(mut nursery) = language.and_then(|language| self.nurseries.remove(&language)) {
                    nursery.kill();
                    self.tally.nurseries += 1;
                }
                Ok(())
            }
            7..=10 => self.kill_a_command(),
            11..=14 => (0..3).try_for_each(|_| self.kill_one()),
            _ => self.kill_one(),
        }
    }

    /// A worker of a language that is as often chosen as its share says.
    fn choose(&mut self) -> Option<Victim> {
        let all = self.crew.iter().map(|(language, _)| language.share()).sum();
        let mut drawn = self.random.below(all);
        let language = self.crew.iter().map(|(language, _)| *language).find(|language| {
            let is_it = drawn < language.share();
            drawn = drawn.saturating_sub(language.share());
            is_it
        })?;
        // What starts slowly would else be killed before it has done anything.
        let waits = language == Language::Node && self.random.below(10) > 0;
        let judge = &self.judge;
        let eligible = |victim: &Victim| victim.language == language && (!waits || judge.has_begun(&victim.serial));
        let indexes: Vec<usize> =
            self.victims.iter().enumerate().filter(|(_, victim)| eligible(victim)).map(|(index, _)| index).collect();
        let index = indexes.get(self.random.below(indexes.len()))?;
        Some(self.victims.swap_remove(*index))
    }

    fn kill_one(&mut self) -> Outcome<()> {
        let Some(victim) = self.choose() else { return Ok(()) };
        let alone = victim.language.has_children() && self.random.below(3) > 0;
        self.kill(victim, alone)
    }

    fn kill(&mut self, victim: Victim, alone: bool) -> Outcome<()> {
        self.follow()?;
        let (holding, begun) = (self.judge.holds(&victim.serial), self.judge.has_begun(&victim.serial));
        let blows = self.tally.of(victim.language);
        blows.kills += 1;
        blows.holding += u64::from(holding);
        blows.newborn += u64::from(!begun);
        self.judge.killed(&victim.serial, !alone);
        if alone {
            victim.kill_alone()?;
            let due = self.due();
            self.orphaned.push_back((due.0, due.1, victim));
        } else {
            victim.kill_group()?;
            self.dead.insert(victim.serial);
        }
        Ok(())
    }

    /// Kills what a worker in shell is running; the shell goes on.
    fn kill_a_command(&mut self) -> Outcome<()> {
        let shells: Vec<&Victim> = self.victims.iter().filter(|victim| victim.language == Language::Shell).collect();
        let Some(victim) = shells.get(self.random.below(shells.len())) else { return Ok(()) };
        let pid = victim.pid.as_raw_nonzero();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        let first = children.split(' ').next().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
        // It may have ended since.
        if first.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok()) {
            self.tally.commands += 1;
        }
        Ok(())
    }

    fn due(&mut self) -> (u64, Instant) {
        (self.tally.kills() + self.random.below(30) as u64, Instant::now() + LONGEST_STOP)
    }

    /// Lets stopped ones go on, or kills them; ends what those that were killed have left.
    fn look_after_the_due(&mut self) -> Outcome<()> {
        let now = self.tally.kills();
        for _ in 0..self.orphaned.len() {
            let Some((due, at, victim)) = self.orphaned.pop_front() else { break };
            if due > now && at > Instant::now() {
                self.orphaned.push_back((due, at, victim));
            } else {
                self.judge.killed(&victim.serial, true);
                victim.end_children();
                self.dead.insert(victim.serial);
            }
        }
        for _ in 0..self.stopped.len() {
            let Some((due, at, victim)) = self.stopped.pop_front() else { break };
            if due > now && at > Instant::now() {
                self.stopped.push_back((due, at, victim));
            } else if self.random.below(2) == 0 {
                self.kill(victim, false)?;
            } else {
                victim.signal(Signal::CONT)?;
                self.victims.push(victim);
            }
        }
        Ok(())
    }

    /// Cleans up most of what dead workers kept, or the pool would soon be full of it.
    fn forget_the_dead(&mut self) -> Outcome<()> {
        // A stopped worker may have a port locked, and whoever wants to clean up waits for it.
        if !self.stopped.is_empty() {
            self.next_round = self.tally.kills() + 1;
            return Ok(());
        }
        match self.try_to_forget() {
            Err(failure) => match failure.downcast::<portalloc::Error>() {
                Ok(error) if self.tolerates(error.code()) => {
                    self.allocator = None;
                    Ok(())
                }
                Ok(error) => Err(format!("cleaning up after the dead: {error:?}").into()),
                Err(failure) => Err(failure),
            },
            done => done,
        }
    }

    fn tolerates(&self, code: ErrorCode) -> bool {
        self.fault.tolerated().split(' ').any(|tolerated| tolerated == code.as_str())
    }

    fn try_to_forget(&mut self) -> Outcome<()> {
        let allocator = match &self.allocator {
            Some(allocator) => allocator.clone(),
            None => self.allocator.insert(self.ground.allocator()?).clone(),
        };
        let kept = self.judge.kept();
        let soon = Timestamp::now().after(Duration::from_secs(60)).context("the clock")?;
        for info in allocator.list()?.environments {
            self.tally.of_the_future += u64::from(info.record.as_ref().is_some_and(|record| record.created_at > soon));
            let is_of_the_dead = info.record.is_some_and(|record| self.dead.contains(&record.instance_id));
            if is_of_the_dead && self.random.below(10) > 0 {
                if let Some((holder, ports)) = kept.get(&info.id.to_string()) {
                    self.journal.gave(holder, ports)?;
                }
                allocator.cleanup(&Cleanup::new(Selection::Id(info.id)))?;
            }
        }
        Ok(())
    }

    /// Kills everybody, and looks at what is left.
    fn verify(&mut self, last: bool) -> Outcome<()> {
        self.end_all()?;
        self.follow()?;
        self.fault.end(self.ground, &mut self.judge)?;
        let empty = last || self.random.below(3) == 0;
        let before = self.random.below(2) == 0;
        let found = inventory::examine(self.ground, &self.judge, self.fault, before, empty)?;
        self.tally.epochs += 1;
        self.tally.leftovers += found.leftovers;
        self.tally.survivors += found.survivors;
        self.judge.begin_anew(&found.alive);
        if empty {
            self.dead.clear();
        }
        self.reader.truncate()
    }

    fn end_all(&mut self) -> Outcome<()> {
        for (_, _, victim) in std::mem::take(&mut self.stopped) {
            self.kill(victim, false)?;
        }
        for victim in std::mem::take(&mut self.victims) {
            self.kill(victim, false)?;
        }
        for (_, _, victim) in std::mem::take(&mut self.orphaned) {
            self.judge.killed(&victim.serial, true);
            victim.end_children();
        }
        Ok(())
    }
}

/// Also if something fails, nothing is left running.
impl Drop for Storm<'_> {
    fn drop(&mut self) {
        let rest = self.stopped.drain(..).chain(self.orphaned.drain(..)).map(|(_, _, victim)| victim);
        for victim in rest.chain(self.victims.drain(..)) {
            victim.end_children();
        }
    }
}
