"""What one test, or one session, has leased: takes it, holds it, and releases it.

The only place that makes leases and environments for tests. Knows the order in which they end: first the check for
leaks, while the ports are still leased; then the files; then the release, even if something failed before.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

import portalloc
import pytest

from portalloc_pytest import keeping, leaks

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from datetime import timedelta
    from pathlib import Path

    from portalloc_pytest.options import Options


class Holder:
    """Leases and environments that end together."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._leases: list[portalloc.Lease] = []
        self._environments: list[tuple[portalloc.Environment, Path]] = []
        self._pid = os.getpid()
        # Set when a phase of the test fails. Its frames live on in pytest's traceback, and so do their sockets.
        self.failed = False

    def lease(
        self,
        count: int | None = None,
        *,
        exact: Iterable[int] | None = None,
        offsets: Iterable[int] | None = None,
        scattered: bool = False,
        pool: str | None = None,
        exclude: str | None = None,
        guard: bool = False,
        sticky_key: str | None = None,
        prefer: int | Iterable[int] | None = None,
        wait: float | timedelta | None = None,
    ) -> portalloc.Lease:
        """Like `portalloc.lease`; the options of this run set what is not given."""
        options = self._options
        lease = portalloc.lease(
            count,
            exact=exact,
            offsets=offsets,
            scattered=scattered,
            pool=options.pool if pool is None else pool,
            exclude=options.exclude if exclude is None else exclude,
            guard=guard,
            sticky_key=sticky_key,
            prefer=prefer,
            wait=options.wait if wait is None else wait,
        )
        self._leases.append(lease)
        return lease

    def environment(self, keep_in: Path) -> portalloc.Environment:
        """One for this test. What is in its temp directory at the end is moved to a directory in `keep_in`."""
        environment = create_environment(self._options)
        self._environments.append((environment, keep_in))
        return environment

    def kept_files(self) -> list[tuple[str, Path]]:
        """IDs of the environments that have files by now, and where those will be."""
        return [
            (environment.id, keeping.place(environment, keep_in))
            for environment, keep_in in self._environments
            if keeping.has_files(environment)
        ]

    def close(self) -> list[str]:
        """Releases everything. Returns the leaks, a sentence each."""
        if os.getpid() != self._pid:
            return []  # a forked child: these are its parent's
        try:
            if self._options.leak == "off":
                return []
            return leaks.find(self._held_ports(), ours_too=not self.failed)
        finally:
            self._release()

    def _held_ports(self) -> list[int]:
        held = [*self._leases, *(environment.lease for environment, _ in self._environments)]
        ports: list[int] = []
        for lease in held:
            if lease is not None and not lease.released:
                lease.drop_guard()  # our own sockets are no leak
                ports.extend(lease)
        return ports

    def _release(self) -> None:
        # Recursive, so that everything else is released even if one of them cannot be.
        if self._leases:
            try:
                self._leases.pop().release()
            finally:
                self._release()
        elif self._environments:
            environment, keep_in = self._environments.pop()
            try:
                keeping.keep(environment, keep_in)
            except OSError as error:
                message = f"files of environment {environment.id} are lost: {error}"
                warnings.warn(message, portalloc.PortallocWarning, stacklevel=2)
            finally:
                try:
                    environment.cleanup()
                finally:
                    self._release()


# Through this the report of a test finds what the test has leased.
HOLDER = pytest.StashKey[Holder]()


def create_environment(options: Options, *, owner_pid: int | None = None) -> portalloc.Environment:
    """As `portalloc.toml` at the rootdir says; the options of pytest override that. Held, or kept for an owner."""
    return portalloc.environment(
        worktree=options.rootdir,
        kept=owner_pid is not None,
        owner_pid=owner_pid,
        pool=options.pool,
        exclude=options.exclude,
        wait=options.wait,
    )


@contextmanager
def holder_of(node: pytest.Item | pytest.Session, options: Options) -> Generator[Holder]:
    """Holds for as long as the fixture that calls it; leaks are reported on `node`."""
    holder = Holder(options)
    yield holder
    leaks.report(node, holder.close(), options.leak)
