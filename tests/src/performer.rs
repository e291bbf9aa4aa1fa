//! What an actor can do: the actor's end of the pipes. Things that it made are named by number, in order of making.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of tests: a failure is a failed test"
)]

mod churn;
mod contend;
mod hand;
mod told;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;

use portalloc::cleanup::{Cleanup, Selection};
use portalloc::environment::EnvFile;
use portalloc::worktree::StopOptions;
use portalloc::{Allocator, Environment, EnvironmentRequest, IsolationId, Lease, LeaseRequest, Result};
use rustix::event::{PollFd, PollFlags, poll};
use serde_json::{Value, json};

use self::told::{answer, report, stale_word};
use crate::options::Options;

/// An actor's state.
#[derive(Debug, Default)]
pub struct Performer {
    allocator: Option<Allocator>,
    leases: Vec<Option<Lease>>,
    sockets: Vec<Vec<TcpListener>>,
    environments: Vec<Option<Environment>>,
}

impl Performer {
    /// Does what a line says. `None`: the actor is to end.
    pub fn perform(&mut self, line: &str) -> Option<Value> {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        let options = Options::new(rest);
        let done = match command {
            "quit" => return None,
            "fork" => return self.fork(rest),
            "open" => Allocator::open().map(|allocator| {
                self.allocator = Some(allocator);
                Value::Null
            }),
            "contend" => contend::contend(self, options),
            "churn" => churn::churn(self, options),
            "lease" => self.lease(LeaseRequest::run(options.first()), options),
            "these" => self.lease(LeaseRequest::exact(options.leading()), options),
            "scattered" => self.lease(LeaseRequest::scattered(options.first()), options),
            "guard" => self.guard(options),
            "socket" => self.socket(options),
            "pass" => self.pass(options),
            "limit" => Ok(hand::limit(options)),
            "descriptors" => Ok(hand::descriptors()),
            "release" => Ok(self.release(options.first())),
            "is_held" => {
                Ok(self.leases[options.first::<usize>()].as_ref().expect("a lease of that number").is_held().into())
            }
            "drop" => {
                drop(self.leases[options.first::<usize>()].take());
                Ok(Value::Null)
            }
            "bind" => Ok(self.bind(options.first())),
            "unbind" => {
                self.sockets.clear();
                Ok(Value::Null)
            }
            "held" => self.environment(EnvironmentRequest::new(), options),
            "kept" => self.environment(kept(options), options),
            "block" => self.block(options),
            "obtain" => self.obtain(options),
            "find" => self.find(),
            "repair" => self.repair(options),
            "down" => self.down(),
            "attach" => self.attach(options),
            "current" => self.current(options),
            "leave" => {
                drop(self.environments[options.first::<usize>()].take());
                Ok(Value::Null)
            }
            "clean" => self.environments[options.first::<usize>()]
                .as_mut()
                .expect("an environment of that number")
                .cleanup()
                .map(|()| Value::Null),
            "cleanup" => self.cleanup(options),
            "list" => self.list(),
            "validate" => self.validate(options),
            "reconcile" => self.allocator().and_then(|allocator| {
                Ok(allocator.reconcile()?.iter().map(|repair| Value::from(repair.to_string())).collect())
            }),
            "check" => self.check(options),
            "place" => self.allocator().map(|allocator| allocator.directory().to_string_lossy().into()),
            "setup" => {
                portalloc::registry::set_up().map(|done| json!({"directory": done.directory, "left": done.left}))
            }
            "unsetup_at_next_boot" => {
                portalloc::registry::remove_set_up_at_next_boot().map(|until| json!({"until_then": until}))
            }
            "unsetup" => portalloc::registry::remove_set_up().map(|done| json!({"directory": done.directory})),
            other => panic!("{other:?} is no command"),
        };
        Some(answer(done))
    }

    fn allocator(&mut self) -> Result<&Allocator> {
        if self.allocator.is_none() {
            self.allocator = Some(Allocator::open()?);
        }
        Ok(self.allocator.as_ref().expect("it was opened just now"))
    }

