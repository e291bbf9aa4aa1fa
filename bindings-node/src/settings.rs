//! What a call would go by.

use std::path::Path;

use napi::Env;
use napi_derive::napi;
use portalloc::ffi::no_panic;
use portalloc::project::Project;

use crate::arguments::{Where, checked};
use crate::call;
use crate::reports::path;

/// The registry and the pool that calls go by.
#[napi(object, object_from_js = false)]
pub struct Settings {
    pub directory: String,
    pub pool: String,
    pub ports: String,
    pub count: u32,
    pub warnings: Vec<String>,
    pub project: Option<String>,
}

/// The registry and the pool that calls from the current folder go by.
#[napi]
pub fn settings(env: &Env, place: Option<Where>) -> napi::Result<Settings> {
    let project = checked(env, no_panic(|| Project::nearest(Path::new("."))))?;
    call::here(env, &call::settings(place), |allocator| {
        let pool = allocator.pool();
        Ok(Settings {
            directory: path(allocator.directory()),
            pool: pool.asked().to_owned(),
            ports: pool.ports().to_string(),
            count: u32::try_from(pool.ports().count()).unwrap_or(u32::MAX),
            warnings: pool.warnings().to_vec(),
            project: project.map(|project| path(&project.path)),
        })
    })
}
