"""
The native part of portalloc; import `portalloc` instead.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from os import PathLike
from pathlib import Path
from socket import socket
from typing import Any, Final, Literal, SupportsIndex, final

__all__ = ["VERSION", "Environment", "EnvironmentInfo", "Holder", "Inheritable", "Leak", "Lease", "LeaseInfo", "PortReport", "Settings", "SocketInfo", "Validation", "clash_in", "cleanup", "cleanup_stale", "culprits", "environments", "error_codes", "give_back", "is_free", "leaks", "lease", "leases", "parse_id", "port", "ports_in", "render", "run_command_line", "settings", "validate", "wait_for", "wait_free", "who"]

VERSION: Final[str]

@final
class Environment:
    """
    An isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one. Make one with
    `create` or `current`, or use another process's with `attach`.

    A *held* one lives as long as this object: `cleanup`, leaving its `with` block, or being garbage-collected (with a
    `PortallocWarning` that names the line where it was made) removes it, and the end of the process, however it comes, ends
    it. A *kept* one outlives the process, until a cleanup, its TTL or the end of its owner. Any thread may use it. A forked
    child can read its copy and cannot end it.
    """
    def __enter__(self, /) -> Environment: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None:
        """
        Cleans up what this process made; an attached one is left alone, and so is a forked child's copy.
        """
    def __reduce__(self, /) -> str: ...
    def __repr__(self, /) -> str: ...
    @staticmethod
    def attach(id: str | None = None) -> Environment:
        """
        The live environment with this ID, or with that in the variable `ISOLATION_ID`, to read its ports, names and temp
        dir. Nothing that happens to the returned object ends the environment, but its `cleanup`.

        Raises `InvalidIdError`, `NotFoundError` if there is none or it is over, `PermissionDeniedError` if it is another
        user's, `RegistryUnusableError`, `IoError`.
        """
    @property
    def base_port(self, /) -> int:
        """
        The first port.
        """
    def cleanup(self, /) -> None:
        """
        Removes its temp dir, env file and record, and gives the ports back. Again does nothing.

        An attached one is removed too, if it is a kept one. Raises `InUseError` if another process holds it, such as the
        parent of a forked child; `PermissionDeniedError`, `IoError`, `RegistryUnusableError`: then it can be repeated.
        """
    @staticmethod
    def create(count: int | None = None, *, names: Iterable[str] | None = None, ports: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, env_file: bool | str | PathLike[str] | None = None, kept: bool = False, ttl: float | timedelta | None = None, owner_pid: int | None = None, pool: str | None = None, exclude: str | None = None, guard: bool | None = None, sticky: bool | None = None, timeout: float | timedelta | None = None) -> Environment:
        """
        Makes an environment. If it fails, nothing of it is left.

        - `names`: names for the first ports; `"postgres"` becomes the variable `POSTGRES_PORT`. They set the number of
          ports, unless `count` does; without either there are five.
        - `ports`, `offsets`, `scattered`, `pool`, `exclude`, `timeout`: as for `portalloc.lease`. `guard`: too, for a held one.
        - `instance_id`: what tells it from others of its work tree. `worktree`: an existing folder, else the current one.
        - `env_file`: `True`, the default, for `.env.isolation` in the work tree (`.env.isolation.<id>` if that is taken), `False` for none,
          or this very path.
        - `kept`: outlives this process. `ttl`: seconds or a `timedelta` after which a kept one is over. `owner_pid`: the
          process whose end ends a kept one.
        - `sticky`: prefers the ports that the same work tree, instance ID and names had before.

        Whatever is not given the project file `portalloc.toml`, in the work tree or above it, may say.

        Raises as `portalloc.lease`, and `NotFoundError` (owner), `EnvFileExistsError`, `IdExhaustedError`.
        """
    @property
    def created_at(self, /) -> datetime:
        """
        When it was made (UTC).
        """
    @staticmethod
    def current(count: int | None = None, *, names: Iterable[str] | None = None, instance_id: str | None = None, worktree: str | PathLike[str] | None = None, env_file: bool | str | PathLike[str] | None = None, pool: str | None = None, exclude: str | None = None, sticky: bool | None = None, timeout: float | timedelta | None = None) -> Environment:
        """
        The environment of this run: the one that the variable `ISOLATION_ID` names, if that lives; else a new one as asked
        for, as by `create`, whose variables are set in `os.environ`, so that the processes started from here on share it.
        They are removed again when it is cleaned up.

        Raises as `create` and `attach`.
        """
    @property
    def env_file(self, /) -> Path | None:
        """
        Its env file, if it has one. Beside `.env.isolation` if that was taken: then it is `.env.isolation.<id>`.
        """
    @property
    def expires_at(self, /) -> datetime | None:
        """
        When its TTL is over (UTC), if it has one.
        """
    @property
    def id(self, /) -> str:
        """
        Its isolation ID: 12 lower-case hexadecimal digits.
        """
    @property
    def instance_id(self, /) -> str:
        """
        What tells it from others of its work tree; may be empty.
        """
    @property
    def lease(self, /) -> Lease | None:
        """
        The lease of a held environment, for the process that made it: guards, hand-off, and passing it on. None of a kept
        or an attached one, and after the cleanup.
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
        Its variables as a text for a shell or a file: `shell` (safe to `eval`), `fish`, `powershell`, `dotenv`, `github`.
        """
    @property
    def temp_dir(self, /) -> Path:
        """
        Its temp dir, made with mode 0700; removed by the cleanup with all that is in it.
        """
    @property
    def variables(self, /) -> dict[str, str]:
        """
        Its variables, names and values, in the order in which they are written: a new `dict` each time.
        """
    @property
    def worktree_path(self, /) -> Path:
        """
        The work tree it was made for.
        """

@final
class EnvironmentInfo:
    """
    An environment as the registry shows it.
    """
    def __repr__(self, /) -> str: ...
    @property
    def created_at(self, /) -> datetime | None:
        """
        When it was made (UTC).
        """
    @property
    def env_file(self, /) -> Path | None:
        """
        Its env file, if it has one.
        """
    @property
    def expires_at(self, /) -> datetime | None:
        """
        When its TTL is over (UTC).
        """
    @property
    def holder_name(self, /) -> str | None:
        """
        That process's command name, while it runs.
        """
    @property
    def holder_pid(self, /) -> int | None:
        """
        The process that made a held one, or the owner of a kept one.
        """
    @property
    def id(self, /) -> str:
        """
        Its isolation ID.
        """
    @property
    def instance_id(self, /) -> str | None:
        """
        What tells it from others of its work tree. None of another user's, as are the following.
        """
    @property
    def lifetime(self, /) -> str | None:
        """
        `held` or `kept`; none if its record is broken.
        """
    @property
    def names(self, /) -> list[str]:
        """
        Names of the first ports.
        """
    @property
    def ports(self, /) -> list[int]:
        """
        Its ports, in the order of the names.
        """
    @property
    def reason(self, /) -> str | None:
        """
        Why it is not active.
        """
    @property
    def status(self, /) -> str:
        """
        `active`, `stale` (its holder, TTL or owner is gone) or `damaged`.
        """
    @property
    def temp_dir(self, /) -> Path | None:
        """
        Its temp dir.
        """
    @property
    def user_id(self, /) -> int:
        """
        The user it belongs to, by number.
        """
    @property
    def worktree_path(self, /) -> Path | None:
        """
        Its work tree.
        """

@final
class Holder:
    """
    A process that has a socket on a port, or took its lease.
    """
    def __repr__(self, /) -> str: ...
    @property
    def command(self, /) -> str | None:
        """
        Its command line, if it has a socket on the port. May hold any characters.
        """
    @property
    def leased(self, /) -> bool:
        """
        Whether it took the port's lease.
        """
    @property
    def listening(self, /) -> bool:
        """
        Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
        """
    @property
    def name(self, /) -> str | None:
        """
        Its command name, where it can be read from here.
        """
    @property
    def pid(self, /) -> int:
        """
        Its process ID; of one that only has the lease, as seen from its own PID namespace.
        """
    @property
    def started_at(self, /) -> datetime | None:
        """
        When it started (UTC), if it has a socket on the port.
        """
    @property
    def user(self, /) -> str | None:
        """
        The user it runs as, by name or else by number, if it has a socket on the port.
        """

@final
class Inheritable:
    """
    A copy of a lease's file descriptor, inherited by the processes that are started while it is open: the lease then
    lives until this process and every one that inherited it have let go of it or ended, whatever happens to whom.

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
class Leak:
    """
    A server that outlives what its port was leased for.
    """
    @property
    def is_ours(self, /) -> bool:
        """
        Whether this very process listens.
        """
    @property
    def message(self, /) -> str:
        """
        One sentence.
        """

