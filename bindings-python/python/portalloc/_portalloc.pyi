"""
The native part of portalloc; import `portalloc` instead.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from portalloc.summaries import DoctorReport, EnvironmentInfo, LeaseInfo, PortReport, StopReport, Validation
from socket import socket
from typing import Any, Final, Literal, SupportsIndex, final, overload

__all__ = ["VERSION", "Environment", "Hold", "Inheritable", "Lease", "Settings", "attach", "cleanup", "cleanup_stale", "current", "doctor", "environment", "environments", "error_codes", "explain_candidates", "explain_conflict", "give_back", "is_free", "leaks", "lease", "leases", "parse_id", "port", "ports_in", "render", "run_command_line", "settings", "validate", "wait_until_free", "wait_until_open", "who", "worktree_environment"]

VERSION: Final[str]

@final
class Environment:
    """
    An isolation ID with a lease, a temp directory and variables, made and removed together. Make one with
    `portalloc.environment` or `portalloc.current`, or use another process's with `portalloc.attach`.

    `environment["web"]` is the port of that name. Iterating over it gives its ports.

    A *held* environment lives as long as this object. It ends with `cleanup`, with its `with` block, when the object is
    garbage-collected (with a `PortallocWarning` that names the line where it was made), and with the process, however that
    ends. A *kept* environment outlives the process, until a cleanup, its TTL, or the end of its owner. Any thread may use it.
    A forked child can read its copy but cannot end the environment.
    """
    def __contains__(self, item: Any, /) -> bool:
        """
        Whether it has this port, or a port of this name.
        """
    def __enter__(self, /) -> Environment: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None:
        """
        Cleans up what this process made. Leaves an attached environment alone, and a worktree's, and in a forked child its
        parent's.
        """
    def __getitem__(self, name: int | str, /) -> int:
        """
        The port of this name, or at this index. Raises `KeyError` if there is none.
        """
    def __iter__(self, /) -> Iterator[int]: ...
    def __len__(self, /) -> int: ...
    def __reduce__(self, /) -> str: ...
    def __repr__(self, /) -> str: ...
    @property
    def base_port(self, /) -> int:
        """
        The first port.
        """
    def cleanup(self, /) -> None:
        """
        Removes its temp directory, env file and record, and releases the ports. Safe to call twice.

        Removes an attached one, too, if it is kept. Raises `EnvironmentInUseError` if another process holds it, such as the
        parent of a forked child; `PermissionDeniedError`, `SystemCallError`, `RegistryUnusableError`: call it again then.
        """
    @property
    def created_at(self, /) -> datetime:
        """
        When it was made (UTC).
        """
    def down(self, /, *, timeout: float | timedelta | None = None, dry_run: bool = False) -> StopReport:
        """
        Ends its servers as `stop` does, waits until nobody has a `hold` on it, and removes it as `cleanup` does: `removed` of
        the report says whether it did, which it does not while anything is left on its ports.

        Raises `EnvironmentInUseError` if a program has a hold on it that is no server, before anything is ended; else as
        `stop` and `cleanup`.
        """
    @property
    def env_file(self, /) -> Path | None:
        """
        Its env file, if it has one. If `.env.isolation` was taken, this is `.env.isolation.<id>` beside it.
        """
    @property
    def expires_at(self, /) -> datetime | None:
        """
        When its TTL is over (UTC), if it has one.
        """
    def hold(self, /) -> Hold:
        """
        Takes a hold on a kept environment, such as that of a worktree: nobody can remove it until that is released, and until
        every process that has inherited it has ended.

        Raises `NotFoundError` if it has been removed or is stale, `InvalidArgumentError` if it is held,
        `EnvironmentInUseError` if a process has been removing it for seconds, `RegistryUnusableError`, `SystemCallError`.
        """
    @property
    def id(self, /) -> str:
        """
        Its isolation ID: 12 lower-case hexadecimal digits.
        """
    @property
    def instance_id(self, /) -> str:
        """
        Tells it apart from other environments of its worktree; may be empty.
        """
    @property
    def lease(self, /) -> Lease | None:
        """
        The lease of a held environment, for the process that made it: guards, sockets for servers, inheritance by children.
        `None` for a kept or an attached one, and after the cleanup.
        """
    @property
    def lifetime(self, /) -> Literal["held", "kept"]:
        """
        `"held"` or `"kept"`.
        """
    @property
    def names(self, /) -> tuple[str, ...]:
        """
        The names of the first ports.
        """
    def port(self, /, name: int | str) -> int:
        """
        The port of this name, or at this index. Raises `InvalidArgumentError` if there is none.
        """
    @property
    def ports(self, /) -> tuple[int, ...]:
        """
        Its ports, in the order of the names.
        """
    def render(self, /, syntax: str = "shell") -> str:
        """
        Its variables as text for a shell or a file: `shell` (safe to `eval`), `fish`, `powershell`, `dotenv`, `github`.
        """
    def stop(self, /, ports: int | str | Iterable[int | str] | None = None, *, timeout: float | timedelta | None = None, dry_run: bool = False) -> StopReport:
        """
        Ends the servers on its ports that are its own, and nothing else, and returns a `StopReport` of each process.

        A process is its own if it has a `hold` on it, carries its `ISOLATION_ID`, descends from such a one, or runs as this
        user in its worktree or temp directory without another `ISOLATION_ID`. This process, those that it descends from, and
        whatever has a terminal to itself are spared. Each is asked to end (SIGTERM), and killed after `timeout`, 10 seconds
        by default.

        `ports`: only these, by number or name. `dry_run`: says which, and ends none. What is left on the ports is in the
        report, and raises nothing. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `InvalidArgumentError`,
        `UnsupportedError` before Linux 5.3, `SystemCallError`.
        """
    @property
    def temp_dir(self, /) -> Path:
        """
        Its temp directory, made with mode 0700. The cleanup removes it and everything in it.
        """
    @property
    def variables(self, /) -> dict[str, str]:
        """
        Its variables, names and values, in the order in which they are written: a new `dict` each time.
        """
    def wait_until_ours(self, /, ports: int | str | Iterable[int | str] | None = None, wait: float | timedelta = ..., *, http: str | None = None, status: int | None = None) -> None:
        """
        Waits until the server on each of the ports accepts connections and is this environment's own, as `stop` tells. By
        default on all of its ports; `ports` names some, by number or name.

        `http` is a path such as `/health`, which the server must answer with a status below 400, or with exactly `status`.
        `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and
        Ctrl-C ends the wait.

        Raises `PortInUseError` at once if somebody else's server listens, with its name and directory; `WaitTimeout`, which
        says what was last seen on each port; `InvalidArgumentError`, `SystemCallError`.
        """
    @property
    def worktree_path(self, /) -> Path:
        """
        The worktree it was made for.
        """
    def write_block(self, /, path: str | PathLike[str]) -> None:
        """
        Writes the variables of a worktree's environment into a block of the file at `path`, such as `.env.local`: between two
        marker lines, in a file that people edit, too. Everything else in it stays as it is. The end of the environment
        removes the block.

        Raises `InvalidArgumentError` if it is not the environment of its worktree, or if somebody has cut the file's block
        off, with file and line; `NotFoundError`, `EnvironmentInUseError`, `PermissionDeniedError`, `RegistryUnusableError`,
        `SystemCallError`.
        """

@final
class Hold:
    """
    A share in a kept environment. Until the last process that has one has let go of it or ended, nobody can remove the
    environment: `cleanup` and `down` raise `EnvironmentInUseError`. A process that has inherited one counts as this
    environment's own, whatever becomes of its variables and its parents. Made by `Environment.hold`.

    ```text
    with environment.hold() as hold, hold.inheritable() as fd:
        server = subprocess.Popen(command, pass_fds=[fd], env={**os.environ, **environment.variables})
    ```
    """
    def __enter__(self, /) -> Hold: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None: ...
    def __repr__(self, /) -> str: ...
    def inheritable(self, /) -> Inheritable:
        """
        Lets child processes inherit it: `with hold.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`.

        Raises `InvalidArgumentError` once released, `SystemCallError`.
        """
    def release(self, /) -> None:
        """
        Gives up this process's share. Safe to call twice. Child processes that have inherited it keep theirs.
        """
    @property
    def released(self, /) -> bool:
        """
        Whether this process has given up its share.
        """

@final
class Inheritable:
    """
    A duplicate of a lease's file descriptor, which child processes inherit if they start while it is open. The lease then
    lives until this process and every process that inherited it have let go of it or ended.

    `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])` closes it once the child is started, so that
    later ones do not inherit it.
    """
    def __enter__(self, /) -> int: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None: ...
    def __repr__(self, /) -> str: ...
    def close(self, /) -> None:
        """
        Closes this copy. Again does nothing.
        """
    def fileno(self, /) -> int:
        """
        The file descriptor, for `pass_fds`. `ValueError` once it is closed.
        """

@final
class Lease(Sequence[int]):
    """
    Ports that no other process is given until they are released or the process that took them has ended. The kernel sees to
    that, even after SIGKILL. A context manager that releases, and a sequence of its ports.

    It costs one file descriptor, which is closed on exec. Any thread may use it. In a forked child, its copy keeps the lease
    alive while the child lives, but only the process that took the lease can release it. It cannot be pickled: send its
    ports, and let a child inherit the lease with `inheritable`. A lease that was not released ends when nothing refers to its
    object any more, with a `PortallocWarning` that names the line where it was taken.
    """
    def __contains__(self, port: Any, /) -> bool: ...
    def __enter__(self, /) -> Lease: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None: ...
    @overload
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, index: slice, /) -> tuple[int, ...]:
        """
        By index or by slice, negative ones included, which the tuple understands. `stubs.py` says it to type checkers.
        """
    def __iter__(self, /) -> Iterator[int]: ...
    def __len__(self, /) -> int: ...
    def __reduce__(self, /) -> str: ...
    def __repr__(self, /) -> str: ...
    @property
    def base_port(self, /) -> int:
        """
        The first port.
        """
    def count(self, /, port: Any) -> int:
        """
        1 if the lease has this port, else 0: all its ports differ.
        """
    def drop_guard(self, /) -> None:
        """
        Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays.
        """
    def guard(self, /) -> None:
        """
        Holds the ports with sockets, against programs that do not use portalloc: none of them, and no server of your own,
        can bind the ports until `share_guard` or `drop_guard`. The sockets do not listen, so clients are refused.

        Raises `PortInUseError` if a foreign process is on one of the ports already.
        """
    @property
    def guard_state(self, /) -> Literal["none", "shared", "exclusive"]:
        """
        `"none"`, `"shared"` (servers that set `SO_REUSEADDR` can bind) or `"exclusive"` (no server can bind).
        """
    @property
    def held(self, /) -> bool:
        """
        Whether this lease still has the ports: it was not released, and its file descriptor is still its own. A program that
        closes all descriptors, as daemons do when they start, ends its leases without releasing them.

        In a forked child: whether the child's copy keeps the lease alive.
        """
    def index(self, port: Any, start: SupportsIndex = 0, stop: SupportsIndex = ..., /) -> int:
        """
        The index of a port. Raises `ValueError` if the lease does not have it.
        """
    def inheritable(self, /) -> Inheritable:
        """
        Lets child processes inherit the lease: `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`. From
        then on it lives until this process and every process that inherited it have let go of it or ended; a release gives up
        only this process's part. Guards are not inherited.

        Raises `InvalidArgumentError` once released, and `UnsupportedError` in a forked child.
        """
    @property
    def port(self, /) -> int:
        """
        The port, of a lease of one; of several the first.
        """
    @property
    def ports(self, /) -> tuple[int, ...]:
        """
        The ports: ascending for a run, in the order asked for otherwise. Known also after the release.
        """
    def release(self, /) -> None:
        """
        Gives the ports back. Safe to call twice. Does nothing in a forked child.

        Others may be given these ports from now on, so close your own sockets first. An inherited lease ends only when the
        last process that has it has ended or let go of it.
        """
    @property
    def released(self, /) -> bool:
        """
        Whether it was released. A lease that lost its descriptor was not; `held` tells of that, too.
        """
    def share_guard(self, /) -> None:
        """
        Lets servers that set `SO_REUSEADDR`, as nearly all do, bind over the guard, which still keeps other programs off. UDP
        ports are not guarded from then on. Without a guard it does nothing.
        """
    def socket(self, /, index: SupportsIndex = 0, *, type: SupportsIndex = 1, host: str = "127.0.0.1", listen: bool = True) -> socket:
        """
        A `socket.socket` bound to the port at `index`, to pass to the server itself: `asyncio`'s `sock=`, uvicorn's `fd=`,
        gunicorn's `fd://`. No other program can take the port in between: a TCP socket is bound over a guard of this lease.

        `type` is `socket.SOCK_STREAM` or `socket.SOCK_DGRAM`; `host` an IP address, `"localhost"`, or `""` for every IPv4
        address (`"::"` for every one). A TCP socket listens already, unless `listen` is false. It is not inherited by
        child processes, unless you make it inheritable, and outlives the lease: close it before you release the port.

        Raises `PortInUseError` if a foreign process was there first, and `InvalidArgumentError`.
        """

@final
class Settings:
    """
    The registry and the pool that calls from the current directory use.
    """
    def __repr__(self, /) -> str: ...
    @property
    def count(self, /) -> int:
        """
        How many those are.
        """
    @property
    def directory(self, /) -> Path:
        """
        The registry's directory, in which all leases of this machine meet.
        """
    @property
    def pool(self, /) -> str:
        """
        The pool as it was asked for, such as `20000-29999`.
        """
    @property
    def ports(self, /) -> str:
        """
        The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
        """
    @property
    def project(self, /) -> Path | None:
        """
        The project file `portalloc.toml` of the current directory or one above it.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        What a user should know about this pool.
        """

def attach(id: str | None = None) -> Environment:
    """
    The live environment with this ID, or with the ID in the variable `ISOLATION_ID`, to read its ports, names and temp
    directory. Only the `cleanup` of the returned object ends the environment; nothing else that happens to the object does.

    Raises `InvalidIdError`, `NotFoundError` if there is none or it has ended, `PermissionDeniedError` if it is another
    user's, `RegistryUnusableError`, `SystemCallError`.
    """

def cleanup(id: str) -> bool:
    """
    Removes an environment, kept or stale: deletes its temp directory, env file and record, and releases its ports. Returns
    `False` if there was none, so it is safe to call twice.

    Raises `InvalidIdError`, `EnvironmentInUseError` if a live process holds it, `PermissionDeniedError`,
    `RegistryUnusableError`, `SystemCallError`.
    """

def cleanup_stale() -> list[str]:
    """
    Removes the stale environments of this user and what crashes have left behind. Returns the IDs of the environments that
    it removed. Never touches a live one.

    Raises `PermissionDeniedError`, `RegistryUnusableError`, `SystemCallError`, after it has removed all others.
    """

def current(count: int | None = None, *, names: Iterable[str] | None = None, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, env_file: bool | str | PathLike[str] | None = None, pool: str | None = None, exclude: str | None = None, sticky: bool | None = None, prefer: int | Iterable[int] | None = None, wait: float | timedelta = ...) -> Environment:
    """
    The environment of this run: the one that the variable `ISOLATION_ID` names, if it is live; else a new one, made as by
    `portalloc.environment`, whose variables are set in `os.environ`, so that the processes started from now on share it.
    Its cleanup gives those variables their former values back.

    Raises the errors of `environment` and `attach`.
    """

def doctor(*, explain: int | None = None, pool: str | None = None, exclude: str | None = None) -> DoctorReport:
    """
    Whether portalloc keeps its promises on this machine. With `explain`, also whether a lease of so many consecutive ports
    would be granted at this moment, and why not. `pool` and `exclude` are as in `settings`.

    It raises nothing because of what it finds: a registry that cannot be opened is a line of the report. It changes nothing,
    except that it creates a missing registry.
    """

def environment(count: int | None = None, *, names: Iterable[str] | None = None, exact: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, env_file: bool | str | PathLike[str] | None = None, kept: bool = False, ttl: float | timedelta | None = None, owner_pid: int | None = None, pool: str | None = None, exclude: str | None = None, guard: bool | None = None, sticky: bool | None = None, prefer: int | Iterable[int] | None = None, wait: float | timedelta = ...) -> Environment:
    """
    Makes an environment. If it fails, nothing of it is left.

    - `names`: names for the first ports; `"postgres"` becomes the variable `POSTGRES_PORT`. They set the number of ports,
      unless `count` does; without either there are five.
    - `exact`, `offsets`, `scattered`, `pool`, `exclude`, `wait`: as for `portalloc.lease`. `guard`: also, for a held one.
    - `instance_id`: tells it apart from other environments of its worktree. `worktree`: an existing directory; by
      default the nearest one upwards with a `.git`, else that of `portalloc.toml`, else the current one.
    - `env_file`: `True` writes the variables to `.env.isolation` in the worktree (`.env.isolation.<id>` if that is taken); a
      path writes them there. By default there is no env file.
    - `kept`: outlives this process. `ttl`: seconds or a `timedelta` after which a kept one ends. `owner_pid`: the process
      whose end ends a kept one.
    - `sticky`: prefers the ports that the same worktree, instance ID and names had before. `prefer`: as for
      `portalloc.lease`.

    The project file `portalloc.toml` sets what the arguments leave open. It is looked for from the worktree or the current
    directory upwards, up to the directory with the `.git`.

    Raises the errors of `portalloc.lease`, and `NotFoundError` (owner), `EnvFileExistsError`, `IdExhaustedError`.
    """

def environments() -> list[EnvironmentInfo]:
    """
    All environments of this network namespace, oldest first. Locks and changes nothing.

    Raises `RegistryUnusableError`, `SystemCallError`.
    """

def error_codes() -> tuple[str, ...]:
    """
    The stable codes of all errors, in the order of the documentation.
    """

def explain_candidates(groups: Iterable[Iterable[int]]) -> list[tuple[str, int, bool]]:
    """
    The same about ports that the caller has guessed, the surest group first.
    """

def explain_conflict(named: Iterable[int], conflicts: Iterable[str], texts: Iterable[str]) -> list[tuple[str, int, bool]] | None:
    """
    For each port that a failure was about, a sentence, the port, and whether this very process is on it: `named` by an error, or mentioned in the messages of errors that are
    certainly `conflicts`, or in other `texts`. `None` if the failure tells of no port conflict.
    """

def give_back(port: int) -> bool:
    """
    Gives back a port that `portalloc.port` returned to this process. Returns `False`, and does nothing, for any other port:
    one that was given back before, one of a lease, or one that the parent of a forked child took.

    Others may be given the port from now on, so close your own sockets first. Does not block. Any thread may call it. Raises
    `InvalidArgumentError` outside 0 to 65535; `TypeError` for anything that is not a whole number.
    """

def is_free(port: int) -> bool:
    """
    Whether this port could be leased right now: it is not leased, and nothing is bound to it, TCP or UDP, on any address.
    The port need not be in the pool. The answer may be out of date a moment later: to have a port, lease it.

    Raises `InvalidArgumentError` outside 1 to 65535.
    """

def leaks(ports: Iterable[int], ours_too: bool, patient: bool) -> list[tuple[str, bool]]:
    """
    Servers on ports that are still leased, but about to be released: a sentence for each, and whether this very process is
    one of those that listen. `patient`: gives the servers a moment to end. Ctrl-C ends the wait.
    """

def lease(count: int | None = None, *, exact: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, pool: str | None = None, exclude: str | None = None, guard: bool = False, sticky_key: str | None = None, prefer: int | Iterable[int] | None = None, wait: float | timedelta = ...) -> Lease:
    """
    Leases ports: no other process is given them until they are released or this process has ended.

    - `count`: how many consecutive ports; one by default.
    - `exact`: exactly these, in the pool or not. `offsets`: a base and the ports at these distances from it, such as
      `[0, 1, 10000]`. `scattered`: ports that need not be consecutive. At most one of the three.
    - `pool`, `exclude`: ports to give out, and ports never to give out, such as `"20000-29999,31000"`. By default the
      variables `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE` set them, else the project file `portalloc.toml`, else 20000-29999.
    - `guard`: also keeps programs that do not use portalloc off the ports: see `Lease.guard`.
    - `sticky_key`: prefers the ports that the same key was given before, on this machine.
    - `prefer`: a first port to try before all others, or several in this order, in the pool or not.
    - `wait`: seconds, or a `timedelta`, to wait for ports to come free; by default the call fails at once. While it waits,
      other threads run, and Ctrl-C ends the wait.

    Raises `InvalidArgumentError`, `PoolExhaustedError`, `PortInUseError`, `WaitTimeout`, `RegistryUnusableError`,
    `PermissionDeniedError`, `SystemCallError`; `TypeError` for arguments of a wrong type.
    """

def leases() -> list[LeaseInfo]:
    """
    All live leases that belong to no environment, by port. Locks and changes nothing.

    Raises `RegistryUnusableError`, `SystemCallError`.
    """

def parse_id(text: str) -> str:
    """
    The text if it is an isolation ID, 12 lower-case hexadecimal digits; else raises `InvalidIdError`.
    """

def port(*, pool: str | None = None, exclude: str | None = None) -> int:
    """
    A port (1 to 65535) that no other process is given until this process ends, however it ends, or until `give_back`. Use
    it in place of `bind(0)` and of functions that find a free port and let go of it.

    - `pool`, `exclude`: ports to give out, and ports never to give out, as for `portalloc.lease`.

    Costs one file descriptor, which is closed on exec. Does not block. Any thread may call it. A forked child cannot give
    back its parent's ports, and keeps them leased as long as it lives; the ports that it takes are its own.

    Raises `InvalidArgumentError`, `PoolExhaustedError`, `RegistryUnusableError`, `PermissionDeniedError`,
    `SystemCallError`; `TypeError` for arguments of a wrong type. If the pool is exhausted, or the process may open no more
    files, the error names the lines of this program that have taken the most ports and not given them back.
    """

def ports_in(text: str) -> list[int]:
    """
    Ports that a text names, whatever it is about.
    """

def render(variables: Iterable[tuple[str, str]], syntax: str = "shell") -> str:
    """
    Writes variables, pairs of name and value, one on each line, whatever the values contain. `syntax` is `shell` (safe to
    `eval`), `fish`, `powershell`, `dotenv` or `github`; `InvalidArgumentError` for any other.
    """

def run_command_line(args: Iterable[str]) -> int:
    """
    Runs the command line with these arguments, the first of which is the program's name, and returns its exit status.
    """

def settings(*, pool: str | None = None, exclude: str | None = None) -> Settings:
    """
    The registry and the pool that calls from the current directory use. Arguments override variables, which override the
    project file, which overrides the defaults.

    Raises `InvalidArgumentError` for a malformed pool or project file, `RegistryUnusableError`, `PermissionDeniedError`.
    """

def validate(id: str) -> Validation:
    """
    Checks the record, temp directory, env file and lease of an environment of this user, and looks at its ports.

    Raises `InvalidIdError`, `NotFoundError`, `PermissionDeniedError`, `RegistryUnusableError`, `SystemCallError`.
    """

def wait_until_free(ports: int | Iterable[int], wait: float | timedelta = ...) -> None:
    """
    Waits until nothing is bound to any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included.
    Whether a port is leased makes no difference.

    `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and Ctrl-C
    ends the wait. Raises `WaitTimeout`, a built-in `TimeoutError`, which says what was last seen on each port that is not free.
    """

def wait_until_open(ports: int | Iterable[int], wait: float | timedelta = ..., *, http: str | None = None, status: int | None = None) -> None:
    """
    Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1.

    `http` is a path such as `/health`, which the server must answer with a status below 400, or with exactly `status`.

    `wait` is in seconds, or a `timedelta`; 30 seconds by default, and 0 checks once. Other threads run meanwhile, and Ctrl-C
    ends the wait. Raises `WaitTimeout`, a built-in `TimeoutError`, which says what was last seen on each port that is not open.
    """

def who(port: int) -> PortReport:
    """
    Who is on a port: processes, sockets, and the lease or environment that has it. Locks, probes and changes nothing.

    Only root sees the processes of other users. Raises `InvalidArgumentError` outside 1 to 65535.
    """

@overload
def worktree_environment(count: int | None = None, *, names: Iterable[str] | None = None, exact: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, pool: str | None = None, exclude: str | None = None, sticky: bool | None = None, prefer: int | Iterable[int] | None = None, wait: float | timedelta = ..., create: Literal[True] = True, repair: bool = False) -> Environment: ...
@overload
def worktree_environment(count: int | None = None, *, names: Iterable[str] | None = None, exact: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, pool: str | None = None, exclude: str | None = None, sticky: bool | None = None, prefer: int | Iterable[int] | None = None, wait: float | timedelta = ..., create: bool, repair: bool = False) -> Environment | None:
    """
    The environment of this worktree: made when it is first asked for, and the same ever after, from any subdirectory, shell
    or process, as `portalloc env` gives it. It is kept: neither this object nor its `with` block ends it, `down` does, and
    `cleanup`.

    - `create`: if false, the result is `None` where there is none yet. `repair`: moves it to other ports if it has others than
      `portalloc.toml` or the arguments say by now, or if somebody else's program is on one of them.
    - `worktree`: its directory; by default the one that contains the current directory. `instance_id` tells several environments
      of it apart.
    - All others are as for `portalloc.environment`, and apply when it is made. It is sticky unless `sticky` says otherwise.

    Raises the errors of `portalloc.environment`, and `EnvironmentInUseError` if another process has been making, repairing or
    removing it for 30 seconds, or if a program that has a `hold` on it keeps it from being repaired.
    """
