"""What one test, or one session, has leased: takes it, holds it, and gives it all back.

The only place that makes leases and environments for tests. Knows the order in which they end: first the look for
leaks, while the ports are still leased; then the files; then the release, whatever went wrong before.
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
        ports: Iterable[int] | None = None,
        offsets: Iterable[int] | None = None,
        scattered: bool = False,
        pool: str | None = None,
        exclude: str | None = None,
        guard: bool = False,
        sticky: str | None = None,
        timeout: float | None = None,
    ) -> portalloc.Lease:
        """As `portalloc.lease`, with the options of this run for what is not given."""
        options = self._options
        lease = portalloc.lease(
            count,
            ports=ports,
            offsets=offsets,
            scattered=scattered,
            pool=options.pool if pool is None else pool,
            exclude=options.exclude if exclude is None else exclude,
            guard=guard,
            sticky=sticky,
            timeout=options.timeout if timeout is None else timeout,
        )
        self._leases.append(lease)
        return lease

    def environment(self, keep_in: Path) -> portalloc.Environment:
        """One for this test. What is in its temp dir at the end is moved to a folder in `keep_in`."""
        environment = create_environment(self._options)
        self._environments.append((environment, keep_in))
        return environment

    def kept_files(self) -> list[tuple[str, Path]]:
        """IDs of the environments that have files by now, and where these are going to be."""
        return [
            (environment.id, keeping.place(environment, keep_in))
            for environment, keep_in in self._environments
            if keeping.has_files(environment)
        ]

    def close(self) -> list[str]:
        """Gives everything back. Returns the leaks, a sentence each."""
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
        # By a stack, so that one that cannot be released keeps no other from it.
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


# Where a test's report finds what the test has leased.
HOLDER = pytest.StashKey[Holder]()


def create_environment(options: Options) -> portalloc.Environment:
    """A held one, as `portalloc.toml` at the rootdir says; the options of pytest override that. Writes no env file."""
    return portalloc.Environment.create(
        worktree=options.rootdir,
        env_file=False,
        pool=options.pool,
        exclude=options.exclude,
        timeout=options.timeout,
    )


@contextmanager
def holder_of(node: pytest.Item | pytest.Session, options: Options) -> Generator[Holder]:
    """Holds for as long as the fixture that calls it; leaks are reported on `node`."""
    holder = Holder(options)
    yield holder
    leaks.report(node, holder.close(), options.leak)