@final
class Lease:
    """
    Ports that are nobody else's until they are released, or until the process that took them is gone, whichever comes
    first: the kernel sees to it, SIGKILL included. A context manager that releases; iterable and
    indexable, it is its ports.

    It costs one file descriptor, which is closed on exec. Any thread may use it. In a forked child its copy keeps the
    lease alive while the child lives, but only the process that took it can release it. It cannot be pickled: send its
    ports, and pass the lease itself on with `inheritable`. One that nothing refers to any more and that was not released
    ends, with a `PortallocWarning` that names the line where it was taken.
    """
    def __contains__(self, port: Any, /) -> bool: ...
    def __enter__(self, /) -> Lease: ...
    def __exit__(self, _type: Any | None = None, _value: Any | None = None, _traceback: Any | None = None, /) -> None: ...
    def __getitem__(self, index: SupportsIndex, /) -> int: ...
    def __iter__(self, /) -> Iterator[int]: ...
    def __len__(self, /) -> int: ...
    def __reduce__(self, /) -> str: ...
    def __repr__(self, /) -> str: ...
    @property
    def base_port(self, /) -> int:
        """
        The first port.
        """
    def drop_guard(self, /) -> None:
        """
        Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays.
        """
    def guard(self, /) -> None:
        """
        Holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your
        own, can bind the ports until `open_guard` or `drop_guard`. The sockets do not listen, so that clients are refused.

        Raises `PortInUseError` if a stranger is there already.
        """
    @property
    def guard_state(self, /) -> Literal["none", "reuse", "shut"]:
        """
        `"none"`, `"reuse"` (servers that set `SO_REUSEADDR` can bind) or `"shut"` (nobody can).
        """
    @property
    def held(self, /) -> bool:
        """
        Whether the ports are still this lease's: it was not released, and its file descriptor is still its own. A program
        that closes all descriptors, as daemons do when they start, ends its leases without releasing them.

        In a forked child: whether the child's copy keeps the lease alive.
        """
    def inheritable(self, /) -> Inheritable:
        """
        Lets child processes inherit the lease: `with lease.inheritable() as fd: subprocess.Popen(..., pass_fds=[fd])`. From
        then on it lives until this process and every one that inherited it have let go of it or ended, and a release gives
        up only this process's part in it. Guards are not passed on.

        Raises `InvalidArgumentError` once released, and `UnsupportedError` in a forked child.
        """
    def open_guard(self, /) -> None:
        """
        Lets servers that set `SO_REUSEADDR`, as nearly all do, bind over the guard, which goes on keeping others off. UDP
        ports are not guarded from then on. Without a guard does nothing.
        """
    @property
    def port(self, /) -> int:
        """
        The port of a lease of one; `InvalidArgumentError` if there are several.
        """
    @property
    def ports(self, /) -> tuple[int, ...]:
        """
        The ports: ascending for a run, in the order asked for otherwise. Known also after the release.
        """
    def release(self, /) -> None:
        """
        Gives the ports back. Again does nothing, and neither does a forked child's call.

        From here on others may be given these ports, so close your own sockets first. A lease that was passed on ends
        only when the last process that has it is gone.
        """
    @property
    def released(self, /) -> bool:
        """
        Whether it was released. A lease that lost its descriptor was not; `held` tells of that, too.
        """
    def socket(self, /, index: SupportsIndex = 0, *, type: SupportsIndex = 1, host: str = "127.0.0.1", listen: bool = True) -> socket:
        """
        A `socket.socket` bound to the port at `index`, to hand to the server itself: `asyncio`'s `sock=`, uvicorn's `fd=`,
        gunicorn's `fd://`. Nobody can come in between: a TCP socket is bound over a guard of this lease.

        `type` is `socket.SOCK_STREAM` or `socket.SOCK_DGRAM`; `host` an IP address, `"localhost"`, or `""` for every IPv4
        address (`"::"` for every one). A TCP socket listens already, unless `listen` is false. It is not inherited by
        child processes, unless you make it so, and outlives the lease: close it before you release the port.

        Raises `PortInUseError` if a stranger was there first, and `InvalidArgumentError`.
        """