    fn lease(&mut self, request: LeaseRequest, options: Options<'_>) -> Result<Value> {
        let request = match options.time("wait") {
            Some(limit) => request.wait(limit),
            None => request,
        };
        let request = match options.get::<String>("sticky") {
            Some(key) => request.sticky(key),
            None => request,
        };
        let request = if options.has("guarded") { request.guard(true) } else { request };
        let lease = self.allocator()?.lease(request)?;
        let answer = json!({"lease": self.leases.len(), "ports": lease.ports()});
        self.leases.push(Some(lease));
        Ok(answer)
    }

    fn release(&mut self, number: usize) -> Value {
        self.leases[number].as_ref().expect("a lease of that number").release();
        Value::Null
    }

    /// Listens on every port of a lease, as a user's servers would.
    fn bind(&mut self, number: usize) -> Value {
        let lease = self.leases[number].as_ref().expect("a lease of that number");
        self.sockets.push(listen(lease.ports()));
        Value::Null
    }

    fn environment(&mut self, request: EnvironmentRequest, options: Options<'_>) -> Result<Value> {
        let environment = self.allocator()?.create_environment(&details(request, options))?;
        Ok(self.keep(environment))
    }

    /// Writes the block of the environment of its directory into a file.
    fn block(&mut self, options: Options<'_>) -> Result<Value> {
        let request = EnvironmentRequest::new().ports(1).env_file(EnvFile::None);
        let request = match options.get::<String>("instance") {
            Some(instance) => request.instance_id(instance),
            None => request,
        };
        let environment = self.allocator()?.worktree_environment(&request)?;
        environment.write_block(options.first::<String>())?;
        Ok(json!({"id": environment.id().to_string(), "ports": environment.ports()}))
    }

    /// The environment of its directory, made if there is none.
    fn obtain(&mut self, options: Options<'_>) -> Result<Value> {
        let request = details(EnvironmentRequest::new(), options);
        let environment = self.allocator()?.worktree_environment(&request)?;
        Ok(self.keep(environment))
    }

    /// The ID of the environment of its directory, or null.
    fn find(&mut self) -> Result<Value> {
        let found = self.allocator()?.find_worktree_environment(&EnvironmentRequest::new())?;
        Ok(found.map_or(Value::Null, |found| found.id().to_string().into()))
    }

    fn repair(&mut self, options: Options<'_>) -> Result<Value> {
        let request = details(EnvironmentRequest::new(), options);
        let environment = self.allocator()?.repair_worktree_environment(&request)?;
        Ok(self.keep(environment))
    }

    /// Ends the environment of its directory; says whether there was one.
    fn down(&mut self) -> Result<Value> {
        let found = self.allocator()?.find_worktree_environment(&EnvironmentRequest::new())?;
        found.map_or(Ok(false), |found| Ok(found.down(&StopOptions::new())?.removed)).map(Value::from)
    }

    fn attach(&mut self, options: Options<'_>) -> Result<Value> {
        let environment = self.allocator()?.attach(options.first::<String>().parse()?)?;
        Ok(self.keep(environment))
    }

    fn current(&mut self, options: Options<'_>) -> Result<Value> {
        let environment = self.allocator()?.current(&details(EnvironmentRequest::new(), options))?;
        Ok(self.keep(environment))
    }

    fn keep(&mut self, environment: Environment) -> Value {
        let variables: serde_json::Map<String, Value> =
            environment.variables().into_iter().map(|(name, value)| (name, value.into())).collect();
        let answer = json!({
            "environment": self.environments.len(),
            "id": environment.id().to_string(),
            "ports": environment.ports(),
            "temp_dir": environment.temp_dir(),
            "env_file": environment.env_file(),
            "variables": variables,
            "record": environment.record(),
            "has_lease": environment.lease().is_some(),
        });
        self.environments.push(Some(environment));
        answer
    }

    fn cleanup(&mut self, options: Options<'_>) -> Result<Value> {
        let which: String = options.first();
        let selection = match which.as_str() {
            "all" => Selection::All,
            "stale" => Selection::Stale,
            "older" => Selection::OlderThan(options.time("age").expect("a time")),
            id => Selection::Id(id.parse()?),
        };
        let mut cleanup = Cleanup::new(selection);
        if let Some(path) = options.get::<String>("worktree") {
            cleanup = cleanup.worktree(path);
        }
        Ok(report(&self.allocator()?.cleanup(&cleanup)?))
    }

