//! The project file: refused with its line, or read as valid declarations, which written anew are read as the same.

#![no_main]

use std::collections::BTreeSet;
use std::fs;

use libfuzzer_sys::fuzz_target;
use portalloc::ErrorCode;
use portalloc::fuzzing::check_names;
use portalloc::pool::PortSet;
use portalloc::project::Project;
use portalloc_fuzz::{refused, scratch};

fn written(project: &Project) -> String {
    let text = |text: &str| serde_json::to_string(text).unwrap();
    let mut lines = Vec::new();
    let named = |(index, name): (usize, &String)| match &project.offsets {
        Some(offsets) => format!("{{ name = {}, offset = {} }}", text(name), offsets[index]),
        None => text(name),
    };
    lines.push(format!("names = [{}]", project.names.iter().enumerate().map(named).collect::<Vec<_>>().join(", ")));
    lines.push(format!("prefer = {:?}", project.prefer));
    lines.extend(project.ports.map(|ports| format!("ports = {ports}")));
    lines.extend(project.pool.as_deref().map(|pool| format!("pool = {}", text(pool))));
    lines.extend(project.exclude.as_deref().map(|exclude| format!("exclude = {}", text(exclude))));
    lines.extend(project.sticky.map(|sticky| format!("sticky = {sticky}")));
    lines.extend(project.guard.map(|guard| format!("guard = {guard}")));
    lines.extend(project.instance_id.as_deref().map(|id| format!("instance_id = {}", text(id))));
    lines.push("[env]".to_owned());
    lines.extend(project.env.iter().map(|template| format!("{} = {}", template.name, text(&template.text))));
    lines.join("\n")
}

/// Without the lines of its variables, which depend on how the file is written.
fn without_lines(mut project: Project) -> Project {
    project.env.iter_mut().for_each(|template| template.line = 0);
    project
}

fuzz_target!(|data: &[u8]| {
    let path = scratch().join("portalloc.toml");
    fs::write(&path, data).unwrap();
    match Project::read(&path) {
        Err(error) => {
            refused(&error, ErrorCode::InvalidArgument);
            let place =
                error.message().strip_prefix(&format!("{}:", path.display())).and_then(|rest| rest.split_once(':'));
            let line: usize = place.and_then(|(line, _)| line.parse().ok()).unwrap_or_else(|| panic!("{error}"));
            let lines = data.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!((1..=lines).contains(&line), "line {line} of {lines}: {error}");
        }
        Ok(project) => {
            check_names(&project.names, project.ports.unwrap_or(project.names.len())).unwrap();
            assert!(project.ports.is_none_or(|ports| (1..=65535).contains(&ports)));
            for (set, may_be_empty) in [(&project.pool, false), (&project.exclude, true)] {
                let Some(text) = set else { continue };
                let set = PortSet::parse(text).unwrap();
                assert!(set.to_string() == *text && (may_be_empty || !set.is_empty()), "{text:?}");
            }
            let instance = project.instance_id.as_deref().unwrap_or_default();
            assert!(instance.len() <= 256 && !instance.contains(char::is_control), "{instance:?}");
            if let Some(offsets) = &project.offsets {
                let distinct: BTreeSet<_> = offsets.iter().collect();
                assert!(distinct.len() == project.names.len() && offsets[0] == 0 && !distinct.contains(&u16::MAX));
            }
            assert!(project.prefer.len() <= 100 && !project.prefer.contains(&0));
            for template in &project.env {
                let shown = format!("{template:?}");
                assert!(
                    !["PATH", "PORT", "IFS"].contains(&&*template.name) && !template.name.starts_with("LD_"),
                    "{shown}"
                );
                assert!(!template.text.contains('\0') && template.line > 0, "{shown}");
            }
            let text = written(&project);
            fs::write(&path, &text).unwrap();
            let again = Project::read(&path).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(without_lines(again), without_lines(project));
        }
    }
});
