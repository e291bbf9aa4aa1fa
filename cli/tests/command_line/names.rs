//! Names of ports: from the command line to the variables of a real shell.

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

#[test]
fn without_names_the_first_five_have_the_documented_ones() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--ports", "7", "--format", "dotenv"]).succeeded();
    let base = scratch.environments().remove(0)["ports"][0].as_u64().unwrap();
    let names = ["FIRESTORE_PORT", "AUTH_PORT", "API_PORT", "METRICS_PORT", "DEBUG_PORT", "PORT_5", "PORT_6"];
    for (name, port) in names.iter().zip(base..) {
        assert!(said.lines().any(|line| line == format!("{name}={port}")), "{name}={port} is missing in\n{said}");
    }
}

#[test]
fn fewer_names_than_ports_leave_the_rest_numbered() {
    let scratch = CommandLine::new(PORTALLOC);
    let said = scratch.run(["create", "--ports", "3", "--names", "my-db", "--shell"]).succeeded();
    assert!(said.contains("export MY_DB_PORT="), "{said}");
    assert!(said.contains("export PORT_1=") && said.contains("export PORT_2="), "{said}");
    assert!(!said.contains("AUTH_PORT"), "{said}");
}