@final
class LeaseInfo:
    """
    A live lease that belongs to no environment.
    """
    def __repr__(self, /) -> str: ...
    @property
    def holder_name(self, /) -> str | None:
        """
        That process's command name, while it runs.
        """
    @property
    def holder_pid(self, /) -> int | None:
        """
        The process that took it.
        """
    @property
    def ports(self, /) -> list[int]:
        """
        Its ports, ascending.
        """
    @property
    def since(self, /) -> datetime:
        """
        When it was taken (UTC).
        """
    @property
    def user_id(self, /) -> int:
        """
        The user it belongs to, by number.
        """

@final
class PortReport:
    """
    Who is on a port: iterable and indexable, it is the processes that have sockets on it or took its lease. As text it is
    one sentence.
    """
    def __getitem__(self, index: SupportsIndex, /) -> Holder: ...
    def __iter__(self, /) -> Iterator[Holder]: ...
    def __len__(self, /) -> int: ...
    def __repr__(self, /) -> str: ...
    def __str__(self, /) -> str: ...
    @property
    def complete(self, /) -> bool:
        """
        Whether the kernel shows every kind of socket. Before Linux 6.8 it does not show TCP sockets that are bound and
        neither listen nor are connected.
        """
    @property
    def in_use(self, /) -> bool:
        """
        Whether there is a socket on it.
        """
    @property
    def isolation_id(self, /) -> str | None:
        """
        The environment that has it, if one has.
        """
    @property
    def leased(self, /) -> bool:
        """
        Whether a lease or an environment has it.
        """
    @property
    def leased_by(self, /) -> int | None:
        """
        The process that took the lease, by its ID in its own PID namespace. The lease may have been passed on since.
        """
    @property
    def leased_since(self, /) -> datetime | None:
        """
        Since when it is leased (UTC).
        """
    @property
    def lifetime(self, /) -> Literal["held", "kept"] | None:
        """
        `"held"` or `"kept"`, if it is leased.
        """
    @property
    def message(self, /) -> str:
        """
        One sentence: who is on it, since when, and the lease or environment that has it.
        """
    @property
    def port(self, /) -> int:
        """
        The port.
        """
    @property
    def sockets(self, /) -> list[SocketInfo]:
        """
        The sockets on it, TCP and UDP, in every state.
        """

