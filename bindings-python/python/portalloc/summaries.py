"""What the registry and the kernel show: environments, leases, who is on a port.

The fields are those of the command line's JSON (`portalloc list --json`, `portalloc who --json`). Times are aware
``datetime`` objects in UTC, paths are ``pathlib.Path``, lists are tuples. Imported only when one of these is asked for.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Holder(NamedTuple):
    """The process that took a lease, or owns a kept environment."""

    #: Its process ID, in its own PID namespace.
    pid: int
    #: The name of its program, while it runs and where it can be read.
    name: str | None


@dataclass(frozen=True)
class EnvironmentInfo:
    """An environment as the registry shows it. Some fields are ``None`` for other users' and damaged environments."""

    #: Its isolation ID.
    isolation_id: str
    #: ``stale`` if its holder, TTL or owner has ended, ``damaged`` if its record or labels cannot be read.
    status: Literal["active", "stale", "damaged"]
    #: Why it is stale, as a stable word such as ``expired``.
    stale_reason: str | None
    #: Why it is not active, as a phrase.
    reason: str | None
    #: ``None`` if its record is broken.
    lifetime: Literal["held", "kept"] | None
    #: Its ports, in the order of the names.
    ports: tuple[int, ...]
    #: The names of the first ports.
    names: tuple[str, ...] | None
    #: When it was made.
    created_at: datetime | None
    #: When its TTL is over.
    expires_at: datetime | None
    #: The process that made a held one, or the owner of a kept one.
    holder: Holder | None
    #: The user it belongs to, by number.
    user_id: int
    #: Tells it apart from other environments of its worktree.
    instance_id: str | None
    #: Its worktree.
    worktree_path: Path | None
    #: Its temp directory.
    temp_dir: Path | None
    #: Its env file, if it has one.
    env_file: Path | None
    #: The file of its record.
    lock_file: Path | None


@dataclass(frozen=True)
class LeaseInfo:
    """A live lease that belongs to no environment."""

    #: Its ports, ascending.
    ports: tuple[int, ...]
    #: The process that took it.
    holder: Holder | None
    #: The user it belongs to, by number.
    user_id: int
    #: When it was taken.
    since: datetime


@dataclass(frozen=True)
class PortClaim:
    """The lease or environment that has a port."""

    lifetime: Literal["held", "kept"]
    #: The process that took the lease. Another process may have inherited it since.
    holder: Holder | None
    #: The environment, if it is not a plain lease.
    isolation_id: str | None
    #: Since when it has the port.
    since: datetime | None
    #: The environment's worktree; ``None`` for another user's, as is the next.
    worktree_path: Path | None
    #: Tells the environment apart from others of its worktree.
    instance_id: str | None


@dataclass(frozen=True)
class ProcessInfo:
    """A process that has a socket open."""

    pid: int
    #: The name of its program.
    name: str
    #: Its command line. May hold any characters.
    command: str
    #: The user it runs as, by number.
    user_id: int
    #: The user it runs as, by name, if the system knows one.
    user: str | None
    #: When it started.
    started_at: datetime


@dataclass(frozen=True)
class SocketInfo:
    """A socket on a port."""

    protocol: Literal["tcp", "udp"]
    #: Its address on this machine, such as ``127.0.0.1:8080``.
    local: str
    #: The other end, if it is connected.
    remote: str | None
    #: ``listen``, ``established``, ``bound`` (TCP, neither listening nor connected), ``unconnected`` (UDP),
    #: ``time_wait``, ``syn_sent``, ``syn_received``, ``fin_wait_1``, ``fin_wait_2``, ``close_wait``, ``last_ack``,
    #: ``closing`` or ``unknown``.
    state: str
    #: The user who made it, by number, if a process has it open.
    user_id: int | None
    #: The processes that have it open, as far as this one may see.
    processes: tuple[ProcessInfo, ...]
    #: Why a process that has it open cannot be seen, as a stable word.
    hidden: str | None


@dataclass(frozen=True)
class PortHolder:
    """A process that has a socket on a port, or took its lease."""

    #: Its process ID; of one that only has the lease, in its own PID namespace.
    pid: int
    #: The name of its program, where it can be read from here.
    name: str | None
    #: Its command line, if it has a socket on the port, as for the next two. May hold any characters.
    command: str | None
    #: The user it runs as, by name or else by number.
    user: str | None
    #: When it started.
    started_at: datetime | None
    #: Whether it took the port's lease.
    leased: bool
    #: Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
    listening: bool


