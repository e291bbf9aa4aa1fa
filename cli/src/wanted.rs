//! What kind of environment the user wants: arguments over the project file. The core knows what comes after those.

use std::path::Path;

use portalloc::{EnvironmentRequest, Project, Settings};

use crate::args::EnvironmentArgs;
use crate::exit::Failure;

/// The arguments, and the project file they override.
pub(crate) struct Wanted<'a> {
    args: &'a EnvironmentArgs,
    project: Option<Project>,
}

impl<'a> Wanted<'a> {
    /// Looks for the project file from the work tree upwards.
    pub(crate) fn find(args: &'a EnvironmentArgs) -> Result<Self, Failure> {
        let project = Project::find(args.worktree.as_deref().unwrap_or(Path::new(".")))?;
        Ok(Self { args, project })
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new();
        if let Some(project) = &self.project {
            settings = settings.project(project);
        }
        if let Some(pool) = &self.args.pool {
            settings = settings.pool(pool);
        }
        if let Some(exclude) = &self.args.exclude {
            settings = settings.exclude(exclude);
        }
        settings
    }

    /// The request, without what only one of the commands knows: how long it lives, where its env file goes.
    pub(crate) fn request(&self) -> EnvironmentRequest {
        let args = self.args;
        let mut request =
            EnvironmentRequest::new().names(args.names.iter().map(String::as_str)).instance_id(&args.instance_id);
        if args.sticky {
            request = request.sticky(true);
        }
        if let Some(project) = &self.project {
            request = request.project(project).worktree(project.folder());
        }
        if let Some(count) = args.ports {
            request = request.ports(count);
        }
        if args.scattered {
            request = request.scattered();
        }
        if !args.offsets.is_empty() {
            request = request.offsets(args.offsets.iter().copied());
        }
        if !args.specific.is_empty() {
            request = request.these(args.specific.iter().copied());
        }
        if let Some(worktree) = &args.worktree {
            request = request.worktree(worktree);
        }
        if let Some(wait) = args.wait {
            request = request.wait(wait);
        }
        request
    }
}
