//! What to create an environment with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::worktree;
use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::lease::{LeaseRequest, Sticky};
use crate::names::{DEFAULT_COUNT, check_names, check_variable};
use crate::process::Place;
use crate::project::{self, EnvTemplate, Project};
use crate::registry::{Lifetime, Record};
use crate::settings::Settings;
use crate::sys::{ProcessStamp, words};
use crate::time::Timestamp;
use crate::variables::GO_PORTALLOC;

/// Where the env file goes.
///
/// ```
/// use portalloc::EnvironmentRequest;
/// use portalloc::environment::EnvFile;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let path = scratch.path().join("test.env");
/// let request = EnvironmentRequest::new().names(["web"]).env_file(EnvFile::At(path.clone()));
/// let environment = allocator.create_environment(&request)?;
/// assert!(std::fs::read_to_string(&path).unwrap().contains("WEB_PORT="));
/// # drop(environment);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EnvFile {
    /// No env file.
    #[default]
    None,
    /// `.env.isolation` in the worktree, or `.env.isolation.<id>` if that exists.
    Worktree,
    /// This path; creating the environment fails if the file exists.
    At(PathBuf),
}

/// Which environment to create. This process holds it, unless [`kept`](Self::kept).
///
/// ```
/// use std::time::Duration;
/// use portalloc::EnvironmentRequest;
///
/// // Two named ports, the same as before if they are free, for at most a day.
/// let request = EnvironmentRequest::new().names(["web", "db"]).sticky(true).kept().ttl(Duration::from_secs(24 * 60 * 60));
/// # drop(request);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct EnvironmentRequest {
    count: Option<usize>,
    shape: Shape,
    prefer: Option<Vec<u16>>,
    wait: Option<Duration>,
    guard: Option<bool>,
    sticky: Option<bool>,
    names: Vec<String>,
    instance_id: Option<String>,
    worktree: Option<PathBuf>,
    /// The worktree that the search for the project file has found, a path without links.
    found: Option<PathBuf>,
    declared: Option<Project>,
    pub(crate) env_file: EnvFile,
    kept: bool,
    ttl: Option<Duration>,
    owner_pid: Option<u32>,
    has_go_portalloc_names: bool,
    place: Place,
}

/// How the ports are chosen.
#[derive(Clone, Debug, Default)]
enum Shape {
    #[default]
    Consecutive,
    Scattered,
    Offsets(Vec<u16>),
    Exact(Vec<u16>),
}

impl Settings {
    /// Opens an allocator for an environment, with the project file of its worktree, which applies where neither these
    /// settings nor the request set a value. If the request names no worktree, it is the one that contains the current
    /// directory: see [`EnvironmentRequest::worktree`].
    ///
    /// # Errors
    /// As [`open`](Self::open) and [`Project::nearest`].
    pub fn open_for(self, request: EnvironmentRequest) -> Result<(Allocator, EnvironmentRequest)> {
        let (settings, request) = self.with_project(request)?;
        Ok((settings.open()?, request))
    }

    /// Both with what the project file of the request's worktree declares.
    pub(crate) fn with_project(self, mut request: EnvironmentRequest) -> Result<(Self, EnvironmentRequest)> {
        let found = match &request.worktree {
            Some(named) => Some(project::search(named)?),
            None => project::search_here()?,
        };
        let project = found.as_ref().map_or(Ok(None), project::Found::project)?;
        request.found = found.map(|found| found.worktree().to_owned());
        Ok(match project {
            Some(project) => (self.project(&project), request.project(&project)),
            None => (self, request),
        })
    }
}

/// The lifetime of a checked request.
pub(crate) struct Life {
    pub(crate) lifetime: Lifetime,
    pub(crate) ttl: Option<Duration>,
    pub(crate) owner: Option<ProcessStamp>,
}

impl EnvironmentRequest {
    /// A held environment with five ports, of the current worktree.
    pub fn new() -> Self {
        Self::default()
    }

