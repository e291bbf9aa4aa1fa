//! Whose a process is: an environment's, or somebody else's. Judges facts that somebody else has read, so that it can be
//! tested on tables. Knows no sockets, no registry.
//!
//! A process that serves on an environment's port is *ours* if it has a hold on the environment, or carries its
//! ISOLATION_ID, or descends from such a process; or if it is this user's, works in the environment's worktree or temp
//! directory, and neither it nor any process above it carries another ISOLATION_ID. The last rule is for servers that
//! erase their environment, such as redis and nginx.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use crate::id::IsolationId;
use crate::sys::ProcessFacts;

/// The environment that a process may belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) id: IsolationId,
    pub(crate) user: u32,
    pub(crate) worktree: PathBuf,
    pub(crate) temp_dir: PathBuf,
}

/// A process, and the worktree that its current directory is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) facts: ProcessFacts,
    /// The nearest directory upwards with a `.git`.
    pub(crate) worktree: Option<PathBuf>,
}

/// Processes by PID, with all their ancestors.
#[derive(Clone, Debug, Default)]
pub(crate) struct People {
    pub(crate) by_pid: BTreeMap<u32, Person>,
    /// The process that asks.
    pub(crate) caller: u32,
}

/// Why a process counts as the environment's.
///
/// [`StopReport`](super::StopReport) has an example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OursReason {
    /// It has a hold on the environment, which it inherited from `exec`.
    Hold,
    /// It carries the environment's `ISOLATION_ID`.
    Variable,
    /// It descends from a process that has a hold on the environment or carries its ID: this one.
    Descent {
        /// Its process ID.
        pid: u32,
        /// The name of its program.
        name: String,
    },
    /// It is this user's, and this current directory of it is in the worktree or in the temp directory.
    Directory(PathBuf),
}

/// The result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Ours(OursReason),
    /// Why it is not, as a phrase: "it carries another ISOLATION_ID".
    NotOurs(String),
    /// Why it cannot be told, as a phrase.
    Unknown(String),
}

/// Why a process is never ended, whosever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spared {
    Caller,
    Ancestor,
    Terminal,
}

impl OursReason {
    /// `hold`, `variable`, `descent` or `directory`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Variable => "variable",
            Self::Descent { .. } => "descent",
            Self::Directory(_) => "directory",
        }
    }
}

impl fmt::Display for OursReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold => f.write_str("it has a hold on the environment"),
            Self::Variable => f.write_str("it carries the environment's ISOLATION_ID"),
            Self::Descent { pid, name } => write!(f, "it descends from PID {pid} ({name})"),
            Self::Directory(path) => write!(f, "it runs in {}", path.display()),
        }
    }
}

impl Serialize for OursReason {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl fmt::Display for Spared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Caller => "it is this process itself",
            Self::Ancestor => "this process descends from it",
            Self::Terminal => "it leads the session of a terminal",
        })
    }
}

impl Whose {
    /// Whether a directory is in the environment's worktree or temp directory. `nearest` is the worktree that the
    /// directory is in: one inside another is a worktree of its own.
    fn has(&self, directory: &Path, nearest: Option<&Path>) -> bool {
        let in_another = nearest.is_some_and(|nearest| nearest != self.worktree && nearest.starts_with(&self.worktree));
        directory.starts_with(&self.temp_dir) || (directory.starts_with(&self.worktree) && !in_another)
    }
}

impl People {
    /// The process, and the ones above it, nearest first.
    fn upwards(&self, pid: u32) -> impl Iterator<Item = &Person> {
        let mut next = Some(pid);
        // Facts are read one after the other, so a PID that is reused meanwhile could close a circle.
        (0..self.by_pid.len()).map_while(move |_| {
            let person = self.by_pid.get(&next?)?;
            next = Some(person.facts.parent);
            Some(person)
        })
    }

    /// The processes above it, nearest first.
    pub(crate) fn ancestors(&self, pid: u32) -> impl Iterator<Item = &Person> {
        self.upwards(pid).skip(1)
    }

    /// "PID 7 (bash) in /home/me/project".
    pub(crate) fn told(&self, pid: u32) -> String {
        let Some(Person { facts, .. }) = self.by_pid.get(&pid) else { return format!("PID {pid}") };
        let place = facts.directory.as_ref().map(|directory| format!(" in {}", directory.display()));
        format!("PID {pid} ({}){}", facts.name, place.unwrap_or_default())
    }

    /// Whether the process is above the one that asks.
    pub(crate) fn is_above_caller(&self, pid: u32) -> bool {
        self.ancestors(self.caller).any(|ancestor| ancestor.facts.pid == pid)
    }

