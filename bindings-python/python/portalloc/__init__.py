"""Ports that are yours: leased, held in the kernel, and freed by the kernel when their holder is gone.

    import portalloc

    with portalloc.lease() as lease:  # nobody else on this machine is given its port
        server = start(port=lease.port)

``lease`` gives ports; ``Environment`` gives ports with an isolation ID, a temp dir, an env file and variables around
them. Every call raises a subclass of ``Error`` with a stable ``code``.

Threads: everything may be used by any thread. Fork: a lease or an environment belongs to the process that made it; a
child's copy keeps a lease alive while the child lives, and cannot end it. Exec closes it, unless it is passed on.

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
    is_free,
    lease,
    leases,
    parse_id,
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
    "is_free",
    "lease",
    "leases",
    "parse_id",
    "render",
    "settings",
    "validate",
    "wait_for",
    "wait_free",
    "who",
]

#: The stable codes of all errors, the same in every language.
ERROR_CODES: tuple[str, ...] = error_codes()