@final
class Settings:
    """
    The registry and the pool that calls from the current folder go by.
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
        The registry's folder, in which all leases of this machine meet.
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
        The project file `portalloc.toml` of the current folder or one above it.
        """
    @property
    def warnings(self, /) -> list[str]:
        """
        What a user should know about this pool.
        """

@final
class SocketInfo:
    """
    A socket on a port.
    """
    def __repr__(self, /) -> str: ...
    @property
    def local(self, /) -> str:
        """
        Its address on this machine, such as `127.0.0.1:8080`.
        """
    @property
    def pids(self, /) -> list[int]:
        """
        The processes that have it open, as far as this one may see.
        """
    @property
    def protocol(self, /) -> str:
        """
        `tcp` or `udp`.
        """
    @property
    def remote(self, /) -> str | None:
        """
        The other end, if it is connected.
        """
    @property
    def state(self, /) -> str:
        """
        `listen`, `established`, `bound` (TCP, neither listening nor connected), `unconnected` (UDP), `time_wait`,
        `syn_sent`, `syn_received`, `fin_wait_1`, `fin_wait_2`, `close_wait`, `last_ack`, `closing` or `unknown`.
        """

@final
class Validation:
    """
    What a check of an environment found.
    """
    def __bool__(self, /) -> bool: ...
    def __repr__(self, /) -> str: ...
    @property
    def checks(self, /) -> list[tuple[str, str | None]]:
        """
        Each part (`record`, `temp_dir`, `env_file`, `lease`) with why it failed, or `None` if it passed.
        """
    @property
    def ports(self, /) -> list[tuple[int, bool]]:
        """
        Each port with whether some program has a socket on it, as a server of the environment would.
        """
    @property
    def valid(self, /) -> bool:
        """
        Whether every check passed.
        """