    /// Why the process must not be ended; `None` if nothing speaks for it.
    pub(crate) fn spared(&self, pid: u32) -> Option<Spared> {
        let leads = |person: &Person| person.facts.leads_terminal;
        match self.by_pid.get(&pid) {
            _ if pid == self.caller => Some(Spared::Caller),
            _ if self.is_above_caller(pid) => Some(Spared::Ancestor),
            person => person.is_some_and(leads).then_some(Spared::Terminal),
        }
    }

    /// Whose the process is.
    pub(crate) fn judge(&self, pid: u32, whose: &Whose) -> Verdict {
        let Some(person) = self.by_pid.get(&pid) else { return Verdict::Unknown("it has ended".to_owned()) };
        // The nearest process that was given an environment decides.
        for above in self.upwards(pid) {
            let Person { facts, .. } = above;
            let is_it = facts.pid == pid;
            if facts.has_lock || facts.variable.as_ref().is_some_and(|value| *value == whose.id.to_string()) {
                return Verdict::Ours(match is_it {
                    true if facts.has_lock => OursReason::Hold,
                    true => OursReason::Variable,
                    false => OursReason::Descent { pid: facts.pid, name: facts.name.clone() },
                });
            }
            if let Some(other) = &facts.variable {
                let shown: String = other.chars().take(40).collect();
                return Verdict::NotOurs(match is_it {
                    true => format!("it carries the ISOLATION_ID {shown}"),
                    false => format!("it descends from PID {}, which carries the ISOLATION_ID {shown}", facts.pid),
                });
            }
        }
        let Person { facts, worktree } = person;
        let Some(directory) = &facts.directory else {
            return Verdict::Unknown("its current directory cannot be read".to_owned());
        };
        if facts.user != whose.user {
            Verdict::NotOurs(format!("it belongs to user {}", facts.user))
        } else if !facts.shares_paths {
            Verdict::NotOurs("it runs in another mount namespace, such as a container's".to_owned())
        } else if whose.has(directory, worktree.as_deref()) {
            Verdict::Ours(OursReason::Directory(directory.clone()))
        } else {
            Verdict::NotOurs(format!("it runs outside of {}, without its ISOLATION_ID", whose.worktree.display()))
        }
    }

