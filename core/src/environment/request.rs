//! What an environment is asked for.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::registry::Lifetime;
use crate::request::Request;
use crate::sys::ProcessStamp;
use crate::time::Timestamp;
use crate::variables;

/// How many ports an environment has if neither a number nor names are given.
pub(crate) const DEFAULT_COUNT: usize = 5;

/// Where the env file goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EnvFile {
    /// `.env.isolation` in the work tree, or `.env.isolation.<id>` if that is taken.
    #[default]
    Worktree,
    /// This very path, or an error if it is taken.
    At(PathBuf),
    /// None.
    None,
}

/// What an environment is asked for. Held by this process, unless [`kept`](Self::kept).
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct EnvironmentRequest {
    count: Option<usize>,
    wait: Option<Duration>,
    pub(crate) names: Vec<String>,
    pub(crate) instance_id: String,
    pub(crate) worktree: Option<PathBuf>,
    pub(crate) env_file: EnvFile,
    kept: bool,
    ttl: Option<Duration>,
    owner_pid: Option<u32>,
}

/// How long a checked request lives.
pub(crate) struct Life {
    pub(crate) lifetime: Lifetime,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) owner: Option<ProcessStamp>,
}

impl EnvironmentRequest {
    /// Held, five ports, in the current folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many consecutive ports; else as many as names, else five.
    pub fn ports(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    /// Names for the first ports: `postgres` becomes the variable `POSTGRES_PORT`.
    pub fn names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.names = names.into_iter().map(Into::into).collect();
        self
    }

    /// What tells this environment from others of the same work tree.
    pub fn instance_id(mut self, instance_id: impl Into<String>) -> Self {
        self.instance_id = instance_id.into();
        self
    }

    /// The work tree, an existing folder; else the current folder.
    pub fn worktree(mut self, worktree: impl Into<PathBuf>) -> Self {
        self.worktree = Some(worktree.into());
        self
    }

    /// Where the env file goes.
    pub fn env_file(mut self, env_file: EnvFile) -> Self {
        self.env_file = env_file;
        self
    }

    /// Outlives this process, until cleanup.
    pub fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    /// Stale after this long. Only for a kept one.
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Stale once this process has ended. Only for a kept one.
    pub fn owner_pid(mut self, pid: u32) -> Self {
        self.owner_pid = Some(pid);
        self
    }

    /// Waits up to this long for ports to come free.
    pub fn wait(mut self, limit: Duration) -> Self {
        self.wait = Some(limit);
        self
    }

    /// The lease it needs; names alone set the count.
    pub(crate) fn lease(&self) -> Result<Request> {
        let count = self.count.unwrap_or(if self.names.is_empty() { DEFAULT_COUNT } else { self.names.len() });
        variables::check_names(&self.names, count)?;
        let request = Request::run(count);
        Ok(match self.wait {
            Some(limit) => request.wait(limit),
            None => request,
        })
    }

    pub(crate) fn check_instance_id(&self) -> Result<()> {
        if self.instance_id.len() > 256 || self.instance_id.chars().any(char::is_control) {
            let shown: String = self.instance_id.chars().take(40).collect();
            return Err(Error::invalid_argument(
                format!("the instance ID {shown:?} is too long or has control characters"),
                "use at most 256 bytes of ordinary text",
            ));
        }
        Ok(())
    }

    pub(crate) fn life(&self) -> Result<Life> {
        if !self.kept {
            if self.ttl.is_some() || self.owner_pid.is_some() {
                return Err(Error::invalid_argument(
                    "a TTL or an owner was given for an environment that is held by this process",
                    "only kept environments have them",
                ));
            }
            return Ok(Life { lifetime: Lifetime::Held, expires_at: None, owner: None });
        }
        let expires_at = self.ttl.map(|ttl| {
            let invalid = |why: &str| {
                Error::invalid_argument(
                    format!("the TTL {} {why}", humantime::format_duration(ttl)),
                    "name a time such as 30m, 2h or 1d",
                )
            };
            if ttl < Duration::from_millis(1) {
                return Err(invalid("is no time at all"));
            }
            Timestamp::now().after(ttl).ok_or_else(|| invalid("reaches beyond the year 9999"))
        });
        let owner = self.owner_pid.map(|pid| {
            let found = ProcessStamp::running(pid)
                .map_err(|error| Error::os(format!("cannot read process {pid} in /proc"), error))?;
            found.ok_or_else(|| {
                Error::new(
                    crate::ErrorCode::NotFound,
                    format!("no process with the ID {pid} runs here"),
                    "name the ID of a running process of this PID namespace",
                )
            })
        });
        Ok(Life { lifetime: Lifetime::Kept, expires_at: expires_at.transpose()?, owner: owner.transpose()? })
    }
}