    /// This many consecutive ports. Without this, as many as there are names, else five.
    pub fn ports(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    /// Ports that need not be consecutive.
    pub fn scattered(mut self) -> Self {
        self.shape = Shape::Scattered;
        self
    }

    /// A base port and the ports at these distances from it: see [`LeaseRequest::offsets`]. They also set the number of
    /// ports.
    pub fn offsets(mut self, offsets: impl IntoIterator<Item = u16>) -> Self {
        self.shape = Shape::Offsets(offsets.into_iter().collect());
        self
    }

    /// Exactly these ports, which also set the number of ports.
    pub fn exact(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.shape = Shape::Exact(ports.into_iter().collect());
        self
    }

    /// Base ports to try before all others, in this order, inside the pool or not; with a sticky request after the port that
    /// it had last. See [`LeaseRequest::prefer`].
    pub fn prefer(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.prefer = Some(ports.into_iter().collect());
        self
    }

    /// Guards the ports against foreign processes, too: see [`Lease::guard`](crate::Lease::guard). Only for held
    /// environments.
    pub fn guard(mut self, guard: bool) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Prefers the ports that the same worktree, instance ID and names had before, then those that their hash selects,
    /// which are the same on every machine. Other ports are leased if those are in use.
    pub fn sticky(mut self, sticky: bool) -> Self {
        self.sticky = Some(sticky);
        self
    }

    /// Names for the first ports: `postgres` becomes the variable `POSTGRES_PORT`.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// Distinguishes this environment from others of the same worktree. Empty text means no instance ID, and overrides
    /// the project file.
    pub fn instance_id(mut self, instance_id: impl Into<String>) -> Self {
        self.instance_id = Some(instance_id.into());
        self
    }

    /// The worktree, which must be an existing directory. Without this it is the nearest directory with a `.git`, from
    /// the current one upwards; without Git that of the nearest project file, else the current directory.
    pub fn worktree(mut self, worktree: impl Into<PathBuf>) -> Self {
        self.worktree = Some(worktree.into());
        self
    }

    /// Where to write the env file. Without this, there is none.
    pub fn env_file(mut self, env_file: EnvFile) -> Self {
        self.env_file = env_file;
        self
    }

    /// Keeps the environment after this process ends, until cleanup.
    pub fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Makes the environment stale after this long. Only for kept environments.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Makes the environment stale once this process has ended. Only for kept environments.
    pub fn owner_pid(mut self, pid: u32) -> Self {
        self.owner_pid = Some(pid);
        self
    }

    /// Names the first five ports as go-portalloc does, too, unless ports have names: `FIRESTORE_PORT`, `AUTH_PORT`,
    /// `API_PORT`, `METRICS_PORT`, `DEBUG_PORT`. For scripts that were written for it, in the created environment's
    /// variables and its env file.
    pub fn go_portalloc_names(mut self) -> Self {
        self.has_go_portalloc_names = true;
        self
    }

    /// Waits up to this long for ports to become free.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// Uses the project file's values where this request sets none: the worktree that contains it, its instance ID,
    /// preferred ports, whether ports are sticky and, in a held environment, guarded; and its names, offsets and number of
    /// ports, which belong together: names in the request replace all three. An empty list of names counts as not set.
    ///
    /// Its variables are set in any case. Only those that need a port by a name that the request replaces are left out.
    pub fn project(mut self, project: &Project) -> Self {
        self.declared = Some(project.clone());
        self
    }

    /// The worktree as its record names it.
    pub(crate) fn place_of_work(&self) -> Result<PathBuf> {
        match (&self.worktree, &self.found) {
            (Some(named), _) => worktree::directory(named),
            (None, Some(found)) => worktree::in_text(found.clone()),
            (None, None) => worktree::unnamed(self.declared.as_ref().map(Project::directory)),
        }
    }

    /// The instance ID, or empty text.
    pub(crate) fn instance(&self) -> &str {
        let declared = || self.declared.as_ref()?.instance_id.as_ref();
        self.instance_id.as_ref().or_else(declared).map_or("", String::as_str)
    }

    /// The project file, if the ports that it declares apply.
    fn declared_ports(&self) -> Option<&Project> {
        self.declared.as_ref().filter(|_| self.names.is_empty())
    }

    /// The names of the first ports.
    pub(crate) fn port_names(&self) -> &[String] {
        self.declared_ports().map_or(&self.names, |project| &project.names)
    }

    /// The templates of the environment's variables.
    pub(crate) fn env(&self) -> &[EnvTemplate] {
        self.declared.as_ref().map_or(&[], |project| &project.env)
    }

    /// The variables that the project file gives an environment that exists; `None` if there is no such file. Those that
    /// are portalloc's own in this environment, whose names may be older than the file, are left out.
    pub(crate) fn env_for(&self, record: &Record) -> Option<BTreeMap<String, String>> {
        let mut env = record.env_of(&self.declared.as_ref()?.env);
        env.retain(|name, _| check_variable(name, &record.names).is_ok());
        Some(env)
    }

    /// Checks the variables of the project file against names that it does not know.
    fn check_env(&self) -> Result<()> {
        let Some(project) = &self.declared else { return Ok(()) };
        for template in &project.env {
            check_variable(&template.name, self.port_names()).map_err(|error| {
                let place = project::place(&project.path, template.line);
                error.recast(ErrorCode::InvalidArgument, &format!("{place}`env`: "))
            })?;
        }
        Ok(())
    }

    /// Where in the program the environment is created: see [`LeaseRequest::place`].
    pub fn place(mut self, place: impl Into<String>) -> Self {
        self.place = Place::Text(place.into().into_boxed_str());
        self
    }

    pub(crate) fn aliases(&self) -> &'static [&'static str] {
        if self.has_go_portalloc_names && self.port_names().is_empty() { &GO_PORTALLOC } else { &[] }
    }

