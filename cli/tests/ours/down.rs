//! `down`.

use std::path::Path;

use portalloc_testkit::Running;

use crate::place::{Place, SERVER, is_alive};

#[test]
fn down_ends_servers_and_removes_the_environment_unless_somebody_works_in_it() {
    let place = Place::new();
    let mut server = Running::start(&mut place.world.command(["exec", "--", "python3", "-c", SERVER, "{web}"]));
    let pid = server.line();
    let mut shell = Running::start(&mut place.world.command(["exec", "--", "sh", "-c", "echo $$; read wait"]));
    let other = shell.line();
    let said = place.run(&["down"]).failed_with(5, "in_use");
    assert!(said.contains(&format!("PID {other} (sh)")) && !said.contains(&pid), "{said}");
    assert!(is_alive(&pid) && is_alive(&other));
    let said = place.run(&["cleanup", "--id", &place.id]).failed_with(5, "in_use");
    assert!(said.contains(&other) && said.contains(&pid), "{said}");
    assert_eq!(shell.end().0, 1);
    let said = place.run(&["down", "--json"]).json();
    assert_eq!((&said["removed"], said["processes"][0]["pid"].to_string()), (&true.into(), pid.clone()), "{said}");
    assert!(!is_alive(&pid));
    place.world.assert_no_environment_left();
    place.run(&["down"]).failed_with(4, "not_found");
    place.run(&["stop"]).failed_with(4, "not_found");
    place.run(&["wait", "--timeout", "100ms"]).failed_with(4, "not_found");
}

#[test]
fn down_leaves_what_is_not_its_own() {
    let place = Place::new();
    let mut server = place.server(Path::new("/"), None);
    let pid = server.line();
    let said = place.run(&["down"]);
    assert!(said.status == 5 && said.stderr.contains("stays"), "{said:?}");
    assert!(is_alive(&pid));
    place.run(&["port", "web"]).succeeded();
}