    fn list(&mut self) -> Result<Value> {
        let listing = self.allocator()?.list()?;
        let environment = |info: &portalloc::environment::EnvironmentInfo| {
            json!({
                "id": info.id.to_string(),
                "status": info.status.as_str(),
                "stale": stale_word(&info.status),
                "reason": info.status.reason(),
                "ports": info.ports,
                "pid": info.holder.as_ref().map(|holder| holder.pid),
            })
        };
        let lease = |info: &portalloc::environment::LeaseInfo| json!({"ports": info.ports, "pid": info.holder.as_ref().map(|h| h.pid)});
        Ok(json!({
            "environments": listing.environments.iter().map(environment).collect::<Vec<_>>(),
            "leases": listing.leases.iter().map(lease).collect::<Vec<_>>(),
        }))
    }

    fn validate(&mut self, options: Options<'_>) -> Result<Value> {
        let id: IsolationId = options.first::<String>().parse()?;
        let validation = self.allocator()?.validate(id)?;
        let failures: serde_json::Map<String, Value> = validation
            .checks
            .iter()
            .filter_map(|check| Some((check.name.to_owned(), check.failure.clone()?.into())))
            .collect();
        Ok(json!({"valid": validation.is_valid(), "failures": failures}))
    }

    fn check(&mut self, options: Options<'_>) -> Result<Value> {
        let states = self.allocator()?.check(options.leading::<u16>())?;
        Ok(states.iter().map(|state| Value::from(state.to_string())).collect())
    }

    /// Forks. The child does the commands (separated by `;`) with its copies of everything, and lives on until it is
    /// killed or the test lets go of the actor's standard input. The answer has the child's ID and its answers.
    fn fork(&mut self, commands: &str) -> Option<Value> {
        let (mut ours, mut childs) = UnixStream::pair().expect("a pair of sockets");
        match fork::fork().expect("a fork") {
            fork::Fork::Parent(pid) => {
                drop(childs);
                let mut answers = String::new();
                BufReader::new(&mut ours).read_line(&mut answers).expect("the child's answers");
                let answers: Value = serde_json::from_str(&answers).expect("the child's answers");
                Some(json!({"ok": {"child": pid, "answers": answers}}))
            }
            fork::Fork::Child => {
                let lines = commands.split(';').map(str::trim).filter(|line| !line.is_empty());
                let answers: Vec<Value> = lines.filter_map(|line| self.perform(line)).collect();
                writeln!(childs, "{}", Value::from(answers)).expect("the parent listens");
                drop(childs);
                // No events asked for: only the end of the pipe wakes it.
                let _ = poll(&mut [PollFd::new(&std::io::stdin(), PollFlags::empty())], None);
                None
            }
        }
    }
}

/// Listens on ports that must be free.
fn listen(ports: &[u16]) -> Vec<TcpListener> {
    let bind = |port: &u16| {
        TcpListener::bind(("0.0.0.0", *port))
            .unwrap_or_else(|error| panic!("leased port {port} cannot be bound: {error}"))
    };
    ports.iter().map(bind).collect()
}

fn kept(options: Options<'_>) -> EnvironmentRequest {
    let mut request = EnvironmentRequest::new().kept();
    if let Some(ttl) = options.time("ttl") {
        request = request.ttl(ttl);
    }
    match options.get::<String>("owner").as_deref() {
        None => request,
        Some("self") => request.owner_pid(std::process::id()),
        Some(pid) => request.owner_pid(pid.parse().expect("a process ID")),
    }
}

fn details(mut request: EnvironmentRequest, options: Options<'_>) -> EnvironmentRequest {
    if let Some(count) = options.get("ports") {
        request = request.ports(count);
    }
    if let Some(names) = options.get::<String>("names") {
        request = request.names(names.split(','));
    }
    if let Some(instance) = options.get::<String>("instance") {
        request = request.instance_id(instance);
    }
    if let Some(path) = options.get::<String>("worktree") {
        request = request.worktree(path);
    }
    if let Some(limit) = options.time("wait") {
        request = request.wait(limit);
    }
    match options.get::<String>("file").as_deref() {
        None => request.env_file(EnvFile::Worktree),
        Some("none") => request.env_file(EnvFile::None),
        Some(path) => request.env_file(EnvFile::At(path.into())),
    }
}