    /// The lease that the environment needs.
    pub(crate) fn lease(&self, worktree: &Path) -> Result<LeaseRequest> {
        let count = self.port_count()?;
        check_names(self.port_names(), count)?;
        self.check_env()?;
        if self.guard == Some(true) && self.kept {
            return Err(Error::invalid_argument(
                "a guard was asked for with an environment that outlives its creator",
                "a guard is made of sockets, which end with their process: use a held environment, such as `portalloc run`",
            ));
        }
        let declared = self.declared.as_ref();
        let shape = self.shape_of(count);
        let mut request = match &shape {
            Shape::Consecutive => LeaseRequest::run(count),
            Shape::Scattered => LeaseRequest::scattered(count),
            Shape::Offsets(offsets) => LeaseRequest::offsets(offsets.iter().copied()),
            Shape::Exact(ports) => LeaseRequest::exact(ports.iter().copied()),
        };
        request.wait = self.wait;
        request.place = self.place.clone();
        request.guard = !self.kept && self.guard.or(declared.and_then(|project| project.guard)).unwrap_or(false);
        let is_sticky = self.sticky.or(declared.and_then(|project| project.sticky)).unwrap_or(false);
        request.sticky = is_sticky.then(|| self.sticky_names(worktree, count, &shape));
        let prefer = self.prefer.as_ref().or(declared.map(|project| &project.prefer));
        request.prefer = prefer.cloned().unwrap_or_default();
        Ok(request)
    }

    /// How many ports. If only names are given, they set the count.
    fn port_count(&self) -> Result<usize> {
        match (&self.shape, self.count) {
            (Shape::Offsets(ports) | Shape::Exact(ports), Some(given)) if given != ports.len() => {
                Err(Error::invalid_argument(
                    format!("{given} ports asked for, but {} named", ports.len()),
                    "leave the number out: the ports or offsets set it",
                ))
            }
            (Shape::Offsets(ports) | Shape::Exact(ports), _) => Ok(ports.len()),
            (_, Some(count)) => Ok(count),
            (_, None) => {
                let names = self.port_names();
                let named = if names.is_empty() { DEFAULT_COUNT } else { names.len() };
                Ok(self.declared_ports().and_then(|project| project.ports).unwrap_or(named))
            }
        }
    }

    /// Whether all that it says of ports is in a project file, which was checked when it was read.
    fn is_as_declared(&self) -> bool {
        let asks_itself = self.count.is_some() || self.guard.is_some() || !matches!(self.shape, Shape::Consecutive);
        self.declared_ports().is_some() && !asks_itself
    }

    /// The shape of `count` ports. Offsets that the project file declares have ports without a name above them.
    fn shape_of(&self, count: usize) -> Shape {
        let declared = self.declared_ports().and_then(|project| project.offsets.as_ref());
        match (&self.shape, declared) {
            (Shape::Consecutive, Some(offsets)) => {
                let highest = offsets.iter().max().copied().unwrap_or_default();
                let unnamed = (1..=u16::MAX).map(|above| highest.saturating_add(above));
                Shape::Offsets(offsets.iter().copied().chain(unnamed).take(count).collect())
            }
            (shape, _) => shape.clone(),
        }
    }

    /// A colleague's worktree has the same name, but not the same path.
    fn sticky_names(&self, worktree: &Path, count: usize, shape: &Shape) -> Sticky {
        let rest = format!("{:?} {:?} {count} {shape:?}", self.instance(), self.port_names());
        let name = worktree.file_name().unwrap_or_default();
        Sticky { everywhere: format!("{name:?} {rest}"), here: format!("{worktree:?} {rest}") }
    }

