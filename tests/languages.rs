//! Every language contends for one small pool at once: see `languages/README.md`. Ignored unless asked for, because it
//! needs every language's package: `make test-languages` makes them and names them in the variables read here.

#![expect(clippy::panic, reason = "a helper of tests: a failure is a failed test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use portalloc_testkit::Running;
use portalloc_tests::{Stage, judge};

const ACTOR: &str = env!("CARGO_BIN_EXE_actor");
/// Ports for two at a time, of eleven contenders.
const POOL: usize = 7;
const COUNT: usize = 3;

fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable)
        .map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} is not set: make test-languages"))
}

/// A contender that has been started and waits for a line.
struct Contender {
    language: &'static str,
    process: Running,
    times: usize,
}

impl Contender {
    fn start(language: &'static str, world: &Stage, mut command: Command, journal: &Path, times: usize) -> Self {
        world.prepare(&mut command, world.pool());
        command.arg(journal).args([times, COUNT].map(|number| number.to_string()));
        Self { language, process: Running::start(&mut command), times }
    }

    fn go(&mut self) {
        self.process.say("go");
    }

    /// Waits for its end, and says that it was served as often as it wanted.
    fn finish(self) {
        let (status, printed) = self.process.end();
        assert_eq!(status, 0, "{}", self.language);
        let served = printed.split_whitespace().next().unwrap_or_default();
        assert_eq!(served, self.times.to_string(), "{}", self.language);
    }
}

#[test]
#[ignore = "needs every language's package: make test-languages"]
fn all_languages_share_one_small_pool_and_no_port_is_anybodys_twice() {
    let world = Stage::new(ACTOR, POOL);
    let journal = world.path().join("journal");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("languages");
    let command = |program: PathBuf, script: &str| {
        let mut command = Command::new(program);
        command.arg(scripts.join(script));
        command
    };
    let mut in_shell = command(PathBuf::from("sh"), "contend.sh");
    let directory = named("PORTALLOC_CLI").parent().expect("a directory").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(directory).chain(std::env::split_paths(&path));
    in_shell.env("PATH", std::env::join_paths(paths).expect("a path"));

    let mut contenders: Vec<Contender> = Vec::new();
    let mut start = |language, command: Command, times| {
        contenders.push(Contender::start(language, &world, command, &journal, times));
    };
    for _ in 0..2 {
        start("Python", command(named("PORTALLOC_PYTHON"), "contend.py"), 150);
        start("Node", command(PathBuf::from("node"), "contend.mjs"), 150);
        start("C", Command::new(named("PORTALLOC_C_CONTENDER")), 150);
        start("Go", Command::new(named("PORTALLOC_GO_CONTENDER")), 150);
    }
    start("the command line", in_shell, 20);
    let mut rust = world.actors(2);
    for actor in &mut rust {
        actor.send(&format!("contend {COUNT} journal {} times 150 wait 60000", journal.display()));
    }
    contenders.iter_mut().for_each(Contender::go);
    let wanted: usize = contenders.iter().map(|contender| contender.times).sum::<usize>() + 2 * 150;
    contenders.into_iter().for_each(Contender::finish);
    for actor in &mut rust {
        assert_eq!(actor.answer().expect("it was served")["taken"], 150);
    }
    assert_eq!(judge(&journal).taken, wanted);
    assert_eq!(world.allocator().census().expect("a census").free, POOL);
}
