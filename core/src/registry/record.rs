//! The record of an environment: what it says, and whether portalloc can have written it. Knows no files.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::id::IsolationId;
use crate::names;
use crate::sys::ProcessStamp;
use crate::time::Timestamp;

const FORMAT: u32 = 1;

/// How long an environment lives.
///
/// [`Record`] has an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifetime {
    /// While the process that created it runs, or any process that inherited its lease.
    Held,
    /// Until cleanup, its TTL, or the end of its owner.
    Kept,
}

impl Lifetime {
    /// `held` or `kept`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Kept => "kept",
        }
    }
}

/// The ports of an environment.
///
/// [`Record`] has an example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordPorts {
    /// The first port.
    pub base_port: u16,
    /// The number of ports.
    pub count: usize,
    /// All ports, in the order of the names.
    pub ports: Vec<u16>,
}

/// The record of an environment. Its JSON is the record's file and the command line's `--json` output.
///
/// ```
/// use portalloc::EnvironmentRequest;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let environment = allocator.create_environment(&EnvironmentRequest::new().names(["web"]))?;
/// let record = environment.record();
/// assert_eq!(record.fill("http://127.0.0.1:{web}/"), format!("http://127.0.0.1:{}/", environment.ports()[0]));
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Record {
    /// Version of this format.
    pub format: u32,
    /// Its ID.
    pub isolation_id: IsolationId,
    /// `portalloc-<id>`, for docker compose.
    pub compose_project_name: String,
    /// The worktree that it was created for.
    pub worktree_path: PathBuf,
    /// Distinguishes several environments of one worktree; empty if not given.
    pub instance_id: String,
    /// Its temp directory.
    pub temp_dir: PathBuf,
    /// The record's own path.
    pub lock_file: PathBuf,
    /// Its env file, if it has one.
    pub env_file: Option<PathBuf>,
    /// Its ports.
    pub ports: RecordPorts,
    /// The names of the first ports.
    pub names: Vec<String>,
    /// Held or kept.
    pub lifetime: Lifetime,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its TTL ends.
    pub expires_at: Option<Timestamp>,
    /// The process that created it.
    pub holder: ProcessStamp,
    /// The owner: the environment ends when this process does.
    pub owner: Option<ProcessStamp>,
    /// The mount namespace in which its paths are valid.
    pub mount_namespace: u64,
    /// The lease number in its labels, which distinguishes them from those of others.
    pub lease: u64,
    /// Whether its creation has not finished, so that it claims nothing once its lock is gone. Stored in the record's
    /// name, not in its text.
    #[serde(skip)]
    pub(crate) is_unfinished: bool,
    /// Further variables of its first ports, which its creator prints and writes to the env file.
    #[serde(skip)]
    pub(crate) aliases: &'static [&'static str],
}

impl Record {
    /// Whether its ports must have labels that claim them, so that a missing label means damage.
    pub(crate) fn claims_by_labels(&self) -> bool {
        self.lifetime == Lifetime::Kept && !self.is_unfinished
    }

    pub(crate) const FORMAT: u32 = FORMAT;

    /// A difference from what portalloc would have written, or `None`; any user may have edited the file.
    fn defect(&self, id: IsolationId) -> Option<String> {
        let ports = &self.ports.ports;
        let mut sorted = ports.clone();
        sorted.sort_unstable();
        sorted.dedup();
        let project = project_name(id);
        if self.format != FORMAT {
            Some(format!("it has format {}, not {FORMAT}", self.format))
        } else if self.isolation_id != id {
            Some(format!("it says that it is {}", self.isolation_id))
        } else if sorted.is_empty() || sorted.len() != ports.len() || sorted.first() == Some(&0) {
            Some("its ports are not distinct numbers from 1 to 65535".to_owned())
        } else if self.ports.count != ports.len() || Some(&self.ports.base_port) != ports.first() {
            Some("its ports do not agree with their count and base".to_owned())
        } else if self.compose_project_name != project {
            Some(format!("its project is {:?}", self.compose_project_name))
        } else if names::check_names(&self.names, ports.len()).is_err() {
            Some("its names are not valid".to_owned())
        } else if !self.temp_dir.is_absolute() || self.temp_dir.file_name() != Some(project.as_ref()) {
            Some(format!("its temp dir {} is not one of portalloc's", self.temp_dir.display()))
        } else {
            None
        }
    }
}

/// `portalloc-<id>`: docker compose's project, and the name of the temp dir.
pub(crate) fn project_name(id: IsolationId) -> String {
    id.between("portalloc-", "")
}

/// What is stored under an ID.
#[derive(Clone, Debug)]
pub(crate) enum Stored {
    Missing,
    Record(Box<Record>),
    /// A record of this user that cannot be read, and why.
    Broken(String),
    /// A record of this other user.
    Foreign(u32),
}

impl Stored {
    /// The record, if it is readable.
    pub(crate) fn record(self) -> Option<Box<Record>> {
        if let Self::Record(record) = self { Some(record) } else { None }
    }
}

/// Parses a record. It counts only if it contains nothing that portalloc would not have written.
pub(super) fn parse(id: IsolationId, text: &[u8], is_unfinished: bool) -> Stored {
    if text.is_empty() {
        return Stored::Broken("the record is empty".to_owned());
    }
    match serde_json::from_slice::<Record>(text) {
        Err(error) => Stored::Broken(format!("the record is not readable: {error}")),
        Ok(record) => match record.defect(id) {
            Some(defect) => Stored::Broken(format!("the record is not one of portalloc's: {defect}")),
            None => Stored::Record(Box::new(Record { is_unfinished, ..record })),
        },
    }
}
