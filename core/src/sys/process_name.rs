//! What to call a process. A kernel's own name for it is only that of its main thread, cut to 15 bytes, and programs
//! change it: Node calls that thread "MainThread". Pure.

/// The kernel keeps this many bytes of a thread's name.
const KEPT: usize = 15;

/// What the system knows of a process.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    /// The name of its main thread. A new program's is the name of its file, a script's that of the script.
    pub(crate) thread: &'a [u8],
    /// Its arguments; none for a thread of the kernel. A program may have written a title over them.
    pub(crate) arguments: Vec<&'a [u8]>,
    /// The path of its executable, if this process may read it.
    pub(crate) executable: Option<&'a [u8]>,
}

impl Names<'_> {
    /// The name of the program: whole, without directories, and not the name that it gave to a thread.
    pub(crate) fn choose(&self) -> String {
        String::from_utf8_lossy(self.chosen()).into_owned()
    }

    fn chosen(&self) -> &[u8] {
        let Some(first) = self.arguments.first().copied().filter(|first| !first.is_empty()) else {
            return self.thread;
        };
        // "postgres: writer": a title begins with the program's name.
        let is_title = first.windows(2).position(|two| two == b": ");
        let program = file_name(is_title.and_then(|end| first.get(..end)).unwrap_or(first));
        // Some libraries write the title over the thread's name, too.
        if is_title.is_some() && cut(first) == self.thread && !program.is_empty() {
            return program;
        }
        // A script comes after its interpreter, which may have one option before it.
        let scripts = self.arguments.iter().skip(1).take(2).map(|script| file_name(script));
        let executable = self.executable.map(file_name);
        let mut known = [program].into_iter().chain(scripts).chain(executable);
        if let Some(whole) = known.find(|name| cut(name) == self.thread) {
            return whole;
        }
        // "redis-server *:6379"
        if program.strip_prefix(self.thread).is_some_and(|rest| rest.starts_with(b" ")) {
            return self.thread;
        }
        // What is left is the name of a thread. A login shell's first argument begins with a dash.
        let program = program.strip_prefix(b"-").unwrap_or(program);
        [program, executable.unwrap_or_default(), self.thread].into_iter().find(|name| !name.is_empty()).unwrap_or(b"")
    }
}

fn file_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

fn cut(name: &[u8]) -> &[u8] {
    name.get(..KEPT).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(thread: &str, arguments: &[&str], executable: Option<&str>) -> String {
        let arguments = arguments.iter().map(|argument| argument.as_bytes()).collect();
        Names { thread: thread.as_bytes(), arguments, executable: executable.map(str::as_bytes) }.choose()
    }

    #[test]
    fn a_thread_does_not_name_its_process() {
        assert_eq!(named("MainThread", &["node", "server.js"], Some("/usr/bin/node")), "node");
        assert_eq!(named("MainThread", &["/opt/node/bin/node", "server.js"], None), "node");
        assert_eq!(named("GeckoMain", &["/usr/lib/firefox/firefox"], None), "firefox");
        assert_eq!(named("tmux: server", &["tmux", "new"], Some("/usr/bin/tmux")), "tmux");
        assert_eq!(named("MainThread", &[""], Some("/usr/bin/node")), "MainThread");
    }

    #[test]
    fn a_long_name_is_whole() {
        assert_eq!(named("a-server-with-a", &["./a-server-with-a-name"], None), "a-server-with-a-name");
        assert_eq!(named("a-server-with-a", &["a", "-b"], Some("/x/a-server-with-a-name")), "a-server-with-a-name");
    }

    #[test]
    fn a_script_is_called_by_its_name_if_it_was_started_by_it() {
        assert_eq!(named("uvicorn", &["/usr/bin/python3", "/usr/bin/uvicorn", "app:app"], None), "uvicorn");
        assert_eq!(
            named("a-script-with-a", &["/bin/sh", "-e", "./a-script-with-a-name.sh"], None),
            "a-script-with-a-name.sh"
        );
        assert_eq!(named("python3", &["python3", "foo.py"], Some("/usr/bin/python3.12")), "python3");
    }

    #[test]
    fn a_title_names_its_program_and_no_more() {
        assert_eq!(named("nginx", &["nginx: worker process"], Some("/usr/sbin/nginx")), "nginx");
        assert_eq!(named("nginx", &["nginx: master process /usr/sbin/nginx -g daemon off;"], None), "nginx");
        assert_eq!(named("postgres", &["postgres: writer "], None), "postgres");
        assert_eq!(named("gunicorn: maste", &["gunicorn: master [app]"], Some("/usr/bin/python3")), "gunicorn");
        assert_eq!(named("redis-server", &["/usr/bin/redis-server *:6379"], None), "redis-server");
        assert_eq!(named("redis-server", &["redis-server *:6379"], None), "redis-server");
        assert_eq!(named("ray::IDLE", &["ray::IDLE"], Some("/usr/bin/python3")), "ray::IDLE");
        assert_eq!(named("npm exec foo", &["npm exec foo"], Some("/usr/bin/node")), "npm exec foo");
    }

    #[test]
    fn what_runs_another_file_than_it_says_is_that_file() {
        assert_eq!(named("sleep", &["some other name", "5"], Some("/usr/bin/sleep")), "sleep");
        assert_eq!(named("bash", &["-bash"], Some("/usr/bin/bash")), "bash");
        assert_eq!(named("bash", &["-bash"], None), "bash");
        assert_eq!(named("rustc", &["/usr/bin/rustc"], Some("/x/bin/rustc")), "rustc");
    }

    #[test]
    fn the_kernels_threads_have_no_arguments() {
        assert_eq!(named("kworker/0:1-events_power_efficient", &[], None), "kworker/0:1-events_power_efficient");
        assert_eq!(named("zombie", &[], None), "zombie");
    }
}
