//! `portalloc create`

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use portalloc::environment::{EnvFile, Syntax, render};
use portalloc::registry::Record;
use portalloc::{Environment, EnvironmentRequest};
use serde::{Serialize, Serializer};

use crate::args::{Create, CreateFormat};
use crate::exit::{Exit, Failure};
use crate::sweep::Sweep;
use crate::{output, wanted};

pub(crate) fn run(args: &Create) -> Result<Exit, Failure> {
    let format = match (args.json, args.shell) {
        (true, _) => CreateFormat::Json,
        (_, true) => CreateFormat::Shell,
        _ => args.format,
    };
    let github = if format == CreateFormat::Github { github_files()? } else { Vec::new() };
    let (allocator, request) = wanted::open_for(&args.environment, request(args)?)?;
    let environment = allocator.create_environment(&request)?;
    output::warnings();
    let sweep = Sweep::start(&allocator);
    let shown = match format {
        CreateFormat::Github => append(&github, &environment),
        _ => text(&environment, format).and_then(|text| output::result(&text)),
    };
    if let Err(error) = shown {
        // The user did not learn its ID, so could not clean it up.
        if let Err(kept) = environment.cleanup() {
            output::warning(&format!(
                "the environment {} is left, because it cannot be removed: {kept}",
                environment.id()
            ));
        }
        return Err(error.into());
    }
    if let (Some(path), Some(other)) = (environment.env_file(), environment.env_file_in_the_way()) {
        output::note(format_args!("the env file is {}, because {other}", path.display()));
    }
    sweep.finish();
    Ok(Exit::Success)
}

fn env_file(args: &Create) -> EnvFile {
    match &args.env_file {
        Some(path) => EnvFile::At(path.clone()),
        None if args.no_env_file => EnvFile::None,
        None => EnvFile::Worktree,
    }
}

fn request(args: &Create) -> Result<EnvironmentRequest, Failure> {
    let mut request = wanted::request(&args.environment)?.kept().env_file(env_file(args)).go_portalloc_names();
    if let Some(ttl) = args.ttl {
        request = request.ttl(ttl);
    }
    if let Some(pid) = args.owner_pid {
        request = request.owner_pid(pid);
    }
    Ok(request)
}

fn text(environment: &Environment, format: CreateFormat) -> std::io::Result<String> {
    let variables = environment.variables();
    Ok(match format {
        CreateFormat::Human => human(environment),
        CreateFormat::Json => output::json(&Created { record: environment.record(), variables: &variables })?,
        CreateFormat::Shell => render(&variables, Syntax::Shell),
        CreateFormat::Fish => render(&variables, Syntax::Fish),
        CreateFormat::PowerShell => render(&variables, Syntax::PowerShell),
        CreateFormat::Dotenv => render(&variables, Syntax::Dotenv),
        CreateFormat::Github => render(&variables, Syntax::Github),
    })
}

/// The output of `--json`: the record, and the variables of the other formats.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    record: &'a Record,
    #[serde(serialize_with = "as_object")]
    variables: &'a [(String, String)],
}

fn as_object<S: Serializer>(variables: &&[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(variables.iter().map(|(name, value)| (name, value)))
}

fn human(environment: &Environment) -> String {
    let record = environment.record();
    let until = match (record.expires_at, record.owner) {
        (Some(at), Some(owner)) => format!("until {at} or PID {} ends", owner.pid),
        (Some(at), None) => format!("until {at}"),
        (None, Some(owner)) => format!("until PID {} ends", owner.pid),
        (None, None) => "until you clean it up".to_owned(),
    };
    let mut text = format!("Environment {}, kept {until}\n\n", environment.id());
    let variables = environment.variables();
    let width = variables.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in &variables {
        let _ = writeln!(text, "  {name:width$}  {}", output::plain(value));
    }
    if let Some(path) = environment.env_file() {
        let _ = write!(text, "\nEnv file: {}\n", output::plain(path.display()));
    }
    let _ = write!(text, "\nClean up: portalloc cleanup --id {}\n", environment.id());
    text
}

/// The files from which a GitHub job reads variables and outputs.
fn github_files() -> Result<Vec<PathBuf>, Failure> {
    let files: Vec<PathBuf> = ["GITHUB_ENV", "GITHUB_OUTPUT"]
        .iter()
        .filter_map(std::env::var_os)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .collect();
    if files.is_empty() {
        return Err(Failure::Usage(
            "--format github works only in a step of a GitHub job: neither GITHUB_ENV nor GITHUB_OUTPUT is set"
                .to_owned(),
        ));
    }
    Ok(files)
}

fn append(files: &[PathBuf], environment: &Environment) -> std::io::Result<()> {
    let text = render(&environment.variables(), Syntax::Github);
    let failed = |path: &PathBuf, error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    // Open all files before writing: if one fails, the environment is removed, and no file may name it.
    let mut opened = Vec::new();
    for path in files {
        let file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|error| failed(path, error))?;
        opened.push((path, file));
    }
    for (path, file) in &mut opened {
        // The last line may lack its newline.
        let open_line = ends_in_open_line(file);
        let text = if open_line { format!("\n{text}") } else { text.clone() };
        file.write_all(text.as_bytes()).map_err(|error| failed(path, error))?;
    }
    output::note(format_args!(
        "appended environment {} to the files of $GITHUB_ENV and $GITHUB_OUTPUT",
        environment.id()
    ));
    Ok(())
}

fn ends_in_open_line(file: &mut File) -> bool {
    let mut last = [b'\n'];
    // An empty file, or one that this process may not read, needs no newline.
    let _ = file.seek(SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last));
    last != [b'\n']
}
