//! Which variables a project file may set. Pure.
//!
//! What it may not set is no list of everything dangerous: whoever can change a project file can change the project's
//! programs, too. It keeps a file that passes ports to servers from changing, by mistake or unnoticed, how shells, the
//! loader and interpreters work that have nothing to do with those servers.

use super::{FIXED, LONGEST_NAME, is_fit, variable};
use crate::error::{Error, Result};

/// The longest name of a variable. Some frameworks make them from paths of settings.
const LONGEST_VARIABLE: usize = 4 * LONGEST_NAME;

/// The size limit of all names and values of one file in bytes. One variable with as many ports in it as this has room for
/// is not larger than the system permits.
pub(crate) const LARGEST_ENV: usize = 64 * 1024;

/// Variables of shells, and of who and where the user is; of the C library; of interpreters that load a file or take options;
/// those that name programs which others start; and the service manager's.
#[rustfmt::skip]
const RESERVED: [&str; 74] = [
    "CDPATH", "COMSPEC", "EGID", "ENV", "EUID", "FPATH", "GID", "GLOBIGNORE", "HOME", "IFS", "LOGNAME", "MAILPATH",
    "MANPATH", "MODULE_PATH", "NULLCMD", "OLDPWD", "PATH", "PATHEXT", "PPID", "PROMPT", "PROMPT2", "PROMPT3", "PROMPT4",
    "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4", "PWD", "READNULLCMD", "RPROMPT", "RPS1", "SHELL", "SHELLOPTS",
    "SHLVL", "TEMP", "TMP", "TMPDIR", "UID", "USER", "USERNAME", "ZDOTDIR", "GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES",
    "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "MALLOC_TRACE", "NIS_PATH", "NLSPATH", "RESOLV_HOST_CONF", "RES_OPTIONS",
    "TZDIR", "CLASSPATH", "DOTNET_STARTUP_HOOKS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "NODE_OPTIONS", "NODE_PATH",
    "PERLLIB", "PHPRC", "PHP_INI_SCAN_DIR", "RUBYLIB", "RUBYOPT", "_JAVA_OPTIONS", "EDITOR", "LESSCLOSE", "LESSOPEN",
    "MANPAGER", "PAGER", "VISUAL", "NOTIFY_SOCKET",
];

/// The beginnings of more such names.
const RESERVED_PREFIXES: [&str; 12] =
    ["BASH", "DYLD_", "ERL_", "FISH_", "GIT_", "LD_", "LUA_", "PERL5", "PYTHON", "SSH_", "SUDO_", "_RLD_"];

/// The beginnings of names that are portalloc's, whether or not an environment has such a variable.
const OWN_PREFIXES: [&str; 3] = ["PORTALLOC_", "LISTEN_FD", "LISTEN_PID"];

/// Checks the name of a variable for an environment whose first ports have `names`.
///
/// Case does not count among the reserved names, although it does to the system, because zsh has `path` for `PATH`, and
/// more of this kind.
pub(crate) fn check_variable(name: &str, names: &[String]) -> Result<()> {
    if !is_fit(name, |c| c == '_', LONGEST_VARIABLE) {
        let shown: String = name.chars().take(LONGEST_NAME).collect();
        return Err(Error::invalid_argument(
            format!("{shown:?} is not a name for a variable"),
            format!("use letters, digits and _, beginning with a letter or _, at most {LONGEST_VARIABLE} of them"),
        ));
    }
    let is_numbered = name.strip_prefix("PORT_").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    let is_ours =
        name == "PORT" || is_numbered || FIXED.contains(&name) || names.iter().any(|other| variable(other) == name);
    let upper = name.to_ascii_uppercase();
    if is_ours || OWN_PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) {
        return Err(Error::invalid_argument(
            format!("{name} is a variable that portalloc sets itself"),
            "give the variable another name",
        ));
    }
    if RESERVED.contains(&&*upper) || RESERVED_PREFIXES.iter().any(|prefix| upper.starts_with(prefix)) {
        return Err(Error::invalid_argument(
            format!("{name} is not for an environment: shells, the loader or interpreters act on it"),
            "set it where you start the program that needs it",
        ));
    }
    Ok(())
}

/// Checks a value, or the template for one: text that every shell and file of variables can carry.
pub(crate) fn check_value(name: &str, value: &str) -> Result<()> {
    match value.chars().find(|c| c.is_control() && !['\n', '\t'].contains(c)) {
        Some(c) => Err(Error::invalid_argument(
            format!("the value of {name} has the control character {c:?}"),
            "use ordinary text; it may have several lines",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        check_variable(name, &["web".to_owned(), "my-db".to_owned()]).unwrap_err().message().to_owned()
    }

    #[test]
    fn names_of_portalloc_are_refused() {
        for name in [
            "PORT",
            "PORT_0",
            "PORT_77",
            "PORT_BASE",
            "PORT_COUNT",
            "WEB_PORT",
            "MY_DB_PORT",
            "ISOLATION_ID",
            "TEMP_DIR",
            "COMPOSE_PROJECT_NAME",
            "PORTALLOC_POOL",
            "portalloc_x",
            "LISTEN_FDS",
        ] {
            assert!(refused(name).ends_with("is a variable that portalloc sets itself"), "{name}");
        }
    }

    #[test]
    fn names_that_others_act_on_are_refused_in_any_case() {
        for name in RESERVED.into_iter().chain([
            "LD_PRELOAD",
            "DYLD_INSERT_LIBRARIES",
            "PYTHONSTARTUP",
            "PERL5OPT",
            "GIT_DIR",
            "BASH_ENV",
            "BASHOPTS",
            "path",
            "Node_Options",
            "pythonpath",
        ]) {
            assert!(refused(name).contains("is not for an environment"), "{name}");
        }
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["", "1A", "A-B", "A B", "A=B", "A.B", "É", "A\n", &"A".repeat(257)] {
            assert!(refused(name).ends_with("is not a name for a variable"), "{name}");
        }
    }

    #[test]
    fn others_may_be_set() {
        for name in [
            "PGPORT",
            "DATABASE_URL",
            "API_PORT",
            "PORTS",
            "PORT_OF_CALL",
            "LISTEN_ADDR",
            "_",
            "web_port",
            "A1",
            &"A".repeat(256),
        ] {
            check_variable(name, &["web".to_owned()]).unwrap();
        }
    }

    #[test]
    fn values_are_text() {
        check_value("A", "ä\tb\nc").unwrap();
        for value in ["\0", "a\r", "\u{1b}[1m", "\u{85}"] {
            assert!(check_value("A", value).unwrap_err().message().contains("control character"), "{value:?}");
        }
    }
}
