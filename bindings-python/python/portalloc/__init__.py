"""Leases ports: while you hold one, no other process on this machine is given it.

    import portalloc

    server = start(port=portalloc.port())  # held until this process ends

    with portalloc.lease() as lease:  # held until the end of the block
        server = start(port=lease.port)

``port`` gives a port until the process ends. ``lease`` gives ports that end with an object. ``environment`` gives ports
with an isolation ID, a temp directory and variables. Every call raises a subclass of ``Error`` with a stable ``code``;
what you should know though nothing failed is a ``PortallocWarning``.

Threads: any thread may use anything. Fork: a port, a lease or an environment belongs to the process that made it; a
child's copy keeps its ports leased while the child lives, and cannot end it. Exec closes it, unless the new program
inherits it.

PYTEST_DONT_REWRITE: for programs that import this before they start pytest, which would warn them otherwise.
"""

from ._portalloc import (
    VERSION as __version__,
)
from ._portalloc import (
    Environment,
    Hold,
    Inheritable,
    Lease,
    attach,
    cleanup,
    cleanup_stale,
    current,
    environment,
    environments,
    give_back,
    is_free,
    lease,
    leases,
    port,
    validate,
    wait_until_free,
    wait_until_open,
    who,
    worktree_environment,
)
from .errors import (
    EnvFileExistsError,
    EnvironmentInUseError,
    Error,
    IdExhaustedError,
    InternalError,
    InvalidArgumentError,
    InvalidIdError,
    NotFoundError,
    PermissionDeniedError,
    PoolExhaustedError,
    PortallocWarning,
    PortInUseError,
    PortLeakWarning,
    RegistryUnusableError,
    SystemCallError,
    UnsupportedError,
    WaitTimeout,
)

# Importing `typing` costs more than all the rest of this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .summaries import (
        EnvironmentInfo,
        LeaseInfo,
        PortReport,
        StopReport,
        Validation,
    )

__all__ = [
    "EnvFileExistsError",
    "Environment",
    "EnvironmentInUseError",
    "EnvironmentInfo",
    "Error",
    "Hold",
    "IdExhaustedError",
    "Inheritable",
    "InternalError",
    "InvalidArgumentError",
    "InvalidIdError",
    "Lease",
    "LeaseInfo",
    "NotFoundError",
    "PermissionDeniedError",
    "PoolExhaustedError",
    "PortInUseError",
    "PortLeakWarning",
    "PortReport",
    "PortallocWarning",
    "RegistryUnusableError",
    "StopReport",
    "SystemCallError",
    "UnsupportedError",
    "Validation",
    "WaitTimeout",
    "__version__",
    "attach",
    "cleanup",
    "cleanup_stale",
    "current",
    "environment",
    "environments",
    "give_back",
    "is_free",
    "lease",
    "leases",
    "port",
    "validate",
    "wait_until_free",
    "wait_until_open",
    "who",
    "worktree_environment",
]


def __getattr__(name: str) -> "Any":
    # Types of results, which most programs never need: their imports would cost more than all the rest.
    if name in ("EnvironmentInfo", "LeaseInfo", "PortReport", "StopReport", "Validation"):
        from . import summaries

        return getattr(summaries, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