    /// Who has started the process in place of another one, which started at `before` and was ended: the nearest process
    /// above it that was there already.
    pub(crate) fn supervisor(&self, pid: u32, before: u64) -> Option<&Person> {
        self.ancestors(pid).find(|above| above.facts.start_time <= before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "0123456789ab";
    const OTHER: &str = "ba9876543210";
    const USER: u32 = 1000;

    /// The process that asks, below a shell, below a terminal.
    const CALLER: u32 = 900;
    const SHELL: u32 = 800;
    const TERMINAL: u32 = 700;

    fn whose() -> Whose {
        Whose {
            id: OURS.parse().unwrap(),
            user: USER,
            worktree: "/home/me/project".into(),
            temp_dir: "/tmp/portalloc-0123456789ab".into(),
        }
    }

    fn person(pid: u32, parent: u32, directory: &str) -> Person {
        let facts = ProcessFacts {
            pid,
            parent,
            start_time: u64::from(pid),
            user: USER,
            name: format!("program{pid}"),
            directory: Some(directory.into()),
            shares_paths: true,
            ..ProcessFacts::default()
        };
        Person { facts, worktree: None }
    }

    fn people(others: impl IntoIterator<Item = Person>) -> People {
        let mut shell = person(SHELL, TERMINAL, "/home/me/project");
        shell.facts.leads_terminal = true;
        let always =
            [person(1, 0, "/"), person(TERMINAL, 1, "/home/me"), shell, person(CALLER, SHELL, "/home/me/project")];
        let by_pid = always.into_iter().chain(others).map(|person| (person.facts.pid, person)).collect();
        People { by_pid, caller: CALLER }
    }

    fn with(mut person: Person, change: impl FnOnce(&mut ProcessFacts)) -> Person {
        change(&mut person.facts);
        person
    }

    fn carrying(person: Person, id: &str) -> Person {
        with(person, |facts| facts.variable = Some(id.to_owned()))
    }

    fn judge(others: impl IntoIterator<Item = Person>, pid: u32) -> Verdict {
        people(others).judge(pid, &whose())
    }

    fn is_foreign(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::NotOurs(_))
    }

    #[test]
    fn a_hold_or_the_id_makes_it_ours_wherever_it_runs() {
        let holder = with(person(20, 1, "/elsewhere"), |facts| facts.has_lock = true);
        assert_eq!(judge([holder.clone()], 20), Verdict::Ours(OursReason::Hold));
        assert_eq!(judge([carrying(person(20, 1, "/elsewhere"), OURS)], 20), Verdict::Ours(OursReason::Variable));
        // A `run` inside of an `exec` gives another ID, and the hold is inherited all the same.
        assert_eq!(judge([carrying(holder.clone(), OTHER)], 20), Verdict::Ours(OursReason::Hold));
        // Neither needs to be read of another user's processes to count.
        let root = with(holder, |facts| facts.user = 0);
        assert_eq!(judge([root], 20), Verdict::Ours(OursReason::Hold));
    }

    #[test]
    fn the_nearest_id_above_decides() {
        let descent = |pid: u32| Verdict::Ours(OursReason::Descent { pid, name: format!("program{pid}") });
        let chain = [person(20, 1, "/"), person(30, 20, "/"), person(40, 30, "/")];
        let [top, middle, server] = chain;
        let ours = carrying(top.clone(), OURS);
        assert_eq!(judge([ours.clone(), middle.clone(), server.clone()], 40), descent(20));
        let held = with(top.clone(), |facts| facts.has_lock = true);
        assert_eq!(judge([held, middle.clone(), server.clone()], 40), descent(20));
        let other = carrying(middle.clone(), OTHER);
        assert!(is_foreign(&judge([ours.clone(), other.clone(), server.clone()], 40)));
        assert_eq!(
            judge([carrying(top.clone(), OTHER), carrying(middle.clone(), OURS), server.clone()], 40),
            descent(30)
        );
        assert!(is_foreign(&judge([ours, other, carrying(server.clone(), OTHER)], 40)));
        // One that cannot be inspected, such as sudo, does not hide what is above it.
        let sudo = with(middle, |facts| (facts.user, facts.directory) = (0, None));
        assert_eq!(judge([carrying(top, OURS), sudo, server], 40), descent(20));
    }

    #[test]
    fn without_an_id_the_directory_decides() {
        for (directory, is_ours) in [
            ("/home/me/project", true),
            ("/home/me/project/api", true),
            ("/tmp/portalloc-0123456789ab/redis", true),
            ("/home/me/project2", false),
            ("/home/me", false),
            ("/tmp/portalloc-0123456789ac", false),
        ] {
            let expected = Verdict::Ours(OursReason::Directory(directory.into()));
            let verdict = judge([person(20, 1, directory)], 20);
            assert!(if is_ours { verdict == expected } else { is_foreign(&verdict) }, "{directory}: {verdict:?}");
        }
        let mine = || person(20, 1, "/home/me/project");
        assert!(is_foreign(&judge([with(mine(), |facts| facts.user = 0)], 20)));
        assert!(is_foreign(&judge([with(mine(), |facts| facts.shares_paths = false)], 20)));
        assert!(is_foreign(&judge([carrying(mine(), OTHER)], 20)));
        assert!(is_foreign(&judge([carrying(mine(), "nonsense")], 20)));
        assert!(matches!(judge([with(mine(), |facts| facts.directory = None)], 20), Verdict::Unknown(_)));
        let above = carrying(person(10, 1, "/"), OTHER);
        assert!(is_foreign(&judge([above, person(20, 10, "/home/me/project")], 20)));
    }

    #[test]
    fn a_worktree_in_the_worktree_is_another_one() {
        let inside = |worktree: &str| {
            let mut person = person(20, 1, "/home/me/project/trees/b/api");
            person.worktree = Some(worktree.into());
            judge([person], 20)
        };
        assert!(is_foreign(&inside("/home/me/project/trees/b")));
        assert!(!is_foreign(&inside("/home/me/project")));
        // The environment of a directory inside of a repository.
        assert!(!is_foreign(&inside("/home/me")));
    }

    #[test]
    fn whoever_asks_and_whoever_is_above_is_spared() {
        let mut other_shell = person(50, TERMINAL, "/home/me/project");
        other_shell.facts.leads_terminal = true;
        let people = people([other_shell, person(60, 50, "/home/me/project")]);
        assert_eq!(people.spared(CALLER), Some(Spared::Caller));
        assert_eq!(people.spared(SHELL), Some(Spared::Ancestor));
        assert_eq!(people.spared(TERMINAL), Some(Spared::Ancestor));
        assert_eq!(people.spared(1), Some(Spared::Ancestor));
        assert_eq!(people.spared(50), Some(Spared::Terminal));
        assert_eq!(people.spared(60), None);
    }

    #[test]
    fn a_supervisor_was_there_before() {
        let people = people([person(20, 1, "/"), person(60, 20, "/"), person(61, 60, "/")]);
        let found = |before| people.supervisor(61, before).map(|person| person.facts.pid);
        assert_eq!(found(50), Some(20), "60 was started anew, too");
        assert_eq!(found(60), Some(60));
        assert_eq!(found(10), Some(1));
        assert_eq!(found(0), None);
    }

    #[test]
    fn what_is_not_there_is_unknown_and_circles_end() {
        assert!(matches!(judge([], 20), Verdict::Unknown(_)));
        assert!(is_foreign(&judge([person(20, 30, "/"), person(30, 20, "/")], 20)));
    }
}