def clash_in(text: str) -> list[list[int]] | None:
    """
    Groups of ports that a text about an address in use may mean, the surest first; none if it tells of no such thing.
    """

def cleanup(id: str) -> bool:
    """
    Removes an environment, kept or stale: temp dir, env file, record, and gives its ports back. Returns whether there was
    one, so that it may be called again.

    Raises `InvalidIdError`, `InUseError` if a live process holds it, `PermissionDeniedError`, `RegistryUnusableError`,
    `IoError`.
    """

def cleanup_stale() -> list[str]:
    """
    Removes what is over: stale environments of this user, and what crashes have left. Returns the IDs of those removed.
    Never touches a live one.

    Raises `PermissionDeniedError`, `RegistryUnusableError`, `IoError`, after all others were removed.
    """

def culprits(ports: Iterable[int]) -> list[PortReport]:
    """
    Reports of those of the ports that can be what a clash was about.
    """

def environments() -> list[EnvironmentInfo]:
    """
    All environments of this network namespace, oldest first. Nothing is locked or changed.

    Raises `RegistryUnusableError`, `IoError`.
    """

def error_codes() -> tuple[str, ...]:
    """
    The stable codes of all errors, in the order of the documentation.
    """

def give_back(port: int) -> bool:
    """
    Gives back a port that `portalloc.port` returned to this process. Returns `False`, and does nothing, for any other: one
    that was given back before, that of a lease, or that of the parent of a forked child.

    From here on others may be given it, so close your own sockets first. Does not block. Any thread may call it. Raises
    `InvalidArgumentError` outside 0 to 65535; `TypeError` for what is no whole number.
    """

def is_free(port: int) -> bool:
    """
    Whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
    address. The port need not be in the pool. What is free now may be taken a moment later: to have a port, lease it.

    Raises `InvalidArgumentError` outside 1 to 65535.
    """

def leaks(ports: Iterable[int], ours_too: bool) -> list[Leak]:
    """
    Servers on ports that are still leased, but about to be given back.
    """

def lease(count: int | None = None, *, ports: Iterable[int] | None = None, offsets: Iterable[int] | None = None, scattered: bool = False, pool: str | None = None, exclude: str | None = None, guard: bool = False, sticky: str | None = None, timeout: float | timedelta | None = None) -> Lease:
    """
    Leases ports: nobody else is given them until they are released, or this process is gone, whichever comes first.

    - `count`: so many consecutive ports; one by default.
    - `ports`: exactly these, in the pool or not. `offsets`: a base and the ports at these distances from it, such as
      `[0, 1, 10000]`. `scattered`: ports that need not be consecutive. At most one of the three.
    - `pool`, `exclude`: ports to give out and ports never to, such as `"20000-29999,31000"`; else `PORTALLOC_POOL` and
      `PORTALLOC_EXCLUDE`, else the project file `portalloc.toml`, else 20000-29999.
    - `guard`: holds the ports against programs that know nothing of portalloc, too: see `Lease.guard`.
    - `sticky`: prefers the ports that the same key was given before, on this machine.
    - `timeout`: seconds to wait for ports to come free; by default the call fails at once. While it waits other threads
      run, and Ctrl-C ends it.

    Raises `InvalidArgumentError`, `PoolExhaustedError`, `PortInUseError`, `TimeoutError`, `RegistryUnusableError`,
    `PermissionDeniedError`, `IoError`; `TypeError` for arguments of a wrong type.
    """