@dataclass(frozen=True)
class PortReport:
    """Who is on a port. As text it is one sentence."""

    #: The port.
    port: int
    #: One sentence: who is on it, since when, and the lease or environment that has it.
    message: str
    #: Whether there is a socket on it.
    in_use: bool
    #: The lease or environment that has it.
    lease: PortClaim | None
    #: The sockets on it, TCP and UDP, in every state.
    sockets: tuple[SocketInfo, ...]
    #: The processes that have sockets on it or took its lease.
    holders: tuple[PortHolder, ...]
    #: Whether the kernel shows every kind of socket. Before Linux 6.8 it does not show TCP sockets that are bound and
    #: neither listen nor are connected.
    complete: bool

    @property
    def leased(self) -> bool:
        """Whether a lease or an environment has it."""
        return self.lease is not None

    def __str__(self) -> str:
        return self.message


class Check(NamedTuple):
    """What the check of one part of an environment found."""

    #: The part: ``record``, ``temp_dir``, ``env_file`` or ``lease``.
    name: str
    ok: bool
    #: Why it failed.
    failure: str | None


class PortCheck(NamedTuple):
    """A port of an environment."""

    port: int
    #: Whether a program has a socket on it, as a server of the environment would. That is no failure.
    in_use: bool


@dataclass(frozen=True)
class Validation:
    """What a check of an environment found. True if every part of it passed."""

    isolation_id: str
    #: Whether every check passed.
    valid: bool
    checks: tuple[Check, ...]
    ports: tuple[PortCheck, ...]

    def __bool__(self) -> bool:
        return self.valid


@dataclass(frozen=True)
class DoctorCheck:
    """One line of a report of the doctor."""

    #: A stable word for what was examined, such as ``ephemeral_range``.
    code: str
    #: ``note``: every promise is kept, but a user should know this; ``broken``: a promise is not kept here.
    status: Literal["ok", "note", "broken", "skipped"]
    #: What was found, in one sentence.
    message: str
    #: What to do about it, where something can be done.
    remedy: str | None
    #: Details by name, to compare reports of two processes.
    facts: dict[str, str]

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class HolderCount(NamedTuple):
    """How many ports of the pool somebody has."""

    #: An environment or a process.
    holder: str
    #: How many ports.
    ports: int


@dataclass(frozen=True)
class Explanation:
    """Whether a lease of so many consecutive ports would be granted. True if it would."""

    count: int
    granted: bool
    #: Why, in one sentence or two.
    message: str
    #: What to do if it would be refused.
    remedy: str | None
    #: How many ports of the pool are in each state, as in ``PoolExhaustedError``; ``None`` if the registry or the pool
    #: cannot be used.
    census: dict[str, int] | None
    #: Who has ports of the pool, most ports first.
    holders: tuple[HolderCount, ...]

    def __bool__(self) -> bool:
        return self.granted

    def __str__(self) -> str:
        return self.message


class Variable(NamedTuple):
    """A variable that is set."""

    name: str
    value: str


@dataclass(frozen=True)
class Machine:
    """What a bug report should contain beside the checks."""

    #: The version of portalloc.
    version: str
    system: str
    #: The version of the kernel.
    kernel: str
    architecture: str
    libc: str
    user_id: int
    #: The containers and sandboxes in which this process seems to run.
    sandboxes: tuple[str, ...]
    #: The numbers of this thread's namespaces, by kind.
    namespaces: dict[str, int]
    #: ``TMPDIR``, ``ISOLATION_ID`` and every variable whose name begins with ``PORTALLOC_``.
    variables: tuple[Variable, ...]


@dataclass(frozen=True)
class DoctorReport:
    """What the doctor found. True if portalloc keeps every promise here."""

    #: Whether no check is broken.
    ok: bool
    #: One for each thing that could be otherwise, always the same ones in the same order.
    checks: tuple[DoctorCheck, ...]
    #: Whether a lease would be granted, if that was asked.
    explanation: Explanation | None
    #: What a bug report should contain beside the checks.
    machine: Machine

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True)
class StoppedProcess:
    """A process that is an environment's. As text it is one sentence."""

    pid: int
    #: The name of its program.
    name: str
    #: Its command line. May hold any characters.
    command: str
    #: The ports on which it has a socket, or, for a supervisor, on which its servers had one again.
    ports: tuple[int, ...]
    #: Why it counts as the environment's: ``hold``, ``variable``, ``descent`` or ``directory``.
    reason: str
    #: The same as a phrase.
    why: str
    #: Whether it has no socket on the ports, but started a server again that had been ended.
    supervisor: bool
    #: ``would_end`` (a dry run), ``ended`` (SIGTERM), ``killed`` (SIGKILL), ``gone`` (before it was asked to end) or
    #: ``remains``.
    outcome: Literal["would_end", "ended", "killed", "gone", "remains"]


@dataclass(frozen=True)
class ForeignProcess:
    """A process on a port of an environment that is somebody else's, or not to be ended, and was left alone."""

    pid: int
    #: The name of its program.
    name: str
    #: Its command line. May hold any characters.
    command: str
    #: The ports on which it has a socket.
    ports: tuple[int, ...]
    #: Its current directory, if it can be read.
    directory: Path | None
    #: Why it was left alone.
    why: str


