//! The settings that a call would use.

use std::path::Path;

use napi::Env;
use napi_derive::napi;
use portalloc::project::Project;

use crate::arguments::Where;
use crate::call;

/// The registry and the pool that calls use.
#[napi(object, object_from_js = false)]
pub struct Settings {
    pub directory: String,
    pub pool: String,
    pub ports: String,
    pub count: u32,
    pub warnings: Vec<String>,
    pub project: Option<String>,
}

/// The registry and the pool that calls from the current directory use.
#[napi]
pub fn settings(env: &Env, place: Option<Where>) -> napi::Result<Settings> {
    call::here(env, place, |allocator| {
        let pool = allocator.pool();
        Ok(Settings {
            directory: text(allocator.directory()),
            pool: pool.asked().to_owned(),
            ports: pool.ports().to_string(),
            count: u32::try_from(pool.ports().count()).unwrap_or(u32::MAX),
            warnings: pool.warnings().to_vec(),
            project: Project::nearest(Path::new("."))?.map(|project| text(&project.path)),
        })
    })
}

/// A path as text. Node's own calls cannot name one that is not UTF-8 either.
fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
