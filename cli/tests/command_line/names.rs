//! Names of ports: from the command line to the variables of a real shell.

use std::fs;

use portalloc_testkit::{CommandLine, id, path, ports, run};

use crate::PORTALLOC;

#[test]
fn names_alone_set_the_count() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--names", "postgres,redis,api"]);
    assert_eq!(ports(&created).len(), 3);
}

#[test]
fn the_documented_line_works_in_a_real_shell() {
    let scratch = CommandLine::new(PORTALLOC);
    let script = r#"eval "$(portalloc create --ports 3 --names postgres,redis,api --shell)"
        sh -c 'echo "$POSTGRES_PORT $REDIS_PORT $API_PORT $PORT_BASE $PORT_COUNT"
            echo "$ISOLATION_ID $COMPOSE_PROJECT_NAME"; echo "$TEMP_DIR"'"#;
    let said = run(&mut scratch.sh(script)).succeeded();
    let environment = scratch.environments().remove(0);
    let (id, base) = (id(&environment), environment["ports"][0].as_u64().unwrap());
    let expected = format!(
        "{base} {} {} {base} 3\n{id} portalloc-{id}\n{}\n",
        base + 1,
        base + 2,
        path(&environment, "temp_dir").display()
    );
    assert_eq!(said, expected);
}

/// What `create` names the first of seven ports, in the order of the ports: by number, and as go-portalloc does.
const NUMBERED: [&str; 7] = ["PORT_0", "PORT_1", "PORT_2", "PORT_3", "PORT_4", "PORT_5", "PORT_6"];
const GO_PORTALLOC: [&str; 5] = ["FIRESTORE_PORT", "AUTH_PORT", "API_PORT", "METRICS_PORT", "DEBUG_PORT"];

#[test]
fn without_names_ports_have_numbers_and_the_first_five_go_portallocs_names() {
    let scratch = CommandLine::new(PORTALLOC);
    let created = scratch.create(&["--ports", "7"]);
    let base = ports(&created)[0];
    let file = fs::read_to_string(path(&created, "env_file")).unwrap();
    let numbered = NUMBERED.iter().zip(base..);
    for (name, port) in numbered.chain(GO_PORTALLOC.iter().zip(base..)).chain([(&"PORT", base)]) {
        assert_eq!(created["variables"][name], port.to_string(), "{name}");
        assert!(file.lines().any(|line| line == format!("{name}={port}")), "{name}={port} is missing in\n{file}");
    }
    let said = scratch.run(["create", "--ports", "1", "--shell"]).succeeded();
    for name in ["PORT", "PORT_0", "FIRESTORE_PORT"] {
        assert!(said.contains(&format!("export {name}=")), "{name} is missing in {said}");
    }
    assert!(!said.contains("AUTH_PORT"), "{said}");
}

#[test]
fn a_command_keeps_its_own_variables() {
    let scratch = CommandLine::new(PORTALLOC);
    let mut command = scratch.command(["run", "--", "sh", "-c", "echo $API_PORT $AUTH_PORT $PORT_1 $PORT"]);
    let said = run(command.env("API_PORT", "8080").env("AUTH_PORT", "8081")).succeeded();
    let ports: Vec<u16> = said.split_whitespace().map(|port| port.parse().unwrap()).collect();
    assert_eq!(ports[..2], [8080, 8081]);
    assert_eq!(ports[2], ports[3] + 1);
}

#[test]
fn fewer_names_than_ports_leave_the_rest_numbered() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--ports", "3", "--names", "my-db", "--shell"]).succeeded();
    assert!(said.contains("export MY_DB_PORT="), "{said}");
    assert!(said.contains("export PORT_1=") && said.contains("export PORT_2="), "{said}");
    assert!(!said.contains("AUTH_PORT"), "{said}");
}
