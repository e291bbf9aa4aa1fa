//! An environment: named ports, a temp directory and variables for child processes, all removed together.

use std::process::{Command, Stdio};

use portalloc::EnvironmentRequest;
use portalloc::environment::SpawnOptions;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let environment = portalloc::environment(EnvironmentRequest::new().names(["web", "postgres"]))?;
    for (name, value) in environment.variables() {
        println!("{name}={value}");
    }
    // The child gets the variables and inherits the lease: the ports stay leased until it has ended, even if this
    // process ends first.
    let mut command = Command::new("sh");
    command.args(["-c", "printf '%s %s' \"$WEB_PORT\" \"$POSTGRES_PORT\""]).stdout(Stdio::piped());
    let output = environment.spawn(command, &SpawnOptions::new())?.wait_with_output()?;
    let expected = environment.ports().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(String::from_utf8(output.stdout)?, expected);
    environment.cleanup()?;
    assert!(!environment.temp_dir().exists());
    Ok(())
}
