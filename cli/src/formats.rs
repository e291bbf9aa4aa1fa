//! The formats in which `create` and `env` show an environment, and where each goes.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use portalloc::Environment;
use portalloc::environment::{Syntax, render};
use portalloc::registry::Record;
use serde::{Serialize, Serializer};

use crate::args::Format;
use crate::exit::Failure;
use crate::output;

/// A format, and the files that it is appended to; without files it goes to standard output.
pub(crate) struct Target {
    format: Format,
    files: Vec<PathBuf>,
}

impl Target {
    /// Fails if there is nowhere to write it to: before an environment is made.
    pub(crate) fn of(format: Format) -> Result<Self, Failure> {
        let files = if format == Format::Github { github_files()? } else { Vec::new() };
        Ok(Self { format, files })
    }

    /// Shows an environment.
    pub(crate) fn show(&self, environment: &Environment) -> io::Result<()> {
        match self.format {
            Format::Github => append(&self.files, environment),
            format => text(environment, format).and_then(|text| output::result(&text)),
        }
    }
}

fn text(environment: &Environment, format: Format) -> io::Result<String> {
    let variables = environment.variables();
    Ok(match format {
        Format::Human => human(environment),
        Format::Json => output::json(&Created { record: environment.record(), variables: &variables })?,
        Format::Shell => render(&variables, Syntax::Shell),
        Format::Fish => render(&variables, Syntax::Fish),
        Format::PowerShell => render(&variables, Syntax::PowerShell),
        Format::Dotenv => render(&variables, Syntax::Dotenv),
        Format::Github => render(&variables, Syntax::Github),
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

fn append(files: &[PathBuf], environment: &Environment) -> io::Result<()> {
    let text = render(&environment.variables(), Syntax::Github);
    let failed =
        |path: &PathBuf, error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
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
