//! Where settings come from: arguments override `PORTALLOC_*` variables, which override the project file, which
//! overrides the defaults. Reads the process's environment and nothing else.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::Serialize;

use crate::allocator::Allocator;
use crate::error::{Error, Result};
use crate::project::Project;

/// Settings for opening an [`Allocator`]. Values that are not set come from the environment, then from the defaults.
///
/// ```
/// use portalloc::Settings;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// let allocator = Settings::new().directory(scratch.path().join("registry")).pool("21000-21999").open()?;
/// assert_eq!(allocator.pool().asked(), "21000-21999");
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Settings {
    directory: Option<PathBuf>,
    pool: Option<String>,
    exclude: Option<String>,
    declared_pool: Option<String>,
    declared_exclude: Option<String>,
}

/// The settings in force, as flat text for languages that read JSON.
///
/// ```
/// use portalloc::SettingsSummary;
///
/// # let scratch = tempfile::tempdir().unwrap();
/// # let allocator = portalloc::Settings::new().directory(scratch.path().join("registry")).open()?;
/// let summary = SettingsSummary::of(&allocator)?;
/// println!("{} ports of {}", summary.count, summary.pool);
/// # Ok::<(), portalloc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettingsSummary {
    /// The registry's directory.
    pub directory: String,
    /// The pool that was asked for.
    pub pool: String,
    /// The ports of the pool that can be leased.
    pub ports: String,
    /// How many ports can be leased.
    pub count: usize,
    /// Why some ports of the pool cannot be leased, where that may be surprising.
    pub warnings: Vec<String>,
    /// The project file that applies in the current directory.
    pub project: Option<String>,
}

impl SettingsSummary {
    /// The settings of `allocator`, in the current directory.
    ///
    /// # Errors
    /// As [`Project::current`].
    pub fn of(allocator: &Allocator) -> Result<Self> {
        let pool = allocator.pool();
        let project = Project::current()?;
        Ok(Self {
            directory: allocator.directory().to_string_lossy().into_owned(),
            pool: pool.asked().to_owned(),
            ports: pool.ports().to_string(),
            count: pool.ports().count(),
            warnings: pool.warnings().to_vec(),
            project: project.map(|project| project.path.to_string_lossy().into_owned()),
        })
    }
}

const DIRECTORY: &str = "PORTALLOC_DIR";
const POOL: &str = "PORTALLOC_POOL";
const EXCLUDE: &str = "PORTALLOC_EXCLUDE";

impl Allocator {
    /// Opens with the settings of the environment: `PORTALLOC_DIR`, `PORTALLOC_POOL`, `PORTALLOC_EXCLUDE`.
    ///
    /// # Errors
    /// As [`Settings::open`].
    pub fn open() -> Result<Self> {
        Settings::new().open()
    }
}

impl Settings {
    /// All variables that are read.
    pub(crate) const VARIABLES: [&str; 3] = [DIRECTORY, POOL, EXCLUDE];

    /// Sets nothing: `PORTALLOC_DIR`, `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE` apply, then the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the values that are given, in the form in which bindings receive them.
    pub fn given(directory: Option<PathBuf>, pool: Option<String>, exclude: Option<String>) -> Self {
        Self { directory, pool, exclude, ..Self::default() }
    }

    /// Sets the registry's directory, which overrides `PORTALLOC_DIR`.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Sets the pool, such as `20000-29999`, which overrides `PORTALLOC_POOL`.
    pub fn pool(mut self, pool: impl Into<String>) -> Self {
        self.pool = Some(pool.into());
        self
    }

    /// Sets ports that are never leased, such as `27017,28000-28010`, which override `PORTALLOC_EXCLUDE`.
    pub fn exclude(mut self, exclude: impl Into<String>) -> Self {
        self.exclude = Some(exclude.into());
        self
    }

    /// Uses the values of the project file where neither an argument nor a variable sets one.
    pub fn project(mut self, project: &Project) -> Self {
        self.declared_pool.clone_from(&project.pool);
        self.declared_exclude.clone_from(&project.exclude);
        self
    }

    /// Opens the registry, which is created if it is missing, and reads the kernel's port ranges.
    ///
    /// # Errors
    /// `invalid_argument` for a malformed pool or exclusion; `registry_unusable` and `permission_denied` for the
    /// directory; `unsupported` on a platform other than Linux.
    pub fn open(self) -> Result<Allocator> {
        let InForce { directory, pool, exclude } = self.in_force();
        Allocator::with(directory.value, pool.value?, exclude.value?)
    }

    /// The values that apply, and where each comes from.
    pub(crate) fn in_force(self) -> InForce {
        let directory = match self.directory {
            Some(directory) => Chosen { value: Some(directory), by: CALLER },
            None => match variable(DIRECTORY).map(PathBuf::from) {
                None => Chosen { value: None, by: DEFAULT },
                named => Chosen { value: named, by: DIRECTORY },
            },
        };
        let ports = |given, name, declared: Option<String>| match (given, text(name), declared) {
            (Some(given), _, _) => Chosen { value: Ok(Some(given)), by: CALLER },
            (None, Ok(None), Some(declared)) => Chosen { value: Ok(Some(declared)), by: PROJECT },
            (None, Ok(None), None) => Chosen { value: Ok(None), by: DEFAULT },
            (None, value, _) => Chosen { value, by: name },
        };
        InForce {
            directory,
            pool: ports(self.pool, POOL, self.declared_pool),
            exclude: ports(self.exclude, EXCLUDE, self.declared_exclude),
        }
    }
}

/// The values that apply. Texts that are no text are errors.
pub(crate) struct InForce {
    pub(crate) directory: Chosen<Option<PathBuf>>,
    pub(crate) pool: Chosen<Result<Option<String>>>,
    pub(crate) exclude: Chosen<Result<Option<String>>>,
}

/// A value, and where it comes from: the name of a variable, `portalloc.toml`, "the caller" or "the default".
pub(crate) struct Chosen<T> {
    pub(crate) value: T,
    pub(crate) by: &'static str,
}

const CALLER: &str = "the caller";
const PROJECT: &str = "portalloc.toml";
const DEFAULT: &str = "the default";

/// The value of a variable. Empty text counts as not set, as in most tools.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Result<Option<String>> {
    variable(name).map(OsString::into_string).transpose().map_err(|value| {
        Error::invalid_argument(format!("{name} is not valid UTF-8: {value:?}"), "set it to ports such as 20000-29999")
    })
}
