"""Ports that are yours: leased, held in the kernel, and freed by the kernel when their holder is gone.

    import portalloc

    server = start(port=portalloc.port())  # nobody else on this machine is given it while this process lives

    with portalloc.lease() as lease:  # nor this one, until the end of the block
        server = start(port=lease.port)

``port`` gives a port until the process ends; ``lease`` gives ports that end with an object; ``Environment`` gives ports
with an isolation ID, a temp dir, an env file and variables around them. Every call raises a subclass of ``Error`` with
a stable ``code``; what you should know though nothing failed is a ``PortallocWarning``.

Threads: everything may be used by any thread. Fork: a port, a lease or an environment belongs to the process that made
it; a child's copy keeps its ports leased while the child lives, and cannot end it. Exec closes it, unless it is passed
on.

PYTEST_DONT_REWRITE: for programs that import this before they start pytest, which would warn them otherwise.
"""

from ._portalloc import (
    VERSION as __version__,
)
from ._portalloc import (
    Environment,
    EnvironmentInfo,
    Holder,
    Inheritable,
    Lease,
    LeaseInfo,
    PortReport,
    Settings,
    SocketInfo,
    Validation,
    cleanup,
    cleanup_stale,
    environments,
    error_codes,
    give_back,
    is_free,
    lease,
    leases,
    parse_id,
    port,
    render,
    settings,
    validate,
    wait_for,
    wait_free,
    who,
)
from .errors import (
    EnvFileExistsError,
    Error,
    IdExhaustedError,
    InternalError,
    InUseError,
    InvalidArgumentError,
    InvalidIdError,
    IoError,
    NotFoundError,
    PermissionDeniedError,
    PoolExhaustedError,
    PortallocWarning,
    PortInUseError,
    RegistryUnusableError,
    TimeoutError,  # noqa: A004 - in its own namespace, and a subclass
    UnsupportedError,
)

__all__ = [
    "ERROR_CODES",
    "EnvFileExistsError",
    "Environment",
    "EnvironmentInfo",
    "Error",
    "Holder",
    "IdExhaustedError",
    "InUseError",
    "Inheritable",
    "InternalError",
    "InvalidArgumentError",
    "InvalidIdError",
    "IoError",
    "Lease",
    "LeaseInfo",
    "NotFoundError",
    "PermissionDeniedError",
    "PoolExhaustedError",
    "PortInUseError",
    "PortReport",
    "PortallocWarning",
    "RegistryUnusableError",
    "Settings",
    "SocketInfo",
    "TimeoutError",
    "UnsupportedError",
    "Validation",
    "__version__",
    "cleanup",
    "cleanup_stale",
    "environments",
    "give_back",
    "is_free",
    "lease",
    "leases",
    "parse_id",
    "port",
    "render",
    "settings",
    "validate",
    "wait_for",
    "wait_free",
    "who",
]

#: The stable codes of all errors, the same in every language.
ERROR_CODES: tuple[str, ...] = error_codes()
