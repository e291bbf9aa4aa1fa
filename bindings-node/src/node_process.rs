//! What the addon asks of Node's object `process`: the thread's, not the copy that a test file in Jest sees.

use std::cell::Cell;

use napi::Env;
use napi::bindgen_prelude::{FnArgs, Function, JsObjectValue, Object, Unknown};
use napi_derive::napi;

use crate::held;

/// What `process.emitWarning` is called with.
type Warned<'a> = FnArgs<(String, Object<'a>)>;

/// What `process.on` is called with.
type Heard<'a> = FnArgs<(&'a str, Function<'a, (), ()>)>;

/// Emits the core's warnings, each once in a process. Costs next to nothing while there is none.
pub(crate) fn emit_warnings(env: &Env) {
    for warning in portalloc::process::take_warnings() {
        // A warning that cannot be emitted fails no call.
        let _ = emit_warning(env, warning.code, warning.message);
    }
}

fn emit_warning(env: &Env, code: &str, message: String) -> napi::Result<()> {
    let mut options = Object::new(env)?;
    options.set("type", "PortallocWarning")?;
    options.set("code", format!("PORTALLOC_{}", code.to_uppercase()))?;
    let process = process(env)?;
    let emit: Function<'_, Warned<'_>, Unknown<'_>> = process.get_named_property("emitWarning")?;
    // Bound and then called: with `apply`, an exception would be left to the call in progress.
    emit.bind(process)?.call((message, options).into())?;
    Ok(())
}

thread_local! {
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Ends this thread's environments at the event `exit` of its process object: `process.exit()` and the end of the main
/// thread do not reliably drop a thread's values. A worker that is terminated has no such event; there the table ends them.
pub(crate) fn end_environments_at_exit(env: &Env) {
    if !ASKED.replace(true) {
        // A program that has replaced its process object has an environment all the same.
        let _ = listen(env);
    }
}

fn listen(env: &Env) -> napi::Result<()> {
    let process = process(env)?;
    let end: Function<'_, (), ()> = env.create_function("endEnvironments", end_environments_c_callback)?;
    let on: Function<'_, Heard<'_>, Unknown<'_>> = process.get_named_property("on")?;
    on.bind(process)?.call(("exit", end).into())?;
    Ok(())
}

#[napi(no_export)]
fn end_environments() {
    held::end_environments();
}

/// This thread's process object, for the helpers for test runners: child processes inherit its `env`, also those that a test
/// file in Jest starts, which sees a copy.
#[napi]
pub fn thread_process(env: &Env) -> napi::Result<Object<'_>> {
    process(env)
}

fn process(env: &Env) -> napi::Result<Object<'_>> {
    env.get_global()?.get_named_property("process")
}