    /// The request for the environment of this worktree: kept, and sticky unless something says otherwise.
    pub(crate) fn of_worktree(&self, worktree: &Path) -> Self {
        Self {
            kept: true,
            sticky: self.sticky.or(Some(true)),
            worktree: None,
            found: Some(worktree.to_owned()),
            ..self.clone()
        }
    }

    /// How an existing environment differs from what this asks for, as in "has the ports web, not web, api". Without
    /// names and numbers it asks for whatever there is.
    ///
    /// # Errors
    /// `invalid_argument` if it asks for what cannot be.
    pub(crate) fn difference(&self, record: &Record) -> Result<Option<String>> {
        let wanted = match self.is_as_declared() {
            true => self.port_count()?,
            false => self.lease(&record.worktree_path)?.count(),
        };
        let is_met = match &self.shape {
            Shape::Exact(ports) => *ports == record.ports.ports,
            _ => wanted == record.ports.count,
        };
        if !self.asks() || is_met && self.port_names() == record.names {
            return Ok(None);
        }
        let described = |names: &[String], count: usize| match names {
            [] => format!("{count} ports without names"),
            names if names.len() == count => format!("the ports {}", names.join(", ")),
            names => format!("{count} ports, the first of them {}", names.join(", ")),
        };
        let has = described(&record.names, record.ports.count);
        let asked = match &self.shape {
            Shape::Exact(ports) => format!("exactly the ports {ports:?}"),
            _ => described(self.port_names(), wanted),
        };
        Ok(Some(format!("has {has}, not {asked}")))
    }

    /// Whether it says anything about names and numbers of ports.
    fn asks(&self) -> bool {
        let declares_count = || self.declared_ports().is_some_and(|project| project.ports.is_some());
        let has_shape = matches!(self.shape, Shape::Exact(_) | Shape::Offsets(_));
        has_shape || self.count.is_some() || declares_count() || !self.port_names().is_empty()
    }

    /// The request for an environment in the place of an existing one, which it is like if this asks for nothing else.
    pub(crate) fn in_place_of(&self, record: &Record) -> Self {
        if self.asks() {
            return self.clone();
        }
        let ports = &record.ports.ports;
        let base = ports.first().copied().unwrap_or_default();
        let is_run = ports.iter().zip(base..=u16::MAX).all(|(port, expected)| *port == expected);
        let offsets: Option<Vec<u16>> = ports.iter().map(|port| port.checked_sub(base)).collect();
        let (shape, count) = match (is_run, offsets) {
            (true, _) => (self.shape.clone(), Some(ports.len())),
            (false, Some(offsets)) => (Shape::Offsets(offsets), None),
            (false, None) => (Shape::Scattered, Some(ports.len())),
        };
        Self { shape, count, names: record.names.clone(), ..self.clone() }
    }

    pub(crate) fn life(&self) -> Result<Life> {
        if !self.kept {
            if self.ttl.is_some() || self.owner_pid.is_some() {
                return Err(Error::invalid_argument(
                    "a TTL or an owner was given for an environment that is held by this process",
                    "only kept environments have them",
                ));
            }
            return Ok(Life { lifetime: Lifetime::Held, ttl: None, owner: None });
        }
        if let Some(ttl) = self.ttl {
            // Checked before any ports are taken; the TTL itself starts when they are.
            after(Timestamp::now(), ttl)?;
        }
        let owner = self.owner_pid.map(|pid| {
            let found = ProcessStamp::running(pid)
                .map_err(|error| Error::os(format!("cannot read process {pid} {}", words::IN_PROCESSES), error))?;
            found.ok_or_else(|| {
                Error::new(
                    ErrorCode::NotFound,
                    format!("no process with the ID {pid} runs here"),
                    "name the ID of a running process of this PID namespace",
                )
            })
        });
        Ok(Life { lifetime: Lifetime::Kept, ttl: self.ttl, owner: owner.transpose()? })
    }
}

/// When a TTL that starts at `start` ends.
pub(super) fn after(start: Timestamp, ttl: Duration) -> Result<Timestamp> {
    let invalid = |why: &str| {
        Error::invalid_argument(
            format!("the TTL {} {why}", humantime::format_duration(ttl)),
            "name a time such as 30m, 2h or 1d",
        )
    };
    if ttl < Duration::from_millis(1) {
        return Err(invalid("is zero"));
    }
    start.after(ttl).ok_or_else(|| invalid("reaches beyond the year 9999"))
}