@dataclass(frozen=True)
class UnknownHolder:
    """A socket on a port of an environment whose process cannot be inspected."""

    port: int
    #: The user who made the socket, by number.
    user_id: int
    #: Why its process cannot be inspected.
    why: str


@dataclass(frozen=True)
class Supervisor:
    """A process that starts servers of an environment again, and was left alone."""

    pid: int
    #: The name of its program.
    name: str
    #: Its command line. May hold any characters.
    command: str
    #: Its current directory, if it can be read.
    directory: Path | None
    #: The ports on which its servers have a socket again.
    ports: tuple[int, ...]


@dataclass(frozen=True)
class StopReport:
    """What came of ending an environment's servers. True if nothing is left, or would be left, on its ports."""

    #: The environment.
    isolation_id: str
    #: The processes that are its own, in the order in which they were asked to end.
    processes: tuple[StoppedProcess, ...]
    #: The processes on its ports that were left alone.
    foreign: tuple[ForeignProcess, ...]
    #: The sockets on its ports whose processes cannot be inspected.
    unknown: tuple[UnknownHolder, ...]
    #: The processes that start its servers again, and were left alone.
    supervisors: tuple[Supervisor, ...]
    #: Whether the environment was removed, too: see ``Environment.down``.
    removed: bool

    def __bool__(self) -> bool:
        remains = any(process.outcome == "remains" for process in self.processes)
        return not (self.foreign or self.unknown or self.supervisors or remains)


# --- from the core's JSON. A field that is missing or new there is an error here, so the two cannot drift apart.


def environments(text: str) -> list[EnvironmentInfo]:
    return [
        EnvironmentInfo(**_typed(value, holder=_holder, **_TIMES, **_PATHS, ports=tuple, names=tuple))
        for value in json.loads(text)
    ]


def leases(text: str) -> list[LeaseInfo]:
    return [LeaseInfo(**_typed(value, ports=tuple, holder=_holder, since=_time)) for value in json.loads(text)]


def port_report(text: str) -> PortReport:
    return PortReport(**_typed(json.loads(text), lease=_claim, sockets=_all(_socket), holders=_all(_port_holder)))


def validation(text: str) -> Validation:
    return Validation(**_typed(json.loads(text), checks=_all(_check), ports=_all(_port_check)))


def stop_report(text: str) -> StopReport:
    return StopReport(
        **_typed(
            json.loads(text),
            processes=_all(lambda process: StoppedProcess(**_typed(process, ports=tuple))),
            foreign=_all(lambda process: ForeignProcess(**_typed(process, ports=tuple, directory=Path))),
            unknown=_all(lambda holder: UnknownHolder(**holder)),
            supervisors=_all(lambda process: Supervisor(**_typed(process, ports=tuple, directory=Path))),
        )
    )


def doctor_report(text: str) -> DoctorReport:
    return DoctorReport(
        **_typed(json.loads(text), checks=_all(_doctor_check), explanation=_explanation, machine=_machine)
    )


def _doctor_check(value: dict[str, Any]) -> DoctorCheck:
    return DoctorCheck(**value)


def _explanation(value: dict[str, Any]) -> Explanation:
    return Explanation(**_typed(value, holders=_all(lambda holder: HolderCount(**holder))))


def _machine(value: dict[str, Any]) -> Machine:
    return Machine(**_typed(value, sandboxes=tuple, variables=_all(lambda variable: Variable(**variable))))


def _typed(fields: dict[str, Any], **conversions: Any) -> dict[str, Any]:
    """The fields, converted where they are given."""
    return {
        name: conversions[name](value) if name in conversions and value is not None else value
        for name, value in fields.items()
    }


def _all(convert: Callable[[Any], Any]) -> Callable[[list[Any]], tuple[Any, ...]]:
    return lambda values: tuple(convert(value) for value in values)


def _time(text: str) -> datetime:
    # Python 3.10 does not know the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _holder(value: dict[str, Any]) -> Holder:
    return Holder(**value)


def _claim(value: dict[str, Any]) -> PortClaim:
    return PortClaim(**_typed(value, holder=_holder, since=_time, worktree_path=Path))


def _check(value: dict[str, Any]) -> Check:
    return Check(**value)


def _port_check(value: dict[str, Any]) -> PortCheck:
    return PortCheck(**value)


def _process(value: dict[str, Any]) -> ProcessInfo:
    return ProcessInfo(**_typed(value, started_at=_time))


def _socket(value: dict[str, Any]) -> SocketInfo:
    return SocketInfo(**_typed(value, processes=_all(_process)))


def _port_holder(value: dict[str, Any]) -> PortHolder:
    return PortHolder(**_typed(value, started_at=_time))


_TIMES: dict[str, Any] = {"created_at": _time, "expires_at": _time}
_PATHS: dict[str, Any] = dict.fromkeys(("worktree_path", "temp_dir", "env_file", "lock_file"), Path)