def leases() -> list[LeaseInfo]:
    """
    All live leases that belong to no environment, by port. Nothing is locked or changed.

    Raises `RegistryUnusableError`, `IoError`.
    """

def parse_id(text: str) -> str:
    """
    The text if it is an isolation ID, 12 lower-case hexadecimal digits; else raises `InvalidIdError`.
    """

def port(*, pool: str | None = None, exclude: str | None = None) -> int:
    """
    A port (1 to 65535) that is nobody else's until this process ends, however it ends, or until `give_back`. In place of
    `bind(0)` and of whatever finds a free port and lets go of it.

    - `pool`, `exclude`: ports to give out and ports never to, as for `portalloc.lease`.

    Costs one file descriptor, which is closed on exec. Does not block. Any thread may call it. A forked child cannot give
    back its parent's ports, and keeps them leased as long as it lives; those that it takes are its own.

    Raises `InvalidArgumentError`, `PoolExhaustedError`, `RegistryUnusableError`, `PermissionDeniedError`, `IoError`;
    `TypeError` for arguments of a wrong type. Where the pool is exhausted, or the process may open no more files, the error
    names the lines of this program that have taken the most ports and not given them back.
    """

def ports_in(text: str) -> list[int]:
    """
    Ports that a text names, whatever it tells of.
    """

def render(variables: Iterable[tuple[str, str]], syntax: str = "shell") -> str:
    """
    Writes variables, pairs of name and value, a line each, whatever the values contain. `syntax` is `shell` (safe to
    `eval`), `fish`, `powershell`, `dotenv` or `github`; `InvalidArgumentError` for any other.
    """

def run_command_line(args: Iterable[str]) -> int:
    """
    Runs the command line with these arguments, the first of which is the program's name, and returns its exit status.
    """

def settings(*, pool: str | None = None, exclude: str | None = None) -> Settings:
    """
    The registry and the pool that calls from the current folder go by: arguments, else variables, else the project file,
    else the defaults.

    Raises `InvalidArgumentError` for a malformed pool or project file, `RegistryUnusableError`, `PermissionDeniedError`.
    """

def validate(id: str) -> Validation:
    """
    Checks record, temp dir, env file and lease of an environment of this user, and looks at its ports.

    Raises `InvalidIdError`, `NotFoundError`, `PermissionDeniedError`, `RegistryUnusableError`, `IoError`.
    """

def wait_for(ports: int | Iterable[int], timeout: float | timedelta = ...) -> None:
    """
    Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1. A timeout of 0 looks once.

    `timeout` is in seconds, 30 by default. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `portalloc.TimeoutError`, which
    is a built-in `TimeoutError` too and says of each port that is not there what was seen last.
    """

def wait_free(ports: int | Iterable[int], timeout: float | timedelta = ...) -> None:
    """
    Waits until nothing is bound to any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included.
    Whether a port is leased makes no difference. A timeout of 0 looks once.

    `timeout` is in seconds, 30 by default. Other threads run meanwhile, and Ctrl-C ends the wait. Raises `portalloc.TimeoutError`, which
    is a built-in `TimeoutError` too and says of each port that is not free what was seen last.
    """

def who(port: int) -> PortReport:
    """
    Who is on a port: processes, sockets, and the lease or environment that has it. Nothing is locked, probed or changed.

    Processes of other users can be seen by root only. Raises `InvalidArgumentError` outside 1 to 65535.
    """
